"""A probe as one page, drawn from its record alone, without pyplot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg._figures import BLUE, GREEN, GREY, ORANGE, handed_on, require_matplotlib
from thalweg.diagnosis.probing._panels import bars_panel, plain_axes, reliability_panel, response_panel, tiles, titled
from thalweg.diagnosis.probing._words import with_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thalweg.diagnosis.probing._probe import Probe

_WIDTH, _ROW = 13.0, 2.7  # inches


def probe_picture(found: Probe, path: str | Path | None) -> Figure:
    """See ``Probe.plot``."""
    require_matplotlib()
    from matplotlib.figure import Figure

    with_mistakes = bool(found.neighbours and found.neighbours.mistakes)
    figure = Figure(figsize=(_WIDTH, _ROW * (3 + with_mistakes) + 0.4), layout="constrained")
    figure.suptitle(
        f"Is {found.name} smart? {found.rows:,} pictures, {with_interval(found.accuracy)} right",
        fontsize=12,
        fontweight="bold",
    )
    grid = figure.add_gridspec(3 + with_mistakes, 4)
    _confidence(figure.add_subplot(grid[0, 0]), found)
    places = [grid[0, 1], grid[0, 2], grid[0, 3], grid[1, 0], grid[1, 1]]
    chance = 1 / len(found.classes)
    for place, one in zip(places, found.robustness, strict=True):
        response_panel(figure.add_subplot(place), f"Accuracy, %: {one.kind}", [("", BLUE, one)], chance)
    _attacks(figure.add_subplot(grid[1, 2]), found)
    title = f"Calibration: error {found.calibration.error:.1%}"
    reliability_panel(figure.add_subplot(grid[1, 3]), title, [("", BLUE, found.calibration)])
    _example(figure.add_subplot(grid[2, 0]), found)
    _filters(figure.add_subplot(grid[2, 1]), found)
    if found.shuffling is None:
        _favourites(figure.add_subplot(grid[2, 2:]), found)
    else:
        _favourites(figure.add_subplot(grid[2, 2]), found)
        _shuffling(figure.add_subplot(grid[2, 3]), found)
    if with_mistakes:
        _mistakes(figure.add_subplot(grid[3, :]), found)
    return handed_on(figure, path)


def _confidence(axes: Any, found: Probe) -> None:
    names = [one.kind for one in found.confidence]
    bars_panel(axes, "How sure it is, on average", names, [("", BLUE, [one.mean for one in found.confidence])])
    for bar in axes.patches[1:]:
        bar.set_color(ORANGE)


def _attacks(axes: Any, found: Probe) -> None:
    both = found.adversarial
    curves = [("FGSM", BLUE, both.fgsm), ("PGD", ORANGE, both.pgd)]
    response_panel(axes, "Accuracy, %: attacks", curves, 1 / len(found.classes))
    axes.legend(frameon=False, fontsize=8)


def _example(axes: Any, found: Probe) -> None:
    one = found.adversarial.example
    if one is None:
        titled(axes, "No attack succeeded")
        axes.axis("off")
        return
    titled(axes, f"Attacked: no pixel by more than {one.size:.0%}")
    labels = [f"{found.classes[one.truth]} ({one.chance:.2f})", f"{found.classes[one.said]} ({one.chance_after:.2f})"]
    tiles(axes, [one.before, one.after], 2, found.pixels, labels, [GREEN, ORANGE])


def _filters(axes: Any, found: Probe) -> None:
    one = found.filters
    if one is None:
        titled(axes, "First layer: no pictures")
        axes.axis("off")
        return
    smooth = "" if one.smoothness is None else f", neighbours {one.smoothness:+.2f}"
    titled(axes, f"Weights of {one.layer}: {len(one.shown)} of {one.total} {one.kind}{smooth}")
    tiles(axes, list(one.images), 4, None)


def _favourites(axes: Any, found: Probe) -> None:
    one = found.favourites
    titled(axes, "What it would most like to see, and its probability")
    labels = [f"{name}: {chance:.2f}" for name, chance in zip(found.classes, one.chances, strict=True)]
    tiles(axes, list(one.pictures), min(5, len(labels)), found.pixels, labels)


def _shuffling(axes: Any, found: Probe) -> None:
    one = found.shuffling
    assert one is not None
    plain_axes(axes, f"Learnt again: {one.rows:,} rows, {one.epochs} epochs")
    for i, (name, part, color) in enumerate([("pixels in order", one.plain, BLUE), ("shuffled", one.shuffled, ORANGE)]):
        ends = [[100 * (part.value - part.low)], [100 * (part.high - part.value)]]
        axes.bar([i], [100 * part.value], color=color, width=0.6, yerr=ends, capsize=4, ecolor=GREY)
        axes.text(i, 50 * part.value, f"{part.value:.1%}", ha="center", color="white", fontsize=9)
        axes.text(i, -3, name, ha="center", va="top", fontsize=8)
    axes.set(xticks=[], ylim=(0, 102))


def _mistakes(axes: Any, found: Probe) -> None:
    """Each mistake, then its neighbours by pixels, then by activations; the right class is green."""
    assert found.neighbours is not None
    images: list[Any] = []
    labels, colors = [], []
    for one in found.neighbours.mistakes:
        images.append(one.picture)
        labels.append(f"{found.classes[one.truth]}, said {found.classes[one.said]}")
        colors.append("black")
        for near in (one.by_pixels, one.by_activations):
            images += [*near.pictures, None]
            labels += [*(found.classes[k] for k in near.labels), ""]
            colors += [*(GREEN if k == one.truth else ORANGE for k in near.labels), "black"]
    each, nearest = len(images) // len(found.neighbours.mistakes), len(found.neighbours.mistakes[0].by_pixels.rows)
    titled(
        axes,
        f"Its surest mistakes; beside each the {nearest} nearest training rows by pixels, then the {nearest} nearest by the activations "
        f"of {found.neighbours.layer}",
        line=160,
    )
    tiles(axes, images, 2 * each, found.pixels, labels, colors)
