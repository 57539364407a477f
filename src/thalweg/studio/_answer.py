"""What a net says to a picture that somebody draws or to a row that somebody chooses, and what backpropagation would ask of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.diagnosis import backprop
from thalweg.studio._examples import chosen
from thalweg.studio._live import plain
from thalweg.studio._steering import Refused

if TYPE_CHECKING:
    from thalweg.studio._net import Mirror

CLASSES = 1000
"""Outputs that are told at most."""


def answer(mirror: Mirror, wish: Mapping[str, Any]) -> Any:
    """What the net says, and where it is known what is right what it would be asked to change.

    A wish has ``pixels``, or ``part`` and ``row`` of the data; ``label`` says what is right, else the row's target does.
    """
    model, row = mirror.net(), None
    if "part" in wish:
        row = chosen(mirror, wish)
        x = row.x
    elif mirror.picture is None:
        raise Refused("This net sees no pictures: there is nothing to draw for it. Choose a row.")
    else:
        x = _pixels(mirror, wish.get("pixels")).reshape(1, *model.inputs[0].features)
    said = model.predict(x, verbose=0)
    outputs = np.asarray(said[0] if isinstance(said, list) else said, np.float64)[0].reshape(-1)
    if len(outputs) > CLASSES:
        raise Refused(f"This net has {len(outputs):,} outputs: the page shows {CLASSES:,} at most.")
    found = {
        "outputs": plain(_chances(model, outputs)),
        "names": mirror.sight["names"],
    }
    label = wish.get("label")
    if label is not None:
        return {**found, **_asked(mirror, model, x, _target_of(model, label, len(outputs)))}
    return found if row is None or not row.part.y else {**found, **_asked(mirror, model, x, row.y)}


def _target_of(model: Any, label: Any, outputs: int) -> np.ndarray:
    """A class as the loss takes it."""
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < max(outputs, 2):
        raise Refused(f"label must be a whole number from 0 to {max(outputs, 2) - 1}, got {label!r}.")
    loss = type(model.objective.losses[0]).__name__ if model.objective is not None else "none"
    sparse = loss == "SparseCategoricalCrossentropy" or outputs == 1
    return np.array([label]) if sparse else np.eye(outputs)[[label]]


def _asked(mirror: Mirror, model: Any, x: Any, y: Any) -> dict[str, Any]:
    """Backpropagation's wishes for one row and what is right for it."""
    try:
        found = backprop(model, x, y)
        told: dict[str, Any] = {"network": found.network().record()}
    except ValueError as error:
        return {"why": str(error)}
    if len(model.inputs) > 1:
        return told
    wishes = np.asarray(found.asked_of(0, 0))
    if mirror.picture is not None:
        return {**told, "wishes": plain(wishes.reshape(mirror.picture).mean(axis=-1))}
    return {**told, "asked": plain(wishes.ravel()[:CLASSES])}


def _pixels(mirror: Mirror, given: Any) -> np.ndarray:
    """Numbers from 0 to 1 as the net learnt them."""
    assert mirror.picture is not None
    size, (low, high) = math.prod(mirror.picture), mirror.ends
    try:
        pixels = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        pixels = np.empty(0, np.float32)
    if pixels.size * mirror.picture[2] == size and mirror.picture[2] > 1:  # a grey picture for a net that sees colours
        pixels = np.repeat(pixels.reshape(-1, 1), mirror.picture[2], axis=1)
    if pixels.size != size or not np.isfinite(pixels).all():
        raise Refused(f"pixels must be {size:,} numbers from 0 to 1, got {str(given)[:40]}.")
    return low + np.clip(pixels, 0, 1) * (high - low)


def _chances(model: Any, outputs: np.ndarray) -> np.ndarray:
    """Probabilities, where the net gives logits."""
    loss = model.objective.losses[0] if model.objective is not None else None
    if getattr(loss, "from_logits", False) and len(outputs) > 1:
        grown = np.exp(outputs - outputs.max())
        return np.asarray(grown / grown.sum())
    return outputs
