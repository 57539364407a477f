"""A net without the softmax or sigmoid at its end: what it would say before that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from thalweg import activations, layers
from thalweg.engine import Task


def up_to_logits(model: Any) -> tuple[Task, str]:
    """The net without the softmax or sigmoid at its end, and what its outputs are then: ``'logits'`` or ``'probabilities'``.

    It stays where something else than the output needs it, or where it lies in a layer that is none of thalweg's own.
    """
    known = model.task(masked=False)
    network, output = known.network, known.network.outputs[0]
    node = network.nodes[output - len(network.inputs)] if output >= len(network.inputs) else None
    end = "logits" if getattr(model.objective.losses[0], "from_logits", False) else "probabilities"
    shared = any(output in one.inputs or (one is not node and one.layer == node.layer) for one in network.nodes if node)
    if end == "probabilities" and node is not None and not shared:
        bare = _without_end(network.layers[node.layer], network.features[output][-1])
        if bare is not None:
            kept = tuple(bare if i == node.layer else layer for i, layer in enumerate(network.layers))
            network, end = replace(network, layers=kept), "logits"
    return Task(network=network, dtype=known.dtype, masked=False), end


def _without_end(layer: Any, width: int) -> Any:
    """A layer like this one but for the softmax or sigmoid at its end; None where it has none."""
    if type(layer) is layers.Softmax:
        return layers.Identity()
    end = activations.softmax if width > 1 else activations.sigmoid
    if type(layer) not in (layers.Dense, layers.Activation) or layer.activation is not end:
        return None
    bare = layer.blueprint()
    bare.activation = activations.linear
    return bare
