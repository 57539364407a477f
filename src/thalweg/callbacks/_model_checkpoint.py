"""The model, written to a file while it trains."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, ClassVar

from thalweg import _checks
from thalweg.callbacks._callback import Logs
from thalweg.callbacks._logs import figure, plain
from thalweg.callbacks._monitor import Monitor

_WHOLE = (".keras", ".h5", ".hdf5")


class ModelCheckpoint(Monitor):
    """Writes the model, or its weights, to a file after each epoch, or every so many steps.

    A file is there whole or not at all; whoever is killed in the middle of writing leaves the one before.

    Args:
        filepath: ends in ``.keras`` or ``.h5``, of weights alone in ``.weights.h5``. ``{epoch}`` and ``{batch}``
            count from 1, and every log can stand in it by its name: ``'net.{epoch:02d}-{val_loss:.2f}.keras'``.
            In a population ``{member}`` must: each member has a file of its own.
        monitor: the log that says which is the best.
        verbose: 1 says what it writes.
        save_best_only: write only what is better than all before. Unlike in Keras NaN never is.
        save_weights_only: write weights alone.
        mode: ``'min'``, ``'max'``, or ``'auto'``: by the name.
        save_freq: ``'epoch'``, or a number of steps, counted on from epoch to epoch.
        initial_value_threshold: what the first value must beat.

    Attributes:
        best: the best value so far; it is kept from fit to fit.

    Raises:
        ValueError: on another ending, `save_freq` or mode, or, in the fit, a name in `filepath` that the logs lack.
        OSError: where a file cannot be written; what was there before is whole.

    Example:
        >>> saves = ModelCheckpoint('model.{epoch:02d}-{val_loss:.2f}.h5')
        >>> # model.fit(x, y, validation_split=0.2, epochs=10, callbacks=[saves])
        >>> saves.path_for(epoch=0, batch=None, logs={'val_loss': 0.251})
        'model.01-0.25.h5'

    """

    STATE: ClassVar[tuple[str, ...]] = ("best", "_seen", "_step", "_saved")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = None if initial_value_threshold is None else float(initial_value_threshold)
        if save_freq != "epoch":
            _checks.number(self, "save_freq", save_freq, at_least=1)
        self._check_ending()
        self._seen = 0  # steps of the epochs before
        self._step = 0  # of this epoch
        self._saved = 0  # steps when it was written last
        self._epoch = 0

    def _check_ending(self) -> None:
        weights = self.filepath.endswith(".weights.h5")
        if self.save_weights_only != weights or not (weights or self.filepath.endswith(_WHOLE)):
            wanted = ".weights.h5" if self.save_weights_only else ".keras or .h5"
            raise ValueError(
                f"filepath must end in {wanted} with save_weights_only={self.save_weights_only}, got "
                f"ModelCheckpoint({self.filepath!r})."
            )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Count from here; the best value stays."""
        if self.save_best_only:
            self.direction()
        if self.member is not None and "{member" not in self.filepath:
            raise ValueError(
                f"In a population filepath must hold {{member}}, as each member has a file of its own, got "
                f"ModelCheckpoint({self.filepath!r})."
            )
        self._told_missing = False
        self._seen = self._step = self._saved = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Know the epoch."""
        self._epoch = epoch

    def next_stop(self, step: int) -> int | None:
        """Where a number of steps is asked for, the step that completes it."""
        if self.save_freq == "epoch":
            return None
        return step + int(self.save_freq) - (self._seen + step - self._saved)

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Write where enough steps were done."""
        self._step = step
        if self.save_freq != "epoch" and self._seen + step - self._saved >= self.save_freq:
            self._saved = self._seen + step
            self._save(self._epoch, step - 1, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write after each epoch, where that was asked for."""
        self._seen, self._step = self._seen + self._step, 0
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        if self.save_best_only and not self._is_best(epoch, logs):
            return
        path = self.path_for(epoch, batch, logs)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if self.verbose:
            print(f"Epoch {epoch + 1}: wrote {path}.")

    def _is_best(self, epoch: int, logs: Logs) -> bool:
        value = self.current(logs)
        if value is None:
            return True  # as in Keras: rather one too many than none
        before = self.best
        better = self.improves(value, before)
        if better:
            self.best = value
        if self.verbose:
            than = "" if before is None else f" than {figure(before)}"
            print(
                f"Epoch {epoch + 1}: {self.monitor} is {figure(value)}, {'better' if better else 'not better'}{than}."
            )
        return better

    def _unvalidated(self, logs: Logs) -> dict[str, float]:
        """NaN for the validation's logs that `filepath` names, where nothing was validated; with a word."""
        names = [f"val_{name}" for name in logs if f"{{val_{name}" in self.filepath and f"val_{name}" not in logs]
        if names and not self._told_missing:
            self._told_missing = True
            self._warn(f"{self.filepath} names {', '.join(names)}, but this epoch was not validated: nan stands there.")
        return dict.fromkeys(names, math.nan)

    def path_for(self, epoch: int, batch: int | None, logs: Logs) -> str:
        """The file's path, with its names filled in.

        Args:
            epoch: counted from 0.
            batch: likewise, or None after an epoch.
            logs: the numbers by name.

        Raises:
            ValueError: on a name that is not known; the message lists those that are.

        """
        known = {**self._unvalidated(logs), **plain(logs), "epoch": epoch + 1, "member": self.member}
        if batch is not None:
            known.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(**known)
        except (KeyError, IndexError) as error:
            raise ValueError(
                f"filepath holds the name {error}, which the logs lack, got ModelCheckpoint({self.filepath!r}). "
                f"Known: {', '.join(known)}."
            ) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(
                f"filepath cannot be filled in ({error}), got ModelCheckpoint({self.filepath!r})."
            ) from error
