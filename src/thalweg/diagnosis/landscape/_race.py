"""Optimizers side by side on one landscape: their ways, who arrives, and how soon."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from thalweg import config
from thalweg._checks import arguments, whole
from thalweg._names import unknown
from thalweg.diagnosis._plain import plain
from thalweg.diagnosis._telling import telling
from thalweg.diagnosis.landscape._courses import At, Box, Course, Rates, course_of
from thalweg.engine import program_of
from thalweg.optimizers import SGD, Adam, Optimizer, RMSprop, get, schedules

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOMENTUM = 0.9
DECAYED = " + decay"
_ROOM = 0.05  # around ways that leave the map, over its side
_WORDS = 20  # times that is said how far the race is, at most
_FALLS = 4.0  # a falling rate ends at 1 / (1 + 4) of its first value
KINDS: dict[str, Callable[[Any, Rates], Optimizer]] = {
    "gradient descent": lambda fall, rates: SGD(fall(rates.plain)),
    "momentum": lambda fall, rates: SGD(fall(rates.heavy), momentum=_MOMENTUM),
    "Nesterov": lambda fall, rates: SGD(fall(rates.heavy), momentum=_MOMENTUM, nesterov=True),
    "RMSprop": lambda fall, rates: RMSprop(fall(rates.adaptive)),
    "Adam": lambda fall, rates: Adam(fall(rates.adaptive)),
}
_SHORT = {"sgd": "gradient descent"}  # what else a racer is called
NAMES = tuple(f"{name}{end}" for name in KINDS for end in ("", DECAYED))
"""Every racer that has a name."""


@dataclass(frozen=True, eq=False)
class Race:
    """Ways of optimizers down one landscape.

    Attributes:
        surface: the landscape's name.
        names: of the racers.
        rates: their first learning rates.
        paths: where each was, [racers, steps + 1, 2].
        losses: there, [racers, steps + 1].
        goal: the loss from which on a racer has arrived.
        minimum: the lowest loss: known, or the lowest that was seen.
        arrived: after how many steps each reached the goal first, or None.
        diverged: whether a racer ended higher than it began, or at no finite number.
        map: x, y and losses [y, x] of the landscape, for pictures.
        axes: what x and y are called.

    """

    surface: str
    names: tuple[str, ...]
    rates: tuple[float, ...]
    paths: np.ndarray
    losses: np.ndarray
    goal: float
    minimum: float
    arrived: tuple[int | None, ...]
    diverged: tuple[bool, ...]
    map: tuple[np.ndarray, np.ndarray, np.ndarray]
    axes: tuple[str, str]

    @property
    def ranking(self) -> list[int]:
        """The racers' numbers: those that arrived by their steps, then the others by their last losses."""
        steps, last = self.losses.shape[1], np.nan_to_num(self.losses[:, -1], nan=np.inf, posinf=np.inf)
        by = [(steps if step is None else step, last[i]) for i, step in enumerate(self.arrived)]
        return sorted(range(len(self.names)), key=by.__getitem__)

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold; None in the place of numbers that are none."""
        x, y, heights = self.map
        return {
            "surface": self.surface,
            "names": list(self.names),
            "rates": list(self.rates),
            "paths": plain(self.paths),
            "losses": plain(self.losses),
            "goal": self.goal,
            "minimum": self.minimum,
            "arrived": list(self.arrived),
            "diverged": list(self.diverged),
            "ranking": self.ranking,
            "axes": list(self.axes),
            "map": {"x": x.tolist(), "y": y.tolist(), "losses": plain(heights)},
        }

    def __str__(self) -> str:
        steps = self.losses.shape[1] - 1
        wide = max(map(len, self.names))
        lines = [
            f"Race on {self.surface}: {steps:,} steps from ({self.paths[0, 0, 0]:.3g}, {self.paths[0, 0, 1]:.3g}), loss "
            f"{self.losses[0, 0]:.4g}; the goal is {self.goal:.3g}",
            f"{'':>4}{'racer':<{wide}}{'rate':>10}{'steps':>8}{'last loss':>12}",
        ]
        for place, i in enumerate(self.ranking, start=1):
            step = self.arrived[i]
            end = "   diverged" if self.diverged[i] else ""
            taken = "-" if step is None else f"{step:,}"
            lines.append(
                f"{place:>3} {self.names[i]:<{wide}}{self.rates[i]:>10.3g}{taken:>8}{self.losses[i, -1]:>12.3g}{end}"
            )
        return "\n".join(lines)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the ways on the landscape, and the losses by steps.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.

        """
        from thalweg.diagnosis.landscape._race_pictures import race_picture

        return race_picture(self, path)

    def animate(self, path: str | Path, frames: int = 60) -> Path:
        """Write the race as a moving picture.

        Args:
            path: a file ending in ``.gif``.
            frames: pictures in it; early steps get more of them.

        Returns:
            The path.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.
            ValueError: on another ending, or fewer than two frames.

        """
        from thalweg.diagnosis.landscape._race_pictures import race_animation

        return race_animation(self, Path(path), frames)


def race(
    optimizers: Mapping[str, Any] | Sequence[Any] | None = None,
    surface: Any = "ravine",
    steps: int | None = None,
    start: Sequence[float] | None = None,
    *,
    box: Box | None = None,
    verbose: Any = "auto",
) -> Race:
    """Let optimizers run side by side on one landscape of two numbers.

    They are thalweg's own, as nets are trained with, and all run in one compiled program. On a :class:`LossSurface` the loss is
    that of the net on the plane, and the slope is the true one along it.

    Args:
        optimizers: racers: a dict of names and optimizers, or a list of names (``'gradient descent'``, ``'momentum'``,
            ``'Nesterov'``, ``'RMSprop'``, ``'Adam'``, each also ``'... + decay'``; ``'sgd'`` and small letters will do) and
            optimizers. None: all ten.
        surface: ``'ravine'``, ``'saddle'``, ``'rosenbrock'``, ``'beale'`` or ``'plateau'``; a function of (x, y) in jax.numpy; or
            what :func:`loss_surface` gave.
        steps: that each takes; None: as many as suit the landscape.
        start: (x, y); None: the landscape's own.
        box: what is drawn of a function: least and largest x, least and largest y.
        verbose: 0 says nothing; 1 shows how far it is; 'auto' does so in a terminal.

    Returns:
        The record. ``print(found)`` is a ranking, ``found.plot()`` a picture, ``found.animate('race.gif')`` a moving one.
        Named racers have learning rates that suit the landscape: from a table for those with a name, elsewhere stable for nine in
        ten of the curvatures on the map. With decay, ``rate / (1 + 4 step / steps)``.

    Raises:
        ValueError: on an unknown name, no racers, a start that is no pair of numbers or has no finite loss, a box that is
            none, a flat map, or steps below 1.
        TypeError: on what is no landscape, or a function that JAX cannot look into.

    Example:
        >>> from thalweg.diagnosis import race
        >>> found = race(['gradient descent', 'Nesterov'], 'ravine', steps=100)
        >>> found.names[found.ranking[0]]
        'Nesterov'

    Source: Polyak 1964; Nesterov 1983; Tieleman and Hinton 2012 (RMSprop); Kingma and Ba 2015 (Adam); Rosenbrock 1960; Beale 1958.

    """
    arguments("race", {"steps": 1 if steps is None else steps}, {"steps": (whole(1), "a whole number of 1 or more")})
    course = course_of(surface, start, box)
    count = course.steps if steps is None else int(steps)
    racers = _racers(optimizers, course.rates, count)
    with telling("race", verbose) as told:
        paths, losses = _run(course, list(racers.values()), count, told)
    first = float(losses[0, 0])
    if not np.isfinite(first):
        raise ValueError(
            f"The loss at the start {tuple(course.start.tolist())} is {first}, no finite number: give another start."
        )
    diverged = tuple(not bool(row[-1] <= row[0]) for row in losses)
    drawn = course.map
    ends = [reach(drawn[i], paths[..., i], diverged) for i in (0, 1)]
    if course.wider is not None and any(
        (low, high) != (side[0], side[-1]) for (low, high), side in zip(ends, drawn, strict=False)
    ):
        drawn = course.wider((*ends[0], *ends[1]))
    seen = min(np.nanmin(np.where(np.isfinite(losses), losses, np.nan)), np.nanmin(drawn[2]))
    minimum = float(seen) if course.minimum is None else course.minimum
    goal = minimum + course.goal * (first - minimum)
    there = losses <= goal
    return Race(
        course.name,
        tuple(racers),
        tuple(float(one.learning_rate) for one in racers.values()),
        paths,
        losses,
        goal,
        minimum,
        tuple(int(np.argmax(row)) if row.any() else None for row in there),
        diverged,
        drawn,
        course.axes,
    )


def reach(side: np.ndarray, ways: np.ndarray, diverged: Sequence[bool]) -> tuple[float, float]:
    """From where to where a side of the picture goes: the map, and what it takes for the ways of those that did not diverge.

    Args:
        side: places of the map along it.
        ways: where each racer was along it, [racers, steps + 1].
        diverged: whether a racer did.

    """
    low, high = float(side[0]), float(side[-1])
    kept = ways[~np.array(diverged)]
    if not kept.size:
        return low, high
    wide = high - low
    least, largest = float(kept.min()), float(kept.max())
    ends = (least - _ROOM * wide if least < low else low, largest + _ROOM * wide if largest > high else high)
    return max(ends[0], low - wide), min(ends[1], high + wide)


def _racers(given: Any, rates: Rates, steps: int) -> dict[str, Optimizer]:
    """Names and optimizers."""
    found: dict[str, Optimizer] = {}
    listed = NAMES if given is None else given
    if not isinstance(listed, (Mapping, list, tuple)) or not listed:
        raise ValueError(f"optimizers must be a dict of names and optimizers, or a list of either, got {given!r}.")
    for key in listed:
        one = listed[key] if isinstance(listed, Mapping) else key
        name = str(key) if isinstance(listed, Mapping) or isinstance(key, str) else type(key).__name__
        while name in found:
            name += "'"
        found[name] = _named(one, rates, steps) if isinstance(one, str) else get(one).twin()
    return found


def _named(given: str, rates: Rates, steps: int) -> Optimizer:
    lowered = given.lower()
    name = {one.lower(): one for one in NAMES}.get(_SHORT.get(lowered, lowered))
    if name is None:
        raise ValueError(unknown("racer", given, NAMES))
    kind = name.removesuffix(DECAYED)
    if kind == name:
        return KINDS[kind](float, rates)
    return KINDS[kind](lambda rate: schedules.InverseTimeDecay(rate, steps, _FALLS), rates)


def _run(
    course: Course, racers: list[Optimizer], steps: int, told: Callable[[int, int], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Where each was, [racers, steps + 1, 2], and the losses there, [racers, steps + 1]."""
    stretch = -(-(steps + 1) // _WORDS)
    key = (course.key, tuple(one.structure() for one in racers), stretch)
    run = program_of(_ways, course.at, racers, stretch, key=key)
    found: list[Any] = []
    with config.precision(course.precision):
        hypers = [{name: np.asarray(value, course.precision) for name, value in one.hypers().items()} for one in racers]
        start = course.start.astype(course.precision)
        carried = [(start, one.init((start,))) for one in racers]
        for done in range(0, steps + 1, stretch):
            carried, ways = run(hypers, carried, course.more)
            found.append(jax.device_get(ways))
            told(min(done + stretch, steps), steps)
    paths, losses = (
        np.concatenate([[way[i] for way in ways] for ways in found], axis=1)[:, : steps + 1] for i in (0, 1)
    )
    return np.array(paths, np.float64), np.array(losses, np.float64)


def _ways(at: At, racers: list[Optimizer], steps: int) -> Callable[..., Any]:
    """A function of all racers' hypers, where they are, and what the landscape needs: where they come to, by which ways."""

    def way(optimizer: Optimizer, h: Any, carried: Any, more: Any) -> Any:
        def step(carried: Any, _: Any) -> Any:
            point, state = carried
            loss, slope = at(point, *more)
            (moved,), state = optimizer.apply(h, state, (point,), (slope,), (None,))
            return (moved, state), (point, loss)

        return lax.scan(step, jax.tree.map(jnp.asarray, carried), None, length=steps)

    def run(hypers: Any, carried: Any, more: Any) -> Any:
        each = [way(one, h, where, more) for one, h, where in zip(racers, hypers, carried, strict=True)]
        return [end for end, _ in each], [ways for _, ways in each]

    return run
