"""Layers that bring values to mean 0 and variance 1: over the batch, over the features, over the training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import config, data, initializers
from thalweg._checks import number
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._kept import declared, keep
from thalweg.layers._variable import Axis, Weight

_SMALL = 1e-7


class _Scaled(Layer):
    """A layer with a learnt factor gamma and a learnt shift beta."""

    HYPERS: ClassVar[tuple[str, ...]] = (
        "epsilon",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
        *Layer.HYPERS,
    )
    HOST: ClassVar[tuple[str, ...]] = (*Layer.HOST, "beta_initializer", "gamma_initializer")
    RANGES: ClassVar = {"epsilon": (0.0, float("inf"))}

    def keep(self, epsilon: float, center: bool, scale: bool, beta: Sequence[Any], gamma: Sequence[Any]) -> None:
        """Keep what both kinds have; beta and gamma are (initializer, regularizer, constraint)."""
        self.epsilon = number(self, "epsilon", epsilon, at_least=0)
        self.center, self.scale = bool(center), bool(scale)
        for name, (initializer, regularizer, constraint) in (("beta", beta), ("gamma", gamma)):
            keep(self, name, initializer, regularizer, constraint)

    def learnt(self, features: Features, over: Sequence[int]) -> list[Weight]:
        """Gamma and beta, where they are asked for; their axes are some of the input's, counted with the rows."""
        shape, axes = tuple((0, *features)[axis] for axis in over), grown(features, over)
        return [
            declared(self, name, shape, axes) for name, asked in (("gamma", self.scale), ("beta", self.center)) if asked
        ]

    def output_features(self, features: Features) -> tuple[int, ...]:
        return tuple(features)

    def finish(self, x: Any, w: Mapping[str, Any], shape: tuple[int, ...], ctx: Context) -> Any:
        """Times gamma, plus beta; sleeping units stay at zero."""
        if self.scale:
            x = x * w["gamma"].reshape(shape)
        if self.center:
            x = x + w["beta"].reshape(shape)
        return x if ctx.awake is None else jnp.where(ctx.awake > 0, x, 0)


def grown(features: Features, over: Sequence[int]) -> tuple[Axis, ...]:
    """How the axes of a weight grow that are some of the input's: in a population the last axis alone does."""
    return tuple("in" if axis % (len(features) + 1) == len(features) else None for axis in over)


class BatchNormalization(_Scaled):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, over the batch while training.

    While it trains, moving averages of mean and variance are kept; used, it takes those. Padding rows count
    nothing.

    Args:
        axis: of the features.
        momentum: the moving averages' inertia; a hyper.
        epsilon: added to the variance; a hyper.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: how they start.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: bounds.
        synchronized: taken for Keras's sake.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import numpy as np, thalweg
        >>> layer = thalweg.layers.BatchNormalization(epsilon=0.0)
        >>> layer(np.array([[1.0], [3.0]]), training=True).tolist()
        [[-1.0], [1.0]]

    Source: Ioffe & Szegedy 2015, "Batch normalization".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("momentum", *_Scaled.HYPERS)
    HOST: ClassVar[tuple[str, ...]] = (*_Scaled.HOST, "moving_mean_initializer", "moving_variance_initializer")
    RANGES: ClassVar = {**_Scaled.RANGES, "momentum": (0.0, 1.0)}

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = int(axis)
        self.momentum = number(self, "momentum", momentum, at_least=0, at_most=1)
        self.keep(
            epsilon,
            center,
            scale,
            (beta_initializer, beta_regularizer, beta_constraint),
            (gamma_initializer, gamma_regularizer, gamma_constraint),
        )
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.synchronized = synchronized

    def init(self, features: Features) -> Sequence[Weight]:
        size = ((0, *features)[self.axis],) if self.axis != 0 else ()
        if not size:
            raise ValueError("axis must not be 0, the rows, got BatchNormalization(axis=0).")
        axes = grown(features, (self.axis,))
        moving = [
            Weight("moving_mean", size, self.moving_mean_initializer, trainable=False, axes=axes),
            Weight("moving_variance", size, self.moving_variance_initializer, trainable=False, axes=axes),
        ]
        return (*self.learnt(features, (self.axis,)), *moving)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        kept = self.axis % x.ndim
        shape = tuple(size if i == kept else 1 for i, size in enumerate(x.shape))
        mean, variance = w["moving_mean"], w["moving_variance"]
        if ctx.training and self.trainable:
            seen_mean, seen_variance = _moments(x.astype(mean.dtype), kept, ctx.rows)
            inertia = ctx.h["momentum"]
            ctx.updates["moving_mean"] = mean * inertia + seen_mean * (1 - inertia)
            ctx.updates["moving_variance"] = variance * inertia + seen_variance * (1 - inertia)
            mean, variance = seen_mean, seen_variance
        scale = jax.lax.rsqrt(variance + ctx.h["epsilon"])
        centred = (x.astype(mean.dtype) - mean.reshape(shape)) * scale.reshape(shape)
        return self.finish(centred.astype(x.dtype), w, shape, ctx)


def _moments(x: Any, kept: int, rows: Any) -> tuple[Any, Any]:
    """Mean and variance over all axes but `kept`, padding rows left out."""
    axes = tuple(i for i in range(x.ndim) if i != kept)
    if rows is None:
        return jnp.mean(x, axes), jnp.var(x, axes)
    weight = rows.reshape((-1,) + (1,) * (x.ndim - 1)).astype(x.dtype)
    count = jnp.maximum(rows.sum(), 1).astype(x.dtype) * int(np.prod([x.shape[i] for i in axes if i != 0]))
    mean = jnp.sum(x * weight, axes, keepdims=True) / count
    variance = jnp.sum(jnp.square(x - mean) * weight, axes) / count
    return mean.reshape(-1), variance


class LayerNormalization(_Scaled):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, over the features of each row.

    Args:
        axis: of the features, one or several.
        epsilon: added to the variance; a hyper.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer, gamma_initializer: how they start.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: bounds.

    Raises:
        ValueError: where epsilon is negative.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.LayerNormalization(epsilon=0.0)(np.array([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]

    Source: Ba, Kiros & Hinton 2016, "Layer normalization".

    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else tuple(axis) if len(axis) > 1 else axis[0]
        self.keep(
            epsilon,
            center,
            scale,
            (beta_initializer, beta_regularizer, beta_constraint),
            (gamma_initializer, gamma_regularizer, gamma_constraint),
        )

    def _axes(self, ndim: int) -> tuple[int, ...]:
        return tuple(sorted(axis % ndim for axis in ((self.axis,) if isinstance(self.axis, int) else self.axis)))

    def init(self, features: Features) -> Sequence[Weight]:
        return tuple(self.learnt(features, self._axes(len(features) + 1)))

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        axes = self._axes(x.ndim)
        shape = tuple(size if i in axes else 1 for i, size in enumerate(x.shape))
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        if ctx.awake is None:
            mean, variance = jnp.mean(wide, axes, keepdims=True), jnp.var(wide, axes, keepdims=True)
        else:
            awake = ctx.awake.astype(wide.dtype)[None]
            count = jnp.maximum(jnp.sum(awake, axes, keepdims=True), 1)
            mean = jnp.sum(wide * awake, axes, keepdims=True) / count
            variance = jnp.sum(jnp.square(wide - mean) * awake, axes, keepdims=True) / count
        centred = (wide - mean) * jax.lax.rsqrt(variance + ctx.h["epsilon"])
        return self.finish(centred.astype(x.dtype), w, shape, ctx)


class Rescaling(Layer):
    """``x * scale + offset``.

    Args:
        scale: a number, or one a feature.
        offset: likewise.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Rescaling(1 / 255)(np.array([[255.0]])).tolist()
        [[1.0]]

    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _numbers(scale)
        self.offset = _numbers(offset)

    def output_features(self, features: Features) -> tuple[int, ...]:
        return tuple(features)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        y = x * jnp.asarray(self.scale, x.dtype) + jnp.asarray(self.offset, x.dtype)
        return y if ctx.awake is None else jnp.where(ctx.awake > 0, y, 0)


class Normalization(Layer):
    """``(x - mean) / sqrt(variance)``, of the data it was adapted to.

    Args:
        axis: along which each index has a mean and a variance of its own; None has one for all.
        mean, variance: given here, instead of learnt by :meth:`adapt`.
        invert: whether the other way round: ``mean + x * sqrt(variance)``.

    Raises:
        ValueError: where only one of mean and variance is given.

    Example:
        >>> import numpy as np, thalweg
        >>> layer = thalweg.layers.Normalization()
        >>> layer.adapt(np.array([[0.0], [2.0]]))
        >>> layer(np.array([[2.0]])).tolist()
        [[1.0]]

    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError("mean and variance go together: give both, or none and call adapt(data).")
        several = axis is not None and not isinstance(axis, int)
        self.axis = (tuple(axis) if len(axis) > 1 else axis[0]) if several else axis  # type: ignore[arg-type, index]
        self.mean = None if mean is None else _numbers(mean)
        self.variance = None if variance is None else _numbers(variance)
        self.invert = bool(invert)

    def _kept(self, ndim: int) -> tuple[int, ...]:
        axes = () if self.axis is None else (self.axis,) if isinstance(self.axis, int) else self.axis
        return tuple(sorted(axis % ndim for axis in axes))

    def init(self, features: Features) -> Sequence[Weight]:
        if self.mean is not None:
            return ()
        over = self._kept(len(features) + 1)
        shape, axes = tuple((0, *features)[axis] for axis in over), grown(features, over)
        return (
            Weight("mean", shape, "zeros", trainable=False, axes=axes),
            Weight("variance", shape, "ones", trainable=False, axes=axes),
            Weight("count", (), "zeros", trainable=False),
        )

    def adapt(self, given: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn mean and variance.

        Args:
            given: rows, a frame, or a source of batches; what was learnt before is forgotten.
            batch_size: taken for Keras's sake.
            steps: how many batches of a source are read; None reads to its end.

        Raises:
            thalweg.data.DataError: on data that are no finite numbers.
            ValueError: where mean and variance were given to the constructor.

        """
        if self.mean is not None:
            raise ValueError(f"{self.name!r} was given its mean and variance; it has nothing to learn.")
        source = data.adapt(given, what="predict")
        count, mean, spread = 0, np.zeros(()), np.zeros(())
        features: Features = ()
        for rows in [source] if isinstance(source, data.Rows) else source.epoch(steps):
            data.check_rows(rows, "adapt")
            x = np.asarray(rows.x[0], np.float64)
            x = x[:, None] if x.ndim == 1 else x
            features = x.shape[1:]
            over = tuple(i for i in range(x.ndim) if i not in self._kept(x.ndim))
            seen = int(np.prod([x.shape[i] for i in over]))
            apart = x.mean(over) - mean
            spread = spread + x.var(over) * seen + apart**2 * (count * seen / (count + seen))
            mean = mean + apart * (seen / (count + seen))
            count += seen
        self.variables_for(features)
        self.set_weights([mean, spread / max(count, 1), np.asarray(float(count))])

    def output_features(self, features: Features) -> tuple[int, ...]:
        return tuple(features)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        kept = self._kept(x.ndim)
        shape = tuple(size if i in kept else 1 for i, size in enumerate(x.shape))
        mean, variance = (w["mean"], w["variance"]) if self.mean is None else (self.mean, self.variance)
        mean, variance = (jnp.asarray(one, config.floatx()) for one in (mean, variance))
        given = self.mean is not None
        mean, variance = (one if given and one.ndim == 0 else one.reshape(shape) for one in (mean, variance))
        root = jnp.maximum(jnp.sqrt(variance), _SMALL)
        y = (mean + x * root if self.invert else (x - mean) / root).astype(x.dtype)
        return y if ctx.awake is None else jnp.where(ctx.awake > 0, y, 0)


def _numbers(given: Any) -> Any:
    """A float, or nested lists of floats: plain data, which a description can hold."""
    return np.asarray(given, np.float64).tolist()
