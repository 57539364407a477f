"""Which value of a hyperparameter? Errors of nets that differ in one number, and which values are alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg._checks import number
from thalweg._intervals import student_interval, student_quantile
from thalweg.diagnosis._errors_of import checked_seeds, errors_on, ground_of, trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Mean(NamedTuple):
    """The mean validation error of the nets of one value.

    Attributes:
        error: the mean over nets.
        low, high: its interval by Student's t, over seeds.

    """

    error: float
    low: float
    high: float


@dataclass(frozen=True)
class ValidationCurve:
    """Errors by the value of a hyperparameter.

    Attributes:
        hyper: which one.
        unit: what an error is: ``'error rate'``, ``'share of wrong labels'``, ``'unexplained variance'``.
        values: of it, in ascending order.
        errors: on the validation rows, [values][nets].
        train_errors: of the same nets on the training rows.
        means: of `errors`, with intervals over seeds.
        best: the value with the least mean.
        alike: values that cannot be told from the best one, itself included.
        validation_rows: how many.
        level: probability of the intervals.

    """

    hyper: str
    unit: str
    values: tuple[float, ...]
    errors: tuple[tuple[float, ...], ...]
    train_errors: tuple[tuple[float, ...], ...]
    means: tuple[Mean, ...]
    best: float
    alike: tuple[float, ...]
    validation_rows: int
    level: float
    _task: Any = field(repr=False, compare=False)

    @property
    def answer(self) -> str:
        """Which value to take, in a sentence or two."""
        others = [value for value in self.alike if value != self.best]
        place = self.values.index(self.best)
        first = f"{self.hyper} = {self.best:g} is best ({self._task.shown(self.means[place].error)})"
        listed = ", ".join(f"{value:g}" for value in others)
        known = f"; {listed} cannot be told from it" if others else ", beyond noise"
        edge = place in (0, len(self.values) - 1) and len(self.alike) < len(self.values)
        beyond = f" It lies at the edge: try {'lower' if place == 0 else 'higher'} values too." if edge else ""
        return f"{first}{known}.{beyond}"

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {
            "hyper": self.hyper,
            "unit": self.unit,
            "values": list(self.values),
            "errors": [list(each) for each in self.errors],
            "train_errors": [list(each) for each in self.train_errors],
            "means": [one._asdict() for one in self.means],
            "best": self.best,
            "alike": list(self.alike),
            "validation_rows": self.validation_rows,
            "level": self.level,
            "answer": self.answer,
        }

    def __str__(self) -> str:
        shown, nets = self._task.shown, len(self.errors[0])
        lines = [
            f"Validation curve: {self.unit}, {nets} nets a value, {self.validation_rows:,} validation rows",
            f"{self.hyper:>24}{'training':>12}{'validation':>12}   mean, {self.level:.0%}",
        ]
        for value, train, mean in zip(self.values, self.train_errors, self.means, strict=True):
            mark = "  best" if value == self.best else "  alike" if value in self.alike else ""
            numbers = f"{shown(float(np.mean(train))):>12}{shown(mean.error):>12}"
            lines.append(f"{value:>24g}{numbers}   {shown(mean.low)} to {shown(mean.high)}{mark}")
        return "\n".join([*lines, self.answer])

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw errors by value.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis._curve_pictures import validation_picture

        return validation_picture(self, path)


def validation_curve(
    model: Any,
    x: Any,
    y: Any,
    hyper: str,
    values: Sequence[float],
    *,
    validation: Any = None,
    seeds: int = 3,
    epochs: int = 20,
    batch_size: int = 32,
    seed: int = 0,
    level: float = 0.9,
    **fit: Any,
) -> ValidationCurve:
    """Train nets like `model` with each value of one hyperparameter, all as one population.

    Nets of the same seed share first weights and orders of rows across values, so that values are compared pair by pair.
    A value cannot be told from the best one where the interval of the mean difference d reaches zero:

        d - t * sqrt(s^2 / nets + v / rows) <= 0

    with the variance s^2 of d over seeds, v over validation rows, and Student's t with Welch's degrees of freedom.

    Args:
        model: compiled, with one output; it is left as it is, and its weights are not used.
        x: inputs: an array, a frame, or a dict or list of arrays.
        y: targets.
        hyper: a path of ``model.hypers``: ``'optimizer/learning_rate'``, ``'dropout/rate'``, ...
        values: to try, two different numbers at least.
        validation: ``(x, y)`` to measure on; None spares a fifth of the rows. Choosing by them makes the best value's
            error look a little better than it is.
        seeds: nets of each value, 2 at least.
        epochs: of each net.
        batch_size: rows a step.
        seed: of everything random.
        level: probability of the intervals.
        fit: whatever else :meth:`Population.fit` takes: ``callbacks``, ``sample_weight``, ``verbose``, ...

    Returns:
        The curve. ``print(curve)`` is a page, ``curve.plot()`` a picture, ``curve.record()`` plain data.

    Raises:
        KeyError: on an unknown hyperparameter, naming the nearest one.
        ValueError: on a value out of range, fewer than two values or seeds, or a net without a loss.
        DataError: where the rows do not fit the net.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import validation_curve
        >>> x = np.random.default_rng(0).normal(size=(160, 2)).astype('float32')
        >>> model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1, 'sigmoid')])
        >>> model.compile(thalweg.optimizers.Adam(), 'binary_crossentropy')
        >>> curve = validation_curve(model, x, x.sum(axis=1) > 0, 'optimizer/learning_rate', [1e-5, 0.1], epochs=4)
        >>> curve.best
        0.1

    Source: Welch 1947, "The generalization of Student's problem when several different population variances are
    involved"; Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks": seeds and rows are two
    noises.

    """
    seeds = checked_seeds("validation_curve", seeds)
    ground = ground_of("validation_curve", model, x, y, validation, seed, fit)
    number("validation_curve", "level", level, above=0, at_most=0.999)
    tried = sorted({float(value) for value in values})
    if len(tried) < 2:
        raise ValueError(f"values must hold two different numbers at least, got {list(values)}.")
    members = [(value, net) for net in range(seeds) for value in tried]
    drawn = np.random.SeedSequence((seed, 4)).generate_state(seeds)
    own = [int(drawn[net]) for _, net in members]
    nets = [_turned(model, hyper, value, ground.train, one) for (value, _), one in zip(members, own, strict=True)]
    population = trained(nets, ground, None, own, {"epochs": epochs, "batch_size": batch_size, **fit})
    rest = errors_on(population, ground, ground.rest).reshape(seeds, len(tried), -1)
    train = errors_on(population, ground, ground.train).mean(axis=1).reshape(seeds, -1)
    errors = rest.mean(axis=2).T
    best = int(errors.mean(axis=1).argmin())
    return ValidationCurve(
        hyper,
        ground.task.UNIT,
        tuple(tried),
        tuple(tuple(map(float, each)) for each in errors),
        tuple(tuple(map(float, each)) for each in train.T),
        tuple(_mean(each, level) for each in errors),
        tried[best],
        tuple(value for i, value in enumerate(tried) if i == best or _alike(rest[:, i] - rest[:, best], level)),
        ground.rest.n,
        level,
        ground.task,
    )


def _turned(model: Any, hyper: str, value: float, rows: Any, seed: int) -> Any:
    """A net like `model` with one number of its own."""
    net = model.twin()
    net.ready(rows, seed)  # a loss has its numbers from then on
    net.hypers[hyper] = value
    return net


def _mean(errors: np.ndarray, level: float) -> Mean:
    low, high = student_interval(errors, level)
    return Mean(float(errors.mean()), max(low, 0.0), high)


def _alike(difference: np.ndarray, level: float) -> bool:
    """Whether a difference of errors [nets, rows] may as well be none."""
    nets, rows = difference.shape
    seeds = float(difference.mean(axis=1).var(ddof=1)) / nets
    drawn = float(difference.mean(axis=0).var()) / rows
    both = seeds + drawn
    freedom = both**2 / max(seeds**2 / (nets - 1) + drawn**2 / max(rows - 1, 1), 1e-300) if both else 1.0
    return float(difference.mean()) <= student_quantile(level, freedom) * math.sqrt(both)
