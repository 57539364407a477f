"""Stopping when the loss is no number any more."""

from __future__ import annotations

import math
from typing import ClassVar

from thalweg.callbacks._callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stops the fit where the loss is NaN or infinite.

    The running loss of an epoch is looked at after each chunk of steps, about every tenth of a second: a NaN in
    any step leaves it NaN, so that none is missed and no step is slowed down.

    Args:
        raise_error: raise instead of ending the fit as usual.

    Raises:
        RuntimeError: in the fit, where `raise_error` is set.

    Example:
        >>> from types import SimpleNamespace
        >>> watch = TerminateOnNaN()
        >>> watch.set_model(SimpleNamespace(stop_training=False))
        >>> watch.on_progress(41, {'loss': float('nan')})
        Step 41: the loss is nan, the fit ends here.
        >>> watch.model.stop_training
        True

    """

    per_member = True
    ends_on_nan = True

    STATE: ClassVar[tuple[str, ...]] = ("_ended",)

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error
        self._ended = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the fit before."""
        self._ended = False

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Look at the running loss."""
        self._look(f"Step {step}", logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the epoch's loss."""
        self._look(f"Epoch {epoch + 1}", logs)

    def _look(self, where: str, logs: Logs | None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss) or self._ended:
            return
        self._ended = True
        message = f"{where}: the loss is {float(loss)}, the fit ends here."
        if self.raise_error:
            raise RuntimeError(message)
        print(message)
        self.model.stop_training = True
