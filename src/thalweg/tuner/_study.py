"""A study on disk: every trial that was asked for or told, in a journal that a killed process or a full disk leaves whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import thalweg
from thalweg import files
from thalweg.callbacks._run_record import differences
from thalweg.tuner._journal import Journal, Line, from_plain, line_of, patiently, read, to_plain, unwritable
from thalweg.tuner._lingering import finish, linger
from thalweg.tuner._mirror import MIRROR, Mirror, MirrorLost
from thalweg.tuner._parameters import Parameter, parameter_from_config
from thalweg.tuner._trial import COMPLETED, FAILED, RUNNING, Trial

JOURNAL, LOCK = "journal.jsonl", "lock"
FORMAT = 1
_HEAD = b'{"journal":'  # how every journal of a study begins
_MIRRORS = tuple(MIRROR + end for end in ("", "-journal", "-wal", "-shm"))
_BATCH = 200  # trials in a line: more would only make lines that are slow to look at
_SHOWN = 8  # differences that a message lists

_KINDS: dict[str, tuple[type, ...]] = {
    "number": (int,),
    "values": (dict,),
    "status": (str,),
    "scores": (list, type(None)),
    "errors": (list, type(None)),
    "best_step": (int, type(None)),
    "epochs": (int,),
    "seconds": (int, float),
    "metrics": (dict,),
    "executions": (list,),
    "source": (int, type(None)),
    "notes": (dict,),
    "message": (str, type(None)),
}
"""Field of a trial -> what it may be."""
_FIELDS = frozenset(field.name for field in fields(Trial))


class StudyRecord:
    """What a journal says.

    Args:
        folder: of the study.
        header: the journal's first event.

    Attributes:
        folder: of the study.
        id: random text that tells this study from any other of its name.
        begun: when it began, in seconds since 1970.
        version: of the package that began it.
        identity: what is searched, by what, with which settings: plain data.
        parameters: of the space, in the order in which they were met.
        ended: why the search ended; None where it has not, or goes on again.

    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        self.folder = folder
        self.id = str(header["id"])
        self.begun = float(header["at"])
        self.version = str(header["thalweg"])
        self.identity: dict[str, Any] = dict(header["identity"])
        self.parameters: list[Parameter] = [parameter_from_config(config) for config in header["space"]]
        self.ended: str | None = None
        self._first = tuple(self.parameters)
        self._trials: dict[int, Trial] = {}
        self._told: set[int] = set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r}, {len(self._told)} of {len(self._trials)} trials told)"

    @property
    def trials(self) -> list[Trial]:
        """All trials, by number, as the journal has them: to be looked at, not to be changed."""
        return [self._trials[number] for number in sorted(self._trials)]

    @property
    def running(self) -> list[Trial]:
        """Those that were asked for and not told yet."""
        return [trial for trial in self.trials if trial.number not in self._told]

    @property
    def space(self) -> dict[str, Parameter]:
        """The parameters by name; of those that mean several things on several branches, the first."""
        found: dict[str, Parameter] = {}
        for one in self.parameters:
            found.setdefault(one.name, one)
        return found

    @property
    def next_number(self) -> int:
        """The number of the next trial."""
        return max(self._trials, default=-1) + 1

    @property
    def owner(self) -> int | None:
        """The process that writes it now, where it runs."""
        lock = self.folder / LOCK
        return files.owner_of(lock).get("pid") if files.is_held(lock) else None

    def is_told(self, number: int) -> bool:
        """Whether the trial of that number has ended."""
        return number in self._told

    def events(self, kind: str) -> Iterator[Any]:
        """What the journal has of one kind, read from the disk: ``'warning'``, ``'group'``, ``'resumed'``, ...

        Args:
            kind: as it was given to :meth:`Study.note`.

        Raises:
            FileError: where the journal is damaged.

        """
        for line in read(self.folder / JOURNAL):
            if kind in line.event:
                yield line.event[kind]

    def _apply(self, event: Mapping[str, Any]) -> None:
        """Take an event in; what this version knows nothing of is for others to read."""
        for kind, data in event.items():
            if kind in _EVENTS:
                _EVENTS[kind](self, data)

    def _take_asked(self, listed: list[dict[str, Any]]) -> None:
        for data in listed:
            trial = _trial_of(data)
            self._trials.setdefault(trial.number, trial)
            self.ended = None

    def _take_told(self, listed: list[dict[str, Any]]) -> None:
        for data in listed:
            trial = _trial_of(data)
            if trial.number not in self._trials or trial.status == RUNNING:
                raise ValueError(f"trial {trial.number} ends there, but was never asked for, or still runs")
            if trial.number not in self._told:
                self._trials[trial.number] = trial
                self._told.add(trial.number)

    def _take_space(self, listed: list[dict[str, Any]]) -> None:
        self.parameters += [parameter_from_config(config) for config in listed]

    def _take_resumed(self, data: dict[str, Any]) -> None:
        self.identity.update(data["identity"])

    def _take_ended(self, why: str) -> None:
        self.ended = str(why)


_EVENTS: dict[str, Callable[[StudyRecord, Any], None]] = {
    "asked": StudyRecord._take_asked,
    "told": StudyRecord._take_told,
    "space": StudyRecord._take_space,
    "resumed": StudyRecord._take_resumed,
    "ended": StudyRecord._take_ended,
}
"""Kind of event -> what it changes."""
_RESERVED = frozenset(_EVENTS) | {"journal", "at", "crc"}


def holds_study(folder: str | os.PathLike[str]) -> bool:
    """Whether there is a study's journal in a folder.

    Example:
        >>> holds_study('no such folder')
        False

    """
    return (Path(folder) / JOURNAL).exists()


def read_study(folder: str | os.PathLike[str]) -> StudyRecord:
    """Read a study, also while another process writes it.

    Args:
        folder: ``<directory>/<project_name>``.

    Returns:
        Its trials and what else the journal says, as of now.

    Raises:
        FileError: where it is none, or its journal is damaged; the message names the file and the line.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with Study(folder, {'seed': 1}, storage=False) as study:
        ...     study.asked([Trial(0, {'units': 32})])
        >>> read_study(folder).running[0].values
        {'units': 32}

    """
    if not (Path(folder) / JOURNAL).is_file():
        files.refuse(folder, JOURNAL, "is missing: this is no folder of a study.")
    return _replay(Path(folder))[0]


def _replay(folder: Path) -> tuple[StudyRecord, int]:
    """The record, and how many bytes of the journal are whole lines."""
    follower = Follower(folder)
    for _ in follower.events():
        pass
    if follower.record is None or follower.line is None:
        wrong = "is not whole: this is no journal of a study. Delete it, or give another folder."
        files.refuse(folder / JOURNAL, "line 1", wrong)
    return follower.record, follower.line.end


class Follower:
    """Reads a study as it grows: :meth:`events` goes on where it had come to the end.

    Args:
        folder: of the study.

    Attributes:
        record: what the journal has said so far; None before its first line. Another one, once the study has begun anew.
        line: that was read last.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record: StudyRecord | None = None
        self.line: Line | None = None
        self._file: int | None = None  # the journal's number on its disk: a study that begins anew has another

    def events(self) -> Iterator[dict[str, Any]]:
        """Read on: what has come, once the record has it.

        Raises:
            FileError: where the journal is damaged; it names the line.
            OSError: where it cannot be read.

        """
        path = self.folder / JOURNAL
        told = path.stat()
        if self._file != told.st_ino or (self.line is not None and told.st_size < self.line.end):
            self.record, self.line, self._file = None, None, told.st_ino
        for line in read(path, self.line):
            try:
                if self.record is None:
                    self.record = _begun(self.folder, line.event)
                else:
                    self.record._apply(line.event)
            except files.FileError:
                raise
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                wrong = f"is no event of a study that this version knows ({type(error).__name__}: {str(error)[:300]})."
                files.refuse(path, f"line {line.number}", wrong, error)
            self.line = line
            yield line.event


def _begun(folder: Path, header: Mapping[str, Any]) -> StudyRecord:
    path, version = folder / JOURNAL, header.get("journal")
    if not isinstance(version, int):
        files.refuse(path, "line 1", "is no header: this is no journal of a study.")
    if version > FORMAT:
        files.refuse(
            path,
            "line 1",
            f"says format {version}, of thalweg {header.get('thalweg')}; this is thalweg {thalweg.__version__}, which reads up "
            f"to format {FORMAT}: install the newer one.",
        )
    return StudyRecord(folder, header)


def _trial_of(data: Mapping[str, Any]) -> Trial:
    """A trial from a journal that nobody vouches for."""
    strange = sorted(set(data) - _FIELDS)
    if strange:
        raise ValueError(f"a trial has no {', '.join(strange)}")
    trial = Trial(**data)
    for name, kinds in _KINDS.items():
        value = getattr(trial, name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{name} of a trial cannot be {str(value)[:50]!r}")
    numbers = [*(trial.scores or ()), *(trial.errors or ())]
    if trial.number < 0 or trial.status not in (RUNNING, COMPLETED, FAILED) or not all(map(_is_number, numbers)):
        raise ValueError(
            f"trial {trial.number}, {trial.status[:20]!r}, with the scores {str(trial.scores)[:50]}: one of them cannot be"
        )
    return trial


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Study(StudyRecord):
    """A study that this process writes: begun in an empty folder, or gone on with where it was broken off.

    What :meth:`asked`, :meth:`told` and :meth:`add_space` have returned from outlasts a killed process and a power
    failure. One process at a time writes to it; :func:`read_study` reads it meanwhile. Finished trials are copied
    into an Optuna storage in the background (:class:`Mirror`), which may be lost at any time.

    Args:
        folder: ``<directory>/<project_name>``; made where it is not there.
        identity: what is searched, by what, with which settings and seed: a dict of plain data. ``'objectives'`` in
            it, a list of dicts with ``'name'`` and ``'direction'``, says what the scores stand for.
        space: the parameters known so far, as a list or by name.
        overwrite: whether a study that is there is deleted first.
        storage: of the mirror: None: ``study.db`` in the folder; the URL of a database, such as
            ``'postgresql://me@host/db'``; False: there is none.
        may_change: keys of `identity` that may differ when the study is gone on with, such as ``'max_trials'``.
        parts: names of folders and files within the study's folder that belong to it, and are deleted with it.
        patience: seconds for which a file that is away or locked is tried again; None: 60.

    Raises:
        ValueError: where the folder holds a study of another search or space: the message says what differs. Where
            `storage` is no URL of a database.
        FileError: where the journal is damaged; it names the line.
        FileExistsError: where `overwrite` would have to delete what is no study.
        ImportError: where the database's driver is not installed.
        OSError: where the folder cannot be written.
        RuntimeError: where another process writes there; it names the process. Where the database of `storage`
            cannot be reached.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with Study(folder, {'search': 'random', 'seed': 1}, storage=False) as study:
        ...     study.asked([Trial(n, {'units': 32 * (n + 1)}) for n in range(2)])
        ...     study.told([Trial(0, {'units': 32}, 'COMPLETED', scores=[0.25])])
        [True]
        >>> study = Study(folder, {'search': 'random', 'seed': 1}, storage=False)
        >>> [trial.status for trial in study.trials], [trial.number for trial in study.running]
        (['COMPLETED', 'RUNNING'], [1])
        >>> study.told([Trial(0, {'units': 32}, 'COMPLETED', scores=[0.5])])  # a late result
        [False]
        >>> study.close()

    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        identity: Mapping[str, Any],
        space: Mapping[str, Parameter] | Iterable[Parameter] = (),
        overwrite: bool = False,
        storage: str | bool | None = None,
        may_change: Iterable[str] = (),
        parts: Sequence[str] = (),
        patience: float | None = None,
    ) -> None:
        self._lock: files.Lock | None = None
        self._journal: Journal | None = None
        self.mirror: Mirror | None = None
        self._mirror_missed = False
        self._patience = patience
        header = _header(identity, list(space.values() if isinstance(space, Mapping) else space))
        place = Path(folder)
        finish(place)  # a mirror that an earlier search of this process left to itself
        _is_study(place, overwrite)  # before anything is made there
        self._take_hold(place)
        try:
            there = _is_study(place, overwrite)  # and now that nobody else can make one
            length, cut = self._load(place, header, overwrite or not there, frozenset(may_change))
            self.mirror = self._mirror_in(storage, overwrite)
            if length is None:
                length = self._begin(line_of(header), [*_MIRRORS, *parts] if there else [])
            self._journal = Journal(place / JOURNAL, length, patience)
            if header["id"] != self.id:
                self._resume(header["identity"], cut)
        except BaseException:
            self._let_go()
            raise
        self._copy()

    # -- begin ----------------------------------------------------------------------------------

    def _take_hold(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                error.errno, f"Cannot make the folder {folder}: {error.strerror}. Give another directory."
            ) from error
        try:
            self._lock = patiently(lambda: files.Lock(folder / LOCK), self._patience)
        except OSError as error:
            raise unwritable(folder / LOCK, error, self._patience) from error
        files.remove_parts(folder)

    def _load(
        self, folder: Path, header: dict[str, Any], anew: bool, may_change: frozenset[str]
    ) -> tuple[int | None, int]:
        """Become the study that is there, or the new one; the length of its journal, and what lies after that."""
        if anew:
            super().__init__(folder, header)
            return None, 0
        there, length = patiently(lambda: _replay(folder), self._patience)
        _refuse_another(there, header, may_change)
        vars(self).update(vars(there))
        return length, (folder / JOURNAL).stat().st_size - length

    def _mirror_in(self, storage: str | bool | None, overwrite: bool) -> Mirror | None:
        if storage is False:
            return None
        goals = self.identity.get("objectives") or [{"name": "score", "direction": "min"}]
        mirror = Mirror(
            storage if isinstance(storage, str) else self.folder / MIRROR,
            self.folder.resolve().name,
            [goal["direction"] for goal in goals],
            names=[goal["name"] for goal in goals],
            key=self.id,
            overwrite=overwrite or not isinstance(storage, str),  # what lies in the folder is of this study, or stale
            patience=self._patience,
        )
        if isinstance(storage, str):
            mirror.open()  # whoever gives a database wants to hear now that it is not there
        return mirror

    def _begin(self, line: bytes, old: Sequence[str]) -> int:
        """Delete what there was of an old study, its journal last: the new one takes its place."""
        for name in old:
            path = self.folder / name
            if path.is_dir() and not path.is_symlink() and path.parent == self.folder:
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        files.write_whole(self.folder / JOURNAL, [line])
        return len(line)

    def _resume(self, identity: Mapping[str, Any], cut: int) -> None:
        changed = {key: value for key, value in identity.items() if self.identity.get(key) != value}
        said = {"thalweg": thalweg.__version__, "pid": os.getpid(), "identity": changed, "cut": cut}
        self._add([{"resumed": said}])

    # -- along the way ----------------------------------------------------------------------------

    def asked(self, trials: Sequence[Trial]) -> None:
        """Record that these trials are going to be trained: all of them, or none.

        Args:
            trials: running ones, with numbers that nobody has had. The study keeps copies.

        Raises:
            ValueError: where a number has been asked for before, or a trial is not running.
            OSError: where the journal cannot be written; what was told before is safe.

        """
        numbers = [trial.number for trial in trials]
        for i, trial in enumerate(trials):
            if trial.number in self._trials or trial.number in numbers[:i]:
                raise ValueError(f"Trial {trial.number} has been asked for before; the next one is {self.next_number}.")
            _must_be(trial, (RUNNING,), "asked for")
        self._add(_batches("asked", trials))

    def told(self, trials: Sequence[Trial]) -> list[bool]:
        """Record how these trials ended: all of them, or none.

        Args:
            trials: completed or failed ones that have been asked for. The study keeps copies.

        Returns:
            One truth value a trial: False where it had been told before. Such a late result is turned away, and
            the journal gets a warning.

        Raises:
            ValueError: where a trial was never asked for, or still runs.
            OSError: where the journal cannot be written; what was told before is safe.

        """
        taken: list[bool] = []
        new: dict[int, Trial] = {}
        for trial in trials:
            _must_be(trial, (COMPLETED, FAILED), "told")
            if trial.number not in self._trials:
                raise ValueError(f"Trial {trial.number} was told, but never asked for. Call asked([trial]) first.")
            taken.append(trial.number not in self._told and trial.number not in new)
            if taken[-1]:
                new[trial.number] = trial
        late = [trial.number for trial, ok in zip(trials, taken, strict=True) if not ok]
        said = f"Results of the trials {late} came again, after they had ended: turned away."
        self._add([*_batches("told", list(new.values())), *([{"warning": said}] if late else [])])
        if new:
            self._copy()
        return taken

    def add_space(self, parameters: Iterable[Parameter]) -> None:
        """Record parameters that nobody has met before; those that are known already are passed over.

        Args:
            parameters: a name may come again with other conditions.

        Raises:
            ValueError: where one differs from the one that is known; the message holds both.
            OSError: where the journal cannot be written.

        """
        known = {_key(one): one for one in self.parameters}
        new: dict[Any, Parameter] = {}
        for one in parameters:
            before = known.get(_key(one)) or new.setdefault(_key(one), one)
            if before != one:
                raise ValueError(
                    f"{self.folder}: {one.name} was {before}, now {one}. A hyperparameter has to be the same in every trial: "
                    "give the other one another name."
                )
        self._add([{"space": [one.get_config() for one in new.values()]}] if new else [])

    def note(self, kind: str, data: Any, durable: bool = False) -> None:
        """Record anything else, for :meth:`events` to give back.

        Args:
            kind: such as ``'group'``.
            data: plain data.
            durable: whether it must outlast a power failure at once, not only with the next batch of trials.

        Raises:
            ValueError: where the kind is one of the study's own.
            OSError: where the journal cannot be written.

        """
        if kind in _RESERVED or kind.startswith("$"):
            raise ValueError(
                f"A note cannot be of the kind {kind!r}, which a study has for itself: choose another word."
            )
        self._add([{kind: data}], durable)

    def warn(self, message: str) -> None:
        """Warn, and keep the warning in the journal.

        Args:
            message: what a person should know.

        Raises:
            OSError: where the journal cannot be written.

        """
        self._add([{"warning": message}], durable=False)
        warnings.warn(message, stacklevel=3)

    def end(self, why: str) -> None:
        """Record that the search has ended; whoever asks for more trials later goes on with it.

        Args:
            why: such as ``'max_trials'``.

        Raises:
            OSError: where the journal cannot be written.

        """
        self._add([{"ended": why}])

    def flush(self) -> None:
        """Make notes outlast a power failure too; trials do already.

        Raises:
            OSError: where that fails.

        """
        self._opened().flush()

    def _add(self, events: Sequence[Mapping[str, Any]], durable: bool = True) -> None:
        now = round(time.time(), 3)
        for event in self._opened().append([{**event, "at": now} for event in events], durable):
            self._apply(event)  # as it will be read again: whoever goes on knows what this process knew

    def _opened(self) -> Journal:
        if self._journal is None:
            raise ValueError(f"The study in {self.folder} is closed: open it again to write to it.")
        return self._journal

    def _copy(self) -> None:
        """Let the mirror know; say once where it lags behind for too long."""
        if self.mirror is None or not self._told:
            return
        self.mirror.update([self._trials[number] for number in sorted(self._told)], self.parameters)
        missed, before = self.mirror.problem, self._mirror_missed
        self._mirror_missed = missed is not None
        if missed is not None and not before:
            self.warn(missed)

    # -- end --------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self, wait: bool = True) -> None:
        """Wait for the mirror, and let others write there; may be called twice.

        A mirror that could not be written is warned of: the study is whole without it.

        Args:
            wait: False lets the mirror be written in the background, at the latest when the process ends.

        Raises:
            OSError: where the journal cannot be written.

        """
        mirror, self.mirror = self.mirror, None
        try:
            if mirror is not None and not wait:
                linger(self.folder, mirror)
            elif mirror is not None:
                try:
                    mirror.close()
                except MirrorLost as lost:
                    self.warn(str(lost))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        journal, self._journal = self._journal, None
        lock, self._lock = self._lock, None
        try:
            if self.mirror is not None:  # the study was never opened
                self.mirror.abandon()
                self.mirror = None
            if journal is not None:
                journal.close()
        finally:
            if lock is not None:
                lock.release()


# -- what may begin where ----------------------------------------------------------------------------


def _header(identity: Mapping[str, Any], space: Sequence[Parameter]) -> dict[str, Any]:
    return {
        "journal": FORMAT,
        "thalweg": thalweg.__version__,
        "id": uuid.uuid4().hex,
        "at": round(time.time(), 3),
        "identity": from_plain(to_plain(identity)),
        "space": [one.get_config() for one in space],
    }


def _is_study(folder: Path, overwrite: bool) -> bool:
    """Whether a study lies there.

    Raises:
        FileExistsError: where `overwrite` would have to delete what is none.

    """
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; a study needs a folder: give another directory or project_name.")
    journal = folder / JOURNAL
    if journal.exists():
        with contextlib.closing(journal.open("rb")) as file:
            begins = file.read(len(_HEAD))
        if begins == _HEAD:
            return True
        files.refuse(
            journal, "line 1", "is no journal of a study: nothing is written there. Give another project_name."
        )
    there = sorted(one.name for one in folder.iterdir()) if overwrite and folder.is_dir() else []
    foreign = [name for name in there if name != LOCK and not name.endswith(".part")]
    if foreign:
        raise FileExistsError(
            f"{folder} holds {', '.join(foreign[:3])}{' and more' * (len(foreign) > 3)}, but no {JOURNAL}: it is no study, and "
            "nothing is deleted. Give another project_name, or leave overwrite out."
        )
    return False


def _refuse_another(there: StudyRecord, header: Mapping[str, Any], may_change: frozenset[str]) -> None:
    """Raise where the study is not the one that is asked for."""
    before, after = (
        {key: value for key, value in identity.items() if key not in may_change}
        for identity in (there.identity, header["identity"])
    )
    changed = [f"{place}: was {_short(old)}, now {_short(new)}" for place, old, new in differences(before, after)]
    changed += _changed_space(there, [parameter_from_config(config) for config in header["space"]])
    if changed:
        more = [f"and {len(changed) - _SHOWN} more"] if len(changed) > _SHOWN else []
        listed = "".join(f"\n  {line}" for line in [*changed[:_SHOWN], *more])
        raise ValueError(
            f"{there.folder} holds a study of {len(there.trials)} trials that is another one:{listed}\n"
            "Give another project_name, the same as before, or overwrite=True, which deletes it."
        )


def _changed_space(there: StudyRecord, after: Sequence[Parameter]) -> list[str]:
    """What the space was and is, a line a name; what came into it along the way need not be known yet."""
    first, known = list(there._first), there.parameters
    wrong = [one for one in first if one not in after] + [one for one in after if one not in known]
    told = []
    for name in dict.fromkeys(one.name for one in wrong):
        was, now = (" and ".join(str(one) for one in space if one.name == name) for space in (known, after))
        told.append(f"{name}: was {was or 'not there'}, now {now or 'not there'}")
    return told


def _key(parameter: Parameter) -> Any:
    return parameter.name, parameter.conditions


def _must_be(trial: Trial, wanted: Sequence[str], what: str) -> None:
    if trial.status not in wanted:
        raise ValueError(
            f"A trial that is {what} must be {' or '.join(wanted)}, got trial {trial.number}, {trial.status}."
        )


def _batches(kind: str, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    return [
        {kind: [trial.to_json() for trial in trials[begin : begin + _BATCH]]} for begin in range(0, len(trials), _BATCH)
    ]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
