"""The default executor: trials train side by side in this process."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from thalweg.engine import compiled
from thalweg.tuner._bench import Assignment, Bench, Job, jobs_of
from thalweg.tuner.executors._executor import Executor
from thalweg.tuner.executors._molds import Molds
from thalweg.tuner.executors._plan import default_budget, plan, ready
from thalweg.tuner.executors._progress import Listener, Progress
from thalweg.tuner.executors._train import Outcome, begun, train


class PopulationExecutor(Executor):
    """Groups trials by structure and trains each group as one population.

    Args:
        memory: bytes that a group's nets may take; None: half of what is free.
        deadline: says whether time is up.

    """

    NAME: ClassVar[str] = "population"

    def __init__(self, memory: int | None = None, deadline: Any = None) -> None:
        self.memory, self.deadline = memory, deadline
        self.molds = Molds()

    def recall(self, bench: Bench, groups: Sequence[Sequence[Assignment]]) -> None:
        """Have the molds that were: padding decides the last bits of what is trained."""
        for group in groups:
            jobs = [job for one in group for job in jobs_of(bench, one)]
            if all(job.call is not None for job in jobs):
                ready(jobs)
                if len(jobs) > 1 or self.molds.has(jobs[0]):
                    self.molds.population(jobs)
            for job in jobs:
                job.rehearsal.abandon()

    def run(
        self,
        bench: Bench,
        trials: Sequence[tuple[Assignment, list[Job] | None]],
        folder: Path,
        listener: Listener,
        known: Sequence[Sequence[int]] = (),
    ) -> Iterator[list[Outcome]]:
        """One group after the other, the longest first."""
        waiting, ended = begun(bench, trials)
        yield from ended
        for i, group in enumerate(plan(waiting, self.memory or default_budget(), known) if waiting else []):
            if i and self.deadline is not None and self.deadline():
                return  # trials that were not begun wait for the next search
            record = group.record()
            place = folder / "groups" / f"{record['trials'][0]:04d}"
            listener.planned(record)
            progress = Progress(listener, record, self.deadline)
            before, start = _traces(), time.perf_counter()
            outcomes = train(bench, group.jobs, lambda one: jobs_of(bench, one), place, [progress], self.molds)
            listener.trained(record, max(_traces() - before, 0), time.perf_counter() - start)
            yield outcomes
            shutil.rmtree(place, ignore_errors=True)  # by now it is in the journal


def _traces() -> int:
    return sum(program.traces for program in compiled())
