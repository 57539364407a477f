"""What is looked for in rows before they are trained on: numbers that are none, labels outside the classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.data._rows import DataError, Rows

_BLOCK = 1 << 20  # values looked at in one go
_EXACT = 1 << 24  # integers up to here are exact in float32


def check_rows(source: Rows, what: str = "fit") -> None:
    """Finite inputs and targets, integers that float32 can hold, weights that are finite and not negative.

    Raises:
        DataError: naming the argument, the first row and column, and how many values are wrong.

    """
    several = len(source.x) > 1
    for i, array in enumerate(source.x):
        columns = source.columns[i] if source.columns else None
        _numbers(array, f"x[{i}]" if several else "x", columns, what)
    for i, array in enumerate(source.y):
        _numbers(array, f"y[{i}]" if len(source.y) > 1 else "y", None, what)
    for array in source.weight:
        _numbers(array, "sample_weight", None, what)
        if array.size and array.min() < 0:
            row = int(np.argmax(array < 0))
            raise DataError(
                f"{what}: sample_weight must not be negative, got {array[row]:g} in row {row} "
                f"({int((array < 0).sum())} such rows)."
            )


def check_labels(y: np.ndarray, classes: int, kind: str, what: str = "fit", ignore: int | None = None) -> None:
    """Labels that fit the loss.

    Args:
        y: class numbers, one-hot rows, or zeros and ones.
        classes: how many outputs there are.
        kind: ``'sparse'``, ``'categorical'`` or ``'binary'``.
        what: who asks, for messages.
        ignore: a class number that counts nothing.

    Raises:
        DataError: naming the label and its row.

    """
    if kind == "sparse":
        _class_numbers(y if ignore is None else y[y != ignore], classes, what)
    elif y.dtype.kind == "f" or y.dtype.kind in "iu":
        wrong = (y < 0) | (y > 1)
        if wrong.any():
            place = np.argwhere(wrong)[0]
            hint = " Labels -1 and 1 go with 'hinge'." if kind == "binary" and y.min() == -1 else ""
            raise DataError(
                f"{what}: labels must be in [0, 1], got {y[tuple(place)]:g} in row {place[0]} of y "
                f"({int(wrong.sum())} such labels).{hint}"
            )


def _class_numbers(y: np.ndarray, classes: int, what: str) -> None:
    if y.dtype.kind == "f" and not np.array_equal(y, np.rint(y)):
        row = int(np.argwhere(y != np.rint(y))[0][0])
        raise DataError(
            f"{what}: class labels must be whole numbers, got {float(y[row].flat[0]):g} in row {row} of y "
            f"({int((y != np.rint(y)).sum())} such labels)."
        )
    if not y.size:
        return
    wrong = (y < 0) | (y >= classes)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        more = (
            f" Did the classes start at 1? The net has {classes} outputs."
            if y.min() == 1 and y.max() == classes
            else ""
        )
        raise DataError(
            f"{what}: class labels must be in [0, {classes}), as the net has {classes} outputs, got "
            f"{float(y[row].flat[0]):g} in row {row} of y ({int(wrong.sum())} such labels).{more}"
        )


def only_class(y: np.ndarray, kind: str) -> Any:
    """The class of all rows where they are of one class, else None; `kind` is as for :func:`check_labels`."""
    if kind == "categorical":
        present = np.flatnonzero(y.any(axis=tuple(range(y.ndim - 1))))
        return int(present[0]) if present.size == 1 else None
    if kind == "binary" and y.ndim > 1 and y.shape[-1] > 1:
        return None
    return float(y.flat[0]) if y.size and y.min() == y.max() and float(y.flat[0]).is_integer() else None


def _numbers(array: np.ndarray, argument: str, columns: Any, what: str) -> None:
    if array.dtype.kind == "b" or (array.dtype.kind in "iu" and array.dtype.itemsize <= 2):
        return
    flat = array.reshape(array.shape[0], -1)
    step = max(1, _BLOCK // max(flat.shape[1], 1))
    whole = array.dtype.kind in "iu"
    for start in range(0, flat.shape[0], step):
        block = flat[start : start + step]
        if whole:
            if int(block.max()) > _EXACT or int(block.min()) < -_EXACT:
                _raise_large(flat, argument, columns, what)
        else:
            with np.errstate(over="ignore"):  # what is too large is told below
                narrow = block.astype(np.float32, copy=False)
            if not np.isfinite(narrow.sum(dtype=np.float64)):
                _raise_infinite(flat, argument, columns, what)


def _raise_infinite(flat: np.ndarray, argument: str, columns: Any, what: str) -> None:
    wrong = ~np.isfinite(flat)
    if not wrong.any():
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(flat.astype(np.float32))
        if not wrong.any():
            return
        raise DataError(
            f"{what}: {argument} has {_number(wrong)} too large for float32 (3.4e38): {_place(flat, wrong, columns)}. Scale it down."
        )
    raise DataError(
        f"{what}: {argument} has {_number(wrong)} that are NaN or infinite: {_place(flat, wrong, columns)}. "
        "Leave those rows out, or fill the values in."
    )


def _raise_large(flat: np.ndarray, argument: str, columns: Any, what: str) -> None:
    wrong = flat.astype(np.float32).astype(np.float64) != flat.astype(np.float64)
    wrong |= np.abs(flat.astype(np.float64)) >= 2**53
    if wrong.any():
        raise DataError(
            f"{what}: {argument} has {_number(wrong)} that float32 cannot hold exactly (whole numbers beyond 2^24): "
            f"{_place(flat, wrong, columns)}. If it is an identifier, leave the column out; else scale it."
        )


def _number(wrong: np.ndarray) -> str:
    count = int(wrong.sum())
    return f"{count:,} value{'s' if count > 1 else ''}"


def _place(flat: np.ndarray, wrong: np.ndarray, columns: Any) -> str:
    row, column = (int(i) for i in np.argwhere(wrong)[0])
    named = f" ({columns[column]!r})" if columns else ""
    where = f"row {row}, column {column}{named}" if flat.shape[1] > 1 or columns else f"row {row}"
    return f"{flat[row, column]!s} in {where}"
