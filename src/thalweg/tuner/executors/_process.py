"""Each trial alone in a process of its own: for a HyperModel whose ``fit`` is arbitrary Python."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, ClassVar

from thalweg import _checks, config, files
from thalweg._seconds import seconds_of
from thalweg.tuner._bench import Assignment, Bench, Job
from thalweg.tuner.executors._dispatch import Crew, Dispatch, Report, Task
from thalweg.tuner.executors._executor import Executor
from thalweg.tuner.executors._parcel import pack
from thalweg.tuner.executors._progress import Listener
from thalweg.tuner.executors._train import Outcome
from thalweg.tuner.executors._worker import FINISH, environment, serve

_GRACE_SECONDS = 5.0  # for a worker to write its checkpoint when it is asked to end


class ProcessExecutor(Executor):
    """Trains each trial in a process of its own, several at a time.

    Slower than a population for nets that could share a program, each of which is compiled anew here; but ``fit`` may be
    any Python, and a trial that brings its process down ends alone. A worker that dies, or gives no sign of life, loses
    its trial to another one, which goes on from the last checkpoint.

    Args:
        workers: processes; None: one a core.
        deadline: says whether time is up.
        patience: seconds, or as ``'2 min'``: a worker that has been silent for so long is ended. A thread in it gives
            a sign twice a second, whatever ``fit`` does, unless that holds Python's lock.
        restarts: how often a trial is begun again whose worker was lost; after that it has failed.

    Raises:
        ValueError: on an argument out of range.

    Example:
        >>> ProcessExecutor(workers=2, patience='2 min').patience
        120.0

    """

    NAME: ClassVar[str] = "process"

    def __init__(
        self,
        workers: int | None = None,
        deadline: Callable[[], bool] | None = None,
        patience: float | str = 60.0,
        restarts: int = 1,
    ) -> None:
        _checks.number(self, "workers", 1 if workers is None else workers, at_least=1)
        _checks.number(self, "restarts", restarts, at_least=0)
        self.workers = len(os.sched_getaffinity(0)) if workers is None else int(workers)
        self.deadline, self.patience, self.restarts = deadline, seconds_of(patience, "patience"), int(restarts)
        self._crew: ProcessCrew | None = None

    def builds_here(self) -> bool:
        """False: ``fit`` may be long, and is run by the workers."""
        return False

    def run(
        self,
        bench: Bench,
        trials: Sequence[tuple[Assignment, list[Job] | None]],
        folder: Path,
        listener: Listener,
        known: Sequence[Sequence[int]] = (),
    ) -> Iterator[list[Outcome]]:
        """One trial a process; those that were a group before stay one, as its checkpoints are of all of them."""
        for _, jobs in trials:
            for job in jobs or ():
                job.rehearsal.abandon()
        groups = _groups([assignment for assignment, _ in trials], known)
        tasks = [
            Task(group, {"trials": [one.number for one in group]}, folder / "groups" / f"{group[0].number:04d}")
            for group in groups
        ]
        crew = self._crew_for(bench, folder)
        yield from Dispatch(crew, listener, self.deadline, self.patience, self.restarts).run(tasks)

    def _crew_for(self, bench: Bench, folder: Path) -> ProcessCrew:
        """The workers of the last run, where they have what these trials share."""
        if self._crew is None or self._crew.ended or self._crew.bench is not bench or self._crew.folder != folder:
            self.close()
            self._crew = ProcessCrew(self.workers, bench, folder)
        return self._crew

    def close(self) -> None:
        """End all workers."""
        if self._crew is not None:
            self._crew.end()
            self._crew = None


def _groups(assignments: Sequence[Assignment], known: Sequence[Sequence[int]]) -> list[list[Assignment]]:
    """Each alone, apart from those that were a group before."""
    before = {number: min(group) for group in known for number in group}
    found: dict[int, list[Assignment]] = {}
    for one in assignments:
        found.setdefault(before.get(one.number, one.number), []).append(one)
    return list(found.values())


@dataclass
class _Worker:
    """A process, and what it has to do."""

    process: Any
    pipe: Any
    task: Task | None = None
    told: bool = False  # to finish

    @classmethod
    def begun(cls, cores: int) -> _Worker:
        """A new process; it inherits nothing from this one, and does not run ``__main__`` again."""
        from loky.backend import get_context

        context = get_context("loky")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs,), env=environment(cores), name="thalweg-worker")
        process.start()
        theirs.close()
        return cls(process, ours)

    def send(self, message: Any) -> None:
        """Say something; that nobody is there any more is seen elsewhere."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def signal(self, number: int) -> None:
        """Send a signal, where it lives: until we have waited for it, its number is not another's."""
        if self.process.is_alive():
            os.kill(self.process.pid, number)

    def bury(self, seconds: float = 0.0) -> str:
        """See to its end, at the latest after so many seconds; how it ended."""
        self.process.join(seconds)
        self.signal(signal.SIGKILL)  # a paused one dies of it as well
        self.process.join(_GRACE_SECONDS)
        self.pipe.close()
        status = self.process.exitcode
        if status is None or status >= 0:
            return f"ended with the exit status {status}"
        name = signal.Signals(-status).name
        return f"ended by {name}" + (", as where memory runs out" if name == "SIGKILL" else "")


def _bury_all(workers: list[_Worker]) -> None:
    while workers:
        workers.pop().bury()


class ProcessCrew(Crew):
    """Processes of this machine, begun when they are needed.

    Small words go through pipes; groups and what came of them lie in files, so that a process that is paused while it
    writes or reads holds nobody up.

    Args:
        count: of processes at most.
        bench: what the trials share; written once, and mapped by all.
        folder: the study's.

    """

    def __init__(self, count: int, bench: Bench, folder: Path) -> None:
        self.count, self.bench, self.folder, self.ended = count, bench, folder, False
        self._cores = max(1, len(os.sched_getaffinity(0)) // count)
        self._workers: list[_Worker] = []
        self._begun = 0
        self._shelf = _shelf(folder / "groups")
        self._lock = files.Lock(self._shelf / "lock")
        self._at_exit = Finalize(self, _bury_all, (self._workers,), exitpriority=100)  # before those are waited for
        try:
            pack(self._shelf / "shared", (bench, config.dtype_policy()))
        except BaseException:
            self.end()
            raise

    def has_room(self) -> bool:
        """Whether a process is idle, or one more may begin."""
        for worker in [one for one in self._workers if one.task is None and not one.process.is_alive()]:
            self._workers.remove(worker)
            worker.bury()
        return len(self._busy()) < self.count

    def _busy(self) -> list[_Worker]:
        return [one for one in self._workers if one.task is not None]

    def begin(self, task: Task) -> None:
        """Hand it to an idle process, or a new one."""
        idle = [one for one in self._workers if one.task is None]
        worker = idle[0] if idle else _Worker.begun(self._cores)
        if not idle:
            self._workers.append(worker)
        worker.task, worker.told = task, False
        self._begun += 1
        group = self._shelf / f"{self._begun}"
        pack(group, (task.assignments, task.record, task.place))
        worker.send((self._shelf / "shared", group))

    def heard(self, seconds: float) -> list[Report]:
        """Signs of life, results and deaths."""
        by_end = {end: one for one in self._busy() for end in (one.pipe, one.process.sentinel)}
        ready = {id(by_end[end]): by_end[end] for end in wait(list(by_end), seconds)}
        return [self._heard(one) for one in ready.values()]

    def _heard(self, worker: _Worker) -> Report:
        task = worker.task
        assert task is not None
        at = (0, 0)
        try:
            while worker.pipe.poll():
                said = worker.pipe.recv()
                if isinstance(said, Path):
                    worker.task = None
                    outcomes = pickle.loads((said / "outcomes").read_bytes())
                    shutil.rmtree(said, ignore_errors=True)
                    return Report(task, outcomes=outcomes)
                at = said or at
            if worker.process.is_alive():
                return Report(task, at)
        except (EOFError, OSError):
            pass
        self._workers.remove(worker)
        return Report(task, lost=worker.bury(1.0))

    def give_up(self, task: Task) -> None:
        """End its process."""
        for worker in [one for one in self._workers if one.task is task]:
            self._workers.remove(worker)
            worker.bury()

    def finish(self) -> None:
        """Say it to those that have not been told."""
        for worker in self._busy():
            if not worker.told:
                worker.told = True
                worker.send(FINISH)

    def end(self) -> None:
        """End all processes; those in the middle of a fit write a checkpoint first, where that takes no more than 5 s."""
        busy = self._busy()
        try:
            for worker in busy:
                worker.signal(signal.SIGTERM)
            until = time.monotonic() + _GRACE_SECONDS
            for worker in busy:
                worker.process.join(max(until - time.monotonic(), 0.0))
        finally:
            _bury_all(self._workers)
            self._lock.release()
            shutil.rmtree(self._shelf, ignore_errors=True)
            self.ended = True


def _shelf(folder: Path) -> Path:
    """A folder for what workers share; those that killed searches left behind are deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("workers-*"):
        if not files.is_held(left / "lock"):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="workers-", dir=folder))
