"""What every search is: a function from the trials so far to the next one."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from thalweg import _checks
from thalweg.tuner._objective import Objective
from thalweg.tuner._parameters import Parameter
from thalweg.tuner._trial import RUNNING, Trial

REJECTED = "rejected"
"""The attribute of an Optuna trial whose point had been tried before: it says nothing about the function."""


class Answer(enum.Enum):
    """What a search says where it has no trial to propose."""

    WAIT = "it needs the results of trials that run"
    OVER = "it has proposed all it will"


@dataclass(frozen=True)
class Ask:
    """A proposal.

    Attributes:
        values: hyperparameters that are decided.
        suggest: says the value of any other that is asked for; None draws it at random, keyed by seed and number.
        source: the trial whose net is gone on with.
        first_epoch, epochs: from which epoch on, counted from 0, up to which; None takes what ``search`` was given.
        notes: what the search wants to find in the trial's record later.
        repeats: whether it is meant that this point has been tried before.

    """

    values: Mapping[str, Any] = field(default_factory=dict)
    suggest: Callable[[Parameter], Any] | None = None
    source: int | None = None
    first_epoch: int = 0
    epochs: int | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    repeats: bool = False


@dataclass
class Book:
    """What a search may know.

    Attributes:
        trials: all of them, by number.
        space: the parameters met so far, by name.
        objectives: what is wanted.
        seed: keys whatever is random.
        points: gives every point of the space, a grid where it is continuous; it runs ``build``.
        is_data: whether a hyperparameter of a point can be changed without changing the net's structure.

    """

    trials: list[Trial]
    space: dict[str, Parameter]
    objectives: list[Objective]
    seed: int
    points: Callable[[], Iterator[dict[str, Any]]]
    is_data: Callable[[str, Mapping[str, Any]], bool]


class Search:
    """Base of all searches.

    Args:
        max_trials: how many trials are made; None where something else ends the search.
        wave: how many trials are asked for at a time: those of a wave know the results of the waves before,
            whatever happens to be done earlier, so that a search does not depend on timing. None: no trial
            needs another's result.

    """

    NAME: ClassVar[str] = ""
    continues: ClassVar[bool] = False
    """Whether trials go on with the nets of earlier ones, whose last state must be kept for that."""

    def __init__(self, max_trials: int | None = None, wave: int | None = None) -> None:
        for name, value in (("max_trials", max_trials), ("parallel_trials", wave)):
            if value is not None:
                _checks.number(self, name, value, at_least=1)
        self.max_trials = max_trials
        self.wave = wave

    def settings(self) -> dict[str, Any]:
        """What decides the proposals, as plain data: a study goes on only with the same."""
        return {}

    def total(self, book: Book) -> int | None:
        """How many trials there will be, where that is known."""
        return self.max_trials

    def ask(self, book: Book, number: int, attempt: int) -> Ask | Answer:
        """The proposal for trial `number`.

        Args:
            book: the trials before.
            number: of the trial.
            attempt: how many proposals for it have been turned away since their points were tried before.

        """
        if self.max_trials is not None and number >= self.max_trials:
            return Answer.OVER
        if self.wave and any(trial.status == RUNNING for trial in book.trials[: number - number % self.wave]):
            return Answer.WAIT
        return self.propose(book, number, attempt)

    def propose(self, book: Book, number: int, attempt: int) -> Ask | Answer:
        """The same, once it is known that there is to be one."""
        raise NotImplementedError(f"{type(self).__name__} must define propose(book, number, attempt).")

    def warning(self, book: Book) -> str | None:
        """What a person should hear before the search begins."""
        return None
