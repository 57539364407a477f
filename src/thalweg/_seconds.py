"""Durations as people write them."""

from __future__ import annotations

import math
import re
from typing import Any

_UNITS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
_WORD = re.compile(r"\s*([0-9.]+)\s*([a-z]*)\s*")


def seconds_of(given: Any, argument: str) -> float:
    """Seconds, from a number of them or a text like ``'10m'``, ``'90 s'``, ``'1.5 h'``.

    Raises:
        ValueError: on anything else.

    Example:
        >>> seconds_of('10m', 'max_time')
        600.0

    """
    found = _WORD.fullmatch(given) if isinstance(given, str) else None
    value = math.nan
    if found and (found.group(2) or "s") in _UNITS and found.group(1).count(".") <= 1 and found.group(1) != ".":
        value = float(found.group(1)) * _UNITS[found.group(2) or "s"]
    elif isinstance(given, (int, float)) and not isinstance(given, bool):
        value = float(given)
    if not 0 < value < math.inf:
        raise ValueError(f"{argument} must be seconds, or as '10m', '90 s' or '2 h', got {argument}={given!r}.")
    return value
