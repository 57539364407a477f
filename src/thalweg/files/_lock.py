"""One writer at a time: a lock that names its owner and dies with it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path
from typing import Any


class Locked(RuntimeError):  # noqa: N818
    """Another process is writing there; the message names it."""


class Lock:
    """Holds a file for this process until :meth:`release`, or until the process ends in any way.

    Raises:
        Locked: where another one holds it.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = owner_of(path)
            self.release()
            raise Locked(
                f"{path.parent} is being written by process {owner.get('pid', '?')} on {owner.get('host', '?')}: wait for "
                "it, stop it, or give another folder."
            ) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)

    def release(self) -> None:
        """Let go of it; may be called twice."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def owner_of(path: Path) -> dict[str, Any]:
    """Who wrote its name into a lock last."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
