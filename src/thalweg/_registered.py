"""Classes and functions of a person's own that descriptions may name, because the person said so in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_members: dict[str, Any] = {}
_names: dict[Any, str] = {}


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Let files name a class or function of one's own: a decorator.

    What is registered is found when a model that uses it is loaded in a process that has registered it too. The
    file holds its name alone.

    Args:
        package: stands before the name, so that two libraries' names do not meet.
        name: the class's or function's own where None.

    Raises:
        ValueError: where another class or function has that name already, or a class has no ``get_config``.

    Example:
        >>> import thalweg
        >>> @thalweg.saving.register_keras_serializable('docs')
        ... def cubed(x):
        ...     return x ** 3
        >>> thalweg.saving.get_registered_name(cubed)
        'docs>cubed'

    """

    def keep(member: Any) -> Any:
        title = f"{package}>{name or member.__name__}"
        before = _members.get(title)
        if before is not None and getattr(before, "__qualname__", None) != getattr(member, "__qualname__", None):
            raise ValueError(f"{title!r} is registered already, for {before!r}: give another package or name.")
        if isinstance(member, type) and not hasattr(member, "get_config"):
            raise ValueError(f"{member.__name__} has no get_config(): a file could not say how to make it again.")
        _members[title] = member
        _names[member] = title
        return member

    return keep


def get_registered_name(member: Any) -> str:
    """The name under which a class or function is registered, else its own."""
    return _names.get(member) or str(getattr(member, "__name__", member))


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The class or function of that name in `custom_objects` or among what is registered, or None."""
    return (custom_objects or {}).get(name, _members.get(name))


def get_custom_objects() -> dict[str, Any]:
    """Everything that is registered, by name; changes to it take effect."""
    return _members


@contextmanager
def custom_object_scope(objects: Mapping[str, Any]) -> Iterator[None]:
    """Within it, descriptions may name `objects`.

    Args:
        objects: name -> class or function.

    Example:
        >>> import thalweg
        >>> with thalweg.saving.custom_object_scope({'cubed': lambda x: x ** 3}):
        ...     thalweg.layers.Dense(1, activation='relu').units
        1

    """
    before = dict(_members)
    _members.update(objects)
    try:
        yield
    finally:
        _members.clear()
        _members.update(before)
