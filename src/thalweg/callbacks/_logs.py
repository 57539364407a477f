"""Logs as plain data, and numbers as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_FEW = 4  # values of one log that are shown one by one


def plain(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """A copy in alphabetical order, as Keras hands it on, whose numbers are Python floats."""
    return {name: plain_value(value) for name, value in sorted((logs or {}).items())}


def plain_value(value: Any) -> Any:
    """A scalar as a float, an array as a list; anything else as it is."""
    if isinstance(value, (float, str)):
        return float(value) if isinstance(value, float) else value
    if hasattr(value, "__float__") and np.ndim(value) == 0:
        return float(value)
    return value.tolist() if hasattr(value, "tolist") else value


def figure(value: Any) -> str:
    """A log's value in a few characters: ``0.2933``, or ``2.9330e-04`` where it is at most 1e-3.

    Example:
        >>> figure(0.29333), figure(-0.0002933), figure([0.5, 0.25]), figure([0.5, 0.25, 1.0, 0.75, 0.5])
        ('0.2933', '-2.9330e-04', '[0.5000, 0.2500]', '0.2500 to 1.0000 of 5')

    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) > _FEW and all(hasattr(one, "__float__") for one in value):
            return f"{figure(min(value))} to {figure(max(value))} of {len(value)}"
        return f"[{', '.join(map(figure, value))}]"
    if not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    return f"{number:.4e}" if abs(number) <= 1e-3 else f"{number:.4f}"
