"""CSV files as frames, whole or in pieces: pandas parses, in several threads where the file is long."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.data._rows import DataError
from thalweg.data.tables._form import FALLBACK, Form
from thalweg.data.tables._growing import Growing
from thalweg.data.tables._threads import each

if TYPE_CHECKING:
    import pandas as pd

_PIECE = 1 << 16  # rows that are parsed at a time
_SPAN = 1 << 22  # bytes from which a second thread is worth its while
_BY_BYTES = ("utf-8", "utf-8-sig", FALLBACK)  # encodings in which the byte of a line's end is nothing else
MISSING = ("?", "-", "--", ".", "unknown", "Unknown", "missing", "Missing", "(none)", "#VALUE!", "#REF!", "nil")
"""Marks that stand for nothing, beside those that pandas knows (an empty cell, NA, NaN, null, None, ...)."""


def whole(path: Path, form: Form) -> pd.DataFrame:
    """All of a CSV file; texts as categories.

    A column that is numbers in one piece and texts in another is read once more, as it stands: texts in all.

    Raises:
        DataError: as :func:`pieces`.

    """
    import pandas as pd

    try:
        columns = _read(path, form, _spans(path, form))
    except DataError:
        columns = _read(path, form, [None])  # whose complaint counts lines from the file's beginning
    odd = [name for name, column in zip(form.columns, columns, strict=True) if not column.agrees]
    if odd:
        columns = _read(path, form, [None], odd)
    frame = pd.concat([column.series() for column in columns], axis=1) if columns else pd.DataFrame()
    frame.columns = pd.Index(form.columns)
    return frame


def _read(path: Path, form: Form, spans: Sequence[Any], texts: Sequence[str] = ()) -> list[Growing]:
    def of(span: Any) -> list[Growing]:
        columns = [Growing(form.lines) for _ in form.columns]
        for piece in pieces(path, form, _PIECE, texts, span):
            for name, column in zip(form.columns, columns, strict=True):
                column.add(piece[name])
        return columns

    first, *others = each(of, spans)
    for columns in others:
        for mine in first:
            mine.join(columns.pop(0))
    return first


def _spans(path: Path, form: Form) -> list[Any]:
    """Bytes from where to where each thread reads, cut at lines' ends; [None] where one reads all."""
    size = path.stat().st_size
    count = min(os.cpu_count() or 1, size // _SPAN)
    if count < 2 or form.quoted or path.suffix == ".gz" or form.encoding not in _BY_BYTES:
        return [None]
    cuts = [0]
    with path.open("rb") as file:
        for i in range(1, count):
            file.seek(max(size * i // count, cuts[-1]))
            file.readline()
            cuts.append(file.tell())
    return [span for span in zip(cuts, [*cuts[1:], size], strict=True) if span[0] < span[1]]


class _Span(io.RawIOBase):
    """Some bytes of a file, as a file."""

    def __init__(self, path: Path, start: int, stop: int) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._file.seek(start)
        self._left = stop - start

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        count = self._file.readinto(memoryview(room)[: self._left]) or 0
        self._left -= count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def pieces(path: Path, form: Form, size: int, texts: Sequence[str] = (), span: Any = None) -> Iterator[pd.DataFrame]:
    """A CSV file in pieces of so many rows.

    Args:
        path: of the file.
        form: how it is written.
        size: rows of a piece.
        texts: those that are read as they stand, so that pieces do not differ in what they take them for.
        span: bytes from where to where; None is all.

    Raises:
        DataError: naming the line that has too many cells.

    """
    import pandas as pd

    options: dict[str, Any] = {
        "sep": form.delimiter,
        "encoding": form.encoding,
        "skipinitialspace": form.spaced,
        "na_values": list(MISSING),
        "low_memory": False,
        "dtype": dict.fromkeys(texts, "str") or None,
        "names": list(form.columns),
        "header": 0 if span is None or not span[0] else None,
        "index_col": False,
    }
    source = path if span is None else io.BufferedReader(_Span(path, *span), 1 << 20)
    try:
        with pd.read_csv(source, chunksize=size, **options) as reader:
            yield from reader
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path} cannot be read as a table: {str(error).strip()}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not {form.encoding} throughout: {error}.") from error
