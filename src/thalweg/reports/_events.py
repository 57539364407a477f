"""What happened in a run, as its history tells it: epochs, changes of hypers, warnings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from thalweg.callbacks import Run
from thalweg.callbacks._run_record import HISTORY

_NO_LOGS = ("epoch", "seconds")


class Events(NamedTuple):
    """Lines of a history, those of a population's members apart.

    Attributes:
        epochs: one dict an epoch: number, logs, seconds.
        changes: of hypers: epoch, step, path, old, new.
        warnings: what the person was told.

    """

    epochs: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    warnings: list[str]

    @property
    def names(self) -> list[str]:
        """Of the logs, in their order."""
        return list(dict.fromkeys(name for line in self.epochs for name in line if name not in _NO_LOGS))


def events_of(run: Run) -> Events:
    """Read them; a line that is being written is passed over."""
    lines = list(_lines(run.path / HISTORY))
    changes = [line["change"] for line in lines if "change" in line]
    warnings = [str(line["warning"]) for line in lines if "warning" in line and "member" not in line]
    return Events(run.epochs, changes, warnings)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found
