"""An epoch is run in chunks of about a tenth of a second: steering, progress and Ctrl-C live between them."""

from __future__ import annotations

import time
from typing import Any

import jax

from thalweg.engine._program import Program

_SECONDS = 0.1
_FIRST = 16  # steps of a chunk whose speed nobody knows yet


def run_chunk(program: Program, arguments: tuple[Any, ...], start: Any, stop: Any, steps: int) -> Any:
    """Run steps start..stop, `steps` of them, and wait for them; learn how long a step takes.

    Nothing is donated: the state that went in stays whole, so that another thread may read it and
    Ctrl-C loses nothing. It costs one copy of the state a chunk.
    """
    traces, begun = program.traces, time.perf_counter()
    result = jax.block_until_ready(program(*arguments, start, stop))
    if program.traces == traces:  # a first call also compiles: it says nothing of a step
        program.seconds_per_step = (time.perf_counter() - begun) / max(steps, 1)
    return result


def chunk_end(program: Program, start: int, steps: int, asked: int | None = None) -> int:
    """Where a chunk that starts at `start` of `steps` ends.

    Args:
        asked: the next step at which somebody must be called, if any.

    """
    speed = program.seconds_per_step
    stop = min(start + (_FIRST if speed is None else max(1, int(_SECONDS / max(speed, 1e-7)))), steps)
    return min(stop, asked) if asked is not None and asked > start else stop
