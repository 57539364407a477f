"""The frozen graph of a net: its layers, who feeds whom, and where each weight lies.

A :class:`Network` holds no weights and does no training. ``forward`` is pure; equal ``structure()``
means that one compiled program serves both nets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from thalweg._tunable import below
from thalweg.layers._base import Layer, mask_rows
from thalweg.layers._context import Context, layer_key
from thalweg.layers._variable import Weight

Features = tuple[int, ...]
Arrays = tuple[Any, ...]


class Node(NamedTuple):
    """One call of a layer: tensors are numbered inputs first, then one per node."""

    layer: int
    inputs: tuple[int, ...]
    call: int  # how often the layer was called before: a shared layer draws new bits on each call


class Place(NamedTuple):
    """Where a weight lies: which layer, and its declaration there."""

    layer: int
    weight: Weight


class Forward(NamedTuple):
    """What one pass through the net gives."""

    outputs: Arrays  # per output [batch, ...]
    frozen: Arrays  # untrained weights, moving averages brought up to date
    penalty: Any  # scalar: activity penalties, already divided by the rows of the batch
    tensors: Arrays  # every tensor of the graph, in the graph's numbering


class Awake(NamedTuple):
    """Which units are in use in a padded net: 1.0 for a real unit, 0.0 for padding."""

    units: Arrays  # per layer [units] or None
    tensors: Arrays  # per tensor of the graph [features] or None


@dataclass(frozen=True, eq=False)
class Network:
    """Layers and the graph between them.

    Attributes:
        layers: descriptions, in the order that keys seeds.
        nodes: calls of layers, in an order in which inputs come before their users.
        inputs: features of each input.
        outputs: numbers of the tensors that are the outputs.
        features: features of every tensor.
        trainable, frozen: where the weights lie that training changes, and the others.

    """

    layers: tuple[Layer, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[Features, ...]
    outputs: tuple[int, ...]
    features: tuple[Features, ...]
    trainable: tuple[Place, ...]
    frozen: tuple[Place, ...]

    def structure(self) -> tuple[Any, ...]:
        """Hashable; never names, never the numbers that are data."""
        return (
            tuple(layer.structure() for layer in self.layers),
            self.nodes,
            self.inputs,
            self.outputs,
            tuple((p.layer, p.weight.name, p.weight.shape) for p in self.trainable),
            tuple((p.layer, p.weight.name, p.weight.shape) for p in self.frozen),
        )

    def blueprint(self) -> Network:
        """The same net without a hold on anybody's weights."""
        return replace(self, layers=tuple(layer.blueprint() for layer in self.layers))

    def with_units(self, units: Sequence[int]) -> Network:
        """The same graph with other widths, 0 for layers that have none; it holds nobody's weights."""
        layers = tuple(_resized(layer, count) for layer, count in zip(self.layers, units, strict=True))
        features: list[Features] = list(self.inputs)
        for node in self.nodes:
            layer = layers[node.layer]
            fed = tuple(features[i] for i in node.inputs) if layer.merges else features[node.inputs[0]]
            layer.variables_for(fed)
            features.append(tuple(layer.output_features(fed)))

        def moved(places: tuple[Place, ...]) -> tuple[Place, ...]:
            declared = [{v.name: v.declared for v in layer.variables} for layer in layers]
            return tuple(Place(p.layer, declared[p.layer][p.weight.name]) for p in places)

        return replace(
            self,
            layers=layers,
            features=tuple(features),
            trainable=moved(self.trainable),
            frozen=moved(self.frozen),
        )

    def hypers(self) -> dict[str, float]:
        """Every layer's hypers, as ``'<position>/<local name>'``."""
        return {f"{i}/{local}": value for i, layer in enumerate(self.layers) for local, value in layer.hypers().items()}

    def forward(
        self,
        params: Arrays,
        frozen: Arrays,
        h: Mapping[str, Any],
        inputs: Arrays,
        *,
        training: bool,
        rows: Any = None,
        seed: Any = 0,
        step: Any = 0,
        awake: Awake | None = None,
        dtype: Any = None,
    ) -> Forward:
        """One pass.

        Args:
            params: trained weights, laid out as ``trainable``.
            frozen: the others, laid out as ``frozen``.
            h: hypers as :meth:`hypers` names them, numbers or traced.
            inputs: per input [batch, ...features].
            training: structure; decides dropout, batch statistics and the like.
            rows: [batch] 1.0 for real rows, or None where all are real.
            seed, step: what the random bits of this pass are keyed by.
            awake: for padded nets.
            dtype: of the arithmetic, where it is not that of the weights.

        """
        weights = self._by_layer(params, frozen, dtype)
        moved = {(p.layer, p.weight.name): value for p, value in zip(self.frozen, frozen, strict=True)}
        tensors: list[Any] = [x if dtype is None else x.astype(dtype) for x in inputs]
        penalty: Any = 0.0
        for node in self.nodes:
            layer = self.layers[node.layer]
            ctx = Context(
                training,
                below(h, str(node.layer)),
                rows,
                _pick(awake.tensors, node.inputs, layer.merges) if awake else None,
                awake.units[node.layer] if awake else None,
                layer_key(seed, step, node.layer, node.call) if training else 0,
            )
            y = layer.apply(weights[node.layer], _pick(tensors, node.inputs, layer.merges), ctx)
            tensors.append(y if dtype is None else y.astype(dtype))  # hypers are wider than the arithmetic
            moved.update({(node.layer, name): value for name, value in ctx.updates.items()})
            weights[node.layer].update(ctx.updates)  # a layer that is called again goes on from there
            for cost in (*ctx.penalties, *_activity_penalty(layer, y, ctx)):
                penalty = penalty + cost
        outputs = tuple(tensors[i] for i in self.outputs)
        kept = tuple(
            moved[p.layer, p.weight.name].astype(old.dtype) for p, old in zip(self.frozen, frozen, strict=True)
        )
        return Forward(outputs, kept, penalty, tuple(tensors))

    def penalty(self, params: Arrays, h: Mapping[str, Any]) -> Any:
        """The weights' penalties, summed: a scalar."""
        total: Any = 0.0
        for place, value in zip(self.trainable, params, strict=True):
            if place.weight.regularizer is not None:
                regularizer = getattr(self.layers[place.layer], place.weight.regularizer)
                if regularizer is not None:
                    total = total + regularizer.apply(below(h, f"{place.layer}/{place.weight.regularizer}"), value)
        return total

    def constraints(self, h: Mapping[str, Any]) -> tuple[Any, ...]:
        """Per trained weight, a function to apply after an update, or None."""
        return tuple(self._constraint(place, h) for place in self.trainable)

    def _constraint(self, place: Place, h: Mapping[str, Any]) -> Any:
        name = place.weight.constraint
        constraint = getattr(self.layers[place.layer], name) if name else None
        if constraint is None:
            return None
        numbers = below(h, f"{place.layer}/{name}")
        return lambda w: constraint.apply(numbers, w)

    def _by_layer(self, params: Arrays, frozen: Arrays, dtype: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{} for _ in self.layers]
        for places, values in ((self.trainable, params), (self.frozen, frozen)):
            for place, value in zip(places, values, strict=True):
                cast = dtype is not None and places is self.trainable
                found[place.layer][place.weight.name] = value.astype(dtype) if cast else value
        return found

    def awake(self, units: Arrays) -> Awake:
        """From the units in use of each layer (None: all) to those of every tensor."""
        tensors: list[Any] = [jnp.ones(features) for features in self.inputs]
        for node, features in zip(self.nodes, self.features[len(self.inputs) :], strict=True):
            layer = self.layers[node.layer]
            own = units[node.layer]
            own = jnp.ones(layer.units) if own is None and hasattr(layer, "units") else own
            mask = layer.output_awake(_pick(tensors, node.inputs, layer.merges), own)
            tensors.append(jnp.broadcast_to(mask, features))
        return Awake(units, tuple(tensors))


def _resized(layer: Layer, units: int) -> Layer:
    other = layer.blueprint()
    if units:
        other.units = units  # type: ignore[attr-defined]
    return other


def _pick(tensors: Sequence[Any], numbers: tuple[int, ...], many: bool) -> Any:
    return [tensors[i] for i in numbers] if many else tensors[numbers[0]]


def _activity_penalty(layer: Layer, y: Any, ctx: Context) -> tuple[Any, ...]:
    """The penalty on a layer's output, over the number of real rows."""
    if layer.activity_regularizer is None:
        return ()
    count = y.shape[0] if ctx.rows is None else jnp.maximum(ctx.rows.sum(), 1)
    cost = layer.activity_regularizer.apply(below(ctx.h, "activity_regularizer"), mask_rows(y, ctx.rows))
    return (cost / count,)


def size_of(shape: Sequence[int]) -> int:
    """How many numbers an array of `shape` holds."""
    return int(np.prod(shape, dtype=np.int64))
