"""A search space as the unit cube: values become coordinates in [0, 1], coordinates become values."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FEW = 8
"""Up to so many values of a number are tried one by one; above, it is treated as a continuum and rounded."""

_COPY, _THERE = -1, -2
"""Kinds of a feature: the coordinate itself, or whether it is there; all others say which value it is."""

_RESOLUTION = 1e9
"""Points that differ by less than its inverse in every coordinate are the same point."""


class Axis(ABC):
    """One hyperparameter as a coordinate in [0, 1].

    Attributes:
        levels: how many values there are; None for a continuum.
        nominal: whether its values have no order.

    """

    levels: int | None
    nominal: bool = False

    @property
    def smooth(self) -> bool:
        """Whether steps along it may be as small as one likes, or nearly so."""
        return self.levels is None or (not self.nominal and self.levels > _FEW)

    @abstractmethod
    def unit(self, value: Any) -> float:
        """The coordinate of a value; NaN for what is no value."""

    @abstractmethod
    def value(self, unit: float) -> Any:
        """The value at a coordinate."""

    @abstractmethod
    def snap(self, units: Array) -> Array:
        """The coordinates of the nearest values."""

    @abstractmethod
    def at(self, places: NDArray[np.intp]) -> Array:
        """The coordinates of values by their place in the list: 0, 1, ..., levels - 1."""

    @abstractmethod
    def place(self, unit: float) -> int:
        """The place in the list of the value at a coordinate."""

    def others(self, unit: float) -> Array:
        """The coordinates of the other values to try: all of a few, else the next below and the next above."""
        assert self.levels is not None
        here = self.place(unit)
        places = np.arange(self.levels) if not self.smooth else np.array([here - 1, here + 1])
        return self.at(places[(places != here) & (places >= 0) & (places < self.levels)])


class _Range(Axis):
    """A number between two.

    With t the identity or the logarithm, a value v lies at (t(v) - t(a)) / (t(b) - t(a)). Without a step a and b are
    the bounds; with a step s they lie s / 2 beyond them, so that rounding gives the outer values their full share.
    """

    def __init__(self, distribution: FloatDistribution | IntDistribution) -> None:
        self.low, self.high = distribution.low, distribution.high
        self.log, self.step = distribution.log, distribution.step
        self.kind = int if isinstance(distribution, IntDistribution) else float
        self.levels = None if self.step is None else round((self.high - self.low) / self.step) + 1
        half = (self.step or 0) / 2
        self.begin = self._raised(self.low - half)
        self.length = self._raised(self.high + half) - self.begin

    def _raised(self, value: float) -> float:
        return math.log(max(value, 1e-300)) if self.log else float(value)

    def unit(self, value: Any) -> float:
        unit = (self._raised(value) - self.begin) / self.length
        return min(max(unit, -1.0), 2.0)  # where the range was another one once, a value may lie far outside

    def value(self, unit: float) -> Any:
        raw = float(self._nearest(np.asarray([unit]))[0])
        return min(max(self.kind(raw), self.low), self.high)

    def _nearest(self, units: Array) -> Array:
        raw = self.begin + np.clip(units, 0.0, 1.0) * self.length
        raw = np.exp(raw) if self.log else raw
        return raw if self.step is None else self.low + self._places(raw) * self.step

    def _places(self, raw: Array) -> Array:
        return np.clip(np.rint((raw - self.low) / (self.step or 1)), 0, (self.levels or 1) - 1)

    def _units(self, values: Array) -> Array:
        return ((np.log(values) if self.log else values) - self.begin) / self.length

    def snap(self, units: Array) -> Array:
        return np.clip(units, 0.0, 1.0) if self.step is None else self._units(self._nearest(units))

    def place(self, unit: float) -> int:
        return int(self._places(self._nearest(np.array([unit])))[0])

    def at(self, places: NDArray[np.intp]) -> Array:
        return self._units(np.asarray(self.low + places * (self.step or 0), np.float64))


class _Choice(Axis):
    """One of a list: the i-th of k values lies at (i + 1/2) / k. Numbers in order, and any two values, are ordered."""

    def __init__(self, distribution: CategoricalDistribution) -> None:
        self.distribution = distribution
        self.levels: int = len(distribution.choices)
        self.nominal = self.levels > 2 and not _is_sorted(distribution.choices)

    def unit(self, value: Any) -> float:
        try:
            return (self.distribution.to_internal_repr(value) + 0.5) / self.levels
        except ValueError:
            return math.nan

    def value(self, unit: float) -> Any:
        return self.distribution.choices[self.place(unit)]

    def place(self, unit: float) -> int:
        return int(min(max(unit * self.levels, 0), self.levels - 1))

    def at(self, places: NDArray[np.intp]) -> Array:
        return (places + 0.5) / self.levels

    def snap(self, units: Array) -> Array:
        return self.at(np.clip(np.floor(units * self.levels), 0, self.levels - 1))


def _is_sorted(choices: Sequence[Any]) -> bool:
    numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in choices)
    if not numbers:
        return False
    steps = np.diff(np.asarray(choices, dtype=float))
    return bool(np.all(steps > 0) or np.all(steps < 0))


def _axis(distribution: BaseDistribution) -> Axis:
    if isinstance(distribution, CategoricalDistribution):
        return _Choice(distribution)
    if isinstance(distribution, (FloatDistribution, IntDistribution)):
        return _Range(distribution)
    raise ValueError(f"A distribution must be one of Optuna's, got {distribution!r}.")


class Space:
    """A search space as the unit cube; a point is a row of coordinates, NaN for parameters it does not have.

    Args:
        distributions: name -> Optuna distribution. What has a single value gets no coordinate.

    Raises:
        ValueError: on a distribution that is none of Optuna's.

    Example:
        >>> from optuna.distributions import CategoricalDistribution, IntDistribution
        >>> space = Space({'layers': IntDistribution(1, 4), 'kind': CategoricalDistribution(['a', 'b', 'c'])})
        >>> space.row({'layers': 2})
        array([0.375,   nan])
        >>> space.values(np.array([0.375, 0.9]))
        {'layers': 2, 'kind': 'c'}

    """

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        self.distributions = dict(distributions)
        self.only = {name: _only(one) for name, one in self.distributions.items() if one.single()}
        self.names = [name for name in self.distributions if name not in self.only]
        self.axes = [_axis(self.distributions[name]) for name in self.names]
        self.smooth = np.array([axis.smooth for axis in self.axes], dtype=bool)
        self.title = repr(self.distributions)

    @property
    def size(self) -> int:
        """How many coordinates there are."""
        return len(self.axes)

    @property
    def count(self) -> float:
        """How many points there are, where every parameter is there; infinite for a continuum."""
        return math.prod(math.inf if axis.levels is None else axis.levels for axis in self.axes)

    def row(self, values: Mapping[str, Any]) -> Array:
        """The coordinates of values by name."""
        units = [axis.unit(values[name]) if name in values else math.nan for name, axis in self._named()]
        return np.array(units, dtype=np.float64)

    def _named(self) -> zip[tuple[str, Axis]]:
        return zip(self.names, self.axes, strict=True)

    def values(self, row: Array) -> dict[str, Any]:
        """The values at a row, which may lack none."""
        found = {name: axis.value(unit) for (name, axis), unit in zip(self._named(), row.tolist(), strict=True)}
        return {name: found[name] if name in found else self.only[name] for name in self.distributions}

    def snap(self, rows: Array) -> Array:
        """The nearest points of the space."""
        return np.stack([axis.snap(column) for axis, column in zip(self.axes, rows.T, strict=True)], axis=1)

    def grid(self) -> Array:
        """All points, where they can be counted."""
        columns = [axis.at(np.arange(axis.levels or 0)).tolist() for axis in self.axes]
        return np.array(list(itertools.product(*columns)), dtype=np.float64)

    def keys(self, rows: Array) -> list[bytes]:
        """One key a row: equal for equal points, whatever stands where a parameter is not there."""
        cells = np.rint(np.where(np.isnan(rows), -1.0, rows) * _RESOLUTION).astype(np.int64)
        return [cell.tobytes() for cell in cells]


def _only(distribution: BaseDistribution) -> Any:
    """The value of a distribution that has a single one."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    return distribution.low


class Features:
    """What the kernel compares: a row of coordinates, embedded so that distances mean something.

    A number is its coordinate x. One of k values without an order is its indicator vector divided by the square root
    of 2, so that any two different values are 1 apart. A parameter that is not there is put in the middle of its
    values: two points that both lack it have no distance in it. Where a parameter is there in some trials only, a
    further column says whether it is: 0 or `apart`.

    Args:
        space: whose rows they are.
        conditional: for each coordinate, whether it may be missing.
        apart: how far a point that has a parameter is from one that lacks it, at least.

    Attributes:
        group: for each column, the coordinate that it comes from.
        along: for each column the coordinate that it is a copy of, or -1.

    """

    def __init__(self, space: Space, conditional: Mask, apart: float = 0.5) -> None:
        self.space, self.conditional = space, conditional
        columns: list[tuple[int, int, float]] = []  # coordinate, kind, what stands there where it is missing
        for i, axis in enumerate(space.axes):
            if axis.nominal and axis.levels:
                columns += [(i, level, math.sqrt(0.5) / axis.levels) for level in range(axis.levels)]
            else:
                columns.append((i, _COPY, 0.5))
            if conditional[i]:
                columns.append((i, _THERE, apart))
        self.group = np.array([i for i, _, _ in columns], dtype=np.intp)
        self._kind = np.array([kind for _, kind, _ in columns])
        self._missing = np.array([value for _, _, value in columns])
        self._levels = np.array([space.axes[i].levels or 1 for i in self.group], dtype=np.float64)
        self.along = np.where(self._kind == _COPY, self.group, -1)

    def __call__(self, rows: Array) -> Array:
        """The features of each row."""
        units = rows[:, self.group]
        chosen = np.floor(units * self._levels) == self._kind
        found = np.where(self._kind == _COPY, units, math.sqrt(0.5) * chosen)  # nothing is the _THERE-th value: 0
        return np.where(np.isnan(units), self._missing, found)
