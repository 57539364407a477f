"""What the records of a probe have in common: shares with their intervals, and how they become plain data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from thalweg._intervals import mean_interval, proportion_interval
from thalweg.diagnosis._plain import plain
from thalweg.diagnosis._scenario import Interval

LEVEL = 0.95


class Response(NamedTuple):
    """What is left of the accuracy when pictures are changed.

    Attributes:
        kind: of the change.
        unit: of `sizes`.
        sizes: how far they are changed; the first one is not at all.
        accuracy: one a size, with its interval.

    """

    kind: str
    unit: str
    sizes: tuple[float, ...]
    accuracy: tuple[Interval, ...]

    def cost(self, size: float) -> float:
        """What a change by `size` costs, a share of the rows.

        Raises:
            ValueError: where it is none of `sizes`.

        """
        if size not in self.sizes:
            raise ValueError(
                f"size must be one of {', '.join(f'{one:g}' for one in self.sizes)} ({self.unit}), got cost({size!r})."
            )
        return self.accuracy[0].value - self.accuracy[self.sizes.index(size)].value


def share_of(right: np.ndarray) -> Interval:
    """The share of rows that are right, with the interval of Clopper and Pearson.

    Args:
        right: one a row: a truth value, or a share where the row was asked about several times. The mean of shares scatters
            less than that of truth values, so that the interval is then somewhat too wide.

    """
    value = float(np.mean(right))
    return Interval(value, *proportion_interval(round(value * len(right)), len(right), LEVEL))


def difference_of(right: np.ndarray, others: np.ndarray) -> Interval:
    """How much larger the second share is than the first on the same rows, with the interval of the paired bootstrap."""
    apart = np.asarray(others, float) - np.asarray(right, float)
    return Interval(float(apart.mean()), *mean_interval(apart, LEVEL))


def chances_of(logits: np.ndarray) -> np.ndarray:
    """Probabilities, [rows, classes]."""
    return np.asarray(softmax(logits, axis=-1))


def as_record(value: Any) -> Any:
    """A record, or what it holds, as nested lists, dicts, numbers and texts that JSON can hold."""
    if hasattr(value, "record"):
        return value.record()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: as_record(one) for name, one in value._asdict().items()}
    if isinstance(value, dict):
        return {name: as_record(one) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_record(one) for one in value]
    return value if value is None or isinstance(value, (str, bool)) else plain(value)
