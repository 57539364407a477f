"""``thalweg runs``: the runs in a folder, a line each."""

from __future__ import annotations

import os
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from thalweg.callbacks import Run, runs_in
from thalweg.callbacks import figure as written

_COLORS = {"running": "cyan", "finished": "green", "stopped early": "green", "failed": "red", "broken off": "yellow"}


def show(folder: str) -> None:
    """Print them, the oldest first.

    Raises:
        FileNotFoundError: where there is no such folder.

    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"There is no folder {folder!r}: thalweg train makes runs in runs/, or where --out says."
        )
    console = Console(highlight=False)
    found = runs_in(folder)
    if not found:
        console.print(f"No runs in {folder}.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "state", "epochs", "best (epoch)", "last", "begun"):
        table.add_column(name, justify="right" if name == "epochs" else "left", overflow="fold", no_wrap=name == "run")
    for run in found:
        table.add_row(*_cells(run, folder))
    console.print(table)
    for run in found:
        if run.resumable:
            console.print(f"to go on: thalweg resume {run.path}")


def _cells(run: Run, folder: str) -> list[str]:
    state = f"running ({run.owner})" if run.state == "running" else run.state
    color = _COLORS.get(run.state, "yellow")
    asked = (run.record.get("fit") or {}).get("epochs", "?")
    done = len({line["epoch"] for line in run.epochs})
    path = os.path.relpath(run.path, folder)
    begun = str(run.record.get("begun", "?"))[:16].replace("T", " ")
    return [path, f"[{color}]{state}[/]", f"{done}/{asked}", _best(run), _last(run), begun]


def _best(run: Run) -> str:
    name = "val_loss" if any("val_loss" in line for line in run.epochs) else "loss"
    values = [(line[name], line["epoch"]) for line in run.epochs if isinstance(line.get(name), float)]
    if not values:
        return ""
    value, epoch = min(values)
    return f"{name} {written(value)} ({epoch + 1})"


def _last(run: Run) -> str:
    """The metrics of the last epoch, those of validation where there are some."""
    line: dict[str, Any] = run.epochs[-1] if run.epochs else {}
    skipped = ("epoch", "seconds", "loss", "val_loss", "learning_rate")
    names = [name for name in line if name not in skipped]
    chosen = [name for name in names if name.startswith("val_")] or names
    return ", ".join(f"{name} {written(line[name])}" for name in chosen[:2] if isinstance(line[name], float))
