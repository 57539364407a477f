"""The trained nets of a study on disk: one file a group of trials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from thalweg import files
from thalweg.tuner._saved import Saved
from thalweg.tuner._trial import Trial
from thalweg.tuner.executors._train import Outcome

FOLDER = "nets"


class Nets:
    """Writes and finds them.

    Args:
        folder: the study's.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def write(self, outcomes: Sequence[Outcome]) -> str | None:
        """Write the nets of some trials, whole or not at all; the file's name, None where there are none."""
        held = {
            str(one.number): [{"history": net.history, "net": net.saved.to_tree()} for net in one.nets if net.saved]
            for one in outcomes
            if any(net.saved for net in one.nets)
        }
        if not held:
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{min(map(int, held)):05d}.safetensors"
        files.write_checkpoint(self.folder / name, {"trials": held})
        return name

    def read(self, trial: Trial) -> list[Saved]:
        """A trial's nets.

        Raises:
            ValueError: where they were not kept.

        """
        return [Saved.from_tree(one["net"]) for one in self._held(trial)]

    def best(self, trial: Trial, sign: float) -> Saved:
        """The best of a trial's nets by its first score.

        Args:
            trial: whose.
            sign: 1 where less is better, else -1.

        Raises:
            ValueError: where they were not kept.

        """
        saved = self.read(trial)
        return saved[min(range(len(saved)), key=lambda i: sign * trial.executions[i]["scores"][0])]

    def histories(self, trial: Trial) -> list[dict[str, list[float]]]:
        """A trial's logs, one dict a net."""
        return [one["history"] for one in self._held(trial)]

    def _held(self, trial: Trial) -> list[dict[str, Any]]:
        name = trial.notes.get("nets")
        if name is None or not (self.folder / name).exists():
            raise ValueError(
                f"The nets of trial {trial.number} were not kept: a study keeps those of its best trials. Train it again "
                "with its hyperparameters, trial.values."
            )
        found: list[dict[str, Any]] = files.read_checkpoint(self.folder / name)["trials"][str(trial.number)]
        return found

    def keep_only(self, trials: Iterable[Trial]) -> None:
        """Delete the files that hold none of these trials' nets."""
        wanted = {trial.notes.get("nets") for trial in trials}
        for path in self.folder.glob("*.safetensors"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)
