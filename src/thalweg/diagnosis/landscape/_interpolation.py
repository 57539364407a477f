"""The loss along the straight line between two nets, and the barrier that stands between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._checks import arguments, whole
from thalweg.diagnosis._plain import plain
from thalweg.diagnosis.landscape._matching import matched
from thalweg.diagnosis.landscape._terrain import flat_of, terrain_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Interpolation:
    """The loss along the line from one net to another.

    Attributes:
        alphas: places on the line, from 0 (the first net) to 1 (the second), [points].
        losses: there, [points]; NaN where a loss is no finite number.
        errors: the share of rows that are wrong, [points]; None where nothing is decided.
        barrier: the largest height of the loss above the straight line between its ends, 0 at least; infinite where a loss
            between the ends is no finite number.
        place: where that is, on the line.
        error_barrier: the same of the errors; None without them.
        distance: between the two nets, in weights.
        aligned: whether hidden units of the second net were put into the order of the first.
        rows: how many rows the loss is the mean of.

    """

    alphas: np.ndarray
    losses: np.ndarray
    errors: np.ndarray | None
    barrier: float
    place: float
    error_barrier: float | None
    distance: float
    aligned: bool
    rows: int

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold; None in the place of losses that are no finite numbers."""
        return {
            "alphas": self.alphas.tolist(),
            "losses": plain(self.losses),
            "errors": None if self.errors is None else plain(self.errors),
            "barrier": plain(self.barrier),
            "place": self.place,
            "error_barrier": self.error_barrier,
            "distance": self.distance,
            "aligned": self.aligned,
            "rows": self.rows,
        }

    def __str__(self) -> str:
        units = ", hidden units aligned" if self.aligned else ""
        lines = [
            f"Between two nets, {self.distance:.3g} apart{units}; {self.rows:,} rows",
            f"  loss      {self.losses[0]:.4g} to {self.losses[-1]:.4g}",
        ]
        if self.errors is not None:
            lines.append(f"  errors    {self.errors[0]:.1%} to {self.errors[-1]:.1%}, barrier {self.error_barrier:.1%}")
        if self.barrier > 0:
            lines.append(f"  barrier   {self.barrier:.4g} above the straight line, {self.place:.0%} of the way")
        else:
            lines.append("  barrier   none: the loss lies nowhere above the straight line between its ends")
        return "\n".join(lines)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the loss and the errors along the line.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.landscape._pictures import line_picture

        return line_picture(self, path)


def interpolate(
    model_a: Any,
    model_b: Any,
    x: Any,
    y: Any,
    points: int = 25,
    *,
    align: bool = False,
    penalties: bool = True,
    precision: str = "float32",
    batch_size: int | None = None,
) -> Interpolation:
    """The loss of nets between two nets: ``L((1 - alpha) w_a + alpha w_b)``.

    Two nets from different seeds mostly have a barrier between them, as their hidden units do the same work in another order.
    With ``align=True`` the units of the second net are first put into the order that brings their weights closest to those of the
    first (weight matching), which changes nothing of what the net computes. All weights are interpolated, moving averages too.

    Args:
        model_a: compiled with a loss.
        model_b: a net of the same structure.
        x: inputs: an array, a frame, or a dict or list of arrays.
        y: targets.
        points: places on the line, both ends included.
        align: whether hidden units are aligned; for chains of Dense layers.
        penalties: whether penalties on weights and outputs are part of the loss.
        precision: ``'float32'`` or ``'float64'``.
        batch_size: rows at a time; None: 512.

    Returns:
        The record. ``print(found)`` tells of it, ``found.plot()`` draws it, ``found.record()`` is plain data.

    Raises:
        DataError: on rows that do not fit the nets, or hold numbers that are none.
        ValueError: where the nets are not of one structure, have no loss, or cannot be aligned.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import interpolate
        >>> x = np.eye(2)
        >>> nets = [thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)]) for _ in range(2)]
        >>> for net in nets:
        ...     net.compile('sgd', 'mse')
        >>> interpolate(*nets, x, x[:, 0]).barrier  # a quadratic loss lies below its chords
        0.0

    Source: Goodfellow, Vinyals and Saxe 2015, "Qualitatively characterizing neural network optimization problems"; Frankle et
    al. 2020, "Linear mode connectivity and the lottery ticket hypothesis"; Ainsworth, Hayase and Srinivasa 2023, "Git Re-Basin:
    merging models modulo permutation symmetries".

    """
    arguments("interpolate", {"points": points}, {"points": (whole(2), "a whole number of 2 or more")})
    terrain = terrain_of("interpolate", model_a, x, y, precision=precision, penalties=penalties, batch_size=batch_size)
    if not model_b.built or model_b.network.structure() != model_a.network.structure():
        raise ValueError(
            "interpolate: both nets must be of the same structure, the same layers of the same widths; the first is "
            f"{_layers(model_a)}, the second {_layers(model_b)}. model_a.twin() is such a net."
        )
    model_b.draw()
    there = flat_of(model_a, matched(model_a, model_b) if align else model_b.get_weights())
    between = there - terrain.weights
    alphas = np.linspace(0, 1, points)
    losses, errors = terrain.on_plane(terrain.weights, between, np.zeros_like(between), alphas, np.zeros(points))
    heights = _above(losses)
    top = int(np.argmax(heights))
    return Interpolation(
        alphas,
        losses,
        errors,
        float(heights[top]),
        float(alphas[top]),
        None if errors is None else float(_above(errors).max()),
        float(np.linalg.norm(between)),
        bool(align),
        terrain.rows,
    )


def _layers(model: Any) -> str:
    """What a net is made of, in a few words."""
    if not model.built:
        return f"{model.name!r}, not built yet"
    return f"{model.name!r} of {len(model.layers)} layers and {model.count_params():,} parameters"


def _above(values: np.ndarray) -> np.ndarray:
    """Heights above the straight line between the ends, 0 there; infinite where a value is none."""
    line = np.linspace(values[0], values[-1], len(values))
    heights = np.where(np.isnan(values), np.inf, values - line)
    heights[[0, -1]] = 0.0
    return np.maximum(heights, 0.0)
