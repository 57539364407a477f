"""What a worker does for a search, in a process of its own: it trains groups of trials, and says that it lives."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cloudpickle

from thalweg import config, files
from thalweg.models._interrupts import Terminated
from thalweg.tuner._bench import Assignment, Bench, built, jobs_of
from thalweg.tuner.executors._parcel import unpack
from thalweg.tuner.executors._progress import Listener, Logs, Progress
from thalweg.tuner.executors._train import Outcome, train

SIGN_SECONDS = 0.5
"""Between two signs of life."""
FINISH = "finish"
"""The word for: end after this epoch."""


def environment(cores: int) -> dict[str, str]:
    """What keeps a process to so many cores: JAX's devices and threads, and those of libraries below NumPy."""
    names = ("JAX_NUM_CPU_DEVICES", "NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**dict.fromkeys(names, str(cores)), "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # several share a GPU


class Pulse(Listener):
    """While it is entered, a thread gives a sign of life and of progress now and then.

    A paused process gives none, nor does one that is cut off.

    Args:
        exchange: is called with the epoch that has been trained and their number; whatever it gives back that is
            true means that the group is to end after its epoch.

    """

    def __init__(self, exchange: Callable[[int, int], Any]) -> None:
        self._exchange = exchange
        self._at = (0, 0)
        self._finish = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="thalweg-pulse")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._exchange(*self._at):
                self._finish = True
            self._ended.wait(SIGN_SECONDS)

    def over(self) -> bool:
        """Whether the group is to end."""
        return self._finish

    def progressed(self, group: dict[str, Any], epoch: int, epochs: int, logs: Logs | None = None) -> None:
        """The next sign tells it; curves come with the outcome."""
        self._at = (epoch, epochs)


def work(
    load: Callable[[], tuple[Bench, str]],
    assignments: Sequence[Assignment],
    record: dict[str, Any],
    place: Path,
    pulse: Pulse,
) -> list[Outcome]:
    """Build the nets of some trials and train them together; one outcome a trial, whatever a person's code raises.

    Args:
        load: gives what the trials share, and the dtype policy.
        assignments: the trials.
        record: of their group.
        place: for its checkpoints; where its parent is not to be seen from here, none are written.
        pulse: who is told of progress.

    Raises:
        Terminated, KeyboardInterrupt: where this process is to end.

    """
    try:
        bench, policy = load()
        config.set_dtype_policy(policy)
        return _trained(bench, assignments, record, own_place(place), pulse)
    except (Terminated, KeyboardInterrupt):
        raise
    except BaseException:  # sys.exit() in a person's ``fit`` ends the trial, not the worker
        text = traceback.format_exc()
        return [Outcome(one.number, dict(one.values), [], 0.0, text) for one in assignments]


def _trained(
    bench: Bench, assignments: Sequence[Assignment], record: dict[str, Any], place: Path | None, pulse: Pulse
) -> list[Outcome]:
    begun = time.perf_counter()
    jobs, found = [], []
    for one in assignments:
        values = dict(one.values)
        try:
            hp, model = built(bench, one)
            values = hp.values  # ``fit`` may ask for more before it raises
            jobs.extend(jobs_of(bench, one, hp, model))
        except Exception:
            found.append(Outcome(one.number, dict(values), [], 0.0, traceback.format_exc()))
    each = (time.perf_counter() - begun) / len(assignments)  # a ``fit`` without model.fit has done its work by now
    if jobs:
        progress = Progress(pulse, record, pulse.over)
        found.extend(train(bench, jobs, lambda one: jobs_of(bench, one), place, [progress]))
    for outcome in found:
        outcome.seconds += each
    return found


def own_place(place: Path) -> Path | None:
    """The folder of a group's checkpoints; where a worker that was given up still holds it, a copy of it."""
    if not place.parent.is_dir():
        return None
    if not files.is_held(place / "lock"):
        return place
    other = place / uuid.uuid4().hex
    shutil.copytree(place, other, ignore=lambda folder, names: [n for n in names if not n.endswith(".safetensors")])
    return other


# -- a process ------------------------------------------------------------------------------------------


def serve(pipe: Any) -> None:
    """Train one group after the other; their names come through a pipe, and this process ends with it.

    Args:
        pipe: gives (folder with what the trials share, folder with a group), and is told how it goes.

    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes: the parent sees to it
    pipe.send(None)
    while (message := _next(pipe)) is not None:
        if message != FINISH:  # that came when its group had ended
            shared, group = message
            assignments, record, place = unpack(group)
            with Pulse(functools.partial(_exchange, pipe)) as pulse:
                outcomes = work(functools.partial(_shared, shared), assignments, record, place, pulse)
                (group / "outcomes").write_bytes(cloudpickle.dumps(outcomes))
            pipe.send(group)


def _next(pipe: Any) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError):  # the parent has ended
        return None


def _exchange(pipe: Any, epoch: int, epochs: int) -> bool:
    try:
        pipe.send((epoch, epochs))
        return pipe.poll() and pipe.recv() == FINISH
    except (EOFError, OSError):
        os._exit(1)  # nobody waits for this trial any more


@functools.lru_cache(maxsize=1)
def _shared(folder: Path) -> tuple[Bench, str]:
    found: tuple[Bench, str] = unpack(folder)
    return found
