"""Pooling: what is larger, or the average, of places that lie side by side, or of all of them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from thalweg.layers._base import Features
from thalweg.layers._context import Context
from thalweg.layers._places import OfPlaces, check_places, swept
from thalweg.layers._windows import Sweeps, larger, pooled


class _Pooling(OfPlaces):
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = self.sizes("pool_size", pool_size)
        self.strides = self.pool_size if strides is None else self.sizes("strides", strides)
        self.padding = self.named("padding", padding, ("valid", "same"))
        self.keep_order(data_format)

    def sweeps(self, features: Features) -> Sweeps:
        """How the window moves over rows of some shape."""
        return swept(self, features, self.pool_size, self.strides, self.padding)

    def output_features(self, features: Features) -> tuple[int, ...]:
        return (*(one.places for one in self.sweeps(features)), features[-1])


class _MaxPooling(_Pooling):
    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return pooled(x, self.sweeps(x.shape[1:]), larger, -np.inf)


class _AveragePooling(_Pooling):
    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        sweeps = self.sweeps(x.shape[1:])
        count = pooled(jnp.ones((1, *x.shape[1:-1], 1), x.dtype), sweeps, operator.add, 0.0)
        return pooled(x, sweeps, operator.add, 0.0) / count


class _GlobalPooling(OfPlaces):
    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keep_order(data_format)
        self.keepdims = bool(keepdims)

    def output_features(self, features: Features) -> tuple[int, ...]:
        check_places(self, features, self.PLACES)
        return (*(1,) * self.PLACES, features[-1]) if self.keepdims else (features[-1],)

    def output_awake(self, awake: Any, units: Any) -> Any:
        return super().output_awake(awake, units).reshape(self.output_features(awake.shape))

    @property
    def places(self) -> tuple[int, ...]:
        """The axes of places, in a batch."""
        return tuple(range(1, 1 + self.PLACES))


class _GlobalMaxPooling(_GlobalPooling):
    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return jnp.max(x, self.places, keepdims=self.keepdims)


class _GlobalAveragePooling(_GlobalPooling):
    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return jnp.mean(x, self.places, keepdims=self.keepdims)


class MaxPooling1D(_MaxPooling):
    """The largest value of each channel in a window that moves over a sequence [rows, steps, channels].

    Args:
        pool_size: steps of the window.
        strides: steps from one window to the next; None: as many as it has, so that windows do not overlap.
        padding: ``'valid'``: windows that lie within; ``'same'``: ``steps / strides`` of them, rounded up.
        data_format: ``'channels_last'``, the one there is.

    Raises:
        ValueError: where a size is no positive whole number, a name is unknown, or rows are no sequences, or too short.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.MaxPooling1D(2)(np.array([[[3.0], [1.0], [2.0], [5.0]]])).ravel().tolist()
        [3.0, 5.0]

    """

    PLACES: ClassVar[int] = 1


class MaxPooling2D(_MaxPooling):
    """The largest value of each channel in a window that moves over images [rows, height, width, channels].

    The gradient flows to that value alone; to the first, where several are as large.

    Args:
        pool_size: height and width of the window, one number for both or a pair.
        strides: rows and columns from one window to the next; None: as many as it has, so that windows do not overlap.
        padding: ``'valid'``: windows that lie within; ``'same'``: ``size / strides`` of them, rounded up.
        data_format: ``'channels_last'``, the one there is.

    Raises:
        ValueError: where a size is no positive whole number, a name is unknown, or rows are no images, or too small.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.MaxPooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0].tolist()
        [[5.0, 7.0], [13.0, 15.0]]

    Source: Riesenhuber & Poggio 1999, "Hierarchical models of object recognition in cortex".

    """


class AveragePooling1D(_AveragePooling):
    """The average of each channel in a window that moves over a sequence; what lies beyond its ends does not count.

    Args:
        pool_size, strides, padding, data_format: as for :class:`MaxPooling1D`.

    Raises:
        ValueError: as :class:`MaxPooling1D` does.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.AveragePooling1D(2)(np.array([[[3.0], [1.0], [2.0], [5.0]]])).ravel().tolist()
        [2.0, 3.5]

    """

    PLACES: ClassVar[int] = 1


class AveragePooling2D(_AveragePooling):
    """The average of each channel in a window that moves over images; what lies beyond their edges does not count.

    Args:
        pool_size, strides, padding, data_format: as for :class:`MaxPooling2D`.

    Raises:
        ValueError: as :class:`MaxPooling2D` does.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.AveragePooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0].tolist()
        [[2.5, 4.5], [10.5, 12.5]]

    Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition".

    """


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The largest value of each channel over all steps.

    Args:
        data_format: ``'channels_last'``, the one there is.
        keepdims: whether the axis of steps stays, with size 1.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.GlobalMaxPooling1D()(np.ones((2, 5, 3))).shape
        (2, 3)

    """

    PLACES: ClassVar[int] = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The largest value of each channel over all places of an image.

    Args:
        data_format: ``'channels_last'``, the one there is.
        keepdims: whether the axes of places stay, with size 1.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.GlobalMaxPooling2D()(np.ones((2, 5, 5, 3))).shape
        (2, 3)

    """


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The average of each channel over all steps.

    Args:
        data_format: ``'channels_last'``, the one there is.
        keepdims: whether the axis of steps stays, with size 1.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]])).tolist()
        [[2.0]]

    """

    PLACES: ClassVar[int] = 1


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The average of each channel over all places of an image: in the place of Flatten and Dense, a net without weights there.

    Args:
        data_format: ``'channels_last'``, the one there is.
        keepdims: whether the axes of places stay, with size 1.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.GlobalAveragePooling2D()(np.arange(4.0).reshape(1, 2, 2, 1)).tolist()
        [[1.5]]

    Source: Lin et al. 2014, "Network in network".

    """
