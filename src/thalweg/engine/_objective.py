"""The loss of a whole net: one loss per output, their weights, and sums over real rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg._tunable import Tunable, below
from thalweg.losses import Loss

Arrays = tuple[Any, ...]


class Objective(Tunable):
    """Losses and their weights, output by output.

    Args:
        losses: one per output; None where an output is not trained on.
        weights: one number per output, or None where none was given.

    """

    def __init__(self, losses: tuple[Loss | None, ...], weights: tuple[float, ...] | None = None) -> None:
        self.losses = losses
        self.weights = weights

    def hypers(self) -> dict[str, float]:
        """``'<output>/<name>'`` for each loss's numbers and ``'<output>/weight'``."""
        found: dict[str, float] = {}
        for i, loss in enumerate(self.losses):
            if loss is not None:
                found.update({f"{i}/{name}": value for name, value in loss.hypers().items()})
            if self.weights is not None:
                found[f"{i}/weight"] = self.weights[i]
        return found

    def set_hyper(self, path: str, value: float) -> None:
        """Write a loss's number or an output's weight."""
        output, _, local = path.partition("/")
        if local == "weight" and self.weights is not None:
            self.weights = tuple(value if i == int(output) else old for i, old in enumerate(self.weights))
        else:
            self.losses[int(output)].set_hyper(local, value)  # type: ignore[union-attr]

    def structure(self) -> tuple[Any, ...]:
        """Which losses, and whether they are weighted."""
        return (tuple(loss and loss.structure() for loss in self.losses), self.weights is not None)

    def twin(self) -> Objective:
        """A copy with numbers of its own."""
        return Objective(tuple(loss and loss.twin() for loss in self.losses), self.weights)

    def per_output(self, h: Mapping[str, Any], y: Arrays, outputs: Arrays, weight: Arrays, rows: Any) -> list[Any]:
        """One scalar per trained output: its rows' losses, reduced as the loss says.

        Args:
            rows: [batch] 1.0 for real rows, or None where all are real.

        """
        costs = []
        for i, loss in enumerate(self.losses):
            if loss is None:
                continue
            each = loss.apply(below(h, str(i)), y[i], outputs[i])
            costs.append(loss.reduce(each, row_weight(weight, i), rows, loss.counted(y[i])))
        return costs

    def total(self, h: Mapping[str, Any], costs: list[Any]) -> Any:
        """The weighted sum of the outputs' losses."""
        trained = [i for i, loss in enumerate(self.losses) if loss is not None]
        total: Any = 0.0
        for i, cost in zip(trained, costs, strict=True):
            total = total + (cost if self.weights is None else cost * h[f"{i}/weight"])
        return total


def row_weight(weight: Arrays, output: int) -> Any:
    """The row weights of one output: none, the common ones, or its own."""
    if not weight:
        return None
    return weight[0] if len(weight) == 1 else weight[output]
