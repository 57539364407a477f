"""Intervals for what was measured on rows: how far off it may be by the chance of which rows these were."""

from __future__ import annotations

import math

import numpy as np

from thalweg import _seeds

_BOOTSTRAP = 11  # what a generator is for: part of its key
_RESAMPLES = 2000
_BEYOND = 5  # resamples that shall lie outside each end, however high the level
_BLOCK = 1 << 21  # row numbers drawn at a time
_MOST = 1 << 15  # rows that are drawn one by one


def proportion_interval(wrong: int, n: int, level: float) -> tuple[float, float]:
    """The interval of Clopper and Pearson for a share, of which some rows were counted.

    It holds the true share with `level` at least, also for few rows and for none wrong. Its ends are the shares under which
    so many, or so few, would be counted with probability ``(1 - level) / 2``; they are quantiles of beta distributions.

    Args:
        wrong: rows that were counted.
        n: rows in all.
        level: of the interval, in (0, 1).

    Returns:
        ``(low, high)``.

    Raises:
        ValueError: without rows, where `wrong` is not among them, or on another level.

    Example:
        >>> [round(end, 4) for end in proportion_interval(0, 100, 0.95)]
        [0.0, 0.0362]

    Source: Clopper & Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial".

    """
    from scipy.special import betaincinv

    tail = _tail(level)
    if not 0 <= wrong <= n or n < 1:
        raise ValueError(f"wrong must be a number of rows among n, and n at least 1, got wrong={wrong!r}, n={n!r}.")
    low = 0.0 if wrong == 0 else float(betaincinv(wrong, n - wrong + 1, tail))
    high = 1.0 if wrong == n else float(betaincinv(wrong + 1, n - wrong, 1 - tail))
    return low, high


def mean_interval(values: np.ndarray, level: float, seed: int = 0) -> tuple[float, float]:
    """The percentile interval of the bootstrap for a mean: rows are drawn again from the rows that there are.

    Of few rows, and of values of which few are far larger than the rest, it is somewhat too narrow. More than 32,768 rows are
    put into as many random groups, and the groups are drawn: the spread of their means tells that of the rows.

    Args:
        values: one a row.
        level: of the interval, in (0, 1).
        seed: of the draws.

    Returns:
        ``(low, high)``, from 2,000 resamples; more where the level is so high that hardly one would lie outside.

    Raises:
        ValueError: where `values` are not finite numbers, one a row, or on another level.

    Example:
        >>> low, high = mean_interval(np.arange(100.0), 0.95)
        >>> 42 < low < 46 < 53 < high < 57
        True

    Source: Efron & Tibshirani 1993, "An introduction to the bootstrap", ch. 13.

    """
    tail = _tail(level)
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"values must be finite numbers, one a row, got an array of shape {values.shape}.")
    count = max(_RESAMPLES, int(np.ceil(_BEYOND / tail)))
    low, high = np.quantile(_resampled(values, count, seed), [tail, 1 - tail])
    return float(low), float(high)


def student_interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Student's interval for the mean of a few numbers, as scores over seeds: ``mean +- t * deviation / sqrt(n)``.

    Args:
        values: two numbers at least.
        level: of the interval, in (0, 1).

    Returns:
        ``(low, high)``.

    Example:
        >>> low, high = student_interval(np.array([1.0, 2.0, 3.0]), 0.95)
        >>> round(low, 3), round(high, 3)
        (-0.484, 4.484)

    Source: Student 1908, "The probable error of a mean".

    """
    mean, n = float(values.mean()), len(values)
    half = student_quantile(level, n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return mean - half, mean + half


def student_quantile(level: float, freedom: float) -> float:
    """t, so that Student's distribution of so many degrees of freedom lies in [-t, t] with probability `level`."""
    from scipy.stats import t

    return float(t.ppf(1 - _tail(level), freedom))


def _resampled(values: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Means of so many resamples, a block of them at a time."""
    rng = _seeds.generator(_seeds.checked(seed), _BOOTSTRAP)
    middle = values.mean()
    apart = _grouped(values - middle, rng)
    n = len(apart)
    at_once = max(1, _BLOCK // n)
    found = np.empty(count)
    for start in range(0, count, at_once):
        room = found[start : start + at_once]
        room[:] = apart[rng.integers(0, n, (len(room), n), dtype=np.int32)].mean(axis=1)
    return found + middle


def _grouped(apart: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Values around 0 as they are, or what random groups of them add to the mean; sizes differ by one row at most."""
    n = len(apart)
    if n <= _MOST:
        return apart
    starts = np.arange(_MOST) * n // _MOST
    found: np.ndarray = np.add.reduceat(apart[rng.permutation(n)], starts) * (_MOST / n)
    return found


def _tail(level: float) -> float:
    """What lies outside at each end."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, as 0.95 does, got {level!r}.")
    return (1 - level) / 2
