"""What a study's trials say, as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from thalweg.tuner.searches._encoding import Array, Mask, Space
from thalweg.tuner.searches._search import REJECTED


def union(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """The distributions of all parameters that any trial has; of one with several, the latest."""
    found: dict[str, BaseDistribution] = {}
    for trial in trials:
        found.update(trial.distributions)
    return found


def split(trials: Sequence[FrozenTrial], number: int) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
    """The finished trials and the running ones, without trial `number`."""
    finished = [trial for trial in trials if trial.state.is_finished() and REJECTED not in trial.user_attrs]
    running = [trial for trial in trials if trial.state == TrialState.RUNNING and trial.number != number]
    return finished, running


@dataclass(frozen=True, eq=False)
class Finished:
    """Finished trials in the order of their numbers.

    Attributes:
        rows: their points.
        scores: a column an objective, to be minimized; NaN where a trial failed.
        errors: standard errors of the first objective's scores; NaN where nobody knows them.
        well: whether each ended by itself, so that what it has not got it did not ask for.

    """

    rows: Array
    scores: Array
    errors: Array
    well: Mask

    def at(self, rows: Array) -> Finished:
        """The same trials at other points."""
        return replace(self, rows=rows)


class Reader:
    """Reads trials; what it has read before it does not read again."""

    def __init__(self) -> None:
        self._space: Space | None = None
        self._directions: list[StudyDirection] = []
        self._lines: dict[int, tuple[FrozenTrial, tuple[Array, list[float], float]]] = {}
        self._trials: list[FrozenTrial] = []
        self._finished: Finished | None = None

    def __call__(self, trials: list[FrozenTrial], space: Space, directions: list[StudyDirection]) -> Finished:
        """Finished trials as arrays."""
        if space is not self._space or directions != self._directions:
            self.__init__()  # type: ignore[misc]
            self._space, self._directions = space, list(directions)
        if self._finished is None or self._trials != trials:
            self._trials, self._finished = list(trials), self._read(trials)
        return self._finished

    def _read(self, trials: list[FrozenTrial]) -> Finished:
        lines = [self._line(trial) for trial in trials]
        assert self._space is not None
        count, objectives = len(lines), len(self._directions)
        return Finished(
            np.array([row for row, _, _ in lines]).reshape(count, self._space.size),
            np.array([scores for _, scores, _ in lines]).reshape(count, objectives),
            np.array([error for _, _, error in lines]),
            np.array([trial.state == TrialState.COMPLETE for trial in trials], dtype=bool),
        )

    def _line(self, trial: FrozenTrial) -> tuple[Array, list[float], float]:
        known = self._lines.get(trial.number)
        if known is not None and known[0] is trial:
            return known[1]
        assert self._space is not None
        line = self._space.row(trial.params), self._scores(trial), _error(trial)
        self._lines[trial.number] = trial, line
        return line

    def _scores(self, trial: FrozenTrial) -> list[float]:
        if trial.state == TrialState.FAIL or trial.values is None:
            return [math.nan] * len(self._directions)
        signed = [
            -v if d == StudyDirection.MAXIMIZE else v for v, d in zip(trial.values, self._directions, strict=True)
        ]
        return signed if all(map(math.isfinite, signed)) else [math.nan] * len(signed)


def _error(trial: FrozenTrial) -> float:
    """The standard error somebody noted, where it is one number."""
    error: Any = trial.user_attrs.get("standard_error")
    good = isinstance(error, (int, float)) and math.isfinite(error) and error >= 0
    return float(error) if good else math.nan
