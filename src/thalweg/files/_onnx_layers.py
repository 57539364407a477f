"""Layers in ONNX's operations, as they compute when a net is used: nothing is random, nothing is learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg import activations, layers
from thalweg.files._onnx_activations import activation
from thalweg.files._onnx_graph import Graph
from thalweg.layers import Layer

Features = tuple[int, ...]
_INT64 = 7  # ONNX's number for it


class Call(NamedTuple):
    """One call of a layer: its description, its weights by name, what it is fed and the shapes of a row of that."""

    layer: Any
    weights: Mapping[str, np.ndarray]
    inputs: tuple[str, ...]
    features: tuple[Features, ...]

    @property
    def x(self) -> str:
        """The input, where there is one."""
        return self.inputs[0]

    def spread(self, values: Any, axes: tuple[int, ...]) -> np.ndarray:
        """`values`, which have the sizes of some axes of the input, in a shape that goes with a row of it."""
        shape = tuple(size if i in axes else 1 for i, size in enumerate(self.features[0], start=1))
        return np.asarray(values).reshape(shape)


Emitter = Callable[[Graph, Call], str]


def emitter_of(layer: Any) -> Emitter:
    """How a layer is written in ONNX.

    Raises:
        ValueError: where it cannot be; the message names the layer.

    """
    kind = type(layer)
    if kind in LAYERS:
        return LAYERS[kind]
    why = REFUSED.get(kind, "its class is none of thalweg's own, so what it computes is unknown here")
    raise ValueError(
        f"Layer {layer.name!r} ({kind.__name__}) cannot be exported to ONNX: {why}. Expected are the layers "
        f"{', '.join(sorted(one.__name__ for one in LAYERS))}. Express it by those, or export the part of the net "
        "before it: Model(model.inputs, the_layer_before.output)."
    )


def _activated(g: Graph, call: Call, z: str) -> str:
    """The layer's activation of `z`; it may be a function or another layer."""
    function = call.layer.activation
    if not isinstance(function, Layer):
        return activation(g, function, z)
    features = tuple(call.layer.output_features(call.features[0]))
    weights = {one.name: one.numpy() for one in function.variables_for(features)}
    with g.within(f"{g.place}/{function.name}"):
        return emitter_of(function)(g, Call(function, weights, (z,), (features,)))


def _activation(g: Graph, call: Call) -> str:
    return _activated(g, call, call.x)


def _dense(g: Graph, call: Call) -> str:
    z = g.op("MatMul", call.x, g.constant("kernel", call.weights["kernel"]))
    if call.layer.use_bias:
        z = g.op("Add", z, g.constant("bias", call.weights["bias"]))
    return _activated(g, call, z)


def _nothing(g: Graph, call: Call) -> str:
    return call.x


def _relu(g: Graph, call: Call) -> str:
    one = call.layer
    return activation(
        g,
        activations.relu,
        call.x,
        negative_slope=one.negative_slope,
        max_value=one.max_value,
        threshold=one.threshold,
    )


def _leaky_relu(g: Graph, call: Call) -> str:
    return activation(g, activations.leaky_relu, call.x, negative_slope=call.layer.negative_slope)


def _elu(g: Graph, call: Call) -> str:
    return activation(g, activations.elu, call.x, alpha=call.layer.alpha)


def _softmax(g: Graph, call: Call) -> str:
    return activation(g, activations.softmax, call.x, axis=call.layer.axis)


def _prelu(g: Graph, call: Call) -> str:
    return g.op("PRelu", call.x, g.constant("alpha", call.weights["alpha"]))


def _embedding(g: Graph, call: Call) -> str:
    codes = g.op("Cast", call.x, to=_INT64)
    return g.op("Gather", g.constant("embeddings", call.weights["embeddings"]), codes, axis=0)


def _periodic_embedding(g: Graph, call: Call) -> str:
    layer, w = call.layer, {name: np.asarray(value, np.float64) for name, value in call.weights.items()}
    chosen = call.x if layer.columns is None else g.op("Gather", call.x, g.integers("columns", layer.columns), axis=-1)
    each = g.op("Unsqueeze", chosen, g.integers("axes", (-1,)))
    turns = g.op("Mul", each, g.constant("frequencies", 2 * np.pi * w["frequencies"]))
    waves = g.op("Cos", g.op("Add", turns, g.constant("phases", 2 * np.pi * w["phases"])))
    rows = g.op("Unsqueeze", waves, g.integers("axes", (-2,)))  # [..., d, 1, waves] times [d, waves, output_dim]
    sums = g.op("Squeeze", g.op("MatMul", rows, g.constant("kernel", w["kernel"])), g.integers("axes", (-2,)))
    made = g.op("Add", sums, g.constant("bias", w["bias"]))
    *outer, _ = call.features[0]
    flat = g.op("Reshape", made, g.integers("shape", (0, *outer, w["bias"].size)))
    return g.op("Concat", call.x, flat, axis=-1)


def _batch_normalization(g: Graph, call: Call) -> str:
    """The mean is taken off first: ``x * a + b``, as ONNX's own operation computes, loses the digits of large means."""
    layer, w = call.layer, call.weights
    axes = (layer.axis % (len(call.features[0]) + 1),)
    with np.errstate(divide="ignore"):  # no spread and no epsilon give infinity here as in the net
        scale = 1 / np.sqrt(np.asarray(w["moving_variance"], np.float64) + layer.epsilon)
    if layer.scale:
        scale = scale * w["gamma"]
    z = g.op("Sub", call.x, g.constant("moving_mean", call.spread(w["moving_mean"], axes)))
    z = g.op("Mul", z, g.constant("scale", call.spread(scale, axes)))
    return g.op("Add", z, g.constant("beta", call.spread(w["beta"], axes))) if layer.center else z


def _layer_normalization(g: Graph, call: Call) -> str:
    """Step by step: ONNX's own operation takes the last axes only."""
    layer, w = call.layer, call.weights
    ndim = len(call.features[0]) + 1
    axes = tuple(sorted(axis % ndim for axis in ((layer.axis,) if isinstance(layer.axis, int) else layer.axis)))
    over = g.integers("axes", axes)
    z = g.op("Sub", call.x, g.op("ReduceMean", call.x, over))
    variance = g.op("ReduceMean", g.op("Mul", z, z), over)
    z = g.op("Div", z, g.op("Sqrt", g.op("Add", variance, layer.epsilon)))
    if layer.scale:
        z = g.op("Mul", z, g.constant("gamma", call.spread(w["gamma"], axes)))
    return g.op("Add", z, g.constant("beta", call.spread(w["beta"], axes))) if layer.center else z


def _normalization(g: Graph, call: Call) -> str:
    layer = call.layer
    learnt = layer.mean is None
    given = (call.weights["mean"], call.weights["variance"]) if learnt else (layer.mean, layer.variance)
    axis = () if layer.axis is None else (layer.axis,) if isinstance(layer.axis, int) else layer.axis
    axes = tuple(one % (len(call.features[0]) + 1) for one in axis)
    mean, variance = (
        call.spread(one, axes) if learnt or np.ndim(one) else np.asarray(one) for one in map(np.asarray, given)
    )
    mean_name, root = g.constant("mean", mean), g.constant("deviation", np.maximum(np.sqrt(variance), _SMALL))
    if layer.invert:
        return g.op("Add", g.op("Mul", call.x, root), mean_name)
    return g.op("Div", g.op("Sub", call.x, mean_name), root)


def _rescaling(g: Graph, call: Call) -> str:
    scaled = g.op("Mul", call.x, g.constant("scale", call.layer.scale))
    return g.op("Add", scaled, g.constant("offset", call.layer.offset))


def _flatten(g: Graph, call: Call) -> str:
    return g.op("Flatten", call.x, axis=1)


def _reshape(g: Graph, call: Call) -> str:
    sizes = call.layer.output_features(call.features[0])
    return g.op("Reshape", call.x, g.integers("shape", (0, *sizes)))  # 0 is ONNX's for "as it is": the batch


def _concatenate(g: Graph, call: Call) -> str:
    return g.op("Concat", *call.inputs, axis=call.layer.axis)


def _of_all(kind: str) -> Emitter:
    """An operation that takes any number of inputs, element by element."""
    return lambda g, call: g.op(kind, *call.inputs)


def _multiply(g: Graph, call: Call) -> str:
    product = call.x
    for one in call.inputs[1:]:
        product = g.op("Mul", product, one)
    return product


def _of_images(g: Graph, call: Call, make: Callable[[str], str]) -> str:
    """Channels go in front, as ONNX has them, and back behind."""
    ndim = len(call.features[0]) + 1
    made = make(g.op("Transpose", call.x, perm=[0, ndim - 1, *range(1, ndim - 1)]))
    return g.op("Transpose", made, perm=[0, *range(2, ndim), 1])


def _moving(sweeps: Sequence[Any]) -> dict[str, list[int]]:
    """How a window moves, in ONNX's attributes."""
    return {
        "strides": [one.stride for one in sweeps],
        "pads": [*(one.before for one in sweeps), *(one.after for one in sweeps)],
        "dilations": [one.dilation for one in sweeps],
        "kernel_shape": [one.size for one in sweeps],
    }


def _kernel(kernel: np.ndarray) -> np.ndarray:
    """[...cells, channels, filters] as [filters, channels, ...cells]."""
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _apart(kernel: np.ndarray) -> np.ndarray:
    """The same of filters that see one channel each."""
    return _kernel(kernel.reshape(*kernel.shape[:-2], 1, -1))


def _biased(g: Graph, call: Call, z: str) -> str:
    z = g.op("Add", z, g.constant("bias", call.weights["bias"])) if call.layer.use_bias else z
    return _activated(g, call, z)


def _convolution(g: Graph, call: Call) -> str:
    kernel = g.constant("kernel", _kernel(call.weights["kernel"]))
    how = _moving(call.layer.sweeps(call.features[0]))
    return _biased(g, call, _of_images(g, call, lambda x: g.op("Conv", x, kernel, group=call.layer.groups, **how)))


def _depthwise(g: Graph, call: Call) -> str:
    kernel, groups = g.constant("kernel", _apart(call.weights["kernel"])), call.features[0][-1]
    how = _moving(call.layer.sweeps(call.features[0]))
    return _biased(g, call, _of_images(g, call, lambda x: g.op("Conv", x, kernel, group=groups, **how)))


def _separable(g: Graph, call: Call) -> str:
    apart = g.constant("depthwise_kernel", _apart(call.weights["depthwise_kernel"]))
    mix = g.constant("pointwise_kernel", _kernel(call.weights["pointwise_kernel"]))
    how, groups = _moving(call.layer.sweeps(call.features[0])), call.features[0][-1]
    return _biased(
        g, call, _of_images(g, call, lambda x: g.op("Conv", g.op("Conv", x, apart, group=groups, **how), mix))
    )


def _pooling(kind: str) -> Emitter:
    def emit(g: Graph, call: Call) -> str:
        how = _moving(call.layer.sweeps(call.features[0]))
        del how["dilations"]  # runtimes differ in whether average pooling knows them
        return _of_images(g, call, lambda x: g.op(kind, x, **how))

    return emit


def _global_pooling(kind: str) -> Emitter:
    def emit(g: Graph, call: Call) -> str:
        return g.op(kind, call.x, g.integers("axes", call.layer.places), keepdims=int(call.layer.keepdims))

    return emit


def _zero_padding(g: Graph, call: Call) -> str:
    before, after = zip((0, 0), *call.layer.padding, (0, 0), strict=True)
    return g.op("Pad", call.x, g.integers("pads", (*before, *after)))


_RESIZED: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    "bilinear": {"mode": "linear"},
    "bicubic": {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1},
}


def _up_sampling(g: Graph, call: Call) -> str:
    how = _RESIZED.get(call.layer.interpolation)
    if how is None:
        raise ValueError(
            f"Layer {call.layer.name!r} cannot be exported to ONNX: it has no interpolation {call.layer.interpolation!r}. "
            f"Expected is one of {', '.join(map(repr, _RESIZED))}."
        )
    scales = g.constant("scales", (1, 1, *call.layer.size))
    return _of_images(g, call, lambda x: g.op("Resize", x, "", scales, **how))


_SMALL = 1e-7  # the least deviation that Normalization divides by

LAYERS: dict[type[Layer], Emitter] = {
    layers.Activation: _activation,
    layers.ActivityRegularization: _nothing,
    layers.Add: _of_all("Sum"),
    layers.Average: _of_all("Mean"),
    layers.AveragePooling1D: _pooling("AveragePool"),
    layers.AveragePooling2D: _pooling("AveragePool"),
    layers.BatchNormalization: _batch_normalization,
    layers.Concatenate: _concatenate,
    layers.Conv1D: _convolution,
    layers.Conv2D: _convolution,
    layers.Dense: _dense,
    layers.DepthwiseConv2D: _depthwise,
    layers.Dropout: _nothing,
    layers.ELU: _elu,
    layers.Embedding: _embedding,
    layers.Flatten: _flatten,
    layers.GaussianNoise: _nothing,
    layers.GlobalAveragePooling1D: _global_pooling("ReduceMean"),
    layers.GlobalAveragePooling2D: _global_pooling("ReduceMean"),
    layers.GlobalMaxPooling1D: _global_pooling("ReduceMax"),
    layers.GlobalMaxPooling2D: _global_pooling("ReduceMax"),
    layers.Identity: _nothing,
    layers.InputLayer: _nothing,
    layers.LayerNormalization: _layer_normalization,
    layers.LeakyReLU: _leaky_relu,
    layers.MaxPooling1D: _pooling("MaxPool"),
    layers.MaxPooling2D: _pooling("MaxPool"),
    layers.Maximum: _of_all("Max"),
    layers.Minimum: _of_all("Min"),
    layers.Multiply: _multiply,
    layers.Normalization: _normalization,
    layers.PReLU: _prelu,
    layers.PeriodicEmbedding: _periodic_embedding,
    layers.RandomContrast: _nothing,
    layers.RandomFlip: _nothing,
    layers.RandomRotation: _nothing,
    layers.RandomTranslation: _nothing,
    layers.RandomZoom: _nothing,
    layers.ReLU: _relu,
    layers.Rescaling: _rescaling,
    layers.Reshape: _reshape,
    layers.SeparableConv2D: _separable,
    layers.Softmax: _softmax,
    layers.SpatialDropout2D: _nothing,
    layers.Subtract: _of_all("Sub"),
    layers.UpSampling2D: _up_sampling,
    layers.ZeroPadding2D: _zero_padding,
}
"""Every layer that can be exported, and how it is written in ONNX."""

REFUSED: dict[type[Layer], str] = {
    layers.Lambda: "it holds a Python function, which ONNX has no form for",
}
"""Every layer that cannot be exported, and why."""
