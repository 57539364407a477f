"""KerasTuner's tuners: each a search under its old name."""

from __future__ import annotations

from typing import Any

from thalweg.tuner._tuner import Tuner
from thalweg.tuner.searches import _bohb
from thalweg.tuner.searches._bayesian import Bayesian
from thalweg.tuner.searches._grid import Grid
from thalweg.tuner.searches._hyperband import Hyperband as HyperbandSearch
from thalweg.tuner.searches._population_based import PopulationBased
from thalweg.tuner.searches._random import Random


class RandomSearch(Tuner):
    """Random search.

    Args:
        hypermodel, objective: as for :class:`Tuner`.
        max_trials: how many trials; None where `max_time` ends the search.
        kwargs: as for :class:`Tuner`.

    Raises:
        ValueError: on an argument out of range.

    Example:
        >>> import numpy as np, tempfile, thalweg
        >>> def build(hp):
        ...     model = thalweg.Sequential([thalweg.layers.Dense(hp.Int('units', 2, 8), 'relu'), thalweg.layers.Dense(1)])
        ...     model.compile(thalweg.optimizers.Adam(hp.Float('rate', 1e-3, 1e-1, sampling='log')), 'mse')
        ...     return model
        >>> x = np.random.default_rng(0).normal(size=(40, 3)); y = x.sum(axis=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tuner = RandomSearch(build, 'val_loss', max_trials=3, seed=0, directory=folder)
        ...     tuner.search(x, y, epochs=2, validation_split=0.5, verbose=0)
        ...     model = tuner.get_best_models()[0]
        >>> model.predict(x).shape
        (40, 1)

    Source: Bergstra & Bengio 2012, "Random search for hyper-parameter optimization".

    """

    def __init__(self, hypermodel: Any, objective: Any = None, max_trials: int | None = 10, **kwargs: Any) -> None:
        super().__init__(hypermodel, objective, search=Random(max_trials), **kwargs)


class GridSearch(Tuner):
    """Every combination of values; a word of warning says how many trials that takes.

    Args:
        hypermodel, objective: as for :class:`Tuner`.
        max_trials: how many trials at most; None tries all.
        kwargs: as for :class:`Tuner`.

    Raises:
        ValueError: on an argument out of range.

    Example:
        >>> GridSearch(lambda hp: None, 'val_loss').search_.NAME
        'grid'

    """

    def __init__(self, hypermodel: Any, objective: Any = None, max_trials: int | None = None, **kwargs: Any) -> None:
        super().__init__(hypermodel, objective, search=Grid(max_trials), **kwargs)


class BayesianOptimization(Tuner):
    """Bayesian optimization: by a Gaussian process, by TPE, or by CMA-ES.

    Args:
        hypermodel, objective: as for :class:`Tuner`.
        max_trials: how many trials.
        num_initial_points: trials drawn before there is a model.
        beta: of the lower confidence bound, in standard deviations; None: 1/2, 1 and 2 in turn.
        sampler: ``'gp'``, ``'tpe'`` or ``'cma-es'``.
        parallel_trials: trials proposed at a time, which train side by side.
        kwargs: as for :class:`Tuner`.

    Raises:
        ValueError: on an argument out of range, or an unknown sampler.

    Example:
        >>> BayesianOptimization(lambda hp: None, 'val_loss', sampler='tpe').search_.sampler
        'tpe'

    Source: Snoek, Larochelle & Adams 2012, "Practical Bayesian optimization of machine learning algorithms".

    """

    def __init__(
        self,
        hypermodel: Any,
        objective: Any = None,
        max_trials: int | None = 10,
        num_initial_points: int | None = None,
        beta: float | None = None,
        *,
        sampler: str = "gp",
        parallel_trials: int = 8,
        **kwargs: Any,
    ) -> None:
        search = Bayesian(max_trials, sampler, num_initial_points, beta, parallel_trials)
        super().__init__(hypermodel, objective, search=search, **kwargs)


class Hyperband(Tuner):
    """Hyperband: many short trials, of which the best go on exactly where they stopped.

    Args:
        hypermodel, objective: as for :class:`Tuner`.
        max_epochs: epochs of the longest trials.
        factor: by how much a round has fewer trials and more epochs.
        hyperband_iterations: how often all brackets are gone through.
        max_trials: a bound beside it.
        kwargs: as for :class:`Tuner`.

    Raises:
        ValueError: on an argument out of range.

    Example:
        >>> Hyperband(lambda hp: None, 'val_loss', max_epochs=9, factor=3).search_.brackets
        3

    Source: Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization".

    """

    def __init__(
        self,
        hypermodel: Any,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        *,
        max_trials: int | None = None,
        **kwargs: Any,
    ) -> None:
        search = HyperbandSearch(max_epochs, factor, hyperband_iterations, max_trials)
        super().__init__(hypermodel, objective, search=search, **kwargs)


class BOHB(Tuner):
    """Hyperband whose new trials a model proposes.

    Args:
        hypermodel, objective: as for :class:`Tuner`.
        max_epochs, factor, hyperband_iterations, max_trials: as for :class:`Hyperband`.
        sampler: ``'gp'`` or ``'tpe'``.
        kwargs: as for :class:`Tuner`.

    Raises:
        ValueError: on an argument out of range, or an unknown sampler.

    Example:
        >>> BOHB(lambda hp: None, 'val_loss', max_epochs=27).search_.NAME
        'bohb'

    Source: Falkner, Klein & Hutter 2018, "BOHB: robust and efficient hyperparameter optimization at scale".

    """

    def __init__(
        self,
        hypermodel: Any,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        *,
        max_trials: int | None = None,
        sampler: str = "gp",
        **kwargs: Any,
    ) -> None:
        search = _bohb.BOHB(max_epochs, factor, hyperband_iterations, max_trials, sampler)
        super().__init__(hypermodel, objective, search=search, **kwargs)


class PopulationBasedTraining(Tuner):
    """Nets that train side by side, take over the better ones' weights, and vary their hyperparameters.

    Args:
        hypermodel, objective: as for :class:`Tuner`.
        population_size: nets.
        max_epochs: epochs of each.
        interval: epochs between two exchanges.
        kwargs: as for :class:`Tuner`.

    Raises:
        ValueError: on an argument out of range.

    Example:
        >>> PopulationBasedTraining(lambda hp: None, 'val_loss', population_size=8).search_.NAME
        'pbt'

    Source: Jaderberg et al. 2017, "Population based training of neural networks".

    """

    def __init__(
        self,
        hypermodel: Any,
        objective: Any = None,
        population_size: int = 16,
        max_epochs: int = 100,
        interval: int = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(hypermodel, objective, search=PopulationBased(population_size, max_epochs, interval), **kwargs)
