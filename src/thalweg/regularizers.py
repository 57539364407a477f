"""Penalties on weights (or on a layer's output) that are added to the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from thalweg._checks import number
from thalweg._family import Family, FunctionMember
from thalweg._names import Table, tell_absent, unknown
from thalweg._tunable import Hypers
from thalweg._weight_function import WeightFunction, like, norms

_RANGES = {name: (0.0, float("inf")) for name in ("l1", "l2", "factor")}


class Regularizer(WeightFunction):
    """A penalty: ``apply(hypers, w)`` is a scalar in the dtype of `w`.

    Example:
        >>> import jax.numpy as jnp
        >>> class Variance(Regularizer):
        ...     def apply(self, hypers, w):
        ...         return jnp.var(w)
        >>> float(Variance()(jnp.array([1.0, 3.0])))
        1.0

    Attributes:
        rests_at_zero: whether a weight of exactly 0 has slope 0, so that units which pad a net stay zero of themselves.

    """

    rests_at_zero: ClassVar[bool] = False


class L1(Regularizer):
    """The sum of absolute weights, which drives small ones to zero: ``l1 * sum(|w|)``.

    Args:
        l1: the factor, >= 0.

    Raises:
        ValueError: where the factor is negative or not finite.

    Example:
        >>> float(L1(0.5)([1.0, -3.0]))
        2.0

    Source: Tibshirani 1996, Regression shrinkage and selection via the lasso.

    """

    HYPERS = ("l1",)
    RANGES = _RANGES

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _factor(self, "l1", l1, default=0.01)

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The penalty, a scalar."""
        return _sum_of_sizes(hypers, w)

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l1": float(self.l1)}


class L2(Regularizer):
    """The sum of squared weights (not halved): ``l2 * sum(w ** 2)``.

    Args:
        l2: the factor, >= 0.

    Raises:
        ValueError: where the factor is negative or not finite.

    Example:
        >>> float(L2(0.5)([1.0, -3.0]))
        5.0

    Source: Hoerl & Kennard 1970, Ridge regression.

    """

    rests_at_zero = True
    HYPERS = ("l2",)
    RANGES = _RANGES

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _factor(self, "l2", l2, default=0.01)

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The penalty, a scalar."""
        return _sum_of_squares(hypers, w)

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l2": float(self.l2)}


class L1L2(Regularizer):
    """Both penalties at once: ``l1 * sum(|w|) + l2 * sum(w ** 2)``.

    A factor of 0 still keeps its term in the compiled program, so that it can be turned up later.

    Args:
        l1: the factor of the absolute weights, >= 0.
        l2: the factor of the squared weights, >= 0.

    Raises:
        ValueError: where a factor is negative or not finite.

    Example:
        >>> float(L1L2(l1=1.0, l2=0.5)([1.0, -3.0]))
        9.0

    Source: Zou & Hastie 2005, Regularization and variable selection via the elastic net.

    """

    HYPERS = ("l1", "l2")
    RANGES = _RANGES

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor(self, "l1", l1, default=0.0)
        self.l2 = _factor(self, "l2", l2, default=0.0)

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The penalty, a scalar."""
        return _sum_of_sizes(hypers, w) + _sum_of_squares(hypers, w)

    def get_config(self) -> dict[str, Any]:
        """Both factors."""
        return {"l1": float(self.l1), "l2": float(self.l2)}


class OrthogonalRegularizer(Regularizer):
    """The mean of ``|cos|`` between all pairs of rows (or columns) of a matrix, times `factor`.

    A single row has no pair and costs 0 (Keras: NaN); a row of zeros makes no pair and has a finite
    gradient (Keras: NaN).

    Args:
        factor: the factor, >= 0.
        mode: ``'rows'`` or ``'columns'``.

    Raises:
        ValueError: where the factor is negative or not finite, on another mode, and on weights that
            are no matrix.

    Example:
        >>> float(OrthogonalRegularizer(2.0)([[1.0, 0.0], [0.0, 3.0], [0.0, -5.0]]))  # one pair of three is parallel
        0.6666666865348816

    Source: Bansal et al. 2018, Can we gain more from orthogonality regularizations in training deep networks?

    """

    HYPERS = ("factor",)
    RANGES = _RANGES

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = number(self, "factor", factor, at_least=0.0)
        if mode not in _VECTORS:
            raise ValueError(unknown("mode of OrthogonalRegularizer", mode, list(_VECTORS)))
        self.mode = mode

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The penalty, a scalar; rows (or columns) of zeros, which may be padding, make no pairs."""
        if w.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer needs a matrix of weights, got an array of shape {w.shape}.")
        vectors = _VECTORS[self.mode](w)
        lengths = norms(vectors, axis=1)
        unit = vectors / jnp.where(lengths == 0, 1, lengths)
        count = jnp.sum(lengths != 0).astype(w.dtype)
        # only the half above the diagonal: each pair once, and no vector with itself
        cosines = jnp.triu(jnp.abs(unit @ unit.T), k=1)
        pairs = jnp.maximum(count * (count - 1) / 2, 1)
        return like(w, hypers["factor"]) * jnp.sum(cosines) / pairs

    def get_config(self) -> dict[str, Any]:
        """The factor and the mode."""
        return {"factor": float(self.factor), "mode": self.mode}


class FunctionRegularizer(FunctionMember, Regularizer):
    """A user's function ``w -> scalar`` as a regularizer.

    Args:
        function: the penalty; its numbers are constants of the compiled program.

    Raises:
        ValueError: where the function gives no scalar.

    Example:
        >>> float(FunctionRegularizer(lambda w: w.max())([1.0, 3.0]))
        3.0

    """

    def apply(self, hypers: Hypers, w: Array) -> Array:
        """The penalty, a scalar."""
        penalty = like(w, self.function(w))
        if penalty.ndim:
            raise ValueError(
                f"A regularizer must give a scalar, got shape {penalty.shape} from "
                f"{self.get_config()['function']!r} on weights of shape {w.shape}. Sum or average it."
            )
        return penalty


_VECTORS: dict[str, Callable[[Array], Array]] = {"rows": lambda w: w, "columns": jnp.transpose}


def _factor(owner: Regularizer, name: str, value: float | None, default: float) -> float:
    return number(owner, name, default if value is None else value, at_least=0.0)


def _sum_of_sizes(hypers: Hypers, w: Array) -> Array:
    return like(w, hypers["l1"]) * jnp.sum(jnp.abs(w))


def _sum_of_squares(hypers: Hypers, w: Array) -> Array:
    return like(w, hypers["l2"]) * jnp.sum(jnp.square(w))


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

TABLE = Table(
    "regularizer",
    {
        **{cls.__name__: cls for cls in (L1, L2, L1L2, OrthogonalRegularizer)},
        "l1": L1,
        "l2": L2,
        "l1_l2": L1L2,
        "l1l2": L1L2,
        "orthogonal_regularizer": OrthogonalRegularizer,
    },
)

_FAMILY = Family(TABLE, "keras.regularizers", FunctionRegularizer, Regularizer)


def get(identifier: Any) -> Regularizer | None:
    """The regularizer that `identifier` stands for.

    Args:
        identifier: None, a name, a class, an instance, a description as from :func:`serialize`, or a
            function ``w -> scalar``.

    Raises:
        ValueError: on an unknown name.
        TypeError: on anything else.

    Example:
        >>> get('l2').get_config()
        {'l2': 0.01}

    """
    member: Regularizer | None = _FAMILY.get(identifier)
    return member


def serialize(regularizer: Regularizer | None) -> dict[str, Any] | None:
    """The description of a regularizer in Keras's form.

    Example:
        >>> serialize(L2(0.5))
        {'module': 'keras.regularizers', 'class_name': 'L2', 'config': {'l2': 0.5}, 'registered_name': None}

    """
    return _FAMILY.serialize(regularizer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Regularizer:
    """The regularizer that a description stands for.

    Args:
        config: as from :func:`serialize`, or as Keras writes it.
        custom_objects: name -> class or function, for what is not thalweg's own.

    Raises:
        ValueError: on a description that names no known regularizer.

    Example:
        >>> deserialize({'class_name': 'L1', 'config': {'l1': 0.5}}).l1
        0.5

    """
    member: Regularizer = _FAMILY.deserialize(config, custom_objects)
    return member


tell_absent(__name__)
