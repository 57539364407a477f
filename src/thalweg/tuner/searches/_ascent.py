"""Where the acquisition is largest: candidates first, then uphill from the best of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from thalweg.tuner.searches._acquisition import Acquisition
from thalweg.tuner.searches._activity import Learnt, Told
from thalweg.tuner.searches._candidates import filled, neighbours, steps
from thalweg.tuner.searches._encoding import Array, Features, Space
from thalweg.tuner.searches._posterior import Posterior


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
        self._v = posterior.whiten(scaled)
        self._first = self.count = posterior.count
        self._explained = (self._v * self._v).sum(0)

    def follow(self, posterior: Posterior, kept: int) -> None:
        """Learn of the trials that were added after the first `kept`."""
        self.count = max(min(self.count, kept), self._first)
        if posterior.capacity > len(self._v):
            self._v = np.concatenate([self._v, np.zeros((posterior.capacity - len(self._v), self._v.shape[1]))])
        for i in range(self.count, posterior.count):
            row, factor = posterior.row(i)
            right = posterior.kernel(row[None], self.scaled)[0]
            self._v[i] = (right - factor[:i] @ self._v[:i]) / factor[i]
        self.count = posterior.count

    def moments(self, posterior: Posterior, w: Array) -> tuple[Array, Array]:
        """Mean and variance at the candidates."""
        added = self._v[self._first : self.count]
        return w[: self.count] @ self._v[: self.count], posterior.variance(self._explained + (added * added).sum(0))


@dataclass
class Ascent:
    """The search for the largest acquisition, at one state of knowledge.

    Attributes:
        space: the parameters.
        features: what the kernel compares.
        activity: which parameters a point has.
        posterior: what is known.
        w: its whitened targets.
        best: what is to be improved on.
        acquisition: what a point promises.
        taken: keys of the points that were tried, or are being tried.

    """

    space: Space
    features: Features
    activity: Told | Learnt
    posterior: Posterior
    w: Array
    best: float
    acquisition: Acquisition
    taken: Collection[bytes]

    def scaled(self, masked: Array) -> Array:
        """Features divided by the kernel's lengths."""
        return self.features(masked) / self.posterior.kernel.lengths

    def promise(self, rows: Array) -> Array:
        """The acquisition at rows; of points that are taken, minus infinity."""
        masked = self.activity.mask(rows)
        value, _, _ = self.acquisition(*self.posterior.moments(self.scaled(masked), self.w), self.best)
        return np.where(self.is_taken(masked), -np.inf, value)

    def is_taken(self, masked: Array) -> Array:
        """Whether each point is taken."""
        return np.array([key in self.taken for key in self.space.keys(masked)], dtype=bool)

    def __call__(self, field: Field, anchors: Array, rng: np.random.Generator, starts: int, calls: int) -> Array | None:
        """The best point found; None where all that were looked at are taken.

        Args:
            field: candidates.
            anchors: good points; some steps from them are looked at, besides the candidates.
            rng: of this trial alone.
            starts: how many candidates to go uphill from.
            calls: how often the gradient may be computed.

        """
        value, _, _ = self.acquisition(*field.moments(self.posterior, self.w), self.best)
        order = np.argsort(-value, kind="stable")[: 4 * starts + len(self.taken)]
        free = order[~self.is_taken(field.masked[order])][: 2 * starts]
        near = np.concatenate(
            [steps(self.space, filled(anchor, rng), rng, 8) for anchor in [*anchors[:2], *field.rows[free[:2]]]]
        )
        pool, promise = np.concatenate([field.rows[free], near]), np.concatenate([value[free], self.promise(near)])
        top = np.argsort(-promise, kind="stable")[:starts]
        pool, promise = self._best_of(pool[top], promise[top], self.climb(pool[top], calls))
        for _ in range(2):
            moved = neighbours(self.space, pool[0])
            pool, better = self._best_of(pool, promise, moved)
            if not better[0] > promise[0]:
                break
            pool, promise = self._best_of(pool, better, self.climb(pool[:1], calls // 2))
        return pool[0] if promise[0] > -np.inf else None

    def _best_of(self, pool: Array, promise: Array, more: Array) -> tuple[Array, Array]:
        pool, promise = np.concatenate([pool, more]), np.concatenate([promise, self.promise(more)])
        top = np.argsort(-promise, kind="stable")[:4]
        return pool[top], promise[top]

    def climb(self, rows: Array, calls: int) -> Array:
        """Uphill from each row by L-BFGS-B, in what has small steps; one call serves all rows."""
        if not self.space.smooth.any() or calls < 2:
            return rows
        masked = self.activity.mask(rows)
        free = ~np.isnan(masked) & self.space.smooth
        slope = self._slope(masked, free)
        bounds = [(0.0, 1.0)] * int(free.sum())
        if not bounds:
            return rows
        found = minimize(
            slope, masked[free], method="L-BFGS-B", jac=True, bounds=bounds, options={"maxfun": calls, "maxiter": calls}
        )
        climbed = rows.copy()
        climbed[free] = found.x
        return self.space.snap(climbed)

    def _slope(self, masked: Array, free: Array) -> Callable[[Array], tuple[float, Array]]:
        """Minus the sum of the acquisitions at the rows, and its gradient, as functions of the free coordinates."""
        along, lengths = self.features.along, self.posterior.kernel.lengths
        columns = np.flatnonzero(along >= 0)

        def slope(x: Array) -> tuple[float, Array]:
            rows = masked.copy()
            rows[free] = x
            mean, variance, d_mean, d_variance = self.posterior.gradients(self.scaled(rows), self.w)
            value, by_mean, by_variance = self.acquisition(mean, variance, self.best)
            by_scaled = by_mean[:, None] * d_mean + by_variance[:, None] * d_variance
            by_row = np.zeros_like(rows)
            by_row[:, along[columns]] = (by_scaled / lengths)[:, columns]
            return -float(value.sum()), -by_row[free]

        return slope
