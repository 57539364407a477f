"""The calls of layers in a description of a graph: Keras 3's form and Keras 2's, and how each counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from thalweg.files import refuse

End = tuple[str, int, int]
"""A tensor: the layer that makes it, in which of its calls, the how manieth there."""


class Call(NamedTuple):
    """One call of a layer.

    Attributes:
        layer: its name.
        number: the how manieth call of that layer.
        ends: the tensors it is called on.
        many: whether they stood in a list.
        keys: where they stood in a dict, its keys.
        old: whether it is in Keras 2's form.

    """

    layer: str
    number: int
    ends: tuple[End, ...]
    many: bool
    keys: tuple[str, ...] = ()
    old: bool = False


def call_of(layer: str, number: int, told: Any, path: Any) -> Call:
    """One entry of ``inbound_nodes``.

    Raises:
        FileError: where it is in neither form.

    """
    try:
        if not isinstance(told, Mapping):
            old = told if told and isinstance(told[0], list) else [told]
            return Call(layer, number, tuple(_end(one) for one in old), len(old) > 1, old=True)
        fed = [*told["args"], *told.get("kwargs", {}).values()]
        given = next(one for one in fed if one is not None and next(_tensors(one), None) is not None)
        ends = tuple(_end(one["config"]["keras_history"]) for one in _tensors(given))
        keyed = isinstance(given, Mapping) and "class_name" not in given
        return Call(layer, number, ends, isinstance(given, list), tuple(map(str, given)) if keyed else ())
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, StopIteration) as error:
        refuse(path, f"layer {layer!r}", f"has inbound_nodes in a form that is not known ({error!r}).", error)


def _end(told: Any) -> End:
    name, node, tensor = told[:3]
    return str(name), int(node), int(tensor)


def _tensors(told: Any) -> Iterator[Any]:
    """The tensors of one argument: alone, in a list or in a dict."""
    if isinstance(told, Mapping):
        inner = [told] if told.get("class_name") == "__keras_tensor__" else []
        inner += [one for one in told.values() if isinstance(one, Mapping) and "class_name" not in told]
        yield from (one for one in inner if one.get("class_name") == "__keras_tensor__")
    elif isinstance(told, list):
        for one in told:
            yield from _tensors(one)


def renumbered(calls: Sequence[Call], outputs: Any, models: Mapping[str, str]) -> tuple[list[Call], Any]:
    """Calls and outputs with the calls of models counted from 0.

    Keras counts the calls of a Functional model from 1 where it lists outputs, and from 0 where it lists what
    layers are called on. Keras 2 counted from 1 in both, also the calls of a Sequential that knew its input.

    Args:
        calls: of all layers.
        outputs: as described.
        models: of the layers that are models, name -> class.

    """
    if not any(call.old for call in calls):
        return list(calls), _less(outputs, {name: 1 for name, kind in models.items() if kind != "Sequential"})
    seen: dict[str, int] = {}
    for name, node, _ in [*(end for call in calls for end in call.ends), *_listed(outputs)]:
        seen[name] = min(node, seen.get(name, node))
    first = {name: seen.get(name, 0) for name in models}
    moved = [call._replace(ends=tuple((n, i - first.get(n, 0), t) for n, i, t in call.ends)) for call in calls]
    return moved, _less(outputs, first)


def _listed(outputs: Any) -> list[End]:
    if isinstance(outputs, Mapping):
        return [end for one in outputs.values() for end in _listed(one)]
    if not isinstance(outputs, list) or not outputs:
        return []
    return [_end(outputs)] if isinstance(outputs[0], str) else [end for one in outputs for end in _listed(one)]


def _less(outputs: Any, first: Mapping[str, int]) -> Any:
    if isinstance(outputs, Mapping):
        return {name: _less(one, first) for name, one in outputs.items()}
    if isinstance(outputs, list) and len(outputs) == 3 and isinstance(outputs[0], str) and isinstance(outputs[1], int):
        return [outputs[0], outputs[1] - first.get(outputs[0], 0), outputs[2]]
    return [_less(one, first) for one in outputs] if isinstance(outputs, list) else outputs
