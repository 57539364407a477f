"""Rows that a person chooses: one as the net sees it, and the next one that it gets wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg import losses
from thalweg.studio._live import plain
from thalweg.studio._rows import Part
from thalweg.studio._steering import Refused

if TYPE_CHECKING:
    from thalweg.studio._net import Mirror

_SHOWN = 40  # features of a row that are told
_DIGITS = 3  # of a pixel


class Chosen(NamedTuple):
    """A row of a run's data.

    Attributes:
        part: of which it is one.
        number: which of them.

    """

    part: Part
    number: int

    @property
    def x(self) -> Any:
        """As a net is given one row."""
        return _given(tuple(one[self.number : self.number + 1] for one in self.part.x))

    @property
    def y(self) -> Any:
        """Its target, likewise."""
        return _given(tuple(one[self.number : self.number + 1] for one in self.part.y))


def _given(arrays: tuple[np.ndarray, ...]) -> Any:
    return arrays[0] if len(arrays) == 1 else list(arrays)


def chosen(mirror: Mirror, wish: Mapping[str, Any]) -> Chosen:
    """The row that a wish names by ``part`` and ``row``, which counts the rows at hand from 0.

    Raises:
        Refused: where there is none.

    """
    name, number = wish.get("part"), wish.get("row")
    sample = mirror.sample()
    parts = {"training": sample.training, "validation": sample.validation}
    part = parts.get(name) if isinstance(name, str) else None
    if part is None:
        known = " or ".join(repr(key) for key, one in parts.items() if one is not None)
        raise Refused(f"part must be {known}, got {str(name)[:50]!r}.")
    count = len(part.numbers)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < count:
        raise Refused(f"row must be a whole number from 0 to {count - 1}, got {str(number)[:50]}.")
    return Chosen(part, number)


def example(mirror: Mirror, wish: Mapping[str, Any]) -> Any:
    """A row: its picture or its features, and what is right for it; with ``wrong`` the next one that the net gets wrong."""
    one = chosen(mirror, wish)
    if wish.get("wrong"):
        one = _next_wrong(mirror, one)
    classes = _classes(mirror.sight, one.part)
    return {
        "row": one.number,
        "count": len(one.part.numbers),
        "place": int(one.part.numbers[one.number]),
        "total": one.part.total,
        "label": None if classes is None else int(classes[one.number]),
        "target": _target(one),
        **_shown(mirror, one),
    }


def _shown(mirror: Mirror, one: Chosen) -> dict[str, Any]:
    """What the net sees of it: a grey picture for the pad, or features with their names."""
    if mirror.picture is not None:
        low, high = mirror.ends
        share = (one.x[0].reshape(mirror.picture).mean(axis=-1) - low) / ((high - low) or 1.0)
        return {"pixels": np.clip(share, 0, 1).round(_DIGITS).ravel().tolist()}
    values = np.concatenate([array[one.number].ravel() for array in one.part.x])
    names = mirror.sample().names or [f"input {i + 1}" for i in range(len(values))]
    features = [[name, plain(value)] for name, value in zip(names, values[:_SHOWN], strict=False)]
    return {"features": features, "left_out": max(0, len(values) - _SHOWN)}


def _target(one: Chosen) -> list[float | None]:
    """The numbers that are right, the first ones of many."""
    found = [float(value) for array in one.part.y for value in array[one.number].ravel()[:_SHOWN]]
    return list(plain(found))


def _classes(sight: Mapping[str, Any], part: Part) -> np.ndarray | None:
    """The class of each row, where its target names one: by number, or as the place of the one among zeros."""
    if len(part.y) != 1 or not sight["tells_classes"]:
        return None
    y = part.y[0].reshape(len(part.numbers), -1)
    return np.asarray(y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1), int)


def tells_classes(model: Any) -> bool:
    """Whether a net tells classes apart, one of them right for a row."""
    given: Any = model.objective.losses if model.objective is not None else ()
    if len(given) != 1 or len(model.outputs) != 1:
        return False
    binary = isinstance(given[0], losses.BinaryCrossentropy) and int(np.prod(model.outputs[0].features)) == 1
    return binary or isinstance(given[0], (losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy))


def _next_wrong(mirror: Mirror, one: Chosen) -> Chosen:
    """The next row that the net takes for another class, once around."""
    model, right = mirror.net(), _classes(mirror.sight, one.part)
    if right is None:
        raise Refused("wrong: this net tells no classes apart, so no row is simply wrong.")
    scores = np.asarray(model.predict(_given(one.part.x), verbose=0))
    half = 0.0 if getattr(model.objective.losses[0], "from_logits", False) else 0.5
    said: Any = (scores > half).astype(int).ravel() if scores.size == len(right) else scores.argmax(axis=-1).ravel()
    order = np.roll(np.arange(len(right)), -one.number - 1)
    wrong = order[said[order] != right[order]]
    if not wrong.size:
        raise Refused(f"wrong: the net is right about each of these {len(right):,} rows.")
    return one._replace(number=int(wrong[0]))
