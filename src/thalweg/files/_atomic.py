"""Files that are there whole, or not at all: written beside their place, made durable, then renamed into it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

PART = ".part"
"""How names of files end that are not whole yet."""
_SMALL = 1 << 16  # bytes


def write_whole(path: str | os.PathLike[str], pieces: Iterable[Any]) -> None:
    """Make `path` hold `pieces` of bytes, one after the other.

    At every instant the path holds what it held before or all of the new bytes, also when the process is
    killed or the power fails: temporary file beside it, fsync, rename, fsync of the folder.

    Raises:
        OSError: where it cannot be written; what was there before is whole.

    """
    views = _merged(memoryview(piece).cast("B") for piece in pieces if memoryview(piece).nbytes)
    with _placed(path, lambda part: sum(view.nbytes for view in views)) as part:
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        try:
            for view in views:
                _write(handle, view)
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file that is written bit by bit, and takes its place when all is written: for what memory need not hold.

    Raises:
        OSError: where it cannot be written; what was there before is whole.

    """
    with _placed(path, lambda part: part.stat().st_size if part.exists() else 0) as part, open(part, "xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _placed(path: str | os.PathLike[str], size: Callable[[Path], int]) -> Iterator[Path]:
    """A temporary file's path; what was made there and is durable takes the place of `path`, or is gone.

    Args:
        path: of the whole file.
        size: bytes that it needs, for the message where it cannot be written.

    """
    target = Path(os.path.realpath(path))  # a link keeps pointing where it points
    part = target.with_name(f".{target.name[:40]}.{os.urandom(6).hex()}{PART}")  # short enough, and no other writer's
    try:
        yield part
        os.replace(part, target)
        sync_folder(target.parent)
    except OSError as error:
        needed = size(part)
        _let_go(part)
        if isinstance(error.filename, str | os.PathLike) and Path(error.filename) not in (part, target, target.parent):
            raise  # of another file, which whoever writes was reading
        raise _named(error, target, needed) from error
    except BaseException:
        _let_go(part)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_parts(folder: Path) -> None:
    """Delete what killed writers left behind; for folders that only one process writes to."""
    for part in folder.glob(f".*{PART}"):
        _let_go(part)


def _merged(views: Iterable[memoryview]) -> list[memoryview]:
    """Small pieces that follow each other as one: each is a call of the system's."""
    merged: list[memoryview] = []
    small = bytearray()
    for view in views:
        if view.nbytes < _SMALL:
            small += view
            continue
        merged += [memoryview(small), view] if small else [view]
        small = bytearray()
    return [*merged, memoryview(small)] if small else merged


def _write(handle: int, view: memoryview) -> None:
    while view.nbytes:
        view = view[os.write(handle, view) :]


def _let_go(part: Path) -> None:
    with contextlib.suppress(OSError):  # what went wrong before counts
        part.unlink()


def _named(error: OSError, target: Path, size: int) -> OSError:
    folder = target.parent
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        return OSError(
            error.errno, f"Cannot write {target}: {folder} {what}: make it first, or give another path.", None
        )
    try:
        free = f"{shutil.disk_usage(folder).free:,} bytes are free there"
    except OSError:
        free = "how much is free there is not known"
    kept = "What was there before is whole." if target.exists() else "Nothing was left there."
    return OSError(
        error.errno, f"Cannot write {target}: {error.strerror}. It needs {size:,} bytes; {free}. {kept}", str(target)
    )
