"""What the net makes of the validation rows: its mistakes by class, label or number, and the rows it gets most wrong."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thalweg.data import DataError, Rows
from thalweg.diagnosis._measured import inputs_of, rows_of
from thalweg.diagnosis._tasks import task_of
from thalweg.models._fit import looked_over
from thalweg.reports._classes import of_classes
from thalweg.reports._given import Given
from thalweg.reports._labels import of_labels
from thalweg.reports._numbers import of_numbers
from thalweg.reports._worst import worst


class Answers(NamedTuple):
    """Rows, what is true of them and what the net says.

    Attributes:
        rows: as the net takes them.
        task: what the net is for.
        truth: class numbers [rows], 0 and 1 [rows, labels], or numbers [rows, numbers].
        said: likewise, by the net.
        outputs: of the net, as they are.
        logits: whether they are what probabilities are made of, and not yet these.
        names: of the classes, labels or numbers.

    """

    rows: Rows
    task: Any
    truth: np.ndarray
    said: np.ndarray
    outputs: np.ndarray
    logits: bool
    names: tuple[str, ...]


def validated(given: Given) -> dict[str, Any]:
    """The mistakes of a net on its validation rows.

    Raises:
        thalweg.data.DataError: on rows that do not fit the net, or other names than there are classes.
        ValueError: where the net has several outputs or no loss.

    """
    model = given.model
    rows = rows_of(model, given.validation, "validation")
    model.ready(rows)
    looked_over(model, rows, "validation")
    task, loss = task_of(model), model.objective.losses[0]
    outputs = np.asarray(model.predict(inputs_of(rows), verbose=0))
    truth, said = task.targets(rows.y[0]), task.decided(outputs)
    names = _names(given, task, truth)
    found = Answers(rows, task, truth, said, outputs, bool(getattr(loss, "from_logits", False)), names)
    each = _losses(loss, found)
    record = _KINDS[task.NAME](found, given)
    told = record.pop("rows_told")
    return {"task": task.NAME, "rows": rows.n, "loss": float(each.mean()), **record, **worst(found, given, each, told)}


_KINDS = {"classes": of_classes, "labels": of_labels, "numbers": of_numbers}
"""Name of a task -> the record of its mistakes."""


def _names(given: Given, task: Any, truth: np.ndarray) -> tuple[str, ...]:
    count = task.count if task.NAME == "classes" else truth.shape[1]
    if given.names is None:
        word = {"classes": "", "labels": "label ", "numbers": "target "}[task.NAME]
        return ("target",) if (word, count) == ("target ", 1) else tuple(f"{word}{i}" for i in range(count))
    if len(given.names) != count:
        raise DataError(f"class_names must name {count} {task.NAME}, got {len(given.names)}: {list(given.names)[:5]}.")
    return given.names


def _losses(loss: Any, found: Answers) -> np.ndarray:
    """One a row; where the loss gives one for all rows together, whether the row is wrong."""
    y = found.rows.y[0]
    if not loss.per_row(y, found.outputs):
        return np.asarray(found.task.errors(found.truth, found.said, 1.0), np.float64)
    each = np.asarray(loss.apply(loss.hypers(), y, found.outputs), np.float64)
    return each.reshape(len(each), -1).mean(axis=1)
