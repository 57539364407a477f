"""Programs that one group after the other shares: a later group is trained in the mold of an earlier one."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from thalweg import Population
from thalweg.models._crew import Mold
from thalweg.tuner._bench import Job
from thalweg.tuner.executors._plan import COMPILE_SECONDS, chain_of, kind_of, merged_widths, seconds

_MOST = 64  # nets of a mold, which are merged for every group
_KINDS = 32  # molds kept


class Molds:
    """What programs there are, by the kind of nets that they train."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Mold] = {}

    def has(self, job: Job) -> bool:
        """Whether there is a program for nets of this kind."""
        return _program_of(job) in self._held

    def population(self, jobs: list[Job]) -> Population:
        """A population of the jobs' nets, in the mold of earlier ones where that costs less than compiling.

        Where the nets are wider than the mold, or of kinds that it lacks, the program is compiled anew, with room
        for both, so that it is not compiled again and again.
        """
        kind = _program_of(jobs[0])
        mold = self._held.get(kind, Mold())
        own = [chain_of(job.model.network) for job in jobs]
        alone, beside = (merged_widths([*own, *more]) for more in ([], [chain_of(t.network) for t in mold.tasks]))
        pairs = list(zip(jobs, own, strict=True))
        more = sum(seconds(job, one, beside) - seconds(job, one, alone) for job, one in pairs)
        if more > COMPILE_SECONDS:
            mold = Mold()
        population = Population([job.model for job in jobs], mold)
        self._held[kind] = _few(population.molded())
        while len(self._held) > _KINDS:
            del self._held[next(iter(self._held))]
        return population


def _program_of(job: Job) -> Hashable:
    """What jobs of one program have in common: where they begin is none of it."""
    asked, crew = kind_of(job)
    return tuple(part for part in asked if part[0] != "initial_epoch"), crew


def _few(mold: Mold) -> Mold:
    """One net of each structure."""
    tasks: dict[Any, Any] = {}
    for task in mold.tasks:
        tasks.setdefault(task.structure, task)
    return mold._replace(tasks=tuple(tasks.values())[:_MOST])
