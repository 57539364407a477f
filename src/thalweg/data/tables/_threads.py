"""Work on columns and blocks of rows in several threads: NumPy and pandas let go of the interpreter while they compute."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def each(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """What `function` gives for each of them, in their order; what it raises for the first is raised.

    Example:
        >>> each(abs, [-1, 2])
        [1, 2]

    """
    workers = min(os.cpu_count() or 1, len(items))
    if workers < 2:
        return [function(one) for one in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))
