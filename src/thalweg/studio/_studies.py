"""The studies that there are to see, by name; each of their trials is a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thalweg.studio._folders import folders_with
from thalweg.studio._steering import Refused
from thalweg.studio._watched import WatchedStudy, WatchedTrial
from thalweg.tuner._importance import Importance, importance
from thalweg.tuner._nets import Nets
from thalweg.tuner._study import JOURNAL

_TRIAL = "/trial-"  # between a study's name and a trial's number
_FRESH = 1.0  # seconds for which a listing is believed
_DIGITS = 4  # of a trial's number, as the study has it


class Studies:
    """Studies of some folders, and those that somebody adds.

    Args:
        roots: folders of study folders; they need not be there yet.

    """

    def __init__(self, roots: list[Path]) -> None:
        self._roots = [root.resolve() for root in roots]
        self._added: list[Path] = []
        self._watched: dict[Path, WatchedStudy] = {}
        self._trials: dict[tuple[Path, int], WatchedTrial] = {}
        self._listed: tuple[float, dict[str, Path]] = (-_FRESH, {})
        self._mattered: tuple[Any, Importance] | None = None
        self._lock = threading.RLock()

    def add(self, folder: Path) -> str:
        """A study that this process searches, wherever it lies; gives its name."""
        with self._lock:
            if folder.resolve() not in self._added:
                self._added.append(folder.resolve())
            self._listed = (-_FRESH, {})
            return self._name(folder.resolve())

    def _name(self, folder: Path) -> str:
        root = next((root for root in self._roots if root in folder.parents), folder.parent)
        return folder.relative_to(root).as_posix()

    def folders(self) -> dict[str, Path]:
        """Name -> folder of every study; names come from here alone, so that none leads anywhere else."""
        with self._lock:
            when, known = self._listed
            if time.monotonic() - when > _FRESH:
                known = {}
                for folder in [*self._added, *self._found()]:
                    known.setdefault(self._name(folder), folder)
                self._listed = (time.monotonic(), known)
            return known

    def _found(self) -> Iterator[Path]:
        for root in self._roots:
            yield from folders_with(root, [JOURNAL])

    def find(self, name: str) -> WatchedStudy:
        """A study of that name.

        Raises:
            KeyError: where there is none.

        """
        folder = self.folders()[name]
        with self._lock:
            found = self._watched.setdefault(folder, WatchedStudy(folder))
            found.look()
        return found

    def trial(self, name: str) -> WatchedTrial:
        """A trial, by the name of the run that it is: ``study/trial-0012``.

        Raises:
            KeyError: where there is none.

        """
        study, _, digits = name.rpartition(_TRIAL)
        watched = self.find(study)
        if not digits.isdecimal() or trial_name(study, int(digits)) != name:
            raise KeyError(name)
        with self._lock:
            key = (watched.folder, int(digits))
            found = self._trials.get(key) or WatchedTrial(watched, int(digits))
            found.look()
            self._trials[key] = found
        return found

    @staticmethod
    def net_of(found: WatchedTrial) -> Any:
        """The trained net of a trial, and what tells it from any other.

        Raises:
            Refused: where it was not kept, or cannot be made again here.

        """
        try:
            saved = Nets(found.study.folder).best(found.trial, found.study.objectives[0].sign)
            return saved.open()
        except ValueError as error:
            raise Refused(str(error)) from None

    def rows(self) -> list[dict[str, Any]]:
        """The table of studies, the newest first."""
        found = []
        for name in self.folders():
            now = self.find(name).live.now
            keys = ("status", "why", "search", "objectives", "begun", "told", "failed", "total", "best", "seconds")
            found.append({"study": name, **{key: now.get(key) for key in keys}})
        return sorted(found, key=lambda row: row["begun"] or 0.0, reverse=True)

    def importance(self, name: str) -> dict[str, Any]:
        """Which hyperparameters mattered, as plain data.

        Raises:
            KeyError: where there is no such study.

        """
        watched = self.find(name)
        trials = [trial for trial in watched.record.trials if trial.has_score]
        key = (watched.folder, watched.record.id, len(trials))
        if self._mattered is None or self._mattered[0] != key:
            self._mattered = key, importance(trials, watched.record.parameters, watched.objectives[0])
        found = self._mattered[1]
        return {
            "objective": found.objective,
            "trials": found.trials,
            "warnings": list(found.warnings),
            "parameters": [one._asdict() for one in found.parameters],
        }


def trial_name(study: str, number: int) -> str:
    """The name of the run that a trial is.

    Example:
        >>> trial_name('digits-random', 12)
        'digits-random/trial-0012'

    """
    return f"{study}{_TRIAL}{number:0{_DIGITS}d}"
