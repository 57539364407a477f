"""From a trial's values to nets that are ready to be trained."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import _seeds
from thalweg.callbacks import TensorBoard
from thalweg.models._fit import as_list
from thalweg.tuner._hypermodel import HyperModel, checked_model, made_by
from thalweg.tuner._hyperparameters import HyperParameters, keyed
from thalweg.tuner._objective import Objective
from thalweg.tuner._rehearsal import FitCall, Rehearsal, Returned
from thalweg.tuner._saved import Saved


@dataclass(frozen=True)
class Bench:
    """What all trials of a search share; it can be sent to another process.

    Attributes:
        hypermodel: makes the nets.
        template: hyperparameters that a person set beforehand.
        objectives: what is wanted.
        seed: of the search.
        args, kwargs: what ``search`` was given for ``fit``.
        executions: nets a trial, which differ in their seeds alone.
        folds: (rows to train on, rows to validate on) a fold, or ().
        continues: whether a net's last state is kept, for a trial that goes on with it.
        checkpoint: how often a group under way is written down, as ``'30 s'``; None: never.

    """

    hypermodel: HyperModel
    template: HyperParameters
    objectives: Sequence[Objective]
    seed: int
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    executions: int = 1
    folds: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    continues: bool = False
    checkpoint: str | None = "30 s"

    def seed_of(self, root: int, execution: int) -> int:
        """The seed of an execution of the trials that go back to trial `root`."""
        return int(_seeds.generator(self.seed, root, execution, 0x5EED).integers(2**32))


@dataclass(frozen=True)
class Assignment:
    """A trial that is to be trained.

    Attributes:
        number: of the trial.
        root: of the trial in which its nets began.
        values: of its hyperparameters.
        first_epoch, epochs: as in ``fit``; None takes what ``search`` was given.
        sources: per net, the state that it goes on from.

    """

    number: int
    root: int
    values: dict[str, Any]
    first_epoch: int = 0
    epochs: int | None = None
    sources: tuple[Saved, ...] = ()


@dataclass
class Job:
    """A net to be trained for a trial.

    Attributes:
        assignment: which trial's.
        execution, fold: which of its nets; fold None without cross-validation.
        seed: of the net's weights, order of rows and dropout.
        hp: its hyperparameters.
        model: the net.
        rehearsal: the run of the HyperModel's ``fit``.
        call: the call of ``model.fit`` that waits, or None once ``fit`` has returned.
        value: what ``fit`` gave back.

    """

    assignment: Assignment
    execution: int
    fold: int | None
    seed: int
    hp: HyperParameters
    model: Any
    rehearsal: Rehearsal
    call: FitCall | None = None
    value: Any = None

    def take(self, found: FitCall | Returned) -> None:
        """Note where the run of ``fit`` has come to."""
        self.call, self.value = (found, None) if isinstance(found, FitCall) else (None, found.value)


def jobs_of(bench: Bench, assignment: Assignment, hp: HyperParameters | None = None, model: Any = None) -> list[Job]:
    """A trial's nets, built, each at its first call of ``model.fit``.

    Args:
        bench: what they share.
        assignment: the trial.
        hp, model: of the first one, where it has been built already.

    Raises:
        Exception: whatever a person's ``build`` or ``fit`` raises.

    """
    places = [(e, f) for e in range(bench.executions) for f in (range(len(bench.folds)) if bench.folds else [None])]
    jobs = []
    for i, (execution, fold) in enumerate(places):
        if hp is None or i:
            hp, model = built(bench, assignment)
        seed = bench.seed_of(assignment.root, execution)
        if assignment.sources:
            assignment.sources[i].begin(model)
        kwargs = _fit_arguments(bench, assignment, i)
        job = Job(
            assignment, execution, fold, seed, hp, model, Rehearsal(bench.hypermodel, hp, model, bench.args, kwargs)
        )
        job.take(job.rehearsal.start())
        jobs.append(job)
    return jobs


def built(bench: Bench, assignment: Assignment, unknown: Any = None) -> tuple[HyperParameters, Any]:
    """The hyperparameters of a trial and the net that ``build`` makes of them."""
    unknown = unknown or keyed(bench.seed, assignment.number)
    hp = bench.template.for_trial(assignment.values, unknown)
    return hp, checked_model(made_by(bench.hypermodel, hp))


def _fit_arguments(bench: Bench, assignment: Assignment, net: int) -> dict[str, Any]:
    kwargs = {**bench.kwargs, "callbacks": _own_callbacks(bench.kwargs.get("callbacks"), assignment.number, net)}
    if assignment.epochs is not None:
        kwargs["epochs"] = assignment.epochs
    if assignment.first_epoch:
        kwargs["initial_epoch"] = assignment.first_epoch
    return kwargs


def _own_callbacks(given: Any, number: int, net: int) -> list[Any]:
    """Copies, so that trials share none; each writes its TensorBoard logs in a folder of its own."""
    copies = copy.deepcopy(as_list(given))
    for one in copies:
        if isinstance(one, TensorBoard):
            one.log_dir = str(Path(one.log_dir) / f"{number:04d}" / f"execution{net}")
    return copies
