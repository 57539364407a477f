"""Dense: every unit sees every input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg import activations
from thalweg._tunable import below
from thalweg.layers._any_activation import AnyActivation
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._kept import declared, keep
from thalweg.layers._variable import Weight


class Dense(Layer):
    """A fully connected layer: ``activation(x @ kernel + bias)``.

    Args:
        units: how many outputs.
        activation: a name or function; None is linear.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss;
            their factors are hypers.
        kernel_constraint, bias_constraint: applied after every update.

    Raises:
        ValueError: where `units` is not a positive integer.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Dense(4, activation='relu')(np.ones((2, 3))).shape
        (2, 4)

    Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".

    """

    HYPERS: ClassVar[tuple[str, ...]] = (
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
        "activation",
    )
    HOST: ClassVar[tuple[str, ...]] = (*Layer.HOST, "kernel_initializer", "bias_initializer")

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if isinstance(units, bool) or not hasattr(units, "__index__") or int(units) < 1:
            raise ValueError(f"units must be a positive integer, got Dense(units={units!r}).")
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        keep(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def init(self, features: Features) -> Sequence[Weight]:
        if not features:
            raise ValueError(f"Dense {self.name!r} needs inputs of at least two axes, (rows, features), got (rows,).")
        kernel = declared(self, "kernel", (features[-1], self.units), ("in", "out"))
        return (kernel, declared(self, "bias", (self.units,), ("out",))) if self.use_bias else (kernel,)

    def check_features(self, features: Features) -> None:
        if features[-1] != self.features[-1]:
            super().check_features(features)

    def output_features(self, features: Features) -> tuple[int, ...]:
        return (*features[:-1], self.units)

    def output_awake(self, awake: Any, units: Any) -> Any:
        return units

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        z = jnp.dot(x, w["kernel"])
        if self.use_bias:
            z = z + w["bias"]
        return activate(self.activation, z, ctx.units, below(ctx.h, "activation"))


def activate(function: Any, z: Any, awake: Any, h: Mapping[str, Any] | None = None) -> Any:
    """``function(z)`` with sleeping units at zero after it, and out of the running in a softmax.

    Args:
        function: plain, or with numbers of its own: a layer, or one of several functions.
        z: the sums.
        awake: 1.0 for the units in use, or None where all are.
        h: the function's numbers.

    """
    if awake is None:
        return _applied(function, z, h)
    if function in (activations.softmax, activations.log_softmax, activations.sparsemax):
        z = jnp.where(awake > 0, z, jnp.finfo(z.dtype).min)
    return jnp.where(awake > 0, _applied(function, z, h), 0)


def _applied(function: Any, z: Any, h: Mapping[str, Any] | None) -> Any:
    if isinstance(function, AnyActivation):
        return function.apply(h or {}, z)
    if isinstance(function, Layer):
        weights = {v.name: jnp.asarray(v.value) for v in function.variables_for(z.shape[1:])}
        return function.apply(weights, z, Context(False, h))
    return function(z)
