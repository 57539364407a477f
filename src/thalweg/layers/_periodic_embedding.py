"""PeriodicEmbedding: numbers as learnt waves, so that a net need not be smooth in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from thalweg import initializers
from thalweg._checks import number
from thalweg._registered import register_keras_serializable
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._variable import Weight


@register_keras_serializable("thalweg")
class PeriodicEmbedding(Layer):
    """Beside each number `output_dim` more, which are learnt sums of learnt waves of it.

        x  ->  x, W cos(2 pi (f x + p)) + b      with frequencies f, phases p, kernel W, bias b of its own

    Dense layers learn slowly what jumps in one number; on waves they learn it soon. Best on numbers of about unit scale.
    Keras has no such layer: it opens a file with one where a class of this name is registered there.

    Args:
        output_dim: numbers beside each number.
        waves: how many waves these are sums of.
        scale: deviation of the first frequencies, in turns a unit: the larger, the finer the steps that are learnt.
        columns: which inputs get waves, by place on the last axis; None is all.

    Returns:
        From [batch, ..., d] the same and behind it ``output_dim`` numbers for each of the columns.

    Raises:
        ValueError: where a size is not a positive integer, or a column is out of range.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.PeriodicEmbedding(3, columns=[0])(np.ones((2, 5))).shape
        (2, 8)

    Source: Gorishniy, Rubachev & Babenko 2022, "On embeddings for numerical features in tabular deep learning"; in the
    form of Holzmueller, Grinsztajn & Steinwart 2024, "Better by default" (biased waves, the number itself kept).

    """

    HOST: ClassVar[tuple[str, ...]] = (*Layer.HOST, "scale")
    pads = True  # sleeping inputs stay asleep, and so do their waves

    def __init__(
        self,
        output_dim: int = 3,
        waves: int = 16,
        scale: float = 0.1,
        columns: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_dim = int(number(self, "output_dim", output_dim, at_least=1))
        self.waves = int(number(self, "waves", waves, at_least=1))
        self.scale = float(number(self, "scale", scale, at_least=0))
        self.columns = None if columns is None else tuple(int(one) for one in columns)

    def init(self, features: Features) -> Sequence[Weight]:
        inputs = features[-1] if self.columns is None else len(self.columns)
        outside = [one for one in self.columns or () if not 0 <= one < features[-1]]
        if outside:
            raise ValueError(
                f"PeriodicEmbedding {self.name!r}: column {outside[0]} is none of its {features[-1]} inputs."
            )
        axis = "in" if self.columns is None else None
        spread = initializers.RandomUniform(-(self.waves**-0.5), self.waves**-0.5)
        return (
            Weight("frequencies", (inputs, self.waves), initializers.RandomNormal(0.0, self.scale), axes=(axis, None)),
            Weight("phases", (inputs, self.waves), initializers.RandomUniform(-0.5, 0.5), axes=(axis, None)),
            Weight("kernel", (inputs, self.waves, self.output_dim), spread, axes=(axis, None, None)),
            Weight("bias", (inputs, self.output_dim), spread, axes=(axis, None)),
        )

    def check_features(self, features: Features) -> None:
        if features[-1] != self.features[-1]:
            super().check_features(features)

    def output_features(self, features: Features) -> tuple[int, ...]:
        inputs = features[-1] if self.columns is None else len(self.columns)
        return (*features[:-1], features[-1] + inputs * self.output_dim)

    def output_awake(self, awake: Any, units: Any) -> Any:
        return jnp.concatenate([awake, jnp.repeat(self._chosen(awake), self.output_dim, axis=-1)], axis=-1)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        chosen = self._chosen(x)
        waves = _cosine(chosen[..., None] * w["frequencies"] + w["phases"])
        made = jnp.einsum("...df,dfo->...do", waves, w["kernel"]) + w["bias"]
        both = jnp.concatenate([x, made.reshape(*x.shape[:-1], -1)], axis=-1)
        return both if ctx.awake is None else jnp.where(self.output_awake(ctx.awake, None) > 0, both, 0)

    def _chosen(self, x: Any) -> Any:
        return x if self.columns is None else x[..., np.array(self.columns, int)]


def _cosine(turns: Any) -> Any:
    """cos(2 pi t), to the last digits of float32 and float64.

    By a sum of powers: XLA calls the C library for each cosine on a CPU, which took two thirds of a step.
    """
    within = jnp.abs(turns - jnp.round(turns))  # 0 to 1/2, where the cosine falls from 1 to -1
    angle = 2 * np.pi * (0.25 - within)
    square = angle * angle
    terms = 6 if turns.dtype.itemsize <= 4 else 10
    total = jnp.zeros_like(square)
    for k in reversed(range(terms)):
        total = total * (square * (-1 / ((2 * k + 2) * (2 * k + 3)))) + 1
    return angle * total
