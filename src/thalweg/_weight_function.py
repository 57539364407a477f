"""What regularizers and constraints have in common: a function of one array of weights, with hypers."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from thalweg._tunable import Hypers, Tunable


class WeightFunction(Tunable):
    """A pure function of weights whose numbers are data.

    Subclasses define :meth:`apply`. One written as for Keras, with ``__call__(w)`` alone, works too;
    its numbers are then part of its structure.
    """

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The function itself: `hypers` holds the numbers of ``HYPERS``, on the host or traced."""
        if type(self).__call__ is WeightFunction.__call__:
            raise TypeError(f"{type(self).__name__} must define apply(hypers, w), or __call__(w) as in Keras.")
        return self(w)

    def __call__(self, w: ArrayLike) -> Array:
        """:meth:`apply` with the object's own numbers."""
        return self.apply(self.hypers(), jnp.asarray(w))

    def structure(self) -> tuple[Any, ...]:
        """As for any Tunable; an object that keeps numbers but tells no configuration is like no other."""
        if type(self).get_config is Tunable.get_config and vars(self):
            return (type(self), self)
        return super().structure()


def like(w: Array, number: Any) -> Array:
    """`number` in the dtype of `w`, so that nothing is promoted."""
    return jnp.asarray(number, w.dtype)


def norms(w: Array, axis: int | tuple[int, ...] | None) -> Array:
    """Euclidean norms along `axis`, which stays with size 1; the gradient at a vector of zeros is zero."""
    squares = jnp.sum(jnp.square(w), axis=axis, keepdims=True)
    none = squares == 0  # not `squares > 0`, which would hide a NaN
    return jnp.where(none, 0, jnp.sqrt(jnp.where(none, 1, squares)))
