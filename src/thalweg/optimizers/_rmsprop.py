"""RMSprop."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from thalweg._tunable import Hypers
from thalweg.optimizers._base import Optimizer, Slots, zeros


class RMSprop(Optimizer):
    """``v = rho * v + (1 - rho) * g^2; w -= lr * g / sqrt(v + epsilon)``.

    Args:
        learning_rate: a number, or a schedule.
        rho: the inertia of v.
        momentum: how much of the last step is kept; None has no momentum.
        epsilon: under the root.
        centered: whether v is the gradients' variance instead of their mean square.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.RMSprop().rho
        0.9

    Source: Tieleman & Hinton 2012, lecture 6.5.

    """

    OWN = ("rho", "momentum", "epsilon", "centered")
    HYPERS: ClassVar[tuple[str, ...]] = (*Optimizer.HYPERS, "rho", "momentum", "epsilon")
    momentum: float | None
    RANGES: ClassVar = {
        **Optimizer.RANGES,
        "rho": (0.0, 1.0),
        "momentum": (0.0, 1.0),
        "epsilon": (0.0, float("inf")),
    }

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float | None = None,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.keep(rho=rho, momentum=momentum, epsilon=epsilon)
        self.centered = bool(centered)

    def slots(self, w: Any) -> Slots:
        """v, and where asked for the mean gradient and the last step."""
        names = ["velocity"]
        names += ["average_gradient"] if self.centered else []
        names += ["momentum"] if self.momentum is not None else []
        return {name: zeros(w) for name in names}

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        kept = {"velocity": h["rho"] * s["velocity"] + (1 - h["rho"]) * jnp.square(g)}
        under = kept["velocity"] + h["epsilon"]
        if self.centered:
            kept["average_gradient"] = h["rho"] * s["average_gradient"] + (1 - h["rho"]) * g
            under = under - jnp.square(kept["average_gradient"])
        step = rate * g * jax.lax.rsqrt(under)
        if self.momentum is not None:
            step = kept["momentum"] = h["momentum"] * s["momentum"] + step
        return w - step, kept
