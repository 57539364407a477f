"""The idx format of the MNIST files: a header of big-endian numbers, then bytes."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from thalweg.data import DataError


def unpacked(path: Path) -> bytes:
    """The bytes of a gzip file.

    Raises:
        DataError: where it is cut off or no gzip file.

    """
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is no whole gzip file ({error}). Delete it and load it anew.") from error


def parse(content: bytes, path: Path) -> np.ndarray:
    """The array in an idx file of bytes.

    Raises:
        DataError: where the header does not fit the content.

    """
    kind, axes = (content[2], content[3]) if len(content) >= 4 and content[:2] == b"\0\0" else (0, 0)
    start = 4 + 4 * axes
    if kind != 8 or not axes or len(content) < start:
        raise DataError(f"{path} is no idx file of bytes: its header is {content[:8].hex(' ') or 'empty'}.")
    shape = struct.unpack(f">{axes}I", content[4:start])
    if len(content) - start != int(np.prod([int(size) for size in shape], dtype=object)):
        raise DataError(f"{path} says it holds an array of shape {shape}, but has {len(content) - start} bytes of it.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
