"""Training against validation rows: cutting them, rows that stand in both, classes mixed differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from thalweg.data._rows import DataError, Rows
from thalweg.data._stream import Stream

_MOST_CLASSES = 1000


def validation_split(rows: Rows | Stream, fraction: float) -> tuple[Rows, Rows]:
    """The first ``floor(n * (1 - fraction))`` rows and the rest, in the order given.

    Raises:
        DataError: for streams, and where a part would be empty.

    Example:
        >>> import numpy as np
        >>> from thalweg import data
        >>> train, rest = data.validation_split(data.adapt(np.arange(10.0)), 0.25)
        >>> train.n, rest.n
        (7, 3)

    """
    if not isinstance(rows, Rows):
        raise DataError("validation_split needs arrays; beside a source of batches give validation_data.")
    first = int(np.floor(rows.n * (1 - fraction)))
    if first == 0 or first == rows.n:
        raise DataError(
            f"validation_split={fraction} of {rows.n} rows leaves {first} to train on and {rows.n - first} to validate on: "
            "both need one at least."
        )
    return rows.part(0, first), rows.part(first, rows.n)


def class_weights_to_rows(y: np.ndarray, class_weight: Mapping[int, float], given: Any = None) -> np.ndarray:
    """A weight a row from a weight a class; a class left out weighs 1.

    Raises:
        DataError: beside sample weights, on a negative weight, and for targets that are no classes.

    """
    if given is not None:
        raise DataError("class_weight and sample_weight exclude each other: multiply them into sample_weight yourself.")
    classes = classes_of(y)
    if classes is None:
        raise DataError("class_weight needs class numbers or one-hot rows in y.")
    weights = np.ones(max(int(classes.max()) + 1, 1 + max((int(c) for c in class_weight), default=0)), np.float32)
    for one, weight in class_weight.items():
        if int(one) < 0 or not np.isfinite(weight) or weight < 0:
            raise DataError(f"class_weight must be finite and not negative, got {weight!r} for class {one!r}.")
        weights[int(one)] = weight
    return weights[classes]


def classes_of(y: np.ndarray) -> np.ndarray | None:
    """Class numbers, from class numbers or one-hot rows; None where the targets are no classes."""
    if y.ndim > 1 and y.shape[-1] > 1:
        return np.argmax(y, axis=-1) if y.ndim == 2 and np.array_equal(y.sum(axis=1), np.ones(len(y))) else None
    flat = y.reshape(-1)
    if flat.dtype.kind == "f":
        if not np.array_equal(flat, np.rint(flat)):
            return None
        flat = flat.astype(np.int64)
    return flat if flat.size and flat.min() >= 0 and flat.max() < _MOST_CLASSES else None


class Leak(NamedTuple):
    """Rows of one set that stand in another.

    Attributes:
        count: how many.
        fraction: of the second set.

    """

    count: int  # type: ignore[assignment]  # a tuple's own method of that name is of no use here
    fraction: float


def leak(train_x: np.ndarray, other_x: np.ndarray) -> Leak | None:
    """How many rows of `other_x` stand in `train_x`, or None where no more do than the data's own repeats explain.

    In a small discrete space rows repeat by nature: then training rows have twins among themselves as
    often as other rows have twins among them, and that is no leak.
    """
    mine, theirs = _fingerprints(train_x), _fingerprints(other_x)
    known, counts = np.unique(mine, return_counts=True)
    found = np.isin(theirs, known)
    count = int(found.sum())
    natural = counts[counts > 1].sum() / len(mine)
    fraction = count / len(theirs)
    spread = 3 * np.sqrt(natural * (1 - natural) / len(theirs))
    return Leak(count, fraction) if count and fraction > 1.25 * natural + spread else None


def repeated(train_x: np.ndarray, other_x: np.ndarray) -> np.ndarray:
    """Which rows of `other_x` stand in `train_x`, [rows] of bool.

    Example:
        >>> import numpy as np
        >>> repeated(np.array([[1.0], [2.0]]), np.array([[2.0], [3.0]])).tolist()
        [True, False]

    """
    return np.isin(_fingerprints(other_x), _fingerprints(train_x))


def _fingerprints(x: np.ndarray) -> np.ndarray:
    """64 bits a row: sums of its 32-bit words times fixed odd numbers; equal rows have equal ones."""
    flat = x.reshape(x.shape[0], -1)
    factors = np.random.default_rng(1).integers(0, 2**63, flat.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    out = np.empty(flat.shape[0], np.uint64)
    step = max(1, (1 << 19) // max(flat.shape[1], 1))
    for start in range(0, len(out), step):
        block = np.ascontiguousarray(flat[start : start + step], np.float32) + np.float32(0)  # -0 becomes 0
        words = block.view(np.uint32).astype(np.uint64)
        words ^= words >> np.uint64(15)
        out[start : start + step] = (words * factors).sum(axis=1, dtype=np.uint64)
    return out


def mix_is_far(train_y: np.ndarray, other_y: np.ndarray) -> bool:
    """Whether two sets' classes are mixed so differently that chance does not explain it."""
    if train_y.shape[1:] != other_y.shape[1:]:
        return False
    mine, theirs = classes_of(train_y), classes_of(other_y)
    if mine is None or theirs is None:
        return False
    size = int(max(mine.max(), theirs.max())) + 1
    a, b = np.bincount(mine, minlength=size), np.bincount(theirs, minlength=size)
    present = (a + b) > 0
    a, b = a[present], b[present]
    if len(a) < 2:
        return False
    expected = (a + b) / (a.sum() + b.sum())
    apart = 0.5 * np.abs(a / a.sum() - b / b.sum()).sum()
    chi2 = sum(((part - part.sum() * expected) ** 2 / (part.sum() * expected)).sum() for part in (a, b))
    freedom = len(a) - 1
    return bool(apart > 0.2 and chi2 > freedom + 8 * np.sqrt(2 * freedom))
