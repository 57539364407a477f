"""A run's diagnosis: the one that lies in its folder, where it is of the same net, or a new one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from thalweg import diagnosis
from thalweg.callbacks import Run
from thalweg.reports._events import Events, history_of
from thalweg.reports._given import Given

RECORD = "diagnosis.json"
_MUST = frozenset(diagnosis.Diagnosis._fields)


def diagnosed(run: Run, events: Events, given: Given) -> dict[str, Any]:
    """As ``Diagnosis.record()`` gives it.

    Raises:
        ValueError: where the net has several outputs or no loss, or its rows do not fit.

    """
    found = _kept(run.path) if given.known else None
    if found is not None:
        return found
    history = history_of(run, events)
    record = diagnosis.diagnose(given.model, given.train, given.validation, history=history).record()
    whole: dict[str, Any] = json.loads(json.dumps(record, default=_plain))
    return whole


def _kept(folder: Path) -> dict[str, Any] | None:
    """The diagnosis in a run's folder; None where there is none, it cannot be read, or it is of an earlier net."""
    try:
        told = json.loads((folder / RECORD).read_bytes())
        digest = hashlib.sha256((folder / "best.keras").read_bytes()).hexdigest()
        found = told["diagnosis"] if told["model"] == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) and found.keys() >= _MUST else None


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
