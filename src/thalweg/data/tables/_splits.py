"""Which rows are learnt from and which are checked on: at random by class, by group, or by time."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg import _seeds
from thalweg.data._rows import DataError

_SPLIT = 7  # what a generator is for: part of its key


def split_rows(
    n: int, fraction: float, seed: int, classes: Any = None, group: Any = None, time: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the training rows and of the others, each in ascending order.

    Args:
        n: how many rows there are.
        fraction: of the others, in (0, 1).
        seed: of the draw.
        classes: one a row, each of which is cut by itself; or None.
        group: one a row, of which none is cut; or None.
        time: one a row, by which the others are the last; or None.

    Raises:
        DataError: where a part would be empty, or both a group and a time are given.

    Example:
        >>> train, rest = split_rows(10, 0.2, seed=0, time=[5, 1, 9, 2, 3, 4, 6, 7, 8, 0])
        >>> rest.tolist()
        [2, 8]

    """
    if not 0 < fraction < 1:
        raise DataError(f"The fraction to check on must lie between 0 and 1, got {fraction}.")
    if group is not None and time is not None:
        raise DataError("Rows are cut by a group or by time, not by both.")
    rng = _seeds.generator(_seeds.checked(seed), _SPLIT)
    if time is not None:
        place = np.argsort(np.asarray(time), kind="stable")
        chosen = place[n - max(1, round(n * fraction)) :]
    elif group is not None:
        chosen = _of_groups(group, n * fraction, rng)
    elif classes is not None:
        chosen = _of_classes(classes, fraction, rng)
    else:
        chosen = rng.permutation(n)[: max(1, round(n * fraction))]
    mask = np.zeros(n, bool)
    mask[chosen] = True
    train, rest = np.flatnonzero(~mask), np.flatnonzero(mask)
    if not len(train) or not len(rest):
        raise DataError(f"{n} rows cut at {fraction} leave {len(train)} to learn from and {len(rest)} to check on.")
    return train, rest


def _of_groups(group: Any, wanted: float, rng: np.random.Generator) -> np.ndarray:
    """Whole groups, in a random order, as long as they bring the count nearer to what is wanted."""
    import pandas as pd

    codes, different = pd.factorize(np.asarray(group, dtype=object), use_na_sentinel=False)
    sizes = np.bincount(codes, minlength=len(different))
    taken: list[int] = []
    count = 0
    for one in rng.permutation(len(different)):
        if abs(count + sizes[one] - wanted) <= abs(count - wanted) or not taken:
            taken.append(one)
            count += sizes[one]
    return np.flatnonzero(np.isin(codes, taken))


def _of_classes(classes: Any, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """The fraction of each class; of a class with one row, that row is learnt from."""
    import pandas as pd

    codes, different = pd.factorize(np.asarray(classes, dtype=object))
    order = rng.permutation(len(codes))
    chosen = []
    owed = 0.0  # what rounding has left open, so that many small classes together give their share
    for one in range(len(different)):
        own = order[codes[order] == one]
        exact = len(own) * fraction + owed
        count = min(round(exact), len(own) - 1)
        owed = exact - count
        chosen.append(own[: max(count, 0)])
    return np.concatenate(chosen) if chosen else np.empty(0, int)
