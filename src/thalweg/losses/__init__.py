"""Losses: what training makes small. One table of names, Keras's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg._family import Family
from thalweg._names import Table, tell_absent
from thalweg.losses._base import FunctionLoss as FunctionLoss
from thalweg.losses._base import Loss as Loss
from thalweg.losses._crossentropy import BinaryCrossentropy as BinaryCrossentropy
from thalweg.losses._crossentropy import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from thalweg.losses._crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from thalweg.losses._crossentropy import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from thalweg.losses._crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from thalweg.losses._crossentropy import binary_crossentropy as binary_crossentropy
from thalweg.losses._crossentropy import binary_focal_crossentropy as binary_focal_crossentropy
from thalweg.losses._crossentropy import categorical_crossentropy as categorical_crossentropy
from thalweg.losses._crossentropy import categorical_focal_crossentropy as categorical_focal_crossentropy
from thalweg.losses._crossentropy import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from thalweg.losses._hinge import CategoricalHinge as CategoricalHinge
from thalweg.losses._hinge import Hinge as Hinge
from thalweg.losses._hinge import SquaredHinge as SquaredHinge
from thalweg.losses._hinge import categorical_hinge as categorical_hinge
from thalweg.losses._hinge import hinge as hinge
from thalweg.losses._hinge import squared_hinge as squared_hinge
from thalweg.losses._regression import CosineSimilarity as CosineSimilarity
from thalweg.losses._regression import Huber as Huber
from thalweg.losses._regression import KLDivergence as KLDivergence
from thalweg.losses._regression import LogCosh as LogCosh
from thalweg.losses._regression import MeanAbsoluteError as MeanAbsoluteError
from thalweg.losses._regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from thalweg.losses._regression import MeanSquaredError as MeanSquaredError
from thalweg.losses._regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from thalweg.losses._regression import Poisson as Poisson
from thalweg.losses._regression import cosine_similarity as cosine_similarity
from thalweg.losses._regression import huber as huber
from thalweg.losses._regression import kl_divergence as kl_divergence
from thalweg.losses._regression import log_cosh as log_cosh
from thalweg.losses._regression import mean_absolute_error as mean_absolute_error
from thalweg.losses._regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from thalweg.losses._regression import mean_squared_error as mean_squared_error
from thalweg.losses._regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from thalweg.losses._regression import poisson as poisson

_NAMES: dict[type[Loss], tuple[str, ...]] = {
    BinaryCrossentropy: ("binary_crossentropy", "bce", "BCE"),
    BinaryFocalCrossentropy: ("binary_focal_crossentropy",),
    CategoricalCrossentropy: ("categorical_crossentropy",),
    CategoricalFocalCrossentropy: ("categorical_focal_crossentropy",),
    CategoricalHinge: ("categorical_hinge",),
    CosineSimilarity: ("cosine_similarity",),
    Hinge: ("hinge",),
    Huber: ("huber", "huber_loss"),
    KLDivergence: ("kl_divergence", "kld", "KLD", "kullback_leibler_divergence"),
    LogCosh: ("log_cosh", "logcosh"),
    MeanAbsoluteError: ("mean_absolute_error", "mae", "MAE"),
    MeanAbsolutePercentageError: ("mean_absolute_percentage_error", "mape", "MAPE"),
    MeanSquaredError: ("mean_squared_error", "mse", "MSE"),
    MeanSquaredLogarithmicError: ("mean_squared_logarithmic_error", "msle", "MSLE"),
    Poisson: ("poisson",),
    SparseCategoricalCrossentropy: ("sparse_categorical_crossentropy",),
    SquaredHinge: ("squared_hinge",),
}
TABLE = Table("loss", {name: cls for cls, names in _NAMES.items() for name in (cls.__name__, *names)})
"""Every name of a loss, and its class."""

_FUNCTIONS = {globals()[names[0]]: cls for cls, names in _NAMES.items()}


def _wrap(function: Any) -> Loss:
    """One of this module's functions stands for its class; any other is a user's."""
    known = _FUNCTIONS.get(function) if getattr(function, "__hash__", None) else None
    return known() if known else FunctionLoss(function)


_FAMILY = Family(TABLE, "keras.losses", _wrap, Loss)


def get(identifier: Any) -> Any:
    """The loss that a name, class, instance, function of (y_true, y_pred) or description stands for.

    Example:
        >>> get('mse').name
        'mean_squared_error'

    """
    return _FAMILY.get(identifier)


def serialize(loss: Any) -> dict[str, Any] | None:
    """The description of a loss, from which :func:`deserialize` makes its like."""
    return _FAMILY.serialize(loss)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that `config` describes."""
    return _FAMILY.deserialize(config, custom_objects)


tell_absent(__name__)
