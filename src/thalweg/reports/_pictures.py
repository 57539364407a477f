"""The pictures of a report, drawn from its plain data without pyplot: as SVG that follows the page's colours, or as PNG."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._figures import BLUE, FAINT, GREEN, GREY, ORANGE, require_matplotlib
from thalweg._names import Table
from thalweg.reports._blocks import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK = "#20262d"
_IN_PAGE = {
    _INK: "currentColor",
    FAINT: "var(--line)",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    GREEN: "var(--green)",
    GREY: "var(--grey)",
}
_CHANGES = 60  # marks of turned hypers that are drawn
_WIDTH, _HEIGHT = 5.4, 3.5  # inches
_MEMBERS = 12  # nets from which on a line is drawn faint
_NAMED = 40  # letters of a name


def svg(picture: Picture) -> str:
    """An ``<svg>`` element to put into a page; its colours are the page's."""
    text = _written(picture, "svg", transparent=True, metadata={"Date": None, "Creator": None}).decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text, count=1)
    text = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{picture.name}-", text)  # a page holds several pictures
    for color, name in _IN_PAGE.items():
        text = text.replace(f": {color}", f": {name}")
    return text.strip()


def png(picture: Picture) -> bytes:
    """A file, on white."""
    return _written(picture, "png", dpi=150)


def _written(picture: Picture, form: str, **how: Any) -> bytes:
    require_matplotlib()
    from matplotlib import rc_context

    style: Any = _style()
    with rc_context(style):
        figure = KINDS[picture.kind](picture.data)
        file = io.BytesIO()
        figure.savefig(file, format=form, **how)
    return file.getvalue()


def _style() -> dict[str, Any]:
    ink = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    return {
        **dict.fromkeys(ink, _INK),
        "axes.facecolor": "white",
        "figure.facecolor": "white",
        "grid.color": FAINT,
        "grid.linewidth": 0.6,
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "legend.frameon": False,
        "svg.fonttype": "none",  # letters stay letters: they can be read aloud, searched and copied
        "svg.hashsalt": "report",
        "text.parse_math": False,  # a dollar sign in a name begins no formula
    }


def _new(height: float = _HEIGHT, rows: int = 1, **how: Any) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.subplots(rows, 1, squeeze=False, **how)[:, 0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(True)
        one.set_axisbelow(True)
    return figure, axes[0] if rows == 1 else axes


def _label(text: Any) -> str:
    """A name in one line, cut where it is long."""
    text = " ".join(str(text).split())
    return text if len(text) <= _NAMED else f"{text[: _NAMED - 1]}…"


# -- the kinds ---------------------------------------------------------------------------------


def _curve(data: Mapping[str, Any]) -> Figure:
    """A log over epochs, training and validation; the best epoch and what was turned are marked."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _new()
    epochs = np.array(data["epochs"])
    for part, color, look in (("training", BLUE, "-"), ("validation", ORANGE, "--")):
        lines = np.array(data[part], float)
        for i, line in enumerate(lines):
            _line(axes, epochs, line, color, look, part if i == 0 else None, faint=len(lines) > _MEMBERS)
    shown = data["validation"] or data["training"]
    for i, (one, line) in enumerate(zip(data["best"], shown, strict=False)):
        value = dict(zip(data["epochs"], line, strict=True)).get(one["epoch"])
        if value is not None:
            name = "best epoch" if i == 0 else None
            axes.plot([one["epoch"]], [value], "*", color=GREEN, markersize=12, label=name, zorder=4)
    for at in list(dict.fromkeys(one["at"] for one in data["changes"]))[:_CHANGES]:
        name = "turned" if at == data["changes"][0]["at"] else None
        axes.axvline(at, color=GREY, linestyle=":", linewidth=1.2, label=name)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.set(xlabel="epoch", ylabel=_label(data["title"]))
    figure.legend(loc="outside upper left", ncols=4, handlelength=1.8, columnspacing=1.2)
    return figure


def _line(
    axes: Any, epochs: np.ndarray, values: np.ndarray, color: str, look: str, name: str | None, faint: bool
) -> None:
    alone = len(epochs) == 1
    axes.plot(
        epochs, values, look, color=color, label=name, linewidth=0.8 if faint else 1.8, alpha=0.5 if faint else 1.0,
        marker="o" if alone else None,
    )  # fmt: skip


def _reliability(data: Mapping[str, Any]) -> Figure:
    """What came true against what was said, bin by bin, and how many rows each has."""
    figure, (axes, below) = _new(4.6, 2, sharex=True, height_ratios=[4, 1])
    points = data["points"]
    said, came = (np.array([one[key] for one in points]) for key in ("probability", "share"))
    ends = np.abs(np.array([[one["low"], one["high"]] for one in points]).T - came)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="as it should be")
    axes.errorbar(said, came, yerr=ends, fmt="o", color=BLUE, capsize=3, label="a bin of rows")
    axes.set(ylim=(-0.03, 1.03), ylabel=_label(data["came"]))
    starts, widths = [one["from"] for one in points], [one["to"] - one["from"] for one in points]
    below.bar(starts, [one["rows"] for one in points], widths, align="edge", color=BLUE, alpha=0.45)
    below.set(xlim=(-0.02, 1.02), xlabel=_label(data["said"]), ylabel="rows")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _scatter(data: Mapping[str, Any]) -> Figure:
    """Predicted against true numbers."""
    figure, axes = _new(4.2)
    truth, said = np.array(data["truth"]), np.array(data["said"])
    low, high = min(truth.min(), said.min()), max(truth.max(), said.max())
    axes.plot([low, high], [low, high], color=GREY, linestyle="--", linewidth=1.2, label="exact")
    axes.scatter(truth, said, s=14, color=BLUE, alpha=0.55, linewidths=0, label="a row", rasterized=len(truth) > 2000)
    axes.set(xlabel=f"true {_label(data['name'])}", ylabel=f"predicted {_label(data['name'])}")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _residuals(data: Mapping[str, Any]) -> Figure:
    """How often the net is off by how much."""
    figure, axes = _new(4.2)
    edges = np.array(data["edges"])
    axes.bar(edges[:-1], data["counts"], np.diff(edges), align="edge", color=BLUE, alpha=0.6, label="rows")
    axes.axvline(0, color=GREY, linestyle="--", linewidth=1.2, label="exact")
    axes.set(xlabel=f"predicted - true {_label(data['name'])}", ylabel="rows")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _learning(data: Mapping[str, Any]) -> Figure:
    """Errors by rows, a dot a net, the law through them and what it foretells."""
    figure, axes = _new(4.2)
    sizes, errors, train = (np.array(data[key], float) for key in ("sizes", "errors", "train_errors"))
    ahead = {key: np.array([one[key] for one in data["ahead"]]) for key in ("rows", "error", "low", "high")}
    is_log = errors.min() > 0 and ahead["low"].min() > 0
    floor = 0.3 * min(ahead["low"].min(), errors.min()) if is_log else -np.inf  # errors of 0 are drawn there
    nets = errors.shape[1]
    axes.scatter(np.repeat(sizes, nets), np.maximum(train, floor).ravel(), s=16, color=GREY, label="training")
    axes.scatter(np.repeat(sizes, nets), errors.ravel(), s=18, color=BLUE, label="validation")
    axes.plot(sizes, data["law"], color=BLUE, linewidth=1.2)
    axes.plot(ahead["rows"], ahead["error"], color=ORANGE, linestyle="--", label="foretold")
    axes.fill_between(ahead["rows"], ahead["low"], ahead["high"], color=ORANGE, alpha=0.18, linewidth=0)
    axes.set(xscale="log", xlabel="rows learnt from", ylabel=_label(data["unit"]))
    if is_log:
        axes.set(yscale="log")
    _plain_ticks(axes, percents=is_log)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def _plain_ticks(axes: Any, percents: bool) -> None:
    """Numbers as people write them, not powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if percents:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))


KINDS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = Table(
    "picture",
    {
        "curve": _curve,
        "reliability": _reliability,
        "scatter": _scatter,
        "residuals": _residuals,
        "learning": _learning,
    },
)
"""Name of a picture -> what draws it."""
