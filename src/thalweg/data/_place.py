"""Arrays from the host to the device, copied once."""

from __future__ import annotations

import mmap
from typing import Any

import jax
import numpy as np


def place(array: np.ndarray, room: int, dtype: Any) -> jax.Array:
    """`array` on the device, in `room` rows of `dtype`; what is left over are zeros.

    The device's copy is its own: later changes of `array` do not reach it.
    """
    held = _zeros((room, *array.shape[1:]), np.dtype(dtype))
    np.copyto(held[: array.shape[0]], array, casting="unsafe")
    return jax.device_put(held)


def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    """Zeros in pages of their own, which start on a boundary: a CPU device takes those over without a copy.

    NumPy asks for huge pages instead, which some virtual machines are five times slower to hand out.
    """
    size = int(np.prod(shape)) * dtype.itemsize
    return np.frombuffer(mmap.mmap(-1, max(size, 1)), np.uint8, count=size).view(dtype).reshape(shape)
