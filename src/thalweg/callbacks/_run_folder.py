"""A run on disk: what was asked, what happened, checkpoints to go on from, the best model and the last."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from thalweg import _checks, files
from thalweg.callbacks._callback import Callback, Logs
from thalweg.callbacks._checkpoints import CheckpointFolder, linked
from thalweg.callbacks._every import Every
from thalweg.callbacks._monitor import MODES, direction_of
from thalweg.callbacks._run_record import (
    CHECKPOINTS,
    HISTORY,
    LEFT,
    LOCK,
    NOTEBOOK,
    PINNED,
    RECORD,
    Lines,
    arguments_of,
    checkpoint_name,
    checkpoints_in,
    differences,
    left_in,
    machine,
    now,
    read_run,
    without_names,
    write_json,
)


class RunFolder(Callback):
    """Keeps a run in a folder; the same fit with the same folder goes on where the last one was broken off.

    The folder holds ``run.json`` (what was asked: model, data, seed, versions, machine), ``history.jsonl`` (a line
    an epoch, a change of a hyper, a warning), ``checkpoints/`` (the newest two; they are what counts: the history
    is cut back to the one that is gone on from), ``best.keras`` and ``last.keras``. One process at a time
    writes to it. ``model.fit(..., run='runs/first')`` is this callback with its defaults.

    Args:
        folder: where to; made where it is not there.
        every: how often a checkpoint is written: ``'epoch'``, ``'5 min'``, ``'500 steps'``, a number of steps.
        keep: how many checkpoints are kept.
        monitor: the log that says which epoch's model is the best; ``'val_loss'``, or the loss where nothing is
            validated.
        mode: ``'min'``, ``'max'``, or ``'auto'``: by the name.
        asked: what else goes into ``run.json``, as plain data.

    Raises:
        ValueError: on another `every` or `mode`, on `keep` below 1, or, when the fit begins, where the folder holds
            a run of another model, of other data or arguments: the message says what differs.
        FileExistsError: where the run in the folder is finished.
        RuntimeError: where another process is writing there; it names the process.

    Example:
        >>> run = RunFolder('runs/first', every='5 min')
        >>> # model.fit(x, y, epochs=1000, run=run)

    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every: Any = "epoch",
        keep: int = 2,
        monitor: str | None = None,
        mode: str = "auto",
        asked: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.every, self.monitor, self.mode = every, monitor, mode
        self.asked = dict(asked or {})
        self._every = Every(every, "every")
        MODES[mode]  # an unknown one raises
        _checks.number(self, "keep", keep, at_least=1)
        self._kept = CheckpointFolder(self.folder / CHECKPOINTS, keep)
        self._lock: files.Lock | None = None
        self._file: BinaryIO | None = None
        self._record: dict[str, Any] = {}
        self._lines = Lines({})
        self._best: dict[str, Any] = {}  # by member's number: (epoch, value)
        self._seen: dict[int | None, int] = {}  # values of the monitored log that were looked at
        self._savable = True
        self._from: Path | None = None  # the checkpoint that is gone back to
        self._came: Path | None = None  # likewise, once that has been done

    # -- begin ----------------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin a run, or go on with the one that is there."""
        fresh = self._open()
        session = self.model.session
        self._best, self._lines = {}, Lines(self._histories())
        self._seen = {
            member: len(model.history.history.get(self._watched(), ())) for member, model in self._models().items()
        }
        asked = self._description(session)
        if fresh:
            write_json(self.folder / RECORD, asked)
            self._record = asked
        else:
            self._go_on(asked, session)
        self._every.restart(session.epoch, session.step)
        self._file = open(self.folder / HISTORY, "ab", buffering=0)  # noqa: SIM115  close() closes it

    def _open(self) -> bool:
        """Take hold of the folder; whether there is no run in it yet."""
        if self.folder.exists() and not self.folder.is_dir():
            raise FileExistsError(f"{self.folder} is a file; a run needs a folder: give another path.")
        there = list(self.folder.iterdir()) if self.folder.is_dir() else []
        known = (self.folder / RECORD).exists()
        if not known and any(one.name not in (LOCK, NOTEBOOK) and one.suffix != ".part" for one in there):
            raise FileExistsError(f"{self.folder} is there already and is no run: give another folder.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = files.Lock(self.folder / LOCK)
        files.remove_parts(self.folder)
        files.remove_parts(self.folder / CHECKPOINTS)
        return not (self.folder / RECORD).exists()  # asked now that nobody else can make one

    def _description(self, session: Any) -> dict[str, Any]:
        models = self._models()
        try:
            told = [model.description() for model in models.values()]
            self._savable = True
        except ValueError as error:
            told, self._savable = [None], False
            self._warn(f"{self.folder}: checkpoints are kept, but no model files. {error}")
        return {
            "begun": now(),
            "model": told[:1],
            "hypers": [list(model.hypers.values()) for model in models.values()],
            "members": None if None in models else len(models),
            "fit": arguments_of(session.asked),
            "seeds": [int(seed) for seed in session.all_seeds()],
            "data": session.data_facts(),
            **machine(),
            "asked": self.asked,
        }

    def _go_on(self, asked: dict[str, Any], session: Any) -> None:
        before = read_run(self.folder).record
        self._same(before, asked)
        snapshot = self._kept.newest()
        done = snapshot["epoch"] if snapshot else 0
        ended = (before.get("ended") or {}).get("why")
        more = session.asked["epochs"] > before["fit"]["epochs"]
        if ended == "stopped early" or (ended == "finished" and not more):
            raise FileExistsError(
                f"{self.folder} holds a run that is {ended}, after {before['ended']['epochs']} epochs: give another folder, "
                "or more epochs to one that was not stopped early."
            )
        self._record = {**before, "fit": asked["fit"], "resumed": [*before.get("resumed", []), now()], "ended": None}
        if snapshot is not None:
            session.resume(snapshot)
            where = f"epoch {done + 1}" + (f", step {snapshot['step'] + 1}" if snapshot["step"] else "")
            if (self.params or {}).get("verbose") != 0:
                print(f"{self.folder}: going on in {where}.")
        else:  # nothing to go on from: it begins anew, with the seeds by which the weights have been drawn
            self._record["seeds"] = asked["seeds"]
            files.write_whole(self.folder / HISTORY, [])
        write_json(self.folder / RECORD, self._record)

    def _same(self, before: dict[str, Any], asked: dict[str, Any]) -> None:
        """Raise where another thing is asked for; warn where a hyper differs, as the checkpoint's goes on."""
        pairs = differences(before.get("hypers"), asked["hypers"])
        turned = {(old, new) for _, old, new in pairs if _are_numbers(old, new)}
        for part in ("members", "model", "data", "fit"):
            for place, old, new in differences(_comparable(before.get(part)), _comparable(asked[part])):
                if place in ("epochs", "validation_freq") or place.endswith(("/name", "/seed")):
                    continue
                if part == "model" and _are_numbers(old, new) and (old, new) in turned:
                    self._warn(f"{self.folder}: {place} is {new:g} now, {old:g} in the run: the run's goes on.")
                    continue
                raise ValueError(
                    f"{self.folder} holds another run: {f'{part} {place}'.strip()} was {_short(old)}, got {_short(new)}. "
                    "Give another folder, or the same as before."
                )
        if self.model.session.asked["seed"] is not None and asked["seeds"] != before["seeds"]:
            raise ValueError(f"{self.folder} holds a run with the seeds {before['seeds']}, got {asked['seeds']}.")

    # -- along the way ----------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """The best so far, and how much of the history is written."""
        self._append()
        length = (self.folder / HISTORY).stat().st_size
        written = {str(member): counts for member, counts in self._lines.written.items()}
        seen = {str(member): count for member, count in self._seen.items()}
        return {"best": self._best, "seen": seen, "written": written, "length": length}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Cut the history back to the checkpoint."""
        self._best = dict(state["best"])
        self._seen = {member: state["seen"].get(str(member), 0) for member in self._models()}
        assert self._file is not None
        came = self._came = self._from
        self._from = None
        if came is not None and _is_left(came):  # what is written is of another way: the whole record is written anew
            self._file.truncate(0)
            self._lines.written = {member: {} for member in self._lines.histories}
        else:
            self._cut(self._file, state["length"])
            self._lines.written = {member: state["written"].get(str(member), {}) for member in self._lines.histories}
        for member in () if came is None else self._models():  # the best of before is the best again
            best = self.path_of("best", member)
            was = came.with_name(f"{came.stem}.{best.name}")  # type: ignore[union-attr]
            if was.is_file():
                linked(was, best)
            else:
                best.unlink(missing_ok=True)

    def _cut(self, file: BinaryIO, length: int) -> None:
        """Cut the history back; where a power failure has left less of it, to the last whole line."""
        path = self.folder / HISTORY
        size = path.stat().st_size
        if size < length:
            self._warn(f"{path} is {length - size} bytes shorter than it was: lines of epochs before are lost.")
            length = path.read_bytes().rfind(b"\n") + 1
        file.truncate(length)

    def next_stop(self, step: int) -> int | None:
        """Where a number of steps is asked for, the step that completes it."""
        return self._every.next_stop(step)

    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """Append what has happened; write the best model and a checkpoint where it is time."""
        self._look()
        session = self.model.session
        if self._came is not None:
            self._leave(self._came, epoch, step)
            self._came = None
        elif self._every.due(epoch, step) or last or session.has_run_all:
            self._kept.write(session.snapshot(), self._bests())

    def _leave(self, came: Path, epoch: int, step: int) -> None:
        """The fit has gone back: a killed process finds it so, and checkpoints of the way that was left are apart."""
        path = self._kept.write(self.model.session.snapshot(), self._bests())
        pinned = CheckpointFolder(self.folder / PINNED)
        others = pinned.paths() if _is_left(came) else pinned.after(epoch, step)
        ways = len(list((self.folder / LEFT).iterdir())) if (self.folder / LEFT).is_dir() else 0
        pinned.move(others, self.folder / LEFT / str(ways + 1))
        if _is_left(came):
            self._kept.keep_only(path)

    def _look(self) -> None:
        """Append what has happened, and keep the model where it is the best so far; others may have asked before."""
        self._append()
        if self.model.session.step == 0:
            self._keep_best()

    def _bests(self) -> list[Path]:
        """The best models' files that are there."""
        return [path for member in self._models() if (path := self.path_of("best", member)).is_file()]

    def _append(self) -> None:
        text = self._lines.new()
        if not text or self._file is None:
            return
        try:
            rest = memoryview(text.encode())
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            path = self.folder / HISTORY
            raise OSError(
                error.errno, f"Cannot write {path}: {error.strerror}. The checkpoints are whole.", str(path)
            ) from error

    def _watched(self) -> str:
        return self.monitor or ("loss" if self.model.session.evaluator is None else "val_loss")

    def _keep_best(self) -> None:
        if not self._savable:
            return
        name = self._watched()
        sign = 1 if (self.mode if self.mode != "auto" else direction_of(name, "RunFolder")) == "min" else -1
        for member, model in self._models().items():
            values = model.history.history.get(name, [])
            count, self._seen[member] = self._seen.get(member, 0), len(values)
            if len(values) == count or not isinstance(values[-1], float) or not math.isfinite(values[-1]):
                continue  # not of this epoch, or no number
            before = self._best.get(str(member))
            if before is None or sign * values[-1] < sign * before[1]:
                self._best[str(member)] = [model.history.epoch[-1], values[-1]]
                model.save(self.path_of("best", member))

    def path_of(self, which: str, member: int | None = None) -> Path:
        """Where the ``'best'`` or ``'last'`` model lies, of one net or of a population's member."""
        return self.folder / (f"{which}.keras" if member is None else f"{which}-{member:03}.keras")

    # -- back, and another way ------------------------------------------------------------------

    def checkpoints(self) -> list[Path]:
        """Those that there are, in the order of the fit; then those of ways that it has gone back from."""
        return [*checkpoints_in(self.folder), *left_in(self.folder)]

    def checkpoint(self, stays: bool = True) -> Path:
        """Write a checkpoint, at a safe point; gives its path.

        Args:
            stays: whether it is kept for good; else it makes room for newer ones, as those that are written on the way.

        """
        self._look()
        place = CheckpointFolder(self.folder / PINNED, None) if stays else self._kept
        return place.write(self.model.session.snapshot(), self._bests())

    def go_back(self, checkpoint: str | os.PathLike[str]) -> None:
        """Be, in this run, what a checkpoint says; at a safe point. What came after it is no part of the run any more.

        Raises:
            thalweg.models.FileError: where the checkpoint is damaged.
            ValueError: where it is of another net, or the rows cannot be read again.

        """
        snapshot = files.read_checkpoint(checkpoint)
        self.model.session.go_back(snapshot)
        self._from = Path(checkpoint)

    def branch(self, checkpoint: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
        """Leave this run as it is, and go on from one of its checkpoints as a run in another folder; at a safe point.

        The history up to there goes along, and the best model of then. The run that is left has a checkpoint of where it was.

        Args:
            checkpoint: path of one of this run's checkpoints.
            folder: of the new run.

        Raises:
            FileExistsError: where the folder is there already.
            thalweg.models.FileError, ValueError: as :meth:`go_back`.

        """
        other = Path(folder)
        if other.exists():
            raise FileExistsError(f"{other} is there already: give another folder to branch into.")
        self._look()
        old, session, now_at = self.folder, self.model.session, self.model.session.snapshot()
        self.go_back(checkpoint)
        self._kept.write(now_at, self._bests())
        self._end("interrupted")
        other.mkdir(parents=True)
        lock = files.Lock(other / LOCK)
        self.close()
        files.write_whole(other / HISTORY, [(old / HISTORY).read_bytes()])  # cut back once the snapshot is taken over
        self.folder, self._lock = other, lock
        self._kept = CheckpointFolder(other / CHECKPOINTS, self._kept.keep)
        at = {"from": str(old), "epoch": session.back["epoch"], "step": session.back["step"]}
        self._record = {**self._record, "begun": now(), "branched": at, "ended": None}
        write_json(other / RECORD, self._record)
        self._file = open(other / HISTORY, "ab", buffering=0)  # noqa: SIM115  close() closes it

    # -- end --------------------------------------------------------------------------------------

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Write the last model, and how the run ended."""
        self._end(self.model.session.outcome)

    def _end(self, why: str) -> None:
        session = self.model.session
        self._append()
        if self._savable:
            for member, model in self._models().items():
                model.save(self.path_of("last", member))
        seconds = round(sum(self.model.history.seconds), 3)
        best = {member: {"epoch": epoch, "value": value} for member, (epoch, value) in self._best.items()}
        ended = {"why": why, "at": now(), "epochs": len(self.model.history.epoch), "seconds": seconds}
        if session.stopped_at is not None:
            ended["stopped"] = list(session.stopped_at)
        self._record["ended"] = {**ended, "best": best.get("None", best)}
        write_json(self.folder / RECORD, self._record)

    def close(self) -> None:
        """Let others write there."""
        lock, self._lock = self._lock, None
        try:
            self._append()
        finally:
            if self._file is not None:
                self._file.close()
                self._file = None
            if lock is not None:
                lock.release()

    def _models(self) -> dict[int | None, Any]:
        members = getattr(self.model, "models", None)
        return {None: self.model} if members is None else dict(enumerate(members))

    def _histories(self) -> dict[int | None, Any]:
        members = getattr(self.model, "models", None)
        each: dict[int | None, Any] = {}
        each.update({} if members is None else {i: model.history for i, model in enumerate(members)})
        return {None: self.model.history, **each}


def _is_left(checkpoint: Path) -> bool:
    """Whether it is of a way that the fit has gone back from."""
    return checkpoint_name(checkpoint) != checkpoint.name


def _comparable(told: Any) -> Any:
    """As JSON gives it back, without names that nobody gave."""
    told = json.loads(json.dumps(told))
    return [one and without_names(one) for one in told] if isinstance(told, list) else told


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
