"""What a net is for, and by what its error on a row is measured: classes, labels or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thalweg import losses

_CLASSES = (losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy, losses.CategoricalFocalCrossentropy)
_TWO = (losses.BinaryCrossentropy, losses.BinaryFocalCrossentropy)
_MARGINS = (losses.Hinge, losses.SquaredHinge)


def shown(error: float) -> str:
    """A share as people write it."""
    return f"{error:.1%}" if error >= 0.0995 or error < 0 else f"{error:.2%}"


@dataclass(frozen=True)
class Classes:
    """One class a row; a row's error is 1 where the net takes another for the most probable one.

    Attributes:
        count: how many classes.
        threshold: of a single output, above which it means the second class; None for one output a class.

    """

    NAME: ClassVar[str] = "classes"
    UNIT: ClassVar[str] = "error rate"
    WORST: ClassVar[str] = "the most frequent class, always"

    count: int
    threshold: float | None = None

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Class numbers, [rows]."""
        if y.ndim > 1 and y.shape[-1] > 1:
            return np.argmax(y, axis=-1)
        return (y.reshape(len(y)) > 0).astype(int) if self.threshold is not None else y.reshape(len(y)).astype(int)

    def decided(self, outputs: np.ndarray) -> np.ndarray:
        """Class numbers from a net's outputs."""
        if self.threshold is not None:
            return (outputs.reshape(len(outputs)) > self.threshold).astype(int)
        return np.argmax(outputs, axis=-1)

    def constant(self, targets: np.ndarray) -> Any:
        """What to say of every row, where nothing is known of it."""
        return np.bincount(targets).argmax()

    def errors(self, targets: np.ndarray, decided: Any, spread: Any) -> np.ndarray:
        """0 or 1 a row."""
        return (targets != decided).astype(float)

    def spread(self, targets: np.ndarray) -> Any:
        """Nothing that errors are measured by."""
        return 1.0

    def shown(self, error: float) -> str:
        """An error as people write it."""
        return shown(error)


@dataclass(frozen=True)
class Labels:
    """Yes or no for each of several labels; a row's error is the share of wrong ones.

    Attributes:
        threshold: above which an output means yes.

    """

    NAME: ClassVar[str] = "labels"
    UNIT: ClassVar[str] = "share of wrong labels"
    WORST: ClassVar[str] = "each label's more frequent answer, always"

    threshold: float

    def targets(self, y: np.ndarray) -> np.ndarray:
        """0 or 1, [rows, labels]."""
        return (y > 0.5).astype(int)

    def decided(self, outputs: np.ndarray) -> np.ndarray:
        """0 or 1 from a net's outputs."""
        return (outputs > self.threshold).astype(int)

    def constant(self, targets: np.ndarray) -> Any:
        """What to say of every row, where nothing is known of it."""
        return np.rint(targets.mean(axis=0)).astype(int)

    def errors(self, targets: np.ndarray, decided: Any, spread: Any) -> np.ndarray:
        """The share of a row's labels."""
        return np.asarray((targets != decided).mean(axis=1))

    spread = Classes.spread
    shown = Classes.shown


@dataclass(frozen=True)
class Numbers:
    """Numbers to predict; a row's error is its squared error as a share of the training targets' variance.

    Their mean over rows is the share of the variance that is left unexplained: 0 is perfect, 1 is what the mean as a
    constant prediction reaches (1 - R^2).
    """

    NAME: ClassVar[str] = "numbers"
    UNIT: ClassVar[str] = "unexplained variance"
    WORST: ClassVar[str] = "the mean, always"

    def targets(self, y: np.ndarray) -> np.ndarray:
        """[rows, numbers]."""
        return np.asarray(y.reshape(len(y), -1), np.float64)

    decided = targets

    def constant(self, targets: np.ndarray) -> Any:
        """What to say of every row, where nothing is known of it."""
        return targets.mean(axis=0)

    def errors(self, targets: np.ndarray, decided: Any, spread: Any) -> np.ndarray:
        """Squared errors over the variance, the mean over a row's numbers."""
        return np.asarray((((targets - decided) / spread) ** 2).mean(axis=1))

    def spread(self, targets: np.ndarray) -> Any:
        """The deviation of each number; 1 where all are equal."""
        found = targets.std(axis=0)
        return np.where(found > 0, found, 1.0)

    shown = Classes.shown


def task_of(model: Any) -> Any:
    """What a compiled model with one output is for, by its loss.

    Raises:
        ValueError: where the model has several outputs, or was not compiled with a loss.

    """
    if len(model.outputs) != 1:
        raise ValueError(
            f"{model.name!r} has {len(model.outputs)} outputs ({', '.join(model.output_names)}): one output is diagnosed at "
            "a time. Make a model of it, thalweg.Model(inputs, output), compile it with its loss, and ask about that."
        )
    loss = None if model.objective is None else model.objective.losses[0]
    if loss is None:
        raise ValueError(f"{model.name!r} has no loss, which says what it is for: model.compile(loss=...) first.")
    width = model.outputs[0].features[-1] if model.outputs[0].features else 1
    middle = 0.0 if getattr(loss, "from_logits", False) else 0.5
    if isinstance(loss, (*_CLASSES, losses.CategoricalHinge)):
        return Classes(width)
    if isinstance(loss, _TWO):
        return Classes(2, middle) if width == 1 else Labels(middle)
    if isinstance(loss, _MARGINS) and width == 1:
        return Classes(2, 0.0)
    return Numbers()
