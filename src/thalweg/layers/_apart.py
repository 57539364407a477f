"""Convolution of each channel by itself: DepthwiseConv2D and SeparableConv2D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._checks import number
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._convolution import Convolving, OfFilters
from thalweg.layers._kept import declared, keep
from thalweg.layers._variable import Weight
from thalweg.layers._windows import convolved_apart


class DepthwiseConv2D(Convolving):
    """A window of weights for each channel, which sees that channel alone.

    ``y[h, w, c m + k] = sum over i, j of x[stride h + i, stride w + j, c] kernel[i, j, c, k]``, m the multiplier.

    Args:
        kernel_size: height and width of the window, one number for both or a pair.
        strides: rows and columns from one window to the next, likewise.
        padding: ``'valid'`` or ``'same'`` (see :class:`Conv2D`).
        depth_multiplier: channels that come out for each that goes in.
        data_format: ``'channels_last'``, the one there is.
        dilation_rate: rows and columns from one cell of the window to the next.
        activation: name, function, or None.
        use_bias: whether a bias is added, one a channel that comes out.
        depthwise_initializer, bias_initializer: how the weights start.
        depthwise_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss;
            their factors are hypers.
        depthwise_constraint, bias_constraint: applied after every update.

    Raises:
        ValueError: where a size is no positive whole number, a name is unknown, or rows are no images, or too small.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 5, 5, 4))).shape
        (2, 3, 3, 8)

    Source: Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision applications".

    """

    HYPERS: ClassVar[tuple[str, ...]] = (
        "depthwise_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "depthwise_constraint",
        "bias_constraint",
        "activation",
    )
    HOST: ClassVar[tuple[str, ...]] = (*Layer.HOST, "depthwise_initializer", "bias_initializer")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = int(number(self, "depth_multiplier", depth_multiplier, at_least=1))
        keep(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.keep_end(activation, use_bias, (bias_initializer, bias_regularizer, bias_constraint))

    def init(self, features: Features) -> Sequence[Weight]:
        self.sweeps(features)
        times = self.depth_multiplier
        shape = (*self.kernel_size, features[-1], times)
        kernel = declared(self, "kernel", shape, (None, None, "in", None), kept="depthwise")
        bias = declared(self, "bias", (features[-1] * times,), (("in", times),))
        return (kernel, bias) if self.use_bias else (kernel,)

    def output_features(self, features: Features) -> tuple[int, ...]:
        return (*(one.places for one in self.sweeps(features)), features[-1] * self.depth_multiplier)

    def output_awake(self, awake: Any, units: Any) -> Any:
        return jnp.repeat(super().output_awake(awake, units), self.depth_multiplier, axis=-1)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        awake = None if ctx.awake is None else self.output_awake(ctx.awake, None)
        return self.finish(convolved_apart(x, w["kernel"], self.sweeps(x.shape[1:])), w, ctx, awake)


class SeparableConv2D(OfFilters):
    """A window for each channel by itself, then filters that mix the channels place by place.

    What :class:`Conv2D` does with ``height x width x channels x filters`` weights is done with
    ``height x width x channels x multiplier + channels x multiplier x filters``.

    Args:
        filters: channels that come out; in a population the members' may differ.
        kernel_size: height and width of the window, one number for both or a pair.
        strides: rows and columns from one window to the next, likewise.
        padding: ``'valid'`` or ``'same'`` (see :class:`Conv2D`).
        data_format: ``'channels_last'``, the one there is.
        dilation_rate: rows and columns from one cell of the window to the next.
        depth_multiplier: channels between the two steps for each that goes in.
        activation: name, function, or None.
        use_bias: whether a bias is added, one a filter.
        depthwise_initializer, pointwise_initializer, bias_initializer: how the weights start.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer: penalties added to the
            loss; their factors are hypers.
        depthwise_constraint, pointwise_constraint, bias_constraint: applied after every update.

    Raises:
        ValueError: where a size is no positive whole number, a name is unknown, or rows are no images, or too small.

    Example:
        >>> import numpy as np, thalweg
        >>> layer = thalweg.layers.SeparableConv2D(8, 3)
        >>> layer(np.ones((2, 5, 5, 4))).shape, layer.count_params()
        ((2, 3, 3, 8), 76)

    Source: Chollet 2017, "Xception: deep learning with depthwise separable convolutions".

    """

    HYPERS: ClassVar[tuple[str, ...]] = (
        "depthwise_regularizer",
        "pointwise_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "depthwise_constraint",
        "pointwise_constraint",
        "bias_constraint",
        "activation",
    )
    HOST: ClassVar[tuple[str, ...]] = (
        *Layer.HOST,
        "depthwise_initializer",
        "pointwise_initializer",
        "bias_initializer",
    )

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.keep_filters(filters)
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = int(number(self, "depth_multiplier", depth_multiplier, at_least=1))
        keep(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        keep(self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self.keep_end(activation, use_bias, (bias_initializer, bias_regularizer, bias_constraint))

    def init(self, features: Features) -> Sequence[Weight]:
        self.sweeps(features)
        times = self.depth_multiplier
        window = (*self.kernel_size, features[-1], times)
        mix = (1, 1, features[-1] * times, self.filters)
        found = [
            declared(self, "depthwise_kernel", window, (None, None, "in", None), kept="depthwise"),
            declared(self, "pointwise_kernel", mix, (None, None, ("in", times), "out"), kept="pointwise"),
        ]
        return (*found, declared(self, "bias", (self.filters,), ("out",))) if self.use_bias else tuple(found)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        between = convolved_apart(x, w["depthwise_kernel"], self.sweeps(x.shape[1:]))
        return self.finish(jnp.dot(between, w["pointwise_kernel"][0, 0]), w, ctx, ctx.units)
