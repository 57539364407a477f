"""What a net would most like to see of each class: pictures made by climbing up its own slope."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg.diagnosis.probing import _programs
from thalweg.diagnosis.probing._records import chances_of
from thalweg.diagnosis.probing._subject import Subject

_STEPS = 100
_STEP = 0.06  # of the pixels' range, the root mean square over the pixels: of the first step; the last one is nearly 0
_PULL = 0.02  # back to the mean picture, at each step: the penalty of L2 of the distance from it
_BLUR = 0.08  # share of each pixel that is taken from its neighbourhood at each step


class Favourites(NamedTuple):
    """A picture a class.

    Attributes:
        pictures: [classes, height, width, channels].
        chances: the probability that the net gives each for its class.
        likeness: the correlation of each with the mean of the real pictures of its class; None of a class that has none.

    """

    pictures: np.ndarray
    chances: tuple[float, ...]
    likeness: tuple[float | None, ...]


def favourites(subject: Subject) -> Favourites:
    """Climb from the mean picture up to each class, kept near it and smooth."""
    classes, ends = subject.classes, subject.ends
    begun = np.repeat(subject.pictures.mean(axis=0, keepdims=True), classes, axis=0)
    wanted = np.arange(classes, dtype=np.int32)
    step = _STEP * subject.span * float(np.sqrt(begun[0].size))
    numbers = (step, _PULL, _BLUR, _STEPS, ends)
    how = (subject.end, subject.picture)
    found = subject.run(_programs.ascents, how, [begun, wanted], numbers, batch=classes)[0].reshape(begun.shape)
    chances = chances_of(subject.answers(found))[wanted, wanted]
    likeness = [_likeness(subject.pictures[subject.truth == k], found[k]) for k in range(classes)]
    return Favourites(found, tuple(map(float, chances)), tuple(likeness))


def _likeness(real: np.ndarray, made: np.ndarray) -> float | None:
    if not len(real) or not made.std() > 0:
        return None
    mean = real.mean(axis=0)
    return float(np.corrcoef(mean.ravel(), made.ravel())[0, 1]) if mean.std() > 0 else None
