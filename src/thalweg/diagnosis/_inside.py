"""A look inside a net: what its units give for some rows, and what the loss asks of each layer's weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from thalweg import activations, config, layers
from thalweg.data import Rows
from thalweg.diagnosis._finding import Finding
from thalweg.diagnosis._measured import some_of
from thalweg.engine import Data, Task, program

ROWS = 512
"""That are looked at."""
_DEAD = 0.9  # share of a layer's units from which on its death is the reason of whatever is wrong
_SATURATED = 0.9  # share of a layer's outputs that lie where the slope is nearly 0
_FLAT = 0.02  # of an activation's range: nearer to its end the slope is nearly 0
_VANISHED = 1e-3  # gradient of the first layer over that of the last
_EXPLODED = 1e3
_LARGE, _SMALL = 20.0, 0.01  # size of inputs that first weights are not made for
_APART = 100.0  # size of the largest column over that of the middle one


class Inside(NamedTuple):
    """What some rows do in a net.

    Attributes:
        names: of the layers that give `outputs`.
        outputs: one array [rows, ...] a call of a layer.
        fed: what the first layer with a kernel is fed, [rows, columns].
        gradients: size of a kernel's gradient, the root mean square over its numbers, a layer.
        hidden: names of layers whose outputs are not the net's.
        kinds: name of the activation that a layer's outputs come from; '' for none.
        slopes: the gradients of what a layer learns, weight by weight, a layer.

    """

    names: list[str]
    outputs: list[np.ndarray]
    fed: np.ndarray | None
    gradients: dict[str, float]
    hidden: set[str]
    kinds: dict[str, str]
    slopes: dict[str, list[np.ndarray]]


def look_inside(model: Any, rows: Rows, count: int = ROWS) -> Inside:
    """What some rows do in the net, with dropout off.

    Args:
        model: compiled, with weights.
        rows: of which some are looked at, drawn at random.
        count: how many at most.

    """
    rows = some_of(rows, count)
    whole = model.task(masked=False)
    task = Task(network=whole.network, objective=whole.objective, dtype=whole.dtype, masked=False)
    floats = config.floatx()
    x = tuple(np.asarray(one, floats) for one in rows.x)
    y = tuple(np.asarray(one, floats if one.dtype.kind == "f" else np.int32) for one in rows.y)
    arguments = (*model.arrays(), task.hypers().astype(floats), Data(x, y, ()))
    tensors, given = jax.device_get(program("inspect", task)(*arguments))
    network = task.network
    first = len(network.inputs)
    names = [network.layers[node.layer].name for node in network.nodes]
    gradients = {
        network.layers[place.layer].name: float(np.sqrt(np.mean(np.square(slope, dtype=np.float64))))
        for place, slope in zip(network.trainable, given, strict=True)
        if place.weight.name == "kernel"
    }
    slopes: dict[str, list[np.ndarray]] = {}
    for place, slope in zip(network.trainable, given, strict=True):
        slopes.setdefault(network.layers[place.layer].name, []).append(np.asarray(slope))
    outputs = {network.nodes[number - first].layer for number in network.outputs}
    return Inside(
        names,
        [np.asarray(one, np.float32) for one in tensors[first:]],
        _fed(network, tensors, gradients),
        gradients,
        {layer.name for i, layer in enumerate(network.layers) if i not in outputs},
        {layer.name: _activation_of(layer) for layer in network.layers},
        slopes,
    )


def _fed(network: Any, tensors: Any, gradients: dict[str, float]) -> np.ndarray | None:
    for node in network.nodes:
        if network.layers[node.layer].name in gradients:
            fed = np.asarray(tensors[node.inputs[0]], np.float32)
            return fed.reshape(-1, fed.shape[-1])
    return None


def _activation_of(layer: Any) -> str:
    if isinstance(layer, layers.ReLU):
        return "relu" if not getattr(layer, "negative_slope", 0.0) else ""
    function = getattr(layer, "activation", None)
    return next((name for name, one in _KNOWN.items() if function is one), "")


_KNOWN = {"relu": activations.relu, "sigmoid": activations.sigmoid, "tanh": activations.tanh}
_ENDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""Activation -> the values at which it is flat."""


def dead_units(inside: Inside, bad: bool) -> Finding | None:
    """Units with ReLU that give 0 for every row: no gradient reaches their weights any more."""
    worst, share, units = "", 0.0, 0
    for name, given in _of_kind(inside, "relu"):
        silent = (given.reshape(-1, given.shape[-1]) <= 0).all(axis=0)
        if silent.mean() > share:
            worst, share, units = name, float(silent.mean()), silent.size
    if share < (_DEAD if not bad else _DEAD / 2):
        return None
    return Finding(
        "dead units",
        f"{round(share * units):,} of {units:,} units of {worst} give 0 for every one of {len(inside.outputs[0]):,} training rows",
        "a lower learning rate, a bias that begins at 0, scaled inputs; 'leaky_relu' or 'elu', which cannot die",
        {"layer": worst, "share": share, "units": units},
    )


def saturated_units(inside: Inside, bad: bool) -> Finding | None:
    """Units with sigmoid or tanh that lie at the ends of their range, where the slope is nearly 0."""
    worst, share = "", 0.0
    for kind, (low, high) in _ENDS.items():
        for name, given in _of_kind(inside, kind):
            edge = _FLAT * (high - low)
            ends = float(((given < low + edge) | (given > high - edge)).mean())
            if ends > share:
                worst, share = name, ends
    if not bad or share < _SATURATED:
        return None
    return Finding(
        "saturated units",
        f"{share:.0%} of the outputs of {worst} lie at the ends of {inside.kinds[worst]}, where its slope is nearly 0",
        "scale the inputs to mean 0 and deviation 1, begin with smaller weights, a lower learning rate; or 'relu'",
        {"layer": worst, "share": share},
    )


def gradients_by_layer(inside: Inside, bad: bool) -> Finding | None:
    """Gradients that vanish, or explode, on their way back to the first layer."""
    sizes = [size for size in inside.gradients.values() if np.isfinite(size)]
    if not bad or len(sizes) < 3 or not sizes[-1] > 0:
        return None
    names, ratio = list(inside.gradients), sizes[0] / sizes[-1]
    detail = {"first": sizes[0], "last": sizes[-1], "by layer": dict(inside.gradients)}
    if ratio < _VANISHED:
        return Finding(
            "vanishing gradients",
            f"the gradient of {names[0]} is {ratio:.1g} of that of {names[-1]}: the first layers hardly learn",
            "'relu' with initializer 'he_normal' in place of sigmoid or tanh, BatchNormalization, fewer layers, shortcuts (Add)",
            detail,
        )
    if ratio > _EXPLODED or max(sizes) > _EXPLODED:
        return Finding(
            "exploding gradients",
            f"the gradient of {names[0]} is {sizes[0]:.2g}, that of {names[-1]} {sizes[-1]:.2g}",
            "scale inputs and targets, optimizer with clipnorm=1.0, BatchNormalization, smaller first weights",
            detail,
        )
    return None


def unscaled_inputs(inside: Inside, names: tuple[str, ...] = ()) -> Finding | None:
    """Inputs far larger or smaller than 1, or of scales far apart, at the first layer with a kernel."""
    if inside.fed is None:
        return None
    sizes = np.sqrt(np.mean(np.square(inside.fed, dtype=np.float64), axis=0))
    moving = sizes[inside.fed.std(axis=0) > 0]
    if not moving.size:
        return None
    place, largest, middle = int(sizes.argmax()), float(moving.max()), float(np.median(moving))
    if _SMALL < largest < _LARGE and (largest < 2 or largest < _APART * middle):
        return None
    where = names[place] if len(names) == len(sizes) else f"column {place}"
    return Finding(
        "unscaled inputs",
        f"the first layer is fed numbers of size {largest:.3g} ({where}; the middle column {middle:.3g}), while its first "
        "weights are made for numbers about 1",
        "scale the inputs: pixels / 255, or (x - mean) / deviation of the training rows",
        {"largest": largest, "middle": middle, "column": where},
    )


def unscaled_targets(model: Any, targets: np.ndarray, bad: bool) -> Finding | None:
    """Numbers to predict that are far larger or smaller than what a fresh net gives, whose last layer is one of units."""
    if not bad or not getattr(model.layers[-1], "units", 0):
        return None
    each = np.asarray(targets, np.float64).reshape(len(targets), -1)
    sizes = np.sqrt(np.mean(np.square(each), axis=0))
    place = int(np.abs(np.log(np.maximum(sizes, 1e-300))).argmax())
    if _SMALL < sizes[place] < _LARGE:
        return None
    mean, deviation = float(each[:, place].mean()), float(each[:, place].std()) or 1.0
    return Finding(
        "unscaled targets",
        f"the numbers to predict have mean {mean:.3g} and deviation {deviation:.3g}, while a fresh net gives numbers about 1: "
        "most of the training is spent on getting there",
        f"learn (y - mean) / deviation; or end the net with layers.Rescaling({deviation:.3g}, {mean:.3g}) and compile it with "
        f"loss_weights={deviation**-2:.2g}",
        {"mean": mean, "deviation": deviation},
    )


def _of_kind(inside: Inside, kind: str) -> list[tuple[str, np.ndarray]]:
    """Names and outputs of hidden layers with an activation."""
    pairs = zip(inside.names, inside.outputs, strict=True)
    return [(name, given) for name, given in pairs if name in inside.hidden and inside.kinds[name] == kind]


CHECKS = (dead_units, saturated_units, gradients_by_layer)
"""Each gives a finding or None, from what is seen inside, and whether the net fits its training rows badly."""
