"""The trials as an Optuna study, for whatever of Optuna's a person wants to use on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from thalweg.tuner._summary import meanings, value_of
from thalweg.tuner._trial import RUNNING, Trial

if TYPE_CHECKING:
    import optuna

    from thalweg.tuner._objective import Objective
    from thalweg.tuner._parameters import Parameter


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna says nothing below a warning meanwhile."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.set_verbosity(before)


def as_optuna_study(
    trials: Iterable[Trial], space: Iterable[Parameter], objectives: Sequence[Objective]
) -> optuna.study.Study:
    """An Optuna study in memory that holds these trials.

    Args:
        trials: of the search, in any order; those that are still running are left out.
        space: the parameters. A value that its parameter does not have (any more) is left out; a name that means
            another thing on another branch gets its condition added.
        objectives: what the scores stand for.

    Returns:
        A study of its own: what is done to it comes back into no search. Trials without a finite score are there as
        failed ones. As Optuna counts anew, each has its number here as the user attribute ``'trial'``;
        the study's ``'objectives'`` are their names.

    Example:
        >>> from thalweg.tuner import Int, Objective
        >>> trials = [Trial(n, {'units': n + 1}, 'COMPLETED', [0.5 / (n + 1)]) for n in range(4)]
        >>> study = as_optuna_study(trials, [Int('units', 1, 4)], [Objective('val_loss', 'min')])
        >>> study.best_params
        {'units': 4}

    """
    import optuna

    known = meanings(space)
    distributions = {name: parameter.distribution() for name, parameter in known.items()}
    with quiet():
        study = optuna.create_study(directions=["minimize" if goal.sign > 0 else "maximize" for goal in objectives])
        study.set_user_attr("objectives", [goal.name for goal in objectives])
        told = sorted((trial for trial in trials if trial.status != RUNNING), key=lambda trial: trial.number)
        study.add_trials([_frozen(trial, known, distributions) for trial in told])
    return study


def _frozen(trial: Trial, known: dict[str, Parameter], distributions: dict[str, Any]) -> optuna.trial.FrozenTrial:
    from optuna.trial import TrialState, create_trial

    values = {name: value_of(parameter, trial) for name, parameter in known.items()}
    params = {name: known[name].to_optuna(value) for name, value in values.items() if value is not None}
    return create_trial(
        state=TrialState.COMPLETE if trial.has_score else TrialState.FAIL,
        values=trial.scores if trial.has_score else None,
        params=params,
        distributions={name: distributions[name] for name in params},
        user_attrs={"trial": trial.number},
    )
