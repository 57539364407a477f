"""How nets are grouped: each group is one compiled program, so few groups compile less and pad more.

A program costs about as much to compile as a small net's whole training; a padded unit costs as much as a real one.
Nets that could share a program are put in order of their size and cut into stretches, so that the sum of both costs is
least (dynamic programming over the cuts). The costs are constants, not measurements: how nets are grouped decides the
last bits of their numbers, which must not depend on a stopwatch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.models._fit import sources
from thalweg.models._memory import _free as free_bytes
from thalweg.tuner._bench import Job
from thalweg.tuner.executors._train import shared_key

COMPILE_SECONDS = 1.5  # of the programs that train and validate a small net
STEP_SECONDS = 30e-6  # of a step whatever its size, on one core
FLOP_SECONDS = 1 / 30e9  # of one operation more, on one core
MEMBER_COPIES = 6  # weights, two moments, gradients, what the host and the best epoch hold
_MOST = 256  # members of a group, for whom the host has work after every epoch


@dataclass
class Planned:
    """A group to be.

    Attributes:
        jobs: its nets.
        widths: units of each layer of the widest.
        wasted: the share of multiplications that padding adds.

    """

    jobs: list[Job]
    widths: tuple[int, ...]
    wasted: float

    def record(self) -> dict[str, Any]:
        """Plain data, for the journal."""
        trials = list(dict.fromkeys(job.assignment.number for job in self.jobs))
        layers = [width for width in self.widths if width]
        return {"trials": trials, "nets": len(self.jobs), "widths": layers, "padding": round(self.wasted, 3)}


def plan(jobs: Sequence[Job], budget: int, known: Sequence[Sequence[int]] = ()) -> list[Planned]:
    """Cut nets into groups.

    Args:
        jobs: nets at a call of ``model.fit``, in the order of their trials.
        budget: bytes that a group's nets may take.
        known: trials that are to be a group as they were before.

    Returns:
        Groups, those that train longest first.

    """
    ready(jobs)
    before = {number: i for i, numbers in enumerate(known) for number in numbers}
    kinds: dict[Any, list[Job]] = {}
    for job in jobs:
        kinds.setdefault(before.get(job.assignment.number, _kind(job)), []).append(job)
    found = []
    for key, alike in kinds.items():
        if isinstance(key, int):
            found.append(_planned(alike))
            continue
        for stretch in _stretches(alike):
            most = max(1, min(_MOST, budget // max(map(_bytes, stretch))))
            found.extend(_planned(part) for part in _parts(stretch, most))
    return sorted(found, key=lambda one: -_seconds(one.jobs, one.widths))


def _parts(jobs: list[Job], most: int) -> list[list[Job]]:
    """Parts of about equal size with at most `most` nets, or one trial's; a trial's nets stay together."""
    trials: dict[int, list[Job]] = {}
    for job in jobs:
        trials.setdefault(job.assignment.number, []).append(job)
    each = list(trials.values())
    count = min(math.ceil(len(jobs) / most), len(each))
    return [[job for i in part for job in each[i]] for part in np.array_split(np.arange(len(each)), count)]


def ready(jobs: Sequence[Job]) -> None:
    """Let every net know its shapes, from the first rows of what it is fitted to."""
    firsts: dict[Any, Any] = {}
    for job in jobs:
        assert job.call is not None
        key = shared_key(job)
        if key not in firsts:
            from thalweg import data

            train, _ = sources(job.model, job.call.arguments)
            firsts[key] = train if isinstance(train, data.Rows) else data.peek(train)
        job.model.ready(firsts[key], job.seed)


def _kind(job: Job) -> tuple[Any, ...]:
    """What nets of one program have in common."""
    return (shared_key(job), crew_key(job.model))


def crew_key(model: Any) -> Any:
    """Equal for nets that can share a program, widths apart."""
    task = model.task()
    layers = task.network.layers
    widest = task.over(task.network.with_units([1 if getattr(one, "units", 0) else 0 for one in layers]), padded=True)
    return widest.structure


def _widths(job: Job) -> tuple[int, ...]:
    return tuple(getattr(layer, "units", 0) or 0 for layer in job.model.network.layers)


def _steps(job: Job) -> int:
    assert job.call is not None
    asked = job.call.arguments
    rows = (
        len(asked["x"][0] if isinstance(asked["x"], (list, tuple)) else asked["x"])
        if hasattr(asked["x"], "__len__")
        else 1000
    )
    epochs = max(asked["epochs"] - asked["initial_epoch"], 1)
    return epochs * (asked["steps_per_epoch"] or -(-rows // (asked["batch_size"] or 32)))


def _seconds(jobs: Sequence[Job], widths: tuple[int, ...]) -> float:
    """What the steps of these nets cost, padded to `widths`."""
    first = jobs[0]
    assert first.call is not None
    batch = first.call.arguments["batch_size"] or 32
    step = STEP_SECONDS + 6 * batch * _products(first.model.network, widths) * FLOP_SECONDS
    return step * sum(map(_steps, jobs))


def _products(network: Any, widths: tuple[int, ...]) -> int:
    """Multiplications of a row on its way through a net of these widths."""
    return sum(math.prod(widths[one] if one >= 0 else -one for one in kernel) for kernel in _kernels(network))


def _kernels(network: Any) -> list[tuple[int, int]]:
    """Each kernel's inputs and outputs: the layer that has so many units, or minus the number where it is fixed."""
    made: list[int] = [-int(np.prod(features)) for features in network.inputs]  # who decides a tensor's size
    for node, features in zip(network.nodes, network.features[len(network.inputs) :], strict=True):
        layer = network.layers[node.layer]
        fixed = -int(np.prod(features))
        made.append(node.layer if getattr(layer, "units", 0) else fixed if layer.merges else made[node.inputs[0]])
    fed = {node.layer: made[node.inputs[0]] for node in network.nodes}
    places = [place for place in network.trainable if len(place.weight.shape) == 2]
    return [(fed[place.layer], place.layer) for place in places if getattr(network.layers[place.layer], "units", 0)]


def _stretches(jobs: list[Job]) -> list[list[Job]]:
    """Nets of one kind, cut where that is cheapest."""
    order = sorted(jobs, key=lambda job: (_products(job.model.network, _widths(job)), _widths(job)))
    kinds = sorted({_widths(job) for job in order}, key=lambda w: (_products(order[0].model.network, w), w))
    members = [[job for job in order if _widths(job) == kind] for kind in kinds]
    best: list[tuple[float, int]] = [(0.0, 0)]
    for stop in range(1, len(kinds) + 1):
        choices = []
        widest = kinds[stop - 1]
        within: list[Job] = []
        for start in range(stop - 1, -1, -1):
            widest = tuple(map(max, widest, kinds[start]))
            within = members[start] + within
            choices.append((best[start][0] + COMPILE_SECONDS + _seconds(within, widest), start))
        best.append(min(choices))
    cuts = []
    stop = len(kinds)
    while stop:
        start = best[stop][1]
        cuts.append((start, stop))
        stop = start
    return [_in_order([job for part in members[start:stop] for job in part]) for start, stop in reversed(cuts)]


def _in_order(jobs: list[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (job.assignment.number, job.execution, job.fold or 0))


def _planned(jobs: list[Job]) -> Planned:
    widest = tuple(map(max, *(_widths(job) for job in jobs))) if len(jobs) > 1 else _widths(jobs[0])
    own = sum(_products(job.model.network, _widths(job)) for job in jobs)
    padded = _products(jobs[0].model.network, widest) * len(jobs)
    return Planned(jobs, widest, 1 - own / padded if padded else 0.0)


def _bytes(job: Job) -> int:
    return job.model.count_params() * 4 * MEMBER_COPIES


def default_budget() -> int:
    """Half of the memory that is free."""
    return (free_bytes() or 1 << 30) // 2
