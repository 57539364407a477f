"""Rates that fall as powers, quotients and polynomials of the step."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._tunable import Hypers
from thalweg.optimizers.schedules._base import Arguments, LearningRateSchedule, fraction


class _InTime(Arguments):
    """What falls with step / decay_steps, at a pace."""

    NUMBERS = ("initial_learning_rate", "decay_steps", "decay_rate")
    FLAGS = ("staircase",)
    RATES: ClassVar[tuple[str, ...]] = ("initial_learning_rate",)
    HYPERS: ClassVar[tuple[str, ...]] = (*NUMBERS, *LearningRateSchedule.HYPERS)

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.keep(
            name,
            initial_learning_rate=initial_learning_rate,
            decay_steps=decay_steps,
            decay_rate=decay_rate,
            staircase=staircase,
        )


class ExponentialDecay(_InTime):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps over which the rate is multiplied by `decay_rate` once.
        decay_rate: the factor.
        staircase: whether the exponent is cut to whole numbers.

    Raises:
        ValueError: where `decay_steps` is not positive.

    Example:
        >>> round(float(ExponentialDecay(0.1, 10, 0.5)(10)), 6)
        0.05

    """

    def rate(self, h: Hypers, step: Any) -> Any:
        """The rate at `step`."""
        return h["initial_learning_rate"] * h["decay_rate"] ** fraction(step, h["decay_steps"], self.staircase)


class InverseTimeDecay(_InTime):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps that make one unit of time.
        decay_rate: how fast it falls.
        staircase: whether time is cut to whole numbers.

    Raises:
        ValueError: where `decay_steps` is not positive.

    Example:
        >>> round(float(InverseTimeDecay(0.1, 10, 1.0)(10)), 6)
        0.05

    """

    def rate(self, h: Hypers, step: Any) -> Any:
        """The rate at `step`."""
        return h["initial_learning_rate"] / (1 + h["decay_rate"] * fraction(step, h["decay_steps"], self.staircase))


class PolynomialDecay(Arguments):
    """``(initial - end) * (1 - min(step, D) / D) ** power + end``, D the `decay_steps`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: when the end is reached.
        end_learning_rate: the rate from then on.
        power: 1 is a straight line.
        cycle: whether D is doubled, tripled, ... once it is reached, instead of staying at the end.

    Raises:
        ValueError: where `decay_steps` is not positive.

    Example:
        >>> round(float(PolynomialDecay(0.1, 10, end_learning_rate=0.0)(5)), 6)
        0.05

    """

    NUMBERS = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power")
    FLAGS = ("cycle",)
    RATES: ClassVar[tuple[str, ...]] = ("initial_learning_rate", "end_learning_rate")
    HYPERS: ClassVar[tuple[str, ...]] = (*NUMBERS, *LearningRateSchedule.HYPERS)

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        self.keep(
            name,
            initial_learning_rate=initial_learning_rate,
            decay_steps=decay_steps,
            end_learning_rate=end_learning_rate,
            power=power,
            cycle=cycle,
        )

    def rate(self, h: Hypers, step: Any) -> Any:
        """The rate at `step`."""
        done = fraction(step, h["decay_steps"])
        done = done / jnp.maximum(jnp.ceil(done), 1) if self.cycle else jnp.minimum(done, 1)
        end = h["end_learning_rate"]
        return (h["initial_learning_rate"] - end) * (1 - done) ** h["power"] + end
