"""Embedding: a row of numbers for each code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._checks import number
from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._kept import declared, keep
from thalweg.layers._variable import Weight


class Embedding(Layer):
    """Codes 0, 1, ..., ``input_dim`` - 1 as vectors that are learnt: row i of the matrix for code i.

    Args:
        input_dim: how many codes there are.
        output_dim: numbers a vector.
        embeddings_initializer: how the vectors start.
        embeddings_regularizer: a penalty on them.
        embeddings_constraint: a bound on them.
        mask_zero: Keras's switch for sequences; only False is known here.

    Returns:
        From codes [batch, ...] vectors [batch, ..., output_dim]; NaN for a code that is out of range, as in Keras on JAX.

    Raises:
        ValueError: where a size is not a positive integer, or `mask_zero` is asked for.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Embedding(10, 3)(np.array([[0, 9], [4, 4]])).shape
        (2, 2, 3)

    Source: Bengio et al. 2003, "A neural probabilistic language model".

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("embeddings_regularizer", "embeddings_constraint", *Layer.HYPERS)
    HOST: ClassVar[tuple[str, ...]] = (*Layer.HOST, "embeddings_initializer")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_dim = int(number(self, "input_dim", input_dim, at_least=1))
        self.output_dim = int(number(self, "output_dim", output_dim, at_least=1))
        if mask_zero:
            raise ValueError("Embedding(mask_zero=True) is for recurrent nets, of which there are none here.")
        self.mask_zero = False
        keep(self, "embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint)

    def init(self, features: Features) -> Sequence[Weight]:
        return (declared(self, "embeddings", (self.input_dim, self.output_dim), (None, None)),)

    def check_features(self, features: Features) -> None:
        """The vectors serve codes of any shape."""

    def output_features(self, features: Features) -> tuple[int, ...]:
        return (*features, self.output_dim)

    def output_awake(self, awake: Any, units: Any) -> Any:
        return awake[..., None]

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return jnp.take(w["embeddings"], x.astype(jnp.int32), axis=0)
