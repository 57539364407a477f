"""The shape of a loss as pictures, drawn from the records alone, without pyplot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._figures import BLUE, FAINT, GREEN, GREY, ORANGE, handed_on, require_matplotlib
from thalweg._names import unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thalweg.diagnosis.landscape._along import Along
    from thalweg.diagnosis.landscape._hessian import Hessian
    from thalweg.diagnosis.landscape._interpolation import Interpolation
    from thalweg.diagnosis.landscape._surface import LossSurface

_LEVELS = 24  # contours
_LEAST = 1e-6  # of the highest loss, below which heights are drawn as one
_LOWEST = 1e-6  # of a spectrum's density, where its axis ends
_MARKS = {"minimum": ("v", GREEN), "saddle": ("X", ORANGE), "maximum": ("^", ORANGE), "flat": ("s", GREY)}
_ELSE = ("o", BLUE)
_STAR: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "markersize": 13}
_CROSS: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "markersize": 9}


def hessian_picture(found: Hessian, path: str | Path | None) -> Figure:
    """See ``Hessian.plot``."""
    figure, (axes,) = new(1)
    density = found.density()
    axes.fill_between(density.values, density.low, density.high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(density.values, density.mean, color=BLUE, linewidth=1.4, label="density")
    negative = found.eigenvalues < -found.noise
    for mask, color, label in ((negative, ORANGE, "negative ones"), (~negative, GREEN, "extreme eigenvalues")):
        if mask.any():
            axes.plot(
                found.eigenvalues[mask], np.zeros(mask.sum()), "|", markersize=18, color=color, label=label,
                transform=axes.get_xaxis_transform(), clip_on=False,
            )  # fmt: skip
    top = float(density.mean.max())
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set(
        yscale="log",
        ylim=(_LOWEST * top, 3 * top),
        xlabel="curvature: eigenvalue of the Hessian",
        ylabel="share of eigenvalues a unit",
    )
    return finished(figure, path)


def along_picture(found: Along, path: str | Path | None) -> Figure:
    """See ``Along.plot``."""
    figure, (above, middle, below) = new(3, height=7.5)
    steps, points = np.array(found.steps), found.points
    above.plot(steps, [one.loss for one in points], color=GREY, linewidth=1.2)
    middle.plot(steps, [max(one.gradient_norm, 1e-300) for one in points], color=BLUE, linewidth=1.4)
    below.axhline(0, color=GREY, linewidth=0.8)
    below.plot(steps, [one.lowest.value for one in points], color=ORANGE, linewidth=1.4)
    for kind in dict.fromkeys(one.kind for one in points):
        here = [i for i, one in enumerate(points) if one.kind == kind]
        marker, color = _MARKS.get(kind, _ELSE)
        above.scatter(
            steps[here], [points[i].loss for i in here], marker=marker, color=color, s=26, label=kind, zorder=3
        )
    above.set(ylabel="loss", yscale="log" if min(one.loss for one in points) > 0 else "linear")
    middle.set(ylabel="length of the gradient", yscale="log")
    below.set(ylabel="lowest curvature", xlabel="step")
    return finished(figure, path)


def surface_picture(found: LossSurface, path: str | Path | None, kind: str) -> Figure:
    """See ``LossSurface.plot``."""
    kinds = ("contour", "3d")
    if kind not in kinds:
        raise ValueError(unknown("kind", kind, kinds))
    if kind == "3d":
        return _solid(found, path)
    figure, (axes,) = new(1, width=7.2, height=5.6)
    axes.grid(False)
    bar = contours(axes, found.alphas, found.betas, found.losses)
    figure.colorbar(bar[0], ax=axes, label="loss", ticks=bar[1], format="%.3g")
    if found.shows_path:
        assert found.path is not None
        axes.plot(*found.path.T, "-", color="white", linewidth=3.2, zorder=3)
        axes.plot(*found.path.T, "-o", color=ORANGE, markersize=3, linewidth=1.4, label="path", zorder=4)
        axes.plot(*found.path[0], "o", color=ORANGE, markersize=9, markerfacecolor="white", label="its start", zorder=5)
    axes.plot(0, 0, "P", label="the net", zorder=6, **_CROSS)
    alpha, beta, _ = found.minimum
    axes.plot(alpha, beta, "*", label="lowest", zorder=6, clip_on=False, **_STAR)
    share = "" if found.explained is None else f" ({found.explained:.1%} of the path's squared distances)"
    axes.set(xlabel=f"alpha{share}", ylabel="beta")
    axes.set(xlim=found.alphas[[0, -1]], ylim=found.betas[[0, -1]])
    return finished(figure, path)


def _solid(found: LossSurface, path: str | Path | None) -> Figure:
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 5.6), layout="constrained")
    axes: Any = figure.add_subplot(projection="3d")
    heights, ticks = _heights(found.losses)
    a, b = np.meshgrid(found.alphas, found.betas)
    axes.computed_zorder = False  # the floor lies below the surface, points lie on it
    axes.plot_surface(
        a, b, heights, cmap="viridis", rstride=1, cstride=1, linewidth=0, antialiased=True, alpha=0.95, zorder=2
    )
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    floor = low - 0.3 * ((high - low) or 1.0)
    axes.contour(a, b, np.ma.masked_invalid(heights), levels=16, cmap="viridis", offset=floor, linewidths=0.8, zorder=1)
    axes.set(zlim=(floor, high), xlim=found.alphas[[0, -1]], ylim=found.betas[[0, -1]])
    axes.set_zticks(np.log10(ticks) if _is_log(found.losses) else ticks, [f"{tick:.3g}" for tick in ticks])
    _points(axes, found, heights)
    logged = ", in equal ratios" if _is_log(found.losses) else ""
    axes.set(xlabel="alpha", ylabel="beta", zlabel=f"loss{logged}")
    axes.zaxis.labelpad = 10
    axes.view_init(elev=32, azim=-58)
    return finished(figure, path)


def _points(axes: Any, found: LossSurface, heights: np.ndarray) -> None:
    """The path, the net and the lowest point, on the surface."""
    from scipy.interpolate import RegularGridInterpolator

    on = RegularGridInterpolator((found.betas, found.alphas), heights, bounds_error=False)

    def drawn(points: np.ndarray, how: str, **style: Any) -> None:
        axes.plot(*points.T, on(points[:, ::-1]), how, zorder=10, **style)

    if found.shows_path:
        assert found.path is not None
        drawn(found.path, "-o", color=ORANGE, markersize=3, linewidth=1.6, label="path")
        drawn(found.path[:1], "o", color=ORANGE, markersize=9, markerfacecolor="white", label="its start")
    drawn(np.zeros((1, 2)), "P", label="the net", **_CROSS)
    drawn(np.array([found.minimum[:2]]), "*", label="lowest", **_STAR)


def line_picture(found: Interpolation, path: str | Path | None) -> Figure:
    """See ``Interpolation.plot``."""
    figure, panels = new(1 if found.errors is None else 2, height=4.0 if found.errors is None else 6.0)
    curves = [(panels[0], found.losses, "loss", BLUE)]
    if found.errors is not None:
        curves.append((panels[1], 100 * found.errors, "rows that are wrong, %", ORANGE))
    for axes, values, label, color in curves:
        axes.plot(found.alphas[[0, -1]], values[[0, -1]], "--", color=GREY, linewidth=1)
        axes.plot(found.alphas, values, "-o", color=color, markersize=3.5, linewidth=1.4)
        axes.set_ylabel(label)
    if 0 < found.barrier < np.inf:
        i = int(np.argmin(np.abs(found.alphas - found.place)))
        foot = found.losses[i] - found.barrier
        panels[0].plot(
            [found.place] * 2, [foot, found.losses[i]], color=GREEN, linewidth=2.5, label=f"barrier {found.barrier:.3g}"
        )
    panels[-1].set_xlabel("alpha: 0 is the first net, 1 the second")
    return finished(figure, path)


def contours(
    axes: Any, x: np.ndarray, y: np.ndarray, heights: np.ndarray, cmap: Any = "viridis"
) -> tuple[Any, list[float]]:
    """Filled contours at heights in equal ratios; holes stay grey. Gives what a colour bar needs, and its ticks."""
    axes.set_facecolor(FAINT)
    shown, ticks = _heights(heights)
    levels = np.linspace(np.nanmin(shown), np.nanmax(shown), _LEVELS)
    if not levels[-1] > levels[0]:
        levels = levels[0] + np.linspace(-0.5, 0.5, _LEVELS)
    logged = _is_log(heights)
    masked = np.ma.masked_invalid(10**shown if logged else shown)
    edges = 10**levels if logged else levels
    edges[0], edges[-1] = edges[0] * (1 - 1e-9) - 1e-300, edges[-1] + abs(edges[-1]) * 1e-9
    norm = _norm(logged, edges)
    filled = axes.contourf(x, y, masked, levels=edges, cmap=cmap, norm=norm)
    axes.contour(x, y, masked, levels=edges, colors="white", linewidths=0.35, alpha=0.6)
    return filled, ticks


def _norm(logged: bool, edges: np.ndarray) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    return LogNorm(edges[0], edges[-1]) if logged else Normalize(edges[0], edges[-1])


def _is_log(losses: np.ndarray) -> bool:
    """Whether heights are drawn in equal ratios: where none is negative and they differ by more than that shows."""
    low, high = float(np.nanmin(losses)), float(np.nanmax(losses))
    return low >= 0 and high > 2 * low


def _heights(losses: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """What is drawn, in powers of ten where ratios are, and where an axis has its ticks."""
    low, high = float(np.nanmin(losses)), float(np.nanmax(losses))
    if not _is_log(losses):
        return losses, list(np.linspace(low, high, 6))
    floor = max(low, _LEAST * high)
    return np.log10(np.maximum(losses, floor)), list(np.geomspace(floor, high, 6))


def new(panels: int, width: float = 7.0, height: float = 4.5) -> tuple[Figure, Any]:
    """A figure and its axes, one below the other."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(True, color=FAINT, linewidth=0.5)
        one.set_axisbelow(True)
    return figure, axes


def finished(figure: Figure, path: str | Path | None) -> Figure:
    """With a legend of whatever has a name."""
    if any(axes.get_legend_handles_labels()[1] for axes in figure.axes):
        figure.legend(loc="outside upper center", ncols=5, frameon=False, fontsize=9)
    return handed_on(figure, path)
