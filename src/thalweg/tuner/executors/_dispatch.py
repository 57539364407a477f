"""Groups of trials handed to workers that may be killed, paused or cut off: every trial ends once."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from thalweg.tuner._bench import Assignment
from thalweg.tuner.executors._progress import Listener
from thalweg.tuner.executors._train import Outcome

_LOOK_SECONDS = 0.25  # between two looks at the clock


@dataclass(eq=False)
class Task:
    """A group of trials for a worker.

    Attributes:
        assignments: the trials.
        record: of the group, for the journal.
        place: for its checkpoints.
        lost: what became of the workers that had it and gave nothing back.

    """

    assignments: list[Assignment]
    record: dict[str, Any]
    place: Path
    lost: list[str] = field(default_factory=list)

    def failed(self, text: str) -> list[Outcome]:
        """What came of it where nothing did, for that reason."""
        return [Outcome(one.number, dict(one.values), [], 0.0, text) for one in self.assignments]


@dataclass
class Report:
    """What was heard of a task: its worker lives, is lost, or is done.

    Attributes:
        task: which one.
        at: epochs trained, and how many there are to be.
        lost: why nothing will come of it any more.
        begun: whether a worker had begun it before it was lost.
        outcomes: what came of it.

    """

    task: Task
    at: tuple[int, int] = (0, 0)
    lost: str | None = None
    begun: bool = True
    outcomes: list[Outcome] | None = None


class Crew:
    """Workers. Base of those in processes and those on a cluster."""

    START_SECONDS: ClassVar[float] = 120.0
    """A worker that has not been heard of yet imports libraries, and may be silent for so long."""
    hears = True
    """Whether silence means anything just now."""

    def has_room(self) -> bool:
        """Whether a task could begin now."""
        raise NotImplementedError

    def begin(self, task: Task) -> None:
        """Hand a task to a worker."""
        raise NotImplementedError

    def heard(self, seconds: float) -> list[Report]:
        """What has been said, waiting up to so long for it; nothing of what was given up."""
        raise NotImplementedError

    def give_up(self, task: Task) -> None:
        """End the worker that has it, as far as it can be reached, and turn away what it may yet say."""
        raise NotImplementedError

    def finish(self) -> None:
        """Let all running tasks end after their epoch."""
        raise NotImplementedError

    def end(self) -> None:
        """Let go of all workers; those at work write a checkpoint first. May be called twice."""
        raise NotImplementedError


@dataclass
class _Running:
    """How a task that a worker has is getting on."""

    at: tuple[int, int] | None = None
    silent: float = 0.0  # seconds in which this process listened, and heard nothing


class Dispatch:
    """Sees to it that every task is done once.

    A worker that is lost, or silent for too long, loses its task to another one; what it may say later is turned away.
    Silence is counted while this process listens, so that a machine that slept, or a parent that was paused itself, gives
    nobody up.

    Args:
        crew: the workers.
        listener: who is told of groups and epochs.
        over: says whether time is up: no task begins then, and those that run end after their epoch.
        patience: seconds of silence after which a worker is given up.
        restarts: how often a task begins again.

    """

    def __init__(
        self,
        crew: Crew,
        listener: Listener,
        over: Callable[[], bool] | None = None,
        patience: float = 60.0,
        restarts: int = 1,
    ) -> None:
        self.crew, self.listener, self.over = crew, listener, over
        self.patience, self.restarts = patience, restarts
        self.waiting: deque[Task] = deque()
        self.running: dict[Task, _Running] = {}

    def run(self, tasks: Iterable[Task]) -> Iterator[list[Outcome]]:
        """Outcomes as they come, those of a task together."""
        self.waiting.extend(tasks)
        try:
            while self._begin():
                begun = time.monotonic()
                reports = self.crew.heard(_LOOK_SECONDS)
                listened = min(time.monotonic() - begun, 2 * _LOOK_SECONDS)  # longer: the whole machine stood still
                for report in reports:
                    yield from self._take(report)
                for report in self._silent(listened) if self.crew.hears else ():
                    yield from self._take(report)
        except BaseException:
            self.crew.end()
            raise

    def _begin(self) -> bool:
        """Hand out as many tasks as there is room for; whether anything is left to wait for."""
        if self.over is not None and self.over():
            self.waiting.clear()
            self.crew.finish()
        while self.waiting and self.crew.has_room():
            task = self.waiting.popleft()
            if not task.lost:
                self.listener.planned(task.record)
            self.crew.begin(task)
            self.running[task] = _Running()
        return bool(self.waiting or self.running)

    def _silent(self, listened: float) -> list[Report]:
        """The ends of those whose workers have been silent for too long."""
        found = []
        for task, one in self.running.items():
            one.silent += listened
            patience = self.patience if one.at else max(self.patience, self.crew.START_SECONDS)
            if one.silent >= patience:
                self.crew.give_up(task)
                found.append(Report(task, lost=f"no sign of life for {one.silent:.0f} s"))
        return found

    def _take(self, report: Report) -> Iterator[list[Outcome]]:
        task = report.task
        if task not in self.running:  # of a worker that was given up
            return
        if report.lost is not None:
            task.lost.extend([report.lost] * report.begun)
            if len(task.lost) > self.restarts:
                numbers = ", ".join(str(one.number) for one in task.assignments)
                said = f"{len(task.lost)} workers were lost with trial {numbers}: {'; '.join(task.lost)}"
                yield from self._done(task, task.failed(f"WorkerLost: {said}."))
            else:
                del self.running[task]
                self.waiting.appendleft(task)
        elif report.outcomes is not None:
            yield from self._done(task, report.outcomes)
        else:
            self._lives(task, report.at)

    def _done(self, task: Task, outcomes: list[Outcome]) -> Iterator[list[Outcome]]:
        del self.running[task]
        yield outcomes
        shutil.rmtree(task.place, ignore_errors=True)  # by now it is in the journal

    def _lives(self, task: Task, at: tuple[int, int]) -> None:
        running = self.running[task]
        if at[0] and at != running.at:
            self.listener.progressed(task.record, *at)
        running.at, running.silent = at, 0.0
