"""BOHB: Hyperband whose new trials a model proposes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from thalweg import _seeds
from thalweg.tuner._trial import RUNNING, Trial
from thalweg.tuner.searches._bayesian import SAMPLERS, Bayesian
from thalweg.tuner.searches._hyperband import Hyperband
from thalweg.tuner.searches._search import Ask, Book


class BOHB(Hyperband):
    """Hyperband; points are proposed from the scores at the largest number of epochs that enough trials have seen.

    Args:
        max_epochs, factor, hyperband_iterations, max_trials: as for Hyperband.
        sampler: ``'gp'`` or ``'tpe'``, as for Bayesian.
        random_fraction: how many of the new trials are drawn at random all the same, so that a model that is
            wrong cannot hold the search.

    Raises:
        ValueError: on an unknown sampler or a number out of its range.

    Example:
        >>> BOHB(max_epochs=27).sampler
        'gp'

    Source: Falkner, Klein & Hutter 2018, "BOHB: robust and efficient hyperparameter optimization at scale".

    """

    NAME: ClassVar[str] = "bohb"

    def __init__(
        self,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        max_trials: int | None = None,
        sampler: str = "gp",
        random_fraction: float = 1 / 3,
    ) -> None:
        super().__init__(max_epochs, factor, hyperband_iterations, max_trials)
        SAMPLERS[sampler]  # an unknown one raises
        self.sampler, self.random_fraction = sampler, random_fraction
        self._models: dict[int, Any] = {}  # epochs -> the model of scores there

    def settings(self) -> dict[str, Any]:
        """What decides the proposals."""
        return {**super().settings(), "sampler": self.sampler, "random_fraction": self.random_fraction}

    def _brackets_together(self) -> bool:
        return False  # a later bracket learns from the ones before

    def drawn(self, book: Book, number: int, attempt: int, ask: Ask) -> Ask:
        """A point of the model's, or a random one."""
        if _seeds.generator(book.seed, number, 0xB0B).random() < self.random_fraction:
            return ask
        epochs, seen = self._largest(book)
        if not seen:
            return ask
        model = self._models.setdefault(epochs, Bayesian(None, self.sampler, num_initial_points=1))
        proposed = model.propose(replace(book, trials=seen), number, attempt)
        return replace(ask, suggest=proposed.suggest)

    def _largest(self, book: Book) -> tuple[int, list[Trial]]:
        """The largest number of epochs that enough trials have been trained for, and these."""
        needed = len(book.space) + 2
        by_epochs: dict[int, list[Trial]] = {}
        for trial in book.trials:
            slot = trial.notes.get("slot")
            if slot and trial.status != RUNNING:
                by_epochs.setdefault(self.epochs(slot[1], slot[2]), []).append(trial)
        for epochs in sorted(by_epochs, reverse=True):
            if sum(trial.has_score for trial in by_epochs[epochs]) >= needed:
                return epochs, by_epochs[epochs]
        return 0, []
