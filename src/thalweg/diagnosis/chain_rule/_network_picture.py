"""A net for one example: neurons as dots, weights as lines, and beside them what it sees, drawn from the record alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._figures import BLUE, GREEN, GREY, ORANGE, handed_on, require_matplotlib
from thalweg.diagnosis._colours import shade, show_pixels, signed_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thalweg.diagnosis.chain_rule._backprop import Backprop
    from thalweg.diagnosis.chain_rule._drawn_network import Column, DrawnNetwork

_APART, _DOT = 3.2, 0.36  # units between columns; radius of a neuron, of which one unit lies between two
_INCH = 0.42  # inches a unit
_ARROW = 0.62  # where the mark of what is asked stands, right of a neuron


def network_picture(
    found: Backprop, example: int, path: str | Path | None, marked: tuple[str, int] | None = None
) -> Figure:
    """See ``Backprop.plot``."""
    require_matplotlib()
    from matplotlib.figure import Figure

    drawn = found.network(example, marked)
    columns = drawn.columns
    beside = found.picture is not None
    tall = max(len(column.neurons) for column in columns) + 2.6
    wide = (len(columns) - 1) * _APART + 3.0
    widths = [*([2.4 / _INCH] if beside else []), max(wide, 12.0)]
    figure = Figure(figsize=(_INCH * sum(widths) + 0.3, _INCH * tall + 0.8), layout="constrained")
    panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    if beside:
        show_pixels(panels[0], found.layers[0].activation[example], found.picture)
        panels[0].set_title(f"example {example}" if len(found.losses) > 1 else "the example", fontsize=10)
    axes = panels[-1]
    for number, weights in enumerate(drawn.weights):
        if weights is not None:
            sides = [_heights(columns[number + i]) for i in (0, 1)]
            x = number * _APART
            ends = [((x + _DOT, y0), (x + _APART - _DOT, y1)) for y0 in sides[0] for y1 in sides[1]]
            signed_lines(axes, ends, weights.ravel())
    for number, column in enumerate(columns):
        _neurons(axes, column, number * _APART)
    if marked is not None:
        _mark(axes, columns, marked)
    _outputs(axes, drawn, (len(columns) - 1) * _APART)
    which = "" if len(found.losses) == 1 else f"example {example} of {len(found.losses):,}: "
    _legend(figure, axes, f"{which}loss {drawn.loss:.3g}; darker is more active, thicker is a larger weight")
    axes.set_xlim(-0.9, (len(columns) - 1) * _APART + 2.1)
    axes.set_ylim(-tall / 2, tall / 2)
    axes.set_aspect("equal")
    axes.axis("off")
    return handed_on(figure, path)


def _heights(column: Column) -> np.ndarray:
    """Where its neurons are drawn."""
    count = len(column.neurons)
    return (count - 1) / 2 - np.arange(count, dtype=float)


def _neurons(axes: Any, column: Column, x: float) -> None:
    from matplotlib.patches import Circle

    heights = _heights(column)
    top = float(np.abs(column.activation).max()) or 1.0
    most = float(np.abs(column.asked).max()) or 1.0
    for neuron, y in zip(column.neurons, heights, strict=True):
        value, asked = column.activation[neuron], column.asked[neuron]
        fill, ink = shade(abs(value) / top)
        axes.add_patch(Circle((x, y), _DOT, facecolor=fill, edgecolor="#33373c", linewidth=0.8, zorder=3))
        axes.text(x, y, _short(value), ha="center", va="center", fontsize=7, color=ink, zorder=4)
        axes.text(x - _DOT, y + _DOT, f"{neuron}", ha="right", va="center", fontsize=5, color=GREY, zorder=5)
        size = 9 * np.sqrt(abs(asked) / most)
        if size > 1.5:
            mark, color = ("^", BLUE) if asked > 0 else ("v", ORANGE)
            axes.plot(
                [x + _ARROW - 0.12], [y + 0.22], mark, markersize=size, color=color, markeredgecolor="white", zorder=5
            )
    left = len(column.activation) - len(column.neurons)
    if left:
        axes.text(x, heights[-1] - 0.75, f"⋮\n{left:,} more", ha="center", va="top", fontsize=8, color="#33373c")
    title = column.title if len(column.title) < 18 else f"{column.title[:16]}…"
    axes.text(x, heights[0] + 0.75, title.replace("$", r"\$"), ha="center", va="bottom", fontsize=9, weight="bold")


def _mark(axes: Any, columns: tuple[Column, ...], marked: tuple[str, int]) -> None:
    """A ring around one neuron."""
    from matplotlib.patches import Circle

    layer, neuron = marked
    place = next(i for i, one in enumerate(columns) if one.layer == layer)
    y = _heights(columns[place])[list(columns[place].neurons).index(neuron)]
    spot = (place * _APART, y)
    axes.add_patch(
        Circle(spot, _DOT + 0.14, facecolor="none", edgecolor="black", linewidth=2.2, zorder=3, label="marked")
    )


def _outputs(axes: Any, drawn: DrawnNetwork, x: float) -> None:
    """Names of the outputs, and a ring around the one that is right where the target is a class."""
    from matplotlib.patches import Circle

    column = drawn.columns[-1]
    if len(column.activation) < 2:
        return
    for neuron, y in zip(column.neurons, _heights(column), strict=True):
        is_right = neuron == drawn.right
        weight = "bold" if is_right else "normal"
        color = GREEN if is_right else "#33373c"
        name = drawn.names[neuron].replace("$", r"\$")
        axes.text(x + _ARROW + 0.25, y, name, ha="left", va="center", fontsize=8, weight=weight, color=color)
        if is_right:
            axes.add_patch(Circle((x, y), _DOT + 0.07, facecolor="none", edgecolor=GREEN, linewidth=2, zorder=3))


def _legend(figure: Figure, axes: Any, told: str) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=BLUE, linewidth=2, label="weight > 0"),
        Line2D([], [], color=ORANGE, linewidth=2, label="weight < 0"),
        Line2D([], [], color=BLUE, marker="^", linestyle="", label="asked to rise"),
        Line2D([], [], color=ORANGE, marker="v", linestyle="", label="asked to fall"),
    ]
    figure.legend(handles=marks, loc="outside lower right", ncols=4, frameon=False, fontsize=8)
    axes.set_title(told, fontsize=9, color=GREY, pad=10)


def _short(value: float) -> str:
    """A number in at most five characters."""
    return next((text for text in (f"{value:.2f}", f"{value:.1f}", f"{value:.0f}") if len(text) <= 5), f"{value:.0e}")
