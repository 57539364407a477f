"""Adam and its kin: steps scaled by running moments of the gradient."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from thalweg import config
from thalweg._tunable import Hypers
from thalweg.optimizers._base import Optimizer, Slots, zeros


class _Moments(Optimizer):
    """What Adam, Adamax and Nadam share: two betas and an epsilon."""

    OWN: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2", "epsilon")
    HYPERS: ClassVar[tuple[str, ...]] = (*Optimizer.HYPERS, "beta_1", "beta_2", "epsilon")
    RANGES: ClassVar = {
        **Optimizer.RANGES,
        "beta_1": (0.0, np.nextafter(1.0, 0.0)),
        "beta_2": (0.0, np.nextafter(1.0, 0.0)),
        "epsilon": (0.0, float("inf")),
    }

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.keep(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)

    def slots(self, w: Any) -> Slots:
        """Both moments."""
        return {"momentum": zeros(w), "velocity": zeros(w)}


class Adam(_Moments):
    """``w -= lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)``.

    m and v are running means of the gradient and of its square. Epsilon stands outside the root and is not
    corrected for the start, as in Keras; the paper's first algorithm has it otherwise.

    Args:
        learning_rate: a number, or a schedule.
        beta_1: the inertia of m.
        beta_2: the inertia of v.
        epsilon: keeps the quotient finite.
        amsgrad: whether the largest v so far is used.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.Adam(learning_rate=0.01).learning_rate
        0.01

    Source: Kingma & Ba 2015, "Adam: a method for stochastic optimization"; Reddi et al. 2018 (amsgrad).

    """

    OWN = (*_Moments.OWN, "amsgrad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = bool(amsgrad)

    def slots(self, w: Any) -> Slots:
        """Both moments, and the largest second one where asked for."""
        return {**super().slots(w), "velocity_hat": zeros(w)} if self.amsgrad else super().slots(w)

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        scale = rate * jnp.sqrt(1 - h["beta_2"] ** t) / (1 - h["beta_1"] ** t)
        m = s["momentum"] + (g - s["momentum"]) * (1 - h["beta_1"])
        v = s["velocity"] + (jnp.square(g) - s["velocity"]) * (1 - h["beta_2"])
        kept = {"momentum": m, "velocity": v}
        if self.amsgrad:
            v = kept["velocity_hat"] = jnp.maximum(s["velocity_hat"], v)
        return w - m * scale / (jnp.sqrt(v) + h["epsilon"]), kept


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: ``w -= w * weight_decay * lr``.

    Args:
        learning_rate: a number, or a schedule.
        weight_decay: the factor.
        beta_1, beta_2, epsilon, amsgrad: as for :class:`Adam`.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.AdamW().weight_decay
        0.004

    Source: Loshchilov & Hutter 2019, "Decoupled weight decay regularization".

    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)


class Adamax(_Moments):
    """``u = max(b2 * u, |g|); w -= lr * m / ((1 - b1^t) * (u + epsilon))``.

    Args:
        learning_rate, beta_1, beta_2, epsilon: as for :class:`Adam`.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.Adamax().beta_2
        0.999

    Source: Kingma & Ba 2015, section 7.1.

    """

    def slots(self, w: Any) -> Slots:
        """The mean gradient and the largest."""
        return {"momentum": zeros(w), "norm": zeros(w)}

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        m = s["momentum"] + (g - s["momentum"]) * (1 - h["beta_1"])
        u = jnp.maximum(h["beta_2"] * s["norm"], jnp.abs(g))
        return w - rate * m / ((1 - h["beta_1"] ** t) * (u + h["epsilon"])), {"momentum": m, "norm": u}


class Nadam(_Moments):
    """Adam whose momentum looks one step ahead, as Nesterov's does.

    Args:
        learning_rate, beta_1, beta_2, epsilon: as for :class:`Adam`.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.Nadam().beta_1
        0.9

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam".

    """

    def extra(self) -> Slots:
        """The product of the momenta so far."""
        return {"product": np.ones((), config.floatx())}

    def shared(self, h: Hypers, t: Any, extra: Slots) -> Slots:
        """The product, a step later."""
        return {"product": extra["product"] * _inertia(h, t)}

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        now, ahead = _inertia(h, t), _inertia(h, t + 1)
        m = s["momentum"] + (g - s["momentum"]) * (1 - h["beta_1"])
        v = s["velocity"] + (jnp.square(g) - s["velocity"]) * (1 - h["beta_2"])
        forward = ahead * m / (1 - h["product"] * ahead) + (1 - now) * g / (1 - h["product"])
        root = jnp.sqrt(v / (1 - h["beta_2"] ** t)) + h["epsilon"]
        return w - rate * forward / root, {"momentum": m, "velocity": v}


def _inertia(h: Hypers, t: Any) -> Any:
    return h["beta_1"] * (1 - 0.5 * jnp.power(0.96, t))
