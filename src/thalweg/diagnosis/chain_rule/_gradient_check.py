"""What a check of gradients found, as plain data and as a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FINE = {"right", "no effect", "not judged"}
"""Verdicts that nothing is wrong with."""
_SAID = {
    "right": "",
    "wrong": "the gradient is not that of the function",
    "no gradient": "it has an effect, and no gradient flows: stop_gradient, rounding, a comparison, or units that are dead",
    "no effect": "nothing hangs on it",
    "not judged": "nothing but corners, jumps and rounding here: differences tell nothing",
    "not finite": "the value or the gradient is NaN or infinite",
}


class CheckedGradient(NamedTuple):
    """What was found of one weight or input.

    Attributes:
        name: of it.
        shape: of its array.
        verdict: ``'right'``, ``'wrong'``, ``'no gradient'``, ``'no effect'``, ``'not judged'`` or ``'not finite'``.
        error: the largest relative error.
        place: index of the number where that is; None along a random direction.
        automatic: the derivative there by automatic differentiation.
        numeric: by differences.
        kinks: at how many of the moves there is a corner or a jump; they are not judged.
        pairs: [moves, 2] derivatives by both ways, of single numbers and along random directions.

    """

    name: str
    shape: tuple[int, ...]
    verdict: str
    error: float
    place: tuple[int, ...] | None
    automatic: float
    numeric: float
    kinks: int
    pairs: np.ndarray

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.verdict in _FINE


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """Whether the gradients of something are right.

    Attributes:
        name: of what was looked at.
        parts: its weights, then its inputs.
        tolerance: the relative error up to which a gradient is right.

    """

    name: str
    parts: tuple[CheckedGradient, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every gradient is right, or there is nothing to be right about."""
        return all(one.fine for one in self.parts)

    @property
    def answer(self) -> str:
        """What was found, in a sentence."""
        wrong = [one for one in self.parts if not one.fine]
        if not wrong and all(one.verdict != "right" for one in self.parts):
            return "Nothing could be judged here. Check it where it is smooth and has an effect: other inputs."
        if not wrong:
            return f"The gradients are right: the largest relative error is {max(one.error for one in self.parts):.1g}."
        names = ", ".join(f"{one.name} ({one.verdict})" for one in wrong)
        return f"Something is wrong with {names}."

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        parts = [
            {
                **one._asdict(),
                "shape": list(one.shape),
                "place": one.place and list(one.place),
                "pairs": one.pairs.tolist(),
            }
            for one in self.parts
        ]
        return {"name": self.name, "passed": self.passed, "tolerance": self.tolerance, "parts": parts}

    def __str__(self) -> str:
        first = max(len(one.name) for one in self.parts)
        lines = [
            f"Gradients of {self.name}, automatic differentiation against central differences in float64",
            f"{'':<{first}}  {'verdict':<12}{'error':>8}   {'automatic':>12}{'numeric':>12}   where",
        ]
        for one in self.parts:
            where = "a random direction" if one.place is None else f"[{', '.join(map(str, one.place))}]"
            kinks = f"; {one.kinks} of {len(one.pairs)} moves at kinks, not judged" if one.kinks else ""
            numbers = f"{one.error:>8.1g}   {one.automatic:>+12.4g}{one.numeric:>+12.4g}   {where}"
            lines.append(f"{one.name:<{first}}  {one.verdict:<12}{numbers}{kinks}")
            lines += [f"{'':<{first}}  {_SAID[one.verdict]}"] if _SAID[one.verdict] else []
        return "\n".join([*lines, self.answer])

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw derivatives by both ways against each other: right ones lie on the diagonal.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.chain_rule._pictures import check_picture

        return check_picture(self, path)
