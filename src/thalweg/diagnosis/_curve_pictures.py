"""Learning and validation curves as pictures, drawn from their records alone, without pyplot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._figures import BLUE, FAINT, GREY, ORANGE, handed_on, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thalweg.diagnosis._learning_curve import LearningCurve
    from thalweg.diagnosis._validation_curve import ValidationCurve

_FLOOR = 0.3  # of the least error foretold, to which the axis goes down
_WIDE = 20.0  # the largest value over the least one, from which on an axis is logarithmic


def learning_picture(curve: LearningCurve, path: str | Path | None) -> Figure:
    """See ``LearningCurve.plot``."""
    figure, axes = _new()
    sizes, last = np.array(curve.sizes), curve.predictions[-1].rows
    ahead = [curve.fit.at(int(rows)) for rows in np.geomspace(sizes[-1], last, 24)]
    low, high = [one.low for one in ahead], [one.high for one in ahead]
    is_log = min(map(min, curve.errors)) > 0 and min(low) > 0
    edge = _FLOOR * min(low) if is_log else -np.inf  # errors of zero are drawn there
    _points(axes, sizes, curve.errors, BLUE, "validation")
    _points(axes, sizes, np.maximum(curve.train_errors, edge), GREY, "training")
    axes.plot(sizes, curve.law(sizes.astype(float)), color=BLUE, linewidth=1, label="power law")
    axes.plot([one.rows for one in ahead], [one.error for one in ahead], color=ORANGE, linewidth=1, label="foretold")
    axes.fill_between([one.rows for one in ahead], low, high, color=ORANGE, alpha=0.12, linewidth=0)
    for one in curve.predictions:
        ends = [[one.error - one.low], [one.high - one.error]]
        axes.errorbar(one.rows, one.error, yerr=ends, fmt="D", color=ORANGE, capsize=3)
    axes.set(xscale="log", xlabel="rows learnt from", ylabel=f"{curve.unit}, foretold with {curve.fit.level:.0%}")
    if is_log:
        axes.set(yscale="log")
    return _finished(figure, path)


def validation_picture(curve: ValidationCurve, path: str | Path | None) -> Figure:
    """See ``ValidationCurve.plot``."""
    figure, axes = _new()
    values = np.array(curve.values)
    _points(axes, values, curve.errors, BLUE, "validation")
    _points(axes, values, curve.train_errors, GREY, "training")
    means = [one.error for one in curve.means]
    axes.plot(values, means, color=BLUE, linewidth=1.2)
    axes.plot(values, np.mean(curve.train_errors, axis=1), color=GREY, linewidth=1.2)
    axes.fill_between(
        values, [one.low for one in curve.means], [one.high for one in curve.means], color=BLUE, alpha=0.1
    )
    alike = np.isin(values, curve.alike) & (values != curve.best)
    axes.scatter(values[alike], np.array(means)[alike], s=70, facecolors="none", edgecolors=ORANGE, label="as good")
    axes.scatter([curve.best], [min(means)], s=120, marker="*", color=ORANGE, zorder=4, label="best")
    if values.min() > 0 and values.max() > _WIDE * values.min():
        axes.set(xscale="log")
    axes.set(xlabel=curve.hyper.replace("$", r"\$"), ylabel=curve.unit)
    return _finished(figure, path)


def _points(axes: Any, places: np.ndarray, errors: Any, color: str, label: str) -> None:
    """A dot a net."""
    each = np.asarray(errors)
    axes.scatter(np.repeat(places, each.shape[1]), each.ravel(), s=14, color=color, label=label, zorder=3)


def _new() -> tuple[Figure, Any]:
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    return figure, axes


def _finished(figure: Figure, path: str | Path | None) -> Figure:
    figure.legend(loc="outside right upper", frameon=False)
    return handed_on(figure, path)
