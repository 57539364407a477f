"""``thalweg diagnose``: what holds a run's best net back, and what to do next."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from thalweg import diagnosis
from thalweg.cli._again import again
from thalweg.cli._source import Source
from thalweg.diagnosis._kept import KEPT, keep


def diagnose(folder: str, target_error: float | None, seeds: int) -> None:
    """Print the diagnosis of a run's best net, and leave it in the run's folder.

    Raises:
        ValueError: where the run was not begun by ``thalweg train``, is under way, or its data have changed since.

    """
    console = Console(highlight=False)
    run, source, model = again(folder, "call thalweg.diagnosis.diagnose(run, train=(x, y), validation=(x, y)) there.")
    with console.status("comparing the net with other models, and looking at the rows ..."):
        found = diagnosis.diagnose(model, source.train, source.validation, target_error, history=run, seeds=seeds)
    keep(run.path, found)
    console.print(str(found), markup=False, soft_wrap=True)
    console.print(f"\nwrote {run.path / KEPT}", soft_wrap=True)


def at_the_end(console: Console, folder: Path, source: Source) -> None:
    """The short form, for a fit that has just ended."""
    with console.status("diagnosing ..."):
        found = diagnosis.diagnose(folder, source.train, source.validation)
    keep(folder, found)
    console.print(f"{found.short()}\nmore: thalweg diagnose {folder}", markup=False, soft_wrap=True)
