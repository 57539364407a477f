"""An experiment: the same net from the start, with learning rates on both sides of its own."""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from thalweg.data import Rows
from thalweg.diagnosis._curves import Curves, lost, was_falling
from thalweg.diagnosis._finding import Finding
from thalweg.diagnosis._measured import inputs_of, some_of
from thalweg.models import Population

FACTORS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
_STEPS = 400  # that each net takes at most
_ROWS = 4000
_LOWER, _HIGHER = 0.8, 0.9  # of the loss at the net's own rate: below, a lower or a higher rate is clearly better
_PATHS = ("optimizer/learning_rate/scale", "optimizer/learning_rate")


class Probe(NamedTuple):
    """What came of it.

    Attributes:
        rate: the net's own.
        losses: training loss after the same steps, one a factor; infinite where it was lost.
        steps: how many each net took.

    """

    rate: float
    losses: tuple[float, ...]
    steps: int

    @property
    def best(self) -> float:
        """The factor whose loss is the lowest."""
        return FACTORS[int(np.argmin(self.losses))]

    def beats(self, factors: Any, share: float) -> bool:
        """Whether one of these leaves less than such a share of the loss at the net's own rate."""
        own = self.losses[FACTORS.index(1.0)]
        found = min(loss for factor, loss in zip(FACTORS, self.losses, strict=True) if factor in factors)
        return bool(math.isfinite(found) and not found >= share * own)


def probe(model: Any, rows: Rows, curves: Curves, seed: int = 0) -> Probe | None:
    """Train twins of a net side by side for as many steps as it had, some hundred at most.

    Args:
        model: compiled.
        rows: that it learnt from.
        curves: of its fit, which say how many steps it had.
        seed: of first weights and order, the same for all.

    """
    path = next((one for one in _PATHS if one in model.hypers), None)
    if path is None:
        return None
    batch = max(1, math.ceil(rows.n / curves.steps)) if curves.steps else 32
    some = some_of(rows, _ROWS)
    per_epoch = math.ceil(some.n / batch)
    steps = min(max((curves.steps or per_epoch) * max(curves.epochs, 1), 20), _STEPS)
    epochs = max(1, round(steps / per_epoch))
    twins = [model.twin() for _ in FACTORS]
    for twin, factor in zip(twins, FACTORS, strict=True):
        twin.hypers[path] = float(model.hypers[path]) * factor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a rate that loses the loss is what is asked about
        crew = Population(twins)
        x, y = inputs_of(some), some.y[0]
        crew.fit(x, y, batch_size=batch, epochs=epochs, verbose=0, seeds=[seed] * len(twins))
        ends = np.array(crew.evaluate(x, y)["loss"], float)
    losses = tuple(float(one) if math.isfinite(one) else math.inf for one in ends)
    return Probe(float(model.hypers[path]), losses, epochs * per_epoch)


def judged(found: Probe | None, curves: Curves) -> Finding | None:
    """Too high or too low, where the experiment and the curve agree; ask only where the training error is high."""
    if found is None:
        return None
    told = ", ".join(
        f"{factor * found.rate:.2g}: {loss:.3g}" for factor, loss in zip(FACTORS, found.losses, strict=True)
    )
    detail = {
        "rate": found.rate,
        "best": found.best * found.rate,
        "losses": dict(zip(map(str, FACTORS), found.losses, strict=True)),
    }
    lower, higher = found.beats(FACTORS[:3], _LOWER), found.beats(FACTORS[4:], _HIGHER)
    if lower and found.best < 1:
        return Finding(
            "learning rate too high",
            f"after {found.steps} steps from the start the training loss is, by learning rate, {told}; yours is {found.rate:.2g}",
            f"a learning rate of about {found.best * found.rate:.1g}, or one that falls (schedules.CosineDecay)",
            detail,
        )
    if higher and found.best > 1 and not lost(curves) and (curves.epochs < 2 or was_falling(curves)):
        return Finding(
            "learning rate too low",
            f"after {found.steps} steps from the start the training loss is, by learning rate, {told}; yours is {found.rate:.2g}",
            f"a learning rate of about {found.best * found.rate:.1g}",
            detail,
        )
    return None
