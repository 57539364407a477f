"""How far long work is: one line in a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from thalweg._checks import arguments

_FIRST = 1.0  # seconds before anything is said
_AGAIN = 0.2  # between two words that are written over each other
_LINE = 5.0  # between two lines where nothing can be written over, as in a file

Told = Callable[[int, int], None]
_ear: ContextVar[Told | None] = ContextVar("ear", default=None)


@contextmanager
def told_to(ear: Told) -> Iterator[None]:
    """Have whatever is told within this, in this thread, told to `ear`, too; what that raises ends the work."""
    token = _ear.set(ear)
    try:
        yield
    finally:
        _ear.reset(token)


@contextmanager
def telling(who: str, verbose: Any) -> Iterator[Told]:
    """A function of what is done and of how much there is; in a terminal it writes a line over itself, wiped at the end.

    Raises:
        ValueError: on another `verbose` than 0, 1 and 'auto'.

    """
    arguments(who, {"verbose": verbose}, {"verbose": (lambda one: one in ("auto", 0, 1), "'auto', 0 or 1")})
    terminal, ear = sys.stderr.isatty(), _ear.get()
    shown = verbose == 1 or (verbose == "auto" and terminal)
    begun = last = time.monotonic()
    width = 0

    def told(done: int, total: int) -> None:
        nonlocal last, width
        if ear is not None:
            ear(done, total)
        now = time.monotonic()
        if not shown or now - begun < _FIRST or now - last < (_AGAIN if terminal else _LINE):
            return
        left = (now - begun) * (total - done) / max(done, 1)
        line = f"{who}: {done:,} of {total:,}, {left:.0f} s left at most"
        sys.stderr.write("\r" + line.ljust(width) if terminal else line + "\n")
        sys.stderr.flush()
        last, width = now, len(line) if terminal else 0

    try:
        yield told
    finally:
        if width:
            sys.stderr.write("\r" + " " * width + "\r")
            sys.stderr.flush()
