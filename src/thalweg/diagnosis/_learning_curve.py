"""What would more rows bring? Errors of nets that learnt from more and more of the rows, and where that leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg import _seeds
from thalweg._checks import number
from thalweg.data import DataError
from thalweg.diagnosis._errors_of import Ground, checked_seeds, errors_on, ground_of, trained
from thalweg.diagnosis._power_law import PowerLaw, PowerLawFit, Prediction, fit_power_law

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PARTS = (32, 16, 8, 4, 2, 1)  # of the rows
_FEWEST = 16  # rows from which anything is learnt
_SIZES = 3  # that a curve has at least
_AHEAD = (2, 4)  # times the rows that are foretold
_HELPS, _HARDLY = 0.95, 0.9  # shares of the error left with four times the rows: at most, or at least
_AS_MUCH = 0.75  # share of the validation error from which on the training error is what holds a net back


@dataclass(frozen=True)
class LearningCurve:
    """Errors by the number of rows learnt from, and a power law through them.

    Attributes:
        unit: what an error is: ``'error rate'``, ``'share of wrong labels'``, ``'unexplained variance'``.
        sizes: rows that nets learnt from.
        errors: on the validation rows, [sizes][nets].
        train_errors: of the same nets on the rows that they learnt from.
        validation_rows: how many.
        fit: the power law, and what else fits; ``fit.at(rows)`` predicts for any number.
        predictions: with 2 and 4 times the rows of the largest size.

    """

    unit: str
    sizes: tuple[int, ...]
    errors: tuple[tuple[float, ...], ...]
    train_errors: tuple[tuple[float, ...], ...]
    validation_rows: int
    fit: PowerLawFit
    predictions: tuple[Prediction, ...]
    _task: Any = field(repr=False, compare=False)

    @property
    def law(self) -> PowerLaw:
        """The law of least squares."""
        return self.fit.law

    @property
    def answer(self) -> str:
        """Whether more rows would help, in a sentence."""
        shown, last = self._task.shown, self.predictions[-1]
        now, train = float(np.mean(self.errors[-1])), float(np.mean(self.train_errors[-1]))
        left = self.fit.ratio(_AHEAD[-1])
        foretold = (
            f"with {_AHEAD[-1]} times the rows ({last.rows:,}) the {self.unit} of {shown(now)} should become "
            f"{shown(last.error)} ({self.fit.level:.0%}: {shown(last.low)} to {shown(last.high)})"
        )
        if now > 0 and train >= _AS_MUCH * now:
            return (
                f"Something else first: on the rows they learnt from the nets err by {shown(train)}, nearly as much as on "
                f"others, so a larger net, longer training or better inputs come before more rows; {foretold}."
            )
        if left.high < _HELPS:
            return f"Yes: {foretold}; on the rows they learnt from the nets err by {shown(train)}."
        if left.low > _HARDLY:
            return f"Hardly: {foretold}, little for so many rows; a better net or better inputs promise more."
        return f"Perhaps: {foretold}, but the curve is too noisy to be sure; more seeds or validation rows would tell."

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {
            "unit": self.unit,
            "sizes": list(self.sizes),
            "errors": [list(each) for each in self.errors],
            "train_errors": [list(each) for each in self.train_errors],
            "validation_rows": self.validation_rows,
            "fit": self.fit.record(),
            "predictions": [one._asdict() for one in self.predictions],
            "answer": self.answer,
        }

    def __str__(self) -> str:
        nets = len(self.errors[0])
        shown, percent = self._task.shown, f"{self.fit.level:.0%}"
        lines = [
            f"Learning curve: {self.unit}, {nets} nets a size, {self.validation_rows:,} validation rows",
            f"{'rows':>10}{'training':>12}{'validation':>12}   nets",
        ]
        for size, train, rest in zip(self.sizes, self.train_errors, self.errors, strict=True):
            means = f"{shown(float(np.mean(train))):>12}{shown(float(np.mean(rest))):>12}"
            lines.append(f"{size:>10,}{means}   {shown(min(rest))} to {shown(max(rest))}")
        for one in self.predictions:
            lines.append(
                f"{one.rows:>10,}{'':>12}{shown(one.error):>12}   {shown(one.low)} to {shown(one.high)}, foretold"
            )
        ends = ", ".join(f"{name} {low:.2g} to {high:.2g}" for name, (low, high) in self.fit.intervals.items())
        law = f"error(n) = {self.law.a:.3g} + {self.law.b:.3g} n^-{self.law.c:.2f}   ({percent}: {ends})"
        return "\n".join([*lines, law, f"Would more rows help? {self.answer}"])

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the errors and what is foretold, both axes logarithmic.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis._curve_pictures import learning_picture

        return learning_picture(self, path)


def learning_curve(
    model: Any,
    x: Any,
    y: Any,
    *,
    validation: Any = None,
    sizes: Sequence[int] | None = None,
    seeds: int = 3,
    epochs: int = 20,
    batch_size: int = 32,
    seed: int = 0,
    level: float = 0.9,
    **fit: Any,
) -> LearningCurve:
    """Train nets like `model` on more and more of the rows, and foretell what more rows would bring.

    ``error(n) = a + b * n^-c`` is fitted to the errors on the validation rows (:func:`fit_power_law`). All nets are one
    population. Each below the largest size has rows of its own, drawn at random, of classes in proportion: nested parts
    would share their luck, and a curve would look smoother than it is.

    Each net is trained for `epochs` epochs, whatever its rows, because that is what more rows will get too. (Equal
    numbers of steps make nets with few rows better than the same call would, and foretell too little of what more
    rows bring.) So `epochs` should be enough for the largest size; where it is not, training errors are high, and the
    answer says so.

    Args:
        model: compiled, with one output; it is left as it is, and its weights are not used.
        x: inputs: an array, a frame, or a dict or list of arrays.
        y: targets.
        validation: ``(x, y)`` to measure on; None spares a fifth of the rows. They choose nothing, unless a callback does.
        sizes: rows to learn from, three different numbers at least; None: 1/32, 1/16, ... 1/2 and all of the rows, from
            16 rows and one of each class on.
        seeds: nets of each size, 2 at least.
        epochs: of each net.
        batch_size: rows a step.
        seed: of everything random.
        level: probability of the intervals.
        fit: whatever else :meth:`Population.fit` takes: ``callbacks``, ``sample_weight``, ``verbose``, ...

    Returns:
        The curve. ``print(curve)`` is a page, ``curve.plot()`` a picture, ``curve.record()`` plain data.

    Raises:
        DataError: where there are too few rows for three sizes, or the rows do not fit the net.
        ValueError: on sizes that cannot be drawn, fewer than two seeds, or a net without a loss.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import learning_curve
        >>> x = np.random.default_rng(0).normal(size=(160, 2)).astype('float32')
        >>> model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1, 'sigmoid')])
        >>> model.compile(thalweg.optimizers.Adam(0.05), 'binary_crossentropy')
        >>> curve = learning_curve(model, x, x.sum(axis=1) > 0, epochs=4, seeds=2)
        >>> curve.sizes, [one.rows for one in curve.predictions]
        ((16, 32, 64, 128), [256, 512])

    Source: Viering and Loog 2023, "The shape of learning curves: a review"; Hestness et al. 2017, "Deep learning
    scaling is predictable, empirically".

    """
    seeds = checked_seeds("learning_curve", seeds)
    number("learning_curve", "level", level, above=0, at_most=0.999)
    ground = ground_of("learning_curve", model, x, y, validation, seed, fit)
    wanted = _sizes_of(ground, sizes)
    members = [(size, net) for net in range(seeds) for size in wanted]  # so that cores get sizes of all kinds
    rows = [_drawn(size, ground.strata, _seeds.generator(seed, 2, size, net)) for size, net in members]
    fit = {"epochs": epochs, "batch_size": batch_size, **fit}
    own = [int(one) for one in np.random.SeedSequence((seed, 3)).generate_state(len(members))]
    population = trained([model.twin() for _ in members], ground, rows, own, fit)
    rest = errors_on(population, ground, ground.rest)
    seen = errors_on(population, ground, ground.train)
    train = np.array([errors[numbers].mean() for errors, numbers in zip(seen, rows, strict=True)])
    return _curve(ground, wanted, rest.reshape(seeds, len(wanted), -1), train.reshape(seeds, -1), level, seed)


def _curve(
    ground: Ground, sizes: list[int], rest: np.ndarray, train: np.ndarray, level: float, seed: int
) -> LearningCurve:
    """From errors [nets, sizes, validation rows] and [nets, sizes]."""
    errors = rest.mean(axis=2).T
    last = rest[:, -1]
    scatter = float((last.var(axis=1) / np.maximum(last.mean(axis=1), 1e-12) ** 2).mean())
    rates = ground.task.NAME == "classes"
    found = fit_power_law(sizes, errors, rows=ground.rest.n, scatter=None if rates else scatter, level=level, seed=seed)
    return LearningCurve(
        ground.task.UNIT,
        tuple(sizes),
        tuple(tuple(map(float, each)) for each in errors),
        tuple(tuple(map(float, each)) for each in train.T),
        ground.rest.n,
        found,
        tuple(found.at(factor * sizes[-1]) for factor in _AHEAD),
        ground.task,
    )


def _sizes_of(ground: Ground, given: Sequence[int] | None) -> list[int]:
    """The sizes to train on, in ascending order."""
    n, classes = ground.train.n, len(np.unique(ground.strata))
    fewest = max(_FEWEST, classes)
    if given is None:
        found = sorted({n // part for part in _PARTS if n // part >= fewest})
        if len(found) < _SIZES:
            raise DataError(
                f"A learning curve needs {_SIZES} sizes, from {fewest} rows on, each twice the one before: {4 * fewest} "
                f"training rows at least, got {n}. Give more rows, or sizes=."
            )
        return found
    found = sorted({int(size) for size in given})
    if len(found) < _SIZES or found[0] < classes or found[-1] > n:
        raise ValueError(
            f"sizes must be {_SIZES} different numbers of rows at least, from {classes} (one of each class) to {n}, the "
            f"training rows that there are, got {list(given)}."
        )
    return found


def _drawn(size: int, strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Row numbers, drawn at random: one of each stratum first, then in proportion."""
    order = rng.permutation(len(strata))
    place = np.empty(len(strata))
    for one in np.unique(strata):
        mine = order[strata[order] == one]
        place[mine] = (np.arange(len(mine)) + rng.random(len(mine))) / len(mine)
        place[mine[0]] = -1.0
    return np.sort(np.argsort(place, kind="stable")[:size])
