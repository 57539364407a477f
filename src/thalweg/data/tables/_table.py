"""A table that was read: its rows, what each column was taken for, and what is to be predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._names import unknown
from thalweg.data._fingerprint import digest_of
from thalweg.data._rows import DataError
from thalweg.data.tables import _cells
from thalweg.data.tables._goal import TASKS, task_of
from thalweg.data.tables._kinds import Column, columns_of
from thalweg.data.tables._recipe import Recipe
from thalweg.data.tables._source import frame_of
from thalweg.data.tables._splits import split_rows

if TYPE_CHECKING:
    import pandas as pd

_RARE = 0.05  # share of the rows below which a class is said to be rare


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with names for their columns, as :func:`read` gives them.

    Attributes:
        name: of the file, or ``'frame'``.
        frame: the columns to learn from, a pandas frame.
        columns: what each of them is taken for.
        targets: the columns to predict, a frame, or None.
        target_columns: what each of them is taken for.
        task: ``'classification'``, ``'labels'`` or ``'regression'``; None without targets.
        said: what a person should know of how it was read.

    """

    name: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    targets: pd.DataFrame | None = None
    target_columns: tuple[Column, ...] = ()
    task: str | None = None
    said: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def part(self, rows: Any) -> Table:
        """Some of the rows, by number."""
        return replace(
            self, frame=self.frame.iloc[rows], targets=None if self.targets is None else self.targets.iloc[rows]
        )

    def split(
        self, fraction: float, seed: int = 0, group: str | None = None, time: str | None = None
    ) -> tuple[Table, Table]:
        """Training rows, and a fraction of the rows to check on.

        Args:
            fraction: for the second part, in (0, 1).
            seed: of the draw.
            group: a column whose equal cells never stand in both parts (several rows of one person); the parts do not learn
                from it.
            time: a column by which the last rows are the second part: the past is learnt from, the future checked on.

        Without either, the rows are drawn at random; for classes, each class by itself.

        Raises:
            DataError: where a part would be empty.
            ValueError: on an unknown column.

        """
        for column in (group, time):
            if column is not None and column not in self.frame.columns:
                raise ValueError(unknown("column", column, [str(name) for name in self.frame.columns]))
        y = None if self.targets is None else self.targets.iloc[:, 0]
        train, rest = split_rows(
            len(self),
            fraction,
            seed,
            y if self.task == "classification" else None,
            None if group is None else self.frame[group],
            None if time is None else self._times(time),
        )
        left = self.without(group)
        return left.part(train), left.part(rest)

    def without(self, group: str | None) -> Table:
        """The same, with a column that says which rows stay together left out of what is learnt."""
        columns = [
            one._replace(kind="dropped", why="says which rows stay together") if one.name == group else one
            for one in self.columns
        ]
        return replace(self, columns=tuple(columns))

    def fingerprint(self) -> str:
        """SHA-256 over the cells of all columns, whatever is learnt from them: by it the rows are known again."""
        from pandas.util import hash_pandas_object

        frame = self.frame if self.targets is None else self.frame.join(self.targets)
        return digest_of(hash_pandas_object(frame[name], index=False).to_numpy() for name in sorted(frame.columns))

    def _times(self, name: str) -> np.ndarray:
        """A column by which rows follow each other: dates as dates, however they are written, or numbers."""
        column = next(one for one in self.columns if one.name == name)
        series = self.frame[name]
        there = _cells.there(series)
        if not there.all():
            raise DataError(
                f"Rows cannot be put in order by {name!r}: nothing stands in row {int(there.argmin())} "
                f"({int((~there).sum()):,} of {len(there):,} rows). Fill these cells in, or leave the rows out."
            )
        if column.kind == "date":
            return _cells.dates(series, column.style)
        values = _cells.numbers(series, column.style)
        if np.isnan(values).any():
            raise DataError(f"Rows cannot be put in order by {name!r}, which holds neither dates nor numbers.")
        return values

    def recipe(self) -> Recipe:
        """What turns such rows into a net's inputs, learnt from these."""
        return Recipe.fit(self.columns, self.frame, self.task, self.target_columns, self.targets)

    def encode(self, recipe: Recipe) -> tuple[Any, Any]:
        """The rows' inputs and targets, as ``fit`` takes them."""
        assert recipe.goal is not None
        assert self.targets is not None
        return recipe.encode(self.frame).inputs, recipe.goal.encode(self.targets)

    def lines(self) -> list[str]:
        """What was decided, a line a column."""
        found = [f"{self.name}: {len(self):,} rows, {self.frame.shape[1]} columns to learn from"]
        found += [f"  {text}" for text in self.said]
        width = max((len(one.name) for one in (*self.columns, *self.target_columns)), default=0)
        found += [_line(one, width, len(self)) for one in self.columns]
        found += [f"{_line(one, width, len(self))}  <- to be predicted" for one in self.target_columns]
        if self.task is not None:
            found.append(f"task: {self._task()}")
        return found

    def _task(self) -> str:
        assert self.targets is not None
        goal = TASKS[str(self.task)].fit(self.target_columns, self.targets)
        if self.task == "regression":
            return "regression: numbers, seen by the net with mean 0 and deviation 1"
        if self.task == "labels":
            return f"labels: yes or no for each of {goal.outputs}"
        counts = np.bincount(goal.encode(self.targets), minlength=goal.outputs)
        shares = counts / counts.sum()
        rare = [f"{name} {share:.1%}".replace("%", " %") for name, share in zip(goal.classes, shares, strict=True)]
        text = f"classification: {goal.outputs:,} classes"
        if goal.outputs > max(2, len(self) / 5):
            return f"{text} in {len(self):,} rows, too few of each to learn from; numbers are better predicted by regression"
        if shares.min() < _RARE and len(rare) <= 10:
            return f"{text}, unevenly many ({', '.join(rare)}); balanced class weights may help"
        return text

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _line(column: Column, width: int, rows: int) -> str:
    missing = f", {column.missing:,} of {rows:,} missing" if column.missing else ""
    return f"  {column.name:<{width}}  {column.kind:<11}  {column.why}{missing}"


def read(
    source: Any,
    target: str | Sequence[str] | None = None,
    *,
    types: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    task: str | None = None,
) -> Table:
    """Read a table, and decide what its columns are.

    Args:
        source: a path to CSV (any delimiter, quoting and encoding, also packed as .gz), Parquet, JSON lines or .npz (an
            array [n] is a column, one [n, d] is d of them), or a pandas frame. Of CSV, texts become categories.
        target: the column to predict, or several.
        types: what columns are, where the decision is to be another one: ``{'zip': 'categorical'}``. Kinds: numeric,
            categorical, boolean, date, text, identifier.
        drop: columns to leave out.
        task: ``'classification'``, ``'regression'`` or ``'labels'``, where the decision is to be another one.

    Returns:
        The table; ``print(table)`` says what was decided. Rows whose target is missing are left out.

    Raises:
        DataError: naming the file, line or column that cannot be used.
        ValueError: on an unknown column, kind or task, with the nearest known name.

    Example:
        >>> import pandas as pd
        >>> from thalweg import data
        >>> print(data.read(pd.DataFrame({'age': [31, 45, 27], 'city': ['A', 'B', 'A'], 'rich': ['no', 'yes', 'no']}), 'rich'))
        frame: 3 rows, 2 columns to learn from
          age   numeric      27 to 45
          city  categorical  2 names: 'A', 'B'
          rich  boolean      'no' or 'yes'  <- to be predicted
        task: classification: 2 classes

    """
    name, frame, said = _frame(source)
    wanted = [target] if isinstance(target, str) else list(target or [])
    names = [str(one) for one in frame.columns]
    for one in wanted:
        if one not in names:
            raise DataError(f"{name}: {unknown('column', one, names)}")
    if not wanted:
        return Table(name, frame, tuple(columns_of(frame, types, drop)), said=said)
    rest = [one for one in names if one not in wanted]
    if not rest:
        raise DataError(f"{name} has no column to learn from: it has only the target{'s' if len(wanted) > 1 else ''}.")
    frame = frame[[*rest, *wanted]]
    there = np.all([_cells.there(frame[one]) for one in wanted], axis=0)
    if not there.all():
        said = (*said, f"{int((~there).sum()):,} rows without a target: left out")
        frame = frame[there]
    if not len(frame):
        raise DataError(f"{name}: no row has a target in {', '.join(map(repr, wanted))}.")
    columns = columns_of(frame, types, drop, len(wanted))
    targets = tuple(columns[len(rest) :])
    if task is not None:
        TASKS[task]
    found = task or task_of(targets, frame[wanted])
    if found == "regression":
        _check_numbers(targets, frame)
    return Table(name, frame[rest], tuple(columns[: len(rest)]), frame[wanted], targets, found, said)


def _check_numbers(targets: Sequence[Column], frame: pd.DataFrame) -> None:
    for one in targets:
        lost = np.isnan(_cells.numbers(frame[one.name], one.style))
        if lost.any():
            cell = frame[one.name].iloc[int(lost.argmax())]
            raise DataError(
                f"Column {one.name!r} holds {cell!r}, which is no number: it cannot be predicted by regression."
            )


def _frame(source: Any) -> tuple[str, pd.DataFrame, tuple[str, ...]]:
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        twice = source.columns[source.columns.duplicated()]
        if len(twice):
            raise DataError(f"The frame has two columns with the name {twice[0]!r}.")
        if not len(source):
            raise DataError("The frame has no rows.")
        return "frame", source.rename(columns=str).reset_index(drop=True), ()
    path = Path(source)
    frame, said = frame_of(path)
    return path.name, frame, said
