"""What the commands train on: a data set with a name, a file of arrays, a table, a folder of pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg import _seeds, data, datasets
from thalweg.data.tables import READERS, ending_of
from thalweg.models import GOALS, Goal, array_front, goal_of, table_front

OF_TABLES = ("target", "types", "drop", "task", "group", "time_column")
"""Options that say what a table's columns are."""


class Source(NamedTuple):
    """Rows to train on, to validate on and, sealed, to test on, and how a net for them begins.

    Attributes:
        name: of the data.
        train, validation: (x, y) each.
        rows: how many of `train`.
        goal: what the net is trained for.
        lines: what a person should know of them.
        front: makes what a net begins with; see ``models.chained``.
        recipe: from tables or pictures to rows, with a ``record()``; or None.
        test: sealed rows that neither the net nor the recipe has seen; or None.
        cut: whether these were cut off here; else the data brought them.
        frame: the validation rows of a table as they were read, a pandas frame; or None.

    """

    name: str
    train: Any
    validation: Any
    rows: int
    goal: Goal
    lines: list[str]
    front: Callable[[], Any]
    recipe: Any = None
    test: data.Sealed | None = None
    cut: bool = False
    frame: Any = None

    @property
    def unit(self) -> tuple[float, str]:
        """What 1 in the net's outputs is in the target's own unit, and words for it."""
        goal = getattr(self.recipe, "goal", None)
        if goal is None or goal.TASK != "regression":
            return 1.0, ""
        if len(goal.targets) > 1:
            return 1.0, " (in standard deviations)"
        return goal.deviations[0], f" (in units of {goal.targets[0]})"


def source_of(name: str, asked: dict[str, Any]) -> Source:
    """The rows of a data set or file.

    Args:
        name: of a data set, or a path.
        asked: the command's options: ``validation``, ``seed``; ``test``, where it is missing no rows are sealed; for tables
            ``target``, ``types``, ``drop``, ``task``, ``group``, ``time_column``.

    Raises:
        thalweg.data.DataError: where there is nothing of that name, or it cannot be read.

    """
    path = Path(name)
    ending = "" if name in datasets.NAMES else ending_of(path)
    is_table = ending in READERS if ending != ".npz" else bool(asked.get("target"))  # else its x and y are arrays
    if is_table:
        return _of_table(path, asked)
    for option in OF_TABLES:
        if asked.get(option):
            raise ValueError(f"--{option.replace('_', '-')} goes with tables ({', '.join(READERS)}), not with {name}.")
    if name not in datasets.NAMES and path.is_dir():
        return _of_images(path, asked)
    return _of_arrays(datasets.load(name), asked)


def _of_arrays(held: datasets.DataSet, asked: dict[str, Any]) -> Source:
    if held.x_test is None:
        rest, test = _without_test(held.x, held.y, asked)
    else:
        rest, test = (held.x, held.y), data.Sealed(held.x_test, held.y_test)
    train, validation = _split(*rest, asked["validation"], asked["seed"])
    line = f"{held.name}: {len(train[0]):,} training rows, {len(validation[0]):,} validation rows, {_sealed(test)}"
    return Source(
        held.name,
        train,
        validation,
        len(train[0]),
        goal_of(held.y),
        [line],
        array_front(train[0]),
        test=test,
        cut=held.x_test is None and test is not None,
    )


def _of_images(path: Path, asked: dict[str, Any]) -> Source:
    found = data.read_images(path)
    rest, test = _without_test(found.x, found.y, asked)
    train, validation = _split(*rest, asked["validation"], asked["seed"])
    lines = [f"{path.name}: {text}" for text in found.said]
    told = _sealed(test, "pictures")
    lines.append(f"{len(train[0]):,} training pictures, {len(validation[0]):,} validation pictures, {told}")
    goal = Goal(len(found.frame.classes), *GOALS["classification"])
    front = array_front(train[0])
    return Source(
        path.name, train, validation, len(train[0]), goal, lines, front, found.frame, test, cut=test is not None
    )


def _of_table(path: Path, asked: dict[str, Any]) -> Source:
    if not asked.get("target"):
        raise ValueError(f"{path} is a table: say which column is to be predicted, --target NAME.")
    drop = [one for one in (asked.get("drop") or "").split(",") if one]
    targets = [one for one in asked["target"].split(",") if one]
    table = data.read(path, targets, types=types_of(asked.get("types")), drop=drop, task=asked.get("task"))
    by = asked["seed"], asked.get("group"), asked.get("time_column")
    left, tested = _cut_table(table, _fraction(asked), *by)
    train, rest = left.split(asked["validation"], *by)
    recipe = train.recipe()
    assert recipe.goal is not None
    if recipe.goal.TASK == "classification" and recipe.goal.outputs < 2:
        raise data.DataError(f"Column {targets[0]!r} is the same in every training row: there is nothing to learn.")
    goal = Goal(recipe.goal.outputs, *GOALS[recipe.goal.TASK])
    test = None if tested is None else data.Sealed(*tested.encode(recipe), tested.fingerprint())
    lines = table.without(asked.get("group")).lines()
    lines.append(f"{len(train):,} training rows, {len(rest):,} validation rows, {_sealed(test)}")
    name = path.name.removesuffix(".gz")
    return Source(
        Path(name).stem,
        train.encode(recipe),
        rest.encode(recipe),
        len(train),
        goal,
        lines,
        lambda: table_front(recipe),
        recipe,
        test,
        cut=test is not None,
        frame=rest.frame,
    )


def types_of(given: str | None) -> dict[str, str]:
    """``'zip=categorical,id=identifier'`` as a dict."""
    found = {}
    for one in (given or "").split(","):
        if one:
            name, _, kind = one.rpartition("=")
            if not name:
                raise ValueError(f"--types takes NAME=KIND, separated by commas, got {one!r}.")
            found[name] = kind
    return found


def _fraction(asked: dict[str, Any]) -> float:
    """Of the rows that are sealed; a command from before there were any has no word of it."""
    fraction = float(asked.get("test") or 0)
    if not 0 <= fraction < 1:
        raise ValueError(f"--test must be a fraction from 0 to below 1, got {fraction}; 0 seals no rows.")
    return fraction


def _cut_table(table: data.Table, fraction: float, *by: Any) -> tuple[data.Table, data.Table | None]:
    """The rows to train and validate on, and those to test on: cut off before anything is learnt from the others."""
    if not fraction:
        return table, None
    try:
        return table.split(fraction, *by)
    except data.DataError as error:
        raise data.DataError(f"{error} That was --test {fraction}; --test 0 seals no rows.") from error


def _without_test(x: Any, y: Any, asked: dict[str, Any]) -> tuple[tuple[Any, Any], data.Sealed | None]:
    """The same of arrays: of classes, each gives its share."""
    fraction = _fraction(asked)
    if not fraction:
        return (x, y), None
    try:
        found = data.split(x, y, 0, fraction, seed=asked["seed"])
    except data.DataError as error:
        raise data.DataError(f"{error} That was --test {fraction}; --test 0 seals no rows.") from error
    return found.train, found.test


def _sealed(test: data.Sealed | None, what: str = "rows") -> str:
    return f"no test {what}" if test is None else f"{test.rows:,} test {what}, sealed"


def _split(x: np.ndarray, y: np.ndarray, fraction: float, seed: int) -> tuple[Any, Any]:
    """Training and validation rows, drawn at random by the seed."""
    if not 0 < fraction < 1:
        raise ValueError(f"--validation must be a fraction between 0 and 1, got {fraction}.")
    order = _seeds.generator(_seeds.checked(seed), len(x)).permutation(len(x))
    rows = data.adapt(x[order], y[order])
    assert isinstance(rows, data.Rows)
    train_rows, rest = data.validation_split(rows, fraction)
    return (train_rows.x[0], train_rows.y[0]), (rest.x[0], rest.y[0])
