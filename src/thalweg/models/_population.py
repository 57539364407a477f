"""Population: nets of one structure, trained side by side in one program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from thalweg import data
from thalweg._tunable import Tunable
from thalweg.data import Rows
from thalweg.models import _compile
from thalweg.models._crew import Mold
from thalweg.models._fit import adapted, looked_over
from thalweg.models._fit_population import fit_population
from thalweg.models._model import Model
from thalweg.models._population_evaluator import PopulationEvaluator, predict_population


class Population:
    """Several models as one: each with its own weights, hypers, seed and order of rows.

    All members are trained by one compiled program, which changes no number that they compute. They must agree in
    their losses and metrics and in the skeleton of their layers. They may differ in

    - numbers: rates, factors, seeds, a schedule's constants;
    - the widths of Dense layers: narrower ones are padded and masked;
    - the activations of Dense and Activation layers, among thalweg's own that act element by element;
    - the schedule of the learning rate, and the optimizer, among thalweg's own, where they agree in ``use_ema`` and
      ``gradient_accumulation_steps``;
    - depth, where a net is a chain of layers: layers that keep the shape of their input (Dropout, BatchNormalization, a
      second and further Dense layer, ...) may be lacking.

    On a CPU each core takes its share of the members where the population is the first thing that computes in
    the process; where JAX has started before, with one device, they run on one core. The environment variable
    JAX_NUM_CPU_DEVICES, set to the number of cores, makes it so from the start.

    Args:
        models: compiled models. One that is built brings its weights.
        mold: what the program is to have room for beside them (:meth:`molded`), so that populations that come one
            after the other share it.

    Raises:
        ValueError: where there is none, or one is not compiled.

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

    def __init__(self, models: Sequence[Model], mold: Mold = Mold()) -> None:  # noqa: B008  # a constant
        if not models:
            raise ValueError("A population needs at least one model, got none.")
        for model in models:
            if not isinstance(model, Model):
                raise TypeError(f"Population takes models, got {model!r} of type {type(model).__name__}.")
            _compile.require_compiled(model, "Population")
        self.models = list(models)
        self.mold = mold
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

    def molded(self) -> Mold:
        """The mold of these members, once they know their shapes, and of what they were given room beside."""
        own = tuple(model.task().blueprint() for model in self.models)
        return Mold((*self.mold.tasks, *own), max(self.mold.places, len(self.models)))

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

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *,
        seeds: Sequence[int] | None = None,
        rows: Sequence[Any] | None = None,
        validation_rows: Sequence[Any] | None = None,
        member_callbacks: Sequence[Any] | None = None,
        **given: Any,
    ) -> Any:
        """Train all members, each as it would be trained alone.

        Args:
            x, y: as in :meth:`Model.fit`; every member sees the same rows, in its own order.
            seeds: one a member; what ``seed=`` is to a model trained alone.
            rows: one entry a member: the numbers of the rows of `x` that it trains on, or None for all. It is trained
                as by ``Model.fit(x[rows], y[rows])``; epochs of members with fewer rows have fewer steps. For arrays.
            validation_rows: likewise of ``validation_data``, or, where none is given, of `x` itself: the rows that it is
                validated on. ``validation_split`` beside `rows` cuts off each member's own last rows.
            member_callbacks: one list of callbacks a member, of whatever class, used as they are: they see their model
                and its logs as in a fit of it alone. Callbacks that keep a whole fit (RunFolder, BackupAndRestore) go
                to ``callbacks``.
            given: everything else that :meth:`Model.fit` takes. ``epochs`` may be a list, one number a member: a member
                that has run its own ends as if it had been trained alone, while others go on. Callbacks that judge a
                model (EarlyStopping, ReduceLROnPlateau, ...) among ``callbacks`` are copied, one for each member, and
                stop each on its own; the others see the population, with logs that hold one number a member.

        Returns:
            The History of the population; each member has its own as ``population[i].history``.

        Raises:
            ValueError: where the members cannot share a program, naming the first that differs and in what; where a
                list does not hold one entry a member; where row numbers are out of range.
            thalweg.data.DataError: on rows that cannot be trained on.

        Example:
            >>> import numpy as np, thalweg
            >>> def build():
            ...     model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)])
            ...     model.compile('sgd', 'mse')
            ...     return model
            >>> folds = np.arange(8).reshape(2, 4)
            >>> population = thalweg.Population([build(), build()])
            >>> history = population.fit(
            ...     np.ones((8, 2)), np.ones((8, 1)), rows=folds[::-1], validation_rows=folds, epochs=[3, 1], verbose=0
            ... )
            >>> [len(member.history.history['val_loss']) for member in population]
            [3, 1]

        """
        if seeds is not None and len(seeds) != len(self):
            raise ValueError(f"seeds must hold one seed a member ({len(self)}), got {len(seeds)}.")
        return fit_population(self, x, y, seeds, rows, validation_rows, member_callbacks, **given)

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
