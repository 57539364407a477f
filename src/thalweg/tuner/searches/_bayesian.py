"""Bayesian optimization: a model of the scores so far says where to look next."""

from __future__ import annotations

from typing import Any, ClassVar

from thalweg import _checks
from thalweg._names import Table
from thalweg.tuner.searches._sampled import Sampled
from thalweg.tuner.searches._search import Answer, Ask, Book, Search


class Bayesian(Search):
    """Proposes where a model of the scores so far expects to gain.

    Args:
        max_trials: how many trials.
        sampler: the model: ``'gp'``, a Gaussian process with a Matern 5/2 kernel; ``'tpe'``, tree-structured Parzen
            estimators; ``'cma-es'``, the covariance matrix adaptation, for numbers alone.
        num_initial_points: trials drawn before there is a model; None: three a hyperparameter, as in KerasTuner,
            but no more than a third of `max_trials`.
        beta: of the Gaussian process: with it, the lower confidence bound ``mean - beta * deviation`` is what is
            looked for, as in KerasTuner; None: the expected improvement, in logarithmic form.
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
        self._kept: Any = None  # what a sampler has fitted, for the next ask

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

    def initial(self) -> int | None:
        """Trials drawn before there is a model."""
        if self.num_initial_points is not None or self.max_trials is None:
            return self.num_initial_points
        return None

    def _made(self, seed: int, number: int) -> Any:
        return SAMPLERS[self.sampler](self, seed, number)


def _gaussian_process(search: Bayesian, seed: int, number: int) -> Any:
    raise NotImplementedError


def _tpe(search: Bayesian, seed: int, number: int) -> Any:
    from optuna.samplers import TPESampler

    return TPESampler(
        seed=seed, n_startup_trials=search.initial() or 10, multivariate=True, group=True, constant_liar=True
    )


def _cma(search: Bayesian, seed: int, number: int) -> Any:
    from optuna.samplers import CmaEsSampler

    return CmaEsSampler(
        seed=seed, n_startup_trials=search.initial() or 10, warn_independent_sampling=False, with_margin=True
    )


SAMPLERS = Table("sampler", {"gp": _gaussian_process, "tpe": _tpe, "cma-es": _cma})
"""How each name makes an Optuna sampler."""
