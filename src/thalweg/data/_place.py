"""Arrays from the host to the device, copied once."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

_ALIGN = 64  # bytes; what lies so is taken over by a CPU device without another copy


def place(array: np.ndarray, room: int, dtype: Any) -> jax.Array:
    """`array` on the device, in `room` rows of `dtype`; what is left over are zeros.

    The device's copy is its own: later changes of `array` do not reach it.
    """
    held = _aligned((room, *array.shape[1:]), np.dtype(dtype))
    np.copyto(held[: array.shape[0]], array, casting="unsafe")
    held[array.shape[0] :] = 0
    return jax.device_put(held)


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.empty(size + _ALIGN, np.uint8)
    start = -raw.ctypes.data % _ALIGN
    return raw[start : start + size].view(dtype).reshape(shape)
