"""One of several schedules; which one is data, so that nets with different schedules share a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from thalweg._tunable import Hypers, below, chosen
from thalweg.optimizers.schedules._base import LearningRateSchedule


class Constant(LearningRateSchedule):
    """A rate that stays: the place of a plain number among schedules.

    Args:
        learning_rate: the rate; a hyper.

    Example:
        >>> float(Constant(0.5)(100))
        0.5

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("learning_rate",)
    RANGES: ClassVar = {"learning_rate": (0.0, float("inf"))}

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def apply(self, h: Hypers, step: Any) -> Any:
        """The rate; it is its own scale."""
        return h["learning_rate"]

    def get_config(self) -> dict[str, Any]:
        """The rate."""
        return {"learning_rate": self.learning_rate}


class AnySchedule(LearningRateSchedule):
    """The rate of one of several schedules, which the hyper ``kind`` numbers.

    All rates are computed, a handful of scalars. The alternatives' numbers are hypers ``'<i>/<name>'``.

    Args:
        alternatives: schedules.
        kind: which one.

    Example:
        >>> from thalweg.optimizers.schedules import ExponentialDecay
        >>> schedule = AnySchedule([Constant(0.5), ExponentialDecay(0.1, 10, 0.5)], kind=1)
        >>> round(float(schedule(10)), 6)
        0.05

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("kind",)
    RANGES: ClassVar = {}

    def __init__(self, alternatives: Sequence[LearningRateSchedule], kind: float = 0.0) -> None:
        self.alternatives = tuple(one.twin() for one in alternatives)
        self.kind = float(kind)

    def hypers(self) -> dict[str, float]:
        """Which one, and the numbers of all."""
        each = {f"{i}/{path}": value for i, one in enumerate(self.alternatives) for path, value in one.hypers().items()}
        return {"kind": self.kind, **each}

    def set_hyper(self, path: str, value: float) -> None:
        """Write the kind or a number of an alternative."""
        which, _, local = path.partition("/")
        if local:
            self.alternatives[int(which)].set_hyper(local, value)
        else:
            super().set_hyper(path, value)

    def range_of(self, path: str) -> tuple[float, float] | None:
        """As the alternative says."""
        which, _, local = path.partition("/")
        return self.alternatives[int(which)].range_of(local) if local else None

    def apply(self, h: Hypers, step: Any) -> Any:
        """The rate in force at `step`."""
        return chosen(h["kind"], [one.apply(below(h, str(i)), step) for i, one in enumerate(self.alternatives)])

    def structure(self) -> tuple[Any, ...]:
        """That of the alternatives, in their order."""
        return (type(self), tuple(one.structure() for one in self.alternatives))

    def twin(self) -> AnySchedule:
        """A copy with numbers of its own."""
        return AnySchedule(self.alternatives, self.kind)
