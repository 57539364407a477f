"""Tasks of different nets as one task, and where the numbers of each lie in it.

The merged net has every layer that any member has, as wide as its widest, and takes every kind of activation, schedule
and optimizer that there is. What a member does not use is zero and stays zero: its gradient is exactly zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from thalweg import config
from thalweg.engine._aligned import Aligned, Differs, aligned
from thalweg.engine._alternatives import Chosen, any_activation, any_optimizer
from thalweg.engine._kinds import is_own_optimizer
from thalweg.engine._padding import Where, pad, positions, unpad
from thalweg.engine._state import TrainState
from thalweg.engine._task import Task
from thalweg.network import Network, Place, Used, chain_of


class Lies(NamedTuple):
    """Where a weight of the merged net is in a member: its number there, and which part of the array it fills."""

    own: int
    where: Where | None  # None: all of it


class Share(NamedTuple):
    """What nets of the same widths and layers use of the merged one.

    Attributes:
        masks: per merged layer the units in use, or None where it has no units.
        used: what the program is told.
        trained, frozen: per weight of the merged net, where it lies in the own one; None where that has none.

    """

    masks: tuple[np.ndarray | None, ...]
    used: Used
    trained: list[Lies | None]
    frozen: list[Lies | None]


@dataclass(frozen=True, eq=False)
class Member:
    """One net's share of a merged task.

    Attributes:
        task: its own.
        merged: the task of all.
        layers: which of the merged net's layers each of its own is.
        share: what its widths and layers make of it.
        index: where its numbers lie in the merged vector.
        base: the merged vector without them.

    """

    task: Task
    merged: Task
    layers: tuple[int, ...]
    share: Share
    index: np.ndarray
    base: np.ndarray

    def vector(self, numbers: np.ndarray) -> np.ndarray:
        """Its hypers as the merged program takes them."""
        merged = self.base.copy()
        merged[self.index] = numbers
        return merged

    def widen(self, params: Any, frozen: Any) -> tuple[Any, Any]:
        """Its weights as the merged program takes them."""
        return self._wide(params), _wide(frozen, self.share.frozen, self.merged.network.frozen)

    def narrow(self, params: Any, frozen: Any) -> tuple[Any, Any]:
        """Its weights back out."""
        return self._narrow(params), _narrow(frozen, self.share.frozen)

    def _wide(self, arrays: Any) -> tuple[Any, ...]:
        """Arrays, one a trained weight, as the merged program has them."""
        return self.merged.together(_wide(arrays, self.share.trained, self.merged.network.trainable))

    def _narrow(self, arrays: Any) -> tuple[Any, ...]:
        """Back out."""
        return _narrow(self.merged.apart(arrays), self.share.trained)

    def widen_slots(self, state: Any) -> Any:
        """What its optimizer remembers, as the merged one does."""
        if self._alike:
            return state
        optimizer = self.merged.optimizer
        assert optimizer is not None
        count = len(self.task.network.trainable)
        columns = {name: self._wide(tuple(state.slots[i][name] for i in range(count))) for name in _slots(self.task)}
        nothing = self._wide(tuple(np.zeros(p.weight.shape, config.floatx()) for p in self.task.network.trainable))
        held = {name: columns.get(name, nothing) for name in _slots(self.merged)}
        slots = tuple({name: held[name][i] for name in held} for i in range(len(nothing)))
        averages, gathered = (self._wide(part) if part else () for part in state[3:])
        return state._replace(
            slots=slots, extra={**optimizer.extra(), **state.extra}, averages=averages, gathered=gathered
        )

    def narrow_slots(self, state: Any) -> Any:
        """What its optimizer remembers, back out."""
        if self._alike:
            return state
        optimizer = self.task.optimizer
        assert optimizer is not None
        columns = {name: self._narrow(tuple(one[name] for one in state.slots)) for name in _slots(self.task)}
        slots = tuple({name: columns[name][i] for name in columns} for i in range(len(self.task.network.trainable)))
        averages, gathered = (self._narrow(part) if part else () for part in state[3:])
        extra = {name: state.extra[name] for name in optimizer.extra()}
        return state._replace(slots=slots, extra=extra, averages=averages, gathered=gathered)

    def own(self, state: TrainState) -> TrainState:
        """A state of the merged net, as its own net has it."""
        params, frozen = self.narrow(state.params, state.frozen)
        return TrainState(params, frozen, self.narrow_slots(state.optimizer), state.step, state.totals)

    @cached_property
    def _alike(self) -> bool:
        """Whether the optimizer's state is the merged one's."""
        same = self.task.optimizer is None or type(self.task.optimizer) is type(self.merged.optimizer)
        return same and not self.merged.shared and not self.merged.flat


@dataclass(frozen=True, eq=False)
class Mixed:
    """The task of all, and each net's share."""

    task: Task
    members: list[Member]


def merge(tasks: Sequence[Task]) -> Mixed:
    """Tasks as one.

    Raises:
        Differs: naming the first member that cannot share a program with the first, and in what it differs.

    """
    _agree(tasks)
    laid = aligned([task.network for task in tasks])
    network, chosen = _network(tasks, laid)
    optimizer = any_optimizer([task.optimizer for task in tasks])
    widths = [[getattr(layer, "units", 0) or 0 for layer in task.network.layers] for task in tasks]
    padded = any(
        width != (getattr(network.layers[merged], "units", 0) or 0)
        for mine, places in zip(widths, laid.places, strict=True)
        for width, merged in zip(mine, places, strict=True)
    )
    decays = _decays(tasks, network, laid)
    task = replace(tasks[0], network=network, optimizer=optimizer.whole, decays=decays, padded=padded)
    task = replace(task, flat=_can_be_flat(task))
    base, at = task.hypers(), {path: i for i, path in enumerate(task.paths)}
    seen: dict[Any, Any] = {}
    members = []
    for i, own in enumerate(tasks):
        kinds = {**chosen[i], **{f"optimizer/{path}": kind for path, kind in optimizer.kinds[i].items()}}
        mine = base.copy()
        for path, kind in kinds.items():
            mine[at[path]] = kind
        index = np.array([at[_path(path, laid.places[i], optimizer, i)] for path in own.paths], int)
        shape = (laid.places[i], tuple(widths[i]))
        if shape not in seen:
            seen[shape] = _share(task, own.network, laid.places[i])
        members.append(Member(own, task, laid.places[i], seen[shape], index, mine))
    return Mixed(task, members)


def _can_be_flat(task: Task) -> bool:
    """Whether the optimizer does the same to every number, whichever weight it is of."""
    if task.optimizer is None or task.decays is not None:
        return False
    each = getattr(task.optimizer, "alternatives", [task.optimizer])
    return all(is_own_optimizer(one) and one.clipnorm is None for one in each)


def _agree(tasks: Sequence[Task]) -> None:
    """What is never mixed."""
    first = tasks[0]
    for i, task in enumerate(tasks):
        for what, mine, theirs in (
            ("its losses", task.objective, first.objective),
            ("its metrics", task.watch, first.watch),
        ):
            if (mine and mine.structure()) != (theirs and theirs.structure()):
                raise Differs(i, what)
        if (task.dtype, task.masked) != (first.dtype, first.masked):
            raise Differs(i, "the precision of its arithmetic")


def _network(tasks: Sequence[Task], laid: Aligned) -> tuple[Network, list[dict[str, float]]]:
    """The net of all, and each one's kinds of activations by path."""
    networks = [task.network for task in tasks]
    owners = laid.owners
    units = [max(getattr(networks[net].layers[own], "units", 0) or 0 for net, own in each) for each in owners]
    lacking = [number for number, each in enumerate(owners) if len(each) < len(networks)]
    if lacking or laid.size != len(networks[0].layers):
        layers = [networks[each[0][0]].layers[each[0][1]] for each in owners]
        whole = replace(chain_of(layers, networks[0].inputs[0]), blocks=_blocks(owners, units, len(networks)))
        units = _tied(units, lacking)
    else:
        whole = networks[0]
    merged = whole.with_units(units)
    chosen: list[dict[str, float]] = [{} for _ in networks]
    for number, each in enumerate(owners):
        functions = [getattr(networks[net].layers[own], "activation", None) for net, own in each]
        function, which = any_activation(functions)
        if function is not functions[0]:
            merged.layers[number].activation = function  # type: ignore[attr-defined]  # a blueprint: nobody else's
            for (net, _), kind in zip(each, which, strict=True):
                chosen[net][f"net/{number}/activation/kind"] = float(kind)
    return merged, chosen


def _tied(units: list[int], lacking: list[int]) -> list[int]:
    """Widths such that each layer which a member may lack gives as many units as it is fed."""
    groups: list[list[int]] = []  # layers of one width each, in the order of the chain
    for number, width in enumerate(units):
        if width and number in lacking and groups:
            groups[-1].append(number)
        elif width:
            groups.append([number])
    found = list(units)
    for group in groups:
        for number in group:
            found[number] = max(units[one] for one in group)
    return found


def _blocks(owners: list[list[tuple[int, int]]], units: list[int], nets: int) -> tuple[tuple[int, ...], ...]:
    """Layers that are lacked by the same nets, from one with units to the next."""
    blocks: list[list[int]] = []
    before: list[int] | None = None
    for number, each in enumerate(owners):
        who = [net for net, _ in each]
        if len(who) == nets:
            before = None
            continue
        if who != before or units[number]:
            blocks.append([])
        blocks[-1].append(number)
        before = who
    return tuple(map(tuple, blocks))


def _share(task: Task, own: Network, layers: tuple[int, ...]) -> Share:
    network = task.network
    count = len(network.layers)
    mine = dict(zip(layers, own.layers, strict=True))
    masks: list[np.ndarray | None] = []
    for number, layer in enumerate(network.layers):
        units = getattr(layer, "units", None)
        width = getattr(mine[number], "units", 0) if number in mine else 0
        masks.append(None if units is None else (np.arange(units) < width).astype(np.float32))
    used = Used()
    if network.blocks:
        places = np.zeros(count, np.uint32)
        places[list(layers)] = np.arange(len(layers))
        used = Used(present=np.isin(np.arange(count), layers), places=places)
    if task.padded:
        used = used._replace(units=tuple(masks))
    trained, frozen = (_lies(task, used, own, mine, layers, part) for part in ("trainable", "frozen"))
    return Share(tuple(masks), used, trained, frozen)


def _lies(task: Task, used: Used, own: Network, mine: Any, layers: tuple[int, ...], part: str) -> list[Lies | None]:
    places: Sequence[Place] = getattr(task.network, part)
    where: Sequence[Where | None] = positions(task.network, used, places) if task.padded else [None] * len(places)
    number = {(layers[place.layer], place.weight.name): i for i, place in enumerate(getattr(own, part))}
    return [
        Lies(number[place.layer, place.weight.name], along) if place.layer in mine else None
        for place, along in zip(places, where, strict=True)
    ]


def _decays(tasks: Sequence[Task], network: Network, laid: Aligned) -> tuple[bool, ...] | None:
    """Per weight of the merged net, whether weight decay applies to it; None where it does to all."""
    if all(task.decays is None for task in tasks):
        return None
    flags: dict[tuple[int, str], bool] = {}
    for i, (task, layers) in enumerate(zip(tasks, laid.places, strict=True)):
        for k, place in enumerate(task.network.trainable):
            decays = task.decays is None or task.decays[k]
            if flags.setdefault((layers[place.layer], place.weight.name), decays) != decays:
                raise Differs(i, "which weights are excluded from weight decay")
    return tuple(flags[place.layer, place.weight.name] for place in network.trainable)


def _path(path: str, layers: tuple[int, ...], optimizer: Chosen, net: int) -> str:
    """Where one of a net's own numbers lies among the merged task's."""
    part, _, local = path.partition("/")
    if part == "net":
        number, _, rest = local.partition("/")
        return f"net/{layers[int(number)]}/{rest}"
    return f"optimizer/{optimizer.path_of[net](local)}" if part == "optimizer" else path


def _slots(task: Task) -> tuple[str, ...]:
    """What its optimizer remembers of a weight."""
    assert task.optimizer is not None
    return tuple(task.optimizer.slots(np.zeros(())))


def _wide(arrays: Any, lies: Sequence[Lies | None], places: Sequence[Place]) -> tuple[Any, ...]:
    found = []
    for one, place in zip(lies, places, strict=True):
        if one is None:
            found.append(np.zeros(place.weight.shape, config.floatx()))
        else:
            array = arrays[one.own]
            found.append(array if one.where is None else pad(array, one.where, place.weight.shape))
    return tuple(found)


def _narrow(arrays: Any, lies: Sequence[Lies | None]) -> tuple[Any, ...]:
    found: dict[int, Any] = {}
    for array, one in zip(arrays, lies, strict=True):
        if one is not None:
            found[one.own] = array if one.where is None else unpad(array, one.where)
    return tuple(found[i] for i in range(len(found)))
