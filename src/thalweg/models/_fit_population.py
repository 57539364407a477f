"""How a population is fitted: a session whose state, hypers and orders have an axis of members."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from thalweg import _seeds
from thalweg._names import unknown
from thalweg.data import Rows
from thalweg.engine import Chunk, TrainState, origin, program, use_host_devices
from thalweg.models import _checks, _portions
from thalweg.models._crew import Crew
from thalweg.models._fit import (
    Session,
    callbacks_of,
    finalize,
    given_back,
    heard,
    held_by,
    prepare,
    public,
    same_arrays,
    sources,
    state_of,
    take_over,
)
from thalweg.models._memory import explained, rows_a_step
from thalweg.models._not_finite import LossWarning, report
from thalweg.models._population_callbacks import PopulationCallbacks
from thalweg.models._population_evaluator import PopulationEvaluator, by_member, defaults, first_rows
from thalweg.models._population_feed import PopulationFeed
from thalweg.models._portions import Portions

if TYPE_CHECKING:
    from thalweg.models._population import Population


def fit_population(
    population: Population,
    x: Any,
    y: Any,
    seeds: Sequence[int] | None = None,
    rows: Sequence[Any] | None = None,
    validation_rows: Sequence[Any] | None = None,
    member_callbacks: Sequence[Any] | None = None,
    **given: Any,
) -> Any:
    """See ``Population.fit``."""
    asked = {**defaults(), "x": x, "y": y}
    for name in given:
        if name not in asked:
            known = [*asked, "seeds", "rows", "validation_rows", "member_callbacks"]
            raise TypeError(f"Population.fit: {unknown('argument', name, known)}")
    asked.update(given)
    members = len(population)
    epochs = _portions.epochs_of(asked["epochs"], members)
    asked["epochs"] = max(epochs) if isinstance(asked["epochs"], (list, tuple, np.ndarray)) else asked["epochs"]
    _checks.fit_arguments(asked)
    portions = Portions(epochs, _portions.callbacks_each(member_callbacks, members))
    use_host_devices()
    base = asked.pop("seed")
    if seeds is None and base is not None:
        seeds = [int(s) for s in np.random.SeedSequence(base).generate_state(members)]
    chosen = [_seeds.next_seed() for _ in population] if seeds is None else [_seeds.checked(seed) for seed in seeds]

    def looked_at() -> tuple[Any, Any, Rows, Portions]:
        train, validation, own = _shared_out(population, asked, portions, rows, validation_rows)
        first = prepare(population[0], train, None if validation is train else validation, chosen[0])
        for model, seed in zip(population, chosen, strict=True):
            model.ready(first, seed)
        if own.rows is not None:
            _portions.warn_of_one_class(population[0], train, own.rows)
        return train, validation, first, own

    begun: list[PopulationSession] = []
    with explained("Population.fit", lambda: rows_a_step(begun[0].feed) if begun else None):
        (train, validation, first, portions), said = heard(looked_at)
        asked["seed"] = seeds
        begun.append(PopulationSession(population, train, validation, first, chosen, asked, portions))
        begun[0].history.warnings.extend(said)
        return begun[0].run()


def _shared_out(
    population: Population, asked: dict[str, Any], portions: Portions, rows: Any, validation_rows: Any
) -> tuple[Any, Any, Portions]:
    """The training rows, those of validation, and which of them are whose."""
    if rows is None and validation_rows is None:
        return *sources(population[0], asked), portions
    fraction = asked["validation_split"] if asked["validation_data"] is None else 0.0
    if fraction and validation_rows is not None:
        raise ValueError("validation_rows and validation_split exclude each other: both say what to validate on.")
    train, validation = sources(population[0], {**asked, "validation_split": 0.0})
    if not isinstance(train, Rows):
        raise ValueError("rows and validation_rows go with arrays, got a source of batches: give x and y as arrays.")
    members = len(population)
    each: list[_portions.Numbers] = (
        [None] * members if rows is None else _portions.rows_each("rows", rows, members, train.n)
    )
    rest = None
    if fraction:
        each, rest = _portions.split_each(each, fraction, train.n)
        validation = train
    elif validation_rows is not None:
        inside = validation is None
        validation = train if inside else validation
        if not isinstance(validation, Rows):
            raise ValueError("validation_rows go with arrays, got a source of batches as validation_data.")
        rest = _portions.rows_each("validation_rows", validation_rows, members, validation.n)
        if inside:
            _portions.warn_of_repeats(each, rest, train.n)
    return train, validation, portions._replace(rows=each, validation=rest)


class PopulationSession(Session):
    """One fit of a population under way."""

    def __init__(
        self,
        population: Population,
        train: Any,
        validation: Any,
        first: Rows,
        seeds: list[int],
        asked: dict[str, Any],
        portions: Portions,
    ) -> None:
        self.population, self.portions = population, portions
        self.model: Any = population  # what the loop asks whether to stop
        self.asked = asked
        models = population.models
        exact = not _checks.per_row(models[0], first)
        if exact:
            raise ValueError(
                "A population needs losses and metrics that give one value a row; one given to compile gives a single "
                "number for the whole batch. Let it return one value a row."
            )
        self.callbacks: Any = PopulationCallbacks(population, callbacks_of(asked), asked, portions)
        watch = models[0].watch
        assert watch is not None
        self.watch = watch.following(self.callbacks.needs)
        self.tasks = [model.task().watching(self.watch) for model in models]
        self.mold = population.mold._replace(tasks=tuple(task.watching(self.watch) for task in population.mold.tasks))
        self.crew = Crew(self.tasks, self.mold)
        self.task = self.crew.task
        self.units = self.crew.units
        self.program = program("train", self.task, self.crew.how)
        shuffled: list[int | None] = list(seeds) if asked["shuffle"] else [None] * len(models)
        self.feed: Any = PopulationFeed(self.crew, train, asked, shuffled, first, portions.rows)
        self.callbacks.set_steps(self.feed.steps, self.feed.steps_of)
        self.take_seeds(seeds)
        self.evaluator: Any = None
        if validation is not None:
            placed = self.feed.data if validation is train else None
            self.evaluator = PopulationEvaluator(
                population,
                validation,
                first_rows(validation),
                asked,
                portions.validation,
                placed,
                self.crew,
                self._held,
            )
        self.history = self.callbacks.history
        self.paths_of = [
            [public(model, path) for path in task.paths] for model, task in zip(models, self.tasks, strict=True)
        ]
        self._state: TrainState | None = None
        self._given: list[list[Any]] = []
        self._settled = True  # whether the members have what the state holds
        if self.evaluator is not None:
            self.evaluator.warm_up()
        self.begin()

    def fresh_totals(self) -> Any:
        """Sums of nothing, for every member."""
        return self.crew.gather([self.watch.init()] * len(self.population))

    def place(self, order: Any) -> Any:
        """An order on the devices, cut by member."""
        return self.crew.share(order)

    def bound(self, step: int) -> Any:
        """Each member's own bound: one that has stopped runs no more steps."""
        return self.feed.bound(step, self._running())

    def _running(self) -> list[bool]:
        pairs = zip(self.callbacks.running, self.population, strict=True)
        return [runs and not model.stop_training for runs, model in pairs]

    def turned_to(self) -> Any:
        """Each member's hypers as they are."""
        return self.crew.numbers()

    def vector(self) -> Any:
        """All members' hypers; changes go on record in each member's own history."""
        numbers, before = self.turned_to(), self.numbers
        changed = any(not np.array_equal(a, b) for a, b in zip(numbers, before, strict=True))
        if changed:
            self.callbacks.record(before, numbers, self.paths_of, self.epoch, self.step)
        if changed or self._vector is None:
            self.numbers, self._vector = numbers, self.crew.vectors(numbers)
        return self._vector

    _vector: Any = None

    def state(self, totals: Any) -> TrainState:
        """The members' arrays as one state; gathered anew only where somebody set a weight."""
        held = [[v.value for v in model.weights] for model in self.population]
        unchanged = self._state is not None and all(
            a is b for mine, seen in zip(held, self._given, strict=True) for a, b in zip(mine, seen, strict=True)
        )
        if unchanged:
            return self._state._replace(totals=totals)  # type: ignore[union-attr]
        self.settle()
        self._state = self.crew.state([state_of(model, None) for model in self.population], totals)
        self._settled = True
        self._given = [[v.value for v in model.weights] for model in self.population]
        return self._state

    def _held(self) -> tuple[Any, Any]:
        """The program's weights, for an evaluation."""
        state = self.state(None)
        return state.params, state.frozen

    def judge(self, logs: dict[str, Any], chunk: Chunk, offset: int) -> None:
        """Stop members whose loss is finite no more, each with its last finite state; the others go on."""
        running = self._running()
        lost = [i for i, loss in enumerate(logs["loss"]) if running[i] and not math.isfinite(loss)]
        if lost:
            self.settle()
        for i in lost:
            model = self.population[i]
            steps = self.feed.steps_of[i]
            before = self.before and _cut(self.before, steps)
            found = origin(self.program, self.task, *_cut(chunk, steps), before, member=i, share=self.crew.members[i])
            if found.state is not None:
                take_over(model, found.state)
            model.stop_training = True
            message = f"Member {i}: {report(found, self.epoch, self.tasks[i], steps, offset)}"
            warnings.warn(message, LossWarning, stacklevel=2)
            self.callbacks.members[i].history.warnings.append(message)
        self.before = chunk

    def members_snapshot(self) -> dict[str, Any]:
        """What is each member's own, in its own shapes."""
        self.settle()
        totals = jax.device_get(self.fresh_totals() if self.totals is None else self.totals)
        held = []
        for i, model in enumerate(self.population):
            state = state_of(model, jax.tree.map(lambda leaf, i=i: leaf[i], totals))
            held.append(held_by(model, state, self.numbers[i]))
        return {"members": held}

    def check_snapshot(self, snapshot: dict[str, Any]) -> None:
        """Whether there are as many members, and every array has its place."""
        if len(snapshot["members"]) != len(self.population):
            raise ValueError(
                f"The checkpoint is of {len(snapshot['members'])} members, this is {len(self.population)}."
            )
        for model, held in zip(self.population, snapshot["members"], strict=True):
            same_arrays(state_of(model, self.watch.init()), held["state"])

    def take_seeds(self, seeds: list[int]) -> None:
        """Draw and shuffle as the fit before did."""
        self.seeds = list(seeds)
        self.seed: Any = self.crew.share(np.array(self.crew.fill(self.seeds), np.uint32))
        if self.asked["shuffle"]:
            self.feed.seeds = list(seeds)

    def restore_members(self, snapshot: dict[str, Any]) -> None:
        """Give each member its own."""
        each, numbers = [], []
        for model, held in zip(self.population, snapshot["members"], strict=True):
            state, own = given_back(model, held, state_of(model, self.watch.init()))
            take_over(model, state)
            each.append(state.totals)
            numbers.append(own)
        self._state, self._given = None, []
        self.totals = self.crew.gather(each) if self.step else None
        if numbers[0] is not None:
            self.numbers, self._vector = numbers, None

    def keep(self, state: TrainState) -> None:
        """Hold the state; members get theirs when somebody may look."""
        self._state, self._settled = state, False
        if self.callbacks.wants_arrays:
            self.settle()

    def settle(self) -> None:
        """Give each member its arrays, once; weights that somebody has set meanwhile stay as set."""
        state = self._state
        if state is None or self._settled:
            return
        self._settled = True
        host = jax.device_get((state.params, state.frozen, state.optimizer, state.step))
        for i, model in enumerate(self.population):
            before = [v.value for v in model.weights]
            params, frozen, slots, steps = jax.tree.map(lambda leaf, i=i: leaf[i], host)
            mine = TrainState(params, frozen, slots, steps, None)
            take_over(model, self.crew.members[i].own(mine))
            seen, self._given[i] = self._given[i], [v.value for v in model.weights]
            for variable, held, known in zip(model.weights, before, seen, strict=True):
                if held is not known:
                    variable.hold(held)

    def finalize(self) -> None:
        """Members that have stopped had theirs then."""
        for model, runs in zip(self.population, self.callbacks.running, strict=True):
            if runs:
                finalize(model)

    def logs(self, results: Any) -> dict[str, Any]:
        """One list of numbers a name, a number a member."""
        return by_member(self.watch, results, len(self.population))

    def data_facts(self) -> dict[str, Any]:
        """By what the training data are known again, and which of them are whose."""
        return {**super().data_facts(), **self.portions.facts()}


def _cut(chunk: Chunk, steps: int | None) -> Chunk:
    """A chunk as a member with `steps` an epoch ran it."""
    return chunk if steps is None else chunk._replace(start=min(chunk.start, steps), stop=min(chunk.stop, steps))
