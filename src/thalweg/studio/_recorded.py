"""A run of which only its folder is at hand, read as it grows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from thalweg import callbacks
from thalweg.callbacks import Run
from thalweg.files import FileError
from thalweg.studio._live import Live

HISTORY = "history.jsonl"
WORDS = {"change": "changes", "note": "notes", "warning": "warnings"}
"""Keys of a history's lines, and the lists that they go into."""


class Recorded:
    """A run's words, from its files.

    Args:
        folder: of the run.

    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.live = folder, Live()
        self._read, self._half = 0, b""
        self._seen: Any = None

    def look(self) -> None:
        """Read what has come since the last look."""
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
        if told != self._seen or (self.live.now.get("status") == "running"):
            self._seen = told
            try:
                now = now_of(callbacks.read_run(self.folder, epochs=False))
            except (FileError, OSError) as error:
                now = {"status": "damaged", "why": str(error)}
            if any(self.live.now.get(key) != value for key, value in now.items()):
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
    return tuple(os.stat(folder / name).st_mtime_ns if (folder / name).exists() else 0 for name in ("run.json", "lock"))


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
