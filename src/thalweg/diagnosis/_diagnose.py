"""diagnose: training against validation error, what is wrong, and what to do about it."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg._intervals import student_interval
from thalweg.callbacks import read_run
from thalweg.data import refuse_sealed
from thalweg.diagnosis import _inside, _splits
from thalweg.diagnosis._baselines import Baselines, baselines
from thalweg.diagnosis._curves import Curves, curves_of, lost, overfitting, plateau
from thalweg.diagnosis._diagnosis import Diagnosis
from thalweg.diagnosis._errors_of import Ground, checked_seeds, errors_on, trained
from thalweg.diagnosis._features import names_of
from thalweg.diagnosis._finding import Finding
from thalweg.diagnosis._measured import Measured, learnt_nothing, measured, rows_of
from thalweg.diagnosis._one_thread import one_thread
from thalweg.diagnosis._probe import judged, probe
from thalweg.diagnosis._remedies import Case, remedies_for
from thalweg.diagnosis._scenario import (
    BOTH,
    HIGH_BIAS,
    HIGH_VARIANCE,
    UNDECIDED,
    WELL,
    WHAT_DID_YOU_DO,
    Interval,
    Verdict,
    tolerance,
    verdict,
)
from thalweg.models import load_model

_WIDE = 0.1  # interval of the validation error from which on a doubt is its fault


def diagnose(
    model: Any,
    train: Any,
    validation: Any,
    target_error: float | None = None,
    *,
    history: Any = None,
    seeds: int = 0,
    seed: int = 0,
) -> Diagnosis:
    """Say what holds a net back: bias, variance, or what was done to the rows.

    Both errors are measured like with like, with dropout off and without penalties. *Avoidable bias* is the training error
    above the target, *variance* the validation error above the training error. Where no target is given, it is estimated:
    what nearest neighbours, gradient boosting or a line reach on the same rows, and how much of it nearest neighbours call
    noise. The table of scenarios is read for a thousand redraws of the rows; where they disagree, the scenario is
    ``'undecided'`` and the remedies are the experiments that would tell.

    Before that, the rows are looked at (repeats and near repeats across the parts, a column that gives the target away,
    classes mixed otherwise, drift), and the fit (dead and saturated units, gradients, learning rate, plateau, overfitting).

    Args:
        model: compiled and trained, with one output; or a run's folder, whose best net is meant.
        train: ``(x, y)``, the rows that it learnt from.
        validation: ``(x, y)``, other rows.
        target_error: the error that is asked for, or that is known to be reachable: an error rate for classes, the share of
            wrong labels, for numbers the share of variance left unexplained (1 - R^2). None: estimated.
        history: of the fit, a History or a dict of lists; None is ``model.history``, or that of the run.
        seeds: how many nets like it to train with other seeds, for intervals over seeds, 2 or more; 0 for none.
        seed: of the draws and experiments.

    Returns:
        The :class:`Diagnosis`; ``print`` it.

    Raises:
        ValueError: where the model has no loss or several outputs, or `target_error` is out of range.
        thalweg.data.DataError: on rows that do not fit the net.

    Example:
        >>> import numpy as np, thalweg
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(400, 2)); y = (x[:, 0] > 0).astype(int)
        >>> model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(16, 'relu'), thalweg.layers.Dense(2, 'softmax')])
        >>> model.compile(thalweg.optimizers.Adam(0.01), 'sparse_categorical_crossentropy')
        >>> history = model.fit(x[:300], y[:300], epochs=20, verbose=0, seed=0)
        >>> diagnose(model, (x[:300], y[:300]), (x[300:], y[300:])).scenario
        'well'

    Source: Ng 2018, "Machine learning yearning", for the table.

    """
    refuse_sealed(train, validation)
    seeds = checked_seeds("diagnose", seeds) if seeds else 0
    if target_error is not None and not 0 <= float(target_error) < math.inf:
        raise ValueError(f"target_error must be a number of at least 0, an error rate like 0.02, got {target_error!r}.")
    if isinstance(model, (str, os.PathLike)):
        history = read_run(model) if history is None else history
        model = load_model(Path(model) / "best.keras")
    found = measured(model, rows_of(model, train, "train"), rows_of(model, validation, "validation"))
    curves = curves_of(model.history if history is None else history)
    return diagnosed(model, found, seen_in(found, seed), curves, target_error, seeds, seed)


class Seen(NamedTuple):
    """What the rows themselves say, whatever the net.

    Attributes:
        others: what models that are no nets reach on them.
        looked: what is wrong with how they were parted.

    """

    others: Baselines
    looked: _splits.Looked


def seen_in(found: Measured, seed: int = 0) -> Seen:
    """Look at the rows; that takes longer than all the rest, and holds for any net on them."""
    with one_thread("sklearn.ensemble"):
        others = baselines(found, seed)
        return Seen(others, _splits.look_at_split(found, others))


def diagnosed(
    model: Any,
    found: Measured,
    rows: Seen,
    curves: Curves,
    target_error: float | None = None,
    seeds: int = 0,
    seed: int = 0,
) -> Diagnosis:
    """What :func:`diagnose` says of a net whose rows have been looked at.

    Args:
        model: whose errors they are.
        found: its errors.
        rows: what was seen in them.
        curves: of its fit.
        target_error, seeds, seed: as of :func:`diagnose`.

    """
    others, looked = rows
    seen = verdict(found, others, target_error, np.ones(found.validation.rows.n), seed)
    read = verdict(found, others, target_error, looked.weight, seed)
    if looked.lost or UNDECIDED != seen.scenario != read.scenario != UNDECIDED:
        read = read._replace(scenario=WHAT_DID_YOU_DO, chances={})
    of_fit = _look_at_fit(model, found, read, curves, seed)
    findings = (*looked.findings, *of_fit, *_doubt(found, read))
    case = Case(model, found, read, others, curves, findings)
    return Diagnosis(
        read.scenario,
        read.chances,
        found.task.UNIT,
        (found.train.rows.n, found.validation.rows.n),
        read.train,
        read.validation,
        read.target,
        read.bias,
        read.variance,
        float(found.validation.constant.mean()),
        {one.name: one.error for one in others.found},
        _over_seeds(model, found, read, curves, seeds, seed),
        findings,
        _notes(found, read, curves, seen),
        remedies_for(case),
    )


def _look_at_fit(model: Any, found: Measured, read: Verdict, curves: Curves, seed: int) -> list[Finding]:
    """What went wrong in training; whoever fits the training rows well is left in peace but for what kills or misleads."""
    nothing = learnt_nothing(found.task, found.train)
    bad = read.bias.value > tolerance(read.target.reached.value) or nothing is not None
    inside = _inside.look_inside(model, found.train.rows)
    fed = names_of(found.train.rows, sum(one.reshape(len(one), -1).shape[1] for one in found.train.rows.x))
    looked: list[Finding | None] = [nothing, _inside.unscaled_inputs(inside, fed)]
    looked += [check(inside, bad) for check in _inside.CHECKS]
    numbers = found.task.NAME == "numbers"
    far = _inside.unscaled_targets(model, found.train.targets, bad) if numbers else None
    looked.append(far)  # in whose face every learning rate is too low
    if far is None and bad and (read.scenario in (HIGH_BIAS, BOTH, UNDECIDED) or lost(curves)):
        looked += [judged(probe(model, found.train.rows, curves, seed), curves), plateau(curves)]
    if read.scenario in (HIGH_VARIANCE, BOTH):
        looked.append(overfitting(curves))
    return [one for one in looked if one is not None]


def _doubt(found: Measured, read: Verdict) -> list[Finding]:
    low, high = read.validation.low, read.validation.high
    if read.scenario != UNDECIDED or high - low < _WIDE:
        return []
    return [_splits.small_validation(found, low, high)]


def _notes(found: Measured, read: Verdict, curves: Curves, seen: Verdict) -> tuple[str, ...]:
    said = []
    if seen.validation.value != read.validation.value:
        shown = found.task.shown
        said.append(
            f"The validation error is {shown(seen.validation.value)} over all rows, and {shown(read.validation.value)} without "
            "copies of training rows and with the classes mixed as in training; the second one is used."
        )
    early = overfitting(curves)
    if early is not None and read.scenario == WELL:
        said.append(
            f"The validation loss was lowest in epoch {early.detail['since']} and has risen since; the error is low all the same."
        )
    if read.target.by == "the net itself":
        said.append(
            "No model that is no net comes as far: the target is the net's own error. If more is known to be reachable, "
            "say so: target_error=..."
        )
    if found.task.NAME == "numbers":
        said.append(
            "Errors are squared errors as a share of the variance of the training targets: 100 % is the mean as a constant."
        )
    return tuple(said)


def _over_seeds(
    model: Any, found: Measured, read: Verdict, curves: Curves, count: int, seed: int
) -> tuple[Interval, Interval, int] | None:
    """Bias and variance of nets that differ in their seeds alone, trained as this one was, as one population."""
    if not count:
        return None
    if not curves.epochs:
        raise ValueError("seeds need a net whose fit is known: its history says for how many epochs. Give history=...")
    ground = Ground(found.task, found.train.rows, found.validation.rows, found.spread)
    batch = math.ceil(ground.train.n / curves.steps) if curves.steps else None
    own = [int(one) for one in np.random.SeedSequence((seed, count)).generate_state(count)]
    asked = {"epochs": curves.epochs, "batch_size": batch}
    crew = trained([model.twin() for _ in own], ground, None, own, asked)
    train, rest = (errors_on(crew, ground, rows).mean(axis=1) for rows in (ground.train, ground.rest))
    return (_of_mean(train - read.target.reached.value), _of_mean(rest - train), count)


def _of_mean(values: np.ndarray) -> Interval:
    return Interval(float(values.mean()), *student_interval(values, 0.95))
