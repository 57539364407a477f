"""The chain rule, written out: how an error goes back through an activation and through a layer's sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from thalweg import activations, layers, losses
from thalweg.diagnosis.chain_rule._walk import SHAPING, Walked, context, fed, halves, losses_of
from thalweg.engine import Task
from thalweg.engine._kinds import can_be_chosen, is_chain
from thalweg.layers import AnyActivation, Layer
from thalweg.losses._base import EPSILON, aligned, class_numbers
from thalweg.network import Network

_PASSED_ON = (
    *SHAPING,
    layers.Activation,
    layers.ActivityRegularization,
    layers.Dropout,
    layers.GaussianNoise,
    layers.Identity,
    layers.RandomContrast,
    layers.RandomFlip,
    layers.RandomRotation,
    layers.RandomTranslation,
    layers.RandomZoom,
    layers.SpatialDropout2D,
)
"""Layers whose sums are what they are fed, in a net as it is used."""
_ONE_BY_ONE = (layers.BatchNormalization, layers.Normalization, layers.PReLU, layers.Rescaling)
"""Layers whose every sum is a function of one number that they are fed."""
_MOVED = (layers.Flatten, layers.Reshape)


def has_rules(network: Network) -> bool:
    """Whether the chain rule is written out for a net: a chain of layers that are all known."""
    return is_chain(network) and all(_is_known(layer) for layer in network.layers)


def _is_known(layer: Layer) -> bool:
    known = (layers.Dense, *_PASSED_ON, *_ONE_BY_ONE, *_MOVED)
    function = getattr(layer, "activation", activations.linear)
    return type(layer) in known and (
        can_be_chosen(function) or isinstance(function, AnyActivation) or any(function is one for one in _ACROSS)
    )


def chain_rule(
    task: Task, weights: Any, h: Mapping[str, Any], y: Any, walked: Walked
) -> tuple[list[Any], list[Any], list[Any]]:
    """Errors of a chain, from the loss back to the inputs.

    ``dL/dz = dL/da * f'(z)``; ``dL/dx = dL/dz @ kernel.T``.

    Args:
        task: a net that has rules.
        weights: by layer and name.
        h: hypers as ``Task.unpack`` gives them.
        y: targets.
        walked: the way forward.

    Returns:
        dL/d(input), one a net's input; dL/dz and dL/da of each call of a layer.

    """
    network, (tensors, sums) = task.network, walked
    outputs = walked.outputs(network)
    slope = jax.grad(lambda outputs: losses_of(task, h, y, outputs).sum())(outputs)[0]
    errors, slopes = [], []
    for number in reversed(range(len(network.nodes))):
        node = network.nodes[number]
        layer, ctx = network.layers[node.layer], context(h, node)
        slopes.append(slope)
        error = _of_the_loss(task, h, y[0], tensors[-1]) if number == len(network.nodes) - 1 else None
        if error is None:
            error = _through_activation(layer, sums[number], tensors[number + 1], slope, ctx)
        errors.append(error)
        slope = _through_sums(layer, weights[node.layer], fed(network, node, tensors), error, ctx)
    return [slope], errors[::-1], slopes[::-1]


# -- through an activation ----------------------------------------------------------------------


def _softmax(a: Any, slope: Any, axis: Any = -1) -> Any:
    """Its Jacobian is ``diag(a) - a a^T``."""
    return a * (slope - jnp.sum(slope * a, axis, keepdims=True))


def _log_softmax(a: Any, slope: Any) -> Any:
    return slope - jnp.exp(a) * jnp.sum(slope, -1, keepdims=True)


_ACROSS: dict[Any, Callable[..., Any]] = {activations.softmax: _softmax, activations.log_softmax: _log_softmax}
"""Activations of which each value hangs on all sums of a row."""
_SLOPES: dict[Any, Callable[..., Any]] = {
    activations.linear: lambda z, a: jnp.ones_like(z),
    activations.relu: lambda z, a: (z > 0).astype(z.dtype),
    activations.sigmoid: lambda z, a: a * (1 - a),
    activations.tanh: lambda z, a: 1 - a * a,
}
"""The derivatives that every textbook has; those of the other functions are their own."""


def _through_activation(layer: Layer, z: Any, a: Any, slope: Any, ctx: Any) -> Any:
    """DL/dz from dL/da."""
    function = getattr(layer, "activation", None)
    if isinstance(layer, layers.Softmax):
        return _softmax(a, slope, layer.axis)
    if function in _ACROSS:
        return _ACROSS[function](a, slope)
    if function in _SLOPES:
        return slope * _SLOPES[function](z, a)
    return slope * _own_slope(lambda one: halves(layer).shaped(one, ctx), z)


def _own_slope(function: Callable[..., Any], z: Any) -> Any:
    """The derivative of a function of one number at a time."""
    return jax.jvp(function, (z,), (jnp.ones_like(z),))[1]


# -- through the sums ---------------------------------------------------------------------------


def _through_sums(layer: Layer, w: Any, x: Any, error: Any, ctx: Any) -> Any:
    """DL/dx from dL/dz."""
    if isinstance(layer, layers.Dense):
        return error @ w["kernel"].T
    if isinstance(layer, _MOVED):
        return error.reshape(x.shape)
    if isinstance(layer, _ONE_BY_ONE):
        return error * _own_slope(lambda one: halves(layer).sums(w, one, ctx), x)
    return error


# -- a cross-entropy and the activation that goes with it ------------------------------------------


def _of_the_loss(task: Task, h: Mapping[str, Any], y: Any, a: Any) -> Any:
    """DL/dz of the last layer where softmax or sigmoid meet their cross-entropy: ``a - y``; else None.

    Nothing is divided by a probability. The losses clip probabilities to [1e-7, 1 - 1e-7], and beyond nothing flows.
    """
    loss, layer = task.objective.losses[0], task.network.layers[-1]  # type: ignore[union-attr]
    found = _TARGETS.get((type(loss), _last_function(layer)))
    if found is None or a.ndim != 2 or loss.from_logits or getattr(loss, "axis", -1) not in (-1, 1):  # type: ignore[union-attr]
        return None
    error = found(loss, y, a, h["loss"].get("0/label_smoothing", 0.0))
    return error * h["loss"].get("0/weight", 1.0)


def _last_function(layer: Layer) -> Any:
    if isinstance(layer, layers.Softmax):
        return activations.softmax if layer.axis in (-1, 1) else None
    return getattr(layer, "activation", None)


def _within(share: Any) -> Any:
    return (share > EPSILON) & (share < 1 - EPSILON)


def _of_classes(y: Any, a: Any) -> Any:
    """``a - y`` for targets that sum to 1; what is clipped counts nothing."""
    y = jnp.where(_within(a), y, 0)
    return a * jnp.sum(y, -1, keepdims=True) - y


def _of_class_numbers(loss: Any, y: Any, a: Any, smoothing: Any) -> Any:
    numbers = class_numbers(y, a)
    found = _of_classes(jax.nn.one_hot(numbers, a.shape[-1], dtype=a.dtype), a)
    return found if loss.ignore_class is None else jnp.where(numbers[:, None] == loss.ignore_class, 0, found)


def _of_one_hot(loss: Any, y: Any, a: Any, smoothing: Any) -> Any:
    return _of_classes(aligned(y, a) * (1 - smoothing) + smoothing / a.shape[-1], a)


def _of_labels(loss: Any, y: Any, a: Any, smoothing: Any) -> Any:
    y = aligned(y, a) * (1 - smoothing) + smoothing / 2
    return jnp.where(_within(a), a - y, 0) / a.shape[-1]


_TARGETS = {
    (losses.SparseCategoricalCrossentropy, activations.softmax): _of_class_numbers,
    (losses.CategoricalCrossentropy, activations.softmax): _of_one_hot,
    (losses.BinaryCrossentropy, activations.sigmoid): _of_labels,
}
