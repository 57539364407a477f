"""What two nets must have in common to be trained by one program, and in what they may differ.

Numbers are data anyway. Beyond them a population's members may differ in the widths of their layers, in the functions
of their activations, in the schedule of their learning rate, in their optimizer, and, where a net is a chain, in
layers that they have or lack. All that is left is a member's *kind*.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from thalweg import layers
from thalweg.network import Network, Node
from thalweg.optimizers import TABLE as OPTIMIZERS
from thalweg.optimizers import AnyOptimizer, Optimizer, schedules

Kind = Hashable


def kind_of(network: Network, number: int) -> Kind:
    """Equal for layers that can stand in one another's place: what is left without widths and activations."""
    layer = network.layers[number]
    trained = tuple(
        (place.weight.name, places is network.trainable)
        for places in (network.trainable, network.frozen)
        for place in places
        if place.layer == number
    )
    bare = layer
    if not layer._added:  # a layer in Keras's style is taken as it is: its weights' shapes are its own
        bare = layer.blueprint()
        if hasattr(bare, "units"):
            bare.units = 1  # type: ignore[attr-defined]
        if can_be_chosen(getattr(bare, "activation", None)):
            bare.activation = layers.ELEMENTWISE[0]  # type: ignore[attr-defined]
    return bare.structure(), trained


def can_be_chosen(function: Any) -> bool:
    """Whether an activation is one of those that can stand for one another."""
    return any(function is one for one in layers.ELEMENTWISE)


# -- chains -----------------------------------------------------------------------------------


class Stretch(NamedTuple):
    """A piece of a chain: layers that another net may lack, and the layer after them, which every net must have."""

    between: tuple[int, ...]
    anchor: int


def is_chain(network: Network) -> bool:
    """Whether each layer is called once, on the output of the one before."""
    nodes = tuple(Node(i, (i,), 0) for i in range(len(network.layers)))
    return network.nodes == nodes and len(network.inputs) == 1 and network.outputs == (len(nodes),)


def stretches(network: Network) -> list[Stretch]:
    """A chain cut behind each of its anchors.

    Anchors are the last layer, whatever is not thalweg's own, whatever changes the shape of its input, and the first
    layer with units after a shape that is fixed: the others can be passed by, as soon as their widths are made those
    of what feeds them.
    """
    found: list[Stretch] = []
    between: list[int] = []
    free = False  # whether the width of what comes next is that of a layer with units
    for number, layer in enumerate(network.layers):
        sized = bool(getattr(layer, "units", 0)) and _is_own(layer)
        if number < len(network.layers) - 1 and (free if sized else _keeps_shape(network, number)):
            between.append(number)
            continue
        found.append(Stretch(tuple(between), number))
        between, free = [], sized
    return found


def _is_own(layer: Any) -> bool:
    return bool(getattr(layer, "pads", type(layer) in layers.TABLE.values()))


def _keeps_shape(network: Network, number: int) -> bool:
    """Whether a layer gives back the shape it is fed, whatever its last axis is."""
    layer, features = network.layers[number], network.features[number]
    if not _is_own(layer) or layer.merges:
        return False
    for fed in (features, (*features[:-1], features[-1] + 1)):
        try:
            if tuple(layer.output_features(fed)) != tuple(fed):
                return False
        except (ValueError, TypeError):
            return False
    return True


def skeleton_of(network: Network) -> Kind:
    """Equal for nets that can be merged, but for widths, kinds and depth."""
    if not is_chain(network):
        kinds = tuple(kind_of(network, i) for i in range(len(network.layers)))
        return (kinds, network.nodes, network.inputs, network.outputs)
    return (tuple(kind_of(network, one.anchor) for one in stretches(network)), network.inputs)


# -- optimizers -------------------------------------------------------------------------------


def is_own_schedule(rate: Any) -> bool:
    """Whether a learning rate is a plain number or one of thalweg's schedules."""
    known = (*schedules.TABLE.values(), schedules.AnySchedule)
    return not isinstance(rate, schedules.LearningRateSchedule) or type(rate) in known


def is_own_optimizer(optimizer: Optimizer) -> bool:
    """Whether an optimizer is thalweg's own, which can be one of several."""
    return type(optimizer) in (*OPTIMIZERS.values(), AnyOptimizer) and is_own_schedule(optimizer._learning_rate)


def habits_of(optimizer: Optimizer | None) -> Kind:
    """Equal for optimizers that can be alternatives to each other."""
    if optimizer is None:
        return None
    if not is_own_optimizer(optimizer):
        return optimizer.structure()
    return (optimizer.use_ema, optimizer.ema_overwrite_frequency, optimizer.gradient_accumulation_steps)
