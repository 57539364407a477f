"""A neuron's wishes, the course's table and the pulls of examples as pictures, drawn from their records alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._figures import BLUE, GREY, ORANGE, handed_on, require_matplotlib
from thalweg.diagnosis._colours import shade, show_pixels, signed_lines, signed_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thalweg.diagnosis.chain_rule._gradient_check import GradientCheck
    from thalweg.diagnosis.chain_rule._pulls import Pulls
    from thalweg.diagnosis.chain_rule._wishes import Wishes, WishTable

_MOST = 12  # earlier neurons drawn
_EXACT = 1e-16  # an error that is as good as none
_FAR = 10.0  # units from them to the neuron


def wishes_picture(found: Wishes, path: str | Path | None) -> Figure:
    """See ``Wishes.plot``."""
    panels = [("pixels", found.fed), ("wishes for weights", found.weights), ("wishes for pixels", found.earlier)]
    beside = panels if found.picture else []
    tall = min(len(found.fed), _MOST) + (1 if len(found.fed) > _MOST else 0)
    figure = _new(7.4 + (2.8 if beside else 0), 6.2 if beside else max(0.34 * tall + 1.8, 3.4))
    grid = figure.add_gridspec(max(len(beside), 1), 2 if beside else 1, width_ratios=[3, 1] if beside else [1])
    _neuron(figure.add_subplot(grid[:, 0]), found)
    for i, (title, values) in enumerate(beside):
        axes = figure.add_subplot(grid[i, 1])
        show_pixels(axes, values, found.picture, signed=i > 0)
        axes.set_title(title, fontsize=9)
    return handed_on(figure, path)


def _neuron(axes: Any, found: Wishes) -> None:
    """Earlier activations at the left, what is asked of them beside, lines by the wishes for their weights."""
    shown = np.sort(np.lexsort((-np.abs(found.earlier), -np.abs(found.weights)))[:_MOST])
    heights = (len(shown) - 1) / 2 - np.arange(len(shown), dtype=float)
    signed_lines(axes, [((0.4, y), (_FAR - 0.6, 0.0)) for y in heights], found.weights[shown])
    top, most = np.abs(found.fed).max() or 1.0, np.abs(found.earlier).max() or 1.0
    for i, y in zip(shown, heights, strict=True):
        _dot(axes, 0.0, y, 0.38, found.fed[i], abs(found.fed[i]) / top)
        _arrow(axes, -0.85, y, found.earlier[i] / most)
        axes.text(-1.25, y, f"{i}", ha="right", va="center", fontsize=8, color=GREY)
    left = len(found.fed) - len(shown)
    if left:
        axes.text(0.0, heights[-1] - 0.7, f"⋮\n{left:,} more", ha="center", va="top", fontsize=8)
    _dot(axes, _FAR, 0.0, 0.6, found.activation, min(abs(found.activation), 1.0))
    _arrow(axes, _FAR, 1.45, np.sign(found.bias), f"bias {found.bias:+.3g}")
    axes.text(_FAR, -0.85, f"z {found.z:.3g}\ndL/dz {found.error:+.3g}", ha="center", va="top", fontsize=9)
    axes.text(
        0.0, heights[0] + 0.7, "earlier activations,\nand what is asked of them", ha="center", va="bottom", fontsize=8
    )
    axes.set_title(f"{found.whom}\n{found.verdict}", fontsize=9)
    text = "blue: raise it, orange: lower it; a line's width is the wish for its weight, an arrow's length that for an activation"
    axes.text(0.5, -0.02, text, transform=axes.transAxes, ha="center", va="top", fontsize=8, color=GREY)
    axes.set_xlim(-2.0, _FAR + 1.8)
    axes.set_aspect("equal")
    axes.set_ylim(min(heights[-1], -2) - 1.6, max(heights[0], 2) + 1.6)
    axes.axis("off")


def _dot(axes: Any, x: float, y: float, radius: float, value: float, share: float) -> None:
    from matplotlib.patches import Circle

    fill, ink = shade(share)
    axes.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor="#33373c", linewidth=0.8, zorder=3))
    axes.text(x, y, f"{value:.2g}", ha="center", va="center", fontsize=7, color=ink, zorder=4)


def _arrow(axes: Any, x: float, y: float, share: float, text: str = "") -> None:
    """Up or down, as long as the share says."""
    if np.isfinite(share) and abs(share) > 0.02:
        color, half = BLUE if share > 0 else ORANGE, 0.42 * share
        look = {"arrowstyle": "-|>", "color": color, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
        axes.annotate("", xy=(x, y + half), xytext=(x, y - half), arrowprops=look)
    if text:
        axes.text(x, y + 0.6, text, ha="center", va="bottom", fontsize=9)


def table_picture(found: WishTable, path: str | Path | None) -> Figure:
    """See ``WishTable.plot``."""
    figure = _new(2.6 + 0.8 * (len(found.examples) + 1), 1.4 + 0.36 * len(found.numbers))
    axes = figure.subplots()
    values = np.column_stack([found.wishes, found.average])
    top = float(np.abs(values).max(initial=0)) or 1.0
    axes.imshow(values, cmap=signed_map(), vmin=-top, vmax=top, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        axes.text(
            j,
            i,
            f"{value:+.2g}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if abs(value) > 0.7 * top else "#12161a",
        )
    axes.axvline(len(found.examples) - 0.5, color="#33373c", linewidth=1.5)
    axes.set_xticks(
        range(len(found.examples) + 1), [*(f"ex. {i}" for i in found.examples), f"average\nof {found.rows:,}"]
    )
    axes.set_yticks(range(len(found.numbers)), [name.replace("$", r"\$") for name in found.names])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    return handed_on(figure, path)


def pulls_picture(found: Pulls, path: str | Path | None) -> Figure:
    """See ``Pulls.plot``."""
    figure = _new(6.4, 4.4)
    axes = figure.subplots()
    colors = np.where(found.agreement < 0, ORANGE, BLUE)
    axes.scatter(found.agreement, found.norms, s=14, c=colors, alpha=0.7, linewidths=0)
    for i in found.hardest[:5]:
        spot = (found.agreement[i], found.norms[i])
        axes.annotate(f"{i}", spot, (5, 3), textcoords="offset points", fontsize=8)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(
        xlabel="agreement with the mean gradient (cosine)",
        ylabel="pull |g|",
        xlim=(-1.05, 1.05),
        title=f"{len(found.norms):,} examples: {found.cancelled:.0%} of the pull cancels out"
        if len(found.norms) > 1
        else "one example",
    )
    axes.set_ylim(bottom=0)
    return handed_on(figure, path)


def check_picture(found: GradientCheck, path: str | Path | None) -> Figure:
    """See ``GradientCheck.plot``."""
    figure = _new(5.2, 4.8)
    axes = figure.subplots()
    for one in found.parts:
        marker, color = ("o", BLUE) if one.fine else ("x", ORANGE)
        sizes = np.abs(one.pairs).max(axis=1)
        errors = np.abs(np.diff(one.pairs, axis=1)[:, 0]) / np.where(sizes > 0, sizes, 1.0)
        label = f"{one.name}: {one.verdict}".replace("$", r"\$")
        axes.scatter(sizes, np.maximum(errors, _EXACT), s=24, marker=marker, color=color, alpha=0.7, label=label)
    axes.axhline(found.tolerance, color=GREY, linewidth=0.8, zorder=0)
    axes.set(xscale="symlog", yscale="log", xlabel="size of the derivative", ylabel="relative error of the gradient")
    axes.set(title=f"gradients of {found.name}".replace("$", r"\$"), ylim=(_EXACT / 3, 3))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return handed_on(figure, path)


def _new(width: float, height: float) -> Figure:
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
