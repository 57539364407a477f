"""A good default space for dense nets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg import Input, layers, optimizers, regularizers
from thalweg.models import chained
from thalweg.tuner._hypermodel import HyperModel
from thalweg.tuner._hyperparameters import HyperParameters

_RATES = {"adam": (1e-4, 1e-2), "sgd": (1e-3, 1.0), "rmsprop": (1e-4, 1e-2)}
"""Optimizer -> the learning rates between which good ones lie: those of gradient descent are larger."""


class HyperMLP(HyperModel):
    """Dense nets: depth, widths, activation, dropout, L2, optimizer, learning rate and its schedule, batch size.

    Args:
        outputs: units of the last layer.
        output_activation: of the last layer.
        loss, metrics: as for ``compile``.
        input_shape: of a row, where there is no `front`.
        front: makes what a net begins with, anew for every net: a function without arguments that gives layers, the
            first an Input, or inputs and the symbol made of them (``models.table_front``).
        rows: training rows, and
        epochs: how long a whole training is: schedules are spread over them.
        max_layers: hidden layers at most.

    Example:
        >>> hp = HyperParameters()
        >>> model = HyperMLP(10, input_shape=(64,), rows=1437, epochs=20).build(hp)
        >>> [layer.units for layer in model.layers if hasattr(layer, 'units')], hp.get('activation')
        ([32, 10], 'relu')

    """

    def __init__(
        self,
        outputs: int,
        output_activation: str = "softmax",
        loss: Any = "sparse_categorical_crossentropy",
        metrics: Sequence[Any] = ("accuracy",),
        *,
        input_shape: tuple[int, ...] | None = None,
        front: Any = None,
        rows: int,
        epochs: int,
        max_layers: int = 4,
    ) -> None:
        super().__init__()
        self.outputs, self.output_activation = outputs, output_activation
        self.loss, self.metrics = loss, list(metrics)
        if (input_shape is None) == (front is None):
            raise ValueError("HyperMLP needs either input_shape or front, to know what its nets begin with.")
        self.front = front or (lambda: [Input(tuple(input_shape))])  # type: ignore[arg-type]
        self.rows, self.epochs, self.max_layers = rows, epochs, max_layers

    def build(self, hp: HyperParameters) -> Any:
        """A compiled net."""
        parts: list[Any] = []
        activation = hp.Choice("activation", ["relu", "tanh", "gelu", "silu"])
        dropout = hp.Float("dropout", 0.0, 0.5)
        penalty = hp.Float("l2", 1e-7, 1e-2, sampling="log")
        for i in range(hp.Int("layers", 1, self.max_layers)):
            units = hp.Int(f"units_{i}", 32, 256, step=2, sampling="log")
            parts += [
                layers.Dense(units, activation=activation, kernel_regularizer=regularizers.L2(penalty)),
                layers.Dropout(dropout),
            ]
        model = chained(self.front(), [*parts, layers.Dense(self.outputs, activation=self.output_activation)])
        model.compile(self._optimizer(hp), self.loss, metrics=self.metrics)
        return model

    def _optimizer(self, hp: HyperParameters) -> Any:
        kind = hp.Choice("optimizer", list(_RATES))
        rates = {}
        for name, (low, high) in _RATES.items():
            with hp.conditional_scope("optimizer", [name]):
                middle = (low * high) ** 0.5
                rates[name] = hp.Float(f"{name}_learning_rate", low, high, sampling="log", default=middle)
        with hp.conditional_scope("optimizer", ["sgd"]):
            momentum = hp.Float("momentum", 0.0, 0.99, default=0.9)
        more = {"momentum": momentum} if kind == "sgd" else {}
        made = type(optimizers.get(kind))
        return made(learning_rate=self._schedule(hp, rates[kind]), **more)

    def _schedule(self, hp: HyperParameters, rate: Any) -> Any:
        steps = self.epochs * -(-self.rows // hp.Choice("batch_size", [32, 64, 128]))
        kind = hp.Choice("schedule", ["constant", "cosine", "exponential"])
        shapes = {
            "constant": lambda: rate,
            "cosine": lambda: optimizers.schedules.CosineDecay(rate, steps),
            "exponential": lambda: optimizers.schedules.ExponentialDecay(rate, steps, 0.01),
        }
        return shapes[kind]()

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train with the batch size that was chosen."""
        return model.fit(*args, **{"batch_size": hp.get("batch_size"), **kwargs})
