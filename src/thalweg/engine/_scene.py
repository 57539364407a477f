"""One step of one net laid out to be looked at: its batch, its numbers, and what its parts give, one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.engine._mixed import Member
from thalweg.engine._state import Data, TrainState
from thalweg.engine._step import Passed, passed, real_rows, take
from thalweg.engine._task import Task
from thalweg.network import Awake, Forward, Network, Node, Place


class Scene(NamedTuple):
    """A step, with everything that flows into it as arrays of one device and no axis of members."""

    task: Task
    state: TrainState
    h: dict[str, dict[str, Any]]  # hypers as the task unpacks them
    seed: Any
    numbers: np.ndarray  # [batch]: which rows of the data
    batch: Data
    rows: Any  # [batch] 1.0 for real rows, or None
    awake: Awake | None

    @property
    def network(self) -> Network:
        """The graph."""
        return self.task.network

    def layer(self, number: int) -> Any:
        """The layer that makes tensor `number`."""
        return self.network.layers[self.node(number).layer]

    def node(self, number: int) -> Node:
        """The call that makes tensor `number`."""
        return self.network.nodes[number - len(self.network.inputs)]

    def path(self, place: Place) -> str:
        """A weight's name, with its layer's."""
        return f"{self.network.layers[place.layer].name}/{place.weight.name}"

    def forward(self, network: Network, params: Any, inputs: Any) -> Forward:
        """A pass through `network`, this step's graph or a part of it."""
        return network.forward(
            params,
            self.state.frozen,
            self.h["net"],
            inputs,
            training=True,
            rows=self.rows,
            seed=self.seed,
            step=self.state.step,
            awake=self.awake,
            dtype=self.task.dtype,
        )

    def alone(self, number: int, params: Any, tensors: Any, network: Network | None = None) -> tuple[Any, Any]:
        """Tensor `number` and its call's penalties, from the tensors before it.

        Those are all taken as inputs, so that every tensor keeps its number.
        """
        part = replace(network or self.network, nodes=(self.node(number),), outputs=(number,))
        forward = self.forward(part, params, tuple(tensors[:number]))
        return forward.outputs[0], self.task.cast(jnp.asarray(forward.penalty))

    def costs(self, outputs: Any) -> list[Any]:
        """One scalar per trained output."""
        batch, objective = self.batch, self.task.objective
        return objective.per_output(self.h["loss"], batch.y, outputs, batch.weight, self.rows)  # type: ignore[union-attr]

    def total(self, costs: list[Any]) -> Any:
        """Their weighted sum."""
        return self.task.objective.total(self.h["loss"], costs)  # type: ignore[union-attr]

    def passed(self, params: Any) -> Passed:
        """The forward half."""
        return passed(
            self.task,
            params,
            self.state,
            self.h,
            self.batch,
            self.rows,
            training=True,
            seed=self.seed,
            awake=self.awake,
        )

    def gradients(self) -> Any:
        """Of the whole loss, one a trained weight."""
        return jax.grad(lambda params: self.passed(params).loss)(self.state.params)

    def rate(self) -> float | None:
        """The learning rate of this step, where the optimizer knows it."""
        optimizer, slots = self.task.optimizer, self.state.optimizer
        if optimizer is None or not any(name.startswith("learning_rate") for name in self.h["optimizer"]):
            return None
        return float(optimizer.rate(self.h["optimizer"], slots.iterations))


def scene(
    task: Task, arguments: tuple[Any, ...], state: TrainState, step: int, number: int | None, member: Member | None
) -> Scene:
    """Step `step` of a chunk from `state` on.

    Args:
        task: what the program was made for.
        arguments: of the chunk's program, without the bounds.
        state: as the program has it.
        number: which one of a population's, or None for one net.
        member: its share of what the population trains: what is laid out is the member's own net, without padding.

    """
    _, vector, seed, data, order, units = arguments
    if number is not None:
        vector, seed, order, units = of_member((vector, seed, order, units), number)
    if member is not None:
        task, state, vector = member.task, member.own(state), np.asarray(vector)[member.index]
    state, seed, units = jax.tree.map(jnp.asarray, (state, seed, units))
    index = np.asarray(order.index)[step]
    count = np.asarray(order.rows)[step]
    batch = jax.tree.map(lambda rows: jnp.asarray(np.asarray(rows)), take(jax.tree.map(jnp.asarray, data), index))
    h = task.unpack([jnp.asarray(value) for value in np.asarray(vector)])
    awake = task.network.awake(units) if task.shared else None
    return Scene(task, state, h, seed, index, batch, real_rows(task, index, count), awake)


def of_member(tree: Any, member: int) -> Any:
    """One member's arrays, on the host: they may be spread over many devices."""
    return jax.tree.map(lambda leaf: np.asarray(leaf[member]), tree)


def finite(tree: Any) -> bool:
    """Whether every number is finite."""
    return all(bool(good(leaf).all()) for leaf in jax.tree.leaves(tree))


def good(array: Any) -> np.ndarray:
    """Which numbers are finite; integers all are."""
    values = np.asarray(array)
    return np.isfinite(values) if jnp.issubdtype(values.dtype, jnp.floating) else np.ones(values.shape, bool)


def largest(tree: Any) -> float:
    """The largest size among the finite numbers, 0 where there are none."""
    sizes = [np.abs(np.asarray(leaf)[good(leaf)].astype(np.float64)) for leaf in jax.tree.leaves(tree)]
    return max((float(size.max()) for size in sizes if size.size), default=0.0)


def tally(array: Any) -> dict[str, Any]:
    """How many numbers there are, how many are none, and the largest of the others."""
    values = np.asarray(array).astype(np.float64)
    nan, inf = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    return {"values": values.size, "nan": nan, "inf": inf, "largest": largest(values)}


def moved(before: Any, after: Any) -> float:
    """How far a step took the weights: the largest change over the largest size, of the weight where that is most."""
    shares = [0.0]
    with np.errstate(over="ignore", invalid="ignore"):  # they may stand at the end of the range
        for old, new in zip(before, after, strict=True):
            size = largest(old)
            if size:
                change = np.asarray(new).astype(np.float64) - np.asarray(old).astype(np.float64)
                shares.append(largest(change) / size)
    return max(shares)
