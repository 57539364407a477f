"""Layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from thalweg.layers._base import Features, Layer
from thalweg.layers._context import Context


class _Merge(Layer):
    """Element by element, with shapes broadcast."""

    merges: ClassVar[bool] = True
    least: ClassVar[int] = 2
    most: ClassVar[int | None] = None

    def output_features(self, features: Features) -> tuple[int, ...]:
        self.check_count(features)
        try:
            return tuple(np.broadcast_shapes(*features))
        except ValueError:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} needs inputs of one shape, got {', '.join(map(str, features))}."
            ) from None

    def check_count(self, features: Features) -> None:
        """Raise where there are too few or too many inputs."""
        if (
            not isinstance(features, tuple)
            or len(features) < self.least
            or len(features) > (self.most or len(features))
        ):
            wanted = f"a list of {self.least}" + ("" if self.most == self.least else " or more")
            raise ValueError(f"{type(self).__name__} {self.name!r} takes {wanted} inputs, got {len(features)}.")

    def check_features(self, features: Features) -> None:
        pass

    def output_awake(self, awake: Any, units: Any) -> Any:
        return reduce(jnp.maximum, awake)

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        merged = self.merge(list(x))
        if ctx.awake is None:
            return merged
        return jnp.where(self.output_awake(ctx.awake, None) > 0, merged, 0)

    def merge(self, x: list[Any]) -> Any:
        """One tensor of the inputs."""
        raise NotImplementedError(f"{type(self).__name__} must define merge(x).")


class Add(_Merge):
    """The sum of its inputs.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
        [[2.0, 2.0]]

    """

    def merge(self, x: list[Any]) -> Any:
        """``a + b + ...``"""
        return reduce(jnp.add, x)


class Subtract(_Merge):
    """The first of two inputs minus the second.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Subtract()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
        [[0.0, 0.0]]

    """

    most: ClassVar[int | None] = 2

    def merge(self, x: list[Any]) -> Any:
        """``a - b``"""
        return x[0] - x[1]


class Multiply(_Merge):
    """The product of its inputs.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Multiply()([2 * np.ones((1, 2)), 3 * np.ones((1, 2))]).tolist()
        [[6.0, 6.0]]

    """

    def merge(self, x: list[Any]) -> Any:
        """``a * b * ...``"""
        return reduce(jnp.multiply, x)


class Average(_Merge):
    """The mean of its inputs.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Average()([np.ones((1, 2)), 3 * np.ones((1, 2))]).tolist()
        [[2.0, 2.0]]

    """

    def merge(self, x: list[Any]) -> Any:
        """``(a + b + ...) / n``"""
        return reduce(jnp.add, x) / len(x)


class Maximum(_Merge):
    """The largest of its inputs, element by element.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Maximum()([np.ones((1, 2)), 3 * np.ones((1, 2))]).tolist()
        [[3.0, 3.0]]

    """

    def merge(self, x: list[Any]) -> Any:
        """``max(a, b, ...)``"""
        return reduce(jnp.maximum, x)


class Minimum(_Merge):
    """The smallest of its inputs, element by element.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Minimum()([np.ones((1, 2)), 3 * np.ones((1, 2))]).tolist()
        [[1.0, 1.0]]

    """

    def merge(self, x: list[Any]) -> Any:
        """``min(a, b, ...)``"""
        return reduce(jnp.minimum, x)


class Concatenate(_Merge):
    """Its inputs side by side.

    Args:
        axis: along which.

    Raises:
        ValueError: where the inputs' other sizes differ.

    Example:
        >>> import numpy as np, thalweg
        >>> thalweg.layers.Concatenate()([np.ones((1, 2)), np.zeros((1, 1))]).tolist()
        [[1.0, 1.0, 0.0]]

    """

    least: ClassVar[int] = 1

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if axis == 0:
            raise ValueError("axis must not be 0, the rows, got Concatenate(axis=0).")
        self.axis = int(axis)

    def output_features(self, features: Features) -> tuple[int, ...]:
        self.check_count(features)
        along = self._along(len(features[0]))
        rest = {one[:along] + one[along + 1 :] for one in features}
        if len(rest) > 1 or len({len(one) for one in features}) > 1:
            raise ValueError(
                f"Concatenate {self.name!r} along axis {self.axis} needs inputs that agree in all other sizes, got "
                f"{', '.join(map(str, features))}."
            )
        size = sum(one[along] for one in features)
        return (*features[0][:along], size, *features[0][along + 1 :])

    def _along(self, ndim: int) -> int:
        return self.axis % (ndim + 1) - 1 if self.axis > 0 else self.axis % ndim

    def output_awake(self, awake: Any, units: Any) -> Any:
        return jnp.concatenate(awake, axis=self._along(awake[0].ndim))

    def merge(self, x: list[Any]) -> Any:
        """Side by side."""
        return jnp.concatenate(x, axis=self.axis)


def _function(kind: type[_Merge]) -> Callable[..., Any]:
    def merged(inputs: Sequence[Any], **kwargs: Any) -> Any:
        return kind(**kwargs)(inputs)

    merged.__name__ = merged.__qualname__ = kind.__name__.lower()
    merged.__doc__ = f"``{kind.__name__}(**kwargs)(inputs)``: {(kind.__doc__ or '').splitlines()[0]}"
    return merged


add, subtract, multiply, average = map(_function, (Add, Subtract, Multiply, Average))
maximum, minimum, concatenate = map(_function, (Maximum, Minimum, Concatenate))
