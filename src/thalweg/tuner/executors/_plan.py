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
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from thalweg import data
from thalweg.models._crew import crew_key
from thalweg.models._fit import sources
from thalweg.models._memory import free_bytes
from thalweg.tuner._bench import Job

_SHARED = ("x", "y", "sample_weight", "validation_data")
"""Arguments of fit that are data: one group reads the same objects."""
OWN = ("epochs", "callbacks", "seed", "until", "verbose", "run")
"""Arguments that each member has for itself."""
COMPILE_SECONDS = 1.5  # of the programs that train and validate a small net
STEP_SECONDS = 25e-6  # of a step whatever its size
FLOP_SECONDS = 1 / 30e9 / 2  # of one operation more; two cores share the nets
MEMBER_COPIES = 6  # weights, two moments, gradients, what the host and the best epoch hold
_CUTS = 48  # places at most where nets of one kind are cut
_MOST = 256  # members of a group, for whom the host has work after every epoch


class Chain(NamedTuple):
    """The sizes of a net that decide what it costs.

    Attributes:
        fed: numbers in a row that reaches the first layer with units.
        hidden: units of the layers before the last.
        outputs: units of the last.

    """

    fed: int
    hidden: tuple[int, ...]
    outputs: int

    def within(self, merged: tuple[int, ...]) -> int:
        """Multiplications of a row, padded to a merged net's widths; layers that this one lacks are not run."""
        sizes = [self.fed, *merged[: len(self.hidden)], self.outputs]
        return sum(one * other for one, other in pairwise(sizes))


@dataclass
class Planned:
    """A group to be.

    Attributes:
        jobs: its nets.
        widths: units of the hidden layers of the widest.
        wasted: the share of multiplications that padding adds.

    """

    jobs: list[Job]
    widths: tuple[int, ...]
    wasted: float

    def record(self) -> dict[str, Any]:
        """Plain data, for the journal."""
        trials = list(dict.fromkeys(job.assignment.number for job in self.jobs))
        return {"trials": trials, "nets": len(self.jobs), "widths": list(self.widths), "padding": round(self.wasted, 3)}


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
        kinds.setdefault(before.get(job.assignment.number, kind_of(job)), []).append(job)
    found = []
    for key, alike in kinds.items():
        if isinstance(key, int):
            found.append(planned(alike))
            continue
        for stretch in _stretches(alike):
            most = max(1, min(_MOST, budget // max(map(_bytes, stretch))))
            found.extend(planned(part) for part in in_parts(stretch, most))
    return sorted(
        found, key=lambda one: -sum(seconds(job, chain_of(job.model.network), one.widths) for job in one.jobs)
    )


def in_parts(jobs: list[Job], most: int) -> list[list[Job]]:
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
            train, _ = sources(job.model, job.call.arguments)
            firsts[key] = train if isinstance(train, data.Rows) else data.peek(train)
        job.model.ready(firsts[key], job.seed)


def shared_key(job: Job) -> tuple[Any, ...]:
    """Jobs whose calls of ``model.fit`` can be one: the same data, the same arguments."""
    assert job.call is not None
    parts: list[Any] = []
    for name, value in sorted(job.call.arguments.items()):
        if name not in OWN:
            parts.append((name, _by_identity(value) if name in _SHARED else repr(value)))
    return tuple(parts)


def _by_identity(value: Any) -> Any:
    """Data are the same where they are the same objects."""
    return tuple(id(one) for one in value) if isinstance(value, (tuple, list)) and len(value) <= 3 else id(value)


def kind_of(job: Job) -> tuple[Any, ...]:
    """What nets of one program have in common."""
    return (shared_key(job), crew_key(job.model))


def chain_of(network: Any) -> Chain:
    """The sizes of a net."""
    units = [layer.units for layer in network.layers if getattr(layer, "units", 0)]
    kernels = [place.weight.shape for place in network.trainable if len(place.weight.shape) == 2]
    fed = kernels[0][0] if kernels else 1
    return Chain(fed, tuple(units[:-1]), units[-1] if units else 1)


def merged_widths(chains: Sequence[Chain]) -> tuple[int, ...]:
    """Hidden widths of the net that holds all: layers that some lack are as wide as what feeds them."""
    deepest, least = max(len(one.hidden) for one in chains), min(len(one.hidden) for one in chains)
    widths = [max(one.hidden[i] for one in chains if i < len(one.hidden)) for i in range(deepest)]
    if deepest > least:
        tied = max(widths[max(least - 1, 0) :])
        widths = [*widths[: max(least - 1, 0)], *[tied] * (deepest - max(least - 1, 0))]
    return tuple(widths)


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


def seconds(job: Job, chain: Chain, widths: tuple[int, ...]) -> float:
    """What the steps of a net of these sizes cost, padded to `widths`."""
    return _steps(job) * _step_seconds(job, chain, widths)


def _step_seconds(job: Job, chain: Chain, widths: tuple[int, ...]) -> float:
    assert job.call is not None
    batch = job.call.arguments["batch_size"] or 32
    return STEP_SECONDS + 6 * batch * chain.within(widths) * FLOP_SECONDS


def _stretches(jobs: list[Job]) -> list[list[Job]]:
    """Nets of one kind in the order of their size, cut where that is cheapest."""
    held: dict[Chain, list[Job]] = {}
    for job in jobs:
        held.setdefault(chain_of(job.model.network), []).append(job)
    steps = {one: sum(map(_steps, alike)) for one, alike in held.items()}
    kinds = sorted(held, key=lambda one: (one.within(one.hidden), one.hidden))
    size = -(-len(kinds) // _CUTS)
    blocks = [kinds[i : i + size] for i in range(0, len(kinds), size)]
    best: list[tuple[float, int]] = [(0.0, 0)]
    for stop in range(1, len(blocks) + 1):
        choices = []
        stretch: list[Chain] = []
        for start in range(stop - 1, -1, -1):
            stretch = [*blocks[start], *stretch]
            widths = merged_widths(stretch)
            cost = sum(steps[one] * _step_seconds(jobs[0], one, widths) for one in stretch)
            choices.append((best[start][0] + COMPILE_SECONDS + cost, start))
        best.append(min(choices))
    cuts: list[tuple[int, int]] = []
    stop = len(blocks)
    while stop:
        cuts.append((best[stop][1], stop))
        stop = best[stop][1]
    parts = [[one for block in blocks[start:stop] for one in block] for start, stop in reversed(cuts)]
    return [_in_order([job for one in part for job in held[one]]) for part in parts]


def _in_order(jobs: list[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (job.assignment.number, job.execution, job.fold or 0))


def planned(jobs: list[Job]) -> Planned:
    chains = [chain_of(job.model.network) for job in jobs]
    widths = merged_widths(chains)
    own = sum(one.within(one.hidden) for one in chains)
    padded = sum(one.within(widths) for one in chains)
    return Planned(jobs, widths, 1 - own / padded if padded else 0.0)


def _bytes(job: Job) -> int:
    return job.model.count_params() * 4 * MEMBER_COPIES


def default_budget() -> int:
    """Half of the memory that is free."""
    return (free_bytes() or 1 << 30) // 2
