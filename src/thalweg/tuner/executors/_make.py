"""Executors by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._names import Table
from thalweg.tuner.executors._executor import Executor
from thalweg.tuner.executors._population import PopulationExecutor


def _process(memory: int | None, over: Callable[[], bool]) -> Executor:
    from thalweg.tuner.executors._process import ProcessExecutor

    return ProcessExecutor(deadline=over)


def _ray(memory: int | None, over: Callable[[], bool]) -> Executor:
    from thalweg.tuner.executors._ray import RayExecutor

    return RayExecutor(memory=memory, deadline=over)


EXECUTORS = Table("executor", {"population": PopulationExecutor, "process": _process, "ray": _ray})


def executor_of(given: Any, memory: int | None, over: Callable[[], bool]) -> Executor:
    """An executor, or the one of that name."""
    if isinstance(given, Executor):
        if getattr(given, "deadline", over) is None:
            given.deadline = over  # type: ignore[attr-defined]
        return given
    made: Executor = EXECUTORS[given](memory, over)
    return made
