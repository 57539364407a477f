"""What a person sees while a net trains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from thalweg._names import Table
from thalweg.callbacks._callback import Callback, Logs
from thalweg.callbacks._logs import plain
from thalweg.callbacks._progress_line import Line
from thalweg.callbacks._screens import Dark, Screen, screen_for

_INTERVAL = 0.05  # seconds between two drawings of the same line
_VERBOSE = Table("verbose", {"auto": "auto", "0": 0, "1": 1, "2": 2})


class ProgressBar(Callback):
    """Shows each epoch: its steps, the time, and the loss and metrics so far.

    In a terminal and in a notebook a line grows and stays, with the validation's numbers, when the epoch ends.
    Anywhere else (a file, a pipe, a cluster's log) each epoch is one plain line at its end.

    Args:
        verbose: ``'auto'`` or 1: as above; 2: plain lines everywhere; 0: nothing.

    Raises:
        ValueError: on any other `verbose`.

    Example:
        >>> bar = ProgressBar(verbose=2)
        >>> bar.set_params({'epochs': 20, 'steps': 3})
        >>> bar.on_train_begin()
        >>> bar.on_epoch_begin(0)
        >>> bar.on_epoch_end(0, {'loss': 1.9864})  # doctest: +ELLIPSIS
        Epoch 1/20 - 3/3 - 0s - ...us/step - loss: 1.9864

    """

    def __init__(self, verbose: Any = "auto") -> None:
        self.verbose = _VERBOSE[str(int(verbose) if isinstance(verbose, bool) else verbose)]
        self._screen: Screen = Dark()
        self._epochs = 1
        self._total: int | None = None
        self._drawn = -math.inf
        self._epoch: int | None = None
        self._begun = 0.0
        self._done = 0
        self._first: tuple[float, int] | None = None  # when, and after how many steps, the first report came
        self._last: tuple[float, int] = (0.0, 0)
        self._stopped = False
        self._logs: Mapping[str, Any] = {}

    @classmethod
    @contextmanager
    def for_evaluation(cls, verbose: Any, steps: int | None) -> Iterator[Callable[[int, Any], None]]:
        """The bar of an evaluation or a prediction, as a function of (steps done, running logs).

        Example:
            >>> with ProgressBar.for_evaluation(0, steps=3) as progress:
            ...     progress(3, {'loss': 0.5})

        """
        bar = cls(verbose)
        bar.set_params({"epochs": 1, "steps": steps})
        bar.on_train_begin()
        bar.on_epoch_begin(0)
        try:
            yield lambda step, logs: bar.on_progress(step, plain(logs))
            bar.on_epoch_end(0, dict(bar._logs))
        finally:
            bar.close()

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Learn how many epochs and steps there are."""
        super().set_params(params)
        self._epochs = params.get("epochs") or 1
        self._total = params.get("steps")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Find out where to show things."""
        self.close()
        self._screen = screen_for(self.verbose)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start a line."""
        self._epoch, self._begun, self._done, self._first = epoch, time.monotonic(), 0, None
        self._stopped, self._logs = False, {}
        self._show("train", {})

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Let the line grow."""
        now = time.monotonic()
        self._done, self._last = step, (now, step)
        self._first = self._first or self._last
        self._stopped = bool(getattr(self.model, "stop_training", False))
        self._logs = logs or {}
        self._show("train", self._logs, now)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Say what the time goes into now."""
        if self._epoch is not None:
            self._show("validate", self._logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Finish the line."""
        known = (self.params or {}).get("steps")
        if known and not self._stopped:
            self._done = known  # the last chunk need not have been reported
        elif not known:
            self._total = self._done or None  # a stream shows its length once it has been read
        self._screen.finish(self._line("end", logs or {}, time.monotonic()))
        self._epoch = None

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Let go of the screen."""
        self.close()

    def close(self) -> None:
        """Let go of the screen."""
        self._screen.close()
        self._screen = Dark()

    def _show(self, phase: str, values: Mapping[str, Any], now: float | None = None) -> None:
        now = time.monotonic() if now is None else now
        if self._screen.live and now - self._drawn >= _INTERVAL:
            self._drawn = now
            self._screen.show(self._line(phase, values, now))

    def _line(self, phase: str, values: Mapping[str, Any], now: float) -> Line:
        epoch = None if self._epochs <= 1 or self._epoch is None else self._epoch + 1
        total = self._total if self._total is None or self._done <= self._total else None
        return Line(epoch, self._epochs, self._done, total, now - self._begun, self._pace(now), values, phase)

    def _pace(self, now: float) -> float | None:
        """Seconds a step, without the first chunk, which is slow, and without validation."""
        if not self._done:
            return None
        if self._first is None:  # nobody reported on the way
            return (now - self._begun) / self._done
        (start, before), (end, after) = self._first, self._last
        return (end - start) / (after - before) if after > before else (end - self._begun) / after
