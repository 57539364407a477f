"""What is done to pictures: moved, turned, covered with noise, hidden in part, made pale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from thalweg.diagnosis.probing._subject import Subject

_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))
_HIDDEN = (0, 1 / 7, 2 / 7, 3 / 7, 4 / 7)  # of the shorter side: 4 to 16 of 28 pixels


class Damage(NamedTuple):
    """A way to change pictures.

    Attributes:
        unit: of a size.
        sizes: of pictures with so many pixels along their shorter side; the first one changes nothing.
        change: gives the changed pictures, once or several times.

    """

    unit: str
    sizes: Callable[[int], tuple[float, ...]]
    change: Callable[[Subject, float, np.random.Generator], Iterator[np.ndarray]]


def shifted(x: np.ndarray, down: int, across: int, fill: np.ndarray) -> np.ndarray:
    """Pictures [rows, height, width, channels], moved; what comes in from beyond the edge is `fill`, [channels]."""
    found = np.broadcast_to(fill, x.shape).astype(x.dtype)
    height, width = x.shape[1:3]
    to, since = _overlap(down, height), _overlap(-down, height)
    found[:, to, _overlap(across, width)] = x[:, since, _overlap(-across, width)]
    return found


def rotated(x: np.ndarray, degrees: float, fill: np.ndarray) -> np.ndarray:
    """Pictures turned counterclockwise around their middle, between pixels linear."""
    from scipy import ndimage

    turned = ndimage.rotate(x - fill, degrees, axes=(1, 2), reshape=False, order=1, mode="constant", cval=0.0)
    return np.asarray(turned + fill, x.dtype)


def _overlap(by: int, length: int) -> slice:
    return slice(max(by, 0), max(length + min(by, 0), 0))


def _shift(subject: Subject, size: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    for down, across in _STEPS:
        yield shifted(subject.pictures, int(size) * down, int(size) * across, subject.background)


def _rotate(subject: Subject, size: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    for degrees in (size, -size):
        yield np.clip(rotated(subject.pictures, degrees, subject.background), *subject.ends)


def _noise(subject: Subject, size: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    x = subject.pictures
    yield np.clip(x + size * subject.span * rng.standard_normal(x.shape, x.dtype), *subject.ends)


def _hide(subject: Subject, size: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    x = subject.pictures.copy()
    height, width = x.shape[1:3]
    tops, lefts = (rng.integers(0, length - int(size) + 1, len(x)) for length in (height, width))
    rows, columns = np.arange(height), np.arange(width)
    within = (rows >= tops[:, None]) & (rows < tops[:, None] + size)
    across = (columns >= lefts[:, None]) & (columns < lefts[:, None] + size)
    x[within[:, :, None] & across[:, None, :]] = sum(subject.ends) / 2
    yield x


def _pale(subject: Subject, size: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    x = subject.pictures
    mean = x.mean(axis=(1, 2), keepdims=True)
    yield mean + np.asarray(size, x.dtype) * (x - mean)


DAMAGES = {
    "shift": Damage("pixels", lambda side: tuple(map(float, range(min(7, side)))), _shift),
    "rotation": Damage("degrees", lambda side: (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0), _rotate),
    "noise": Damage("of the pixels' range", lambda side: (0.0, 0.1, 0.2, 0.3, 0.5), _noise),
    "occlusion": Damage("pixels", lambda side: tuple(float(round(part * side)) for part in _HIDDEN), _hide),
    "contrast": Damage("of what it was", lambda side: (1.0, 0.75, 0.5, 0.25, 0.1), _pale),
}
"""Kind -> what is done. A shift is to all four sides, a rotation to both; noise is Gaussian; a grey square hides a part at a
random place; contrast is the distance from each picture's mean."""
