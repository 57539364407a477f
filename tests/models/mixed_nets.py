"""Nets that differ in kinds, and what it means that a member of a population is the net trained alone."""

from __future__ import annotations

from typing import Any

import numpy as np

import thalweg
from thalweg import layers, optimizers, regularizers
from thalweg.optimizers.schedules import CosineDecay, ExponentialDecay

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 150)


def net(
    widths: Any = (8,),
    activation: Any = "relu",
    optimizer: Any = None,
    dropout: float | None = 0.2,
    normal: bool = False,
    features: int = 6,
    **dense: Any,
) -> thalweg.Sequential:
    """A chain of Dense layers, each with what follows it."""
    given = {"kernel_regularizer": regularizers.L2(1e-3), **dense}
    parts: list[Any] = [thalweg.Input((features,))]
    for width in widths:
        parts.append(layers.Dense(width, activation=activation, **given))
        parts.extend([layers.BatchNormalization()] if normal else [])
        parts.extend([] if dropout is None else [layers.Dropout(dropout)])
    model = thalweg.Sequential([*parts, layers.Dense(3, activation="softmax")])
    optimizer = optimizers.Adam(1e-2) if optimizer is None else optimizer()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def momentum() -> Any:
    return optimizers.SGD(CosineDecay(1e-1, 50), momentum=0.9)


MIXTURES: dict[str, list[dict[str, Any]]] = {
    "schedules": [
        {"optimizer": lambda: optimizers.Adam(1e-2)},
        {"optimizer": lambda: optimizers.Adam(CosineDecay(1e-2, 50))},
        {"optimizer": lambda: optimizers.Adam(ExponentialDecay(1e-2, 20, 0.9))},
    ],
    "optimizers": [
        {"optimizer": lambda: optimizers.Adam(1e-2)},
        {"optimizer": momentum},
        {"optimizer": lambda: optimizers.RMSprop(1e-3)},
        {"optimizer": lambda: optimizers.SGD(0.1, clipnorm=0.1)},
        {"optimizer": lambda: optimizers.Nadam(1e-2, global_clipnorm=0.3)},
        {"optimizer": lambda: optimizers.AdamW(ExponentialDecay(1e-2, 20, 0.9), weight_decay=0.1)},
        {"optimizer": lambda: optimizers.Adagrad(1e-2)},
    ],
    "averages": [
        {"optimizer": lambda: optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.8, gradient_accumulation_steps=2)},
        {"optimizer": lambda: optimizers.SGD(1e-1, use_ema=True, ema_momentum=0.7, gradient_accumulation_steps=2)},
    ],
    "activations": [{"widths": (8, 5), "activation": name} for name in ("relu", "tanh", "sigmoid", "gelu")],
    "depths": [{"widths": widths} for widths in ((8,), (8, 8), (8, 8, 8))],
    "padded depths": [{"widths": widths, "normal": True} for widths in ((4,), (7, 3), (5, 8, 2))],
    "blocks": [
        {"widths": (8, 8), "dropout": None},
        {"widths": (8, 8), "normal": True},
        {"widths": (8, 8, 8), "dropout": None, "normal": True},
    ],
    "constraints": [
        {
            "widths": widths,
            "kernel_constraint": "max_norm",
            "bias_regularizer": regularizers.L1L2(1e-2, l2),
            "activity_regularizer": "l2",
            "optimizer": lambda: optimizers.Adam(1e-2, clipnorm=0.1),
        }
        for widths, l2 in (((8,), 0.0), ((5, 8), 1e-3))
    ],
    "penalties": [
        {
            "widths": widths,
            "kernel_regularizer": "orthogonal_regularizer",
            "bias_regularizer": regularizers.L1(1e-2),
            "optimizer": lambda: optimizers.Adam(1e-2, global_clipnorm=0.1),
        }
        for widths in ((5, 8), (8, 3), (4,))
    ],
    "all": [
        {"widths": (4,), "activation": "tanh", "optimizer": momentum},
        {
            "widths": (7, 3),
            "activation": "sigmoid",
            "dropout": None,
            "optimizer": lambda: optimizers.RMSprop(1e-3, clipnorm=0.2),
        },
        {"widths": (5, 8, 2), "normal": True},
        {"widths": (6, 6, 6), "activation": "elu", "dropout": None, "normal": True, "optimizer": optimizers.AdamW},
    ],
}


def distance(a: Any, b: Any) -> float:
    """Of two arrays, over the size of the second."""
    return float(np.linalg.norm(np.asarray(a) - np.asarray(b)) / max(np.linalg.norm(np.asarray(b)), 1e-6))


def assert_same(member: Any, solo: Any, most: float = 1e-4) -> None:
    """The same weights and history, but for rounding."""
    assert distance(member.predict(X), solo.predict(X)) < most
    for mine, alone in zip(member.get_weights(), solo.get_weights(), strict=True):
        assert mine.shape == alone.shape
        assert distance(mine, alone) < most
    assert member.history.epoch == solo.history.epoch
    assert set(member.history.history) == set(solo.history.history)
    for name, values in solo.history.history.items():
        np.testing.assert_allclose(member.history.history[name], values, rtol=most, atol=most, err_msg=name)
