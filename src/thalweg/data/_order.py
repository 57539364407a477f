"""In which order rows are read, and in how large an array they lie."""

from __future__ import annotations

import numpy as np

from thalweg import _seeds


def capacity(n: int) -> int:
    """Room for `n` rows that neighbouring counts share, at most 1/16 more: a program's shape must not follow each row.

    Example:
        >>> from thalweg import data
        >>> data.capacity(6000), data.capacity(6001), data.capacity(60000)
        (6144, 6144, 61440)

    """
    grain = max(8, 1 << max(n.bit_length() - 5, 0))
    return -(-max(n, 1) // grain) * grain


def order(
    n: int, batch_size: int, *, seed: int = 0, epoch: int = 0, shuffle: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows make up each step of one pass.

    Args:
        n: rows there are.
        batch_size: rows a step.
        seed: keys the order together with `epoch`: no generator's state is kept.
        epoch: the number of the pass.
        shuffle: a new order each pass; else that of the rows.

    Returns:
        int32 [steps, batch_size] row numbers, and int32 [steps] how many of each step's are meant: what
        fills up the last step are rows of this pass once more.

    """
    rows = _seeds.generator(seed, epoch).permutation(n) if shuffle else np.arange(n)
    steps = -(-n // batch_size)
    index = np.resize(rows.astype(np.int32), (steps, batch_size))
    counts = np.full(steps, batch_size, np.int32)
    counts[-1] = n - (steps - 1) * batch_size
    return index, counts
