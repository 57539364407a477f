"""What the studio shows: the runs of a folder, and the fits of this process."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from thalweg import callbacks, files
from thalweg.callbacks import Run
from thalweg.studio._live import Live
from thalweg.studio._recorded import Recorded, now_of
from thalweg.studio._steering import Refused, Steering

if TYPE_CHECKING:
    from thalweg.studio._net import Mirror
    from thalweg.studio._studio import Studio

WORD, TAGS, TRASH = "studio.json", "tags.json", ".trash"
"""Files in a run's folder: where its process listens, what people call it; and the folder of what was thrown away."""
_FRESH = 1.0  # seconds for which a listing is believed
_SMALL = 60  # points of a small curve
_TAGS, _LETTERS = 20, 40  # at most, of one run


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
        elsewhere: the process that trains it; None where it is this one, or none.

    """

    live: Live
    steering: Steering | None
    recorded: Recorded | None
    net: Callable[[], Mirror]
    elsewhere: Elsewhere | None


class House:
    """All that there is to see.

    Args:
        runs: a folder of run folders; it need not be there yet.

    """

    def __init__(self, runs: str | os.PathLike[str]) -> None:
        self.runs = Path(runs).resolve()
        self._studios: list[Studio] = []
        self._recorded: dict[Path, Recorded] = {}
        self._small: dict[Path, tuple[Any, dict[str, Any]]] = {}
        self._listed: tuple[float, dict[str, Path]] = (-_FRESH, {})
        self._net: tuple[Any, Mirror] | None = None  # the one that was looked into last
        self._lock = threading.RLock()

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

    def _of_process(self) -> dict[str, Studio]:
        """The last fit of each name."""
        with self._lock:
            return {self.number_of(one): one for one in self._studios}

    def folders(self) -> dict[str, Path]:
        """Name -> folder of every run; names come from here alone, so that none leads anywhere else."""
        with self._lock:
            when, known = self._listed
            if time.monotonic() - when > _FRESH:
                known = {path.relative_to(self.runs).as_posix(): path for path in self._found()}
                self._listed = (time.monotonic(), known)
            return known

    def _found(self) -> Iterator[Path]:
        for record in sorted(self.runs.rglob("run.json")) if self.runs.is_dir() else ():
            inside = record.parent.resolve()
            if self.runs in inside.parents and TRASH not in inside.relative_to(self.runs).parts:
                yield record.parent

    # -- what it tells ----------------------------------------------------------------------------

    def find(self, name: str) -> Shown:
        """A run of that name.

        Raises:
            KeyError: where there is none.

        """
        studio = self._of_process().get(name)
        if studio is not None:
            return Shown(studio.live, studio.steering, None, studio.look, None)
        folder = self.folders()[name]
        with self._lock:
            recorded = self._recorded.setdefault(folder, Recorded(folder))
        recorded.look()
        steered = recorded.live.now.get("status") == "running"
        return Shown(recorded.live, None, recorded, lambda: self._kept(folder), self._word(folder) if steered else None)

    def _kept(self, folder: Path) -> Mirror:
        """The best net of a run, read once."""
        from thalweg.studio._net import Kept

        path = next((path for name in ("best.keras", "last.keras") if (path := folder / name).is_file()), None)
        if path is None:
            raise Refused("This run has no net yet: no epoch of it was finished.")
        stamp = (path, path.stat().st_mtime_ns)
        with self._lock:
            if self._net is None or self._net[0] != stamp:
                self._net = (stamp, Kept(path))
            return self._net[1]

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
                found.append({"run": name, "tags": [], **_summary(studio.live)})
        return sorted(found, key=lambda row: str(row.get("begun") or "~"), reverse=True)

    def _row(self, folder: Path) -> dict[str, Any]:
        """What a run comes to, read anew where its files have changed."""
        paths = [folder / name for name in ("run.json", "history.jsonl")]
        stamp = tuple((path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None for path in paths)
        known = self._small.get(folder)
        if known is None or known[0] != stamp or known[1]["status"] == "running":
            try:
                known = (stamp, _of_run(callbacks.read_run(folder)))
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


def _of_run(run: Run) -> dict[str, Any]:
    now = now_of(run)
    return {**{key: now[key] for key in ("status", "begun", "epochs", "command", "branched")}, **_ends(run.epochs)}


def _summary(live: Live) -> dict[str, Any]:
    frame, _ = live.since()
    now = frame["now"]
    return {
        **{key: now.get(key) for key in ("status", "begun", "epochs", "command", "branched")},
        **_ends(frame["epochs"]),
    }


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
