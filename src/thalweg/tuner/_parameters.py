"""Frozen descriptions of one hyperparameter: its values, its measure, its Optuna distribution and the way back."""

from __future__ import annotations

import bisect
import decimal
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from thalweg._names import Table

_LARGEST = 2**40
"""Beyond it, a float in [0, 1) could no longer tell every value from its neighbours."""

_LISTED = 100_000
"""The most values that :meth:`Parameter.grid` lists."""

_EXACT = decimal.Context(prec=40)
"""Steps are added up in decimals, as people write them, so that 0, 0.1, ..., 1 holds 0.3 and ends with 1."""


def plain(value: Any) -> Any:
    """A NumPy or JAX scalar as Python's own; everything else as it is."""
    return value.item() if hasattr(value, "item") and np.ndim(value) == 0 else value


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value))


def _listed(values: Any) -> list[Any] | None:
    """The values as a list of plain ones, or None where what came is no list; a set has no order."""
    unordered = isinstance(values, (str, bytes, Mapping, set, frozenset)) or getattr(values, "ndim", 1) == 0
    return None if unordered or not isinstance(values, Iterable) else [plain(value) for value in values]


@dataclass(frozen=True)
class Condition:
    """What another hyperparameter must be: active, with one of some values.

    Args:
        name: the other one's full name.
        values: a list of its values, or one of them.

    Raises:
        ValueError: where there is no value, or one that is no number, text or truth value.

    Example:
        >>> Condition('model', ['cnn']).is_active({'model': 'cnn'}), Condition('model', ['cnn']).is_active({})
        (True, False)

    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        listed = _listed(self.values)
        values = tuple([plain(self.values)] if listed is None else listed)
        if not values or not all(map(_is_plain, values)):
            raise ValueError(
                f"parent_values must be one value or more of {self.name!r} (numbers, texts, True or False), "
                f"got parent_values={self.values!r}. Pass a list of the values for which the branch is there."
            )
        object.__setattr__(self, "values", values)

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Whether it is met, where `values` are those of the active hyperparameters."""
        return self.name in values and values[self.name] in self.values

    def get_config(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"name": self.name, "values": list(self.values)}


@dataclass(frozen=True)
class Parameter(ABC):
    """Base of the hyperparameters.

    Args:
        name: the full name: name scopes and the name, joined by ``'/'``.
        conditions: all of which must be met for it to be active.

    """

    name: str
    conditions: tuple[Condition, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(
                f"A hyperparameter needs a name, a text that is not empty, got hp.{type(self).__name__}({self.name!r})."
            )
        self._set(conditions=tuple(self.conditions))

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def title(self) -> str:
        """What it is called in messages: ``hp.Int('units')``."""
        return f"hp.{type(self).__name__}({self.name!r})"

    def __str__(self) -> str:
        said = [repr(self.name)]
        for one in fields(self)[2:]:
            value = getattr(self, one.name)
            if one.default is MISSING or value not in (one.default, self._unsaid().get(one.name)):
                said.append(f"{one.name}={list(value) if isinstance(value, tuple) else value!r}")
        where = " and ".join(f"{one.name} in {list(one.values)}" for one in self.conditions)
        return f"hp.{type(self).__name__}({', '.join(said)}){where and ' where ' + where}"

    def _unsaid(self) -> Mapping[str, Any]:
        """What the arguments become that nobody gave."""
        return {}

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Whether all its conditions are met, where `values` are those of the active hyperparameters."""
        return all(condition.is_active(values) for condition in self.conditions)

    def get_config(self) -> dict[str, Any]:
        """Plain JSON data; :func:`parameter_from_config` makes its like of it."""
        config: dict[str, Any] = {"class_name": type(self).__name__}
        for one in fields(self):
            value = getattr(self, one.name)
            config[one.name] = list(value) if isinstance(value, tuple) else value
        return {**config, "conditions": [condition.get_config() for condition in self.conditions]}

    @property
    @abstractmethod
    def initial(self) -> Any:
        """The value where nobody chooses one: the default."""

    @property
    @abstractmethod
    def count(self) -> int | None:
        """How many values there are; None for a continuum."""

    @abstractmethod
    def check(self, value: Any) -> Any:
        """`value` as this hyperparameter writes it: an int, a float, a value of its list.

        Raises:
            ValueError: where it is none of the values.

        """

    @abstractmethod
    def value_at(self, u: float) -> Any:
        """The value below which a share `u` of the values lies, in the measure of the sampling.

        Args:
            u: in [0, 1]; uniform numbers give random values, equally spaced ones a grid.

        """

    @abstractmethod
    def unit(self, value: Any) -> float:
        """The way back from :meth:`value_at`: the middle of the u in [0, 1] that give `value`."""

    @abstractmethod
    def grid(self, points: int = 10) -> tuple[Any, ...]:
        """Its values in order.

        All of them where there is a step (of an :class:`Int` with linear sampling it is 1) or no more values than
        `points`; else the values in the middle of `points` equal parts of [0, 1], as KerasTuner's grid search has
        them, without repetition.

        Args:
            points: how many of a continuum.

        Raises:
            ValueError: where there are more values than anybody would list.

        """

    @abstractmethod
    def distribution(self) -> Any:
        """The Optuna distribution that says as much of it as Optuna's language can."""

    @abstractmethod
    def to_optuna(self, value: Any) -> Any:
        """`value` in the words of :meth:`distribution`."""

    @abstractmethod
    def from_optuna(self, value: Any) -> Any:
        """The way back from :meth:`to_optuna`."""

    def _refuse(self, value: Any, wanted: str) -> ValueError:
        return ValueError(f"{self} takes {wanted}, got {value!r}.")

    def _at(self, u: float) -> float:
        if not 0 <= u <= 1:
            raise ValueError(f"{self.title}.value_at takes a number in [0, 1], got u={u!r}.")
        return u

    def _all(self, values: Iterable[Any]) -> tuple[Any, ...]:
        if self.count is None or self.count > _LISTED:
            raise ValueError(
                f"{self} has {self.count} values, of which a grid lists {_LISTED} at the most. Give a larger step, or "
                "search at random."
            )
        return tuple(values)


# -- from a list -------------------------------------------------------------------------------


class _Listed(Parameter):
    """What chooses from a list, in which every value is as likely."""

    @property
    @abstractmethod
    def options(self) -> tuple[Any, ...]:
        """The list."""

    @property
    def count(self) -> int:
        return len(self.options)

    def check(self, value: Any) -> Any:
        value = plain(value)
        for option in self.options:  # True == 1, but nobody who writes [0, 1] means it
            if isinstance(option, bool) == isinstance(value, bool) and option == value:
                return option
        raise self._refuse(value, f"one of {list(self.options)}" if self.count > 1 else f"{self.options[0]!r} alone")

    def value_at(self, u: float) -> Any:
        return self.options[min(int(self._at(u) * self.count), self.count - 1)]

    def unit(self, value: Any) -> float:
        return (self.options.index(self.check(value)) + 0.5) / self.count

    def grid(self, points: int = 10) -> tuple[Any, ...]:
        return self._all(self.options)

    def distribution(self) -> Any:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.options)

    def to_optuna(self, value: Any) -> Any:
        return self.check(value)

    def from_optuna(self, value: Any) -> Any:
        return self.check(value)


@dataclass(frozen=True)
class Choice(_Listed):
    """One of a list of values.

    Args:
        name: the full name.
        values: integers, floats, texts, or truth values; all of one type, none twice.
        ordered: whether their order means something; None: for numbers it does. Only numbers may have one.
        default: one of them; the first where None.
        conditions: all of which must be met for it to be active.

    Raises:
        ValueError: on an empty or mixed list, a value twice, a default that is not in it, an order of texts.

    Example:
        >>> activation = Choice('activation', ['relu', 'tanh'])
        >>> activation.default, activation.ordered, activation.value_at(0.7)
        ('relu', False, 'tanh')

    """

    values: tuple[Any, ...]
    ordered: bool | None = None
    default: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        values = self._checked_values()
        numeric = not isinstance(values[0], (str, bool))
        if self.ordered and not numeric:
            raise ValueError(
                f"`ordered` must be False in {self.title}: only numbers have an order, got "
                f"ordered={self.ordered!r}, values={list(values)}."
            )
        self._set(values=tuple(values), ordered=numeric if self.ordered is None else bool(self.ordered))
        self._set(default=values[0] if self.default is None else self._checked_default())

    def _checked_values(self) -> list[Any]:
        values = _listed(self.values)
        if not values:
            raise ValueError(f"`values` must be a list of one value or more in {self.title}, got {self.values!r}.")
        for value in values:
            if not _is_plain(value):
                raise ValueError(
                    f"`values` must be integers, finite floats, texts or truth values in {self.title}, got {value!r} "
                    "among them. Choose by name, and look the name up in build."
                )
        kinds = sorted({type(value).__name__ for value in values})
        if len(kinds) > 1:
            raise ValueError(
                f"`values` must be of one type in {self.title}, got {' and '.join(kinds)}: {values}. Write all of "
                "them as floats, or as texts."
            )
        twice = [value for i, value in enumerate(values) if value in values[:i]]
        if twice:
            raise ValueError(f"`values` must differ in {self.title}, got {twice[0]!r} twice: {values}.")
        return values

    def _checked_default(self) -> Any:
        try:
            return self.check(self.default)
        except ValueError:
            raise ValueError(
                f"`default` must be one of the values in {self.title}, got default={self.default!r}, "
                f"values={list(self.values)}."
            ) from None

    def _unsaid(self) -> Mapping[str, Any]:
        return {"ordered": not isinstance(self.values[0], (str, bool)), "default": self.values[0]}

    @property
    def initial(self) -> Any:
        return self.default

    @property
    def options(self) -> tuple[Any, ...]:
        return self.values


@dataclass(frozen=True)
class Boolean(_Listed):
    """True or False.

    Args:
        name: the full name.
        default: which of the two.
        conditions: all of which must be met for it to be active.

    Raises:
        ValueError: where the default is neither.

    Example:
        >>> Boolean('batch_normalization').default
        False

    """

    default: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        default = plain(self.default)
        if not isinstance(default, bool):
            raise ValueError(f"`default` must be True or False in {self.title}, got default={self.default!r}.")
        self._set(default=default)

    @property
    def initial(self) -> bool:
        return self.default

    @property
    def options(self) -> tuple[bool, bool]:
        return (False, True)


@dataclass(frozen=True)
class Fixed(_Listed):
    """A value that is not searched, yet on the record.

    Args:
        name: the full name.
        value: an integer, a finite float, a text or a truth value.
        conditions: all of which must be met for it to be active.

    Raises:
        ValueError: where the value is anything else.

    Example:
        >>> Fixed('batch_size', 32).count
        1

    """

    value: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        value = plain(self.value)
        if not _is_plain(value):
            raise ValueError(
                f"`value` must be an integer, a finite float, a text or a truth value in {self.title}, got {value!r}."
            )
        self._set(value=value)

    @property
    def initial(self) -> Any:
        return self.value

    @property
    def options(self) -> tuple[Any]:
        return (self.value,)


# -- from a range ------------------------------------------------------------------------------


class _Linear:
    """Equal distances are equally likely."""

    @staticmethod
    def at(u: float, low: float, high: float) -> float:
        return low + u * (high - low)

    @staticmethod
    def share(x: float, low: float, high: float) -> float:
        return (x - low) / (high - low)

    @staticmethod
    def rung(i: int, low: Any, step: Any) -> Any:
        return low + i * step

    @staticmethod
    def steps(low: Any, high: Any, step: Any) -> float:
        return float((high - low) / step)


class _Log:
    """Equal ratios are equally likely."""

    @staticmethod
    def at(u: float, low: float, high: float) -> float:
        return low * math.pow(high / low, u)

    @staticmethod
    def share(x: float, low: float, high: float) -> float:
        return math.log(x / low) / math.log(high / low)

    @staticmethod
    def rung(i: int, low: Any, step: Any) -> Any:
        return low * step**i

    @staticmethod
    def steps(low: Any, high: Any, step: Any) -> float:
        return math.log(high / low) / math.log(step)


class _Sampling(NamedTuple):
    """A law over [low, high]; where `mirrored`, it holds for low + high - x."""

    law: type[_Linear] | type[_Log]
    mirrored: bool


_SAMPLINGS = Table(
    "sampling",
    {"linear": _Sampling(_Linear, False), "log": _Sampling(_Log, False), "reverse_log": _Sampling(_Log, True)},
)


@dataclass(frozen=True)
class _Numerical(Parameter):
    """What :class:`Int` and :class:`Float` share.

    A ladder of values low, low + step, ... (linear) or low, low step, low step^2, ... (log) where there is a step;
    else the law itself. ``'reverse_log'`` is ``'log'`` for low + high - x.
    """

    min_value: Any
    max_value: Any
    step: Any = None
    sampling: str = "linear"
    default: Any = None

    _noun: ClassVar[str]
    _word: ClassVar[str]
    """The name of Optuna's distribution."""
    _middle: ClassVar[float] = 0.0
    """How far the middle of the interval that is rounded down to a value lies above it."""
    _slack: ClassVar[Any] = 1
    """By which factor a rung may pass the upper end, for rounding."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(min_value=self._number("min_value"), max_value=self._number("max_value"))
        if not self.min_value <= self.max_value:
            raise ValueError(
                f"`min_value <= max_value` must hold in {self.title}, got min_value={self.min_value!r}, "
                f"max_value={self.max_value!r}."
            )
        self._check_sampling()
        self._check_step()
        self._set(default=self._lowest if self.default is None else self._checked_default())

    @abstractmethod
    def _typed(self, number: Any) -> Any:
        """A number of whatever kind as an int or a float."""

    @abstractmethod
    def _number(self, argument: str) -> Any:
        """The argument as an int or a float.

        Raises:
            ValueError: where it is none.

        """

    def _check_sampling(self) -> None:
        name = "linear" if self.sampling is None else str(self.sampling).lower()
        try:
            law = _SAMPLINGS[name].law
        except ValueError as error:
            raise ValueError(f"{self.title}: {error}") from None
        if law is _Log and self.min_value <= 0:
            raise ValueError(
                f"`min_value > 0` must hold with sampling={name!r} in {self.title}, got min_value={self.min_value!r}. "
                "Use sampling='linear', or a least value above 0."
            )
        self._set(sampling=name)

    def _check_step(self) -> None:
        linear = self._law is _Linear
        step = None if self.step is None else self._number("step")
        if step is not None and step <= (0 if linear else 1):
            why = "the step is added" if linear else "the step is a factor"
            raise ValueError(
                f"`step > {0 if linear else 1}` must hold with sampling={self.sampling!r} in {self.title}, where "
                f"{why}, got step={self.step!r}."
            )
        self._set(step=step)
        if self.count is not None and self.count > 2 * _LARGEST + 1:
            raise ValueError(
                f"`step` makes {self.count:.3g} values in {self.title}, got step={step!r}. Leave the step away."
            )

    def _checked_default(self) -> Any:
        try:
            return self.check(self.default)
        except ValueError:
            raise ValueError(
                f"`default` must be {self._wanted()} in {self.title}, got default={self.default!r}."
            ) from None

    def _unsaid(self) -> Mapping[str, Any]:
        return {"default": self._lowest}

    @property
    def initial(self) -> Any:
        return self.default

    # -- the ladder ----------------------------------------------------------------------------

    @property
    def _law(self) -> Any:
        return _SAMPLINGS[self.sampling].law

    @property
    def _mirrored(self) -> bool:
        return _SAMPLINGS[self.sampling].mirrored

    @property
    def _lowest(self) -> Any:
        """The least value; a mirrored ladder may miss the minimum."""
        return self.min_value if self.count is None else self._rung(0)

    def _exact(self) -> tuple[Any, Any, Any]:
        """The minimum, the maximum and the step as numbers that add up and multiply without rounding."""
        return self.min_value, self.max_value, self.step

    @cached_property
    def _rungs(self) -> int:
        """How many values lie on the ladder."""
        low, high, step = self._exact()
        with decimal.localcontext(_EXACT):
            last = int(self._law.steps(low, high, step) + 1e-8)
            while last and self._law.rung(last, low, step) > high * self._slack:
                last -= 1
        return last + 1

    def _rung(self, i: int) -> Any:
        """The i-th value in rising order."""
        if self.step is None:
            return self.min_value + i
        low, high, step = self._exact()
        with decimal.localcontext(_EXACT):
            exact = self._law.rung(self._rungs - 1 - i if self._mirrored else i, low, step)
            value = self._typed(low + high - exact if self._mirrored else exact)
        return min(max(value, self.min_value), self.max_value)

    def _index(self, value: Any) -> int:
        """Which rung is nearest to `value`."""
        assert self.count is not None
        above = bisect.bisect_left(range(self.count), value, key=self._rung)
        near = [i for i in (above - 1, above) if 0 <= i < self.count]
        return min(near, key=lambda i: abs(self._rung(i) - value))

    def _wanted(self) -> str:
        if self.step is None or self.step == self._unsaid().get("step"):
            return f"{self._noun} in [{self.min_value!r}, {self.max_value!r}]"
        shown = [repr(self._rung(i)) for i in range(min(self._rungs, 3))]
        more = [] if self._rungs <= 3 else [repr(self._rung(self._rungs - 1))]
        dots = ["..."] if self._rungs > 4 else []
        return f"one of {', '.join([*shown, *dots, *more])}" if self._rungs > 1 else f"{shown[0]} alone"

    # -- the measure ---------------------------------------------------------------------------

    @property
    def _end(self) -> Any:
        """The upper end of the continuum that the law is about."""
        return self.max_value

    @property
    def _on_ladder(self) -> bool:
        """Whether every value is as likely as every other."""
        return self.step is not None or self.min_value == self.max_value

    def value_at(self, u: float) -> Any:
        u = self._at(u)
        if self._on_ladder:
            assert self.count is not None
            return self._rung(min(int(u * self.count), self.count - 1))
        low, high = self.min_value, self._end
        x = low + high - self._law.at(1 - u, low, high) if self._mirrored else self._law.at(u, low, high)
        return min(max(self._typed(x), self.min_value), self.max_value)

    def unit(self, value: Any) -> float:
        value = self.check(value)
        if self._on_ladder:
            assert self.count is not None
            return (self._index(value) + 0.5) / self.count
        low, high = self.min_value, self._end
        x = value + self._middle
        share = 1 - self._law.share(low + high - x, low, high) if self._mirrored else self._law.share(x, low, high)
        return float(min(max(share, 0.0), 1.0))

    def grid(self, points: int = 10) -> tuple[Any, ...]:
        if isinstance(points, bool) or not isinstance(points, (int, np.integer)) or points < 1:
            raise ValueError(f"{self.title}.grid takes an integer above 0, got points={points!r}.")
        if self._on_ladder or (self.count is not None and self.count <= points):
            return self._all(self._rung(i) for i in range(min(self.count or 0, _LISTED)))
        return tuple(sorted({self.value_at((i + 0.5) / points) for i in range(points)}))

    # -- in Optuna's words ---------------------------------------------------------------------

    @property
    def _by_index(self) -> bool:
        """Whether Optuna has no word for the ladder, and is told the numbers of its rungs."""
        return self.step is not None and self._law is _Log

    def distribution(self) -> Any:
        from optuna import distributions

        if self._by_index:
            return distributions.IntDistribution(0, self._rungs - 1)
        high = self.max_value if self.step is None else self._rung(self._rungs - 1)
        steps = {} if self.step is None else {"step": self.step}
        return getattr(distributions, self._word)(self.min_value, high, log=self._law is _Log, **steps)

    def to_optuna(self, value: Any) -> Any:
        value = self.check(value)
        if self._by_index:
            return self._index(value)
        return self._clipped(self.min_value + self.max_value - value) if self._mirrored else value

    def from_optuna(self, value: Any) -> Any:
        if self._by_index:
            return self._rung(int(value))
        value = self._clipped(self.min_value + self.max_value - value if self._mirrored else value)
        return self._rung(self._index(value)) if self.step is not None else self.check(value)

    def _clipped(self, value: Any) -> Any:
        return min(max(value, self.min_value), self.max_value)


@dataclass(frozen=True)
class Int(_Numerical):
    """A whole number between two, both included.

    With u uniform in [0, 1), low = min_value and high = max_value + 1, a value is the floor of

        low + u (high - low)                       sampling='linear'
        low (high / low)^u                         sampling='log'
        low + high - low (high / low)^(1 - u)      sampling='reverse_log'

    With a step, the values are low, low + step, ... (linear) or low, low step, low step^2, ... (log; for
    ``'reverse_log'`` taken away from min_value + max_value), up to max_value, each as likely.

    Args:
        name: the full name.
        min_value: the least value.
        max_value: the largest one; with a step, the largest one allowed.
        step: None: every integer. What is added, or with a logarithm multiplied: then 2 or more.
        sampling: ``'linear'``, ``'log'`` (more small values) or ``'reverse_log'`` (more large ones).
        default: one of the values; the least where None.
        conditions: all of which must be met for it to be active.

    Raises:
        ValueError: on bounds that are no integers or in the wrong order, a step, sampling or default that does not
            fit them.

    Example:
        >>> Int('units', 32, 128, step=32).grid()
        (32, 64, 96, 128)
        >>> Int('batch_size', 2, 32, step=2, sampling='log').grid()
        (2, 4, 8, 16, 32)

    """

    _noun: ClassVar[str] = "an integer"
    _word: ClassVar[str] = "IntDistribution"
    _middle: ClassVar[float] = 0.5

    def _check_step(self) -> None:
        if self.step is None and self.sampling == "linear":
            self._set(step=1)
        super()._check_step()

    def _unsaid(self) -> Mapping[str, Any]:
        return {**super()._unsaid(), "step": 1 if self.sampling == "linear" else None}

    def _typed(self, number: Any) -> int:
        return int(number)

    def _number(self, argument: str) -> int:
        value = plain(getattr(self, argument))
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if not whole or isinstance(value, bool):
            raise ValueError(
                f"`{argument}` must be an integer in {self.title}, got {argument}={value!r}. For fractions use "
                "hp.Float."
            )
        if abs(value) > _LARGEST:
            raise ValueError(
                f"`{argument}` must lie within -2**40 and 2**40 in {self.title}, got {argument}={value!r}."
            )
        return int(value)

    @property
    def _end(self) -> int:
        return self.max_value + 1

    @property
    def count(self) -> int:
        """How many values there are."""
        return self.max_value - self.min_value + 1 if self.step is None else self._rungs

    def check(self, value: Any) -> int:
        """`value` as an int, where it is one of the values; 3.0 is 3, True is not 1."""
        value = plain(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._refuse(value, self._wanted())
        if not self.min_value <= value <= self.max_value or value != self._rung(self._index(value)):
            raise self._refuse(value, self._wanted())
        return int(value)


@dataclass(frozen=True)
class Float(_Numerical):
    """A number between two, both included.

    With u uniform in [0, 1), low = min_value and high = max_value, a value is

        low + u (high - low)                       sampling='linear'
        low (high / low)^u                         sampling='log'
        low + high - low (high / low)^(1 - u)      sampling='reverse_log'

    With a step, the values are low, low + step, ... (linear) or low, low step, low step^2, ... (log; for
    ``'reverse_log'`` taken away from min_value + max_value), up to max_value, each as likely. They are reckoned in
    decimals: 0 to 1 by 0.1 are eleven values, the fourth is 0.3 and the last one is 1.

    Args:
        name: the full name.
        min_value: the least value.
        max_value: the largest one; with a step, the largest one allowed.
        step: None: a continuum. What is added, or with a logarithm multiplied: then above 1.
        sampling: ``'linear'``, ``'log'`` (more small values) or ``'reverse_log'`` (more large ones).
        default: one of the values; the least where None.
        conditions: all of which must be met for it to be active.

    Raises:
        ValueError: on bounds that are not finite or in the wrong order, a step, sampling or default that does not
            fit them.

    Example:
        >>> Float('learning_rate', 1e-4, 1e-2, sampling='log').value_at(0.5)
        0.001
        >>> Float('rate', 0, 0.3, step=0.1).grid()
        (0.0, 0.1, 0.2, 0.3)

    """

    _noun: ClassVar[str] = "a number"
    _word: ClassVar[str] = "FloatDistribution"
    _slack: ClassVar[decimal.Decimal] = decimal.Decimal("1.000000000001")

    def _exact(self) -> tuple[Any, Any, Any]:
        low, high, step = (decimal.Decimal(repr(number)) for number in (self.min_value, self.max_value, self.step))
        return low, high, step

    def _check_sampling(self) -> None:
        super()._check_sampling()
        ratio = 1.0 if self._law is _Linear else self.max_value / self.min_value
        if not math.isfinite(self.max_value - self.min_value) or not math.isfinite(ratio):
            raise ValueError(
                f"`min_value` and `max_value` are too far apart for floating point in {self.title}, got "
                f"min_value={self.min_value!r}, max_value={self.max_value!r}."
            )

    @property
    def _by_index(self) -> bool:
        if self.step is None or self._law is _Log:
            return super()._by_index
        low, high, step = self._exact()
        with decimal.localcontext(_EXACT):
            last = decimal.Decimal(repr(self._rung(self._rungs - 1)))
            fine = max(abs(low), abs(high)) > 1_000_000 * step  # Optuna finds rungs by rounding, up to 1e-8 of a step
            return bool(fine or (last - low) % step)  # where the range is no multiple of the step, it warns and cuts

    def _typed(self, number: Any) -> float:
        return float(number)

    def _number(self, argument: str) -> float:
        value = plain(getattr(self, argument))
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not real or not math.isfinite(value):
            raise ValueError(f"`{argument}` must be a finite number in {self.title}, got {argument}={value!r}.")
        return float(value)

    @property
    def count(self) -> int | None:
        """How many values there are; None for a continuum."""
        if self.step is None:
            return 1 if self.min_value == self.max_value else None
        return self._rungs

    def check(self, value: Any) -> float:
        """`value` as a float, where it is in the range and, up to rounding, on a step; then the step's own number."""
        value = plain(value)
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not real or not self.min_value <= value <= self.max_value:
            raise self._refuse(value, self._wanted())
        if self.step is None:
            return float(value)
        rung = self._rung(self._index(value))
        if not math.isclose(rung, value, rel_tol=1e-9, abs_tol=1e-9 * self.step if self._law is _Linear else 0.0):
            raise self._refuse(value, self._wanted())
        return float(rung)


KINDS = Table("hyperparameter", {kind.__name__: kind for kind in (Int, Float, Choice, Boolean, Fixed)})
"""Name of a kind -> the kind."""


def parameter_from_config(config: Mapping[str, Any]) -> Parameter:
    """The hyperparameter that ``get_config`` described.

    Args:
        config: what :meth:`Parameter.get_config` gave.

    Raises:
        ValueError: on a kind that does not exist, or settings that it does not have.

    Example:
        >>> parameter_from_config(Boolean('bias').get_config())
        Boolean(name='bias', conditions=(), default=False)

    """
    settings = dict(config)
    kind = KINDS[settings.pop("class_name", None)]
    conditions = tuple(Condition(**one) for one in settings.pop("conditions", ()))
    try:
        made: Parameter = kind(**settings, conditions=conditions)
    except TypeError as error:
        known = ", ".join(one.name for one in fields(kind))
        raise ValueError(
            f"hp.{kind.__name__} has the settings {known}, got {', '.join(map(str, settings))}."
        ) from error
    return made
