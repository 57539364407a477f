"""The record of one trial."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

RUNNING, COMPLETED, FAILED = "RUNNING", "COMPLETED", "FAILED"


def point_of(values: Mapping[str, Any]) -> Any:
    """Equal for equal points: hyperparameters with their values, 1 and True and 1.0 told apart."""
    return frozenset((name, type(value).__name__, value) for name, value in values.items())


@dataclass
class Trial:
    """One point of the space, and what came of it; plain data, so that it can be written as JSON.

    Attributes:
        number: counted from 0 in the order in which trials were asked for.
        values: the active hyperparameters by name.
        status: ``'RUNNING'``, ``'COMPLETED'`` or ``'FAILED'``.
        scores: one number an objective, of the best epoch: the mean over executions. None until completed.
        errors: the standard error of each score; None where there was one execution.
        best_step: epoch of the best score, counted from 0.
        epochs: epochs that were trained in this trial, over all executions.
        seconds: its share of the time that its group took.
        metrics: every log at the best epoch, means over executions.
        executions: one dict an execution: ``seed``, ``fold`` and its ``scores``.
        source: number of the trial whose net this one goes on with, or None.
        notes: what the search wants to remember: plain data.
        message: of a failed trial, the traceback.

    """

    number: int
    values: dict[str, Any]
    status: str = RUNNING
    scores: list[float] | None = None
    errors: list[float] | None = None
    best_step: int | None = None
    epochs: int = 0
    seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    executions: list[dict[str, Any]] = field(default_factory=list)
    source: int | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    message: str | None = None

    @property
    def trial_id(self) -> str:
        """The number as text, as KerasTuner has it."""
        return f"{self.number:04d}"

    @property
    def score(self) -> float | None:
        """The first objective's score."""
        return None if self.scores is None else self.scores[0]

    @property
    def error(self) -> float | None:
        """Its standard error."""
        return None if self.errors is None else self.errors[0]

    @property
    def has_score(self) -> bool:
        """Whether it ended with a number."""
        return self.status == COMPLETED and self.scores is not None and all(math.isfinite(s) for s in self.scores)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)
