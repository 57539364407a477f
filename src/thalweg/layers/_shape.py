"""Layers that move values without changing them: Flatten and Reshape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context


class Flatten(Layer):
    """Rows of any shape as rows of one axis.

    Args:
        data_format: taken for Keras's sake; axes are flattened in their order.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Flatten()(np.ones((2, 3, 4))).shape
        (2, 12)

    """

    HOST: ClassVar[tuple[str, ...]] = (*Layer.HOST, "data_format")

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format

    def output_features(self, features: Features) -> tuple[int, ...]:
        return (int(np.prod(features)),)

    def output_awake(self, awake: Any, units: Any) -> Any:
        return awake.reshape(-1)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return x.reshape(x.shape[0], -1)


class Reshape(Layer):
    """Rows in another shape of as many values.

    Args:
        target_shape: of one row; one size may be -1, which stands for what is left.

    Raises:
        ValueError: where the sizes do not match.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Reshape((3, -1))(np.ones((2, 12))).shape
        (2, 3, 4)

    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(int(size) for size in target_shape)
        if sum(size == -1 for size in self.target_shape) > 1 or any(s < 1 and s != -1 for s in self.target_shape):
            raise ValueError(
                f"target_shape must hold positive sizes and one -1 at most, got Reshape(target_shape={target_shape!r})."
            )

    def output_features(self, features: Features) -> tuple[int, ...]:
        size, known = int(np.prod(features)), int(np.prod([s for s in self.target_shape if s != -1]))
        fits = size % known == 0 if -1 in self.target_shape else size == known
        if not fits:
            raise ValueError(
                f"Reshape {self.name!r} cannot bring rows of shape {tuple(features)} ({size} values) into "
                f"{self.target_shape} ({known} values)."
            )
        return tuple(size // known if s == -1 else s for s in self.target_shape)

    def output_awake(self, awake: Any, units: Any) -> Any:
        return awake.reshape(self.output_features(awake.shape))

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        return x.reshape(x.shape[0], *self.output_features(x.shape[1:]))
