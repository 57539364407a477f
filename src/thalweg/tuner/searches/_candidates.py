"""Points that are looked at: spread over the space, near the best trials, and a step away in one parameter."""

from __future__ import annotations

from collections.abc import Container

import numpy as np
from scipy.stats import qmc

from thalweg.tuner.searches._activity import Learnt, Told
from thalweg.tuner.searches._encoding import Array, Space

GRID = 1024
"""Up to so many points of a space are all looked at."""

_LISTED = 2**16
"""Up to so many, all are listed where chance finds none that has not been tried."""

_SEQUENCE = 2**12
"""Longer designs are as good at random."""

_LOG_SPREAD = 9
_DRAWS = 128
_STEPS = 40
_NEIGHBOURS = 12
"""Of a parameter without an order, up to so many other values are tried at once."""


def initial(space: Space, sequence: np.random.Generator, rng: np.random.Generator, number: int) -> Array:
    """The point of a scrambled Sobol sequence that belongs to a number; past its useful length, a random one."""
    if number >= _SEQUENCE:
        return space.snap(rng.random((1, space.size)))[0]
    engine = qmc.Sobol(space.size, rng=sequence)
    if number:
        engine.fast_forward(number)
    return space.snap(engine.random(1))[0]


def untried(
    space: Space, activity: Told | Learnt, taken: Container[bytes], found: Array | None, rng: np.random.Generator
) -> Array:
    """The point that was found, unless it is taken or there is none: then a random one that is not, if any."""
    rows = space.snap(rng.random((_DRAWS, space.size)))
    if found is not None:
        rows = np.concatenate([found[None], rows])
    free = (row for row, key in zip(rows, space.keys(activity.mask(rows)), strict=True) if key not in taken)
    chosen = next(free, None)
    if chosen is None and space.count <= _LISTED:
        rows = rng.permutation(space.grid())
        free = (row for row, key in zip(rows, space.keys(activity.mask(rows)), strict=True) if key not in taken)
        chosen = next(free, None)
    return rows[0] if chosen is None else chosen


def spread(space: Space, anchors: Array, rng: np.random.Generator) -> Array:
    """Points all over the space; many more near the anchors, which are good points, the best first."""
    if space.count <= GRID:
        return space.grid()
    wide = qmc.Sobol(space.size, rng=rng).random_base2(_LOG_SPREAD)
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
        others = axis.others(row[i])
        if len(others) > _NEIGHBOURS:
            others = others[np.linspace(0, len(others) - 1, _NEIGHBOURS).round().astype(int)]
        block = np.repeat(row[None], len(others), 0)
        block[:, i] = others
        found.append(block)
    return space.snap(np.concatenate(found)) if found else row[None]
