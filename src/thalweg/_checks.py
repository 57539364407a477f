"""Numbers that a constructor is given, checked once, with one wording."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from thalweg._names import unknown

_LARGEST = sys.float_info.max
Bounds = tuple[Callable[[Any], bool], str]
"""What an argument must be: as a test, and in words."""


def number(
    owner: object,
    name: str,
    value: Any,
    *,
    at_least: float = -math.inf,
    at_most: float = math.inf,
    above: float = -math.inf,
) -> float:
    """`value` as a float, where it is one finite number within the bounds.

    Args:
        owner: whose argument it is: the object under construction, or its name.
        name: the argument.
        value: what came.
        at_least: the lowest value allowed.
        at_most: the highest value allowed.
        above: what the value must exceed.

    Raises:
        ValueError: where it is not; the message names the argument, what was expected and what came.

    Example:
        >>> number('L2', 'l2', 1)
        1.0

    """
    real = hasattr(value, "__float__") and not isinstance(value, (bool, np.bool_)) and np.ndim(value) == 0
    finite = real and -_LARGEST <= value <= _LARGEST  # unlike math.isfinite, this bears integers of any size
    if finite and above < value and at_least <= value <= at_most:
        return float(value)
    title = owner if isinstance(owner, str) else type(owner).__name__
    bounds = ((">", above), (">=", at_least), ("<=", at_most))
    expected = " and ".join(f"{sign} {bound:g}" for sign, bound in bounds if math.isfinite(bound))
    raise ValueError(f"{name} must be a finite number{expected and ' ' + expected}, got {title}({name}={value!r}).")


def whole(at_least: int) -> Callable[[Any], bool]:
    """A test for whole numbers that are not truth values.

    Example:
        >>> whole(1)(3), whole(1)(0), whole(0)(True)
        (True, False, False)

    """
    return lambda value: (
        isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= at_least)
    )


def arguments(owner: str, given: Mapping[str, Any], wanted: Mapping[str, Bounds]) -> None:
    """Raise on the first argument that is out of bounds.

    Args:
        owner: whose arguments they are, by name.
        given: the arguments.
        wanted: bounds of those that have some.

    Raises:
        ValueError: naming the argument, what was expected and what came.

    Example:
        >>> arguments('fit', {'epochs': 3, 'x': None}, {'epochs': (whole(1), 'a positive integer')})

    """
    for name, value in given.items():
        if name in wanted:
            fits, words = wanted[name]
            if not fits(value):
                raise ValueError(f"{name} must be {words}, got {owner}({name}={value!r}).")


def one_of(owner: object, name: str, value: Any, known: Iterable[str]) -> str:
    """`value`, where it is one of some names.

    Args:
        owner: whose argument it is.
        name: the argument.
        value: what came.
        known: the names.

    Raises:
        ValueError: where it is none of them; the message holds the nearest.

    Example:
        >>> one_of('Conv2D', 'padding', 'same', ('valid', 'same'))
        'same'

    """
    if isinstance(value, str) and value in known:
        return value
    title = owner if isinstance(owner, str) else type(owner).__name__
    raise ValueError(f"{title}: {unknown(name, value, list(known))}")
