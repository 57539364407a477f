"""What is compiled: the loss of a net along a plane of weights, its slope, its curvature, and slopes on the plane.

Each is a mean over batches of rows, so that memory is bounded by a batch's. Weights, directions, rows, hypers and bounds
are arguments: nets of one structure share a program, whatever their weights are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from thalweg.engine import Task, TrainState
from thalweg.engine._step import passed, real_rows, take
from thalweg.network import size_of


def losses_on_plane(task: Task, penalties: bool, decided: Any) -> Callable[..., Any]:
    """The loss, and the share of rows that are wrong, at points ``weights + a first + b second``."""

    def run(weights: Any, first: Any, second: Any, a: Any, b: Any, points: Any, vector: Any, rows: Any) -> Any:
        h = task.unpack(vector)

        def at(k: Any, found: Any) -> Any:
            trained, frozen = _apart(task, weights + a[k] * first + b[k] * second)

            def each(batch: Any, answers: Any, real: Any) -> Any:
                loss, outputs = _loss(task, penalties, trained, frozen, h, batch, real)
                return loss, _wrong(decided, outputs[0], answers, real)

            return tuple(room.at[k].set(one) for room, one in zip(found, _mean(task, each, rows), strict=True))

        return lax.fori_loop(0, points, at, (jnp.zeros_like(a), jnp.zeros_like(a)))

    return run


def slope(task: Task, penalties: bool) -> Callable[..., Any]:
    """The loss and its gradient, a vector of the trained weights."""

    def run(weights: Any, vector: Any, rows: Any) -> Any:
        h = task.unpack(vector)
        trained, frozen = _apart(task, weights)

        def each(batch: Any, answers: Any, real: Any) -> Any:
            loss, slopes = jax.value_and_grad(lambda w: _loss(task, penalties, w, frozen, h, batch, real)[0])(trained)
            return loss, _together(slopes)

        return _mean(task, each, rows)

    return run


def products(task: Task, penalties: bool) -> Callable[..., Any]:
    """The Hessian times some vectors, [vectors, trained weights]: forward over reverse, all in one pass over the rows."""

    def run(weights: Any, vectors: Any, vector: Any, rows: Any) -> Any:
        h = task.unpack(vector)
        trained, frozen = _apart(task, weights)

        def each(batch: Any, answers: Any, real: Any) -> Any:
            gradient = jax.grad(lambda w: _loss(task, penalties, w, frozen, h, batch, real)[0])

            def product(direction: Any) -> Any:
                return _together(jax.jvp(gradient, (trained,), (_apart(task, direction)[0],))[1])

            return jax.vmap(product)(vectors)

        return _mean(task, each, rows)

    return run


def plane_slope(task: Task, penalties: bool) -> Callable[..., Any]:
    """A function of a point (a, b) on the plane and of where the plane lies: the loss there, and its slope."""

    def at(point: Any, weights: Any, plane: Any, vector: Any, rows: Any) -> Any:
        h = task.unpack(vector)

        def each(batch: Any, answers: Any, real: Any) -> Any:
            def loss(point: Any) -> Any:
                trained, frozen = _apart(task, weights + point @ plane)
                return _loss(task, penalties, trained, frozen, h, batch, real)[0]

            return jax.value_and_grad(loss)(point)

        return _mean(task, each, rows)

    return at


def _loss(task: Task, penalties: bool, trained: Any, frozen: Any, h: Any, batch: Any, real: Any) -> Any:
    """Of a batch, with the net as it is used, and its outputs."""
    state = TrainState(trained, frozen, None, 0, None)
    found = passed(task, trained, state, h, batch, real, training=False)
    whole = found.loss if penalties else task.objective.total(h["loss"], found.costs)  # type: ignore[union-attr]
    return whole, found.outputs


def _mean(task: Task, each: Callable[..., Any], rows: Any) -> Any:
    """The mean over the batches, which weigh as many rows as they have."""
    data, answers, order, steps = rows
    total = order.rows.sum()

    def of_batch(i: Any) -> Any:
        index, count = order.index[i], order.rows[i]
        found = each(take(data, index), answers[index], real_rows(task, index, count))
        return jax.tree.map(lambda one: one * (count / total).astype(one.dtype), found)

    def step(i: Any, sums: Any) -> Any:
        return jax.tree.map(jnp.add, sums, of_batch(i))

    like = jax.eval_shape(of_batch, 0)
    return lax.fori_loop(0, steps, step, jax.tree.map(lambda one: jnp.zeros(one.shape, one.dtype), like))


def _wrong(decided: Any, outputs: Any, answers: Any, real: Any) -> Any:
    """The share of a batch's rows, or of their labels, that are wrong; 0 where nothing is decided."""
    if decided is None:
        return jnp.zeros((), outputs.dtype)
    if decided == "class":
        wrong = jnp.argmax(outputs, axis=-1) != answers
    else:
        wrong = (outputs.reshape(answers.shape) > decided) != (answers > 0)
    each = wrong.reshape(wrong.shape[0], -1).mean(axis=1, dtype=outputs.dtype)
    return each.mean() if real is None else (each * real).sum() / real.sum()


def _apart(task: Task, flat: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """A vector as trained weights and, where it is long enough, the others."""
    found, at = [], 0
    for place in (*task.network.trainable, *task.network.frozen):
        shape, size = place.weight.shape, size_of(place.weight.shape)
        if at + size > flat.shape[0]:
            break
        found.append(flat[at : at + size].reshape(shape))
        at += size
    trained = len(task.network.trainable)
    return tuple(found[:trained]), tuple(found[trained:])


def _together(arrays: Any) -> Any:
    return jnp.concatenate([one.reshape(-1) for one in arrays])
