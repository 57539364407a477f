"""A net as an ONNX file, for other programs to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

import thalweg
from thalweg.files._onnx_graph import Graph
from thalweg.files._onnx_layers import Call, emitter_of
from thalweg.network import Network, Place

_OPSET, _IR_VERSION = 20, 9  # of 2023, the first opset with Gelu; ONNX Runtime reads them since 1.17
_LIMIT = 2**31 - 2**20  # bytes: a protobuf message ends at 2 GiB, and the graph needs some room


def to_onnx(
    network: Network,
    weights: Sequence[Mapping[str, np.ndarray]],
    *,
    name: str,
    input_names: Sequence[str],
    output_names: Sequence[str],
) -> bytes:
    """A net as it is used after training, in ONNX's format.

    Dropout and noise are gone, BatchNormalization takes its moving averages. The batch's size is free: the first axis
    of every input and output is called ``batch``. All is float32, whatever the weights are.

    Args:
        network: the graph.
        weights: per layer of it, arrays by name.
        name: of the net.
        input_names, output_names: what a program feeds and fetches; a name that comes twice gets a number.

    Returns:
        The content of an ``.onnx`` file, looked over by ONNX's own checker.

    Raises:
        ImportError: where the package onnx is missing.
        ValueError: on a layer or an activation that is not the package's own, a Lambda, a number beyond float32's
            range, and weights of more than 2 GiB.

    Example:
        >>> import onnx, thalweg
        >>> model = thalweg.Sequential([thalweg.Input((3,)), thalweg.layers.Dense(2, activation='tanh')])
        >>> model.draw(0)
        >>> weights = [{v.name: v.numpy() for v in layer.variables} for layer in model.network.layers]
        >>> file = to_onnx(model.network, weights, name='small', input_names=['x'], output_names=['y'])
        >>> [node.op_type for node in onnx.load_from_string(file).graph.node]
        ['MatMul', 'Add', 'Tanh', 'Identity']

    Source: the ONNX specification, https://onnx.ai/onnx/operators.

    """
    onnx = _onnx()
    _check_size(weights)
    for layer in network.layers:
        emitter_of(layer)  # a refusal comes before any other trouble with such a layer
    features = _features(network)
    graph = Graph()
    inputs = [graph.unique(one) for one in input_names]
    outputs = [graph.unique(one) for one in output_names]
    tensors = _filled(graph, network, weights, inputs, features)
    for number, own in zip(network.outputs, outputs, strict=True):
        graph.output(tensors[number], own)
    given = [_declared(onnx, one, shape) for one, shape in zip(inputs, network.inputs, strict=True)]
    made = [_declared(onnx, one, features[number]) for one, number in zip(outputs, network.outputs, strict=True)]
    model = _written(onnx, graph, name, given, made)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _onnx() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError:
        raise ImportError("Exporting to ONNX needs the extra: pip install 'thalweg[onnx]'") from None
    return onnx


def _check_size(weights: Sequence[Mapping[str, np.ndarray]]) -> None:
    size = 4 * sum(np.size(array) for one in weights for array in one.values())
    if size > _LIMIT:
        raise ValueError(
            f"An ONNX file in one piece holds at most 2 GiB, and this net's weights take {size / 2**30:.1f} GiB in "
            "float32. Save it in another format, or export a narrower net."
        )


def _features(network: Network) -> list[tuple[int, ...]]:
    """The shape of a row of every tensor, as it comes out: some activations change what their layer declares."""
    batch = 7919  # nothing is computed; a size that no layer has is not mistaken for one

    def drawn(places: Sequence[Place]) -> tuple[Any, ...]:
        return tuple(jax.ShapeDtypeStruct(place.weight.shape, np.float32) for place in places)

    def tensors(params: Any, frozen: Any, inputs: Any) -> Any:
        return network.forward(params, frozen, network.hypers(), inputs, training=False).tensors

    rows = tuple(jax.ShapeDtypeStruct((batch, *shape), np.float32) for shape in network.inputs)
    found = jax.eval_shape(tensors, drawn(network.trainable), drawn(network.frozen), rows)
    return [tuple(one.shape[1:]) for one in found]


def _filled(
    graph: Graph,
    network: Network,
    weights: Sequence[Mapping[str, np.ndarray]],
    inputs: Sequence[str],
    features: Sequence[tuple[int, ...]],
) -> list[str]:
    """Add every call of a layer to the graph; the name of every tensor, in the network's numbering."""
    tensors = list(inputs)
    for node in network.nodes:
        layer = network.layers[node.layer]
        fed, shapes = tuple(tensors[i] for i in node.inputs), tuple(features[i] for i in node.inputs)
        with graph.within(layer.name):
            tensors.append(emitter_of(layer)(graph, Call(layer, weights[node.layer], fed, shapes)))
    return tensors


def _declared(onnx: Any, name: str, features: Sequence[int]) -> Any:
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *features])


def _written(onnx: Any, graph: Graph, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """The graph in ONNX's own classes."""
    nodes = [
        onnx.helper.make_node(one.kind, one.inputs, one.outputs, name=one.name, **one.attributes)
        for one in graph.operations
    ]
    arrays = [onnx.numpy_helper.from_array(array, key) for key, array in graph.constants.items()]
    return onnx.helper.make_model(
        onnx.helper.make_graph(nodes, name, inputs, outputs, arrays),
        producer_name="thalweg",
        producer_version=thalweg.__version__,
        opset_imports=[onnx.helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
