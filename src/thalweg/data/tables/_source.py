"""Files of rows as a pandas frame, whatever they are written in, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg._names import Table as Names
from thalweg.data._arrays import read_arrays
from thalweg.data._rows import DataError
from thalweg.data.tables import _csv
from thalweg.data.tables._form import form_of

if TYPE_CHECKING:
    import pandas as pd


def _delimited(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    form = form_of(path)
    frame, said = _without_index(_csv.whole(path, form))
    return frame, (*form.said, *said)


def _without_index(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Without a first column that has no name and counts the rows: pandas wrote its index."""
    import numpy as np

    if not len(frame.columns) or frame.columns[0] != "":
        return frame, ()
    if np.array_equal(frame.iloc[:, 0].to_numpy(), np.arange(len(frame))):
        return frame.iloc[:, 1:], ("the first column has no name and counts the rows: left out.",)
    raise DataError("The first column has no name in the first line.")


def _json_lines(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pandas as pd

    try:
        return pd.read_json(path, lines=True), ()
    except ValueError as error:
        raise DataError(f"{path} does not hold one JSON object a line: {error}.") from error


def _parquet(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pandas as pd

    try:
        return pd.read_parquet(path), ()
    except ImportError as error:
        raise DataError("Parquet files need the extra: pip install 'thalweg[parquet]'.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no whole Parquet file: {error}.") from error


def _arrays(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Each array [n] is a column, each [n, ...] one for every number of a row; test rows stay closed."""
    import pandas as pd

    kept = read_arrays(path, lambda names: [name for name in names if not name.endswith("_test")])
    columns: dict[str, Any] = {}
    for name, array in kept.items():
        if not array.ndim:
            raise DataError(f"{path}: {name!r} is a single value, no array with a value for each row.")
        if len(array) != len(next(iter(kept.values()))):
            sizes = ", ".join(f"{one!r} has {len(held):,}" for one, held in kept.items() if held.ndim)
            raise DataError(f"{path}: the arrays differ in their rows: {sizes}.")
        flat = array.reshape(len(array), -1)
        columns |= {name if array.ndim == 1 else f"{name} {i}": flat[:, i] for i in range(flat.shape[1])}
    return pd.DataFrame(columns), ()


READERS = Names(
    "ending of a table's file",
    {".csv": _delimited, ".tsv": _delimited, ".txt": _delimited, ".parquet": _parquet, ".pq": _parquet, ".jsonl": _json_lines,
     ".ndjson": _json_lines, ".npz": _arrays},
)  # fmt: skip
"""Ending -> a function from a path to a frame and what is to be said of it."""


def ending_of(path: Path) -> str:
    """The ending, that of the packed file where it is packed."""
    return Path(path.stem).suffix.lower() if path.suffix == ".gz" else path.suffix.lower()


def frames_of(path: Path, rows: int, texts: Sequence[str] = ()) -> Iterator[pd.DataFrame]:
    """A file in frames of so many rows; of a CSV file no more than one of them is in memory.

    Args:
        path: of the file.
        rows: of a frame.
        texts: columns that a CSV file's frames hold as they stand.

    Raises:
        DataError: as :func:`frame_of`.

    """
    if _reader(path) is _delimited:
        yield from _csv.pieces(path, form_of(path), rows, texts)
        return
    frame, _ = frame_of(path)
    yield from (frame.iloc[start : start + rows] for start in range(0, len(frame), rows))


def _reader(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path} is a folder, no table." if path.is_dir() else f"There is no file {path}.")
    return READERS[ending_of(path)]


def frame_of(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A file as a frame, and what is to be said of it.

    Raises:
        DataError: where there is no such file, its ending is unknown, or it cannot be read.

    """
    frame, said = _reader(path)(path)
    if not len(frame):
        raise DataError(f"{path} has no rows, only the names of {len(frame.columns)} columns.")
    return frame, said
