"""What is to be predicted: one of some classes, yes or no for several labels, or numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from thalweg._names import Table as Names
from thalweg.data._rows import DataError
from thalweg.data.tables import _cells
from thalweg.data.tables._kinds import Column

if TYPE_CHECKING:
    import pandas as pd

_MOST = 20  # different whole numbers that are taken for classes


@dataclass(frozen=True)
class Goal:
    """What a net's outputs stand for. Base of the three tasks.

    Attributes:
        targets: names of the columns.

    """

    TASK: ClassVar[str] = ""
    targets: tuple[str, ...]

    @classmethod
    def fit(cls, columns: Sequence[Column], frame: pd.DataFrame) -> Goal:
        """Learn from the training rows' targets."""
        raise NotImplementedError(f"{cls.__name__} must define fit(columns, frame).")

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return len(self.targets)

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """The targets as a loss takes them."""
        raise NotImplementedError(f"{type(self).__name__} must define encode(frame).")

    def decode(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """A net's outputs as columns of a table."""
        raise NotImplementedError(f"{type(self).__name__} must define decode(outputs).")

    def record(self) -> dict[str, Any]:
        """Plain data, from which :func:`read_goal` makes the same."""
        return {"task": self.TASK, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class Classes(Goal):
    """One of some classes.

    Attributes:
        classes: their names, numbers in the order of their size.

    """

    TASK: ClassVar[str] = "classification"
    classes: tuple[str, ...]

    @classmethod
    def fit(cls, columns: Sequence[Column], frame: pd.DataFrame) -> Goal:
        _, found = _cells.coded(frame.iloc[:, 0])
        return cls((columns[0].name,), tuple(sorted(found, key=_by_size)))

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        codes, different = _cells.coded(frame.iloc[:, 0])
        place = {name: i for i, name in enumerate(self.classes)}
        strange = [name for name in different if name not in place]
        if strange:
            raise DataError(
                f"Column {self.targets[0]!r} holds {strange[0]!r}, which is none of the classes the net was trained on: "
                f"{', '.join(self.classes[:10])}."
            )
        found: np.ndarray = np.array([place[name] for name in different], np.int32)[codes]
        return found

    def decode(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        best = np.array(self.classes, dtype=object)[outputs.argmax(axis=1)]
        chances = {f"probability of {name}": outputs[:, i] for i, name in enumerate(self.classes)}
        return {self.targets[0]: best, **chances}


@dataclass(frozen=True)
class Labels(Goal):
    """Yes or no for each of several labels."""

    TASK: ClassVar[str] = "labels"

    @classmethod
    def fit(cls, columns: Sequence[Column], frame: pd.DataFrame) -> Goal:
        return cls(tuple(one.name for one in columns))

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        return np.stack([_cells.truths(frame.iloc[:, i]) for i in range(frame.shape[1])], axis=1).astype(np.float32)

    def decode(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        each: dict[str, np.ndarray] = {}
        for i, name in enumerate(self.targets):
            each[name] = (outputs[:, i] > 0.5).astype(int)
            each[f"probability of {name}"] = outputs[:, i]
        return each


@dataclass(frozen=True)
class Values(Goal):
    """Numbers, which the net sees with mean 0 and deviation 1.

    Attributes:
        means, deviations: of the training targets, one a column.
        styles: how they are written, where they are texts.

    """

    TASK: ClassVar[str] = "regression"
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    styles: tuple[str, ...]

    @classmethod
    def fit(cls, columns: Sequence[Column], frame: pd.DataFrame) -> Goal:
        values = _numbers(frame, [one.style for one in columns])
        means, deviations = values.mean(axis=0), values.std(axis=0)
        names = tuple(one.name for one in columns)
        return cls(names, _floats(means), _floats(np.where(deviations > 0, deviations, 1.0)), _styles(columns))

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        values = _numbers(frame, self.styles)
        return np.asarray((values - self.means) / self.deviations, np.float32)

    def decode(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        values = outputs.astype(np.float64) * self.deviations + self.means
        return {name: values[:, i] for i, name in enumerate(self.targets)}


TASKS = Names("task", {one.TASK: one for one in (Classes, Labels, Values)})
"""Task -> the goal that serves it."""


def task_of(columns: Sequence[Column], frame: pd.DataFrame) -> str:
    """The task that targets ask for.

    Args:
        columns: what each target was taken for.
        frame: the targets.

    Raises:
        DataError: where they ask for different ones.

    """
    if len(columns) == 1:
        return _one(columns[0], frame.iloc[:, 0])
    kinds = {one.kind for one in columns}
    if kinds <= {"boolean", "constant"}:
        return "labels"
    if kinds <= {"numeric", "boolean"}:
        return "regression"
    raise DataError(
        "Several targets must be all numbers or all yes and no, got "
        + ", ".join(f"{one.name!r} ({one.kind})" for one in columns)
        + "."
    )


def _one(column: Column, series: pd.Series) -> str:
    if column.kind != "numeric" or column.style != "plain" or series.dtype.kind not in "iuf":
        return "regression" if column.kind == "numeric" else "classification"
    values = series.dropna()
    whole = bool((values == np.rint(values)).all())
    few = values.nunique() <= min(_MOST, max(2, len(values) // 5))
    return "classification" if whole and few else "regression"


def read_goal(record: dict[str, Any]) -> Goal:
    """A goal from its record."""
    given = {name: tuple(value) for name, value in record.items() if name != "task"}
    made: Goal = TASKS[record["task"]](**given)
    return made


def _numbers(frame: pd.DataFrame, styles: Sequence[str]) -> np.ndarray:
    return np.stack([_cells.numbers(frame.iloc[:, i], style) for i, style in enumerate(styles)], axis=1)


def _styles(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(one.style for one in columns)


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _by_size(name: str) -> tuple[int, float, str]:
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
