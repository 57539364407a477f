"""What the first layer looks for: its weights as pictures."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from thalweg.diagnosis.probing._subject import Subject
from thalweg.layers import Dense

_SHOWN = 16  # units or filters


class Filters(NamedTuple):
    """Weights of the first layer that has any.

    Attributes:
        layer: its name.
        kind: ``'units'`` that see all pixels, or ``'filters'`` that are used at every place.
        total: how many there are.
        shown: numbers of those with the longest weights.
        images: their weights, [shown, height, width, channels].
        smoothness: the correlation of weights that lie side by side, over all units or filters: near 0 for noise, near 1 for
            strokes and areas; None where there are no neighbours.

    """

    layer: str
    kind: str
    total: int
    shown: tuple[int, ...]
    images: np.ndarray
    smoothness: float | None


def filters_of(subject: Subject) -> Filters | None:
    """Of the first layer with a kernel, where that sees pixels; None of others."""
    network = subject.model.network
    for node in network.nodes:
        layer = network.layers[node.layer]
        kernels = {one.name: one.numpy() for one in layer.variables if "kernel" in one.name}
        if kernels:
            images = _as_images(kernels.get("kernel", kernels.get("depthwise_kernel")), subject.picture)
            kind = "units" if isinstance(layer, Dense) else "filters"
            return None if images is None else _told(layer.name, kind, images)
    return None


def _as_images(kernel: np.ndarray | None, picture: tuple[int, int, int]) -> np.ndarray | None:
    """[units or filters, height, width, channels]; of a depthwise kernel each channel's window lies in its own channel."""
    if kernel is not None and kernel.ndim == 4:
        return np.moveaxis(kernel, -1, 0)
    if kernel is not None and kernel.ndim == 2 and len(kernel) == math.prod(picture):
        return kernel.T.reshape(-1, *picture)
    return None


def _told(layer: str, kind: str, weights: np.ndarray) -> Filters:
    lengths = np.sqrt((weights**2).sum(axis=(1, 2, 3)))
    shown = np.argsort(-lengths, kind="stable")[:_SHOWN]
    sides = [weights[:, :, :-1], weights[:, :-1]], [weights[:, :, 1:], weights[:, 1:]]
    one, other = (np.concatenate([side.ravel() for side in part]) for part in sides)
    known = one.size > 1 and one.std() > 0 and other.std() > 0
    smoothness = float(np.corrcoef(one, other)[0, 1]) if known else None
    return Filters(layer, kind, len(weights), tuple(map(int, shown)), weights[shown], smoothness)
