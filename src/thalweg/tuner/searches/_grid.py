"""Grid search: every point, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from thalweg.tuner.searches._search import Answer, Ask, Book, Search

_FEW = 50


class Grid(Search):
    """Tries every combination of every value; ten values of a continuous hyperparameter.

    Args:
        max_trials: how many trials at most; None tries all.

    Raises:
        ValueError: where it is no positive integer.

    Example:
        >>> Grid().max_trials is None
        True

    """

    NAME: ClassVar[str] = "grid"

    def __init__(self, max_trials: int | None = None) -> None:
        super().__init__(max_trials)
        self._points: Iterator[dict[str, Any]] | None = None
        self._seen: list[dict[str, Any]] = []

    def total(self, book: Book) -> int:
        """All points, or the first of them."""
        while self._point(book, len(self._seen)) is not None:
            pass
        return len(self._seen) if self.max_trials is None else min(len(self._seen), self.max_trials)

    def propose(self, book: Book, number: int, attempt: int) -> Ask | Answer:
        """The next point that has not been tried."""
        point = self._point(book, number + attempt)
        return Answer.OVER if point is None else Ask(point)

    def _point(self, book: Book, index: int) -> dict[str, Any] | None:
        if self._points is None:
            self._points = book.points()
        while len(self._seen) <= index:
            point = next(self._points, None)
            if point is None or (self.max_trials is not None and len(self._seen) >= self.max_trials):
                return None
            self._seen.append(point)
        return self._seen[index]

    def warning(self, book: Book) -> str | None:
        """How many trials it takes, and what a random search of a tenth would find."""
        count = self.total(book)
        if count <= _FEW:
            return None
        tenth = -(-count // 10)
        return (
            f"This grid is {count:,} trials. A random search of a tenth of them ({tenth:,}) finds, with a chance of "
            f"{1 - 0.95**tenth:.0%}, one of the best 5 % of all points, and tries {tenth:,} values of each continuous "
            f"hyperparameter instead of 10: RandomSearch(..., max_trials={tenth})."
        )
