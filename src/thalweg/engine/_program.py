"""Compiled programs, one per structure, kept for the whole process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from thalweg.engine._compiler import options as compiler_options
from thalweg.engine._disk import use_disk_cache
from thalweg.engine._state import Data, Order, TrainState
from thalweg.engine._step import evaluate_step, inspect_step, predict_step, train_step
from thalweg.engine._task import Task

Made = tuple[Callable[..., Any], dict[str, Any]]
"""A function, and what the compiler is told of it."""
_MOST = 128  # programs kept; a user who makes a new loss function every time must not fill the memory


class Program:
    """A compiled function and what is known of its speed.

    Args:
        function: to be compiled.
        options: of the compiler.

    Attributes:
        seconds_per_step: of the last chunk that was not the first, or None.
        traces: how often it was traced; a structure that is compiled once has 1 per shape of data.

    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any] | None = None) -> None:
        self.seconds_per_step: float | None = None
        self.traces = 0

        def counted(*arguments: Any) -> Any:
            self.traces += 1
            return function(*arguments)

        self._run = jax.jit(counted, compiler_options=options)

    def __call__(self, *arguments: Any) -> Any:
        return self._run(*arguments)

    def clear(self) -> None:
        """Let go of the compiled code."""
        self._run.clear_cache()  # type: ignore[attr-defined]


_programs: OrderedDict[Any, Program] = OrderedDict()
_lock = threading.RLock()  # nets may be looked at by one thread while another trains


def program(kind: str, task: Task, members: tuple[str, int] | None = None) -> Program:
    """The program for `task`, made on first use.

    Args:
        kind: ``'train'``, ``'evaluate'``, ``'predict'``, ``'inspect'``, or, of a population whose members are evaluated on
            rows of their own, ``'evaluate each'``.
        members: None for one net; for a population, how its members run (see ``_population``).

    """

    def made() -> Made:
        function = _MAKERS[kind](task.blueprint())
        if members is None:
            return function, {}
        from thalweg.engine._population import options_for, spread

        return spread(function, kind, members), options_for(members)

    return _kept((kind, task.structure, members), made)


def program_of(make: Callable[..., Callable[..., Any]], *how: Any, key: Any) -> Program:
    """The program of a function that is none of the engine's own, made on first use.

    Args:
        make: gives the function that is compiled, ``make(*how)``.
        how: what decides the function; nothing in it may hold a model's weights.
        key: hashable; equal keys of one `make` share a program.

    """
    return _kept((make, key), lambda: (make(*how), {}))


def _kept(key: Any, made: Callable[[], Made]) -> Program:
    with _lock:
        if key not in _programs:
            use_disk_cache()
            function, more = made()
            _programs[key] = Program(function, {**compiler_options(), **more})
            if len(_programs) > _MOST:
                _programs.popitem(last=False)[1].clear()
        _programs.move_to_end(key)
        return _programs[key]


def compiled() -> list[Program]:
    """Every program the process holds, the longest unused first."""
    with _lock:
        return list(_programs.values())


def _train(task: Task) -> Callable[..., Any]:
    def epoch(
        state: TrainState, vector: Any, seed: Any, data: Data, order: Order, units: Any, start: Any, stop: Any
    ) -> tuple[TrainState, Any]:
        """Steps start..stop of an epoch; the bounds are data, so a chunk may be of any size."""
        h = task.unpack(vector)
        awake = task.network.awake(units) if task.shared else None

        def step(i: Any, carried: TrainState) -> TrainState:
            return train_step(task, carried, h, seed, data, order.index[i], order.rows[i], awake)

        after = lax.fori_loop(start, stop, step, state)
        return after, task.watch.results(after.totals)  # type: ignore[union-attr]

    return epoch


def _evaluate(task: Task) -> Callable[..., Any]:
    def sums(
        params: Any, frozen: Any, totals: Any, vector: Any, data: Data, order: Order, units: Any, start: Any, stop: Any
    ) -> Any:
        h = task.unpack(vector)
        awake, params = task.network.awake(units) if task.shared else None, task.apart(params)

        def step(i: Any, carried: Any) -> Any:
            return evaluate_step(task, params, frozen, carried, h, data, order.index[i], order.rows[i], awake)

        after = lax.fori_loop(start, stop, step, totals)
        return after, task.watch.results(after)  # type: ignore[union-attr]

    return sums


def _predict(task: Task) -> Callable[..., Any]:
    def outputs(params: Any, frozen: Any, vector: Any, data: Data, order: Order, units: Any, stop: Any) -> Any:
        h = task.unpack(vector)
        awake, params = task.network.awake(units) if task.shared else None, task.apart(params)
        like = jax.eval_shape(lambda: predict_step(task, params, frozen, h, data, order.index[0], awake))
        room = tuple(jnp.zeros((order.index.shape[0], *one.shape), one.dtype) for one in like)

        def step(i: Any, written: Any) -> Any:
            batch = predict_step(task, params, frozen, h, data, order.index[i], awake)
            return tuple(all_.at[i].set(one) for all_, one in zip(written, batch, strict=True))

        written = lax.fori_loop(0, stop, step, room)
        return tuple(one.reshape(-1, *one.shape[2:]) for one in written)

    return outputs


def _inspect(task: Task) -> Callable[..., Any]:
    def inside(params: Any, frozen: Any, vector: Any, data: Data) -> tuple[Any, Any]:
        return inspect_step(task, params, frozen, task.unpack(vector), data)

    return inside


_MAKERS = {
    "train": _train,
    "evaluate": _evaluate,
    "evaluate each": _evaluate,
    "predict": _predict,
    "inspect": _inspect,
}
