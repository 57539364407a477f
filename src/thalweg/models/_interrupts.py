"""Ctrl-C and SIGTERM: flags that are looked at between chunks, so that no state is half written and none gets lost."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Any, Self


class Terminated(SystemExit):
    """The process was asked to end (SIGTERM); it does so with the status 143, as shells expect."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


_RAISED: dict[int, type[BaseException]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


class Interrupts:
    """While it is entered, the first Ctrl-C or SIGTERM waits for the end of a chunk; the second one does not.

    Args:
        waits: False where the first one raises at once, too. It is noted all the same: what is raised in a
            callback of the garbage collector is lost, and :meth:`check` raises it again.

    Attributes:
        hard: whether a second one came, in the middle of a chunk.

    """

    def __init__(self, waits: bool = True) -> None:
        self.waits = waits
        self.asked: int | None = None
        self.hard = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None):  # ignored: a job in the background
                self._before[signal.SIGINT] = signal.signal(signal.SIGINT, self._note)
            handler = signal.getsignal(signal.SIGTERM)
            ours = isinstance(getattr(handler, "__self__", None), Interrupts)
            if ours or handler is signal.SIG_DFL:  # somebody else's way to end is left to them
                self._before[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is None:
            self.check()  # what came after the last chunk is not swallowed

    def _note(self, number: int, frame: Any) -> None:
        self.hard = self.asked is not None
        self.asked = number
        if self.hard or not self.waits:
            raise _RAISED[number]

    def check(self) -> None:
        """Raise KeyboardInterrupt, or :class:`Terminated`, where it was asked for."""
        if self.asked is not None:
            raise _RAISED[self.asked]
