"""A model as callbacks see it, and a fit that only calls hooks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from thalweg.callbacks import CallbackList


class FakeModel:
    """Whose weights are the number of epochs it has trained for."""

    def __init__(self, rate: float = 0.01) -> None:
        self.optimizer = SimpleNamespace(learning_rate=rate)
        self.stop_training = False
        self.weights = 0
        self.restored: list[int] = []
        self.hypers: dict[str, float] = {}
        self.metrics_names = ["loss"]
        self.metrics: list[Any] = []
        self.history: Any = None

    def get_weights(self) -> int:
        return self.weights

    def set_weights(self, weights: int) -> None:
        self.restored.append(weights)
        self.weights = weights


def drive(callbacks: Any, logs: list[dict[str, Any]], model: Any = None, **params: Any) -> tuple[CallbackList, int]:
    """The hooks of a fit that logs `logs`, one dict an epoch; gives the list and the epochs that ran."""
    model = model or FakeModel()
    listed = CallbackList(callbacks, model=model, **{"epochs": len(logs), "verbose": 0, **params})
    model.history = listed.history
    listed.on_train_begin()
    ran = 0
    for epoch, found in enumerate(logs):
        listed.on_epoch_begin(epoch)
        model.weights = epoch + 1
        listed.on_epoch_end(epoch, found)
        ran += 1
        if model.stop_training:
            break
    listed.on_train_end({})
    return listed, ran
