"""What layers of images and sequences have in common: sizes as tuples, the order of axes, the shapes they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from thalweg._checks import one_of, whole
from thalweg._names import unknown
from thalweg.layers._base import Features, Layer
from thalweg.layers._variable import Weight
from thalweg.layers._windows import Sweeps, sweep

_WHAT = {1: "sequences, [rows, steps, channels]", 2: "images, [rows, height, width, channels]"}
_INSTEAD = {
    1: "For one number a step put a Reshape((steps, 1)) before it.",
    2: "For grey images without an axis of channels put a Reshape((height, width, 1)) before it.",
}


def channels_last(layer: Layer, data_format: str | None) -> str:
    """The one order of axes that there is.

    Raises:
        ValueError: on any other.

    """
    if data_format not in (None, "channels_last"):
        detail = (
            "Images are channels_last here, as CPUs compute them: give rows of (height, width, channels), for example "
            "np.moveaxis(x, 1, -1), and leave data_format out."
            if data_format == "channels_first"
            else unknown("data_format", data_format, ["channels_last"])
        )
        raise ValueError(
            f"data_format must be 'channels_last', got {type(layer).__name__}(data_format={data_format!r}). {detail}"
        )
    return "channels_last"


def check_places(layer: Layer, features: Features, places: int) -> None:
    """Raise where rows are no images, or no sequences.

    Args:
        layer: that takes them.
        features: shape of a row.
        places: axes that a row must have beside that of the channels.

    """
    if len(features) != places + 1 or isinstance(features[0], tuple):
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r} takes a batch of {_WHAT[places]}, got rows of shape "
            f"{tuple(features)}. {_INSTEAD[places]}"
        )


class OfPlaces(Layer):
    """A layer of sequences or images: each row has axes of places, then one of channels."""

    PLACES: ClassVar[int] = 2  # axes of places
    looks_around: ClassVar[bool] = True  # what it gives for a place depends on others

    def keep_order(self, data_format: str | None) -> None:
        """Take ``'channels_last'``, the one order of axes there is."""
        self.data_format = channels_last(self, data_format)

    def sizes(self, name: str, given: Any, at_least: int = 1) -> tuple[int, ...]:
        """One whole number an axis of places, from a number or several."""
        each = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,) * self.PLACES
        if len(each) != self.PLACES or not all(map(whole(at_least), each)):
            several = "" if self.PLACES == 1 else f", or {self.PLACES} of them"
            raise ValueError(
                f"{name} must be a whole number of {at_least} or more{several}, got {type(self).__name__}({name}={given!r})."
            )
        return tuple(map(int, each))

    def named(self, name: str, given: Any, known: Iterable[str]) -> str:
        """One of some names, in small letters."""
        return one_of(self, name, given.lower() if isinstance(given, str) else given, known)

    def init(self, features: Features) -> Sequence[Weight]:
        self.output_features(features)  # says what rows it cannot take
        return ()

    def check_features(self, features: Features) -> None:
        """Weights know channels alone: they serve images of any size."""
        if features[-1] != self.features[-1]:
            super().check_features(features)

    def output_awake(self, awake: Any, units: Any) -> Any:
        """Channels sleep at all places or at none."""
        return awake[(slice(0, 1),) * self.PLACES]


def swept(
    layer: Any, features: Features, size: Sequence[int], stride: Sequence[int], padding: str, dilation: Any = None
) -> Sweeps:
    """How a layer's window moves over rows of some shape, an axis of places each.

    Raises:
        ValueError: where the rows have another number of axes, or are smaller than the window.

    """
    check_places(layer, features, len(size))
    dilation = dilation or (1,) * len(size)
    each = zip(features, size, stride, dilation, strict=False)
    found = tuple(sweep(length, k, step, apart, padding) for length, k, step, apart in each)
    if any(one.places < 1 for one in found):
        reach = " x ".join(str((k - 1) * apart + 1) for k, apart in zip(size, dilation, strict=True))
        raise ValueError(
            f"The window of {type(layer).__name__} {layer.name!r} reaches over {reach} places, more than rows of shape "
            f"{tuple(features)} have. Give it a smaller one, or padding='same'; or pool less before it."
        )
    return found
