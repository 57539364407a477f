"""HDF5: arrays and texts by path, with a digest in front, and a reader that follows nothing out of the file."""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import h5py
import numpy as np

from thalweg.files._error import FileError, refuse

_FRONT = 512  # bytes before the HDF5 signature, which the format leaves to us
_MAGIC = b"thalweg sha256 "
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FILTERS = {1, 2, 3, 4, 32000}  # deflate, shuffle, fletcher32, szip, lzf: built in; any other would load a plugin
_MOST_TEXTS = 100_000
_MOST_IN_ONE = 60_000  # bytes of an attribute; the format's own limit is 64 KiB
_SLACK = 16 << 20  # what a small file may unpack to
_TROUBLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, AssertionError, AttributeError)


class Writer:
    """Collects arrays and texts, then gives the file's bytes."""

    def __init__(self) -> None:
        self._room = io.BytesIO()
        self._file = h5py.File(self._room, "w", userblock_size=_FRONT)

    def array(self, path: str, array: Any) -> None:
        """Put an array at `path`."""
        self._file[path] = np.asarray(array)

    def group(self, path: str) -> None:
        """Make a group."""
        self._file.require_group(path or "/")

    def text(self, path: str, name: str, value: str) -> None:
        """Give the group at `path` a text."""
        self._file.require_group(path or "/").attrs[name] = value

    def texts(self, path: str, name: str, values: list[str]) -> None:
        """Give the group at `path` a list of texts, in numbered pieces where they are too long for one."""
        group = self._file.require_group(path or "/")
        raw = np.array([one.encode() for one in values], dtype="S") if values else np.zeros(0)
        pieces = np.array_split(raw, -(-raw.nbytes // _MOST_IN_ONE) or 1)
        for number, piece in enumerate(pieces):
            group.attrs[name if len(pieces) == 1 else f"{name}{number}"] = piece

    def content(self) -> memoryview:
        """The file, its digest in front."""
        self._file.close()
        view = self._room.getbuffer()
        front = _MAGIC + hashlib.sha256(view[_FRONT:]).hexdigest().encode() + b"\n"
        view[: len(front)] = front
        return view


class Store:
    """An HDF5 file in memory, read by path.

    Args:
        content: its bytes.
        path: the file's name, for messages.

    Raises:
        FileError: where it is no HDF5, or not what was written.

    """

    def __init__(self, content: bytes, path: str | os.PathLike[str]) -> None:
        self.path = path
        self.checked = _check_digest(memoryview(content), path)
        if not any(content[at : at + 8] == _SIGNATURE for at in (0, *(512 << i for i in range(20)))):
            refuse(path, "", "is no HDF5 file: it may be cut short, or of another kind.")
        self._size = len(content)
        self._room = 2 * len(content) + _SLACK  # bytes of arrays that may still be read
        with self._said(""):
            self._file = h5py.File(io.BytesIO(content), "r")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        with self._said(""):
            self._file.close()

    @contextmanager
    def _said(self, part: str) -> Iterator[None]:
        """Whatever the library says of a broken file, as one of ours."""
        try:
            yield
        except FileError:
            raise
        except _TROUBLE as error:
            refuse(self.path, part, f"cannot be read ({type(error).__name__}: {str(error)[:200]}).", error)

    def has(self, path: str) -> bool:
        """Whether something stands at `path`."""
        return self._find(path) is not None

    def names(self, path: str) -> list[str]:
        """What stands in the group at `path`; nothing where there is none."""
        group = self._find(path)
        with self._said(f"group {path!r}"):
            return list(group) if isinstance(group, h5py.Group) else []

    def _find(self, path: str) -> Any:
        """The object at `path`, reached by plain links inside the file alone."""
        here: Any = self._file
        with self._said(f"{path!r}"):
            for name in filter(None, path.split("/")):
                if name == ".." or not isinstance(here, h5py.Group) or name not in here:
                    return None
                link = here.get(name, getclass=True, getlink=True)
                if link is not h5py.HardLink:
                    refuse(
                        self.path, f"dataset {path!r}", f"is a {link.__name__}: links out of a file are not followed."
                    )
                here = here[name]
        return here

    def text(self, path: str, name: str) -> str | None:
        """A text of the group at `path`, or None."""
        found = self._attribute(path, name)
        return found[0] if found else None

    def texts(self, path: str, name: str) -> list[str]:
        """A list of texts of the group at `path`; long ones lie in numbered pieces."""
        found = self._attribute(path, name)
        if found is not None:
            return found
        texts: list[str] = []
        for number in range(_MOST_TEXTS):
            piece = self._attribute(path, f"{name}{number}")
            if piece is None or len(texts) > _MOST_TEXTS:
                break
            texts.extend(piece)
        return texts

    def _attribute(self, path: str, name: str) -> list[str] | None:
        group = self._find(path)
        part = f"attribute {name!r} of {path or '/'!r}"
        with self._said(part):
            if group is None or name not in group.attrs:
                return None
            told = group.attrs.get_id(name)
            if math.prod(told.shape or ()) > _MOST_TEXTS:
                refuse(self.path, part, f"claims {told.shape} texts.")
            if 0 in told.shape:
                return []
            if told.dtype.kind not in "SUO" or (told.dtype.kind == "O" and h5py.check_string_dtype(told.dtype) is None):
                refuse(self.path, part, f"must be text, got {told.dtype}.")
            return [one.decode() if isinstance(one, bytes) else str(one) for one in np.atleast_1d(group.attrs[name])]

    def shape(self, path: str) -> tuple[int, ...] | None:
        """The shape of the array at `path`, or None where there is none."""
        found = self._find(path)
        return found.shape if isinstance(found, h5py.Dataset) else None

    def array(self, path: str, shape: tuple[int, ...] | None) -> np.ndarray:
        """The numbers at `path`.

        Args:
            path: of the dataset.
            shape: what it must have; None takes any that the file has room for.

        """
        part = f"dataset {path!r}"
        found = self._find(path)
        if found is None:
            refuse(self.path, part, "is missing.")
        with self._said(part):
            if not isinstance(found, h5py.Dataset):
                refuse(self.path, part, "must be an array, got a group.")
            if shape is not None and found.shape != tuple(shape):
                refuse(self.path, part, f"has shape {found.shape}, the net needs {tuple(shape)}.")
            self._sound(found, part)
            return _native(found)

    def _sound(self, found: Any, part: str) -> None:
        """Whether a dataset lies in this file, is of plain numbers, and is no larger than the file can hold."""
        if found.external or found.is_virtual:
            refuse(self.path, part, "keeps its numbers in another file; those are not opened.")
        if found.dtype.kind not in "biufV" or found.dtype.hasobject:
            refuse(self.path, part, f"must hold numbers, got dtype {found.dtype}.")
        if found.shape is None:
            refuse(self.path, part, "is empty.")
        plist = found.id.get_create_plist()
        for i in range(plist.get_nfilters()):
            if plist.get_filter(i)[0] not in _FILTERS:
                refuse(self.path, part, f"needs the HDF5 plugin {plist.get_filter(i)[0]}; plugins are not loaded.")
        size = math.prod(found.shape) * found.dtype.itemsize
        if size > self._room:
            refuse(self.path, part, f"claims shape {found.shape}, {size:,} bytes, in a file of {self._size:,}.")
        self._room -= size


def _native(dataset: Any) -> np.ndarray:
    marked = dataset.attrs.get("dtype")
    array = dataset[()]
    if array.dtype.kind == "V" and marked in ("bfloat16", b"bfloat16") and array.dtype.itemsize == 2:
        import ml_dtypes

        return np.asarray(array).view(ml_dtypes.bfloat16).astype(np.float32)
    if array.dtype.kind == "V":
        raise TypeError(f"its numbers are of an unknown kind, {array.dtype}")
    return np.asarray(array)


def _check_digest(content: memoryview, path: Any) -> bool:
    """Whether the file carries a digest; raise where it does not match."""
    if content[: len(_MAGIC)] != _MAGIC:
        return False
    told = bytes(content[len(_MAGIC) : len(_MAGIC) + 64])
    if hashlib.sha256(content[_FRONT:]).hexdigest().encode() != told:
        refuse(path, "", "was changed or cut short after it was written: its SHA-256 does not match. Get it anew.")
    return True
