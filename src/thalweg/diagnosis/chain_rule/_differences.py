"""Gradients by central differences in float64, each with what it may be off by, beside those of automatic differentiation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

STEPS = np.array([1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
"""Tried, in units of an argument's size; the pair whose differences agree best is believed."""
_FAR = 1.0  # a step that shows whether an argument has any effect
_DIRECTIONS, _ENTRIES = 4, 24  # an argument: along random directions, and number by number
_ROUNDING = 4.0  # times the precision of the arithmetic, which a value may be off by
_COARSE = {"bf16": 2.0**-8, "f16": 2.0**-11, "f32": 2.0**-24}
_RESULT = re.compile(r":(bf16|f16|f32)\[[\d,]*\][^=\n]* =")  # of an equation, as JAX prints it
DOUBT = 8.0
"""Times what a difference may be off by, from which on it contradicts."""
_FADED = 0.5  # of the gap between the sides that is left at a step a tenth as long: less is curvature, more a kink


class Differences(NamedTuple):
    """What is found of one argument; the entries come first, then the random directions.

    Attributes:
        entries: numbers of the entries that were moved, of the argument as one axis.
        automatic: the derivative along each move by automatic differentiation.
        numeric: by differences.
        doubt: what `numeric` may be off by.
        kinks: whether the function has a corner or a jump there.
        gradient: of the argument, as one axis.
        moves: whether the value moves at all, however far one goes.
        value: of the function.

    """

    entries: np.ndarray
    automatic: np.ndarray
    numeric: np.ndarray
    doubt: np.ndarray
    kinks: np.ndarray
    gradient: np.ndarray
    moves: bool
    value: float


def differences(function: Callable[..., Any], arguments: Sequence[np.ndarray], seed: int) -> list[Differences]:
    """Compare, argument by argument.

    Args:
        function: of the arguments, giving arrays; what is looked at is their sum, weighted at random.
        arguments: in float64.
        seed: of weights, directions and entries.

    """
    rng = np.random.default_rng(seed)
    sizes = [one.size for one in arguments]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    directions = rng.normal(size=(_DIRECTIONS, len(owner)))
    chosen = [np.sort(rng.permutation(size)[:_ENTRIES]) for size in sizes]
    scales = [size_of(one) or 1.0 for one in arguments]
    lengths = np.concatenate([STEPS, -STEPS, [_FAR, -_FAR, 0.0]])
    moves = []  # direction, entry, argument, length
    for argument, start in enumerate(np.cumsum([0, *sizes[:-1]])):
        alone = [(_DIRECTIONS, start + i) for i in chosen[argument]]
        along = [(direction, 0) for direction in range(_DIRECTIONS)]
        moves += [(*move, argument, length * scales[argument]) for move in [*alone, *along] for length in lengths]
    with jax.enable_x64(True):
        rounding, gradient, values = _values(function, arguments, directions, owner, moves, rng)
    values = values.reshape(-1, len(lengths))
    found, row = [], 0
    for argument, entries in enumerate(chosen):
        own = owner == argument
        count = len(entries) + _DIRECTIONS
        part = values[row : row + count]
        row += count
        slopes = gradient[own]
        automatic = np.concatenate([slopes[entries], directions[:, own] @ slopes])
        numeric, doubt, kinks = _judged(part, rounding, scales[argument])
        any_effect = bool((part != part[:, -1:]).any())
        found.append(Differences(entries, automatic, numeric, doubt, kinks, slopes, any_effect, float(part[0, -1])))
    return found


def size_of(array: np.ndarray) -> float:
    """The root mean square, of numbers however large or small."""
    top = float(np.abs(array).max())
    return top * float(np.sqrt(np.mean(np.square(array / top)))) if 0 < top < np.inf else top


def _values(
    function: Callable[..., Any],
    arguments: Sequence[np.ndarray],
    directions: np.ndarray,
    owner: np.ndarray,
    moves: Any,
    rng: Any,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Of the weighted sum: what rounding may do to it, its gradient, and its value after each move."""
    shapes = [one.shape for one in arguments]
    ends = np.cumsum([one.size for one in arguments])[:-1]
    given = _floats(jax.eval_shape(function, *arguments))
    if not given:
        raise ValueError("The function gives no floating numbers, so it has no gradient: return arrays of floats.")
    weights = [np.ones(()) if len(given) == 1 and leaf.shape == () else rng.normal(size=leaf.shape) for leaf in given]
    rows = jnp.asarray(np.vstack([directions, np.zeros_like(directions[:1])]))

    def terms(flat: Any) -> list[Any]:
        parts = [part.reshape(shape) for part, shape in zip(jnp.split(flat, ends), shapes, strict=True)]
        return [weight * leaf for weight, leaf in zip(weights, _floats(function(*parts)), strict=True)]

    def whole(flat: Any) -> Any:
        return sum(jnp.sum(term, dtype=jnp.float64) for term in terms(flat))

    def after(flat: Any, rows: Any, move: Any) -> Any:
        direction, entry, argument, length = move
        along = rows[direction] * (jnp.asarray(owner) == argument)
        alone = jnp.where(direction == _DIRECTIONS, 1.0, 0.0)
        return whole(flat + length * along.at[entry].add(alone))

    @jax.jit
    def run(flat: Any, rows: Any, moves: Any) -> Any:
        size = sum(jnp.sum(jnp.abs(term), dtype=jnp.float64) for term in terms(flat))
        return size, jax.grad(whole)(flat), lax.map(lambda move: after(flat, rows, move), moves)

    flat = np.concatenate([one.ravel() for one in arguments])
    columns = tuple(jnp.asarray(column) for column in zip(*moves, strict=True))
    size, gradient, values = jax.device_get(run(flat, rows, columns))
    coarse = _RESULT.findall(str(jax.make_jaxpr(whole)(flat)))
    return _ROUNDING * float(size) * max((_COARSE[one] for one in coarse), default=2.0**-53), gradient, values


def _floats(tree: Any) -> list[Any]:
    return [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)]


def _judged(values: np.ndarray, rounding: float, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Derivatives from values [moves, lengths]; what they may be off by; where there are kinks."""
    n, steps = len(STEPS), STEPS * scale
    there, back, here = values[:, :n], values[:, n : 2 * n], values[:, -1:]
    with np.errstate(invalid="ignore", over="ignore"):
        central = (there - back) / (2 * steps)
        gaps = np.abs((there - here) + (back - here)) / steps
        doubts = np.abs(np.diff(central, axis=1)) + rounding / steps[1:]
    doubts[~np.isfinite(doubts)] = np.inf
    best = doubts.argmin(axis=1)
    rows = np.arange(len(values))
    numeric, doubt = central[rows, best + 1], doubts[rows, best]
    gap, before = gaps[rows, best + 1], gaps[rows, best]
    return numeric, doubt, (gap > _FADED * before) & (gap > DOUBT * doubt + 1e-6 * np.abs(numeric))
