"""A column's cells as numbers, truth values, dates or words, whatever they were read as."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.data.tables._csv import MISSING

if TYPE_CHECKING:
    import pandas as pd

TRUE = frozenset({"true", "yes", "y", "t", "on", "1", "1.0"})
FALSE = frozenset({"false", "no", "n", "f", "off", "0", "0.0"})
_ENGLISH = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")  # 1,234.5
_CONTINENTAL = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+|[+-]?\d{1,3}(\.\d{3}){2,}")  # 1.234,5
_AROUND = re.compile(r"^[\s$€£¥]+|[\s$€£¥%]+$")
_NOTHING = frozenset(MISSING)

Numbers = np.ndarray
"""float64, NaN where nothing stands."""


def coded(series: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Cells as numbers of names, -1 where nothing stands, and the names, sorted. See :func:`words` for how they are written.

    Example:
        >>> import pandas as pd
        >>> codes, names = coded(pd.Series(['b', 'a', None, 'b']))
        >>> codes.tolist(), names
        ([1, 0, -1, 1], ['a', 'b'])

    """
    codes, levels = series.factorize()  # each different cell is written once
    written = [_written(one) for one in levels]
    names = sorted({one for one in written if one is not None})
    places: dict[str | None, int] = {name: i for i, name in enumerate(names)}
    known = np.array([places.get(one, -1) for one in written] + [-1], np.int32)
    return known[codes], names


def words(series: pd.Series) -> np.ndarray:
    """Cells as texts, None where nothing stands. A number is written in one way, however it was: ``007``, ``7.0``: 7.

    Example:
        >>> import pandas as pd
        >>> words(pd.Series(['a', '007', None])).tolist(), words(pd.Series([1.0, float('nan')])).tolist()
        (['a', '7', None], ['1', None])

    """
    codes, names = coded(series)
    found: np.ndarray = np.array([*names, None], dtype=object)[codes]
    return found


def _written(cell: Any) -> str | None:
    if isinstance(cell, str):
        text = cell.strip()
        if not text or text in _NOTHING:
            return None
        if not text.isascii() or (not text[0].isdigit() and text[0] not in "+-."):
            return text
        try:
            cell = float(text)
        except ValueError:
            return text
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, (float, np.floating)):
        number = float(cell)
        return str(int(number)) if abs(number) < 1e15 and number.is_integer() else repr(number)
    return str(cell)


def there(series: pd.Series) -> np.ndarray:
    """Which cells something stands in: neither nothing nor one of the marks for it.

    Example:
        >>> import pandas as pd
        >>> there(pd.Series(['a', ' ', '?', None])).tolist()
        [True, False, False, False]

    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series.notna().to_numpy()
    codes, _ = coded(series)
    return codes >= 0


def is_plain(series: pd.Series, kind: str) -> bool:
    """Whether its type alone says that all its cells are of a kind that has a type."""
    return series.dtype.kind in {"numeric": "biuf", "boolean": "b", "date": "M"}.get(kind, "")


def numbers(series: pd.Series, style: str = "plain") -> Numbers:
    """Cells as numbers, NaN where there is none.

    Args:
        series: the column.
        style: of numbers written as text: see :data:`STYLES`.

    """
    import pandas as pd

    if series.dtype.kind in "biuf":
        return series.to_numpy(np.float64)
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(np.float64, na_value=np.nan)
    codes, levels = series.factorize()
    known = np.array([STYLES[style](one) for one in levels] + [np.nan])
    return known[codes]


def _plain(cell: Any) -> float:
    if isinstance(cell, str):
        cell = _AROUND.sub("", cell)
        if "_" in cell:  # Python's own, nobody else's
            return np.nan
    try:
        return float(cell)
    except (TypeError, ValueError):
        return np.nan


def _english(cell: Any) -> float:
    bare = _AROUND.sub("", cell) if isinstance(cell, str) else cell
    return _plain(bare.replace(",", "")) if isinstance(bare, str) and _ENGLISH.fullmatch(bare) else _plain(bare)


def _continental(cell: Any) -> float:
    bare = _AROUND.sub("", cell) if isinstance(cell, str) else cell
    if isinstance(bare, str) and _CONTINENTAL.fullmatch(bare):
        return _plain(bare.replace(".", "").replace(",", "."))
    return _plain(bare)


STYLES: dict[str, Callable[[Any], float]] = {"plain": _plain, "1,234.5": _english, "1.234,5": _continental}
"""How numbers are written as text -> a function from a cell to a number, NaN where it is none."""


def style_of(series: pd.Series) -> tuple[str, float]:
    """The style in which most cells are numbers, and which part of the cells that stand there are."""
    cells = series[there(series)].unique()
    if not len(cells):
        return "plain", 0.0
    parts = {name: float(np.mean([not np.isnan(read(one)) for one in cells])) for name, read in STYLES.items()}
    best = max(parts, key=lambda name: parts[name])
    return best, parts[best]


def truths(series: pd.Series) -> Numbers:
    """1 for yes, 0 for no, NaN for anything else."""
    codes, levels = series.factorize()
    known = [_truth(one) for one in levels]
    return np.array([*known, np.nan])[codes]


def _truth(cell: Any) -> float:
    text = str(cell).strip().lower()
    return 1.0 if text in TRUE else 0.0 if text in FALSE else np.nan


def dates(series: pd.Series, form: str = "ISO8601") -> np.ndarray:
    """datetime64[s], NaT where there is no date; times in zones as UTC.

    Args:
        series: the column.
        form: how dates are written as text: one of :data:`FORMS`.

    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return _seconds(series)
    codes, levels = series.factorize()  # each different cell is parsed once
    texts = pd.Series([one if isinstance(one, (str, date, np.datetime64)) else None for one in levels], dtype=object)
    known = _seconds(pd.to_datetime(texts, errors="coerce", format=form, utc=True))
    found: np.ndarray = np.append(known, np.datetime64("NaT"))[codes]
    return found


def _seconds(series: pd.Series) -> np.ndarray:
    import pandas as pd

    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    return series.to_numpy("datetime64[s]")


_DAYS = (
    *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"),
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
FORMS = ("ISO8601", *(day + time for day in _DAYS for time in _TIMES))
"""How dates are written; where several ways fit, the first is taken: with slashes, the month stands first."""


def date_in(form: str) -> str:
    """A date as it is written in a form, to show people."""
    return datetime(2026, 12, 31, 13, 5).strftime("%Y-%m-%d" if form == "ISO8601" else form)


def form_of(texts: list[str]) -> str | None:
    """The first form in which all these are dates, or None."""
    import pandas as pd

    series = pd.Series(texts, dtype=object)
    for form in FORMS:
        if not np.isnat(dates(series.iloc[:1], form)).any() and not np.isnat(dates(series, form)).any():
            return form
    return None
