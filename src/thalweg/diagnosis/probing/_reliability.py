"""Whether probabilities can be believed: of the rows that were said with 80 %, are 80 % right?"""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._intervals import proportion_interval

_MANY, _FEW = 15, 10  # bins
_ENOUGH = 1000  # rows from which on there are many


def calibration(chances: np.ndarray, came_true: np.ndarray, bins: int | None = None) -> dict[str, Any]:
    """The reliability diagram and the expected calibration error, in bins of equal width.

    The error is the mean over rows of how far a bin's share of what came true is from its mean probability,
    ``sum_b n_b / n |share_b - probability_b|``.

    Args:
        chances: what was said, [rows].
        came_true: whether it was so, [rows].
        bins: how many; None: 15, or 10 for fewer than 1,000 rows.

    Returns:
        ``bins``, ``error``, and ``points``: for each bin that has rows its ends, rows, mean probability, and the share
        that came true with a 95 % interval (Clopper and Pearson).

    Source: Guo et al. 2017, "On calibration of modern neural networks".

    """
    count = bins or (_MANY if len(chances) >= _ENOUGH else _FEW)
    place = np.clip(np.ceil(chances * count).astype(int) - 1, 0, count - 1)
    points = [_point(b, count, chances[place == b], came_true[place == b]) for b in range(count) if (place == b).any()]
    error = sum(one["rows"] * abs(one["share"] - one["probability"]) for one in points) / max(len(chances), 1)
    return {"bins": count, "error": float(error), "points": points}


def _point(b: int, count: int, chances: np.ndarray, came_true: np.ndarray) -> dict[str, Any]:
    low, high = proportion_interval(int(came_true.sum()), len(came_true), 0.95)
    return {
        "from": b / count,
        "to": (b + 1) / count,
        "rows": len(chances),
        "probability": float(chances.mean()),
        "share": float(came_true.mean()),
        "low": low,
        "high": high,
    }
