"""A net's way forward, layer by layer, each cut between its sums and its activation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg import activations, layers
from thalweg._tunable import below
from thalweg.engine import Task
from thalweg.layers import Context, Layer
from thalweg.layers._dense import activate
from thalweg.network import Network, Node

SHAPING = (layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Softmax)
"""Layers that are nothing but an activation: their sums are what they are fed."""


class Halves(NamedTuple):
    """A layer's call, cut in two.

    Attributes:
        sums: (weights, input, context) -> z.
        shaped: (z, context) -> the activation; what is returned is z where a layer has none.

    """

    sums: Callable[..., Any]
    shaped: Callable[..., Any]


class Walked(NamedTuple):
    """What a walk passes.

    Attributes:
        tensors: the net's inputs, then the activation of each call of a layer, in the graph's numbering.
        sums: z of each call.

    """

    tensors: list[Any]
    sums: list[Any]

    def outputs(self, network: Network) -> tuple[Any, ...]:
        """What the net gives."""
        return tuple(self.tensors[i] for i in network.outputs)


def is_own(layer: Layer) -> bool:
    """Whether it is one of thalweg's own, whose ways are known."""
    return type(layer) in layers.TABLE.values()


def halves(layer: Layer) -> Halves:
    """A layer's sums and its activation; of a layer that is not known all is sums."""
    if is_own(layer) and hasattr(layer, "activation"):  # thalweg's own apply it last
        bare: Any = copy.copy(layer)
        bare.activation = activations.linear
        return Halves(bare.apply, lambda z, ctx: activate(layer.activation, z, None, below(ctx.h, "activation")))
    if type(layer) in SHAPING:
        return Halves(lambda w, x, ctx: x, lambda z, ctx: layer.apply({}, z, ctx))
    return Halves(layer.apply, lambda z, ctx: z)


def context(h: Mapping[str, Any], node: Node) -> Context:
    """What a layer is told when the net is used: dropout off, moving averages in force."""
    return Context(False, below(h["net"], str(node.layer)))


def fed(network: Network, node: Node, tensors: Sequence[Any]) -> Any:
    """The input of a call."""
    found = [tensors[i] for i in node.inputs]
    return found if network.layers[node.layer].merges else found[0]


def walk(network: Network, weights: Any, h: Mapping[str, Any], inputs: Sequence[Any], nudges: Any = None) -> Walked:
    """Go forward.

    Args:
        network: the graph.
        weights: by layer and name.
        h: hypers as ``Task.unpack`` gives them.
        inputs: per input [rows, ...].
        nudges: per call a pair that is added to z and to the activation, or None; what the loss does when they are
            nudged is what backpropagation finds.

    """
    tensors, sums = list(inputs), []
    for number, node in enumerate(network.nodes):
        before, after = halves(network.layers[node.layer])
        ctx = context(h, node)
        z = before(weights[node.layer], fed(network, node, tensors), ctx)
        z = z if nudges is None else z + nudges[number][0]
        a = after(z, ctx)
        sums.append(z)
        tensors.append(a if nudges is None else a + nudges[number][1])
    return Walked(tensors, sums)


def by_layer(network: Network, params: Sequence[Any], frozen: Sequence[Any]) -> list[dict[str, Any]]:
    """Each layer's weights by name."""
    found: list[dict[str, Any]] = [{} for _ in network.layers]
    places = (*network.trainable, *network.frozen)
    for place, value in zip(places, (*params, *frozen), strict=True):
        found[place.layer][place.weight.name] = value
    return found


def losses_of(task: Task, h: Mapping[str, Any], y: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """[rows] the loss of each row as if it were alone, without penalties."""

    def of_one(y: Any, outputs: Any) -> Any:
        y, outputs = jax.tree.map(lambda one: one[None], (y, outputs))
        costs = task.objective.per_output(h["loss"], y, outputs, (), None)  # type: ignore[union-attr]
        return jnp.asarray(task.objective.total(h["loss"], costs))  # type: ignore[union-attr]

    return jax.vmap(of_one)(tuple(y), tuple(outputs))
