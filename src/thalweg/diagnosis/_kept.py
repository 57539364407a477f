"""A diagnosis in a run's folder, with the digest of the net that it is of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from thalweg import files
from thalweg.diagnosis._diagnosis import Diagnosis

KEPT = "diagnosis.json"
"""Name of the file."""


def keep(folder: Path, found: Diagnosis) -> None:
    """Leave the diagnosis of a run's best net in its folder."""
    text = json.dumps({"model": _digest(folder), "diagnosis": found.record()}, indent=2) + "\n"
    files.write_whole(folder / KEPT, [text.encode()])


def kept(folder: Path) -> dict[str, Any] | None:
    """Its record; None where there is none, it cannot be read, or it is of an earlier net."""
    try:
        told = json.loads((folder / KEPT).read_bytes())
        found = told["diagnosis"] if told["model"] == _digest(folder) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) and found.keys() >= set(Diagnosis._fields) else None


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "best.keras").read_bytes()).hexdigest()
