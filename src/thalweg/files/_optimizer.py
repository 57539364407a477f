"""In which order Keras writes an optimizer's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.optimizers import Optimizer, OptimizerState
from thalweg.optimizers.schedules import LearningRateSchedule

_GROUPS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Adam": (("momentum", "velocity"), ("velocity_hat",)),
    "AdamW": (("momentum", "velocity"), ("velocity_hat",)),
    "RMSprop": (("velocity",), ("momentum",), ("average_gradient",)),
}
"""Slots that are written weight by weight, and groups of them that follow each other; one group where nothing is said."""


class Entry(NamedTuple):
    """One variable: what it is called, and where it lies in an :class:`OptimizerState`."""

    name: str
    where: tuple[str, Any, Any]  # (part, weight's number or name, slot's name)
    shape: tuple[int, ...]


def layout(optimizer: Optimizer, weights: Sequence[str], state: OptimizerState) -> list[Entry]:
    """The variables in Keras's order.

    Args:
        optimizer: whose they are.
        weights: a name per trained weight.
        state: one of the right shapes; its numbers do not matter.

    """
    listed = [Entry("iteration", ("iterations", None, None), ())]
    if not isinstance(optimizer._learning_rate, LearningRateSchedule):
        listed.append(Entry("learning_rate", ("learning_rate", None, None), ()))
    for part, ending in (("averages", "average"), ("gathered", "gradient_accumulator")):
        arrays = getattr(state, part)
        listed += [Entry(f"{weights[i]}_{ending}", (part, i, None), np.shape(array)) for i, array in enumerate(arrays)]
    for group in _groups(optimizer, state):
        for i, slots in enumerate(state.slots):
            listed += [Entry(f"{weights[i]}_{slot}", ("slots", i, slot), np.shape(slots[slot])) for slot in group]
    listed += [Entry(name, ("extra", name, None), np.shape(value)) for name, value in state.extra.items()]
    return listed


def _groups(optimizer: Optimizer, state: OptimizerState) -> list[tuple[str, ...]]:
    present = list(state.slots[0]) if state.slots else []
    if getattr(optimizer, "momentum", None) == 0:  # Keras has no such variable where momentum is 0
        present.remove("momentum")
    known = _GROUPS.get(type(optimizer).__name__, (tuple(present),))
    return [kept for group in known if (kept := tuple(slot for slot in group if slot in present))]


def values(optimizer: Optimizer, entries: Sequence[Entry], state: OptimizerState) -> list[np.ndarray]:
    """The variables' numbers."""
    return [np.asarray(_value(optimizer, entry, state)) for entry in entries]


def _value(optimizer: Optimizer, entry: Entry, state: OptimizerState) -> Any:
    part, which, slot = entry.where
    if part == "learning_rate":
        return np.float32(optimizer.learning_rate)
    held = getattr(state, part)
    if which is not None:
        held = held[which]
    return held if slot is None else held[slot]


def filled(state: OptimizerState, entries: Sequence[Entry], arrays: Sequence[np.ndarray]) -> OptimizerState:
    """`state` with the numbers of a file in it, in its own dtypes."""
    found = {entry.where: array for entry, array in zip(entries, arrays, strict=True)}

    def take(where: tuple[str, Any, Any], own: Any) -> Any:
        return np.asarray(found[where], np.asarray(own).dtype) if where in found else own

    return OptimizerState(
        take(("iterations", None, None), state.iterations),
        tuple(
            {name: take(("slots", i, name), own) for name, own in slots.items()} for i, slots in enumerate(state.slots)
        ),
        {name: take(("extra", name, None), own) for name, own in state.extra.items()},
        tuple(take(("averages", i, None), own) for i, own in enumerate(state.averages)),
        tuple(take(("gathered", i, None), own) for i, own in enumerate(state.gathered)),
    )
