"""Nets side by side on the same pictures: how good, how large, how fast, how smart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg._checks import arguments, number, whole
from thalweg._names import unknown
from thalweg._seeds import checked
from thalweg.diagnosis._scenario import Interval
from thalweg.diagnosis._telling import telling
from thalweg.diagnosis.probing._looked_over import fitting, subject_of
from thalweg.diagnosis.probing._multiply_adds import multiply_adds
from thalweg.diagnosis.probing._probe import ROWS, Probe, probe
from thalweg.diagnosis.probing._records import as_record, difference_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Contender(NamedTuple):
    """A net among others.

    Attributes:
        name: of the net.
        accuracy: on the pictures.
        difference: its accuracy less the first one's, on the same pictures, with the interval of the paired bootstrap; None of
            the first.
        p_value: of McNemar's exact test, that it is right of as many pictures of which the first is wrong as the other way
            round; None of the first.
        parameters: numbers that it holds.
        multiply_adds: of one picture.
        seconds: that its training took, or None where nobody knows.
        probe: everything else that it was asked.

    """

    name: str
    accuracy: Interval
    difference: Interval | None
    p_value: float | None
    parameters: int
    multiply_adds: int
    seconds: float | None
    probe: Probe


@dataclass(frozen=True, eq=False)
class Comparison:
    """Nets that were asked the same.

    Attributes:
        contenders: the nets, in the order in which they were given.
        epochs: that each was trained for here; None where they came trained.
        trained: rows that they were trained on here.

    """

    contenders: tuple[Contender, ...]
    epochs: int | None
    trained: int | None

    def __getitem__(self, name: str) -> Contender:
        known = {one.name: one for one in self.contenders}
        if name not in known:
            raise KeyError(unknown("net", name, known))
        return known[name]

    def conclusions(self) -> tuple[str, ...]:
        """What follows, in sentences."""
        from thalweg.diagnosis.probing._compare_words import conclusions

        return conclusions(self)

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {"contenders": as_record(self.contenders), "epochs": self.epochs, "trained": self.trained}

    def __str__(self) -> str:
        from thalweg.diagnosis.probing._compare_words import told

        return told(self)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw all nets into the same panels.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.probing._compare_picture import compare_picture

        return compare_picture(self, path)


def compare(
    models: Any,
    data: Any,
    train: Any = None,
    *,
    epochs: int | None = None,
    seconds: Mapping[str, float] | None = None,
    retrain: bool = False,
    rows: int = ROWS,
    picture: Any = None,
    pixels: Any = None,
    seed: int = 0,
    verbose: Any = "auto",
) -> Comparison:
    """Ask several nets the same, and put their answers side by side.

    Args:
        models: a dict of names and compiled models, or a list of models. The first is what the others are measured against.
        data: ``(x, y)`` to ask about. Each net gets the pixels in the shape that it takes: flat, or as pictures.
        train: ``(x, y)`` that they learnt from, or are to learn from.
        epochs: where given, each model is trained here, one after the other, for so many epochs on `train`, and timed.
        seconds: what their training took, by name; of models that were trained in this process it is known.
        retrain, rows, picture, pixels, seed, verbose: as in :func:`probe`; `seed` is also that of the training.

    Returns:
        The record. ``print(found)`` is a table, ``found.plot()`` a page of panels, ``found['name'].probe`` what :func:`probe` gives.

    Raises:
        DataError: on rows that do not fit one of the nets.
        ValueError: where there are no models, `epochs` comes without `train`, or a net gives no probabilities of classes.
        TypeError: where one of them is no model.

    Example:
        >>> import thalweg
        >>> from thalweg import layers
        >>> from thalweg.diagnosis import compare
        >>> digits = thalweg.datasets.load('digits8')
        >>> def net(rate):
        ...     model = thalweg.Sequential([thalweg.Input((64,)), layers.Dense(10, 'softmax')])
        ...     model.compile(thalweg.optimizers.Adam(rate), 'sparse_categorical_crossentropy')
        ...     return model
        >>> x, x_test = (one.reshape(-1, 64) / 16 for one in (digits.x, digits.x_test))
        >>> nets = {'slow': net(1e-4), 'fast': net(1e-2)}
        >>> found = compare(nets, (x_test, digits.y_test), (x, digits.y), epochs=3, rows=100, verbose=0)
        >>> found['fast'].difference.low > 0.2, found['fast'].parameters, found['fast'].multiply_adds
        (True, 650, 640)

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages";
    Dietterich 1998, "Approximate statistical tests for comparing supervised classification learning algorithms".

    """
    nets = _named(models)
    if epochs is not None:
        arguments("compare", {"epochs": epochs}, {"epochs": (whole(1), "a positive integer")})
        if train is None:
            raise ValueError("epochs= needs rows to learn from: compare(models, data, train=(x, y), epochs=3).")
    known = _seconds(nets, seconds or {})
    options = {"retrain": retrain, "rows": rows, "picture": picture, "pixels": pixels, "seed": seed}
    for model in nets.values():  # before any of them is trained
        subject_of("compare", model, data, picture, pixels, rows, checked(seed))
    found: list[Contender] = []
    trained = None
    with telling("compare", verbose) as progress:
        for i, (name, model) in enumerate(nets.items()):
            if epochs is not None:
                learnt = fitting("compare", model, train, "train", seed)
                trained = learnt.n
                model.fit(learnt.x[0], learnt.y[0], epochs=epochs, seed=seed, verbose=0)
                progress(2 * i + 1, 2 * len(nets))
            answers = probe(model, data, train=train, verbose=0, **options)
            found.append(_contender(name, model, answers, known.get(name), found))
            progress(2 * i + 2, 2 * len(nets))
    return Comparison(tuple(found), epochs, trained)


def _named(models: Any) -> dict[str, Any]:
    if not isinstance(models, (Mapping, Sequence)) or isinstance(models, str) or not models:
        raise ValueError(f"models must be a dict of names and models, or a list of models, got compare({models!r}).")
    if isinstance(models, Mapping):
        return {str(name): model for name, model in models.items()}
    found: dict[str, Any] = {}
    for model in models:
        name = str(getattr(model, "name", type(model).__name__))
        while name in found:
            name += "'"
        found[name] = model
    return found


def _seconds(nets: Mapping[str, Any], given: Mapping[str, float]) -> dict[str, float]:
    for name in given:
        if name not in nets:
            raise ValueError(f"seconds: {unknown('model', name, list(nets))}")
    return {name: number("compare", f"seconds of {name!r}", one, at_least=0) for name, one in given.items()}


def _contender(name: str, model: Any, answers: Probe, seconds: float | None, before: list[Contender]) -> Contender:
    history = getattr(model.history, "seconds", None)
    took = sum(history) if seconds is None and history else seconds
    difference, p_value = None, None
    if before:
        first = before[0].probe.right
        difference = difference_of(first, answers.right)
        p_value = mcnemar(first, answers.right)
    cost = multiply_adds(model)
    return Contender(name, answers.accuracy, difference, p_value, model.count_params(), cost, took, answers)


def mcnemar(right: np.ndarray, others: np.ndarray) -> float:
    """The probability of rows on which two nets differ being shared out as unevenly as here, if they were equally good."""
    from scipy.stats import binomtest

    mine, theirs = int((right & ~others).sum()), int((others & ~right).sum())
    return float(binomtest(mine, mine + theirs).pvalue) if mine + theirs else 1.0
