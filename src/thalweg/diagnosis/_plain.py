"""Arrays as plain data that JSON can hold."""

from __future__ import annotations

from typing import Any

import numpy as np


def plain(values: Any) -> Any:
    """A number, or nested lists of them; None in the place of what is no finite number."""
    found = np.asarray(values, object)
    return np.where(np.isfinite(np.asarray(values, float)), found, np.full(found.shape, None)).tolist()
