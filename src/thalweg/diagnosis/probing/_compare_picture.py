"""Nets side by side as one page, drawn from the record alone, without pyplot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg._figures import handed_on, require_matplotlib
from thalweg.diagnosis.probing._panels import COLORS, bars_panel, plain_axes, reliability_panel, response_panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thalweg.diagnosis.probing._compare import Comparison

_SIZE = (13.0, 8.6)  # inches


def compare_picture(found: Comparison, path: str | Path | None) -> Figure:
    """See ``Comparison.plot``."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    panels = figure.subplots(3, 4).ravel()
    nets = [(one.name, COLORS[i % len(COLORS)], one) for i, one in enumerate(found.contenders)]
    first = nets[0][2].probe
    chance = 1 / len(first.classes)
    _accuracy(panels[0], nets)
    _costs(panels[1], nets)
    kinds = [one.kind for one in first.confidence]
    sure = [(name, color, [each.mean for each in one.probe.confidence]) for name, color, one in nets]
    bars_panel(panels[2], "How sure, on average", kinds, sure)
    for axes, response in zip(panels[3:8], first.robustness, strict=True):
        curves = [(name, color, one.probe.response(response.kind)) for name, color, one in nets]
        response_panel(axes, f"Accuracy, %: {response.kind}", curves, chance)
    for axes, kind in zip(panels[8:10], ("fgsm", "pgd"), strict=True):
        curves = [(name, color, getattr(one.probe.adversarial, kind)) for name, color, one in nets]
        response_panel(axes, f"Accuracy, %: {kind.upper()}", curves, chance)
    calibrations = [(name, color, one.probe.calibration) for name, color, one in nets]
    reliability_panel(panels[10], "Calibration", calibrations)
    _shuffling(panels[11], nets)
    handles, labels = panels[3].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(6, len(labels)), frameon=False, fontsize=11)
    return handed_on(figure, path)


def _accuracy(axes: Any, nets: list[Any]) -> None:
    plain_axes(axes, "Accuracy, %")
    for i, (_, color, one) in enumerate(nets):
        value, low, high = (100 * end for end in one.accuracy)
        axes.errorbar(i, value, [[value - low], [high - value]], fmt="o", color=color, capsize=4)
        axes.annotate(f"{value:.1f}", (i, value), (8, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set(xticks=[], xlim=(-0.6, len(nets) - 0.2))


def _costs(axes: Any, nets: list[Any]) -> None:
    """Parameters, multiply-adds and seconds over the largest of all nets."""
    what = {"parameters": "parameters", "multiply-adds": "multiply_adds", "training": "seconds"}
    known = {title: [getattr(one, field) for _, _, one in nets] for title, field in what.items()}
    known = {title: values for title, values in known.items() if None not in values and max(values) > 0}
    groups = [(name, color, [v[i] / max(v) for v in known.values()]) for i, (name, color, _) in enumerate(nets)]
    bars_panel(axes, "Size and time, over the largest", list(known), groups)


def _shuffling(axes: Any, nets: list[Any]) -> None:
    if any(one.probe.shuffling is None for _, _, one in nets):
        axes.axis("off")
        return
    plain_axes(axes, "Learnt again, accuracy, %")
    for name, color, one in nets:
        both = one.probe.shuffling
        values = [100 * both.plain.value, 100 * both.shuffled.value]
        axes.plot([0, 1], values, "-o", color=color, linewidth=1.4, markersize=4, label=name)
        for i, part in enumerate((both.plain, both.shuffled)):
            axes.vlines(i, 100 * part.low, 100 * part.high, color=color, linewidth=1)
    axes.set_xticks([0, 1], ["pixels in order", "shuffled"])
    axes.set(xlim=(-0.4, 1.4))
