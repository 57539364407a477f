"""Linear algebra and forests in one thread."""

from __future__ import annotations

import importlib
from typing import Any


def one_thread(*users: str) -> Any:
    """While it is entered, BLAS and OpenMP compute in one thread.

    Their threads wait for each other many times a second, and on a machine that has other work they wait ten times as long
    as one thread alone would need.

    Args:
        users: modules that bring threads of their own: what is not loaded yet cannot be held back.

    """
    for name in users:
        importlib.import_module(name)
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
