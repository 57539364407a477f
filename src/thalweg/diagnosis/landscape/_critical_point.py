"""What kind of place a net's weights are: a minimum, a saddle, a maximum, a flat, or on a slope; and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from thalweg._checks import number
from thalweg._seeds import checked
from thalweg.diagnosis._plain import plain
from thalweg.diagnosis._telling import telling
from thalweg.diagnosis.landscape._curvature import Estimate, finite_slope, index_of, rayleigh, spectrum_at
from thalweg.diagnosis.landscape._spectrum import Spectrum
from thalweg.diagnosis.landscape._terrain import Terrain, terrain_of

KINDS = ("minimum", "saddle", "maximum", "flat", "not critical")
TOLERANCE = 1e-3
_ENDS = 5  # eigenvalues at each end that are measured
_STARTS, _STEPS = 3, 10
_BEYOND = 1.25  # of how much a curvature changes on the way; where it just vanishes there, its sign is unknown


class Curvature(NamedTuple):
    """The curvature along one direction.

    Attributes:
        value: an eigenvalue of the Hessian.
        error: how far off it may be: its residual, rounding, and, near a critical point, how much it changes between the net's
            weights and that point, as the quadratic model places it.

    """

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class CriticalPoint:
    """What kind of place a net's weights are.

    Attributes:
        kind: ``'minimum'``, ``'saddle'``, ``'maximum'``, ``'flat'`` or ``'not critical'``.
        certainty: how many times its error the curvature is that decides; of a saddle, the less certain of both. Above 1 the
            kind is more than rounding. Of a slope: the foretold change of the loss over the largest that is let pass. Of a
            flat: the error over the largest curvature.
        loss: there.
        gradient_norm: length of the gradient.
        change: how much the loss would change on the way to the nearest critical point, as the quadratic model foretells:
            ``sum_i (g . v_i)^2 / (2 |lambda_i|)``.
        scale: what the change is compared with: the loss, or that of the net with weights 0, whichever is larger.
        distance: to that point, in weights.
        lowest, highest: the lowest and the highest eigenvalue; the kind is decided by the surest of the five at each end.
        index: the share of all eigenvalues that are negative, beyond the errors of the lowest, with its interval.
        flat: the share that these errors cannot tell from 0; None of large nets, where nobody knows.
        size: how many weights are trained.
        direction: along which the loss falls the fastest by curvature: the eigenvector of `lowest`, [weights].

    """

    kind: str
    certainty: float
    loss: float
    gradient_norm: float
    change: float
    scale: float
    distance: float
    lowest: Curvature
    highest: Curvature
    index: Estimate
    flat: float | None
    size: int
    direction: np.ndarray = field(repr=False)

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {
            "kind": self.kind,
            "certainty": plain(self.certainty),
            "loss": self.loss,
            "gradient_norm": self.gradient_norm,
            "change": plain(self.change),
            "scale": self.scale,
            "distance": self.distance,
            "lowest": {"value": self.lowest.value, "error": plain(self.lowest.error)},
            "highest": {"value": self.highest.value, "error": plain(self.highest.error)},
            "index": self.index._asdict(),
            "flat": self.flat,
            "size": self.size,
        }

    def __str__(self) -> str:
        share = f" ({self.change / self.scale:.2g} times the loss's scale of {self.scale:.3g})" if self.scale else ""
        index = f"{self.index.value:.1%}"
        if self.index.low < self.index.high:
            index += f" ({self.index.low:.1%} to {self.index.high:.1%})"
        return "\n".join(
            [
                f"{self.kind}: {_MEANS[self.kind]}",
                f"  loss               {self.loss:.5g}, gradient {self.gradient_norm:.2g} long",
                f"  change foretold    {self.change:.2g}{share} to the nearest critical point, {self.distance:.2g} away",
                f"  lowest curvature   {_shown(self.lowest)}",
                f"  highest curvature  {_shown(self.highest)}",
                f"  surely negative    {index} of {self.size:,} eigenvalues{self._flat()}",
                f"  certainty          {self.certainty:.2g} {_CERTAIN[self.kind]}",
            ]
        )

    def _flat(self) -> str:
        return "" if self.flat is None else f", {self.flat:.1%} cannot be told from 0"


_MEANS = {
    "minimum": "the loss rises or is level on all sides; no direction falls, up to second order.",
    "saddle": "some directions rise and some fall. The gradient is small, yet the loss can go on falling: no local minimum.",
    "maximum": "the loss falls or is level on all sides.",
    "flat": "no curvature is larger than its error; terms of higher order decide, which the Hessian does not see.",
    "not critical": "the slope is too large for its curvature; the loss goes on falling along the gradient.",
}
_CERTAIN = {
    "minimum": "times its error: the surest curvature that rises",
    "saddle": "times its error: the less sure of what rises and what falls",
    "maximum": "times its error: the surest curvature that falls",
    "flat": "times the largest curvature is the error",
    "not critical": "times the change that is let pass",
}


def _shown(curvature: Curvature) -> str:
    return f"{curvature.value:+.5g} +- {curvature.error:.1e}"


def critical_point(
    model: Any,
    x: Any,
    y: Any,
    *,
    tolerance: float = TOLERANCE,
    penalties: bool = True,
    precision: str = "float64",
    batch_size: int | None = None,
    seed: int = 0,
    verbose: Any = "auto",
) -> CriticalPoint:
    """Say what kind of place the net's weights are on the loss of these rows.

    A place counts as critical where the loss would hardly change on the way to the nearest critical point of the quadratic
    model: ``sum_i (g . v_i)^2 / (2 |lambda_i|)`` (the Newton decrement with sizes of eigenvalues) is at most `tolerance` times
    the loss, or times the loss of the net with weights 0, if that is larger. A short gradient alone says nothing: along flat
    directions it is short on every slope, and the sum is large there.

    The kind follows from eigenvalues that are larger than their errors: the measured residual, rounding, and how much
    the curvature along the eigenvector changes from the net's weights to that critical point. A minimum may have flat
    directions; what holds along them is left to higher orders.

    Args:
        model: compiled with a loss.
        x: inputs: an array, a frame, or a dict or list of arrays.
        y: targets.
        tolerance: the largest change that is let pass, as a share.
        penalties: whether penalties on weights and outputs are part of the loss.
        precision: ``'float64'`` or ``'float32'``.
        batch_size: rows at a time; None: 512.
        seed: of the Lanczos process's starts, for nets of more than 1,500 weights.
        verbose: 0 says nothing; 1 shows how far it is; 'auto' does so in a terminal.

    Returns:
        The record; ``print`` explains it.

    Raises:
        DataError: on rows that do not fit the net, or hold numbers that are none.
        ValueError: where the net has no loss or nothing to train, where its loss is no finite number, or on an argument out of
            range.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import critical_point
        >>> x = np.array([[1.0], [-1.0]])
        >>> model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> model.set_weights([np.zeros((1, 1)), np.zeros(1), np.zeros((1, 1)), np.zeros(1)])
        >>> critical_point(model, x, x, verbose=0).kind
        'saddle'

    Source: Dauphin et al. 2014, "Identifying and attacking the saddle point problem in high-dimensional non-convex
    optimization"; Frye et al. 2021, "Critical point-finding methods reveal gradient-flat regions of deep network losses".

    """
    number("critical_point", "tolerance", tolerance, above=0)
    terrain = terrain_of("critical_point", model, x, y, precision=precision, penalties=penalties, batch_size=batch_size)
    with telling("critical_point", verbose) as told:
        return point_at(terrain, tolerance, checked(seed), told)


def point_at(terrain: Terrain, tolerance: float, seed: int, told: Callable[[int, int], None]) -> CriticalPoint:
    """What kind of place the terrain's weights are."""
    loss, gradient = finite_slope("critical_point", terrain)
    length = float(np.linalg.norm(gradient))
    also = gradient[None] / length if length else None  # its components must lie in the basis
    spectrum = spectrum_at(terrain, starts=_STARTS, steps=_STEPS, seed=seed, told=told, also=also)
    change, step = _newton(spectrum, gradient)
    nothing = np.concatenate([np.zeros(terrain.size), terrain.weights[terrain.size :]])
    scale = float(np.nanmax([abs(loss), abs(terrain.loss(nothing))]))
    critical = change <= tolerance * scale
    values, errors, vectors = _measured(terrain, spectrum, step if critical else None)
    blur = max(spectrum.noise, float(errors[values < 0].max(initial=0.0)))
    low, high = int(np.argmin(values)), int(np.argmax(values))
    lowest, highest = (Curvature(float(values[i]), float(errors[i])) for i in (low, high))
    kind, certainty = _judged(_over(values, errors))
    if not critical:
        kind, certainty = "not critical", float(_over(change, tolerance * scale))
    return CriticalPoint(
        kind,
        certainty,
        loss,
        length,
        change,
        scale,
        float(np.linalg.norm(step)),
        lowest,
        highest,
        index_of(spectrum, blur),
        spectrum.share_within(blur) if spectrum.exact else None,
        terrain.size,
        vectors[low],
    )


def _newton(spectrum: Spectrum, gradient: np.ndarray) -> tuple[float, np.ndarray]:
    """The change of the loss that the quadratic model foretells, and the step to its critical point."""
    along = spectrum.components(gradient)
    curved = np.abs(spectrum.values) > spectrum.noise
    change = float(np.sum(_over(along**2, 2 * (np.abs(spectrum.values) + spectrum.noise))))
    steps = np.where(curved, -along / np.where(curved, spectrum.values, 1), 0)
    step: np.ndarray = (spectrum.coordinates @ steps) @ spectrum.basis
    return change, step


def _measured(
    terrain: Terrain, spectrum: Spectrum, step: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The eigenvalues at both ends, their errors as those of the critical point that a step leads to, and their vectors."""
    vectors = spectrum.vectors(spectrum.ends(_ENDS))
    values, residuals = rayleigh(terrain.products(), vectors)
    if step is None:
        return values, residuals + spectrum.noise, vectors
    there, _ = rayleigh(terrain.products(terrain.weights + terrain.whole(step)), vectors)
    moved = _BEYOND * np.abs(there - values)
    return values, residuals + spectrum.noise + np.where(np.isfinite(moved), moved, np.inf), vectors


def _judged(times: np.ndarray) -> tuple[str, float]:
    """The kind of a critical point, and how many times its error the curvature is that decides: the surest of each sign."""
    falls, rises = float(-times.min()), float(times.max())
    if falls > 1 and rises > 1:
        return "saddle", min(falls, rises)
    if rises > 1:
        return "minimum", rises
    if falls > 1:
        return "maximum", falls
    return "flat", float(_over(1.0, max(falls, rises, 0.0)))


def _over(value: Any, by: Any) -> Any:
    """A quotient that is 0 where the value is, and infinite where only the divisor is 0."""
    value, by = np.broadcast_arrays(np.asarray(value, float), np.asarray(by, float))
    by_zero = np.where(value == 0, 0.0, np.copysign(np.inf, value))
    return np.where(by == 0, by_zero, value / np.where(by == 0, 1, by))
