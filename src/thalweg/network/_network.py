"""The frozen graph of a net: its layers, who feeds whom, and where each weight lies.

A :class:`Network` holds no weights and does no training. ``forward`` is pure; equal ``structure()``
means that one compiled program serves both nets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from thalweg._tunable import below
from thalweg.layers._base import Layer, mask_rows
from thalweg.layers._context import Context, layer_key
from thalweg.layers._variable import Axis, Weight
from thalweg.network._skip import skippable

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


class Used(NamedTuple):
    """What one member of a population uses of the net that all of them share: data of the compiled program.

    An empty tuple stands for what all members use alike.
    """

    units: Arrays = ()  # per layer [units] 1.0 for a unit in use, or None: all
    present: Any = ()  # [layers] whether the member has the layer
    places: Any = ()  # uint32 [layers]: the layer's position in the member's own net, which keys random bits


class Awake(NamedTuple):
    """The same, followed through the graph: 1.0 for a real unit, 0.0 for padding, None where all are real."""

    units: Arrays  # per layer [units] or None
    tensors: Arrays  # per tensor of the graph [features] or None
    present: Any = ()
    places: Any = ()


class _Told(NamedTuple):
    """What all calls of a pass are told, as arrays."""

    h: Mapping[str, Any]
    frozen: Sequence[dict[str, Any]]  # by layer
    rows: Any
    seed: Any
    step: Any
    awake: Awake | None


class _Way(NamedTuple):
    """What decides the shape of a pass."""

    training: bool
    dtype: Any


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
        blocks: runs of nodes, each fed by the one before, that some members of a population lack; each gives back the
            shape that it is fed.

    """

    layers: tuple[Layer, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[Features, ...]
    outputs: tuple[int, ...]
    features: tuple[Features, ...]
    trainable: tuple[Place, ...]
    frozen: tuple[Place, ...]
    blocks: tuple[tuple[int, ...], ...] = ()

    def structure(self) -> tuple[Any, ...]:
        """Hashable; never names, never the numbers that are data."""
        return (
            tuple(layer.structure() for layer in self.layers),
            self.nodes,
            self.inputs,
            self.outputs,
            tuple((p.layer, p.weight.name, p.weight.shape) for p in self.trainable),
            tuple((p.layer, p.weight.name, p.weight.shape) for p in self.frozen),
            self.blocks,
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
        weights, held = self._by_layer(params, frozen, dtype)
        told = _Told(h, held, rows, seed, step, awake)
        way = _Way(training, dtype)
        tensors: list[Any] = [x if dtype is None else x.astype(dtype) for x in inputs]
        penalty: Any = 0.0
        for run in self._runs():
            call = self._skipped if run in self.blocks else self._run
            made, cost, updates = call(way, run, weights, tensors, told)
            tensors.extend(made)
            penalty = penalty + cost
            for layer, name in updates:  # a layer that is called again goes on from there
                held[layer][name] = updates[layer, name]
        outputs = tuple(tensors[i] for i in self.outputs)
        kept = tuple(held[p.layer][p.weight.name].astype(old.dtype) for p, old in zip(self.frozen, frozen, strict=True))
        return Forward(outputs, kept, penalty, tuple(tensors))

    def _runs(self) -> list[tuple[int, ...]]:
        """The nodes in their order, those of a block together."""
        within = {number: block for block in self.blocks for number in block}
        return list(dict.fromkeys(within.get(number, (number,)) for number in range(len(self.nodes))))

    def _run(self, way: _Way, run: tuple[int, ...], weights: Any, tensors: list[Any], told: _Told) -> Any:
        """Calls one after the other: their outputs, penalties, and weights that have moved."""
        known, penalty, updates = list(tensors), 0.0, {}
        for number in run:
            node = self.nodes[number]
            layer = self.layers[node.layer]
            ctx = self._context(way, node, told)
            own = {**weights[node.layer], **told.frozen[node.layer]}
            y = layer.apply(own, _pick(known, node.inputs, layer.merges), ctx)
            known.append(y if way.dtype is None else y.astype(way.dtype))  # hypers are wider than the arithmetic
            updates.update({(node.layer, name): value for name, value in ctx.updates.items()})
            for cost in (*ctx.penalties, *_activity_penalty(layer, y, ctx)):
                penalty = penalty + cost
        return known[len(tensors) :], penalty, updates

    def _context(self, way: _Way, node: Node, told: _Told) -> Context:
        awake = told.awake
        place = node.layer if awake is None or isinstance(awake.places, tuple) else awake.places[node.layer]
        return Context(
            way.training,
            below(told.h, str(node.layer)),
            told.rows,
            _pick(awake.tensors, node.inputs, self.layers[node.layer].merges) if awake else None,
            awake.units[node.layer] if awake else None,
            layer_key(told.seed, told.step, place, node.call) if way.training else 0,
        )

    def _skipped(self, way: _Way, block: tuple[int, ...], weights: Any, tensors: list[Any], told: _Told) -> Any:
        """The same for a block, of which a member that lacks it sees nothing; every call gives the block's output."""
        members = {self.nodes[number].layer for number in block}
        moving = [(p.layer, p.weight.name) for p in self.frozen if p.layer in members]
        before = len(self.inputs) + block[0]
        of_penalty = jnp.promote_types(tensors[-1].dtype, jnp.float32)

        def stretch(weights: Any, x: Any, told: _Told) -> Any:
            made, penalty, updates = self._run(way, block, weights, [*[None] * (before - 1), x], told)
            moved = [updates.get((i, name), told.frozen[i][name]) for i, name in moving]
            return (made[-1], jnp.asarray(penalty, of_penalty)), moved

        def passed_by(weights: Any, x: Any, told: _Told) -> Any:
            return (x, jnp.zeros((), of_penalty)), [told.frozen[i][name] for i, name in moving]

        assert told.awake is not None, "who has blocks says which of them are present"
        present = told.awake.present[self.nodes[block[0]].layer] > 0
        mine = [own if i in members else {} for i, own in enumerate(weights)]
        part = self._part(told, block, members)
        (y, penalty), moved = skippable(stretch, passed_by, present, mine, tensors[before - 1], part)
        return [y] * len(block), penalty, dict(zip(moving, moved, strict=True))

    def _part(self, told: _Told, block: tuple[int, ...], members: set[int]) -> _Told:
        """What the calls of a block need of it."""
        awake = told.awake
        assert awake is not None
        fed = {number for i in block for number in self.nodes[i].inputs}
        return told._replace(
            h={path: value for path, value in told.h.items() if int(path.partition("/")[0]) in members},
            frozen=[own if i in members else {} for i, own in enumerate(told.frozen)],
            awake=awake._replace(
                units=tuple(mask if i in members else None for i, mask in enumerate(awake.units)),
                tensors=tuple(mask if i in fed else None for i, mask in enumerate(awake.tensors)),
            ),
        )

    def penalty(self, params: Arrays, h: Mapping[str, Any], awake: Awake | None = None) -> Any:
        """The weights' penalties, summed: a scalar; of a padded net, `awake` says what is in use."""
        total: Any = 0.0
        for place, value in zip(self.trainable, params, strict=True):
            if place.weight.regularizer is not None:
                regularizer = getattr(self.layers[place.layer], place.weight.regularizer)
                if regularizer is not None:
                    if awake is not None and not getattr(regularizer, "rests_at_zero", False):
                        value = self._in_use(place, value, awake)
                    total = total + regularizer.apply(below(h, f"{place.layer}/{place.weight.regularizer}"), value)
        return total

    def _in_use(self, place: Place, value: Any, awake: Awake) -> Any:
        """A weight whose padding, zeros, is cut off from what flows back: the slope of |w| at 0 is 1."""
        first = next(node for node in self.nodes if node.layer == place.layer)
        if any(self.nodes[number].layer == place.layer for block in self.blocks for number in block):
            value = jnp.where(awake.present[place.layer], value, 0)
        fed = None if self.layers[place.layer].merges else awake.tensors[first.inputs[0]]
        for axis, grows in enumerate(place.weight.axes):
            along = mask_along(grows, fed, awake.units[place.layer])
            if along is not None:
                value = jnp.where(along.reshape([-1 if i == axis else 1 for i in range(value.ndim)]) > 0, value, 0)
        return value

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

    def _by_layer(
        self, params: Arrays, frozen: Arrays, dtype: Any
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The trained weights, and the others, of each layer by name."""
        trained: list[dict[str, Any]] = [{} for _ in self.layers]
        held: list[dict[str, Any]] = [{} for _ in self.layers]
        for place, value in zip(self.trainable, params, strict=True):
            trained[place.layer][place.weight.name] = value if dtype is None else value.astype(dtype)
        for place, value in zip(self.frozen, frozen, strict=True):
            held[place.layer][place.weight.name] = value
        return trained, held

    def awake(self, used: Used) -> Awake:
        """From what is in use of each layer to what is in use of every tensor."""
        none: Arrays = (None,) * len(self.layers)
        if not used.units:
            return Awake(none, (None,) * len(self.features), used.present, used.places)
        host = all(mask is None or isinstance(mask, np.ndarray) for mask in used.units)
        xp: Any = np if host else jnp
        tensors: list[Any] = [xp.ones(features, np.float32) for features in self.inputs]
        optional = {number for block in self.blocks for number in block}
        for number, (node, features) in enumerate(zip(self.nodes, self.features[len(self.inputs) :], strict=True)):
            layer = self.layers[node.layer]
            own = used.units[node.layer]
            own = xp.ones(layer.units, np.float32) if own is None and hasattr(layer, "units") else own
            fed = _pick(tensors, node.inputs, layer.merges)
            mask = xp.broadcast_to(layer.output_awake(fed, own), features)
            tensors.append(xp.where(used.present[node.layer], mask, fed) if number in optional else mask)
        return Awake(used.units, tuple(tensors), used.present, used.places)


def chain_of(layers: Sequence[Layer], features: Features) -> Network:
    """A net in which each layer is fed by the one before; it holds nobody's weights."""
    fresh = tuple(layer.blueprint() for layer in layers)
    nodes = tuple(Node(i, (i,), 0) for i in range(len(fresh)))
    bare = Network(fresh, nodes, (features,), (len(fresh),), (), (), ())
    made = bare.with_units([getattr(layer, "units", 0) or 0 for layer in fresh])
    places = [Place(i, v.declared) for i, layer in enumerate(made.layers) for v in layer.variables]
    free = [p.weight.trainable and fresh[p.layer].trainable for p in places]
    return replace(
        made,
        trainable=tuple(p for p, trained in zip(places, free, strict=True) if trained),
        frozen=tuple(p for p, trained in zip(places, free, strict=True) if not trained),
    )


def mask_along(grows: Axis, fed: Any, units: Any) -> Any:
    """What is in use along an axis of a weight: [size] 1.0 or 0.0, or None where all is.

    Args:
        grows: how the axis grows (see :class:`Weight`).
        fed: what is in use of the layer's input, [features], or None.
        units: what is in use of the layer's own units, or None.

    """
    what, times = grows if isinstance(grows, tuple) else (grows, 1)
    mask = {"in": fed, "out": units, None: None}[what]
    if mask is None:
        return None
    along = mask.reshape(-1, mask.shape[-1])[0]
    return along if times == 1 else along.repeat(times)


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
    return math.prod(map(int, shape))
