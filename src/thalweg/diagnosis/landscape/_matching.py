"""Hidden units of a net in the order that brings its weights closest to another's: weight matching."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg import layers

_ROUNDS = 100
_PASSED = (layers.Dropout, layers.Activation, layers.ReLU)  # they treat all units alike


def matched(model_a: Any, model_b: Any) -> list[np.ndarray]:
    """The second net's weights with its hidden units reordered, as ``get_weights`` lists them.

    One layer's order after the other is set to the best one for the others' orders, an assignment problem, until none
    changes: ``max sum_l <W_l^A, P_l^T ... W_l^B>`` over permutations by coordinate ascent.

    Raises:
        ValueError: naming the layer, where the nets are no chains of Dense layers.

    """
    from scipy.optimize import linear_sum_assignment

    ours, theirs = (_chain(model) for model in (model_a, model_b))
    orders = [np.arange(parts[0].shape[1]) for parts in theirs]  # the last one stays as it is
    for _ in range(_ROUNDS):
        before = [order.copy() for order in orders]
        for i in range(len(ours) - 1):
            into = orders[i - 1] if i else slice(None)
            alike = ours[i][0].T @ theirs[i][0][into]
            alike += ours[i + 1][0] @ theirs[i + 1][0][:, orders[i + 1]].T
            for a, b in zip(ours[i][1:], theirs[i][1:], strict=True):
                alike += np.outer(a, b)
            orders[i] = linear_sum_assignment(alike, maximize=True)[1]
        if all(np.array_equal(old, new) for old, new in zip(before, orders, strict=True)):
            break
    found = []
    for i, parts in enumerate(theirs):
        into = orders[i - 1] if i else slice(None)
        found += [parts[0][into][:, orders[i]], *(bias[orders[i]] for bias in parts[1:])]
    return found


def _chain(model: Any) -> list[list[np.ndarray]]:
    """Each Dense layer's kernel and bias, from the inputs to the outputs."""
    found: list[list[np.ndarray]] = []
    network = model.network
    straight = all(node.inputs == (i,) for i, node in enumerate(network.nodes)) and len(network.inputs) == 1
    called = [node.layer for node in network.nodes]
    if not straight or called != list(range(len(network.layers))):
        raise ValueError(f"align=True needs a chain of layers, each called once; {model.name!r} is none: align=False.")
    for layer in network.layers:
        if isinstance(layer, layers.Dense):
            found.append([np.asarray(variable.numpy(), np.float64) for variable in layer.variables])
        elif not isinstance(layer, _PASSED) and not (isinstance(layer, layers.Flatten) and not found):
            raise ValueError(
                f"align=True knows Dense, Dropout, Activation and ReLU layers, and Flatten before them; {layer.name!r} is a "
                f"{type(layer).__name__}: align=False."
            )
    return found
