"""Activations as layers of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg import activations, regularizers
from thalweg._checks import number
from thalweg._tunable import below
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._dense import activate
from thalweg.layers._kept import declared, keep
from thalweg.layers._variable import Weight


class _Elementwise(Layer):
    """A layer that keeps its input's shape."""

    def output_features(self, features: Features) -> tuple[int, ...]:
        return tuple(features)


class Activation(_Elementwise):
    """Applies an activation.

    Args:
        activation: a name or function.

    Raises:
        ValueError: on an unknown name.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Activation('relu')(np.array([[-1.0, 2.0]])).tolist()
        [[0.0, 2.0]]

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("activation", *Layer.HYPERS)

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return activate(self.activation, x, ctx.awake, below(ctx.h, "activation"))


class ReLU(_Elementwise):
    """Zero below a threshold, the input above it.

    Args:
        max_value: where it is cut off; None is nowhere. A hyper, as the others.
        negative_slope: the slope below the threshold.
        threshold: where the input begins to count.

    Raises:
        ValueError: where a number is negative.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.ReLU(max_value=1.0)(np.array([[0.5, 2.0]])).tolist()
        [[0.5, 1.0]]

    Source: Nair & Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("max_value", "negative_slope", "threshold", *Layer.HYPERS)
    RANGES: ClassVar = {name: (0.0, float("inf")) for name in ("max_value", "negative_slope", "threshold")}

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number(self, "max_value", max_value, at_least=0)
        self.negative_slope = number(self, "negative_slope", negative_slope or 0.0, at_least=0)
        self.threshold = number(self, "threshold", threshold or 0.0, at_least=0)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        h = ctx.h
        return activate(
            lambda z: activations.relu(z, h["negative_slope"], h.get("max_value"), h["threshold"]), x, ctx.awake
        )


class LeakyReLU(_Elementwise):
    """The input above zero, a flat slope below it.

    Args:
        negative_slope: the slope below zero; a hyper.

    Raises:
        ValueError: where it is negative.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.LeakyReLU(0.5)(np.array([[-1.0, 2.0]])).tolist()
        [[-0.5, 2.0]]

    Source: Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("negative_slope", *Layer.HYPERS)
    RANGES: ClassVar = {"negative_slope": (0.0, float("inf"))}

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = number(self, "negative_slope", negative_slope, at_least=0)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return activations.leaky_relu(x, ctx.h["negative_slope"])


class PReLU(_Elementwise):
    """The input above zero, a slope below it that is learnt, one a feature.

    Args:
        alpha_initializer: how the slopes start.
        alpha_regularizer: a penalty on them.
        alpha_constraint: a bound on them.
        shared_axes: axes, counted from 1, along which slopes are shared.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.PReLU()(np.array([[-1.0, 2.0]])).tolist()
        [[0.0, 2.0]]

    Source: He et al. 2015, "Delving deep into rectifiers".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("alpha_regularizer", "alpha_constraint", *Layer.HYPERS)
    HOST: ClassVar[tuple[str, ...]] = (*Layer.HOST, "alpha_initializer")

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Sequence[int] | int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        keep(self, "alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes or ()) or None

    def init(self, features: Features) -> Sequence[Weight]:
        shape = tuple(1 if i + 1 in (self.shared_axes or ()) else size for i, size in enumerate(features))
        last = len(features) not in (self.shared_axes or ())
        return (declared(self, "alpha", shape, (*(None for _ in shape[1:]), "in" if last else None)),)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return jnp.maximum(x, 0) - w["alpha"] * jnp.maximum(-x, 0)


class ELU(_Elementwise):
    """The input above zero, ``alpha * (exp(x) - 1)`` below it.

    Args:
        alpha: minus the limit at minus infinity; a hyper.

    Raises:
        ValueError: where it is negative.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.ELU()(np.array([[-1e4, 2.0]])).tolist()
        [[-1.0, 2.0]]

    Source: Clevert et al. 2016, "Fast and accurate deep network learning by exponential linear units".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("alpha", *Layer.HYPERS)
    RANGES: ClassVar = {"alpha": (0.0, float("inf"))}

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number(self, "alpha", alpha, at_least=0)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return activations.elu(x, ctx.h["alpha"])


class Softmax(_Elementwise):
    """``exp(x) / sum(exp(x))`` along an axis.

    Args:
        axis: which; a list of them takes the sum over all.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Softmax()(np.array([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]

    Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".

    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        if ctx.awake is None:
            return activations.softmax(x, self.axis)
        x = jnp.where(ctx.awake > 0, x, jnp.finfo(x.dtype).min)
        return jnp.where(ctx.awake > 0, activations.softmax(x, self.axis), 0)


class ActivityRegularization(_Elementwise):
    """Passes its input on and adds a penalty on it to the loss, divided by the rows of the batch.

    Args:
        l1: the factor of the absolute values; a hyper.
        l2: the factor of the squares; a hyper.

    Raises:
        ValueError: where a factor is negative.

    Example:
        >>> import thalweg
        >>> thalweg.layers.ActivityRegularization(l2=0.1).hypers()
        {'activity_regularizer/l1': 0.0, 'activity_regularizer/l2': 0.1}

    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)

    @property
    def l1(self) -> float:
        """The factor of the absolute values."""
        return self.activity_regularizer.l1

    @property
    def l2(self) -> float:
        """The factor of the squares."""
        return self.activity_regularizer.l2

    def get_config(self) -> dict[str, Any]:
        """Both factors."""
        return {key: value for key, value in super().get_config().items() if key != "activity_regularizer"}

    def structure(self) -> tuple[Any, ...]:
        """The factors are data."""
        return (type(self),)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return x


class Identity(_Elementwise):
    """Passes its input on.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Identity()(np.ones((1, 2))).tolist()
        [[1.0, 1.0]]

    """

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return x
