"""What each layer does on the way forward and is asked on the way back, as plain arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thalweg import layers
from thalweg.diagnosis.chain_rule._passes import Ground, Passes
from thalweg.diagnosis.chain_rule._walk import by_layer
from thalweg.diagnosis.chain_rule._wishes import plain


class LayerPass(NamedTuple):
    """What a layer does with some rows on the way forward, and what is asked of it on the way back.

    Attributes:
        name: the layer's, with the number of the call behind it where it is called more than once.
        kind: its class.
        number: as the course counts: 0 for the inputs, 1 for the first layer with a kernel; None for layers between.
        z: [rows, ...] its sums, before the activation; what it gives where it has none.
        activation: [rows, ...] what it gives.
        error: [rows, ...] dL/dz, L the loss of the row.
        asked: [rows, ...] -dL/da: what all that is fed by this layer asks of its activations, summed.
        fed: [rows, inputs] the activations before it, of a Dense on flat rows; else None.
        kernel: [inputs, neurons] its weights, likewise.
        bias: [neurons] likewise; None where it has none.

    """

    name: str
    kind: str
    number: int | None
    z: np.ndarray
    activation: np.ndarray
    error: np.ndarray
    asked: np.ndarray
    fed: np.ndarray | None = None
    kernel: np.ndarray | None = None
    bias: np.ndarray | None = None

    @property
    def bias_wish(self) -> np.ndarray:
        """[rows, ...] -dL/db for each neuron, whether or not it has a bias."""
        return -self.error

    @property
    def asks(self) -> np.ndarray:
        """[rows, inputs] what its neurons, their wishes summed, ask of the activations before it: ``-error @ kernel.T``.

        Raises:
            ValueError: where the layer is no Dense on flat rows.

        """
        return 0.0 - self.error @ self.dense().T

    def dense(self) -> np.ndarray:
        """The kernel.

        Raises:
            ValueError: where the layer is no Dense on flat rows.

        """
        if self.kernel is None:
            raise ValueError(
                f"{self.name!r} ({self.kind}) is no Dense layer on flat rows: its z, activation and error are told, "
                "wishes by neuron are not."
            )
        return self.kernel

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {name: plain(value) for name, value in self._asdict().items()}


def layers_of(model: Any, ground: Ground, found: Passes) -> tuple[LayerPass, ...]:
    """Both ways through a net, layer by layer, the inputs first.

    Args:
        model: that was looked at, for the names of its inputs.
        ground: what was passed through.
        found: what the passes gave.

    """
    network, first = ground.task.network, len(ground.x)
    made = [
        LayerPass(label, "Input", 0, x, x, slope, 0.0 - slope)
        for label, x, slope in zip(model.input_labels, ground.x, found.slopes[:first], strict=True)
    ]
    places = (*network.trainable, *network.frozen)
    kernels = {place.layer for place in places if place.weight.name.endswith("kernel")}
    weights = by_layer(network, ground.params, ground.frozen)
    numbered = 0
    for i, node in enumerate(network.nodes):
        layer = network.layers[node.layer]
        numbered += node.layer in kernels
        one = LayerPass(
            f"{layer.name} ({node.call + 1})" if node.call else layer.name,
            type(layer).__name__,
            numbered if node.layer in kernels else None,
            found.sums[i],
            found.tensors[first + i],
            found.errors[i],
            0.0 - found.slopes[first + i],
        )
        if type(layer) is layers.Dense and found.sums[i].ndim == 2:
            own = weights[node.layer]
            one = one._replace(fed=found.tensors[node.inputs[0]], kernel=own["kernel"], bias=own.get("bias"))
        made.append(one)
    return tuple(made)
