"""Zip archives from people nobody vouches for: every member is looked at before any is read."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from thalweg.files._atomic import write_whole
from thalweg.files._error import FileError, refuse
from thalweg.files._open import SLACK, size_of

_MOST_MEMBERS = 10_000
_MOST_AT_ONCE = 4 << 20  # bytes of a directory
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_members(file: io.FileIO, path: str | os.PathLike[str], wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The members of an archive that are wanted and there, as bytes; nothing is unpacked to the disk.

    Raises:
        FileError: naming the member that leaves the archive, is a link, stands in it twice, unpacks to far more
            than there is, is encrypted, cut short or damaged.

    """
    guarded = _Guarded(file)
    try:
        with zipfile.ZipFile(guarded) as archive:
            _look_over(archive, path, size_of(file))
            guarded.most = None
            there = {info.filename: info for info in archive.infolist()}
            return {name: _read(archive, there[name], path) for name in wanted if name in there}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        refuse(path, "", f"is no whole zip archive ({error}). It may be cut short or damaged: get it anew.", error)
    finally:
        guarded.detach()  # the file is its opener's to close


class _Guarded(io.BufferedReader):
    """A file that gives only so much at once, until its directory is looked over: that is read in one go."""

    most: int | None = _MOST_AT_ONCE

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is not None and size is not None and size > self.most:
            raise zipfile.BadZipFile(f"its directory claims {size:,} bytes, more than {self.most:,}")
        return super().read(size)


def _look_over(archive: zipfile.ZipFile, path: Any, size: int) -> None:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        refuse(path, "", f"has {len(members):,} members, more than {_MOST_MEMBERS:,}.")
    seen: set[str] = set()
    for info in members:
        name = info.filename
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in info.orig_filename:
            refuse(path, f"member {name!r}", "points outside the archive.")
        if stat.S_ISLNK(info.external_attr >> 16):
            refuse(path, f"member {name!r}", "is a link.")
        if name in seen:
            refuse(path, f"member {name!r}", "stands in the archive twice.")
        seen.add(name)
        if info.flag_bits & 1:
            refuse(path, f"member {name!r}", "is encrypted.")
        if info.compress_type not in _READABLE:
            refuse(path, f"member {name!r}", f"is packed by method {info.compress_type}; stored and deflate are read.")
    total = sum(info.file_size for info in members)
    if total > size + SLACK // 2:  # as much again is needed for the arrays
        largest = max(members, key=lambda info: info.file_size)
        refuse(
            path,
            f"member {largest.filename!r}",
            f"unpacks to {largest.file_size:,} bytes from a file of {size:,}: that is more than a model does.",
        )


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Any) -> bytes:
    try:
        with archive.open(info) as member:
            content = member.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        refuse(path, f"member {info.filename!r}", f"is damaged ({error}). Get the file anew.", error)
    if len(content) != info.file_size:
        refuse(path, f"member {info.filename!r}", f"has {len(content):,} bytes, not the {info.file_size:,} it claims.")
    return content


def write_members(path: str | os.PathLike[str], members: Mapping[str, Any]) -> None:
    """An archive of uncompressed members, whole or not at all."""
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    write_whole(path, [pieces.held[at] for at in sorted(pieces.held)])


class _Pieces:
    """What an archive writes, by its place and without a copy; headers are written anew in their place."""

    def __init__(self) -> None:
        self.held: dict[int, Any] = {}
        self._at = 0

    def write(self, piece: Any) -> int:
        """Put a piece where we are."""
        size = memoryview(piece).nbytes
        if size:
            self.held[self._at] = piece
            self._at += size
        return size

    def tell(self) -> int:
        """Where we are."""
        return self._at

    def seek(self, at: int, whence: int = 0) -> int:
        """Go elsewhere."""
        self._at = at
        return at

    def flush(self) -> None:
        """Nothing waits."""
