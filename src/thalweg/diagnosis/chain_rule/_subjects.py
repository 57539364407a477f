"""What gradients can be checked of: a layer, a loss, a model, a function; each as a function of arrays in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from thalweg._family import name_of
from thalweg.diagnosis._traceable import traceable
from thalweg.diagnosis.chain_rule._passes import ground_of
from thalweg.engine import Data, TrainState
from thalweg.engine._step import passed
from thalweg.layers import Context, Layer
from thalweg.losses import Loss
from thalweg.models import Model


class Subject(NamedTuple):
    """What is looked at.

    Attributes:
        name: of the whole.
        function: of the arguments.
        names: of the arguments.
        arguments: in float64.

    """

    name: str
    function: Callable[..., Any]
    names: list[str]
    arguments: list[np.ndarray]


def subject_of(target: Any, inputs: Sequence[Any], training: bool) -> Subject:
    """What was given to ``check_gradients``, as a function.

    Raises:
        TypeError: where it is none, or inputs are missing.

    """
    if isinstance(target, type):
        raise TypeError(
            f"check_gradients takes a layer, a loss, a model or a function, got the class {target.__name__}: make one, "
            f"{target.__name__}(...)."
        )
    if isinstance(target, Model):
        return _of_model(target, _several(target.name, inputs, 2, "x, y"))
    if isinstance(target, Layer):
        return _of_layer(target, inputs, training)
    if isinstance(target, Loss):
        y, p = _several(target.name, inputs, 2, "y_true, y_pred")
        y, h = _array(y), target.hypers()
        return _of_function(lambda p: target.apply(h, jnp.asarray(y), p), target.name, [p], ["y_pred"])
    if callable(target):
        return _of_function(target, name_of(target), _several(name_of(target), inputs, None, "its arguments"), None)
    hint = " A name? thalweg.losses.get(name) is the loss that it stands for." if isinstance(target, str) else ""
    raise TypeError(
        f"check_gradients takes a layer, a loss, a model or a function, got {target!r} of type {type(target).__name__}.{hint}"
    )


def _several(name: str, inputs: Sequence[Any], count: int | None, what: str) -> list[Any]:
    if (count is None and not inputs) or (count is not None and len(inputs) != count):
        raise TypeError(
            f"{name} is looked at where it is used: check_gradients(target, {what}), got {len(inputs)} inputs."
        )
    return list(inputs)


def _array(given: Any) -> np.ndarray:
    """Floats in float64, whole numbers and truth values as they are."""
    array = np.asarray(given)
    if array.dtype.kind in "biu":
        return array
    if array.dtype.kind not in "fV":
        raise TypeError(f"check_gradients takes arrays of real numbers, got dtype {array.dtype}.")
    return array.astype(np.float64)


def _of_function(function: Callable[..., Any], name: str, given: Sequence[Any], names: list[str] | None) -> Subject:
    function = traceable(name, function)
    arrays = [_array(one) for one in given]
    moving = [i for i, one in enumerate(arrays) if one.dtype == np.float64]

    def of_moving(*moved: Any) -> Any:
        every: list[Any] = [jnp.asarray(one) for one in arrays]
        for i, one in zip(moving, moved, strict=True):
            every[i] = one
        return function(*every)

    names = names or [f"argument {i}" for i in range(len(arrays))]
    return Subject(name, of_moving, [names[i] for i in moving], [arrays[i] for i in moving])


def _of_layer(layer: Layer, inputs: Sequence[Any], training: bool) -> Subject:
    if len(inputs) == 1 and layer.merges and isinstance(inputs[0], (list, tuple)):
        inputs = inputs[0]
    given = [_array(one) for one in _several(layer.name, inputs, None if layer.merges else 1, "x")]
    features = tuple(one.shape[1:] for one in given)
    variables = layer.variables_for(features if layer.merges else features[0])
    weights = {v.name: np.array(v.value, np.float64) for v in variables}
    trained = [v.name for v in variables if v.declared.trainable]
    h = layer.hypers()

    def function(*arrays: Any) -> Any:
        own = {**{name: jnp.asarray(one) for name, one in weights.items()}, **dict(zip(trained, arrays, strict=False))}
        x = list(arrays[len(trained) :])
        return layer.apply(own, x if layer.merges else x[0], Context(training, h))

    names = [f"input {i}" for i in range(len(given))] if len(given) > 1 else ["input"]
    return _of_function(function, layer.name, [*(weights[name] for name in trained), *given], [*trained, *names])


def _of_model(model: Model, inputs: Sequence[Any]) -> Subject:
    x, y = inputs
    ground = ground_of(model, x, y, "check_gradients")
    task = ground.task
    h = task.unpack(task.hypers())

    def function(*params: Any) -> Any:
        frozen, x, y = (tuple(jnp.asarray(one) for one in part) for part in (ground.frozen, ground.x, ground.y))
        state = TrainState(params, frozen, None, 0, None)
        return passed(task, params, state, h, Data(x, y, ()), None, training=False).loss

    names = [f"{task.network.layers[place.layer].name}/{place.weight.name}" for place in task.network.trainable]
    return _of_function(function, model.name, ground.params, names)
