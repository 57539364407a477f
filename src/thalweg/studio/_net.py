"""A look into a net: what it answers to a picture that somebody draws, and what backpropagation would ask of it.

Nothing here is done by the thread that trains but for copying weights, at safe points, while somebody looks.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import layers, models
from thalweg._names import Table
from thalweg.diagnosis import backprop
from thalweg.files import FileError
from thalweg.studio._live import plain
from thalweg.studio._steering import Refused

_LOOKS = 3.0  # seconds for which somebody counts as looking
_FRESH = 0.3  # between two copies of the weights
_LARGEST = 20_000_000  # weights of a net that is copied while it trains
_PATIENCE = 3.0  # seconds to wait for the first copy
_CLASSES = 1000  # outputs that are told at most


class Mirror:
    """A net's twin, with the weights of a moment ago.

    Args:
        picture: height, width and channels of what it sees, or None.
        ends: the least and the largest number of its inputs.

    """

    def __init__(self, picture: tuple[int, int, int] | None, ends: tuple[float, float]) -> None:
        self.picture, self.ends = picture, ends
        self._twin: Any = None
        self._weights: list[np.ndarray] | None = None
        self._asked = self._taken = -math.inf
        self._new = threading.Event()
        self._lock = threading.Lock()

    def pass_by(self, model: Any) -> None:
        """Copy the weights where somebody looks; for the thread that trains."""
        now = time.monotonic()
        if now - self._asked > _LOOKS or now - self._taken < _FRESH or model.count_params() > _LARGEST:
            return
        if self._twin is None:
            self._twin = model.twin()
            self._twin.class_names = model.class_names
        self._weights, self._taken = model.get_weights(), now
        self._new.set()

    def stay(self, model: Any) -> None:
        """The fit is over: the net stays as it is."""
        self._asked, self._taken = time.monotonic(), -math.inf
        self.pass_by(model)

    def net(self) -> Any:
        """The twin as it is now; whoever calls this may use it until the next call.

        Raises:
            Refused: where the fit does not come by.

        """
        self._asked = time.monotonic()
        if not self._new.wait(_PATIENCE):
            raise Refused("The net is busy: it compiles, or its batches are slow. Try again.")
        weights, self._weights = self._weights, None
        if weights is not None:
            self._twin.set_weights(weights)
        return self._twin

    def look(self, wish: Mapping[str, Any]) -> Any:
        """What was asked for, one after the other."""
        with self._lock:
            return LOOKS[str(wish.get("do"))](self, self.net(), wish)


class Kept(Mirror):
    """The net of a run that nobody trains, from its file."""

    def __init__(self, path: Path) -> None:
        try:
            self._read = models.load_model(path)
        except (FileError, ValueError, OSError) as error:
            raise Refused(f"{path.name} cannot be read here: {error}") from None
        super().__init__(*sight_of(self._read, None))

    def net(self) -> Any:
        return self._read


def sight_of(model: Any, rows: Any) -> tuple[tuple[int, int, int] | None, tuple[float, float]]:
    """What a net sees: the shape of a picture or None, and the range of its numbers.

    Args:
        model: the net.
        rows: inputs that it learns from, or None: then a Rescaling at its begin tells.

    """
    shape = tuple(model.inputs[0].features) if model.built and len(model.inputs) == 1 else ()
    picture = models.picture_of(shape, flat=True) if shape else None
    if rows is not None:
        return picture, (float(np.min(rows)), float(np.max(rows)))
    scales = [one.scale for one in model.layers[:4] if isinstance(one, layers.Rescaling) and np.ndim(one.scale) == 0]
    return picture, (0.0, 1 / float(scales[0]) if scales and scales[0] > 0 else 1.0)


def _answer(mirror: Mirror, model: Any, wish: Mapping[str, Any]) -> Any:
    """What the net says to a picture, and where a class is named what it would be asked to change."""
    if mirror.picture is None:
        raise Refused("This net sees no pictures: there is nothing to draw for it.")
    x = _pixels(mirror, wish.get("pixels")).reshape(1, *model.inputs[0].features)
    outputs = np.asarray(model.predict(x, verbose=0), np.float64)[0].reshape(-1)
    if len(outputs) > _CLASSES:
        raise Refused(f"This net has {len(outputs):,} outputs: the page shows {_CLASSES:,} at most.")
    names = list(map(str, model.class_names or range(len(outputs))))
    answer = {"outputs": plain(_chances(model, outputs)), "names": names}
    label = wish.get("label")
    if label is not None:
        answer.update(_asked(model, x, label, len(outputs), mirror))
    return answer


def _asked(model: Any, x: np.ndarray, label: Any, outputs: int, mirror: Mirror) -> dict[str, Any]:
    """Backpropagation's wishes for one picture and the class that it is given."""
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < max(outputs, 2):
        raise Refused(f"label must be a whole number from 0 to {max(outputs, 2) - 1}, got {label!r}.")
    loss = type(model.objective.losses[0]).__name__ if model.objective is not None else "none"
    sparse = loss == "SparseCategoricalCrossentropy" or outputs == 1
    y = np.array([label]) if sparse else np.eye(outputs)[[label]]
    try:
        found = backprop(model, x, y)
        network = found.network().record()
    except ValueError as error:
        return {"why": str(error)}
    wishes = found.asked_of(0, 0)
    return {"network": network, "wishes": plain(np.asarray(wishes).reshape(mirror.picture).mean(axis=-1))}


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


def _sight(mirror: Mirror, model: Any, wish: Mapping[str, Any]) -> Any:
    """What the net sees, and what it tells apart."""
    outputs = math.prod(model.outputs[0].features)
    names = list(map(str, model.class_names or range(outputs)))[:_CLASSES]
    return {"picture": mirror.picture and list(mirror.picture), "names": names, "layers": len(model.layers)}


LOOKS: Mapping[str, Callable[[Mirror, Any, Mapping[str, Any]], Any]] = Table(
    "look", {"answer": _answer, "sight": _sight}
)
"""What may be asked of a net, beside what may be asked of its fit."""
