"""One step: rows in, the next state out. Pure, for one member."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg.engine._state import Data, TrainState
from thalweg.engine._task import Task
from thalweg.network import Awake, Forward


class Passed(NamedTuple):
    """What the forward half of a step gives, in pieces."""

    forward: Forward
    outputs: tuple[Any, ...]  # in the losses' precision
    costs: list[Any]  # one scalar per trained output
    loss: Any  # the whole: costs and penalties


def passed(
    task: Task,
    params: Any,
    state: TrainState,
    h: Any,
    batch: Data,
    rows: Any,
    *,
    training: bool,
    seed: Any = 0,
    awake: Awake | None = None,
) -> Passed:
    """The forward half of a step, with `params` in the place of the state's."""
    forward = task.network.forward(
        params,
        state.frozen,
        h["net"],
        batch.x,
        training=training,
        rows=rows,
        seed=seed,
        step=state.step,
        awake=awake,
        dtype=task.dtype,
    )
    outputs = tuple(task.cast(y) for y in forward.outputs)
    costs = task.objective.per_output(h["loss"], batch.y, outputs, batch.weight, rows)  # type: ignore[union-attr]
    loss = task.objective.total(h["loss"], costs)  # type: ignore[union-attr]
    loss = loss + task.cast(jnp.asarray(forward.penalty)) + task.network.penalty(params, h["net"], awake)
    return Passed(forward, outputs, costs, loss)


def train_step(
    task: Task, state: TrainState, h: Any, seed: Any, data: Data, index: Any, count: Any, awake: Awake | None
) -> TrainState:
    """Forward, backward, update.

    Args:
        h: hypers as ``task.unpack`` gives them.
        seed: uint32, keys the random bits together with the step.
        index: int32 [batch], which rows.
        count: int32, how many of them are real.

    """
    batch = take(data, index)
    rows = real_rows(task, index, count)

    def loss_of(params: Any) -> tuple[Any, Passed]:
        found = passed(task, params, state, h, batch, rows, training=True, seed=seed, awake=awake)
        return found.loss, found

    (loss, found), slopes = jax.value_and_grad(loss_of, has_aux=True)(task.apart(state.params))
    optimizer, gradients = task.optimizer, task.together(slopes)
    params, slots = optimizer.apply(  # type: ignore[union-attr]
        h["optimizer"], state.optimizer, state.params, gradients, task.constraints(h["net"]), task.decays
    )
    watch = task.watch
    losses = _followed(watch, loss, found.costs)
    if watch.gradient_norm:  # type: ignore[union-attr]
        losses.append(jnp.sqrt(sum(jnp.sum(g.astype(jnp.float32) ** 2) for g in gradients)))
    totals = watch.update(state.totals, losses, batch.y, found.outputs, batch.weight, rows, count)  # type: ignore[union-attr]
    return TrainState(params, found.forward.frozen, slots, state.step + jnp.uint32(1), totals)


def evaluate_step(
    task: Task, params: Any, frozen: Any, totals: Any, h: Any, data: Data, index: Any, count: Any, awake: Awake | None
) -> Any:
    """Add one batch to the sums, with the net as it is used (dropout off)."""
    batch = take(data, index)
    rows = real_rows(task, index, count)
    found = passed(task, params, TrainState(params, frozen, None, 0, None), h, batch, rows, training=False, awake=awake)
    losses = _followed(task.watch, found.loss, found.costs)
    return task.watch.update(totals, losses, batch.y, found.outputs, batch.weight, rows, count)  # type: ignore[union-attr]


def predict_step(task: Task, params: Any, frozen: Any, h: Any, data: Data, index: Any, awake: Awake | None) -> Any:
    """The outputs for one batch."""
    batch = take(data, index)
    forward = task.network.forward(params, frozen, h["net"], batch.x, training=False, awake=awake, dtype=task.dtype)
    return tuple(task.cast(y) for y in forward.outputs)


def inspect_step(task: Task, params: Any, frozen: Any, h: Any, batch: Data) -> tuple[Any, Any]:
    """Every tensor of the graph for a batch, and the gradient of the loss, with the net as it is used."""

    def loss_of(params: Any) -> tuple[Any, Any]:
        found = passed(task, params, TrainState(params, frozen, None, 0, None), h, batch, None, training=False)
        return found.loss, found.forward.tensors

    slopes, tensors = jax.grad(loss_of, has_aux=True)(params)
    return tensors, slopes


def _followed(watch: Any, loss: Any, costs: list[Any]) -> list[Any]:
    """The whole loss, and each output's where there are several."""
    return [loss, *costs] if len(watch.losses) - watch.gradient_norm > 1 else [loss]


def take(data: Data, index: Any) -> Data:
    """The rows that `index` names; it never points outside."""
    return jax.tree.map(lambda array: array.at[index].get(mode="promise_in_bounds"), data)


def real_rows(task: Task, index: Any, count: Any) -> Any:
    """[batch] 1.0 for real rows; None where every batch is full."""
    if not task.masked:
        return None
    return (jnp.arange(index.shape[0], dtype=jnp.int32) < count).astype(jnp.float32)
