"""Nets of different widths as one structure: the widest net, with units of the others asleep.

Nothing here assumes that real units come first: after a Flatten or a Concatenate they do not. Which
positions are real is computed by sending masks through the graph, and weights move by index arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.layers._variable import Axis
from thalweg.network import Network, Place, Used, mask_along

Where = tuple[np.ndarray, ...]


def positions(widest: Network, used: Used, places: Sequence[Place]) -> list[Where]:
    """Per weight of the widest net, where along each axis a member's numbers lie."""
    awake = widest.awake(used)
    fed = {node.layer: node.inputs[0] for node in reversed(widest.nodes)}
    found = []
    for place in places:
        reach = np.asarray(awake.tensors[fed[place.layer]]), used.units[place.layer]
        axes = place.weight.axes or (None,) * len(place.weight.shape)
        found.append(tuple(_along(axis, *reach, size) for axis, size in zip(axes, place.weight.shape, strict=True)))
    return found


def pad(array: Any, where: Where, shape: tuple[int, ...], fill: float = 0.0) -> np.ndarray:
    """A member's array inside one of the widest net's shape; the rest is `fill`."""
    array = np.asarray(array)
    room = np.full(shape, fill, array.dtype)
    room[np.ix_(*where)] = array
    return room


def unpad(array: Any, where: Where) -> np.ndarray:
    """A member's array back out."""
    return np.ascontiguousarray(np.asarray(array)[np.ix_(*where)])


def _along(grows: Axis, fed: Any, units: Any, size: int) -> np.ndarray:
    """Indices of the real positions along one axis."""
    mask = mask_along(grows, fed, units)
    return np.arange(size) if mask is None else np.flatnonzero(np.asarray(mask) > 0)
