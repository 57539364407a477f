"""Hinges: margins between classes. Labels are -1 or 1; a 0 counts as -1."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from thalweg._tunable import Hypers
from thalweg.losses._base import Loss
from thalweg.losses._regression import _both, _column, _mean


def hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """``mean(max(1 - y * p, 0))`` over the last axis.

    Example:
        >>> float(hinge([1.0], [0.25]))
        0.75

    """
    y, p = _both(y_true, y_pred)
    return _mean(jnp.maximum(1 - _sign(y) * p, 0))


def squared_hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """``mean(max(1 - y * p, 0) ** 2)`` over the last axis.

    Example:
        >>> float(squared_hinge([1.0], [0.5]))
        0.25

    """
    y, p = _both(y_true, y_pred)
    return _mean(jnp.square(jnp.maximum(1 - _sign(y) * p, 0)))


def categorical_hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """``max(1 + max((1 - y) * p) - sum(y * p), 0)`` over the last axis, for one-hot targets.

    Example:
        >>> float(categorical_hinge([0.0, 1.0], [0.25, 0.5]))
        0.75

    """
    y, p = _both(y_true, y_pred)
    right = jnp.sum(y * p, axis=-1)
    wrong = jnp.max((1 - y) * p, axis=-1)
    return jnp.maximum(wrong - right + 1, 0)


def _sign(y: Any) -> Any:
    return jnp.where(y == 0, -1, y)


class Hinge(Loss):
    """``mean(max(1 - y * p, 0))``. A label 0 counts as -1, row by row (Keras: where the whole batch is 0 or 1).

    Example:
        >>> float(Hinge()([[1.0]], [[0.25]]))
        0.75

    Source: Cortes & Vapnik 1995, "Support-vector networks".

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return hinge(_column(y), _column(p))


class SquaredHinge(Loss):
    """``mean(max(1 - y * p, 0) ** 2)``. A label 0 counts as -1.

    Example:
        >>> float(SquaredHinge()([[1.0]], [[0.5]]))
        0.25

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return squared_hinge(_column(y), _column(p))


class CategoricalHinge(Loss):
    """``max(1 + max((1 - y) * p) - sum(y * p), 0)``, for one-hot targets.

    Example:
        >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.5]]))
        0.75

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return categorical_hinge(y, p)
