"""A net and how it is trained, as plain data; and the net that it stands for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from thalweg import layers, optimizers, regularizers
from thalweg.models import chained, picture_of

RATES = {"adam": 1.0, "rmsprop": 1.0, "sgd": 30.0}
"""Optimizer -> how much larger its learning rates are than Adam's."""


class Plan(NamedTuple):
    """A net and its training.

    Attributes:
        widths: units of the hidden layers.
        filters: of convolutions of images before them, 3 x 3 and each followed by 2 x 2 pooling.
        activation: of the hidden layers.
        dropout: probability with which a hidden unit is dropped.
        l1, l2: factors of the kernels' sizes and squares in the loss.
        shift: the most that an image is shifted either way while the net trains, as a part of its size.
        turn: the most that it is turned, as a part of a full turn.
        optimizer: by name.
        rate: learning rate at the beginning.
        schedule: ``'constant'``, or ``'cosine'``: the rate falls to 0.
        batch: rows a step.
        epochs: at most; the net of the epoch with the lowest validation loss is kept.

    """

    widths: tuple[int, ...]
    filters: tuple[int, ...] = ()
    activation: str = "relu"
    dropout: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    shift: float = 0.0
    turn: float = 0.0
    optimizer: str = "adam"
    rate: float = 1e-3
    schedule: str = "constant"
    batch: int = 32
    epochs: int = 20

    @property
    def patience(self) -> int:
        """Epochs without a better one, after which a fit stops."""
        return max(4, self.epochs // 4)

    @property
    def moves(self) -> bool:
        """Whether images are moved while the net trains."""
        return bool(self.shift or self.turn)

    @property
    def of_images(self) -> bool:
        """Whether it knows that rows are images."""
        return bool(self.filters) or self.moves

    def __str__(self) -> str:
        parts = [f"convolution with {'-'.join(map(str, self.filters))} filters"] if self.filters else []
        parts += [f"{'-'.join(map(str, self.widths)) or 'no'} hidden units", self.activation]
        if self.moves:
            parts.append(f"images shifted by up to {self.shift:.0%}, turned by up to {360 * self.turn:.0f} degrees")
        parts += [f"{name} {getattr(self, name):g}" for name in ("dropout", "l1", "l2") if getattr(self, name)]
        rate = f"{self.optimizer} {self.rate:.2g}{', the rate falling to 0' if self.schedule == 'cosine' else ''}"
        return ", ".join([*parts, rate, f"batch {self.batch}", f"up to {self.epochs} epochs"])


class Purpose(NamedTuple):
    """What all nets of a coaching have in common.

    Attributes:
        front: makes what a net begins with (see ``models.chained``).
        outputs: units of the last layer.
        activation: of the last layer.
        loss: by name.
        metric: by name.
        rows: that nets learn from.
        preprocessing: goes with a net into its file, or None.
        images: height, width and channels where the net begins with images, else None.
        scale: mean and deviation of the numbers to predict, which the last layer puts back; None for classes and labels.

    """

    front: Callable[[], Any]
    outputs: int
    activation: str
    loss: str
    metric: str
    rows: int
    images: tuple[int, int, int] | None = None
    scale: tuple[np.ndarray, np.ndarray] | None = None
    preprocessing: dict[str, Any] | None = None

    @property
    def loss_weight(self) -> float:
        """By which squares of numbers are measured in their variance, as penalties and rates expect."""
        return 1.0 if self.scale is None else float(1 / np.mean(self.scale[1] ** 2))


def images_of(front: Any) -> tuple[int, int, int] | None:
    """Height, width and channels, where a net begins with rows that look like images."""
    return picture_of(tuple(front[0].shape[1:])) if isinstance(front, list) else None


def build(plan: Plan, purpose: Purpose) -> Any:
    """The net, compiled, with weights yet to be drawn."""
    parts = _convolving(plan, purpose)
    for units in plan.widths:  # all have penalties and dropout, if only of 0: what all have, one program trains
        penalty = regularizers.L1L2(plan.l1, plan.l2)
        parts += [layers.Dense(units, plan.activation, kernel_regularizer=penalty), layers.Dropout(plan.dropout)]
    parts.append(layers.Dense(purpose.outputs, activation=purpose.activation))
    if purpose.scale is not None:
        mean, deviation = (one.tolist() for one in purpose.scale)
        parts.append(layers.Rescaling(deviation, mean))
    front = purpose.front()
    if purpose.images is not None:  # likewise
        front = [front[0], *_moving(plan, purpose.images, tuple(front[0].shape[1:])), *front[1:]]
    model = chained(front, parts)
    model.preprocessing = purpose.preprocessing
    made = type(optimizers.get(plan.optimizer))
    more = {"momentum": 0.9} if plan.optimizer == "sgd" else {}
    weight = None if purpose.scale is None else purpose.loss_weight
    model.compile(made(_rate(plan, purpose.rows), **more), purpose.loss, loss_weights=weight, metrics=[purpose.metric])
    return model


def _convolving(plan: Plan, purpose: Purpose) -> list[Any]:
    """Layers that look for the same things at all places of an image."""
    if not plan.filters:
        return []
    assert purpose.images is not None, "who plans filters has images"
    found: list[Any] = [layers.Reshape(purpose.images)]
    for filters in plan.filters:
        penalty = regularizers.L1L2(plan.l1, plan.l2)
        found.append(layers.Conv2D(filters, 3, 1, "same", activation=plan.activation, kernel_regularizer=penalty))
        found.append(layers.MaxPooling2D())
    return [*found, layers.Flatten()]


def _moving(plan: Plan, images: tuple[int, int, int], shape: tuple[int, ...]) -> list[Any]:
    """Layers that move images, and give rows back as they came."""
    move = [layers.RandomTranslation(plan.shift, plan.shift, "nearest"), layers.RandomRotation(plan.turn, "nearest")]
    return move if images == shape else [layers.Reshape(images), *move, layers.Reshape(shape)]


def _rate(plan: Plan, rows: int) -> Any:
    steps = plan.epochs * math.ceil(rows / plan.batch)
    return optimizers.schedules.CosineDecay(plan.rate, steps) if plan.schedule == "cosine" else plan.rate
