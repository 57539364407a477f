"""A Gaussian process conditioned on trials, to which further ones are added a row at a time."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import blas, lapack

from thalweg.tuner.searches._encoding import Array
from thalweg.tuner.searches._kernel import Kernel, matern, squared_distances

_BLOCK = 64
"""The factor's memory grows by so many rows at a time."""


class Posterior:
    """What is known about a function after some trials.

    With K the covariance of the trials, noise included, and L L' = K its Cholesky factor, the function at x has

    mean      k(x)' K^-1 y           = v' w,             v = L^-1 k(x),  w = L^-1 y
    variance  k(x, x) - k(x)' K^-1 k(x) = k(x, x) - v' v

    A further trial adds a row to L: (L^-1 k(x))' and the root of its variance, noise included. That costs n^2
    instead of n^3 / 3 operations. The first `base` rows are always factored together and all others always one by
    one, so that a factor that has grown and one made at once agree to the last bit.

    Args:
        kernel: the covariance.
        base: how many of the first trials are factored together.

    """

    def __init__(self, kernel: Kernel, base: int) -> None:
        self.kernel, self.base = kernel, base
        self.count = 0
        self._factor = np.eye(0, order="F")
        self._rows = np.empty((0, len(kernel.lengths)))
        self._noises = np.empty(0)

    # -- the trials ----------------------------------------------------------------------------

    @property
    def capacity(self) -> int:
        """Rows that the factor has room for; beyond `count` it is the identity."""
        return len(self._factor)

    def observe(self, features: Array, noises: Array) -> int:
        """Make these the trials; what the factor knows of a common beginning is kept.

        Args:
            features: one row a trial.
            noises: the variance of each one's noise.

        Returns:
            How many of the first trials were kept.

        """
        rows = features / self.kernel.lengths
        kept = self._common(rows, noises)
        self._shrink(kept)
        self._reserve(len(rows))
        if self.count < self.base <= len(rows):
            self._shrink(0)
            self._begin(rows[: self.base], noises[: self.base])
        for row, noise in zip(rows[self.count :], noises[self.count :], strict=True):
            self._append(row, noise)
        return min(kept, self.count)

    def _common(self, rows: Array, noises: Array) -> int:
        shared = min(self.count, len(rows))
        same = (self._rows[:shared] == rows[:shared]).all(1) & (self._noises[:shared] == noises[:shared])
        kept = shared if same.all() else int(np.argmin(same))
        return kept if kept >= self.base else 0

    def _shrink(self, count: int) -> None:
        if count < self.count:
            self._factor[count : self.count] = 0.0
            index = np.arange(count, self.count)
            self._factor[index, index] = 1.0
            self.count = count

    def _reserve(self, count: int) -> None:
        room = _BLOCK * math.ceil(max(count, 1) / _BLOCK)
        if room == self.capacity:
            return
        n = self.count
        factor = np.eye(room, order="F")
        factor[:n, :n] = self._factor[:n, :n]
        rows, noises = np.zeros((room, self._rows.shape[1])), np.zeros(room)
        rows[:n], noises[:n] = self._rows[:n], self._noises[:n]
        self._factor, self._rows, self._noises = factor, rows, noises

    def _begin(self, rows: Array, noises: Array) -> None:
        n = len(rows)
        covariance = self.kernel(rows, rows)
        covariance[np.diag_indices(n)] = self.kernel.prior + noises
        factor, failed = lapack.dpotrf(covariance.T, lower=1, clean=1, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("The trials' covariance has no Cholesky factor.")
        self._factor[:n, :n] = factor
        self._rows[:n], self._noises[:n], self.count = rows, noises, n

    def _append(self, row: Array, noise: float) -> None:
        n = self.count
        new = self.whiten(row[None])[:, 0]
        rest = self.kernel.prior + noise - float(new @ new)
        self._factor[n, :n] = new[:n]
        self._factor[n, n] = math.sqrt(max(rest, 0.5 * noise))  # rounding may eat a variance, but never the noise
        self._rows[n], self._noises[n], self.count = row, noise, n + 1

    # -- what is known -------------------------------------------------------------------------

    def whiten(self, scaled: Array) -> Array:
        """The columns v = L^-1 k(x), one a point; zeros where there is room for further trials."""
        return self._solved(self.kernel(scaled, self._rows[: self.count]))

    def _solved(self, rows: Array, transposed: bool = False) -> Array:
        """L^-1, or its transpose, times the transpose of rows: one a point, with a number for each trial."""
        right = np.zeros((len(rows), self.capacity))  # its transpose lies in memory as Fortran wants it
        right[:, : rows.shape[1]] = rows
        solved: Array = blas.dtrsm(1.0, self._factor, right.T, lower=1, trans_a=int(transposed), overwrite_b=1)
        return solved

    def row(self, i: int) -> tuple[Array, Array]:
        """Of trial i: its scaled features and its row of the factor."""
        return self._rows[i], self._factor[i, : i + 1]

    def targets(self, targets: Array) -> Array:
        """W = L^-1 y. Trials beyond the last target are believed to score what they are expected to: w = 0."""
        known = np.zeros(self.capacity)
        known[: len(targets)] = targets
        w = blas.dtrsv(self._factor, known, lower=1)
        w[len(targets) :] = 0.0
        return w

    def weights(self, w: Array) -> Array:
        """K^-1 y, where w = L^-1 y."""
        return blas.dtrsv(self._factor, w, lower=1, trans=1)

    def moments(self, scaled: Array, w: Array) -> tuple[Array, Array]:
        """Mean and variance of the function at points."""
        v = self.whiten(scaled)
        return w @ v, self.variance((v * v).sum(0))

    def variance(self, explained: Array) -> Array:
        """The variance that is left, never quite 0."""
        return np.maximum(self.kernel.prior - explained, 1e-12)

    def gradients(self, scaled: Array, w: Array, weights: Array) -> tuple[Array, Array, Array, Array]:
        """Mean and variance at points, and their derivatives by the scaled features."""
        n, signal = self.count, self.kernel.signal
        k, slope = matern(squared_distances(scaled, self._rows[:n]))
        v = self._solved(signal * k + self.kernel.level)
        explains = self._solved(v.T, transposed=True)[:n]  # K^-1 k(x)
        slope *= signal
        d_mean = self._pulled(slope * weights[:n], scaled)
        d_variance = self._pulled(-2.0 * slope * explains.T, scaled)
        return w @ v, self.variance((v * v).sum(0)), d_mean, d_variance

    def _pulled(self, pull: Array, scaled: Array) -> Array:
        """sum_i pull_i (x_i - x): the derivative of sum_i c_i k(x_i, x), where pull_i = -2 c_i dk/d(r^2)."""
        return pull @ self._rows[: self.count] - pull.sum(1)[:, None] * scaled
