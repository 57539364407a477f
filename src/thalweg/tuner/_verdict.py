"""Whether the best trial is better than the next ones beyond the noise of seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg._intervals import student_interval, student_quantile
from thalweg.tuner._objective import Objective
from thalweg.tuner._summary import settings

LEVEL = 0.95


class Entrant(NamedTuple):
    """A trial, trained again on several seeds.

    Attributes:
        trial: its number.
        values: its hyperparameters.
        scores: one a seed.
        mean: of the scores.
        low, high: the 95 % interval of the mean, by Student's t.

    """

    trial: int
    values: dict[str, Any]
    scores: tuple[float, ...]
    mean: float
    low: float
    high: float


class Verdict(NamedTuple):
    """What came of training the best trials again.

    Attributes:
        objective: what the scores stand for.
        entrants: the trials, best mean first.
        gap: by how much the winner's mean is better than the runner-up's, or None where there is one entrant.
        low, high: its 95 % interval, by Welch.
        sure: whether the interval leaves out zero.

    """

    objective: Objective
    entrants: tuple[Entrant, ...]
    gap: float | None
    low: float | None
    high: float | None
    sure: bool

    def __str__(self) -> str:
        seeds = len(self.entrants[0].scores)
        lines = [f"{self.objective.name} on {seeds} new seeds each (mean, 95 % interval):"]
        for place, one in enumerate(self.entrants, start=1):
            lines.append(
                f"{place}  trial {one.trial}  {one.mean:.4g}  [{one.low:.4g}, {one.high:.4g}]  {settings(one.values)}"
            )
        return "\n".join([*lines, self._word()])

    def _word(self) -> str:
        if self.gap is None:
            return "One trial alone: there is nothing to compare it with."
        first, second = self.entrants[:2]
        gap = f"{self.gap:.3g} [{self.low:.3g}, {self.high:.3g}]"
        if self.sure:
            return f"Trial {first.trial} beats trial {second.trial} beyond seed noise: by {gap}."
        return (
            f"Trial {first.trial} and trial {second.trial} cannot be told apart: the difference is {gap}, within seed "
            "noise. Take the simpler or cheaper of the two."
        )


def verdict_of(objective: Objective, entrants: Sequence[tuple[int, dict[str, Any], Sequence[float]]]) -> Verdict:
    """Compare trials by their scores on several seeds.

    The interval of a difference of two means is Welch's: ``d +- t * sqrt(s1^2 / n1 + s2^2 / n2)``, with the degrees
    of freedom of Welch and Satterthwaite.

    Args:
        objective: what the scores stand for.
        entrants: (trial, hyperparameters, scores) each; scores that are not finite are left out.

    Returns:
        The verdict.

    Raises:
        ValueError: where no entrant has two finite scores.

    Example:
        >>> from thalweg.tuner import Objective
        >>> goal = Objective('val_loss')
        >>> verdict_of(goal, [(0, {}, [0.10, 0.11, 0.12]), (1, {}, [0.30, 0.31, 0.33])]).sure
        True

    Source: Welch 1947, "The generalization of Student's problem when several different population variances are
    involved".

    """
    rows = []
    for trial, values, scores in entrants:
        finite = np.array([score for score in scores if math.isfinite(score)], float)
        if len(finite) > 1:
            interval = student_interval(finite, LEVEL)
            rows.append(Entrant(trial, dict(values), tuple(finite.tolist()), float(finite.mean()), *interval))
    if not rows:
        raise ValueError("No trial has two finite scores to compare: train on more seeds.")
    rows.sort(key=lambda one: objective.sign * one.mean)
    if len(rows) == 1:
        return Verdict(objective, tuple(rows), None, None, None, False)
    gap, half = _welch(np.array(rows[0].scores), np.array(rows[1].scores))
    gap *= -objective.sign  # positive: the winner is better
    return Verdict(objective, tuple(rows), gap, gap - half, gap + half, gap - half > 0)


def _welch(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    parts = [sample.var(ddof=1) / len(sample) for sample in (one, other)]
    spread = sum(parts)
    if spread == 0:
        return float(one.mean() - other.mean()), 0.0
    freedom = spread**2 / sum(part**2 / (len(s) - 1) for part, s in zip(parts, (one, other), strict=True))
    return float(one.mean() - other.mean()), student_quantile(LEVEL, freedom) * math.sqrt(spread)
