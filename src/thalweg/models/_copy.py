"""Another model of the same description: nothing shared, nothing drawn yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from thalweg.layers import Input, Layer

if TYPE_CHECKING:
    from thalweg.models._model import Model


def copy_of(model: Model) -> Any:
    """A model like `model`, compiled likewise, with layers, losses and an optimizer of its own."""
    from thalweg.models._model import Model
    from thalweg.models._sequential import Sequential

    layers: dict[int, Layer] = {}
    if not model.built:
        other: Any = Sequential([_fresh(layer, layers) for layer in model.layers], name=model.name)
    else:
        made: dict[int, Any] = {id(symbol): Input(symbol.features, name=symbol.layer._name) for symbol in model.inputs}
        for symbol in model.symbols():
            fed = [made[id(one)] for one in symbol.inputs]
            made[id(symbol)] = _fresh(symbol.layer, layers)(fed if symbol.layer.merges else fed[0])
        inputs = [made[id(symbol)] for symbol in model.inputs]
        if isinstance(model, Sequential):
            stack = [layers[id(layer)] for layer in model.layers]
            other = Sequential([inputs[0], *stack], name=model.name)
        else:
            keys = model.input_names
            given = dict(zip(keys, inputs, strict=True)) if keys else inputs
            other = Model(given, model.shaped([made[id(symbol)] for symbol in model.outputs]), name=model.name)
    if model.compiled is not None:
        optimizer = model.optimizer.twin()
        other.compile(optimizer, *model.compiled[1:])
        if model.objective is not None:
            other.objective = model.objective.twin()
    return other


def _fresh(layer: Layer, layers: dict[int, Layer]) -> Layer:
    """The twin of a layer, the same one on every call with the same layer."""
    if id(layer) not in layers:
        written_in_keras_style = bool(layer._added)
        twin = type(layer).from_config(layer.get_config()) if written_in_keras_style else layer.blueprint()
        twin.trainable = layer.trainable
        layers[id(layer)] = twin
    return layers[id(layer)]
