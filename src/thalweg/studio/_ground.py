"""What a landscape is made of: a net, some rows, and the way that the net came."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg import models
from thalweg.diagnosis.landscape import Trajectory
from thalweg.diagnosis.landscape._trajectory import passed_in
from thalweg.files import FileError
from thalweg.studio._rows import Sample
from thalweg.studio._steering import Refused

_POINTS = 48  # of a way, at most
_SHORT = 3  # points, below which a way spans no plane


class Ground(NamedTuple):
    """Whose loss it is, and on what.

    Attributes:
        model: the net, of one's own.
        sample: rows that it learns from.
        way: the weights that it passed; its end is the net, where that is still trained.
        stamp: another one, once the net or its way is.
        more: a sentence that says what to do for a longer way.

    """

    model: Any
    sample: Sample
    way: Trajectory
    stamp: str
    more: str

    @property
    def has_way(self) -> bool:
        """Whether the way is long enough to span a plane."""
        return len(self.way) >= _SHORT

    def rows(self, count: int) -> tuple[Any, Any]:
        """So many of the rows at most, evenly among those that there are, as ``fit`` takes them."""
        n = len(self.sample.numbers)
        some = np.linspace(0, n - 1, min(count, n)).astype(int)
        x, y = ([array[some] for array in arrays] for arrays in (self.sample.x, self.sample.y))
        return (x[0] if len(x) == 1 else x), (y[0] if len(y) == 1 else y)


def ground_of(model: Any, sample: Sample, way: Iterable[tuple[int, list[np.ndarray]]], more: str) -> Ground:
    """Of a net, some rows, and weights with the steps after which each were passed.

    Args:
        model: of one's own, with its weights.
        sample: rows.
        way: (steps, weights), the end last.
        more: what to do for a longer way.

    """
    kept = Trajectory()
    for step, weights in way:
        kept.steps.append(step)
        kept.weights.append(weights)
    digest = hashlib.blake2b(repr((kept.steps, model.hypers)).encode(), digest_size=16)
    for array in model.get_weights():
        digest.update(np.asarray(array).tobytes())
    return Ground(model, sample, kept, digest.hexdigest(), more)


def ground_in(folder: Path, sample: Sample) -> Ground:
    """Of a recorded run: its best net, and the checkpoints that it keeps.

    Args:
        folder: of the run.
        sample: its rows.

    Raises:
        Refused: where it has no net, or its files are damaged.

    """
    path = next((path for name in ("best.keras", "last.keras") if (path := folder / name).is_file()), None)
    if path is None:
        raise Refused("This run has no net yet: no epoch of it was finished.")
    try:
        model = models.load_model(path)
        way = passed_in(model, folder, _POINTS)
    except (FileError, ValueError, OSError) as error:
        raise Refused(f"{path.name} and the checkpoints cannot be read here: {error}") from None
    return ground_of(
        model,
        sample,
        zip(way.steps, way.weights, strict=True),
        "RunFolder(folder, keep=50) keeps more checkpoints than two.",
    )
