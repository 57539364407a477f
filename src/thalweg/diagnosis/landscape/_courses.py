"""What optimizers race on: classic functions of two numbers, a function of one's own, or a net's loss on a plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import config
from thalweg._names import unknown
from thalweg.diagnosis._traceable import traceable
from thalweg.diagnosis.landscape._surface import LossSurface
from thalweg.engine import program_of

_SIDE = 121  # places along each side of the map that is drawn
_CORNER = 0.9  # how far out a start lies on a surface without a path
_NEAR = 1.5  # half a side of the map around the start of a function that nobody gave a box for
_GOALS = {True: 1e-3, False: 1e-2}  # of the start's height: where the goal lies, if the minimum is known, or not
_FLAT = 1e-12  # of the largest height: differences below that are rounding
_STEEP = 0.9  # quantile of the curvatures on the map that a rate is to be stable for

Box = tuple[float, float, float, float]
Map = tuple[np.ndarray, np.ndarray, np.ndarray]
At = Callable[..., tuple[Any, Any]]


class Rates(NamedTuple):
    """Learning rates that suit a landscape.

    Attributes:
        plain: of gradient descent.
        heavy: of gradient descent with a momentum of 0.9.
        adaptive: of RMSprop and Adam, whose steps are about as long.

    """

    plain: float
    heavy: float
    adaptive: float


class Classic(NamedTuple):
    """A well-known function of two numbers.

    Attributes:
        function: of x and y.
        start: where everybody begins.
        box: what is drawn: least and largest x, least and largest y.
        rates: that suit it.
        steps: that are enough to tell the racers apart.
        about: what it is known for.

    """

    function: Callable[[Any, Any], Any]
    start: tuple[float, float]
    box: Box
    rates: Rates
    steps: int
    about: str


CLASSICS = {
    "ravine": Classic(
        lambda x, y: 0.05 * x**2 + 2.5 * y**2,
        (-9.0, 1.2),
        (-10.0, 4.0, -2.5, 2.5),
        Rates(0.38, 0.1, 0.3),
        200,
        "50 times as steep across as along: what is stable across is slow along",
    ),
    "saddle": Classic(
        lambda x, y: 0.5 * x**2 - 0.5 * y**2 + 0.25 * y**4 + 0.25,
        (1.5, 1e-3),
        (-1.8, 1.8, -1.6, 1.6),
        Rates(0.15, 0.04, 0.03),
        200,
        "the slope vanishes at (0, 0), which is no minimum; those are at (0, -1) and (0, 1)",
    ),
    "rosenbrock": Classic(
        lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        (-1.2, 1.0),
        (-2.0, 2.0, -1.0, 3.0),
        Rates(0.0015, 0.0003, 0.03),
        2000,
        "a bent, flat valley with its minimum at (1, 1)",
    ),
    "beale": Classic(
        lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
        (1.0, 1.5),
        (-1.0, 4.5, -1.5, 2.5),
        Rates(0.01, 0.002, 0.05),
        1000,
        "steep sides around a long flat, with its minimum at (3, 0.5)",
    ),
    "plateau": Classic(
        lambda x, y: 1 - jnp.exp(-0.5 * (x**2 + y**2)),
        (-3.5, 1.75),
        (-4.2, 2.0, -2.0, 2.5),
        Rates(1.0, 0.3, 0.1),
        300,
        "hardly any slope far from its minimum at (0, 0)",
    ),
}
"""Every name of a landscape."""


class Course(NamedTuple):
    """What optimizers race on.

    Attributes:
        name: of the landscape.
        at: the loss at a point and its slope, compiled with what is in `more`: ``at(point, *more)``.
        key: of `at`; equal keys share a program.
        more: arrays.
        start: where everybody begins.
        rates: that suit it.
        steps: that are enough to tell the racers apart.
        minimum: the lowest loss, where it is known.
        goal: of the start's height above the minimum: where the goal lies.
        precision: of what is computed.
        map: x, y and losses [y, x] that are drawn.
        axes: what x and y are called.
        wider: gives the map of another box, where nobody said which one; else None.

    """

    name: str
    at: At
    key: Any
    more: tuple[Any, ...]
    start: np.ndarray
    rates: Rates
    steps: int
    minimum: float | None
    goal: float
    precision: str
    map: Map
    axes: tuple[str, str] = ("x", "y")
    wider: Callable[[Box], Map] | None = None


def course_of(surface: Any, start: Sequence[float] | None, box: Box | None) -> Course:
    """What is raced on.

    Raises:
        ValueError: on an unknown name, or where the start is no pair of numbers.
        TypeError: on what is no landscape.

    """
    if isinstance(surface, LossSurface):
        return _of_net(surface, start)
    if isinstance(surface, str):
        if surface not in CLASSICS:
            raise ValueError(unknown("surface", surface, list(CLASSICS)))
        one = CLASSICS[surface]
        begin = _point(one.start if start is None else start)
        drawn = _map(one.function, one.box if box is None else box, one.function)
        return Course(
            surface,
            _slope(one.function),
            one.function,
            (),
            begin,
            one.rates,
            one.steps,
            0.0,
            _GOALS[True],
            "float64",
            drawn,
        )
    if not callable(surface):
        raise TypeError(
            f"surface must be one of {', '.join(CLASSICS)}, a function of (x, y) in jax.numpy, or a LossSurface, got {surface!r}."
        )
    name = getattr(surface, "__name__", "<").replace("<lambda>", "<")
    name = "a function of two numbers" if name == "<" else name
    begin, function = _point((1.0, 1.0) if start is None else start), traceable(name, surface)
    half = _NEAR * max(1.0, float(np.abs(begin).max()))
    around = (begin[0] - half, begin[0] + half, begin[1] - half, begin[1] + half)
    drawn = _map(function, around if box is None else box, surface)
    rates = _rates(drawn)
    return Course(
        name,
        _slope(function),
        surface,
        (),
        begin,
        rates,
        300,
        None,
        _GOALS[False],
        "float64",
        drawn,
        wider=(lambda other: _map(function, other, surface)) if box is None else None,
    )


def _of_net(surface: LossSurface, start: Sequence[float] | None) -> Course:
    """The true loss of the net on its plane, not what lies between the places of the grid."""
    terrain = surface.terrain
    at, key, more = terrain.plane_slope()
    drawn = (surface.alphas, surface.betas, surface.losses)
    with config.precision(terrain.precision):
        held = tuple(jax.device_put(one.astype(terrain.precision)) for one in (terrain.weights, surface.plane))
    begin = _point(_begin(surface) if start is None else start)
    name = f"a net's loss on the {surface.directions} plane"
    rates, precision = _rates(drawn), terrain.precision
    return Course(
        name, at, key, (*held, *more), begin, rates, 150, None, _GOALS[False], precision, drawn, ("alpha", "beta")
    )


def _begin(surface: LossSurface) -> tuple[float, float]:
    """Where a path begins, or near the highest of the corners."""
    if surface.path is not None:
        return float(surface.path[0, 0]), float(surface.path[0, 1])
    corners = np.nan_to_num(surface.losses[np.ix_([0, -1], [0, -1])], nan=-np.inf)
    i, j = np.unravel_index(np.argmax(corners), corners.shape)
    return _CORNER * float(surface.alphas[[0, -1][j]]), _CORNER * float(surface.betas[[0, -1][i]])


def _point(given: Any) -> np.ndarray:
    point = np.asarray(given, np.float64)
    if point.shape != (2,) or not np.isfinite(point).all():
        raise ValueError(f"start must be two finite numbers (x, y), got start={given!r}.")
    return point


def _slope(function: Callable[[Any, Any], Any]) -> At:
    def at(point: Any) -> tuple[Any, Any]:
        found: tuple[Any, Any] = jax.value_and_grad(lambda p: function(p[0], p[1]))(point)
        return found

    return at


def _map(function: Callable[[Any, Any], Any], box: Box, key: Any) -> Map:
    if np.shape(box) != (4,) or not np.isfinite(box).all() or not (box[0] < box[1] and box[2] < box[3]):
        raise ValueError(f"box must be least and largest x, least and largest y, as (-1, 1, -1, 1), got box={box!r}.")
    x, y = np.linspace(*box[:2], _SIDE), np.linspace(*box[2:], _SIDE)
    with config.precision("float64"):
        run = program_of(_everywhere, function, key=key)
        heights = np.array(run(*np.meshgrid(x, y)), np.float64)
    if heights.shape != (_SIDE, _SIDE):
        raise TypeError(
            f"The function must give one number for numbers x and y, got an array of shape {heights.shape[2:]}."
        )
    if not np.isfinite(heights).any():
        raise ValueError(f"The function has no finite value in the box {box}: give another start, or box=.")
    return x, y, np.where(np.isfinite(heights), heights, np.nan)


def _everywhere(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return jax.vmap(jax.vmap(function))


def _rates(drawn: Map) -> Rates:
    """Rates by rule: stable for most curvatures on the map, no step wider than it; adaptive ones cross it in some fifty."""
    x, y, heights = drawn
    wide = float(max(np.ptp(x), np.ptp(y)))
    slopes = [np.gradient(heights, side, axis=axis) for side, axis in ((x, 1), (y, 0))]
    curves = [np.gradient(one, side, axis=axis) for one, side, axis in zip(slopes, (x, y), (1, 0), strict=True)]
    curved, sloped = (float(np.nanquantile(np.abs(one).max(axis=0), _STEEP)) for one in (curves, slopes))
    if not np.nanmax(heights) - np.nanmin(heights) > _FLAT * np.nanmax(np.abs(heights)):
        raise ValueError(
            "The surface is flat as far as the map goes: there is nowhere to race to. Give another start, or box=."
        )
    steep = max(curved, sloped / wide)
    return Rates(1 / steep, 0.2 / steep, wide / 50)
