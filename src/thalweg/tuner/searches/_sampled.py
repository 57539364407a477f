"""Searches that leave the proposals to an Optuna sampler."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from thalweg.tuner._parameters import Parameter
from thalweg.tuner._trial import RUNNING, Trial
from thalweg.tuner.searches._search import REJECTED, Ask, Book


class Sampled:
    """An Optuna study in memory that follows the trials, and asks for more.

    The sampler says the same for the same trial, keyed by (seed, number, attempt): no generator's state is kept, and a
    search that goes on in another process proposes what it would have proposed.

    Args:
        sampler: (seed, number, attempt) -> an Optuna sampler.
        replays: whether the sampler keeps notes in the study that only asking again brings back.

    """

    def __init__(self, sampler: Callable[[int, int, int], Any], replays: bool = False) -> None:
        self.sampler = sampler
        self.replays = replays
        self._study: Any = None
        self._asked: dict[int, Any] = {}  # number -> Optuna's number of the trial that was suggested here
        self._told: set[int] = set()

    def ask(self, book: Book, number: int, attempt: int, notes: dict[str, Any] | None = None) -> Ask:
        """A proposal, whose values come to be when ``build`` asks for them."""
        self.follow(book, book.trials)
        if number in self._asked:  # its point was turned away
            self._reject(self._asked.pop(number))
        trial = self._begun(book, number, attempt)
        self._asked[number] = trial

        def suggest(parameter: Parameter) -> Any:
            return parameter.from_optuna(trial._suggest(parameter.name, parameter.distribution()))

        return Ask(suggest=suggest, notes=notes or {})

    def _begun(self, book: Book, number: int, attempt: int) -> Any:
        self._study.sampler = self.sampler(book.seed, number, attempt)
        return self._study.ask()

    def _reject(self, trial: Any) -> None:
        from optuna.trial import TrialState

        trial.set_user_attr(REJECTED, True)
        self._study.tell(trial, state=TrialState.FAIL)

    def follow(self, book: Book, trials: Iterable[Trial]) -> None:
        """Tell the study what has ended since; what runs is known to it if it was asked for here."""
        if self._study is None:
            self._study = _study_for(book)
        for trial in trials:
            if trial.status != RUNNING and trial.number not in self._told:
                if self.replays and trial.number not in self._asked:
                    self._replay(book, trial)
                self._tell(book, trial)
                self._told.add(trial.number)

    def _replay(self, book: Book, trial: Trial) -> None:
        begun = self._asked[trial.number] = self._begun(book, trial.number, 0)
        for name in trial.values:
            begun._suggest(name, book.space[name].distribution())

    def _tell(self, book: Book, trial: Trial) -> None:
        from optuna.trial import TrialState, create_trial

        state = TrialState.COMPLETE if trial.has_score else TrialState.FAIL
        scores = trial.scores if trial.has_score else None
        params = {name: book.space[name].to_optuna(value) for name, value in trial.values.items()}
        notes = {} if trial.error is None else {"standard_error": trial.error}
        begun = self._asked.pop(trial.number, None)
        if begun is not None and begun.params == params:
            for key, value in notes.items():
                begun.set_user_attr(key, value)
            self._study.tell(begun, scores, state=state)
            return
        if begun is not None:  # more was asked for where it was trained than where it was built
            self._reject(begun)
        distributions = {name: book.space[name].distribution() for name in params}
        self._study.add_trial(
            create_trial(state=state, values=scores, params=params, distributions=distributions, user_attrs=notes)
        )


def _study_for(book: Book) -> Any:
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    directions: Any = ["minimize" if one.direction == "min" else "maximize" for one in book.objectives]
    study = optuna.create_study(directions=directions)
    optuna.logging.set_verbosity(before)
    return study
