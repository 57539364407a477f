"""What the members of a population have each for themselves: rows, a number of epochs, callbacks."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg import data
from thalweg.callbacks import BackupAndRestore, RunFolder
from thalweg.data import DataWarning, Rows
from thalweg.models import _checks
from thalweg.models._fit import as_list

Numbers = np.ndarray | None  # row numbers of one member; None: all rows


class Portions(NamedTuple):
    """One entry a member.

    Attributes:
        epochs: the number of the last epoch.
        callbacks: those that are its own.
        rows: which rows it trains on; None where all members train on all.
        validation: which rows it is validated on; None where they share them.

    """

    epochs: list[int]
    callbacks: list[list[Any]]
    rows: list[Numbers] | None = None
    validation: list[Numbers] | None = None

    def facts(self) -> dict[str, str]:
        """By what the rows of each are known again."""
        parts = {"rows of members": self.rows, "validation rows of members": self.validation}
        return {name: _digest(each) for name, each in parts.items() if each is not None}


def epochs_of(asked: Any, members: int) -> list[int]:
    """One number of epochs a member, from one for all or a list."""
    if not isinstance(asked, (list, tuple, np.ndarray)):
        return [asked] * members
    each = list(asked)
    _one_each("epochs", each, members)
    for one in each:
        _checks.fit_arguments({"epochs": one})
    return [int(one) for one in each]


def callbacks_each(given: Any, members: int) -> list[list[Any]]:
    """The members' own callbacks.

    Raises:
        ValueError: on one that is in two lists, or that keeps a whole fit.

    """
    if given is None:
        return [[] for _ in range(members)]
    each = [as_list(one) for one in given]
    _one_each("member_callbacks", each, members)
    owner: dict[int, int] = {}
    for i, listed in enumerate(each):
        for one in listed:
            if isinstance(one, (RunFolder, BackupAndRestore)):
                raise ValueError(
                    f"{type(one).__name__} keeps the state of a whole fit, so it cannot be one member's own, got "
                    f"member_callbacks[{i}]. Give it as one of `callbacks`, or as `run`."
                )
            if owner.setdefault(id(one), i) != i:
                raise ValueError(
                    f"member_callbacks[{owner[id(one)]}] and member_callbacks[{i}] hold the same {type(one).__name__}: "
                    "each member needs an object of its own."
                )
    return each


def rows_each(name: str, given: Sequence[Any], members: int, n: int) -> list[Numbers]:
    """Row numbers of each member, looked over."""
    _one_each(name, given, members)
    found: list[Numbers] = []
    for i, one in enumerate(given):
        numbers = None if one is None else np.asarray(one)
        if numbers is not None:
            if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or not numbers.size:
                raise ValueError(
                    f"{name}[{i}] must hold row numbers, one at least, or be None for all rows, got an array of shape "
                    f"{numbers.shape} and dtype {numbers.dtype}."
                )
            if numbers.min() < 0 or numbers.max() >= n:
                raise ValueError(
                    f"{name}[{i}] must hold numbers of rows from 0 to {n - 1}, got {numbers.min()} to {numbers.max()}."
                )
            numbers = numbers.astype(np.int32)
        found.append(numbers)
    return found


def split_each(rows: list[Numbers], fraction: float, n: int) -> tuple[list[Numbers], list[Numbers]]:
    """Cut each member's rows as ``validation_split`` does: the last ones are for validation."""
    train: list[Numbers] = []
    rest: list[Numbers] = []
    for one in rows:
        numbers = np.arange(n, dtype=np.int32) if one is None else one
        first = int(np.floor(len(numbers) * (1 - fraction)))
        if first in (0, len(numbers)):
            raise data.DataError(
                f"validation_split={fraction} of {len(numbers)} rows leaves {first} to train on and "
                f"{len(numbers) - first} to validate on: both need one at least."
            )
        train.append(numbers[:first])
        rest.append(numbers[first:])
    return train, rest


def warn_of_repeats(rows: list[Numbers], validation: list[Numbers], n: int) -> None:
    """Warn of rows, of `n`, that a member is both trained and validated on."""
    every = np.arange(n)
    for i, (train, rest) in enumerate(zip(rows, validation, strict=True)):
        both = np.intersect1d(every if train is None else train, every if rest is None else rest)
        if len(both):
            warnings.warn(
                f"Member {i} trains on {len(both)} of the rows that it is validated on: its validation score looks "
                "better than it is.",
                DataWarning,
                stacklevel=2,
            )


def warn_of_one_class(model: Any, train: Rows, rows: list[Numbers]) -> None:
    """Warn of members whose training rows are all of one class."""
    for one in rows:
        if one is not None:
            part = train._replace(y=tuple(array[one] for array in train.y), n=len(one))
            _checks.one_class(model, part)


def _one_each(name: str, given: Sequence[Any], members: int) -> None:
    if len(given) != members:
        raise ValueError(f"{name} must hold one entry a member ({members}), got {len(given)}.")


def _digest(each: list[Numbers]) -> str:
    told = hashlib.sha256()
    for numbers in each:
        told.update(b"all" if numbers is None else len(numbers).to_bytes(8, "little") + numbers.tobytes())
    return told.hexdigest()
