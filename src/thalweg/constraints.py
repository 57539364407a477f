"""Projections that are applied to weights after each step of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from thalweg._checks import number
from thalweg._family import Family, FunctionMember
from thalweg._names import Table, tell_absent
from thalweg._tunable import Hypers
from thalweg._weight_function import WeightFunction, like, norms

_EPSILON = 1e-7  # keeps the ratio finite at vectors of zeros; Keras's backend.epsilon()

Axes = int | Sequence[int] | None
"""The axis or axes along which a unit's incoming weights lie; None means all."""


_RANGES = {"min_value": (0.0, float("inf")), "max_value": (0.0, float("inf")), "rate": (0.0, 1.0)}


class Constraint(WeightFunction):
    """A projection: ``apply(hypers, w)`` has the shape and dtype of `w`.

    Example:
        >>> import jax.numpy as jnp
        >>> class Box(Constraint):
        ...     def apply(self, hypers, w):
        ...         return jnp.clip(w, -1, 1)
        >>> Box()([0.5, 3.0]).tolist()
        [0.5, 1.0]

    """


class MaxNorm(Constraint):
    """Shortens the weights of each unit to a norm of at most `max_value`.

    ``w * clip(norm, 0, max_value) / (norm + 1e-7)``

    Args:
        max_value: the largest norm, >= 0.
        axis: where a unit's incoming weights lie: 0 for a Dense kernel ``[inputs, units]``,
            ``(0, 1, 2)`` for a Conv2D kernel ``[rows, columns, inputs, filters]``.

    Raises:
        ValueError: where `max_value` is negative or not finite, or an axis is no integer.

    Example:
        >>> MaxNorm(1.0)([[3.0, 0.0], [4.0, 0.5]]).round(3).tolist()
        [[0.6000000238418579, 0.0], [0.800000011920929, 0.5]]

    Source: Srivastava et al. 2014, Dropout, section 5.1.

    """

    HYPERS = ("max_value",)
    RANGES = _RANGES

    def __init__(self, max_value: float = 2, axis: Axes = 0) -> None:
        self.max_value = number(self, "max_value", max_value, at_least=0.0)
        self.axis = _checked_axes(self, axis)

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The weights, shortened where they are too long."""
        length = _lengths(self, w)
        return w * (jnp.clip(length, 0, like(w, hypers["max_value"])) / (length + _EPSILON))

    def get_config(self) -> dict[str, Any]:
        """The largest norm and the axis."""
        return {"max_value": float(self.max_value), "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative weights to zero: ``max(w, 0)``.

    Example:
        >>> NonNeg()([-1.0, 2.0]).tolist()
        [0.0, 2.0]

    """

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The weights, none below zero."""
        return jnp.maximum(w, 0)


class UnitNorm(Constraint):
    """Scales the weights of each unit to norm 1: ``w / (norm + 1e-7)``; zeros stay zeros.

    Args:
        axis: where a unit's incoming weights lie; see :class:`MaxNorm`.

    Raises:
        ValueError: where an axis is no integer.

    Example:
        >>> UnitNorm()([[3.0, 0.0], [4.0, 0.0]]).round(3).tolist()
        [[0.6000000238418579, 0.0], [0.800000011920929, 0.0]]

    """

    def __init__(self, axis: Axes = 0) -> None:
        self.axis = _checked_axes(self, axis)

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The weights, each unit's of norm 1."""
        return w / (_lengths(self, w) + _EPSILON)

    def get_config(self) -> dict[str, Any]:
        """The axis."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Brings the norm of each unit's weights between two bounds, at once or by and by.

    ``w * (rate * clip(norm, min_value, max_value) + (1 - rate) * norm) / (norm + 1e-7)``

    Args:
        min_value: the smallest norm, >= 0.
        max_value: the largest norm, >= `min_value`.
        rate: the share of the way to go at each step, in [0, 1].
        axis: where a unit's incoming weights lie; see :class:`MaxNorm`.

    Raises:
        ValueError: where a number is out of its range, or an axis is no integer.

    Example:
        >>> MinMaxNorm(0.0, 1.0, rate=0.5)([[3.0], [4.0]]).round(3).tolist()
        [[1.8], [2.4]]

    """

    HYPERS = ("min_value", "max_value", "rate")
    RANGES = _RANGES

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axes = 0) -> None:
        self.min_value = number(self, "min_value", min_value, at_least=0.0)
        self.max_value = number(self, "max_value", max_value, at_least=0.0)
        if self.min_value > self.max_value:
            raise ValueError(
                "min_value <= max_value must hold, "
                f"got MinMaxNorm(min_value={self.min_value:g}, max_value={self.max_value:g})."
            )
        self.rate = number(self, "rate", rate, at_least=0.0, at_most=1.0)
        self.axis = _checked_axes(self, axis)

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The weights, each unit's norm nearer to its bounds."""
        low, high, rate = (like(w, hypers[name]) for name in self.HYPERS)
        length = _lengths(self, w)
        wanted = rate * jnp.clip(length, low, high) + (1 - rate) * length
        return w * (wanted / (length + _EPSILON))

    def get_config(self) -> dict[str, Any]:
        """The bounds, the rate and the axis."""
        numbers = {name: float(getattr(self, name)) for name in self.HYPERS}
        return {**numbers, "axis": self.axis}


class FunctionConstraint(FunctionMember, Constraint):
    """A user's function ``w -> w`` as a constraint.

    Args:
        function: the projection; its numbers are constants of the compiled program.

    Raises:
        ValueError: where the function changes the shape.

    Example:
        >>> FunctionConstraint(lambda w: w / 2)([1.0, 3.0]).tolist()
        [0.5, 1.5]

    """

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The projected weights."""
        projected = like(w, self.function(w))
        if projected.shape != w.shape:
            raise ValueError(
                f"A constraint must keep the shape of its weights, got {projected.shape} from "
                f"{self.get_config()['function']!r} on weights of shape {w.shape}."
            )
        return projected


def _checked_axes(owner: Constraint, axis: Axes) -> Axes:
    if axis is None or _is_index(axis):
        return axis
    if isinstance(axis, (list, tuple)) and all(map(_is_index, axis)):
        return axis
    raise ValueError(f"axis must be an integer, several, or None for all, got {type(owner).__name__}(axis={axis!r}).")


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _lengths(constraint: MaxNorm | UnitNorm | MinMaxNorm, w: Array) -> Array:
    axis = constraint.axis
    axes = (axis,) if isinstance(axis, int) else tuple(range(w.ndim) if axis is None else axis)
    if not all(-w.ndim <= one < w.ndim for one in axes):
        raise ValueError(f"{type(constraint).__name__}(axis={axis}) needs weights with that axis, got shape {w.shape}.")
    return norms(w, axes)


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

TABLE = Table(
    "constraint",
    {
        **{cls.__name__: cls for cls in (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)},
        "max_norm": MaxNorm,
        "min_max_norm": MinMaxNorm,
        "non_neg": NonNeg,
        "unit_norm": UnitNorm,
    },
)

_FAMILY = Family(TABLE, "keras.constraints", FunctionConstraint, Constraint)


def get(identifier: Any) -> Constraint | None:
    """The constraint that `identifier` stands for.

    Args:
        identifier: None, a name, a class, an instance, a description as from :func:`serialize`, or a
            function ``w -> w``.

    Raises:
        ValueError: on an unknown name.
        TypeError: on anything else.

    Example:
        >>> get('unit_norm').get_config()
        {'axis': 0}

    """
    member: Constraint | None = _FAMILY.get(identifier)
    return member


def serialize(constraint: Constraint | None) -> dict[str, Any] | None:
    """The description of a constraint in Keras's form.

    Example:
        >>> serialize(NonNeg())
        {'module': 'keras.constraints', 'class_name': 'NonNeg', 'config': {}, 'registered_name': None}

    """
    return _FAMILY.serialize(constraint)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Constraint:
    """The constraint that a description stands for.

    Args:
        config: as from :func:`serialize`, or as Keras writes it.
        custom_objects: name -> class or function, for what is not thalweg's own.

    Raises:
        ValueError: on a description that names no known constraint.

    Example:
        >>> deserialize({'class_name': 'MaxNorm', 'config': {'max_value': 3.0}}).max_value
        3.0

    """
    member: Constraint = _FAMILY.deserialize(config, custom_objects)
    return member


tell_absent(__name__)
