"""A look into a net: a twin with its weights of a moment ago, and what may be asked of it.

Nothing here is done by the thread that trains but for copying weights, at safe points, while somebody looks.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import data, layers, models
from thalweg._names import Table
from thalweg.files import FileError
from thalweg.studio._answer import CLASSES, answer
from thalweg.studio._diagnosis import Consultation
from thalweg.studio._examples import example, tells_classes
from thalweg.studio._inside import Inside
from thalweg.studio._rows import Sample
from thalweg.studio._steering import Refused
from thalweg.studio._weights import kernels_of, weights

_LOOKS = 3.0  # seconds for which somebody counts as looking
_FRESH = 0.3  # between two copies of the weights
_LARGEST = 20_000_000  # weights of a net that is copied while it trains
_PATIENCE = 3.0  # seconds to wait for the first copy


def _none() -> Sample:
    raise Refused("There are no rows of this net at hand.")


class Mirror:
    """A net's twin, with the weights of a moment ago.

    Args:
        model: the net, built.
        sample: gives some of its rows; raises :class:`Refused` where there are none.
        rows: the same where they are at hand already, or None.
        readers: how many read its page.
        epochs: gives what its fit has come to, a dict of logs an epoch.

    Attributes:
        picture: height, width and channels of what it sees, or None.
        ends: the least and the largest number of its inputs.
        sight: what there is to look at, as the page is told.
        inside: histograms of what its layers hold.

    """

    of = ""  # which net of the run it is, where it is not the newest

    def __init__(
        self,
        model: Any,
        sample: Callable[[], Sample] = _none,
        rows: Sample | None = None,
        readers: Callable[[], int] = lambda: 1,
        epochs: Callable[[], list[dict[str, Any]]] = list,
    ) -> None:
        self.picture, self.ends = sight_of(model, None if rows is None else rows.x[0])
        if (rows is not None and rows.names) or "columns" in (model.preprocessing or {}):
            self.picture = None  # a table, even where its columns are as many as a square has places
        self.sample, self.epochs, self.inside = sample, epochs, Inside(sample, readers)
        self.consultation = Consultation()
        self.parameters = model.count_params()
        self.sight = self._sight(model)
        self._twin: Any = None
        self._weights: list[np.ndarray] | None = None
        self._asked = self._taken = -math.inf
        self._rests = self._stays = False  # whether nobody trains it at the moment, or any more
        self._over: Any = None  # a large net that nobody trains any more, of which there is no copy yet
        self._new = threading.Event()
        self._lock = threading.Lock()

    @property
    def is_large(self) -> bool:
        """Whether it is not copied while it trains."""
        return bool(self.parameters > _LARGEST)

    @property
    def too_large(self) -> str:
        """Words for a net that is not copied while it trains."""
        return (
            f"The net has {self.parameters:,} weights; while it trains it is looked into up to {_LARGEST:,}. Pause the fit, or wait "
            "until it is over."
        )

    def pass_by(self, model: Any, rests: bool = False) -> None:
        """Copy the weights where somebody looks; for the thread that trains.

        Args:
            model: at a safe point.
            rests: whether the fit waits there, so that a copy takes nobody's time.

        """
        now = time.monotonic()
        if rests and not self._rests:
            self._new.clear()  # what was copied on the way is not yet what it has come to
            self._taken = -math.inf
        self._rests = rests
        self.inside.pass_by(model, copies=not rests and not self.is_large)
        if now - self._asked > _LOOKS or now - self._taken < _FRESH or (self.is_large and not rests):
            return
        self._copy(model)

    def _copy(self, model: Any) -> None:
        if self._twin is None:
            self._twin = model.twin()
            self._twin.class_names = class_names_of(model)
        self._weights, self._taken = model.get_weights(), time.monotonic()
        self._new.set()

    def stay(self, model: Any) -> None:
        """The fit is over: the net stays as it is. A large one is copied once somebody looks."""
        self._rests = self._stays = True
        if self.is_large:
            self._over = model
        else:
            self._copy(model)

    def net(self) -> Any:
        """The twin as it is now; whoever calls this may use it until the next call.

        Raises:
            Refused: where the fit does not come by.

        """
        now, before = time.monotonic(), self._asked
        self._asked = now
        if self.is_large and not self._rests:
            raise Refused(self.too_large)
        if self._over is not None:
            self._copy(self._over)
            self._over = None
        elif now - before > _LOOKS and not self._stays:
            self._new.clear()  # what was copied for somebody else is old
        if not self._new.wait(_PATIENCE):
            raise Refused("The net is busy: it compiles, or its batches are slow. Try again.")
        copied, self._weights = self._weights, None
        if copied is not None:
            self._twin.set_weights(copied)
        return self._twin

    @property
    def rests(self) -> bool:
        """Whether nobody trains the net at the moment."""
        return self._rests

    def look(self, wish: Mapping[str, Any]) -> Any:
        """What was asked for; looks are taken one after the other, but for those that take long."""
        name = str(wish.get("do"))
        if name in SLOW:
            return SLOW[name](self, wish)
        with self._lock:
            return LOOKS[name](self, wish)

    @contextmanager
    def held(self) -> Iterator[Any]:
        """The net, while nobody else looks into it.

        Raises:
            Refused: where the fit does not come by.

        """
        with self._lock:
            yield self.net()

    def _sight(self, model: Any) -> dict[str, Any]:
        outputs = math.prod(model.outputs[0].features) if model.built else 0
        return {
            "picture": self.picture and list(self.picture),
            "names": list(map(str, class_names_of(model) or range(outputs)))[:CLASSES],
            "layers": len(model.layers),
            "parameters": self.parameters,
            "largest": _LARGEST,
            "kernels": kernels_of(model, self.picture),
            "tells_classes": tells_classes(model),
            "of": self.of,
        }


class Kept(Mirror):
    """A net that nobody trains: the best one of a run, which the last one need not be."""

    of = "the best epoch"

    def __init__(
        self, model: Any, sample: Callable[[], Sample] = _none, epochs: Callable[[], list[dict[str, Any]]] = list
    ) -> None:
        super().__init__(model, sample, epochs=epochs)
        model.class_names = class_names_of(model)
        self._read = model
        self._rests = self._stays = True

    @classmethod
    def from_file(
        cls, path: Path, sample: Callable[[], Sample] = _none, epochs: Callable[[], list[dict[str, Any]]] = list
    ) -> Kept:
        """That of a run.

        Raises:
            Refused: where it cannot be read.

        """
        try:
            return cls(models.load_model(path), sample, epochs)
        except (FileError, ValueError, OSError) as error:
            raise Refused(f"{path.name} cannot be read here: {error}") from None

    def net(self) -> Any:
        return self._read


def class_names_of(model: Any) -> list[str] | None:
    """What the classes are called, by the net or by the recipe of its table; None where nobody says.

    Args:
        model: the net.

    """
    if model.class_names or "goal" not in (model.preprocessing or {}):
        found: list[str] | None = model.class_names
        return found
    classes = getattr(data.read_recipe(model.preprocessing).goal, "classes", None)
    return None if classes is None else list(map(str, classes))


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


def _sight(mirror: Mirror, wish: Mapping[str, Any]) -> Any:
    """What the net sees, and what it tells apart."""
    return mirror.sight


def _inside(mirror: Mirror, wish: Mapping[str, Any]) -> Any:
    """Histograms over time, as far as the page has not got them."""
    after = wish.get("after", 0)
    if not isinstance(after, int) or isinstance(after, bool):
        raise Refused(f"after must be the number of a look, got {after!r}.")
    if mirror.rests:
        mirror.inside.at_rest(mirror.net())
    why = mirror.too_large if mirror.is_large and not mirror.rests else mirror.inside.why
    return {**mirror.inside.looks.since(after), "why": why}


LOOKS: Mapping[str, Callable[[Mirror, Mapping[str, Any]], Any]] = Table(
    "look", {"answer": answer, "example": example, "inside": _inside, "sight": _sight, "weights": weights}
)
"""What may be asked of a net, beside what may be asked of its fit."""
SLOW: Mapping[str, Callable[[Mirror, Mapping[str, Any]], Any]] = Table(
    "look", {"diagnosis": lambda mirror, wish: mirror.consultation.look(mirror, wish)}
)
"""Likewise, but nobody else waits for it."""
