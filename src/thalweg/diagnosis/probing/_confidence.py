"""How sure a net is of what is no picture: noise, pixels out of order, blank sheets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg import _seeds
from thalweg.diagnosis.probing._records import chances_of
from thalweg.diagnosis.probing._subject import Subject

SURE = 0.9
"""The probability from which on a net counts as sure."""
_DRAWN = 51  # what a generator is for: part of its key


class Confidence(NamedTuple):
    """How sure a net is of some pictures.

    Attributes:
        kind: what they are.
        rows: how many.
        mean: of the probability of the class that it says.
        sure: the share of pictures of which that probability is above 0.9.
        says: how many pictures it takes for each class.

    """

    kind: str
    rows: int
    mean: float
    sure: float
    says: tuple[int, ...]


def confidences(subject: Subject, seed: int) -> tuple[Confidence, ...]:
    """Of the real pictures first; then of as many of noise, and of blank ones."""
    rng = _seeds.generator(seed, _DRAWN)
    x, (low, high) = subject.pictures, subject.ends
    mean, deviation = x.mean(axis=(0, 1, 2)), x.std(axis=(0, 1, 2))
    flat = x.reshape(len(x), -1, x.shape[-1])
    order = rng.permuted(np.tile(np.arange(flat.shape[1]), (len(x), 1)), axis=1)
    shown = {
        "uniform noise": rng.uniform(low, high, x.shape),
        "Gaussian noise": np.clip(mean + deviation * rng.standard_normal(x.shape), low, high),
        "shuffled pixels": np.take_along_axis(flat, order[..., None], axis=1).reshape(x.shape),
        "all black": np.full((1, *x.shape[1:]), low),
        "all white": np.full((1, *x.shape[1:]), high),
        "mean picture": x.mean(axis=0, keepdims=True),
    }
    of_real = _confidence("real pictures", subject.logits)
    return (of_real, *(_confidence(kind, subject.answers(one.astype(x.dtype))) for kind, one in shown.items()))


def _confidence(kind: str, logits: np.ndarray) -> Confidence:
    chances = chances_of(logits)
    most = chances.max(axis=1)
    said = np.bincount(chances.argmax(axis=1), minlength=chances.shape[1])
    return Confidence(kind, len(most), float(most.mean()), float((most > SURE).mean()), tuple(map(int, said)))
