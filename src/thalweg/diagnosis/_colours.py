"""What pictures of nets share: greys by size, lines and colours by sign, pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._figures import BLUE, ORANGE

_WIDEST, _FAINTEST = 2.6, 0.08  # points; opacity


def shade(share: float) -> tuple[str, str]:
    """A grey for a number from 0 to 1, and a colour that can be read on it; a number that is none is hatched white."""
    share = float(np.nan_to_num(share))
    level = int(255 - 200 * min(share, 1.0))
    return f"#{level:02x}{level:02x}{level:02x}", "white" if level < 130 else "#12161a"


def signed_lines(axes: Any, ends: Sequence[Any], values: np.ndarray) -> None:
    """A line a value: its colour is the sign, its width and strength the size."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba

    values = np.nan_to_num(values)
    share = np.abs(values) / (np.abs(values).max() or 1.0)
    colors = [
        to_rgba(BLUE if value > 0 else ORANGE, _FAINTEST + (0.9 - _FAINTEST) * part)
        for value, part in zip(values, share, strict=True)
    ]
    order = np.argsort(share, kind="stable")  # the strong ones on top
    axes.add_collection(
        LineCollection(
            [ends[i] for i in order],
            colors=[colors[i] for i in order],
            linewidths=[0.3 + _WIDEST * share[i] for i in order],
            zorder=1,
        )
    )


def show_pixels(axes: Any, values: np.ndarray, picture: tuple[int, int, int] | None, signed: bool = False) -> Any:
    """Numbers as a picture: grey or colours, or orange to blue where they have signs."""
    assert picture is not None, "who looks like a picture has its shape"
    height, width, channels = picture
    pixels = np.asarray(values, float).reshape(height, width, channels)
    axes.set(xticks=[], yticks=[])
    if signed or channels not in (1, 3):
        top = float(np.abs(pixels).max()) or 1.0
        return axes.imshow(pixels.mean(axis=-1), cmap=signed_map(), vmin=-top, vmax=top)
    low, high = pixels.min(), pixels.max()
    scaled = (pixels - low) / ((high - low) or 1.0)
    return axes.imshow(scaled if channels == 3 else scaled[..., 0], cmap="gray_r", vmin=0, vmax=1)


def signed_map() -> Any:
    """Orange below 0, white at it, blue above."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
