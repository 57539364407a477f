"""Layers that move the pixels of images while a net trains: RandomTranslation, RandomRotation, RandomZoom, RandomFlip.

Each image of a batch is moved in a way of its own, anew at every step; outside training images pass as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thalweg._checks import number, one_of
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._places import check_places
from thalweg.layers._span import Factor, drawn

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")
_ORDERS = {"nearest": 0, "bilinear": 1}
_FLIPS = {"horizontal": (False, True), "vertical": (True, False), "horizontal_and_vertical": (True, True)}


class OfImages(Layer):
    """A layer that gives back other images of the same shape."""

    WHOLE: ClassVar[str] = "an image's size"  # of which a factor is a part
    pads: ClassVar[bool] = False  # what is beside an image must not be moved into it

    def __init__(self, seed: int | None, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.data_format = one_of(
            self, "data_format", data_format or "channels_last", ("channels_last", "channels_first")
        )

    def __call__(self, x: Any, training: bool = True) -> Any:
        """Called by itself on arrays, it shows what it does while a net trains."""
        return super().__call__(x, training)

    def init(self, features: Features) -> tuple[()]:
        self.output_features(features)
        return ()

    def output_features(self, features: Features) -> tuple[int, ...]:
        check_places(self, features, 2)
        return tuple(features)


class _Moving(OfImages):
    """Images whose pixels are taken from elsewhere in the same image.

    Subclasses say from where: source = (matrix) (pixel - centre) + centre - shift, in pixels, height first.
    """

    def __init__(
        self,
        fill_mode: str,
        interpolation: str,
        seed: int | None,
        fill_value: float,
        data_format: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.fill_mode = one_of(self, "fill_mode", fill_mode, _FILL_MODES)
        self.interpolation = one_of(self, "interpolation", interpolation, _ORDERS)
        self.fill_value = number(self, "fill_value", fill_value)

    def moved(self, ctx: Context, n: int, size: tuple[int, int]) -> tuple[Any, Any]:
        """Matrices [n, 2, 2] and shifts [n, 2]."""
        raise NotImplementedError

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        if not ctx.training:
            return x
        still = jnp.array([value == 0 for path, value in ctx.h.items() if path.endswith(("/lower", "/upper"))]).all()
        # The choice also keeps XLA from computing this layer anew for each pixel that the next one takes: of two such
        # layers the images then cost 4 us instead of 23 (28 x 28, one core).
        return jax.lax.cond(still, lambda x: x, lambda x: self._taken(x, ctx), x)

    def _taken(self, x: Any, ctx: Context) -> Any:
        if self.data_format == "channels_first":
            return jnp.moveaxis(self._of_last(jnp.moveaxis(x, 1, -1), ctx), -1, 1)
        return self._of_last(x, ctx)

    def _of_last(self, x: Any, ctx: Context) -> Any:
        n, *size = x.shape[:3]
        matrix, shift = self.moved(ctx, n, (size[0], size[1]))
        centre = (np.array(size, np.float32) - 1) / 2
        pixels = np.stack(np.meshgrid(*(np.arange(one) for one in size), indexing="ij"), axis=-1) - centre
        source = jnp.einsum("nij,hwj->inhw", matrix, pixels) + (centre - shift).T[:, :, None, None]
        order, mode = _ORDERS[self.interpolation], self.fill_mode

        def take(channel: Any, rows: Any, columns: Any) -> Any:
            return jax.scipy.ndimage.map_coordinates(channel, [rows, columns], order, mode, self.fill_value)

        each = jax.vmap(jax.vmap(take, in_axes=(-1, None, None), out_axes=-1))
        return each(x, source[0], source[1]).astype(x.dtype)


def _matrices(*rows: Any) -> Any:
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


class RandomTranslation(_Moving):
    """Shifts each image by a random part of its height and width while training.

    Args:
        height_factor: the most that an image is shifted down or up, as a part of its height; or the two ends, of which
            positive ones are down. A hyper: ``height_factor/lower`` and ``height_factor/upper``.
        width_factor: likewise to the right and the left, as a part of its width.
        fill_mode: what is seen beyond an image's edge: ``'reflect'`` (d c b a | a b c d | d c b a), ``'wrap'``,
            ``'constant'`` (`fill_value`) or ``'nearest'`` (the edge's own pixels).
        interpolation: ``'bilinear'`` or ``'nearest'``.
        seed: taken for Keras's sake; the bits are keyed by the fit's seed, the step and the layer's place.
        fill_value: grey value beyond the edge.
        data_format: ``'channels_last'`` (default) or ``'channels_first'``.

    Raises:
        ValueError: where a factor is not in [-1, 1], a name is unknown, or rows are no images.

    Example:
        >>> import numpy as np, thalweg
        >>> image = np.arange(3.0).reshape(1, 1, 3, 1)
        >>> down = thalweg.layers.RandomTranslation(0.0, (1 / 3, 1 / 3), fill_mode='constant')
        >>> down(image)[0, 0, :, 0].tolist()
        [0.0, 0.0, 1.0]

    Source: Simard et al. 2003, "Best practices for convolutional neural networks applied to visual document analysis".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("height_factor", "width_factor", *Layer.HYPERS)
    height_factor, width_factor = Factor(), Factor()

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor

    def moved(self, ctx: Context, n: int, size: tuple[int, int]) -> tuple[Any, Any]:
        down, right = drawn(ctx, n, "height_factor", "width_factor")
        return jnp.broadcast_to(jnp.eye(2), (n, 2, 2)), jnp.stack([down * size[0], right * size[1]], axis=-1)


class RandomRotation(_Moving):
    """Turns each image about its centre by a random angle while training.

    Args:
        factor: the most that an image is turned either way, as a part of a full turn; or the two ends, of which
            positive ones are counter-clockwise. A hyper: ``factor/lower`` and ``factor/upper``.
        fill_mode: what is seen beyond an image's edge (see :class:`RandomTranslation`).
        interpolation: ``'bilinear'`` or ``'nearest'``.
        seed: taken for Keras's sake; the bits are keyed by the fit's seed, the step and the layer's place.
        fill_value: grey value beyond the edge, for ``'constant'``.
        data_format: ``'channels_last'`` (default) or ``'channels_first'``.

    Raises:
        ValueError: where a factor is not in [-1, 1], a name is unknown, or rows are no images.

    Example:
        >>> import numpy as np, thalweg
        >>> image = np.arange(4.0).reshape(1, 2, 2, 1)
        >>> quarter = thalweg.layers.RandomRotation((0.25, 0.25), interpolation='nearest')
        >>> quarter(image)[0, :, :, 0].tolist()
        [[1.0, 3.0], [0.0, 2.0]]

    Source: Simard et al. 2003, "Best practices for convolutional neural networks applied to visual document analysis".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("factor", *Layer.HYPERS)
    WHOLE: ClassVar[str] = "a full turn: 15 / 360 for 15 degrees"
    factor = Factor()

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = factor

    def moved(self, ctx: Context, n: int, size: tuple[int, int]) -> tuple[Any, Any]:
        angle = 2 * math.pi * drawn(ctx, n, "factor")[0]
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        return _matrices((cos, sin), (-sin, cos)), jnp.zeros((n, 2))


class RandomZoom(_Moving):
    """Makes each image smaller or larger by a random part while training.

    Args:
        height_factor: the most by which the part of an image's height that is seen grows or shrinks; or the two ends,
            of which positive ones make what is seen smaller: (0.2, 0.3) zooms out by 20 to 30 %. A hyper:
            ``height_factor/lower`` and ``height_factor/upper``.
        width_factor: likewise of its width; None: the same as the height's, so that the aspect is kept.
        fill_mode: what is seen beyond an image's edge (see :class:`RandomTranslation`).
        interpolation: ``'bilinear'`` or ``'nearest'``.
        seed: taken for Keras's sake; the bits are keyed by the fit's seed, the step and the layer's place.
        fill_value: grey value beyond the edge, for ``'constant'``.
        data_format: ``'channels_last'`` (default) or ``'channels_first'``.

    Raises:
        ValueError: where a factor is not in [-1, 1], a name is unknown, or rows are no images.

    Example:
        >>> import numpy as np, thalweg
        >>> image = np.array([0.0, 1.0, 0.0]).reshape(1, 1, 3, 1)
        >>> nearer = thalweg.layers.RandomZoom(0.0, (-0.5, -0.5))
        >>> nearer(image)[0, 0, :, 0].tolist()
        [0.5, 1.0, 0.5]

    Source: Simard et al. 2003, "Best practices for convolutional neural networks applied to visual document analysis".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("height_factor", "width_factor", *Layer.HYPERS)
    height_factor, width_factor = Factor(), Factor()

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor

    def moved(self, ctx: Context, n: int, size: tuple[int, int]) -> tuple[Any, Any]:
        names = ["height_factor"] + ["width_factor"] * (self.width_factor is not None)
        seen = [1 + one for one in drawn(ctx, n, *names)]
        nothing = jnp.zeros(n)
        return _matrices((seen[0], nothing), (nothing, seen[-1])), jnp.zeros((n, 2))


class RandomFlip(OfImages):
    """Mirrors each image with probability 1/2 while training.

    Args:
        mode: ``'horizontal'`` (left and right change places), ``'vertical'``, or ``'horizontal_and_vertical'``: each,
            by a coin of its own.
        seed: taken for Keras's sake; the bits are keyed by the fit's seed, the step and the layer's place.
        data_format: ``'channels_last'`` (default) or ``'channels_first'``.

    Raises:
        ValueError: where a name is unknown, or rows are no images.

    Example:
        >>> import numpy as np, thalweg
        >>> images = np.tile(np.arange(2.0).reshape(1, 1, 2, 1), (64, 1, 1, 1))
        >>> seen = thalweg.layers.RandomFlip('horizontal')(images)
        >>> sorted({tuple(one.ravel().tolist()) for one in np.asarray(seen)})
        [(0.0, 1.0), (1.0, 0.0)]

    Source: Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks".

    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.mode = one_of(self, "mode", mode, _FLIPS)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        if not ctx.training:
            return x
        coins = ctx.uniform((x.shape[0], 2)) < 0.5
        first = 1 if self.data_format == "channels_last" else 2
        for i, flips in enumerate(_FLIPS[self.mode]):
            if flips:
                x = jnp.where(coins[:, i].reshape(-1, 1, 1, 1), jnp.flip(x, first + i), x)
        return x
