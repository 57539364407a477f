"""A race as a picture, and as a moving one; drawn from the record alone, without pyplot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._checks import arguments, whole
from thalweg._figures import FAINT, handed_on, require_matplotlib
from thalweg.diagnosis.landscape._pictures import contours
from thalweg.diagnosis.landscape._race import DECAYED, Race, reach

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = ("#000000", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7d848c")
_PAPER = ("#ffffff", "#c3ccd5")  # of the lowest and the highest place
_SECOND = 12  # frames a second
_PAUSE = 2000  # milliseconds that the end stays
_SHADES = 128  # colours of a moving picture


def race_picture(found: Race, path: str | Path | None) -> Figure:
    """See ``Race.plot``."""
    figure, field, chart = _sheet(found)
    steps, heights = np.arange(found.losses.shape[1]), _shown(found)
    ways = _kept(found)
    for i, name in enumerate(found.names):
        style = _style(found, i)
        field.plot(*ways[i].T, linewidth=1.5, **style)
        _head(field, style).set_data(*ways[i, [-1]].T)
        chart.plot(steps, heights[i], linewidth=1.3, label=name, **style)
    _legend(figure, chart, len(found.names))
    return handed_on(figure, path)


def race_animation(found: Race, path: Path, frames: int) -> Path:
    """See ``Race.animate``."""
    arguments("animate", {"frames": frames}, {"frames": (whole(2), "a whole number of 2 or more")})
    if path.suffix.lower() != ".gif":
        raise ValueError(f"path must end in .gif, got animate({str(path)!r}).")
    figure, field, chart = _sheet(found, size=(9.0, 4.4))
    steps, heights, ways = np.arange(found.losses.shape[1]), _shown(found), _kept(found)
    moving: list[tuple[Any, Any, Any]] = []  # a way, its head and its losses, one a racer
    for i, name in enumerate(found.names):
        style = _style(found, i)
        curve = chart.plot(steps, heights[i], linewidth=1.3, label=name, animated=True, **style)[0]
        moving.append(
            (*field.plot([], [], linewidth=1.5, animated=True, **style), _head(field, style, animated=True), curve)
        )
    count = chart.text(0.98, 0.96, "", transform=chart.transAxes, ha="right", va="top", animated=True)
    _legend(figure, chart, len(found.names))

    def drawn(step: int) -> None:
        for i, (way, head, curve) in enumerate(moving):
            way.set_data(*ways[i, : step + 1].T)
            head.set_data(*ways[i, [step]].T)
            curve.set_data(steps[: step + 1], heights[i, : step + 1])
            for axes, artist in ((field, way), (field, head), (chart, curve)):
                axes.draw_artist(artist)
        count.set_text(f"step {step:,}")
        chart.draw_artist(count)

    pictures = _frames(figure, drawn, _times(int(steps[-1]), frames))
    pauses = [1000 // _SECOND] * (len(pictures) - 1) + [_PAUSE]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=pauses, loop=0)
    return path


def _frames(figure: Figure, drawn: Callable[[int], None], times: list[int]) -> list[Any]:
    """Pictures of a figure whose moving parts `drawn` draws; the rest is drawn once."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    still = canvas.copy_from_bbox(figure.bbox)
    found = []
    for time in times:
        canvas.restore_region(still)
        drawn(time)
        found.append(Image.fromarray(np.array(canvas.buffer_rgba())[..., :3]))
    palette = found[-1].quantize(_SHADES, dither=Image.Dither.NONE)  # all racers are there in the end
    return [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in found]


def _head(field: Any, style: dict[str, Any], **how: Any) -> Any:
    """A dot where a racer is."""
    (dot,) = field.plot(
        [], [], "o", color=style["color"], markeredgecolor="white", markeredgewidth=0.8, zorder=6, **how
    )
    return dot


def _times(steps: int, frames: int) -> list[int]:
    """Steps that are shown: all of them where they are few, else ever fewer the further the race is."""
    shown = steps * np.linspace(0, 1, frames) ** 2
    return sorted({*map(int, shown), *range(min(steps, frames // 4) + 1), steps})


def _sheet(found: Race, size: tuple[float, float] = (10.5, 5.0)) -> tuple[Figure, Any, Any]:
    """The landscape on the left, losses by steps on the right."""
    require_matplotlib()
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=90, layout="constrained")
    field, chart = figure.subplots(1, 2, width_ratios=[1.25, 1])
    x, y, heights = found.map
    low = min(found.minimum, float(np.nanmin(heights)))
    contours(field, x, y, heights - low, LinearSegmentedColormap.from_list("paper", _PAPER))
    field.plot(*found.paths[0, 0], "P", color="white", markeredgecolor="black", markersize=9, zorder=5)
    xlim, ylim = (reach(found.map[i], found.paths[..., i], found.diverged) for i in (0, 1))
    field.set(xlim=xlim, ylim=ylim, xlabel=found.axes[0], ylabel=found.axes[1])
    lowest = np.unravel_index(np.nanargmin(heights), heights.shape)
    field.plot(x[lowest[1]], y[lowest[0]], "*", color="white", markeredgecolor="black", markersize=13, zorder=5)
    chart.spines[["top", "right"]].set_visible(False)
    chart.grid(True, color=FAINT, linewidth=0.5)
    chart.axhline(max(found.goal - low, 1e-300), color="black", linewidth=0.8, linestyle=":")
    chart.set(yscale="log", xlabel="step", ylabel="loss above the minimum", ylim=_limits(found))
    return figure, field, chart


def _kept(found: Race) -> np.ndarray:
    """The ways; of who diverged, until it left the map: what jumps to and fro beyond it would hide the others."""
    x, y, _ = found.map
    ways = found.paths.copy()
    for way, lost in zip(ways, found.diverged, strict=True):
        out = (way < (x[0], y[0])) | (way > (x[-1], y[-1]))
        if lost and out.any():
            way[int(out.any(axis=1).argmax()) + 1 :] = np.nan
    return ways


def _shown(found: Race) -> np.ndarray:
    """Losses above the minimum, for a logarithmic axis."""
    return np.maximum(found.losses - found.minimum, _limits(found)[0] / 10)


def _limits(found: Race) -> tuple[float, float]:
    first = float(found.losses[0, 0]) - found.minimum or 1.0
    return 1e-8 * first, 4 * first


def _style(found: Race, i: int) -> dict[str, Any]:
    """One colour a kind of racer; dashes where its rate falls."""
    kinds = list(dict.fromkeys(name.removesuffix(DECAYED) for name in found.names))
    color = _COLORS[kinds.index(found.names[i].removesuffix(DECAYED)) % len(_COLORS)]
    return {"color": color, "linestyle": "--" if found.names[i].endswith(DECAYED) else "-"}


def _legend(figure: Figure, chart: Any, count: int) -> None:
    figure.legend(
        *chart.get_legend_handles_labels(), loc="outside lower center", ncols=min(count, 5), frameon=False, fontsize=9
    )
