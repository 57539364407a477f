"""What a fit tells while it runs: grown by the thread that trains, read by any other, each reader at its own pace."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

_LOOK = 0.02  # seconds between looks at who has read
_PROMPT = 0.2  # in which whoever reads has got a frame
LISTS = ("epochs", "changes", "notes", "warnings")
"""What only grows of a fit, until it goes back."""


class Cursor(NamedTuple):
    """How far a reader has come.

    Attributes:
        life: how often the fit had gone back.
        counts: of each of the lists.
        series: which epoch's points it has, counted from the first one that was run.
        points: how many of them.

    """

    life: int = -1
    counts: tuple[int, ...] = ()
    series: int = 0
    points: int = 0


START = Cursor()


class Live:
    """A fit's words.

    A reader keeps a cursor and is given what has come since, so that nothing waits for it and nothing is kept for it: one that is
    slow gets larger pieces, less often.

    Args:
        lists: names of what only grows, until it begins anew.

    Attributes:
        now: what is replaced as a whole: status, epoch, step, hypers and the like.

    """

    def __init__(self, lists: Sequence[str] = LISTS) -> None:
        self.now: dict[str, Any] = {}
        self._lists: dict[str, list[Any]] = {name: [] for name in lists}
        self._points: list[list[Any]] = []
        self._epoch, self._series, self._life, self._version = -1, 0, 0, 0
        self._lock = threading.Lock()
        self._readers: dict[object, tuple[int, bool]] = {}  # who reads: the version handed last, and whether it was got

    @property
    def version(self) -> int:
        """Another one, once there is something new."""
        return self._version

    def say(self, **now: Any) -> None:
        """Replace parts of `now`; what is as it was is nothing new."""
        told = plain(now)
        with self._lock:
            if any(name not in self.now or self.now[name] != value for name, value in told.items()):
                self.now.update(told)
                self._version += 1

    def add(self, name: str, records: list[Any]) -> None:
        """Let a list grow."""
        if not records:
            return
        with self._lock:
            self._lists[name] += plain(records)
            self._version += 1

    def all_of(self, name: str) -> list[Any]:
        """A list, as far as it has grown."""
        with self._lock:
            return list(self._lists[name])

    def point(self, epoch: int, step: int, logs: dict[str, Any]) -> None:
        """The running numbers of an epoch; those of the epoch before are let go."""
        with self._lock:
            if epoch != self._epoch:
                self._epoch, self._points = epoch, []
                self._series += 1
            self._points.append(plain([step, logs]))
            self._version += 1

    def begin_anew(self) -> None:
        """The fit has gone back: its lists are told again, and every reader starts again."""
        with self._lock:
            self._lists = {name: [] for name in self._lists}
            self._points, self._epoch = [], -1
            self._series += 1
            self._life += 1
            self._version += 1

    @property
    def readers(self) -> int:
        """How many read."""
        return len(self._readers)

    def handed(self, reader: object, version: int | None, got: bool = False) -> None:
        """A reader has been handed a version, or has got it; None: it reads no more."""
        if version is None:
            self._readers.pop(reader, None)
        else:
            self._readers[reader] = (version, got)

    def wait_for_readers(self, seconds: float) -> None:
        """Until whoever reads has got what there is: the last words before a process ends. Who does not read is not waited for."""
        begun = time.monotonic()
        while (now := time.monotonic() - begun) < seconds:
            late = [got for version, got in list(self._readers.values()) if version < self._version or not got]
            if not late or (now > _PROMPT and not any(late)):
                return
            time.sleep(_LOOK)

    def since(self, cursor: Cursor = START) -> tuple[dict[str, Any], Cursor]:
        """What has come since a cursor, as plain data, and the next one.

        Returns:
            ``now``; each of the lists, as far as it is new; ``points``, new ones of the running `epoch` as [step, logs], that belong to
            the points before if `series` is the same; ``fresh``, whether the reader is to forget what it had.

        """
        with self._lock:
            fresh = cursor.life != self._life
            counts = (0,) * len(self._lists) if fresh else cursor.counts
            frame: dict[str, Any] = {
                "fresh": fresh,
                "now": dict(self.now),
                "epoch": self._epoch,
                "series": self._series,
            }
            for name, done in zip(self._lists, counts, strict=True):
                frame[name] = self._lists[name][done:]
            done = cursor.points if not fresh and cursor.series == self._series else 0
            frame["points"] = self._points[done:]
            lengths = tuple(map(len, self._lists.values()))
            return frame, Cursor(self._life, lengths, self._series, len(self._points))


def plain(value: Any) -> Any:
    """As JSON holds it; numbers that are none become null."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)
