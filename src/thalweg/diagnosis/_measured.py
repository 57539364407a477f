"""A net's errors on training and validation rows, like with like: dropout off, without penalties, row by row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thalweg import data
from thalweg.data import DataError, Rows
from thalweg.diagnosis._finding import Finding
from thalweg.diagnosis._tasks import task_of
from thalweg.models._fit import looked_over

_NOTHING = 0.98  # of a constant's error, from which on a net knows no more than it


class Part(NamedTuple):
    """Some rows and what the net makes of them.

    Attributes:
        rows: as the net takes them.
        targets: class numbers, 0 and 1, or numbers.
        scores: the net's outputs, [rows, outputs].
        errors: the net's, [rows].
        constant: errors of the best constant prediction, [rows].

    """

    rows: Rows
    targets: np.ndarray
    scores: np.ndarray
    errors: np.ndarray
    constant: np.ndarray

    @property
    def error(self) -> float:
        """The mean over the rows."""
        return float(self.errors.mean())


class Measured(NamedTuple):
    """The errors of a net on the rows that it learnt from, and on others."""

    task: Any
    train: Part
    validation: Part
    spread: Any  # what errors are measured by, from the training targets


def rows_of(model: Any, given: Any, what: str) -> Rows:
    """``(x, y)`` or ``(x, y, weights)`` as rows that fit the net.

    Raises:
        DataError: on what is no pair of arrays, saying which argument.

    """
    if not isinstance(given, (tuple, list)) or not 2 <= len(given) <= 3:
        raise DataError(f"{what} must be a pair (x, y), got {type(given).__name__}: {what}=(x, y).")
    names = {"inputs": model.input_labels, "outputs": model.output_names} if model.built else {}
    rows = data.adapt(*given, what=what, **names)
    if not isinstance(rows, Rows):
        raise DataError(
            f"{what} must be arrays: a diagnosis looks at every row several times, got a source of batches."
        )
    return rows


def measured(model: Any, train: Rows, validation: Rows) -> Measured:
    """Errors on both parts, with the net as it is used.

    Raises:
        DataError: on rows that do not fit the net, or hold numbers that are none.
        ValueError: where the net has no loss, or several outputs.

    """
    model.ready(train)
    task = task_of(model)
    for rows, what in ((train, "train"), (validation, "validation")):
        looked_over(model, rows, what)
    targets = task.targets(train.y[0])
    spread, constant = task.spread(targets), task.constant(targets)
    parts = [part_of(model, rows, task, spread, constant) for rows in (train, validation)]
    return Measured(task, parts[0], parts[1], spread)


def part_of(model: Any, rows: Rows, task: Any, spread: Any, constant: Any) -> Part:
    """Some rows and what the net makes of them.

    Args:
        model: compiled, with weights.
        rows: that fit it.
        task: what it is for.
        spread: what errors are measured by.
        constant: the best constant prediction.

    """
    own = task.targets(rows.y[0])
    outputs = np.asarray(model.predict(inputs_of(rows), verbose=0), np.float64)
    errors = task.errors(own, task.decided(outputs), spread)
    return Part(rows, own, outputs.reshape(rows.n, -1), errors, task.errors(own, constant, spread))


def some_of(rows: Rows, count: int) -> Rows:
    """Some rows, drawn at random, the same at each call."""
    chosen = np.sort(np.random.default_rng(0).permutation(rows.n)[:count])
    taken = [tuple(array[chosen] for array in arrays) for arrays in (rows.x, rows.y, rows.weight)]
    return rows._replace(x=taken[0], y=taken[1], weight=taken[2], n=len(chosen))


def learnt_nothing(task: Any, part: Part) -> Finding | None:
    """A training error that is no better than a constant's."""
    constant = float(part.constant.mean())
    if constant == 0 or part.error < _NOTHING * constant:
        return None
    return Finding(
        "no better than constant",
        f"the training error is {task.shown(part.error)}, that of a constant ({task.WORST}) {task.shown(constant)}: the net "
        "has learnt nothing",
        "once what else was found is mended, a net and a learning rate that are known to work (adam, 1e-3)",
        {"error": part.error, "constant": constant},
    )


def inputs_of(rows: Rows) -> Any:
    """As ``fit`` takes them: an array, or a list of them."""
    return rows.x[0] if len(rows.x) == 1 else list(rows.x)
