"""``thalweg train``: a net from options, trained, with its curves and what it wrote."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

import thalweg
from thalweg import _seeds, callbacks, data, datasets, layers, optimizers, regularizers
from thalweg.cli._curves import chart

_MOST_CLASSES = 100


class Interrupted(Exception):  # noqa: N818
    """The run was broken off by hand; what there is has been written and shown."""


class Goal(NamedTuple):
    """What the net is trained for.

    Attributes:
        outputs: units of the last layer.
        activation: of the last layer.
        loss: by name.
        metric: by name.

    """

    outputs: int
    activation: str
    loss: str
    metric: str


def train(name: str, asked: dict[str, Any]) -> None:
    """Train as asked, in a run folder; one that is there already goes on."""
    console = Console(highlight=False)
    held = datasets.load(name)
    folder = Path(asked["out"]) if asked["out"] else Path("runs") / f"{held.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    command = {"data": name, **{key: value for key, value in asked.items() if key != "out"}}
    run = callbacks.RunFolder(folder, every=asked["checkpoint"], asked={"command": command})
    train_rows, validation = split(held.x, held.y, asked["validation"], asked["seed"])
    goal = goal_of(held.y)
    if asked.get("study"):
        from thalweg.cli._tune import best_of

        model, asked["batch_size"] = best_of(asked["study"], train_rows[0], held.y, asked["epochs"])
    else:
        model = _net(train_rows[0], goal, asked)
    model.summary(print_fn=console.print)
    console.print(said(held, train_rows[0], validation[0]))
    interrupted = False
    try:
        model.fit(
            *train_rows,
            batch_size=asked["batch_size"],
            epochs=asked["epochs"],
            validation_data=validation,
            seed=asked["seed"],
            run=run,
        )
    except KeyboardInterrupt:
        interrupted = True
    _show(console, model.history, goal, folder)
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


def split(x: np.ndarray, y: np.ndarray, fraction: float, seed: int) -> tuple[Any, Any]:
    """Training and validation rows, drawn at random by the seed."""
    if not 0 < fraction < 1:
        raise ValueError(f"--validation must be a fraction between 0 and 1, got {fraction}.")
    order = _seeds.generator(_seeds.checked(seed), len(x)).permutation(len(x))
    rows = data.adapt(x[order], y[order])
    assert isinstance(rows, data.Rows)
    train_rows, rest = data.validation_split(rows, fraction)
    return (train_rows.x[0], train_rows.y[0]), (rest.x[0], rest.y[0])


def goal_of(y: np.ndarray) -> Goal:
    classes = data.classes_of(y) if y.ndim == 1 or y.shape[-1] == 1 else None
    if classes is not None and classes.max() < _MOST_CLASSES:
        return Goal(int(classes.max()) + 1, "softmax", "sparse_categorical_crossentropy", "accuracy")
    return Goal(1 if y.ndim == 1 else y.shape[-1], "linear", "mse", "mae")


def _net(x: np.ndarray, goal: Goal, asked: dict[str, Any]) -> Any:
    """The course's net: scaled rows, hidden layers with dropout and L2, one output a class."""
    parts: list[Any] = [thalweg.Input(x.shape[1:]), *scaling(x)()]
    for width in _widths(asked["layers"]):
        penalty = regularizers.L2(asked["l2"]) if asked["l2"] else None
        parts.append(layers.Dense(width, activation=asked["activation"], kernel_regularizer=penalty))
        if asked["dropout"]:
            parts.append(layers.Dropout(asked["dropout"]))
    model = thalweg.Sequential([*parts, layers.Dense(goal.outputs, activation=goal.activation)])
    optimizer = optimizers.get(asked["optimizer"])
    optimizer.learning_rate = asked["learning_rate"]
    model.compile(optimizer, goal.loss, metrics=[goal.metric])
    return model


def scaling(x: np.ndarray) -> Callable[[], list[Any]]:
    """What makes the layers that lay a row flat and scale it; the rows are looked at once."""
    flat = x.ndim > 2
    if x.dtype == np.uint8:  # grey values: zeros stay zeros
        factor = 1 / max(int(x.max()), 1)
        return lambda: [*([layers.Flatten()] if flat else []), layers.Rescaling(factor)]
    scale = layers.Normalization()
    scale.adapt(x.reshape(len(x), -1))
    mean, variance = (np.array(one) for one in scale.get_weights()[:2])
    return lambda: [*([layers.Flatten()] if flat else []), layers.Normalization(mean=mean, variance=variance)]


def _widths(given: str) -> list[int]:
    try:
        return [int(one) for one in given.split(",") if one.strip()]
    except ValueError:
        raise ValueError(f"--layers must be whole numbers separated by commas, like 128,128, got {given!r}.") from None


def said(held: datasets.DataSet, x: np.ndarray, validation: np.ndarray) -> str:
    test = "no test rows" if held.x_test is None else f"{len(held.x_test):,} test rows, kept closed"
    return f"{held.name}: {len(x):,} training rows, {len(validation):,} validation rows, {test}"


def _show(console: Console, history: Any, goal: Goal, folder: Path) -> None:
    found = history.history
    if not history.epoch:
        console.print("No epoch was finished.")
        return
    for name in ("loss", goal.metric):
        console.print(chart(name, {"training": found[name], "validation": found[f"val_{name}"]}))
    best = (max if goal.metric == "accuracy" else min)(found[f"val_{goal.metric}"])
    epoch = found[f"val_{goal.metric}"].index(best) + 1
    last = found[f"val_{goal.metric}"][-1]
    shown = "{:.2%}" if goal.metric == "accuracy" else "{:.4g}"
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
    )
