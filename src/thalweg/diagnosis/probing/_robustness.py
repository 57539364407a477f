"""What is left of a net's accuracy when pictures are moved, turned, covered with noise, hidden in part or made pale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thalweg import _seeds
from thalweg.diagnosis.probing._damages import DAMAGES
from thalweg.diagnosis.probing._records import Response, share_of
from thalweg.diagnosis.probing._subject import Subject

_DRAWN = 52  # what a generator is for: part of its key


def responses(subject: Subject, seed: int, told: Callable[[], None]) -> tuple[Response, ...]:
    """One a kind of damage.

    Args:
        subject: the net and the pictures.
        seed: of noise and places.
        told: is called when a kind is done.

    """
    found = []
    for number, (kind, damage) in enumerate(DAMAGES.items()):
        sizes = damage.sizes(min(subject.picture[:2]))
        shares = [share_of(subject.right)]
        for place, size in enumerate(sizes[1:]):
            rng = _seeds.generator(seed, _DRAWN, number, place)
            each = [subject.answers(one).argmax(axis=1) == subject.truth for one in damage.change(subject, size, rng)]
            shares.append(share_of(np.mean(each, axis=0)))
        found.append(Response(kind, damage.unit, sizes, tuple(shares)))
        told()
    return tuple(found)
