"""Stopping when the net no longer gets better."""

from __future__ import annotations

from typing import Any, ClassVar

from thalweg import _checks
from thalweg.callbacks._callback import Logs
from thalweg.callbacks._logs import figure
from thalweg.callbacks._monitor import Monitor


class EarlyStopping(Monitor):
    """Stops the fit when a monitored number has stopped getting better.

    A value v is better than the best one b where v + min_delta < b (mode ``'min'``) or v - min_delta > b
    (``'max'``). Each epoch that is not better adds one to the wait; the fit stops where the wait has reached
    `patience`, never after its first epoch, so that patience 0 and 1 are the same. Unlike in Keras a NaN is
    never the best value: it counts as no improvement, and any number beats it.

    Args:
        monitor: a name in the logs: ``'val_loss'``, ``'loss'``, a metric, ``'gradient_norm'``.
        min_delta: the least improvement that counts, in the unit of the monitored number.
        patience: epochs without improvement to wait for.
        verbose: 1 says when it stops and what it restores.
        mode: ``'min'``, ``'max'``, or ``'auto'``: by the name.
        baseline: where given, the wait starts again only at values that also beat this one.
        restore_best_weights: give the model back the weights of its best epoch when the fit ends, whether or
            not it was stopped.
        start_from_epoch: the first epoch to watch, counted from 0.

    Raises:
        ValueError: on an unknown mode, a negative patience, or, when the fit begins, a monitored name that tells
            no direction.

    Example:
        >>> stopping = EarlyStopping('val_loss', patience=3, restore_best_weights=True)
        >>> # model.fit(x, y, validation_split=0.2, epochs=1000, callbacks=[stopping])
        >>> stopping.patience
        3

    Reference: Prechelt, *Early Stopping - But When?*, 1998.

    """

    STATE: ClassVar[tuple[str, ...]] = ("best", "wait", "stopped_epoch", "best_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        _checks.number(self, "patience", patience, at_least=0)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the fit before, so that one object serves several."""
        super().on_train_begin(logs)
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one so far."""
        value = self.current(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.improves(value, self.best):
            self._keep(epoch, value)
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch: int, value: float) -> None:
        self.best, self.best_epoch = value, epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
        if self.baseline is None or self.improves(value, self.baseline):
            self.wait = 0

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Give the best weights back, where that was asked for."""
        if self.verbose and self.stopped_epoch:
            print(f"Epoch {self.stopped_epoch + 1}: stopped early, {self._best()}.")
        if self.restore_best_weights and self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            if self.verbose:
                print(f"The weights are those of epoch {self.best_epoch + 1} again.")

    def _best(self) -> str:
        if self.best is None:
            return f"{self.monitor} never was a number"
        return f"{self.monitor} was best in epoch {self.best_epoch + 1}: {figure(self.best)}"
