"""thalweg: train, tune, diagnose and explain deep neural nets, in Python on JAX.

Keras's names and meanings hold. Everything is loaded when it is first used: importing the package
costs nothing, not even JAX.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULES = (
    "activations",
    "callbacks",
    "config",
    "constraints",
    "data",
    "datasets",
    "diagnosis",
    "initializers",
    "keras",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "reports",
    "saving",
    "studio",
    "tuner",
    "utils",
)
_NAMES = {
    "Input": "layers",
    "Model": "models",
    "Population": "models",
    "Sequential": "models",
    "coach": "diagnosis",
}

__all__ = [*_MODULES, *_NAMES]

if TYPE_CHECKING:
    from thalweg import (
        activations,
        callbacks,
        config,
        constraints,
        data,
        datasets,
        diagnosis,
        initializers,
        keras,
        layers,
        losses,
        metrics,
        models,
        optimizers,
        regularizers,
        reports,
        saving,
        studio,
        tuner,
        utils,
    )
    from thalweg.diagnosis import coach as coach
    from thalweg.layers import Input as Input
    from thalweg.models import Model as Model
    from thalweg.models import Population as Population
    from thalweg.models import Sequential as Sequential


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"thalweg.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"thalweg.{_NAMES[name]}"), name)
    from thalweg._names import nearest

    raise AttributeError(f"module 'thalweg' has no attribute {name!r}.{nearest(name, __all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
