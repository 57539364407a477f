"""Rows: what every kind of array data becomes, and what is said when it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class DataError(ValueError):
    """Data that cannot be used; the message names the argument, and the row and column where there is one."""


class DataWarning(UserWarning):
    """Data that can be used, but not as they probably were meant."""


class Rows(NamedTuple):
    """Arrays on the host, all with `n` rows.

    Attributes:
        x: one array an input.
        y: one array an output; () where there are no targets.
        weight: sample weights, one [n] array for all outputs or one an output; () where there are none.
        n: how many rows.
        columns: per input the names of its columns, or None.

    """

    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray, ...]
    weight: tuple[np.ndarray, ...]
    n: int
    columns: tuple[Any, ...] = ()

    def part(self, start: int, stop: int) -> Rows:
        """Rows start..stop, as views."""
        cut = [tuple(array[start:stop] for array in arrays) for arrays in self[:3]]
        return Rows(cut[0], cut[1], cut[2], stop - start, self.columns)


def known_version(record: Mapping[str, Any], what: str, newest: int) -> None:
    """Raise where a record is of a version that is not known here.

    Raises:
        DataError: naming both versions.

    """
    version = record.get("version")
    if not isinstance(version, int) or version > newest:
        raise DataError(f"{what} is of version {version!r}; this thalweg reads versions up to {newest}.")


def to_array(given: Any, argument: str) -> np.ndarray:
    """`given` as an array of numbers with at least one axis.

    Raises:
        DataError: on ragged rows, texts, objects and complex numbers; it names the place.

    """
    if hasattr(given, "toarray"):
        raise DataError(f"{argument} is a sparse matrix, expected a dense array: give {argument}.toarray().")
    if hasattr(given, "columns") and hasattr(given, "to_numpy"):
        array = _from_frame(given, argument)
    else:
        array = _from_any(given, argument)
    if array.ndim == 0:
        raise DataError(f"{argument} must have rows, got the single value {array[()]!r}.")
    return array


def _from_any(given: Any, argument: str) -> np.ndarray:
    try:
        array = np.asarray(given)
    except ValueError:
        raise DataError(f"{argument} is ragged: {_first_odd(given)}") from None
    if array.dtype.kind == "O":
        array = _from_objects(given, array, argument)
    if array.dtype.kind == "V" and array.dtype.itemsize == 2 and "float" in str(getattr(given, "dtype", "")):
        array = array.astype(np.float32)  # bfloat16, which NumPy itself does not know
    if array.dtype.kind not in "biuf" and "float" not in str(array.dtype):
        wanted = "Turn categories into numbers first." if array.dtype.kind in "US" else "Give real numbers."
        raise DataError(
            f"{argument} must be numbers, got dtype {array.dtype} (first value {array.flat[0]!r}). {wanted}"
        )
    return array


def _from_objects(given: Any, array: np.ndarray, argument: str) -> np.ndarray:
    for place, value in np.ndenumerate(array):
        if not isinstance(value, (int, float, np.number, np.bool_)) or isinstance(value, complex):
            if np.ndim(value) > 0:
                raise DataError(f"{argument} is ragged: {_first_odd(given)}")
            where = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
            raise DataError(f"{argument} must be numbers, got {value!r} of type {type(value).__name__} in {where}.")
    return array.astype(np.float64)


def _from_frame(frame: Any, argument: str) -> np.ndarray:
    for name in frame.columns:
        column = frame[name]
        kind = str(column.dtype)
        if kind in ("object", "category", "string", "str") or kind.startswith(("datetime", "timedelta", "complex")):
            first = next((value for value in column if isinstance(value, str)), column.iloc[0] if len(column) else None)
            raise DataError(
                f"{argument}, column {name!r} must be numbers, got dtype {kind} (for example {first!r}). "
                "Turn categories into numbers first, or leave the column out."
            )
    found = frame.to_numpy(dtype=np.float64, na_value=np.nan) if _nullable(frame) else frame.to_numpy()
    return np.asarray(found)


def _nullable(frame: Any) -> bool:
    return any(not isinstance(kind, np.dtype) for kind in frame.dtypes)


def _first_odd(given: Any) -> str:
    lengths = [len(row) if hasattr(row, "__len__") else None for row in given]
    for i, length in enumerate(lengths):
        if length != lengths[0]:
            return f"row 0 has {lengths[0]} values, row {i} has {length}."
    return "its rows differ in their inner lengths."
