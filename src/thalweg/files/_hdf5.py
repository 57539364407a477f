"""HDF5: arrays and texts by path, with a digest in front, and a reader that follows nothing out of the file."""

from __future__ import annotations

import hashlib
import io
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import h5py
import numpy as np

from thalweg.files._error import FileError, refuse
from thalweg.files._heaps import longest_text
from thalweg.files._open import SLACK

_FRONT = 512  # bytes before the HDF5 signature, which the format leaves to us
_MAGIC = b"thalweg sha256 "
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DEFLATE = 1
_FILTERS = {_DEFLATE, 2, 3}  # and shuffle, fletcher32; others load plugins, or unpack to what nobody can know before
_MOST_TEXTS = 200_000  # in all attributes that are read
_MOST_NAMES = 100_000  # in a group
_DEEPEST = 100
_MOST_IN_ONE = 60_000  # bytes of an attribute; the format's own limit is 64 KiB
_TROUBLE = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    OverflowError,
    AssertionError,
    AttributeError,
    MemoryError,
    zlib.error,
)


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
        size: of the file that the bytes are from, which says how much room there is.
        part: what of that file they are, for messages.

    Raises:
        FileError: where it is no HDF5, or not what was written.

    """

    def __init__(self, content: bytes, path: str | os.PathLike[str], size: int, part: str = "") -> None:
        self.path = path
        self.checked = _check_digest(memoryview(content), path, part)
        if not is_hdf5(io.BytesIO(content)):
            refuse(path, part, "is no HDF5 file: it may be cut short, or of another kind.")
        self._content = content
        self._room = 2 * size + SLACK - len(content)  # bytes of arrays that may still be read
        self._texts = _MOST_TEXTS  # that may still be read
        with self._said(part):
            self._longest = longest_text(content)
            self._file = h5py.File(io.BytesIO(content), "r")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the bytes."""
        self._content = b""
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
        if self.size(path) > _MOST_NAMES:
            refuse(self.path, f"group {path!r}", f"has {self.size(path):,} entries, more than {_MOST_NAMES:,}.")
        group = self._find(path)
        with self._said(f"group {path!r}"):
            return list(group) if isinstance(group, h5py.Group) else []

    def size(self, path: str) -> int:
        """How many things stand in the group at `path`."""
        group = self._find(path)
        with self._said(f"group {path!r}"):
            return len(group) if isinstance(group, h5py.Group) else 0

    def _find(self, path: str) -> Any:
        """The object at `path`, reached by plain links inside the file alone."""
        here: Any = self._file
        if path.count("/") > _DEEPEST:
            refuse(self.path, f"dataset {path!r}", f"lies more than {_DEEPEST} levels deep.")
        with self._said(f"{path!r}"):
            for name in path.split("/"):
                if name in ("", "."):  # the group itself; '..' is a name like any other to HDF5
                    continue
                if not isinstance(here, h5py.Group) or name not in here:
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
        pieces: list[list[str]] = []
        while (piece := self._attribute(path, f"{name}{len(pieces)}")) is not None:
            pieces.append(piece)
        return [text for piece in pieces for text in piece]

    def _attribute(self, path: str, name: str) -> list[str] | None:
        group = self._find(path)
        part = f"attribute {name!r} of {path or '/'!r}"
        with self._said(part):
            if group is None or name not in group.attrs:
                return None
            told = group.attrs.get_id(name)
            if told.shape is None or 0 in told.shape:
                return []
            count = math.prod(told.shape)
            self._texts -= count + 1
            if self._texts < 0:
                refuse(self.path, part, f"has {count:,} texts: with those before more than {_MOST_TEXTS:,} names.")
            if told.dtype.kind not in "SUO" or (told.dtype.kind == "O" and h5py.check_string_dtype(told.dtype) is None):
                refuse(self.path, part, f"must be text, got {told.dtype}.")
            if told.dtype.kind == "O" and count * self._longest > max(SLACK // 2, len(self._content)):
                refuse(self.path, part, f"has {count:,} texts that may be one long one, told over and over.")
            return [one.decode() if isinstance(one, bytes) else str(one) for one in np.atleast_1d(group.attrs[name])]

    def shape(self, path: str) -> tuple[int, ...] | None:
        """The shape of the array at `path`, or None where there is none."""
        found = self._find(path)
        if not isinstance(found, h5py.Dataset):
            return None
        with self._said(f"dataset {path!r}"):
            self._within(found, f"dataset {path!r}")
            return found.shape

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
            self._within(found, part)  # before its shape is asked for: that alone may open another file
            if shape is not None and found.shape != tuple(shape):
                refuse(self.path, part, f"has shape {found.shape}, the net needs {tuple(shape)}.")
            self._sound(found, part)
            marked = self.text(path, "dtype") if found.dtype.kind == "V" else None
            return _native(found, marked)

    def _within(self, found: Any, part: str) -> None:
        """Whether a dataset lies in this file and needs no plugin."""
        plist = found.id.get_create_plist()
        if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
            refuse(self.path, part, "keeps its numbers in another file; those are not opened.")
        codes = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
        for code in codes:
            if code not in _FILTERS or codes.count(code) > 1:
                refuse(self.path, part, f"is packed by HDF5's filter {code}: read are deflate, shuffle and fletcher32.")

    def _sound(self, found: Any, part: str) -> None:
        """Whether a dataset is of plain numbers, and no larger than the file has room for, unpacked as well."""
        if found.dtype.kind not in "biufV" or found.dtype.hasobject:
            refuse(self.path, part, f"must hold numbers, got dtype {found.dtype}.")
        if found.shape is None:
            refuse(self.path, part, "is empty.")
        size = math.prod(found.shape) * found.dtype.itemsize
        if size > self._room:
            refuse(self.path, part, f"claims shape {found.shape}, {size:,} bytes, in a file that has no room for it.")
        if found.chunks:
            chunk = math.prod(found.chunks) * found.dtype.itemsize
            number = math.prod(-(-have // each) for have, each in zip(found.shape, found.chunks, strict=True))
            if number * chunk > self._room:
                refuse(self.path, part, f"has chunks of {chunk:,} bytes, more than there is room for.")
            size = max(size, number * chunk)
            self._chunks(found, part, chunk)
        self._room -= size

    def _chunks(self, found: Any, part: str, size: int) -> None:
        """Whether no chunk unpacks to more than it should: the library itself goes on for as long as there is more."""
        plist = found.id.get_create_plist()
        codes = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
        if _DEFLATE not in codes:
            return
        off = 1 << codes.index(_DEFLATE)
        chunks: list[Any] = []
        found.id.chunk_iter(chunks.append)
        for chunk in chunks:
            if chunk.size > len(self._content):
                refuse(self.path, part, f"has a chunk of {chunk.size:,} bytes in a smaller file.")
            if not chunk.filter_mask & off:
                packed = found.id.read_direct_chunk(chunk.chunk_offset)[1]
                if len(zlib.decompressobj().decompress(packed, size + 5)) > size + 4:  # and a checksum of 4 bytes
                    refuse(self.path, part, f"has a chunk that unpacks to more than the {size:,} bytes of one.")


def _native(dataset: Any, marked: str | None) -> np.ndarray:
    array = dataset[()]
    if array.dtype == "V2" and marked in (None, "bfloat16"):  # Keras's older files do not mark them
        import ml_dtypes

        return np.asarray(array).view(ml_dtypes.bfloat16).astype(np.float32)
    if array.dtype.kind == "V":
        raise TypeError(f"its numbers are of an unknown kind, {array.dtype}")
    return np.asarray(array)


def _check_digest(content: memoryview, path: Any, part: str) -> bool:
    """Whether the file carries a digest; raise where it does not match."""
    if content[: len(_MAGIC)] != _MAGIC:
        return False
    told = bytes(content[len(_MAGIC) : len(_MAGIC) + 64])
    if hashlib.sha256(content[_FRONT:]).hexdigest().encode() != told:
        refuse(path, part, "was changed or cut short after it was written: its SHA-256 does not match. Get it anew.")
    return True


def is_hdf5(file: Any) -> bool:
    """Whether the signature stands at one of the places where it may."""
    for at in (0, *(512 << i for i in range(20))):
        file.seek(at)
        if file.read(8) == _SIGNATURE:
            return True
    return False
