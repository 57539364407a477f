"""A function as a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from thalweg._family import name_of
from thalweg.layers._base import Layer
from thalweg.layers._context import Context


class Lambda(Layer):
    """Applies a function of its input, in jax.numpy.

    A function cannot be written to a file: a model with a Lambda trains, but is refused at saving.

    Args:
        function: of the input.
        output_shape: taken for Keras's sake; the shape is found by tracing.
        arguments: further arguments of the function, by name.

    Raises:
        TypeError: where it cannot be called.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Lambda(lambda x: x ** 2)(np.array([[3.0]])).tolist()
        [[9.0]]

    """

    pads = False  # what it does with zeros is unknown

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"function must be callable, got Lambda(function={function!r}).")
        self.function = function
        self.arguments = dict(arguments or {})

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return jnp.asarray(self.function(x, **self.arguments))

    def get_config(self) -> dict[str, Any]:
        """The function's name stands for it."""
        return {"name": self.name, "trainable": self.trainable, "function": name_of(self.function)}

    def structure(self) -> tuple[Any, ...]:
        """Each function is a structure of its own."""
        regularizer = self.activity_regularizer
        return (Lambda, self.function, tuple(self.arguments.items()), regularizer and regularizer.structure())
