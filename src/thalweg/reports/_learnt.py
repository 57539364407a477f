"""What more rows would bring, as plain data to draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg import diagnosis
from thalweg.callbacks import Run
from thalweg.reports._given import Given

_AHEAD = 24  # points of what is foretold


def learnt(given: Given, run: Run, epochs: int) -> dict[str, Any]:
    """Train nets like the run's on more and more of its rows, each for as many epochs as it had.

    Raises:
        thalweg.data.DataError: where there are too few rows.

    """
    curve = diagnosis.learning_curve(
        given.model,
        *given.train,
        validation=given.validation,
        epochs=max(epochs, 1),
        batch_size=run.batch_size,
        seed=int((run.record.get("seeds") or [0])[0]),
    )
    sizes = np.geomspace(curve.sizes[-1], curve.predictions[-1].rows, _AHEAD)
    ahead = [curve.fit.at(int(size))._asdict() for size in sizes]
    return {**curve.record(), "law": [float(curve.law(float(size))) for size in curve.sizes], "ahead": ahead}
