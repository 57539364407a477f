"""How a population is fitted: a session whose state, hypers and orders have an axis of members."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from thalweg import _seeds, config, data
from thalweg._names import unknown
from thalweg.callbacks import CallbackList, History
from thalweg.data import Rows
from thalweg.engine import (
    ArrayFeed,
    Chunk,
    Feed,
    Order,
    Slab,
    Task,
    TrainState,
    chunk_end,
    origin,
    pad,
    padded_count,
    positions,
    program,
    run_chunk,
    share_out,
    stack,
    units_of,
    unpad,
    use_host_devices,
    ways,
)
from thalweg.models import _checks
from thalweg.models._fit import (
    Session,
    adapted,
    callbacks_of,
    feed_of,
    finalize,
    given_back,
    heard,
    held_by,
    looked_over,
    prepare,
    public,
    same_arrays,
    sources,
    state_of,
    take_over,
)
from thalweg.models._memory import explained, rows_a_step
from thalweg.models._not_finite import LossWarning, report
from thalweg.network import Network

if TYPE_CHECKING:
    from thalweg.models._model import Model
    from thalweg.models._population import Population


def fit_population(population: Population, x: Any, y: Any, seeds: Sequence[int] | None, **given: Any) -> Any:
    """See ``Population.fit``."""
    asked = {**_defaults(), "x": x, "y": y}
    for name in given:
        if name not in asked:
            raise TypeError(f"Population.fit: {unknown('argument', name, [*asked, 'seeds'])}")
    asked.update(given)
    _checks.fit_arguments(asked)
    use_host_devices()
    base = asked.pop("seed")
    if seeds is None and base is not None:
        seeds = [int(s) for s in np.random.SeedSequence(base).generate_state(len(population))]
    chosen = [_seeds.next_seed() for _ in population] if seeds is None else [_seeds.checked(seed) for seed in seeds]

    def looked_at() -> tuple[Any, Any, Rows]:
        train, validation = sources(population[0], asked)
        first = prepare(population[0], train, validation, chosen[0])
        for model, seed in zip(population, chosen, strict=True):
            model.ready(first, seed)
        return train, validation, first

    begun: list[PopulationSession] = []
    with explained("Population.fit", lambda: rows_a_step(begun[0].feed) if begun else None):
        (train, validation, first), said = heard(looked_at)
        asked["seed"] = seeds
        begun.append(PopulationSession(population, train, validation, first, chosen, asked))
        begun[0].history.warnings.extend(said)
        return begun[0].run()


class Crew:
    """The members' tasks as one: the widest net's structure and where each member's numbers lie in it."""

    def __init__(self, models: list[Model], task: Task, others: list[Task]) -> None:
        self.models = models
        widest = max((model.network for model in models), key=_width)
        networks = [model.network for model in models]
        widest = _merged(networks, widest)
        self.padded = any(network.structure() != widest.structure() for network in networks)
        self.task = task.over(widest, padded=self.padded)
        for i, (other, network) in enumerate(zip(others, networks, strict=True)):
            _same(self.task, other.over(_stretched(network, widest), padded=self.padded), i)
        self.count = padded_count(len(models))
        self.how = ways(len(models))
        masks = [units_of(widest, network) for network in networks] if self.padded else []
        if self.padded and task.optimizer is not None:
            _checks.may_be_padded(widest, task.optimizer, masks)
        self.trained = [positions(widest, units, widest.trainable) for units in masks]
        self.frozen = [positions(widest, units, widest.frozen) for units in masks]
        self.units: Any = self.share(stack(self._fill(masks))) if self.padded else ()
        self.widest = widest

    def _fill(self, each: list[Any]) -> list[Any]:
        """One entry a member, and idle copies of the last that fill up the devices."""
        return [*each, *[each[-1]] * (self.count - len(each))]

    def share(self, tree: Any, own: bool = True) -> Any:
        """Arrays on the devices, cut by member or copied to all."""
        return share_out(tree, self.how[1], own)

    def gather(self, each: list[Any]) -> Any:
        """Members' trees as one on the devices."""
        return self.share(stack(self._fill(each)))

    def widen(self, member: int, params: Any, frozen: Any) -> tuple[Any, Any]:
        """A member's arrays in the widest net's shapes."""
        if not self.padded:
            return params, frozen
        wide = [place.weight.shape for place in self.widest.trainable]
        rest = [place.weight.shape for place in self.widest.frozen]
        return (
            tuple(pad(a, w, s) for a, w, s in zip(params, self.trained[member], wide, strict=True)),
            tuple(pad(a, w, s) for a, w, s in zip(frozen, self.frozen[member], rest, strict=True)),
        )

    def widen_slots(self, member: int, state: Any) -> Any:
        """An optimizer's state likewise: whatever has a weight's shape moves as the weight does."""
        return self._move(state, member, widen=True)

    def narrow_slots(self, member: int, state: Any) -> Any:
        """Back to the member's own shapes."""
        return self._move(state, member, widen=False)

    def _move(self, state: Any, member: int, widen: bool) -> Any:
        if not self.padded:
            return state
        wide = [place.weight.shape for place in self.widest.trainable]

        def per_param(entries: Any) -> Any:
            moved = []
            for entry, where, shape in zip(entries, self.trained[member], wide, strict=True):
                moved.append(jax.tree.map(lambda a, w=where, s=shape: pad(a, w, s) if widen else unpad(a, w), entry))
            return tuple(moved)

        return state.over_params(per_param)

    def narrow(self, member: int, params: Any, frozen: Any) -> tuple[Any, Any]:
        """A member's arrays out of the widest net's shapes."""
        if not self.padded:
            return params, frozen
        return (
            tuple(unpad(a, w) for a, w in zip(params, self.trained[member], strict=True)),
            tuple(unpad(a, w) for a, w in zip(frozen, self.frozen[member], strict=True)),
        )

    def vectors(self, tasks: list[Task]) -> np.ndarray:
        """The members' hypers in force, [members, numbers]."""
        return np.stack(self._fill([task.hypers() for task in tasks]))


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
    ) -> None:
        self.population = population
        self.model: Any = population  # what the loop asks whether to stop
        self.asked = asked
        models = population.models
        exact = not _checks.per_row(models[0], first)
        if exact:
            raise ValueError(
                "A population needs losses and metrics that give one value a row; one given to compile gives a single "
                "number for the whole batch. Let it return one value a row."
            )
        self.callbacks: Any = PopulationCallbacks(population, callbacks_of(asked), asked)
        watch = models[0].watch
        assert watch is not None
        self.watch = watch.following(self.callbacks.needs)
        self.tasks = [model.task().watching(self.watch) for model in models]
        self.crew = Crew(models, self.tasks[0], self.tasks)
        self.task = self.crew.task
        self.units = self.crew.units
        self.program = program("train", self.task, self.crew.how)
        shuffled: list[int | None] = list(seeds) if asked["shuffle"] else [None] * len(models)
        self.feed: Any = PopulationFeed(self.crew, train, asked, shuffled, first)
        self.callbacks.set_steps(self.feed.steps)
        self.take_seeds(seeds)
        self.evaluator: Any = (
            PopulationEvaluator(population, validation, _first(validation), asked) if validation is not None else None
        )
        self.history = self.callbacks.history
        self.paths = [public(models[0], path) for path in self.task.paths]
        self._state: TrainState | None = None
        self._given: list[list[Any]] = []
        self._settled = True  # whether the members have what the state holds
        self.begin()

    def fresh_totals(self) -> Any:
        """Sums of nothing, for every member."""
        return self.crew.gather([self.watch.init()] * len(self.population))

    def place(self, order: Any) -> Any:
        """An order on the devices, cut by member."""
        return self.crew.share(order)

    def bound(self, step: int) -> Any:
        """Each member's own bound: one that has stopped runs no more steps."""
        running = np.array([not model.stop_training for model in self.population], bool)
        bounds = np.zeros(self.crew.count, np.int32)
        bounds[: len(running)] = np.where(running, step, 0)
        return self.crew.share(bounds)

    def vector(self) -> Any:
        """All members' hypers; changes go on record in each member's own history."""
        numbers = self.crew.vectors(self.tasks)
        if self.numbers is None or not np.array_equal(numbers, self.numbers):
            self.callbacks.record(self.numbers, numbers, self.paths, self.epoch, self.step)
            self.numbers = numbers
            self._vector = None
        if self._vector is None:
            self._vector = self.crew.share(numbers.astype(config.floatx()))
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
        parts = []
        for i, model in enumerate(self.population):
            own = state_of(model, None)
            wide = self.crew.widen(i, own.params, own.frozen)
            parts.append((*wide, self.crew.widen_slots(i, own.optimizer), own.step))
        params, frozen, slots, steps = self.crew.gather(parts)
        self._state, self._settled = TrainState(params, frozen, slots, steps, totals), True
        self._given = [[v.value for v in model.weights] for model in self.population]
        return self._state

    def judge(self, logs: dict[str, Any], chunk: Chunk, offset: int) -> None:
        """Stop members whose loss is finite no more, each with its last finite state; the others go on."""
        running = [not model.stop_training for model in self.population]
        lost = [i for i, loss in enumerate(logs["loss"]) if running[i] and not math.isfinite(loss)]
        if lost:
            self.settle()
        for i in lost:
            model = self.population[i]
            found = origin(self.program, self.task, *chunk, self.before, member=i)
            if found.state is not None:
                self._give(model, i, found.state)
            model.stop_training = True
            task = self.tasks[i].over(self.task.network, self.crew.padded)
            message = f"Member {i}: {report(found, self.epoch, task, self.feed.steps, offset)}"
            warnings.warn(message, LossWarning, stacklevel=2)
            self.callbacks.members[i].history.warnings.append(message)
        self.before = chunk

    def members_snapshot(self) -> dict[str, Any]:
        """What is each member's own, in its own shapes."""
        self.settle()
        totals = jax.device_get(self.fresh_totals() if self.totals is None else self.totals)
        held = []
        for i, model in enumerate(self.population):
            own = None if self.numbers is None else self.numbers[i]
            held.append(held_by(model, state_of(model, jax.tree.map(lambda leaf, i=i: leaf[i], totals)), own))
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
        self.seed: Any = self.crew.share(np.array(self.crew._fill(self.seeds), np.uint32))
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
            self.numbers = np.stack(self.crew._fill(numbers))
            self._vector = None

    def keep(self, state: TrainState) -> None:
        """Hold the state; members get theirs when somebody may look."""
        self._state, self._settled = state, False
        if self.callbacks.wants_train_batches:
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
            self._give(model, i, TrainState(params, frozen, slots, steps, None))
            seen, self._given[i] = self._given[i], [v.value for v in model.weights]
            for variable, held, known in zip(model.weights, before, seen, strict=True):
                if held is not known:
                    variable.hold(held)

    def _give(self, model: Model, member: int, state: TrainState) -> None:
        """A member its arrays, out of the widest net's shapes."""
        params, frozen = self.crew.narrow(member, state.params, state.frozen)
        slots = self.crew.narrow_slots(member, state.optimizer)
        take_over(model, TrainState(params, frozen, slots, state.step, state.totals))

    def finalize(self) -> None:
        """Members that have stopped had theirs then."""
        for model, runs in zip(self.population, self.callbacks.running, strict=True):
            if runs:
                finalize(model)

    def logs(self, results: Any) -> dict[str, Any]:
        """One list of numbers a name, a number a member."""
        return _by_member(self.watch, results, len(self.population))


class PopulationCallbacks:
    """Callbacks that judge one model, copied for each member; the others, once, for the population."""

    def __init__(self, population: Population, given: list[Any], asked: dict[str, Any]) -> None:
        own = [one for one in given if getattr(one, "per_member", False)]
        shared = [one for one in given if not getattr(one, "per_member", False)]
        self.population = population
        self.epochs = asked["epochs"]
        self.shared = CallbackList(shared, model=population, verbose=asked["verbose"], epochs=asked["epochs"])
        self.members = [
            CallbackList([_copy_for(i, one) for one in own], model=model, verbose=0, epochs=asked["epochs"])
            for i, model in enumerate(population)
        ]
        self.running = [True] * len(population)

    def set_steps(self, steps: int | None) -> None:
        """Say how many steps an epoch has."""
        for listed in (self.shared, *self.members):
            listed.set_params({**(listed.params or {}), "steps": steps})

    @property
    def needs(self) -> Any:
        """What any of them wants in the logs."""
        return self.shared.needs.union(*(member.needs for member in self.members))

    @property
    def history(self) -> History:
        """The population's record."""
        assert self.shared.history is not None
        return self.shared.history

    @property
    def wants_train_batches(self) -> bool:
        """Whether anyone must be called at every step."""
        return self.shared.wants_train_batches or any(member.wants_train_batches for member in self.members)

    wants_test_batches = False

    def next_stop(self, step: int) -> int | None:
        """The next step at which somebody must be called."""
        asked = [listed.next_stop(step) for listed in (self.shared, *self.members)]
        return min((stop for stop in asked if stop is not None), default=None)

    def on_train_begin(self, logs: Any = None) -> None:
        """All members start."""
        for model, member in zip(self.population, self.members, strict=True):
            model.stop_training = False
            model.history = member.history
            member.on_train_begin()
        self.shared.on_train_begin()

    def on_train_end(self, logs: Any = None) -> None:
        """Members that have not stopped end."""
        for i, member in enumerate(self.members):
            if self.running[i]:
                member.on_train_end(_one(logs, i))
        self.shared.on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Members that run, then the population."""
        for i, member in enumerate(self.members):
            if self.running[i]:
                member.on_epoch_begin(epoch)
        self.shared.on_epoch_begin(epoch)

    def on_epoch_end(self, epoch: int, logs: Any) -> None:
        """Each member judges its own numbers; one that stops restores what it wants at once."""
        for i, (model, member) in enumerate(zip(self.population, self.members, strict=True)):
            if self.running[i]:
                member.on_epoch_end(epoch, _one(logs, i))
                if model.stop_training:
                    finalize(model)
                    member.on_train_end(_one(logs, i))
                    self.running[i] = False
        self.shared.on_epoch_end(epoch, logs)
        if not any(self.running):
            self.population.stop_training = True

    def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
        """Members that run, then the population."""
        for i, member in enumerate(self.members):
            if self.running[i]:
                member.on_train_batch_begin(step)
        self.shared.on_train_batch_begin(step)

    def on_train_batch_end(self, step: int, logs: Any) -> None:
        """Members that run, then the population."""
        for i, member in enumerate(self.members):
            if self.running[i]:
                member.on_train_batch_end(step, _one(logs, i))
        self.shared.on_train_batch_end(step, logs)

    def on_progress(self, step: int, logs: Any) -> None:
        """Each member's own, and the population's, as means over the members."""
        for i, member in enumerate(self.members):
            if self.running[i]:
                member.on_progress(step, _one(logs, i))
        self.shared.on_progress(step, {name: float(np.mean(value)) for name, value in logs.items()})

    ends_on_nan = True  # of one member; the others go on

    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """The population's."""
        self.shared.on_safe_point(epoch, step, last)

    def get_state(self) -> dict[str, Any]:
        """Everybody's."""
        members = [member.get_state() for member in self.members]
        return {"shared": self.shared.get_state(), "members": members, "running": self.running}

    def set_state(self, state: Any) -> None:
        """Everybody's."""
        self.shared.set_state(state["shared"])
        for member, own in zip(self.members, state["members"], strict=True):
            member.set_state(own)
        self.running = list(state["running"])

    def record(self, before: Any, after: np.ndarray, paths: list[str], epoch: int, step: int) -> None:
        """Put what changed since the last chunk into the members' histories."""
        if before is None:
            return
        for i, k in zip(*np.nonzero(before != after), strict=True):
            if i < len(self.members):
                self.members[i].history.changed(epoch, step, paths[k], float(before[i, k]), float(after[i, k]))

    def __enter__(self) -> PopulationCallbacks:
        return self

    def __exit__(self, *error: Any) -> None:
        with ExitStack() as closing:
            for listed in (self.shared, *self.members):
                closing.callback(listed.close)


def shared_feed(crew: Crew, source: Any, asked: dict[str, Any], seed: int | None, first: Rows) -> Feed:
    """A feed of rows that all members read; those that stay on the devices are copied to each once."""
    feed = feed_of(source, asked["batch_size"], asked, seed, False, first)
    if isinstance(feed, ArrayFeed):
        feed.data = crew.share(feed.data, own=False)
    return feed


class PopulationFeed:
    """One set of rows, in an order for each member."""

    def __init__(self, crew: Crew, source: Any, asked: dict[str, Any], seeds: list[int | None], first: Rows) -> None:
        self.crew, self.seeds = crew, seeds
        self.inner = shared_feed(crew, source, asked, seeds[0], first)
        self.steps = self.inner.steps

    @property
    def rows(self) -> Any:
        """What all members read, where it is rows."""
        return getattr(self.inner, "rows", None)

    def place(self, step: int) -> dict[str, Any]:
        """As of the rows that all members read."""
        return self.inner.place(step)

    def look_at(self, place: Any) -> None:
        """Likewise."""
        self.inner.look_at(place)

    def go_to(self, epochs: int, place: Any) -> None:
        """Go on as after `epochs` epochs."""
        self.inner.go_to(epochs, place)

    def epoch(self, number: int, skip: int = 0) -> Generator[Slab, None, None]:
        """The slabs, with orders [members, steps, batch]."""
        if isinstance(self.inner, ArrayFeed):
            orders = [self.inner.order(number, seed) for seed in self.seeds]
            if skip < self.inner.steps:
                yield Slab(self.inner.data, stack(self.crew._fill(orders)), self.inner.steps, skip)
            return
        for slab in self.inner.epoch(number, skip):
            order = Order(*(np.broadcast_to(a, (self.crew.count, *a.shape)) for a in slab.order))
            yield Slab(self.crew.share(slab.data, own=False), order, slab.steps)


class PopulationEvaluator:
    """Evaluation of all members on one set of rows."""

    def __init__(self, population: Population, source: Any, first: Rows, asked: dict[str, Any]) -> None:
        use_host_devices()
        self.population = population
        models = population.models
        limits = {**_defaults(), **asked}
        limits["steps_per_epoch"] = limits["validation_steps"]
        limits["batch_size"] = limits["validation_batch_size"] or limits["batch_size"]
        self.tasks = [model.task().without_training() for model in models]
        self.crew = Crew(models, self.tasks[0], self.tasks)
        self.feed = shared_feed(self.crew, source, limits, None, first)
        assert self.crew.task.watch is not None
        self.watch = self.crew.task.watch

    def run(self, callbacks: Any = None, interrupts: Any = None) -> dict[str, Any]:
        """The logs: one list of numbers a name, a number a member."""
        crew = self.crew
        evaluate = program("evaluate", crew.task, crew.how)
        params, frozen = crew.gather([crew.widen(i, *model.arrays()) for i, model in enumerate(self.population)])
        vector = crew.share(crew.vectors(self.tasks).astype(config.floatx()))
        totals, results = crew.gather([self.watch.init()] * len(self.population)), None
        for slab in self.feed.epoch(0):
            done = 0
            rows, order = (crew.share(part, own=False) for part in (slab.data, slab.order))
            while done < slab.steps:
                stop = chunk_end(evaluate, done, slab.steps)
                arguments = (params, frozen, totals, vector, rows, order, crew.units)
                totals, results = run_chunk(evaluate, arguments, np.int32(done), np.int32(stop), stop - done)
                done = stop
                if interrupts is not None:
                    interrupts.check()
        return _by_member(self.watch, results, len(self.population))


def predict_population(population: Population, x: Any, batch_size: int | None) -> Any:
    """See ``Population.predict``."""
    use_host_devices()
    models = population.models
    rows = adapted(models[0], x, what="predict", batch_size=batch_size)
    first = rows if isinstance(rows, Rows) else data.peek(rows)
    for model in models:
        model.ready(first)
    looked_over(models[0], rows, "predict")
    tasks = [Task(network=model.network, dtype=model.task().dtype, masked=False) for model in models]
    crew = Crew(models, tasks[0], tasks)
    run = program("predict", crew.task, crew.how)
    params, frozen = crew.gather([crew.widen(i, *model.arrays()) for i, model in enumerate(models)])
    vector = crew.share(crew.vectors(tasks).astype(config.floatx()))
    parts = []
    feed = shared_feed(crew, rows, {**_defaults(), "batch_size": batch_size}, None, first)
    for slab in feed.epoch(0):
        inputs, order = (crew.share(part, own=False) for part in (slab.data, slab.order))
        outputs = jax.device_get(run(params, frozen, vector, inputs, order, crew.units, np.int32(slab.steps)))
        count = int(np.asarray(slab.order.rows[: slab.steps]).sum())
        parts.append([one[: len(models), :count] for one in outputs])
    return models[0].shaped([np.concatenate(pieces, axis=1) for pieces in zip(*parts, strict=True)])


def _copy_for(member: int, callback: Any) -> Any:
    own = copy.deepcopy(callback)
    own.member = member
    return own


def _first(source: Any) -> Rows:
    return source if isinstance(source, Rows) else data.peek(source)


def _by_member(watch: Any, results: Any, members: int) -> dict[str, Any]:
    host = [np.asarray(value)[:members] for value in jax.device_get(results)]
    return dict(zip(watch.names(), (value.tolist() for value in host), strict=True))


def _one(logs: Any, member: int) -> dict[str, Any]:
    return {name: values[member] for name, values in (logs or {}).items()}


def _defaults() -> dict[str, Any]:
    import inspect

    from thalweg.models._model import Model

    parameters = inspect.signature(Model.fit).parameters.values()
    return {p.name: p.default for p in parameters if p.name != "self"}


def _width(network: Network) -> int:
    return sum(getattr(layer, "units", 0) for layer in network.layers)


def _merged(networks: list[Network], widest: Network) -> Network:
    """A net as wide, layer by layer, as the widest member there."""
    counts = {len(network.layers) for network in networks}
    if len(counts) > 1:
        raise ValueError(f"Members must have the same layers, got nets of {sorted(counts)} layers.")
    units = [
        max((getattr(network.layers[i], "units", 0) or 0) for network in networks) for i in range(len(widest.layers))
    ]
    return widest.with_units(units)


def _stretched(network: Network, widest: Network) -> Network:
    return network.with_units([getattr(layer, "units", 0) or 0 for layer in widest.layers])


def _same(task: Task, other: Task, member: int) -> None:
    if task.structure == other.structure:
        return
    for mine, theirs in zip(task.network.layers, other.network.layers, strict=True):
        if mine.structure() != theirs.structure():
            raise ValueError(
                f"Member {member} differs from member 0 in more than widths and numbers: its layer {theirs.name!r} "
                f"({type(theirs).__name__}) is not of the structure of {mine.name!r} ({type(mine).__name__})."
            )
    raise ValueError(
        f"Member {member} differs from member 0 in its graph, optimizer, loss or metrics; a population shares them all, "
        "but for their numbers."
    )
