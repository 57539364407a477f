"""How a CSV file is written: what separates its cells, how its letters are coded, what its columns are called."""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.data._rows import DataError

_SAMPLE = 1 << 16  # bytes that are looked at before the whole is read
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
FALLBACK = "cp1252"
_LINES = 50


@dataclass(frozen=True)
class Form:
    """How a CSV file is written.

    Attributes:
        delimiter: what separates cells.
        encoding: how its letters are coded.
        columns: the names in its first line.
        spaced: whether spaces stand after delimiters in its beginning.
        quoted: whether there are quotes, within which a line's end may stand.
        lines: how many lines end in it, at least as many as it has rows.
        said: what a person should know of it.

    """

    delimiter: str
    encoding: str
    columns: tuple[str, ...]
    spaced: bool
    quoted: bool
    lines: int
    said: tuple[str, ...] = ()


def form_of(path: Path) -> Form:
    """How a CSV file is written: its beginning tells the delimiter and the names, the whole the rest.

    Raises:
        DataError: where it is empty, or the names in its first line are missing or stand twice.

    """
    with _opened(path) as file:
        start = file.read(_SAMPLE)
    if not start.strip():
        raise DataError(f"{path} is empty.")
    marked = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    delimiter = _delimiter(_text(start, marked or FALLBACK))
    seen = _looked_through(path)
    encoding = marked or ("utf-8" if seen.utf8 else FALLBACK)
    said = (f"{path.name} is not UTF-8: read as Windows-1252.",) if encoding == FALLBACK else ()
    names = next(_cut(_text(start, encoding), delimiter), [])
    columns = tuple(name.strip() for name in names)
    _check_names(path, columns)
    spaced = f"{delimiter} " in _text(start, encoding)
    return Form(delimiter, encoding, columns, spaced, seen.quoted, seen.lines, said)


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _text(start: bytes, encoding: str) -> str:
    """The lines that are whole."""
    text = start.decode(encoding, errors="ignore")
    return text if len(start) < _SAMPLE else text[: text.rfind("\n") + 1] or text


class _Seen(NamedTuple):
    """What the bytes of a whole file tell."""

    utf8: bool
    quoted: bool
    lines: int


def _looked_through(path: Path) -> _Seen:
    decoder, utf8, quoted, lines = codecs.getincrementaldecoder("utf-8")(), True, False, 1
    with _opened(path) as file:
        while block := file.read(1 << 20):
            utf8 = utf8 and _goes_on(decoder, block)
            quoted = quoted or b'"' in block
            lines += sum(_count(block, end) for end in b"\r\n")
    return _Seen(utf8 and _goes_on(decoder, b"", final=True), quoted, lines)


def _count(block: bytes, byte: int) -> int:
    """How often it stands there: bytes.count takes eight times as long."""
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == byte)) if byte in block else 0


def _goes_on(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    """Whether it is UTF-8 up to here."""
    if block.isascii() and not final and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _cut(text: str, delimiter: str) -> Iterator[list[str]]:
    """The cells of each line; where there are none to be found, the lines end."""
    with contextlib.suppress(csv.Error):
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(text: str) -> str:
    """The one that cuts the first lines into the same number of cells, the most where several do."""

    def cells(delimiter: str) -> tuple[bool, int]:
        rows = [len(row) for row in islice(_cut(text, delimiter), _LINES) if row]
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
