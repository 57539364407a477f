"""``thalweg backprop``: what backpropagation asks of a run's best net, for one row or on average over many."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from thalweg import data, diagnosis
from thalweg.callbacks import Run
from thalweg.cli._again import again
from thalweg.diagnosis import Backprop, Wishes
from thalweg.models._fit import adapted

PICTURE = "backprop.png"
"""Name of the file."""
_ROWS = 1000  # looked at where no example is named
_TOLD = 8  # wishes of a neuron
_NEURONS = 6  # with the largest errors


def backprop(folder: str, example: int | None, layer: str | None, neuron: int | None, of: str) -> None:
    """Print a net's errors, or a neuron's wishes, and leave a picture in the run's folder.

    Args:
        folder: of the run.
        example: number of a row; None: the average over the first 1,000.
        layer: of the neuron: its number as the course counts, or its name.
        neuron: its number; None: all layers.
        of: ``'training'`` or ``'validation'``, which rows.

    Raises:
        ValueError: where the run was not begun by ``thalweg train``, is under way, its data have changed since, or there is no
            such row, layer or neuron.

    """
    console = Console(highlight=False)
    run, source, model = again(folder, "call thalweg.diagnosis.backprop(model, x, y) there.")
    if (layer is None) != (neuron is None):
        raise ValueError(
            "--layer and --neuron go together: --layer 1 --neuron 3 is the fourth neuron of the first hidden layer."
        )
    rows = adapted(model, *(source.train if of == "training" else source.validation)[:2], what="backprop")
    found = diagnosis.backprop(model, *_taken(rows, example, of))
    where = f"{of} row {example}" if example is not None else f"the first {len(found.losses):,} {of} rows"
    wishes = None
    if layer is not None and neuron is not None:
        wishes = found.wishes(int(layer) if layer.isdigit() else layer, neuron, None if example is None else 0)
    console.print(f"{source.name}, {where}", markup=False)
    if wishes is not None:
        _neuron(console, found, wishes)
    else:
        _all(console, found, example is None)
    _picture(console, run, found, wishes)


def _taken(rows: data.Rows, example: int | None, of: str) -> tuple[Any, Any]:
    """Inputs and targets of one row, or of the first thousand."""
    if example is not None and not 0 <= example < rows.n:
        raise ValueError(
            f"--example must be a number from 0 to {rows.n - 1:,} of the {rows.n:,} {of} rows, got {example}."
        )
    part = rows.part(0, min(rows.n, _ROWS)) if example is None else rows.part(example, example + 1)
    return (part.x[0] if len(part.x) == 1 else list(part.x)), part.y[0]


def _neuron(console: Console, found: Backprop, wishes: Wishes) -> None:
    """The way forward through a neuron, its wishes, and what the layer before is asked for by all of the layer."""
    layer = found.layer(wishes.layer)
    total, bias = layer.asks.mean(axis=0), layer.bias  # one example is its own mean
    console.print(
        f"neuron {wishes.neuron} of layer {wishes.number} ({wishes.layer})\n"
        f"forward   the sum of w a over {len(wishes.fed):,} weights {float(wishes.kernel @ wishes.fed):.4g}, with the bias "
        f"{0.0 if bias is None else bias[wishes.neuron]:+.4g}: z {wishes.z:.4g}, activation {wishes.activation:.4g}\n"
        f"backward  dL/dz {wishes.error:+.4g}: its wish for the bias is {wishes.bias:+.4g}\n{wishes.verdict}",
        markup=False,
        soft_wrap=True,
    )
    if not wishes.error:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("from", "activation a", "weight w", "wish for w", "wish for a", "all neurons' for a"):
        table.add_column(name, justify="right")
    for i in wishes.largest[:_TOLD]:
        told = (f"{wishes.fed[i]:.4g}", f"{wishes.kernel[i]:+.3g}")
        table.add_row(str(i), *told, *(_signed(one[i]) for one in (wishes.weights, wishes.earlier, total)))
    console.print(table)
    left = len(wishes.fed) - _TOLD
    console.print(
        (f"... and {left:,} smaller wishes; " if left > 0 else "")
        + "wishes are minus the gradient; the last column is what the layer's neurons together ask of that activation",
        soft_wrap=True,
    )


def _all(console: Console, found: Backprop, many: bool) -> None:
    """All layers, and the neurons with the largest errors."""
    console.print(str(found), markup=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="the largest errors", title_justify="left")
    for name in ("layer", "neuron", "activation", "dL/dz", "it should"):
        table.add_column(name, justify="left" if name in ("layer", "it should") else "right")
    for _, name, i, activation, error in sorted(_neurons(found), reverse=True)[:_NEURONS]:
        table.add_row(name, str(i), f"{activation:.4g}", f"{error:+.3g}", _rise(error))
    console.print(table)
    if many:
        console.print(str(found.pulls()), markup=False, soft_wrap=True)


def _neurons(found: Backprop) -> list[tuple[float, str, int, float, float]]:
    """Size of the error, layer, number, activation and error of each neuron, on average."""
    told = []
    for one in found.layers:
        if one.number and one.kernel is not None:
            errors, given = one.error.mean(axis=0), one.activation.mean(axis=0)
            told += [
                (abs(e), f"{one.number} {one.name}", i, float(a), float(e))
                for i, (e, a) in enumerate(zip(errors, given, strict=True))
            ]
    return told


def _picture(console: Console, run: Run, found: Backprop, wishes: Wishes | None) -> None:
    if not any(one.kernel is not None for one in found.layers):
        console.print("no picture: the net has no Dense layer on flat rows")
        return
    try:
        layer, neuron = (None, None) if wishes is None else (wishes.layer, wishes.neuron)
        found.plot(run.path / PICTURE, layer=layer, neuron=neuron)
    except ImportError as missing:
        console.print(str(missing), markup=False)
        return
    first = ", the net for the first of these rows" if len(found.losses) > 1 else ""
    console.print(f"wrote {run.path / PICTURE}{first}", soft_wrap=True)


def _signed(value: float) -> str:
    return f"[{'blue' if value > 0 else 'yellow'}]{value:+.3g}[/]" if value else "0"


def _rise(error: float) -> str:
    return "rise" if error < 0 else "fall" if error > 0 else "stay"
