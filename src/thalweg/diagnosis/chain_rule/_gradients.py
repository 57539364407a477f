"""Each row's own gradient, weight by weight, held as what it is made of: of a Dense kernel, an outer product a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thalweg import layers
from thalweg.diagnosis.chain_rule._passes import Ground, Passes, slopes_of_rows

_ROOM = 1 << 27  # numbers that gradients may take which are no outer products, all rows together: 1 GB


class Outer(NamedTuple):
    """Gradients ``fed[n] error[n]^T``, which are never multiplied out for all rows at once.

    Attributes:
        fed: [rows, inputs].
        error: [rows, units].

    """

    fed: np.ndarray
    error: np.ndarray

    def mean(self) -> np.ndarray:
        """Over the rows, as one axis."""
        return (self.fed.T @ self.error).ravel() / len(self.fed)

    def dots(self, vector: np.ndarray) -> np.ndarray:
        """[rows] the inner product of each row's gradient with one vector."""
        return np.einsum("nu,nu->n", self.fed @ vector.reshape(self.fed.shape[1], -1), self.error)

    def squares(self) -> np.ndarray:
        """[rows] the squared length of each row's gradient."""
        return np.square(self.fed).sum(axis=1) * np.square(self.error).sum(axis=1)

    def products(self, rows: np.ndarray) -> np.ndarray:
        """Inner products between the gradients of some rows, [rows, rows]."""
        fed, error = self.fed[rows], self.error[rows]
        return (fed @ fed.T) * (error @ error.T)

    def at(self, numbers: np.ndarray) -> np.ndarray:
        """[rows, numbers] some weights' parts of it."""
        i, j = np.divmod(numbers, self.error.shape[1])
        return self.fed[:, i] * self.error[:, j]


class Plain(NamedTuple):
    """Gradients multiplied out.

    Attributes:
        each: [rows, numbers].

    """

    each: np.ndarray

    def mean(self) -> np.ndarray:
        """Over the rows."""
        return self.each.mean(axis=0)

    def dots(self, vector: np.ndarray) -> np.ndarray:
        """[rows] the inner product of each row's gradient with one vector."""
        return self.each @ vector

    def squares(self) -> np.ndarray:
        """[rows] the squared length of each row's gradient."""
        return np.square(self.each).sum(axis=1)

    def products(self, rows: np.ndarray) -> np.ndarray:
        """Inner products between the gradients of some rows, [rows, rows]."""
        return self.each[rows] @ self.each[rows].T

    def at(self, numbers: np.ndarray) -> np.ndarray:
        """[rows, numbers] some weights' parts of it."""
        return self.each[:, numbers]


class Gradient(NamedTuple):
    """The gradients of one weight array.

    Attributes:
        layer: its layer's name.
        weight: its own.
        shape: of the array; `each` has it as one axis, the last index running fastest.
        each: a row's gradient each.

    """

    layer: str
    weight: str
    shape: tuple[int, ...]
    each: Outer | Plain

    @property
    def size(self) -> int:
        """How many numbers the array holds."""
        return int(np.prod(self.shape))


def gradients_of(ground: Ground, found: Passes) -> list[Gradient]:
    """The gradients of every trained weight, in the order of the net's weights.

    Raises:
        ValueError: where they would take more memory than is sensible.

    """
    network = ground.task.network
    calls: dict[int, list[int]] = {}
    for number, node in enumerate(network.nodes):
        calls.setdefault(node.layer, []).append(number)
    trained = {place.layer for place in network.trainable}
    direct = {i for i in trained if _is_outer(ground, found, calls[i])}
    others = tuple(number for i in sorted(trained - direct) for number in calls[i])
    _fits(ground, trained - direct)
    by_call = dict(zip(others, slopes_of_rows(ground, found, others) if others else (), strict=True))
    made = []
    for place in network.trainable:
        name, mine = place.weight.name, calls[place.layer]
        each: Outer | Plain
        if place.layer in direct:
            error = found.errors[mine[0]]
            fed = found.tensors[network.nodes[mine[0]].inputs[0]]
            each = Outer(fed, error) if name == "kernel" else Plain(error)
        else:
            total = sum(by_call[number][name] for number in mine)
            each = Plain(np.reshape(total, (len(found.losses), -1)))
        made.append(Gradient(network.layers[place.layer].name, name, tuple(place.weight.shape), each))
    return made


def _is_outer(ground: Ground, found: Passes, calls: Sequence[int]) -> bool:
    """Whether a layer is a Dense that is called once, on flat rows."""
    layer = ground.task.network.layers[ground.task.network.nodes[calls[0]].layer]
    return type(layer) is layers.Dense and len(calls) == 1 and found.errors[calls[0]].ndim == 2


def _fits(ground: Ground, which: set[int]) -> None:
    rows, places = len(ground.x[0]), ground.task.network.trainable
    numbers = sum(int(np.prod(place.weight.shape)) for place in places if place.layer in which)
    if rows * numbers > _ROOM:
        names = ", ".join(ground.task.network.layers[i].name for i in sorted(which))
        raise ValueError(
            f"A gradient a row of {names} is {numbers:,} numbers for each of {rows:,} rows, too many to hold. Look at "
            f"{max(1, _ROOM // numbers):,} rows at most."
        )
