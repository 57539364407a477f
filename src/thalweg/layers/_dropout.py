"""Layers that make a net live with noise while it trains: Dropout and GaussianNoise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._checks import number
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._places import channels_last, check_places


class Dropout(Layer):
    """Drops each value with probability `rate` while training, and scales the others by ``1 / (1 - rate)``.

    Args:
        rate: the probability of being dropped; a hyper. 1 gives zeros.
        noise_shape: the shape of what is drawn, batch axis first; an axis of size 1 is drawn once for all,
            None takes the input's size.
        seed: taken for Keras's sake; the bits are keyed by the fit's seed, the step and the layer's place.

    Raises:
        ValueError: where `rate` is not in [0, 1], or `noise_shape` does not fit.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Dropout(1.0)(np.ones((1, 3)), training=True).tolist()
        [[0.0, 0.0, 0.0]]

    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("rate", *Layer.HYPERS)
    RANGES: ClassVar = {"rate": (0.0, 1.0)}

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = number(self, "rate", rate, at_least=0, at_most=1)
        self.noise_shape = _checked(noise_shape)
        self.seed = seed

    def output_features(self, features: Features) -> tuple[int, ...]:
        return tuple(features)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        if not ctx.training:
            return x
        shape = x.shape
        if self.noise_shape is not None:
            if len(self.noise_shape) != x.ndim:
                raise ValueError(
                    f"noise_shape must have an entry for each axis of the input, {x.shape}, got "
                    f"Dropout(noise_shape={self.noise_shape})."
                )
            shape = tuple(own if asked is None else asked for own, asked in zip(x.shape, self.noise_shape, strict=True))
        rate = ctx.h["rate"]
        cut = jnp.asarray(rate * 2.0**24).astype(jnp.uint32)  # 1 drops all: bits are below 2 ** 24
        scale = (1 / jnp.where(rate < 1, 1 - rate, 1)).astype(x.dtype)
        return jnp.where((ctx.random_bits(shape) >> 8) >= cut, x * scale, 0)


class SpatialDropout2D(Dropout):
    """Drops whole channels of an image with probability `rate` while training, and scales the others by ``1 / (1 - rate)``.

    Neighbouring pixels know the same: where single ones are dropped, their neighbours tell on.

    Args:
        rate: the probability of being dropped; a hyper. 1 gives zeros.
        data_format: ``'channels_last'``, the one there is.
        seed: taken for Keras's sake; the bits are keyed by the fit's seed, the step and the layer's place.

    Raises:
        ValueError: where `rate` is not in [0, 1], or rows are no images.

    Example:
        >>> import numpy as np, thalweg
        >>> image = thalweg.layers.SpatialDropout2D(0.5)(np.ones((1, 4, 4, 8)), training=True)
        >>> sorted({len(set(np.asarray(image)[0, :, :, channel].ravel().tolist())) for channel in range(8)})
        [1]

    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks".

    """

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, (None, 1, 1, None), seed, **kwargs)
        self.data_format = channels_last(self, data_format)

    def output_features(self, features: Features) -> tuple[int, ...]:
        check_places(self, features, 2)
        return tuple(features)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; Keras's has no ``trainable``, as there is nothing to train."""
        return {name: value for name, value in super().get_config().items() if name != "trainable"}


def _checked(shape: Any) -> tuple[int | None, ...] | None:
    if shape is None:
        return None
    fits = isinstance(shape, Sequence) and all(one is None or (hasattr(one, "__index__") and one > 0) for one in shape)
    if not fits:
        raise ValueError(f"noise_shape must hold positive integers or None, got Dropout(noise_shape={shape!r}).")
    return tuple(shape)


class GaussianNoise(Layer):
    """Adds normal noise while training.

    Args:
        stddev: its standard deviation; a hyper.
        seed: taken for Keras's sake; the bits are keyed by the fit's seed, the step and the layer's place.

    Raises:
        ValueError: where `stddev` is negative.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.GaussianNoise(0.0)(np.ones((1, 2)), training=True).tolist()
        [[1.0, 1.0]]

    Source: Bishop 1995, "Training with noise is equivalent to Tikhonov regularization".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("stddev", *Layer.HYPERS)
    RANGES: ClassVar = {"stddev": (0.0, float("inf"))}

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = number(self, "stddev", stddev, at_least=0)
        self.seed = seed

    def output_features(self, features: Features) -> tuple[int, ...]:
        return tuple(features)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        if not ctx.training:
            return x
        noisy = x + jnp.asarray(ctx.h["stddev"]).astype(x.dtype) * ctx.normal(x.shape, x.dtype)
        return noisy if ctx.awake is None else jnp.where(ctx.awake > 0, noisy, 0)
