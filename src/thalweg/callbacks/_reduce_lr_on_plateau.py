"""A learning rate that shrinks where the net no longer gets better."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from thalweg import _checks
from thalweg.callbacks._callback import Logs
from thalweg.callbacks._monitor import Monitor


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` where a monitored number has stopped getting better.

    What is better is as in :class:`EarlyStopping`; unlike in Keras a NaN is never the best value. The rate
    before the reduction goes into the logs, as ``learning_rate``.

    Args:
        monitor: a name in the logs.
        factor: new rate = rate * factor; in [0, 1).
        patience: epochs without improvement before the rate is reduced.
        verbose: 1 says what it sets.
        mode: ``'min'``, ``'max'``, or ``'auto'``: by the name.
        min_delta: the least improvement that counts, in the unit of the monitored number.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the rate is never reduced below this.

    Raises:
        ValueError: on a factor outside [0, 1), an unknown mode, negative numbers of epochs, or, when the fit
            begins, a monitored name that tells no direction.

    Example:
        >>> reduce = ReduceLROnPlateau('val_loss', factor=0.2, patience=5, min_lr=1e-5)
        >>> # model.fit(x, y, validation_split=0.2, epochs=100, callbacks=[reduce])
        >>> reduce.factor
        0.2

    """

    STATE: ClassVar[tuple[str, ...]] = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 <= factor < 1:
            raise ValueError(f"factor must be in [0, 1), got ReduceLROnPlateau(factor={factor!r}).")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = _checks.number(self, "min_lr", min_lr, at_least=0)
        for name in ("patience", "cooldown"):
            _checks.number(self, name, getattr(self, name), at_least=0)
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the fit before."""
        super().on_train_begin(logs)
        self._forget()

    def in_cooldown(self) -> bool:
        """Whether the last reduction is too recent for the next one."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the rate, and reduce it where the wait is over."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self.current(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        rate = float(self.model.optimizer.learning_rate)
        if np.float32(rate) <= np.float32(self.min_lr):  # the model may hold it in single precision
            return
        reduced = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = reduced
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose:
            print(f"Epoch {epoch + 1}: {self.monitor} is on a plateau, learning rate reduced to {reduced:g}.")
