"""What is said where memory runs out: how much was wanted, for how many rows at a time, and what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax

_ALLOCATING = re.compile(r"allocat\w* (\d+)")


class OutOfMemory(MemoryError):  # noqa: N818
    """Memory ran out; the message says how much was wanted and what for."""


@contextmanager
def explained(what: str, batch_size: Callable[[], int | None]) -> Iterator[None]:
    """Turn every library's way to say that memory ran out into one.

    Args:
        what: who asks.
        batch_size: rows a step, None before they are known: then it was the rows themselves that had no room.

    Raises:
        OutOfMemory: in place of the library's error.

    """
    try:
        yield
    except (MemoryError, OSError, jax.errors.JaxRuntimeError) as error:
        if not _is_memory(error) or isinstance(error, OutOfMemory):
            raise
        raise OutOfMemory(_message(what, batch_size(), str(error))) from error


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


def _message(what: str, rows: int | None, said: str) -> str:
    found = _ALLOCATING.search(said)
    wanted = f"{int(found.group(1)):,} bytes more were wanted" if found else said.splitlines()[0][:200]
    free = f"{free_bytes():,} bytes are free in all" if free_bytes() is not None else "how much is free is not known"
    if rows is None:
        way = "the rows themselves have no room: give fewer, a smaller dtype, or a generator of batches, which are read as they come"
    else:
        way = f"a step of batch_size={rows:,} rows has no room: try batch_size={max(1, rows // 4):,}, or a smaller net"
    return f"{what}: memory ran out, {way}. ({wanted}; {free}. The model holds its weights from before.)"


def free_bytes() -> int | None:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return None


def rows_a_step(feed: Any) -> int | None:
    """How many rows a feed's steps have."""
    return getattr(getattr(feed, "inner", feed), "batch_size", None) or None
