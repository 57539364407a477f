"""A column that grows piece by piece in one array, so that no piece has to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


class Growing:
    """A column of numbers, or of texts as codes.

    Args:
        room: how many cells there will be at most; memory that is never written to is never taken.

    Attributes:
        agrees: whether all pieces were of one sort: numbers, truth values or texts. Nothing at all goes with numbers
            and with texts.

    """

    def __init__(self, room: int) -> None:
        self._room, self._count = room, 0
        self._values: np.ndarray | None = None
        self._places: dict[str, int] = {}  # text -> code
        self._sorts: set[str] = set()

    @property
    def agrees(self) -> bool:
        return len(self._sorts - {"nothing"}) < 2 and self._sorts != {"nothing", "truth"}

    @property
    def _is_coded(self) -> bool:
        return not self._sorts <= {"nothing", "numbers", "truth"}

    def add(self, series: pd.Series) -> None:
        """A piece as it was parsed."""
        if series.dtype.kind in "biuf":
            self._put(_sort(series.to_numpy()), series.to_numpy())
            return
        codes, different = series.factorize()
        levels = different.tolist()
        sort = "texts" if all(isinstance(one, str) for one in levels) else "others"
        self._put(sort, self._coded(codes, levels))

    def join(self, other: Growing) -> None:
        """What stands in another column, behind what stands in this one."""
        if not other.agrees:
            self._sorts |= other._sorts
        elif other._values is not None:
            cells = other._values[: other._count]
            sort = next(iter(other._sorts - {"nothing"}), "nothing")
            self._put(sort, self._coded(cells, list(other._places)) if other._is_coded else cells)
            self._sorts |= other._sorts

    def series(self) -> pd.Series:
        """The whole: numbers, or categories."""
        import pandas as pd

        cells = np.empty(0) if self._values is None else self._values[: self._count]
        if not self._is_coded:
            return pd.Series(cells, copy=False)
        return pd.Series(pd.Categorical.from_codes(cells, pd.Index(list(self._places))), copy=False)

    def _coded(self, codes: np.ndarray, levels: list[Any]) -> np.ndarray:
        known = np.array([self._places.setdefault(one, len(self._places)) for one in levels] + [-1], np.int32)
        found: np.ndarray = known[codes]
        return found

    def _put(self, sort: str, cells: np.ndarray) -> None:
        was_coded = self._is_coded
        self._sorts.add(sort)
        if not self.agrees:  # what stands here is of no use: the column is read once more, as texts
            return
        if was_coded and sort == "nothing":
            cells = np.full(len(cells), -1, np.int32)
        if self._values is None:
            self._values = np.empty(self._room, cells.dtype)
        elif self._is_coded and not was_coded:  # nothing stood before
            self._values = np.full(self._room, -1, np.int32)
        elif self._values.dtype != cells.dtype:
            self._values = self._values.astype(np.promote_types(self._values.dtype, cells.dtype))
        self._values[self._count : self._count + len(cells)] = cells
        self._count += len(cells)


def _sort(cells: np.ndarray) -> str:
    if cells.dtype.kind == "b":
        return "truth"
    return "nothing" if cells.dtype.kind == "f" and np.isnan(cells).all() else "numbers"
