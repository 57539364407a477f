"""A search's axes: where trials lie on those of the hyperparameters, for whoever draws them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from thalweg.tuner._summary import meanings, short, value_of
from thalweg.tuner._trial import Trial

if TYPE_CHECKING:
    from thalweg.tuner._parameters import Parameter

_FEW = 8  # values of a range that are shown side by side, as those of a list are
_POWERS = 8  # of ten that are marked at most


class Axes:
    """The axes of a space: one a hyperparameter that could differ.

    Args:
        space: the parameters.

    Example:
        >>> from thalweg.tuner import Float, Int
        >>> axes = Axes([Int('units', 1, 4), Float('rate', 1e-4, 1e-2, sampling='log')])
        >>> axes.record()[1]
        {'name': 'rate', 'ticks': [[0.0, '0.0001'], [0.5, '0.001'], [1.0, '0.01']]}
        >>> axes.places(Trial(0, {'units': 1, 'rate': 0.001}))
        {'units': 0.125, 'rate': 0.5}

    """

    def __init__(self, space: Iterable[Parameter]) -> None:
        self.parameters = {name: one for name, one in meanings(space).items() if one.count != 1}

    def record(self) -> list[dict[str, Any]]:
        """Per axis its name and a few values, each with its place between 0 and 1, as plain data."""
        return [
            {"name": name, "ticks": [[round(place, 6), text] for place, text in ticks_of(one)]}
            for name, one in self.parameters.items()
        ]

    def places(self, trial: Trial) -> dict[str, float]:
        """Where a trial crosses each axis, 0 to 1; those that were not active are left out."""
        found = {name: (one, value_of(one, trial)) for name, one in self.parameters.items()}
        return {name: round(one.unit(value), 6) for name, (one, value) in found.items() if value is not None}


def options_of(parameter: Parameter) -> tuple[Any, ...] | None:
    """The values of what has a few; None of a range of many."""
    if parameter.count is None or (parameter.count > _FEW and not hasattr(parameter, "options")):
        return None
    return parameter.grid()


def is_log(parameter: Parameter) -> bool:
    """Whether values are drawn by their logarithm."""
    return getattr(parameter, "sampling", None) == "log"


def ticks_of(parameter: Parameter) -> list[tuple[float, str]]:
    """A few values, each with its place between 0 and 1."""
    values = options_of(parameter) or tuple(dict.fromkeys(parameter.value_at(i / 4) for i in range(5)))
    if is_log(parameter) and options_of(parameter) is None and parameter.step is None:  # type: ignore[attr-defined]
        low, high = (math.log10(end) for end in (parameter.min_value, parameter.max_value))  # type: ignore[attr-defined]
        powers = [10.0**k for k in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]
        values = tuple(powers[:: math.ceil(len(powers) / _POWERS)]) if len(powers) > 2 else values
    return [(parameter.unit(value), short(value)) for value in values]
