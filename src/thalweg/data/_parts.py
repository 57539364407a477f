"""Training, validation and test rows: the first are learnt from, the second choose, the third stay sealed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thalweg.data._rows import DataError
from thalweg.data._sealed import Sealed
from thalweg.data._splits import classes_of
from thalweg.data.tables import split_rows


class Split(NamedTuple):
    """Rows in three parts.

    Attributes:
        train: ``(x, y)`` to learn from.
        validation: ``(x, y)`` to choose by; None where none was asked for.
        test: sealed; None where none was asked for.

    """

    train: tuple[Any, Any]
    validation: tuple[Any, Any] | None
    test: Sealed | None


def split(
    x: Any,
    y: Any,
    validation: float = 0.1,
    test: float = 0.1,
    *,
    stratify: Any = "auto",
    group: Any = None,
    time: Any = None,
    seed: int = 0,
) -> Split:
    """Cut rows into training, validation and test rows; the test rows are sealed.

    Args:
        x: inputs: an array, a frame, or a list or dict of arrays.
        y: targets.
        validation: fraction of all rows to choose by; 0 for none.
        test: fraction of all rows to seal; 0 for none.
        stratify: labels, one a row, of each of which every part gets its share; ``'auto'``: the targets where they are
            classes; None: rows are drawn whatever they are.
        group: one a row; rows of one group stay in one part (several pictures of one person).
        time: one a row; the latest rows are tested on, those before them validated on.
        seed: of the draw.

    Returns:
        The three parts.

    Raises:
        DataError: where a part would be empty or fractions leave nothing to learn from.

    Example:
        >>> import numpy as np
        >>> from thalweg import data
        >>> train, validation, test = data.split(np.arange(100.0)[:, None], np.arange(100) % 4)
        >>> len(train[0]), len(validation[0]), test
        (80, 10, <10 sealed test rows, never opened>)

    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise DataError(f"Fractions must lie in [0, 1) and leave rows to learn from, got {validation=} and {test=}.")
    n = len(next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, (list, tuple)) else x)
    if len(y) != n:
        raise DataError(f"x has {n:,} rows, y has {len(y):,}.")
    by = {"classes": _labels(y, stratify, group, time), "group": group, "time": time}
    for name, one in by.items():
        if one is not None and len(one) != n:
            raise DataError(f"{'stratify' if name == 'classes' else name} has {len(one):,} values for {n:,} rows.")
    left, tested = _cut(np.arange(n), test, seed, by)
    trained, checked = _cut(left, validation / (1 - test), seed, by)

    def part(rows: np.ndarray) -> tuple[Any, Any]:
        return _of(x, rows), _of(y, rows)

    return Split(
        part(trained),
        part(checked) if len(checked) else None,
        Sealed(*part(tested)) if len(tested) else None,
    )


def _labels(y: Any, stratify: Any, group: Any, time: Any) -> Any:
    if group is not None or time is not None:
        return None
    if not isinstance(stratify, str):
        return stratify
    if stratify != "auto":
        raise DataError(f"stratify must be 'auto', None or one label a row, got {stratify!r}.")
    values = np.asarray(y)
    return values if values.dtype.kind in "OUSb" and values.ndim == 1 else classes_of(values)


def _cut(rows: np.ndarray, fraction: float, seed: int, by: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Some row numbers in two parts."""
    if not fraction:
        return rows, rows[:0]
    kept = {name: None if one is None else np.asarray(one)[rows] for name, one in by.items()}
    train, rest = split_rows(len(rows), fraction, seed, **kept)
    return rows[train], rows[rest]


def _of(values: Any, rows: np.ndarray) -> Any:
    if isinstance(values, dict):
        return {name: _of(one, rows) for name, one in values.items()}
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if isinstance(values, (list, tuple)) and len(values) and hasattr(values[0], "shape") and np.ndim(values[0]):
        return [_of(one, rows) for one in values]
    return np.asarray(values)[rows]
