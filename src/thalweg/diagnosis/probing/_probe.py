"""Questions to a net that tells pictures apart: what it does where it was never told what to do."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._checks import arguments, whole
from thalweg._names import unknown
from thalweg._seeds import checked
from thalweg.data import DataError, Rows
from thalweg.diagnosis._scenario import Interval
from thalweg.diagnosis._telling import telling
from thalweg.diagnosis.probing._adversarial import Adversarial, attacked
from thalweg.diagnosis.probing._calibration import Calibration, calibrated
from thalweg.diagnosis.probing._confidence import Confidence, confidences
from thalweg.diagnosis.probing._damages import DAMAGES
from thalweg.diagnosis.probing._favourites import Favourites, favourites
from thalweg.diagnosis.probing._filters import Filters, filters_of
from thalweg.diagnosis.probing._looked_over import fitting, same_scale, subject_of
from thalweg.diagnosis.probing._neighbours import Neighbours, neighbours
from thalweg.diagnosis.probing._records import Response, as_record, share_of
from thalweg.diagnosis.probing._robustness import responses
from thalweg.diagnosis.probing._shuffling import Shuffling, shuffled
from thalweg.diagnosis.probing._subject import Subject, pictures_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = 2000
"""Pictures that a net is asked about at most."""


@dataclass(frozen=True, eq=False)
class Probe:
    """What a net does with pictures, and with what is none.

    Attributes:
        name: of the net.
        rows: pictures that it was asked about.
        given: pictures that there were; where more, some were drawn.
        picture: height, width and channels.
        pixels: the least and the largest value of a pixel.
        classes: names.
        accuracy: on the pictures as they are.
        by_chance: the accuracy of whoever always says their most frequent class.
        right: whether it is, of each picture, [rows].
        confidence: how sure it is of them, of noise, and of blank pictures.
        robustness: accuracy against shifts, rotations, noise, occlusion and contrast.
        adversarial: accuracy against attacks.
        calibration: how far its probabilities can be believed.
        filters: the first layer's weights; None where they are no pictures.
        favourites: what it would most like to see of each class.
        neighbours: training rows near its surest mistakes; None without training rows.
        shuffling: a net like it that learnt with its pixels in another order; None where none was trained.

    """

    name: str
    rows: int
    given: int
    picture: tuple[int, int, int]
    pixels: tuple[float, float]
    classes: tuple[str, ...]
    accuracy: Interval
    by_chance: float
    right: np.ndarray
    confidence: tuple[Confidence, ...]
    robustness: tuple[Response, ...]
    adversarial: Adversarial
    calibration: Calibration
    filters: Filters | None
    favourites: Favourites
    neighbours: Neighbours | None
    shuffling: Shuffling | None

    def response(self, kind: str) -> Response:
        """One of the kinds of damage: ``'shift'``, ``'rotation'``, ``'noise'``, ``'occlusion'``, ``'contrast'``, ``'FGSM'`` or ``'PGD'``."""
        known = {one.kind: one for one in (*self.robustness, self.adversarial.fgsm, self.adversarial.pgd)}
        if kind not in known:
            raise ValueError(unknown("kind of damage", kind, known))
        return known[kind]

    def conclusions(self) -> tuple[str, ...]:
        """What follows, in sentences."""
        from thalweg.diagnosis.probing._words import conclusions

        return conclusions(self)

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold; pictures are nested lists."""
        return {one.name: as_record(getattr(self, one.name)) for one in fields(self)}

    def __str__(self) -> str:
        from thalweg.diagnosis.probing._words import told

        return told(self)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw all of it on one page.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.probing._pictures import probe_picture

        return probe_picture(self, path)


def probe(
    model: Any,
    data: Any,
    *,
    train: Any = None,
    retrain: bool = False,
    epochs: int = 3,
    rows: int = ROWS,
    picture: Any = None,
    pixels: Any = None,
    seed: int = 0,
    verbose: Any = "auto",
) -> Probe:
    """Ask a net what it makes of noise, of pictures that were moved, turned or attacked, and how far it can be believed.

    Nothing is trained but for ``retrain=True``. Everything random is drawn from the seed, so that two nets that are asked about
    the same pictures see the same noise. Sizes of noise and of attacks are shares of the pixels' range, which no picture leaves.

    Args:
        model: compiled, trained, of one input and one output: probabilities of classes, or logits with a loss that says so.
        data: ``(x, y)`` to ask about, which it should not have learnt from: x of shape [rows, height, width],
            [rows, height, width, channels] or [rows, pixels]; flat rows are squares, grey or in three colours.
        train: ``(x, y)`` that it learnt from: tells which of them its surest mistakes are near to.
        retrain: whether to train two nets like it on 5,000 rows of `train` at most, one of them with all pixels in one other
            order. Layers that were adapted to each pixel (Normalization) keep what they know of the first order.
        epochs: of that training.
        rows: pictures that are asked about at most, and as many as have 33 million numbers; of more, some are drawn.
        picture: (height, width) or (height, width, channels), where rows are flat and no square.
        pixels: (least, largest) value of a pixel; None: those of `data`, for bytes from 0 on.
        seed: of everything random.
        verbose: 0 says nothing; 1 shows how far it is; 'auto' does so in a terminal.

    Returns:
        The record. ``print(found)`` tells of it, ``found.plot()`` draws it, ``found.record()`` is plain data.

    Raises:
        DataError: on rows that do not fit the net, hold numbers that are none, or are no pictures; where the net's answers are
            no numbers; where pixels of `data` have another range than those of `train`.
        ValueError: where the net has several inputs or outputs or does not give probabilities of classes, or `retrain` has no
            `train`.
        TypeError: where `model` is none.

    Example:
        >>> import thalweg
        >>> from thalweg.diagnosis import probe
        >>> digits = thalweg.datasets.load('digits8')
        >>> model = thalweg.Sequential([thalweg.Input((64,)), thalweg.layers.Dense(10, 'softmax')])
        >>> model.compile('adam', 'sparse_categorical_crossentropy')
        >>> x, x_test = (one.reshape(-1, 64) / 16 for one in (digits.x, digits.x_test))
        >>> history = model.fit(x, digits.y, epochs=5, seed=0, verbose=0)
        >>> found = probe(model, (x_test, digits.y_test), rows=100, verbose=0)
        >>> found.response('shift').sizes[:3], found.response('shift').cost(2) > 0.2
        ((0.0, 1.0, 2.0), True)

    Source: Goodfellow et al. 2015, "Explaining and harnessing adversarial examples"; Madry et al. 2018, "Towards deep learning
    models resistant to adversarial attacks"; Guo et al. 2017, "On calibration of modern neural networks"; Hendrycks & Dietterich
    2019, "Benchmarking neural network robustness to common corruptions and perturbations"; Simonyan et al. 2014, "Deep inside
    convolutional networks".

    """
    arguments("probe", {"epochs": epochs}, {"epochs": (whole(1), "a positive integer")})
    if retrain and train is None:
        raise ValueError("retrain=True needs rows to learn from: probe(model, data, train=(x, y), retrain=True).")
    subject, given = subject_of("probe", model, data, picture, pixels, rows, checked(seed))
    learnt = None if train is None else fitting("probe", model, train, "train", seed)
    if learnt is not None:
        same_scale(subject.ends, learnt)
    with telling("probe", verbose) as progress:
        return _asked(subject, given, learnt, epochs if retrain else 0, seed, progress)


def _asked(subject: Subject, given: int, learnt: Rows | None, epochs: int, seed: int, progress: Any) -> Probe:
    """All questions; those that take longest tell when they are done."""
    if not np.isfinite(subject.logits).all():
        raise DataError(
            f"{subject.model.name!r} answers with numbers that are none (NaN), or infinite: its training went astray, or the pixels "
            "are far larger than those that it learnt from. Train it with a lower rate, or scale the pixels as in training."
        )
    total, done = len(DAMAGES) + 1 + bool(epochs), 0

    def told() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    model = subject.model
    robustness = responses(subject, seed, told)
    adversarial = attacked(subject, seed)
    told()
    return Probe(
        model.name,
        len(subject.pictures),
        given,
        subject.picture,
        subject.ends,
        tuple(map(str, model.class_names or range(subject.classes))),
        share_of(subject.right),
        float(np.bincount(subject.truth).max() / len(subject.truth)),
        subject.right,
        confidences(subject, seed),
        robustness,
        adversarial,
        calibrated(subject.logits, subject.truth),
        filters_of(subject),
        favourites(subject),
        None if learnt is None else neighbours(subject, pictures_of(learnt, subject.picture, subject.kind)),
        shuffled(subject, learnt, epochs, seed) if learnt is not None and epochs else None,
    )
