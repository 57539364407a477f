"""How sharp the place is where a net's weights lie: curvature, and how far the loss rises nearby."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thalweg import _seeds
from thalweg._checks import number
from thalweg._intervals import student_interval
from thalweg.diagnosis._plain import plain
from thalweg.diagnosis._telling import telling
from thalweg.diagnosis.landscape._curvature import LEVEL, Estimate, finite_slope, rayleigh, spectrum_at, trace_of
from thalweg.diagnosis.landscape._terrain import Terrain, terrain_of

_RADII = {True: 0.5, False: 0.05}  # adaptive or not
_RANDOM = 32  # directions, and their opposites, of the mean rise
_CLIMBS = 4  # starts of the worst rise
_STEPS = 8  # of a climb
_DRAWN = 41  # what a generator is for: part of its key


@dataclass(frozen=True, eq=False)
class Sharpness:
    """How sharp a place is.

    Attributes:
        eigenvalue: the Hessian's largest, with its residual and rounding as interval.
        trace: the sum of the eigenvalues, with its interval.
        worst_rise: how far the loss rises within the radius, at most: the highest of some climbs, which is what is sure; the
            interval goes from the lowest of the climbs to the highest.
        mean_rise: how far it rises on average over random directions of that length and their opposites, with its interval.
        radius: the length.
        adaptive: whether each weight's change is measured by its size.
        loss: of the net.
        rows: how many rows the loss is the mean of.

    """

    eigenvalue: Estimate
    trace: Estimate
    worst_rise: Estimate
    mean_rise: Estimate
    radius: float
    adaptive: bool
    loss: float
    rows: int

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {
            "eigenvalue": self.eigenvalue._asdict(),
            "trace": self.trace._asdict(),
            "worst_rise": _record(self.worst_rise),
            "mean_rise": _record(self.mean_rise),
            "radius": self.radius,
            "adaptive": self.adaptive,
            "loss": self.loss,
            "rows": self.rows,
        }

    def __str__(self) -> str:
        measure = "each weight's change over its size" if self.adaptive else "in weights"
        stable = (
            f"; gradient descent is stable below a rate of {2 / self.eigenvalue.value:.3g}"
            if self.eigenvalue.value > 0
            else ""
        )
        return "\n".join(
            [
                f"Sharpness at a loss of {self.loss:.4g}; {self.rows:,} rows; radius {self.radius:g}, {measure}",
                f"  largest eigenvalue  {_shown(self.eigenvalue)}{stable}",
                f"  trace               {_shown(self.trace)}",
                f"  worst rise          {_shown(self.worst_rise)}",
                f"  mean rise           {_shown(self.mean_rise)}",
            ]
        )


def _record(one: Estimate) -> dict[str, Any]:
    return {name: plain(value) for name, value in one._asdict().items()}


def _shown(one: Estimate) -> str:
    low, high = f"{one.low:.4g}", f"{one.high:.4g}"
    return f"{one.value:.4g}" + ("" if low == high else f" ({low} to {high})")


def sharpness(
    model: Any,
    x: Any,
    y: Any,
    *,
    radius: float | None = None,
    adaptive: bool = True,
    penalties: bool = True,
    precision: str = "float64",
    batch_size: int | None = None,
    seed: int = 0,
    verbose: Any = "auto",
) -> Sharpness:
    """How sharp the loss is around the net: its largest curvature, the sum of all, and how far it rises within a radius.

    The worst rise is ``max L(w + e) - L(w)`` over ``|e / |w|| <= radius`` (adaptive: rescaling layers of ReLU units, which changes
    nothing of what the net computes, changes nothing of it), or over ``|e| <= radius``. It is looked for by climbs that step to
    where the slope points, each time on the edge of the radius; they may miss the highest place, so the rise is sure and its
    maximum is not.

    Args:
        model: compiled with a loss.
        x: inputs: an array, a frame, or a dict or list of arrays.
        y: targets.
        radius: how far; None: 0.5 adaptive, else 0.05, as the papers have them.
        adaptive: whether each weight's change is measured by its size.
        penalties: whether penalties on weights and outputs are part of the loss.
        precision: ``'float64'`` or ``'float32'``.
        batch_size: rows at a time; None: 512.
        seed: of everything random.
        verbose: 0 says nothing; 1 shows how far it is; 'auto' does so in a terminal.

    Returns:
        The record; ``print(found)`` tells of it, ``found.record()`` is plain data.

    Raises:
        DataError: on rows that do not fit the net, or hold numbers that are none.
        ValueError: where the net has no loss or nothing to train, where its loss is no finite number, or on an argument out of
            range.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import sharpness
        >>> x = np.array([[1.0], [-1.0]])
        >>> model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> model.set_weights([np.ones((1, 1)), np.zeros(1)])
        >>> found = sharpness(model, x, x, radius=0.1, adaptive=False, verbose=0)  # H = 2 I: it rises by radius^2
        >>> round(found.worst_rise.value, 6), round(found.mean_rise.value, 6)
        (0.01, 0.01)

    Source: Foret et al. 2021, "Sharpness-aware minimization for efficiently improving generalization"; Kwon et al. 2021, "ASAM:
    adaptive sharpness-aware minimization for scale-invariant learning of deep neural networks".

    """
    far = number("sharpness", "radius", _RADII[bool(adaptive)] if radius is None else radius, above=0)
    terrain = terrain_of("sharpness", model, x, y, precision=precision, penalties=penalties, batch_size=batch_size)
    loss, gradient = finite_slope("sharpness", terrain)
    with telling("sharpness", verbose) as told:
        spectrum = spectrum_at(terrain, starts=4, steps=10, seed=_seeds.checked(seed), told=told)
    top = spectrum.vectors(np.array([len(spectrum.values) - 1]))
    values, residuals = rayleigh(terrain.products(), top)
    error = float(residuals[0]) + spectrum.noise
    value = float(values[0])
    scale = np.abs(terrain.weights[: terrain.size]) if adaptive else np.ones(terrain.size)
    rng = _seeds.generator(seed, _DRAWN)
    starts = [scale * gradient, scale * top[0], -scale * top[0], *rng.standard_normal((_CLIMBS - 3, terrain.size))]
    climbs = np.array([_climb(terrain, loss, start, scale, far) for start in starts])
    around = np.array(
        [_rise(terrain, loss, scale * _sized(rng.standard_normal(terrain.size), far)) for _ in range(_RANDOM)]
    )
    return Sharpness(
        Estimate(value, value - error, value + error),
        trace_of(spectrum, terrain.size),
        Estimate(float(climbs.max()), float(climbs.min()), float(climbs.max())),
        Estimate(float(around.mean()), *student_interval(around, LEVEL)),
        far,
        bool(adaptive),
        loss,
        terrain.rows,
    )


def _climb(terrain: Terrain, loss: float, start: np.ndarray, scale: np.ndarray, far: float) -> float:
    """The highest rise on the way from one start."""
    way, best = _sized(start, far), 0.0
    for _ in range(_STEPS):
        there = replace(terrain, weights=terrain.weights + terrain.whole(scale * way))
        height, slope = there.slope()
        if not np.isfinite(height):
            return float("inf")
        best = max(best, height - loss)
        way = _sized(scale * slope, far)
    return best


def _rise(terrain: Terrain, loss: float, move: np.ndarray) -> float:
    """The mean rise of a move and of its opposite: the slope, which is not sharpness, cancels."""
    way, both = terrain.whole(move), np.array([1.0, -1.0])
    losses, _ = terrain.on_plane(terrain.weights, way, np.zeros_like(way), both, np.zeros(2))
    return float(losses.mean()) - loss


def _sized(vector: np.ndarray, far: float) -> np.ndarray:
    """A vector of the length `far`, or none where it has none."""
    length = float(np.linalg.norm(vector))
    return vector * (far / length) if length else vector
