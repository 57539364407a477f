"""Going on where a fit was broken off."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from thalweg import files
from thalweg.callbacks._callback import Callback, Logs
from thalweg.callbacks._checkpoints import CheckpointFolder
from thalweg.callbacks._every import Every


class BackupAndRestore(Callback):
    """Keeps checkpoints of a fit; the same fit, started again, goes on from the last one as if nothing had happened.

    A checkpoint holds the whole fit: weights, the optimizer's state, hypers, the place in the epoch, seeds, the
    other callbacks' state and the history. What is trained from it on is bit-identical to a fit that was never
    broken off. With Ctrl-C or SIGTERM one is written at once.

    Args:
        backup_dir: the folder; one fit at a time writes to it.
        save_freq: ``'epoch'``, a number of steps, or as ``'5 min'``, ``'3 epochs'``.
        double_checkpoint: taken for Keras's sake: two are always kept.
        delete_checkpoint: whether they are deleted when the fit ends.

    Raises:
        ValueError: on an empty folder's name or another `save_freq`, or, when the fit begins, where the checkpoint
            is of another net or of other data.
        RuntimeError: where another process is writing there; it names the process.

    Example:
        >>> backup = BackupAndRestore('backup', save_freq='5 min')
        >>> # model.fit(x, y, epochs=1000, callbacks=[backup])

    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        if not os.fspath(backup_dir):
            raise ValueError("backup_dir must name a folder, got BackupAndRestore(backup_dir='').")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._every = Every(save_freq, "save_freq")
        self._kept = CheckpointFolder(self.backup_dir)
        self._lock: files.Lock | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Go on from the last checkpoint, where there is one."""
        self._kept.folder.mkdir(parents=True, exist_ok=True)
        self._lock = files.Lock(self._kept.folder / "lock")
        files.remove_parts(self._kept.folder)
        snapshot = self._kept.newest()
        if snapshot is not None:
            self.model.session.resume(snapshot)
        self._every.restart(self.model.session.epoch, self.model.session.step)

    def next_stop(self, step: int) -> int | None:
        """Where a number of steps is asked for, the step that completes it."""
        return self._every.next_stop(step)

    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """Write a checkpoint where it is time."""
        session = self.model.session
        if self._every.due(epoch, step) or last or session.has_run_all:
            self._kept.write(session.snapshot())

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Delete the checkpoints of a fit that has come to its end."""
        session = self.model.session
        if self.delete_checkpoint and (session is None or session.ended):
            self._kept.remove()
            if self._lock is not None:
                self._lock.remove()
                self._lock = None
            with contextlib.suppress(OSError):  # somebody has put other things into it
                self._kept.folder.rmdir()

    def close(self) -> None:
        """Let others write there."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
