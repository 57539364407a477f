"""What the studio shows: the runs of a folder, and the fits of this process."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from thalweg import files
from thalweg.callbacks._run_record import HISTORY, NOTEBOOK, RECORD
from thalweg.studio._folders import TRASH, folders_with
from thalweg.studio._jobs import Jobs
from thalweg.studio._live import Live
from thalweg.studio._recorded import UNDER_WAY, Recorded, said_in
from thalweg.studio._steering import Refused, Steering
from thalweg.studio._studies import Studies
from thalweg.studio._watched import WatchedStudy, WatchedTrial
from thalweg.tuner import holds_study

if TYPE_CHECKING:
    from thalweg.studio._ground import Ground
    from thalweg.studio._net import Mirror
    from thalweg.studio._rows import Again, Sample
    from thalweg.studio._studio import Studio

WORD, TAGS = "studio.json", "tags.json"
"""Files in a run's folder: where its process listens, and what people call it."""
_FRESH = 1.0  # seconds for which a listing is believed
_SMALL = 60  # points of a small curve
_TAGS, _LETTERS = 20, 40  # at most, of one run


Watched = Recorded | WatchedStudy | WatchedTrial
"""What is read from a folder as it grows."""


class Elsewhere(NamedTuple):
    """Another process that trains a run.

    Attributes:
        port, token: of its studio.
        run: by which that knows the run.

    """

    port: int
    token: str
    run: str


class Shown(NamedTuple):
    """A run as the page sees it.

    Attributes:
        live: what it tells.
        steering: by which it is steered in this process; None of one that is not.
        recorded: whose files are to be looked at; None where the fit itself tells.
        net: gives a look into the net; raises :class:`Refused` where there is none.
        sample: gives some of its rows; raises :class:`Refused` where they are not at hand.
        elsewhere: the process that trains it; None where it is this one, or none.

    """

    live: Live
    steering: Steering | None
    recorded: Watched | None
    net: Callable[[], Mirror]
    sample: Callable[[], Sample]
    elsewhere: Elsewhere | None


class House:
    """All that there is to see.

    Args:
        runs: a folder of run folders and study folders; it need not be there yet.
        studies: another one of study folders, or None.
        again: makes the rows of recorded runs again; None: they are not at hand.

    Attributes:
        studies: that there are to see.

    """

    def __init__(
        self,
        runs: str | os.PathLike[str],
        studies: str | os.PathLike[str] | None = None,
        again: Again | None = None,
    ) -> None:
        self.runs, self._again = Path(runs).resolve(), again
        self.studies = Studies([self.runs, *([] if studies is None else [Path(studies)])])
        self.jobs = Jobs()
        self._studios: list[Studio] = []
        self._recorded: dict[Path, Recorded] = {}
        self._small: dict[Path, tuple[Any, dict[str, Any]]] = {}
        self._listed: tuple[float, dict[str, Path]] = (-_FRESH, {})
        self._net: tuple[Any, Mirror] | None = None  # the one that was looked into last
        self._rows: tuple[Path, Sample] | None = None  # those that were made again last
        self._lock, self._making = threading.RLock(), threading.Lock()

    # -- who there is -----------------------------------------------------------------------------

    def add(self, studio: Studio) -> None:
        """A fit of this process, or one that is another run now."""
        with self._lock:
            if studio not in self._studios:
                self._studios.append(studio)
            self._listed = (-_FRESH, {})
        studio.live.say(run=self.number_of(studio))

    def number_of(self, studio: Studio) -> str:
        """By which the page asks for a fit: its folder's place among the runs, or its number."""
        folder = studio.run_folder.folder
        if folder is not None and self.runs in Path(folder).resolve().parents:
            return Path(folder).resolve().relative_to(self.runs).as_posix()
        return f"fit-{self._studios.index(studio) + 1}"

    def place_of(self, folder: Path) -> str:
        """What stands behind the # of a link to the page of a study, or of a run that has not begun."""
        if holds_study(folder):
            return f"study={quote(self.studies.add(folder), safe='')}"
        inside = self.runs in folder.resolve().parents
        return f"run={quote(folder.resolve().relative_to(self.runs).as_posix(), safe='')}" if inside else ""

    def _of_process(self) -> dict[str, Studio]:
        """The last fit of each name."""
        with self._lock:
            return {self.number_of(one): one for one in self._studios}

    def folders(self) -> dict[str, Path]:
        """Name -> folder of every run; names come from here alone, so that none leads anywhere else."""
        with self._lock:
            when, known = self._listed
            if time.monotonic() - when > _FRESH:
                found = folders_with(self.runs, [RECORD, NOTEBOOK])
                known = {path.relative_to(self.runs).as_posix(): path for path in found}
                self._listed = (time.monotonic(), known)
            return known

    # -- what it tells ----------------------------------------------------------------------------

    def find(self, name: str) -> Shown:
        """A run of that name.

        Raises:
            KeyError: where there is none.

        """
        studio = self._of_process().get(name)
        if studio is not None:
            return Shown(studio.live, studio.steering, None, studio.look, studio.sample, None)
        if name not in self.folders():
            return self._trial(name)
        folder = self.folders()[name]
        with self._lock:
            recorded = self._recorded.setdefault(folder, Recorded(folder))
        recorded.look()
        epochs = partial(recorded.live.all_of, "epochs")
        word = self._word(folder) if recorded.live.now.get("status") == "running" else None
        return Shown(
            recorded.live, None, recorded, lambda: self._kept(folder, epochs), lambda: self._sample(folder), word
        )

    def study(self, name: str) -> Shown:
        """A study of that name.

        Raises:
            KeyError: where there is none.

        """
        watched = self.studies.find(name)
        none = _refused("This is a study: its trials have nets and rows.")
        return Shown(watched.live, None, watched, none, none, None)

    def _trial(self, name: str) -> Shown:
        watched = self.studies.trial(name)
        rows = _refused("Rows of a trial are not at hand here.")
        return Shown(watched.live, None, watched, lambda: self._of_trial(watched), rows, None)

    def _of_trial(self, watched: WatchedTrial) -> Mirror:
        """The net of a trial, read once."""
        from thalweg.studio._net import Kept

        stamp = (watched.study.record.id, watched.number, watched.trial.status)
        with self._lock:
            if self._net is None or self._net[0] != stamp:
                self._net = (stamp, Kept(self.studies.net_of(watched)))
            return self._net[1]

    def _kept(self, folder: Path, epochs: Callable[[], list[dict[str, Any]]]) -> Mirror:
        """The best net of a run, read once."""
        from thalweg.studio._net import Kept

        path = next((path for name in ("best.keras", "last.keras") if (path := folder / name).is_file()), None)
        if path is None:
            raise Refused("This run has no net yet: no epoch of it was finished.")
        stamp = (path, path.stat().st_mtime_ns)
        with self._lock:
            if self._net is None or self._net[0] != stamp:
                self._net = (stamp, Kept.from_file(path, lambda: self._sample(folder), epochs))
            return self._net[1]

    def _sample(self, folder: Path) -> Sample:
        """Some rows of a run, made again once."""
        from thalweg.studio._rows import rows_of_folder

        with self._making:  # of its own: making rows may take long, and pages are to go on meanwhile
            if self._rows is None or self._rows[0] != folder:
                self._rows = (folder, rows_of_folder(folder, self._again))
            return self._rows[1]

    def ground(self, name: str) -> Ground:
        """What the landscape of a run is made of.

        Raises:
            KeyError: where there is no such run.
            Refused: where its net or its rows are not at hand.

        """
        from thalweg.studio._ground import ground_in

        studio = self._of_process().get(name)
        if studio is not None:
            return studio.ground()
        if name not in self.folders():  # a study's trial, which says why its rows are not at hand
            self.find(name).sample()
        folder = self.folders()[name]
        return ground_in(folder, self._sample(folder))

    def rows(self) -> list[dict[str, Any]]:
        """The table of runs, the newest first."""
        fits, found = self._of_process(), []
        for name, folder in self.folders().items():
            row = {"run": name, **self._row(folder), "tags": self.tags(folder)}
            if name in fits:
                row["status"] = fits[name].live.now.get("status", row["status"])
            found.append(row)
        known = self.folders()
        for name, studio in fits.items():
            if name not in known:
                frame, _ = studio.live.since()
                found.append({"run": name, "tags": [], **_summary(frame["now"], frame["epochs"])})
        return sorted(found, key=lambda row: str(row.get("begun") or "~"), reverse=True)

    def _row(self, folder: Path) -> dict[str, Any]:
        """What a run comes to, read anew where its files have changed."""
        paths = [folder / name for name in (RECORD, HISTORY, NOTEBOOK)]
        stamp = tuple((path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None for path in paths)
        known = self._small.get(folder)
        if known is None or known[0] != stamp or known[1]["status"] in UNDER_WAY:
            try:
                known = (stamp, _summary(*said_in(folder)))
            except (files.FileError, OSError) as error:
                known = (stamp, {"status": "damaged", "why": str(error), "small": {}})
            self._small[folder] = known
        return known[1]

    # -- what is done to runs ---------------------------------------------------------------------

    def tags(self, folder: Path) -> list[str]:
        """What people call a run."""
        try:
            found = json.loads((folder / TAGS).read_text())
        except (OSError, ValueError):
            return []
        return [str(one) for one in found][:_TAGS] if isinstance(found, list) else []

    def tag(self, name: str, tags: Any) -> list[str]:
        """Have a run called so.

        Raises:
            KeyError: where there is no such run.
            Refused: where these are no tags.

        """
        folder = self.folders()[name]
        fits = isinstance(tags, list) and len(tags) <= _TAGS
        if not fits or not all(isinstance(one, str) and 0 < len(one.strip()) <= _LETTERS for one in tags):
            raise Refused(f"tags must be at most {_TAGS} texts of at most {_LETTERS} letters, got {str(tags)[:50]!r}.")
        kept = list(dict.fromkeys(one.strip() for one in tags))
        files.write_whole(folder / TAGS, [json.dumps(kept).encode()])
        return kept

    def throw_away(self, name: str) -> Path:
        """Move a run into the trash folder; gives its place there.

        Raises:
            KeyError: where there is no such run.
            Refused: where a process writes it.

        """
        folder = self.folders()[name]
        if files.is_held(folder / "lock"):
            raise Refused(f"{name} is running: stop it first.")
        place = self.runs / TRASH / f"{time.strftime('%Y%m%d-%H%M%S')}-{name.replace('/', '-')}"
        place.parent.mkdir(exist_ok=True)
        folder.rename(place)
        with self._lock:
            self._listed = (-_FRESH, {})
            self._recorded.pop(folder, None)
        return place

    # -- processes --------------------------------------------------------------------------------

    def leave_word(self, folder: Path, port: int, token: str, run: str) -> None:
        """Say in a run's folder where its process listens; only its owner may read it."""
        path = folder / WORD
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"port": port, "token": token, "run": run, "pid": os.getpid()}, file)

    def _word(self, folder: Path) -> Elsewhere | None:
        """Where the process of a run listens, if it does."""
        try:
            word = json.loads((folder / WORD).read_text())
            owner = files.owner_of(folder / "lock").get("pid")
            there = Elsewhere(int(word["port"]), str(word["token"]), str(word["run"]))
            return there if word["pid"] == owner else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _refused(why: str) -> Callable[[], Any]:
    def refuse() -> Any:
        raise Refused(why)

    return refuse


def _summary(now: Mapping[str, Any], epochs: list[dict[str, Any]]) -> dict[str, Any]:
    return {**{key: now.get(key) for key in ("status", "begun", "epochs", "command", "branched")}, **_ends(epochs)}


def _ends(epochs: list[dict[str, Any]]) -> dict[str, Any]:
    """The last numbers, the best ones, and a small curve of what is watched."""
    last = epochs[-1] if epochs else {}
    watched = "val_loss" if "val_loss" in last else "loss"
    curve = [one[watched] for one in epochs if isinstance(one.get(watched), (int, float))]
    step = max(1, -(-len(curve) // _SMALL))
    return {
        "done": len(epochs),
        "seconds": sum(one.get("seconds") or 0.0 for one in epochs),
        "last": {name: value for name, value in last.items() if name not in ("epoch", "seconds")},
        "best": min(curve, default=None),
        "small": {"name": watched, "values": [*curve[::step][:_SMALL], *(curve[-1:] if step > 1 else [])]},
    }
