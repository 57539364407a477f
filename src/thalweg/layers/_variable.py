"""The one place where a weight lives."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import config, initializers

Axis = str | tuple[str, int] | None
"""How an axis of a weight grows."""


class Weight(NamedTuple):
    """A weight that a layer declares.

    ``axes`` says how each axis grows where a population pads the layer's width: ``'in'`` with the
    input's features, ``('in', 2)`` with twice as many, two for each, ``'out'`` with the layer's own units, None not at all.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Any = "glorot_uniform"
    trainable: bool = True
    regularizer: str | None = None  # the layer's attribute that holds it
    constraint: str | None = None
    axes: tuple[Axis, ...] = ()


class Variable:
    """A named array that a layer owns; drawn when it is first needed.

    It behaves as an array in `jax.numpy` expressions and in NumPy's. While a program is traced,
    it stands for the traced value.
    """

    def __init__(self, declared: Weight, draw: Callable[[], None] | None = None) -> None:
        self.declared = declared
        self.name = declared.name
        self.shape = tuple(declared.shape)
        self.dtype = config.floatx()
        self.draw = draw
        self.stand_in: Any = None  # a traced value, for as long as a trace lasts
        self._value: Any = None

    @property
    def drawn(self) -> bool:
        """Whether it has a value yet."""
        return self._value is not None

    @property
    def value(self) -> Any:
        """The array in force."""
        if self.stand_in is not None:
            return self.stand_in
        if self._value is None and self.draw is not None:
            self.draw()
        return self._value

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw the first value on the host."""
        initializer = initializers.get(self.declared.initializer)
        assert initializer is not None, "every declared weight has an initializer"
        drawn = initializer.draw(rng, self.shape, self.dtype)
        self._value = np.asarray(drawn, dtype=self.dtype)

    def assign(self, value: Any) -> None:
        """Replace the value by one of the same shape."""
        if self.stand_in is not None:
            self.stand_in = jnp.asarray(value, self.dtype)
            return
        if isinstance(value, (jax.Array, Variable)):
            array: Any = jnp.asarray(value.value if isinstance(value, Variable) else value, self.dtype)
        else:
            array = np.array(value, dtype=self.dtype)
        if array.shape != self.shape:
            raise ValueError(f"{self.name} has shape {self.shape}, got an array of shape {array.shape}.")
        self._value = array

    def hold(self, array: Any) -> None:
        """Take a trained value as it is, unchecked."""
        self._value = array

    def numpy(self) -> np.ndarray:
        """A copy on the host."""
        return np.array(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype)

    def __jax_array__(self) -> jax.Array:
        return jnp.asarray(self.value)

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def T(self) -> Any:  # noqa: N802
        """The transpose."""
        return jnp.asarray(self.value).T

    def __getitem__(self, index: Any) -> Any:
        return jnp.asarray(self.value)[index]

    def __neg__(self) -> Any:
        return -jnp.asarray(self.value)

    def __repr__(self) -> str:
        return f"<Variable {self.name} shape={self.shape} dtype={self.dtype}>"


def _forward(name: str) -> None:
    function = getattr(operator, name)

    def left(self: Variable, other: Any) -> Any:
        return function(jnp.asarray(self.value), _plain(other))

    def right(self: Variable, other: Any) -> Any:
        return function(_plain(other), jnp.asarray(self.value))

    setattr(Variable, f"__{name}__", left)
    setattr(Variable, f"__r{name}__", right)


def _plain(value: Any) -> Any:
    return jnp.asarray(value.value) if isinstance(value, Variable) else value


for _name in ("add", "sub", "mul", "truediv", "matmul", "pow"):
    _forward(_name)
