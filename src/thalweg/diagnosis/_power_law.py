"""How an error falls with rows: a power law, and how far it can be trusted beyond the rows that there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from thalweg import _seeds
from thalweg._checks import number

_FEWEST = 3  # sizes that say anything of a slope
_SLOPES = np.linspace(0.01, 1.0, 67)
_SHARES = np.linspace(0.0, 0.97, 33)  # of the error at the largest size that is the floor's
_NO_FLOOR = 0.5  # how probable it is, before anything is seen, that there is none
_AWRY = 0.03  # by which share a curve misses its law anywhere
_DRIFT = 0.07  # by which a curve's slope, in logarithms per doubling, differs from that of the doubling before
_DRAWS = 4000

Array = np.ndarray[Any, np.dtype[Any]]


class PowerLaw(NamedTuple):
    """``error(n) = a + b * n^-c``.

    Attributes:
        a: the floor that no number of rows gets below.
        b: what rows can take away, at one row.
        c: how fast: each doubling multiplies what is above the floor by ``2^-c``.

    Example:
        >>> PowerLaw(0.01, 2.0, 0.5)(400)
        0.11

    """

    a: float
    b: float
    c: float

    def __call__(self, rows: Any) -> Any:
        """The error with so many rows."""
        return self.a + self.b * rows**-self.c


class Prediction(NamedTuple):
    """What a net would be measured at.

    Attributes:
        rows: that it learns from.
        error: the median of what is to be expected.
        low, high: within which it lies with the stated probability.

    """

    rows: int
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class PowerLawFit:
    """A power law through measured errors, and all others that fit about as well.

    Attributes:
        law: the one of least squares.
        intervals: ``'a'``, ``'b'``, ``'c'`` -> (low, high).
        level: the probability of all intervals.
        largest: rows of the largest size measured.
        rows: validation rows that errors were measured on; None where they are exact.

    """

    law: PowerLaw
    intervals: dict[str, tuple[float, float]]
    level: float
    largest: int
    rows: int | None
    _draws: _Draws = field(repr=False, compare=False)

    def at(self, rows: int, measured_on: float | None = None) -> Prediction:
        """The error that one more net would be measured at.

        The interval holds what is not known of the law, the noise of the net's seed and of the rows drawn for it, and
        that of the validation rows, both those of the curve and those of the new measurement.

        Args:
            rows: that it learns from.
            measured_on: how many rows, not those of the curve, it is measured on: as many as the curve's where None;
                ``math.inf`` asks for the true error.

        Returns:
            The prediction.

        Example:
            >>> fit = fit_power_law([100, 200, 400, 800], [[0.41, 0.39], [0.29, 0.28], [0.2, 0.2], [0.14, 0.14]])
            >>> found = fit.at(3200)
            >>> found.low < 0.07 < found.high
            True

        """
        on = self.rows if measured_on is None else measured_on
        return Prediction(int(rows), *self._middle(self._draws.measured(rows, on)))

    def ratio(self, factor: float) -> Prediction:
        """How large a share of the true error at the largest size is left with `factor` times its rows."""
        return Prediction(round(self.largest * factor), *self._middle(self._draws.left(factor)))

    def _middle(self, draws: Array) -> tuple[float, float, float]:
        low, middle, high = np.quantile(draws, [(1 - self.level) / 2, 0.5, (1 + self.level) / 2])
        return float(middle), float(low), float(high)

    def record(self) -> dict[str, Any]:
        """As plain data."""
        ends = {name: list(ends) for name, ends in self.intervals.items()}
        return {"law": self.law._asdict(), "intervals": ends, "level": self.level}


class _Noise(NamedTuple):
    """What a measurement is made of beside the law, as relative variances.

    Attributes:
        seeds: of one net around the mean over nets.
        worse: by which factor the law misses by more than laws do.
        scatter: of one validation row's error; None where errors are rates.
        rows: of validation; None where errors are exact.

    """

    seeds: float
    worse: float
    scatter: float | None
    rows: int | None

    def of(self, errors: Array, rows: float | None) -> Any:
        """That of errors measured on so many rows."""
        if rows is None or math.isinf(rows):
            return 0.0
        if self.scatter is not None:
            return self.scatter / rows
        return np.maximum(1 - errors, 0) / np.maximum(errors * rows, 0.5)


class _Draws(NamedTuple):
    """Laws, drawn as often as they are probable.

    Attributes:
        largest: rows of the largest size.
        level: the logarithm of the error there.
        share: of that error, the floor's.
        c: slopes.
        noise: what is added to a law.
        normal: random numbers, the same ones for all predictions, so that these agree with each other.

    """

    largest: int
    level: Array
    share: Array
    c: Array
    noise: _Noise
    normal: Array

    def left(self, factor: float) -> Array:
        """Shares of the error at the largest size that are left with `factor` times its rows."""
        wandered = math.sqrt(self.noise.worse * _DRIFT**2 * abs(math.log2(factor)) ** 3 / 3)
        return np.asarray((self.share + (1 - self.share) * factor**-self.c) * np.exp(wandered * self.normal[2]))

    def measured(self, rows: float, measured_on: float | None) -> Array:
        """Errors that a net would be measured at."""
        noise, here = self.noise, np.exp(self.level)
        sure = here * self.left(rows / self.largest)
        counted = noise.scatter is None and measured_on is not None and not math.isinf(measured_on)
        spread = noise.seeds + noise.worse * _AWRY**2 + noise.of(here, noise.rows)
        spread = spread + (0.0 if counted else noise.of(sure, measured_on))
        errors = sure * np.exp(np.sqrt(spread) * self.normal[0])
        if noise.scatter is None and noise.rows is not None:
            errors = np.minimum(errors, 1.0)
        return _counted(errors, measured_on, self.normal[1]) if counted else np.asarray(errors)


def fit_power_law(
    sizes: Sequence[int],
    errors: Any,
    *,
    rows: int | None = None,
    scatter: float | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> PowerLawFit:
    """Fit ``error(n) = a + b * n^-c`` to the errors of nets that learnt from `n` rows.

    The law is that of weighted least squares of the logarithms, with a, b >= 0 and 0 < c <= 1: the noise of what is
    estimated from n independent rows falls no faster than 1/n, and a curve that seems to will not go on so. Its misses
    are taken to be

    - the noise of seeds, pooled over sizes: at the largest one all nets see the same rows, so their own spread there is
      too small;
    - 3 % by which curves miss any law;
    - a slope that wanders: nets with few rows behave otherwise than with many. From one doubling to the next the
      slope changes by a normal number of deviation 0.07, so that t doublings below the largest size a curve is off by
      a variance of ``0.07^2 t^3 / 3``, and likewise beyond it.

    Where the law misses by more than that, the two last are taken to be as much larger.

    Many laws fit a few noisy points about as well, and part beyond them. So intervals are not read from the best one:
    all laws on a grid over the slope c and the floor's share ``a / error(N)`` count, each as ``exp(-chi^2 / 2)`` times
    what was believed before: any slope alike, no floor with a probability of one half, else any share alike. The level
    is integrated out. What is predicted is a measurement, whose noise is added: see :meth:`PowerLawFit.at`.

    Args:
        sizes: rows, three different numbers at least.
        errors: above zero or zero, [sizes, nets].
        rows: how many validation rows the errors were measured on; None where they are exact.
        scatter: variance of one validation row's error as a share of the squared mean; None where errors are
            rates, whose noise is binomial.
        level: probability of the intervals.
        seed: of the draws from the laws.

    Returns:
        The law, its intervals, and predictions for any number of rows.

    Raises:
        ValueError: on a level that is none, fewer than three sizes, or errors that are negative or no numbers.

    Example:
        >>> sizes = [100, 200, 400, 800, 1600]
        >>> fit = fit_power_law(sizes, [[2.0 * n**-0.5] * 3 for n in sizes])
        >>> round(fit.law.c, 2), round(fit.law.a, 3)
        (0.5, 0.0)

    Source: Hestness et al. 2017, "Deep learning scaling is predictable, empirically"; Rosenfeld et al. 2020, "A
    constructive prediction of the generalization error across scales"; Figueroa et al. 2012, "Predicting sample size
    required for classification performance"; Viering and Loog 2023, "The shape of learning curves: a review".

    """
    number("fit_power_law", "level", level, above=0, at_most=0.999)
    n, each = _looked_at(sizes, errors)
    mean = each.mean(axis=1)
    if rows is not None and scatter is None:
        mean = (mean * rows + 0.5) / (rows + 1)  # none wrong of a few rows is no error of zero
    mean = np.maximum(mean, 1e-12)
    seeds = float(np.mean(each.var(axis=1, ddof=1) / mean**2)) if each.shape[1] > 1 else 0.0
    noise = _noise(n, seeds / each.shape[1], 1.0)
    law, chi2 = _least_squares(n, np.log(mean), noise)
    worse = max(1.0, chi2 / (len(n) - 2))
    noise = _noise(n, seeds / each.shape[1], worse)
    draws = _drawn(n, np.log(mean), noise, _Noise(seeds, worse, scatter, rows), _seeds.checked(seed))
    return PowerLawFit(law, _intervals(draws, level), level, int(n[-1]), rows, draws)


def _looked_at(sizes: Sequence[int], errors: Any) -> tuple[Array, Array]:
    n, each = np.asarray(sizes, float), np.asarray(errors, float)
    if each.ndim != 2 or len(each) != len(n):
        raise ValueError(f"errors must be [sizes, nets] for {len(n)} sizes, got an array of shape {each.shape}.")
    if len(np.unique(n)) < _FEWEST or n.min() < 1:
        raise ValueError(f"A power law needs {_FEWEST} different sizes of one row or more, got {list(sizes)}.")
    if not np.isfinite(each).all() or each.min() < 0:
        raise ValueError(f"errors must be finite and not negative, got {each.tolist()}.")
    order = np.argsort(n, kind="stable")
    return n[order], each[order]


def _curve(sizes: Array, c: Any, share: Any) -> Any:
    """The logarithm of a law, where it is 1 at the largest size."""
    return np.log(share + (1 - share) * (sizes / sizes[-1]) ** -c)


def _noise(sizes: Array, seeds: float, worse: float) -> Array:
    """How the logarithms of the errors miss a law together, [sizes, sizes]."""
    below = np.log2(sizes[-1] / sizes)
    near, far = np.minimum(below[:, None], below), np.maximum(below[:, None], below)
    wandered = near**2 * (3 * far - near) / 6  # the integral of a random walk that begins at the largest size
    return (seeds + worse * _AWRY**2) * np.eye(len(sizes)) + worse * _DRIFT**2 * wandered


class _Grid(NamedTuple):
    """Laws of all slopes and floors, each at its best level.

    Attributes:
        c: slopes.
        share: of the error at the largest size, the floor's.
        level: the logarithm of that error.
        spread: the deviation of the level, given the rest.
        chi2: how far the law misses.

    """

    c: Array
    share: Array
    level: Array
    spread: float
    chi2: Array


def _grid(sizes: Array, logs: Array, noise: Array) -> _Grid:
    c, share = (side.ravel() for side in np.meshgrid(_SLOPES, _SHARES, indexing="ij"))
    above = logs - _curve(sizes, c[:, None], share[:, None])
    weights = np.linalg.inv(noise)
    level = above @ weights.sum(axis=1) / weights.sum()
    misses = above - level[:, None]
    chi2 = ((misses @ weights) * misses).sum(axis=1)
    return _Grid(c, share, level, 1 / math.sqrt(weights.sum()), chi2)


def _least_squares(sizes: Array, logs: Array, noise: Array) -> tuple[PowerLaw, float]:
    """The best law and its chi^2; a floor must earn its place, as few points cannot tell it from a slope."""
    from scipy.optimize import least_squares

    whitened = np.linalg.inv(np.linalg.cholesky(noise))

    def misses(at: Array) -> Array:
        level, c, share = at
        return np.append(whitened @ (logs - level - _curve(sizes, c, share)), share)

    grid = _grid(sizes, logs, noise)
    best = int(np.argmin(grid.chi2 + grid.share**2))
    ends = ([logs.min() - 5, _SLOPES[0], 0.0], [logs.max() + 5, _SLOPES[-1], _SHARES[-1]])
    found = least_squares(misses, [grid.level[best], grid.c[best], grid.share[best]], bounds=ends)
    level, c, share = (float(one) for one in found.x)
    above = (1 - share) * math.exp(level) * float(sizes[-1]) ** c
    return PowerLaw(share * math.exp(level), above, c), 2 * float(found.cost)


def _drawn(sizes: Array, logs: Array, covariance: Array, noise: _Noise, seed: int) -> _Draws:
    """Levels, shares and slopes, as often as they are probable."""
    grid = _grid(sizes, logs, covariance)
    believed = np.where(grid.share == 0, _NO_FLOOR, (1 - _NO_FLOOR) / (len(_SHARES) - 1))
    weight = np.cumsum(believed * np.exp(-0.5 * (grid.chi2 - grid.chi2.min())))
    cells = np.searchsorted(weight / weight[-1], (np.arange(_DRAWS) + 0.5) / _DRAWS)
    normal = _seeds.generator(seed, 1).standard_normal((4, _DRAWS))
    level = grid.level[cells] + grid.spread * normal[3]
    return _Draws(int(sizes[-1]), level, grid.share[cells], grid.c[cells], noise, normal[:3])


def _counted(rates: Array, rows: Any, normal: Array) -> Array:
    """Which share of so many rows turns out wrong, by the binomial's quantile that a normal number stands for."""
    from scipy.stats import binom, norm

    return np.asarray(binom.ppf(norm.cdf(normal), int(rows), rates)) / rows


def _intervals(draws: _Draws, level: float) -> dict[str, tuple[float, float]]:
    at = np.exp(draws.level)
    parts = {
        "a": draws.share * at,
        "b": (1 - draws.share) * at * float(draws.largest) ** draws.c,
        "c": draws.c,
    }
    ends = [(1 - level) / 2, (1 + level) / 2]
    return {name: tuple(map(float, np.quantile(part, ends))) for name, part in parts.items()}  # type: ignore[misc]
