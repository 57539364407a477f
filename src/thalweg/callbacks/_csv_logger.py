"""The logs as a CSV file that grows by a line an epoch."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Mapping
from typing import Any, TextIO

from thalweg.callbacks._callback import Callback, Logs
from thalweg.callbacks._logs import plain_value


class CSVLogger(Callback):
    """Writes the logs of each epoch to a CSV file, and flushes it, so that others can read along.

    The columns are ``epoch`` and the names of the first epoch's logs. Where none of those is of a validation, a
    ``val_`` column is kept for each. A log that is missing is written as ``NA``.

    Args:
        filename: where to write.
        separator: between columns.
        append: go on at the end of an existing file, under its own columns, rather than write it anew.

    Raises:
        OSError: when the fit begins, where the file cannot be written.

    Example:
        >>> log = CSVLogger('fit.csv', append=True)
        >>> # model.fit(x, y, epochs=10, callbacks=[log])

    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._file: TextIO | None = None
        self._columns: list[str] | None = None
        self._fresh = True  # whether the first line cuts off what is there

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self.close()
        self._columns = self._existing() if self.append else None
        self._fresh = not self.append
        self._file = open(self.filename, "a", newline="", encoding="utf-8")  # noqa: SIM115  close() closes it

    def get_state(self) -> dict[str, Any]:
        """How long the file is, and whether it is still to be written anew."""
        return {"length": 0 if self._file is None else self._file.tell(), "fresh": self._fresh}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Cut the file back to where it was, and go on there."""
        self._fresh = state["fresh"]
        if self._fresh or self._file is None:
            return
        missing = state["length"] - os.path.getsize(self.filename)
        if missing > 0:
            self._warn(f"{self.filename} is {missing} bytes shorter than it was: lines of epochs before are lost.")
        else:
            self._file.truncate(state["length"])
        self._columns = self._existing()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a line."""
        assert self._file is not None, "on_train_begin opens the file"
        try:
            self._write(self._file, epoch, logs or {})
        except OSError as error:
            raise OSError(error.errno, f"Cannot write {self.filename}: {error.strerror}.", self.filename) from error

    def _write(self, file: TextIO, epoch: int, logs: Logs) -> None:
        if self._fresh:  # not before: a fit that goes on keeps what is there
            file.truncate(0)
            self._fresh = False
        found = {name: plain_value(value) for name, value in logs.items()}
        writer = csv.writer(file, delimiter=self.separator)
        if self._columns is None:
            self._columns = ["epoch", *_columns(found)]
            writer.writerow(self._columns)
        writer.writerow([{"epoch": epoch, **found}.get(name, "NA") for name in self._columns])
        file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # a full disk: whoever wrote has said so
                file.close()

    def _existing(self) -> list[str] | None:
        """The columns of the file to append to, or None where it is new or empty."""
        if not os.path.exists(self.filename):
            return None
        with open(self.filename, newline="", encoding="utf-8") as file:
            return next(csv.reader(file, delimiter=self.separator), None)


def _columns(logs: Logs) -> list[str]:
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return [*names, *(f"val_{name}" for name in names)]
