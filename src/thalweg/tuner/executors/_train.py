"""A group of nets, trained as one population; what came of each."""

from __future__ import annotations

import math
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import Model
from thalweg.callbacks import BackupAndRestore, Callback
from thalweg.models import LossNotFinite, LossWarning
from thalweg.models._fit import as_list
from thalweg.tuner._bench import Assignment, Bench, Job, jobs_of
from thalweg.tuner._objective import Objective, best_epoch
from thalweg.tuner._saved import Saved
from thalweg.tuner.executors._molds import Molds
from thalweg.tuner.executors._plan import OWN
from thalweg.tuner.executors._progress import Progress


@dataclass
class Net:
    """What came of one net.

    Attributes:
        execution, fold, seed: which one.
        history: log -> one number an epoch.
        best: the best epoch, counted from the first that was trained, or None where no score was finite.
        epochs: how many were trained.
        saved: its arrays.
        warnings: what was said of it.

    """

    execution: int
    fold: int | None
    seed: int
    history: dict[str, list[float]]
    best: int | None
    epochs: int
    saved: Saved | None
    warnings: list[str] = field(default_factory=list)

    def scores(self, objectives: Sequence[Objective]) -> list[float]:
        """One number an objective, of the best epoch; NaN where there is none."""
        if self.best is None:
            return [math.nan] * len(objectives)
        return [float(one.get_value(self.history)[self.best]) for one in objectives]


@dataclass
class Outcome:
    """What came of one trial.

    Attributes:
        number: of the trial.
        values: its hyperparameters, those included that only ``fit`` asked for.
        nets: one an execution and fold.
        seconds: its share of its group's time.
        failure: the traceback of what it raised, or None.
        space: the parameters that it asked for.

    """

    number: int
    values: dict[str, Any]
    nets: list[Net]
    seconds: float = 0.0
    failure: str | None = None
    space: list[Any] = field(default_factory=list)


class BestEpoch(Callback):
    """Keeps the weights of the epoch with the best score."""

    STATE = ("found", "weights")

    def __init__(self, objectives: Sequence[Any]) -> None:
        self.objectives = objectives
        self.found: list[float] | None = None  # the epoch, and its first score
        self.weights: Any = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare."""
        first = self.objectives[0]
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            return  # what is validated then is the last finite net, which this epoch has not made
        if all(one.has_value(logs or {}) for one in self.objectives):
            value = float(first.get_value(logs))
            if first.better(value, None if self.found is None else self.found[1]):
                self.found, self.weights = [epoch, value], self.model.get_weights()


class GroupCheckpoint(BackupAndRestore):
    """Writes a group down now and then; its end is written by who asked for it."""

    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """Write where it is time."""
        if self._every.due(epoch, step) or last:
            self._kept.write(self.model.session.snapshot())


class Group:
    """Nets that are trained together: those of some trials, at the same call of ``model.fit``.

    Args:
        bench: what all trials share.
        jobs: the nets.
        folder: where the group's checkpoints lie, or None for none.
        listeners: who tell how far the whole group is.
        molds: programs that there are.

    """

    def __init__(
        self,
        bench: Bench,
        jobs: list[Job],
        folder: Path | None = None,
        listeners: Sequence[Progress] = (),
        molds: Molds | None = None,
    ) -> None:
        self.bench, self.jobs, self.folder = bench, jobs, folder
        self.listeners = list(listeners)
        self.molds = molds or Molds()

    def run(self) -> list[Net]:
        """Train all of them to the end of their ``fit``; one net a job."""
        jobs = self.jobs
        best = [BestEpoch(self.bench.objectives) for _ in jobs]
        histories: list[Any] = [None] * len(jobs)
        said: list[str] = []
        waiting = [i for i, job in enumerate(jobs) if job.call is not None]
        while waiting:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                found = self._fit([jobs[i] for i in waiting], [best[i] for i in waiting])
            said.extend(str(one.message) for one in caught if not issubclass(one.category, LossWarning))
            for i, history in zip(waiting, found, strict=True):
                histories[i] = history
                jobs[i].take(jobs[i].rehearsal.go_on(history))
            waiting = [i for i in waiting if jobs[i].call is not None]
        return [self._net(*one, said) for one in zip(jobs, histories, best, strict=True)]

    def _fit(self, jobs: list[Job], best: list[BestEpoch]) -> list[Any]:
        """One call of ``model.fit`` of each, together; their histories."""
        calls = [job.call.arguments for job in jobs]  # type: ignore[union-attr]
        common = {name: value for name, value in calls[0].items() if name not in OWN}
        models = [job.model for job in jobs]
        own = [
            [one, *as_list(call["callbacks"]), *as_list(call["until"])] for one, call in zip(best, calls, strict=True)
        ]
        for one in self.listeners:
            one.trials = [job.assignment.number for job in jobs]
        shared = [*self.listeners, *self._backup()]
        seeds = [job.seed if call["seed"] is None else call["seed"] for job, call in zip(jobs, calls, strict=True)]
        if len(jobs) == 1 and jobs[0].fold is None and not self.molds.has(jobs[0]):
            given = {**calls[0], "callbacks": [*own[0], *shared], "seed": seeds[0], "verbose": 0, "until": None}
            try:
                return [Model.fit(models[0], **given)]  # past the one that waits
            except LossNotFinite as error:
                models[0].history.warnings.append(str(error))
                return [models[0].history]
        folds = self._rows(jobs)
        self.molds.population(jobs).fit(
            **common,
            **folds,
            seeds=seeds,
            epochs=[call["epochs"] for call in calls],
            member_callbacks=own,
            callbacks=shared,
            verbose=0,
        )
        return [model.history for model in models]

    def _rows(self, jobs: list[Job]) -> dict[str, Any]:
        """The rows of each net's fold."""
        if not self.bench.folds:
            return {}
        folds = [self.bench.folds[job.fold or 0] for job in jobs]
        return {"rows": [train for train, _ in folds], "validation_rows": [rest for _, rest in folds]}

    def _backup(self) -> list[Callback]:
        if self.folder is None or self.bench.checkpoint is None:
            return []
        return [GroupCheckpoint(self.folder, save_freq=self.bench.checkpoint, delete_checkpoint=False)]

    def _net(self, job: Job, history: Any, best: BestEpoch, said: list[str]) -> Net:
        logs = _lost_apart(_as_logs(job.value, self.bench.objectives[0].name))
        epochs, warned, weights = 0, said, None
        if history is not None:
            epochs, warned = len(history.epoch), [*history.warnings, *said]
            if job.value is history:
                weights = best.weights
        found = best_epoch(self.bench.objectives, logs) if logs else None
        saved = Saved.of(job.model, weights, self.bench.continues) if job.model.built else None
        at = None if found is None else found[0]
        return Net(job.execution, job.fold, job.seed, logs, at, epochs, saved, list(dict.fromkeys(warned)))


def begun(bench: Bench, trials: Sequence[tuple[Assignment, list[Job] | None]]) -> tuple[list[Job], list[list[Outcome]]]:
    """Trials' nets, built where they have not been: those at a call of ``model.fit``, and what came of all others.

    Args:
        bench: what they share.
        trials: each with its nets, where they have been built already.

    """
    jobs = [job for assignment, built in trials for job in (built or jobs_of(bench, assignment))]
    untrained = [job for job in jobs if job.call is None]  # their ``fit`` calls no model.fit
    ended = [train(bench, untrained, lambda one: jobs_of(bench, one))] if untrained else []
    return [job for job in jobs if job.call is not None], ended


def train(
    bench: Bench,
    jobs: list[Job],
    again: Callable[[Assignment], list[Job]],
    folder: Path | None = None,
    listeners: Sequence[Progress] = (),
    molds: Molds | None = None,
) -> list[Outcome]:
    """Train the nets of some trials together. A trial that raises is left out, and the others are trained without it.

    Args:
        bench: what all trials share.
        jobs: the nets of whole trials.
        again: makes a trial's nets anew, once training has changed them.
        folder: where the group's checkpoints lie.
        listeners: who tell how far the whole group is.
        molds: programs that there are.

    Returns:
        One outcome a trial, in the order of `jobs`.

    """
    begun = time.perf_counter()
    by_trial: dict[int, list[Job]] = {}
    for job in jobs:
        by_trial.setdefault(job.assignment.number, []).append(job)
    try:
        nets = Group(bench, jobs, folder, listeners, molds).run()
    except Exception:  # a person's code, or data: recorded with the trial whose it is
        text = traceback.format_exc()
        for job in jobs:
            job.rehearsal.abandon()
        if len(by_trial) == 1:
            values = dict(jobs[0].hp.values)
            return [Outcome(jobs[0].assignment.number, values, [], time.perf_counter() - begun, text)]
        return _by_halves(bench, list(by_trial.values()), again, folder, listeners)
    each = (time.perf_counter() - begun) / len(jobs)
    found: dict[int, Outcome] = {}
    for job, net in zip(jobs, nets, strict=True):
        outcome = found.setdefault(job.assignment.number, Outcome(job.assignment.number, dict(job.hp.values), []))
        outcome.space = list(job.hp.space)
        outcome.nets.append(net)
        outcome.seconds += each
    return list(found.values())


def _by_halves(
    bench: Bench, trials: list[list[Job]], again: Callable[[Assignment], list[Job]], folder: Path | None, listeners: Any
) -> list[Outcome]:
    found = []
    middle = len(trials) // 2
    for i, half in enumerate((trials[:middle], trials[middle:])):
        jobs = []
        for own in half:
            try:
                jobs.extend(again(own[0].assignment))
            except Exception:
                number = own[0].assignment.number
                found.append(Outcome(number, dict(own[0].hp.values), [], 0.0, traceback.format_exc()))
        if jobs:
            found.extend(train(bench, jobs, again, folder and folder / str(i), listeners))
    return found


def _as_logs(value: Any, name: str) -> dict[str, list[float]]:
    """What ``fit`` gave back, as logs; a number is the objective's."""
    if hasattr(value, "history"):
        return {log: [float(v) for v in values] for log, values in value.history.items()}
    if isinstance(value, dict):
        return {log: [float(np.asarray(one))] for log, one in value.items()}
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        return {name: [float(value)]}
    raise TypeError(
        f"HyperModel.fit must give back a History, a dict of metrics or a number, got {value!r} of type "
        f"{type(value).__name__}."
    )


def _lost_apart(logs: dict[str, list[float]]) -> dict[str, list[float]]:
    """Logs without what was validated in an epoch whose loss became NaN: that net is of the epoch before."""
    lost = [not math.isfinite(loss) for loss in logs.get("loss", [])]
    if not any(lost):
        return logs
    return {
        name: [math.nan if i < len(lost) and lost[i] else value for i, value in enumerate(values)]
        for name, values in logs.items()
    }
