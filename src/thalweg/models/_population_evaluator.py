"""Evaluating and predicting with all members of a population."""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from thalweg import config, data
from thalweg.data import Rows
from thalweg.engine import ArrayFeed, Program, Task, chunk_end, program, run_chunk, use_host_devices
from thalweg.models._crew import Crew
from thalweg.models._fit import adapted, looked_over
from thalweg.models._population_feed import PopulationFeed, shared_feed
from thalweg.models._portions import Numbers

if TYPE_CHECKING:
    from thalweg.models._population import Population


class PopulationEvaluator:
    """Evaluation of all members on one set of rows, or of each on rows of its own among them.

    Args:
        population: whose members.
        source: rows or a stream.
        first: the first rows of it.
        asked: arguments of ``fit`` that concern validation.
        rows: per member the numbers of its rows; None where all are evaluated on all.
        placed: the rows on the devices, where they are there already.
        crew: of a fit, whose program has the weights on the devices already.
        held: gives that program's weights as they are now.

    """

    def __init__(
        self,
        population: Population,
        source: Any,
        first: Rows,
        asked: dict[str, Any],
        rows: list[Numbers] | None = None,
        placed: Any = None,
        crew: Crew | None = None,
        held: Callable[[], tuple[Any, Any]] | None = None,
    ) -> None:
        use_host_devices()
        self.population = population
        models = population.models
        limits = {**defaults(), **asked}
        limits["steps_per_epoch"] = limits["validation_steps"]
        limits["batch_size"] = limits["validation_batch_size"] or limits["batch_size"]
        self.crew = crew or Crew([model.task().without_training() for model in models])
        watch = self.crew.task.watch
        assert watch is not None
        self.watch = watch.without_gradient()
        self.task = self.crew.task.watching(self.watch)
        self._held = held or self._gathered
        self.own = rows is not None
        self.feed = PopulationFeed(self.crew, source, limits, [None] * len(models), first, rows, placed)

    def warm_up(self) -> None:
        """Compile in the background, while the training program is compiled: no step is run."""
        run = self._program()
        if not isinstance(self.feed.inner, ArrayFeed) or run.traces:
            return
        with contextlib.suppress(Exception):  # whatever it is, the evaluation itself will say so
            nobody = self.feed.bound(0, [False] * len(self.population))
            given = (*self._start(), *self._read(next(iter(self._slabs()))), self.crew.units, nobody, nobody)
            told = (run, given, config.dtype_policy())
            self._warming = threading.Thread(target=_quietly, args=told, daemon=True, name="thalweg-compile")
            self._warming.start()

    _warming: threading.Thread | None = None

    def _program(self) -> Program:
        return program("evaluate each" if self.own else "evaluate", self.task, self.crew.how)

    def _slabs(self) -> Any:
        return self.feed.epoch(0) if self.own else self.feed.inner.epoch(0)

    def _start(self) -> tuple[Any, ...]:
        """Weights, sums of nothing and hypers."""
        crew = self.crew
        return *self._held(), crew.gather([self.watch.init()] * len(self.population)), crew.vectors(crew.numbers())

    def _gathered(self) -> tuple[Any, Any]:
        return self.crew.weights([model.arrays() for model in self.population])

    def _read(self, slab: Any) -> tuple[Any, Any]:
        return self.crew.share(slab.data, own=False), self.crew.share(slab.order, own=self.own)

    def run(self, callbacks: Any = None, interrupts: Any = None) -> dict[str, Any]:
        """The logs: one list of numbers a name, a number a member.

        Args:
            callbacks: of a fit, whose members that have stopped are left out: they keep the numbers they had.
            interrupts: what says whether to break off.

        """
        members = len(self.population)
        running = [True] * members if callbacks is None else list(callbacks.running)
        if callbacks is not None:
            callbacks.on_test_begin()  # which may exchange weights
        logs = by_member(self.watch, self._results(running, callbacks, interrupts), members)
        if callbacks is not None:
            for name, values in logs.items():
                for i in (i for i, runs in enumerate(running) if not runs):
                    values[i] = callbacks.last(i, f"val_{name}")
            callbacks.on_test_end(logs)
        return logs

    def _results(self, running: list[bool], callbacks: Any, interrupts: Any) -> Any:
        if self._warming is not None:
            self._warming.join()
        evaluate, feed = self._program(), self.feed
        params, frozen, totals, vector = self._start()
        results, seen = None, 0
        hooks = callbacks if callbacks is not None and callbacks.wants_test_batches else None
        for slab in self._slabs():
            done = slab.start
            rows, order = self._read(slab)
            while done < slab.steps:
                if hooks:
                    hooks.on_test_batch_begin(seen, feed.steps_of)
                stop = chunk_end(evaluate, done, slab.steps, done + 1 if hooks else None)
                arguments = (params, frozen, totals, vector, rows, order, self.crew.units)
                bounds = feed.bound(done, running), feed.bound(stop, running)
                totals, results = run_chunk(evaluate, arguments, *bounds, stop - done)
                seen, done = seen + stop - done, stop
                if hooks:
                    logs = by_member(self.watch, results, len(self.population))
                    hooks.on_test_batch_end(seen - 1, feed.steps_of, logs)
                if interrupts is not None:
                    interrupts.check()
        if results is None:
            raise data.DataError("There is nothing to evaluate on: the data gave no batch.")
        return results


def _quietly(run: Program, given: tuple[Any, ...], policy: str) -> None:
    with contextlib.suppress(Exception), config.precision(policy):  # which is each thread's own
        run(*given)


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
    crew = Crew(tasks)
    run = program("predict", crew.task, crew.how)
    params, frozen = crew.weights([model.arrays() for model in models])
    vector = crew.vectors(crew.numbers())
    parts = []
    feed = shared_feed(crew, rows, {**defaults(), "batch_size": batch_size}, None, first)
    for slab in feed.epoch(0):
        inputs, order = (crew.share(part, own=False) for part in (slab.data, slab.order))
        outputs = jax.device_get(run(params, frozen, vector, inputs, order, crew.units, np.int32(slab.steps)))
        count = int(np.asarray(slab.order.rows[: slab.steps]).sum())
        parts.append([one[: len(models), :count] for one in outputs])
    return models[0].shaped([np.concatenate(pieces, axis=1) for pieces in zip(*parts, strict=True)])


def first_rows(source: Any) -> Rows:
    """The first rows of a source."""
    return source if isinstance(source, Rows) else data.peek(source)


def by_member(watch: Any, results: Any, members: int) -> dict[str, Any]:
    """Results as lists, a number a member."""
    host = [np.asarray(value)[:members] for value in jax.device_get(results)]
    return dict(zip(watch.names(), (value.tolist() for value in host), strict=True))


def defaults() -> dict[str, Any]:
    """The arguments of ``Model.fit`` that nobody gave."""
    from thalweg.models._model import Model

    parameters = inspect.signature(Model.fit).parameters.values()
    return {p.name: p.default for p in parameters if p.name != "self"}
