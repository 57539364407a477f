"""Who hears how far a group is, and the callback that tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thalweg.callbacks import Callback
from thalweg.tuner._curves import means

Logs = Mapping[int, Mapping[str, float]]
"""Trial -> log -> number."""


class Listener:
    """Who hears of what an executor does; this one passes over it."""

    def planned(self, record: dict[str, Any]) -> None:
        """A group is formed."""

    def progressed(self, group: dict[str, Any], epoch: int, epochs: int, logs: Logs | None = None) -> None:
        """A group has trained an epoch; `logs` are those of each trial, where they are known already."""

    def trained(self, group: dict[str, Any], compiled: int, seconds: float) -> None:
        """A group is done; so many programs had to be compiled for it."""


class Progress(Callback):
    """Tells the listener after every epoch of a group, and ends the group where time is up.

    Args:
        listener: who is told.
        group: the group's record.
        deadline: says whether time is up.

    Attributes:
        trials: the number of each net's trial; whoever trains them says it.

    """

    def __init__(self, listener: Listener, group: dict[str, Any], deadline: Callable[[], bool] | None = None) -> None:
        self.listener, self.group, self.deadline = listener, group, deadline
        self.trials: Sequence[int] = ()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Pass it on."""
        models = getattr(self.model, "models", [self.model])
        self.listener.progressed(self.group, epoch + 1, self.model.session.asked["epochs"], self._told(epoch, models))
        if self.deadline is not None and self.deadline():
            for model in models:
                model.stop_training = True

    def _told(self, epoch: int, models: Sequence[Any]) -> dict[int, dict[str, float]]:
        """The logs of each trial whose nets have trained this epoch, means over its nets."""
        nets: dict[int, list[dict[str, float]]] = {}
        for number, model in zip(self.trials, models, strict=False):  # a padded population has more
            if model.history.epoch and model.history.epoch[-1] == epoch:
                nets.setdefault(number, []).append({name: values[-1] for name, values in model.history.history.items()})
        return {number: means(logs) for number, logs in nets.items()}
