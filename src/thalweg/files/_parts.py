"""What a model's file holds, in terms of arrays: layers, nested as they were when the file was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from thalweg._names import snake_case


class Spec(NamedTuple):
    """One array of a layer."""

    name: str
    shape: tuple[int, ...]
    trainable: bool


class Part(NamedTuple):
    """A layer, or a model that was used as one.

    Attributes:
        name: the layer's.
        kind: its class's name.
        weights: its arrays, in the order of ``get_weights``; () for a model.
        parts: the layers of a model; None for a layer.
        owner: who wants the arrays back; nobody looks at it here.

    """

    name: str
    kind: str
    weights: tuple[Spec, ...] = ()
    parts: tuple[Part, ...] | None = None
    owner: Any = None


def leaves(parts: Sequence[Part]) -> Iterator[Part]:
    """The layers, those of nested models in their place."""
    for part in parts:
        if part.parts is None:
            yield part
        else:
            yield from leaves(part.parts)


def store_paths(parts: Sequence[Part], folder: str = "layers") -> Iterator[str]:
    """Where Keras 3 keeps each of :func:`leaves`: by class and a counter, never by name."""
    counts: dict[str, int] = {}
    for part in parts:
        kind = snake_case(part.kind)
        number = counts[kind] = counts.get(kind, -1) + 1
        path = f"{folder}/{kind}_{number}" if number else f"{folder}/{kind}"
        if part.parts is None:
            yield path
        else:
            yield from store_paths(part.parts, f"{path}/layers")
