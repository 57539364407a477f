"""What is asked of a Hessian more than once: its spectrum, curvatures along vectors, shares and sums with intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from thalweg._intervals import student_interval
from thalweg.diagnosis.landscape._spectrum import Spectrum, spectrum_of
from thalweg.diagnosis.landscape._terrain import Terrain

LEVEL = 0.9  # of the intervals


class Estimate(NamedTuple):
    """A number and the interval that holds it.

    Attributes:
        value: the estimate.
        low, high: ends of the interval; both are `value` where it is exact.

    """

    value: float
    low: float
    high: float


def spectrum_at(
    terrain: Terrain, *, starts: int, steps: int, seed: int, told: Any, also: np.ndarray | None = None
) -> Spectrum:
    """The Hessian's spectrum at the net's own weights; `also` are vectors that the basis is to hold.

    Raises:
        ValueError: where the Hessian is not finite.

    """
    more = np.empty((0, terrain.size)) if also is None else also
    products = terrain.products()

    def times(vectors: np.ndarray) -> np.ndarray:
        found = products(vectors)
        if not np.isfinite(found).all():
            raise ValueError(
                "The loss is finite there, but its curvature is no finite number: a root or a power below 2 at 0? Move the "
                "weights a little, or give another loss."
            )
        return found

    return spectrum_of(
        times, terrain.size, terrain.epsilon, starts=starts, steps=steps, seed=seed, also=more, told=told
    )


def finite_slope(who: str, terrain: Terrain) -> tuple[float, np.ndarray]:
    """The loss and its gradient.

    Raises:
        ValueError: where either is no finite number.

    """
    loss, gradient = terrain.slope()
    if not np.isfinite(loss) or not np.isfinite(gradient).all():
        raise ValueError(
            f"{who}: the loss is {loss:.4g} and its gradient {np.linalg.norm(gradient):.4g} there; there is no shape to tell of. "
            "Scale the rows, or train the net anew with a lower rate."
        )
    return loss, gradient


def rayleigh(times: Callable[[np.ndarray], np.ndarray], vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The curvature v'Hv along unit vectors, and what is left of Hv without it, measured."""
    images = times(vectors)
    values = np.einsum("ij,ij->i", images, vectors)
    return values, np.linalg.norm(images - values[:, None] * vectors, axis=1)


def index_of(spectrum: Spectrum, noise: float) -> Estimate:
    """The share of negative eigenvalues: nodes below minus `noise`, each with its residual, over starts."""
    below = [spectrum.values + sign * spectrum.residuals < -noise for sign in (0, 1, -1)]
    middle, surely, maybe = (spectrum.weights @ each.astype(float) for each in below)
    if spectrum.exact:
        return Estimate(float(middle[0]), float(middle[0]), float(middle[0]))
    low, high = student_interval(surely, LEVEL)[0], student_interval(maybe, LEVEL)[1]
    return Estimate(float(middle.mean()), max(low, 0.0), min(high, 1.0))


def trace_of(spectrum: Spectrum, size: int) -> Estimate:
    each = size * (spectrum.weights @ spectrum.values)
    value = float(each.mean())
    return Estimate(value, *((value, value) if spectrum.exact else student_interval(each, LEVEL)))
