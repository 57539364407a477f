"""Lion."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._tunable import Hypers
from thalweg.optimizers._base import Optimizer, Slots, zeros


class Lion(Optimizer):
    """Steps of one size: ``w -= lr * sign(b1 * m + (1 - b1) * g)``; then ``m = b2 * m + (1 - b2) * g``.

    Args:
        learning_rate: a number, or a schedule; a third to a tenth of Adam's.
        beta_1: how much the step follows m rather than the gradient.
        beta_2: the inertia of m.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.Lion().beta_2
        0.99

    Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms".

    """

    OWN = ("beta_1", "beta_2")
    HYPERS: ClassVar[tuple[str, ...]] = (*Optimizer.HYPERS, "beta_1", "beta_2")
    RANGES: ClassVar = {**Optimizer.RANGES, "beta_1": (0.0, 1.0), "beta_2": (0.0, 1.0)}

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.keep(beta_1=beta_1, beta_2=beta_2)

    def slots(self, w: Any) -> Slots:
        """The mean gradient."""
        return {"momentum": zeros(w)}

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        m = s["momentum"]
        moved = w - rate * jnp.sign(h["beta_1"] * m + (1 - h["beta_1"]) * g)
        return moved, {"momentum": h["beta_2"] * m + (1 - h["beta_2"]) * g}
