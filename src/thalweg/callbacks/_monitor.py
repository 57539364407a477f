"""What the callbacks share that watch one number of the logs: its direction, and what counts as better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from thalweg._names import Table, unknown
from thalweg.callbacks._callback import Callback, Logs

EXTRAS: Mapping[str, str] = {"gradient_norm": "min"}
"""Logs that a model computes only where a callback needs them -> the direction that is better."""

MODES = Table("mode", dict.fromkeys(("auto", "min", "max"), True))


class Monitor(Callback):
    """Base of the callbacks that watch one number of the logs.

    Args:
        monitor: its name in the logs.
        mode: ``'min'``, ``'max'``, or ``'auto'``: by the name.
        min_delta: by how much a value must beat the best one; the sign does not matter.

    """

    per_member = True

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        MODES[mode]  # an unknown one raises, with the nearest known one
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best: float | None = None
        self._told_missing = False

    @property
    def needs(self) -> frozenset[str]:
        """The watched number, where it is none that a model always logs."""
        return frozenset({self.monitor} & EXTRAS.keys())

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the fit before.

        Raises:
            ValueError: where `mode` is ``'auto'`` and the name tells no direction.

        """
        self.direction()
        self.best = None
        self._told_missing = False

    def direction(self) -> str:
        """``'min'`` or ``'max'``: which values of the monitored number are better."""
        return self.mode if self.mode != "auto" else direction_of(self.monitor, type(self).__name__)

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether `value` beats `reference` by more than ``min_delta``. NaN beats nothing and is beaten by all."""
        if math.isnan(value):
            return False
        if reference is None or math.isnan(reference):
            return True
        if self.direction() == "min":
            return value + self.min_delta < reference
        return value - self.min_delta > reference

    def current(self, logs: Logs | None) -> float | None:
        """The monitored number, or None, with one warning a fit, where the logs lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            self._miss(logs or {})
            return None
        return float(value)

    def _miss(self, logs: Mapping[str, Any]) -> None:
        if self._told_missing:
            return
        self._told_missing = True
        later = " (validation_freq leaves epochs out)" if self.monitor.startswith("val_") else ""
        self._warn(
            f"{type(self).__name__} watches {self.monitor!r}, which the logs of this epoch lack{later}: "
            f"such epochs pass unwatched. {unknown('log', self.monitor, list(logs))}"
        )


def direction_of(monitor: str, owner: str) -> str:
    """``'min'`` or ``'max'``, by the name of a log.

    Raises:
        ValueError: where the name tells no direction.

    """
    name = monitor.removeprefix("val_")
    if name in EXTRAS:
        return EXTRAS[name]
    from thalweg.metrics import direction

    try:
        return direction(name)
    except ValueError as error:
        raise ValueError(
            f"Nobody knows whether more or less of {monitor!r} is better, got {owner}(monitor={monitor!r}, "
            "mode='auto'). Pass mode='min' or mode='max'."
        ) from error
