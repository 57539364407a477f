"""Rates that fall as half a wave, once or again and again."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._tunable import Hypers
from thalweg.optimizers.schedules._base import Arguments, LearningRateSchedule, fraction


class CosineDecay(Arguments):
    """``initial * ((1 - alpha) * (1 + cos(pi * s / D)) / 2 + alpha)``, after a straight warm-up if asked for.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: D, the steps of the fall, the warm-up not counted.
        alpha: the part of the rate that is left at the end.
        warmup_target: where the warm-up ends and the fall begins; None has no warm-up.
        warmup_steps: how long the warm-up takes.

    Raises:
        ValueError: where `decay_steps` is not positive.

    Example:
        >>> round(float(CosineDecay(0.1, 10)(5)), 6)
        0.05

    Source: Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".

    """

    NUMBERS = ("initial_learning_rate", "decay_steps", "alpha", "warmup_target", "warmup_steps")
    RATES: ClassVar[tuple[str, ...]] = ("initial_learning_rate", "warmup_target")
    HYPERS: ClassVar[tuple[str, ...]] = (*NUMBERS, *LearningRateSchedule.HYPERS)

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.keep(
            name,
            initial_learning_rate=initial_learning_rate,
            decay_steps=decay_steps,
            alpha=alpha,
            warmup_target=warmup_target,
            warmup_steps=warmup_steps,
        )

    def rate(self, h: Hypers, step: Any) -> Any:
        """The rate at `step`."""
        start = h["initial_learning_rate"]
        if self.warmup_target is None:
            return start * _half_wave(jnp.minimum(fraction(step, h["decay_steps"]), 1), h["alpha"])
        warm = h["warmup_steps"]
        step = fraction(step, 1)
        rising = (h["warmup_target"] - start) * step / jnp.maximum(warm, 1) + start
        done = jnp.clip((step - warm) / h["decay_steps"], 0, 1)
        return jnp.where(step < warm, rising, h["warmup_target"] * _half_wave(done, h["alpha"]))


class CosineDecayRestarts(Arguments):
    """Cosine falls one after the other, each `t_mul` times as long and `m_mul` times as high as the one before.

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: the length of the first fall.
        t_mul: how lengths grow.
        m_mul: how heights change.
        alpha: the part of a fall's rate that is left at its end.

    Raises:
        ValueError: where `first_decay_steps` is not positive or `t_mul` is below 1.

    Example:
        >>> round(float(CosineDecayRestarts(0.1, 10)(10)), 6)
        0.1

    Source: Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".

    """

    NUMBERS = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha")
    RATES: ClassVar[tuple[str, ...]] = ("initial_learning_rate",)
    HYPERS: ClassVar[tuple[str, ...]] = (*NUMBERS, *LearningRateSchedule.HYPERS)
    RANGES: ClassVar = {**LearningRateSchedule.RANGES, "t_mul": (1.0, float("inf"))}

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = "CosineDecayRestarts",
    ) -> None:
        self.keep(
            name,
            initial_learning_rate=initial_learning_rate,
            first_decay_steps=first_decay_steps,
            t_mul=t_mul,
            m_mul=m_mul,
            alpha=alpha,
        )
        if self.t_mul < 1:
            raise ValueError(f"t_mul must be >= 1, got CosineDecayRestarts(t_mul={t_mul!r}).")

    def rate(self, h: Hypers, step: Any) -> Any:
        """The rate at `step`."""
        time = fraction(step, h["first_decay_steps"])
        fall, done = _fall_of(time, h["t_mul"])
        return h["initial_learning_rate"] * _half_wave(done, h["alpha"], h["m_mul"] ** fall)


def _fall_of(time: Any, growth: Any) -> tuple[Any, Any]:
    """Which fall `time` lies in, and how far into it, where fall i lasts growth ** i."""
    even = growth == 1
    safe = jnp.where(even, 2.0, growth)
    guess = jnp.floor(jnp.log1p(time * (safe - 1)) / jnp.log(safe))

    def begun(i: Any) -> Any:
        return (safe**i - 1) / (safe - 1)

    guess = guess + (time >= begun(guess + 1)) - (time < begun(guess))  # the logarithm's last bit
    done = (time - begun(guess)) / safe**guess
    return jnp.where(even, jnp.floor(time), guess), jnp.where(even, time - jnp.floor(time), done)


def _half_wave(done: Any, alpha: Any, height: Any = 1.0) -> Any:
    return (1 - alpha) * 0.5 * height * (1 + jnp.cos(jnp.pi * done)) + alpha
