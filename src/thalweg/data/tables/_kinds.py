"""What each column of a table is taken for, and why: one line a column that a person reads and may overrule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg._names import Table as Names
from thalweg.data._rows import DataError
from thalweg.data.tables import _cells
from thalweg.data.tables._threads import each

if TYPE_CHECKING:
    import pandas as pd

_FEW = 20  # rows below which nothing is taken for an identifier
_UNIQUE = 0.95  # share of different cells from which a column tells rows apart rather than kinds of rows
_WORDS = 3.0  # words a cell from which a column is text
_NAMED_ID = re.compile(r"(^|[_\s])(id|uuid|guid|index|rownames?)$", re.IGNORECASE)
_DATE = re.compile(
    r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|^\s*\d{1,2}[\s-][A-Za-z]{3}|^\s*[A-Za-z]{3,9}\.? \d{1,2},? \d{4}"
)
_SEEN = 1000  # different cells that are tried as dates


class Column(NamedTuple):
    """What a column is taken for.

    Attributes:
        name: as in the table.
        kind: one of :data:`KINDS`.
        why: in a few words.
        style: how its numbers or dates are written, where they are texts.
        missing: cells in which nothing stands.

    """

    name: str
    kind: str
    why: str
    style: str = "plain"
    missing: int = 0

    @property
    def used(self) -> bool:
        """Whether a net sees it."""
        return self.kind not in DROPPED


DROPPED = ("identifier", "constant", "empty", "dropped")
KINDS = Names(
    "kind of column",
    {
        "numeric": "numbers",
        "categorical": "one of several names",
        "boolean": "yes or no",
        "date": "a day or a time",
        "text": "words in a row",
        "identifier": "tells rows apart: left out",
        "constant": "the same everywhere: left out",
        "empty": "nothing stands in it: left out",
        "dropped": "left out as asked",
    },
)
"""Kind -> what it means."""


def columns_of(
    frame: pd.DataFrame, types: Mapping[str, str] | None = None, drop: Sequence[str] = (), n_target: int = 0
) -> list[Column]:
    """What every column is taken for.

    Args:
        frame: the table.
        types: kinds that somebody says, by column.
        drop: columns to leave out.
        n_target: so many columns at the end are targets, which are never left out.

    Raises:
        DataError: on a column that mixes numbers with texts, naming it and the first such cell.
        ValueError: on an unknown kind or column.

    """
    names = [str(name) for name in frame.columns]
    told = dict(types or {})
    for name in (*told, *drop):
        Names("column", dict.fromkeys(names))[name]
    firsts = len(names) - n_target

    def of(i: int) -> Column:
        name, series = names[i], frame.iloc[:, i]
        if name in drop:
            return Column(name, "dropped", "as asked")
        return _told(name, series, told[name]) if name in told else _looked_at(name, series, is_target=i >= firsts)

    return each(of, range(len(names)))


def _told(name: str, series: pd.Series, kind: str) -> Column:
    import pandas as pd

    KINDS[kind]
    style = "plain"
    if kind == "numeric" and series.dtype.kind not in "biuf":
        style, part = _cells.style_of(series)
        if part < 1:
            raise _mixed(name, series, style)
    if kind == "date":
        _, different = _cells.coded(series)
        known = pd.api.types.is_datetime64_any_dtype(series.dtype)
        form = "ISO8601" if known else _cells.form_of(different[:: max(1, len(different) // _SEEN)])
        if form is None:
            raise DataError(f"Column {name!r} holds no dates in any one form that is known: {different[0]!r}, ...")
        style = form
    return Column(name, kind, "as said", style, int((~_cells.there(series)).sum()))


def _looked_at(name: str, series: pd.Series, is_target: bool) -> Column:
    import pandas as pd

    if series.dtype.kind == "b":
        return Column(name, "boolean", "true or false")
    if pd.api.types.is_numeric_dtype(series.dtype):
        return _of_numbers(name, series, is_target)
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return Column(name, "date", "dates", "ISO8601", int(series.isna().sum()))
    return _of_cells(name, series, is_target)


def _of_numbers(name: str, series: pd.Series, is_target: bool) -> Column:
    missing = int(series.isna().sum())
    if missing == len(series):
        return Column(name, "empty", "nothing stands in it", missing=missing)
    low, high = series.min(), series.max()
    if low == high and not is_target:
        if not missing:
            return Column(name, "constant", f"always {_shown(low)}")
        return Column(name, "categorical", f"{_shown(low)} or nothing", missing=missing)
    if {low, high} == {0, 1} and series.dropna().isin((0, 1)).all():
        return Column(name, "boolean", "0 or 1", missing=missing)
    if not is_target and not missing and len(series) >= _FEW and series.dtype.kind in "iu":
        counts_rows = series.is_monotonic_increasing and high - low == len(series) - 1
        if (counts_rows or _NAMED_ID.search(name)) and series.is_unique:
            return Column(name, "identifier", "another number in every row")
    return Column(name, "numeric", f"{_shown(low)} to {_shown(high)}", missing=missing)


def _of_cells(name: str, series: pd.Series, is_target: bool) -> Column:
    codes, different = _cells.coded(series)
    there = int((codes >= 0).sum())
    missing = len(codes) - there
    if not different:
        return Column(name, "empty", "nothing stands in it", missing=missing)
    if len(different) == 1 and not missing and not is_target:
        return Column(name, "constant", f"always {different[0]!r}")
    if len(different) == 2 and sum(map(_cells._truth, different)) == 1:
        return Column(name, "boolean", f"{different[0]!r} or {different[1]!r}", missing=missing)
    style, part = _cells.style_of(series)
    if part == 1:
        return Column(name, "numeric", "numbers, written as text", style, missing)
    if part > 0.5:
        raise _mixed(name, series, style)
    form = _form_of(different)
    if form is not None:
        return Column(name, "date", f"such as {different[0]!r}", form, missing)
    return _of_words(name, there, different, missing, is_target)


def _of_words(name: str, there: int, different: list[str], missing: int, is_target: bool) -> Column:
    part = len(different) / there
    if not is_target and there >= _FEW:
        words = float(np.mean([len(text.split()) for text in different[:_SEEN]]))
        if words >= _WORDS and part > 0.5:
            return Column(name, "text", f"{words:.0f} words a cell", missing=missing)
        if part > _UNIQUE:
            return Column(name, "identifier", f"{len(different):,} different names in {there:,} rows")
    shown = ", ".join(repr(one) for one in different[:3]) + (", ..." if len(different) > 3 else "")
    return Column(name, "categorical", f"{len(different):,} names: {shown}", missing=missing)


def _form_of(different: list[str]) -> str | None:
    """How they are written, where all are dates."""
    tried = different[:: max(1, len(different) // _SEEN)]
    return _cells.form_of(tried) if all(_DATE.search(text) for text in tried) else None


def _mixed(name: str, series: pd.Series, style: str) -> DataError:
    read = _cells.STYLES[style]
    texts = _cells.words(series)
    odd = [(i, text) for i, text in enumerate(texts) if text is not None and np.isnan(read(text))]
    row, cell = odd[0]
    return DataError(
        f"Column {name!r} mixes numbers with texts: {cell!r} stands in row {row} ({len(odd):,} of {len(series):,} rows "
        f"are no numbers). Empty these cells where they stand for nothing, or say what the column is: "
        f"types={{{name!r}: 'categorical'}} (--types {name}=categorical), or leave it out: drop=[{name!r}] (--drop {name})."
    )


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, (int, np.integer)) else f"{value:,.6g}"
