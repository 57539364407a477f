"""One table of names per family: how a string becomes an object, and what a misspelt one is told."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Container, Iterator, Mapping
from typing import Any


class Table(Mapping[str, Any]):
    """Maps the names of one family (activations, losses, ...) to what they stand for.

    Args:
        family: what the members are called in messages, in the singular: ``'activation'``.
        members: name -> member. Aliases are further names of the same member.

    Raises:
        ValueError: on looking up an unknown name; the message holds the nearest known name.

    """

    def __init__(self, family: str, members: Mapping[str, Any]) -> None:
        self.family = family
        self._members = dict(members)

    def __getitem__(self, name: str) -> Any:
        if name in self._members:
            return self._members[name]
        raise ValueError(unknown(self.family, name, self._members))

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def unknown(family: str, name: object, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """The message for an unknown name: the nearest known one, then all of them."""
    return f"Unknown {family} {name!r}.{nearest(name, known)}"


def nearest(name: object, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """What follows the message that there is no such name: the nearest known one, then all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{hint} Known: {', '.join(names)}."


def tell_absent(module: str, base: type | None = None, later: Container[str] = ()) -> None:
    """Have a module tell the nearest name that it has, where it is asked for one that it has not.

    Args:
        module: its name.
        base: of the classes that are told of; None: whatever it defines.
        later: names of Keras's that it has not yet.

    """
    held = vars(sys.modules[module])

    def told(what: Any) -> bool:
        if base is not None:
            return isinstance(what, type) and issubclass(what, base)
        return str(getattr(what, "__module__", "")).startswith(module)

    def absent(name: str) -> Any:
        if name.startswith("_"):
            hint = ""
        elif name in later:
            hint = f": Keras's {name} is not here yet."
        else:
            hint = f".{nearest(name, [one for one, what in held.items() if not one.startswith('_') and told(what)])}"
        raise AttributeError(f"module {module!r} has no attribute {name!r}{hint}", name=name, obj=sys.modules[module])

    held["__getattr__"] = absent


def snake_case(name: str) -> str:
    """``'BatchNormalization'`` -> ``'batch_normalization'``, as Keras names layers."""
    out = []
    for i, letter in enumerate(name):
        follows_lower = i > 0 and name[i - 1].islower()
        starts_word = i > 0 and i + 1 < len(name) and name[i + 1].islower()
        if letter.isupper() and (follows_lower or starts_word):
            out.append("_")
        out.append(letter.lower())
    return "".join(out)
