"""The table that ``model.summary()`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thalweg.models._model import Model


def table(model: Model, width: int = 72) -> str:
    """Layers, output shapes and parameter counts as text."""
    if not model.built:
        names = "\n".join(f"  {layer.name} ({type(layer).__name__})" for layer in model.layers)
        return f'Model: "{model.name}" (not built: the input\'s shape is not known yet)\n{names}'
    shapes = {id(symbol.layer): symbol.shape for symbol in model.inputs}
    made = model.network.features[len(model.inputs) :]
    for node, features in zip(model.network.nodes, made, strict=True):
        shapes[id(model.network.layers[node.layer])] = (None, *features)
    columns = (int(width * 0.45), int(width * 0.3), width - int(width * 0.45) - int(width * 0.3))
    lines = [f'Model: "{model.name}"', _row(("Layer (type)", "Output Shape", "Param #"), columns), "=" * width]
    for layer in model.layers:
        title = f"{layer.name} ({type(layer).__name__})"
        lines.append(_row((title, str(shapes[id(layer)]), f"{layer.count_params():,}"), columns))
    trained = sum(_size(v.shape) for v in model.trainable_weights)
    total = model.count_params()
    lines += [
        "=" * width,
        f"Total params: {total:,} ({_bytes(total)})",
        f"Trainable params: {trained:,} ({_bytes(trained)})",
        f"Non-trainable params: {total - trained:,} ({_bytes(total - trained)})",
    ]
    return "\n".join(lines)


def _row(cells: tuple[str, ...], columns: tuple[int, ...]) -> str:
    first, second, third = (
        cell if len(cell) < room else cell[: room - 2] + "…" for cell, room in zip(cells, columns, strict=True)
    )
    return f"{first:<{columns[0]}}{second:<{columns[1]}}{third:>{columns[2]}}"


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _bytes(numbers: int) -> str:
    size = numbers * 4.0
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{size:.2f} {unit}"
