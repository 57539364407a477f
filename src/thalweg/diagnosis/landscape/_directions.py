"""Two directions that make a plane of weights: random ones scaled by filters, eigenvectors, or those of a fit's way."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg import _seeds
from thalweg.diagnosis.landscape._curvature import spectrum_at
from thalweg.diagnosis.landscape._terrain import Terrain
from thalweg.network import Place

NAMES = ("filter", "eigen", "trajectory")
_DRAWN = 31  # what a generator is for: part of its key
_LEAST = 1e-7  # of the first singular value, below which a way has one direction alone


def filter_normalized(terrain: Terrain, seed: int) -> np.ndarray:
    """Two random directions, [2, all weights]: each filter's part is as long as the filter; biases and the like stand still."""
    found = []
    for number in range(2):
        rng = _seeds.generator(seed, _DRAWN, number)
        parts = [
            _like(place, weight, rng.standard_normal(weight.shape))
            for place, weight in zip(terrain.task.network.trainable, terrain.shaped(terrain.weights), strict=False)
        ]
        found.append(terrain.whole(np.concatenate([part.reshape(-1) for part in parts])))
    return np.array(found)


def _like(place: Place, weight: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """A random array, each filter of which is as long as the weight's."""
    if weight.ndim < 2:  # biases, and what scales and shifts units
        return np.zeros_like(weight)
    filters = place.weight.axes.index("out") if "out" in place.weight.axes else weight.ndim - 1
    others = tuple(axis for axis in range(weight.ndim) if axis != filters)
    lengths = [np.sqrt(np.sum(one**2, axis=others, keepdims=True)) for one in (weight, drawn)]
    return drawn * lengths[0] / lengths[1]


def eigen(terrain: Terrain, seed: int, told: Any) -> np.ndarray:
    """The eigenvectors of the two largest eigenvalues, [2, all weights], each of length 1.

    Raises:
        ValueError: where only one weight is trained.

    """
    if terrain.size < 2:
        raise ValueError("A plane needs two weights at least, got a net with one that is trained.")
    spectrum = spectrum_at(terrain, starts=4, steps=5, seed=seed, told=told)
    vectors = spectrum.vectors(np.array([len(spectrum.values) - 1, len(spectrum.values) - 2]))
    return np.array([terrain.whole(vector) for vector in vectors])


def principal(terrain: Terrain, weights: np.ndarray) -> np.ndarray:
    """The two principal directions of a way, seen from its end, [2, all weights], each of length 1.

    Args:
        terrain: whose weights these are.
        weights: [points, all weights], the last one is the end.

    Raises:
        ValueError: where the way has no two directions.

    """
    apart = (weights - weights[-1])[:, : terrain.size]
    _, lengths, directions = np.linalg.svd(apart, full_matrices=False)
    if len(lengths) < 2 or not lengths[1] > _LEAST * lengths[0]:
        raise ValueError(
            f"directions='trajectory' needs weights at three places that do not lie on a line, got {len(weights)} along the path. "
            "Keep more of them: Trajectory('10 steps')."
        )
    return np.array([terrain.whole(direction) for direction in directions[:2]])
