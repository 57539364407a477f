"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

from thalweg._tunable import Hypers
from thalweg.optimizers._base import Optimizer, Slots, zeros


class SGD(Optimizer):
    """Gradient descent: ``w -= lr * g``; with momentum ``m = momentum * m - lr * g; w += m``.

    Args:
        learning_rate: a number, or a schedule.
        momentum: how much of the last step is kept, in [0, 1]. None has no momentum and remembers
            nothing; a number, 0 too, can be turned while a net trains.
        nesterov: whether the gradient is taken to be that ahead: ``w += momentum * m - lr * g``.
        kwargs: as for :class:`Optimizer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> import thalweg
        >>> thalweg.optimizers.SGD(0.1, momentum=0.9).hypers()
        {'learning_rate': 0.1, 'momentum': 0.9}

    Source: Polyak 1964; Sutskever et al. 2013, "On the importance of initialization and momentum".

    """

    OWN = ("momentum", "nesterov")
    HYPERS: ClassVar[tuple[str, ...]] = (*Optimizer.HYPERS, "momentum")
    momentum: float | None
    RANGES: ClassVar = {**Optimizer.RANGES, "momentum": (0.0, 1.0)}

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float | None = None, nesterov: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.keep(momentum=momentum)
        self.nesterov = bool(nesterov)

    def slots(self, w: Any) -> Slots:
        """The last step, where there is momentum."""
        return {} if self.momentum is None else {"momentum": zeros(w)}

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        if self.momentum is None:
            return w - rate * g, s
        m = h["momentum"] * s["momentum"] - rate * g
        return w + (h["momentum"] * m - rate * g if self.nesterov else m), {"momentum": m}
