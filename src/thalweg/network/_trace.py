"""From symbols, or a plain list of layers, to a :class:`Network`."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.layers._base import Layer
from thalweg.layers._symbol import Symbol
from thalweg.network._network import Network, Node, Place


def network_of(inputs: Sequence[Symbol], outputs: Sequence[Symbol], keys: Sequence[str] | None = None) -> Network:
    """The graph between `inputs` and `outputs`.

    Args:
        inputs: where it begins.
        outputs: where it ends.
        keys: of a dict of outputs; Keras goes through them in alphabetical order, which its weights follow.

    Raises:
        ValueError: where an output depends on an input that is not listed.

    """
    ends = list(outputs) if keys is None else [one for _, one in sorted(zip(keys, outputs, strict=True), key=_key)]
    order, first = _walked(inputs, ends)
    layers = _by_depth(order, first)
    position = {id(layer): i for i, layer in enumerate(layers)}
    calls: dict[int, int] = {}
    number = {id(symbol): i for i, symbol in enumerate((*inputs, *order))}
    nodes = []
    for symbol in order:
        place = position[id(symbol.layer)]
        call = calls.get(place, 0)
        calls[place] = call + 1
        nodes.append(Node(place, tuple(number[id(one)] for one in symbol.inputs), call))
    places = [Place(i, v.declared) for i, layer in enumerate(layers) for v in layer.variables]
    free = [p.weight.trainable and layers[p.layer].trainable for p in places]
    return Network(
        tuple(layers),
        tuple(nodes),
        tuple(symbol.features for symbol in inputs),
        tuple(number[id(symbol)] for symbol in outputs),
        tuple(symbol.features for symbol in (*inputs, *order)),
        tuple(p for p, trained in zip(places, free, strict=True) if trained),
        tuple(p for p, trained in zip(places, free, strict=True) if not trained),
    )


def _key(pair: tuple[str, Symbol]) -> str:
    return pair[0]


def in_order(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> list[Symbol]:
    """Every symbol between inputs and outputs, each after what it is made of."""
    return _walked(inputs, outputs)[0]


def _walked(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> tuple[list[Symbol], list[Layer]]:
    """The symbols, each after what it is made of, and the layers as they are first met on the way back."""
    seen = {id(symbol) for symbol in inputs}
    order: list[Symbol] = []
    first: dict[int, Layer] = {}
    waiting: list[tuple[Symbol, bool]] = [(symbol, False) for symbol in reversed(outputs)]
    while waiting:
        symbol, ready = waiting.pop()
        if id(symbol) in seen:
            continue
        if not symbol.inputs:
            raise ValueError(
                f"The outputs depend on the input {symbol.layer.name!r} of shape {symbol.shape}, which is not among "
                f"the model's inputs. Pass it: Model(inputs=[..., {symbol.layer.name}], outputs=...)."
            )
        if ready:
            seen.add(id(symbol))
            order.append(symbol)
        else:
            first.setdefault(id(symbol.layer), symbol.layer)
            waiting.append((symbol, True))
            waiting.extend((one, False) for one in reversed(symbol.inputs))
    return order, list(first.values())


def _by_depth(order: Sequence[Symbol], first: Sequence[Layer]) -> list[Layer]:
    """The layers in Keras's order, which weights follow: the farthest from the outputs first.

    A layer's depth is that of its deepest call; layers of one depth stand as they are first met.
    """
    symbols: dict[int, int] = {}
    depths: dict[int, int] = {}
    for symbol in reversed(order):
        layer = id(symbol.layer)
        depths[layer] = depth = max(symbols.get(id(symbol), 0), depths.get(layer, 0))
        for one in symbol.inputs:
            symbols[id(one)] = max(depth + 1, symbols.get(id(one), 0))
    return sorted(first, key=lambda layer: -depths[id(layer)])
