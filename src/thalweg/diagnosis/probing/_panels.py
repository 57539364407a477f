"""Panels that pictures of a probe, and of nets side by side, are made of."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._figures import BLUE, GREEN, GREY, ORANGE
from thalweg.diagnosis._colours import signed_map

if TYPE_CHECKING:
    from thalweg.diagnosis.probing._calibration import Calibration

COLORS = (BLUE, ORANGE, GREEN, "#cc79a7", "#e69f00", "#56b4e9", "#000000", GREY)
_FAINT = "#d4d8de"
_ABOVE = 0.4  # room for a label above a tile, over its height
_NUMBERED = 3  # groups of bars up to which there is room for numbers
Curve = tuple[str, str, Any]
"""Name, colour, and what is drawn."""


def plain_axes(axes: Any, title: str) -> None:
    """Two spines, a faint grid, a title at the left."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color=_FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    titled(axes, title)


def titled(axes: Any, title: str, line: int = 42) -> None:
    """A title at the left, in lines of so many letters at most."""
    axes.set_title(textwrap.fill(title, line), fontsize=9, loc="left", fontweight="bold")
    axes.tick_params(labelsize=8)


def response_panel(axes: Any, title: str, curves: Sequence[Curve], chance: float) -> None:
    """Accuracy over the size of a change, with intervals; dashed is what guessing reaches."""
    plain_axes(axes, title)
    axes.axhline(100 * chance, color=GREY, linewidth=0.8, linestyle="--")
    shares = False
    for name, color, response in curves:
        shares = response.unit.startswith("of ")
        sizes = np.array(response.sizes) * (100 if shares else 1)
        value, low, high = 100 * np.array(response.accuracy).T
        axes.fill_between(sizes, low, high, color=color, alpha=0.15, linewidth=0)
        axes.plot(sizes, value, "-o", color=color, markersize=3, linewidth=1.4, label=name)
        axes.set_xticks(sizes)
        if sizes[0] > sizes[-1]:
            axes.set_xlim(sizes[0] * 1.03, 0)
    unit = curves[0][2].unit
    axes.set_xlabel(f"% {unit}" if shares else unit, fontsize=8)
    axes.set_ylim(0, 102)


def bars_panel(axes: Any, title: str, names: Sequence[str], groups: Sequence[Curve]) -> None:
    """Horizontal bars from 0 to 1, of each name one a group."""
    plain_axes(axes, title)
    high = 0.8 / len(groups)
    places = np.arange(len(names))
    for i, (name, color, values) in enumerate(groups):
        at = places - 0.4 + (i + 0.5) * high
        axes.barh(at, values, height=0.9 * high, color=color, label=name)
        for y, value in zip(at, values, strict=True) if len(groups) <= _NUMBERED else ():
            inside = value > 0.8
            axes.text(
                value + (-0.02 if inside else 0.02), y, f"{value:.2f}", va="center",
                ha="right" if inside else "left", fontsize=7, color="white" if inside else "black",
            )  # fmt: skip
    axes.set_yticks(places, [textwrap.fill(name, 16) for name in names])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.set_xlim(0, 1)


def reliability_panel(axes: Any, title: str, curves: Sequence[tuple[str, str, Calibration]]) -> None:
    """The share that is right over the probability that was said, a dot a bin; of more rows it is larger."""
    plain_axes(axes, title)
    axes.plot([0, 100], [0, 100], color=GREY, linewidth=0.8, linestyle="--")
    for name, color, one in curves:
        said, share, low, high, rows = (
            np.array([point[key] for point in one.points]) for key in ("probability", "share", "low", "high", "rows")
        )
        axes.vlines(100 * said, 100 * low, 100 * high, color=color, linewidth=0.8, alpha=0.6)
        axes.scatter(100 * said, 100 * share, s=10 + 60 * rows / rows.sum(), color=color, label=name, zorder=3)
    axes.set_xlabel("probability said, %", fontsize=8)
    axes.set_ylabel("right, %", fontsize=8)
    axes.set(xlim=(0, 102), ylim=(0, 102))


def tiles(
    axes: Any,
    images: Sequence[np.ndarray | None],
    columns: int,
    ends: tuple[float, float] | None,
    labels: Sequence[str] = (),
    colors: Sequence[str] = (),
) -> None:
    """Pictures of one shape side by side, as one image; with signs, each by its own size, where there are no ends.

    Args:
        axes: to draw on.
        images: [height, width, channels] each, or None for a hole.
        columns: how many lie in a row.
        ends: the least and the largest value of a pixel, or None.
        labels: what stands above each.
        colors: of the labels.

    """
    axes.set(xticks=[], yticks=[], anchor="NW")
    axes.spines[:].set_visible(False)
    shown = [None if one is None else _pixels(one, ends) for one in images]
    shape = next(one.shape for one in shown if one is not None)
    lines = -(-len(shown) // columns)
    gap = max(1, shape[0] // 14)
    above = max(gap, round(_ABOVE * shape[0])) if labels else 0
    tall, wide = shape[0] + max(gap, above), shape[1] + gap
    room = np.full((lines * tall, columns * wide - gap, *shape[2:]), np.nan)
    for i, one in enumerate(shown):
        bottom, left = (i // columns + 1) * tall, i % columns * wide
        if one is not None:
            room[bottom - shape[0] : bottom, left : left + shape[1]] = one
    if room.ndim == 3:
        axes.imshow(np.nan_to_num(room, nan=1.0))
    else:
        axes.imshow(room, **(dict(cmap=signed_map(), vmin=-1) if ends is None else dict(cmap="gray", vmin=0)), vmax=1)
    for i, label in enumerate(labels):
        place = (i % columns * wide + shape[1] / 2 - 0.5, i // columns * tall + above - 0.9)
        axes.text(*place, label, ha="center", va="bottom", fontsize=7, color=colors[i] if colors else "black")


def _pixels(image: np.ndarray, ends: tuple[float, float] | None) -> np.ndarray:
    """Grey [height, width] or colours [height, width, 3], from 0 to 1; or from -1 to 1, the mean over channels."""
    image = np.asarray(image, float)
    if ends is None:
        flat = image.mean(axis=-1)
        return np.asarray(flat / (np.abs(flat).max() or 1.0))
    scaled = np.clip((image - ends[0]) / (ends[1] - ends[0]), 0, 1)
    return np.asarray(scaled if image.shape[-1] == 3 else scaled.mean(axis=-1))
