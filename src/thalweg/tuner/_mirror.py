"""A copy of the finished trials in an Optuna storage, which optuna-dashboard opens; the journal is the authority.

A thread of its own writes it, at most once a second and up to 200 trials in one transaction, so that a search never waits
for a database that is slow, locked or away. Whatever goes wrong, the next try begins with what the storage then holds.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from thalweg._names import Table
from thalweg.tuner._parameters import Parameter
from thalweg.tuner._trial import RUNNING, Trial

if TYPE_CHECKING:
    import optuna
    import sqlalchemy

MIRROR = "study.db"
"""Its name in a study's folder."""

PATIENCE = 60.0
"""Seconds for which a storage that is locked or away is tried again, before anybody hears of it."""

EVERY = 10.0
"""Seconds from one update of the storage to the next."""

_KEY = "thalweg"  # attribute of an Optuna study: of which journal it is the mirror
_NUMBER = "number"  # attribute of an Optuna trial: its number here
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between two tries
_BATCH = 200  # trials in a transaction: one or two seconds
_WAIT = 1.0  # seconds that SQLite waits for a lock before it says so
_CONNECT = 5  # seconds that PostgreSQL gets to answer

_DRIVERS = {"postgresql": ("psycopg", "postgresql"), "postgres": ("psycopg", "postgresql")}
"""Start of a URL that names no driver -> the driver that is taken, and the extra that installs it."""

_DIRECTIONS = Table("direction", {"min": "MINIMIZE", "minimize": "MINIMIZE", "max": "MAXIMIZE", "maximize": "MAXIMIZE"})

_NO_USE = (
    "authentication", "no password supplied", "pg_hba.conf", "does not exist", "permission denied",
    "not a database", "malformed", "Name or service not known",
)  # fmt: skip
"""What drivers say of errors that waiting does not mend."""

_ATTRIBUTES = ("epochs", "seconds", "best_step", "errors", "metrics", "source", "notes", "message")
"""What is copied of a trial besides its values and scores, where there is something."""


class MirrorLost(RuntimeError):  # noqa: N818
    """The mirror could not be written; the study is whole without it."""


class Mirror:
    """Copies finished trials into an Optuna storage, in the background.

    Args:
        url: of a database, as SQLAlchemy has them, such as ``'postgresql://me:secret@host/db'``; the path of an
            SQLite file as a ``Path``.
        study_name: under which optuna-dashboard shows it.
        directions: ``'min'`` or ``'max'``, one an objective.
        names: of the objectives.
        key: of the journal: another study of that name is not written to.
        overwrite: whether another mirror of that name is deleted; what is no mirror never is.
        patience: seconds for which a storage that is locked or away is tried again; None: 60.

    Raises:
        ValueError: where the URL is none of a database that can be kept.
        ImportError: where the database's driver is not installed; the message says how to install it.

    Example:
        >>> import pathlib, tempfile
        >>> from thalweg.tuner._parameters import Int
        >>> path = pathlib.Path(tempfile.mkdtemp(), 'study.db')
        >>> mirror = Mirror(path, 'first', ['min'])
        >>> mirror.update([Trial(0, {'units': 32}, 'COMPLETED', scores=[0.25])], [Int('units', 16, 64)])
        >>> mirror.close()
        >>> import optuna
        >>> optuna.load_study(study_name='first', storage=f'sqlite:///{path}').best_params
        {'units': 32}

    """

    def __init__(
        self,
        url: str | Path,
        study_name: str,
        directions: Sequence[str],
        names: Sequence[str] = (),
        key: str = "",
        overwrite: bool = False,
        patience: float | None = None,
    ) -> None:
        self.study_name, self.key, self.overwrite = study_name, key, overwrite
        self.names = list(names)
        self._directions = [_DIRECTIONS[direction] for direction in directions]
        self._place = _File(url) if isinstance(url, Path) else _place_of(url)
        self._patience = PATIENCE if patience is None else patience
        self._storage: optuna.storages.RDBStorage | None = None
        self._study_id = -1
        self._there: set[int] = set()  # numbers of the trials in the storage
        self._news = threading.Condition()  # guards what follows
        self._thread: threading.Thread | None = None
        self._job: tuple[list[Trial], list[Parameter]] = ([], [])
        self._asked, self._done = 0, 0  # updates
        self._hurry, self._stopped, self._given_up = False, False, False
        self._last = False  # whether no more updates will come
        self._moved = 0.0  # when something was written last
        self._failing: tuple[float, Exception] | None = None  # since when, and what was said last

    def __repr__(self) -> str:
        return f"Mirror({self._place.title}, {self.study_name!r})"

    @property
    def problem(self) -> str | None:
        """What is wrong, where the storage cannot be written, or could not be for longer than the patience."""
        with self._news:
            if self._failing is None:
                return None
            since, error = self._failing
            waited = time.monotonic() - since
            return self._said(error, waited) if self._given_up or waited >= self._patience else None

    def open(self) -> None:
        """Look whether the storage can be written; :meth:`update` does so later, in the background.

        Raises:
            MirrorLost: where it cannot be within the patience; the message names the path or the host.

        """
        begun = time.monotonic()
        for pause in _pauses():
            try:
                self._connect()
                return
            except Exception as error:
                self._disconnect()
                waited = time.monotonic() - begun
                if not _may_pass(error) or waited >= self._patience:
                    raise MirrorLost(self._said(error, waited)) from error
            time.sleep(min(pause, self._patience - waited))

    def update(self, trials: Iterable[Trial], space: Iterable[Parameter]) -> None:
        """Let the storage have these trials soon; returns at once and never raises for the storage's sake.

        Args:
            trials: all of the study; those that run, or that are there already, are passed over. They must not be
                changed afterwards.
            space: the parameters, in the order in which they were met.

        """
        with self._news:
            if self._given_up or self._stopped:
                return
            self._job = (list(trials), list(space))
            self._asked += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="thalweg-mirror", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def flush(self) -> None:
        """Wait until the storage has all that it was given.

        Raises:
            MirrorLost: where nothing can be written to it for as long as the patience; the message names the path or the host.

        """
        with self._news:
            self._moved, self._hurry = time.monotonic(), True
            self._news.notify_all()
            while self._done < self._asked and not self._given_up:
                left = self._moved + self._patience - time.monotonic()
                if left <= 0:
                    break
                self._news.wait(left)
            self._hurry = False
            if self._done < self._asked:
                since, error = self._failing or (self._moved, TimeoutError("it does not answer"))
                raise MirrorLost(self._said(error, time.monotonic() - since)) from error

    def retire(self) -> None:
        """Stop as soon as the storage has all that it was given; returns at once."""
        with self._news:
            self._last = True
            self._news.notify_all()

    def close(self) -> None:
        """Wait until the storage has all that it was given, and stop; may be called twice.

        Raises:
            MirrorLost: where nothing can be written to it for as long as the patience; the message names the path or the host.

        """
        try:
            if not self._stopped:
                self.flush()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Stop, whatever the storage has by now; a restart of the study makes it whole."""
        with self._news:
            self._stopped = True
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join(2 * _WAIT)  # where the database hangs, it ends with the process
        else:
            self._disconnect()

    # -- the thread ---------------------------------------------------------------------------------

    def _work(self) -> None:
        """Write what there is, again and again."""
        pauses = _pauses()
        pause = EVERY  # a short search writes once, when it is over: it needs the cores until then
        while (job := self._next(pause)) is not None:
            number, trials, space = job
            try:
                self._write(trials, space)
            except Exception as error:  # is told by `problem`, `flush` and `close`
                self._disconnect()
                pause = next(pauses)
                self._failed(error)
            else:
                pauses, pause = _pauses(), EVERY
                self._succeeded(number)
        self._disconnect()

    def _next(self, pause: float) -> tuple[int, list[Trial], list[Parameter]] | None:
        """The next update, after a pause and once there is one; None where there will be no more."""
        with self._news:
            self._news.wait_for(self._is_wanted, pause)
            self._news.wait_for(lambda: self._stopped or self._given_up or self._last or self._asked > self._done)
            over = self._stopped or self._given_up or self._asked <= self._done
            return None if over else (self._asked, *self._job)

    def _is_wanted(self) -> bool:
        """Whether the thread need not pause: somebody waits for it, or nothing is left to do."""
        done = self._last and self._asked <= self._done
        return self._stopped or done or (self._hurry and self._failing is None)

    def _goes_on(self) -> bool:
        """Say that something was written; whether there is to be more."""
        with self._news:
            self._failing = None
            self._moved = time.monotonic()
            self._news.notify_all()
            return not self._stopped

    def _failed(self, error: Exception) -> None:
        with self._news:
            since = time.monotonic() if self._failing is None else self._failing[0]
            self._failing = (since, error)
            self._given_up = not _may_pass(error)
            self._news.notify_all()

    def _succeeded(self, number: int) -> None:
        with self._news:
            self._done, self._failing = number, None
            self._news.notify_all()

    # -- the storage --------------------------------------------------------------------------------

    def _write(self, trials: Sequence[Trial], space: Sequence[Parameter]) -> None:
        """Add the trials that are not there, a batch at a time: whoever waits for many sees it go on."""
        if self._storage is None or not self._place.is_there():
            self._disconnect()
            self._connect()
        storage = self._storage
        assert storage is not None
        new = [trial for trial in trials if trial.status != RUNNING and trial.number not in self._there]
        new.sort(key=lambda trial: trial.number)
        known = _labelled(space)
        for begin in range(0, len(new), _BATCH):
            batch = new[begin : begin + _BATCH]
            with _transaction(storage):
                for trial in batch:
                    storage.create_new_trial(self._study_id, _frozen(trial, known))
            self._there.update(trial.number for trial in batch)
            if not self._goes_on():
                return

    def _connect(self) -> None:
        """Open the storage, make what is not there, and see which trials are."""
        from optuna.storages import RDBStorage

        logging.getLogger("optuna.storages").setLevel(logging.ERROR)  # the terminal is the search's
        address, settings = self._place.address()
        self._storage = RDBStorage(address, engine_kwargs=settings)
        self._study_id = self._find_study(self._storage)
        there = self._storage.get_all_trials(self._study_id, deepcopy=False)
        self._there = {trial.user_attrs[_NUMBER] for trial in there if _NUMBER in trial.user_attrs}

    def _find_study(self, storage: optuna.storages.RDBStorage) -> int:
        from optuna.study import StudyDirection

        directions = [StudyDirection[direction] for direction in self._directions]
        with contextlib.suppress(KeyError):
            found = storage.get_study_id_from_name(self.study_name)
            if self._is_mine(storage, found, directions):
                return int(found)
            storage.delete_study(found)
        with _transaction(storage):
            made = storage.create_new_study(directions, self.study_name)
            storage.set_study_user_attr(made, _KEY, self.key)
            if self.names:
                storage.set_study_system_attr(made, "study:metric_names", self.names)  # where Optuna keeps them
        return int(made)

    def _is_mine(self, storage: optuna.storages.RDBStorage, found: int, directions: Sequence[Any]) -> bool:
        """Whether it is of this journal; False where it may be deleted.

        Raises:
            _Refused: where it is another one, which must not be.

        """
        key = storage.get_study_user_attrs(found).get(_KEY)
        if key == self.key and list(storage.get_study_directions(found)) == directions:
            return True
        if key is not None and self.overwrite:
            return False
        kind = "an Optuna study that is no mirror," if key is None else "the mirror of another study,"
        remedy = "delete it there" if key is None else "overwrite=True, which deletes it"
        raise _Refused(f"it holds {kind} named {self.study_name!r}. Give another project_name, or {remedy}")

    def _disconnect(self) -> None:
        storage, self._storage = self._storage, None
        if storage is not None:
            storage.remove_session()
            storage.engine.dispose()

    def _said(self, error: Exception, waited: float) -> str:
        tried = f" for {waited:.0f} s" if _may_pass(error) and waited >= 0.5 else ""
        what = self._place.without_secrets(str(_origin(error)).strip().rstrip("."))
        broken = any(word in what for word in ("not a database", "malformed"))
        todo = "Delete it: the mirror is made anew" if broken else "The mirror catches up"
        return (
            f"The mirror of the study, {self._place.title}, could not be written{tried}: {what}. The study itself is whole: its "
            f"journal has every trial. {todo} when the study is opened again."
        )


class _Refused(RuntimeError):  # noqa: N818
    """The storage is there, but must not be written."""


# -- where it lies -----------------------------------------------------------------------------------


class _File:
    """An SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.title = str(path)
        if not self.path.parent.is_dir():
            raise ValueError(f"{self.path.parent} is no folder, where {path.name} is to be kept: make it first.")

    def is_there(self) -> bool:
        """Whether nobody has deleted it since it was opened."""
        return self.path.exists()

    def address(self) -> tuple[str, dict[str, Any]]:
        """URL and settings of an engine; names of files may hold what has a meaning in URLs."""
        import sqlite3

        from sqlalchemy.pool import NullPool

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(self.path, timeout=_WAIT)

        return "sqlite://", {"creator": connect, "poolclass": NullPool}

    def without_secrets(self, text: str) -> str:
        """It has none."""
        return text


class _Server:
    """A database behind a URL."""

    def __init__(self, url: sqlalchemy.engine.URL) -> None:
        self.url = url
        where = ":".join(str(part) for part in (url.host or url.query.get("host") or "localhost", url.port) if part)
        self.title = f"{url.get_backend_name()} at {where}{f' (database {url.database})' if url.database else ''}"

    def is_there(self) -> bool:
        """That is seen when it is written to."""
        return True

    def address(self) -> tuple[str, dict[str, Any]]:
        """URL and settings of an engine: no connection outlives its use, so that none is found dead."""
        from sqlalchemy.pool import NullPool

        libpq = self.url.get_driver_name() in ("psycopg", "psycopg2")
        arguments = {"connect_timeout": _CONNECT} if libpq and "connect_timeout" not in self.url.query else {}
        text = self.url.render_as_string(hide_password=False)
        text = text.replace("{", "{{").replace("}", "}}")  # Optuna formats it
        return text, {"connect_args": arguments, "poolclass": NullPool}

    def without_secrets(self, text: str) -> str:
        """`text` with every password of the URL starred out."""
        for secret in (self.url.password, self.url.query.get("password")):
            for written in {str(secret), quote(str(secret), ""), quote_plus(str(secret))} if secret else ():
                text = text.replace(written, "***")
        return text


def _place_of(url: str) -> _File | _Server:
    """Where a URL points to.

    Raises:
        ValueError: where it is none of a database that can be kept.
        ImportError: where the driver is not installed.

    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    shape = "A storage must be the URL of a database, such as 'postgresql://me@host/db' or 'sqlite:////path/study.db'"
    try:
        made = make_url(url)
        made = _with_driver(made)
        made.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ValueError):
        begins, sign, _ = str(url).partition("://")  # what follows may hold a password
        raise ValueError(f"{shape}, got {begins[:30] if sign else 'text'}{sign}...: that is none.") from None
    except ImportError as error:
        raise ImportError(_missing(made, error.name or str(error)), name=error.name) from error
    if made.get_backend_name() != "sqlite":
        return _Server(made)
    if not made.database or made.database == ":memory:" or made.query or made.get_driver_name() != "pysqlite":
        raise ValueError(f"{shape}, got {made.render_as_string()}: a mirror is kept in a file.")
    return _File(Path(made.database))


def _with_driver(url: sqlalchemy.engine.URL) -> sqlalchemy.engine.URL:
    """`url` with the driver that is meant where it names none."""
    if url.drivername not in _DRIVERS:
        return url
    driver, extra = _DRIVERS[url.drivername]
    if importlib.util.find_spec(driver) is None:
        raise ImportError(f"No module named {driver!r}", name=driver)
    return url.set(drivername=f"{extra}+{driver}")


def _missing(url: sqlalchemy.engine.URL, module: str) -> str:
    extra = _DRIVERS.get(url.drivername.partition("+")[0], (None, None))[1]
    todo = f"pip install 'thalweg[{extra}]'" if extra else "Install it beside thalweg."
    return f"A storage at {url.drivername}:// needs the module {module!r}, which is not installed: {todo}"


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)


def _origin(error: BaseException) -> BaseException:
    """What the driver said, below what libraries made of it."""
    below = error.__cause__ or getattr(error, "orig", None)
    return error if not isinstance(below, BaseException) else _origin(below)


def _may_pass(error: BaseException) -> bool:
    """Whether trying again may help: the database is locked, away, or was deleted."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(error, KeyError):  # the study was deleted there
        return True
    said = str(_origin(error))
    hopeless = "relation" not in said and any(words in said for words in _NO_USE)  # tables are made anew
    return isinstance(error, (SQLAlchemyError, StorageInternalError, OSError)) and not hopeless


@contextlib.contextmanager
def _transaction(storage: optuna.storages.RDBStorage) -> Iterator[None]:
    """Whatever Optuna commits within is committed at the end, at once; or nothing of it."""
    storage.remove_session()
    with storage.engine.connect() as connection, connection.begin():
        if storage.engine.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # where it is locked, that is said before anything is done
        storage.scoped_session.configure(bind=connection, join_transaction_mode="rollback_only")
        try:
            yield
        finally:
            storage.remove_session()
            storage.scoped_session.configure(bind=storage.engine, join_transaction_mode="conditional_savepoint")


# -- trials as Optuna has them -------------------------------------------------------------------------


def _labelled(space: Iterable[Parameter]) -> dict[str, tuple[Parameter, Any]]:
    """Label -> parameter and distribution. A name's second meaning has its condition added; the first keeps its name."""
    from thalweg.tuner._summary import meanings

    found: dict[str, tuple[Parameter, Any]] = {}
    for label, one in meanings(space).items():
        found[label if one.name in found else one.name] = (one, one.distribution())
    return found


def _frozen(trial: Trial, known: dict[str, tuple[Parameter, Any]]) -> optuna.trial.FrozenTrial:
    from optuna.trial import FrozenTrial, TrialState

    from thalweg.tuner._summary import value_of

    values = {label: value_of(one, trial) for label, (one, _) in known.items()}
    params = {label: known[label][0].to_optuna(value) for label, value in values.items() if value is not None}
    ok = trial.status != "FAILED" and trial.scores is not None and not any(math.isnan(one) for one in trial.scores)
    end = datetime.now()
    seconds = trial.seconds if math.isfinite(trial.seconds) else 0.0
    return FrozenTrial(
        number=-1,  # Optuna counts itself
        trial_id=-1,
        state=TrialState.COMPLETE if ok else TrialState.FAIL,
        value=None,
        values=trial.scores if ok else None,
        datetime_start=end - timedelta(seconds=min(max(seconds, 0.0), 1e9)),
        datetime_complete=end,
        params=params,
        distributions={label: known[label][1] for label in params},
        user_attrs=_attributes(trial, set(trial.values) - {known[label][0].name for label in params}),
        system_attrs={},
        intermediate_values={},
    )


def _attributes(trial: Trial, left_out: set[str]) -> dict[str, Any]:
    found = {name: getattr(trial, name) for name in _ATTRIBUTES}
    found = {name: _strict(value) for name, value in found.items() if value not in (None, {}, [])}
    if left_out:  # values that their parameter does not have, or that no parameter is known for
        found["values"] = {name: _strict(trial.values[name]) for name in sorted(left_out)}
    if trial.status != "FAILED" and trial.scores and any(math.isnan(score) for score in trial.scores):
        found["message"] = f"The score is no number: {_strict(trial.scores)}."
    return {_NUMBER: trial.number, **found}


def _strict(value: Any) -> Any:
    """Plain data without the numbers that JSON has no word for, as a web page's parser has to read it."""
    if isinstance(value, dict):
        return {str(key): _strict(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(one) for one in value]
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
