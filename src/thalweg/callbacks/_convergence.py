"""Repeat until convergence."""

from __future__ import annotations

from typing import ClassVar

from thalweg import _checks
from thalweg.callbacks._callback import Logs
from thalweg.callbacks._monitor import Monitor


class Convergence(Monitor):
    """Stops the fit at a minimum: "repeat until convergence".

    The fit has converged where the monitored number is at most `tolerance`: the norm of the gradient vanishes
    at a minimum. A loss need not vanish there: one is watched by how much it changes from epoch to epoch, and
    has converged where that is less than `tolerance`. NaN never converges.

    Args:
        tolerance: in the unit of the monitored number.
        monitor: ``'gradient_norm'``, a name that ends in ``loss``, or any other name in the logs.
        patience: for how many epochs in a row that must hold.

    Attributes:
        converged: whether it did.

    Raises:
        ValueError: on a negative tolerance, or a patience below 1.

    Example:
        >>> until = Convergence(1e-3, monitor='loss')
        >>> # model.fit(x, y, epochs=10_000, until=until)
        >>> until.tolerance
        0.001

    """

    STATE: ClassVar[tuple[str, ...]] = ("best", "converged", "held", "last")

    def __init__(self, tolerance: float = 1e-4, monitor: str = "gradient_norm", patience: int = 1) -> None:
        super().__init__(monitor, mode="min")
        self.tolerance = _checks.number(self, "tolerance", tolerance, at_least=0)
        _checks.number(self, "patience", patience, at_least=1)
        self.patience = patience
        self._forget()

    def _forget(self) -> None:
        self.converged = False
        self.held = 0
        self.last: float | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the fit before."""
        super().on_train_begin(logs)
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Stop where the monitored number says so."""
        value = self.current(logs)
        if value is None:
            return
        self.held = self.held + 1 if self._still(value) else 0
        self.last = value
        if self.held >= self.patience:
            self.converged = True
            self.model.stop_training = True

    def _still(self, value: float) -> bool:
        if not self.monitor.endswith("loss"):
            return value <= self.tolerance
        return self.last is not None and abs(value - self.last) < self.tolerance
