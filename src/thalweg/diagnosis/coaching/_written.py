"""The notebook of a coach on disk, from its begin: whoever looks on reads it as it grows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from thalweg import files
from thalweg.callbacks._run_record import LOCK, NOTEBOOK, now
from thalweg.diagnosis.coaching._notebook import Notebook

CODE = "net.py"


class Written:
    """A folder that a coach writes into; while it is entered, the folder is this process's.

    Args:
        folder: of the run that there will be, or None: nothing is written.

    Attributes:
        busy: what the coach is doing, in a few words.

    Raises:
        FileExistsError: where the folder holds something already.
        thalweg.files.Locked: where another process writes there.

    """

    def __init__(self, folder: Path | None) -> None:
        self.folder, self.busy, self.begun = folder, "", now()
        self._lock: files.Lock | None = None

    def __enter__(self) -> Self:
        if self.folder is None:
            return self
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise FileExistsError(f"{self.folder} is there already: give another folder.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = files.Lock(self.folder / LOCK)
        return self

    def __exit__(self, *error: object) -> None:
        self.let_go()

    def let_go(self) -> None:
        """Leave the folder to the run, which takes hold of it."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def write(self, notebook: Notebook) -> None:
        """Write what there is so far."""
        self._write({"begun": self.begun, "notebook": notebook.record(), "busy": self.busy})

    def end(self, record: dict[str, Any], code: str) -> None:
        """Write what came of it."""
        self._write(record)
        if self.folder is not None:
            files.write_whole(self.folder / CODE, [code.encode()])

    def _write(self, record: dict[str, Any]) -> None:
        if self.folder is not None:
            files.write_whole(self.folder / NOTEBOOK, [(json.dumps(record, indent=2) + "\n").encode()])
