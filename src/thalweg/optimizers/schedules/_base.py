"""What every schedule is: a learning rate as a function of the step."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._checks import number
from thalweg._tunable import Hypers, Tunable


class LearningRateSchedule(Tunable):
    """Base of all schedules.

    Subclasses define ``rate(h, step)``, traced; one written as for Keras, with ``__call__(step)``
    alone, works too. What comes out is multiplied by ``scale``, a hyper that is 1 until somebody turns it.

    Example:
        >>> import thalweg
        >>> schedule = thalweg.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
        >>> round(float(schedule(20)), 6)
        0.025

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("scale",)
    RANGES: ClassVar = {"scale": (0.0, float("inf"))}
    RATES: ClassVar[tuple[str, ...]] = ()  # constants that are rates themselves
    scale = 1.0

    def scaled(self) -> LearningRateSchedule:
        """The same schedule with ``scale`` multiplied into its constants, for those who do not know of it.

        Raises:
            ValueError: where `scale` was turned and no constants are known to be rates.

        """
        other = self.twin()
        if self.scale == 1:
            return other
        if not self.RATES:
            raise ValueError(
                f"{type(self).__name__} was turned to {self.scale:g} of itself, which its constants cannot express: "
                "name those that are rates in its RATES."
            )
        for name in self.RATES:
            held = getattr(self, name)
            if held is not None:
                setattr(other, name, _times(held, self.scale))
        other.scale = 1.0
        return other

    def apply(self, h: Hypers, step: Any) -> Any:
        """The rate in force at `step`, the first of which is 0."""
        return self.rate(h, step) * h["scale"]

    def rate(self, h: Hypers, step: Any) -> Any:
        """The schedule's own rate, before ``scale``."""
        if type(self).__call__ is LearningRateSchedule.__call__:
            raise TypeError(f"{type(self).__name__} must define rate(h, step), or __call__(step) as in Keras.")
        return self(step)

    def __call__(self, step: Any) -> Any:
        """The rate at `step`, with the schedule's own numbers."""
        numbers = {name: jnp.asarray(value, jnp.result_type(float)) for name, value in self.hypers().items()}
        return self.apply(numbers, jnp.asarray(step))

    def structure(self) -> tuple[Any, ...]:
        """As for any Tunable; a user's schedule that tells no configuration is like no other."""
        if type(self).get_config is Tunable.get_config and set(vars(self)) - {"scale"}:
            return (type(self), self)
        return super().structure()


def _times(held: Any, factor: float) -> Any:
    return type(held)(one * factor for one in held) if isinstance(held, (list, tuple)) else held * factor


class Arguments(LearningRateSchedule):
    """A schedule whose constructor's numbers are kept as attributes of the same names."""

    NUMBERS: ClassVar[tuple[str, ...]] = ()
    staircase: bool
    cycle: bool
    warmup_target: float | None
    t_mul: float
    FLAGS: ClassVar[tuple[str, ...]] = ()

    def keep(self, name: str | None, **given: Any) -> None:
        """Check the numbers and keep them; a number that is None is left out of the hypers."""
        self.name = name or type(self).__name__
        for key, value in given.items():
            if key in self.FLAGS:
                setattr(self, key, bool(value))
            else:
                low = {"above": 0} if key.endswith("_steps") and key != "warmup_steps" else {}
                setattr(self, key, None if value is None else number(self, key, value, **low))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {key: getattr(self, key) for key in (*self.NUMBERS, *self.FLAGS)}
        return {**own, "name": self.name}


def fraction(step: Any, steps: Any, staircase: bool = False) -> Any:
    """``step / steps``, whole where `staircase`."""
    share = jnp.asarray(step).astype(jnp.result_type(float)) / steps
    return jnp.floor(share) if staircase else share
