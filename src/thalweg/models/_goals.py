"""What targets ask of a net, and how a net for plain arrays begins."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg import data, layers

_MOST_CLASSES = 100
_SMALLEST = 8  # pixels along a side of what may be a picture
_WHOLE = 1000.0  # an error from which its decimals tell nothing


class Goal(NamedTuple):
    """What the net is trained for.

    Attributes:
        outputs: units of the last layer.
        activation: of the last layer.
        loss: by name.
        metric: by name.

    """

    outputs: int
    activation: str
    loss: str
    metric: str

    def shown(self, value: float) -> str:
        """A value of the metric, as a person reads it."""
        form = "{:.2%}" if "accuracy" in self.metric else "{:,.0f}" if value >= _WHOLE else "{:.4g}"
        return form.format(value)


GOALS = {
    "classification": ("softmax", "sparse_categorical_crossentropy", "accuracy"),
    "labels": ("sigmoid", "binary_crossentropy", "binary_accuracy"),
    "regression": ("linear", "mse", "mae"),
}
"""Task -> activation of the last layer, loss and metric."""


def goal_of(y: np.ndarray) -> Goal:
    """What targets ask for."""
    classes = data.classes_of(y) if y.ndim == 1 or y.shape[-1] == 1 else None
    if classes is not None and classes.max() < _MOST_CLASSES:
        return Goal(int(classes.max()) + 1, *GOALS["classification"])
    if y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all():
        return Goal(y.shape[1], *GOALS["labels"])
    return Goal(1 if y.ndim == 1 else y.shape[-1], *GOALS["regression"])


def array_front(x: np.ndarray) -> Callable[[], list[Any]]:
    """What makes the layers that take a row in, lay it flat and scale it; the rows are looked at once.

    Grey values share one scale (uint8, or pictures without negative numbers); columns have one each.
    """
    scaled = _scaling(x)
    return lambda: [layers.Input(x.shape[1:]), *([layers.Flatten()] if x.ndim > 2 else []), scaled()]


def picture_of(shape: Sequence[int], flat: bool = False) -> tuple[int, int, int] | None:
    """Height, width and channels of rows that look like pictures, by the shape of one; None of others.

    Args:
        shape: of a row.
        flat: whether a row of numbers may be one: a square, grey or in three colours.

    Example:
        >>> picture_of((28, 28)), picture_of((32, 32, 3)), picture_of((50, 6))
        ((28, 28, 1), (32, 32, 3), None)
        >>> picture_of((784,)), picture_of((784,), flat=True), picture_of((3072,), flat=True)
        (None, (28, 28, 1), (32, 32, 3))

    """
    if flat and len(shape) == 1:
        squares = [(math.isqrt(shape[0] // channels), channels) for channels in (1, 3)]
        return next((picture_of((side, side, c)) for side, c in squares if side * side * c == shape[0]), None)
    if len(shape) not in (2, 3) or min(shape[:2]) < _SMALLEST:
        return None
    height, width, channels = (*shape, 1)[:3]
    return height, width, channels


def _scaling(x: np.ndarray) -> Callable[[], Any]:
    if x.dtype == np.uint8 or (
        picture_of(x.shape[1:]) and x.min() >= 0
    ):  # grey values: zeros stay zeros, and pixels share one scale
        factor = 1 / float(x.max() or 1)
        return lambda: layers.Rescaling(factor)
    scale = layers.Normalization()
    scale.adapt(x.reshape(len(x), -1))
    mean, variance = (np.array(one) for one in scale.get_weights()[:2])
    return lambda: layers.Normalization(mean=mean, variance=variance)
