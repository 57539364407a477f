"""How often something is done: every so many epochs, steps or minutes."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

_SECONDS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_WANTED = "'epoch', '3 epochs', '500 steps', '30 s', '5 min', '2 h', or a number of steps"


class Every:
    """Says when the next time is.

    Args:
        given: ``'epoch'``, ``'3 epochs'``, ``'500 steps'``, ``'30 s'``, ``'5 min'``, ``'2 h'``, or a whole
            number of steps, as Keras's ``save_freq``.
        argument: what it is called in messages.

    Raises:
        ValueError: on anything else.

    Example:
        >>> every = Every('500 steps', 'every')
        >>> every.count, every.unit
        (500.0, 'step')

    """

    def __init__(self, given: Any, argument: str) -> None:
        self.count, self.unit = _parsed(given, argument)
        self.restart(0)

    def restart(self, epoch: int, step: int = 0) -> None:
        """Count from now on.

        Args:
            epoch: the epoch that goes on, or comes next.
            step: steps done in it.

        """
        self._since_epoch, self._steps, self._at = epoch, 0, step
        self._time = time.monotonic()

    def next_stop(self, step: int) -> int | None:
        """The step of this epoch, after `step`, at which something is due; None where steps do not decide."""
        return None if self.unit != "step" else step + int(self.count) - self._steps - (step - self._at)

    def due(self, epoch: int, step: int) -> bool:
        """Whether it is time, at `step` of `epoch` (0: between epochs); then the count begins anew."""
        if step:
            self._steps += step - self._at
        self._at = step
        passed = {
            "epoch": 0 if step else epoch - self._since_epoch,
            "step": self._steps,
            "s": time.monotonic() - self._time,
        }[self.unit]
        if passed < self.count:
            return False
        self._since_epoch, self._steps, self._time = epoch, 0, time.monotonic()
        return True


def _parsed(given: Any, argument: str) -> tuple[float, str]:
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool) and given > 0:
        return float(given), "step"
    words = given.split() if isinstance(given, str) else []
    number, unit = (words[0], words[1]) if len(words) == 2 else ("1", words[0] if words else "")
    bare = unit if unit in _SECONDS else unit.removesuffix("s")
    try:
        count = float(number)
    except ValueError:
        count = 0.0
    if bare in _SECONDS and len(words) == 2:
        count, bare = count * _SECONDS[bare], "s"
    elif bare not in ("epoch", "step") or not count.is_integer():
        count = 0.0
    if not 0 < count < math.inf:
        raise ValueError(f"{argument} must be {_WANTED}, got {argument}={given!r}.")
    return count, bare
