"""Which examples pull hardest at the weights, and which pull against each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.diagnosis.chain_rule._gradients import Gradient

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAIRED = 2000  # examples that are compared each with each: those that pull hardest
_TOLD = 5  # of each kind
_MUCH, _LITTLE = 0.9, 0.5  # share of the pull that cancels out


class Pair(NamedTuple):
    """Two examples whose gradients point against each other.

    Attributes:
        one, other: their numbers.
        cosine: of the angle between their gradients.
        product: the inner product of their gradients: what a step along one's gradient does to the other's loss.

    """

    one: int
    other: int
    cosine: float
    product: float


class Pulls(NamedTuple):
    """How hard each example pulls at all weights together, and how far they agree.

    Attributes:
        norms: [examples] the length of each example's gradient g.
        agreement: [examples] the cosine of the angle between g and the mean gradient; 0 where one of them is 0.
        mean_norm: the length of the mean gradient, which a step follows.
        cancelled: ``1 - |mean g| / mean |g|``, the share of the pull that cancels out.
        pairs: examples that undo most of each other's pull.

    """

    norms: np.ndarray
    agreement: np.ndarray
    mean_norm: float
    cancelled: float
    pairs: tuple[Pair, ...]

    @property
    def hardest(self) -> np.ndarray:
        """Numbers of the examples, who pulls hardest first."""
        return np.argsort(-self.norms, kind="stable")

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {
            "norms": self.norms.tolist(),
            "agreement": self.agreement.tolist(),
            "mean_norm": self.mean_norm,
            "cancelled": self.cancelled,
            "pairs": [one._asdict() for one in self.pairs],
        }

    def __str__(self) -> str:
        n = len(self.norms)
        if n == 1:
            return f"Pull of one example: |g| is {self.mean_norm:.3g}. {self._advice()}"
        lines = [
            f"Pulls of {n:,} examples: |g| is {self.norms.mean():.3g} on average, |mean g| is {self.mean_norm:.3g}: "
            f"{self.cancelled:.0%} of it cancels out",
            f"{'pulls hardest':<16}{'|g|':>12}{'share':>9}{'with the mean':>16}",
        ]
        total = float(np.sum(self.norms)) or 1.0
        for i in self.hardest[:_TOLD]:
            name, share = f"example {i}", self.norms[i] / total
            lines.append(f"{name:<16}{self.norms[i]:>12.3g}{share:>9.1%}{self.agreement[i]:>+16.2f}")
        against = int((self.agreement < 0).sum())
        lines.append(f"{against:,} of {n:,} pull against the mean: a small step along it makes their loss larger.")
        if self.pairs:
            told = ", ".join(f"{one.one} and {one.other} (cosine {one.cosine:+.2f})" for one in self.pairs)
            lines.append(f"undo most of each other's pull: {told}")
        return "\n".join([*lines, self._advice()])

    def _advice(self) -> str:
        if len(self.norms) == 1 or not self.norms.any():
            return "One example agrees with itself." if self.norms.any() else "No example pulls: every gradient is 0."
        if self.cancelled > _MUCH:
            return (
                "The examples ask for nearly opposite things: near a minimum that is so; early on, look at the pairs."
            )
        if self.cancelled < _LITTLE:
            return "They mostly agree: what one asks for helps most of the others."
        return "They agree in part, as is usual while a net learns."

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw each example: how hard it pulls, and how far with the mean.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.chain_rule._pictures import pulls_picture

        return pulls_picture(self, path)


def pulls_of(gradients: Sequence[Gradient]) -> Pulls:
    """From each row's gradients of all weights."""
    if not gradients:
        raise ValueError("The net has no weights that are trained: nothing is pulled at. Set trainable = True.")
    each = [one.each for one in gradients]
    squares = sum(one.squares() for one in each)
    norms = np.sqrt(squares)
    means = [one.mean() for one in each]
    mean_norm = float(np.sqrt(sum(float(mean @ mean) for mean in means)))
    along = sum(one.dots(mean) for one, mean in zip(each, means, strict=True))
    average = float(norms.mean())
    return Pulls(
        norms,
        _cosines(along, norms * mean_norm),
        mean_norm,
        max(0.0, 1 - mean_norm / average) if average else 0.0,
        _pairs(each, norms),
    )


def _pairs(each: Sequence[Any], norms: np.ndarray) -> tuple[Pair, ...]:
    """The pairs with the most negative inner products."""
    rows = np.sort(np.argsort(-norms, kind="stable")[:_PAIRED])
    products = sum(one.products(rows) for one in each)
    upper = np.triu_indices(len(rows), 1)
    values = products[upper]
    few = (
        np.argsort(values, kind="stable")[:_TOLD] if len(values) < 4 * _TOLD else np.argpartition(values, _TOLD)[:_TOLD]
    )
    few = few[np.argsort(values[few], kind="stable")]
    found = []
    for i, j, product in zip(rows[upper[0][few]], rows[upper[1][few]], values[few], strict=True):
        if product < 0:
            cosine = float(_cosines(product, norms[i] * norms[j]))
            found.append(Pair(int(i), int(j), cosine, float(product)))
    return tuple(found)


def _cosines(products: Any, lengths: Any) -> Any:
    return np.where(lengths > 0, np.clip(products / np.where(lengths > 0, lengths, 1), -1, 1), 0.0)
