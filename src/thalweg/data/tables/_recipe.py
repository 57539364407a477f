"""All that turns a table into what a net reads, and a net's outputs into a table: fitted once, kept as plain data."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.data._rows import DataError, DataWarning, known_version
from thalweg.data.tables import _cells
from thalweg.data.tables._encoders import Encoder, Numeric, fitted, read_encoder
from thalweg.data.tables._goal import TASKS, Goal, read_goal
from thalweg.data.tables._kinds import Column
from thalweg.data.tables._threads import each

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
_BLOCK = 1 << 16  # rows encoded at a time, so that what lies between stays small


class Encoded(NamedTuple):
    """Rows as a net reads them.

    Attributes:
        numbers: [n, d] float32.
        codes: [n, k] int32, those of each column in a range of its own; None where no column has any.
        unseen: [n, columns] which cells are unlike all that were seen in training; None where nobody asked.

    """

    numbers: np.ndarray
    codes: np.ndarray | None
    unseen: np.ndarray | None = None

    @property
    def inputs(self) -> Any:
        """What ``fit`` and ``predict`` of a net for such rows take."""
        return self.numbers if self.codes is None else [self.numbers, self.codes]

    def part(self, rows: Any) -> Encoded:
        """Some of the rows: of a slice, views."""
        numbers, *others = (None if one is None else one[rows] for one in self)
        assert numbers is not None
        return Encoded(numbers, *others)


@dataclass(frozen=True)
class Recipe:
    """From a table to a net's inputs, and from its outputs back.

    Attributes:
        encoders: one a column that the net sees.
        goal: what its outputs stand for; None where nobody has said.

    Example:
        >>> import pandas as pd
        >>> from thalweg import data
        >>> table = data.read(pd.DataFrame({'a': [1.0, 2.0, 4.0], 'b': ['x', 'y', 'x'], 'c': [0, 1, 1]}), target='c')
        >>> recipe = table.recipe()
        >>> recipe.encode(table.frame).numbers.shape, recipe.goal.classes
        ((3, 3), ('0', '1'))

    """

    encoders: tuple[Encoder, ...]
    goal: Goal | None = None

    @classmethod
    def fit(
        cls, columns: Sequence[Column], frame: pd.DataFrame, task: str | None, targets: Sequence[Column], y: Any
    ) -> Recipe:
        """Learn from training rows.

        Args:
            columns: what each column of `frame` is taken for.
            frame: the training rows.
            task: by name, or None where there are no targets.
            targets: what each column of `y` is taken for.
            y: the targets, a frame.

        """
        used = [(one, frame[one.name]) for one in columns if one.used]
        if not used:
            raise DataError(
                "No column is left to learn from: " + "; ".join(f"{c.name}: {c.kind}" for c in columns) + "."
            )
        goal = None if task is None else TASKS[task].fit(targets, y)
        return cls(tuple(each(lambda pair: fitted(*pair), used)), goal)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are read."""
        return tuple(one.name for one in self.encoders)

    @property
    def titles(self) -> tuple[str, ...]:
        """A title for each number."""
        return tuple(title for one in self.encoders for title in one.titles)

    @cached_property
    def measures(self) -> tuple[int, ...]:
        """Which of the numbers lie on a scale, by place."""
        found: list[int] = []
        at = 0
        for one in self.encoders:
            found += range(at, at + one.measures)
            at += len(one.titles)
        return tuple(found)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many codes each column with codes has."""
        return tuple(one.size for one in self.encoders if one.size)

    def check(self, names: Sequence[str]) -> tuple[str, ...]:
        """The columns that are too many.

        Raises:
            DataError: naming those that are missing.

        """
        lacking = [name for name in self.columns if name not in names]
        if lacking:
            raise DataError(
                f"{'Columns are' if len(lacking) > 1 else 'A column is'} missing: {', '.join(map(repr, lacking))}. "
                f"The net was trained on {', '.join(map(repr, self.columns))}; got {', '.join(map(repr, names))}."
            )
        known = {*self.columns, *(self.goal.targets if self.goal else ())}
        return tuple(name for name in names if name not in known)

    def encode(self, frame: pd.DataFrame, dtype: Any = np.float32, judge: bool = False) -> Encoded:
        """Rows as the net reads them, whatever the order of their columns.

        Args:
            frame: the rows.
            dtype: of the numbers.
            judge: whether to count the cells that are unlike all that were seen in training.

        Raises:
            DataError: where a column is missing.

        """
        self.check([str(name) for name in frame.columns])
        n = len(frame)
        found = Encoded(
            np.empty((n, len(self.titles)), dtype),
            np.empty((n, len(self.sizes)), np.int32) if self.sizes else None,
            np.zeros((n, len(self.encoders)), bool) if judge else None,
        )
        unread: dict[str, tuple[Any, str]] = {}
        blocks = [slice(start, start + _BLOCK) for start in range(0, n, _BLOCK)]
        each(lambda block: self._fill(found.part(block), frame.iloc[block], unread), blocks)
        for name, (cell, wanted) in unread.items():
            warnings.warn(
                f"Column {name!r} holds {cell!r}, which cannot be read as {wanted}: such cells count as missing.",
                DataWarning,
                stacklevel=3,
            )
        return found

    def _fill(self, room: Encoded, frame: pd.DataFrame, unread: dict[str, tuple[Any, str]]) -> None:
        """Write some rows where there is room for them; each column is read once.

        Args:
            room: for the rows.
            frame: the rows.
            unread: gets, by column, a cell that could not be made out and what it should be.

        """
        at = coded = offset = 0
        for place, one in enumerate(self.encoders):
            series = frame[one.name]
            cells = one.cells(series)
            for column in one.numbers(cells):
                room.numbers[:, at] = column
                at += 1
            if room.codes is not None and one.size:
                room.codes[:, coded] = one.codes(cells) + offset
                coded, offset = coded + 1, offset + one.size
            may_be_lost = bool(one.reads) and not _cells.is_plain(series, one.KIND)
            there = _cells.there(series) if may_be_lost or room.unseen is not None else None
            if there is None:
                continue
            if room.unseen is not None:
                room.unseen[:, place] = one.unseen(cells, there)
            if may_be_lost:
                lost = one.unread(cells, there)
                if lost.any():
                    cell = series.iloc[int(lost.argmax())]
                    unread.setdefault(one.name, (getattr(cell, "item", lambda: cell)(), one.reads))  # noqa: B023  # at once

    def unseen(self, frame: pd.DataFrame) -> np.ndarray:
        """Per row, how many cells are unlike all that were seen in training."""
        found = self.encode(frame, judge=True).unseen
        assert found is not None
        counts: np.ndarray = found.sum(axis=1)
        return counts

    def record(self) -> dict[str, Any]:
        """Plain data for a file: nothing in it is ever run."""
        return {
            "version": VERSION,
            "columns": [one.record() for one in self.encoders],
            "goal": self.goal and self.goal.record(),
        }


def numeric_recipe(frame: pd.DataFrame, weights: np.ndarray | None = None) -> Recipe:
    """A recipe for a frame of numbers, all of whose columns are kept.

    Args:
        frame: the rows.
        weights: one a row: a row of weight 2 counts as two rows.

    """
    return Recipe(tuple(Numeric.of(str(name), frame[name].to_numpy(np.float64), weights=weights) for name in frame))


def read_recipe(record: dict[str, Any]) -> Recipe:
    """A recipe from its record.

    Raises:
        DataError: where the record is of a later version, or no whole one.

    """
    known_version(record, "This recipe", VERSION)
    try:
        encoders = tuple(read_encoder(one) for one in record["columns"])
        return Recipe(encoders, record["goal"] and read_goal(record["goal"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"The recipe in this file is damaged: {error}.") from error
