"""Metrics of distance, most of them losses read as means."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np

from thalweg import config, losses
from thalweg._names import unknown
from thalweg.losses._base import aligned
from thalweg.metrics import _sums
from thalweg.metrics._base import LossMetric, Metric, RowMean


class MeanSquaredError(LossMetric):
    """The mean of ``(y - p) ** 2``.

    Example:
        >>> float(MeanSquaredError()([[0.0]], [[3.0]]))
        9.0

    """

    of = losses.MeanSquaredError


class MeanAbsoluteError(LossMetric):
    """The mean of ``|y - p|``.

    Example:
        >>> float(MeanAbsoluteError()([[0.0]], [[3.0]]))
        3.0

    """

    of = losses.MeanAbsoluteError


class MeanAbsolutePercentageError(LossMetric):
    """The mean of ``100 * |y - p| / |y|``.

    Example:
        >>> float(MeanAbsolutePercentageError()([[2.0]], [[1.0]]))
        50.0

    """

    of = losses.MeanAbsolutePercentageError


class MeanSquaredLogarithmicError(LossMetric):
    """The mean of ``(log(1 + y) - log(1 + p)) ** 2``.

    Example:
        >>> float(MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
        0.0

    """

    of = losses.MeanSquaredLogarithmicError


class LogCoshError(LossMetric):
    """The mean of ``log(cosh(p - y))``.

    Example:
        >>> round(float(LogCoshError()([[0.0]], [[1.0]])), 4)
        0.4338

    """

    of = losses.LogCosh

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)


class KLDivergence(LossMetric):
    """The mean of ``sum(y * log(y / p))``.

    Example:
        >>> float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
        0.0

    """

    of = losses.KLDivergence


class Poisson(LossMetric):
    """The mean of ``p - y * log(p)``.

    Example:
        >>> round(float(Poisson()([[1.0]], [[1.0]])), 4)
        1.0

    """

    of = losses.Poisson


class CosineSimilarity(LossMetric):
    """The mean cosine of the angle between targets and outputs: 1 is the same direction.

    Args:
        name: in the logs.
        axis: along which the vectors lie.

    Example:
        >>> round(float(CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]])), 4)
        1.0

    """

    of = losses.CosineSimilarity
    sign: ClassVar[int] = -1
    better: ClassVar[str] = "max"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype, axis=axis)


class RootMeanSquaredError(RowMean):
    """The root of the mean of ``(y - p) ** 2``.

    Example:
        >>> float(RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]]))
        3.0

    """

    def values(self, y: Any, p: Any) -> Any:
        """Squared errors."""
        return jnp.square(aligned(y, p) - p)

    def result_of(self, state: Any) -> Any:
        """The root of their mean."""
        return jnp.sqrt(super().result_of(state))


class _Spread(NamedTuple):
    rows: Any  # [] that weigh anything
    count: Any  # [] rows, by weight
    mean: Any  # [outputs]
    spread: Any  # [outputs] sum of squared distances from the mean
    residual: Any  # [outputs] sum of squared errors


class R2Score(Metric):
    """``1 - sum((y - p) ** 2) / sum((y - mean(y)) ** 2)``: the part of the targets' spread that is explained.

    Args:
        class_aggregation: how several outputs become one number: ``'uniform_average'``,
            ``'variance_weighted_average'``, or None, which gives a number an output.
        num_regressors: p in the adjusted score ``1 - (1 - R2) * (n - 1) / (n - p - 1)``, n the rows (Keras: the
            numbers); 0 does not adjust.
        name: in the logs.

    Raises:
        ValueError: on an unknown `class_aggregation` or a negative `num_regressors`.

    Example:
        >>> float(R2Score()([[1.0], [3.0]], [[1.0], [3.0]]))
        1.0

    Source: Chan, Golub & LeVeque 1979 (the merged sums of squares).

    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        known = ("uniform_average", "variance_weighted_average")
        if class_aggregation is not None and class_aggregation not in known:
            raise ValueError(unknown("class_aggregation", class_aggregation, known))
        if num_regressors < 0:
            raise ValueError(f"num_regressors must be >= 0, got R2Score(num_regressors={num_regressors!r}).")
        self.class_aggregation = class_aggregation
        self.num_regressors = int(num_regressors)
        self._outputs = 1

    def build(self, y_shape: tuple[Any, ...], p_shape: tuple[Any, ...]) -> None:
        """One sum an output."""
        self._outputs = p_shape[-1] if len(p_shape) > 1 else 1

    def init(self) -> _Spread:
        """Sums of nothing."""
        none = np.zeros(self._outputs, config.floatx())
        return _Spread(np.zeros((), config.floatx()), np.zeros((), config.floatx()), none, none, none)

    def update(self, state: _Spread, y: Any, p: Any, weights: Any) -> _Spread:
        """Merge the batch's mean and spread into those so far."""
        y = aligned(y, p).reshape(p.shape[0], -1)
        p = p.reshape(p.shape[0], -1)
        w = weights.astype(p.dtype)[:, None]
        count = jnp.sum(w)
        mean = _sums.ratio(jnp.sum(w * y, axis=0), count)
        spread = jnp.sum(w * jnp.square(y - mean), axis=0)
        both = state.count + count
        apart = mean - state.mean
        return _Spread(
            state.rows + jnp.sum(weights != 0).astype(state.rows.dtype),
            both,
            state.mean + apart * _sums.ratio(count, both),
            state.spread + spread + jnp.square(apart) * _sums.ratio(state.count * count, both),
            state.residual + jnp.sum(w * jnp.square(y - p), axis=0),
        )

    def result_of(self, state: _Spread) -> Any:
        """The score; 0 for an output whose targets do not vary."""
        raw = jnp.where(state.spread == 0, 0, 1 - state.residual / jnp.where(state.spread == 0, 1, state.spread))
        if self.class_aggregation == "uniform_average":
            raw = jnp.mean(raw)
        elif self.class_aggregation == "variance_weighted_average":
            raw = _sums.ratio(jnp.sum(raw * state.spread), jnp.sum(state.spread))
        if self.num_regressors:
            raw = 1 - (1 - raw) * (state.rows - 1) / (state.rows - self.num_regressors - 1)
        return raw

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
