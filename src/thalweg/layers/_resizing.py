"""Images made larger: ZeroPadding2D and UpSampling2D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from thalweg._checks import whole
from thalweg.layers._base import Features
from thalweg.layers._context import Context
from thalweg.layers._places import OfPlaces, check_places

_INTERPOLATIONS = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"} | {
    name: name for name in ("lanczos3", "lanczos5")
}
"""Keras's names, and JAX's."""


class ZeroPadding2D(OfPlaces):
    """Images [rows, height, width, channels] with zeros around them.

    Args:
        padding: how many on all sides; or a pair, above and below, left and right; or a pair of pairs,
            ((above, below), (left, right)).
        data_format: ``'channels_last'``, the one there is.

    Raises:
        ValueError: where `padding` is none of these, or rows are no images.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.ZeroPadding2D(((1, 0), (0, 1)))(np.ones((1, 1, 1, 1)))[0, :, :, 0].tolist()
        [[0.0, 0.0], [1.0, 0.0]]

    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = _sides(padding)
        self.keep_order(data_format)

    def output_features(self, features: Features) -> tuple[int, ...]:
        check_places(self, features, self.PLACES)
        return (*(size + sum(sides) for size, sides in zip(features, self.padding, strict=False)), features[-1])

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return jnp.pad(x, ((0, 0), *self.padding, (0, 0)))


def _sides(given: Any) -> tuple[tuple[int, int], ...]:
    each = given if isinstance(given, Sequence) else (given, given)
    sides = tuple(tuple(one) if isinstance(one, Sequence) else (one, one) for one in each)
    if len(sides) != 2 or not all(len(one) == 2 and all(map(whole(0), one)) for one in sides):
        raise ValueError(
            "padding must be a whole number of 0 or more, a pair of them, or ((above, below), (left, right)), got "
            f"ZeroPadding2D(padding={given!r})."
        )
    return tuple((int(one[0]), int(one[1])) for one in sides)


class UpSampling2D(OfPlaces):
    """Images [rows, height, width, channels] made larger by whole factors.

    Args:
        size: the factors of height and width, one number for both or a pair.
        data_format: ``'channels_last'``, the one there is.
        interpolation: ``'nearest'`` repeats each pixel; ``'bilinear'``, ``'bicubic'``, ``'lanczos3'``, ``'lanczos5'``.

    Raises:
        ValueError: where a factor is no positive whole number, a name is unknown, or rows are no images.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.UpSampling2D((1, 2))(np.array([[[[1.0], [2.0]]]])).ravel().tolist()
        [1.0, 1.0, 2.0, 2.0]

    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = self.sizes("size", size)
        self.keep_order(data_format)
        self.interpolation = self.named("interpolation", interpolation, _INTERPOLATIONS)

    def output_features(self, features: Features) -> tuple[int, ...]:
        check_places(self, features, self.PLACES)
        return (*(length * factor for length, factor in zip(features, self.size, strict=False)), features[-1])

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        if self.interpolation == "nearest":
            return jnp.repeat(jnp.repeat(x, self.size[0], 1), self.size[1], 2)
        shape = (x.shape[0], *self.output_features(x.shape[1:]))
        return jax.image.resize(x, shape, _INTERPOLATIONS[self.interpolation], antialias=False).astype(x.dtype)
