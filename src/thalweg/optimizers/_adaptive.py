"""Optimizers that scale each weight's step by the gradients it has seen: Adagrad and Adadelta."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from thalweg._checks import number
from thalweg._tunable import Hypers
from thalweg.optimizers._base import Optimizer, Slots, zeros


class Adagrad(Optimizer):
    """``a += g^2; w -= lr * g / sqrt(a + epsilon)``.

    Args:
        learning_rate: a number, or a schedule.
        initial_accumulator_value: a at the start.
        epsilon: under the root.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.Adagrad().initial_accumulator_value
        0.1

    Source: Duchi, Hazan & Singer 2011, "Adaptive subgradient methods".

    """

    OWN = ("initial_accumulator_value", "epsilon")
    HOST: ClassVar[tuple[str, ...]] = (*Optimizer.HOST, "initial_accumulator_value")
    HYPERS: ClassVar[tuple[str, ...]] = (*Optimizer.HYPERS, "epsilon")
    RANGES: ClassVar = {**Optimizer.RANGES, "epsilon": (0.0, float("inf"))}

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = number(
            self, "initial_accumulator_value", initial_accumulator_value, at_least=0
        )
        self.keep(epsilon=epsilon)

    def slots(self, w: Any) -> Slots:
        """The sum of squares."""
        return {"accumulator": np.full(w.shape, self.initial_accumulator_value, w.dtype)}

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        a = s["accumulator"] + jnp.square(g)
        return w - rate * g / jnp.sqrt(a + h["epsilon"]), {"accumulator": a}


class Adadelta(Optimizer):
    """Steps in units of the steps before: ``d = -sqrt(D + epsilon) / sqrt(G + epsilon) * g; w += lr * d``.

    G and D are running means of ``g^2`` and of ``d^2``.

    Args:
        learning_rate: a number, or a schedule.
        rho: the inertia of both means.
        epsilon: under the roots.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.Adadelta().rho
        0.95

    Source: Zeiler 2012, "ADADELTA: an adaptive learning rate method".

    """

    OWN = ("rho", "epsilon")
    HYPERS: ClassVar[tuple[str, ...]] = (*Optimizer.HYPERS, "rho", "epsilon")
    RANGES: ClassVar = {**Optimizer.RANGES, "rho": (0.0, 1.0), "epsilon": (0.0, float("inf"))}

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.keep(rho=rho, epsilon=epsilon)

    def slots(self, w: Any) -> Slots:
        """Both means."""
        return {"gradients": zeros(w), "steps": zeros(w)}

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        rho, epsilon = h["rho"], h["epsilon"]
        seen = rho * s["gradients"] + (1 - rho) * jnp.square(g)
        step = -jnp.sqrt(s["steps"] + epsilon) * g / jnp.sqrt(seen + epsilon)
        return w + rate * step, {"gradients": seen, "steps": rho * s["steps"] + (1 - rho) * jnp.square(step)}
