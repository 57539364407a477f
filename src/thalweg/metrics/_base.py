"""What every metric is: a state, a pure update with one batch, and a result; and Keras's shell around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thalweg._family import FunctionMember, name_of
from thalweg._names import snake_case
from thalweg._tunable import Tunable
from thalweg.losses import Loss
from thalweg.losses._base import aligned
from thalweg.metrics import _sums
from thalweg.metrics._sums import Sum

State = Any


class Metric(Tunable):
    """Base of all metrics.

    A metric is three pure functions, ``init() -> state``, ``update(state, y, p, weights) -> state``
    and ``result_of(state)``, which run inside a compiled epoch. Called by hand it keeps a state of its
    own: ``update_state``, ``result`` and ``reset_state``, as in Keras.

    Args:
        name: in the logs.

    Example:
        >>> import thalweg
        >>> metric = thalweg.metrics.BinaryAccuracy()
        >>> metric.update_state([[1.0], [0.0]], [[0.9], [0.8]])
        >>> float(metric.result())
        0.5

    """

    HOST: ClassVar[tuple[str, ...]] = ("name", "dtype")
    better: ClassVar[str] = "max"  # 'max' where more is better, 'min' where less is

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.dtype = dtype
        self._state: State = None

    def build(self, y_shape: tuple[Any, ...], p_shape: tuple[Any, ...]) -> None:
        """Learn the shapes of targets and outputs, for metrics that keep a number a class."""

    def init(self) -> State:
        """The state that has seen nothing."""
        raise NotImplementedError(f"{type(self).__name__} must define init().")

    def update(self, state: State, y: Any, p: Any, weights: Any) -> State:
        """The state after one more batch; `weights` is [batch], 0 for padding rows."""
        raise NotImplementedError(f"{type(self).__name__} must define update(state, y, p, weights).")

    def result_of(self, state: State) -> Any:
        """The number, or numbers, that a person reads."""
        raise NotImplementedError(f"{type(self).__name__} must define result_of(state).")

    def per_row(self, y: Any, p: Any) -> bool:
        """Whether rows can be left out of it one by one."""
        return True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add one batch to the metric's own state."""
        y, p = jnp.asarray(y_true), jnp.asarray(y_pred)
        if not jnp.issubdtype(p.dtype, jnp.floating):
            p = p.astype(jnp.float32)
        if self._state is None:
            self.build((None, *y.shape[1:]), (None, *p.shape[1:]))
            self._state = self.init()
        self._state = self.update(self._state, y, p, _weights(sample_weight, p.shape[0]))

    def result(self) -> Any:
        """What the batches since the last reset give."""
        return self.result_of(self.init() if self._state is None else self._state)

    def reset_state(self) -> None:
        """Forget all batches."""
        self._state = None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Add one batch and give the result."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild it."""
        return {"name": self.name}

    def structure(self) -> tuple[Any, ...]:
        """As for any Tunable; a user's metric that tells no configuration of its own is like no other."""
        own = set(vars(self)) - {"name", "dtype", "_state"}
        if type(self).get_config is Metric.get_config and own:
            return (type(self), self)
        return super().structure()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class Mean(Metric):
    """The weighted mean of numbers.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> float(mean.result())
        2.0

    """

    better: ClassVar[str] = "min"

    def init(self) -> Sum:
        """Two sums in one: of the weighted numbers, and of their weights."""
        return _sums.zero((2,))

    def update_values(self, state: State, values: Any, weights: Any) -> State:
        """Add numbers [n] with weights [n]."""
        weights = weights.astype(values.dtype)
        return _sums.add(state, jnp.stack([jnp.sum(values * weights), jnp.sum(weights)]))

    def result_of(self, state: State) -> Any:
        """The mean; 0 where nothing was seen."""
        total, count = state.value
        return _sums.ratio(total, count)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add numbers to the metric's own state."""
        array = jnp.atleast_1d(jnp.asarray(values, jnp.float32))
        weights = _weights(sample_weight, array.shape[0])
        self._state = self.update_values(self._state or self.init(), _row_means(array), weights)

    def __call__(self, values: Any, sample_weight: Any = None) -> Any:  # type: ignore[override]
        """Add numbers and give the mean."""
        self.update_state(values, sample_weight)
        return self.result()


class Total(Metric):
    """The weighted sum of numbers, under Keras's name ``Sum``.

    Example:
        >>> total = Total()
        >>> total.update_state([1.0, 3.0])
        >>> float(total.result())
        4.0

    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def init(self) -> Sum:
        """The sum of nothing."""
        return _sums.zero()

    def result_of(self, state: State) -> Any:
        """The sum."""
        return state.value

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add numbers to the metric's own state."""
        array = jnp.atleast_1d(jnp.asarray(values, jnp.float32))
        weights = _weights(sample_weight, array.shape[0]).reshape((-1,) + (1,) * (array.ndim - 1))
        self._state = _sums.add(self._state or self.init(), jnp.sum(array * weights))


class RowMean(Mean):
    """The mean of a value a row. Subclasses define ``values(y, p)`` -> [batch] or [batch, ...]."""

    def values(self, y: Any, p: Any) -> Any:
        """One value a row."""
        raise NotImplementedError(f"{type(self).__name__} must define values(y, p).")

    def update(self, state: State, y: Any, p: Any, weights: Any) -> State:
        """Add one batch."""
        values = self.values(y, p)
        if values.ndim == 0:  # a user's function over the whole batch
            return self.update_values(state, values[None], jnp.sum(weights)[None])
        return self.update_values(state, _row_means(values).astype(state.high.dtype), weights)

    def per_row(self, y: Any, p: Any) -> bool:
        """Whether it gives a value a row."""
        found = jax.eval_shape(self.values, y, p)
        return found.ndim > 0 and found.shape[0] == p.shape[0]

    update_state = Metric.update_state  # type: ignore[assignment]
    __call__ = Metric.__call__  # type: ignore[assignment]


class MeanMetricWrapper(RowMean):
    """The mean of a function ``(y_true, y_pred)`` of rows.

    Args:
        fn: the function, in jax.numpy; it gives a value a row, or one for the batch.
        name: the function's where None.
        kwargs: further arguments of every call.

    Raises:
        TypeError: where `fn` cannot be called.

    Example:
        >>> import jax.numpy as jnp
        >>> metric = MeanMetricWrapper(lambda y, p: jnp.abs(y - p), name='distance')
        >>> float(metric([[1.0]], [[3.0]]))
        2.0

    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name or name_of(fn), dtype)
        self.function = FunctionMember(fn).function
        self.kwargs = kwargs

    def values(self, y: Any, p: Any) -> Any:
        """The function's own."""
        return jnp.asarray(self.function(aligned(y, p), p, **self.kwargs))

    def structure(self) -> tuple[Any, ...]:
        """Each function is a structure of its own."""
        return (MeanMetricWrapper, self.function, tuple(sorted(self.kwargs.items())))

    def get_config(self) -> dict[str, Any]:
        """The function's name stands for it."""
        return {**super().get_config(), "fn": name_of(self.function), **self.kwargs}


class LossMetric(RowMean):
    """A loss, read as a metric: the mean of its rows. Subclasses name the loss in ``of``."""

    of: ClassVar[type[Loss]] = Loss
    sign: ClassVar[int] = 1

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name or self.of().name, dtype)
        self.kwargs = kwargs
        self.loss = self.of(**kwargs)

    def values(self, y: Any, p: Any) -> Any:
        """The loss's."""
        return self.sign * self.loss.apply(self.loss.hypers(), y, p)

    def structure(self) -> tuple[Any, ...]:
        """The loss's, and its numbers, which are constants here."""
        return (type(self), self.loss.structure(), tuple(self.loss.hypers().items()))

    def get_config(self) -> dict[str, Any]:
        """The loss's arguments."""
        return {**super().get_config(), **self.kwargs}


def _weights(sample_weight: Any, rows: int) -> Any:
    if sample_weight is None:
        return jnp.ones(rows, jnp.float32)
    return jnp.broadcast_to(jnp.asarray(sample_weight, jnp.float32).reshape(-1), (rows,))


def _row_means(values: Any) -> Any:
    return values if values.ndim == 1 else values.reshape(values.shape[0], int(np.prod(values.shape[1:]))).mean(axis=1)
