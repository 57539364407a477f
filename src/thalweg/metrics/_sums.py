"""Running sums that stay exact: a float and the rounding error it has lost so far.

A float32 sum of ones stops at 2 ** 24; with its error carried along, it is exact up to 2 ** 48.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import config


class Sum(NamedTuple):
    """A compensated sum.

    Attributes:
        high: the sum, rounded.
        low: what rounding has taken off it.

    """

    high: Any
    low: Any

    @property
    def value(self) -> Any:
        """The sum."""
        return self.high + self.low


def zero(shape: tuple[int, ...] = ()) -> Sum:
    """The sum of nothing, made on the host."""
    return Sum(np.zeros(shape, config.floatx()), np.zeros(shape, config.floatx()))


def add(total: Sum, term: Any) -> Sum:
    """`total` + `term`.

    Source: Knuth, The Art of Computer Programming, vol. 2, section 4.2.2 (the exact error of a sum).
    """
    term = jnp.asarray(term).astype(total.high.dtype)
    high = total.high + term
    seen = high - total.high
    error = (total.high - (high - seen)) + (term - seen)
    return Sum(high, total.low + error)


def ratio(above: Any, below: Any) -> jax.Array:
    """``above / below``, and 0 where nothing was counted."""
    return jnp.where(below == 0, 0, above / jnp.where(below == 0, 1, below))
