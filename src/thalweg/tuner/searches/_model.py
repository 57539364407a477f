"""The Gaussian process of a search: from the trials to the point that promises most."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from thalweg import _seeds
from thalweg.tuner.searches import _candidates
from thalweg.tuner.searches._acquisition import Acquisition
from thalweg.tuner.searches._activity import Learnt, Told
from thalweg.tuner.searches._ascent import Ascent, Field
from thalweg.tuner.searches._encoding import Array, Features, Space
from thalweg.tuner.searches._history import Finished
from thalweg.tuner.searches._kernel import LEAST_NOISE, Kernel, fit
from thalweg.tuner.searches._memo import Memo, digest
from thalweg.tuner.searches._posterior import Posterior
from thalweg.tuner.searches._targets import noise_of, scalarized, warped

_FITTED = 300
"""A kernel is fitted to no more trials than these."""

_ANCHORS = 5

_SPREAD, _WEIGHTS = 2, 3  # what a generator is for: part of its key


@dataclass(frozen=True)
class Problem:
    """What a proposal is made from.

    Attributes:
        space: the parameters.
        activity: which of them a point has.
        finished: the trials that have ended; their rows have NaN where a parameter is not active.
        pending: the rows of those that are under way.

    """

    space: Space
    activity: Told | Learnt
    finished: Finished
    pending: Array

    @cached_property
    def taken(self) -> set[bytes]:
        """Keys of the points that need no other trial."""
        return {*self.space.keys(self.finished.rows), *self.space.keys(self.pending)}

    @cached_property
    def features(self) -> Features:
        """What the kernel compares."""
        return Features(self.space, np.asarray(np.isnan(self.finished.rows[self.finished.well]).any(0)))

    @cached_property
    def state(self) -> bytes:
        """A key for everything but the pending points."""
        finished = self.finished
        return digest(self.space.title, finished.rows, finished.scores, finished.errors, self.features.conditional)


class Model:
    """A Gaussian process on finished trials, in which the pending ones are believed to score what it expects.

    The kernel is fitted again whenever there are a tenth more finished trials than last time, to the first of them
    in the order of their numbers; then the process is conditioned on all. What was worked out for one proposal is
    kept for the next, and is worked out again where it is not there: the same trials give the same proposal.

    Args:
        seed: of the search.

    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._memo = Memo()

    def best(self, problem: Problem, number: int, acquisition: Acquisition, rng: np.random.Generator) -> Array | None:
        """The point that promises most; None where all that were looked at are taken.

        Args:
            problem: what is known; at least one trial has a score.
            number: of the trial that it is for.
            acquisition: what a point promises.
            rng: of that trial alone.

        """
        with _threads().limit(limits=1, user_api="blas"):
            return self._best(problem, number, acquisition, rng)

    def _best(self, problem: Problem, number: int, acquisition: Acquisition, rng: np.random.Generator) -> Array | None:
        targets = self._targets(problem, number)
        kernel = self.kernel(problem)
        noises = self._noises(problem, targets, kernel)
        posterior, field = self._conditioned(problem, kernel, noises)
        w = posterior.targets(targets)
        expected = targets - noises * posterior.weights(w)[: len(targets)]  # the process's mean at the trials
        ascent = Ascent(problem, posterior, w, float(expected.min()), acquisition)
        return ascent(field, problem.finished.rows[np.argsort(expected, kind="stable")[:_ANCHORS]], rng)

    def _targets(self, problem: Problem, number: int) -> Array:
        """One number a trial; of several objectives, a mixture that the trial's number decides on."""
        columns = self._memo("columns", problem.state, lambda: _columns(problem.finished.scores))
        if columns.shape[1] == 1:
            return columns[:, 0]
        weights = _seeds.generator(self.seed, number, _WEIGHTS).dirichlet(np.ones(columns.shape[1]))
        return scalarized(columns, weights)

    def kernel(self, problem: Problem) -> Kernel:
        """The kernel fitted to the first trials, up to the last checkpoint."""
        features, finished = problem.features, problem.finished
        first = slice(0, checkpoint(len(finished.rows)))
        rows, scores, errors = finished.rows[first], finished.scores[first], finished.errors[first]

        def fitted() -> Kernel:
            columns = _columns(scores)
            chosen = subset(columns.mean(1))
            known = noise_of(scores[:, 0], columns[:, 0], errors)[chosen]
            return fit(features(rows[chosen]), features.group, columns[chosen], known)

        return self._memo("kernel", digest(problem.space.title, rows, scores, errors, features.conditional), fitted)

    def _noises(self, problem: Problem, targets: Array, kernel: Kernel) -> Array:
        """The variance of each trial's noise: what is known of it, else what the kernel says of all."""
        known = noise_of(problem.finished.scores[:, 0], targets, problem.finished.errors)
        return np.where(np.isnan(known), kernel.noise, known + LEAST_NOISE)

    def _conditioned(self, problem: Problem, kernel: Kernel, noises: Array) -> tuple[Posterior, Field]:
        """The process conditioned on all trials, and what it knows of the candidates."""
        name = digest(kernel.lengths, np.array([kernel.signal, kernel.noise]))
        base = checkpoint(len(noises))
        posterior = self._memo("posterior", (name, base), lambda: Posterior(kernel, base))
        finished, pending = problem.features(problem.finished.rows), problem.features(problem.pending)
        key = (problem.state, name, noises.tobytes())
        if not self._memo.has("field", key):
            posterior.observe(finished, noises)
        field = self._memo("field", key, lambda: self._field(problem, posterior))
        believed = np.full(len(pending), kernel.noise)
        kept = posterior.observe(np.concatenate([finished, pending]), np.concatenate([noises, believed]))
        field.follow(posterior, kept)
        return posterior, field

    def _field(self, problem: Problem, posterior: Posterior) -> Field:
        """Candidates that all proposals share until another trial ends."""
        space, finished = problem.space, problem.finished
        columns = _columns(finished.scores)
        anchors = finished.rows[leaders(columns, _ANCHORS)]
        rows = _candidates.spread(space, anchors, _seeds.generator(self.seed, len(finished.rows), _SPREAD))
        masked = problem.activity.mask(rows)
        different = sorted({key: i for i, key in enumerate(space.keys(masked))}.values())
        rows, masked = rows[different], masked[different]
        return Field(rows, masked, problem.features(masked) / posterior.kernel.lengths, posterior)


@cache
def _threads() -> ThreadpoolController:
    """How many threads linear algebra uses: on a busy machine, several that wait for each other take far longer."""
    return ThreadpoolController()


def _columns(scores: Array) -> Array:
    """The scores of each objective as targets; zeros where there is none."""
    none = np.zeros(len(scores))
    return np.stack([warped(one) if np.isfinite(one).any() else none for one in scores.T], axis=1)


def leaders(columns: Array, count: int) -> Any:
    """The trials that are best in some objective, or in the mean of them."""
    ranks = np.argsort(np.argsort(np.column_stack([columns, columns.mean(1)]), axis=0, kind="stable"), axis=0)
    return np.argsort(ranks.min(1), kind="stable")[:count]


def checkpoint(count: int) -> int:
    """The last of 1, 2, ..., 19, 20, 22, 24, 26, 28, 30, 33, ... that is not above `count`: a tenth more each time.

    Example:
        >>> [checkpoint(n) for n in (0, 7, 21, 1000)]
        [0, 7, 20, 972]

    """
    at = min(count, 1)
    while (after := max(at + 1, int(1.1 * at))) <= count:
        at = after
    return at


def subset(targets: Array) -> Any:
    """Which trials a kernel is fitted to: the best third of what there is room for, and others evenly by number."""
    count = len(targets)
    if count <= _FITTED:
        return np.arange(count)
    order = np.argsort(targets, kind="stable")
    best, rest = order[: _FITTED // 3], np.sort(order[_FITTED // 3 :])
    even = rest[np.linspace(0, len(rest) - 1, _FITTED - len(best)).round().astype(int)]
    return np.sort(np.concatenate([best, even]))
