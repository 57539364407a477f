"""The surface of a net's loss over a plane through its weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._checks import arguments, number, whole
from thalweg._names import unknown
from thalweg._seeds import checked
from thalweg.diagnosis._plain import plain
from thalweg.diagnosis._telling import telling
from thalweg.diagnosis.landscape import _directions
from thalweg.diagnosis.landscape._terrain import Terrain, terrain_of
from thalweg.diagnosis.landscape._trajectory import Way, way_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SEEN = 0.05  # of a path's squared distances, from which on it shows on a plane
_MARGIN = 0.25  # around a path, over its larger side


def _odd(value: Any) -> bool:
    return whole(3)(value) and value % 2 == 1


@dataclass(frozen=True, eq=False)
class LossSurface:
    """The loss over a plane ``w + alpha d1 + beta d2`` of weights.

    Attributes:
        alphas: places along the first direction, [size].
        betas: along the second, [size].
        losses: of the rows, [size, size]: ``losses[i, j]`` is at ``betas[i]`` and ``alphas[j]``; NaN where it is no finite number.
        errors: the share of rows that are wrong, likewise; None where nothing is decided.
        directions: ``'filter'``, ``'eigen'`` or ``'trajectory'``.
        loss: at (0, 0): of the net, or of a path's end.
        path: where a path lies on the plane, [points, 2], or None.
        steps: after how many steps of the fit each point of the path was passed, or None.
        explained: the share of the path's squared distances from its end that lies in the plane, or None.
        rows: how many rows the loss is the mean of.

    """

    alphas: np.ndarray
    betas: np.ndarray
    losses: np.ndarray
    errors: np.ndarray | None
    directions: str
    loss: float
    path: np.ndarray | None
    steps: tuple[int, ...] | None
    explained: float | None
    rows: int
    plane: np.ndarray = field(repr=False)
    terrain: Terrain = field(repr=False)

    @property
    def minimum(self) -> tuple[float, float, float]:
        """The lowest point of the grid: alpha, beta, loss."""
        i, j = np.unravel_index(np.nanargmin(self.losses), self.losses.shape)
        return float(self.alphas[j]), float(self.betas[i]), float(self.losses[i, j])

    @property
    def shows_path(self) -> bool:
        """Whether a path is there, and lies in the plane far enough to be seen on it."""
        return self.path is not None and (self.explained or 0.0) >= _SEEN

    @property
    def at_edge(self) -> bool:
        """Whether the lowest point of the grid lies at its edge, so that there may be lower ones beyond."""
        alpha, beta, _ = self.minimum
        return alpha in self.alphas[[0, -1]] or beta in self.betas[[0, -1]]

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold; None in the place of losses that are no finite numbers."""
        return {
            "alphas": self.alphas.tolist(),
            "betas": self.betas.tolist(),
            "losses": plain(self.losses),
            "errors": None if self.errors is None else plain(self.errors),
            "directions": self.directions,
            "loss": plain(self.loss),
            "minimum": list(self.minimum),
            "path": None if self.path is None else self.path.tolist(),
            "steps": None if self.steps is None else list(self.steps),
            "explained": self.explained,
            "rows": self.rows,
        }

    def __str__(self) -> str:
        alpha, beta, least = self.minimum
        holes = int(np.isnan(self.losses).sum())
        ends = f"alpha {self.alphas[0]:.3g} to {self.alphas[-1]:.3g}, beta {self.betas[0]:.3g} to {self.betas[-1]:.3g}"
        lines = [
            f"Loss surface: {self.losses.size:,} nets on {_WHAT[self.directions]}; {self.rows:,} rows",
            f"  plane      {ends}",
            f"  loss       {self.loss:.4g} at (0, 0), {np.nanmin(self.losses):.4g} to {np.nanmax(self.losses):.4g} in all",
            f"  lowest     {least:.4g} at ({alpha:.3g}, {beta:.3g})"
            + (", at the edge: a larger span may show lower ones" if self.at_edge else ""),
        ]
        if self.errors is not None:
            lines.append(f"  errors     {np.nanmin(self.errors):.1%} to {np.nanmax(self.errors):.1%} of the rows")
        if self.path is not None:
            apart = "" if self.shows_path else ": too little to be drawn; directions='trajectory' shows it"
            lines.append(
                f"  path       {len(self.path)} points; the plane holds {self.explained:.1%} of its squared distances{apart}"
            )
        if holes:
            lines.append(f"  holes      {holes:,} nets whose loss is no finite number")
        return "\n".join(lines)

    def plot(self, path: str | Path | None = None, *, kind: str = "contour") -> Figure:
        """Draw the surface, with the path and the lowest point.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).
            kind: ``'contour'``, with heights in equal ratios, or ``'3d'``.

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.
            ValueError: on another kind.

        """
        from thalweg.diagnosis.landscape._pictures import surface_picture

        return surface_picture(self, path, kind)


_WHAT = {
    "filter": "a plane of two random directions, scaled by filters",
    "eigen": "the plane of the two largest eigenvalues",
    "trajectory": "the principal plane of the path",
}


def loss_surface(
    model: Any,
    x: Any,
    y: Any,
    directions: str = "filter",
    size: int = 51,
    span: float = 1.0,
    path: Any = None,
    *,
    penalties: bool = True,
    precision: str = "float32",
    batch_size: int | None = None,
    seed: int = 0,
    verbose: Any = "auto",
) -> LossSurface:
    """The loss of many nets whose weights lie on a plane through the net's: ``w + alpha d1 + beta d2``.

    ``'filter'`` draws two random directions and scales each filter (each unit's incoming weights) to the length of the net's
    own; biases and the weights of normalization stand still, so that nets that differ in the scale of their layers alone look
    alike. ``'eigen'`` takes the eigenvectors of the two largest eigenvalues of the Hessian. ``'trajectory'`` takes the two
    principal directions of a fit's way, seen from its end, and draws the way on it.

    Weights that are not trained (moving averages) stay as they are in the net. All nets are one compiled program that makes each
    net's weights as it comes to it.

    Args:
        model: compiled with a loss.
        x: inputs: an array, a frame, or a dict or list of arrays.
        y: targets.
        directions: ``'filter'``, ``'eigen'`` or ``'trajectory'``.
        size: places along each side, odd, so that the net itself is among them.
        span: how far the plane goes from the net to each side: 1 is as far as each filter is long (``'filter'``), or a distance
            of weights (``'eigen'``); around a path (``'trajectory'``) 1 leaves a quarter of its larger side.
        path: the weights along a fit: a :class:`Trajectory`, a run's folder, or lists of weights as ``model.get_weights()`` gives
            them. ``'trajectory'`` needs it; on other planes it is drawn where it comes closest.
        penalties: whether penalties on weights and outputs are part of the loss.
        precision: ``'float32'`` or ``'float64'``.
        batch_size: rows at a time; None: 512.
        seed: of the random directions.
        verbose: 0 says nothing; 1 shows how far it is; 'auto' does so in a terminal.

    Returns:
        The record. ``print(found)`` tells of it, ``found.plot()`` draws it, ``found.record()`` is plain data.

    Raises:
        DataError: on rows that do not fit the net, or hold numbers that are none.
        ValueError: where the net has no loss or nothing to train, where every loss is no finite number, or on an argument out
            of range.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import loss_surface
        >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> surface = loss_surface(model, x, x.sum(axis=1), size=5, verbose=0)
        >>> surface.losses.shape, bool(np.isclose(surface.losses[2, 2], model.evaluate(x, x.sum(axis=1), verbose=0)))
        ((5, 5), True)

    Source: Li, Xu, Taylor, Studer and Goldstein 2018, "Visualizing the loss landscape of neural nets".

    """
    if directions not in _directions.NAMES:
        raise ValueError(unknown("directions", directions, _directions.NAMES))
    arguments("loss_surface", {"size": size}, {"size": (_odd, "an odd integer of 3 or more")})
    number("loss_surface", "span", span, above=0)
    if directions == "trajectory" and path is None:
        raise ValueError("directions='trajectory' needs path=: a Trajectory, a run's folder, or a list of weights.")
    terrain = terrain_of("loss_surface", model, x, y, precision=precision, penalties=penalties, batch_size=batch_size)
    way = None if path is None else way_of("loss_surface", model, path)
    with telling("loss_surface", verbose) as told:
        if directions == "trajectory":
            assert way is not None
            terrain = replace(terrain, weights=way.weights[-1])
            plane = _directions.principal(terrain, way.weights)
        elif directions == "eigen":
            plane = _directions.eigen(terrain, checked(seed), told)
        else:
            plane = _directions.filter_normalized(terrain, checked(seed))
        on_plane, explained = (None, None) if way is None else _projected(terrain, way, plane)
        alphas, betas = _sides(size, span, on_plane if directions == "trajectory" else None)
        a, b = (side.reshape(-1) for side in np.meshgrid(alphas, betas))
        losses, errors = terrain.on_plane(terrain.weights, plane[0], plane[1], a, b, lambda done: told(done, len(a)))
    if np.isnan(losses).all():
        raise ValueError(
            "loss_surface: no loss on the plane is a finite number. Scale the rows, or give a smaller span."
        )
    return LossSurface(
        alphas,
        betas,
        losses.reshape(size, size),
        None if errors is None else errors.reshape(size, size),
        directions,
        terrain.loss(),
        on_plane,
        None if way is None else tuple(way.steps),
        explained,
        terrain.rows,
        plane,
        terrain,
    )


def _projected(terrain: Terrain, way: Way, plane: np.ndarray) -> tuple[np.ndarray, float]:
    """Where a way comes closest to the plane, [points, 2], and the share of its squared distances that lies in it."""
    apart = (way.weights - terrain.weights)[:, : terrain.size].T
    flat = plane[:, : terrain.size].T
    places = np.linalg.lstsq(flat, apart, rcond=None)[0]
    whole_, left = float(np.sum(apart**2)), float(np.sum((apart - flat @ places) ** 2))
    return places.T, 1 - left / whole_ if whole_ else 1.0


def _sides(size: int, span: float, around: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Places along both sides: around (0, 0), or around a path."""
    if around is None:
        return np.linspace(-span, span, size), np.linspace(-span, span, size)
    low, high = around.min(axis=0), around.max(axis=0)
    margin = _MARGIN * span * float((high - low).max())
    first, second = (np.linspace(low[i] - margin, high[i] + margin, size) for i in (0, 1))
    return first, second
