"""Cross-entropies and hinges, read as metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from thalweg import losses
from thalweg.metrics._base import LossMetric


class BinaryCrossentropy(LossMetric):
    """The mean of the loss of that name.

    Args:
        name: in the logs.
        from_logits, label_smoothing: as for the loss.

    Example:
        >>> round(float(BinaryCrossentropy()([[1.0]], [[0.5]])), 4)
        0.6931

    """

    of = losses.BinaryCrossentropy

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(LossMetric):
    """The mean of the loss of that name, for one-hot targets.

    Args:
        name: in the logs.
        from_logits, label_smoothing, axis: as for the loss.

    Example:
        >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931

    """

    of = losses.CategoricalCrossentropy

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(LossMetric):
    """The mean of the loss of that name, for class numbers.

    Args:
        name: in the logs.
        from_logits, axis: as for the loss.

    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
        0.6931

    """

    of = losses.SparseCategoricalCrossentropy

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype, from_logits=from_logits, axis=axis)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """As for any metric; Keras's ``ignore_class`` is passed over where it ignores none."""
        return cls(**{key: value for key, value in config.items() if key != "ignore_class" or value is not None})


class Hinge(LossMetric):
    """The mean of ``max(1 - y * p, 0)``.

    Example:
        >>> float(Hinge()([[1.0]], [[0.25]]))
        0.75

    """

    of = losses.Hinge


class SquaredHinge(LossMetric):
    """The mean of ``max(1 - y * p, 0) ** 2``.

    Example:
        >>> float(SquaredHinge()([[1.0]], [[0.5]]))
        0.25

    """

    of = losses.SquaredHinge


class CategoricalHinge(LossMetric):
    """The mean of ``max(1 + max((1 - y) * p) - sum(y * p), 0)``.

    Example:
        >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.5]]))
        0.75

    """

    of = losses.CategoricalHinge
