"""The callbacks of a population: some listen to one member each, the others to all of them together."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.callbacks import CallbackList, History
from thalweg.callbacks._callback import listens
from thalweg.models._fit import finalize

if TYPE_CHECKING:
    from thalweg.models._population import Population
    from thalweg.models._portions import Portions

_BETWEEN_CHUNKS = ("on_progress", "on_safe_point")


class PopulationCallbacks:
    """Each member's callbacks, and those of the population.

    A member's are copies of those that judge one model, and what is its own. They hear of their member what they would
    hear of a model that is trained alone: of its steps, its epochs and its end.

    Args:
        population: whose.
        given: for all members: those that judge one model are copied, the others see the population.
        asked: the arguments of the fit.
        portions: what each member has for itself.

    """

    def __init__(self, population: Population, given: list[Any], asked: dict[str, Any], portions: Portions) -> None:
        judging = [one for one in given if getattr(one, "per_member", False)]
        shared = [one for one in given if not getattr(one, "per_member", False)]
        self.population, self.portions = population, portions
        self.epochs, self.initial_epoch = asked["epochs"], asked["initial_epoch"]
        self.shared = CallbackList(shared, model=population, verbose=asked["verbose"], epochs=asked["epochs"])
        self.members = []
        for i, (model, epochs) in enumerate(zip(population, portions.epochs, strict=True)):
            own = [*(_copy_for(i, one) for one in judging), *portions.callbacks[i]]
            self.members.append(CallbackList(own, model=model, verbose=0, epochs=epochs))
        self.running = [True] * len(population)
        self.steps: list[int | None] = [None] * len(population)
        self._told = [0] * len(population)  # the step of the epoch that each has heard of last
        self._went_on: set[int] = set()  # who ran steps of the last chunk
        self._halted: set[int] = set()  # who was stopped within the epoch

    def set_steps(self, steps: int | None, each: list[int | None]) -> None:
        """Say how many steps an epoch has, for all and for each."""
        self.steps = each
        for listed, count in zip((self.shared, *self.members), (steps, *each), strict=True):
            listed.set_params({**(listed.params or {}), "steps": count})

    @property
    def needs(self) -> Any:
        """What any of them wants in the logs."""
        return self.shared.needs.union(*(member.needs for member in self.members))

    @property
    def history(self) -> History:
        """The population's record."""
        assert self.shared.history is not None
        return self.shared.history

    def last(self, member: int, name: str) -> float:
        """The last number of a member's own record, NaN where there is none."""
        found = self.members[member].history.history.get(name)
        return found[-1] if found else math.nan

    @property
    def wants_train_batches(self) -> bool:
        """Whether anyone must be called at every step."""
        return self.shared.wants_train_batches or any(member.wants_train_batches for member in self.members)

    @property
    def wants_test_batches(self) -> bool:
        """Whether a member's must be called at every step of validation."""
        return any(member.wants_test_batches for member in self.members)

    @property
    def wants_arrays(self) -> bool:
        """Whether a member may be looked at between two chunks."""
        own = [one for listed in self.portions.callbacks for one in listed]
        return self.wants_train_batches or any(listens(one, hook) for one in own for hook in _BETWEEN_CHUNKS)

    def next_stop(self, step: int) -> int | None:
        """The next step at which somebody must be called."""
        asked = [self.shared.next_stop(step)]
        asked.extend(self.members[i].next_stop(step) for i in self._running(step))
        return min((stop for stop in asked if stop is not None), default=None)

    def _running(self, step: int | None = None) -> Iterator[int]:
        """The members that run; where a step of the epoch is given, those that run it."""
        for i, steps in enumerate(self.steps):
            if self.running[i] and (step is None or (i not in self._halted and (steps is None or step < steps))):
                yield i

    def on_train_begin(self, logs: Any = None) -> None:
        """All members start; those that have no epoch to run end at once."""
        for i, (model, member) in enumerate(zip(self.population, self.members, strict=True)):
            model.stop_training = False
            model.history = member.history
            member.on_train_begin()
            if self.portions.epochs[i] <= self.initial_epoch < self.epochs:
                self._end(i, {})
        self.shared.on_train_begin()

    def on_train_end(self, logs: Any = None) -> None:
        """Members that have not stopped end."""
        for i in self._running():
            self.members[i].on_train_end(_one(logs, i))
        self.shared.on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Members that run, then the population."""
        self._told, self._halted = [0] * len(self.members), set()
        for i in self._running():
            self.members[i].on_epoch_begin(epoch)
        self.shared.on_epoch_begin(epoch)

    def on_epoch_end(self, epoch: int, logs: Any) -> None:
        """Each member judges its own numbers; one that stops, or has run all its epochs, ends at once."""
        for i in list(self._running()):
            self.members[i].on_epoch_end(epoch, _one(logs, i))
            if self.population[i].stop_training or self.portions.epochs[i] <= epoch + 1 < self.epochs:
                self.members[i].on_safe_point(epoch + 1, 0)
                self._end(i, _one(logs, i))
        self.shared.on_epoch_end(epoch, logs)
        if not any(self.running):
            self.population.stop_training = True

    def _end(self, member: int, logs: Any) -> None:
        """A member ends, as a model does: what it is to keep first."""
        finalize(self.population[member])
        self.members[member].on_train_end(logs)
        self.running[member] = False

    def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
        """Members that run, then the population."""
        for i in self._running(step):
            self.members[i].on_train_batch_begin(step)
        self.shared.on_train_batch_begin(step)

    def on_train_batch_end(self, step: int, logs: Any) -> None:
        """Members that run, then the population."""
        for i in self._running(step):
            self.members[i].on_train_batch_end(step, _one(logs, i))
        self.shared.on_train_batch_end(step, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Members that run."""
        for i in self._running():
            self.members[i].on_test_begin()

    def on_test_end(self, logs: Any) -> None:
        """Members that run."""
        for i in self._running():
            self.members[i].on_test_end(_one(logs, i))

    def on_test_batch_begin(self, step: int, steps: list[int | None]) -> None:
        """Members that run, and have so many `steps` of validation."""
        for i in self._running():
            if steps[i] is None or step < (steps[i] or 0):
                self.members[i].on_test_batch_begin(step)

    def on_test_batch_end(self, step: int, steps: list[int | None], logs: Any) -> None:
        """Likewise."""
        for i in self._running():
            if steps[i] is None or step < (steps[i] or 0):
                self.members[i].on_test_batch_end(step, _one(logs, i))

    def on_progress(self, step: int, logs: Any) -> None:
        """Each member's own, where it went on, and the population's, as means over the members."""
        self._went_on = set()
        for i in self._running():
            own = step if self.steps[i] is None else min(step, self.steps[i] or 0)
            if own > self._told[i] and i not in self._halted:
                self._told[i] = own
                self._went_on.add(i)
                self.members[i].on_progress(own, _one(logs, i))
        self.shared.on_progress(step, {name: float(np.mean(value)) for name, value in logs.items()})

    ends_on_nan = True  # of one member; the others go on

    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """Members that run, then the population."""
        for i in self._running():
            if step == 0 or last or i in self._went_on:
                self.members[i].on_safe_point(epoch, min(step, self._told[i]), last)
            if step and self.population[i].stop_training:
                self._halted.add(i)
        self.shared.on_safe_point(epoch, step, last)

    def get_state(self) -> dict[str, Any]:
        """Everybody's."""
        members = [member.get_state() for member in self.members]
        return {"shared": self.shared.get_state(), "members": members, "running": self.running}

    def set_state(self, state: Any) -> None:
        """Everybody's."""
        self.shared.set_state(state["shared"])
        for member, own in zip(self.members, state["members"], strict=True):
            member.set_state(own)
        self.running = list(state["running"])

    def record(self, before: Any, after: Any, paths: list[list[str]], epoch: int, step: int) -> None:
        """Put what changed since the last chunk into the members' histories."""
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            for k in np.flatnonzero(old != new):
                self.members[i].history.changed(epoch, step, paths[i][k], float(old[k]), float(new[k]))

    def __enter__(self) -> PopulationCallbacks:
        return self

    def __exit__(self, *error: Any) -> None:
        with ExitStack() as closing:
            for listed in (self.shared, *self.members):
                closing.callback(listed.close)


def _copy_for(member: int, callback: Any) -> Any:
    own = copy.deepcopy(callback)
    own.member = member
    return own


def _one(logs: Any, member: int) -> dict[str, Any]:
    return {name: values[member] for name, values in (logs or {}).items()}
