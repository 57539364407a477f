"""Points that are looked at: spread over the space, near the best trials, and a step away in one parameter."""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

from thalweg.tuner.searches._encoding import Array, Space

GRID = 1024
"""Up to so many points of a space are all looked at."""

_LOG_SPREAD = 9
_STEPS = 40
_NEIGHBOURS = 12
"""Of a parameter without an order, up to so many other values are tried at once."""


def sobol(rng: np.random.Generator, size: int, log_count: int = 0, skip: int = 0) -> Array:
    """2^log_count scrambled Sobol points of the unit cube, after the first `skip`."""
    engine = qmc.Sobol(size, rng=rng)
    if skip:
        engine.fast_forward(skip)
        return engine.random(1)
    return engine.random_base2(log_count)


def spread(space: Space, anchors: Array, rng: np.random.Generator) -> Array:
    """Points all over the space; many more near the anchors, which are good points, the best first."""
    if space.count <= GRID:
        return space.grid()
    wide = sobol(rng, space.size, _LOG_SPREAD)
    near = [steps(space, filled(anchor, rng), rng, _STEPS) for anchor in anchors]
    moved = [neighbours(space, filled(anchor, rng)) for anchor in anchors[:3]]
    return space.snap(np.concatenate([wide, *near, *moved]))


def filled(row: Array, rng: np.random.Generator) -> Array:
    """The row, with random coordinates where it has none."""
    return np.where(np.isnan(row), rng.random(len(row)), row)


def steps(space: Space, row: Array, rng: np.random.Generator, count: int) -> Array:
    """Points near one: some of its coordinates are moved, by normal steps of widths from 0.003 to 0.3.

    About three coordinates are moved at a time, at least one; what has no small steps is drawn anew.
    """
    size = len(row)
    moved = rng.random((count, size)) < min(1.0, 3.0 / size)
    moved[np.arange(count), rng.integers(size, size=count)] = True
    width = 10.0 ** rng.uniform(-2.5, -0.5, (count, 1))
    small = row + width * rng.standard_normal((count, size))
    small = np.abs(small)
    small = np.where(small > 1.0, 2.0 - small, small)  # reflected, as the bounds would collect what is cut off
    anew = rng.random((count, size))
    return space.snap(np.where(moved, np.where(space.smooth, small, anew), row))


def neighbours(space: Space, row: Array) -> Array:
    """Points that differ in one parameter: in every other value of one with few, a step up or down of others."""
    found = []
    for i, axis in enumerate(space.axes):
        if axis.levels is None:
            continue
        if axis.smooth:
            others = row[i] + np.array([-1.0, 1.0]) / axis.levels
        else:
            units = axis.all_units()
            others = units[np.abs(units - row[i]) > 0.25 / axis.levels][:_NEIGHBOURS]
        block = np.repeat(row[None], len(others), 0)
        block[:, i] = others
        found.append(block)
    return space.snap(np.concatenate(found)) if found else row[None]
