"""What was worked out last, kept while what it was worked out from stays the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Made = TypeVar("Made")


class Memo:
    """One result a name, kept until its name is asked for with another key.

    Whatever is in it can be worked out again from its key's contents: an empty memo costs time, and changes nothing.

    Example:
        >>> memo = Memo()
        >>> memo('square', 3, lambda: 9), memo('square', 3, lambda: 1 / 0)
        (9, 9)

    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, Any]] = {}

    def __call__(self, name: str, key: Any, make: Callable[[], Made]) -> Made:
        """The result under that name, made anew where the key is another one than last time."""
        if not self.has(name, key):
            self._known[name] = (key, make())
        made: Made = self._known[name][1]
        return made

    def has(self, name: str, key: Any) -> bool:
        """Whether the result is there already."""
        return name in self._known and bool(self._known[name][0] == key)


def digest(*parts: Any) -> bytes:
    """A short key for texts and arrays: the same for the same contents."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, (str, bytes)):
            found.update(part if isinstance(part, bytes) else part.encode())
        else:
            found.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
    return found.digest()
