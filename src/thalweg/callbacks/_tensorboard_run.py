"""What TensorBoard is told of one model."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

import numpy as np

from thalweg.callbacks._callback import Logs
from thalweg.callbacks._tensorboard_events import Events


class Run:
    """What is written of one model, or of what is common to a population (where the model is None)."""

    def __init__(self, folder: str, model: Any) -> None:
        self.model = model
        self.root = Events(folder)
        self.train = Events(os.path.join(folder, "train"))
        self.validation = Events(os.path.join(folder, "validation"))
        self.ever = 0
        self.ended = True  # a session of the HPARAMS tab lasts from begin to end
        self.hypers: dict[str, float] = {}
        self.turned: set[str] = set()
        self.last_epoch: int | None = None

    def begin(self) -> None:
        """A fit begins."""
        self.hypers = dict(getattr(self.model, "hypers", {}))
        self.turned = set()
        self.last_epoch = None
        self.ended = False
        if self.hypers:
            self.root.session_start(self.hypers)

    def batch(self, step: int, logs: Logs) -> None:
        """The running numbers at a step of the epoch."""
        _scalars(self.train, "batch_{}", logs, self.ever + step)

    def epoch(self, epoch: int, logs: Logs, pace: Logs) -> None:
        """An epoch's numbers."""
        if not logs:
            return
        trained = {name: value for name, value in logs.items() if not name.startswith("val_")}
        validated = {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}
        _scalars(self.train, "epoch_{}", {**trained, **self._rate(), **pace}, epoch)
        _scalars(self.validation, "epoch_{}", validated, epoch)
        if self.hypers:
            _scalars(self.root, "hparams/{}", logs, epoch)
            self._turned(epoch)

    def evaluation(self, logs: Logs) -> None:
        """An evaluation's numbers."""
        iterations = getattr(getattr(self.model, "optimizer", None), "iterations", None)
        if iterations is not None:
            _scalars(self.validation, "evaluation_{}_vs_iterations", logs, int(iterations))
            self.validation.flush()

    def weights(self, epoch: int, images: bool) -> None:
        """Every weight as a histogram and, where that was asked for, as a picture."""
        for layer in getattr(self.model, "layers", []):
            for weight in layer.weights:
                values = np.asarray(weight)
                self.train.histogram(f"{layer.name}/{weight.name}/histogram", values, epoch)
                if images and (shown := picture(values)) is not None:
                    self.train.image(f"{layer.name}/{weight.name}/image", shown, epoch)

    def end(self, well: bool) -> None:
        """The fit of this model is over."""
        if not self.ended and self.hypers:
            self.root.session_end(well)
        self.ended = True

    def flush(self) -> None:
        """Bring to disk what was written."""
        for events in (self.root, self.train, self.validation):
            events.flush()

    def close(self, failed: bool) -> None:
        """Close the files."""
        with ExitStack() as stack:
            for events in (self.root, self.train, self.validation):
                stack.callback(events.close)
            if failed:
                self.end(well=False)

    def _rate(self) -> Logs:
        try:
            return {"learning_rate": float(self.model.optimizer.learning_rate)}
        except AttributeError:  # of a population as a whole; and Optax keeps its rate to itself
            return {}

    def _turned(self, epoch: int) -> None:
        """The course of the hypers that are turned, from the last epoch before that on."""
        now: dict[str, float] = dict(self.model.hypers)
        for path, value in now.items():
            first = self.hypers.get(path, value)
            if value != first and path not in self.turned:
                self.turned.add(path)
                if self.last_epoch is not None:
                    self.train.scalar(f"hyper/{path}", first, self.last_epoch)
            if path in self.turned:
                self.train.scalar(f"hyper/{path}", value, epoch)
        self.last_epoch = epoch


def _scalars(events: Events, tag: str, logs: Logs, step: int) -> None:
    """Each number under its name; of a log that is a list, each of its numbers."""
    for name, value in logs.items():
        if isinstance(value, list):
            _scalars(events, tag, {f"{name}/{i}": one for i, one in enumerate(value)}, step)
        elif hasattr(value, "__float__"):
            events.scalar(tag.format(name), float(value), step)


def picture(weight: np.ndarray) -> np.ndarray | None:
    """A weight lying on its longer side, a vector as a column; None where it has more axes, or one number."""
    shown = np.squeeze(weight)
    if shown.ndim == 1:
        return shown[:, None]
    if shown.ndim != 2:
        return None
    return shown.T if shown.shape[0] > shown.shape[1] else shown
