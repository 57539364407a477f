"""What a search is for: the name of a log, and which way it is better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg._names import Table, unknown
from thalweg.callbacks._monitor import direction_of

DEFAULT = "val_loss"
"""What a search is for where nobody says."""

_SIGNS = Table("direction", {"min": 1.0, "max": -1.0})
"""Direction -> what a value is multiplied by, so that less is better."""


@dataclass(frozen=True)
class Objective:
    """A log that a search makes as small, or as large, as it can.

    Args:
        name: of the log: ``'val_loss'``, ``'val_accuracy'``, a metric.
        direction: ``'min'`` or ``'max'``; None: by the name, where it is that of a known loss or metric.

    Raises:
        ValueError: where the direction is neither, or the name tells none.

    Example:
        >>> Objective('val_accuracy').direction, Objective('profit', 'max').better(2.0, 1.0)
        ('max', True)

    """

    name: str
    direction: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"Objective needs the name of a log, such as 'val_loss', got Objective({self.name!r}).")
        if self.direction is None:
            object.__setattr__(self, "direction", _inferred(self.name))
        _SIGNS[self.direction]  # type: ignore[index]  # an unknown one raises, with the nearest known one

    @property
    def sign(self) -> float:
        """1 where less is better, -1 where more is: ``sign * value`` is to be made small."""
        return float(_SIGNS[str(self.direction)])

    def better(self, a: float | None, b: float | None) -> bool:
        """Whether `a` beats `b`. A value that is not finite, or None, beats nothing and is beaten by all others.

        Args:
            a: a value of the log.
            b: another one.

        Example:
            >>> loss = Objective('loss')
            >>> loss.better(0.1, 0.2), loss.better(float('nan'), 0.2), loss.better(0.2, float('nan'))
            (True, False, True)

        """
        if a is None or not math.isfinite(a):
            return False
        return b is None or not math.isfinite(b) or self.sign * a < self.sign * b

    def has_value(self, logs: Mapping[str, Any]) -> bool:
        """Whether `logs` hold the objective.

        Args:
            logs: name -> value of an epoch, or name -> values.

        """
        return self.name in logs

    def get_value(self, logs: Mapping[str, Any]) -> Any:
        """The objective among `logs`.

        Args:
            logs: name -> value of an epoch, or name -> values.

        Raises:
            ValueError: where they lack it; the message holds the nearest name.

        """
        if not self.has_value(logs):
            data = "Pass validation_data or validation_split to search, or choose" if self._validates else "Choose"
            raise ValueError(
                f"The search is for {self.name!r}, which the logs lack. {unknown('log', self.name, list(logs))} {data} "
                "another objective."
            )
        return logs[self.name]

    @property
    def _validates(self) -> bool:
        return self.name.startswith("val_")

    def best_of(self, history: Mapping[str, Sequence[float]]) -> tuple[int, float] | None:
        """The best epoch of a fit.

        Args:
            history: name -> one value an epoch, as in ``History.history``.

        Returns:
            Its place in the list, counted from 0, and the value there; the first of equally good ones. None where no
            value is finite.

        Raises:
            ValueError: where the history lacks the objective.

        Example:
            >>> Objective('loss').best_of({'loss': [float('nan'), 0.5, 0.2, 0.3]})
            (2, 0.2)

        """
        best: tuple[int, float] | None = None
        for epoch, value in enumerate(self.get_value(history)):
            if self.better(value, None if best is None else best[1]):
                best = (epoch, float(value))
        return best


def _inferred(name: str) -> str:
    try:
        return direction_of(name, "Objective")
    except ValueError as error:
        near = str(error.__cause__).partition(" Known:")[0]  # the nearest known one, without the list of all
        raise ValueError(
            f"Nobody knows whether more or less of {name!r} is better, got Objective({name!r}). {near} Pass "
            f"Objective({name!r}, direction='min') or direction='max'."
        ) from None


def objectives_of(given: Any = None) -> tuple[Objective, ...]:
    """The objectives that a person handed to a tuner; several make a Pareto front.

    Args:
        given: a name, an :class:`Objective`, or a list of them; None: ``'val_loss'``.

    Returns:
        One or more, in the order in which they came. The first one chooses a trial's best epoch.

    Raises:
        ValueError: on an empty list, an objective twice, a name that tells no direction.
        TypeError: on anything else.

    Example:
        >>> [one.direction for one in objectives_of(['val_accuracy', Objective('seconds', 'min')])]
        ['max', 'min']

    """
    listed = list(given) if isinstance(given, (list, tuple)) else [DEFAULT if given is None else given]
    found = tuple(one if isinstance(one, Objective) else _named(one) for one in listed)
    if not found:
        raise ValueError("objective must be a name, an Objective, or a list of one or more, got an empty list.")
    names = [one.name for one in found]
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ValueError(f"Objectives must differ, got {twice[0]!r} twice: {names}.")
    return found


def _named(given: Any) -> Objective:
    if not isinstance(given, str):
        raise TypeError(f"objective must be a name such as 'val_loss', an Objective, or a list of them, got {given!r}.")
    return Objective(given)


def best_epoch(
    objectives: Sequence[Objective], history: Mapping[str, Sequence[float]]
) -> tuple[int, tuple[float, ...]] | None:
    """The best epoch by the first objective, and the values of all of them in it.

    Args:
        objectives: one or more.
        history: name -> one value an epoch, as in ``History.history``.

    Returns:
        The epoch, counted from 0, and a value an objective; None where the first one has no finite value.

    Raises:
        ValueError: where the history lacks an objective.

    Example:
        >>> goals = objectives_of(['val_loss', 'val_accuracy'])
        >>> best_epoch(goals, {'val_loss': [0.9, 0.5, 0.6], 'val_accuracy': [0.6, 0.7, 0.8]})
        (1, (0.5, 0.7))

    """
    series = [one.get_value(history) for one in objectives]
    best = objectives[0].best_of(history)
    return None if best is None else (best[0], tuple(float(values[best[0]]) for values in series))
