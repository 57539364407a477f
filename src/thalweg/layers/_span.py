"""Random numbers between two ends, of which each image draws its own; the ends are hypers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from thalweg._checks import number
from thalweg._tunable import Tunable
from thalweg.layers._context import Context


class Span(Tunable):
    """Numbers between two ends, each as likely as the other; one number alone stands for as much either way.

    Args:
        lower: the lower end; a hyper.
        upper: the upper end; a hyper.

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("lower", "upper")
    RANGES: ClassVar = {"lower": (-1.0, 1.0), "upper": (-1.0, 1.0)}

    def __init__(self, lower: float, upper: float) -> None:
        self.lower, self.upper = lower, upper

    def get_config(self) -> dict[str, Any]:
        return {"lower": self.lower, "upper": self.upper}

    @classmethod
    def around(cls, given: float) -> Span:
        """What one number alone stands for."""
        return cls(-abs(given), abs(given))

    @classmethod
    def between(cls, lower: float, upper: float) -> Span:
        """What two numbers stand for, in either order."""
        return cls(min(lower, upper), max(lower, upper))

    @property
    def plain(self) -> Any:
        """As a layer is given it: one number where that says it, or both."""
        return self.upper if self.lower == -self.upper else (self.lower, self.upper)


class Spread(Span):
    """How far numbers go below 1, and how far above.

    Args:
        lower: how far below; a hyper.
        upper: how far above; a hyper.

    """

    RANGES: ClassVar = {"lower": (0.0, 1.0), "upper": (0.0, 1.0)}

    @classmethod
    def around(cls, given: float) -> Span:
        return cls(given, given)

    @classmethod
    def between(cls, lower: float, upper: float) -> Span:
        return cls(lower, upper)

    @property
    def plain(self) -> Any:
        return self.upper if self.lower == self.upper else (self.lower, self.upper)


class Factor:
    """An attribute that is written as a number or two ends, and held as a :class:`Span`.

    Args:
        kind: of the span.

    """

    def __init__(self, kind: type[Span] = Span) -> None:
        self.kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        if layer is None:
            return self
        held = layer.__dict__.get(f"_{self.name}")
        return None if held is None else held.plain

    def __set__(self, layer: Any, given: Any) -> None:
        layer.__dict__[f"_{self.name}"] = None if given is None else self._span(layer, given)

    def _span(self, layer: Any, given: Any) -> Span:
        both = isinstance(given, (list, tuple, np.ndarray))
        if both and len(given) != 2:
            raise ValueError(
                f"{self.name} must be a number or a pair of them, the lower and the upper end, got "
                f"{type(layer).__name__}({self.name}={given!r})."
            )
        low, high = self.kind.RANGES["lower"]
        try:
            ends = [number(layer, self.name, one, at_least=low, at_most=high) for one in (given if both else [given])]
        except ValueError as error:
            raise ValueError(f"{error} It is a part of {layer.WHOLE}.") from None
        return self.kind.between(*ends) if both else self.kind.around(*ends)


def drawn(ctx: Context, n: int, *names: str) -> list[Any]:
    """A number between the two ends of each of some factors, for each image."""
    parts = ctx.uniform((n, len(names)))
    ends = [(ctx.h[f"{name}/lower"], ctx.h[f"{name}/upper"]) for name in names]
    return [low + (high - low) * parts[:, i] for i, (low, high) in enumerate(ends)]
