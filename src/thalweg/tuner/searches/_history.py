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

_Line = tuple[Array, list[float], float]  # a trial's row, its scores and the error of the first

_OPEN = (TrialState.RUNNING, TrialState.WAITING)


def union(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """The distributions of all parameters that any trial has; of one with several, the latest."""
    found: dict[str, BaseDistribution] = {}
    for trial in trials:
        found.update(trial.distributions)
    return found


def split(trials: Sequence[FrozenTrial], number: int) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
    """The finished trials and the running ones, without trial `number`."""
    finished = [trial for trial in trials if trial.state not in _OPEN and not _is_rejected(trial)]
    running = [trial for trial in trials if trial.state == TrialState.RUNNING and trial.number != number]
    return finished, running


def _is_rejected(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL and REJECTED in trial.user_attrs


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
    """Reads finished trials; what it has read before it does not read again.

    Args:
        space: the parameters.
        directions: one an objective.

    """

    def __init__(self, space: Space, directions: Sequence[StudyDirection]) -> None:
        self.space, self.directions = space, list(directions)
        self._lines: dict[int, tuple[FrozenTrial, _Line]] = {}
        self._trials: list[FrozenTrial] = []
        self._finished = self._read([])

    def __call__(self, trials: list[FrozenTrial]) -> Finished:
        """Finished trials as arrays; of the same trials, the same object."""
        if trials != self._trials:
            self._trials, self._finished = list(trials), self._read(trials)
        return self._finished

    def _read(self, trials: list[FrozenTrial]) -> Finished:
        lines = [self._line(trial) for trial in trials]
        return Finished(
            np.array([row for row, _, _ in lines]).reshape(-1, self.space.size),
            np.array([scores for _, scores, _ in lines]).reshape(-1, len(self.directions)),
            np.array([error for _, _, error in lines]),
            np.array([trial.state == TrialState.COMPLETE for trial in trials], dtype=bool),
        )

    def _line(self, trial: FrozenTrial) -> _Line:
        known = self._lines.get(trial.number)
        if known is not None and known[0] is trial:
            return known[1]
        line = self.space.row(trial.params), self._scores(trial), _error(trial)
        self._lines[trial.number] = trial, line
        return line

    def _scores(self, trial: FrozenTrial) -> list[float]:
        none = [math.nan] * len(self.directions)
        if trial.state == TrialState.FAIL or trial.values is None:
            return none
        pairs = zip(trial.values, self.directions, strict=True)
        signed = [-value if direction == StudyDirection.MAXIMIZE else value for value, direction in pairs]
        return signed if all(map(math.isfinite, signed)) else none


def _error(trial: FrozenTrial) -> float:
    """The standard error somebody noted, where it is one number."""
    error: Any = trial.user_attrs.get("standard_error")
    good = isinstance(error, (int, float)) and math.isfinite(error) and error >= 0
    return float(error) if good else math.nan
