"""Random search: every point is drawn on its own."""

from __future__ import annotations

from typing import ClassVar

from thalweg.tuner.searches._search import Answer, Ask, Book, Search


class Random(Search):
    """Draws every hyperparameter at random in its sampling's measure.

    Where few of many hyperparameters matter, n random trials try n values of each, a grid of n points only the
    n-th root of it. Each draw is a function of (seed, trial number, name).

    Args:
        max_trials: how many trials.

    Raises:
        ValueError: where it is no positive integer.

    Example:
        >>> Random(max_trials=20).max_trials
        20

    Source: Bergstra & Bengio 2012, "Random search for hyper-parameter optimization".

    """

    NAME: ClassVar[str] = "random"

    def __init__(self, max_trials: int | None = 10) -> None:
        super().__init__(max_trials)

    def propose(self, book: Book, number: int, attempt: int) -> Ask | Answer:
        """Nothing is decided: all is drawn."""
        return Ask()
