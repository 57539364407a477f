"""One of several activations; which one is data, so that nets with different activations share a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from thalweg import activations
from thalweg._tunable import Tunable

Functions = tuple[Callable[..., Any], ...]

_APART = {"softmax", "log_softmax", "sparsemax", "glu", "threshold"}  # across units, or of further arguments
ELEMENTWISE: Functions = tuple(
    dict.fromkeys(function for name, function in activations.TABLE.items() if name not in _APART)
)
"""thalweg's own functions of one sum at a time, in a fixed order: those that can stand for one another."""


class AnyActivation(Tunable):
    """The value of one of several functions, which the hyper ``kind`` numbers.

    One branch is computed, forward and back. The way back begins at the sums once more, as the plain gradient of
    a branch would carry what every one of the branches remembers.

    Args:
        functions: of arrays, element by element.
        kind: which one.

    Example:
        >>> import jax.numpy as jnp
        >>> from thalweg import activations
        >>> AnyActivation([activations.linear, activations.relu]).apply({'kind': 1.0}, jnp.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("kind",)

    def __init__(self, functions: Sequence[Callable[..., Any]], kind: float = 0.0) -> None:
        self.functions = tuple(functions)
        self.kind = float(kind)

    def apply(self, h: Mapping[str, Any], z: Any) -> Any:
        """The values for the sums `z`."""
        return _branch(self.functions, jnp.asarray(h["kind"]).astype(jnp.int32), z)

    def structure(self) -> tuple[Any, ...]:
        """The functions, in their order."""
        return (type(self), self.functions)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _branch(functions: Functions, kind: Any, z: Any) -> Any:
    return lax.switch(kind, functions, z)


def _forward(functions: Functions, kind: Any, z: Any) -> tuple[Any, Any]:
    return _branch(functions, kind, z), (kind, z)


def _back(functions: Functions, kept: Any, slope: Any) -> tuple[Any, Any]:
    kind, z = kept
    return None, lax.switch(kind, [partial(_slope, function) for function in functions], z, slope)


def _slope(function: Callable[..., Any], z: Any, slope: Any) -> Any:
    return jax.vjp(function, z)[1](slope)[0]


_branch.defvjp(_forward, _back)
