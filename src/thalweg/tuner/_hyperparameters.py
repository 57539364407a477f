"""What `build(hp)` is handed: it registers what is asked for and says which value it has."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

from thalweg import _seeds
from thalweg._names import unknown as unknown_name
from thalweg.tuner import _parameters
from thalweg.tuner._parameters import Condition, Parameter, parameter_from_config

Unknown = Callable[[Parameter], Any]
"""Chooses a value for a hyperparameter that nobody has chosen one for."""

_Key = tuple[str, tuple[Condition, ...]]
"""A hyperparameter is known by its full name and its conditions."""


def keyed(seed: int, number: int) -> Unknown:
    """A random choice that is the same in every process and after every restart.

    The value is ``parameter.value_at(u)``, where u in [0, 1) is uniform and a pure function of (seed, number, name).

    Args:
        seed: of the search, in [0, 2**32).
        number: of the trial, from 0.

    Returns:
        What ``HyperParameters(unknown=...)`` takes.

    Raises:
        ValueError: on a seed that is none.

    Example:
        >>> hp = HyperParameters(unknown=keyed(seed=3, number=0))
        >>> again = HyperParameters(unknown=keyed(seed=3, number=0))
        >>> hp.Float('rate', 0, 1) == again.Float('rate', 0, 1)
        True

    """
    return functools.partial(_draw, _seeds.checked(seed), number)


def _draw(seed: int, number: int, parameter: Parameter) -> Any:
    name = hashlib.sha256(parameter.name.encode()).digest()[:16]  # hash() differs from process to process
    return parameter.value_at(_seeds.generator(seed, number, int.from_bytes(name, "big")).random())


def default_of(parameter: Parameter) -> Any:
    """The parameter's default."""
    return parameter.initial


class HyperParameters:
    """A search space in the making, and the values of one point of it.

    `build(hp)` asks for hyperparameters by calling the methods :meth:`Int`, :meth:`Float`, :meth:`Choice`,
    :meth:`Boolean` and :meth:`Fixed`; each registers what it is asked for and returns its value, or None where a
    condition is not met. The space is what was asked for: nobody declares it beforehand.

    What a person registers or gives before a search begins wins over what `build` asks for: hand such an object to
    a tuner as ``hyperparameters=``. What was registered takes the place of what `build` registers under that name;
    what was given in `values` is fixed.

    Args:
        values: full name -> value, for those whose value is known. One that a hyperparameter does not accept is
            passed over.
        unknown: chooses the values of all others, as :func:`keyed` does; None: their defaults.

    Attributes:
        values: full name -> value, of the active ones that were asked for.
        space: all that were registered, in the order in which they first were.

    Example:
        >>> hp = HyperParameters(values={'layers': 2})
        >>> for i in range(hp.Int('layers', 1, 3)):
        ...     units = hp.Int(f'units_{i}', 16, 64, step=16)
        >>> hp.values
        {'layers': 2, 'units_0': 16, 'units_1': 16}

    """

    def __init__(self, values: Mapping[str, Any] | None = None, unknown: Unknown | None = None) -> None:
        self.values: dict[str, Any] = {}
        self._given = dict(values or {})
        self._proposed: dict[str, Any] = {}
        self._unknown = unknown or default_of
        self._space: dict[_Key, Parameter] = {}
        self._asked: set[_Key] = set()  # in this run of build, where definitions must agree
        self._overrides: dict[_Key, Parameter] = {}
        self._pins: dict[str, Any] = {}
        self._names: list[str] = []
        self._conditions: list[Condition] = []

    def __repr__(self) -> str:
        return f"HyperParameters({self.values})"

    # -- asking --------------------------------------------------------------------------------

    def Int(  # noqa: N802
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Ask for an integer between two, both included.

        Args:
            name: unique in the space.
            min_value: the least value.
            max_value: the largest one.
            step: what is added from one value to the next, or with a logarithm multiplied; None: every integer.
            sampling: ``'linear'``, ``'log'`` or ``'reverse_log'``; the maths are :class:`~thalweg.tuner.Int`'s.
            default: the least value where None.
            parent_name: of the hyperparameter on which it depends; None: only on the scopes it stands in.
            parent_values: of that one: the values with which this one is active.

        Returns:
            Its value; None where it is not active.

        Raises:
            ValueError: on bounds, a step, a sampling or a default that do not fit; on a parent that nobody has
                asked for; on another definition under that name.

        Example:
            >>> HyperParameters().Int('units', 32, 128, step=32)
            32

        """
        return self._new(
            parent_name,
            parent_values,
            lambda conditions: _parameters.Int(
                self._full(name), min_value, max_value, step, sampling, default, conditions=conditions
            ),
        )

    def Float(  # noqa: N802
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Ask for a number between two, both included.

        Args:
            name: unique in the space.
            min_value: the least value.
            max_value: the largest one.
            step: what is added from one value to the next, or with a logarithm multiplied; None: a continuum.
            sampling: ``'linear'``, ``'log'`` or ``'reverse_log'``; the maths are :class:`~thalweg.tuner.Float`'s.
            default: the least value where None.
            parent_name: of the hyperparameter on which it depends; None: only on the scopes it stands in.
            parent_values: of that one: the values with which this one is active.

        Returns:
            Its value; None where it is not active.

        Raises:
            ValueError: on bounds, a step, a sampling or a default that do not fit; on a parent that nobody has
                asked for; on another definition under that name.

        Example:
            >>> HyperParameters(values={'learning_rate': 0.01}).Float('learning_rate', 1e-4, 1e-1, sampling='log')
            0.01

        """
        return self._new(
            parent_name,
            parent_values,
            lambda conditions: _parameters.Float(
                self._full(name), min_value, max_value, step, sampling, default, conditions=conditions
            ),
        )

    def Choice(  # noqa: N802
        self,
        name: str,
        values: Sequence[Any],
        ordered: bool | None = None,
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Ask for one of a list of values.

        Args:
            name: unique in the space.
            values: integers, floats, texts, or truth values; all of one type.
            ordered: whether their order means something; None: for numbers it does.
            default: the first value where None.
            parent_name: of the hyperparameter on which it depends; None: only on the scopes it stands in.
            parent_values: of that one: the values with which this one is active.

        Returns:
            Its value; None where it is not active.

        Raises:
            ValueError: on values that make no list of choices, a default that is not among them, a parent that
                nobody has asked for, or another definition under that name.

        Example:
            >>> HyperParameters().Choice('activation', ['relu', 'tanh'])
            'relu'

        """
        return self._new(
            parent_name,
            parent_values,
            lambda conditions: _parameters.Choice(
                self._full(name),
                values,  # type: ignore[arg-type]  # becomes a tuple there
                ordered,
                default,
                conditions=conditions,
            ),
        )

    def Boolean(  # noqa: N802
        self, name: str, default: bool = False, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Ask whether or not.

        Args:
            name: unique in the space.
            default: which of the two.
            parent_name: of the hyperparameter on which it depends; None: only on the scopes it stands in.
            parent_values: of that one: the values with which this one is active.

        Returns:
            Its value; None where it is not active.

        Raises:
            ValueError: on a default that is neither True nor False, a parent that nobody has asked for, or another
                definition under that name.

        Example:
            >>> HyperParameters().Boolean('dropout')
            False

        """
        return self._new(
            parent_name,
            parent_values,
            lambda conditions: _parameters.Boolean(self._full(name), default, conditions=conditions),
        )

    def Fixed(  # noqa: N802
        self, name: str, value: Any, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Put a value on the record that is not searched.

        Args:
            name: unique in the space.
            value: an integer, a finite float, a text or a truth value.
            parent_name: of the hyperparameter on which it depends; None: only on the scopes it stands in.
            parent_values: of that one: the values with which this one is active.

        Returns:
            The value; None where it is not active.

        Raises:
            ValueError: on any other value, a parent that nobody has asked for, or another definition under that
                name.

        Example:
            >>> HyperParameters().Fixed('batch_size', 32)
            32

        """
        return self._new(
            parent_name,
            parent_values,
            lambda conditions: _parameters.Fixed(self._full(name), value, conditions=conditions),
        )

    def _new(self, parent: str | None, parent_values: Any, make: Callable[[tuple[Condition, ...]], Parameter]) -> Any:
        if not parent:
            return self._ask(make(tuple(self._conditions)))
        with self.conditional_scope(parent, parent_values):
            return self._ask(make(tuple(self._conditions)))

    def _ask(self, parameter: Parameter) -> Any:
        """Register, and say the value where it is active."""
        if any(condition.name == parameter.name for condition in parameter.conditions):
            raise ValueError(f"{parameter} depends on itself. Give it another name than its parent's.")
        parameter = self._overridden(parameter)
        key = (parameter.name, parameter.conditions)
        known = self._space.get(key)
        if key in self._asked and known != parameter:
            raise ValueError(
                f"{parameter.name!r} was asked for twice, with different meanings: {known}, then {parameter}. Give "
                "one of them another name, or put them into conditional scopes that exclude each other."
            )
        value = self._value(parameter) if parameter.is_active(self.values) else None
        self._space[key] = parameter
        self._asked.add(key)
        if value is not None:
            self.values[parameter.name] = value
        elif not self._is_active(parameter.name):  # left over from another point
            self.values.pop(parameter.name, None)
        return value

    def _value(self, parameter: Parameter) -> Any:
        name = parameter.name
        for values in (self.values, self._given, self._proposed):
            if name in values:
                try:
                    return parameter.check(values[name])
                except ValueError:
                    self._refuse_second_meaning(parameter)
        return parameter.check(self._unknown(parameter))

    def _refuse_second_meaning(self, parameter: Parameter) -> None:
        """A value that does not fit is passed over, but not where this run of build was given it already."""
        name, _ = key = (parameter.name, parameter.conditions)
        for other in self._asked - {key}:
            if other[0] == name and name in self.values and self._space[other].is_active(self.values):
                raise ValueError(
                    f"{name!r} has two meanings at once: {self._space[other]}, which is {self.values[name]!r}, and "
                    f"{parameter}. Give one of them another name, or put them into conditional scopes that exclude "
                    "each other."
                )

    def _overridden(self, parameter: Parameter) -> Parameter:
        """What a person set beforehand under that name, else `parameter`."""
        name, conditions = parameter.name, parameter.conditions
        if name in self._pins:
            return _parameters.Fixed(name, self._pins[name], conditions=conditions)
        override = self._overrides.get((name, conditions)) or self._overrides.get((name, ()))
        return parameter if override is None else replace(override, conditions=conditions)

    # -- scopes --------------------------------------------------------------------------------

    @contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Within it, ``name/`` stands before the names, so that a block may be used twice.

        Args:
            name: what stands before; scopes within scopes add up.

        Raises:
            ValueError: where the name is no text, or empty.

        Example:
            >>> hp = HyperParameters()
            >>> with hp.name_scope('encoder'):
            ...     units = hp.Int('units', 8, 64)
            >>> hp.values
            {'encoder/units': 8}

        """
        if not isinstance(name, str) or not name:
            raise ValueError(f"A name scope needs a name, a text that is not empty, got name_scope({name!r}).")
        self._names.append(name)
        try:
            yield
        finally:
            self._names.pop()

    @contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Within it, hyperparameters are active only where another one has one of some values.

        The code within runs in any case: what it asks for is registered, and is None where the condition is not
        met. Ask before you use it.

        Args:
            parent_name: of the other one, which must have been asked for. It is looked for in the name scopes that
                are open, from the innermost outwards.
            parent_values: a list of its values, or one of them.

        Raises:
            ValueError: where nobody has asked for the other one, or there are no values.

        Example:
            >>> hp = HyperParameters()
            >>> model = hp.Choice('model', ['dense', 'conv'])
            >>> with hp.conditional_scope('model', ['conv']):
            ...     print(hp.Int('filters', 8, 64))
            None
            >>> hp.values
            {'model': 'dense'}

        """
        self._conditions.append(Condition(self._parent(parent_name), parent_values))
        try:
            yield
        finally:
            self._conditions.pop()

    def _full(self, name: str) -> str:
        """The name below the scopes that are open."""
        return "/".join([*self._names, str(name)]) if str(name) else ""

    def _parent(self, name: str) -> str:
        """The full name of what a condition is about."""
        for depth in range(len(self._names), -1, -1):
            full = "/".join([*self._names[:depth], str(name)])
            if full in self._registered() or self._known_beforehand(full):
                return full
        raise ValueError(
            f"{unknown_name('hyperparameter', name, self._registered())} A condition is about one that has been asked "
            f"for: ask for {name!r} before the conditional scope on it."
        )

    def _registered(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self._space))

    # -- reading -------------------------------------------------------------------------------

    @property
    def space(self) -> list[Parameter]:
        """All that were registered, parents before what depends on them. A name has an entry for each condition."""
        return list(self._space.values())

    def get(self, name: str) -> Any:
        """The value of a hyperparameter that is active.

        One that was set beforehand counts as asked for from here on.

        Args:
            name: without the name scopes that are open.

        Raises:
            KeyError: where nobody has asked for it; the message holds the nearest name.
            ValueError: where it is not active.

        Example:
            >>> hp = HyperParameters()
            >>> rate = hp.Float('rate', 0, 0.5)
            >>> hp.get('rate'), hp['rate'], 'rate' in hp
            (0.0, 0.0, True)

        """
        name = self._full(name)
        self._known_beforehand(name)
        if name in self.values:
            return self.values[name]
        if name in self._registered():
            where = " or ".join(str(one) for one in self.space if one.name == name)
            raise ValueError(f"{name!r} is not active, and has no value: {where}. Ask 'if {name!r} in hp' first.")
        raise KeyError(unknown_name("hyperparameter", name, self._registered()))

    def _known_beforehand(self, name: str) -> bool:
        """Ask for what a person set beforehand, and say whether there is any."""
        before = [override for (one, _), override in self._overrides.items() if one == name]
        if not before and name in self._pins:
            before = [_parameters.Fixed(name, self._pins[name])]
        for override in [] if name in self._registered() else before:
            for condition in override.conditions:
                self._known_beforehand(condition.name)
            self._ask(override)
        return bool(before)

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        try:
            self.get(str(name))
        except (KeyError, ValueError):
            return False
        return True

    def is_active(self, hyperparameter: str | Parameter) -> bool:
        """Whether its conditions are met; of a full name, whether those of any entry are.

        Args:
            hyperparameter: a full name, or an entry of :attr:`space`.

        Example:
            >>> hp = HyperParameters()
            >>> on = hp.Boolean('on')
            >>> rate = hp.Float('rate', 0, 1, parent_name='on', parent_values=[True])
            >>> hp.is_active('on'), hp.is_active('rate')
            (True, False)

        """
        if isinstance(hyperparameter, Parameter):
            return hyperparameter.is_active(self.values)
        return self._is_active(str(hyperparameter))

    def _is_active(self, name: str) -> bool:
        return any(one.is_active(self.values) for one in self._space.values() if one.name == name)

    # -- others like it ------------------------------------------------------------------------

    def copy(self) -> Self:
        """One with the same space and values, which goes its own way; no scope is open in it.

        In a copy a name may be given another definition: `build` may be run on it again.

        Example:
            >>> hp = HyperParameters()
            >>> units = hp.Int('units', 8, 64)
            >>> again = hp.copy()
            >>> again.values['units'] = 32
            >>> again.Int('units', 8, 64), hp.values
            (32, {'units': 8})

        """
        other = type(self)(self._given, self._unknown)
        other.values = dict(self.values)
        other._proposed = dict(self._proposed)
        other._space = dict(self._space)
        other._overrides = dict(self._overrides)
        other._pins = dict(self._pins)
        return other

    def for_trial(self, values: Mapping[str, Any] | None = None, unknown: Unknown | None = None) -> Self:
        """An empty one for a run of `build`, in which what a person set here beforehand wins.

        What is registered here takes the place of what `build` registers under that name and those conditions (or,
        without conditions, under that name); what was given here as ``values=``, or written into :attr:`values`
        without being registered, is fixed.

        Args:
            values: what the search proposes.
            unknown: chooses the values of all others; None: their defaults.

        Example:
            >>> person = HyperParameters(values={'rate': 0.5})
            >>> units = person.Int('units', 8, 16)
            >>> hp = person.for_trial(values={'units': 64, 'rate': 0.1})
            >>> hp.Int('units', 8, 128), hp.Float('rate', 0, 1)  # 64 is not in the range that the person left
            (8, 0.5)

        """
        other = type(self)(unknown=unknown)
        other._proposed = dict(values or {})
        other._overrides = {**self._overrides, **self._space}
        unregistered = {name: value for name, value in self.values.items() if name not in self._registered()}
        other._pins = {**self._pins, **unregistered, **self._given}
        return other

    @contextmanager
    def closed(self) -> Iterator[Self]:
        """A stand-in that adds nothing to the space but what a person set beforehand.

        Everything else that is asked for in it has the value it has here, or its default. Scopes that are open here
        are open there.

        Example:
            >>> hp = HyperParameters(unknown=keyed(0, 0))
            >>> with hp.closed() as inner:
            ...     print(inner.Int('units', 8, 64))
            8
            >>> hp.space
            []

        """
        inner = self.copy()
        inner._names, inner._conditions = list(self._names), list(self._conditions)
        set_names = {name for name, _ in self._overrides} | self._pins.keys()
        inner._unknown = lambda one: (self._unknown if one.name in set_names else default_of)(one)
        yield inner
        for parameter in inner.space:
            if parameter.name in set_names:
                self._ask(parameter)

    def get_config(self) -> dict[str, Any]:
        """Plain JSON data: ``space``, ``values``, and ``given``, the values that nobody may have asked for yet."""
        return {
            "space": [parameter.get_config() for parameter in self.space],
            "values": dict(self.values),
            "given": {**self._given, **self._pins},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """One like the one whose ``get_config`` gave `config`.

        Raises:
            ValueError: on a kind of hyperparameter that does not exist, or settings that it does not have.

        Example:
            >>> hp = HyperParameters()
            >>> on = hp.Boolean('on')
            >>> HyperParameters.from_config(hp.get_config())
            HyperParameters({'on': False})

        """
        made = cls(config.get("given"))
        for parameter in map(parameter_from_config, config.get("space", ())):
            made._space[parameter.name, parameter.conditions] = parameter
        made.values = dict(config.get("values", {}))
        return made
