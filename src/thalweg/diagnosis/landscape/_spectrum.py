"""The spectrum of a symmetric matrix that is known by its products: exact where it is small, else by block Lanczos."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from thalweg import _seeds
from thalweg.diagnosis._one_thread import one_thread
from thalweg.diagnosis.landscape._terrain import VECTORS

DENSE = 1500  # up to this size the matrix is written out
_STARTS = 21  # what a generator is for: part of its key
_BLOCKS = 60  # of the basis, at most
_EVERY = 5  # blocks between two looks at how far the ends are known
_ENOUGH = 1e-3  # error of an end over the size of the matrix, from which on it is known
_ROUNDING = 100  # numbers of the precision that an eigenvalue may be off, over the size of the matrix
_LOST = 1e-10  # of what is left of a vector, below which it lies in the span of the others

Times = Callable[[np.ndarray], np.ndarray]
Told = Callable[[int, int], None]


class Spectrum(NamedTuple):
    """Eigenvalues, or Ritz values that stand for them.

    Attributes:
        values: [n], in ascending order.
        residuals: |H v - value v| of each, [n]: within that distance there is an eigenvalue.
        weights: [starts, n], the share of all eigenvalues that a value stands for, as each start tells it.
        exact: whether these are all eigenvalues.
        noise: what rounding may add to a value.
        basis: [n, size], orthonormal.
        coordinates: of the vectors in it, [n, n], a column a value.

    """

    values: np.ndarray
    residuals: np.ndarray
    weights: np.ndarray
    exact: bool
    noise: float
    basis: np.ndarray
    coordinates: np.ndarray

    @property
    def largest(self) -> float:
        """The size of the matrix: its largest eigenvalue, whatever its sign."""
        return float(np.abs(self.values).max())

    def ends(self, count: int) -> np.ndarray:
        """Numbers of the `count` lowest and the `count` highest values."""
        n = len(self.values)
        return np.unique([*range(min(count, n)), *range(max(n - count, 0), n)])

    def share_within(self, noise: float) -> float:
        """The share of values that are no larger than `noise`, whatever their sign."""
        return float(self.weights.mean(axis=0)[np.abs(self.values) <= noise].sum())

    def vectors(self, which: np.ndarray) -> np.ndarray:
        """Eigenvectors, [values, size]."""
        found: np.ndarray = self.coordinates[:, which].T @ self.basis
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def components(self, vector: np.ndarray) -> np.ndarray:
        """A vector's components along all of them."""
        found: np.ndarray = self.coordinates.T @ (self.basis @ vector)
        return found


def spectrum_of(
    times: Times, size: int, epsilon: float, *, starts: int, steps: int, seed: int, also: np.ndarray, told: Told
) -> Spectrum:
    """All eigenvalues of a small matrix; of a large one those at the ends, and how the others are spread.

    Args:
        times: multiplies the matrix with vectors, [vectors, size].
        size: of the matrix.
        epsilon: of the precision that `times` computes in.
        starts: random vectors to start from.
        steps: blocks of the basis, at least.
        seed: of the starts.
        also: further vectors that the basis is to hold, [vectors, size].
        told: is called with the number of products done and how many there will be at most.

    """
    if size <= DENSE:
        return _written_out(times, size, epsilon, told)
    drawn = _seeds.generator(seed, _STARTS).standard_normal((starts, size))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return _krylov(times, drawn, also, epsilon, steps, _seeds.generator(seed, _STARTS, 1), told)


def _written_out(times: Times, size: int, epsilon: float, told: Told) -> Spectrum:
    parts = []
    for start in range(0, size, VECTORS):
        parts.append(times(np.eye(min(VECTORS, size - start), size, start)))
        told(min(start + VECTORS, size), size)
    matrix = np.concatenate(parts)
    apart = float(np.abs(matrix - matrix.T).max())
    values, vectors = _eigen(matrix)
    noise = _noise(values, epsilon, apart)
    return Spectrum(values, np.zeros(size), np.full((1, size), 1 / size), True, noise, np.eye(size), vectors)


def _eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors of a symmetric matrix."""
    with one_thread():
        values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return values, vectors


def _krylov(
    times: Times,
    starts: np.ndarray,
    also: np.ndarray,
    epsilon: float,
    steps: int,
    rng: np.random.Generator,
    told: Told,
) -> Spectrum:
    """Block Lanczos with full reorthogonalization: the matrix seen from the space of its powers times the starts.

    A block finds as many copies of a multiple eigenvalue as it has vectors. Where products give no new direction, a random
    one takes its place, so that the basis can grow to the whole space.
    """
    block = len(starts) + len(also)
    size = starts.shape[1]
    room = min(max(steps, _BLOCKS) * block, size)
    basis, matrix = np.empty((room, size)), np.zeros((room, room))
    n, apart = 0, 0.0
    fresh = np.concatenate([starts, also])
    while True:
        added = _orthogonal(fresh[: room - n], basis[:n], rng)
        first, n = n, n + len(added)
        basis[first:n] = added
        image = times(added)
        seen = basis[:n] @ image.T
        apart = max(apart, float(np.abs(seen[first:] - seen[first:].T).max()))
        matrix[:n, first:n], matrix[first:n, :n] = seen, seen.T
        fresh = image - seen.T @ basis[:n]
        told(n, room)
        blocks = n // block
        if n == room or (blocks >= steps and blocks % _EVERY == 0):
            found = _ritz(matrix[:n, :n], fresh, starts, basis[:n], epsilon, apart)
            ends = found.residuals[found.ends(1)].max()
            if n == room or ends <= max(_ENOUGH * found.largest, found.noise):
                return found


def _orthogonal(vectors: np.ndarray, basis: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors for what is new in some vectors, orthogonal to the basis and to each other; random ones for the rest."""
    made: list[np.ndarray] = []
    for vector in vectors:
        while True:
            scale = float(np.linalg.norm(vector))
            for _ in range(2):  # once leaves what rounding adds
                vector = vector - (basis @ vector) @ basis
                for other in made:
                    vector = vector - (other @ vector) * other
            left = float(np.linalg.norm(vector))
            if left > _LOST * scale:
                break
            vector = rng.standard_normal(len(vector))
        made.append(vector / left)
    return np.array(made)


def _ritz(
    matrix: np.ndarray, rest: np.ndarray, starts: np.ndarray, basis: np.ndarray, epsilon: float, apart: float
) -> Spectrum:
    """Ritz values from the matrix in the basis, and what the last products hold beyond the basis."""
    values, vectors = _eigen(matrix)
    last = vectors[-len(rest) :]
    residuals = np.sqrt(np.maximum(np.einsum("ik,ij,jk->k", last, rest @ rest.T, last), 0))
    weights = (starts @ basis.T @ vectors) ** 2
    exact = len(values) == basis.shape[1]
    weights = np.full((1, len(values)), 1 / len(values)) if exact else weights / weights.sum(axis=1, keepdims=True)
    return Spectrum(values, residuals, weights, exact, _noise(values, epsilon, apart), basis, vectors)


def _noise(values: np.ndarray, epsilon: float, apart: float) -> float:
    """What rounding may add: the last digits of the largest value, and how far products are from symmetric."""
    return float(_ROUNDING * epsilon * np.abs(values).max() + 10 * apart)
