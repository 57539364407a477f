"""Hyperband: many short trials, of which the best go on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

from thalweg import _checks
from thalweg.tuner._trial import RUNNING, Trial
from thalweg.tuner.searches._search import Answer, Ask, Book, Search


class Slot(NamedTuple):
    """A place in the plan: trial `place` of a round of a bracket of an iteration."""

    iteration: int
    bracket: int
    round: int
    place: int


class Hyperband(Search):
    """Successive halving with several trades between many short trials and few long ones.

    A bracket b (b = 0, 1, ... as long as ``max_epochs / factor^b >= 1``) has rounds 0..b. With
    ``s = ceil(1 + log_factor(max_epochs))``, round r trains ``ceil(ceil(s) / (b + 1) * factor^(b - r))`` trials up to
    epoch ``ceil(max_epochs / factor^(b - r))``. Those of round 0 are drawn; those of the rounds after are the best of
    the round before and go on exactly where they stopped: weights, the optimizer's state, the order of rows.

    Args:
        max_epochs: the epochs of the longest trials.
        factor: by how much a round has fewer trials and more epochs.
        hyperband_iterations: how often all brackets are gone through.
        max_trials: a bound beside it.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> sum(Hyperband(max_epochs=9, factor=3).sizes().values())
        23

    Source: Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization".

    """

    NAME: ClassVar[str] = "hyperband"
    continues: ClassVar[bool] = True

    def __init__(
        self, max_epochs: int = 100, factor: int = 3, hyperband_iterations: int = 1, max_trials: int | None = None
    ) -> None:
        super().__init__(max_trials)
        _checks.number(self, "max_epochs", max_epochs, at_least=1)
        _checks.number(self, "factor", factor, at_least=2)
        _checks.number(self, "hyperband_iterations", hyperband_iterations, at_least=1)
        self.max_epochs, self.factor, self.hyperband_iterations = int(max_epochs), factor, int(hyperband_iterations)

    def settings(self) -> dict[str, Any]:
        """What decides the proposals."""
        return {"max_epochs": self.max_epochs, "factor": self.factor, "iterations": self.hyperband_iterations}

    # -- the arithmetic ---------------------------------------------------------------------------

    @property
    def brackets(self) -> int:
        """How many there are."""
        count = 0
        while self.factor**count <= self.max_epochs:
            count += 1
        return count

    def size(self, bracket: int, round_: int) -> int:
        """Trials of a round."""
        most = math.ceil(1 + math.log(self.max_epochs, self.factor))
        return math.ceil(most / (bracket + 1) * self.factor ** (bracket - round_))

    def epochs(self, bracket: int, round_: int) -> int:
        """The epoch up to which a round trains."""
        return math.ceil(self.max_epochs / self.factor ** (bracket - round_))

    def sizes(self) -> dict[tuple[int, int], int]:
        """(bracket, round) -> trials, of one iteration."""
        return {(b, r): self.size(b, r) for b in reversed(range(self.brackets)) for r in range(b + 1)}

    def total(self, book: Book) -> int:
        """Trials of all iterations."""
        planned = sum(self.sizes().values()) * self.hyperband_iterations
        return planned if self.max_trials is None else min(planned, self.max_trials)

    # -- ask ---------------------------------------------------------------------------------------

    def propose(self, book: Book, number: int, attempt: int) -> Ask | Answer:
        """The first place of the plan that is free and whose trial is known."""
        taken = {_slot(trial): trial for trial in book.trials}
        waiting = False
        for iteration in range(self.hyperband_iterations):
            for bracket in reversed(range(self.brackets)):
                ended = True
                for slots in self._rounds(iteration, bracket):
                    found = self._in_round(book, taken, slots, number, attempt)
                    if isinstance(found, Ask):
                        return found
                    if found is Answer.WAIT:
                        waiting, ended = True, False
                        break
                if not ended and not self._brackets_together():
                    return Answer.WAIT
            if waiting:
                return Answer.WAIT
        return Answer.OVER

    def _brackets_together(self) -> bool:
        """Whether a bracket may begin before the one before has ended."""
        return True

    def _rounds(self, iteration: int, bracket: int) -> Iterator[list[Slot]]:
        for round_ in range(bracket + 1):
            yield [Slot(iteration, bracket, round_, i) for i in range(self.size(bracket, round_))]

    def _in_round(
        self, book: Book, taken: dict[Any, Trial], slots: list[Slot], number: int, attempt: int
    ) -> Ask | Answer:
        """The next trial of a round; OVER where it has all of them and they have ended."""
        first = slots[0]
        chosen: list[Trial] = []
        if first.round:
            before = [trial for slot, trial in taken.items() if slot and slot[:3] == (*first[:2], first.round - 1)]
            chosen = self._promoted(book, before, len(slots))
            slots = slots[: len(chosen)]
        for slot in slots:
            if slot not in taken:
                return self._ask(book, slot, chosen, number, attempt)
        return Answer.WAIT if any(taken[slot].status == RUNNING for slot in slots) else Answer.OVER

    def _ask(self, book: Book, slot: Slot, chosen: list[Trial], number: int, attempt: int) -> Ask:
        epochs = self.epochs(slot.bracket, slot.round)
        notes = {"slot": list(slot)}
        if slot.round == 0:
            return self.drawn(book, number, attempt, Ask(epochs=epochs, notes=notes))
        source = chosen[slot.place]
        first = self.epochs(slot.bracket, slot.round - 1)
        return Ask(source.values, None, source.number, first, epochs, notes, repeats=True)

    def drawn(self, book: Book, number: int, attempt: int, ask: Ask) -> Ask:
        """A new point."""
        return ask

    def _promoted(self, book: Book, trials: list[Trial], most: int) -> list[Trial]:
        from thalweg.tuner._summary import ranked

        good = [trial for trial in trials if trial.has_score]
        return ranked(good, book.objectives)[:most]


def _slot(trial: Trial) -> Slot | None:
    slot = trial.notes.get("slot")
    return None if slot is None else Slot(*slot)
