"""Lines of JSON that are only ever added to: each carries a checksum and is there whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import math
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from thalweg import files

PATIENCE = 60.0
"""Seconds for which a file that is away or locked is tried again."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds between two tries; each is twice the one before
_MOST = 64 << 20  # bytes of a line
_DEEPEST = 80  # levels; `files.parse` takes 100, and a number with no word in JSON adds some

_PASSING = frozenset(
    getattr(errno, name)
    for name in (
        "EAGAIN", "EBUSY", "EIO", "ENOENT", "ENOLCK", "ENOTCONN", "ENXIO", "ESTALE", "ETIMEDOUT", "EHOSTDOWN",
        "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ECONNREFUSED", "ECONNRESET", "EREMOTEIO", "ETXTBSY",
    )
)  # fmt: skip
"""Errors of the system's that may be gone in a moment: a network that is down, a file that another one locks."""

_HINTS = {
    errno.ENOSPC: "Make room on that disk",
    errno.EDQUOT: "Make room within your quota",
    errno.EACCES: "Allow this user to write there",
    errno.EPERM: "Allow this user to write there",
    errno.EROFS: "Mount that disk so that it can be written to",
}
"""Error -> what to do about it."""

_T = TypeVar("_T")


# -- plain data <-> JSON -----------------------------------------------------------------------------


def to_plain(value: Any, depth: int = 0) -> Any:
    """`value` in the words of strict JSON, from which :func:`from_plain` makes its like.

    Numbers that JSON has no word for, tuples, and dicts whose keys are no texts become objects with one key that
    begins with ``'$'``. NumPy's and JAX's numbers and arrays become Python's numbers and lists.

    Args:
        value: None, numbers, texts, lists, tuples and dicts, within each other.
        depth: of the value within what is written.

    Raises:
        TypeError: where something else is among it.
        ValueError: where it is nested too deeply.

    Example:
        >>> to_plain({'loss': float('nan'), 'kernel_size': (3, 3)})
        {'loss': {'$float': 'nan'}, 'kernel_size': {'$tuple': [3, 3]}}

    """
    if depth > _DEEPEST:
        raise ValueError(
            f"What goes into a study must not be nested more than {_DEEPEST} levels deep: make it flatter."
        )
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, Mapping):
        return _plain_mapping(value, depth)
    if isinstance(value, (list, tuple)):
        listed = [to_plain(one, depth + 1) for one in value]
        return listed if isinstance(value, list) else {"$tuple": listed}
    if hasattr(value, "tolist"):
        return to_plain(value.tolist(), depth)
    if isinstance(value, (int, str)):  # of a class of their own, such as an Enum's
        return int(value) if isinstance(value, int) else str(value)
    raise TypeError(
        f"What goes into a study must be None, numbers, texts, lists, tuples or dicts, got {type(value).__name__}: "
        f"{repr(value)[:100]}."
    )


def _plain_mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {key: to_plain(one, depth + 1) for key, one in value.items()}
    return {"$dict": [[to_plain(key, depth + 2), to_plain(one, depth + 2)] for key, one in value.items()]}


_MARKS: dict[str, Callable[[Any], Any]] = {
    "$float": float,
    "$tuple": lambda listed: tuple(from_plain(one) for one in listed),
    "$dict": lambda pairs: {from_plain(key): from_plain(one) for key, one in pairs},
}
"""Only key of an object -> what it stands for."""


def from_plain(value: Any) -> Any:
    """The way back from :func:`to_plain`.

    Example:
        >>> from_plain({'kernel_size': {'$tuple': [3, 3]}})
        {'kernel_size': (3, 3)}

    """
    if isinstance(value, list):
        return [from_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key, one), *_ = value.items()
        if key in _MARKS:
            return _MARKS[key](one)
    return {key: from_plain(one) for key, one in value.items()}


# -- lines ---------------------------------------------------------------------------------------------


def _seal(body: bytes) -> bytes:
    """How the line ends that begins with `body`."""
    return b',"crc":"%08x"}\n' % zlib.crc32(body)


_SEAL = len(_seal(b""))


def line_of(event: Mapping[str, Any]) -> bytes:
    r"""A line of the journal.

    Args:
        event: plain data with one key or more.

    Raises:
        TypeError: where it is no plain data.
        ValueError: where it is nested too deeply, or too large to be read again.

    Example:
        >>> line_of({'warning': 'hot'})
        b'{"warning":"hot","crc":"d9c4e626"}\n'

    """
    body = json.dumps(to_plain(event), allow_nan=False, separators=(",", ":")).encode()[:-1]
    if len(body) + _SEAL > _MOST:
        raise ValueError(
            f"One event of a study may have {_MOST:,} bytes, got {len(body):,}. Keep large things in files of their own."
        )
    return body + _seal(body)


def _event_of(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """What a line says.

    Raises:
        FileError: where it is not as it was written.

    """
    body = line[:-_SEAL]
    part = f"line {number}"
    if line[-_SEAL:] != _seal(body):
        files.refuse(
            path,
            part,
            "is damaged: its checksum does not fit. The lines before it are whole. Put back a copy of the file, or delete "
            "this line and all after it to go on from there.",
        )
    event = files.parse(body + b"}", path, part, _MOST)
    try:
        return {key: from_plain(value) for key, value in event.items()}
    except (ValueError, TypeError) as error:
        files.refuse(path, part, f"is no event of a study ({type(error).__name__}: {str(error)[:200]}).", error)


class Line(NamedTuple):
    """A line that was read.

    Attributes:
        number: counted from 1.
        end: of the line, in bytes from the beginning of the file.
        event: what it says.

    """

    number: int
    end: int
    event: dict[str, Any]


def read(path: Path, after: Line | None = None) -> Iterator[Line]:
    """The lines of a journal, also while another process adds to it.

    A last line that is not whole, as it is being written or was when the power failed, is passed over.

    Args:
        path: of the journal.
        after: the line that was read last; None: from the first one.

    Raises:
        FileError: where a line is damaged; it names the file and the line.
        OSError: where the file cannot be read.

    """
    done, end = (0, 0) if after is None else (after.number, after.end)
    with path.open("rb") as file:
        file.seek(end)
        for number in itertools.count(done + 1):
            line = file.readline(_MOST + 1)
            if len(line) > _MOST:
                files.refuse(path, f"line {number}", f"is longer than {_MOST:,} bytes: that is no journal of a study.")
            if not line.endswith(b"\n") or (_has_a_hole(line) and not file.peek(1)):
                return
            end += len(line)
            yield Line(number, end, _event_of(line, path, number))


def _has_a_hole(line: bytes) -> bool:
    """Whether a part of it never reached the disk, as after a power failure; one zero byte may be a flipped bit."""
    return b"\0\0" in line


# -- writing -------------------------------------------------------------------------------------------


def patiently(action: Callable[[], _T], patience: float | None = None) -> _T:
    """What `action` gives; errors that may pass are waited for.

    Args:
        action: may be called many times.
        patience: seconds for which it is tried again; None: :data:`PATIENCE`.

    Raises:
        OSError: the last one, where it does not pass.

    """
    deadline = time.monotonic() + (PATIENCE if patience is None else patience)
    for pause in itertools.chain((_FIRST_PAUSE * 2**i for i in range(6)), itertools.repeat(_LONGEST_PAUSE)):
        try:
            return action()
        except OSError as error:
            left = deadline - time.monotonic()
            if error.errno not in _PASSING or left <= 0:
                raise
        time.sleep(min(pause, left))
    raise AssertionError("unreachable")


class Meddled(OSError):  # noqa: N818
    """The file is not as this process left it."""


class Journal:
    """Adds events to a file that nobody else writes to; each :meth:`append` is there whole, or not at all.

    Args:
        path: of the file, which is there.
        length: of its whole lines, in bytes; what comes after it is cut off.
        patience: seconds for which a file that is away or locked is tried again; None: :data:`PATIENCE`.

    Raises:
        OSError: where it cannot be written.

    """

    def __init__(self, path: Path, length: int, patience: float | None = None) -> None:
        self.path = path
        self.patience = patience
        self._length = length
        self._handle: int | None = None
        self._dirty = True  # whether something may lie after the last whole line
        self._durable = True  # whether all that is there would outlast a power failure
        self._carefully(self._clean)

    def append(self, events: Sequence[Mapping[str, Any]], durable: bool = True) -> list[dict[str, Any]]:
        """Add events: one write, and one fsync where they must outlast a power failure.

        Args:
            events: plain data.
            durable: False: they outlast the process, but a power failure only once :meth:`flush` or another
                append has come.

        Returns:
            The events as they will be read again.

        Raises:
            OSError: where they cannot be written; then none of them is there.
            TypeError: where they are no plain data.
            ValueError: where one is nested too deeply, or too large.

        """
        lines = [line_of(event) for event in events]
        read_again = [_event_of(line, self.path, 0) for line in lines]  # what cannot be read must not be written
        data = b"".join(lines)
        if data:
            self._carefully(lambda: self._write(data, durable))
            self._length, self._dirty = self._length + len(data), False
        return read_again

    def flush(self) -> None:
        """Make all that was added outlast a power failure.

        Raises:
            OSError: where that fails.

        """
        if not self._durable:
            self._carefully(self._sync)

    def close(self) -> None:
        """Let go of the file; may be called twice.

        Raises:
            OSError: where what was added cannot be made durable.

        """
        try:
            self.flush()
        finally:
            self._let_go()

    def _carefully(self, action: Callable[[], object]) -> None:
        try:
            patiently(action, self.patience)
        except OSError as error:
            raise self._named(error) from error

    def _write(self, data: bytes, durable: bool) -> None:
        """Put `data` after the last whole line; in whatever way that breaks off, the next one begins there again."""
        try:
            handle = self._clean()
            self._dirty, self._durable = True, False
            rest, place = memoryview(data), self._length
            while rest:
                done = os.pwrite(handle, rest, place)
                rest, place = rest[done:], place + done
            if durable:
                self._sync()
        except OSError:
            with contextlib.suppress(OSError):  # what went wrong first counts; it is cut before the next write too
                self._clean()
            self._let_go()  # a server that was away gives files new handles
            raise

    def _sync(self) -> None:
        os.fsync(self._open())
        self._durable = True

    def _clean(self) -> int:
        """The file's handle, once nothing lies after the last whole line."""
        handle = self._open()
        found = os.fstat(handle)
        if not found.st_nlink:
            raise Meddled(
                errno.EINVAL, f"{self.path} was deleted while it was written to. Begin anew in another folder."
            )
        if found.st_size < self._length or (found.st_size > self._length and not self._dirty):
            raise Meddled(
                errno.EINVAL,
                f"{self.path} has {found.st_size:,} bytes, where {self._length:,} were written: another program has changed "
                "it. Find out which, and put back a copy of the file.",
            )
        if found.st_size > self._length:
            os.ftruncate(handle, self._length)
        self._dirty = False
        return handle

    def _open(self) -> int:
        if self._handle is None:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        return self._handle

    def _let_go(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            with contextlib.suppress(OSError):  # what is durable was made so by fsync; a network's file may be gone
                os.close(handle)

    def _named(self, error: OSError) -> OSError:
        return error if isinstance(error, Meddled) else unwritable(self.path, error, self.patience)


def unwritable(path: Path, error: OSError, patience: float | None = None) -> OSError:
    """`error` with the file, what is safe, and what to do.

    Args:
        path: the file.
        error: what the system said.
        patience: for how long it was tried; None: :data:`PATIENCE`.

    """
    seconds = PATIENCE if patience is None else patience
    tried = f" for {seconds:g} s" if seconds and error.errno in _PASSING else ""
    todo = _HINTS.get(error.errno or 0, "See to it that it can be written to")
    return OSError(
        error.errno,
        f"Cannot write {path}{tried}: {error.strerror or error}. What was written to it before is whole. {todo}, then go on "
        "with the same folder.",
        str(path),
    )
