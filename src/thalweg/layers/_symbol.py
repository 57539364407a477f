"""A tensor that has a shape and a history but no numbers: what the functional style is written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thalweg.layers._base import Layer


@dataclass(frozen=True, eq=False)
class Symbol:
    """The output of a layer that was called on symbols (a KerasTensor, to Keras people).

    Attributes:
        features: the shape without the batch axis.
        layer: who makes it; an ``InputLayer`` for the graph's inputs.
        inputs: what that layer is called on.

    """

    features: tuple[int, ...]
    layer: Layer
    inputs: tuple[Symbol, ...] = field(default=())

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Keras's shape: None for the batch axis."""
        return (None, *self.features)

    def __repr__(self) -> str:
        return f"<Symbol shape={self.shape} from {self.layer.name}>"
