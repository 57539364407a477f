"""A study of which only its folder is at hand, read as it grows; and each of its trials as a run."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.files import FileError
from thalweg.studio._live import Live
from thalweg.tuner import Objective, Trial, ranked
from thalweg.tuner._axes import Axes
from thalweg.tuner._curves import Curve, read_curves
from thalweg.tuner._importance import fenced
from thalweg.tuner._study import Follower, StudyRecord
from thalweg.tuner._trial import FAILED, RUNNING

LISTS = ("trials", "curves")
"""What only grows of a study, until it begins anew; a trial comes again when it has ended."""
_SAID = 20  # warnings that are kept
_WORDS = {RUNNING: "running", FAILED: "failed"}
"""Status of a trial -> that of a run; all others are finished."""


class WatchedStudy:
    """A study's words, from its files.

    Args:
        folder: of the study.

    Attributes:
        live: what it tells.

    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.live = folder, Live(LISTS)
        self._follower = Follower(folder)
        self._id, self._names, self._read = "", [""], 0
        self._said: list[str] = []
        self._asked: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def record(self) -> StudyRecord:
        """What the journal has said.

        Raises:
            KeyError: where it cannot be read.

        """
        if self._follower.record is None:
            raise KeyError(str(self.folder))
        return self._follower.record

    @property
    def objectives(self) -> list[Objective]:
        """What its scores stand for."""
        known = self.record.identity.get("objectives") or [{"name": "score", "direction": "min"}]
        return [Objective(one["name"], one["direction"]) for one in known]

    def look(self) -> None:
        """Read what has come since the last look."""
        with self._lock:  # several pages look
            try:
                self._take(list(self._follower.events()))
            except (FileError, OSError) as error:
                self.live.say(status="damaged", why=str(error))

    def _take(self, events: list[dict[str, Any]]) -> None:
        record = self._follower.record
        if record is None:
            self.live.say(status="empty")
            return
        if record.id != self._id:
            self._id, self._names, self._read, self._said, self._asked = record.id, [""], 0, [], {}
            self.live.begin_anew()
        for event in events:
            self._said += [str(event["warning"])] if "warning" in event else []
            self._asked = event.get("search", self._asked)
        axes = Axes(record.parameters)
        names = [one["name"] for one in axes.record()]
        told = [one["number"] for event in events for kind in ("asked", "told") for one in event.get(kind, ())]
        trials = {trial.number: trial for trial in record.trials}
        if names != self._names:  # an axis more, or of another name: all places are told again
            self._names, told = names, list(trials)
        self.live.add("trials", [row_of(trials[number], axes) for number in dict.fromkeys(told)])
        curves, self._read = read_curves(self.folder, self._read)
        goal = self.objectives[0].name
        self.live.add("curves", [_of_goal(one, goal) for one in curves])
        self.live.say(**self._now(record, list(trials.values()), axes))

    def _now(self, record: StudyRecord, trials: list[Trial], axes: Axes) -> dict[str, Any]:
        goals = self.objectives
        told = [trial for trial in trials if record.is_told(trial.number)]
        scored = ranked([trial for trial in told if trial.has_score], goals)
        best = scored[0] if scored else None
        return {
            "status": "running" if record.owner is not None else record.ended or "broken off",
            "search": record.identity.get("search"),
            "objectives": [{"name": one.name, "direction": one.direction} for one in goals],
            "begun": record.begun,
            "told": len(told),
            "failed": len(told) - len(scored),
            "asked": len(trials),
            "total": self._asked.get("total"),
            "epochs": self._asked.get("epochs"),
            "best": None if best is None else {"number": best.number, "score": best.score, "error": best.error},
            "fence": fence_of(scored, goals[0]),
            "axes": axes.record(),
            "said": self._said[-_SAID:],
            "seconds": sum(trial.seconds for trial in told),
        }


def fence_of(scored: Iterable[Trial], goal: Objective) -> list[float] | None:
    """The least and the largest score that pictures are made for: disasters are drawn at the edge."""
    scores = np.array([trial.scores[0] for trial in scored if trial.scores], float)
    if not len(scores):
        return None
    near = fenced(scores, goal.sign)
    return [float(near.min()), float(near.max())]


def row_of(trial: Trial, axes: Axes) -> dict[str, Any]:
    """A trial as the page's table has it."""
    return {
        "number": trial.number,
        "status": trial.status.lower(),
        "values": trial.values,
        "places": axes.places(trial),
        "scores": trial.scores if trial.has_score else None,
        "errors": trial.errors,
        "epochs": trial.epochs,
        "first": trial.notes.get("first_epoch", 0),
        "seconds": trial.seconds,
        "source": trial.source,
        "slot": trial.notes.get("slot"),
        "message": None if trial.message is None else trial.message.strip().splitlines()[-1],
    }


def _of_goal(curve: Curve, goal: str) -> dict[str, Any]:
    """Of a curve what is searched for, or the loss."""
    name = next((one for one in (goal, "val_loss", "loss") if one in curve.logs), "")
    return {"epoch": curve.epoch, "trials": curve.trials, "name": name, "values": curve.logs.get(name, [])}


class WatchedTrial:
    """A trial's words, as those of a run.

    Args:
        study: whose trial it is.
        number: of the trial.

    Attributes:
        live: what it tells.

    """

    def __init__(self, study: WatchedStudy, number: int) -> None:
        self.study, self.number, self.live = study, number, Live()
        self._read = 0
        self._known: dict[int, dict[str, Any]] = {}  # by epoch
        self._lock = threading.Lock()

    def look(self) -> None:
        """Read what has come since the last look."""
        self.study.look()
        with self._lock:
            self._look()

    def _look(self) -> None:
        trial = self.trial
        curves, self._read = read_curves(self.study.folder, self._read)
        for curve in curves:
            if self.number in curve.trials:
                self._grow(curve)
        now = {
            "status": _WORDS.get(trial.status, "finished"),
            "epochs": trial.notes.get("epochs") or self.study.live.now.get("epochs"),
            "values": trial.values,
            "score": trial.score,
            "seconds": trial.seconds,
            "objective": self.study.objectives[0].name,
            "source": trial.source,
            "why": trial.message,
            "steered": False,
        }
        self.live.say(**now)

    @property
    def trial(self) -> Trial:
        """Its record.

        Raises:
            KeyError: where the study has none of that number.

        """
        return {one.number: one for one in self.study.record.trials}[self.number]

    def _grow(self, curve: Curve) -> None:
        place = curve.trials.index(self.number)
        epoch = {"epoch": curve.epoch, **{name: values[place] for name, values in curve.logs.items()}}
        again = curve.epoch in self._known  # its group went on from a checkpoint before this epoch
        self._known[curve.epoch] = epoch
        if again:
            self._known = {key: one for key, one in self._known.items() if key <= curve.epoch}
            self.live.begin_anew()
        self.live.add("epochs", list(self._known.values()) if again else [epoch])
