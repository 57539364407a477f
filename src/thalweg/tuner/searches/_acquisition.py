"""How much a point promises: log expected improvement, or a lower confidence bound."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import erfcx, ndtr

from thalweg._names import Table
from thalweg.tuner.searches._encoding import Array

Acquisition = Callable[[Array, Array, float], tuple[Array, Array, Array]]
"""(mean, variance, best) -> the promise, and its derivatives by mean and variance."""

_LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
_FAR = -1e3
"""Below it, 1 + z Phi(z) / phi(z) is all rounding, and its series in 1 / z is exact."""


def log_ei(mean: Array, variance: Array, best: float) -> tuple[Array, Array, Array]:
    """The logarithm of the expected improvement on `best`, of a target that is to be small.

    log E max(best - y, 0) = log s + log h(z),   z = (best - mean) / s,   h(z) = phi(z) + z Phi(z)

    s is the root of the variance. Where the improvement itself is 0 in floating point, its logarithm still says
    which way is better.

    Args:
        mean: of the function at each point.
        variance: of the function at each point.
        best: what is to be improved on.

    Returns:
        The acquisition, and its derivatives by mean and by variance.

    Example:
        >>> value, _, _ = log_ei(np.array([0.0, 50.0]), np.array([1.0, 1.0]), 0.0)
        >>> value.round(2).tolist()
        [-0.92, -1258.74]

    Reference: Ament et al., *Unexpected Improvements to Expected Improvement for Bayesian Optimization*, 2023.

    """
    s = np.sqrt(variance)
    z = (best - mean) / s
    log_h, cdf_by_h, pdf_by_h = _log_h(z)
    return np.log(s) + log_h, -cdf_by_h / s, 0.5 * pdf_by_h / variance


def _log_h(z: Array) -> tuple[Array, Array, Array]:
    """Log h, Phi / h and phi / h, for z of any size."""
    near = np.maximum(z, -1.0)
    pdf, cdf = np.exp(-0.5 * near * near - _LOG_ROOT_2PI), ndtr(near)
    h = pdf + near * cdf
    # for z < -1 in units of phi: Phi / phi = sqrt(pi / 2) erfcx(-z / sqrt(2)), h / phi = 1 + z Phi / phi
    far = np.minimum(z, -1.0)
    ratio = math.sqrt(0.5 * math.pi) * erfcx(-far / math.sqrt(2.0))
    inverse = 1.0 / (far * far)
    left = np.where(far < _FAR, inverse * (1.0 - 3.0 * inverse), 1.0 + far * ratio)
    is_near = z > -1.0
    log_h = np.where(is_near, np.log(h), np.log(left) - 0.5 * far * far - _LOG_ROOT_2PI)
    return log_h, np.where(is_near, cdf / h, ratio / left), np.where(is_near, pdf / h, 1.0 / left)


def lcb(mean: Array, variance: Array, best: float, beta: float = 2.6) -> tuple[Array, Array, Array]:
    """How low the function may be: beta s - mean, with s the root of the variance.

    Args:
        mean: of the function at each point.
        variance: of the function at each point.
        best: not needed.
        beta: how many standard deviations; 2.6 is KerasTuner's.

    Returns:
        The acquisition, and its derivatives by mean and by variance.

    Example:
        >>> lcb(np.array([1.0]), np.array([4.0]), 0.0)[0]
        array([4.2])

    Reference: Srinivas et al., *Gaussian Process Optimization in the Bandit Setting*, 2010.

    """
    s = np.sqrt(variance)
    return beta * s - mean, np.full(len(mean), -1.0), 0.5 * beta / s


ACQUISITIONS = Table("acquisition", {"log_ei": log_ei, "lcb": lcb})
"""Name -> acquisition."""
