"""Scores as a Gaussian process likes them: no outliers, mean 0, variance 1, one number a trial."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from thalweg.tuner.searches._encoding import Array

_HUGE = 1e100
"""Beyond it, squares would overflow."""


def warped(scores: Array) -> Array:
    """One objective's scores, to be minimized, with mean 0 and variance 1.

    The better half keeps its distances. Of the worse half only the order counts: the i-th of n values becomes
    median + s q_i, where q_i is the normal distribution's quantile at (i - 1/2) / n and s the root mean square
    distance of the better half from the median; so a loss of 10^6 flattens nothing. Trials without a finite score
    are as bad as the worst.

    Args:
        scores: one a trial; at least one is finite.

    Example:
        >>> warped(np.array([1.0, 2.0, 3.0, 1e6, np.nan])).round(2)
        array([-1.57, -0.64,  0.16,  1.03,  1.03])

    Reference: Song et al., *The Vizier Gaussian Process Bandit Algorithm*, 2024 (half-rank warping).

    """
    finite = np.isfinite(scores)
    known = np.clip(scores[finite], -_HUGE, _HUGE)
    median = float(np.median(known))
    better = known <= median
    spread = float(np.sqrt(np.mean((known[better] - median) ** 2))) or 1.0
    quantiles = ndtri((rankdata(known) - 0.5) / len(known))
    shaped = np.where(better, known, median + spread * np.maximum(quantiles, 0.0))
    worst = float(shaped.max())
    filled = np.full(len(scores), worst if worst > shaped.min() else worst + 1.0)
    filled[finite] = shaped
    return standardized(filled)


def standardized(values: Array) -> Array:
    """With mean 0 and variance 1; zeros where all are equal."""
    centered = values - values.mean()
    deviation = float(centered.std())
    return centered / deviation if deviation > 1e-12 * float(np.abs(values).max()) else np.zeros(len(values))


def scalarized(columns: Array, weights: Array) -> Array:
    """Several objectives as one: the augmented Chebyshev norm of their values, each from 0 (best) to 1 (worst).

    max_q w_q f_q + 0.05 sum_q w_q f_q

    Its minima for all weights are the whole Pareto front, also where that is not convex.

    Args:
        columns: one objective a column, warped.
        weights: one an objective, not negative, of sum 1.

    Reference: Knowles, *ParEGO*, 2006.

    """
    low, high = columns.min(0), columns.max(0)
    shares = (columns - low) / np.where(high > low, high - low, 1.0) * weights
    return standardized(shares.max(1) + 0.05 * shares.sum(1))


def noise_of(scores: Array, targets: Array, errors: Array) -> Array:
    """The variance of each target's noise, where `errors` are the scores' standard errors (NaN: unknown).

    An error is carried along the map from scores to targets by that map's slope about the score.
    """
    finite = np.isfinite(scores)
    variances = np.full(len(scores), np.nan)
    known = finite & np.isfinite(errors)
    if known.any():
        xs, first = np.unique(scores[finite], return_index=True)
        ys = targets[finite][first]
        gap = float(np.ptp(ys)) / max(float(np.ptp(xs)), 1e-300) if len(xs) > 1 else 0.0
        at, by = scores[known], errors[known]
        above, below = _along(at + by, xs, ys, gap), _along(at - by, xs, ys, gap)
        variances[known] = (0.5 * (above - below)) ** 2
    return variances


def _along(at: Array, xs: Array, ys: Array, slope: float) -> Array:
    """Linear interpolation; beyond the ends with the mean slope."""
    beyond = np.maximum(at - xs[-1], 0.0) - np.maximum(xs[0] - at, 0.0)
    return np.interp(at, xs, ys) + slope * beyond
