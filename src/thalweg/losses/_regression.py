"""Losses for numbers: distances between targets and outputs."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thalweg._checks import number
from thalweg._tunable import Hypers
from thalweg.losses._base import EPSILON, Loss, aligned


def mean_squared_error(y_true: Any, y_pred: Any) -> jax.Array:
    """``mean((y - p) ** 2)`` over the last axis.

    Example:
        >>> float(mean_squared_error([0.0, 0.0], [1.0, 3.0]))
        5.0

    """
    y, p = _both(y_true, y_pred)
    return _mean(jnp.square(p - y))


def mean_absolute_error(y_true: Any, y_pred: Any) -> jax.Array:
    """``mean(|y - p|)`` over the last axis.

    Example:
        >>> float(mean_absolute_error([0.0, 0.0], [1.0, 3.0]))
        2.0

    """
    y, p = _both(y_true, y_pred)
    return _mean(jnp.abs(p - y))


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> jax.Array:
    """``100 * mean(|y - p| / max(|y|, 1e-7))`` over the last axis.

    Example:
        >>> float(mean_absolute_percentage_error([2.0], [1.0]))
        50.0

    """
    y, p = _both(y_true, y_pred)
    return 100 * _mean(jnp.abs((y - p) / jnp.maximum(jnp.abs(y), EPSILON)))


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> jax.Array:
    """``mean((log(1 + y) - log(1 + p)) ** 2)`` over the last axis; what is below 1e-7 counts as 1e-7.

    Example:
        >>> float(mean_squared_logarithmic_error([1.0], [1.0]))
        0.0

    """
    y, p = _both(y_true, y_pred)
    return _mean(jnp.square(jnp.log1p(jnp.maximum(p, EPSILON)) - jnp.log1p(jnp.maximum(y, EPSILON))))


def huber(y_true: Any, y_pred: Any, delta: Any = 1.0) -> jax.Array:
    """``mean(e ** 2 / 2)`` where ``|e| <= delta``, else ``delta * |e| - delta ** 2 / 2``.

    Example:
        >>> float(huber([0.0], [3.0]))
        2.5

    """
    y, p = _both(y_true, y_pred)
    size = jnp.abs(p - y)
    delta = jnp.asarray(delta, p.dtype)
    return _mean(jnp.where(size <= delta, 0.5 * jnp.square(p - y), delta * size - 0.5 * delta * delta))


def log_cosh(y_true: Any, y_pred: Any) -> jax.Array:
    """``mean(log(cosh(p - y)))``, computed so that it does not overflow.

    Example:
        >>> round(float(log_cosh([0.0], [1.0])), 4)
        0.4338

    """
    y, p = _both(y_true, y_pred)
    error = p - y
    return _mean(error + jax.nn.softplus(-2 * error) - float(np.log(2)))


def kl_divergence(y_true: Any, y_pred: Any) -> jax.Array:
    """``sum(y * log(y / p))`` over the last axis, both clipped to [1e-7, 1].

    Example:
        >>> float(kl_divergence([0.5, 0.5], [0.5, 0.5]))
        0.0

    """
    y, p = _both(y_true, y_pred)
    y, p = jnp.clip(y, EPSILON, 1), jnp.clip(p, EPSILON, 1)
    return jnp.sum(y * jnp.log(y / p), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> jax.Array:
    """``mean(p - y * log(p + 1e-7))`` over the last axis.

    Example:
        >>> round(float(poisson([1.0], [1.0])), 4)
        1.0

    """
    y, p = _both(y_true, y_pred)
    return _mean(p - y * jnp.log(p + EPSILON))


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> jax.Array:
    """Minus the cosine of the angle between targets and outputs: -1 is the same direction.

    Example:
        >>> round(float(cosine_similarity([1.0, 0.0], [2.0, 0.0])), 4)
        -1.0

    """
    y, p = _both(y_true, y_pred)
    return -jnp.sum(_unit(y, axis) * _unit(p, axis), axis=axis)


def _unit(x: Any, axis: int) -> Any:
    squares = jnp.sum(x * x, axis=axis, keepdims=True)
    return x * jnp.minimum(jax.lax.rsqrt(jnp.where(squares > 0, squares, 1)), 1 / EPSILON)


def _both(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    p = jnp.asarray(y_pred)
    p = p if jnp.issubdtype(p.dtype, jnp.floating) else p.astype(jnp.float32)
    return aligned(jnp.asarray(y_true), p), p


def _mean(each: Any) -> Any:
    return jnp.mean(each, axis=-1) if each.ndim else each


class MeanSquaredError(Loss):
    """``mean((y - p) ** 2)``.

    Example:
        >>> float(MeanSquaredError()([[0.0, 0.0]], [[1.0, 3.0]]))
        5.0

    Source: Gauss 1809, least squares.

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return mean_squared_error(_column(y), _column(p))


class MeanAbsoluteError(Loss):
    """``mean(|y - p|)``.

    Example:
        >>> float(MeanAbsoluteError()([[0.0, 0.0]], [[1.0, 3.0]]))
        2.0

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return mean_absolute_error(_column(y), _column(p))


class MeanAbsolutePercentageError(Loss):
    """``100 * mean(|y - p| / max(|y|, 1e-7))``.

    Example:
        >>> float(MeanAbsolutePercentageError()([[2.0]], [[1.0]]))
        50.0

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return mean_absolute_percentage_error(_column(y), _column(p))


class MeanSquaredLogarithmicError(Loss):
    """``mean((log(1 + y) - log(1 + p)) ** 2)``, for targets that span decades.

    Example:
        >>> float(MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
        0.0

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return mean_squared_logarithmic_error(_column(y), _column(p))


class Huber(Loss):
    """Squared near zero, straight beyond `delta`, so that far-off rows pull less.

    Args:
        delta: where it becomes straight; a hyper.
        reduction, name: as for :class:`Loss`.

    Raises:
        ValueError: where `delta` is not positive.

    Example:
        >>> float(Huber()([[0.0]], [[3.0]]))
        2.5

    Source: Huber 1964, "Robust estimation of a location parameter".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("delta",)
    RANGES: ClassVar = {"delta": (0.0, float("inf"))}

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.delta = number(self, "delta", delta, above=0)

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return huber(_column(y), _column(p), h["delta"])

    def get_config(self) -> dict[str, Any]:
        """With delta."""
        return {**super().get_config(), "delta": self.delta}


class LogCosh(Loss):
    """``mean(log(cosh(p - y)))``: squared near zero, straight far from it.

    Example:
        >>> round(float(LogCosh()([[0.0]], [[1.0]])), 4)
        0.4338

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return log_cosh(_column(y), _column(p))


class KLDivergence(Loss):
    """``sum(y * log(y / p))``: how far the outputs are from the targets, both taken as distributions.

    Example:
        >>> float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
        0.0

    Source: Kullback & Leibler 1951, "On information and sufficiency".

    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return kl_divergence(_column(y), _column(p))


class Poisson(Loss):
    """``mean(p - y * log(p))``, for counts.

    Example:
        >>> round(float(Poisson()([[1.0]], [[1.0]])), 4)
        1.0

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return poisson(_column(y), _column(p))


class CosineSimilarity(Loss):
    """Minus the cosine of the angle between targets and outputs.

    Args:
        axis: along which the vectors lie.
        reduction, name: as for :class:`Loss`.

    Example:
        >>> round(float(CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]])), 4)
        -1.0

    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = int(axis)

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return cosine_similarity(_column(y), _column(p), self.axis)

    def get_config(self) -> dict[str, Any]:
        """With the axis."""
        return {**super().get_config(), "axis": self.axis}


def _column(x: Any) -> Any:
    """Rows of one number each as rows of one column."""
    return x[:, None] if x.ndim == 1 else x
