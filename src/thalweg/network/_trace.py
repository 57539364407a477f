"""From symbols, or a plain list of layers, to a :class:`Network`."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.layers._base import Layer
from thalweg.layers._symbol import Symbol
from thalweg.network._network import Network, Node, Place


def network_of(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> Network:
    """The graph between `inputs` and `outputs`.

    Raises:
        ValueError: where an output depends on an input that is not listed.

    """
    order = in_order(inputs, outputs)
    layers: list[Layer] = []
    calls: dict[int, int] = {}
    number = {id(symbol): i for i, symbol in enumerate((*inputs, *order))}
    nodes = []
    for symbol in order:
        position = next((i for i, layer in enumerate(layers) if layer is symbol.layer), len(layers))
        if position == len(layers):
            layers.append(symbol.layer)
        call = calls.get(position, 0)
        calls[position] = call + 1
        nodes.append(Node(position, tuple(number[id(one)] for one in symbol.inputs), call))
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


def in_order(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> list[Symbol]:
    """Every symbol between inputs and outputs, each after what it is made of."""
    seen = {id(symbol) for symbol in inputs}
    order: list[Symbol] = []
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
            waiting.append((symbol, True))
            waiting.extend((one, False) for one in reversed(symbol.inputs))
    return order
