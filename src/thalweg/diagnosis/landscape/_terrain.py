"""The loss of a net as a function of its weights, one vector, on some rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from thalweg import config, data
from thalweg._checks import arguments, whole
from thalweg._names import unknown
from thalweg.data import Rows
from thalweg.diagnosis._measured import rows_of
from thalweg.diagnosis._tasks import Classes, Labels, task_of
from thalweg.diagnosis.landscape import _programs
from thalweg.engine import Task, order_of, program_of
from thalweg.engine._feed import place_rows
from thalweg.models._checks import per_row
from thalweg.models._fit import looked_over
from thalweg.network import size_of

PRECISIONS = ("float32", "float64")
_BATCH = 512  # rows at a time
_BOUNDS = {"batch_size": (whole(1), "a positive integer, or None")}
VECTORS = 4  # directions that the Hessian is multiplied with at a time
POINTS = 64  # of a plane, at a time


@dataclass(frozen=True, eq=False)
class Terrain:
    """The loss of a net as a function of all its weights, laid out as one vector, those that are trained first.

    Attributes:
        task: what is compiled.
        weights: the net's own, float64 [all weights].
        size: how many of them are trained.
        precision: of all that is computed.
        penalties: whether the loss holds the penalties on weights and outputs.
        decided: how an output becomes an answer: ``'class'``, the threshold of yes, or None where there are no answers.
        rows: how many rows there are.

    """

    task: Task
    weights: np.ndarray
    size: int
    precision: str
    penalties: bool
    decided: Any
    rows: int
    _vector: Any
    _rows: Any

    @property
    def epsilon(self) -> float:
        """The distance from 1 to the next number."""
        return float(np.finfo(self.precision).eps)

    def shaped(self, flat: np.ndarray) -> list[np.ndarray]:
        """A vector as arrays, one a weight: trained ones, then the others where it is long enough."""
        places = [*self.task.network.trainable, *self.task.network.frozen]
        sizes = [size_of(place.weight.shape) for place in places]
        ends = np.cumsum(sizes)
        return [
            flat[end - size : end].reshape(place.weight.shape)
            for place, size, end in zip(places, sizes, ends, strict=True)
            if end <= len(flat)
        ]

    def whole(self, trained: np.ndarray) -> np.ndarray:
        """A direction of the trained weights as one of all; the others stand still."""
        return np.concatenate([trained, np.zeros(len(self.weights) - self.size)])

    def loss(self, weights: np.ndarray | None = None) -> float:
        """At the net's own weights, or others."""
        here = self.weights if weights is None else weights
        still = np.zeros_like(here)
        return float(self.on_plane(here, still, still, np.zeros(1), np.zeros(1))[0][0])

    def on_plane(
        self, weights: np.ndarray, first: np.ndarray, second: np.ndarray, a: np.ndarray, b: np.ndarray, told: Any = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Losses, and shares of wrong rows or None, at ``weights + a first + b second``, one a pair of a and b.

        Args:
            weights, first, second: [all weights] each.
            a, b: [points] each.
            told: is called with the number of points done, now and then.

        """
        run = self._program(_programs.losses_on_plane, self.decided)
        place = self._placed(weights, first, second)
        found: list[Any] = []
        for start in range(0, len(a), POINTS):
            some = [np.zeros(POINTS), np.zeros(POINTS)]
            count = min(POINTS, len(a) - start)
            for room, values in zip(some, (a, b), strict=True):
                room[:count] = values[start : start + count]
            losses, wrong = self._called(run, *place, *some, np.int32(count))
            found.append((losses[:count], wrong[:count]))
            if told is not None:
                told(start + count)
        losses, wrong = (np.concatenate(parts) for parts in zip(*found, strict=True))
        losses[~np.isfinite(losses)] = np.nan
        if self.decided is None:
            return losses, None
        return losses, np.where(np.isnan(losses), np.nan, wrong)

    def slope(self, weights: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """The loss, and its gradient by the trained weights."""
        loss, gradient = self._called(self._program(_programs.slope), self.weights if weights is None else weights)
        return float(loss), gradient

    def products(self, weights: np.ndarray | None = None) -> Callable[[np.ndarray], np.ndarray]:
        """A function that multiplies the Hessian with vectors, [vectors, trained weights]."""
        run = self._program(_programs.products)
        (place,) = self._placed(self.weights if weights is None else weights)

        def times(vectors: np.ndarray) -> np.ndarray:
            found = []
            for start in range(0, len(vectors), VECTORS):
                some = np.zeros((VECTORS, self.size))
                part = vectors[start : start + VECTORS]
                some[: len(part)] = part
                found.append(self._called(run, place, some)[: len(part)])
            return np.concatenate(found)

        return times

    def plane_slope(self) -> tuple[Any, Any, tuple[Any, ...]]:
        """A function of a point, of `weights` and a plane, and of more; its key; and what is more."""
        at = _programs.plane_slope(self.task, self.penalties)
        return at, (self.task.structure, self.penalties), (self._vector, self._rows)

    def _program(self, make: Any, *how: Any) -> Any:
        key = (self.task.structure, self.penalties, *how)
        return program_of(make, self.task, self.penalties, *how, key=key)

    def _placed(self, *arrays: np.ndarray) -> list[Any]:
        with config.precision(self.precision):
            return [jax.device_put(one.astype(self.precision)) for one in arrays]

    def _called(self, run: Any, *arguments: Any) -> Any:
        """What a program gives, as float64 on the host."""
        with config.precision(self.precision):
            cast = [
                one.astype(self.precision) if isinstance(one, np.ndarray) and one.dtype.kind == "f" else one
                for one in arguments
            ]
            found = jax.device_get(run(*cast, self._vector, self._rows))
        return jax.tree.map(lambda one: np.array(one, np.float64), found)


def terrain_of(
    who: str, model: Any, x: Any, y: Any, *, precision: str, penalties: bool = True, batch_size: int | None = None
) -> Terrain:
    """Look the rows over, and lay the net's loss out as a function of its weights.

    Args:
        who: asks, for messages.
        model: compiled with a loss; its weights are drawn where they are not yet.
        x, y: rows, as in ``fit``.
        precision: ``'float32'`` or ``'float64'``.
        penalties: whether penalties on weights and outputs are part of the loss.
        batch_size: rows at a time; None: some hundred.

    Raises:
        DataError: on rows that do not fit the net, or hold numbers that are none.
        ValueError: where the net has no loss or nothing to train, or on another precision or batch_size.

    """
    arguments(who, {} if batch_size is None else {"batch_size": batch_size}, _BOUNDS)
    if precision not in PRECISIONS:
        raise ValueError(unknown("precision", precision, PRECISIONS))
    if model.compiled is None or model.compiled.loss is None:
        raise ValueError(f"{model.name!r} has no loss, whose shape is asked for: model.compile(loss=...) first.")
    rows = rows_of(model, (x, y), who)
    model.ready(rows)
    looked_over(model, rows, who)
    trained, frozen = model.arrays()
    if not trained:
        raise ValueError(f"{model.name!r} has no weights that are trained: nothing moves its loss.")
    flat = np.concatenate([np.asarray(one, np.float64).reshape(-1) for one in (*trained, *frozen)])
    if not np.isfinite(flat).all():
        raise ValueError(f"{model.name!r} has weights that are no finite numbers: train it anew, with a lower rate.")
    masked = per_row(model, rows)
    whole = model.task(masked=masked)
    task = Task(network=whole.network, objective=whole.objective, masked=masked).blueprint()
    decided, answers = _answers(model, rows)
    with config.precision(precision):
        vector = task.hypers().astype(precision)
        placed = _placed(rows, answers, batch_size or _BATCH, masked)
    size = sum(size_of(place.weight.shape) for place in task.network.trainable)
    return Terrain(task, flat, size, precision, bool(penalties), decided, rows.n, vector, placed)


def flat_of(model: Any, weights: Sequence[Any]) -> np.ndarray:
    """Weights as ``model.get_weights()`` lists them, as one vector, those that are trained first.

    Raises:
        ValueError: where they are not of the net's shapes.

    """
    mine = model.weights
    shapes = [np.shape(one) for one in weights]
    if shapes != [one.shape for one in mine]:
        raise ValueError(
            f"Weights must be as {model.name!r}.get_weights() lists them, of shapes {[one.shape for one in mine]}, got {shapes}."
        )
    by_id = {id(variable): value for variable, value in zip(mine, weights, strict=True)}
    order = (*model._held(True), *model._held(False))
    return np.concatenate([np.asarray(by_id[id(one)], np.float64).reshape(-1) for one in order])


def _placed(rows: Rows, answers: np.ndarray, batch_size: int, masked: bool) -> Any:
    """Rows on the device, the order in which they are read, and in how many steps."""
    room = data.capacity(rows.n) if masked else rows.n
    batch = min(int(batch_size), room) if masked else rows.n
    steps = -(-rows.n // batch)
    held = np.zeros((room, *answers.shape[1:]), np.int32)
    held[: rows.n] = answers
    order = order_of(rows.n, batch, steps, 0)
    return place_rows(rows, room), jax.device_put(held), jax.device_put(order), np.int32(steps)


def _answers(model: Any, rows: Rows) -> tuple[Any, np.ndarray]:
    """How answers are read off the outputs, and the right ones."""
    nothing = np.zeros(rows.n, np.int32)
    if len(model.outputs) != 1 or len(model.outputs[0].features) != 1:
        return None, nothing  # what is wrong is told of one answer, or one set of labels, a row
    task = task_of(model)
    if isinstance(task, Classes):
        return "class" if task.threshold is None else task.threshold, task.targets(rows.y[0])
    return (task.threshold, task.targets(rows.y[0])) if isinstance(task, Labels) else (None, nothing)
