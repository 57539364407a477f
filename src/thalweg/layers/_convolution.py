"""Convolution: Conv1D and Conv2D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from thalweg import activations
from thalweg._checks import number, whole
from thalweg._tunable import below
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._dense import activate
from thalweg.layers._kept import declared, keep
from thalweg.layers._places import OfPlaces, swept
from thalweg.layers._variable import Weight
from thalweg.layers._windows import Sweeps, convolved

_PADDINGS = {1: ("valid", "same", "causal"), 2: ("valid", "same")}


class Convolving(OfPlaces):
    """A layer with a window of weights that moves over all places, a bias and an activation."""

    def keep_window(
        self, kernel_size: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
    ) -> None:
        """Keep what says how the window moves."""
        self.kernel_size = self.sizes("kernel_size", kernel_size)
        self.strides = self.sizes("strides", strides)
        self.padding = self.named("padding", padding, _PADDINGS[self.PLACES])
        self.keep_order(data_format)
        self.dilation_rate = self.sizes("dilation_rate", dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"strides and dilation_rate cannot both be above 1, got {type(self).__name__}(strides={self.strides}, "
                f"dilation_rate={self.dilation_rate})."
            )

    def keep_end(self, activation: Any, use_bias: bool, bias: Sequence[Any]) -> None:
        """Keep what is done with the sums; bias is (initializer, regularizer, constraint)."""
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        keep(self, "bias", *bias)

    def sweeps(self, features: Features) -> Sweeps:
        """How the window moves over rows of some shape."""
        return swept(self, features, self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def finish(self, z: Any, w: Mapping[str, Any], ctx: Context, awake: Any) -> Any:
        """Bias and activation; channels that are not awake stay at zero."""
        if self.use_bias:
            z = z + w["bias"]
        return activate(self.activation, z, awake, below(ctx.h, "activation"))


class OfFilters(Convolving):
    """A convolution whose channels are its own filters, however many channels it is fed."""

    @property
    def units(self) -> int:
        """The filters: what a population pads."""
        return self.filters

    @units.setter
    def units(self, count: int) -> None:
        self.filters = count

    def keep_filters(self, filters: Any) -> None:
        """Keep how many there are."""
        if not whole(1)(filters):
            raise ValueError(f"filters must be a positive integer, got {type(self).__name__}(filters={filters!r}).")
        self.filters = int(filters)

    def output_features(self, features: Features) -> tuple[int, ...]:
        return (*(one.places for one in self.sweeps(features)), self.filters)

    def output_awake(self, awake: Any, units: Any) -> Any:
        return units


class Convolution(OfFilters):
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
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        self.keep_filters(filters)
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.groups = int(number(self, "groups", groups, at_least=1))
        if self.filters % self.groups:
            raise ValueError(
                f"filters must be a multiple of groups, got {type(self).__name__}(filters={filters}, groups={groups})."
            )
        keep(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_end(activation, use_bias, (bias_initializer, bias_regularizer, bias_constraint))

    @property
    def pads(self) -> bool:
        """Whether it leaves padding alone: groups are parts of all channels, sleeping ones too."""
        return self.groups == 1

    def init(self, features: Features) -> Sequence[Weight]:
        self.sweeps(features)
        if features[-1] % self.groups:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} has {self.groups} groups; the channels of its input must be a "
                f"multiple of that, got {features[-1]}."
            )
        shape = (*self.kernel_size, features[-1] // self.groups, self.filters)
        kernel = declared(self, "kernel", shape, (*(None for _ in self.kernel_size), "in", "out"))
        return (kernel, declared(self, "bias", (self.filters,), ("out",))) if self.use_bias else (kernel,)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return self.finish(convolved(x, w["kernel"], self.sweeps(x.shape[1:]), self.groups), w, ctx, ctx.units)


class Conv1D(Convolution):
    """``activation(conv(x, kernel) + bias)``: one small net, used at every step of a sequence.

    ``y[t, f] = sum over i, c of x[stride t + dilation i, c] kernel[i, c, f]``, on sequences [rows, steps, channels].

    Args:
        filters: channels that come out; in a population the members' may differ.
        kernel_size: steps that the window reaches over.
        strides: steps from one window to the next.
        padding: ``'valid'``: windows that lie within; ``'same'``: zeros at both ends, so that (with stride 1) as many
            steps come out as go in; ``'causal'``: zeros before the first alone, so that no step sees later ones.
        data_format: ``'channels_last'``, the one there is.
        dilation_rate: steps from one cell of the window to the next.
        groups: parts of the channels, each with filters of its own.
        activation: name, function, or None.
        use_bias: whether a bias is added, one a filter.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss;
            their factors are hypers.
        kernel_constraint, bias_constraint: applied after every update.

    Raises:
        ValueError: where a size is no positive whole number, a name is unknown, or rows are no sequences, or too short.

    Example:
        >>> import numpy as np, thalweg
        >>> steps = np.arange(4.0).reshape(1, 4, 1)
        >>> sums = thalweg.layers.Conv1D(1, 2, kernel_initializer='ones')
        >>> sums(steps).ravel().tolist()
        [1.0, 3.0, 5.0]

    Source: Waibel et al. 1989, "Phoneme recognition using time-delay neural networks"; van den Oord et al. 2016,
    "WaveNet" (causal, dilated).

    """

    PLACES: ClassVar[int] = 1


class Conv2D(Convolution):
    """``activation(conv(x, kernel) + bias)``: one small net, used at every place of an image.

    ``y[h, w, f] = sum over i, j, c of x[stride h + dilation i, stride w + dilation j, c] kernel[i, j, c, f]``, on images
    [rows, height, width, channels]. What a filter has learnt at one place it knows at all of them.

    Args:
        filters: channels that come out; in a population the members' may differ.
        kernel_size: height and width of the window, one number for both or a pair.
        strides: rows and columns from one window to the next, likewise.
        padding: ``'valid'``: windows that lie within; ``'same'``: zeros around the image, so that (with stride 1) what
            comes out is as large as what goes in.
        data_format: ``'channels_last'``, the one there is.
        dilation_rate: rows and columns from one cell of the window to the next.
        groups: parts of the channels, each with filters of its own.
        activation: name, function, or None.
        use_bias: whether a bias is added, one a filter.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss;
            their factors are hypers.
        kernel_constraint, bias_constraint: applied after every update.

    Raises:
        ValueError: where a size is no positive whole number, a name is unknown, or rows are no images, or too small.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Conv2D(8, 3, activation='relu')(np.ones((2, 28, 28, 1))).shape
        (2, 26, 26, 8)

    Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition".

    """
