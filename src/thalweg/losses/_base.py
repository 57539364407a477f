"""What every loss is: a cost per row, and how rows become one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from thalweg._family import FunctionMember, name_of
from thalweg._names import snake_case, unknown
from thalweg._tunable import Hypers, Tunable

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")
EPSILON = 1e-7
"""Keras's: probabilities are clipped to [1e-7, 1 - 1e-7]."""


class Loss(Tunable):
    """Base of all losses.

    Subclasses define ``apply(h, y, p)``, which gives one cost a row, [batch] or [batch, ...]; one
    written as for Keras, with ``call(y_true, y_pred)``, works too.

    Args:
        reduction: how the rows' costs become one number: ``'sum_over_batch_size'`` (the mean over
            the rows, whatever they weigh), ``'sum'``, ``'mean_with_sample_weight'``, or None, which
            leaves the rows' costs as they are when the loss is called by hand.
        name: its name in messages.

    Raises:
        ValueError: on an unknown reduction.

    Example:
        >>> import jax.numpy as jnp, thalweg
        >>> class Cubed(thalweg.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)
        >>> float(Cubed()([[0.0]], [[2.0]]))
        8.0

    """

    HOST: ClassVar[tuple[str, ...]] = ("name", "dtype")

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None
    ) -> None:
        reduction = "none" if reduction is None else reduction
        if reduction not in REDUCTIONS:
            raise ValueError(unknown("reduction", reduction, REDUCTIONS))
        self.reduction = reduction
        self.name = name or snake_case(type(self).__name__)
        self.dtype = dtype

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """One cost a row. `h` holds the loss's numbers, on the host or traced."""
        return self.call(y, p)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Keras's way to define a loss."""
        raise TypeError(f"{type(self).__name__} must define apply(h, y, p) or call(y_true, y_pred).")

    def counted(self, y: Any) -> Any:
        """[batch] 1.0 for rows that count, or None where all do."""
        return None

    def reduce(self, each: jax.Array, weight: Any, rows: Any, counted: Any) -> jax.Array:
        """One number from the rows' costs.

        Args:
            each: [batch, ...] costs.
            weight: [batch] sample weights, or None.
            rows: [batch] 1.0 for real rows and 0.0 for padding, or None where all are real.
            counted: what :meth:`counted` gave.

        """
        if each.ndim == 0:  # a user's loss over the whole batch: nothing in it can be weighted
            return each
        flat = each.reshape(each.shape[0], -1)
        each = flat.sum(axis=1) if self.reduction == "sum" else flat.mean(axis=1)
        real = _product(rows, counted, each)
        factors = _product(weight, real, each)
        total = each.sum() if factors is None else (each * factors).sum()
        if self.reduction == "sum":
            return total
        if self.reduction == "mean_with_sample_weight" and factors is not None:
            return total / jnp.maximum(factors.sum(), EPSILON)
        return total / (each.shape[0] if real is None else jnp.maximum(real.sum(), 1))

    def per_row(self, y: Any, p: Any) -> bool:
        """Whether it gives a value a row for targets and outputs of these shapes."""
        h = {name: jax.ShapeDtypeStruct((), jnp.float32) for name in self.hypers()}
        found = jax.eval_shape(self.apply, h, y, p)
        return found.ndim > 0 and found.shape[0] == p.shape[0]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> jax.Array:
        """The loss of one batch, reduced as ``reduction`` says."""
        y, p = jnp.asarray(y_true), jnp.asarray(y_pred)
        each = self.apply(self.hypers(), y, p)
        weight = None if sample_weight is None else jnp.asarray(sample_weight, each.dtype).reshape(-1)
        if self.reduction == "none":
            return each if weight is None else each * weight.reshape((-1,) + (1,) * (each.ndim - 1))
        return self.reduce(each, weight, None, self.counted(y))

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild it."""
        return {"name": self.name, "reduction": self.reduction}

    def structure(self) -> tuple[Any, ...]:
        """As for any Tunable; a user's loss that tells no configuration of its own is like no other."""
        own = set(vars(self)) - {"name", "reduction", "dtype"}
        if type(self).get_config is Loss.get_config and own:
            return (type(self), self)
        return super().structure()


class FunctionLoss(Loss):
    """A user's function ``(y_true, y_pred)``, which gives a cost a row or one number for the batch.

    Args:
        fn: the function, in jax.numpy.
        reduction: as for :class:`Loss`.
        name: the function's where None.
        fn_kwargs: further arguments of every call.

    Raises:
        TypeError: where it cannot be called.

    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **fn_kwargs: Any,
    ) -> None:
        super().__init__(reduction, name or name_of(fn), dtype)
        self.function = FunctionMember(fn).function
        self.fn_kwargs = fn_kwargs

    def apply(self, h: Hypers, y: Any, p: Any) -> jax.Array:
        """The function's own value."""
        found = self.function(aligned(y, p), p, **self.fn_kwargs)
        return jnp.asarray(found)

    def structure(self) -> tuple[Any, ...]:
        """Each function is a structure of its own."""
        return (FunctionLoss, self.function, self.reduction, tuple(sorted(self.fn_kwargs.items())))

    def get_config(self) -> dict[str, Any]:
        """The function's name stands for it."""
        return {**super().get_config(), "fn": name_of(self.function), **self.fn_kwargs}


def aligned(y: Any, p: Any) -> Any:
    """Targets in the dtype of the outputs, with the last axis of length 1 that outputs have and targets lack."""
    if y.ndim + 1 == p.ndim and p.shape[-1] == 1:
        y = y[..., None]
    elif y.ndim == p.ndim + 1 and y.shape[-1] == 1:
        y = y[..., 0]
    return y.astype(p.dtype) if jnp.issubdtype(p.dtype, jnp.floating) else y


def class_numbers(y: Any, p: Any) -> Any:
    """Class numbers as int32, without the last axis of length 1 that they may have."""
    y = y[..., 0] if y.ndim == p.ndim and y.shape[-1] == 1 else y
    return y.astype(jnp.int32)


def _product(a: Any, b: Any, like: Any) -> Any:
    if a is None and b is None:
        return None
    if a is None or b is None:
        return (b if a is None else a).astype(like.dtype)
    return a.astype(like.dtype) * b.astype(like.dtype)
