"""Running sums inside the compiled epoch, and how they become the numbers in the logs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.engine._objective import row_weight
from thalweg.engine._state import Arrays, Totals
from thalweg.metrics import Mean, Metric

_MEAN = Mean()


class Watch(NamedTuple):
    """What an epoch counts.

    Attributes:
        losses: names of the loss and, where there are several outputs, of each output's; last,
            where it is asked for, ``'gradient_norm'``.
        metrics: per output, metrics that ignore row weights.
        weighted: per output, metrics that use them.
        names: the output's prefix for its metrics, '' where there is one output.

    """

    losses: tuple[str, ...]
    metrics: tuple[tuple[Metric, ...], ...]
    weighted: tuple[tuple[Metric, ...], ...]
    prefixes: tuple[str, ...]

    def structure(self) -> tuple[Any, ...]:
        """Hashable; names are no part of it."""
        kinds = tuple(
            tuple(tuple(m.structure() for m in one) for one in part) for part in (self.metrics, self.weighted)
        )
        return (len(self.losses), self.gradient_norm, kinds)

    @property
    def gradient_norm(self) -> bool:
        """Whether the norm of the whole gradient is followed."""
        return self.losses[-1] == "gradient_norm"

    def following(self, names: Collection[str]) -> Watch:
        """With the gradient's norm, where it is among `names`."""
        return self._replace(losses=(*self.losses, "gradient_norm")) if "gradient_norm" in names else self

    def without_gradient(self) -> Watch:
        """What can be summed without training."""
        return self._replace(losses=self.losses[:-1]) if self.gradient_norm else self

    def init(self) -> Totals:
        """Sums of nothing."""
        return Totals(
            tuple(_MEAN.init() for _ in self.losses),
            tuple(tuple(metric.init() for metric in one) for one in self.metrics),
            tuple(tuple(metric.init() for metric in one) for one in self.weighted),
        )

    def update(
        self, totals: Totals, losses: list[Any], y: Arrays, outputs: Arrays, weight: Arrays, rows: Any, count: Any
    ) -> Totals:
        """Add one batch. `losses` are scalars and weigh as many rows as the batch has."""
        ones = jnp.ones(outputs[0].shape[0], jnp.float32) if rows is None else rows
        each = jnp.asarray(count, jnp.float32)[None]
        kept = [_MEAN.update_values(old, loss[None], each) for old, loss in zip(totals.losses, losses, strict=True)]
        return Totals(
            tuple(kept),
            _updated(self.metrics, totals.metrics, y, outputs, lambda i: ones),
            _updated(self.weighted, totals.weighted, y, outputs, lambda i: _product(row_weight(weight, i), ones)),
        )

    def names(self) -> list[str]:
        """The logs' names, in their order."""
        names = list(self.losses)
        for (
            _,
            prefix,
            metric,
        ) in self._listed():  # a metric asked for with and without weights is told apart as in Keras
            name = f"{prefix}{metric.name}"
            names.append(f"{prefix}weighted_{metric.name}" if name in names else name)
        return names

    def results(self, totals: Totals) -> tuple[Any, ...]:
        """The numbers a person reads, still on the device, in the order of :meth:`names`."""
        means = tuple(_MEAN.result_of(state) for state in totals.losses)
        return (*means, *(metric.result_of(state) for state, _, metric in self._listed(totals)))

    def logs(self, results: Any) -> dict[str, Any]:
        """The results as Python floats by name (lists for metrics of several values)."""
        host = [np.asarray(value) for value in jax.device_get(results)]
        listed = [float(value) if value.ndim == 0 else value.tolist() for value in host]
        return dict(zip(self.names(), listed, strict=True))

    def _listed(self, totals: Totals | None = None) -> list[tuple[Any, str, Metric]]:
        found: list[Any] = []
        for i, prefix in enumerate(self.prefixes):
            for metrics, states in (
                (self.metrics, totals and totals.metrics),
                (self.weighted, totals and totals.weighted),
            ):
                found.extend((states and states[i][k], prefix, metric) for k, metric in enumerate(metrics[i]))
        return found


def _updated(metrics: Any, states: Arrays, y: Arrays, outputs: Arrays, weights: Any) -> Arrays:
    return tuple(
        tuple(
            metric.update(state, y[i], outputs[i], weights(i))
            for metric, state in zip(metrics[i], states[i], strict=True)
        )
        for i in range(len(metrics))
    )


def _product(weight: Any, ones: Any) -> Any:
    return ones if weight is None else weight * ones
