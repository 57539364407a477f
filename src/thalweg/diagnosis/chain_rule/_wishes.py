"""What one neuron would like to be changed, and the course's table of wishes: weights down, examples across."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.diagnosis.chain_rule._gradients import Gradient

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOLD = 6  # of the weights of a neuron, those with the largest wishes
_DOWN, _ACROSS = 8, 6  # rows and columns of the table, where nobody says which


class Wishes(NamedTuple):
    """What would lower the loss, seen from one neuron: minus the gradient.

    Attributes:
        layer: name of the neuron's layer.
        number: of that layer as the course counts, 1 for the first hidden one.
        neuron: which of its neurons.
        example: for which example, or None: the average over all of them.
        z: the neuron's sum, ``bias + sum_i w_i a_i``.
        activation: what it makes of it.
        error: dL/dz.
        bias: -dL/db = -error: by how much, in proportion, to raise the bias. 0 where the neuron has none.
        weights: [inputs] -dL/dw_i = -error * a_i: in proportion to the activation that a weight comes from.
        earlier: [inputs] -error * w_i: how the earlier activations should change, in proportion to their weights.
        kernel: [inputs] w_i, the neuron's own weights.
        fed: [inputs] a_i, the earlier activations (means over the examples where `example` is None).
        picture: height, width and channels where the inputs are the net's and look like a picture; else None.

    """

    layer: str
    number: int
    neuron: int
    example: int | None
    z: float
    activation: float
    error: float
    bias: float
    weights: np.ndarray
    earlier: np.ndarray
    kernel: np.ndarray
    fed: np.ndarray
    picture: tuple[int, int, int] | None = None

    @property
    def largest(self) -> np.ndarray:
        """Numbers of the weights, the largest wish first."""
        return np.argsort(-np.abs(self.weights), kind="stable")

    @property
    def whom(self) -> str:
        """Which neuron, and for which example, in words."""
        where = f"neuron {self.neuron} of layer {self.number} ({self.layer})"
        return f"{where}, {'all examples on average' if self.example is None else f'example {self.example}'}"

    @property
    def verdict(self) -> str:
        """What it all comes to, in a sentence."""
        if self.error == 0:
            flat = self.z < 0 == self.activation
            return f"Nothing is asked of it: dL/dz is 0{', as its activation is flat below 0' if flat else ''}."
        idle = int((self.weights == 0).sum())
        rest = (
            f" {idle:,} of {len(self.weights):,} weights come from activations of 0 and would change nothing."
            if idle
            else ""
        )
        return f"The loss falls where its sum z {'rises' if self.error < 0 else 'falls'}.{rest}"

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {name: plain(value) for name, value in self._asdict().items()}

    def __str__(self) -> str:
        lines = [
            f"{self.whom[0].upper()}{self.whom[1:]}: z {self.z:.4g}, activation {self.activation:.4g}, dL/dz {self.error:+.3g}",
            self.verdict,
        ]
        if self.error == 0:
            return "\n".join(lines)
        lines += [
            f"{'':<12}{'activation a_i':>15}{'weight w_i':>13}{'wish for w_i':>15}{'wish for a_i':>15}",
            f"{'bias':<12}{'1':>15}{'':>13}{self.bias:>+15.3g}",
        ]
        lines += [
            f"{f'from {i}':<12}{self.fed[i]:>15.4g}{self.kernel[i]:>+13.3g}{self.weights[i]:>+15.3g}{self.earlier[i]:>+15.3g}"
            for i in self.largest[:_TOLD]
        ]
        left = len(self.weights) - _TOLD
        return "\n".join([*lines, *([f"... and {left:,} smaller wishes"] if left > 0 else [])])

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the neuron: what it asks of its bias, of its weights, and of the activations before it.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.chain_rule._pictures import wishes_picture

        return wishes_picture(self, path)


class WishTable(NamedTuple):
    """What each example asks of some weights, and the average that a step follows: minus the gradient.

    Attributes:
        numbers: of the weights, counted through the net (or the layer) from 0 on.
        names: of the weights: layer, array and place.
        examples: numbers of the examples.
        wishes: [weights, examples] -dL/dw.
        average: [weights] over all examples, shown or not.
        rows: how many those are.
        total: how many weights there are.

    """

    numbers: tuple[int, ...]
    names: tuple[str, ...]
    examples: tuple[int, ...]
    wishes: np.ndarray
    average: np.ndarray
    rows: int
    total: int

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {name: plain(value) for name, value in self._asdict().items()}

    def __str__(self) -> str:
        left, wide = [f"w_{i}  {name}" for i, name in zip(self.numbers, self.names, strict=True)], 11
        first = max(map(len, left), default=0)
        heads = "".join(f"{f'ex. {i}':>{wide}}" for i in self.examples)
        lines = [f"{'':<{first}}{heads}   average of {self.rows:,}"]
        for name, wishes, mean in zip(left, self.wishes, self.average, strict=True):
            lines.append(f"{name:<{first}}{''.join(f'{one:>+{wide}.3g}' for one in wishes)}   {mean:>+.3g}")
        return "\n".join([*lines, f"{len(self.numbers)} of {self.total:,} weights; the average is minus the gradient."])

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the table, each wish as a colour.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.chain_rule._pictures import table_picture

        return table_picture(self, path)


def table_of(
    gradients: Sequence[Gradient], weights: Sequence[int] | None, examples: Sequence[int] | None, rows: int
) -> WishTable:
    """The table of some weights and examples; where nobody says which, the weights with the largest averages."""
    total = sum(one.size for one in gradients)
    if weights is None:
        means = np.concatenate([one.each.mean() for one in gradients])
        weights = np.sort(np.argsort(-np.abs(means), kind="stable")[:_DOWN]).tolist()
    weights = tuple(within("each of weights", one, total) for one in _several(weights))
    shown: Any = range(min(rows, _ACROSS)) if examples is None else _several(examples)
    shown = tuple(within("each of examples", one, rows) for one in shown)
    names, wishes, average = [], [], []
    for number in weights:
        for one in gradients:
            if number < one.size:
                break
            number -= one.size
        each = 0.0 - one.each.at(np.array([number]))[:, 0]
        place = ", ".join(map(str, np.unravel_index(number, one.shape))) if one.shape else ""
        names.append(f"{one.layer} {one.weight}[{place}]")
        wishes.append(each[list(shown)])
        average.append(float(each.mean()))
    found = np.array(wishes).reshape(len(weights), len(shown))
    return WishTable(weights, tuple(names), shown, found, np.array(average), rows, total)


def _several(given: Any) -> Any:
    """One number alone is a list of one."""
    return given if np.iterable(given) else [given]


def within(what: str, number: Any, count: int) -> int:
    """A number from 0 to count - 1.

    Raises:
        ValueError: where it is none.

    """
    if isinstance(number, bool) or not hasattr(number, "__index__") or not 0 <= int(number) < count:
        raise ValueError(f"{what} must be a whole number from 0 to {count - 1:,}, got {number!r}.")
    return int(number)


def plain(value: Any) -> Any:
    """A field of a record as JSON can hold it."""
    return value.tolist() if isinstance(value, np.ndarray) else list(value) if isinstance(value, tuple) else value
