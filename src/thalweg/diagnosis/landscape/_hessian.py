"""The Hessian of a net's loss: its extreme eigenvalues, how the others are spread, and how many are negative."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg._checks import arguments, whole
from thalweg._seeds import checked
from thalweg.diagnosis._telling import telling
from thalweg.diagnosis.landscape._curvature import (
    LEVEL,
    Estimate,
    finite_slope,
    index_of,
    rayleigh,
    spectrum_at,
    trace_of,
)
from thalweg.diagnosis.landscape._terrain import Terrain, terrain_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS = 400  # at which a density is drawn
_WIDTH = 0.01  # of the bell that stands for a value, over the width of the spectrum
_BOUNDS = {
    "count": (whole(1), "a whole number of 1 or more"),
    "starts": (whole(2), "a whole number of 2 or more, as one start tells nothing of their spread"),
    "steps": (whole(2), "a whole number of 2 or more"),
}


class Density(NamedTuple):
    """How eigenvalues are spread.

    Attributes:
        values: places, [points].
        mean: share of the eigenvalues a unit, the mean over starts, [points].
        low, high: the least and the largest of the starts, [points].

    """

    values: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Hessian:
    """The curvature of a net's loss around its weights.

    Attributes:
        eigenvalues: the lowest and the highest ones, in ascending order.
        residuals: of each, |H v - value v|, measured: an eigenvalue lies within that distance.
        eigenvectors: of each, [values, weights], of length 1; the weights are those that are trained, one after the other.
        index: the share of all eigenvalues that are negative, with its interval.
        flat: the share that rounding cannot tell from 0.
        trace: their sum, with its interval.
        exact: whether all eigenvalues were computed.
        noise: what rounding may add to an eigenvalue.
        loss: of the rows.
        gradient_norm: length of its gradient.
        size: how many weights are trained.
        rows: how many rows the loss is the mean of.
        precision: ``'float32'`` or ``'float64'``.
        nodes: values that stand for all eigenvalues, in ascending order, [nodes].
        shares: of the eigenvalues, that each node stands for, as each start tells it, [starts, nodes].

    """

    eigenvalues: np.ndarray
    residuals: np.ndarray
    index: Estimate
    flat: float
    trace: Estimate
    exact: bool
    noise: float
    loss: float
    gradient_norm: float
    size: int
    rows: int
    precision: str
    nodes: np.ndarray = field(repr=False)
    shares: np.ndarray = field(repr=False)
    eigenvectors: np.ndarray = field(repr=False)
    _terrain: Terrain = field(repr=False)

    def eigenvector(self, number: int) -> list[np.ndarray]:
        """One of the eigenvectors as arrays, one a trained weight.

        Args:
            number: of the eigenvalue; -1 is the highest.

        """
        return self._terrain.shaped(self.eigenvectors[number])

    def density(self, width: float | None = None, points: int = _POINTS) -> Density:
        """The spectrum's density: a bell in the place of each node.

        Args:
            width: deviation of the bell; None: 1/100 of the spectrum's width.
            points: at how many places.

        """
        low, high = float(self.nodes[0]), float(self.nodes[-1])
        wide = width or _WIDTH * (high - low) or max(abs(high), 1.0) * _WIDTH
        places = np.linspace(low - 4 * wide, high + 4 * wide, points)
        bells = np.exp(-0.5 * ((places[:, None] - self.nodes) / wide) ** 2) / (wide * np.sqrt(2 * np.pi))
        each = self.shares @ bells.T
        return Density(places, each.mean(axis=0), each.min(axis=0), each.max(axis=0))

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {
            "eigenvalues": self.eigenvalues.tolist(),
            "residuals": self.residuals.tolist(),
            "index": self.index._asdict(),
            "flat": self.flat,
            "trace": self.trace._asdict(),
            "exact": self.exact,
            "noise": self.noise,
            "loss": self.loss,
            "gradient_norm": self.gradient_norm,
            "size": self.size,
            "rows": self.rows,
            "precision": self.precision,
            "density": {name: values.tolist() for name, values in self.density()._asdict().items()},
        }

    def __str__(self) -> str:
        how = "all computed" if self.exact else f"{len(self.nodes)} of them seen, from {len(self.shares)} starts"
        lines = [
            f"Hessian of the loss {self.loss:.4g}: {self.size:,} eigenvalues, {how}; {self.rows:,} rows, {self.precision}",
            f"{'eigenvalue':>14}{'error at most':>16}",
        ]
        middle = np.argmax(np.diff(self.eigenvalues)) if len(self.eigenvalues) < self.size else -1
        for i, (value, residual) in enumerate(zip(self.eigenvalues, self.residuals, strict=True)):
            lines.append(f"{value:>14.5g}{residual + self.noise:>16.1e}")
            if i == middle:
                lines.append(f"{'...':>14}")
        return "\n".join([*lines, *self._shares()])

    def _shares(self) -> list[str]:
        index, trace = self.index, self.trace
        if not self.exact:
            return [
                f"negative: {index.value:.1%} ({index.low:.1%} to {index.high:.1%}, {LEVEL:.0%})",
                f"trace: {trace.value:.4g} ({trace.low:.4g} to {trace.high:.4g}, {LEVEL:.0%})",
            ]
        negative, flat = round(index.value * self.size), round(self.flat * self.size)
        return [
            f"negative: {negative:,} of {self.size:,} ({index.value:.1%}); flat: {flat:,} ({self.flat:.1%})",
            f"trace: {trace.value:.5g}",
        ]

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the spectrum's density, logarithmic, and its ends.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.landscape._pictures import hessian_picture

        return hessian_picture(self, path)


def hessian(
    model: Any,
    x: Any,
    y: Any,
    *,
    count: int = 5,
    starts: int = 4,
    steps: int = 20,
    penalties: bool = True,
    precision: str = "float64",
    batch_size: int | None = None,
    seed: int = 0,
    verbose: Any = "auto",
) -> Hessian:
    """The second derivatives of the loss, ``H = d^2 L / dw^2``, by their eigenvalues.

    The loss is the mean over the rows with the net as it is used: dropout off, moving averages as they are. Up to 1,500
    weights, H is written out and every eigenvalue is computed. Of larger nets H is only multiplied with vectors, forward over
    reverse mode and some rows at a time, and a block Lanczos process with full reorthogonalization gives the extreme
    eigenvalues, and nodes and shares of a quadrature (stochastic Lanczos quadrature) for how the others are spread.

    The index of a large net is an interval, and a wide one where many eigenvalues lie near 0: a node counts as negative for
    sure where it and its residual lie below 0, and the spread over starts comes on top.

    Args:
        model: compiled with a loss.
        x: inputs: an array, a frame, or a dict or list of arrays.
        y: targets.
        count: extreme eigenvalues at each end.
        starts: random vectors that the Lanczos process starts from.
        steps: blocks of as many products as there are starts, at least; it goes on, to 60, until the outermost eigenvalues are
            known to 1/1000 of the largest.
        penalties: whether penalties on weights and outputs are part of the loss.
        precision: ``'float64'``, whatever the net was trained in: in float32 eigenvalues below about 1e-5 of the largest are
            rounding, and products take half the time.
        batch_size: rows at a time; None: 512.
        seed: of the starts.
        verbose: 0 says nothing; 1 shows how far it is; 'auto' does so in a terminal.

    Returns:
        The record. ``print(found)`` is a page, ``found.plot()`` a picture, ``found.record()`` plain data.

    Raises:
        DataError: on rows that do not fit the net, or hold numbers that are none.
        ValueError: where the net has no loss or nothing to train, where its loss is no finite number, or on an argument out of
            range.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import hessian
        >>> x = np.array([[1.0], [-1.0], [1.0], [-1.0]])
        >>> model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> hessian(model, x, 2 * x, verbose=0).eigenvalues  # 2 X'X / n, where X has a column of ones
        array([2., 2.])

    Source: Pearlmutter 1994, "Fast exact multiplication by the Hessian"; Golub and Meurant 2010, "Matrices, moments and
    quadrature with applications"; Ghorbani, Krishnan and Xiao 2019, "An investigation into neural net optimization via
    Hessian eigenvalue density".

    """
    arguments("hessian", {"count": count, "starts": starts, "steps": steps}, _BOUNDS)
    terrain = terrain_of("hessian", model, x, y, precision=precision, penalties=penalties, batch_size=batch_size)
    loss, gradient = finite_slope("hessian", terrain)
    with telling("hessian", verbose) as told:
        spectrum = spectrum_at(terrain, starts=starts, steps=steps, seed=checked(seed), told=told)
    vectors = spectrum.vectors(spectrum.ends(count))
    values, residuals = rayleigh(terrain.products(), vectors)
    return Hessian(
        values,
        residuals,
        index_of(spectrum, spectrum.noise),
        spectrum.share_within(spectrum.noise),
        trace_of(spectrum, terrain.size),
        spectrum.exact,
        spectrum.noise,
        loss,
        float(np.linalg.norm(gradient)),
        terrain.size,
        terrain.rows,
        precision,
        spectrum.values,
        spectrum.weights,
        vectors,
        terrain,
    )
