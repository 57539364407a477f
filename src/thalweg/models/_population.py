"""Population: nets of one structure, trained side by side in one program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from thalweg import data
from thalweg._tunable import Tunable
from thalweg.data import Rows
from thalweg.models import _compile
from thalweg.models._fit import adapted, looked_over
from thalweg.models._fit_population import PopulationEvaluator, fit_population, predict_population
from thalweg.models._model import Model


class Population:
    """Several models as one: each with its own weights, hypers, seed and order of rows.

    The members' layers, losses and optimizers must be of the same kinds; their numbers may differ, and
    so may the widths of Dense layers: narrower ones are padded and masked, which changes no number
    they compute.

    On a CPU each core takes its share of the members where the population is the first thing that computes in
    the process; where JAX has started before, with one device, they run on one core. The environment variable
    JAX_NUM_CPU_DEVICES, set to the number of cores, makes it so from the start.

    Args:
        models: compiled models. One that is built brings its weights.

    Raises:
        ValueError: where the members' structures differ in more than widths; it says in what.

    Example:
        >>> import numpy as np, thalweg
        >>> def build(rate):
        ...     model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)])
        ...     model.compile(thalweg.optimizers.SGD(rate), 'mse')
        ...     return model
        >>> population = thalweg.Population([build(0.1), build(0.01)])
        >>> history = population.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=3, verbose=0, seeds=[0, 0])
        >>> len(population[0].history.history['loss'])
        3

    """

    def __init__(self, models: Sequence[Model]) -> None:
        if not models:
            raise ValueError("A population needs at least one model, got none.")
        for model in models:
            if not isinstance(model, Model):
                raise TypeError(f"Population takes models, got {model!r} of type {type(model).__name__}.")
            _compile.require_compiled(model, "Population")
        self.models = list(models)
        self.stop_training = False
        self.history: Any = None
        self.program: Any = None
        self.session: Any = None  # the fit under way

    @classmethod
    def of_seeds(cls, model: Model, n: int) -> Self:
        """`n` nets like `model`, whose weights, where it has any, are not taken over.

        Args:
            model: a compiled model.
            n: how many members.

        """
        if n < 1:
            raise ValueError(f"n must be a positive integer, got Population.of_seeds(n={n!r}).")
        return cls([model.twin() for _ in range(n)])

    def __getitem__(self, index: int) -> Model:
        return self.models[index]

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    @property
    def optimizer(self) -> Any:
        """The members' optimizers, read and written as one."""
        return Together([model.optimizer for model in self.models])

    def fit(self, x: Any = None, y: Any = None, *, seeds: Sequence[int] | None = None, **given: Any) -> Any:
        """Train all members.

        Args:
            x, y: as in :meth:`Model.fit`; every member sees the same rows, in its own order.
            seeds: one a member; what ``seed=`` is to a model trained alone.
            given: everything else that :meth:`Model.fit` takes. Callbacks that judge a model (EarlyStopping,
                ReduceLROnPlateau, ...) are copied, one for each member, and stop each on its own; the
                others see the population, with logs that hold one number a member.

        Returns:
            The History of the population; each member has its own as ``population[i].history``.

        """
        if seeds is not None and len(seeds) != len(self):
            raise ValueError(f"seeds must hold one seed a member ({len(self)}), got {len(seeds)}.")
        return fit_population(self, x, y, seeds, **given)

    def evaluate(self, x: Any, y: Any = None, batch_size: int | None = None, sample_weight: Any = None) -> Any:
        """Loss and metrics by name, one number a member."""
        source = adapted(self[0], x, y, sample_weight, what="evaluate", batch_size=batch_size)
        first = source if isinstance(source, Rows) else data.peek(source)
        for model in self.models:
            model.ready(first)
        looked_over(self[0], source, "evaluate")
        return PopulationEvaluator(self, source, first, {"validation_batch_size": batch_size}).run()

    def predict(self, x: Any, batch_size: int | None = None) -> Any:
        """Outputs, with a leading axis of members."""
        return predict_population(self, x, batch_size)

    def get_weights(self) -> list[list[np.ndarray]]:
        """Every member's weights."""
        return [model.get_weights() for model in self.models]

    def __repr__(self) -> str:
        return f"<Population of {len(self)} models>"


class Together:
    """Objects whose attributes are read as lists and written all at once, from one value or a list."""

    def __init__(self, owners: list[Tunable]) -> None:
        object.__setattr__(self, "_owners", owners)

    def __getattr__(self, name: str) -> list[Any]:
        return [getattr(owner, name) for owner in self._owners]

    def __setattr__(self, name: str, value: Any) -> None:
        each = value if isinstance(value, (list, tuple, np.ndarray)) else [value] * len(self._owners)
        for owner, one in zip(self._owners, each, strict=True):
            setattr(owner, name, one)
