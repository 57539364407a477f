"""A search in pictures: one figure a kind, drawn from the records of its trials alone.

Figures are made without pyplot: no window opens, no display is needed, and nobody's backend or style is changed.
(Optuna's own matplotlib pictures go through pyplot and set its style for good, and know neither standard errors nor
parameters that were not active.)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._figures import BLUE, FAINT, GREY, ORANGE, handed_on, require_matplotlib
from thalweg._names import Table
from thalweg.tuner._axes import is_log, options_of, ticks_of
from thalweg.tuner._importance import fenced
from thalweg.tuner._importance import importance as importance_of
from thalweg.tuner._summary import meanings, number, pareto_front, short, value_of
from thalweg.tuner._trial import RUNNING, Trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thalweg.tuner._objective import Objective
    from thalweg.tuner._parameters import Parameter

_COLUMNS = 4  # of small pictures in a row
_SIDE = 3.0  # of a small picture, in inches
_CELLS = 48  # of a landscape, in each direction
_NAMED = 27  # characters of a value's or a parameter's name
_LANDSCAPE = "viridis"

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class _Search:
    """What the pictures are drawn from: trials with a score, by number, and one of their scores."""

    trials: list[Trial]
    failed: list[Trial]
    space: Mapping[str, Parameter]
    objectives: Sequence[Objective]
    index: int

    @property
    def goal(self) -> Objective:
        return self.objectives[self.index]

    @functools.cached_property
    def scores(self) -> Array:
        return np.array([trial.scores[self.index] for trial in self.trials if trial.scores], float)

    @functools.cached_property
    def shown(self) -> Array:
        """The scores with disasters drawn near: what axes and colours are made for."""
        return fenced(self.scores, self.goal.sign)

    @property
    def best(self) -> int:
        """The place of the best trial."""
        return int(np.argmin(self.goal.sign * self.scores))

    @functools.cached_property
    def active(self) -> dict[str, Array]:
        """Per parameter, in which trials it was active."""
        return {name: np.array([value is not None for value in values]) for name, values in self.values.items()}

    @functools.cached_property
    def values(self) -> dict[str, list[Any]]:
        """Per parameter a value a trial; None where it was not active."""
        return {name: [value_of(one, trial) for trial in self.trials] for name, one in self.space.items()}

    def named(self, params: Iterable[str] | None) -> list[str]:
        """The parameters to draw: those asked for, or all that could differ and were active at least once."""
        if params is None:
            return [name for name, one in self.space.items() if one.count != 1 and self.active[name].any()]
        table = Table("hyperparameter", self.space)
        return [name for name in params if table[name] and self.active[name].any()]


def picture(
    kind: str,
    trials: Iterable[Trial],
    space: Iterable[Parameter],
    objectives: Sequence[Objective],
    path: str | Path | None = None,
    **settings: Any,
) -> Figure:
    """Draw a search.

    ============== ========================================================= =============================
    kind           shows                                                     settings
    ============== ========================================================= =============================
    ``history``    each trial's score, and the best so far                   ``objective``
    ``importance`` which hyperparameters mattered, with intervals            ``objective``, ``seed``
    ``slices``     score against each hyperparameter                         ``objective``, ``params``
    ``parallel``   each trial as a line through its values                   ``objective``, ``params``
    ``contour``    mean score over pairs of hyperparameters                  ``objective``, ``params``
    ``pareto``     objectives against each other, the front marked           none
    ============== ========================================================= =============================

    Axes are in the scale by which values are drawn: logarithmic for ``sampling='log'``. A score far behind the rest is
    drawn at the edge, as a triangle.

    Args:
        kind: one of the above.
        trials: of the search, in any order.
        space: the parameters.
        objectives: what the scores stand for.
        path: a file to write it to; its ending says the format (png, svg, pdf).
        settings: ``objective``: name of the score to draw (the first one). ``params``: names of the hyperparameters
            to draw (all; of a contour, the three most important). ``seed``: of the forests.

    Returns:
        The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

    Raises:
        ImportError: where matplotlib is missing; it is in the extra ``plots``.
        ValueError: on an unknown kind or name, where no trial has a score, or a picture needs more than there is.
        TypeError: on a setting that the kind does not have.

    Example:
        >>> from thalweg.tuner import Int, Objective
        >>> trials = [Trial(n, {'units': n + 1}, 'COMPLETED', [0.5 / (n + 1)]) for n in range(4)]
        >>> figure = picture('slices', trials, [Int('units', 1, 4)], [Objective('val_loss')])
        >>> figure.axes[0].get_xlabel()
        'units'

    """
    draw = KINDS[kind]
    require_matplotlib()
    search = _search(trials, space, objectives, settings.pop("objective", None))
    return handed_on(draw(search, **settings), path)


def _search(
    trials: Iterable[Trial], space: Iterable[Parameter], objectives: Sequence[Objective], wanted: str | None
) -> _Search:
    places = Table("objective", {goal.name: i for i, goal in enumerate(objectives)})
    index = 0 if wanted is None else places[wanted]
    told = sorted((trial for trial in trials if trial.status != RUNNING), key=lambda trial: trial.number)
    scored = [trial for trial in told if trial.has_score]
    if not scored:
        raise ValueError(f"There is nothing to draw: none of {len(told)} trials has ended with a finite score.")
    return _Search(scored, [trial for trial in told if not trial.has_score], meanings(space), objectives, index)


# -- figures and axes --------------------------------------------------------------------------


def _new(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, Array]:
    """A figure whose labels fit, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for one in axes.flat:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(True, color=FAINT, linewidth=0.5)
        one.set_axisbelow(True)
    return figure, axes


def _label(text: Any) -> str:
    """Names as they are, cut where they are long; a dollar sign would begin a formula."""
    text = str(text)
    text = text if len(text) <= _NAMED else f"{text[: _NAMED // 3]}…{text[-2 * _NAMED // 3 :]}"
    return text.replace("$", r"\$")


def _score_label(goal: Objective) -> str:
    return f"{_label(goal.name)} ({'less' if goal.sign > 0 else 'more'} is better)"


def _places(parameter: Parameter, values: Iterable[Any]) -> Array:
    """Where values lie on an axis: those of a range as they are, those of a list by their place in it."""
    options = options_of(parameter)
    return np.array([value if options is None else options.index(value) for value in values], float)


def _dress(axes: Any, which: str, name: str, parameter: Parameter) -> None:
    """Make the ``'x'`` or ``'y'`` axis the parameter's: scale, whole range, ticks, name."""
    from matplotlib.ticker import MaxNLocator

    options = options_of(parameter)
    axes.set(**{f"{which}label": _label(name)})
    if options is not None:
        texts = [_label(short(option)) for option in options]
        axes.set(**{f"{which}ticks": range(len(options)), f"{which}lim": (-0.6, len(options) - 0.4)})
        long = which == "x" and sum(map(len, texts)) > 22
        turn = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if long else {}
        axes.set(**{f"{which}ticks": range(len(options))})
        getattr(axes, f"set_{which}ticklabels")(texts, **turn)
        return
    low, high = float(parameter.min_value), float(parameter.max_value)  # type: ignore[attr-defined]
    if is_log(parameter):
        pad = (high / low) ** 0.04 if high > low else 1.1
        axes.set(**{f"{which}scale": "log", f"{which}lim": (low / pad, high * pad)})
        _tick_logarithm(getattr(axes, f"{which}axis"), low, high)
    else:
        pad = 0.04 * (high - low) or 0.5
        axes.set(**{f"{which}lim": (low - pad, high + pad)})
        whole = type(parameter).__name__ == "Int"
        getattr(axes, f"{which}axis").set_major_locator(MaxNLocator(5, integer=whole))


def _tick_logarithm(axis: Any, low: float, high: float) -> None:
    """Powers of ten, or over less than two decades also 2 and 5 times them, written as numbers where that is short."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    decades = math.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1.0,) if decades >= 2 else (1.0, 2.0, 5.0), numticks=6))
    axis.set_minor_formatter(NullFormatter())
    if decades < 2 or (low >= 1e-3 and high <= 1e4):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _frame_scores(axes: Any, which: str, shown: Array) -> None:
    """Leave room around the scores that are drawn."""
    low, high = float(shown.min()), float(shown.max())
    pad = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    axes.set(**{f"{which}lim": (low - pad, high + pad)})


def _colors(figure: Figure, axes: Any, search: _Search, what: str = "") -> Any:
    """Score -> colour, bright is good; and the bar that says so."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colors = colormaps[_LANDSCAPE + ("_r" if search.goal.sign > 0 else "")]
    low, high = float(search.shown.min()), float(search.shown.max())
    mapped = ScalarMappable(Normalize(low, high if high > low else low + 1), colors)
    figure.colorbar(mapped, ax=axes, label=what + _score_label(search.goal), fraction=0.05, pad=0.02, aspect=30)
    return mapped


def _blues() -> Any:
    """Early trials pale, late ones dark, none of them white."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["Blues"](np.linspace(0.2, 1.0, 256)))


# -- the kinds ---------------------------------------------------------------------------------


def _history(search: _Search) -> Figure:
    """Each trial's score, with its standard error, and the best so far."""
    figure, grid = _new(8, 4.5)
    axes = grid[0, 0]
    numbers = np.array([trial.number for trial in search.trials])
    beyond = search.shown != search.scores
    errors = [0.0 if trial.errors is None else trial.errors[search.index] or 0.0 for trial in search.trials]
    if any(errors):
        shown = [0.0 if far else error for far, error in zip(beyond, errors, strict=True)]
        axes.errorbar(numbers, search.shown, yerr=shown, fmt="none", ecolor=FAINT, zorder=1)
    axes.scatter(numbers[~beyond], search.shown[~beyond], s=18, color=BLUE, label="trial", zorder=2)
    if beyond.any():
        mark = "^" if search.goal.sign > 0 else "v"
        axes.scatter(numbers[beyond], search.shown[beyond], s=26, marker=mark, color=GREY, label="far beyond", zorder=2)
    so_far = search.goal.sign * np.minimum.accumulate(search.goal.sign * search.scores)
    axes.step(
        [*numbers, numbers[-1] + 1], [*so_far, so_far[-1]], where="post", color=ORANGE, label="best so far", zorder=3
    )
    _frame_scores(axes, "y", search.shown)
    if search.failed:
        edge = axes.get_ylim()[0]
        failed = [trial.number for trial in search.failed]
        axes.plot(failed, [edge] * len(failed), "x", color="black", clip_on=False, label="no score", zorder=4)
    axes.set(xlabel="trial", ylabel=_score_label(search.goal))
    best = search.trials[search.best]
    axes.set_title(f"{len(search.trials)} trials; best {number(search.scores[search.best])} by trial {best.number}")
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _importance(search: _Search, seed: int = 0) -> Figure:
    """A bar a hyperparameter, with its interval; grey where it does not rise above the noise."""
    space = list(search.space.values())
    mattered = importance_of(search.trials, space, search.goal, seed=seed, index=search.index)
    rows = mattered.parameters[::-1]
    if not rows:
        raise ValueError(f"There are too few trials with a score ({mattered.trials}) to say what mattered.")
    figure, grid = _new(8, 1.6 + 0.34 * len(rows) + 0.2 * len(mattered.warnings))
    axes = grid[0, 0]
    names = [_label(one.name) + (f"\n({one.trials} trials)" if one.conditional else "") for one in rows]
    shares = np.array([one.importance for one in rows])
    around = [shares - [one.low for one in rows], [one.high for one in rows] - shares]
    colors = [BLUE if one.clear else FAINT for one in rows]
    axes.barh(range(len(rows)), shares, xerr=np.abs(around), color=colors, ecolor="#333333", capsize=3, height=0.62)
    axes.set_yticks(range(len(rows)), names, fontsize=9)
    axes.set_xlim(0, min(1.02, 1.15 * max(one.high for one in rows) + 0.01))
    axes.set_xlabel("share of the score's variance, with a 90 % interval")
    axes.set_title(f"What {_label(search.goal.name)} depended on, by {mattered.trials} trials")
    axes.grid(False, axis="y")
    grey = "" if all(one.clear for one in rows) else "grey: within the noise"
    below = [text for text in (grey, *mattered.warnings) if text]
    if below:
        figure.supxlabel("\n".join(below), fontsize=8, color="#555555")
    return figure


def _slices(search: _Search, params: Iterable[str] | None = None) -> Figure:
    """The score against each hyperparameter."""
    names = _some(search.named(params), 1, "slices")
    columns = min(len(names), _COLUMNS)
    rows = math.ceil(len(names) / columns)
    figure, grid = _new(max(_SIDE * columns + 1.0, 5.5), 2.7 * rows + 0.4, rows, columns)
    numbers = np.array([trial.number for trial in search.trials])
    dots: Any = None
    for axes, name in zip(grid.flat, names, strict=False):
        active, parameter = search.active[name], search.space[name]
        places = _places(parameter, (value for value in search.values[name] if value is not None))
        dots = axes.scatter(
            *(places, search.shown[active]), c=numbers[active], cmap=_blues(), vmin=numbers.min(), vmax=numbers.max(), s=18, edgecolors=GREY, linewidths=0.4,
        )  # fmt: skip
        if active[search.best]:
            axes.scatter(
                _places(parameter, [search.values[name][search.best]]), search.scores[[search.best]],
                marker="*", s=130, color=ORANGE, edgecolors="white", linewidths=0.6, zorder=3,
            )  # fmt: skip
        _dress(axes, "x", name, parameter)
        _frame_scores(axes, "y", search.shown)
        if not active.all():
            axes.set_title(f"active in {active.sum()} of {len(active)} trials", fontsize=8, color="#555555")
    for axes in grid.flat[len(names) :]:
        axes.axis("off")
    for axes in grid[:, 1:].flat:
        axes.tick_params(labelleft=False)
    figure.supylabel(_score_label(search.goal), fontsize=10)
    figure.colorbar(dots, ax=grid, label="trial (the star: the best)", fraction=0.05, pad=0.02, aspect=30)
    return figure


def _parallel(search: _Search, params: Iterable[str] | None = None) -> Figure:
    """Each trial as a line through its values, coloured by its score; the best ones on top."""
    names = _some(search.named(params), 1, "parallel")
    figure, grid = _new(max(1.35 * (len(names) + 1) + 1.5, 6.5), 5.2)
    axes = grid[0, 0]
    colors = _colors(figure, axes, search)
    spread = np.ptp(search.shown) or 1.0
    heights = np.array([(search.shown - search.shown.min()) / spread, *(_heights(search, name) for name in names)])
    order = np.argsort(-search.goal.sign * search.shown)  # the best ones last
    alpha = float(np.clip(30 / len(order), 0.15, 0.7))
    for rank, place in enumerate(order):
        top = len(order) - rank <= max(len(order) // 10, 1)
        axes.plot(
            heights[:, place], color=colors.to_rgba(search.shown[place]), alpha=1.0 if top else alpha,
            linewidth=1.6 if top else 0.9,
        )  # fmt: skip
    low, high = search.shown.min(), search.shown.max()
    ticks = [[(0.0, number(low)), (1.0, number(high))], *(ticks_of(search.space[name]) for name in names)]
    for column, marks in enumerate(ticks):
        axes.axvline(column, color="#333333", linewidth=0.8, zorder=3)
        for height, text in marks:
            look = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
            axes.text(column + 0.03, height, _label(text), fontsize=8, va="center", bbox=look, zorder=4)
    gaps = any(not search.active[name].all() for name in names)
    if gaps:
        axes.text(-0.08, -0.14, "not active", fontsize=8, va="center", ha="right", color="#555555")
    axes.set(xlim=(-0.15, len(names) + 0.5), ylim=(-0.2 if gaps else -0.05, 1.05), yticks=[])
    turn = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names) + 1), [_label(search.goal.name), *map(_label, names)], **turn)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    return figure


def _heights(search: _Search, name: str) -> Array:
    """Where each trial crosses a parameter's axis: 0 to 1, and below it where the parameter was not active."""
    parameter = search.space[name]
    return np.array([-0.14 if value is None else parameter.unit(value) for value in search.values[name]])


def _contour(search: _Search, params: Iterable[str] | None = None) -> Figure:
    """The mean score over pairs of hyperparameters."""
    names = search.named(params if params is not None else _most_important(search, 3))
    names = _some(list(dict.fromkeys(names)), 2, "contour")
    size = len(names) - 1
    figure, grid = _new(3.4 * size + 2.2, 3.0 * size + 0.8, size, size)
    colors = _colors(figure, grid, search, "mean of ")
    for row in range(size):
        for column in range(size):
            if column > row:
                grid[row, column].axis("off")
                continue
            _landscape(grid[row, column], search, names[column], names[row + 1], colors)
    return figure


def _most_important(search: _Search, count: int) -> list[str]:
    found = importance_of(search.trials, search.space.values(), search.goal, index=search.index)
    names = [one.name for one in found] + [name for name in search.named(None) if name not in [f.name for f in found]]
    return names[:count]


def _landscape(axes: Any, search: _Search, across: str, up: str, colors: Any) -> None:
    """Means over neighbours, weighted by how near they are; white where there are none."""
    both = search.active[across] & search.active[up]
    pair = [search.space[across], search.space[up]]
    values = [[v for v, on in zip(search.values[name], both, strict=True) if on] for name in (across, up)]
    for which, name, parameter in zip("xy", (across, up), pair, strict=True):
        _dress(axes, which, name, parameter)
    axes.grid(False)
    if not both.any():
        axes.text(0.5, 0.5, "never active\ntogether", transform=axes.transAxes, ha="center", va="center")
        return
    scores = search.shown[both]
    edges = [_edges(parameter) for parameter in pair]
    weights = [_weights(p, column, v, len(scores)) for p, column, v in zip(pair, edges, values, strict=True)]
    total = np.einsum("in,jn->ij", weights[1], weights[0])
    mean = np.einsum("in,jn,n->ij", weights[1], weights[0], scores) / np.maximum(total, 1e-30)
    masked = np.ma.masked_where(total < 0.05, mean)
    axes.pcolormesh(*edges, masked, cmap=colors.cmap, norm=colors.norm, rasterized=True)
    places = [_places(parameter, column) for parameter, column in zip(pair, values, strict=True)]
    axes.scatter(*places, c=scores, cmap=colors.cmap, norm=colors.norm, s=14, edgecolors="white", linewidths=0.6)
    if both[search.best]:
        best = [_places(search.space[name], [search.values[name][search.best]]) for name in (across, up)]
        axes.scatter(*best, marker="*", s=130, color=ORANGE, edgecolors="white", linewidths=0.6)


def _edges(parameter: Parameter) -> Array:
    """The borders of a landscape's cells along an axis."""
    options = options_of(parameter)
    if options is not None:
        return np.arange(len(options) + 1) - 0.5
    spaced = np.geomspace if is_log(parameter) else np.linspace
    low, high = float(parameter.min_value), float(parameter.max_value)  # type: ignore[attr-defined]
    return np.asarray(spaced(low, high, _CELLS + 1))


def _weights(parameter: Parameter, edges: Array, values: Sequence[Any], count: int) -> Array:
    """How near the trials are to each cell, [cells, trials]: Gaussian, in the axis' own scale; of a list: in it or not."""
    places = _places(parameter, values)
    if options_of(parameter) is not None:
        return np.asarray(np.arange(len(edges) - 1)[:, None] == places, float)
    if is_log(parameter):
        edges, places = np.log(edges), np.log(places)
    middles, width = (edges[1:] + edges[:-1]) / 2, max(edges[-1] - edges[0], 1e-30)
    return np.asarray(np.exp(-0.5 * ((middles[:, None] - places) / (0.3 * width * count ** (-1 / 6))) ** 2))


def _pareto(search: _Search) -> Figure:
    """Objectives against each other, and the front."""
    goals = search.objectives
    if len(goals) < 2:
        raise ValueError("A Pareto front needs two objectives or more, got one. Draw 'history' or 'slices'.")
    front = {trial.number for trial in pareto_front(search.trials, goals)}
    on = np.array([trial.number in front for trial in search.trials])
    table = np.array([trial.scores for trial in search.trials], float)
    columns = [fenced(column, goal.sign) for column, goal in zip(table.T, goals, strict=True)]
    size = len(goals) - 1
    figure, grid = _new(3.6 * size + 2.6, 3.2 * size + 1.0, size, size)
    for row in range(size):
        for column in range(size):
            axes = grid[row, column]
            if column > row:
                axes.axis("off")
                continue
            x, y = columns[column], columns[row + 1]
            axes.scatter(x[~on], y[~on], s=18, color=GREY, alpha=0.7, label="trial")
            sides = (column, row + 1)
            _draw_front(axes, search, on, sides, np.stack([x[on], y[on]], axis=1), alone=size == 1)
            axes.set(xlabel=_score_label(goals[column]), ylabel=_score_label(goals[row + 1]))
    figure.suptitle(f"{on.sum()} of {len(on)} trials on the Pareto front", fontsize=11)
    return figure


def _draw_front(axes: Any, search: _Search, on: Array, sides: tuple[int, int], points: Array, alone: bool) -> None:
    """The trials on the front, with their standard errors; where it is a line, that line and their numbers too."""
    trials = [trial for trial, good in zip(search.trials, on, strict=True) if good]
    errors = np.array([[0.0 if t.errors is None else t.errors[k] or 0.0 for k in sides] for t in trials], float)
    axes.scatter(*points.T, s=32, color=ORANGE, zorder=3)
    if errors.any():
        axes.errorbar(*points.T, xerr=errors[:, 0], yerr=errors[:, 1], fmt="none", ecolor=ORANGE, alpha=0.4)
    if not alone:
        return
    order = np.argsort(points[:, 0])  # between two points of the front, as bad as the worse of both
    where = "post" if search.objectives[sides[0]].sign > 0 else "pre"
    axes.step(*points[order].T, where=where, color=ORANGE, linewidth=1, alpha=0.6)
    for trial, place in zip(trials, points, strict=True):
        if len(trials) <= 12:
            axes.annotate(str(trial.number), place, xytext=(4, 4), textcoords="offset points", fontsize=8)


def _some(names: list[str], count: int, kind: str) -> list[str]:
    if len(names) < count:
        raise ValueError(f"{kind!r} needs {count} hyperparameters with more than one value, got {names}.")
    return names


KINDS: Mapping[str, Callable[..., Any]] = Table(
    "picture",
    {
        "history": _history,
        "importance": _importance,
        "slices": _slices,
        "parallel": _parallel,
        "contour": _contour,
        "pareto": _pareto,
    },
)
"""Name of a picture -> what draws it."""
