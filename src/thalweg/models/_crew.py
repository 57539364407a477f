"""The members of a population as one: what they share, where each one's numbers lie in it, and on which devices."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg import config
from thalweg._tunable import Tunable
from thalweg.engine import (
    Differs,
    Member,
    Task,
    TrainState,
    habits_of,
    merge,
    padded_count,
    share_out,
    skeleton_of,
    stack,
    ways,
)
from thalweg.layers import AnyActivation
from thalweg.models import _checks
from thalweg.network import Network
from thalweg.optimizers import AnyOptimizer
from thalweg.optimizers.schedules import AnySchedule

if TYPE_CHECKING:
    from thalweg.models._model import Model


class Mold(NamedTuple):
    """What a program was made for: a later population of the same mold is trained by the same program.

    Attributes:
        tasks: of nets that it has room for, which hold no weights.
        places: members that it has room for.

    """

    tasks: tuple[Task, ...] = ()
    places: int = 0


class Crew:
    """The members' tasks as one, on the devices.

    Args:
        tasks: one a member.
        mold: what else the program is to have room for; it costs what padding costs.

    Raises:
        ValueError: naming the first member that cannot share a program with the first, and in what it differs.

    """

    def __init__(self, tasks: list[Task], mold: Mold = Mold()) -> None:  # noqa: B008  # a constant
        try:
            mixed = merge([*tasks, *mold.tasks])
        except Differs as error:
            raise ValueError(
                f"{error} The members of a population share all but numbers, widths of layers, thalweg's own "
                "element-wise activations, schedules and optimizers, and, in a chain of layers, layers that some lack."
            ) from None
        self.task: Task = mixed.task
        self.members: list[Member] = mixed.members[: len(tasks)]
        self.padded = self.task.padded
        places = max(len(tasks), mold.places)
        self.count = padded_count(places)
        self.how = ways(places)
        if self.task.shared:
            _checks.may_be_padded(
                self.task.network, self.task.optimizer, [member.share.masks for member in self.members]
            )
        self.units: Any = self.gather([member.share.used for member in self.members]) if self.task.shared else ()

    def fill(self, each: list[Any]) -> list[Any]:
        """One entry a member, and idle copies of the last that fill up the devices."""
        return [*each, *[each[-1]] * (self.count - len(each))]

    def share(self, tree: Any, own: bool = True) -> Any:
        """Arrays on the devices, cut by member or copied to all."""
        return share_out(tree, self.how[1], own)

    def gather(self, each: list[Any]) -> Any:
        """Members' trees as one on the devices."""
        return self.share(stack(self.fill(each)))

    def numbers(self) -> list[np.ndarray]:
        """Each member's own hypers in force."""
        return [member.task.hypers() for member in self.members]

    def vectors(self, numbers: list[np.ndarray]) -> Any:
        """The members' own hypers as the program takes them, [members, numbers]."""
        each = [member.vector(own) for member, own in zip(self.members, numbers, strict=True)]
        return self.share(np.stack(self.fill(each)).astype(config.floatx()))

    def state(self, each: list[TrainState], totals: Any) -> TrainState:
        """The members' own states as one."""
        parts = []
        for member, own in zip(self.members, each, strict=True):
            wide = member.widen(own.params, own.frozen)
            parts.append((*wide, member.widen_slots(own.optimizer), own.step))
        params, frozen, slots, steps = self.gather(parts)
        return TrainState(params, frozen, slots, steps, totals)

    def weights(self, each: list[tuple[Any, Any]]) -> Any:
        """The members' own weights as one."""
        return self.gather([member.widen(*own) for member, own in zip(self.members, each, strict=True)])

    def plan(self) -> dict[str, Any]:
        """What is done, as plain data for a record.

        Returns:
            ``members``; ``widths``, the units of the widest layers; ``layers`` of the merged net; ``depths``, the
            least and the largest number of layers with units that a member has; ``kinds`` that are mixed: names of
            activations, schedules and optimizers; ``wasted``, the share of the multiply-adds of a step that are none
            of the members' own; ``how``, ``'map'`` (one after the other) or ``'vmap'``; ``devices``.

        """
        network, how = self.task.network, self.how[0]
        padded = [products(network, member.share.used.present if how == "map" else ()) for member in self.members]
        own = [products(member.task.network) for member in self.members]
        depths = [sum(1 for one in member.task.network.layers if getattr(one, "units", 0)) for member in self.members]
        return {
            "members": len(self.members),
            "widths": [layer.units for layer in network.layers if getattr(layer, "units", 0)],
            "layers": len(network.layers),
            "depths": [min(depths), max(depths)],
            "kinds": _kinds(self.task),
            "wasted": round(1 - sum(own) / max(sum(padded), 1), 4),
            "how": how,
            "devices": self.how[1],
        }


def products(network: Network, present: Any = ()) -> int:
    """Multiply-adds of one row on its way through the kernels of a net.

    Args:
        network: the net.
        present: per layer, whether it is run; empty where all are.

    """
    kernels = [place for place in (*network.trainable, *network.frozen) if len(place.weight.shape) == 2]
    return sum(math.prod(place.weight.shape) for place in kernels if len(present) == 0 or present[place.layer])


def _kinds(task: Task) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for layer in task.network.layers:
        held = getattr(layer, "activation", None)
        if isinstance(held, AnyActivation):
            known = found.setdefault("activations", [])
            known.extend(one.__name__ for one in held.functions if one.__name__ not in known)
    optimizer = task.optimizer
    if isinstance(optimizer, AnyOptimizer):
        found["optimizers"] = [type(one).__name__ for one in optimizer.alternatives]
    rate = getattr(optimizer, "_learning_rate", None)
    if isinstance(rate, AnySchedule):
        found["schedules"] = [type(one).__name__ for one in rate.alternatives]
    return found


def crew_key(model: Model) -> Hashable:
    """Equal for models that can share one program, whatever their widths, kinds and depths are.

    The batch size and the rows are no part of it. It is cheap, so that a planner may ask for hundreds.

    Args:
        model: compiled and built.

    Raises:
        ValueError: where it is not.

    """
    if model.compiled is None:
        raise ValueError("crew_key needs a compiled model: call model.compile(optimizer, loss) first.")
    given = model.compiled
    task = model.task()
    objective = model.objective.structure() if model.objective else _told((given.loss, given.loss_weights))
    return (
        skeleton_of(task.network),
        objective,
        _told((given.metrics, given.weighted_metrics)),
        habits_of(task.optimizer),
        task.decays is None,
        task.dtype,
    )


def _told(given: Any) -> Hashable:
    """What was given to ``compile``, as something that can be compared."""
    if isinstance(given, Mapping):
        return tuple((key, _told(value)) for key, value in given.items())
    if isinstance(given, (list, tuple)):
        return tuple(map(_told, given))
    return given.structure() if isinstance(given, Tunable) else given
