"""A learning rate that a function sets, epoch by epoch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from thalweg.callbacks._callback import Callback, Logs
from thalweg.callbacks._logs import plain_value


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch. Costs no recompilation.

    Args:
        schedule: ``schedule(epoch, learning_rate)`` or ``schedule(epoch)`` -> the new rate; `epoch` counts from 0.
        verbose: 1 says what it sets.

    Raises:
        TypeError: where `schedule` cannot be called with one or two arguments.
        ValueError: in the fit, where it gives anything but a finite number.

    Example:
        >>> halving = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch % 10 == 9 else rate)
        >>> # model.fit(x, y, epochs=100, callbacks=[halving])

    """

    per_member = True

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes(schedule, 2)
        if not self._takes_rate and not _takes(schedule, 1):
            raise TypeError(
                f"schedule must be callable as schedule(epoch, learning_rate) or schedule(epoch), got {schedule!r}."
            )

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        arguments = (epoch, float(optimizer.learning_rate)) if self._takes_rate else (epoch,)
        rate = plain_value(self.schedule(*arguments))
        if not isinstance(rate, float) or not math.isfinite(rate):
            raise ValueError(f"schedule must give a finite number, got {rate!r} for epoch {epoch}.")
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate set to {rate:g}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the rate as ``learning_rate``."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _takes(function: Any, count: int) -> bool:
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a builtin that tells nothing about itself
        return count == 1
    return True
