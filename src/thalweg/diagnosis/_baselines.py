"""What models that are no nets make of the same rows: what can be reached, and whether a net is the best bet."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from thalweg.diagnosis._features import components, flat
from thalweg.diagnosis._measured import Measured

_ROWS = 5000  # that a baseline learns from at most
_NEIGHBOURS = (1, 5, 15, 50)
_TREES = 1000  # of a boosting, over all classes
_MOST_LABELS = 10
_FEW = 300  # validation rows, below which what a baseline reaches is asked of training rows too
_FOLDS = 3


class Baseline(NamedTuple):
    """A model that is no net, trained on the same rows.

    Attributes:
        name: for people.
        errors: on the validation rows, [rows].
        scores: what it says of them: how probable each class is, [rows, classes], or numbers.
        crossed: errors on training rows, each left out of what it learnt from; empty where there are validation rows enough.

    """

    name: str
    errors: np.ndarray
    scores: np.ndarray
    crossed: np.ndarray

    @property
    def error(self) -> float:
        """The mean over the rows."""
        return float(self.errors.mean())


class Baselines(NamedTuple):
    """All of them, and what the nearest neighbours say of noise.

    Attributes:
        found: the baselines, the best one first.
        nearest: error on each training row of its nearest neighbour's target, [rows].
        classes: how many classes there are; None for numbers.

    """

    found: tuple[Baseline, ...]
    nearest: np.ndarray
    classes: int | None

    def noise(self, nearest: Any) -> Any:
        """A lower estimate of the error that nobody can avoid, from the error of the nearest neighbour's target.

        With many rows a nearest neighbour is a second draw of the same target. For c classes its error R bounds that
        of the best possible classifier from below, ``(c - 1) / c (1 - sqrt(1 - c R / (c - 1)))``; of numbers half its
        squared error is noise.

        Args:
            nearest: the error R, a number or many.

        Source: Cover and Hart 1967, "Nearest neighbor pattern classification"; for numbers, Rice 1984.

        """
        if self.classes is None:
            return np.asarray(nearest) / 2
        share = (self.classes - 1) / self.classes
        return share * (1 - np.sqrt(np.maximum(1 - np.asarray(nearest) / share, 0)))


def baselines(found: Measured, seed: int = 0) -> Baselines:
    """Train them on the training rows, some thousand at most, and try them on the validation rows."""
    task, train, rest = found.task, found.train, found.validation
    chosen = np.random.default_rng(seed).permutation(train.rows.n)[:_ROWS]
    x, other = components(flat(train.rows)[chosen], flat(rest.rows))
    y = train.targets[chosen]
    neighbours = _Neighbours(x, y, task, found.spread)
    few = rest.rows.n < _FEW

    def tried(name: str, said: np.ndarray, crossed: np.ndarray) -> Baseline:
        return Baseline(name, _errors(found, rest.targets, said), said, crossed if few else np.empty(0))

    results = [tried("nearest neighbours", neighbours.scores(other), neighbours.crossed)]
    for name, make in _MODELS.items():
        model = make(task, y)
        if model is not None:
            crossed = _errors(found, y, _crossed(model, x, y, task)) if few else np.empty(0)
            results.append(tried(name, _scores(model, x, y, other, task), crossed))
    results.sort(key=lambda one: one.error)
    classes = {"classes": getattr(task, "count", None), "labels": 2}.get(task.NAME)
    return Baselines(tuple(results), neighbours.nearest, classes)


def _errors(found: Measured, targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Of what a baseline says of rows."""
    decided = scores.argmax(axis=1) if found.task.NAME == "classes" else scores
    decided = (scores > 0.5).astype(int) if found.task.NAME == "labels" else decided
    return np.asarray(found.task.errors(targets, decided, found.spread))


class _Neighbours:
    """Votes, or means, of the k nearest training rows; k is chosen by leaving each training row out once."""

    def __init__(self, x: np.ndarray, y: np.ndarray, task: Any, spread: Any) -> None:
        from sklearn.neighbors import NearestNeighbors

        self.y, self.task, self.spread = y, task, spread
        self.ks = [k for k in _NEIGHBOURS if k < len(x)] or [0]
        self.search = NearestNeighbors(n_neighbors=min(max(self.ks) + 1, len(x))).fit(x)
        if len(x) == 1:
            self.nearest = self.crossed = task.errors(y, y, spread)
            return
        own = self.search.kneighbors(return_distance=False, n_neighbors=max(self.ks))
        each = {k: task.errors(y, self._decided(own[:, :k]), spread) for k in self.ks}
        self.nearest = each[self.ks[0]]
        self.k = min(each, key=lambda k: float(each[k].mean()))
        self.crossed = each[self.k]

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Of other rows: the share of neighbours of each class, or the neighbours' mean."""
        if len(self.y) == 1:
            return self._said(np.zeros((len(x), 1), int))
        return self._said(self.search.kneighbors(x, return_distance=False, n_neighbors=self.k))

    def _decided(self, near: np.ndarray) -> np.ndarray:
        said = self._said(near)
        if self.task.NAME == "classes":
            return np.asarray(said.argmax(axis=1))
        return said if self.task.NAME == "numbers" else (said > 0.5).astype(int)

    def _said(self, near: np.ndarray) -> np.ndarray:
        """By the numbers of the nearest rows, [rows, k]."""
        if self.task.NAME != "classes":
            return np.asarray(self.y[near].mean(axis=1))
        votes = np.zeros((len(near), self.task.count))
        for column in range(near.shape[1]):
            np.add.at(votes, (np.arange(len(near)), self.y[near[:, column]]), 1 / near.shape[1])
        return votes


def _boosting(task: Any, y: np.ndarray) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.multioutput import MultiOutputRegressor

    if task.NAME == "labels" or (task.NAME == "numbers" and y.shape[1] > _MOST_LABELS):
        return None
    if task.NAME == "numbers":
        one = HistGradientBoostingRegressor(max_iter=100, random_state=0)
        return one if y.shape[1] == 1 else MultiOutputRegressor(one)
    trees = int(np.clip(_TREES // len(np.unique(y)), 10, 100))
    return HistGradientBoostingClassifier(max_iter=trees, max_leaf_nodes=15, random_state=0)


def _line(task: Any, y: np.ndarray) -> Any:
    from sklearn.linear_model import LogisticRegression, RidgeClassifierCV, RidgeCV

    makers: dict[str, Callable[[], Any]] = {
        "classes": lambda: LogisticRegression(max_iter=200),
        "labels": lambda: RidgeClassifierCV(),
        "numbers": lambda: RidgeCV(np.logspace(-2, 4, 7)),
    }
    return makers[task.NAME]()


_MODELS: dict[str, Callable[[Any, np.ndarray], Any]] = {"gradient boosting": _boosting, "a line": _line}
"""Name -> a model of scikit-learn for a task and its targets; None where it cannot have them."""


def _scores(model: Any, x: np.ndarray, y: np.ndarray, other: np.ndarray, task: Any) -> np.ndarray:
    """What a model says of other rows, once it has learnt; of one class, that class."""
    found = np.zeros((len(other), task.count)) if task.NAME == "classes" else np.zeros((len(other), *y.shape[1:]))
    if task.NAME == "classes" and len(np.unique(y)) == 1:
        found[:, y[0]] = 1
        return found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a line was stopped before it was exact does not matter here
        model.fit(x, y[:, 0] if y.ndim > 1 and y.shape[1] == 1 else y)
        if task.NAME == "classes":
            found[:, model.classes_] = model.predict_proba(other)
            return found
        return np.asarray(model.predict(other)).reshape(found.shape)


def _crossed(model: Any, x: np.ndarray, y: np.ndarray, task: Any) -> np.ndarray:
    """The same of the training rows, each said by a model that has not seen it."""
    fold = np.random.default_rng(0).permutation(len(x)) % _FOLDS
    parts = [(fold != i, fold == i) for i in range(min(_FOLDS, len(x)))]
    said = [(rest, _scores(model, x[own], y[own], x[rest], task)) for own, rest in parts if own.any()]
    found = np.zeros((len(x), *said[0][1].shape[1:])) if said else _scores(model, x, y, x, task)
    for rest, scores in said:
        found[rest] = scores
    return found
