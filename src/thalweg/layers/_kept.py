"""What a layer keeps of each of its weights: how it starts, what is asked of it, what it must not do."""

from __future__ import annotations

from typing import Any

from thalweg import constraints, initializers, regularizers
from thalweg.layers._base import Layer, own
from thalweg.layers._variable import Axis, Weight


def keep(layer: Layer, name: str, initializer: Any, regularizer: Any = None, constraint: Any = None) -> None:
    """Keep three arguments of a constructor, as ``<name>_initializer``, ``<name>_regularizer``, ``<name>_constraint``."""
    setattr(layer, f"{name}_initializer", initializers.get(initializer))
    setattr(layer, f"{name}_regularizer", own(regularizers.get(regularizer)))
    setattr(layer, f"{name}_constraint", own(constraints.get(constraint)))


def declared(
    layer: Layer, name: str, shape: tuple[int, ...], axes: tuple[Axis, ...], kept: str | None = None
) -> Weight:
    """The weight of which that was kept.

    Args:
        layer: whose it is.
        name: of the weight.
        shape: of the weight.
        axes: how it grows in a population (see :class:`Weight`).
        kept: under which name its arguments are, where that is another.

    """
    kept = kept or name
    start = getattr(layer, f"{kept}_initializer")
    return Weight(name, shape, start, regularizer=f"{kept}_regularizer", constraint=f"{kept}_constraint", axes=axes)
