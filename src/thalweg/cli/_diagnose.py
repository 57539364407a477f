"""``thalweg diagnose``: what holds a run's best net back, and what to do next."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from thalweg import callbacks, diagnosis, files
from thalweg.cli._again import again
from thalweg.cli._source import Source

RECORD = "diagnosis.json"
"""Name of the file in a run's folder in which its diagnosis stands."""


def diagnose(folder: str, target_error: float | None, seeds: int) -> None:
    """Print the diagnosis of a run's best net, and leave it in the run's folder.

    Raises:
        ValueError: where the run was not begun by ``thalweg train``, is under way, or its data have changed since.

    """
    console = Console(highlight=False)
    run, source, model = again(folder, "call thalweg.diagnosis.diagnose(run, train=(x, y), validation=(x, y)) there.")
    with console.status("comparing the net with other models, and looking at the rows ..."):
        found = diagnosed(model, source, run, target_error, seeds)
    write(run.path, found)
    console.print(str(found), markup=False, soft_wrap=True)
    console.print(f"\nwrote {run.path / RECORD}", soft_wrap=True)


def diagnosed(
    model: Any, source: Source, history: Any, target_error: float | None = None, seeds: int = 0
) -> diagnosis.Diagnosis:
    """The diagnosis of a net on the rows that it was trained and validated on."""
    return diagnosis.diagnose(model, source.train, source.validation, target_error, history=history, seeds=seeds)


def write(folder: Path, found: diagnosis.Diagnosis) -> None:
    """Leave it in a run's folder, with the digest of the net that it is of."""
    digest = hashlib.sha256((folder / "best.keras").read_bytes()).hexdigest()
    text = json.dumps({"model": digest, "diagnosis": found.record()}, indent=2) + "\n"
    files.write_whole(folder / RECORD, [text.encode()])


def at_the_end(console: Console, folder: Path, source: Source) -> None:
    """The short form, for a fit that has just ended."""
    run = callbacks.read_run(folder)
    with console.status("diagnosing ..."):
        found = diagnosed(_loaded(folder), source, run)
    write(folder, found)
    console.print(f"{found.short()}\nmore: thalweg diagnose {folder}", markup=False, soft_wrap=True)


def _loaded(folder: Path) -> Any:
    from thalweg.models import load_model

    return load_model(folder / "best.keras")
