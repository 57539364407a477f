"""Rows as plain columns that other models and distances can use: flat, on one scale, not too many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg.data import Rows

WIDE = 64
"""Columns from which on they are cut down to their principal components."""
KEPT = 50
"""Components."""
_FIT = 4096  # rows that say what they are


class Columns(NamedTuple):
    """Training and validation rows as columns.

    Attributes:
        train, validation: float32 [rows, columns].
        names: of the columns of the rows as they were given.

    """

    train: np.ndarray
    validation: np.ndarray
    names: tuple[str, ...]


def flat(rows: Rows) -> np.ndarray:
    """All inputs of a row side by side, float32 [rows, columns]."""
    parts = [np.asarray(one, np.float32).reshape(rows.n, -1) for one in rows.x]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def names_of(rows: Rows, width: int) -> tuple[str, ...]:
    """The columns' names; where nobody named them, their numbers."""
    named = [name for one in rows.columns or () if one for name in one]
    return tuple(named) if len(named) == width else tuple(f"column {i}" for i in range(width))


def scaled(train: np.ndarray, validation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns with mean 0, by the training rows; each with deviation 1 where they are of several scales, as in tables.

    Pixels share one scale: to blow up those that are hardly ever lit would hide the picture.
    """
    mean, deviation = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    moving = deviation > 1e-12 * np.maximum(np.abs(mean), 1e-30)
    reach = np.abs(train).max(axis=0)[moving]
    shared = len(reach) > 1 and np.quantile(reach, 0.05) * 10 > np.quantile(reach, 0.95)
    scale = (
        np.full(int(moving.sum()), deviation[moving].max() or 1.0)
        if shared and len(reach) > WIDE
        else deviation[moving]
    )

    def cut(part: np.ndarray) -> np.ndarray:
        return ((part[:, moving] - mean[moving]) / scale).astype(np.float32)

    return cut(train), cut(validation)


def dimensions(columns: np.ndarray) -> float:
    """How many directions rows spread in, ``tr(C)^2 / tr(C^2)`` of their covariance C: all columns where these are alike."""
    rows = columns[np.random.default_rng(0).permutation(len(columns))[: _FIT // 2]].astype(np.float64)
    rows -= rows.mean(axis=0)
    small = rows @ rows.T if rows.shape[0] < rows.shape[1] else rows.T @ rows
    return float(np.trace(small) ** 2 / max(float((small**2).sum()), 1e-300))


def components(train: np.ndarray, validation: np.ndarray, both: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Scaled columns, those of wide rows as their first principal components.

    Args:
        train, validation: [rows, columns].
        both: whether both parts say what the components are; else the training rows alone, which then spread wider along
            them than other rows do.

    """
    from sklearn.decomposition import PCA

    train, validation = scaled(train, validation)
    if train.shape[1] <= WIDE:
        return train, validation
    known = np.concatenate([train, validation]) if both else train
    rows = np.random.default_rng(0).permutation(len(known))[:_FIT]
    found = PCA(min(KEPT, len(rows)), svd_solver="randomized", random_state=0).fit(known[rows])
    return found.transform(train).astype(np.float32), found.transform(validation).astype(np.float32)
