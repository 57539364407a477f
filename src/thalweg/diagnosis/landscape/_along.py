"""What kind of places a net passed while it was trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg._checks import number
from thalweg._seeds import checked
from thalweg.diagnosis._telling import telling
from thalweg.diagnosis.landscape._critical_point import TOLERANCE, CriticalPoint, point_at
from thalweg.diagnosis.landscape._terrain import terrain_of
from thalweg.diagnosis.landscape._trajectory import way_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Along:
    """What kind of places a net passed.

    Attributes:
        steps: of the fit, after which each was passed.
        points: one a place.

    """

    steps: tuple[int, ...]
    points: tuple[CriticalPoint, ...]

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold."""
        return {"steps": list(self.steps), "points": [one.record() for one in self.points]}

    def __str__(self) -> str:
        lines = [f"{'step':>8}{'loss':>12}{'gradient':>11}{'lowest':>12}{'highest':>12}{'negative':>10}   kind"]
        for step, one in zip(self.steps, self.points, strict=True):
            ends = f"{one.lowest.value:>12.3g}{one.highest.value:>12.3g}"
            lines.append(
                f"{step:>8,}{one.loss:>12.5g}{one.gradient_norm:>11.2g}{ends}{one.index.value:>10.1%}   {one.kind}"
            )
        return "\n".join(lines)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the loss, the gradient and the lowest curvature by steps, each place marked by its kind.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.landscape._pictures import along_picture

        return along_picture(self, path)


def curvature_along(
    model: Any,
    path: Any,
    x: Any,
    y: Any,
    *,
    tolerance: float = TOLERANCE,
    penalties: bool = True,
    batch_size: int | None = None,
    seed: int = 0,
    verbose: Any = "auto",
) -> Along:
    """Say what kind of places a net passed while it was trained.

    Args:
        model: compiled with a loss; its own weights are not used.
        path: a :class:`Trajectory`, a run's folder, or lists of weights as ``model.get_weights()`` gives them.
        x, y: rows, as in ``fit``.
        tolerance, penalties, batch_size, seed, verbose: as for :func:`critical_point`.

    Returns:
        The record. ``print(found)`` is a table, ``found.plot()`` a picture, ``found.record()`` plain data.

    Raises:
        DataError: on rows that do not fit the net, or hold numbers that are none.
        ValueError: as for :func:`critical_point`, and where `path` holds no weights of such a net.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import Trajectory, curvature_along
        >>> x = np.array([[1.0], [-1.0]])
        >>> model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1)])
        >>> model.compile(thalweg.optimizers.SGD(0.25), 'mse')
        >>> history = model.fit(x, x, epochs=40, verbose=0, callbacks=[way := Trajectory('20 steps')])
        >>> [one.kind for one in curvature_along(model, way, x, x, verbose=0).points]
        ['not critical', 'minimum', 'minimum']

    Source: Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks".

    """
    number("curvature_along", "tolerance", tolerance, above=0)
    terrain = terrain_of(
        "curvature_along", model, x, y, precision="float64", penalties=penalties, batch_size=batch_size
    )
    way = way_of("curvature_along", model, path)
    points = []
    with telling("curvature_along", verbose) as told:
        for i, weights in enumerate(way.weights):
            points.append(point_at(replace(terrain, weights=weights), tolerance, checked(seed), lambda done, of: None))
            told(i + 1, len(way.weights))
    return Along(tuple(way.steps), tuple(points))
