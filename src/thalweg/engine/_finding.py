"""Which part of one step gave the first number that is not finite.

A step is gone through in the order in which it computes: batch, layers, losses, penalties, then backward
through the layers, then the optimizer. The parts are run one by one, outside any compiled program.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import activations
from thalweg._family import name_of
from thalweg._tunable import below
from thalweg.engine._scene import Scene, finite, good, largest, moved, tally
from thalweg.engine._step import Passed
from thalweg.layers import Activation, Dense

_SHOWN = 10  # row numbers that are listed
_MANY_ROWS = 1e6  # of an epoch, whose losses are summed up

Found = tuple[str, str, dict[str, Any]]


class Finding(NamedTuple):
    """What was found: see `Origin` for the three."""

    kind: str
    place: str
    detail: dict[str, Any]


def in_pass(scene: Scene, passed: Passed, seen: Passed | None) -> Finding:
    """Where the loss of this step stopped being finite.

    Args:
        seen: a pass whose loss was finite: what was infinite there already did no harm.

    """
    return (
        _in_batch(scene, passed)
        or _in_layers(scene, passed, seen)
        or _in_losses(scene, passed)
        or _in_penalties(scene, passed)
        or _in_total(scene, passed)
    )


def in_update(scene: Scene, after: Any) -> Finding:
    """Where the weights stopped being finite, in a step whose loss was.

    Args:
        after: the state that the compiled step gave.

    """
    gradients = scene.gradients()
    if finite(gradients):
        return _in_optimizer(scene, gradients, after)
    passed = scene.passed(scene.state.params)
    return _in_batch(scene, passed) or _in_layers(scene, passed, None) or _in_slopes(scene, passed, gradients)


def in_weights(scene: Scene) -> Finding:
    """The first weight that holds a number that is none."""
    path, value = _first_weight(scene, scene.state.params, scene.state.frozen)
    return Finding("weights", path, tally(value))


def _first_weight(scene: Scene, params: Any, frozen: Any) -> tuple[str, Any]:
    places, values = (*scene.network.trainable, *scene.network.frozen), (*params, *frozen)
    for place, value in zip(places, values, strict=True):
        if not finite(value):
            return scene.path(place), value
    return "", None


# -- forward ----------------------------------------------------------------------------------


def _in_batch(scene: Scene, passed: Passed) -> Finding | None:
    batch = scene.batch
    given = passed.forward.tensors[: len(batch.x)]  # in the arithmetic's precision
    for what, arrays in (("input", given), ("target", batch.y), ("sample weight", batch.weight)):
        for i, array in enumerate(arrays):
            if not finite(array):
                row, *column = (int(k) for k in np.argwhere(~good(array))[0])
                where = f", column {column[0] if len(column) == 1 else tuple(column)}" if column else ""
                place = f"{what} {i}, row {row}{where} of the batch"
                return Finding("input", place, {**tally(array), "rows": _rows(scene, array), "what": what})
    return None


def _in_layers(scene: Scene, passed: Passed, seen: Passed | None) -> Finding | None:
    tensors = passed.forward.tensors
    for number in range(len(scene.network.inputs), len(tensors)):
        if finite(tensors[number]) or (seen is not None and not finite(seen.forward.tensors[number])):
            continue
        layer, node = scene.layer(number), scene.node(number)
        detail = {
            **tally(tensors[number]),
            "rows": _rows(scene, tensors[number]),
            "layer": type(layer).__name__,
            "by": "layer",
            "largest_before": largest([tensors[i] for i in node.inputs]),
            "largest_weight": largest(scene.state.params),
            "largest_input": largest(scene.batch.x),
        }
        return Finding("activation", layer.name, {**detail, **_sums(scene, passed, number)})
    return None


def _sums(scene: Scene, passed: Passed, number: int) -> dict[str, Any]:
    """Whether a Dense layer's sums were infinite, or its activation made them so."""
    node, layer = scene.node(number), scene.layer(number)
    if isinstance(layer, Activation):
        before = largest([passed.forward.tensors[i] for i in node.inputs])
        return {"by": "activation", "activation": name_of(layer.activation), "largest_sum": before}
    if not isinstance(layer, Dense):
        return {}
    linear = layer.twin()
    linear.activation = activations.linear
    layers = tuple(linear if i == node.layer else one for i, one in enumerate(scene.network.layers))
    network = replace(scene.network, layers=layers)
    z, _ = scene.alone(number, scene.state.params, passed.forward.tensors, network)
    by = "activation" if finite(z) else "sum"
    return {"by": by, "activation": name_of(layer.activation), "largest_sum": largest(z)}


def _in_losses(scene: Scene, passed: Passed) -> Finding | None:
    losses = scene.task.objective.losses  # type: ignore[union-attr]
    trained = [i for i, loss in enumerate(losses) if loss is not None]
    for i, cost in zip(trained, passed.costs, strict=True):
        if not finite(cost):
            each = losses[i].apply(below(scene.h["loss"], str(i)), scene.batch.y[i], passed.outputs[i])  # type: ignore[union-attr]
            output = np.asarray(passed.outputs[i])
            wrong = ~good(each).reshape(len(output), -1).all(axis=1) if each.ndim else np.ones(len(output), bool)
            detail = {
                **tally(each),
                "rows": _rows(scene, each) if each.ndim else [],
                "by": "sum" if finite(each) else "loss",
                "output": _made_by(scene, i),
                "largest_output": largest(output),
                "largest_target": largest(scene.batch.y[i]),
                "largest_input": largest(scene.batch.x),
                "zero_outputs": int((output[wrong] == 0).sum()),
            }
            return Finding("loss", losses[i].name, detail)  # type: ignore[union-attr]
    return None


def _in_total(scene: Scene, passed: Passed) -> Finding:
    """Part by part nothing is lost: the running sum is, or, at the edge of the range, the compiled step alone."""
    detail = {**tally(passed.loss), "largest_target": largest(scene.batch.y)}
    if abs(float(passed.loss)) * _MANY_ROWS < float(jnp.finfo(passed.loss.dtype).max):
        return Finding("loss", "loss", {**detail, "by": "edge"})
    return Finding("loss", "sum of the losses", {**detail, "by": "sum"})


def _in_penalties(scene: Scene, passed: Passed) -> Finding | None:
    network, tensors = scene.network, passed.forward.tensors
    if not finite(passed.forward.penalty):
        for number in range(len(network.inputs), len(tensors)):
            _, cost = scene.alone(number, scene.state.params, tensors)
            if not finite(cost):
                detail = {**tally(cost), "by": "activity", "largest_before": largest(tensors[number])}
                return Finding("penalty", scene.layer(number).name, detail)
    for place, value in zip(network.trainable, scene.state.params, strict=True):
        cost = replace(network, trainable=(place,)).penalty((value,), scene.h["net"])
        if not finite(cost):
            return Finding(
                "penalty", scene.path(place), {**tally(cost), "by": "weight", "largest_before": largest(value)}
            )
    return None


def _rows(scene: Scene, array: Any) -> list[int]:
    """Numbers, in the data, of the rows that hold something not finite."""
    wrong = np.any(~good(array).reshape(np.shape(array)[0], -1), axis=1)
    return [int(row) for row in np.unique(scene.numbers[wrong])[:_SHOWN]] if len(wrong) == len(scene.numbers) else []


def _made_by(scene: Scene, output: int) -> str:
    number = scene.network.outputs[output]
    return scene.layer(number).name if number >= len(scene.network.inputs) else f"input {number}"


# -- backward ---------------------------------------------------------------------------------


def _in_slopes(scene: Scene, passed: Passed, gradients: Any) -> Finding:
    """The layer to which a finite slope comes from behind, and which hands on one that is not finite."""
    reached = [scene.path(p) for p, g in zip(scene.network.trainable, gradients, strict=True) if not finite(g)]
    shared = {"largest_input": largest(scene.batch.x), "largest_weight": largest(scene.state.params)}
    array = next(g for g in gradients if not finite(g))
    place, detail = (
        _loss_slope(scene, passed) or _layer_slope(scene, passed) or _penalty_slope(scene) or (reached[0], {})
    )
    return Finding("gradient", place, {**tally(array), "weights": reached, "by": "layer", **shared, **detail})


def _loss_slope(scene: Scene, passed: Passed) -> tuple[str, dict[str, Any]] | None:
    for i, slope in enumerate(_output_slopes(scene, passed)):
        if not finite(slope):
            loss = scene.task.objective.losses[i]  # type: ignore[union-attr]
            zeros = int((np.asarray(passed.outputs[i])[~good(slope)] == 0).sum())
            return loss.name, {"by": "loss", "zeros": zeros, "output": _made_by(scene, i)}  # type: ignore[union-attr]
    return None


def _output_slopes(scene: Scene, passed: Passed) -> Any:
    def loss(outputs: Any) -> Any:
        return scene.total(scene.costs(tuple(scene.task.cast(y) for y in outputs)))

    return jax.grad(loss)(passed.forward.outputs)


def _layer_slope(scene: Scene, passed: Passed) -> tuple[str, dict[str, Any]] | None:
    tensors = passed.forward.tensors
    slopes = [jnp.zeros_like(tensor) for tensor in tensors]
    for number, slope in zip(scene.network.outputs, _output_slopes(scene, passed), strict=True):
        slopes[number] = slopes[number] + slope
    for number in reversed(range(len(scene.network.inputs), len(tensors))):
        fed, weights = _pulled(scene, tensors, number, slopes[number])
        if not (finite(fed) and finite(weights)):
            # a slope that is infinite at exactly 0 (a root, a division) is by far the most common
            zeros = sum(int((np.asarray(tensors[i])[~good(slope)] == 0).sum()) for i, slope in fed.items())
            layer, behind = scene.layer(number), largest(slopes[number])
            return layer.name, {"by": "layer", "layer": type(layer).__name__, "zeros": zeros, "largest_behind": behind}
        for i, slope in fed.items():
            slopes[i] = slopes[i] + slope
    return None


def _pulled(scene: Scene, tensors: Any, number: int, slope: Any) -> tuple[dict[int, Any], tuple[Any, ...]]:
    """The slopes that a call hands on: to the tensors it was fed, and to its own weights."""
    node, params = scene.node(number), scene.state.params
    own = {i: params[i] for i, place in enumerate(scene.network.trainable) if place.layer == node.layer}

    def call(weights: Any, fed: Any) -> Any:
        placed = tuple(weights.get(i, w) for i, w in enumerate(params))
        return scene.alone(number, placed, [fed.get(i, t) for i, t in enumerate(tensors[:number])])

    (_, cost), pull = jax.vjp(call, own, {i: tensors[i] for i in node.inputs})
    weights, fed = pull((slope, jnp.ones_like(cost)))
    return fed, tuple(weights.values())


def _penalty_slope(scene: Scene) -> tuple[str, dict[str, Any]] | None:
    slopes = jax.grad(lambda params: jnp.asarray(scene.network.penalty(params, scene.h["net"]), jnp.float32))(
        scene.state.params
    )
    for place, value, slope in zip(scene.network.trainable, scene.state.params, slopes, strict=True):
        if not finite(slope):
            return scene.path(place), {"by": "penalty", "zeros": int((np.asarray(value)[~good(slope)] == 0).sum())}
    return None


# -- the optimizer ----------------------------------------------------------------------------


def _in_optimizer(scene: Scene, gradients: Any, after: Any) -> Finding:
    state = scene.state
    slot = _slot(scene, after.optimizer)
    path, value = _first_weight(scene, after.params, after.frozen)
    if not path:  # the weights hold still, but what the optimizer remembers of them is gone
        path, value = (slot["at"], slot["value"]) if slot else ("optimizer", after.params[0])
    detail = {
        **tally(value),
        "by": _culprit(scene, gradients, path),
        "slot": slot and slot["name"],
        "largest_gradient": largest(gradients),
        "zero_gradients": _zeros(scene, gradients, path, value),
        "largest_weight": largest(state.params),
        "largest_input": largest(scene.batch.x),
        "moved": moved(state.params, after.params),
    }
    return Finding("update", path, detail)


def _culprit(scene: Scene, gradients: Any, path: str) -> str:
    """``'layer'`` for a moving average, ``'clipping'``, ``'constraint'``, or ``'step'``: the optimizer itself."""
    optimizer, state, h = scene.task.optimizer, scene.state, scene.h["optimizer"]
    if path in [scene.path(place) for place in scene.network.frozen]:
        return "layer"
    clips = [name for name in ("clipnorm", "global_clipnorm") if getattr(optimizer, name, None) is not None]
    if clips and largest(gradients) ** 2 > float(jnp.finfo(gradients[0].dtype).max):
        return "clipping"  # the norm's squares overflow before it is made small
    free = (None,) * len(state.params)
    after, _ = optimizer.apply(h, state.optimizer, state.params, gradients, free, scene.task.decays)  # type: ignore[union-attr]
    return "constraint" if finite(after) and any(scene.network.constraints(scene.h["net"])) else "step"


def _slot(scene: Scene, optimizer_state: Any) -> dict[str, Any] | None:
    """The first thing remembered of a weight that is not finite."""
    for keys, leaf in jax.tree_util.tree_flatten_with_path(optimizer_state)[0]:
        if not finite(leaf):
            numbers = [key.idx for key in keys if hasattr(key, "idx")]
            words = [str(getattr(key, "key", getattr(key, "name", ""))) for key in keys if not hasattr(key, "idx")]
            places = scene.network.trainable
            known = numbers and numbers[-1] < len(places) and np.shape(leaf) == places[numbers[-1]].weight.shape
            return {"name": words[-1], "at": scene.path(places[numbers[-1]]) if known else "optimizer", "value": leaf}
    return None


def _zeros(scene: Scene, gradients: Any, path: str, value: Any) -> int:
    """How many of a weight's lost numbers had a gradient of exactly 0, which makes 0 / 0."""
    for place, gradient in zip(scene.network.trainable, gradients, strict=True):
        if scene.path(place) == path and np.shape(gradient) == np.shape(value):
            return int((np.asarray(gradient)[~good(value)] == 0).sum())
    return 0
