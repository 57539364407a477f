"""How an identifier becomes a member of a family (regularizers, constraints, ...), and a member its description.

One mechanism for all families: a name, a class, an instance, a function, or the plain dict that
Keras writes into its files. Nothing that a dict names is ever imported: a member comes from the
family's table, from the caller's own `custom_objects`, or from what the person registered in this process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thalweg._names import Table
from thalweg._registered import get_registered_name, get_registered_object
from thalweg._tunable import Tunable

_PACKAGES = frozenset({"keras", "tf_keras", "thalweg", "builtins"})
"""Whose names are the tables' own; anything else is somebody's custom object."""


class FunctionMember(Tunable):
    """A user's function in the place of a member: its name is all that can be written down.

    Args:
        function: the function; each distinct one is a structure of its own.

    Raises:
        TypeError: where it cannot be called.

    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise TypeError(f"function must be callable, got {type(self).__name__}(function={function!r}).")
        self.function = function

    def get_config(self) -> dict[str, Any]:
        """The function's name; the function itself must be handed back as a custom object."""
        return {"function": name_of(self.function)}


@dataclass(frozen=True)
class Family:
    """The lookups of one family.

    Args:
        table: names -> classes or functions.
        module: where Keras keeps the family: ``'keras.regularizers'``.
        wrap: what makes a member of any callable.
        base: the class of the members; None where any callable is a member.

    """

    table: Table
    module: str
    wrap: Callable[[Callable[..., Any]], Any]
    base: type | None = None

    def get(self, identifier: Any) -> Any:
        """The member that `identifier` stands for; None stays None.

        Raises:
            ValueError: on an unknown name, with the nearest known one.
            TypeError: where `identifier` is nothing that could name a member.

        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            return self._made(_registered(identifier) or self.table[identifier], {})
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        if callable(identifier) or (self.base and isinstance(identifier, self.base)):
            return self._made(identifier, {})
        raise TypeError(
            f"{self._article()} must be a name, a dict with 'class_name' and 'config', an instance, a class "
            f"or a callable, got {identifier!r} of type {type(identifier).__name__}."
        )

    def serialize(self, member: Any) -> dict[str, Any] | None:
        """The description of `member` in Keras's form, from which :meth:`deserialize` makes its like."""
        if member is None:
            return None
        if isinstance(member, FunctionMember):
            name = self.custom_name(member.function)
            return function_description(member.function, name)
        name = type(member).__name__
        ours = name in self.table and self.table[name] is type(member)
        return {
            "module": self.module if ours else type(member).__module__,
            "class_name": name,
            "config": member.get_config(),
            "registered_name": None if ours else _title(type(member)),
        }

    def custom_name(self, function: Callable[..., Any]) -> str:
        """The name of a user's function, told apart from a member of the family that is called the same."""
        name = get_registered_name(function)
        return f"Custom>{name}" if name in self.table else name

    def deserialize(self, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The member that `config` describes.

        Args:
            config: ``{'class_name': ..., 'config': {...}}``, with or without Keras's ``module`` and
                ``registered_name``.
            custom_objects: name -> class or function, for members that are not in the table.

        Raises:
            ValueError: where `config` names no member, or one that nobody handed over.

        """
        if not isinstance(config.get("class_name"), str):
            raise ValueError(f"{self._article()}'s description needs a 'class_name', got {dict(config)!r}.")
        settings = config.get("config") or {}
        if isinstance(settings, str):  # a function: its name stands where a class has its settings
            return self._made(self._named(settings, config, custom_objects or {}), {})
        return self._made(self._named(config["class_name"], config, custom_objects or {}), settings)

    def _named(self, name: str, config: Mapping[str, Any], custom: Mapping[str, Any]) -> Any:
        registered = config.get("registered_name") or ""
        found = _registered(registered, custom) or _registered(name, custom)
        if found is not None:
            return found
        module = config.get("module") or self.module
        if module.partition(".")[0] in _PACKAGES and ">" not in registered:
            return self.table[name]
        raise ValueError(
            f"Unknown {self.table.family} {name!r} of module {module!r}: what a description names is never imported. "
            f"Hand it over: custom_objects={{{name!r}: ...}}."
        )

    def _made(self, member: Any, settings: Mapping[str, Any]) -> Any:
        if isinstance(member, type):
            member = member.from_config(settings) if hasattr(member, "from_config") else member(**settings)
        return member if self.base and isinstance(member, self.base) else self.wrap(member)

    def _article(self) -> str:
        return f"{'An' if self.table.family[0] in 'aeiou' else 'A'} {self.table.family}"


def function_description(function: Callable[..., Any], name: str | None = None) -> dict[str, Any]:
    """A user's function in Keras's form: its name stands for it."""
    registered = get_registered_name(function)
    told = registered if ">" in registered else "function"
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name or name_of(function),
        "registered_name": told,
    }


def _registered(name: str, custom: Mapping[str, Any] | None = None) -> Any:
    """What a person handed over or registered under a name, with or without its package before it."""
    return get_registered_object(name, custom) or get_registered_object(name.rpartition(">")[2], custom)


def _title(kind: type) -> str:
    """By what a user's class is looked up when a file names it."""
    registered = get_registered_name(kind)
    return registered if ">" in registered else f"Custom>{registered}"


def name_of(function: Callable[..., Any]) -> str:
    """What a callable is called in messages and descriptions."""
    return str(getattr(function, "__name__", type(function).__name__))
