"""Whether a net makes any use of which pixels are neighbours: it is trained again with all pixels in another order."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from thalweg import _seeds
from thalweg.data import Rows
from thalweg.diagnosis._measured import some_of
from thalweg.diagnosis._scenario import Interval
from thalweg.diagnosis.probing._records import difference_of, share_of
from thalweg.diagnosis.probing._subject import Subject
from thalweg.models import Population

ROWS = 5000
"""Training rows that are learnt from at most."""
_DRAWN = 54  # what a generator is for: part of its key


class Shuffling(NamedTuple):
    """Two nets like the one that is probed, of one seed; the second saw all pixels in one other order, the same in all pictures.

    Attributes:
        plain: accuracy of the first, on the pictures that are asked about.
        shuffled: accuracy of the second, on the same pictures in its order of pixels.
        difference: the second's less the first's; its interval is that of the rows, not of the training's chance.
        rows: that they learnt from.
        epochs: how often.

    """

    plain: Interval
    shuffled: Interval
    difference: Interval
    rows: int
    epochs: int


def shuffled(subject: Subject, train: Rows, epochs: int, seed: int) -> Shuffling:
    """Train both side by side, as one population.

    Args:
        subject: the net and the pictures to measure on.
        train: rows to learn from.
        epochs: passes over them.
        seed: of the order, and of both nets.

    """
    some = some_of(train, ROWS)
    height, width, channels = subject.picture
    order = _seeds.generator(seed, _DRAWN).permutation(height * width)

    def reordered(pictures: np.ndarray) -> np.ndarray:
        flat = pictures.reshape(len(pictures), height * width, channels)
        return flat[:, order].reshape(pictures.shape)

    x, y = some.x[0], some.y[0]
    numbers = np.arange(some.n)
    nets = Population.of_seeds(subject.model, 2)
    nets.fit(
        np.concatenate([x, reordered(x)]),
        np.concatenate([y, y]),
        rows=[numbers, some.n + numbers],
        seeds=[seed, seed],
        epochs=epochs,
        verbose=0,
    )
    plain = replace(subject, model=nets[0]).right
    other = replace(subject, model=nets[1], pictures=reordered(subject.pictures)).right
    return Shuffling(share_of(plain), share_of(other), difference_of(plain, other), some.n, epochs)
