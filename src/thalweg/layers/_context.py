"""What a layer is told while it is applied, and how random bits are made.

Random bits come from a hash of (seed, step, layer, row, unit), not from a stream: padding a layer
or a batch changes no bit of what its real units and rows draw, and no generator's state has to be
kept or restored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_GOLDEN = np.uint32(0x9E3779B9)


class Context:
    """Handed to :meth:`Layer.apply`: the mode, the numbers, the rows, and where to put side results.

    Attributes:
        training: whether the net is being trained (structure, never traced).
        h: the layer's hypers by local name, numbers or traced scalars.
        rows: [batch] 1.0 for a real row and 0.0 for a padding row, or None where all are real.
        awake: [features] of the input, 1.0 for a unit in use, or None where nothing is padded;
            a list, one entry an input, for layers that merge.
        units: likewise for the layer's own units.
        updates: new values of weights that are not trained (moving averages), by name.
        penalties: scalars to add to the loss.

    """

    def __init__(
        self,
        training: bool = False,
        h: Mapping[str, Any] | None = None,
        rows: jax.Array | None = None,
        awake: Any = None,
        units: jax.Array | None = None,
        key: Any = 0,
    ) -> None:
        self.training = training
        self.h = h or {}
        self.rows = rows
        self.awake = awake
        self.units = units
        self.key = key
        self.updates: dict[str, Any] = {}
        self.penalties: list[Any] = []

    def random_bits(self, shape: tuple[int, ...]) -> jax.Array:
        """uint32 bits of `shape` [batch, ...features], keyed by row and by unit.

        A unit's number counts the awake units before it, so that it keeps its bits when padded.
        """
        row = mix(jnp.arange(shape[0], dtype=jnp.uint32) * _GOLDEN + jnp.uint32(self.key))
        features = shape[1:]
        awake = self._awake_of(features)
        if awake is None:
            unit = jnp.arange(int(np.prod(features)), dtype=jnp.uint32).reshape(features)
        else:
            unit = jnp.cumsum(awake.ravel().astype(jnp.uint32)).reshape(features) - jnp.uint32(1)
        return mix(row.reshape((-1,) + (1,) * len(features)) + unit * _GOLDEN)

    def _awake_of(self, features: tuple[int, ...]) -> Any:
        """The mask of as many units; an axis of size 1 is drawn once for all of the input's."""
        if self.awake is None or isinstance(self.awake, (list, tuple)) or self.awake.ndim != len(features):
            return None
        awake = self.awake[tuple(slice(0, 1) if size == 1 else slice(None) for size in features)]
        return awake if awake.shape == features else None

    def uniform(self, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Uniform numbers in [0, 1) of `shape`."""
        below_one = ((self.random_bits(shape) >> 8).astype(jnp.float32) * np.float32(2**-24)).astype(dtype)
        return jnp.minimum(below_one, 1 - jnp.finfo(dtype).epsneg)  # what a half cannot tell from 1

    def normal(self, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
        """Standard normal numbers of `shape`, by the inverse of the normal distribution."""
        halfway = ((self.random_bits(shape) >> 9).astype(jnp.float32) + 0.5) * np.float32(2**-23)
        return (jax.scipy.special.ndtri(halfway)).astype(dtype)


def mix(bits: jax.Array) -> jax.Array:
    """A bijection of 32 bits in which every input bit moves every output bit (Wellons, "lowbias32")."""
    bits = (bits ^ (bits >> 16)) * jnp.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * jnp.uint32(0x846CA68B)
    return bits ^ (bits >> 16)


def layer_key(seed: Any, step: Any, layer: Any, call: int) -> jax.Array:
    """The key of one layer's bits at one step; the layer's position may be data (uint32)."""
    of_call = (call * 0xC2B2AE35 + 1) % 2**32
    if isinstance(layer, int):
        place = jnp.uint32((layer * 0x85EBCA6B + of_call) % 2**32)
    else:
        place = layer * jnp.uint32(0x85EBCA6B) + jnp.uint32(of_call)
    return mix(mix(jnp.uint32(seed) + _GOLDEN) ^ mix(jnp.uint32(step) * jnp.uint32(0x27D4EB2F) ^ mix(place)))
