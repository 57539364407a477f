"""``thalweg train``: a net from options, trained, with its curves and what it wrote."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console

from thalweg import callbacks, layers, optimizers, regularizers
from thalweg.cli._curves import chart
from thalweg.cli._interrupted import Interrupted
from thalweg.cli._source import Goal, Source, source_of
from thalweg.models import chained


def train(name: str, asked: dict[str, Any]) -> None:
    """Train as asked, in a run folder; one that is there already goes on."""
    console = Console(highlight=False)
    source = source_of(name, asked)
    folder = Path(asked["out"]) if asked["out"] else Path("runs") / f"{source.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    command = {"data": name, **{key: value for key, value in asked.items() if key != "out"}}
    run = callbacks.RunFolder(folder, every=asked["checkpoint"], asked={"command": command})
    console.print("\n".join(source.lines), markup=False)
    if asked.get("study"):
        from thalweg.cli._tune import best_of

        model, asked["batch_size"] = best_of(asked["study"], source, asked["epochs"])
    else:
        model = _net(source, asked)
    model.preprocessing = source.recipe and source.recipe.record()
    model.summary(print_fn=console.print)
    interrupted = False
    try:
        model.fit(
            *source.train,
            batch_size=asked["batch_size"],
            epochs=asked["epochs"],
            validation_data=source.validation,
            seed=asked["seed"],
            run=run,
        )
    except KeyboardInterrupt:
        interrupted = True
    _show(console, model.history, source.goal, folder, source.recipe is not None)
    if interrupted:
        console.print(f"interrupted; to go on: thalweg resume {folder}")
        raise Interrupted


def resume(folder: str) -> None:
    """Go on with a run that ``thalweg train`` began.

    Raises:
        ValueError: where the folder is no such run.

    """
    run = callbacks.read_run(folder)
    command = (run.record.get("asked") or {}).get("command")
    if command is None:
        raise ValueError(
            f"{folder} was begun by a script, which knows its data: run the script again, its fit(run=...) goes on."
        )
    asked = {key: value for key, value in command.items() if key != "data"}
    train(command["data"], {**asked, "out": folder})


def _net(source: Source, asked: dict[str, Any]) -> Any:
    """The course's net: scaled rows, hidden layers with dropout and L2, one output a class."""
    goal = source.goal
    parts: list[Any] = []
    for width in _widths(asked["layers"]):
        penalty = regularizers.L2(asked["l2"]) if asked["l2"] else None
        parts.append(layers.Dense(width, activation=asked["activation"], kernel_regularizer=penalty))
        if asked["dropout"]:
            parts.append(layers.Dropout(asked["dropout"]))
    model = chained(source.front(), [*parts, layers.Dense(goal.outputs, activation=goal.activation)])
    optimizer = optimizers.get(asked["optimizer"])
    optimizer.learning_rate = asked["learning_rate"]
    model.compile(optimizer, goal.loss, metrics=[goal.metric])
    return model


def _widths(given: str) -> list[int]:
    try:
        return [int(one) for one in given.split(",") if one.strip()]
    except ValueError:
        raise ValueError(f"--layers must be whole numbers separated by commas, like 128,128, got {given!r}.") from None


def _show(console: Console, history: Any, goal: Goal, folder: Path, is_table: bool) -> None:
    found = history.history
    if not history.epoch:
        console.print("No epoch was finished.")
        return
    for name in ("loss", goal.metric):
        console.print(chart(name, {"training": found[name], "validation": found[f"val_{name}"]}))
    best = (max if "accuracy" in goal.metric else min)(found[f"val_{goal.metric}"])
    epoch = found[f"val_{goal.metric}"].index(best) + 1
    last = found[f"val_{goal.metric}"][-1]
    shown = "{:.2%}" if "accuracy" in goal.metric else "{:.4g}"
    console.print(
        f"validation {goal.metric} {shown.format(last)} (best {shown.format(best)} in epoch {epoch}) "
        f"after {len(history.epoch)} epochs, {sum(history.seconds):.1f} s"
    )
    console.print(
        f"wrote {folder}/\n"
        "  best.keras     the model of the best epoch; Keras loads it too\n"
        "  last.keras     the model of the last epoch\n"
        "  history.jsonl  a line an epoch\n"
        "  run.json       how it was made\n"
        "  checkpoints/   to go on from"
        + (f"\nto predict: thalweg predict {folder} new.csv -o out.csv" if is_table else ""),
        soft_wrap=True,
    )
