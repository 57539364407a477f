"""Some rows of a run, for whoever asks what a net does with them: few enough to keep, the same at each call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg import _seeds, data
from thalweg.data import Rows
from thalweg.files import FileError
from thalweg.models._fit import adapted
from thalweg.studio._steering import Refused

ROWS = 5000
"""At most, of each part: as many as models learn from that a diagnosis compares a net with."""
_BYTES = 64 << 20  # of each part, at most: large pictures are fewer
_COLUMNS = 1000  # that are named at most


Again = Callable[[Path], tuple[Any, Any, Any]]
"""From a run's folder to its best net, the rows that it learnt from and those that it was validated on, or None; raises ValueError."""


class Part(NamedTuple):
    """Some rows, in the order in which they stand in the data.

    Attributes:
        x: one array an input.
        y: one array an output; () where there are no targets.
        numbers: of the rows, counted from 0.
        total: how many there are.

    """

    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray, ...]
    numbers: np.ndarray
    total: int


class Sample(NamedTuple):
    """Some of the rows that a net learns from.

    Attributes:
        x, y, numbers, total: as of a :class:`Part`.
        validation: a :class:`Part` of those that it is validated on, or None; its first two are x and y.
        names: of the columns of all inputs, side by side; () where nobody named them.

    """

    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray, ...]
    numbers: np.ndarray
    total: int
    validation: Part | None
    names: tuple[str, ...]

    @property
    def training(self) -> Part:
        """Those that the net learns from."""
        return Part(self.x, self.y, self.numbers, self.total)


def rows_of_fit(session: Any) -> Sample | None:
    """Copies of some rows of a fit; None where they come from a stream, which cannot be read twice.

    Args:
        session: of the fit, as it begins.

    """
    rows = getattr(session.feed, "rows", None)
    validation = None if session.evaluator is None else getattr(session.evaluator.feed, "rows", None)
    return None if rows is None else sample_of(session.model, rows, validation)


def rows_of_folder(folder: Path, again: Again | None) -> Sample:
    """Some rows of a recorded run.

    Args:
        folder: of the run.
        again: makes them again.

    Raises:
        Refused: where nobody can make them again: a script began the run, it is under way, it has no net yet, or its data have
            changed since.

    """
    if again is None:
        raise Refused(
            "The rows of other runs are not at hand here: thalweg studio makes those of thalweg train's runs again."
        )
    try:
        model, train, rest = again(folder)
        validation = None if rest is None else adapted(model, *rest, what="validation")
        return sample_of(model, adapted(model, *train, what="fit"), validation)
    except (FileError, ValueError, OSError) as error:
        raise Refused(f"The run's rows cannot be made again: {error}") from None


def sample_of(model: Any, rows: Rows, validation: Rows | None = None) -> Sample:
    """Some rows, drawn with a fixed seed.

    Args:
        model: that learns from them.
        rows: that it learns from.
        validation: that it is validated on.

    """
    return Sample(*_part_of(rows), None if validation is None else _part_of(validation), _names_of(model, rows))


def _part_of(rows: Rows) -> Part:
    each = sum(array[:1].nbytes for array in (*rows.x, *rows.y))
    count = max(1, min(rows.n, ROWS, _BYTES // max(each, 1)))
    numbers = np.sort(_seeds.generator(0, rows.n).choice(rows.n, count, replace=False))
    x, y = (tuple(np.array(array[numbers]) for array in arrays) for arrays in (rows.x, rows.y))
    return Part(x, y, numbers, rows.n)


def _names_of(model: Any, rows: Rows) -> tuple[str, ...]:
    """What the columns are called, by whoever read the table; no names rather than wrong ones."""
    width = sum(int(np.prod(array.shape[1:])) for array in rows.x)
    named = [str(name) for one in rows.columns or () if one is not None for name in one]
    if not named and model.preprocessing and "columns" in model.preprocessing:
        recipe = data.read_recipe(model.preprocessing)
        named = [*recipe.titles, *(one.name for one in recipe.encoders if one.size)]
    return tuple(named) if len(named) == width <= _COLUMNS else ()
