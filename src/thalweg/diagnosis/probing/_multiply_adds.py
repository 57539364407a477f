"""What a net costs: the multiplications and additions of one row's way through it."""

from __future__ import annotations

import math
from typing import Any

from thalweg.network import size_of

_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def multiply_adds(model: Any) -> int:
    """Multiply-adds of one forward pass of one row: of each kernel its numbers, times the places where it is used.

    A Dense layer's kernel is used once a row (or once a step, of sequences), a convolution's at each place of what it gives;
    groups, depthwise and separable convolutions have smaller kernels, which is all the difference. Zeros that padding adds are
    multiplied too, and count. Biases, activations, pooling and normalization are not counted: they multiply no kernel.

    Args:
        model: built.

    Returns:
        How many; twice as many floating-point operations.

    Raises:
        ValueError: where the model is not built.

    Example:
        >>> import thalweg
        >>> from thalweg import layers
        >>> from thalweg.diagnosis import multiply_adds
        >>> net = [thalweg.Input((28, 28, 1)), layers.Conv2D(8, 3), layers.Flatten(), layers.Dense(10)]
        >>> multiply_adds(thalweg.Sequential(net)) == 26 * 26 * 8 * 9 + 26 * 26 * 8 * 10
        True

    Source: Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision applications".

    """
    network = model.network
    kernels = [0] * len(network.layers)
    for place in (*network.trainable, *network.frozen):
        if place.weight.name in _KERNELS:
            kernels[place.layer] += size_of(place.weight.shape)
    given = network.features[len(network.inputs) :]
    calls = zip(network.nodes, given, strict=True)
    return sum(kernels[node.layer] * math.prod(features[:-1]) for node, features in calls)
