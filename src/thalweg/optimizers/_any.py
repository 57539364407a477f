"""One of several optimizers; which one is data, so that nets with different optimizers share a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._tunable import Hypers, below, chosen
from thalweg.optimizers._base import Arrays, Optimizer, Slots

_SHARED = ("learning_rate", "ema_momentum")  # numbers that are the whole's, not an alternative's


class AnyOptimizer(Optimizer):
    """The step of one of several optimizers, which the hyper ``kind`` numbers.

    What is remembered is the union, by name, of what the alternatives remember; what the chosen one does not know
    stays as it was. All steps are computed and one is taken, weight by weight: measured on a CPU as fast as a branch
    (``lax.switch``), whose results must be copied, and quicker to compile. The alternatives' numbers are hypers
    ``'<i>/<name>'``; the learning rate is the whole's own.

    Args:
        alternatives: optimizers that agree in ``use_ema``, ``ema_overwrite_frequency`` and
            ``gradient_accumulation_steps``.
        learning_rate: a number or a schedule, in the place of the alternatives' own.
        kind: which one.

    Example:
        >>> import thalweg
        >>> both = AnyOptimizer([thalweg.optimizers.SGD(), thalweg.optimizers.SGD(momentum=0.9)], learning_rate=0.1)
        >>> both.hypers()
        {'kind': 0.0, 'learning_rate': 0.1, '1/momentum': 0.9}

    """

    def __init__(self, alternatives: Sequence[Optimizer], learning_rate: Any = 0.001, kind: float = 0.0) -> None:
        first = alternatives[0]
        super().__init__(
            learning_rate,
            use_ema=first.use_ema,
            ema_momentum=0.99 if first.ema_momentum is None else first.ema_momentum,
            ema_overwrite_frequency=first.ema_overwrite_frequency,
            gradient_accumulation_steps=first.gradient_accumulation_steps,
        )
        self.alternatives = tuple(one.with_rate(0.0) for one in alternatives)
        self.kind = float(kind)
        like = np.zeros(())
        self._slots = [tuple(one.slots(like)) for one in self.alternatives]
        self._extra = [tuple(one.extra()) for one in self.alternatives]

    def hypers(self) -> dict[str, float]:
        """Which one, the rate's, and the numbers of all alternatives."""
        each = {f"{i}/{path}": value for i, one in enumerate(self.alternatives) for path, value in own_numbers(one)}
        return {"kind": self.kind, **super().hypers(), **each}

    def set_hyper(self, path: str, value: float) -> None:
        """Write the kind, the rate, or a number of an alternative."""
        which, _, local = path.partition("/")
        if which.isdigit():
            self.alternatives[int(which)].set_hyper(local, value)
        else:
            super().set_hyper(path, value)

    def range_of(self, path: str) -> tuple[float, float] | None:
        """As the alternative says."""
        which, _, local = path.partition("/")
        return self.alternatives[int(which)].range_of(local) if which.isdigit() else super().range_of(path)

    def slots(self, w: Any) -> Slots:
        """The union of what the alternatives remember of a weight."""
        return {name: value for one in reversed(self.alternatives) for name, value in one.slots(w).items()}

    def extra(self) -> Slots:
        """The union of what they remember of no weight."""
        return {name: value for one in reversed(self.alternatives) for name, value in one.extra().items()}

    def shared(self, h: Hypers, t: Any, extra: Slots) -> Slots:
        """What is remembered of no weight, a step later."""
        each = [
            one.shared(below(h, str(i)), t, {name: extra[name] for name in names})
            for i, (one, names) in enumerate(zip(self.alternatives, self._extra, strict=True))
        ]
        return {name: chosen(h["kind"], [kept.get(name, before) for kept in each]) for name, before in extra.items()}

    def moved(self, h: Hypers, rate: Any, t: Any, decays: bool, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step."""
        each = []
        for i, one in enumerate(self.alternatives):
            told = {**below(h, str(i)), **{name: h[name] for name in self._extra[i]}}
            each.append(one.moved(told, rate, t, decays, w, g, {name: s[name] for name in self._slots[i]}))
        kept = {name: chosen(h["kind"], [slots.get(name, before) for _, slots in each]) for name, before in s.items()}
        return chosen(h["kind"], [after for after, _ in each]), kept

    def clipped(self, h: Hypers, grads: Arrays) -> Arrays:
        """The gradients as the chosen one clips them."""
        each = [one.clipped(below(h, str(i)), grads) for i, one in enumerate(self.alternatives)]
        return tuple(chosen(h["kind"], list(ways)) for ways in zip(*each, strict=True))

    def structure(self) -> tuple[Any, ...]:
        """That of the rate and of the alternatives, in their order."""
        return (type(self), rate_structure(self), tuple(one.structure() for one in self.alternatives))

    def twin(self) -> AnyOptimizer:
        """A copy with numbers of its own."""
        other = AnyOptimizer(self.alternatives, self._learning_rate, self.kind)
        other.ema_momentum = self.ema_momentum
        return other


def rate_structure(optimizer: Optimizer) -> Any:
    """``'#'`` for a plain number, else the schedule's structure."""
    held = optimizer._learning_rate
    return held.structure() if hasattr(held, "structure") else "#"


def own_numbers(optimizer: Optimizer) -> list[tuple[str, float]]:
    """Its numbers but for those that are common to all alternatives."""
    return [(path, value) for path, value in optimizer.hypers().items() if path.partition("/")[0] not in _SHARED]
