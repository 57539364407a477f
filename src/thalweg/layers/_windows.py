"""Windows that move over images and sequences: how many places they have, and what each of their cells sees.

A window of k cells over an axis is k views of it: the axis from cell 0 on, from cell 1 on, ..., each with the stride of
the window. Convolution lays these views beside each other and multiplies once with the kernel; pooling takes their
maximum or sum. On a CPU that is how it is fastest, far before XLA's own operations. Measured on 2 cores in a compiled
loop, batch 128, 13 x 13 x 32 to 64 filters 3 x 3, forward and back: 15 ms against 360 for ``lax.conv_general_dilated``
(whose gradients have no fast form in a loop); maxima of 2 x 2 over 26 x 26 x 32: 2.3 ms against 20 for
``lax.reduce_window``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

_HELD = 1 << 25  # numbers of laid out views that are held at a time


class Sweep(NamedTuple):
    """How a window moves along one axis.

    Attributes:
        size: cells of the window.
        stride: steps from one place to the next.
        dilation: steps from one cell to the next.
        before, after: how much the axis is padded at either end.
        places: how many there are.

    """

    size: int
    stride: int
    dilation: int
    before: int
    after: int
    places: int


def sweep(length: int, size: int, stride: int, dilation: int, padding: str) -> Sweep:
    """How a window moves along an axis of `length`.

    Args:
        length: of the axis.
        size, stride, dilation: of the window.
        padding: ``'valid'``: none; ``'same'``: as many places as ``length / stride``, rounded up; ``'causal'``: likewise,
            all of it before the first.

    """
    reach = (size - 1) * dilation + 1
    if padding == "valid":
        return Sweep(size, stride, dilation, 0, 0, max(0, (length - reach) // stride + 1))
    count = -(-length // stride)
    if padding == "causal":
        return Sweep(size, stride, dilation, reach - 1, 0, count)
    lacking = max((count - 1) * stride + reach - length, 0)
    return Sweep(size, stride, dilation, lacking // 2, lacking - lacking // 2, count)


def views(x: Any, axis: int, one: Sweep, fill: float = 0.0) -> list[Any]:
    """What each cell of a window sees at all of its places: as many arrays as it has cells.

    Args:
        x: array.
        axis: along which the window moves.
        one: how.
        fill: what stands beyond the ends.

    """
    if one.before or one.after:
        around = [(one.before, one.after, 0) if i == axis else (0, 0, 0) for i in range(x.ndim)]
        x = lax.pad(x, jnp.asarray(fill, x.dtype), around)
    reach = (one.places - 1) * one.stride + 1
    starts = [cell * one.dilation for cell in range(one.size)]
    return [lax.slice_in_dim(x, start, start + reach, one.stride, axis) for start in starts]


def convolved(x: Any, kernel: Any, sweeps: Sequence[Sweep], groups: int = 1) -> Any:
    """Every window times the kernel, summed over its cells and channels.

    Args:
        x: [rows, ...places, channels].
        kernel: [...cells, channels / groups, filters].
        sweeps: one an axis of places.
        groups: parts of the channels, each of which feeds its own part of the filters.

    Returns:
        [rows, ...places, filters].

    """
    by_views = functools.partial(_by_views, sweeps=sweeps, groups=groups)
    by_xla = functools.partial(_by_xla, sweeps=sweeps, groups=groups)
    return lax.platform_dependent(x, kernel, cpu=by_views, default=by_xla)


def _by_views(x: Any, kernel: Any, sweeps: Sequence[Sweep], groups: int) -> Any:
    """As one product of matrices; of a few rows at a time where their views would fill the memory."""
    each = math.prod(one.places * one.size for one in sweeps) * x.shape[-1]
    rows = max(1, _HELD // each)
    if len(x) <= rows:
        return _product(x, kernel, sweeps, groups)

    def of_row(row: Any) -> Any:
        return _product(row[None], kernel, sweeps, groups)[0]

    return lax.map(jax.checkpoint(of_row), x, batch_size=rows)


def _product(x: Any, kernel: Any, sweeps: Sequence[Sweep], groups: int) -> Any:
    cells = _of_all_axes(x, sweeps)
    filters = kernel.shape[-1]
    if groups == 1:
        return jnp.dot(jnp.concatenate(cells, -1), kernel.reshape(-1, filters))
    parts = jnp.stack(cells, -2).reshape(*cells[0].shape[:-1], len(cells), groups, -1)
    split = kernel.reshape(len(cells), -1, groups, filters // groups)
    return jnp.einsum("...kgc,kcgf->...gf", parts, split).reshape(*cells[0].shape[:-1], filters)


def _of_all_axes(x: Any, sweeps: Sequence[Sweep]) -> list[Any]:
    found = [x]
    for axis, one in enumerate(sweeps, start=1):
        found = [view for part in found for view in views(part, axis, one)]
    return found


def _by_xla(x: Any, kernel: Any, sweeps: Sequence[Sweep], groups: int) -> Any:
    axes = "HWD"[: len(sweeps)]
    return lax.conv_general_dilated(
        x,
        kernel,
        [one.stride for one in sweeps],
        [(one.before, one.after) for one in sweeps],
        rhs_dilation=[one.dilation for one in sweeps],
        dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
        feature_group_count=groups,
    )


def convolved_apart(x: Any, kernel: Any, sweeps: Sequence[Sweep]) -> Any:
    """The same for each channel by itself.

    Args:
        x: [rows, ...places, channels].
        kernel: [...cells, channels, multiplier].
        sweeps: one an axis of places.

    Returns:
        [rows, ...places, channels x multiplier]; those of one channel lie side by side.

    """
    flat = kernel.reshape(-1, *kernel.shape[-2:])
    if kernel.shape[-1] == 1:  # no axis of size 1 at the end: it keeps a CPU from computing channels side by side
        return sum(view * flat[i, :, 0] for i, view in enumerate(_of_all_axes(x, sweeps)))
    made = sum(view[..., None] * flat[i] for i, view in enumerate(_of_all_axes(x, sweeps)))
    return made.reshape(*made.shape[:-2], -1)


def pooled(x: Any, sweeps: Sequence[Sweep], combine: Callable[[Any, Any], Any], fill: float) -> Any:
    """The cells of every window combined, one axis after the other.

    Args:
        x: [rows, ...places, channels].
        sweeps: one an axis of places.
        combine: two arrays as one: :func:`larger`, or a sum.
        fill: what stands beyond the ends; it must not change what it is combined with.

    """
    for axis, one in enumerate(sweeps, start=1):
        x = functools.reduce(combine, views(x, axis, one, fill))
    return x


def larger(a: Any, b: Any) -> Any:
    """The larger of two; where they are equal the first, to which alone the gradient flows; NaN where one is."""
    return jnp.where((b > a) | jnp.isnan(b), b, a)
