"""Cross-entropies: minus the log of the probability that a net gives to what is true."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from thalweg._checks import number
from thalweg._tunable import Hypers
from thalweg.losses._base import EPSILON, Loss, class_numbers
from thalweg.losses._regression import _both, _column


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1
) -> jax.Array:
    """``-mean(y * log(p) + (1 - y) * log(1 - p))`` over `axis`, p clipped to [1e-7, 1 - 1e-7].

    Example:
        >>> round(float(binary_crossentropy([1.0], [0.5])), 4)
        0.6931

    """
    y, p = _both(y_true, y_pred)
    return jnp.mean(_binary(_smoothed(y, label_smoothing, 2), p, from_logits), axis=axis)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1
) -> jax.Array:
    """``-sum(y * log(p))`` over `axis`, for one-hot targets; outputs are scaled to sum to 1 and clipped.

    Example:
        >>> round(float(categorical_crossentropy([0.0, 1.0], [0.5, 0.5])), 4)
        0.6931

    """
    y, p = _both(y_true, y_pred)
    return -jnp.sum(_smoothed(y, label_smoothing, p.shape[axis]) * _log(p, from_logits, axis), axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> jax.Array:
    """``-log(p[y])`` for class numbers y; outputs are scaled to sum to 1 and clipped.

    Example:
        >>> round(float(sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
        0.6931

    """
    p = jnp.asarray(y_pred)
    y = class_numbers(jnp.asarray(y_true), p)
    # the class is picked first: one logarithm a row instead of one a class
    numbers = jax.lax.broadcasted_iota(jnp.int32, p.shape, axis % p.ndim)
    picked = jnp.sum(jnp.where(numbers == jnp.expand_dims(y, axis), p, 0), axis=axis)
    if from_logits:
        each = jax.nn.logsumexp(p, axis=axis) - picked
    else:
        total = jnp.sum(p, axis=axis)
        share = picked / jnp.where(total == 0, 1, total)
        each = -jnp.log(jnp.clip(share, EPSILON, 1 - EPSILON))
    return each if ignore_class is None else jnp.where(y == ignore_class, 0, each)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: bool = False,
    label_smoothing: Any = 0.0,
    axis: int = -1,
) -> jax.Array:
    """Binary cross-entropy times ``(1 - q) ** gamma``, where q is the probability given to what is true.

    Example:
        >>> round(float(binary_focal_crossentropy([1.0], [0.5])), 4)
        0.1733

    """
    y, p = _both(y_true, y_pred)
    y = _smoothed(y, label_smoothing, 2)
    p = jax.nn.sigmoid(p) if from_logits else p
    given = y * p + (1 - y) * (1 - p)
    each = _power(1 - given, gamma) * _binary(y, p, False)
    if apply_class_balancing:
        alpha = jnp.asarray(alpha, p.dtype)
        each = each * (y * alpha + (1 - y) * (1 - alpha))
    return jnp.mean(each, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: bool = False,
    label_smoothing: Any = 0.0,
    axis: int = -1,
) -> jax.Array:
    """``-sum(alpha * (1 - p) ** gamma * y * log(p))`` over `axis`, for one-hot targets.

    Example:
        >>> round(float(categorical_focal_crossentropy([0.0, 1.0], [0.5, 0.5])), 4)
        0.0433

    """
    y, p = _both(y_true, y_pred)
    y = _smoothed(y, label_smoothing, p.shape[axis])
    p = _probabilities(jax.nn.softmax(p, axis=axis) if from_logits else p, axis)
    return jnp.sum(jnp.asarray(alpha, p.dtype) * _power(1 - p, gamma) * -y * jnp.log(p), axis=axis)


def _binary(y: Any, p: Any, from_logits: bool) -> Any:
    if from_logits:
        return -(y * jax.nn.log_sigmoid(p) + (1 - y) * jax.nn.log_sigmoid(-p))
    p = jnp.clip(p, EPSILON, 1 - EPSILON)
    return -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))


def _log(p: Any, from_logits: bool, axis: int) -> Any:
    return jax.nn.log_softmax(p, axis=axis) if from_logits else jnp.log(_probabilities(p, axis))


def _probabilities(p: Any, axis: int) -> Any:
    total = jnp.sum(p, axis=axis, keepdims=True)
    return jnp.clip(p / jnp.where(total == 0, 1, total), EPSILON, 1 - EPSILON)


def _smoothed(y: Any, amount: Any, classes: int) -> Any:
    if isinstance(amount, (int, float)) and amount == 0:
        return y
    amount = jnp.asarray(amount, y.dtype)
    return y * (1 - amount) + amount / classes


def _power(base: Any, exponent: Any) -> Any:
    # a base of exactly 0 has no finite gradient under exponents below 1
    return jnp.power(jnp.maximum(base, EPSILON), jnp.asarray(exponent, base.dtype))


class _Crossentropy(Loss):
    """What the cross-entropies share: logits or probabilities, smoothing, the axis of the classes."""

    HYPERS: ClassVar[tuple[str, ...]] = ("label_smoothing",)
    RANGES: ClassVar = {"label_smoothing": (0.0, 1.0)}

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits = bool(from_logits)
        self.label_smoothing = number(self, "label_smoothing", label_smoothing, at_least=0, at_most=1)
        self.axis = int(axis)

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        own = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": self.axis}
        return {**super().get_config(), **own}


class BinaryCrossentropy(_Crossentropy):
    """``-mean(y * log(p) + (1 - y) * log(1 - p))``, for outputs that are each a probability of their own.

    Args:
        from_logits: whether outputs come before the sigmoid; it is more exact.
        label_smoothing: moves targets towards 1/2 by this fraction; a hyper.
        axis: of the outputs.
        reduction, name: as for :class:`Loss`.

    Raises:
        ValueError: where `label_smoothing` is not in [0, 1].

    Example:
        >>> round(float(BinaryCrossentropy()([[1.0]], [[0.5]])), 4)
        0.6931

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return binary_crossentropy(_column(y), _column(p), self.from_logits, h["label_smoothing"], self.axis)


class CategoricalCrossentropy(_Crossentropy):
    """``-sum(y * log(p))``, for one-hot targets.

    Args:
        from_logits: whether outputs come before the softmax; it is more exact.
        label_smoothing: moves targets towards 1/classes by this fraction; a hyper.
        axis: of the classes.
        reduction, name: as for :class:`Loss`.

    Raises:
        ValueError: where `label_smoothing` is not in [0, 1].

    Example:
        >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931

    Source: Szegedy et al. 2016, "Rethinking the Inception architecture" (label smoothing).

    """

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return categorical_crossentropy(y, p, self.from_logits, h["label_smoothing"], self.axis)


class SparseCategoricalCrossentropy(Loss):
    """``-log(p[y])``, for class numbers.

    Args:
        from_logits: whether outputs come before the softmax; it is more exact.
        ignore_class: rows of this class count nothing, or None.
        reduction, name: as for :class:`Loss`.
        axis: of the classes.

    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
        0.6931

    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits = bool(from_logits)
        self.ignore_class = ignore_class
        self.axis = int(axis)

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return sparse_categorical_crossentropy(y, p, self.from_logits, self.ignore_class, self.axis)

    def counted(self, y: Any) -> Any:
        """Rows of other classes than ``ignore_class``."""
        if self.ignore_class is None:
            return None
        return (y != self.ignore_class).reshape(y.shape[0], -1).astype(jnp.float32).mean(axis=1)

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        own = {"from_logits": self.from_logits, "ignore_class": self.ignore_class, "axis": self.axis}
        return {**super().get_config(), **own}


class BinaryFocalCrossentropy(_Crossentropy):
    """Binary cross-entropy that pays less heed to rows which are right already.

    Args:
        apply_class_balancing: whether classes weigh `alpha` and 1 - `alpha`.
        alpha: the weight of class 1; a hyper.
        gamma: the focus: 0 is plain cross-entropy; a hyper.
        from_logits, label_smoothing, axis, reduction, name: as for :class:`BinaryCrossentropy`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> round(float(BinaryFocalCrossentropy()([[1.0]], [[0.5]])), 4)
        0.1733

    Source: Lin et al. 2017, "Focal loss for dense object detection".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("alpha", "gamma", "label_smoothing")
    RANGES: ClassVar = {**_Crossentropy.RANGES, "alpha": (0.0, 1.0), "gamma": (0.0, float("inf"))}

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.apply_class_balancing = bool(apply_class_balancing)
        self.alpha = number(self, "alpha", alpha, at_least=0, at_most=1)
        self.gamma = number(self, "gamma", gamma, at_least=0)

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return binary_focal_crossentropy(
            _column(y),
            _column(p),
            self.apply_class_balancing,
            h["alpha"],
            h["gamma"],
            self.from_logits,
            h["label_smoothing"],
            self.axis,
        )

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        own = {"apply_class_balancing": self.apply_class_balancing, "alpha": self.alpha, "gamma": self.gamma}
        return {**super().get_config(), **own}


class CategoricalFocalCrossentropy(_Crossentropy):
    """Categorical cross-entropy that pays less heed to rows which are right already.

    Args:
        alpha: a common weight; a hyper.
        gamma: the focus: 0 is plain cross-entropy; a hyper.
        from_logits, label_smoothing, axis, reduction, name: as for :class:`CategoricalCrossentropy`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.0433

    Source: Lin et al. 2017, "Focal loss for dense object detection".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("alpha", "gamma", "label_smoothing")
    RANGES: ClassVar = BinaryFocalCrossentropy.RANGES

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.alpha = number(self, "alpha", alpha, at_least=0, at_most=1)
        self.gamma = number(self, "gamma", gamma, at_least=0)

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row."""
        return categorical_focal_crossentropy(
            y, p, h["alpha"], h["gamma"], self.from_logits, h["label_smoothing"], self.axis
        )

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        return {**super().get_config(), "alpha": self.alpha, "gamma": self.gamma}
