"""Metrics: what a person watches. One table of names, Keras's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg import losses
from thalweg._family import Family
from thalweg._names import Table, snake_case, tell_absent, unknown
from thalweg.metrics._accuracy import Accuracy as Accuracy
from thalweg.metrics._accuracy import BinaryAccuracy as BinaryAccuracy
from thalweg.metrics._accuracy import CategoricalAccuracy as CategoricalAccuracy
from thalweg.metrics._accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from thalweg.metrics._accuracy import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from thalweg.metrics._accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from thalweg.metrics._base import Mean as Mean
from thalweg.metrics._base import MeanMetricWrapper as MeanMetricWrapper
from thalweg.metrics._base import Metric as Metric
from thalweg.metrics._base import Total as Sum
from thalweg.metrics._confusion import AUC as AUC
from thalweg.metrics._confusion import F1Score as F1Score
from thalweg.metrics._confusion import FalseNegatives as FalseNegatives
from thalweg.metrics._confusion import FalsePositives as FalsePositives
from thalweg.metrics._confusion import FBetaScore as FBetaScore
from thalweg.metrics._confusion import Precision as Precision
from thalweg.metrics._confusion import Recall as Recall
from thalweg.metrics._confusion import TrueNegatives as TrueNegatives
from thalweg.metrics._confusion import TruePositives as TruePositives
from thalweg.metrics._probabilistic import BinaryCrossentropy as BinaryCrossentropy
from thalweg.metrics._probabilistic import CategoricalCrossentropy as CategoricalCrossentropy
from thalweg.metrics._probabilistic import CategoricalHinge as CategoricalHinge
from thalweg.metrics._probabilistic import Hinge as Hinge
from thalweg.metrics._probabilistic import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from thalweg.metrics._probabilistic import SquaredHinge as SquaredHinge
from thalweg.metrics._regression import CosineSimilarity as CosineSimilarity
from thalweg.metrics._regression import KLDivergence as KLDivergence
from thalweg.metrics._regression import LogCoshError as LogCoshError
from thalweg.metrics._regression import MeanAbsoluteError as MeanAbsoluteError
from thalweg.metrics._regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from thalweg.metrics._regression import MeanSquaredError as MeanSquaredError
from thalweg.metrics._regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from thalweg.metrics._regression import Poisson as Poisson
from thalweg.metrics._regression import R2Score as R2Score
from thalweg.metrics._regression import RootMeanSquaredError as RootMeanSquaredError

_NAMES: dict[type[Metric], tuple[str, ...]] = {
    Accuracy: (),
    AUC: ("auc",),
    BinaryAccuracy: ("binary_accuracy",),
    BinaryCrossentropy: ("binary_crossentropy", "bce", "BCE"),
    CategoricalAccuracy: ("categorical_accuracy",),
    CategoricalCrossentropy: ("categorical_crossentropy",),
    CategoricalHinge: ("categorical_hinge",),
    CosineSimilarity: ("cosine_similarity",),
    F1Score: ("f1_score",),
    FalseNegatives: ("false_negatives",),
    FalsePositives: ("false_positives",),
    FBetaScore: ("fbeta_score",),
    Hinge: ("hinge",),
    KLDivergence: ("kl_divergence", "kld", "KLD"),
    LogCoshError: ("logcosh", "log_cosh"),
    Mean: ("mean",),
    MeanAbsoluteError: ("mean_absolute_error", "mae", "MAE"),
    MeanAbsolutePercentageError: ("mean_absolute_percentage_error", "mape", "MAPE"),
    MeanSquaredError: ("mean_squared_error", "mse", "MSE"),
    MeanSquaredLogarithmicError: ("mean_squared_logarithmic_error", "msle", "MSLE"),
    Poisson: ("poisson",),
    Precision: ("precision",),
    R2Score: ("r2_score", "r2"),
    Recall: ("recall",),
    RootMeanSquaredError: ("root_mean_squared_error", "rmse", "RMSE"),
    SparseCategoricalAccuracy: ("sparse_categorical_accuracy",),
    SparseCategoricalCrossentropy: ("sparse_categorical_crossentropy",),
    SparseTopKCategoricalAccuracy: ("sparse_top_k_categorical_accuracy",),
    SquaredHinge: ("squared_hinge",),
    Sum: ("sum",),
    TopKCategoricalAccuracy: ("top_k_categorical_accuracy",),
    TrueNegatives: ("true_negatives",),
    TruePositives: ("true_positives",),
}
TABLE = Table("metric", {name: cls for cls, names in _NAMES.items() for name in (cls.__name__, *names)})
"""Every name of a metric, and its class."""

_BY_SHAPE = {
    "accuracy": (BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy),
    "crossentropy": (BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy),
}
_SHORT = {"accuracy": "accuracy", "acc": "accuracy", "crossentropy": "crossentropy", "ce": "crossentropy"}


def _wrap(function: Any) -> Metric:
    """A loss's function stands for the metric of that name; any other is a user's."""
    if isinstance(function, losses.Loss):
        return MeanMetricWrapper(lambda y, p: function.apply(function.hypers(), y, p), name=function.name)
    known = losses.get(function)
    if not isinstance(known, losses.FunctionLoss) and known.name in TABLE:
        return TABLE[known.name]()
    return MeanMetricWrapper(function)


_FAMILY = Family(TABLE, "keras.metrics", _wrap, Metric)


def get(identifier: Any) -> Any:
    """The metric that a name, class, instance, function of (y_true, y_pred) or description stands for.

    Example:
        >>> get('mse').name
        'mean_squared_error'

    """
    return _FAMILY.get(identifier)


def serialize(metric: Any) -> dict[str, Any] | None:
    """The description of a metric, from which :func:`deserialize` makes its like."""
    return _FAMILY.serialize(metric)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric that `config` describes."""
    return _FAMILY.deserialize(config, custom_objects)


def resolve(identifier: Any, y_shape: tuple[Any, ...], p_shape: tuple[Any, ...], loss: Any = None) -> Metric:
    """The metric for one output of a net, under the name it was given.

    ``'accuracy'``, ``'acc'``, ``'crossentropy'`` and ``'ce'`` stand for the binary, the categorical or
    the sparse one, as the shapes say. Where the loss takes logits, so does what they stand for (Keras
    cuts logits at 0.5, as if they were probabilities).

    Args:
        identifier: a name, metric or function.
        y_shape: of the targets, ``(None, ...)``.
        p_shape: of the outputs, ``(None, ...)``.
        loss: the output's.

    """
    short = _SHORT.get(identifier.lower()) if isinstance(identifier, str) else None
    metric = _by_shape(short, y_shape, p_shape, loss) if short else get(identifier)
    if isinstance(identifier, Metric):
        metric = metric.twin()
    metric.name = identifier if isinstance(identifier, str) else metric.name
    metric.build(y_shape, p_shape)
    return metric


def _by_shape(short: str, y_shape: tuple[Any, ...], p_shape: tuple[Any, ...], loss: Any) -> Metric:
    binary, categorical, sparse = _BY_SHAPE[short]
    one = p_shape[-1] == 1
    numbers = len(y_shape) < len(p_shape) or y_shape[-1] == 1
    cls = binary if one else sparse if numbers else categorical
    logits = bool(getattr(loss, "from_logits", False))
    if short == "crossentropy":
        return cls(from_logits=logits)
    return BinaryAccuracy(threshold=0.0) if cls is BinaryAccuracy and logits else cls()


_BETTER = {
    **{name: cls.better for cls, names in _NAMES.items() for name in (snake_case(cls.__name__), cls().name, *names)},
    "acc": "max",
    "accuracy": "max",
    "loss": "min",
    "ce": "min",
    "crossentropy": "min",
}


def direction(name: str) -> str:
    """Which way the log `name` is better: ``'min'`` or ``'max'``.

    Names of outputs before it, ``'val_'`` and a counter after it do not matter.

    Raises:
        ValueError: where the name is no metric's.

    Example:
        >>> direction('val_accuracy'), direction('head_loss')
        ('max', 'min')

    """
    bare = name.rstrip("0123456789").rstrip("_") if name[-1:].isdigit() and name not in _BETTER else name
    parts = bare.split("_")
    for start in range(len(parts)):
        known = _BETTER.get("_".join(parts[start:]))
        if known:
            return known
    raise ValueError(unknown("metric", name, _BETTER))


tell_absent(__name__)
