"""Where seeds come from when nobody names one; no generator's state is ever stored."""

from __future__ import annotations

import itertools
import random
import secrets

import numpy as np

_base: int | None = None
_count = itertools.count()


def set_random_seed(seed: int) -> None:
    """Make everything random that follows repeatable: Python's, NumPy's and thalweg's numbers.

    Args:
        seed: a non-negative integer below 2**32.

    Raises:
        ValueError: where `seed` is not such an integer.

    Example:
        >>> import thalweg
        >>> thalweg.utils.set_random_seed(812)

    """
    global _base, _count
    _base = checked(seed)
    _count = itertools.count()
    random.seed(seed)
    np.random.seed(seed)


def checked(seed: int) -> int:
    """`seed` itself where it is an integer in [0, 2**32)."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be an integer in [0, 2**32), got {seed!r}.")
    return int(seed)


def next_seed() -> int:
    """A seed for whoever was given none: fresh, or the next one after :func:`set_random_seed`."""
    if _base is None:
        return secrets.randbits(32)
    return int(np.random.SeedSequence((_base, next(_count))).generate_state(1)[0])


def generator(*key: int) -> np.random.Generator:
    """A host generator that depends on `key` alone: (seed, layer's position, weight's position), ..."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
