"""Counts of hits and misses, and what is made of them: precision, recall, F scores, the area under a curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg._checks import number
from thalweg._names import unknown
from thalweg.losses._base import aligned, class_numbers
from thalweg.metrics import _sums
from thalweg.metrics._base import Metric
from thalweg.metrics._sums import Sum, ratio

_NEVER = -1e10


class Counts(NamedTuple):
    """Weighted counts, each of one shape: [thresholds] or [classes]."""

    hits: Sum  # true positives
    false: Sum  # false positives
    missed: Sum  # false negatives
    rest: Sum  # true negatives


def _count(state: Counts, positive: Any, chosen: Any, weights: Any) -> Counts:
    """Add [rows, ...] booleans, summed over the rows."""
    w = weights.reshape((-1,) + (1,) * (chosen.ndim - 1))

    def total(which: Any) -> Any:
        return jnp.sum(which * w, axis=0)

    return Counts(
        _sums.add(state.hits, total(positive & chosen)),
        _sums.add(state.false, total(~positive & chosen)),
        _sums.add(state.missed, total(positive & ~chosen)),
        _sums.add(state.rest, total(~positive & ~chosen)),
    )


class _Thresholds(Metric):
    """Counts at one or several thresholds."""

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        default = 0.5 if top_k is None else _NEVER
        given = [default] if thresholds is None else list(np.atleast_1d(thresholds))
        for one in given:
            if one != _NEVER:
                number(self, "thresholds", one, at_least=0, at_most=1)
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self._at = np.array(given, np.float32)

    def init(self) -> Counts:
        """Counts of nothing."""
        return Counts(*(_sums.zero(self._at.shape) for _ in range(4)))

    def update(self, state: Counts, y: Any, p: Any, weights: Any) -> Counts:
        """Add one batch; every output of a row is counted by itself."""
        y, p = _one_hot(y, p), p.reshape(p.shape[0], -1)
        if self.top_k is not None:
            p = jnp.where(p >= jax.lax.top_k(p, self.top_k)[0][:, -1:], p, _NEVER)
        if self.class_id is not None:
            y, p = y[:, self.class_id, None], p[:, self.class_id, None]
        weights = jnp.repeat(weights.astype(p.dtype), p.shape[1])
        chosen = p.reshape(-1, 1) > jnp.asarray(self._at, p.dtype)
        return _count(state, jnp.broadcast_to(y.reshape(-1, 1) > 0, chosen.shape), chosen, weights)

    def result_of(self, state: Counts) -> Any:
        """One number, or one a threshold."""
        found = self.of(state)
        return found[0] if self._at.size == 1 else found

    def of(self, state: Counts) -> Any:
        """The numbers at the thresholds."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        given = self.thresholds.tolist() if isinstance(self.thresholds, np.ndarray) else self.thresholds
        return {**super().get_config(), "thresholds": given, "top_k": self.top_k, "class_id": self.class_id}


class Precision(_Thresholds):
    """Of what was called positive, how much is: ``tp / (tp + fp)``.

    Args:
        thresholds: where positive begins, in [0, 1]: one number or several; 0.5 where None.
        top_k: only the k largest outputs of a row are called positive.
        class_id: only this output counts.
        name: in the logs.

    Raises:
        ValueError: where a threshold is not in [0, 1].

    Example:
        >>> float(Precision()([0, 1, 1, 1], [1, 0, 1, 1]))
        0.6666666865348816

    """

    def of(self, state: Counts) -> Any:
        """``tp / (tp + fp)``."""
        return ratio(state.hits.value, state.hits.value + state.false.value)


class Recall(_Thresholds):
    """Of what is positive, how much was called so: ``tp / (tp + fn)``.

    Args:
        thresholds, top_k, class_id, name: as for :class:`Precision`.

    Raises:
        ValueError: where a threshold is not in [0, 1].

    Example:
        >>> float(Recall()([0, 1, 1, 1], [1, 0, 1, 1]))
        0.6666666865348816

    """

    def of(self, state: Counts) -> Any:
        """``tp / (tp + fn)``."""
        return ratio(state.hits.value, state.hits.value + state.missed.value)


class _OneCount(_Thresholds):
    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """With the thresholds."""
        return {key: value for key, value in super().get_config().items() if key not in ("top_k", "class_id")}


class TruePositives(_OneCount):
    """How many positives were called so.

    Example:
        >>> float(TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
        2.0

    """

    def of(self, state: Counts) -> Any:
        """Their count."""
        return state.hits.value


class FalsePositives(_OneCount):
    """How many negatives were called positive.

    Example:
        >>> float(FalsePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
        1.0

    """

    better: ClassVar[str] = "min"

    def of(self, state: Counts) -> Any:
        """Their count."""
        return state.false.value


class FalseNegatives(_OneCount):
    """How many positives were called negative.

    Example:
        >>> float(FalseNegatives()([0, 1, 1, 1], [1, 0, 1, 1]))
        1.0

    """

    better: ClassVar[str] = "min"

    def of(self, state: Counts) -> Any:
        """Their count."""
        return state.missed.value


class TrueNegatives(_OneCount):
    """How many negatives were called so.

    Example:
        >>> float(TrueNegatives()([0, 1, 1, 1], [1, 0, 1, 1]))
        0.0

    """

    def of(self, state: Counts) -> Any:
        """Their count."""
        return state.rest.value


class FBetaScore(Metric):
    """``(1 + b^2) * precision * recall / (b^2 * precision + recall)``, for each class.

    Args:
        average: None for a number a class, ``'micro'`` (all classes counted together), ``'macro'``
            (their mean) or ``'weighted'`` (by how many rows they have).
        beta: how much more recall counts than precision.
        threshold: where positive begins; None takes the largest output of a row.
        name: in the logs.

    Raises:
        ValueError: on an unknown average, or where beta is not positive.

    Example:
        >>> float(FBetaScore(average='macro', beta=2.0)([[0, 1], [1, 0]], [[0.2, 0.8], [0.6, 0.4]]))
        1.0

    Source: van Rijsbergen 1979, Information Retrieval, chapter 7.

    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(unknown("average", average, ("micro", "macro", "weighted")))
        self.average = average
        self.beta = number(self, "beta", beta, above=0)
        self.threshold = None if threshold is None else number(self, "threshold", threshold, above=0, at_most=1)
        self._classes = 1

    def build(self, y_shape: tuple[Any, ...], p_shape: tuple[Any, ...]) -> None:
        """One count a class."""
        self._classes = p_shape[-1] if len(p_shape) > 1 else 1

    def init(self) -> Counts:
        """Counts of nothing."""
        return Counts(*(_sums.zero((self._classes,)) for _ in range(4)))

    def update(self, state: Counts, y: Any, p: Any, weights: Any) -> Counts:
        """Add one batch."""
        y, p = _one_hot(y, p), p.reshape(p.shape[0], -1)
        if self.threshold is None:
            chosen = (p == p.max(axis=-1, keepdims=True)) & (jnp.abs(p) > 1e-9)
        else:
            chosen = p > self.threshold
        return _count(state, y > 0, chosen, weights.astype(p.dtype))

    def result_of(self, state: Counts) -> Any:
        """One number, or one a class."""
        hits, false, missed, _ = (part.value for part in state)
        if self.average == "micro":
            hits, false, missed = hits.sum(), false.sum(), missed.sum()
        square = self.beta**2
        each = ratio((1 + square) * hits, (1 + square) * hits + square * missed + false)
        if self.average == "weighted":
            return ratio(jnp.sum(each * (hits + missed)), jnp.sum(hits + missed))
        return each.mean() if self.average == "macro" else each

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """``2 * precision * recall / (precision + recall)``, for each class.

    Args:
        average, threshold, name: as for :class:`FBetaScore`.

    Raises:
        ValueError: on an unknown average.

    Example:
        >>> float(F1Score(average='micro')([[0, 1], [1, 0]], [[0.2, 0.8], [0.6, 0.4]]))
        1.0

    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Without beta, which is 1."""
        return {key: value for key, value in super().get_config().items() if key != "beta"}


class AUC(Metric):
    """The area under a curve of hits against false alarms, by sums over thresholds.

    Args:
        num_thresholds: how many points the curve has, ends included.
        curve: ``'ROC'`` (recall against false alarms) or ``'PR'`` (precision against recall).
        summation_method: ``'interpolation'`` (trapezoids; for PR that of Davis & Goadrich),
            ``'minoring'`` or ``'majoring'``.
        name: in the logs.
        thresholds: the points themselves, in (0, 1), without the ends.
        multi_label: whether each output has a curve of its own; the result is their mean.
        num_labels: how many outputs; found from the data.
        label_weights: of the outputs' mean.
        from_logits: whether outputs come before the sigmoid.

    Raises:
        ValueError: on an unknown curve or method, and on thresholds outside [0, 1].

    Example:
        >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
        0.75

    Source: Davis & Goadrich 2006, "The relationship between precision-recall and ROC curves".

    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name or "auc", dtype)
        if curve not in ("ROC", "PR"):
            raise ValueError(unknown("curve", curve, ("ROC", "PR")))
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(unknown("summation_method", summation_method, ("interpolation", "minoring", "majoring")))
        if thresholds is None:
            inner = np.arange(1, int(number(self, "num_thresholds", num_thresholds, at_least=2)) - 1) / (
                num_thresholds - 1
            )
        else:
            inner = np.sort([number(self, "thresholds", one, at_least=0, at_most=1) for one in thresholds])
        self.num_thresholds = len(inner) + 2
        self.thresholds = None if thresholds is None else [float(one) for one in thresholds]
        self.curve, self.summation_method = curve, summation_method
        self.multi_label, self.from_logits = bool(multi_label), bool(from_logits)
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else [float(one) for one in label_weights]
        self._at = np.concatenate([[-1e-7], inner, [1 + 1e-7]])
        self._labels = num_labels or 1

    def build(self, y_shape: tuple[Any, ...], p_shape: tuple[Any, ...]) -> None:
        """One curve an output, where asked for."""
        if self.multi_label:
            self._labels = p_shape[-1]

    def init(self) -> Counts:
        """Counts of nothing, [thresholds] or [thresholds, labels]."""
        shape = (len(self._at), self._labels) if self.multi_label else (len(self._at),)
        return Counts(*(_sums.zero(shape) for _ in range(4)))

    def update(self, state: Counts, y: Any, p: Any, weights: Any) -> Counts:
        """Add one batch."""
        y, p = _one_hot(y, p), p.reshape(p.shape[0], -1)
        p = jax.nn.sigmoid(p) if self.from_logits else p
        weights = weights.astype(p.dtype)
        if not self.multi_label:
            weights = jnp.repeat(weights, p.shape[1])
            y, p = y.reshape(-1), p.reshape(-1)
        at = jnp.asarray(self._at, p.dtype).reshape((1, -1) + (1,) * (p.ndim - 1))
        chosen = p[:, None] > at
        return _count(state, jnp.broadcast_to((y > 0)[:, None], chosen.shape), chosen, weights)

    def result_of(self, state: Counts) -> Any:
        """The area, or the mean of the outputs' areas."""
        hits, false, missed, rest = (part.value for part in state)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _area_of_precision(hits, false, missed)
        else:
            recall = ratio(hits, hits + missed)
            x, y = (ratio(false, false + rest), recall) if self.curve == "ROC" else (recall, ratio(hits, hits + false))
            heights = {
                "interpolation": (y[:-1] + y[1:]) / 2,
                "minoring": jnp.minimum(y[:-1], y[1:]),
                "majoring": jnp.maximum(y[:-1], y[1:]),
            }
            areas = jnp.sum((x[:-1] - x[1:]) * heights[self.summation_method], axis=0)
        if not self.multi_label:
            return areas
        weights = jnp.asarray(self.label_weights or np.ones(self._labels), areas.dtype)
        return ratio(jnp.sum(areas * weights), jnp.sum(weights))

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "thresholds": self.thresholds,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }


def _area_of_precision(hits: Any, false: Any, missed: Any) -> Any:
    """Davis & Goadrich: between two points the counts, not the precisions, lie on a straight line."""
    step = hits[:-1] - hits[1:]
    called = hits + false
    slope = ratio(step, jnp.maximum(called[:-1] - called[1:], 0))
    start = hits[1:] - slope * called[1:]
    good = (called[:-1] > 0) & (called[1:] > 0)
    between = jnp.where(good, ratio(called[:-1], jnp.maximum(called[1:], 0)), 1)
    pieces = slope * (step + start * jnp.log(between))
    return jnp.sum(ratio(pieces, jnp.maximum(hits[1:] + missed[1:], 0)), axis=0)


def _one_hot(y: Any, p: Any) -> Any:
    """Targets [rows, outputs]; class numbers become one-hot rows."""
    classes = p.shape[-1] if p.ndim > 1 else 1
    if classes > 1 and (y.ndim < p.ndim or y.shape[-1] == 1):
        y = jax.nn.one_hot(class_numbers(y, p), classes, dtype=p.dtype)
    return aligned(y, p).reshape(p.shape[0], -1)
