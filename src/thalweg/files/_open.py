"""Opening what somebody named as a file: regular files alone, and no waiting for others."""

from __future__ import annotations

import io
import os
import stat

from thalweg.files._error import refuse


def opened(path: str | os.PathLike[str]) -> io.FileIO:
    """A file, open for reading.

    Raises:
        FileError: where it is a folder, a pipe, a device: reading those could wait, or go on, for ever.
        FileNotFoundError: where there is nothing.

    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # else a pipe would wait for its writer
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device, no regular file"
        refuse(path, "", f"is {what}: give the path of one file.")
    return io.FileIO(handle)


def content_of(file: io.FileIO, path: str | os.PathLike[str]) -> bytes:
    """All bytes of a file.

    Raises:
        FileError: where memory does not suffice.

    """
    try:
        file.seek(0)
        return file.readall()
    except MemoryError as error:
        size = os.fstat(file.fileno()).st_size
        refuse(path, "", f"has {size:,} bytes, more than this machine has memory for.", error)


def size_of(file: io.FileIO) -> int:
    """How many bytes it has."""
    return os.fstat(file.fileno()).st_size


SLACK = 160 << 20
"""What reading a file may take beyond twice its size: small ones may be packed well."""
