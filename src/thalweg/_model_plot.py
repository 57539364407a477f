"""The picture of a model's graph: boxes in rows by depth, arrows from inputs to outputs."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg._figures import require_matplotlib

if TYPE_CHECKING:
    from thalweg.models import Model

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y = 3.2, 0.8, 0.4, 0.6


def draw(model: Model, path: Path, shapes: bool, names: bool, dpi: int) -> Path:
    """Draw `model` into the file `path`."""
    require_matplotlib()
    from matplotlib.figure import Figure

    depth = _depths(model)
    spots = _spots(depth)
    around = 0.25 * max((spots[first][1] for first in spots), default=0)  # room for arrows that go around
    width = max(x for x, _ in spots.values()) + _WIDTH + (around if _skips(model, depth) else 0)
    height = max(y for _, y in spots.values()) + _HEIGHT
    figure = Figure(figsize=(width + 0.4, height + 0.4), dpi=dpi)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-0.2, width + 0.2)
    axes.set_ylim(height + 0.2, -0.2)
    axes.axis("off")
    for tensor, (x, y) in spots.items():
        _box(axes, x, y, _text(model, tensor, shapes, names))
    first = len(model.inputs)
    for i, node in enumerate(model.network.nodes):
        for source in node.inputs:
            _arrow(axes, spots[source], spots[first + i])
    figure.savefig(path, bbox_inches="tight")
    return path


def _depths(model: Model) -> list[int]:
    """Per tensor, how far below the inputs it stands."""
    depth = [0] * len(model.inputs)
    for node in model.network.nodes:
        depth.append(1 + max(depth[i] for i in node.inputs))
    return depth


def _skips(model: Model, depth: list[int]) -> bool:
    """Whether any arrow passes other boxes."""
    first = len(model.inputs)
    return any(
        depth[first + i] - depth[source] > 1 for i, node in enumerate(model.network.nodes) for source in node.inputs
    )


def _spots(depth: list[int]) -> dict[int, tuple[float, float]]:
    rows: dict[int, list[int]] = defaultdict(list)
    for tensor, row in enumerate(depth):
        rows[row].append(tensor)
    widest = max(len(row) for row in rows.values())
    spots = {}
    for row, tensors in rows.items():
        indent = (widest - len(tensors)) * (_WIDTH + _GAP_X) / 2
        for column, tensor in enumerate(tensors):
            spots[tensor] = (indent + column * (_WIDTH + _GAP_X), row * (_HEIGHT + _GAP_Y))
    return spots


def _text(model: Model, tensor: int, shapes: bool, names: bool) -> str:
    first = len(model.inputs)
    layer = (
        model.inputs[tensor].layer
        if tensor < first
        else model.network.layers[model.network.nodes[tensor - first].layer]
    )
    title = f"{layer.name} ({type(layer).__name__})" if names else type(layer).__name__
    if not shapes:
        return title
    features = (None, *model.network.features[tensor])
    count = layer.count_params()
    return f"{title}\n{features}" + (f"   {count:,} params" if count else "")


def _box(axes: Any, x: float, y: float, text: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.08"
    axes.add_patch(FancyBboxPatch((x, y), _WIDTH, _HEIGHT, boxstyle=style, facecolor="#eef3f8", edgecolor="#33557a"))
    axes.text(x + _WIDTH / 2, y + _HEIGHT / 2, text, ha="center", va="center", fontsize=9, color="#12263a")


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    look = {"arrowstyle": "-|>", "color": "#33557a"}
    if end[1] - start[1] > _HEIGHT + _GAP_Y + 1e-6:  # past other boxes: around them, on the right
        tail, head = (start[0] + _WIDTH, start[1] + _HEIGHT / 2), (end[0] + _WIDTH, end[1] + _HEIGHT / 2)
        axes.annotate("", xy=head, xytext=tail, arrowprops={**look, "connectionstyle": "arc3,rad=-0.25"})
        return
    tail, head = (start[0] + _WIDTH / 2, start[1] + _HEIGHT), (end[0] + _WIDTH / 2, end[1])
    axes.annotate("", xy=head, xytext=tail, arrowprops=look)
