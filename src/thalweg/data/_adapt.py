"""From what a person hands to fit, evaluate or predict to rows or a stream of batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thalweg._names import unknown
from thalweg.data._rows import DataError, Rows, to_array
from thalweg.data._sealed import refuse_sealed
from thalweg.data._stream import Stream


def adapt(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    what: str = "fit",
    batch_size: int | None = None,
    inputs: list[str] | None = None,
    outputs: list[str] | None = None,
) -> Rows | Stream:
    """Arrays, lists, frames and dicts of them as :class:`Rows`; whatever gives batches as a :class:`Stream`.

    Args:
        x: inputs, or a source of batches (x, y[, weights]).
        y: targets; not beside a source of batches.
        sample_weight: [rows], likewise.
        what: who asks, for messages.
        batch_size: must be None beside a source of batches.
        inputs: the inputs' names, for dicts.
        outputs: the outputs' names, for dicts.

    Raises:
        DataError: where lengths differ, data are empty, or are no numbers.

    """
    refuse_sealed(x, y, sample_weight)
    if isinstance(x, (Rows, Stream)):
        return x
    if x is None:
        raise DataError(f"{what} needs data: x is None.")
    if _gives_batches(x):
        if y is not None or sample_weight is not None:
            name = "y" if y is not None else "sample_weight"
            raise DataError(f"{what} got {name} beside a source of batches, which gives (x, y, sample_weight) itself.")
        if batch_size is not None:
            raise DataError(
                f"{what} got batch_size={batch_size} beside a source of batches, whose size they have already."
            )

        def convert(batch: Any, place: str) -> Rows:
            if what == "predict" and isinstance(batch, (tuple, list)):
                batch = batch[:1]  # targets beside the inputs do not matter
            return _from_batch(batch, place, inputs, outputs)

        return Stream(x, convert, what)
    return rows_of(x, y, sample_weight, inputs, outputs)


def rows_of(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    inputs: list[str] | None = None,
    outputs: list[str] | None = None,
    place: str = "",
) -> Rows:
    """Arrays and their like as rows."""
    given = _parts(x, "x", inputs)
    arrays = tuple(to_array(part, f"{place}{name}") for name, part in given)
    targets = tuple(to_array(part, f"{place}{name}") for name, part in _parts(y, "y", outputs))
    weights = tuple(_weight(part, f"{place}{name}") for name, part in _parts(sample_weight, "sample_weight", outputs))
    n = arrays[0].shape[0]
    labels = [*(name for name, _ in given), *_names(y, "y", outputs), *_names(sample_weight, "sample_weight", outputs)]
    for name, array in zip(labels, (*arrays, *targets, *weights), strict=True):
        if array.shape[0] != n:
            raise DataError(f"{place}x has {n} rows and {name} has {array.shape[0]}: they must have as many.")
    if n == 0:
        raise DataError(f"{place}x is empty: it has shape {arrays[0].shape}, and no row to learn from.")
    columns = tuple([str(name) for name in part.columns] if hasattr(part, "columns") else None for _, part in given)
    return Rows(arrays, targets, weights, n, columns)


def _from_batch(batch: Any, place: str, inputs: list[str] | None, outputs: list[str] | None) -> Rows:
    if isinstance(batch, (tuple, list)):
        if not 1 <= len(batch) <= 3:
            raise DataError(f"{place} must be (x, y) or (x, y, sample_weight), got a tuple of {len(batch)}.")
        x, y, weight = (*batch, None, None)[:3]
        return rows_of(x, y, weight, inputs, outputs, f"{place}: ")
    return rows_of(batch, None, None, inputs, outputs, f"{place}: ")


def _gives_batches(x: Any) -> bool:
    if hasattr(x, "shape") or hasattr(x, "to_numpy") or isinstance(x, (list, tuple, Mapping, str, int, float)):
        return False
    if isinstance(x, Iterator) or hasattr(x, "__iter__"):
        return True
    return hasattr(x, "__getitem__") and hasattr(x, "__len__")


def _parts(given: Any, argument: str, names: list[str] | None) -> list[tuple[str, Any]]:
    """The arrays of an argument, each with what to call it, in the order of `names`."""
    if given is None:
        return []
    if isinstance(given, Mapping):
        return _by_name(given, argument, names)
    if isinstance(given, (list, tuple)) and given and all(_is_array(part) for part in given):
        several = len(given) == len(names) if names and len(names) > 1 else _are_inputs(given)
        if several:
            return [(f"{argument}[{i}]" if len(given) > 1 else argument, part) for i, part in enumerate(given)]
    return [(argument, given)]


def _by_name(given: Mapping[str, Any], argument: str, names: list[str] | None) -> list[tuple[str, Any]]:
    if names is None or len(names) == 1 == len(given):
        return [(f"{argument}[{name!r}]", part) for name, part in given.items()]
    for name in given:
        if name not in names:
            raise DataError(f"{argument}: {unknown('name', name, names)}")
    for name in names:
        if name not in given:
            raise DataError(f"{argument} lacks {name!r}; it has {', '.join(map(repr, given))}.")
    return [(f"{argument}[{name!r}]", given[name]) for name in names]


def _names(given: Any, argument: str, names: list[str] | None) -> list[str]:
    return [name for name, _ in _parts(given, argument, names)]


def _is_array(part: Any) -> bool:
    return (hasattr(part, "shape") or hasattr(part, "to_numpy")) and np.ndim(part) > 0


def _are_inputs(given: Any) -> bool:
    """Whether a list of arrays is a list of inputs rather than of rows: one array, or tables."""
    return len(given) == 1 or isinstance(given, tuple) or all(np.ndim(part) > 1 for part in given)


def _weight(given: Any, argument: str) -> np.ndarray:
    array = to_array(given, argument)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{argument} must be one weight a row, [rows], got shape {array.shape}.")
    return array
