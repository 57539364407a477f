"""A Matern 5/2 kernel with a length for each parameter, and how its lengths are found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import minimize

from thalweg.tuner.searches._encoding import Array

_LENGTHS, _SIGNALS, _NOISES = (2e-2, 1e2), (5e-2, 2e1), (1e-6, 1.0)
"""Bounds, in units of the cube's side and of the targets' variance."""

LEAST_NOISE = _NOISES[0]


@dataclass(frozen=True)
class Kernel:
    """A covariance of targets that have mean 0 and variance 1.

    k(x, x') = signal (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r) + level,   r^2 = sum_j (x_j - x'_j)^2 / lengths_j^2

    and `noise` on top of it where x and x' are one trial. `level` lets the targets' mean be another than 0.

    Attributes:
        lengths: for each column of the features.
        signal: the variance of the function.
        noise: the variance of a trial about it.
        level: the variance of the function's mean.

    """

    lengths: Array
    signal: float
    noise: float
    level: float = 1.0

    def __call__(self, scaled: Array, others: Array) -> Array:
        """Covariances; of both, the features divided by `lengths`."""
        covariances, _ = matern(squared_distances(scaled, others))
        covariances *= self.signal
        covariances += self.level
        return covariances

    @property
    def prior(self) -> float:
        """The variance at a point of which nothing is known."""
        return self.signal + self.level


def squared_distances(a: Array, b: Array) -> Array:
    """Between all rows of a and all rows of b."""
    squares = a @ (-2.0 * b.T)
    squares += (a * a).sum(1)[:, None]
    squares += (b * b).sum(1)
    return np.maximum(squares, 0.0, out=squares)


def matern(squares: Array) -> tuple[Array, Array]:
    """For squared distances r^2: k = (1 + s + s^2 / 3) exp(-s) with s = sqrt(5) r, and -2 dk/d(r^2)."""
    s = np.sqrt(5.0 * squares)
    decay = np.exp(-s)
    slope = (1.0 + s) * decay
    return slope + squares * (5.0 / 3.0) * decay, slope * (5.0 / 3.0)


@dataclass(frozen=True)
class _Data:
    """What a kernel is fitted to: features, their groups, one column of targets an objective, known noises."""

    features: Array
    group: NDArray[np.intp]
    targets: Array
    known: Array  # variance of each trial's noise; NaN where nobody knows it

    @property
    def groups(self) -> int:
        return int(self.group.max()) + 1


def fit(features: Array, group: NDArray[np.intp], targets: Array, known: Array) -> Kernel:
    """The kernel that explains the targets best, given what lengths are likely beforehand.

    Minimizes, by L-BFGS-B with exact gradients from two starts, over the logarithms of lengths, signal and noise

    1/2 sum_q y_q' K^-1 y_q + Q/2 log det K - log p(lengths, signal, noise)

    where p is log-normal. The longer the lengths the fewer parameters matter; p prefers long ones, the more so the
    more parameters there are, so that a few trials in many dimensions do not look like noise.

    Args:
        features: one row a trial.
        group: for each column the parameter it comes from; columns of one parameter share a length.
        targets: one column an objective, each with mean 0 and variance 1.
        known: for each trial the variance of its noise, or NaN.

    Reference: Hvarfner et al., *Vanilla Bayesian Optimization Performs Great in High Dimensions*, 2024.

    """
    data = _Data(features, group, targets, known)
    bounds = np.log(np.array([_LENGTHS] * data.groups + [_SIGNALS, _NOISES]))
    center, width = _prior(data.groups)
    starts = [center, np.concatenate([np.full(data.groups, math.log(0.3)), [0.0, math.log(1e-2)]])]
    found = [
        minimize(_loss, start, (data, center, width), "L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": 60})
        for start in starts
    ]
    best = min(found, key=lambda one: float(one.fun)).x
    return Kernel(np.exp(best[:-2])[group], *np.exp(best[-2:]).tolist())


def _prior(groups: int) -> tuple[Array, Array]:
    """Means and standard deviations of the logarithms."""
    length = math.log(0.3) + 0.5 * math.log(groups)
    return np.array([length] * groups + [0.0, math.log(1e-3)]), np.array([0.7] * groups + [1.0, 2.0])


def _loss(theta: Array, data: _Data, center: Array, width: Array) -> tuple[float, Array]:
    """The negative log posterior at logarithms, and its gradient."""
    scaled = data.features * np.exp(-theta[:-2])[data.group]
    signal, noise = np.exp(theta[-2:])
    k, slope = matern(squared_distances(scaled, scaled))
    covariance = signal * k + 1.0
    covariance[np.diag_indices_from(covariance)] += np.where(np.isnan(data.known), noise, data.known + LEAST_NOISE)
    factor, failed = lapack.dpotrf(covariance, lower=1, clean=1, overwrite_a=1)
    if failed:
        return 1e10, np.zeros_like(theta)
    weights, _ = lapack.dpotrs(factor, data.targets, lower=1)
    inverse, _ = lapack.dpotri(factor, lower=1)
    inverse += np.tril(inverse, -1).T
    count = data.targets.shape[1]
    loss = 0.5 * float((data.targets * weights).sum()) + count * float(np.log(np.diag(factor)).sum())

    # d loss / d K = W / 2 with W = Q K^-1 - A A'; the lengths' part is a sum over pairs of W slope (x_j - x'_j)^2
    pull = count * inverse - weights @ weights.T
    pairs = pull * (signal * slope)
    columns = (scaled * scaled * pairs.sum(1)[:, None]).sum(0) - (scaled * (pairs @ scaled)).sum(0)
    lengths = np.bincount(data.group, columns, data.groups)
    own = 0.5 * noise * float(np.diag(pull)[np.isnan(data.known)].sum())
    gradient = np.concatenate([lengths, [0.5 * signal * float((pull * k).sum()), own]])
    away = (theta - center) / width
    return loss + 0.5 * float((away * away).sum()), gradient + away / width
