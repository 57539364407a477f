"""Fits that are broken off and go on, and what must then be equal."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

import thalweg
from thalweg import callbacks, layers, losses, metrics, optimizers

RNG = np.random.default_rng(4)
X = RNG.normal(size=(26, 3)).astype(np.float32)
Y = (X[:, 0] + 0.3 * X[:, 1] ** 2 > 0.2).astype(np.int32)
WEIGHT = RNG.uniform(0.5, 2.0, 26).astype(np.float32)


class BrokenOff(Exception):
    """What stands for a power failure."""


class Break(callbacks.Callback):
    """Raises once a hook is reached at a place or behind it.

    Args:
        hook: its name.
        epoch: counted from 0.
        step: steps done in it.

    """

    def __init__(self, hook: str, epoch: int, step: int = 0) -> None:
        self.hook, self.at, self.epoch = hook, (epoch, step), 0

    def _reached(self, hook: str, epoch: int, step: int) -> None:
        if hook == self.hook and (epoch, step) >= self.at:
            raise BrokenOff(f"{hook} {epoch} {step}")

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self._reached("on_epoch_begin", epoch, 0)

    def on_epoch_end(self, epoch, logs=None):
        self._reached("on_epoch_end", epoch, 1 << 20)

    def on_progress(self, step, logs=None):
        self._reached("on_progress", self.epoch, step)

    def on_test_begin(self, logs=None):
        self._reached("on_test_begin", self.epoch, 1 << 20)

    def on_safe_point(self, epoch, step, last=False):
        self._reached("on_safe_point", epoch, step)


class Steps(callbacks.Callback):
    """Ends a chunk after each step, as a long fit's clock would now and then."""

    def next_stop(self, step):
        return step + 1

    def on_progress(self, step, logs=None):
        pass


class Turn(callbacks.Callback):
    """Turns a hyper at the begin of an epoch, and another in the middle of one."""

    def __init__(self, path: str, at: tuple[int, int] = (1, 1)) -> None:
        self.path, self.at, self.epoch = path, at, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        if epoch == self.at[0] + 1:
            self._turn(0.7)

    def on_progress(self, step, logs=None):
        if (self.epoch, step) == self.at:
            self._turn(0.4)

    def next_stop(self, step):
        return step + 1

    def _turn(self, factor: float) -> None:
        for model in getattr(self.model, "models", [self.model]):
            model.hypers[self.path] *= factor


class Hooks(callbacks.Callback):
    """Listens to every step, and remembers how many there were."""

    STATE = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def on_train_begin(self, logs=None):
        self.count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1


def squared(y_true: Any, y_pred: Any) -> Any:
    """A person's loss, one number for the whole batch: its last batch is not padded."""
    return ((y_pred - y_true) ** 2).mean()


def net(*hidden: Any, optimizer: Any, loss: Any = "binary_crossentropy", measured: Any = ()) -> thalweg.Sequential:
    """A small compiled net."""
    parts = [thalweg.Input((3,)), *hidden, layers.Dense(1, activation="sigmoid")]
    model = thalweg.Sequential(parts)
    model.compile(optimizer, loss, metrics=list(measured))
    return model


def dense(units: int = 4) -> layers.Dense:
    """A hidden layer."""
    return layers.Dense(units, activation="tanh")


KINDS: dict[str, Any] = {
    "sgd": lambda: net(dense(), optimizer=optimizers.SGD(0.5)),
    "momentum": lambda: net(dense(), layers.BatchNormalization(), optimizer=optimizers.SGD(0.1, momentum=0.9)),
    "adam": lambda: net(dense(), layers.Dropout(0.3), optimizer=optimizers.Adam(0.05), measured=[metrics.AUC()]),
    "rmsprop": lambda: net(dense(), optimizer=optimizers.RMSprop(0.02, centered=True), loss=squared),
    "nadam": lambda: net(dense(), optimizer=optimizers.Nadam(0.05, gradient_accumulation_steps=2)),
    "adamw": lambda: net(
        dense(), optimizer=optimizers.AdamW(0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3)
    ),
    "schedule": lambda: net(
        dense(),
        optimizer=optimizers.SGD(optimizers.schedules.ExponentialDecay(0.5, 4, 0.8), momentum=0.5, nesterov=True),
        loss=losses.BinaryCrossentropy(label_smoothing=0.1),
    ),
}


def leaves(model: Any) -> list[np.ndarray]:
    """Every array that a model has learnt."""
    state = jax.device_get(model.optimizer_state)
    return [np.asarray(one) for one in [*model.get_weights(), *jax.tree.leaves(state), model.steps_taken]]


def told(record: Any) -> dict[str, Any]:
    """All of a history but the seconds."""
    return {"history": record.history, "epoch": record.epoch, "changes": record.changes, "warnings": record.warnings}


def same(model: Any, other: Any) -> None:
    """Whether two models are equal to the last bit, and so is what their fits tell."""
    for one, two in zip(leaves(model), leaves(other), strict=True):
        np.testing.assert_array_equal(one, two)
    assert list(model.hypers.values()) == list(other.hypers.values())
    assert model.stop_training == other.stop_training
    np.testing.assert_equal(told(model.history), told(other.history))


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name: CSV files whole, of the others that they are there."""
    return {path.name: path.read_bytes() if path.suffix == ".csv" else b"" for path in sorted(folder.iterdir())}


def states(listed: list[Any]) -> list[Any]:
    """What the callbacks know, where they keep it in attributes."""
    return [one.get_state() if getattr(one, "STATE", ()) else None for one in listed]


def broken_fit(make: Any, breaks: list[Break], run: Any, fit: Any) -> tuple[Any, Any]:
    """Fit, broken off at each of `breaks`, then to the end.

    Args:
        make: () -> a fresh model, as another process has it.
        breaks: where.
        run: () -> what keeps checkpoints.
        fit: (model, callbacks) -> what was watched.

    """
    for one in [*breaks, None]:
        model = make()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return model, fit(model, [run(), *([one] if one else [])])
        except BrokenOff:
            continue
    raise AssertionError("the last fit is not broken off")
