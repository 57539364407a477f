"""What is drawn of a net for one example, as plain data: a few neurons of each layer, the weights between them, what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.diagnosis._plain import plain

if TYPE_CHECKING:
    from thalweg.diagnosis.chain_rule._backprop import Backprop
    from thalweg.diagnosis.chain_rule._layer_pass import LayerPass

_MOST = 12  # neurons of a layer


class Column(NamedTuple):
    """A layer as it is drawn.

    Attributes:
        title: above it.
        layer: its name.
        neurons: which are drawn.
        activation, asked: of all its neurons: what they give, and how that should change; of the last layer how its sums should.

    """

    title: str
    layer: str
    neurons: np.ndarray
    activation: np.ndarray
    asked: np.ndarray

    def record(self) -> dict[str, Any]:
        """As plain data: of the neurons that are drawn, and over the largest of all."""
        return {
            "title": self.title,
            "layer": self.layer,
            "neurons": self.neurons.tolist(),
            "total": len(self.activation),
            "activation": plain(self.activation[self.neurons]),
            "asked": plain(self.asked[self.neurons]),
            "largest": plain(np.abs(self.activation).max()),
            "most_asked": plain(np.abs(self.asked).max()),
        }


class DrawnNetwork(NamedTuple):
    """A net for one example.

    Attributes:
        columns: what feeds the first Dense, then each Dense.
        weights: between each column and the next, [left drawn, right drawn]; None where that is fed by something else.
        names: of the outputs.
        right: which output is the right one, where the target is a class.
        loss: of the example.

    """

    columns: tuple[Column, ...]
    weights: tuple[np.ndarray | None, ...]
    names: tuple[str, ...]
    right: int | None
    loss: float

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {
            "columns": [one.record() for one in self.columns],
            "weights": [None if one is None else plain(one) for one in self.weights],
            "names": list(self.names),
            "right": self.right,
            "loss": plain(self.loss),
        }


def drawn_network(found: Backprop, example: int, marked: tuple[str, int] | None = None) -> DrawnNetwork:
    """What is drawn of a net for one example.

    Args:
        found: of the net.
        example: which.
        marked: layer and number of a neuron that is drawn in any case.

    Raises:
        ValueError: where the net has no Dense layer on flat rows.

    """
    dense = [one for one in found.layers if one.kernel is not None]
    if not dense:
        raise ValueError("The picture shows Dense layers on flat rows, and the net has none. Print the result instead.")
    columns = _columns(found, dense, example, marked)
    weights = tuple(_weights(one, example, columns[i], columns[i + 1]) for i, one in enumerate(dense))
    outputs = len(columns[-1].activation)
    names = found.class_names if len(found.class_names) == outputs else tuple(map(str, range(outputs)))
    right = _class_of(found.targets[example], outputs) if outputs > 1 else None
    return DrawnNetwork(tuple(columns), weights, names, right, float(found.losses[example]))


def _columns(found: Backprop, dense: list[LayerPass], example: int, marked: tuple[str, int] | None) -> list[Column]:
    """What feeds the first Dense, and each Dense, as what it hands to the next where that is as wide."""
    first = dense[0]
    assert first.fed is not None
    columns = [_column(_title(found, first), "", first.fed[example], first.asks[example])]
    for one, after in zip(dense, [*dense[1:], None], strict=True):
        handed = found.is_chain and after is not None and after.fed is not None and after.fed.shape[1] == one.z.shape[1]
        given = after.fed[example] if handed else one.activation[example]  # type: ignore[index, union-attr]
        own = -one.error if after is None else one.asked  # of outputs: for softmax the target less the activation
        asked = after.asks[example] if handed else own[example]  # type: ignore[union-attr]
        drawn = marked[1] if marked is not None and marked[0] == one.name else None
        columns.append(_column(f"{one.number} {one.name}", one.name, given, asked, drawn))
    return columns


def _title(found: Backprop, first: LayerPass) -> str:
    assert first.fed is not None
    inputs = found.layers[0].activation
    return "inputs" if np.array_equal(inputs.reshape(len(inputs), -1), first.fed) else f"before {first.name}"


def _column(title: str, layer: str, activation: np.ndarray, asked: np.ndarray, drawn: int | None = None) -> Column:
    """Of a wide layer those are drawn by whose activations the loss hangs most, ``|a * dL/da|``; of equals the most active.

    One is `drawn` in any case.
    """
    order = np.lexsort((-np.abs(activation), -np.abs(activation * asked), np.arange(len(activation)) != drawn))
    neurons = np.sort(order[:_MOST])
    return Column(title, layer, neurons, activation, asked)


def _weights(layer: LayerPass, example: int, left: Column, right: Column) -> np.ndarray | None:
    assert layer.kernel is not None and layer.fed is not None, "only Dense layers are drawn"
    if not np.array_equal(layer.fed[example], left.activation, equal_nan=True):
        return None  # fed by something else than the column beside it
    return np.asarray(layer.kernel[np.ix_(left.neurons, right.neurons)])


def _class_of(target: np.ndarray, outputs: int) -> int | None:
    """The class that a target names: a number, or the one place of a 1."""
    if target.size == 1:
        value = float(target.reshape(()))
        return int(value) if value.is_integer() and 0 <= value < outputs else None
    ones = target.ravel() == 1
    return (
        int(ones.argmax()) if target.size == outputs and ones.sum() == 1 and not target.ravel()[~ones].any() else None
    )
