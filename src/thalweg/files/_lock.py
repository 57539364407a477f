"""One writer at a time: a lock that names its owner and dies with it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

_TRIES, _PAUSE = 5, 0.02  # whoever asks whether it is held holds it for an instant


class Locked(RuntimeError):  # noqa: N818
    """Another process is writing there; the message names it."""


class Lock:
    """Holds a file for this process until :meth:`release`, or until the process ends in any way.

    Raises:
        Locked: where another one holds it.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None
        for _ in range(_TRIES):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still(self._handle, path):
                    break
            except BlockingIOError:
                time.sleep(_PAUSE)
            self.release()
        else:
            self._refuse()
        self._sign()

    def _refuse(self) -> None:
        owner = owner_of(self.path)
        raise Locked(
            f"{self.path.parent} is being written by process {owner.get('pid', '?')} on {owner.get('host', '?')}: wait for "
            "it, stop it, or give another folder."
        )

    def _sign(self) -> None:
        """Write whose it is; a full disk has no room for that, and the lock holds nevertheless."""
        assert self._handle is not None
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)

    def remove(self) -> None:
        """Delete the file, while nobody else can hold it, and let go."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Let go of it; may be called twice."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _is_still(handle: int, path: Path) -> bool:
    """Whether the open file is the one of that name: its last owner may have deleted it in between."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


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
