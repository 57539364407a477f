"""Where the acquisition is largest: candidates first, then uphill from the best of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from thalweg.tuner.searches._acquisition import Acquisition
from thalweg.tuner.searches._candidates import filled, neighbours, steps
from thalweg.tuner.searches._encoding import Array, Mask
from thalweg.tuner.searches._kernel import squared_distances
from thalweg.tuner.searches._posterior import Posterior

if TYPE_CHECKING:
    from thalweg.tuner.searches._model import Problem

_STARTS, _FEW_STARTS, _MANY = 6, 3, 400
"""From so many points one goes uphill; from fewer where there are many trials."""

_CALLS, _FEW_CALLS, _WORK = 40, 4, 4000
"""The gradient is computed so often: about _WORK / trials times, within these bounds."""

_ROUNDS = 2
"""So often one looks at the neighbours of the best point."""

_NEAR = 8
"""So many steps are tried from each good point."""

_KEPT = 4
"""So many points are remembered from one stage to the next."""

_CROWDED, _PENALTY = 0.05, 1e6
"""A point this near to one under way, in units of the kernel's lengths (a correlation of 0.998), comes last."""


class Field:
    """Candidates and what a posterior knows of each, kept while the posterior grows.

    A trial that is added explains (v_i)^2 of the variance at a candidate, where v_i comes from the factor's new row:
    n operations a candidate instead of n^2.

    Args:
        rows: coordinates of the candidates, all of them.
        masked: the same with NaN where a parameter is not active.
        scaled: their features, divided by the kernel's lengths.
        posterior: of the finished trials.

    """

    def __init__(self, rows: Array, masked: Array, scaled: Array, posterior: Posterior) -> None:
        self.rows, self.masked, self.scaled = rows, masked, scaled
        self._v = np.ascontiguousarray(posterior.whiten(scaled))  # by rows, as it grows by rows
        self._first = self.count = posterior.count
        self._explained = (self._v * self._v).sum(0)

    def follow(self, posterior: Posterior, kept: int) -> None:
        """Learn of the trials that were added after the first `kept`."""
        self.count = max(min(self.count, kept), self._first)
        if posterior.capacity > len(self._v):
            more = np.zeros((posterior.capacity - len(self._v), self._v.shape[1]))
            self._v = np.concatenate([self._v, more])
        for i in range(self.count, posterior.count):
            row, factor = posterior.row(i)
            covariances = posterior.kernel(row[None], self.scaled)[0]
            self._v[i] = (covariances - factor[:i] @ self._v[:i]) / factor[i]
        self.count = posterior.count

    def moments(self, posterior: Posterior, w: Array) -> tuple[Array, Array]:
        """Mean and variance at the candidates."""
        added = self._v[self._first : self.count]
        mean = w[: self.count] @ self._v[: self.count]
        return mean, posterior.variance(self._explained + (added * added).sum(0))


class Ascent:
    """The search for the largest acquisition, at one state of knowledge.

    Args:
        problem: what is known of the space.
        posterior: what is known of the function.
        w: its whitened targets.
        best: what is to be improved on.
        acquisition: what a point promises.

    """

    def __init__(self, problem: Problem, posterior: Posterior, w: Array, best: float, acquisition: Acquisition) -> None:
        self.problem, self.space = problem, problem.space
        self.posterior, self.w, self.best, self.acquisition = posterior, w, best, acquisition
        self.weights = posterior.weights(w)
        self.pending = self._scaled(problem.pending)
        self.starts = _STARTS if posterior.count < _MANY else _FEW_STARTS
        self.calls = max(_FEW_CALLS, min(_CALLS, _WORK // posterior.count))

    def __call__(self, field: Field, anchors: Array, rng: np.random.Generator) -> Array | None:
        """The best point found; None where all that were looked at are taken.

        Args:
            field: candidates.
            anchors: good points, of which some steps away are looked at besides the candidates.
            rng: of this trial alone.

        """
        pool, promise = self._first(field, anchors, rng)
        pool, promise = self._better(pool, promise, self.climb(pool, self.calls))
        for _ in range(_ROUNDS):
            before = promise[0]
            pool, promise = self._better(pool, promise, neighbours(self.space, pool[0]))
            if not promise[0] > before or self.starts == _FEW_STARTS:
                break
            pool, promise = self._better(pool, promise, self.climb(pool[:1], self.calls // 2))
        return pool[0] if promise[0] > -np.inf else None

    def _first(self, field: Field, anchors: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """The best candidates, and points near them that only this trial looks at."""
        value, _, _ = self.acquisition(*field.moments(self.posterior, self.w), self.best)
        value -= self._penalty(field.scaled)
        order = np.argsort(-value, kind="stable")[: self.starts + len(self.problem.taken)]
        free = order[~self._is_taken(field.masked[order])][: self.starts]
        centers = np.concatenate([anchors[:2], field.rows[free[:2]]])
        near = np.concatenate([steps(self.space, filled(center, rng), rng, _NEAR) for center in centers])
        return self._better(field.rows[free], value[free], near, self.starts)

    def _better(self, pool: Array, promise: Array, more: Array, kept: int = _KEPT) -> tuple[Array, Array]:
        pool, promise = np.concatenate([pool, more]), np.concatenate([promise, self.promise(more)])
        top = np.argsort(-promise, kind="stable")[:kept]
        return pool[top], promise[top]

    def promise(self, rows: Array) -> Array:
        """The acquisition at rows; of points that are taken, minus infinity."""
        masked = self.problem.activity.mask(rows)
        scaled = self._scaled(masked)
        value, _, _ = self.acquisition(*self.posterior.moments(scaled, self.w), self.best)
        return np.where(self._is_taken(masked), -np.inf, value - self._penalty(scaled))

    def _penalty(self, scaled: Array) -> Array:
        """What two trials at a time would find out at almost the same point, one can find out alone."""
        crowded = (squared_distances(scaled, self.pending) < _CROWDED**2).any(1)
        return np.where(crowded, _PENALTY, 0.0)

    def _is_taken(self, masked: Array) -> Mask:
        return np.array([key in self.problem.taken for key in self.space.keys(masked)], dtype=bool)

    def _scaled(self, masked: Array) -> Array:
        return self.problem.features(masked) / self.posterior.kernel.lengths

    def climb(self, rows: Array, calls: int) -> Array:
        """Uphill from each row by L-BFGS-B, in what has small steps; one call of the gradient serves all rows."""
        masked = self.problem.activity.mask(rows)
        free = ~np.isnan(masked) & self.space.smooth
        if not free.any():
            return rows
        found = minimize(
            self._slope(masked, free),
            masked[free],
            method="L-BFGS-B",
            jac=True,
            bounds=[(0.0, 1.0)] * int(free.sum()),
            options={"maxfun": calls},
        )
        climbed = rows.copy()
        climbed[free] = found.x
        return self.space.snap(climbed)

    def _slope(self, masked: Array, free: Mask) -> Callable[[Array], tuple[float, Array]]:
        """Minus the sum of the acquisitions at the rows, and its gradient, as functions of the free coordinates."""
        along, lengths = self.problem.features.along, self.posterior.kernel.lengths
        columns = np.flatnonzero(along >= 0)

        def slope(x: Array) -> tuple[float, Array]:
            rows = masked.copy()
            rows[free] = x
            mean, variance, d_mean, d_variance = self.posterior.gradients(self._scaled(rows), self.w, self.weights)
            value, by_mean, by_variance = self.acquisition(mean, variance, self.best)
            by_scaled = by_mean[:, None] * d_mean + by_variance[:, None] * d_variance
            by_row = np.zeros_like(rows)
            by_row[:, along[columns]] = (by_scaled / lengths)[:, columns]
            return -float(value.sum()), -by_row[free]

        return slope
