"""Files of rows as a pandas frame: what separates their cells, how their letters are coded, and what is wrong with them."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg._names import Table as Names
from thalweg.data._rows import DataError

if TYPE_CHECKING:
    import pandas as pd

_SAMPLE = 1 << 16  # bytes that are looked at before the whole is read
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_FALLBACK = "cp1252"
_LINES = 50
MISSING = ("?", "-", "--", ".", "unknown", "Unknown", "missing", "Missing", "(none)", "#VALUE!", "#REF!", "nil")
"""Marks that stand for nothing, beside those that pandas knows (an empty cell, NA, NaN, null, None, ...)."""


@dataclass(frozen=True)
class Form:
    """How a CSV file is written.

    Attributes:
        delimiter: what separates cells.
        encoding: how its letters are coded.
        columns: the names in its first line.
        said: what a person should know of it.

    """

    delimiter: str
    encoding: str
    columns: tuple[str, ...]
    said: tuple[str, ...] = ()


def form_of(path: Path) -> Form:
    """How a CSV file is written, from its beginning.

    Raises:
        DataError: where it is empty, or the names in its first line are missing or stand twice.

    """
    with _opened(path) as file:
        start = file.read(_SAMPLE)
    if not start.strip():
        raise DataError(f"{path} is empty.")
    encoding, said = _encoding(path, start)
    text = start.decode(encoding, errors="ignore")
    lines = text if len(start) < _SAMPLE else text[: text.rfind("\n") + 1] or text
    delimiter = _delimiter(lines)
    names = next(csv.reader(io.StringIO(lines), delimiter=delimiter), [])
    columns = tuple(name.strip() for name in names)
    _check_names(path, columns)
    return Form(delimiter, encoding, columns, said)


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _encoding(path: Path, start: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name, ()
    if _is_utf8(path):
        return "utf-8", ()
    return _FALLBACK, (f"{path.name} is not UTF-8: read as Windows-1252.",)


def _is_utf8(path: Path) -> bool:
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    with _opened(path) as file:
        try:
            while block := file.read(1 << 20):
                if not block.isascii():
                    decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _delimiter(text: str) -> str:
    """The one that cuts the first lines into the same number of cells, the most where several do."""

    def cells(delimiter: str) -> tuple[bool, int]:
        rows = [len(row) for row in islice(csv.reader(io.StringIO(text), delimiter=delimiter), _LINES) if row]
        return len(set(rows)) == 1 and rows[0] > 1, rows[0] if rows else 0

    best = max(_DELIMITERS, key=lambda one: (*cells(one), -_DELIMITERS.index(one)))
    return best if cells(best)[1] > 1 else ","


def _check_names(path: Path, columns: tuple[str, ...]) -> None:
    for i, name in enumerate(columns):
        if not name and i:  # the first may be pandas's index
            raise DataError(f"{path}: column {i + 1} of {len(columns)} has no name in the first line.")
        if name in columns[:i]:
            places = [k + 1 for k, other in enumerate(columns) if other == name]
            raise DataError(f"{path}: the name {name!r} stands twice in the first line, in columns {places}.")


# -- reading -------------------------------------------------------------------------------------


def _csv(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    form = form_of(path)
    frame = next(_pieces(path, form, None))
    frame, said = _without_index(frame)
    return frame, (*form.said, *said)


def _pieces(path: Path, form: Form, size: int | None, texts: Any = ()) -> Iterator[pd.DataFrame]:
    """A CSV file in pieces of so many rows, or whole.

    Args:
        path: of the file.
        form: how it is written.
        size: rows of a piece, or None.
        texts: those that are read as they stand, so that pieces do not differ in what they take them for.

    Raises:
        DataError: naming the line that has too many cells.

    """
    import pandas as pd

    options: dict[str, Any] = {
        "sep": form.delimiter,
        "encoding": form.encoding,
        "skipinitialspace": True,
        "na_values": list(MISSING),
        "low_memory": False,
        "dtype": dict.fromkeys(texts, "str") or None,
        "names": list(form.columns),
        "header": 0,
        "index_col": False,
    }
    try:
        if size is None:
            yield pd.read_csv(path, **options)
        else:
            with pd.read_csv(path, chunksize=size, **options) as reader:
                yield from reader
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path} cannot be read as a table: {str(error).strip()}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not {form.encoding} throughout: {error}.") from error


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


READERS = Names(
    "ending of a table's file",
    {".csv": _csv, ".tsv": _csv, ".txt": _csv, ".parquet": _parquet, ".pq": _parquet, ".jsonl": _json_lines,
     ".ndjson": _json_lines},
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
    if _reader(path) is _csv:
        yield from _pieces(path, form_of(path), rows, texts)
        return
    frame, _ = frame_of(path)
    yield from (frame.iloc[start : start + rows] for start in range(0, len(frame), rows))


def _reader(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
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
