"""Learning-rate schedules, Keras's six. Their constants are hypers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg._family import Family
from thalweg._names import Table
from thalweg.optimizers.schedules._any import AnySchedule as AnySchedule
from thalweg.optimizers.schedules._any import Constant as Constant
from thalweg.optimizers.schedules._base import LearningRateSchedule as LearningRateSchedule
from thalweg.optimizers.schedules._cosine import CosineDecay as CosineDecay
from thalweg.optimizers.schedules._cosine import CosineDecayRestarts as CosineDecayRestarts
from thalweg.optimizers.schedules._decays import ExponentialDecay as ExponentialDecay
from thalweg.optimizers.schedules._decays import InverseTimeDecay as InverseTimeDecay
from thalweg.optimizers.schedules._decays import PolynomialDecay as PolynomialDecay
from thalweg.optimizers.schedules._piecewise import PiecewiseConstantDecay as PiecewiseConstantDecay

TABLE = Table(
    "schedule",
    {
        "CosineDecay": CosineDecay,
        "CosineDecayRestarts": CosineDecayRestarts,
        "ExponentialDecay": ExponentialDecay,
        "InverseTimeDecay": InverseTimeDecay,
        "PiecewiseConstantDecay": PiecewiseConstantDecay,
        "PolynomialDecay": PolynomialDecay,
    },
)
"""Every name of a schedule, and its class."""


def _refuse(function: Any) -> LearningRateSchedule:
    raise TypeError(f"A schedule must be a LearningRateSchedule, got {function!r}.")


_FAMILY = Family(TABLE, "keras.optimizers.schedules", _refuse, LearningRateSchedule)


def serialize(schedule: Any) -> dict[str, Any] | None:
    """The description of a schedule, from which :func:`deserialize` makes its like."""
    return _FAMILY.serialize(schedule)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule that `config` describes."""
    return _FAMILY.deserialize(config, custom_objects)
