"""A net for one example: neurons as dots, weights as lines, and beside them what it sees, drawn from the record alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg._figures import BLUE, GREEN, GREY, ORANGE, handed_on, require_matplotlib
from thalweg.diagnosis._colours import shade, show_pixels, signed_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thalweg.diagnosis.chain_rule._backprop import Backprop
    from thalweg.diagnosis.chain_rule._layer_pass import LayerPass

_MOST = 12  # neurons drawn of a layer
_APART, _DOT = 3.2, 0.36  # units between columns; radius of a neuron, of which one unit lies between two
_INCH = 0.42  # inches a unit
_ARROW = 0.62  # where the mark of what is asked stands, right of a neuron


class Column(NamedTuple):
    """A layer as it is drawn.

    Attributes:
        title: above it.
        neurons: which are drawn.
        heights: where.
        activation, asked: of all its neurons.

    """

    title: str
    neurons: np.ndarray
    heights: np.ndarray
    activation: np.ndarray
    asked: np.ndarray


def network_picture(
    found: Backprop, example: int, path: str | Path | None, marked: tuple[str, int] | None = None
) -> Figure:
    """See ``Backprop.plot``."""
    require_matplotlib()
    from matplotlib.figure import Figure

    dense = [one for one in found.layers if one.kernel is not None]
    if not dense:
        raise ValueError("The picture shows Dense layers on flat rows, and the net has none. Print the result instead.")
    columns = _columns(found, dense, example, marked)
    beside = found.picture is not None
    tall = max(float(np.ptp(column.heights)) for column in columns) + 3.6
    wide = (len(columns) - 1) * _APART + 3.0
    widths = [*([2.4 / _INCH] if beside else []), max(wide, 12.0)]
    figure = Figure(figsize=(_INCH * sum(widths) + 0.3, _INCH * tall + 0.8), layout="constrained")
    panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    if beside:
        show_pixels(panels[0], found.layers[0].activation[example], found.picture)
        panels[0].set_title(f"example {example}" if len(found.losses) > 1 else "the example", fontsize=10)
    axes = panels[-1]
    for number, one in enumerate(dense):
        _weights(axes, one, example, columns[number], columns[number + 1], number * _APART)
    for number, column in enumerate(columns):
        _neurons(axes, column, number * _APART)
    if marked is not None:
        _mark(axes, dense, columns, marked)
    _outputs(axes, found, columns[-1], (len(columns) - 1) * _APART, example)
    _legend(figure, axes, found, example)
    axes.set_xlim(-0.9, (len(columns) - 1) * _APART + 2.1)
    axes.set_ylim(-tall / 2, tall / 2)
    axes.set_aspect("equal")
    axes.axis("off")
    return handed_on(figure, path)


def _columns(found: Backprop, dense: list[LayerPass], example: int, marked: tuple[str, int] | None) -> list[Column]:
    """What feeds the first Dense, and each Dense, as what it hands to the next where that is as wide."""
    first = dense[0]
    assert first.fed is not None
    columns = [_column(_title(found, first), first.fed[example], first.asks[example])]
    for one, after in zip(dense, [*dense[1:], None], strict=True):
        handed = found.is_chain and after is not None and after.fed is not None and after.fed.shape[1] == one.z.shape[1]
        given = after.fed[example] if handed else one.activation[example]  # type: ignore[index, union-attr]
        own = (
            -one.error if after is None else one.asked
        )  # of outputs what moves their sums: softmax's target less activation
        asked = after.asks[example] if handed else own[example]  # type: ignore[union-attr]
        drawn = marked[1] if marked is not None and marked[0] == one.name else None
        columns.append(_column(f"{one.number} {one.name}", given, asked, drawn))
    return columns


def _title(found: Backprop, first: LayerPass) -> str:
    assert first.fed is not None
    inputs = found.layers[0].activation
    return "inputs" if np.array_equal(inputs.reshape(len(inputs), -1), first.fed) else f"before {first.name}"


def _column(title: str, activation: np.ndarray, asked: np.ndarray, drawn: int | None = None) -> Column:
    """Of a wide layer those are drawn by whose activations the loss hangs most, ``|a * dL/da|``; of equals the most active.

    One is `drawn` in any case.
    """
    order = np.lexsort((-np.abs(activation), -np.abs(activation * asked), np.arange(len(activation)) != drawn))
    neurons = np.sort(order[:_MOST])
    heights = (len(neurons) - 1) / 2 - np.arange(len(neurons), dtype=float)
    return Column(title, neurons, heights, activation, asked)


def _weights(axes: Any, layer: LayerPass, example: int, left: Column, right: Column, x: float) -> None:
    assert layer.kernel is not None and layer.fed is not None, "only Dense layers are drawn"
    if not np.array_equal(layer.fed[example], left.activation, equal_nan=True):
        return  # fed by something else than the column beside it
    kernel = layer.kernel[np.ix_(left.neurons, right.neurons)]
    ends = [((x + _DOT, y0), (x + _APART - _DOT, y1)) for y0 in left.heights for y1 in right.heights]
    signed_lines(axes, ends, kernel.ravel())


def _neurons(axes: Any, column: Column, x: float) -> None:
    from matplotlib.patches import Circle

    top = float(np.abs(column.activation).max()) or 1.0
    most = float(np.abs(column.asked).max()) or 1.0
    for neuron, y in zip(column.neurons, column.heights, strict=True):
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
        axes.text(x, column.heights[-1] - 0.75, f"⋮\n{left:,} more", ha="center", va="top", fontsize=8, color="#33373c")
    title = column.title if len(column.title) < 18 else f"{column.title[:16]}…"
    axes.text(
        x, column.heights[0] + 0.75, title.replace("$", r"\$"), ha="center", va="bottom", fontsize=9, weight="bold"
    )


def _mark(axes: Any, dense: list[LayerPass], columns: list[Column], marked: tuple[str, int]) -> None:
    """A ring around one neuron."""
    from matplotlib.patches import Circle

    layer, neuron = marked
    place = next(i for i, one in enumerate(dense, start=1) if one.name == layer)
    y = columns[place].heights[list(columns[place].neurons).index(neuron)]
    spot = (place * _APART, y)
    axes.add_patch(
        Circle(spot, _DOT + 0.14, facecolor="none", edgecolor="black", linewidth=2.2, zorder=3, label="marked")
    )


def _outputs(axes: Any, found: Backprop, column: Column, x: float, example: int) -> None:
    """Names of the outputs, and a ring around the one that is right where the target is a class."""
    from matplotlib.patches import Circle

    names = found.class_names if len(found.class_names) == len(column.activation) else range(len(column.activation))
    if len(column.activation) < 2:
        return
    right = _class_of(found.targets[example], len(column.activation))
    for neuron, y in zip(column.neurons, column.heights, strict=True):
        is_right = neuron == right
        weight = "bold" if is_right else "normal"
        color = GREEN if is_right else "#33373c"
        name = str(names[neuron]).replace("$", r"\$")
        axes.text(x + _ARROW + 0.25, y, name, ha="left", va="center", fontsize=8, weight=weight, color=color)
        if is_right:
            axes.add_patch(Circle((x, y), _DOT + 0.07, facecolor="none", edgecolor=GREEN, linewidth=2, zorder=3))


def _class_of(target: np.ndarray, outputs: int) -> int | None:
    """The class that a target names: a number, or the one place of a 1."""
    if target.size == 1:
        value = float(target.reshape(()))
        return int(value) if value.is_integer() and 0 <= value < outputs else None
    ones = target.ravel() == 1
    return (
        int(ones.argmax()) if target.size == outputs and ones.sum() == 1 and not target.ravel()[~ones].any() else None
    )


def _legend(figure: Figure, axes: Any, found: Backprop, example: int) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=BLUE, linewidth=2, label="weight > 0"),
        Line2D([], [], color=ORANGE, linewidth=2, label="weight < 0"),
        Line2D([], [], color=BLUE, marker="^", linestyle="", label="asked to rise"),
        Line2D([], [], color=ORANGE, marker="v", linestyle="", label="asked to fall"),
    ]
    figure.legend(handles=marks, loc="outside lower right", ncols=4, frameon=False, fontsize=8)
    which = "" if len(found.losses) == 1 else f"example {example} of {len(found.losses):,}: "
    told = f"{which}loss {found.losses[example]:.3g}; darker is more active, thicker is a larger weight"
    axes.set_title(told, fontsize=9, color=GREY, pad=10)


def _short(value: float) -> str:
    """A number in at most five characters."""
    return next((text for text in (f"{value:.2f}", f"{value:.1f}", f"{value:.0f}") if len(text) <= 5), f"{value:.0e}")
