"""``thalweg predict``: a trained net's predictions for a table, a piece at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from thalweg import data, files
from thalweg.data._images import pictures_in, read_frame
from thalweg.data.tables import Classes, frames_of
from thalweg.models import load_model

_PICTURES = 512  # held in memory at a time
UNLIKE = "cells unlike training"
"""Title of the column that counts them."""


def predict(run: str, table: str, out: str, rows: int) -> None:
    """Write a prediction for each row.

    Raises:
        ValueError: where the net was not trained on a table.
        thalweg.data.DataError: where the table lacks a column, or cannot be read.

    """
    console = Console(highlight=False)
    path = Path(run) / "best.keras" if Path(run).is_dir() else Path(run)
    if not path.is_file():
        raise ValueError(f"There is no run or model {run}: name a run's folder, or a .keras file.")
    model = load_model(path, compile=False)
    if "images" in (model.preprocessing or {}):
        _of_pictures(model, Path(table), out, rows, console)
        return
    if not model.preprocessing or "columns" not in model.preprocessing:
        raise ValueError(
            f"{path} was not trained on a table: predict in Python, thalweg.models.load_model(path).predict(x)."
        )
    recipe = data.read_recipe(model.preprocessing)
    goal = recipe.goal
    if goal is None:
        raise ValueError(f"{path} does not say what its outputs stand for.")
    count, strange, of_column = 0, 0, np.zeros(len(recipe.encoders), int)
    ignored: tuple[str, ...] = ()
    with files.whole_file(out) as file, console.status("predicting ...") as status:
        texts = [one.name for one in recipe.encoders if one.KIND != "numeric"]  # no piece guesses what they are
        for frame in frames_of(Path(table), rows, texts):
            if not len(frame):
                raise data.DataError(f"{table} has no rows, only the names of {frame.shape[1]} columns.")
            ignored = recipe.check([str(name) for name in frame.columns])
            encoded = recipe.encode(frame, judge=True)
            found = goal.decode(model.predict(encoded.inputs, verbose=0))
            assert encoded.unseen is not None
            each = encoded.unseen.sum(axis=1)
            _write(file, {**found, UNLIKE: each}, first=count == 0)
            count, strange = count + len(frame), strange + int((each > 0).sum())
            of_column += encoded.unseen.sum(axis=0)
            status.update(f"predicting ... {count:,} rows")
    if ignored:
        console.print(f"columns that the net does not use, ignored: {', '.join(ignored)}", markup=False)
    if strange:
        order = [i for i in np.argsort(-of_column, kind="stable")[:5] if of_column[i]]
        where = ", ".join(f"{recipe.columns[i]} {of_column[i]:,}" for i in order)
        console.print(
            f"{strange:,} of {count:,} rows have cells unlike all that were seen in training (by column: {where}): "
            "mistrust these",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"wrote {count:,} predictions to {out}")


def _of_pictures(model: Any, folder: Path, out: str, rows: int, console: Console) -> None:
    """The class of each picture in a folder, or of one picture."""
    frame = read_frame(model.preprocessing)
    folders = [folder, *sorted(folder.iterdir())] if folder.is_dir() else []
    paths = [folder] if folder.is_file() else [one for held in folders if held.is_dir() for one in pictures_in(held)]
    if not paths:
        raise data.DataError(f"There is no picture in {folder}.")
    goal, count, rows = Classes(("class",), frame.classes), 0, min(rows, _PICTURES)
    with files.whole_file(out) as file:
        for start in range(0, len(paths), rows):
            part = paths[start : start + rows]
            chances = model.predict(frame.pixels(part), verbose=0)
            names = np.array([str(one.relative_to(folder)) if folders else one.name for one in part])
            _write(file, {"picture": names, **goal.decode(chances)}, first=start == 0)
            count += len(part)
    console.print(f"wrote {count:,} predictions to {out}")


def _write(file: Any, columns: dict[str, Any], first: bool) -> None:
    import pandas as pd

    text = pd.DataFrame(columns).to_csv(index=False, header=first, lineterminator="\n", float_format="%.7g")
    file.write(text.encode())
