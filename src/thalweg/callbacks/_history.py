"""The record of a fit: what it returns."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from thalweg.callbacks._callback import Callback, Logs
from thalweg.callbacks._logs import figure, plain_value


class HyperChange(NamedTuple):
    """A hyperparameter that was turned while the net trained.

    Attributes:
        epoch: counted from 0.
        step: of that epoch, the first one that ran with the new value.
        path: as in ``model.hypers``.
        old: the value before.
        new: the value from then on.

    """

    epoch: int
    step: int
    path: str
    old: float
    new: float


class Note(NamedTuple):
    """What a person wrote down while the net trained.

    Attributes:
        epoch: counted from 0.
        step: steps of that epoch that were done.
        text: as it was written.

    """

    epoch: int
    step: int
    text: str


class History(Callback):
    """What happened in a fit, epoch by epoch. One handed to several fits goes on with its record.

    Attributes:
        history: name -> one Python float an epoch in which it was there.
        epoch: the epochs' numbers, counted from 0.
        params: ``epochs``, ``steps`` and ``verbose`` of the fit.
        changes: every :class:`HyperChange`.
        notes: every :class:`Note`.
        warnings: what the person was told.
        seconds: how long each epoch took, validation included, on a clock that does not jump.

    Example:
        >>> record = History()
        >>> for epoch, loss in enumerate([2.0, 0.5, 0.75]):
        ...     record.on_epoch_begin(epoch)
        ...     record.on_epoch_end(epoch, {'loss': loss})
        >>> record.history, record.epoch
        ({'loss': [2.0, 0.5, 0.75]}, [0, 1, 2])

    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self.changes: list[HyperChange] = []
        self.notes: list[Note] = []
        self.warnings: list[str] = []
        self.seconds: list[float] = []
        self._begun: float | None = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock."""
        self._begun = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Record the epoch."""
        now = time.monotonic()
        self.seconds.append(now - (now if self._begun is None else self._begun))
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(plain_value(value))

    def waited(self, seconds: float) -> None:
        """Time in which the fit waited for a person is no part of its epoch's."""
        if self._begun is not None:
            self._begun += seconds

    def changed(self, epoch: int, step: int, path: str, old: float, new: float) -> None:
        """Record that a hyperparameter was turned."""
        self.changes.append(HyperChange(epoch, step, path, old, new))

    def noted(self, epoch: int, step: int, text: str) -> None:
        """Record what a person wrote down."""
        self.notes.append(Note(epoch, step, text))

    def get_state(self) -> dict[str, Any]:
        """All of the record."""
        return {
            "history": {name: _compact(values) for name, values in self.history.items()},
            "epoch": np.array(self.epoch, np.int64),
            "changes": [list(change) for change in self.changes],
            "notes": [list(note) for note in self.notes],
            "warnings": list(self.warnings),
            "seconds": np.array(self.seconds, np.float64),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on with a record; what was said since is kept."""
        said = [message for message in self.warnings if message not in state["warnings"]]
        self.history = {name: _listed(values) for name, values in state["history"].items()}
        self.epoch, self.seconds = _listed(state["epoch"]), _listed(state["seconds"])
        self.changes = [HyperChange(*change) for change in state["changes"]]
        self.notes = [Note(*note) for note in state.get("notes", [])]  # a checkpoint from before there were any
        self.warnings[:] = [*state["warnings"], *said]

    def __repr__(self) -> str:
        count = len(self.epoch)
        head = f"History of {count} epoch{'s' * (count != 1)}, {sum(self.seconds):.1f} s"
        width = max(map(len, self.history), default=0)
        rows = [f"  {name:<{width}}  {_course(values)}" for name, values in self.history.items()]
        also = [
            (len(self.changes), "hyperparameter change"),
            (len(self.notes), "note"),
            (len(self.warnings), "warning"),
        ]
        tail = [f"  {number} {what}{'s' * (number != 1)}" for number, what in also if number]
        return "\n".join([head, *rows, *tail])


def _compact(values: list[Any]) -> Any:
    """Numbers as an array, so that the checkpoints of a long fit stay small."""
    plain = all(isinstance(value, float) for value in values)
    return np.array(values, np.float64) if plain else list(values)


def _listed(values: Any) -> list[Any]:
    return np.asarray(values).tolist() if hasattr(values, "dtype") else list(values)


def _course(values: list[Any]) -> str:
    """Where a series began, where it ended, and between which bounds it went."""
    if not all(isinstance(value, float) for value in values):
        return figure(values[-1])
    course = figure(values[0]) if len(values) == 1 else f"{figure(values[0])} -> {figure(values[-1])}"
    finite = [value for value in values if not math.isnan(value)]
    if len(values) < 3 or not finite:
        return course
    return f"{course}  (lowest {figure(min(finite))}, highest {figure(max(finite))})"
