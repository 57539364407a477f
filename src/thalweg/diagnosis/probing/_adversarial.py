"""Pictures changed on purpose, each pixel by a little, so that the net says something else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg import _seeds
from thalweg.diagnosis.probing import _programs
from thalweg.diagnosis.probing._records import Response, chances_of, share_of
from thalweg.diagnosis.probing._subject import Subject

SIZES = (0.02, 0.05, 0.1, 0.2, 0.3)
"""How far a pixel may be changed, as a share of the pixels' range."""
ROWS = 500
"""Pictures that are attacked at most."""
_STEPS = 10  # of PGD
_REACH = 2.5  # how far all steps of PGD together could go, over the size of the ball, as Madry et al. have it
_DRAWN = 53  # what a generator is for: part of its key
_UNIT = "of the pixels' range"


class AttackedPicture(NamedTuple):
    """A picture before and after.

    Attributes:
        before, after: [height, width, channels].
        size: how far its pixels were changed at most, as a share of their range.
        truth: its class, which the net said before.
        chance: with which probability.
        said, chance_after: what it says after, and with which probability.

    """

    before: np.ndarray
    after: np.ndarray
    size: float
    truth: int
    chance: float
    said: int
    chance_after: float


class Adversarial(NamedTuple):
    """What attacks leave.

    Attributes:
        rows: how many pictures were attacked.
        fgsm: accuracy after one step of the whole size (Goodfellow et al. 2015).
        pgd: the share of pictures that stayed right at every point that was tried in the ball of that size: FGSM's, and those on
            ten steps of projected gradient descent from a random place (Madry et al. 2018). A longer attack may leave less.
        example: the picture that the net was surest of among those that fell at the smallest size at which any did; None where
            none did.

    """

    rows: int
    fgsm: Response
    pgd: Response
    example: AttackedPicture | None


def attacked(subject: Subject, seed: int) -> Adversarial:
    """Attack some pictures, drawn at random, at all sizes."""
    rng = _seeds.generator(seed, _DRAWN)
    some = np.sort(rng.permutation(len(subject.pictures))[:ROWS])
    x, truth, right = subject.pictures[some], subject.truth[some].astype(np.int32), subject.right[some]
    stands, example = right.copy(), None
    one_step, many_steps = [share_of(right)], [share_of(right)]
    away = rng.uniform(-1, 1, x.shape).astype(x.dtype)
    for part in SIZES:
        size = part * subject.span
        _, wrong, at_once = _climb(subject, x, x, truth, size, size, 1)
        fallen, _, found = _climb(subject, x, x + size * away, truth, size, _REACH * size / _STEPS, _STEPS)
        if example is None:
            after = np.where(wrong[:, None, None, None], at_once, found)
            example = _example(subject, part, some, stands & (wrong | fallen), after)
        stands &= ~(wrong | fallen)
        one_step.append(share_of(~wrong))
        many_steps.append(share_of(stands))
    sizes = (0.0, *SIZES)
    fgsm, pgd = Response("FGSM", _UNIT, sizes, tuple(one_step)), Response("PGD", _UNIT, sizes, tuple(many_steps))
    return Adversarial(len(x), fgsm, pgd, example)


def _climb(
    subject: Subject, x: np.ndarray, start: np.ndarray, truth: np.ndarray, size: float, step: float, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each picture was wrong on the way, whether it is so at the end, and the first wrong picture, or the last one."""
    numbers = (float(size), float(step), steps, subject.ends)
    fallen, wrong, found = subject.run(_programs.attacks, (subject.end,), [x, start, truth], numbers)
    return fallen, wrong, found.reshape(x.shape)


def _example(
    subject: Subject, part: float, some: np.ndarray, fell: np.ndarray, after: np.ndarray
) -> AttackedPicture | None:
    """Of the pictures that fell, the one that the net was surest of."""
    if not fell.any():
        return None
    before = chances_of(subject.logits[some])
    place = int(np.where(fell, before.max(axis=1), -1).argmax())
    chances = chances_of(subject.answers(after[place : place + 1])[0])
    truth, said = int(subject.truth[some[place]]), int(chances.argmax())
    sure, sure_after = float(before[place, truth]), float(chances[said])
    return AttackedPicture(subject.pictures[some[place]], after[place], part, truth, sure, said, sure_after)
