"""What every optimizer shares: the rate, clipping, weight decay, averages; one method is each one's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np

from thalweg._checks import number
from thalweg._names import snake_case
from thalweg._tunable import Hypers, Tunable, below
from thalweg.optimizers import schedules
from thalweg.optimizers.schedules import LearningRateSchedule

Arrays = tuple[Any, ...]
Slots = dict[str, Any]  # name -> array of the weight's shape


class OptimizerState(NamedTuple):
    """What an optimizer remembers between steps.

    Attributes:
        iterations: int32, steps done.
        slots: one dict of arrays a weight.
        extra: scalars that belong to no weight.
        averages: a moving average of every weight, or () without ``use_ema``.
        gathered: sums of gradients, or () without gradient accumulation.

    """

    iterations: Any
    slots: Arrays
    extra: Slots
    averages: Arrays = ()
    gathered: Arrays = ()

    def over_params(self, move: Callable[[Arrays], Arrays]) -> OptimizerState:
        """With `move` applied to each of the tuples that have an entry a weight."""
        slots, averages, gathered = (
            move(part) if part else part for part in (self.slots, self.averages, self.gathered)
        )
        return self._replace(slots=slots, averages=averages, gathered=gathered)


class Optimizer(Tunable):
    """Base of all optimizers.

    A step is: clip the gradients, take decoupled weight decay ``w -= w * weight_decay * learning_rate``
    off, update, apply constraints, count. Subclasses define ``slots(w)`` and ``update(h, rate, t, w, g, s)``.

    Args:
        learning_rate: a number, or a schedule.
        weight_decay: a factor; None has no such term.
        clipnorm: the largest norm of a weight's gradient.
        clipvalue: the largest size of a gradient's element.
        global_clipnorm: the largest norm of all gradients together. One of the three at most.
        use_ema: whether a moving average of the weights is kept; it takes their place when a fit ends.
        ema_momentum: the average's inertia.
        ema_overwrite_frequency: steps after which the weights are set to their averages, again and again.
        gradient_accumulation_steps: steps whose gradients' mean makes one update.
        name: in descriptions.

    Raises:
        ValueError: where a number is out of its range, or two ways of clipping are asked for.

    """

    HYPERS: ClassVar[tuple[str, ...]] = (
        "learning_rate",
        "weight_decay",
        "clipnorm",
        "clipvalue",
        "global_clipnorm",
        "ema_momentum",
    )
    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "learning_rate": (0.0, float("inf")),
        "weight_decay": (0.0, float("inf")),
        "clipnorm": (0.0, float("inf")),
        "clipvalue": (0.0, float("inf")),
        "global_clipnorm": (0.0, float("inf")),
        "ema_momentum": (0.0, 1.0),
    }
    OWN: ClassVar[tuple[str, ...]] = ()  # names of a subclass's own arguments
    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.learning_rate = learning_rate
        self.iterations = 0
        self.excludes: Callable[[str], bool] | None = None
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = [key for key, value in clips.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"One of clipnorm, clipvalue and global_clipnorm can be set, got {' and '.join(given)}.")
        self.keep(weight_decay=weight_decay, **clips)
        self.use_ema = bool(use_ema)
        self.ema_momentum = number(self, "ema_momentum", ema_momentum, at_least=0, at_most=1) if use_ema else None
        self.ema_overwrite_frequency = _whole(self, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        if loss_scale_factor is not None:
            raise ValueError(
                "loss_scale_factor is not needed: gradients are float32 here, or bfloat16 with float32's range."
            )
        self.gradient_accumulation_steps = _whole(self, "gradient_accumulation_steps", gradient_accumulation_steps, 2)

    def keep(self, **given: Any) -> None:
        """Check numbers against ``RANGES`` and keep them as attributes; None leaves a term out."""
        for key, value in given.items():
            if value is not None:
                low, high = self.RANGES.get(key, (-np.inf, np.inf))
                value = number(self, key, value, at_least=low, at_most=high)
            setattr(self, key, value)

    # -- the learning rate --------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The rate in force; of a schedule, at the step reached."""
        held = self._learning_rate
        return float(held(self.iterations)) if isinstance(held, LearningRateSchedule) else held

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, Mapping):
            value = schedules.deserialize(value)
        if isinstance(value, LearningRateSchedule):
            self._learning_rate: Any = value.twin()
            return
        held = getattr(self, "_learning_rate", None)
        if isinstance(held, LearningRateSchedule):
            raise TypeError(
                f"The learning rate follows {type(held).__name__} and cannot be set. Turn "
                "model.hypers['optimizer/learning_rate/scale'] instead, which multiplies it, or give a new schedule."
            )
        self._learning_rate = number(self, "learning_rate", value, at_least=0)

    lr = learning_rate

    def rate(self, h: Hypers, step: Any) -> Any:
        """The rate at `step`, traced."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate.apply(below(h, "learning_rate"), step)
        return h["learning_rate"]

    def with_rate(self, rate: Any) -> Self:
        """Its twin, with another number or schedule in the place of its learning rate."""
        other = self.twin()
        other._learning_rate = rate
        return other

    # -- a step ---------------------------------------------------------------------------------

    def slots(self, w: Any) -> Slots:
        """What is remembered of one weight, at the start."""
        return {}

    def extra(self) -> Slots:
        """What is remembered of no weight, at the start."""
        return {}

    def shared(self, h: Hypers, t: Any, extra: Slots) -> Slots:
        """What is remembered of no weight, a step later."""
        return extra

    def update(self, h: Hypers, rate: Any, t: Any, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step.

        Args:
            h: the optimizer's numbers; those of :meth:`shared` are among them.
            rate: the learning rate.
            t: which step this is, from 1, as a float.
            w: the weight.
            g: its gradient.
            s: its slots.

        """
        raise NotImplementedError(f"{type(self).__name__} must define update(h, rate, t, w, g, s).")

    def init(self, params: Arrays) -> OptimizerState:
        """The state before the first step, made on the host."""
        return OptimizerState(
            np.int32(0),
            tuple(self.slots(w) for w in params),
            self.extra(),
            tuple(zeros(w) for w in params) if self.use_ema else (),
            tuple(zeros(w) for w in params) if self.gradient_accumulation_steps else (),
        )

    def apply(
        self,
        h: Hypers,
        state: OptimizerState,
        params: Arrays,
        grads: Arrays,
        constraints: Arrays,
        decays: tuple[bool, ...] | None = None,
    ) -> tuple[Arrays, OptimizerState]:
        """One step of all weights.

        Args:
            constraints: a function or None a weight.
            decays: whether weight decay applies, a weight; None where it does to all.

        """
        rate = self.rate(h, state.iterations)
        every = self.gradient_accumulation_steps or 1
        inner = state._replace(iterations=state.iterations // every) if every > 1 else state
        if every == 1:
            moved, after = self._step(h, rate, inner, params, grads, decays)
        else:
            summed = tuple(a + g for a, g in zip(state.gathered, grads, strict=True))
            moved, after = self._step(h, rate, inner, params, tuple(g / every for g in summed), decays)
            due = (state.iterations + 1) % every == 0
            moved, after = jax.tree.map(lambda new, old: jnp.where(due, new, old), (moved, after), (params, inner))
            after = after._replace(gathered=tuple(jnp.where(due, 0, a) for a in summed))
        moved, averages = self._averaged(h, inner, moved)  # at every step, also where none is due, as in Keras
        bound = tuple(w if limit is None else limit(w) for w, limit in zip(moved, constraints, strict=True))
        return bound, after._replace(iterations=state.iterations + 1, averages=averages)

    def _step(
        self, h: Hypers, rate: Any, state: OptimizerState, params: Arrays, grads: Arrays, decays: Any
    ) -> tuple[Arrays, OptimizerState]:
        t = (state.iterations + 1).astype(jnp.result_type(rate))
        extra = self.shared(h, t, state.extra)
        told = {**h, **extra}
        moved, kept = [], []
        for i, (w, g, s) in enumerate(zip(params, self.clipped(h, grads), state.slots, strict=True)):
            after, slots = self.moved(told, rate, t, decays is None or decays[i], w, g, s)
            moved.append(after)
            kept.append(slots)
        return tuple(moved), state._replace(slots=tuple(kept), extra=extra)

    def moved(self, h: Hypers, rate: Any, t: Any, decays: bool, w: Any, g: Any, s: Slots) -> tuple[Any, Slots]:
        """One weight's step and, where it `decays`, weight decay before it; the rest as for :meth:`update`."""
        if self.weight_decay is not None and decays:
            w = w - w * h["weight_decay"] * rate
        return self.update(h, rate, t, w, g, s)

    def clipped(self, h: Hypers, grads: Arrays) -> Arrays:
        """The gradients, cut as asked for."""
        if self.clipnorm is not None:
            return tuple(g * _shrink(_norm([g]), h["clipnorm"]) for g in grads)
        if self.global_clipnorm is not None:
            factor = _shrink(_norm(grads), h["global_clipnorm"])
            return tuple(g * factor for g in grads)
        if self.clipvalue is not None:
            return tuple(jnp.clip(g, -h["clipvalue"], h["clipvalue"]) for g in grads)
        return grads

    def _averaged(self, h: Hypers, state: OptimizerState, moved: Arrays) -> tuple[Arrays, Arrays]:
        if not self.use_ema:
            return moved, ()
        inertia = jnp.where(state.iterations == 0, 0, h["ema_momentum"])
        averages = tuple(inertia * a + (1 - inertia) * w for a, w in zip(state.averages, moved, strict=True))
        every = self.ema_overwrite_frequency
        if every:
            due = (state.iterations + 1) % every == 0
            moved = tuple(jnp.where(due, a, w) for a, w in zip(averages, moved, strict=True))
        return moved, averages

    def finalize(self, state: OptimizerState, params: Arrays) -> Arrays:
        """The weights that a fit leaves behind: their averages, where those are kept."""
        return state.averages if self.use_ema and int(np.max(state.iterations)) else params

    # -- descriptions ---------------------------------------------------------------------------

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Keep weight decay off some weights.

        Args:
            var_list: weights by name, or weights of a model.
            var_names: words or patterns that are searched for in ``'layer/weight'``.

        """
        words = [re.compile(word) for word in var_names or ()]
        exact = {getattr(one, "path", one) for one in var_list or ()}
        self.excludes = lambda path: path in exact or any(word.search(path) for word in words)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        held = self._learning_rate
        scheduled = isinstance(held, LearningRateSchedule)
        common = {
            "name": self.name,
            "learning_rate": schedules.serialize(held) if scheduled else held,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": 0.99 if self.ema_momentum is None else self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }
        return {**common, **{name: getattr(self, name) for name in self.OWN}}

    def structure(self) -> tuple[Any, ...]:
        """As for any Tunable; a user's optimizer with attributes that it does not describe is like no other."""
        known = {*self.get_config(), "_learning_rate", "iterations", "excludes"}
        return (type(self), self) if set(vars(self)) - known else super().structure()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} learning_rate={self.learning_rate:g}>"


def zeros(w: Any) -> np.ndarray:
    """Zeros of a weight's shape, on the host: nothing is compiled for them."""
    return np.zeros(w.shape, w.dtype)


def _whole(owner: Any, name: str, value: Any, least: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        raise ValueError(f"{name} must be a whole number >= {least}, got {type(owner).__name__}({name}={value!r}).")
    return int(value)


def _norm(grads: Iterable[Any]) -> Any:
    squares = sum(jnp.sum(jnp.square(g)) for g in grads)
    return jnp.sqrt(squares)


def _shrink(norm: Any, largest: Any) -> Any:
    """The factor that brings `norm` down to `largest`; NaN where the norm is not finite."""
    return jnp.where(norm > largest, largest / jnp.maximum(norm, largest), 1) + 0 * norm
