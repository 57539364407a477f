"""A rate that changes at given steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._checks import number
from thalweg.optimizers.schedules._base import LearningRateSchedule


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[0]`` while step <= boundaries[0], then ``values[1]`` while step <= boundaries[1], and so on.

    Args:
        boundaries: steps, rising.
        values: rates, one more than there are boundaries. Both are hypers: ``values/0``, ``boundaries/0``.

    Raises:
        ValueError: where their numbers do not match, or the boundaries do not rise.

    Example:
        >>> schedule = PiecewiseConstantDecay([10], [0.1, 0.01])
        >>> round(float(schedule(10)), 6), round(float(schedule(11)), 6)
        (0.1, 0.01)

    """

    RATES: ClassVar[tuple[str, ...]] = ("values",)

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str | None = "PiecewiseConstant"
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"values must be one more than boundaries, got PiecewiseConstantDecay with {len(boundaries)} boundaries "
                f"and {len(values)} values."
            )
        self.boundaries = [number(self, "boundaries", one) for one in boundaries]
        self.values = [number(self, "values", one) for one in values]
        if self.boundaries != sorted(self.boundaries):
            raise ValueError(f"boundaries must rise, got PiecewiseConstantDecay(boundaries={list(boundaries)!r}).")
        self.name = name

    def hypers(self) -> dict[str, float]:
        """Each boundary and each value."""
        found = super().hypers()
        for part in ("boundaries", "values"):
            found.update({f"{part}/{i}": one for i, one in enumerate(getattr(self, part))})
        return found

    def set_hyper(self, path: str, value: float) -> None:
        """Write one of them."""
        part, _, place = path.partition("/")
        if not place:
            super().set_hyper(path, value)
            return
        changed = list(getattr(self, part))
        changed[int(place)] = number(self, path, value)
        setattr(self, part, changed)

    def range_of(self, path: str) -> tuple[float, float] | None:
        """Known for ``scale`` alone."""
        return None if "/" in path else super().range_of(path)

    def structure(self) -> tuple[Any, ...]:
        """How many pieces there are."""
        return (type(self), len(self.values))

    def rate(self, h: Any, step: Any) -> Any:
        """The rate at `step`."""
        found = h["values/0"]
        for i in range(len(self.boundaries)):
            found = jnp.where(step > h[f"boundaries/{i}"], h[f"values/{i + 1}"], found)
        return found

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"boundaries": list(self.boundaries), "values": list(self.values), "name": self.name}
