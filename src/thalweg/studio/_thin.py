"""Long curves with few points that look the same: of each stretch the least and the largest value of every series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

STRETCHES = 500
"""Of a curve; a page is about as many pixels wide twice over."""


def thinned(records: Sequence[dict[str, Any]], stretches: int = STRETCHES) -> list[dict[str, Any]]:
    """Some of the records, in their order: the first, the last, and of each stretch those with the least and the largest value of
    every number in them.

    Args:
        records: lines of a history, one an epoch.
        stretches: as many; fewer than twice as many records stay as they are.

    """
    if len(records) <= 2 * stretches:
        return list(records)
    kept = {0, len(records) - 1}
    names = {name for name, value in records[-1].items() if isinstance(value, (int, float)) and name != "epoch"}
    ends = np.linspace(0, len(records), stretches + 1).astype(int)
    for name in names:
        values = np.array([_number(one.get(name)) for one in records])
        for start, stop in zip(ends[:-1], ends[1:], strict=True):
            part = values[start:stop]
            if not np.isnan(part).all():
                kept |= {start + int(np.nanargmin(part)), start + int(np.nanargmax(part))}
    return [records[i] for i in sorted(kept)]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")
