"""A layer that changes how bright and how dark images are while a net trains: RandomContrast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._checks import number
from thalweg.layers._augmentation import OfImages
from thalweg.layers._base import Layer
from thalweg.layers._context import Context
from thalweg.layers._span import Factor, Spread


class RandomContrast(OfImages):
    """Draws the values of each image away from their mean, or towards it, while training.

    ``(x - mean) * f + mean`` for each channel, with one random ``f`` an image; what leaves `value_range` is cut off.

    Args:
        factor: how far f goes from 1, either way; or how far below, and how far above. A hyper: ``factor/lower`` and
            ``factor/upper``.
        value_range: the least and the largest value that a pixel has: (0, 255), or (0, 1) for scaled images.
        seed: taken for Keras's sake; the bits are keyed by the fit's seed, the step and the layer's place.
        data_format: ``'channels_last'`` (default) or ``'channels_first'``.

    Raises:
        ValueError: where a factor is not in [0, 1], `value_range` is no pair, or rows are no images.

    Example:
        >>> import numpy as np, thalweg
        >>> image = np.array([50.0, 150.0]).reshape(1, 1, 2, 1)
        >>> seen = thalweg.layers.RandomContrast(0.5)(image)
        >>> bool(abs(seen.mean() - 100) < 1e-3), bool(50 <= seen.max() - seen.min() <= 150)
        (True, True)

    Source: Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("factor", *Layer.HYPERS)
    WHOLE: ClassVar[str] = "the contrast that an image has"
    factor = Factor(Spread)

    def __init__(
        self,
        factor: Any,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor
        ends = list(value_range) if hasattr(value_range, "__len__") else []
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise ValueError(
                f"value_range must be a pair, the least and the largest value, got RandomContrast(value_range={value_range!r})."
            )
        self.value_range = tuple(number(self, "value_range", one) for one in ends)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        if not ctx.training:
            return x
        lower, upper = ctx.h["factor/lower"], ctx.h["factor/upper"]
        factor = (1 - lower + (lower + upper) * ctx.uniform((x.shape[0],))).reshape(-1, 1, 1, 1).astype(x.dtype)
        places = (1, 2) if self.data_format == "channels_last" else (2, 3)
        mean = jnp.mean(x, places, keepdims=True)
        return jnp.clip((x - mean) * factor + mean, *self.value_range)
