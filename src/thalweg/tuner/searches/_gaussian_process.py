"""Bayesian optimization with a Gaussian process, for any Optuna study."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.samplers import BaseSampler

from thalweg import _checks, _seeds
from thalweg.tuner.searches import _candidates
from thalweg.tuner.searches._acquisition import ACQUISITIONS, Acquisition, lcb
from thalweg.tuner.searches._activity import Active, Learnt, Told
from thalweg.tuner.searches._encoding import Array, Space
from thalweg.tuner.searches._history import Finished, Reader, split, union
from thalweg.tuner.searches._memo import Memo
from thalweg.tuner.searches._model import Model, Problem

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_INITIAL, _STEP, _INDEPENDENT = 0, 1, 4  # what a generator is for: part of its key; 2 and 3 are the model's

_BETAS = (0.5, 1.0, 2.0)
"""Deviations in the confidence bound of trials 0, 1, 2, 3, ... in turn."""


class GaussianProcessSampler(BaseSampler):
    """Proposes the point that promises most, by a Gaussian process on the trials so far.

    The scores are taken for a draw of a Gaussian process with a constant mean and a Matern 5/2 kernel with a length
    for each parameter, whose lengths, variance and noise have the largest posterior density. From its mean m(x) and
    deviation s(x) after all trials, the next point is where one of these is largest:

        beta s(x) - m(x)               acquisition='lcb', the lower confidence bound
        log E max(best - f(x), 0)      acquisition='log_ei', the expected improvement

    A trial that is under way is believed to score m(x): it leaves the mean as it is and takes the deviation away
    around it, so that a batch spreads. The first trials are points of a scrambled Sobol sequence.

    A proposal is a pure function of the seed, the trial's number and the trials in the study: there is no
    generator's state, and what is kept between two proposals changes only the time they take.

    Spaces may be mixed and conditional. Parameters that only some trials have are compared where both have them;
    which ones a new point would have is learnt from the trials, or told by `active`. A proposal has a value for every
    parameter that any trial has had. No point is proposed twice as long as there are others.

    A failed trial counts as one with the worst score. Scores of the worse half count by their order only, so that a
    loss of 10^6 is harmless. Where a trial has the user attribute ``'standard_error'``, that is its noise; else the
    noise is estimated. Several objectives are mixed into one, by weights that are drawn for each trial (ParEGO).

    Args:
        seed: in [0, 2**32).
        number: what counts as the number of the trial to propose for; None: the number it has in the study. May be
            set before each ask.
        num_initial_points: finished and running trials before there is a model; None: three a parameter, at least
            three.
        acquisition: ``'lcb'`` or ``'log_ei'``.
        beta: of the lower confidence bound: the larger, the more is explored. None: 1/2, 1 and 2 in turn, by the
            trial's number. KerasTuner's is 2.6.
        active: a function from a dict of values of all parameters to the names of those that are active with them;
            None: learnt.

    Raises:
        ValueError: on a seed that is none, an unknown acquisition, or a number out of its range.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study(sampler=GaussianProcessSampler(seed=0))
        >>> study.optimize(lambda trial: (trial.suggest_float('x', -4, 4) - 1) ** 2, n_trials=15)
        >>> abs(study.best_params['x'] - 1) < 0.01
        True

    Reference: Snoek, Larochelle & Adams, *Practical Bayesian Optimization of Machine Learning Algorithms*, 2012;
    Srinivas et al., *Gaussian Process Optimization in the Bandit Setting*, 2010 (lower confidence bound); Ginsbourger,
    Le Riche & Carraro, *Kriging Is Well-Suited to Parallelize Optimization*, 2010 (believed trials); Knowles,
    *ParEGO*, 2006.

    """

    def __init__(
        self,
        seed: int,
        number: int | None = None,
        num_initial_points: int | None = None,
        acquisition: str = "lcb",
        beta: float | None = None,
        active: Active | None = None,
    ) -> None:
        if num_initial_points is not None:
            _checks.number(self, "num_initial_points", num_initial_points, at_least=1)
        if beta is not None:
            _checks.number(self, "beta", beta, at_least=0)
        ACQUISITIONS[acquisition]  # an unknown one raises
        self.seed, self.number, self.num_initial_points = _seeds.checked(seed), number, num_initial_points
        self.acquisition, self.beta, self.active = acquisition, beta, active
        self._memo, self._model = Memo(), Model(self.seed)

    # -- what Optuna asks ----------------------------------------------------------------------

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All parameters that any trial has had; of one with several distributions, the latest."""
        finished, running = self._trials(study, trial.number)
        known = self._memo("union", finished, lambda: union(finished))
        return {**known, **union(running)}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A value for each of them."""
        space = self._memo("space", search_space, lambda: Space(search_space))
        if not space.size:
            return space.values(np.empty(0))
        finished, running = self._trials(study, trial.number)
        read = self._memo("reader", (space.title, study.directions), lambda: Reader(space, study.directions))
        known = read(finished)
        rows = np.array([space.row(one.params) for one in running if one.params]).reshape(-1, space.size)
        activity = self._activity(space, known)
        if isinstance(activity, Told):
            known = self._memo("told", known, lambda: known.at(activity.mask(known.rows)))
        problem = Problem(space, activity, known, activity.mask(rows))
        return space.values(self._proposal(problem, self._number_of(trial)))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A random value for a parameter that no trial has had: a pure function of (seed, number, name)."""
        space = Space({param_name: param_distribution})
        name = int.from_bytes(hashlib.sha256(param_name.encode()).digest()[:16], "big")
        rng = _seeds.generator(self.seed, self._number_of(trial), _INDEPENDENT, name)
        return space.values(rng.random(space.size))[param_name]

    def _trials(self, study: Study, own: int) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
        trials = study.get_trials(deepcopy=False)
        return self._memo("trials", (own, trials), lambda: split(trials, own))

    def _number_of(self, trial: FrozenTrial) -> int:
        return trial.number if self.number is None else self.number

    # -- the proposal --------------------------------------------------------------------------

    def _activity(self, space: Space, known: Finished) -> Told | Learnt:
        if self.active is not None:
            return Told(space, self.active)
        well = known.well
        return self._memo("activity", known, lambda: Learnt(space, known.rows[well], known.rows[~well]))

    def _proposal(self, problem: Problem, number: int) -> Array:
        rng = _seeds.generator(self.seed, number, _STEP)
        space, finished = problem.space, problem.finished
        first = self.num_initial_points or max(3 * space.size, 3)
        if len(finished.rows) + len(problem.pending) < first or not np.isfinite(finished.scores).any():
            sequence = _seeds.generator(self.seed, _INITIAL)
            found: Array | None = _candidates.initial(space, sequence, rng, number)
        else:
            found = self._model.best(problem, number, self._promise(number), rng)
        return _candidates.untried(space, problem.activity, problem.taken, found, rng)

    def _promise(self, number: int) -> Acquisition:
        if self.acquisition != "lcb":
            return ACQUISITIONS[self.acquisition]
        return partial(lcb, beta=_BETAS[number % len(_BETAS)] if self.beta is None else self.beta)
