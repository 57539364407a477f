"""Groups of trials spread over the nodes of a Ray cluster."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from thalweg import _checks, config
from thalweg._seconds import seconds_of
from thalweg.tuner._bench import Assignment, Bench, Job
from thalweg.tuner.executors._dispatch import Crew, Dispatch, Report, Task
from thalweg.tuner.executors._executor import Executor
from thalweg.tuner.executors._parcel import cannot_be_sent
from thalweg.tuner.executors._plan import Planned, default_budget, in_parts, plan, planned
from thalweg.tuner.executors._progress import Listener
from thalweg.tuner.executors._train import Outcome, begun
from thalweg.tuner.executors._worker import Pulse, environment, work

_GRACE_SECONDS = 5.0  # for workers to write their checkpoints when they are asked to end
_REPLY_SECONDS = 5.0  # for an answer within the cluster
_NOBODY_SECONDS = 120.0  # without a node that could train, until the search ends


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise ImportError("Searches over a Ray cluster need the extra: pip install 'thalweg[ray]'") from error
    return ray


class RayExecutor(Executor):
    """Trains groups of trials on the nodes of a Ray cluster, each group as one population on one node.

    Trials are grouped as by the default executor, in as many groups at least as the nodes can take. What ``search``
    was given lies in Ray's object store once a node, and is read where it lies. A node or a worker that is lost
    loses its group to another one; where the study's folder is to be seen from there, that goes on from the last
    checkpoint.

    Args:
        address: of the cluster, as ``'10.0.0.1:6379'`` or ``'ray://head:10001'``; None: the environment variable
            RAY_ADDRESS, or a Ray of this machine that lives as long as the search.
        memory: bytes that a group's nets may take; None: half of what the smallest node has.
        deadline: says whether time is up.
        patience: seconds, or as ``'2 min'``: a worker that has been silent for so long is given up.
        restarts: how often a group is begun again whose worker was lost; after that its trials have failed.
        cpus: of a group; None: all that its node has. A group's share of a node's GPUs is that of its CPUs.

    Raises:
        ImportError: where Ray is not installed.
        ValueError: on an argument out of range.

    Example:
        >>> RayExecutor(cpus=0)  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        ValueError: cpus must be a finite number >= 1, got RayExecutor(cpus=0).

    """

    NAME: ClassVar[str] = "ray"

    def __init__(
        self,
        address: str | None = None,
        memory: int | None = None,
        deadline: Callable[[], bool] | None = None,
        patience: float | str = 60.0,
        restarts: int = 1,
        cpus: int | None = None,
    ) -> None:
        _checks.number(self, "cpus", 1 if cpus is None else cpus, at_least=1)
        _checks.number(self, "restarts", restarts, at_least=0)
        self.address, self.memory, self.cpus = address, memory, cpus
        self.deadline, self.patience, self.restarts = deadline, seconds_of(patience, "patience"), int(restarts)
        self._ray = _ray()
        self._ours = False  # whether this executor connected
        self._crew: RayCrew | None = None

    def run(
        self,
        bench: Bench,
        trials: Sequence[tuple[Assignment, list[Job] | None]],
        folder: Path,
        listener: Listener,
        known: Sequence[Sequence[int]] = (),
    ) -> Iterator[list[Outcome]]:
        """One group a node; outcomes as they come."""
        waiting, ended = begun(bench, trials)
        yield from ended
        if waiting:
            crew = self._crew_for(bench)
            (folder / "groups").mkdir(parents=True, exist_ok=True)  # by which workers tell that they see the folder
            tasks = [_task(group, folder) for group in self._planned(waiting, crew, known)]
            yield from Dispatch(crew, listener, self.deadline, self.patience, self.restarts).run(tasks)

    def _planned(self, jobs: list[Job], crew: RayCrew, known: Sequence[Sequence[int]]) -> list[Planned]:
        """The groups; those that were not one before are cut further, so that each node has its share."""
        before = [set(group) for group in known]
        slots = crew.slots()
        if not slots:
            raise RuntimeError(crew.nobody())
        smallest = min(slot.cpus for slot in slots)
        share = math.ceil(len(jobs) * smallest / sum(slot.cpus for slot in slots))
        found = []
        for group in plan(jobs, self.memory or min(slot.memory for slot in slots) // 2 or default_budget(), known):
            if set(group.record()["trials"]) in before:
                found.append(group)
            else:
                found.extend(planned(part) for part in in_parts(group.jobs, max(share, int(smallest))))
        return found

    def _crew_for(self, bench: Bench) -> RayCrew:
        """The workers of the last run, where they have what these trials share."""
        if self._crew is None or self._crew.ended or self._crew.bench is not bench:
            if self._crew is not None:
                self._crew.end()
            self._connect()
            self._crew = RayCrew(self._ray, bench, self.cpus)
        return self._crew

    def _connect(self) -> None:
        if self._ray.is_initialized():
            return
        if "TMPDIR" in os.environ:  # Ray makes its own folder there, but not the one above it
            Path(tempfile.gettempdir(), "ray").mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
        address = self.address or os.environ.get("RAY_ADDRESS") or "local"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._ray.init(address, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        self._ours = True

    def close(self) -> None:
        """End all workers, and leave the cluster where this executor has joined it."""
        if self._crew is not None:
            self._crew.end()
            self._crew = None
        if self._ours:
            self._ray.shutdown()
            self._ours = False


def _task(group: Planned, folder: Path) -> Task:
    """What a worker is sent: it builds the nets anew."""
    record = group.record()
    assignments = {job.assignment.number: job.assignment for job in group.jobs}
    for job in group.jobs:
        job.rehearsal.abandon()
    return Task(list(assignments.values()), record, folder.resolve() / "groups" / f"{record['trials'][0]:04d}")


def _module_folders() -> str:
    """Where this process finds modules beside its Python's own folders: a person's ``build`` may lie in one of them."""
    pythons = (sys.prefix, sys.base_prefix)
    return os.pathsep.join(one for one in sys.path if one and not any(map(Path(one).is_relative_to, pythons)))


# -- on the nodes -----------------------------------------------------------------------------------------


def _train_group(
    shared: tuple[Bench, str],
    board: Any,
    key: int,
    assignments: list[Assignment],
    record: dict[str, Any],
    place: Path,
) -> list[Outcome]:
    """A Ray task: train a group, and tell the board how far it is."""
    import ray

    def exchange(epoch: int, epochs: int) -> bool:
        with contextlib.suppress(ray.exceptions.RayError):  # a board that is away for a while comes again
            return bool(ray.get(board.sign.remote(key, os.getpid(), epoch, epochs), timeout=_REPLY_SECONDS))
        return False

    with Pulse(exchange) as pulse:
        return work(lambda: shared, assignments, record, place, pulse)


def _end_worker(pid: int) -> None:
    """A Ray task: end a worker of this node that hears nothing any more."""
    with contextlib.suppress(OSError):
        if b"ray::" in Path(f"/proc/{pid}/cmdline").read_bytes():  # the number may be another's by now
            os.kill(pid, signal.SIGKILL)


class _Board:
    """A Ray actor beside the search, where workers say how far they are."""

    def __init__(self) -> None:
        self.signs: dict[int, tuple[int, int, int]] = {}
        self.over: set[int] = set()

    def sign(self, key: int, pid: int, epoch: int, epochs: int) -> bool:
        """Take a sign of life; whether the worker is to end after its epoch."""
        self.signs[key] = (pid, epoch, epochs)
        return key in self.over

    def news(self) -> dict[int, tuple[int, int, int]]:
        """The signs since the last time."""
        found, self.signs = self.signs, {}
        return found

    def finish(self, keys: list[int]) -> None:
        """Let these end after their epoch."""
        self.over.update(keys)


# -- beside the search ----------------------------------------------------------------------------------


@dataclass
class _Slot:
    """Room for one group on a node."""

    node: str
    cpus: float
    gpus: float
    memory: int


@dataclass
class _Held:
    """A task of Ray's that has not ended."""

    task: Task
    key: int
    node: str
    pid: int | None = None
    given_up: bool = False


class RayCrew(Crew):
    """Workers of a Ray cluster: as many groups at a time as its nodes have room for.

    Args:
        ray: the module, connected.
        bench: what the trials share; put into the object store once.
        cpus: of a group; None: a node's.

    """

    START_SECONDS: ClassVar[float] = math.inf  # a cluster may be busy with other people's work

    def __init__(self, ray: Any, bench: Bench, cpus: int | None) -> None:
        self.ray, self.bench, self.cpus, self.ended = ray, bench, cpus, False
        self._held: dict[Any, _Held] = {}
        self._begun = 0
        self._asked: Any = None  # the board, for its news
        self._lost_at: dict[Task, set[str]] = {}
        self._gone: set[str] = set()  # nodes that died, which Ray counts as alive for a while yet
        self._somebody = time.monotonic()
        try:
            self._shared = ray.put((bench, config.dtype_policy()))
        except TypeError as error:
            raise cannot_be_sent(error) from error
        here = self._at(ray.get_runtime_context().get_node_id(), soft=True)
        self._board = ray.remote(_Board).options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()

    def _at(self, node: str, soft: bool = False) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node, soft)

    def slots(self) -> list[_Slot]:
        """Room for groups, taken or not."""
        found = []
        for node in self.ray.nodes():
            has = node["Resources"]
            cpus = self.cpus or has.get("CPU", 0)
            count = int(has.get("CPU", 0) // cpus) if cpus else 0
            if node["Alive"] and node["NodeID"] not in self._gone and count:
                gpus = has.get("GPU", 0) / count
                slot = _Slot(node["NodeID"], cpus, int(gpus) if gpus > 1 else gpus, int(has.get("memory", 0) / count))
                found.extend([slot] * count)
        return found

    def _free(self) -> list[_Slot]:
        taken = Counter(one.node for one in self._held.values())
        found = []
        for slot in self.slots():
            taken[slot.node] -= 1
            if taken[slot.node] < 0:
                found.append(slot)
        return found

    def has_room(self) -> bool:
        """Whether a node could take one more group.

        Raises:
            RuntimeError: where the cluster has had no node for groups for two minutes.

        """
        if self.slots():
            self._somebody = time.monotonic()
        elif time.monotonic() - self._somebody > _NOBODY_SECONDS:
            raise RuntimeError(self.nobody())
        return bool(self._free())

    def nobody(self) -> str:
        """What to say where no node can train."""
        return f"The Ray cluster has no node with {self.cpus or 'any'} CPUs that lives: {len(self.ray.nodes())} are listed."

    def begin(self, task: Task) -> None:
        """Hand a group to the largest node that is free, one where it has not been lost if there is one."""
        bad = self._lost_at.get(task, set())
        slot = min(self._free(), key=lambda one: (one.node in bad, -one.gpus, -one.cpus))
        self._begun += 1
        remote = self.ray.remote(_train_group).options(
            num_cpus=slot.cpus,
            num_gpus=slot.gpus,
            max_retries=0,  # whether it begins again is ours to say
            scheduling_strategy=self._at(slot.node),
            runtime_env={"env_vars": {**environment(max(int(slot.cpus), 1)), "PYTHONPATH": _module_folders()}},
        )
        ref = remote.remote(self._shared, self._board, self._begun, task.assignments, task.record, task.place)
        self._held[ref] = _Held(task, self._begun, slot.node)

    def heard(self, seconds: float) -> list[Report]:
        """Signs of life, results and losses."""
        found = []
        if self._held:
            ended, _ = self.ray.wait(list(self._held), timeout=seconds)
            for ref in ended:
                held = self._held.pop(ref)
                if not held.given_up:
                    found.append(self._end_of(ref, held))
        else:
            time.sleep(seconds)
        return [*found, *self._signs()]

    def _signs(self) -> list[Report]:
        """What the board says, once it does: a slow one holds nobody up, and while it is away nobody is given up."""
        self._asked = self._asked or self._board.news.remote()
        news: dict[int, tuple[int, int, int]] = {}
        self.hears = False
        if self.ray.wait([self._asked], timeout=0)[0]:
            with contextlib.suppress(self.ray.exceptions.RayError):  # it begins again where its process died
                news, self.hears = self.ray.get(self._asked), True
            self._asked = None
        found = []
        for held in self._held.values():
            if held.key in news and not held.given_up:
                held.pid, epoch, epochs = news[held.key]
                found.append(Report(held.task, (epoch, epochs)))
        return found

    def _end_of(self, ref: Any, held: _Held) -> Report:
        errors = self.ray.exceptions
        try:
            return Report(held.task, outcomes=self.ray.get(ref))
        except errors.RayTaskError as error:  # as where a module is missing there
            return Report(held.task, outcomes=held.task.failed(str(error)))
        except errors.RayError as error:
            self._lost_at.setdefault(held.task, set()).add(held.node)
            if not isinstance(error, (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.TaskCancelledError)):
                self._gone.add(held.node)
            return Report(held.task, lost=str(error).strip().split("\n")[0][:300], begun=held.pid is not None)

    def give_up(self, task: Task) -> None:
        """End its worker; a paused one is killed by another task on its node. Whatever it may yet say is dropped."""
        for ref, held in self._held.items():
            if held.task is task and not held.given_up:
                held.given_up = True
                self._lost_at.setdefault(task, set()).add(held.node)
                self._board.finish.remote([held.key])
                self.ray.cancel(ref, force=True)
                end = self.ray.remote(_end_worker).options(num_cpus=0, scheduling_strategy=self._at(held.node))
                end.remote(held.pid)

    def finish(self) -> None:
        """Let all end after their epoch."""
        self._board.finish.remote([held.key for held in self._held.values()])

    def end(self) -> None:
        """Cancel what runs; in the middle of a fit a checkpoint is written first, where that takes no more than 5 s."""
        if self.ended:
            return
        self.ended = True
        try:
            for ref in self._held:
                self.ray.cancel(ref)
            if self._held:
                self.ray.wait(list(self._held), num_returns=len(self._held), timeout=_GRACE_SECONDS)
        finally:
            for ref in self._held:
                self.ray.cancel(ref, force=True)
            self._held.clear()
            self.ray.kill(self._board)
            del self._shared
