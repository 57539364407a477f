"""What the curves of a fit tell: whether it was over, went too far, or never began."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.callbacks import Run
from thalweg.diagnosis._finding import Finding

_FEWEST = 4  # epochs, below which a curve has no shape
_FALLS = 0.05  # share of what was gained by then that the last quarter still gains
_RISE = 0.2  # of the validation loss above its lowest
_JUMP = 0.1  # of the loss, up
_CRAWL = 0.02  # share of the loss that an epoch takes off
_FLAT = 0.02  # change over the last third that is none


class Curves(NamedTuple):
    """A fit, epoch by epoch.

    Attributes:
        loss: of training, as the fit counted it.
        val_loss: of validation, or empty.
        steps: of an epoch, or None.

    """

    loss: list[float]
    val_loss: list[float]
    steps: int | None

    @property
    def epochs(self) -> int:
        """How many."""
        return len(self.loss)


def curves_of(history: Any) -> Curves:
    """From a :class:`~thalweg.callbacks.History`, a dict of lists, or a :class:`~thalweg.callbacks.Run`; of None, none."""
    if history is None:
        return Curves([], [], None)
    if isinstance(history, Run):
        return _of_run(history)
    logs: Mapping[str, Sequence[Any]] = history if isinstance(history, Mapping) else history.history
    params = getattr(history, "params", None) or {}

    def numbers(name: str) -> list[float]:
        return [math.nan if one is None else float(one) for one in logs.get(name, [])]

    return Curves(numbers("loss"), numbers("val_loss"), params.get("steps"))


def _of_run(run: Run) -> Curves:
    lines = [{name: math.nan if value is None else value for name, value in one.items()} for one in run.epochs]
    loss, rest = ([float(one[name]) for one in lines if name in one] for name in ("loss", "val_loss"))
    return Curves(loss, rest, run.steps)


def still_falling(curves: Curves) -> float:
    """Which share of the whole fall of the loss came in the last quarter of the epochs; 0 where it is over.

    The last quarter is counted from the median of its first half to the median of its second half, so that a single
    jump does not tell.
    """
    loss = [one for one in curves.loss if math.isfinite(one)]
    if len(loss) < _FEWEST:
        return 0.0
    quarter = max(len(loss) // 4, 1)
    late = float(np.median(loss[-quarter:]))
    before = float(np.median(loss[-2 * quarter : -quarter]))
    whole = loss[0] - late
    return max((before - late) / whole, 0.0) if whole > 0 else 0.0


def was_falling(curves: Curves) -> bool:
    """Whether more epochs would have brought more."""
    return still_falling(curves) > _FALLS


def plateau(curves: Curves) -> Finding | None:
    """A loss that stands still while the training error is high; ask only then."""
    loss = np.array([one for one in curves.loss if math.isfinite(one)])
    if len(loss) < 2 * _FEWEST:
        return None
    third = len(loss) // 3
    before, late = float(np.median(loss[-2 * third : -third])), float(np.median(loss[-third:]))
    if abs(before - late) > _FLAT * abs(before) or late >= loss[0]:
        return None
    return Finding(
        "plateau",
        f"the training loss stands at {late:.3g} since about epoch {len(loss) - 2 * third}: longer training changes nothing",
        "a larger net, another learning rate or optimizer (adam), less regularization",
        {"loss": late, "since": len(loss) - 2 * third},
    )


def overfitting(curves: Curves) -> Finding | None:
    """A validation loss that rises while the training loss falls."""
    if len(curves.val_loss) < _FEWEST or len(curves.val_loss) != len(curves.loss):
        return None
    rest = np.array(curves.val_loss)
    if not np.isfinite(rest).all():
        return None
    best = int(rest.argmin())
    tail = float(np.median(rest[-3:]))
    fell = curves.loss[best] - curves.loss[-1]
    if len(rest) - 1 - best < 2 or tail < (1 + _RISE) * abs(rest[best]) or fell <= 0:
        return None
    return Finding(
        "overfitting",
        f"since epoch {best + 1} of {len(rest)} the validation loss rises ({rest[best]:.3g} -> {tail:.3g}) while the training "
        f"loss falls ({curves.loss[best]:.3g} -> {curves.loss[-1]:.3g})",
        "callbacks.EarlyStopping(restore_best_weights=True) keeps the net of that epoch; then regularize",
        {"since": best + 1, "lowest": float(rest[best]), "last": tail},
    )


def lost(curves: Curves) -> bool:
    """Whether the loss was no number at some time, or rose above where it began."""
    loss = np.array(curves.loss)
    return bool(len(loss) and (not np.isfinite(loss).all() or (len(loss) > 1 and loss[-1] > (1 + _JUMP) * loss[0])))


def oscillates(curves: Curves) -> Finding | None:
    """A loss that jumps up again and again, or has risen above where it began: too high a learning rate."""
    loss = np.array(curves.loss)
    if len(loss) < _FEWEST or not np.isfinite(loss).all():
        return None
    jumps = int((np.diff(loss) > _JUMP * loss[:-1]).sum())
    if jumps < (len(loss) - 1) / 3 and loss[-1] < (1 + _JUMP) * loss[0]:
        return None
    return Finding(
        "learning rate too high",
        f"the training loss went up by more than {_JUMP:.0%} in {jumps} of {len(loss) - 1} epochs (now {loss[-1]:.3g}, at first "
        f"{loss[0]:.3g})",
        "a learning rate ten times lower, or one that falls (schedules.CosineDecay)",
        {"jumps": jumps, "epochs": len(loss)},
    )


def crawls(curves: Curves) -> Finding | None:
    """A loss that falls steadily and hardly at all: too low a learning rate; ask only where nothing was learnt."""
    loss = np.array(curves.loss)
    if len(loss) < 3 or not np.isfinite(loss).all():
        return None
    fell = (loss[0] - loss[-1]) / max(abs(loss[0]), 1e-12)
    if not (np.diff(loss) < 0).all() or fell > _CRAWL * len(loss):
        return None
    return Finding(
        "learning rate too low",
        f"the training loss falls in every epoch, but by {fell:.1%} in {len(loss)} epochs",
        "a learning rate ten times higher",
        {"fell": float(fell), "epochs": len(loss)},
    )
