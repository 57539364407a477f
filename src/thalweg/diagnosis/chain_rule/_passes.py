"""Compiled passes through a net in float64, one program a structure: forward, and the errors on the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.data import DataError
from thalweg.diagnosis._measured import rows_of
from thalweg.diagnosis.chain_rule._rules import chain_rule, has_rules
from thalweg.diagnosis.chain_rule._walk import by_layer, context, fed, halves, losses_of, walk
from thalweg.engine import Task, program_of
from thalweg.models._compile import require_compiled
from thalweg.models._fit import looked_over

CHAIN_RULE, AUTODIFF = "chain rule", "automatic differentiation"
_ROOM = 1 << 28  # numbers that both passes may take: 2 GB


class Passes(NamedTuple):
    """Both ways through a net, for some rows.

    Attributes:
        losses: [rows].
        tensors: the inputs, then the activation of each call of a layer.
        sums: z of each call.
        errors: dL/dz of each call, L the loss of the row.
        slopes: dL/d(tensor), in the order of `tensors`.

    """

    losses: np.ndarray
    tensors: list[np.ndarray]
    sums: list[np.ndarray]
    errors: list[np.ndarray]
    slopes: list[np.ndarray]


class Ground(NamedTuple):
    """What is passed through: a net, its numbers, some rows.

    Attributes:
        task: the net and its loss.
        params, frozen: its weights.
        x, y: per input and per output [rows, ...].

    """

    task: Task
    params: tuple[np.ndarray, ...]
    frozen: tuple[np.ndarray, ...]
    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray, ...]


def ground_of(model: Any, x: Any, y: Any, who: str) -> Ground:
    """A model and rows that fit it, in float64.

    Args:
        model: compiled; it is built and drawn where it is not.
        x, y: as in ``fit``.
        who: asks, for messages.

    Raises:
        DataError: on rows that do not fit the net, or are no finite numbers.
        ValueError: where the model is not compiled with a loss.

    """
    require_compiled(model, who)
    rows = rows_of(model, (x, y), who)
    if not rows.y:
        raise DataError(f"{who} needs targets, which say what the loss is: {who}(model, x, y).")
    model.ready(rows)
    looked_over(model, rows, who)
    whole = model.task(masked=False)
    params, frozen = (tuple(np.array(one, np.float64) for one in arrays) for arrays in model.arrays())
    return Ground(
        Task(whole.network, whole.objective, masked=False).blueprint(),
        params,
        frozen,
        tuple(np.asarray(one, np.float64) for one in rows.x),
        tuple(np.asarray(one, np.float64 if one.dtype.kind == "f" else np.int32) for one in rows.y),
    )


def passes(ground: Ground, by: str | None) -> tuple[str, Passes]:
    """Go forward and back.

    Args:
        ground: through what.
        by: ``'chain rule'``, ``'automatic differentiation'``, or None: the first where it is written out for the net.

    Returns:
        By which of them, and what was found.

    Raises:
        ValueError: where the chain rule is asked for and not written out, or the passes would take too much memory.

    """
    _fits(ground)
    known = has_rules(ground.task.network)
    if by not in (None, CHAIN_RULE, AUTODIFF):
        raise ValueError(f"by must be {CHAIN_RULE!r}, {AUTODIFF!r} or None, got backprop(by={by!r}).")
    if by == CHAIN_RULE and not known:
        raise ValueError(
            "The chain rule is written out for chains of Dense, activations, Flatten, Reshape, Dropout and normalizing "
            f"layers alone: this net has others. Ask for by={AUTODIFF!r}, or leave by out."
        )
    by = by or (CHAIN_RULE if known else AUTODIFF)
    return by, _run(by, ground, ground.x, ground.y)


def _fits(ground: Ground) -> None:
    """Raise where what is kept of each layer, four arrays, is more than is sensible."""
    each = 4 * sum(int(np.prod(features)) for features in ground.task.network.features)
    rows = len(ground.x[0])
    if rows * each > _ROOM:
        raise ValueError(
            f"{rows:,} rows with {each:,} numbers each, forward and back, are too many to hold. Look at "
            f"{max(1, _ROOM // each):,} rows at most."
        )


def slopes_of_rows(ground: Ground, found: Passes, calls: tuple[int, ...]) -> list[dict[str, np.ndarray]]:
    """Each row's own gradient of the weights of some calls, by name: [rows, ...] each."""
    network = ground.task.network
    inputs = [fed(network, network.nodes[i], found.tensors) for i in calls]
    return _run("slopes of rows", ground, inputs, [found.errors[i] for i in calls], calls)


# -- what is compiled -----------------------------------------------------------------------------


def _chain(task: Task, calls: Any) -> Callable[..., Any]:
    def run(params: Any, frozen: Any, vector: Any, x: Any, y: Any) -> Passes:
        weights, h = by_layer(task.network, params, frozen), task.unpack(vector)
        walked = walk(task.network, weights, h, x)
        inputs, errors, slopes = chain_rule(task, weights, h, y, walked)
        losses = losses_of(task, h, y, walked.outputs(task.network))
        return Passes(losses, walked.tensors, walked.sums, errors, [*inputs, *slopes])

    return run


def _autodiff(task: Task, calls: Any) -> Callable[..., Any]:
    def run(params: Any, frozen: Any, vector: Any, x: Any, y: Any) -> Passes:
        network, h = task.network, task.unpack(vector)
        weights = by_layer(network, params, frozen)
        plain = walk(network, weights, h, x)
        still = [
            (jnp.zeros_like(z), jnp.zeros_like(a)) for z, a in zip(plain.sums, plain.tensors[len(x) :], strict=True)
        ]

        def total(x: Any, nudges: Any) -> Any:
            return losses_of(task, h, y, walk(network, weights, h, x, nudges).outputs(network)).sum()

        inputs, nudged = jax.grad(total, argnums=(0, 1))(x, still)
        losses = losses_of(task, h, y, plain.outputs(network))
        errors, slopes = [z for z, _ in nudged], [a for _, a in nudged]
        return Passes(losses, plain.tensors, plain.sums, errors, [*inputs, *slopes])

    return run


def _of_rows(task: Task, calls: Sequence[int]) -> Callable[..., Any]:
    def run(params: Any, frozen: Any, vector: Any, inputs: Any, errors: Any) -> Any:
        network, h = task.network, task.unpack(vector)
        weights = by_layer(network, params, frozen)

        def of_one(number: int, x: Any, error: Any) -> Any:
            node = network.nodes[number]
            before = halves(network.layers[node.layer]).sums
            x, error = jax.tree.map(lambda one: one[None], (x, error))
            return jax.vjp(lambda w: before(w, x, context(h, node)), weights[node.layer])[1](error)[0]

        return [
            jax.vmap(lambda x, error, number=number: of_one(number, x, error))(x, error)
            for number, x, error in zip(calls, inputs, errors, strict=True)
        ]

    return run


_MAKERS = {CHAIN_RULE: _chain, AUTODIFF: _autodiff, "slopes of rows": _of_rows}


def _run(kind: str, ground: Ground, x: Any, y: Any, calls: tuple[int, ...] = ()) -> Any:
    run = program_of(_MAKERS[kind], ground.task, calls, key=(ground.task.structure, calls))
    with jax.enable_x64(True):
        return jax.device_get(run(ground.params, ground.frozen, ground.task.hypers(), tuple(x), tuple(y)))
