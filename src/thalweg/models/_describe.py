"""A model as plain data in Keras's form, and back: its layers, its graph, and what it was compiled with."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from thalweg import (
    activations,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from thalweg._family import function_description
from thalweg.files import FileError, Part, Spec, refuse
from thalweg.layers import InputLayer, Lambda, Layer
from thalweg.losses import FunctionLoss, Loss
from thalweg.metrics import MeanMetricWrapper
from thalweg.models._calls import Call, End, call_of, renumbered

if TYPE_CHECKING:
    from thalweg.models._model import Model

KERAS_KNOWS = {"accuracy", "acc", "crossentropy", "ce"}
"""Names of metrics that Keras resolves by the shapes; all others are written down as what they stand for."""


# -- model -> description ---------------------------------------------------------------------------


def describe(model: Model) -> dict[str, Any]:
    """The whole description, as Keras's ``to_json`` and its files have it.

    Raises:
        ValueError: naming what Keras's form has no place for.

    """
    stack = is_stack(model)
    return {
        "module": "keras" if stack else "keras.src.models.functional",
        "class_name": "Sequential" if stack else "Functional",
        "config": config_of(model),
        "registered_name": None if stack else "Functional",
        "build_config": {"input_shape": list(model.inputs[0].shape) if stack and model.built else None},
        "compile_config": compile_config(model),
    }


def config_of(model: Model) -> dict[str, Any]:
    """What ``get_config`` gives: of a stack its layers, else the graph."""
    common = {"name": model.name, "trainable": True, "dtype": _dtype()}
    if not model.built:
        return {**common, "layers": [_layer(one) for one in model.layers]}
    if is_stack(model):
        first = model.inputs[0]
        listed = [_input(first.layer, first.features), *(_layer(layer) for layer in model.network.layers)]
        return {**common, "layers": listed, "build_input_shape": list(first.shape)}
    return {**common, **_graph(model)}


def is_stack(model: Model) -> bool:
    """Whether the layers simply follow one another."""
    from thalweg.models._sequential import Sequential

    if not model.built:
        return True
    nodes = model.network.nodes
    plain = all(node.inputs == (i,) and node.call == 0 for i, node in enumerate(nodes))
    ends = len(model.inputs) == 1 and model.network.outputs == (len(nodes),)
    return isinstance(model, Sequential) and plain and ends and bool(nodes)


def _graph(model: Model) -> dict[str, Any]:
    network = model.network
    inputs = [symbol.layer for symbol in model.inputs]
    ends: list[list[Any]] = [[layer.name, 0, 0] for layer in inputs]  # who makes each tensor
    ends += [[network.layers[node.layer].name, node.call, 0] for node in network.nodes]
    calls: dict[int, list[dict[str, Any]]] = {}
    for node in network.nodes:
        fed = [_tensor(ends[i], network.features[i]) for i in node.inputs]
        arguments = [fed] if network.layers[node.layer].merges else fed
        calls.setdefault(node.layer, []).append({"args": arguments, "kwargs": {}})
    listed = [
        {**_input(layer, symbol.features), "name": layer.name, "inbound_nodes": []}
        for layer, symbol in zip(inputs, model.inputs, strict=True)
    ]
    for i, layer in enumerate(network.layers):
        listed.append({**_layer(layer), "name": layer.name, "inbound_nodes": calls[i]})
    return {
        "layers": listed,
        "input_layers": _as_given([ends[i] for i in range(len(inputs))], model.input_names),
        "output_layers": _as_given([ends[i] for i in network.outputs], model._output_keys),
    }


def _as_given(ends: list[Any], names: Sequence[str] | None) -> Any:
    if names:
        return dict(zip(names, ends, strict=True))
    return ends[0] if len(ends) == 1 else ends


def _tensor(end: list[Any], features: Sequence[int]) -> dict[str, Any]:
    told = {"shape": [None, *features], "dtype": _dtype(), "keras_history": end}
    return {"class_name": "__keras_tensor__", "config": told}


def _input(layer: Layer, features: Sequence[int]) -> dict[str, Any]:
    told = {"batch_shape": [None, *features], "dtype": _dtype(), "sparse": False, "ragged": False, "name": layer.name}
    return {"module": "keras.layers", "class_name": "InputLayer", "config": told, "registered_name": None}


def _layer(layer: Layer) -> dict[str, Any]:
    if isinstance(layer, Lambda):
        _inexpressible(
            f"layer {layer.name!r} (Lambda) holds code",
            "Write it as a layer of its own: a subclass of thalweg.layers.Layer, handed to load_model in custom_objects",
        )
    told = layers.serialize(layer)
    assert told is not None
    _named_functions(told["config"], f"layer {layer.name!r}")
    told["config"] = {**told["config"], "dtype": _dtype()}
    if layer.features is not None:
        merged = layer.merges
        shape = [[None, *one] for one in layer.features] if merged else [None, *layer.features]
        told["build_config"] = {"input_shape": shape}
    return told


def _named_functions(told: Any, whose: str) -> None:
    """Refuse functions without a name by which they could be handed back."""
    for value in told.values() if isinstance(told, Mapping) else told:
        if value == "<lambda>":
            _inexpressible(f"{whose} holds a lambda", "Give the function a name with def")
        if isinstance(value, (Mapping, list)):
            _named_functions(value, whose)


def _inexpressible(what: str, instead: str) -> NoReturn:
    raise ValueError(f"Cannot be saved: {what}, and a file holds no code. {instead}.")


def _dtype() -> str:
    return config.dtype_policy()


# -- compile ----------------------------------------------------------------------------------------


def compile_config(model: Model) -> dict[str, Any] | None:
    """What the model was compiled with, with its numbers as they are now; None where it was not."""
    compiled = model.compiled
    if compiled is None:
        return None
    return {
        "optimizer": optimizer_config(model.optimizer),
        "loss": _losses(model),
        "loss_weights": _loss_weights(model),
        "metrics": _mapped(_as_list(compiled.metrics), _metric),
        "weighted_metrics": _mapped(_as_list(compiled.weighted_metrics), _metric),
        "run_eagerly": compiled.run_eagerly,
        "steps_per_execution": 1,
        "jit_compile": True,
    }


def optimizer_config(optimizer: Any) -> dict[str, Any]:
    """An optimizer in Keras's words: a term that is not there is 0, a schedule's ``scale`` is in its constants."""
    if isinstance(optimizer, optimizers.OptaxOptimizer):
        _inexpressible("the optimizer is an Optax transformation", "Compile with one of thalweg.optimizers to save")
    told = optimizers.serialize(optimizer)
    assert told is not None
    if told["config"].get("momentum", 0) is None:
        told["config"]["momentum"] = 0.0
    if told["class_name"] == "AdamW" and told["config"]["weight_decay"] is None:
        told["config"]["weight_decay"] = 0.0
    rate = told["config"]["learning_rate"]
    if isinstance(rate, dict):
        scaled = optimizer._learning_rate.scaled()
        told["config"]["learning_rate"] = optimizers.schedules.serialize(scaled)
    told["config"]["loss_scale_factor"] = None
    return told


def _losses(model: Model) -> Any:
    given = model.compiled.loss if model.compiled else None
    if given is None:
        return None
    if model.objective is None:
        return _mapped(given, _loss)
    now = [_loss(loss) for loss in model.objective.losses]
    if isinstance(given, Mapping):
        return {name: told for name, told in zip(model.output_names, now, strict=True) if told is not None}
    return now if isinstance(given, (list, tuple)) or len(now) > 1 else now[0]


def _loss_weights(model: Model) -> Any:
    given = model.compiled.loss_weights if model.compiled else None
    if given is None or model.objective is None or model.objective.weights is None:
        return given
    now = list(model.objective.weights)
    if isinstance(given, Mapping):
        return dict(zip(model.output_names, now, strict=True))
    return now if isinstance(given, (list, tuple)) else now[0]


def _loss(given: Any) -> Any:
    if given is None:
        return None
    loss = losses.get(given)
    return _function(loss.function, "loss") if isinstance(loss, FunctionLoss) else losses.serialize(loss)


def _metric(given: Any) -> Any:
    if given is None or given in KERAS_KNOWS:
        return given
    if isinstance(given, Loss):
        return losses.serialize(given)
    metric = metrics.get(given)
    if type(metric) is MeanMetricWrapper:
        return _function(metric.function, "metric")
    if isinstance(given, str):
        metric.name = given  # the name in the logs
    return metrics.serialize(metric)


def _function(function: Callable[..., Any], what: str) -> dict[str, Any]:
    told = function_description(function)
    _named_functions([told], f"the {what}")
    return told


def _as_list(given: Any) -> Any:
    """One metric as a list of one: Keras takes no other."""
    return given if given is None or isinstance(given, (list, tuple, Mapping)) else [given]


def _mapped(given: Any, act: Callable[[Any], Any]) -> Any:
    if isinstance(given, Mapping):
        return {name: _mapped(one, act) for name, one in given.items()}
    return [_mapped(one, act) for one in given] if isinstance(given, (list, tuple)) else act(given)


# -- description -> model ---------------------------------------------------------------------------

_MOST_LAYERS = 5_000
_MOST_CALLS = 20_000
_DEEPEST = 20
_LONGEST_NAME = 1_000


class Reader:
    """Builds what a description says, by names from thalweg's own tables and the person's custom objects alone.

    Args:
        path: where the description comes from, for messages.
        custom: name -> class or function.

    """

    def __init__(self, path: Any, custom: Mapping[str, Any] | None = None) -> None:
        self.path, self.custom = path, custom or {}
        self.notes: dict[str, str] = {}  # what a person should know -> of which layer
        self._layers = self._calls = 0  # so far, those of nested models among them

    def model(self, told: Any, depth: int = 0) -> tuple[Model, list[Part]]:
        """A model and its parts, nested as the description has them; their leaves' owners are the model's layers."""
        kind = str(told.get("class_name")) if isinstance(told, Mapping) else ""
        if kind not in _MODELS:
            refuse(self.path, "the description", f"must be of one of {', '.join(_MODELS)}, got {kind!r}.")
        inner = told.get("config")
        if isinstance(inner, list):  # of a Sequential, as Keras 2 wrote it once
            inner = {"layers": inner}
        if not isinstance(inner, Mapping) or not isinstance(inner.get("layers"), list):
            refuse(self.path, "the description", "has no list of layers.")
        self._layers += len(inner["layers"])
        if self._layers > _MOST_LAYERS or depth > _DEEPEST:
            refuse(self.path, "the description", f"has {self._layers:,} layers up to depth {depth}: too many.")
        model, parts = _MODELS[kind](self, inner, told, depth)
        model.name = self._name(inner) or model.name
        return model, parts

    def layer(self, told: Any, depth: int) -> tuple[Any, Callable[[], Part]]:
        """A layer or a nested model, and what makes its part once it is built."""
        if not isinstance(told, Mapping) or not isinstance(told.get("config", {}), (Mapping, list)):
            refuse(self.path, "the description", f"must list layers as objects, got {str(told)[:100]}.")
        kind = told.get("class_name")
        if not isinstance(kind, str):
            refuse(self.path, f"layer {self._name(told)!r}", f"needs a class_name, got {str(kind)[:100]}.")
        if kind in _MODELS:
            model, parts = self.model(told, depth + 1)
            for layer in model.layers:
                layer.named_by_model = True  # a name that stands outside too gives way
            return model, lambda: Part(model.name, str(kind), (), tuple(parts))
        layer = self._made(told)
        layer.trainable = told["config"].get("trainable", True) is not False
        return layer, lambda: part_of(layer)

    def _name(self, told: Mapping[str, Any]) -> str:
        """A layer's or model's own entry of that name; '' where it has none."""
        name = told.get("name")
        if name is not None and (not isinstance(name, str) or len(name) > _LONGEST_NAME):
            refuse(
                self.path, "the description", f"has a name that is no text of up to {_LONGEST_NAME:,} letters: {name!r}"
            )
        return name or ""

    def _made(self, told: Mapping[str, Any]) -> Layer:
        if not isinstance(told.get("config"), Mapping):
            refuse(self.path, f"layer {self._name(told)!r} ({told['class_name']})", "needs a config that is an object.")
        name = self._name(told["config"]) or self._name(told)
        whose = f"layer {name!r} ({told.get('class_name')})"
        if told.get("class_name") == "Lambda" and "Lambda" not in self.custom:
            refuse(
                self.path,
                whose,
                "holds code, which is never run from a file. Hand it over: custom_objects={'Lambda': ...}.",
            )
        try:
            settings = {key: self._handed(key, value) for key, value in (told.get("config") or {}).items()}
            made = layers.deserialize({**told, "config": settings}, self.custom)
        except Exception as error:  # whatever a constructor makes of what nobody vouches for
            refuse(self.path, whose, _with_way_out(str(error)), error)
        self._precision(told["config"].get("dtype"), whose)
        if not isinstance(made, Layer):
            refuse(self.path, whose, f"must be a layer, got {type(made).__name__}.")
        return made

    def _handed(self, key: str, told: Any) -> Any:
        """An activation, initializer, ... of a layer's settings, where the person handed over one of its name."""
        name = told.get("class_name") if isinstance(told, Mapping) else told
        name = told.get("config") if name == "function" and isinstance(told, Mapping) else name
        known_as = {name, name.rpartition(">")[2]} if isinstance(name, str) else set()
        if not known_as & self.custom.keys():
            return told
        for family, module in _HELD.items():
            if key.endswith(family):
                return module.deserialize(told, self.custom)
        return told

    def _precision(self, told: Any, whose: str) -> None:
        if isinstance(told, Mapping):
            inner = told.get("config", {})
            if not isinstance(inner, Mapping):
                refuse(self.path, whose, f"has a dtype whose config is no object: {str(inner)[:100]}")
            told = inner.get("name")
        name = told
        known = (None, config.dtype_policy(), config.floatx(), config.compute_dtype(), "float32")
        if isinstance(name, str) and name not in known and not name.startswith(("int", "uint", "bool")):
            self.notes.setdefault(
                f"was saved in {name} and is used in {config.dtype_policy()}, the policy in force "
                f"(thalweg.config.set_dtype_policy).",
                whose,
            )

    # -- kinds of models --

    def stack(self, inner: Mapping[str, Any], told: Mapping[str, Any], depth: int) -> tuple[Model, list[Part]]:
        """A Sequential."""
        from thalweg.models._sequential import Sequential

        made = [self.layer(one, depth) for one in inner["layers"]]
        model = self._guarded(lambda: Sequential([layer for layer, _ in made]))
        built = told.get("build_config") or {}
        if not isinstance(built, Mapping):
            refuse(self.path, "build_config", f"must be an object, got {type(built).__name__}.")
        shape = inner.get("build_input_shape") or built.get("input_shape")
        if not model.built and isinstance(shape, list) and all(isinstance(size, int) for size in shape[1:]):
            self._guarded(lambda: model.build(tuple(shape)))
        return model, [part() for layer, part in made if not isinstance(layer, InputLayer)]

    def graph(self, inner: Mapping[str, Any], told: Mapping[str, Any], depth: int) -> tuple[Model, list[Part]]:
        """A functional model: layers are called as soon as what they are called on is there."""
        from thalweg.models._model import Model

        made: dict[str, tuple[Any, Callable[[], Part]]] = {}
        calls: list[Call] = []
        tensors: dict[End, Any] = {}
        for one in inner["layers"]:
            layer, part = self.layer(one, depth)
            name = self._name(one) or self._name(one["config"])
            if name in made:
                refuse(self.path, f"layer {name!r}", "stands in the description twice.")
            made[name] = layer, part
            if isinstance(layer, InputLayer):
                tensors[name, 0, 0] = layers.Symbol(layer.shape, layer)
            calls += self._calls_of(name, one.get("inbound_nodes") or [])
        models = {
            str(one.get("name")): str(one.get("class_name"))
            for one in inner["layers"]
            if one.get("class_name") in _MODELS
        }
        calls, outputs = renumbered(calls, inner.get("output_layers"), models)
        self._call_all(made, calls, tensors)
        try:
            ends = [_resolved(told, tensors) for told in (inner.get("input_layers"), outputs)]
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            refuse(self.path, "the description", f"names an input or output that no layer makes ({error}).", error)
        model = self._guarded(lambda: Model(*ends))
        return model, [part() for layer, part in made.values() if not isinstance(layer, InputLayer)]

    def _calls_of(self, name: str, told: Any) -> list[Call]:
        if not isinstance(told, list):
            refuse(self.path, f"layer {name!r}", f"must list its inbound_nodes, got {type(told).__name__}.")
        self._calls += len(told)
        if self._calls > _MOST_CALLS:
            refuse(
                self.path,
                f"layer {name!r}",
                f"is called {len(told):,} times, with the others more than {_MOST_CALLS:,}.",
            )
        return [call_of(name, i, one, self.path) for i, one in enumerate(told)]

    def _call_all(self, made: Mapping[str, Any], calls: Sequence[Call], tensors: dict[End, Any]) -> None:
        """Call each layer as soon as all that it is called on is there; of several that could be, the first one."""
        absent = [{end for end in call.ends if end not in tensors} for call in calls]
        waiting: dict[End, list[int]] = {}
        for i, ends in enumerate(absent):
            for end in ends:
                waiting.setdefault(end, []).append(i)
        ready = [i for i, ends in enumerate(absent) if not ends]  # in order, so a heap
        done = set()
        while ready:
            i = heapq.heappop(ready)
            done.add(i)
            call = calls[i]
            layer = made[call.layer][0]
            found = self._guarded(partial(_called, layer, call, [tensors[end] for end in call.ends]))
            for j, one in enumerate(_in_keras_s_order(found)):
                end = (call.layer, call.number, j)
                tensors[end] = one
                for other in waiting.pop(end, ()):
                    absent[other].discard(end)
                    if not absent[other]:
                        heapq.heappush(ready, other)
        for i, call in enumerate(calls):
            if i not in done:
                refuse(self.path, f"layer {call.layer!r}", f"is called on {call.ends}, which no layer makes.")

    def _guarded(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except FileError:
            raise
        except Exception as error:  # whatever layers make of shapes that nobody vouches for
            refuse(self.path, "the description", str(error)[:500] or type(error).__name__, error)

    # -- compile --

    def compile(self, model: Model, told: Any) -> None:
        """Compile as the description says."""
        if not isinstance(told, Mapping):
            refuse(self.path, "compile_config", f"must be an object, got {type(told).__name__}.")
        try:
            optimizer = _known_optimizer(self._optimizer(told), self.custom)
            loss = _mapped_back(told.get("loss"), lambda one: losses.deserialize(one, self.custom))
            weights = told.get("loss_weights")
            plain, weighted = (
                _mapped_back(told.get(key), lambda one: metrics.deserialize(one, self.custom))
                for key in ("metrics", "weighted_metrics")
            )
            model.compile(optimizer, loss, weights, plain, weighted)
        except Exception as error:  # whatever they make of settings that nobody vouches for
            words = f"{_with_way_out(str(error))} Or pass compile=False to load the net alone."
            refuse(self.path, "compile_config", words, error)

    def _optimizer(self, told: Mapping[str, Any]) -> Any:
        if told.get("optimizer") is None:  # Keras drops it from its own memory when it saves as .h5
            self.notes["names no optimizer: it is compiled with rmsprop, as Keras does. Compile it anew."] = (
                "compile_config"
            )
        return told.get("optimizer") or "rmsprop"


_MODELS: Mapping[str, Callable[..., tuple[Any, list[Part]]]] = {
    "Sequential": Reader.stack,
    "Functional": Reader.graph,
    "Model": Reader.graph,
}


def part_of(layer: Layer) -> Part:
    """A layer as its arrays."""
    specs = tuple(Spec(v.name, tuple(v.shape), v.declared.trainable and layer.trainable) for v in layer.variables)
    return Part(layer.name, type(layer).__name__, specs, owner=layer)


_HELD: Mapping[str, Any] = {
    "activation": activations,
    "constraint": constraints,
    "initializer": initializers,
    "regularizer": regularizers,
}
"""What stands in a layer's settings, by how the settings' names end."""


def _with_way_out(words: str) -> str:
    """An error on an unknown name, with what to do where it is the person's own."""
    unknown = words.startswith("Unknown ") and "custom_objects" not in words
    return f"{words} Where it is your own, hand it over: custom_objects={{name: ...}}." if unknown else words


def _called(layer: Any, call: Call, fed: list[Any]) -> Any:
    """The layer called on symbols; a model on a dict is fed by name."""
    if call.keys and not isinstance(layer, Layer):
        named = dict(zip(call.keys, fed, strict=True))
        fed = [named[name] for name in layer.input_labels] if set(named) == set(layer.input_labels) else fed
    listed = call.many or getattr(layer, "merges", False) or len(fed) > 1
    return layer(fed if listed else fed[0])


def _in_keras_s_order(found: Any) -> list[Any]:
    """What a call gave, in the order by which Keras numbers it: that of the keys' names."""
    if isinstance(found, Mapping):
        return [found[key] for key in sorted(found)]
    return found if isinstance(found, list) else [found]


def _resolved(ends: Any, tensors: Mapping[Any, Any]) -> Any:
    if isinstance(ends, Mapping):
        return {name: _resolved(end, tensors) for name, end in ends.items()}
    if ends and isinstance(ends[0], str):
        return tensors[ends[0], int(ends[1]), int(ends[2])]
    found = [_resolved(end, tensors) for end in ends]
    return found[0] if len(found) == 1 else found


def _mapped_back(told: Any, act: Callable[[Any], Any]) -> Any:
    if isinstance(told, Mapping):
        if isinstance(told.get("class_name"), str):
            return act(told)
        return {name: _mapped_back(one, act) for name, one in told.items()}
    if isinstance(told, list):
        return [_mapped_back(one, act) for one in told]
    if told is not None and not isinstance(told, str):
        raise TypeError(f"A loss or a metric must be a name or an object with a class_name, got {told!r}.")
    return told


def _known_optimizer(told: Any, custom: Mapping[str, Any]) -> Any:
    if not isinstance(told, Mapping):
        return optimizers.get(told)
    settings = {key: value for key, value in (told.get("config") or {}).items() if key not in _OLD_SETTINGS}
    return optimizers.deserialize({**told, "config": settings}, custom)


_OLD_SETTINGS = {"loss_scale_factor", "jit_compile", "is_legacy_optimizer", "decay"}
"""Of Keras's optimizers, now or once; none of them changes a step where it is off."""
