"""What every executor is: it takes assignments and gives outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from thalweg.tuner._bench import Assignment, Bench, Job
from thalweg.tuner.executors._progress import Listener
from thalweg.tuner.executors._train import Outcome


class Executor:
    """Base of all executors."""

    NAME: ClassVar[str] = ""

    def run(
        self,
        bench: Bench,
        trials: Sequence[tuple[Assignment, list[Job] | None]],
        folder: Path,
        listener: Listener,
        known: Sequence[Sequence[int]] = (),
    ) -> Iterator[list[Outcome]]:
        """Train trials; outcomes as they come, some trials at a time.

        Args:
            bench: what they share.
            trials: each with its nets, where they have been built here already.
            folder: the study's, for checkpoints.
            listener: who is told.
            known: trials that were a group before the search was broken off.

        """
        raise NotImplementedError(f"{type(self).__name__} must define run(bench, trials, folder, listener).")

    def recall(self, bench: Bench, groups: Sequence[Sequence[Assignment]]) -> None:
        """Know what was trained before the search was broken off, where that decides how to train from here on."""

    def builds_here(self) -> bool:
        """Whether trials' nets are to be built in this process, before they are grouped."""
        return True

    def close(self) -> None:
        """Let go of workers."""
