"""The one idea, in one base class: hyperparameters are data, the rest is structure.

A :class:`Tunable` names the attributes that are numbers flowing *into* a compiled program
(``HYPERS``). Everything else in its configuration decides the program's shape and is part of
its ``structure()``. Two objects of equal structure share a compiled program, whatever their
numbers are.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

Hypers = Mapping[str, Any]
"""Local name (``'rate'``, ``'kernel_regularizer/l2'``) -> a number, on the host or traced."""


class Tunable:
    """An object described by a configuration, some of whose numbers are data.

    Subclasses set ``HYPERS`` (attributes that are data: a number, None where the term is absent,
    or another Tunable, whose own hypers then appear below the attribute's name; anything else has none) and ``HOST``
    (configuration that never reaches a compiled program: names, initializers), and define
    ``get_config``. ``RANGES`` holds the least and the largest value of a hyper, both allowed.
    """

    HYPERS: ClassVar[tuple[str, ...]] = ()
    HOST: ClassVar[tuple[str, ...]] = ("name",)
    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {}

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild this object, as plain JSON data."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An object like the one whose ``get_config`` gave `config`."""
        return cls(**config)

    def hypers(self) -> dict[str, float]:
        """The numbers that are data, by local name, in a fixed order."""
        found: dict[str, float] = {}
        for name in self.HYPERS:
            value = self._held(name)
            if isinstance(value, Tunable):
                found.update({f"{name}/{below}": number for below, number in value.hypers().items()})
            elif _is_number(value):  # not where the term is absent, nor a plain function in a Tunable's place
                found[name] = value
        return found

    def set_hyper(self, path: str, value: float) -> None:
        """Write one of the numbers that :meth:`hypers` lists.

        Raises:
            ValueError: where the value is not a finite number, or out of its range.

        """
        name, _, below = path.partition("/")
        if below:
            self._held(name).set_hyper(below, value)
            return
        low, high = self.range_of(name) or (-math.inf, math.inf)
        if not _is_number(value) or not math.isfinite(value) or not low <= value <= high:
            wanted = f"in [{low:g}, {high:g}]" if math.isfinite(low) or math.isfinite(high) else "a finite number"
            raise ValueError(f"{type(self).__name__}.{name} must be {wanted}, got {value!r}.")
        setattr(self, name, float(value))

    def range_of(self, path: str) -> tuple[float, float] | None:
        """The least and the largest value of a hyper, or None where nothing is known."""
        name, _, below = path.partition("/")
        return self._held(name).range_of(below) if below else self.RANGES.get(name)

    def structure(self) -> tuple[Any, ...]:
        """What decides the shape of a program that uses this object; hashable."""
        parts = []
        for key, value in self.get_config().items():
            if key not in self.HOST:
                held = self._held(key, value)
                parts.append((key, "#" if key in self.HYPERS and _is_number(held) else _shape_of(held, value)))
        return (type(self), tuple(parts))

    def _held(self, name: str, default: Any = None) -> Any:
        """What an attribute holds, past the properties of subclasses."""
        return self.__dict__[f"_{name}"] if f"_{name}" in self.__dict__ else getattr(self, name, default)

    def twin(self) -> Self:
        """A copy with numbers of its own, so that two owners never turn each other's knobs."""
        other = copy.copy(self)
        for name in self.HYPERS:
            value = self._held(name)
            if isinstance(value, Tunable):
                other.__dict__[name if name in other.__dict__ else f"_{name}"] = value.twin()
        return other


def below(hypers: Hypers, name: str) -> dict[str, Any]:
    """The part of `hypers` under ``name/``, with that prefix cut off."""
    start = f"{name}/"
    return {path[len(start) :]: value for path, value in hypers.items() if path.startswith(start)}


def chosen(kind: Any, values: Sequence[Any]) -> Any:
    """The one of several arrays that `kind`, a whole number that is data, names; all are computed.

    Gradients must not flow through it: what was not chosen may be no number.
    """
    first = values[0]
    if all(value is first for value in values):
        return first
    import jax.numpy as jnp

    found = first
    for i, value in enumerate(values[1:], start=1):
        found = jnp.where(kind == i, value, found)
    return found


def freeze(value: Any) -> Any:
    """Plain configuration data as something hashable."""
    if isinstance(value, Mapping):
        return tuple((key, freeze(item)) for key, item in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    if isinstance(value, np.ndarray):
        return (value.shape, str(value.dtype), value.tobytes())
    return value


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, bool) and np.ndim(value) == 0


def _shape_of(held: Any, configured: Any) -> Any:
    if isinstance(held, Tunable):
        return held.structure()
    if isinstance(held, Callable):  # type: ignore[arg-type]
        return held
    return freeze(configured)
