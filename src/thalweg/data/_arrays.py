"""Arrays from .npz files: nothing in them is ever unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from thalweg.data._rows import DataError


def read_arrays(path: Path, wanted: Callable[[list[str]], Sequence[str]]) -> dict[str, np.ndarray]:
    """Some of the arrays of a .npz file, by name.

    Args:
        path: of the file.
        wanted: picks from the names that it holds.

    Raises:
        DataError: where it is no whole .npz file, or an array holds Python objects.

    """
    try:
        with path.open("rb") as file:
            held = np.load(file, allow_pickle=False)
            if not isinstance(held, np.lib.npyio.NpzFile):
                raise DataError(f"{path} is one array, no .npz file: save it by name, numpy.savez(path, x=..., y=...).")
            return {name: _member(held, name, path) for name in wanted(held.files)}
    except DataError:
        raise
    except ValueError as error:  # as NumPy says of what is neither
        raise DataError(f"{path} is no .npz file: {error}.") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        RuntimeError,
    ) as error:  # of zipfile: unknown packing, a password
        raise DataError(f"{path} is no whole .npz file: {error}.") from error


def _member(held: np.lib.npyio.NpzFile, name: str, path: Path) -> np.ndarray:
    try:
        array: np.ndarray = held[name]
    except ValueError as error:
        raise DataError(
            f"{path}: the member {name!r} holds Python objects, which are never unpickled here; save it as an array of numbers."
        ) from error
    return array
