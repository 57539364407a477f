"""The course's table, read with the doubt that a limited number of rows leaves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thalweg._intervals import proportion_interval
from thalweg.diagnosis._baselines import Baseline, Baselines
from thalweg.diagnosis._measured import Measured, Part

HIGH_BIAS, HIGH_VARIANCE, BOTH = "high bias", "high variance", "high bias and variance"
WHAT_DID_YOU_DO, WELL, UNDECIDED = "what did you do?", "well", "undecided"
SCENARIOS = (HIGH_BIAS, HIGH_VARIANCE, BOTH, WHAT_DID_YOU_DO, WELL)

DRAWS = 2000
_BLOCK = 2048  # rows whose weights are drawn at once
_ODD = 0.975  # probability from which on a validation error below the training error is no chance
_SURE = 0.7  # probability from which on a scenario is named
_NEAR = 0.02  # difference of errors that is none
_SHARE = 0.25  # likewise, as a share of the target
_HARDLY = 0.9  # of a constant's error, from which on nothing was learnt for new rows
_LEVEL = 0.95
_BLIND = 0.2  # width of the validation error's interval from which on both ends must say the same


class Interval(NamedTuple):
    """A number, and between which two it lies at 95 %."""

    value: float
    low: float
    high: float


class Target(NamedTuple):
    """The error that is asked of the net.

    Attributes:
        reached: an error that somebody has reached on these rows: given, or the best baseline's, or the net's own.
        noise: an error below which nobody may come: given, or estimated from nearest neighbours.
        by: who has reached it; ``'given'`` where it was given.

    """

    reached: Interval
    noise: Interval
    by: str


class Verdict(NamedTuple):
    """What the errors say.

    Attributes:
        scenario: of the table, or ``'undecided'``.
        chances: scenario -> probability, those above 1 %, the likeliest first.
        train, validation: errors.
        bias: training error above the target.
        variance: validation error above the training error.
        target: what both are compared with.

    """

    scenario: str
    chances: dict[str, float]
    train: Interval
    validation: Interval
    bias: Interval
    variance: Interval
    target: Target


def verdict(
    found: Measured, baselines: Baselines, target_error: float | None, weight: np.ndarray, seed: int = 0
) -> Verdict:
    """Read the table a thousand times over, each time with other rows.

    Rows are drawn by the Bayesian bootstrap: weights from a Dirichlet distribution, the same for everybody who is
    measured on the same rows, so that differences are as sure as they are. For errors of 0 or 1 half a wrong and half a
    right row are added, which makes the distribution of a single error Jeffreys' Beta(k + 1/2, n - k + 1/2): no error
    in ten rows is not the same as no error in a thousand.

    Args:
        found: the net's errors.
        baselines: those of others.
        target_error: what is asked of the net, or None: estimated.
        weight: of the validation rows.
        seed: of the draws.

    Source: Rubin 1981, "The Bayesian bootstrap".

    """
    rng = np.random.default_rng(seed)
    binary = found.task.NAME == "classes"
    share = weight / weight.sum()
    best = min(baselines.found, key=lambda one: _reached(one, share))
    train = _draws(found.train.errors[:, None], None, rng, binary)[:, 0]
    rest, other = _draws(np.stack([found.validation.errors, best.errors], axis=1), weight, rng, binary).T
    near = _draws(np.asarray(baselines.nearest, float)[:, None], None, rng, binary)[:, 0]
    if len(best.crossed):
        crossed, part = _draws(best.crossed[:, None], None, rng, binary)[:, 0], _part_of(best)
        other = part * other + (1 - part) * crossed
    own, others, rival = found.train.error, float(found.validation.errors @ share), _reached(best, share)
    if target_error is None:
        reached = np.minimum(other, np.maximum(rest, train))
        noise = np.minimum(baselines.noise(near), reached)
        by, at = (best.name, rival) if rival < max(others, own) else ("the net itself", max(others, own))
        floor = min(float(baselines.noise(baselines.nearest.mean())), at)
    else:
        reached = noise = np.full(DRAWS, target_error)
        by, at, floor = "given", target_error, target_error
    constant = float(found.validation.constant @ share)
    labels = read_table(train, rest, reached, noise, constant)
    shares = {name: float((labels == i).mean()) for i, name in enumerate(SCENARIOS)}
    chances = dict(sorted(((n, s) for n, s in shares.items() if s >= 0.01), key=lambda one: -one[1]))
    likeliest, chance = next(iter(chances.items()))
    validation = _interval(others, rest)
    sure = chance >= _SURE and _agree(own, found.validation, at, floor, constant, binary)
    return Verdict(
        likeliest if sure else UNDECIDED,
        chances,
        _interval(own, train),
        validation,
        _interval(own - at, train - reached),
        _interval(others - own, rest - train),
        Target(_interval(at, reached), _interval(floor, noise), by),
    )


def _reached(baseline: Baseline, share: np.ndarray) -> float:
    """What a baseline errs by, on the validation rows and on training rows that it had not seen."""
    part = _part_of(baseline)
    crossed = float(baseline.crossed.mean()) if len(baseline.crossed) else 0.0
    return part * float(baseline.errors @ share) + (1 - part) * crossed


def _part_of(baseline: Baseline) -> float:
    return len(baseline.errors) / (len(baseline.errors) + len(baseline.crossed))


def _agree(train: float, rest: Part, reached: float, noise: float, constant: float, binary: bool) -> bool:
    """Whether the table reads the same at both ends of the validation error's interval, where that is very wide."""
    if not binary:
        return True
    wrong = round(float(rest.errors.sum()))
    low, high = proportion_interval(wrong, len(rest.errors), _LEVEL)
    ends = read_table(np.full(2, train), np.array([low, high]), np.full(2, reached), np.full(2, noise), constant)
    return bool(high - low < _BLIND or ends[0] == ends[1])


def tolerance(error: Any) -> Any:
    """By how much another error may be larger and still be called the same."""
    return np.maximum(_NEAR, _SHARE * error)


def read_table(
    train: np.ndarray, rest: np.ndarray, reached: np.ndarray, noise: np.ndarray, constant: float
) -> np.ndarray:
    """The scenario's place in ``SCENARIOS``, for many draws of the errors at once.

    The training error is high where somebody has reached a clearly lower one. The validation error is high where it is
    clearly above what noise explains, or hardly below a constant's, and above the training error. A validation error
    clearly below the training error is nobody's merit.
    """
    bias = train - reached > tolerance(reached)
    gap = rest - train > tolerance(np.minimum(rest, np.maximum(train, reached)))
    variance = gap & ((rest - noise > tolerance(noise)) | (rest > _HARDLY * constant))
    odd = train - rest > tolerance(rest)
    odd &= odd.mean() >= _ODD  # it takes more to believe what should not be
    return np.select([odd, bias & variance, bias, variance], [3, 2, 0, 1], 4)


def _draws(errors: np.ndarray, counts: np.ndarray | None, rng: np.random.Generator, binary: bool) -> np.ndarray:
    """Means under random weights of rows, [draws, columns].

    Args:
        errors: [rows, columns].
        counts: how much each row counts, or None: all alike.
        rng: draws.
        binary: whether errors are 0 or 1.

    """
    counts = np.ones(len(errors)) if counts is None else counts / counts[counts > 0].mean()
    if binary:
        errors = np.concatenate([errors, np.zeros((1, errors.shape[1])), np.ones((1, errors.shape[1]))])
        counts = np.append(counts, [1.0, 1.0])
    shape = np.ones(len(errors))
    if binary:
        shape[-2:] = 0.5
        both, place = np.unique(np.column_stack([errors, counts]), axis=0, return_inverse=True)
        errors, counts = both[:, :-1], both[:, -1]
        shape = np.asarray(np.bincount(place.ravel(), shape), np.float64)  # rows alike are drawn at once
    total, mass = np.zeros((DRAWS, errors.shape[1])), np.zeros((DRAWS, 1))
    for start in range(0, len(errors), _BLOCK):
        part = slice(start, start + _BLOCK)
        drawn = rng.standard_gamma(shape[part], (DRAWS, len(errors[part]))) * counts[part]
        total += drawn @ errors[part]
        mass += drawn.sum(axis=1, keepdims=True)
    return np.asarray(total / mass)


def _interval(value: float, draws: np.ndarray) -> Interval:
    low, high = np.quantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(value), float(min(low, value)), float(max(high, value)))
