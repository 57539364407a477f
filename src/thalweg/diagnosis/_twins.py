"""Validation rows that stand in the training rows too, exactly or nearly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thalweg import data
from thalweg.diagnosis._features import WIDE, scaled
from thalweg.diagnosis._finding import Finding

_ROWS = 10_000  # validation rows whose neighbours are looked up at most
_SOME = 2000  # training rows that say how they lie
_NEAR = 10  # neighbours that say how dense the rows lie
_CHANCE = 2e-4  # with which a row by itself has a neighbour as close as is called a twin
_CLOSE = 0.5  # of the distance to the second nearest, beyond which nothing is called a twin
_LARGE = 20  # pixels a side, from which a picture may be blurred
_PROJECTED = 64  # dimensions that keep distances well enough
_FEWEST = 50  # rows, below which nothing is said of how dense they lie


def duplicates(train: np.ndarray, validation: np.ndarray) -> tuple[Finding, np.ndarray] | None:
    """Rows that are equal, more than the data's own repeats explain; and which of the validation rows they are."""
    found = data.leak(train, validation)
    if found is None:
        return None
    finding = Finding(
        "duplicates",
        f"{found.count:,} of {len(validation):,} validation rows ({found.fraction:.1%}) stand in the training rows too",
        "remove repeated rows before splitting: frame.drop_duplicates(), or data.split(group=...) by what makes rows one",
        {"count": found.count, "fraction": found.fraction},
    )
    return finding, np.flatnonzero(data.repeated(train, validation))


class Twins(NamedTuple):
    """Validation rows with a training row closer than chance allows.

    Attributes:
        rows: their numbers among those looked at.
        looked_at: how many were.
        dimensions: how many the rows fill, as their neighbours say.

    """

    rows: np.ndarray
    looked_at: int
    dimensions: float


def near_duplicates(
    train: np.ndarray, validation: np.ndarray, shape: tuple[int, ...]
) -> tuple[Finding, np.ndarray] | None:
    """Rows that are nearly equal, far closer than rows lie here by themselves; and which of the validation rows they are.

    Args:
        train, validation: [rows, columns].
        shape: of a row as it was given, which says whether it is a picture.

    """
    if len(train) < _FEWEST:
        return None
    found = twins(*comparable(train, validation, shape), equal=data.repeated(train, validation))
    count, share = len(found.rows), len(found.rows) / found.looked_at
    expected = _CHANCE * found.looked_at
    if count <= expected + 4 * math.sqrt(expected) + 1:  # one or two may be chance
        return None
    finding = Finding(
        "near duplicates",
        f"{count:,} of {found.looked_at:,} validation rows ({share:.1%}) have a training row far closer than rows lie here "
        "by themselves: shifted, rescaled or noisy copies",
        "keep copies together: data.split(group=...) by what was copied, or split before augmenting",
        {"count": count, "fraction": share, "dimensions": round(found.dimensions, 1)},
    )
    return finding, found.rows


def twins(
    train: np.ndarray, validation: np.ndarray, moved: Sequence[np.ndarray] = (), equal: np.ndarray | None = None
) -> Twins:
    """Validation rows whose nearest training row is closer than chance allows.

    Where rows lie at random in m dimensions, the volumes of the balls that reach to the first and the second nearest
    neighbour have a ratio ``(d1 / d2)^m`` that is uniform on [0, 1]. A ratio that chance gives once in 5,000 rows is called a
    twin. m is estimated among training rows, from the second to the tenth neighbour, which twins leave alone.

    Args:
        train, validation: [rows, columns].
        moved: the validation rows again, each as it may have been before it was moved.
        equal: which validation rows stand in the training rows as they are; they are not counted.

    Source: Levina and Bickel 2004, "Maximum likelihood estimation of intrinsic dimension".

    """
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(validation))[:_ROWS]
    parts = [one[chosen] for one in (validation, *moved)]
    if train.shape[1] > _PROJECTED:
        turn = rng.standard_normal((train.shape[1], _PROJECTED)).astype(np.float32)
        train, parts = train @ turn, [one @ turn for one in parts]
    search = NearestNeighbors(n_neighbors=_NEAR + 1, algorithm="brute").fit(train)
    distances = search.kneighbors(parts[0], 2)[0]
    second = distances[:, 1]
    apart = second > 1e-5 * (float(np.abs(train).max()) or 1.0)  # in a small discrete space rows repeat by nature
    apart &= True if equal is None else ~equal[chosen]
    width = _width(search.kneighbors(train[rng.permutation(len(train))[:_SOME]])[0])
    if apart.sum() < _FEWEST // 2 or math.isnan(width):
        return Twins(np.zeros(0, int), len(chosen), math.nan)
    first = np.min([distances[:, 0], *(search.kneighbors(one, 1)[0][:, 0] for one in parts[1:])], axis=0)
    ratio = first / np.maximum(second, 1e-30)
    close = apart & (ratio < min(_CLOSE, (_CHANCE / len(parts)) ** (1 / width)))
    return Twins(chosen[close], len(chosen), width)


def _width(distances: np.ndarray) -> float:
    """How many dimensions rows fill, from each row's distances to itself and its nearest neighbours.

    The ball that reaches to the k-th neighbour has on average ``exp(1/j + ... + 1/(k - 1))`` times the volume of that to the
    j-th, in the mean of logarithms.
    """
    apart = distances[distances[:, 2] > 0]
    if not len(apart):
        return math.nan
    logs = np.log(apart[:, _NEAR, None] / apart[:, 2:_NEAR]).mean()
    expected = np.mean([sum(1 / i for i in range(j, _NEAR)) for j in range(2, _NEAR)])
    return float(expected / max(logs, 1e-3))


class Comparable(NamedTuple):
    """Rows in which a copy is near its original, for :func:`twins`."""

    train: np.ndarray
    validation: np.ndarray
    moved: tuple[np.ndarray, ...] = ()


def comparable(train: np.ndarray, validation: np.ndarray, shape: tuple[int, ...]) -> Comparable:
    """Columns on one scale; pictures of one brightness, also moved by a pixel, large ones a little out of focus."""
    side = _side(train, shape)
    if side is None:
        return Comparable(*scaled(train, validation))
    own, other = (rows.reshape(len(rows), *side, -1).mean(axis=-1) for rows in (train, validation))
    focus = _blurred if max(side) >= _LARGE else lambda pictures: pictures
    moved = [_shifted(other, step) for step in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    return Comparable(_even(focus(own)), _even(focus(other)), tuple(_even(focus(one)) for one in moved))


def _side(train: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Height and width where rows are pictures: of two or three axes, or as many columns as a square has."""
    if len(shape) >= 2:
        return shape[0], shape[1]
    edge = math.isqrt(train.shape[1])
    return (edge, edge) if edge * edge == train.shape[1] >= WIDE and train.min() >= 0 else None


def _shifted(pictures: np.ndarray, step: tuple[int, int]) -> np.ndarray:
    """Moved by some pixels; what comes in is dark."""
    moved = np.roll(pictures, step, axis=(1, 2))
    for axis, by in zip((1, 2), step, strict=True):
        if by:
            moved[(slice(None),) * axis + (slice(0, by) if by > 0 else slice(by, None),)] = 0
    return moved


def _blurred(pictures: np.ndarray) -> np.ndarray:
    """Through a lens a little out of focus, at half the size."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(pictures, sigma=(0, *(edge / 28 for edge in pictures.shape[1:])))[:, ::2, ::2])


def _even(pictures: np.ndarray) -> np.ndarray:
    """Each with mean 0 and length 1."""
    rows = pictures.reshape(len(pictures), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
