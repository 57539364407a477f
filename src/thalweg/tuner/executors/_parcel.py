"""Objects in files whose arrays are mapped into every process that opens them, and copied into none."""

from __future__ import annotations

import mmap
import pickle
from pathlib import Path
from typing import Any

_ALIGNED = 64  # bytes: so that a CPU device can take an array over as it lies


def pack(folder: Path, thing: Any) -> None:
    """Write an object into a folder: its arrays into one file, the rest into another.

    Args:
        folder: made here.
        thing: what cloudpickle can pickle: functions of ``__main__`` go by value.

    Raises:
        TypeError: where something in it cannot leave this process.

    """
    import cloudpickle

    buffers: list[pickle.PickleBuffer] = []
    try:
        frame = cloudpickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    except Exception as error:  # what the objects of other people raise
        raise cannot_be_sent(error) from error
    folder.mkdir(parents=True)
    places = []
    with (folder / "arrays").open("wb") as file:
        for buffer in buffers:
            file.seek(-(-file.tell() // _ALIGNED) * _ALIGNED)
            places.append((file.tell(), buffer.raw().nbytes))
            file.write(buffer.raw())
    (folder / "rest").write_bytes(pickle.dumps((frame, places)))


def cannot_be_sent(error: Exception) -> TypeError:
    """What to raise where pickling raised `error`."""
    said = str(error).strip().split("\n")[-1].rstrip(".")
    return TypeError(
        f"What these trials need cannot be sent to other processes: {said}. Generators, open files and locks belong to "
        "the process that made them: make them in build(hp) or fit(hp, model, ...), or train with executor='population'."
    )


def unpack(folder: Path) -> Any:
    """Read an object; its arrays are views of the file, which cannot be written to.

    Args:
        folder: that :func:`pack` made.

    Raises:
        Exception: what unpickling raises, as where a module is missing here.

    Example:
        >>> import numpy as np, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pack(Path(folder) / 'parcel', {'x': np.arange(4.0), 'y': lambda: 2})
        ...     found = unpack(Path(folder) / 'parcel')
        >>> found['x'].sum(), found['y'](), found['x'].flags.writeable
        (np.float64(6.0), 2, False)

    """
    frame, places = pickle.loads((folder / "rest").read_bytes())
    if not sum(size for _, size in places):  # nothing cannot be mapped
        return pickle.loads(frame, buffers=[bytearray() for _ in places])
    with (folder / "arrays").open("rb") as file:
        arrays = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return pickle.loads(frame, buffers=[arrays[start : start + size] for start, size in places])
