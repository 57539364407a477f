"""Bayesian optimization: a model of the scores so far says where to look next."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from thalweg import _checks, _seeds
from thalweg._names import Table
from thalweg.tuner.searches._sampled import Sampled
from thalweg.tuner.searches._search import Answer, Ask, Book, Search

_ATTEMPT = 1_000_003  # trials have smaller numbers


class Bayesian(Search):
    """Proposes where a model of the scores so far expects to gain.

    Args:
        max_trials: how many trials.
        sampler: the model: ``'gp'``, a Gaussian process with a Matern 5/2 kernel; ``'tpe'``, tree-structured Parzen
            estimators; ``'cma-es'``, the covariance matrix adaptation, for numbers alone.
        num_initial_points: trials drawn before there is a model; None: three a hyperparameter, as in KerasTuner (TPE and
            CMA-ES: 10).
        beta: of the Gaussian process: the lower confidence bound ``mean - beta * deviation`` is what is looked for, as
            in KerasTuner, whose beta is 2.6; None: 1/2, 1 and 2 in turn.
        parallel_trials: trials proposed at a time.

    Raises:
        ValueError: on an unknown sampler, with the nearest known one, or a number out of range.

    Example:
        >>> Bayesian(max_trials=60, sampler='gp').sampler
        'gp'

    Source: Snoek, Larochelle & Adams 2012, "Practical Bayesian optimization of machine learning algorithms";
    Bergstra et al. 2011 (TPE); Hansen & Ostermeier 2001 (CMA-ES).

    """

    NAME: ClassVar[str] = "bayesian"

    def __init__(
        self,
        max_trials: int | None = 10,
        sampler: str = "gp",
        num_initial_points: int | None = None,
        beta: float | None = None,
        parallel_trials: int = 8,
    ) -> None:
        super().__init__(max_trials, parallel_trials)
        SAMPLERS[sampler]  # an unknown one raises
        if num_initial_points is not None:
            _checks.number(self, "num_initial_points", num_initial_points, at_least=1)
        self.sampler, self.num_initial_points, self.beta = sampler, num_initial_points, beta
        self._sampled = Sampled(self._made, replays=sampler == "cma-es")
        self.kept: Any = None  # a sampler, with what it has fitted so far

    def settings(self) -> dict[str, Any]:
        """What decides the proposals."""
        return {
            "sampler": self.sampler,
            "num_initial_points": self.num_initial_points,
            "beta": self.beta,
            "parallel_trials": self.wave,
        }

    def propose(self, book: Book, number: int, attempt: int) -> Ask | Answer:
        """What the sampler suggests."""
        return self._sampled.ask(book, number, attempt)

    def _made(self, seed: int, number: int, attempt: int) -> Any:
        return SAMPLERS[self.sampler](self, seed, number, attempt)


def _gaussian_process(search: Bayesian, seed: int, number: int, attempt: int) -> Any:
    """One object for the whole search: what it has fitted serves the next ask, and changes no answer."""
    if search.kept is None:
        from thalweg.tuner.searches._gaussian_process import GaussianProcessSampler

        how: dict[str, Any] = {} if search.beta is None else {"acquisition": "lcb", "beta": search.beta}
        search.kept = GaussianProcessSampler(seed, num_initial_points=search.num_initial_points, **how)
    search.kept.number = number + attempt * _ATTEMPT
    return search.kept


def _tpe(search: Bayesian, seed: int, number: int, attempt: int) -> Any:
    from optuna.samplers import TPESampler

    startup = search.num_initial_points or 10
    key = _key(seed, number, attempt)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls the joint model of conditional spaces experimental
        return TPESampler(seed=key, n_startup_trials=startup, multivariate=True, group=True, constant_liar=True)


def _cma(search: Bayesian, seed: int, number: int, attempt: int) -> Any:
    from optuna.samplers import CmaEsSampler

    startup = search.num_initial_points or 10
    key = _key(seed, number, attempt)
    return CmaEsSampler(seed=key, n_startup_trials=startup, warn_independent_sampling=False)


def _key(seed: int, number: int, attempt: int) -> int:
    return int(_seeds.generator(seed, number, attempt).integers(2**31))


SAMPLERS = Table("sampler", {"gp": _gaussian_process, "tpe": _tpe, "cma-es": _cma})
"""How each name makes an Optuna sampler."""
