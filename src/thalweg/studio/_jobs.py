"""Work that takes seconds: one piece at a time in a thread of its own, with how far it is; what was found is kept."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from thalweg.studio._live import plain
from thalweg.studio._steering import Refused

Told = Callable[[int, int], None]
"""Is called with what is done and how much there is."""

_LONGEST = 90.0  # seconds of one piece of work, after which it is given up
_WAITING = 4  # pieces that wait at most
_KEPT = 16  # pieces whose findings are kept


class Job:
    """One piece of work.

    Args:
        number: by which it is asked for.
        work: is called with a function that it tells how far it is; gives plain data.
        asked: the settings it was asked for with.

    """

    def __init__(self, number: int, work: Callable[[Told], Any], asked: Any) -> None:
        self.number, self.work, self.asked = number, work, asked
        self.state, self.begun, self.done, self.total = "waiting", 0.0, 0, 0
        self.found: Any = None
        self.why = ""

    def told(self, done: int, total: int) -> None:
        """How far it is; ends work that takes too long."""
        self.done, self.total = done, total
        if time.monotonic() - self.begun > _LONGEST:
            raise Refused(
                f"After {_LONGEST:.0f} s {done:,} of {total:,} are done: ask for less, or once the fit is over."
            )

    def run(self) -> None:
        """Do it; whatever goes wrong is told to whoever asks."""
        self.begun, self.state = time.monotonic(), "computing"
        try:
            self.found = plain(self.work(self.told))
            self.state = "done"
        except Exception as error:  # the thread goes on with the next one
            self.why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            self.state = "failed"
        self.work = _nothing  # what it held is let go


class Jobs:
    """All that was asked for."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._keys: dict[Hashable, Job] = {}
        self._newest: dict[Hashable, Job] = {}
        self._numbers = itertools.count(1)
        self._queue: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(
        self, key: Hashable, work: Callable[[Told], Any], about: Hashable = None, asked: Any = None
    ) -> dict[str, Any]:
        """Have something done, unless what is asked for is known or under way; gives what :meth:`look` does.

        Args:
            key: equal keys ask for the same.
            work: as for :class:`Job`.
            about: what it is one of, for :meth:`begun`.
            asked: as for :class:`Job`.

        Raises:
            Refused: where too much waits already.

        """
        with self._lock:
            known = self._keys.get(key)
            if known is None or known.state == "failed":
                if sum(one.state == "waiting" for one in self._jobs.values()) >= _WAITING:
                    raise Refused(f"{_WAITING} pieces of work wait already: try again once one of them is done.")
                known = Job(next(self._numbers), work, asked)
                self._jobs[known.number] = self._keys[key] = known
                self._queue.put(known)
                self._forget()
            self._newest[about] = known
            if self._thread is None:
                self._thread = threading.Thread(target=self._go, name="thalweg-studio-work", daemon=True)
                self._thread.start()
        return self.look(known.number)

    def begun(self, about: Hashable) -> dict[str, Any] | None:
        """The number and the settings of what was asked for last; None where there is none, or it failed."""
        job = self._newest.get(about)
        return None if job is None or job.state == "failed" else {"number": job.number, "asked": job.asked}

    def look(self, number: int) -> dict[str, Any]:
        """How far a piece of work is, and what it found.

        Returns:
            ``number``, ``state`` (waiting, computing, done), how many pieces are ``before`` it, ``seconds``, ``done`` of ``total``;
            ``record`` once it is done.

        Raises:
            Refused: where there is none of that number, or it failed.

        """
        job = self._jobs.get(number)
        if job is None:
            raise Refused(f"number: there is no piece of work {number}: ask for it again.")
        if job.state == "failed":
            raise Refused(job.why)
        before = sum(one.state in ("waiting", "computing") and one.number < number for one in list(self._jobs.values()))
        told = {"number": number, "state": job.state, "before": before, "done": job.done, "total": job.total}
        if job.state == "done":
            return {**told, "record": job.found}
        return {**told, "seconds": time.monotonic() - job.begun if job.begun else 0.0}

    def _go(self) -> None:
        while True:
            self._queue.get().run()

    def _forget(self) -> None:
        """The oldest that are over."""
        over = [one for one in self._jobs.values() if one.state in ("done", "failed")]
        for job in over[: max(len(self._jobs) - _KEPT, 0)]:
            del self._jobs[job.number]
            self._keys = {key: one for key, one in self._keys.items() if one is not job}
            self._newest = {about: one for about, one in self._newest.items() if one is not job}


def _nothing(told: Told) -> None:
    """Work that is done."""
