"""Where a graph begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context
from thalweg.layers._symbol import Symbol


class InputLayer(Layer):
    """An input of a net: it says a row's shape and passes rows on.

    Args:
        shape: of one row.
        name: the input's name, by which dicts of arrays are read.

    Raises:
        ValueError: where a size is not a positive integer.

    Example:
        >>> import thalweg
        >>> thalweg.layers.InputLayer((4,)).shape
        (4,)

    """

    def __init__(self, shape: Sequence[int] | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        given = self.given_features if shape is None else shape
        if given is None:
            raise ValueError("shape must be a row's shape, got InputLayer(shape=None).")
        given = (given,) if hasattr(given, "__index__") else tuple(given)
        for size in given:
            if isinstance(size, bool) or not hasattr(size, "__index__") or int(size) < 1:
                raise ValueError(f"shape must hold positive integers, got Input(shape={given!r}).")
        self.shape = self.given_features = tuple(int(size) for size in given)

    def output_features(self, features: Features) -> tuple[int, ...]:
        return tuple(features)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return x


def Input(  # noqa: N802
    shape: Sequence[int] | None = None, name: str | None = None, dtype: str | None = None, **older: Any
) -> Symbol:
    """The start of a functional model, or the first entry of a Sequential.

    Args:
        shape: of one row.
        name: the input's name.
        dtype: taken for Keras's sake; the numbers are the policy's.
        older: ``batch_shape`` or ``batch_size`` of older code; the batch's size is free.

    Returns:
        A symbol: what layers are called on.

    Example:
        >>> import thalweg
        >>> x = thalweg.Input((4,))
        >>> thalweg.layers.Dense(2)(x).shape
        (None, 2)

    """
    older.pop("batch_size", None)
    layer = InputLayer(shape, name=name, dtype=dtype, **older)
    return Symbol(layer.shape, layer)
