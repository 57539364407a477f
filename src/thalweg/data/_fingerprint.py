"""A digest by which rows are known again."""

from __future__ import annotations

import hashlib

import numpy as np

from thalweg.data._rows import Rows

_BLOCK = 1 << 24  # bytes at a time


def fingerprint(rows: Rows) -> str:
    """SHA-256 over the shapes, dtypes and numbers of the inputs, targets and weights, in hexadecimal.

    Example:
        >>> import numpy as np
        >>> from thalweg import data
        >>> data.fingerprint(data.adapt(np.zeros((2, 3))))[:8]
        'a96d0007'

    """
    digest = hashlib.sha256()
    for array in (*rows.x, *rows.y, *rows.weight):
        digest.update(f"{array.dtype.str} {array.shape} ".encode())
        width = max(1, array[:1].nbytes)
        for start in range(0, len(array), max(1, _BLOCK // width)):
            block = array[start : start + max(1, _BLOCK // width)]
            digest.update(np.ascontiguousarray(block).tobytes())
    return digest.hexdigest()
