"""What did you do? Whether validation rows are what they should be: other rows of the same kind."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from thalweg import data
from thalweg.diagnosis._baselines import Baselines
from thalweg.diagnosis._features import components, dimensions, flat, names_of, scaled
from thalweg.diagnosis._finding import Finding
from thalweg.diagnosis._measured import Measured
from thalweg.diagnosis._twins import duplicates, near_duplicates

_ROWS = 5000  # looked at by checks whose precision does not grow with more
_BINS = 32  # of a column's values
_LIKELY = 5  # columns that may give the target away
_GIVEN_AWAY = 0.02  # error below which a single column gives the target away
_DRIFT = 0.6  # AUC from which on two sets are of different kinds
_SORTED = 20  # rows, below which an order is no evidence
_RARE = 0.02  # share of the rows of classes that may be missing
_ROWS_A_DIMENSION = 5  # with fewer nobody finds what there is
_BY_CHANCE = 0.02  # how often targets that nobody knows anything of are said to be known


class Looked(NamedTuple):
    """What is wrong with the split.

    Attributes:
        findings: all of it.
        weight: how much each validation row counts in what can be said of new rows: 0 for copies of training rows; of classes
            that are mixed otherwise than in training, as much as makes the mix the same.
        lost: whether no weights make up for it.

    """

    findings: list[Finding]
    weight: np.ndarray
    lost: bool


def look_at_split(found: Measured, baselines: Baselines) -> Looked:
    """All of it."""
    train, rest = flat(found.train.rows), flat(found.validation.rows)
    shape = found.train.rows.x[0].shape[1:] if len(found.train.rows.x) == 1 else ()
    findings, weight = [], np.ones(len(rest))
    for copies in (duplicates(train, rest), near_duplicates(train, rest, shape)):
        if copies is not None:
            findings.append(copies[0])
            weight[copies[1]] = 0
    mix = class_mix(found)
    if mix is not None:
        weight *= _as_in_training(found)
    known = weight.sum() > 0 and (mix is None or _all_classes(found))
    kept = weight > 0
    wrong: list[Finding | None] = []
    if mix is None:  # which is a drift too, and says more
        wrong = [
            drift(found, train, rest[kept]) if kept.any() else None,
            no_signal(found, baselines, dimensions(scaled(train, rest)[0])),
        ]
    lost = not known or any(wrong)
    told = [mix, sorted_validation(found), leaking_feature(found, train, rest), *wrong]
    findings += [one for one in told if one is not None]
    return Looked(findings, weight if known else np.ones(len(rest)), lost)


def _as_in_training(found: Measured) -> np.ndarray:
    """Weights that make the validation rows' classes as frequent as in training."""
    mine, theirs = (np.bincount(part.targets, minlength=found.task.count) for part in found[1:3])
    ratio = (mine / mine.sum()) / np.maximum(theirs / theirs.sum(), 1e-12)
    return np.asarray(ratio[found.validation.targets])


def _all_classes(found: Measured) -> bool:
    """Whether every class that was learnt, but for rare ones, stands in the validation rows."""
    mine, theirs = (np.bincount(part.targets, minlength=found.task.count) for part in found[1:3])
    return bool(mine[theirs == 0].sum() < _RARE * mine.sum())


def leaking_feature(found: Measured, train: np.ndarray, rest: np.ndarray) -> Finding | None:
    """A column that gives the target away by itself, while all others together do not.

    Both are asked of half of the rows of both parts, by the other half.
    """
    if train.shape[1] < 2 or found.task.NAME == "labels":
        return None
    x, y = np.concatenate([train, rest]), np.concatenate([found.train.targets, found.validation.targets])
    rows = np.random.default_rng(0).permutation(len(x))[:_ROWS]
    half = len(rows) // 2
    halves = [(rows[:half], rows[half:]), (rows[half:], rows[:half])]
    likely = np.argsort(_alone(found, x, y, halves), kind="stable")[:_LIKELY]
    alone, place = min((_together(found, x[:, [i]], y, halves), int(i)) for i in likely)
    constant = float(found.validation.constant.mean())
    if alone > _GIVEN_AWAY * constant:
        return None
    without = _together(found, np.delete(x, place, axis=1), y, halves)
    if without < max(5 * alone, 0.05 * constant):
        return None
    name, shown = names_of(found.train.rows, train.shape[1])[place], found.task.shown
    return Finding(
        "leaking feature",
        f"{name} alone gives the target away (error {shown(alone)}); without it a tree on all other columns "
        f"errs by {shown(without)}",
        f"ask whether {name} is known before the target is; if not, leave it out",
        {"column": name, "alone": alone, "without": without},
    )


Halves = list[tuple[np.ndarray, np.ndarray]]  # row numbers to learn from, and to ask of


def _alone(found: Measured, x: np.ndarray, y: np.ndarray, halves: Halves) -> np.ndarray:
    """Roughly the error that each column reaches by itself: per bin of its values, the best constant."""
    errors = np.zeros(x.shape[1])
    for column, (own, other) in itertools.product(range(x.shape[1]), halves):
        values = x[own, column]
        different = np.unique(values)
        many = len(different) > _BINS
        edges = np.unique(np.quantile(values, np.arange(1, _BINS) / _BINS)) if many else different[1:]
        bins = np.searchsorted(edges, x[:, column], side="right")
        said = _per_bin(found, bins[own], y[own], len(edges) + 1)
        errors[column] += found.task.errors(y[other], said[bins[other]], found.spread).mean() / len(halves)
    return errors


def _per_bin(found: Measured, bins: np.ndarray, targets: np.ndarray, count: int) -> np.ndarray:
    """The best constant in each bin; of an empty one, that of all rows."""
    if found.task.NAME == "classes":
        table = np.zeros((count, found.task.count))
        np.add.at(table, (bins, targets), 1)
        table[table.sum(axis=1) == 0] = np.bincount(targets, minlength=found.task.count)
        return np.asarray(table.argmax(axis=1))
    rows = np.bincount(bins, minlength=count)[:, None]
    sums = np.stack([np.bincount(bins, one, count) for one in targets.T], axis=1)
    return np.where(rows > 0, sums / np.maximum(rows, 1), targets.mean(axis=0))


def _together(found: Measured, x: np.ndarray, y: np.ndarray, halves: Halves) -> float:
    """The error of a tree."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if found.task.NAME == "classes" else DecisionTreeRegressor
    errors = []
    for own, other in halves:
        said = np.asarray(kind(min_samples_leaf=3, random_state=0).fit(x[own], y[own]).predict(x[other]))
        errors.append(found.task.errors(y[other], said.reshape(y[other].shape), found.spread).mean())
    return float(np.mean(errors))


def class_mix(found: Measured) -> Finding | None:
    """Classes that are mixed otherwise in the two parts than chance explains."""
    if found.task.NAME != "classes" or not data.mix_is_far(found.train.targets, found.validation.targets):
        return None
    shares = [np.bincount(part.targets, minlength=found.task.count) / part.rows.n for part in found[1:3]]
    worst = int(np.abs(shares[0] - shares[1]).argmax())
    mine, theirs = float(shares[0][worst]), float(shares[1][worst])
    return Finding(
        "class mix",
        f"class {worst} is {mine:.1%} of the training rows and {theirs:.1%} of the validation rows: the rows were sorted "
        "when they were cut, or come from two places",
        "shuffle before cutting, or let data.split give each part its share of each class",
        {"class": worst, "train": mine, "validation": theirs},
    )


def sorted_validation(found: Measured) -> Finding | None:
    """Validation rows in the order of their classes."""
    y = found.validation.targets
    if found.task.NAME != "classes" or len(y) < _SORTED or len(np.unique(y)) < 2:
        return None
    changes = int((np.diff(y) != 0).sum())
    if changes >= len(np.unique(y)):
        return None
    return Finding(
        "sorted validation",
        f"the validation rows are sorted by class: {len(y):,} rows, {changes} changes from one to another",
        "shuffle them, and look at how they were cut: the first of them, as validation_steps takes, are of one class",
        {"rows": len(y), "changes": changes},
    )


def drift(found: Measured, train: np.ndarray, rest: np.ndarray) -> Finding | None:
    """Whether a classifier can tell which part a row is of: then they are not of one kind."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict

    rng = np.random.default_rng(0)
    size = min(len(train), len(rest), _ROWS // 2)
    if size < _SORTED:
        return None
    some = [part[rng.permutation(len(part))[:size]] for part in (train, rest)]
    both = np.concatenate(components(some[0], some[1], both=True))
    origin = np.repeat([0, 1], size)
    judge = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, min_samples_leaf=10, random_state=0)
    folds = np.argsort(np.argsort(rng.random(len(origin)))) % 3
    cuts = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(3)]
    said = cross_val_predict(judge, both, origin, cv=cuts, method="predict_proba")[:, 1]
    auc = float(roc_auc_score(origin, said))
    error = math.sqrt((2 * size + 1) / (12 * size * size))  # of the AUC of what cannot be told apart
    if auc < max(_DRIFT, 0.5 + 4 * error):
        return None
    moved = _most_moved(train, rest, names_of(found.train.rows, train.shape[1]))
    return Finding(
        "drift",
        f"a classifier tells training from validation rows (AUC {auc:.2f}, 0.5 where they are of one kind); moved most: {moved}",
        "cut both from the same rows at random; where validation is later or elsewhere on purpose, this is what it costs",
        {"auc": auc, "columns": moved},
    )


def _most_moved(train: np.ndarray, rest: np.ndarray, names: tuple[str, ...], count: int = 3) -> str:
    """The columns whose distributions differ most, by Kolmogorov and Smirnov's distance."""
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(0)
    parts = [part[rng.permutation(len(part))[:1000]] for part in (train, rest)]
    gaps = np.array([ks_2samp(*(part[:, i] for part in parts)).statistic for i in range(train.shape[1])])
    return ", ".join(names[i] for i in np.argsort(-gaps)[:count])


def no_signal(found: Measured, baselines: Baselines, wide: float) -> Finding | None:
    """What anybody says of a row, the net or any baseline, has nothing to do with its target.

    Args:
        found: the net's errors.
        baselines: those of others.
        wide: in how many directions the rows spread; of few rows in many directions nothing is said.

    """
    rest = found.validation
    contenders = [
        ("the net", rest.errors, rest.scores),
        *((one.name, one.errors, one.scores) for one in baselines.found),
    ]
    bound = -ndtri(_BY_CHANCE / len(contenders))
    if rest.rows.n < _SORTED or found.train.rows.n < _ROWS_A_DIMENSION * wide:
        return None
    if any(beyond_chance(found, scores) > bound for _, _, scores in contenders):
        return None
    best, errors, _ = min(contenders, key=lambda one: float(one[1].mean()))
    shown = found.task.shown
    return Finding(
        "no signal",
        f"what the net, or any other model, says of a validation row has nothing to do with its target: {best} errs by "
        f"{shown(float(errors.mean()))}, {found.task.WORST} by {shown(float(rest.constant.mean()))}",
        "check that targets and inputs belong together (shuffled labels? a join that slipped?), and that the inputs know "
        "anything of the targets",
        {"best": best, "error": float(errors.mean()), "constant": float(rest.constant.mean())},
    )


def beyond_chance(found: Measured, scores: np.ndarray) -> float:
    """How many deviations scores agree better with their rows' targets than with those of other rows.

    With a(i, j) what is said of row i for the target of row j, the sum of a(i, i) is compared with that over random
    permutations of the targets, whose mean and variance are known exactly.

    Source: Hoeffding 1951, "A combinatorial central limit theorem".

    """
    n = len(scores)
    if found.task.NAME == "classes":
        if scores.shape[1] == 1:
            scores = np.concatenate([-scores, scores], axis=1)
        centred = scores - scores.mean(axis=0)
        shares = np.bincount(found.validation.targets, minlength=scores.shape[1]) / n
        apart = centred - (centred * shares).sum(axis=1, keepdims=True)
        agreement = apart[np.arange(n), found.validation.targets].sum()
        variance = float(((apart**2) * shares).sum()) * n / (n - 1)
    else:
        y = found.validation.targets.reshape(n, -1).astype(float)
        y, said = y - y.mean(axis=0), scores.reshape(n, -1) - scores.mean(axis=0)
        y, said = (one / np.where(one.std(axis=0) > 0, one.std(axis=0), 1) for one in (y, said))
        agreement, variance = (
            (y * said).sum(),
            float(((said @ y.T) ** 2).sum() / (n - 1)) if n <= _ROWS else n * y.shape[1],
        )
    return float(agreement / math.sqrt(variance)) if variance > 0 else 0.0


def small_validation(found: Measured, low: float, high: float) -> Finding:
    """For a diagnosis that could not be made; the interval is that of the validation error."""
    rows, shown = found.validation.rows.n, found.task.shown
    return Finding(
        "small validation",
        f"{rows:,} validation rows say no more than that the error lies between {shown(low)} and {shown(high)}",
        "spare more rows for validation, or validate several times (Population.fit(validation_rows=...) trains a net a fold)",
        {"rows": rows, "low": low, "high": high},
    )
