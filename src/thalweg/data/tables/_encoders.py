"""From a column to what a net reads: each kind of column has an encoder, fitted once and written down as plain data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from thalweg._names import Table as Names
from thalweg.data.tables import _cells
from thalweg.data.tables._kinds import Column

if TYPE_CHECKING:
    import pandas as pd

FEW_NAMES = 8
"""So many names at most get a number each; more get a place in an embedding."""
_LOOKED_AT = 100_000  # cells from which quantiles are taken
_WIDE = 3.0  # where a scaled number begins to be bent
_FAR = 10.0  # a scaled number that far out was never seen: of 10,000 normal ones the farthest is at 3
_ENDLESS = 1e6  # beyond it a bent number is 3 to the last digit of float32
_HASHED = 128  # columns of a text
_DAYS = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class Encoder:
    """What is known of a column once it has been seen.

    Attributes:
        name: of the column.

    """

    KIND: ClassVar[str] = ""
    name: str

    @classmethod
    def fit(cls, column: Column, series: pd.Series) -> Self:
        """Learn from a training column."""
        raise NotImplementedError(f"{cls.__name__} must define fit(column, series).")

    @property
    def titles(self) -> tuple[str, ...]:
        """A title for each number it makes of a cell."""
        return (self.name,)

    @property
    def measures(self) -> int:
        """How many of its titles, from the first on, are of numbers that lie on a scale, rather than yes or no."""
        return 0

    @property
    def size(self) -> int:
        """How many different codes its cells have; 0 where it makes numbers."""
        return 0

    def cells(self, series: pd.Series) -> np.ndarray:
        """The column's cells, read: what the methods below take."""
        raise NotImplementedError(f"{type(self).__name__} must define cells(series).")

    def numbers(self, cells: np.ndarray) -> list[np.ndarray]:
        """One array a title."""
        return []

    def codes(self, cells: np.ndarray) -> np.ndarray:
        """int32 codes, where it has some."""
        raise NotImplementedError(f"{type(self).__name__} has no codes: its size is {self.size}.")

    def unseen(self, cells: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Which cells are unlike all that were seen; `there` says in which something stands."""
        return self.unread(cells, there)

    @property
    def reads(self) -> str:
        """What cells must be, in words; nothing where any name will do."""
        return ""

    def unread(self, cells: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Which cells are not that, though something stands in them."""
        return np.asarray(np.isnan(cells) & there) if self.reads else np.zeros(len(cells), bool)

    def record(self) -> dict[str, Any]:
        """Plain data, from which :func:`read_encoder` makes the same."""
        return {"kind": self.KIND, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class Numeric(Encoder):
    """Numbers, scaled by their middle half and bent smoothly far out; a second number where some are missing.

        z = (x - median) / (q75 - q25),   z / sqrt(1 + (z / 3)^2)

    What is missing is 0, and 1 in the second number. Where half of the numbers are the same, half of the range is
    what is divided by.

    Source: Holzmueller, Grinsztajn & Steinwart 2024, "Better by default" (robust scaling with smooth clipping).
    """

    KIND: ClassVar[str] = "numeric"
    center: float
    scale: float
    low: float
    high: float
    missing: bool
    style: str = "plain"

    @classmethod
    def fit(cls, column: Column, series: pd.Series) -> Self:
        return cls.of(column.name, _cells.numbers(series, column.style), column.style)

    @classmethod
    def of(cls, name: str, values: np.ndarray, style: str = "plain", weights: np.ndarray | None = None) -> Self:
        """From the numbers themselves.

        Args:
            name: of the column.
            values: float64; NaN is missing.
            style: how they are written.
            weights: one a number: one of weight 2 counts as two.

        """
        there = np.isfinite(values)
        known = values if there.all() else values[there]
        missing = bool(np.isnan(values).any())
        if not len(known):
            return cls(name, 0.0, 0.0, 0.0, 0.0, missing, style)
        step = max(1, -(-len(known) // _LOOKED_AT))
        counted = None if weights is None else (weights if there.all() else weights[there])[::step]
        first, center, third = _quantiles(known[::step], counted)
        low, high = float(known.min()), float(known.max())
        width = third - first or high / 2 - low / 2
        return cls(name, center, 1 / width if np.isfinite(width) and width else 0.0, low, high, missing, style)

    @property
    def titles(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.missing else (self.name,)

    @property
    def measures(self) -> int:
        return 1

    def cells(self, series: pd.Series) -> np.ndarray:
        return _cells.numbers(series, self.style)

    def numbers(self, cells: np.ndarray) -> list[np.ndarray]:
        gone = np.isnan(cells)
        with np.errstate(over="ignore", invalid="ignore"):
            z = cells - self.center
            z *= self.scale
        np.clip(z, -_ENDLESS, _ENDLESS, out=z)
        z[gone if self.scale else slice(None)] = 0.0  # infinity times no scale is no number
        root = z * (1 / _WIDE)
        root *= root
        root += 1
        z /= np.sqrt(root, out=root)
        return [z, gone] if self.missing else [z]

    def unseen(self, cells: np.ndarray, there: np.ndarray) -> np.ndarray:
        room = _FAR / self.scale if self.scale else 0.0
        far = (cells < min(self.low, self.center - room)) | (cells > max(self.high, self.center + room))
        return far | self.unread(cells, there)

    @property
    def reads(self) -> str:
        return "a number" if self.style == "plain" else f"a number written as {self.style}"


def _quantiles(values: np.ndarray, weights: np.ndarray | None) -> tuple[float, float, float]:
    """Quartiles: numbers that are there, so that a weight of 2 and two equal numbers give the same."""
    found = np.quantile(values, (0.25, 0.5, 0.75), weights=weights, method="inverted_cdf")
    return float(found[0]), float(found[1]), float(found[2])


@dataclass(frozen=True)
class Boolean(Encoder):
    """Yes and no as 1 and -1, with 0 for nothing, and for what is neither."""

    KIND: ClassVar[str] = "boolean"

    @classmethod
    def fit(cls, column: Column, series: pd.Series) -> Self:
        return cls(column.name)

    def cells(self, series: pd.Series) -> np.ndarray:
        return _cells.truths(series)

    def numbers(self, cells: np.ndarray) -> list[np.ndarray]:
        return [np.nan_to_num(cells * 2 - 1)]

    @property
    def reads(self) -> str:
        return "yes or no"


class _Named(Encoder):
    """What encoders of names share.

    Attributes:
        levels: the names, the most frequent first.

    """

    levels: tuple[str, ...]

    @cached_property
    def _places(self) -> dict[str | None, int]:
        return {level: i for i, level in enumerate(self.levels, 1)}

    def cells(self, series: pd.Series) -> np.ndarray:
        """1, 2, ... for the names, 0 for what is none of them."""
        codes, names = _cells.coded(series)
        known = np.array([self._places.get(name, 0) for name in names] + [0], np.int32)
        found: np.ndarray = known[codes]
        return found

    def unseen(self, cells: np.ndarray, there: np.ndarray) -> np.ndarray:
        return np.asarray((cells == 0) & there)


@dataclass(frozen=True)
class OneHot(_Named):
    """A few names, each a number that is 1 or 0; all 0 for what was never seen, and for nothing."""

    KIND: ClassVar[str] = "one-hot"
    levels: tuple[str, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(f"{self.name} is {level}" for level in self.levels)

    def numbers(self, cells: np.ndarray) -> list[np.ndarray]:
        return [(cells == i).astype(np.float32) for i in range(1, len(self.levels) + 1)]


@dataclass(frozen=True)
class Embedded(_Named):
    """Many names, each a code for an embedding.

    0 is the code of nothing, of what was never seen, and of names that stand in one training row alone: so the net
    learns what to think of names it does not know.

    Source: Guo & Berkhahn 2016, "Entity embeddings of categorical variables".
    """

    KIND: ClassVar[str] = "embedded"
    levels: tuple[str, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        return ()

    @property
    def size(self) -> int:
        return len(self.levels) + 1

    def codes(self, cells: np.ndarray) -> np.ndarray:
        return cells


@dataclass(frozen=True)
class Date(Encoder):
    """A date: its time as a scaled number, and its place in the year, the week and the day on circles.

    Attributes:
        time: of the whole, in days.
        clock: whether there are times of day.
        form: how dates are written.

    """

    KIND: ClassVar[str] = "date"
    time: Numeric
    clock: bool
    form: str

    @classmethod
    def fit(cls, column: Column, series: pd.Series) -> Self:
        days = _days(_cells.dates(series, column.style))
        clock = bool((days[np.isfinite(days)] % 1).any())
        return cls(column.name, Numeric.of(column.name, days), clock, column.style)

    @property
    def titles(self) -> tuple[str, ...]:
        circles = ("year", "week", *(("day",) if self.clock else ()))
        return (*self.time.titles, *(f"{self.name}, {part} of {c}" for c in circles for part in ("sine", "cosine")))

    @property
    def measures(self) -> int:
        return self.time.measures

    def cells(self, series: pd.Series) -> np.ndarray:
        return _cells.dates(series, self.form)

    def numbers(self, cells: np.ndarray) -> list[np.ndarray]:
        import pandas as pd

        codes, different = pd.factorize(cells, use_na_sentinel=False)  # many rows, few days
        days = _days(different)
        in_year = (different - different.astype("datetime64[Y]").astype("datetime64[s]")) / _DAYS / 366
        circles = [in_year, (days - 4) % 7 / 7, *([days % 1] if self.clock else [])]  # 1970 began on a Thursday
        waves = (np.nan_to_num(f(2 * np.pi * circle)) for circle in circles for f in (np.sin, np.cos))
        return [one[codes] for one in (*self.time.numbers(days), *waves)]

    @property
    def reads(self) -> str:
        return f"a date written as {_cells.date_in(self.form)}"


@dataclass(frozen=True)
class Text(Encoder):
    """Words: how often each stands in a cell against how many cells it stands in, hashed into some columns.

    Attributes:
        weights: log((1 + n) / (1 + cells with it)) + 1 for each column.

    Source: Salton & Buckley 1988 (TF-IDF); Weinberger et al. 2009 (hashing).

    """

    KIND: ClassVar[str] = "text"
    weights: tuple[float, ...]

    @classmethod
    def fit(cls, column: Column, series: pd.Series) -> Self:
        counts = _hashed(_cells.words(series), _HASHED)
        seen = np.asarray((counts != 0).sum(axis=0)).ravel()
        return cls(column.name, tuple(float(w) for w in np.log((1 + len(series)) / (1 + seen)) + 1))

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(f"{self.name}, words {i}" for i in range(len(self.weights)))

    def cells(self, series: pd.Series) -> np.ndarray:
        return _cells.words(series)

    def numbers(self, cells: np.ndarray) -> list[np.ndarray]:
        found = _hashed(cells, len(self.weights)).toarray() * np.array(self.weights)
        length = np.sqrt((found**2).sum(axis=1, keepdims=True))
        return list((found / np.where(length > 0, length, 1)).T.astype(np.float32) * 3)


def _hashed(words: np.ndarray, columns: int) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    texts = [text or "" for text in words]
    return HashingVectorizer(n_features=columns, norm=None, alternate_sign=True).transform(texts)


def _days(found: np.ndarray) -> np.ndarray:
    return np.where(np.isnat(found), np.nan, (found - np.datetime64(0, "s")) / _DAYS)


def _named(name: str, series: pd.Series) -> Encoder:
    """The encoder of a column of names, the most frequent first, equal ones by the alphabet."""
    codes, names = _cells.coded(series)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    found = sorted((-int(count), level) for level, count in zip(names, counts, strict=True))
    levels = tuple(level for _, level in found)
    if len(levels) <= FEW_NAMES:
        return OneHot(name, levels)
    return Embedded(name, tuple(level for count, level in found if count < -1) or levels)


ENCODERS = Names("encoder", {one.KIND: one for one in (Numeric, Boolean, OneHot, Embedded, Date, Text)})
"""Kind -> encoder."""


def fitted(column: Column, series: pd.Series) -> Encoder:
    """The encoder of a column, fitted to it."""
    if column.kind == "categorical":
        return _named(column.name, series)
    found: Encoder = ENCODERS[column.kind].fit(column, series)
    return found


def read_encoder(record: dict[str, Any]) -> Encoder:
    """An encoder from its record."""
    kind = ENCODERS[record["kind"]]
    given = {name: value for name, value in record.items() if name != "kind"}
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = tuple(value)
        elif name == "time":
            given[name] = Numeric(**value)
    made: Encoder = kind(**given)
    return made
