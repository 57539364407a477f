"""A run of which only its folder is at hand, read as it grows."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from thalweg import callbacks, files
from thalweg.callbacks import Run
from thalweg.callbacks._run_record import HISTORY, LOCK, NOTEBOOK, RECORD
from thalweg.files import FileError
from thalweg.studio._live import Live

WORDS = {"change": "changes", "note": "notes", "warning": "warnings"}
"""Keys of a history's lines, and the lists that they go into."""
UNDER_WAY = ("running", "coaching")
"""States of a folder that somebody writes; who is killed leaves no word, so they are looked at again and again."""


class Recorded:
    """A run's words, from its files.

    Args:
        folder: of the run.

    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.live = folder, Live()
        self._read, self._half = 0, b""
        self._seen: Any = None
        self._lock = threading.Lock()

    def look(self) -> None:
        """Read what has come since the last look."""
        with self._lock:  # several pages look
            self._look()

    def _look(self) -> None:
        path = self.folder / HISTORY
        size = path.stat().st_size if path.is_file() else 0
        if size < self._read:  # it has gone back
            self._read, self._half = 0, b""
            self.live.begin_anew()
        if size > self._read:
            with path.open("rb") as file:
                file.seek(self._read)
                text = self._half + file.read()
            self._read = size
            *lines, self._half = text.split(b"\n")
            self._take(lines)
        told = _stamps(self.folder)
        if told != self._seen or self.live.now.get("status") in UNDER_WAY:
            self._seen = told
            try:
                now, _ = said_in(self.folder, epochs=False)
            except (FileError, OSError) as error:
                now = {"status": "damaged", "why": str(error)}
            self.live.say(**now)

    def _take(self, lines: list[bytes]) -> None:
        events = []
        for line in lines:
            try:
                events.append(json.loads(line))
            except ValueError:  # what was being written when the power failed
                continue
        take(self.live, [one for one in events if isinstance(one, dict)])


def take(live: Live, events: list[dict[str, Any]]) -> None:
    """Add a history's events, but for those of a population's members."""
    lists: dict[str, list[Any]] = {name: [] for name in ("epochs", *WORDS.values())}
    for one in events:
        if "member" in one:
            continue
        if "epoch" in one:
            lists["epochs"].append(one)
        for key, name in WORDS.items():
            if key in one:
                lists[name].append(one[key])
    for name, records in lists.items():
        live.add(name, records)


def _stamps(folder: Path) -> tuple[Any, ...]:
    """What changes when a record does."""
    return tuple(
        os.stat(folder / name).st_mtime_ns if (folder / name).exists() else 0 for name in (RECORD, LOCK, NOTEBOOK)
    )


def said_in(folder: Path, epochs: bool = True) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the records in a folder say, as a fit that runs would; and the epochs of the run.

    Args:
        folder: of a run, or of a coach whose run has not begun.
        epochs: whether they are read.

    Raises:
        FileError: where a record is damaged.

    """
    notebook = _notebook(folder)
    if notebook is not None and not (folder / RECORD).exists():
        status = "coaching" if files.is_held(folder / LOCK) else "broken off"
        return {"status": status, "begun": notebook.get("begun"), "coach": notebook, "steered": False}, []
    run = callbacks.read_run(folder, epochs=epochs)
    return {**now_of(run), "coach": notebook}, run.epochs


def _notebook(folder: Path) -> dict[str, Any] | None:
    """A coach's, where there is one."""
    try:
        found = json.loads((folder / NOTEBOOK).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def now_of(run: Run) -> dict[str, Any]:
    """What a run's record says, as a fit that runs would."""
    fit = run.record.get("fit") or {}
    return {
        "status": run.state,
        "epochs": fit.get("epochs"),
        "steps": run.steps,
        "batch_size": run.batch_size,
        "begun": run.record.get("begun"),
        "ended": run.record.get("ended"),
        "branched": run.record.get("branched"),
        "command": (run.record.get("asked") or {}).get("command"),
        "rows": (run.record.get("data") or {}).get("rows"),
        "checkpoints": [path.name for path in run.checkpoints()],
        "steered": False,
    }
