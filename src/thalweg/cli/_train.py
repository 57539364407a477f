"""``thalweg train``: a net from options, trained, with its curves and what it wrote."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from thalweg import callbacks, diagnosis, layers, optimizers, regularizers
from thalweg.cli._command import command_of
from thalweg.cli._curves import chart
from thalweg.cli._interrupted import Interrupted
from thalweg.cli._source import Source, source_of
from thalweg.cli._studio import stay, studio_of
from thalweg.cli._weights import weights_of
from thalweg.models import chained

_TO_GO_BACK_TO = 10  # checkpoints that are kept where somebody steers


def train(name: str, asked: dict[str, Any]) -> None:
    """Train as asked, in a run folder; one that is there already goes on."""
    console = Console(highlight=False)
    source = source_of(name, asked)
    folder = Path(asked["out"]) if asked["out"] else Path("runs") / f"{source.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    run = callbacks.RunFolder(
        folder,
        asked["checkpoint"],
        _TO_GO_BACK_TO if asked.get("studio") else 2,
        asked=command_with(name, asked, source),
    )
    console.print("\n".join(source.lines), markup=False)
    if asked.get("study"):
        from thalweg.cli._tune import best_of

        model, asked["batch_size"] = best_of(asked["study"], source, asked)
    else:
        model = _net(source, asked)
    model.preprocessing = source.recipe and source.recipe.record()
    model.summary(print_fn=console.print)
    studio, interrupted = studio_of(folder.parent, asked), False
    try:
        model.fit(
            *source.train,
            batch_size=asked["batch_size"],
            epochs=asked["epochs"],
            validation_data=source.validation,
            class_weight=weights_of(source, asked),
            callbacks=[diagnosis.Doctor(), *studio],
            seed=asked["seed"],
            run=run,
        )
    except KeyboardInterrupt:
        interrupted = True
    folder = run.folder  # the run may have branched off
    _show(console, model.history, source, folder)
    if interrupted:
        console.print(f"interrupted; to go on: thalweg resume {folder}")
        raise Interrupted
    if asked.get("diagnose") and (folder / "best.keras").is_file():
        from thalweg.cli._diagnose import at_the_end

        at_the_end(console, folder, source)
    stay(studio)


def command_with(name: str, asked: dict[str, Any], source: Source) -> dict[str, Any]:
    """What a run keeps of the command that began it, and by what its test rows are known again."""
    command = {"data": name, **{key: value for key, value in asked.items() if key not in ("out", "diagnose", "studio")}}
    test = None if source.test is None else {"rows": source.test.rows, "sha256": source.test.data}
    return {"command": command, "test": test}


def resume(folder: str) -> None:
    """Go on with a run that ``thalweg train`` began.

    Raises:
        ValueError: where the folder is no such run.

    """
    name, asked = command_of(callbacks.read_run(folder), "run the script again, its fit(run=...) goes on.")
    if asked.get("coach"):
        raise ValueError(f"{folder} is the last training of a coaching: run thalweg coach again, into another folder.")
    train(name, {**asked, "out": folder})


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


def _show(console: Console, history: Any, source: Source, folder: Path) -> None:
    found, metric = history.history, source.goal.metric
    if not history.epoch:
        console.print("No epoch was finished.")
        return
    unit, of = source.unit
    curves = {"loss": (found["loss"], found["val_loss"])}
    curves[f"{metric}{of}"] = ([v * unit for v in found[metric]], [v * unit for v in found[f"val_{metric}"]])
    for name, (training, validation) in curves.items():
        console.print(chart(name, {"training": training, "validation": validation}))
    epoch = int(np.argmin(found["val_loss"]))  # whose net best.keras is
    shown = source.goal.shown
    console.print(
        f"validation {metric}{of} {shown(validation[-1])} ({shown(validation[epoch])} in epoch {epoch + 1}, "
        f"whose loss is the lowest) after {len(history.epoch)} epochs, {sum(history.seconds):.1f} s",
        soft_wrap=True,
    )
    new = "new.csv" if hasattr(source.recipe, "goal") else "folder"
    console.print(
        f"wrote {folder}/\n"
        f"  best.keras     the model of the best epoch{'' if source.recipe is not None else '; Keras loads it too'}\n"
        "  last.keras     the model of the last epoch\n"
        "  history.jsonl  a line an epoch\n"
        "  run.json       how it was made\n"
        "  checkpoints/   to go on from"
        + (f"\nto predict: thalweg predict {folder} {new} -o out.csv" if source.recipe is not None else ""),
        soft_wrap=True,
    )
