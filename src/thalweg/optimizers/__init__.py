"""Optimizers: how gradients become steps. One table of names, Keras's own; any Optax transformation too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg._family import Family
from thalweg._names import Table, tell_absent
from thalweg.optimizers import schedules as schedules
from thalweg.optimizers._adam import Adam as Adam
from thalweg.optimizers._adam import Adamax as Adamax
from thalweg.optimizers._adam import AdamW as AdamW
from thalweg.optimizers._adam import Nadam as Nadam
from thalweg.optimizers._adaptive import Adadelta as Adadelta
from thalweg.optimizers._adaptive import Adagrad as Adagrad
from thalweg.optimizers._any import AnyOptimizer as AnyOptimizer
from thalweg.optimizers._base import Optimizer as Optimizer
from thalweg.optimizers._base import OptimizerState as OptimizerState
from thalweg.optimizers._lion import Lion as Lion
from thalweg.optimizers._optax import OptaxOptimizer as OptaxOptimizer
from thalweg.optimizers._rmsprop import RMSprop as RMSprop
from thalweg.optimizers._sgd import SGD as SGD

_CLASSES = (Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Nadam, RMSprop, SGD)
TABLE = Table("optimizer", {name: cls for cls in _CLASSES for name in (cls.__name__, cls.__name__.lower())})
"""Every name of an optimizer, and its class."""

_FAMILY = Family(TABLE, "keras.optimizers", OptaxOptimizer, Optimizer)


def get(identifier: Any) -> Any:
    """The optimizer that a name, class, instance, description or Optax transformation stands for.

    Example:
        >>> get('adam').learning_rate
        0.001

    """
    if hasattr(identifier, "init") and hasattr(identifier, "update") and not isinstance(identifier, (Optimizer, type)):
        return OptaxOptimizer(identifier)
    return _FAMILY.get(identifier)


def serialize(optimizer: Any) -> dict[str, Any] | None:
    """The description of an optimizer, from which :func:`deserialize` makes its like."""
    return _FAMILY.serialize(optimizer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that `config` describes."""
    return _FAMILY.deserialize(config, custom_objects)


tell_absent(__name__)
