"""How often a net is right."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg._checks import number
from thalweg.losses._base import aligned, class_numbers
from thalweg.metrics._base import RowMean


class _Accuracy(RowMean):
    better: ClassVar[str] = "max"


class Accuracy(_Accuracy):
    """How often outputs equal targets.

    Example:
        >>> float(Accuracy()([[1.0], [2.0]], [[1.0], [3.0]]))
        0.5

    """

    def values(self, y: Any, p: Any) -> Any:
        """1.0 where they are equal."""
        return (aligned(y, p) == p).astype(jnp.float32)


class BinaryAccuracy(_Accuracy):
    """How often an output above `threshold` meets a target of 1, and one below it a target of 0.

    Args:
        name: in the logs.
        threshold: where class 1 begins; 0 for logits.

    Raises:
        ValueError: where the threshold is no number.

    Example:
        >>> float(BinaryAccuracy()([[1.0], [0.0]], [[0.9], [0.8]]))
        0.5

    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.threshold = number(self, "threshold", threshold)

    def values(self, y: Any, p: Any) -> Any:
        """1.0 where the class is right."""
        return (aligned(y, p) == (p > self.threshold)).astype(jnp.float32)

    def get_config(self) -> dict[str, Any]:
        """With the threshold."""
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(_Accuracy):
    """How often the largest output is that of the target's class, for one-hot targets.

    Example:
        >>> float(CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]]))
        0.5

    """

    def values(self, y: Any, p: Any) -> Any:
        """1.0 where the class is right."""
        return (jnp.argmax(y, axis=-1) == jnp.argmax(p, axis=-1)).astype(jnp.float32)


class SparseCategoricalAccuracy(_Accuracy):
    """How often the largest output is that of the target's class, for class numbers.

    Example:
        >>> float(SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.3, 0.7]]))
        0.5

    """

    def values(self, y: Any, p: Any) -> Any:
        """1.0 where the class is right."""
        return (class_numbers(y, p) == jnp.argmax(p, axis=-1)).astype(jnp.float32)


class SparseTopKCategoricalAccuracy(_Accuracy):
    """How often the target's class is among the k largest outputs, for class numbers.

    Args:
        k: how many outputs count.
        name: in the logs.
        from_sorted_ids: whether outputs are class numbers, best first, instead of scores.

    Raises:
        ValueError: where k is not positive.

    Example:
        >>> float(SparseTopKCategoricalAccuracy(k=2)([2], [[0.5, 0.1, 0.4]]))
        1.0

    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(name, dtype)
        self.k = int(number(self, "k", k, at_least=1))
        self.from_sorted_ids = bool(from_sorted_ids)

    def values(self, y: Any, p: Any) -> Any:
        """1.0 where the class is among the first k."""
        classes = class_numbers(y, p)[..., None]
        if self.from_sorted_ids:
            return jnp.any(classes == p[..., : self.k].astype(jnp.int32), axis=-1).astype(jnp.float32)
        return _among(classes, p, self.k)

    def get_config(self) -> dict[str, Any]:
        """With its own arguments."""
        return {**super().get_config(), "k": self.k, "from_sorted_ids": self.from_sorted_ids}


class TopKCategoricalAccuracy(_Accuracy):
    """How often the target's class is among the k largest outputs, for one-hot targets.

    Args:
        k: how many outputs count.
        name: in the logs.

    Raises:
        ValueError: where k is not positive.

    Example:
        >>> float(TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.5, 0.1, 0.4]]))
        1.0

    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.k = int(number(self, "k", k, at_least=1))

    def values(self, y: Any, p: Any) -> Any:
        """1.0 where the class is among the first k."""
        return _among(jnp.argmax(y, axis=-1)[..., None], p, self.k)

    def get_config(self) -> dict[str, Any]:
        """With k."""
        return {**super().get_config(), "k": self.k}


def _among(classes: Any, p: Any, k: int) -> Any:
    given = jnp.take_along_axis(p, classes, axis=-1)
    return (jnp.sum(p > given, axis=-1) < k).astype(jnp.float32)
