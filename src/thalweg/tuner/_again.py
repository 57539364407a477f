"""Trials trained again, with other seeds, outside any study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thalweg.tuner._bench import Assignment, Bench
from thalweg.tuner._trial import Trial, point_of
from thalweg.tuner.executors._executor import Executor
from thalweg.tuner.executors._progress import Listener

_AGAIN = 1_000_000  # seeds are keyed by a trial's number: no trial of the study has had these


def distinct(trials: Sequence[Trial]) -> list[Trial]:
    """The first trial of each point: a promoted one stands for those it went on from."""
    found: dict[Any, Trial] = {}
    for trial in trials:
        found.setdefault(point_of(trial.values), trial)
    return list(found.values())


def trained_again(
    bench: Bench, trials: Sequence[Trial], executor: Executor, folder: Path
) -> list[tuple[int, dict[str, Any], list[float]]]:
    """Trials trained from the start; (number, hyperparameters, first scores) each.

    Args:
        bench: with as many executions as there are to be nets of each.
        trials: which ones.
        executor: who trains them, side by side.
        folder: of the study.

    Raises:
        RuntimeError: where a trial raised; it holds its traceback.

    """
    given = [
        (Assignment(one.number, _AGAIN + one.number, dict(one.values), 0, one.notes.get("epochs")), None)
        for one in trials
    ]
    found: dict[int, list[float]] = {}
    for outcomes in executor.run(bench, given, folder, Listener()):
        for one in outcomes:
            if one.failure is not None:
                raise RuntimeError(f"Trial {one.number} could not be trained again:\n{one.failure}")
            found[one.number] = [net.scores(bench.objectives)[0] for net in one.nets]
    executor.close()
    return [(one.number, dict(one.values), found[one.number]) for one in trials]
