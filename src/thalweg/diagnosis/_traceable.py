"""Functions that somebody wrote, and what they are told where JAX cannot look into them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax

_UNTRACEABLE = (jax.errors.TracerArrayConversionError, jax.errors.ConcretizationTypeError)


def traceable(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function; where it leaves JAX, a TypeError says so in place of what JAX says of its insides."""

    @wraps(function)
    def told(*args: Any) -> Any:
        try:
            return function(*args)
        except _UNTRACEABLE:
            raise TypeError(
                f"{name} leaves JAX on its way: it calls NumPy or float(), or asks `if` of a value. Its gradient is taken by JAX: "
                "write it with jax.numpy (jnp.sin for np.sin), and jnp.where(condition, a, b) for `if`."
            ) from None

    return told
