"""The mirror in an Optuna storage: it has every finished trial once, and can be lost without a loss."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import optuna
import pytest

from thalweg.tuner import _mirror
from thalweg.tuner._lingering import finish, linger
from thalweg.tuner._mirror import Mirror, MirrorLost
from thalweg.tuner._parameters import Boolean, Choice, Condition, Fixed, Float, Int
from thalweg.tuner._study import Study, read_study
from thalweg.tuner._trial import COMPLETED, FAILED, Trial

SPACE = [
    Int("units", 32, 128, step=32),
    Float("rate", 1e-4, 1e-1, sampling="log"),
    Choice("activation", ["relu", "tanh"]),
    Boolean("bias"),
    Fixed("batch_size", 32),
]
VALUES = {"units": 64, "rate": 0.01, "activation": "tanh", "bias": True, "batch_size": 32}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(_mirror, "EVERY", 0.05)
    before = set(threading.enumerate())  # other tests' mirrors may still be written
    yield
    assert not [one for one in set(threading.enumerate()) - before if one.name == "thalweg-mirror"]


def trial(number, **given):
    return Trial(
        number, dict(VALUES), **{"status": COMPLETED, "scores": [number / 4], "epochs": 5, "seconds": 2.5, **given}
    )


def mirrored(path, trials, space=SPACE, directions=("min",), name="first", **given):
    mirror = Mirror(path, name, directions, **given)
    mirror.update(trials, space)
    mirror.close()
    mirror.close()


def loaded(path, name="first"):
    with contextlib.closing(Storage(path)) as storage:
        study = optuna.load_study(study_name=name, storage=storage.storage)
        return study, study.trials


class Storage:
    def __init__(self, path):
        self.storage = optuna.storages.RDBStorage(path if "://" in str(path) else f"sqlite:///{path}")

    def close(self):
        self.storage.remove_session()
        self.storage.engine.dispose()


def numbers(path, name="first"):
    return [one.user_attrs["number"] for one in loaded(path, name)[1]]


# -- what is copied --------------------------------------------------------------------------------


def test_what_is_copied(tmp_path, capfd):
    path = tmp_path / "study.db"
    told = [
        trial(0, metrics={"loss": math.nan, "val_loss": 0.25}, notes={"bracket": (1, 2)}, errors=[0.1], best_step=3),
        Trial(1, dict(VALUES)),
        trial(2, status=FAILED, scores=None, message="Traceback: \0 \ud800 ValueError"),
        trial(3, scores=[math.nan]),
        trial(4, scores=[math.inf], source=0),
    ]
    mirrored(path, told, names=["val_loss"])
    mirrored(path, told)
    study, found = loaded(path)
    states = optuna.trial.TrialState
    assert [one.state for one in found] == [states.COMPLETE, states.FAIL, states.FAIL, states.COMPLETE]
    assert found[0].params == VALUES and found[0].value == 0.0 and found[3].value == math.inf
    assert found[0].user_attrs == {
        "number": 0, "epochs": 5, "seconds": 2.5, "best_step": 3, "errors": [0.1],
        "metrics": {"loss": "nan", "val_loss": 0.25}, "notes": {"bracket": [1, 2]},
    }  # fmt: skip
    assert found[0].duration.total_seconds() == 2.5
    assert found[1].user_attrs["message"] == "Traceback: \0 \ud800 ValueError"
    assert "no number: ['nan']" in found[2].user_attrs["message"]
    assert found[3].user_attrs["number"] == 4 and found[3].user_attrs["source"] == 0
    assert study.best_trial.number == 0 and study.metric_names == ["val_loss"]
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert found[0].distributions["rate"] == optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True)
    assert capfd.readouterr() == ("", "")


def test_several_objectives(tmp_path):
    told = [
        trial(0, scores=[0.1, 0.8]),
        trial(1, scores=[0.2, 0.9]),
        trial(2, scores=[0.3, 0.7]),
        trial(3, scores=[0.1, math.nan]),
    ]
    mirrored(tmp_path / "study.db", told, directions=["min", "max"], names=["val_loss", "val_accuracy"])
    study, found = loaded(tmp_path / "study.db")
    assert [one.value for one in study.directions] == [1, 2] and study.metric_names == ["val_loss", "val_accuracy"]
    assert [one.number for one in study.best_trials] == [0, 1]
    assert found[3].state == optuna.trial.TrialState.FAIL


def test_branches_of_the_space(tmp_path):
    path = tmp_path / "study.db"
    left, right = (Int("width", 1, top, conditions=[Condition("kind", [kind])]) for kind, top in (("a", 4), ("b", 9)))
    kind = Choice("kind", ["a", "b"])
    mirrored(path, [Trial(0, {"kind": "a", "width": 4}, COMPLETED, [1.0])], [kind, left])
    later = [
        Trial(0, {"kind": "a", "width": 4}, COMPLETED, [1.0]),
        Trial(1, {"kind": "b", "width": 9}, COMPLETED, [2.0]),
        Trial(2, {"kind": "a", "width": 77, "unknown": math.inf}, COMPLETED, [3.0]),  # what no parameter has
    ]
    mirrored(path, later, [kind, left, right])
    found = loaded(path)[1]
    assert [one.params for one in found] == [
        {"kind": "a", "width": 4}, {"kind": "b", "width where kind is b": 9}, {"kind": "a"}
    ]  # fmt: skip
    assert found[2].user_attrs["values"] == {"unknown": "inf", "width": 77}


def test_every_trial_is_there_once(tmp_path):
    path = tmp_path / "study.db"
    told = [trial(number) for number in range(6)]
    mirror = Mirror(path, "first", ["min"])
    for count in (1, 3, 3, 4):
        mirror.update(told[:count], SPACE)
        if count == 3:
            mirror.flush()
    mirror.close()
    assert numbers(path) == [0, 1, 2, 3]
    mirrored(path, [*told[3:][::-1], told[0]])
    assert numbers(path) == [0, 1, 2, 3, 4, 5]


def test_a_mirror_that_was_deleted_is_made_anew(tmp_path):
    with Study(tmp_path, {"seed": 1}, SPACE) as study:
        study.asked([Trial(number, VALUES) for number in range(4)])
        study.told([trial(0), trial(1)])
        study.mirror.flush()
        (tmp_path / "study.db").unlink()
        study.told([trial(2)])
    assert numbers(tmp_path / "study.db", tmp_path.name) == [0, 1, 2]
    (tmp_path / "study.db").unlink()
    with Study(tmp_path, {"seed": 1}, SPACE):
        pass
    assert numbers(tmp_path / "study.db", tmp_path.name) == [0, 1, 2]


def test_a_study_deleted_from_the_storage_is_made_anew(tmp_path):
    path = tmp_path / "study.db"
    mirror = Mirror(path, "first", ["min"])
    mirror.update([trial(0)], SPACE)
    mirror.flush()
    with contextlib.closing(Storage(path)) as storage:  # as a person does in the dashboard
        storage.storage.delete_study(storage.storage.get_study_id_from_name("first"))
    mirror.update([trial(0), trial(1)], SPACE)
    mirror.close()
    assert numbers(path) == [0, 1]


def test_a_mirror_of_its_own_for_every_study(tmp_path):
    shared = f"sqlite:///{tmp_path}/shared.db"
    identity = {"objectives": [{"name": "val_loss", "direction": "min"}, {"name": "seconds", "direction": "min"}]}
    for folder in ("a/first", "a/second"):
        with Study(tmp_path / folder, identity, SPACE, storage=shared) as study:
            study.asked([Trial(0, VALUES)])
            study.told([trial(0, scores=[0.5, 2.0])])
    assert numbers(tmp_path / "shared.db", "first") == numbers(tmp_path / "shared.db", "second") == [0]
    with pytest.raises(MirrorLost, match="mirror of another study, named 'first'. Give another project_name, or overw"):
        Study(tmp_path / "b/first", identity, SPACE, storage=shared)
    with Study(tmp_path / "a/first", identity, SPACE, storage=shared, overwrite=True):
        pass
    assert numbers(tmp_path / "shared.db", "first") == [] and numbers(tmp_path / "shared.db", "second") == [0]
    assert not (tmp_path / "a/first/study.db").exists()


def test_a_study_of_somebody_elses_is_left_alone(tmp_path):
    with contextlib.closing(Storage(tmp_path / "study.db")) as storage:
        optuna.logging.disable_default_handler()
        optuna.create_study(study_name="first", storage=storage.storage).add_trial(optuna.trial.create_trial(value=1.0))
        optuna.logging.enable_default_handler()
    mirror = Mirror(tmp_path / "study.db", "first", ["min"], overwrite=True)
    mirror.update([trial(0)], SPACE)
    with pytest.raises(MirrorLost, match="an Optuna study that is no mirror, named 'first'"):
        mirror.close()
    assert len(loaded(tmp_path / "study.db")[1]) == 1


def test_folders_with_odd_names(tmp_path):
    folder = tmp_path / "50 % of {x}?mode=ro#1 ü"
    with Study(folder, {}, SPACE) as study:
        study.asked([Trial(0, VALUES)])
        study.told([trial(0)])
    (tmp_path / "study.db").write_bytes((folder / "study.db").read_bytes())
    assert numbers(tmp_path / "study.db", folder.name) == [0]


# -- locked, away, broken --------------------------------------------------------------------------

LOCK = """
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def locked(path, seconds=None):
    """Another process holds the file, for some seconds or for as long as the block runs."""
    with subprocess.Popen([sys.executable, "-c", LOCK, path], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        timer = threading.Timer(seconds or 0, holder.stdin.close)
        if seconds:
            timer.start()
        try:
            yield
        finally:
            timer.cancel()
            holder.stdin.close()


def test_locked_for_some_seconds(tmp_path):
    with Study(tmp_path, {}, SPACE) as study:
        study.asked([Trial(number, VALUES) for number in range(9)])
        study.told([trial(0)])
        study.mirror.flush()
        with locked(tmp_path / "study.db", seconds=1.5):
            begun = time.perf_counter()
            for number in range(1, 9):
                study.told([trial(number)])
            assert time.perf_counter() - begun < 1  # the search does not wait
            time.sleep(0.3)
            assert study.mirror.problem is None
            study.close()
            assert time.perf_counter() - begun > 1.2
    assert numbers(tmp_path / "study.db", tmp_path.name) == list(range(9))


def test_locked_for_too_long(tmp_path):
    study = Study(tmp_path, {}, SPACE)
    study.asked([Trial(number, VALUES) for number in range(3)])
    study.told([trial(0)])
    study.mirror.flush()
    study.mirror._patience = 0.5
    with locked(tmp_path / "study.db"):
        study.told([trial(1)])
        deadline = time.monotonic() + 20
        while study.mirror.problem is None and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.warns(UserWarning, match=r"study.db, could not be written.*: database is locked. The study it"):
            study.told([trial(2)])
        begun = time.perf_counter()
        with pytest.warns(UserWarning, match="The study itself is whole: its journal has every trial"):
            study.close()
        assert time.perf_counter() - begun < 6
    record = read_study(tmp_path)
    assert len(list(record.events("warning"))) == 2 and not record.running
    Study(tmp_path, {}, SPACE).close()  # the lock was let go, and the mirror catches up
    assert numbers(tmp_path / "study.db", tmp_path.name) == [0, 1, 2]


def test_whoever_waits_for_many_trials_sees_it_go_on(tmp_path, monkeypatch):
    real = _mirror._frozen
    monkeypatch.setattr(_mirror, "_BATCH", 5)
    monkeypatch.setattr(_mirror, "_frozen", lambda *given: time.sleep(0.02) or real(*given))
    mirror = Mirror(tmp_path / "study.db", "first", ["min"], patience=1)
    mirror.open()
    begun = time.perf_counter()
    mirror.update([trial(number) for number in range(60)], SPACE)
    mirror.close()
    assert time.perf_counter() - begun > 1
    assert numbers(tmp_path / "study.db") == list(range(60))


def test_locked_from_the_start(tmp_path):
    sqlite3.connect(tmp_path / "shared.db").close()
    with (
        locked(tmp_path / "shared.db"),
        pytest.raises(MirrorLost, match="shared.db, could not be .* database is locked"),
    ):
        Mirror(tmp_path / "shared.db", "first", ["min"], patience=0.3).open()
    with locked(tmp_path / "shared.db", seconds=1.2):
        mirror = Mirror(f"sqlite:///{tmp_path}/shared.db", "first", ["min"])
        mirror.open()
        mirror.close()
    assert numbers(tmp_path / "shared.db") == []


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "study.db").write_text("no database" * 1000)
    study = Study(tmp_path, {}, SPACE)
    study.asked([Trial(0, VALUES)])
    study.told([trial(0)])
    with pytest.warns(UserWarning, match=r"file is not a database.*Delete it: the mirror is made anew"):
        study.close()
    assert (tmp_path / "study.db").read_text().startswith("no database") and not read_study(tmp_path).running


def test_an_error_of_our_own_is_told(tmp_path):
    class Broken(Int):
        def distribution(self):
            raise ZeroDivisionError("of our own")

    mirror = Mirror(tmp_path / "study.db", "first", ["min"])
    mirror.update([trial(0)], [Broken("units", 1, 128)])
    with pytest.raises(MirrorLost, match="of our own") as caught:
        mirror.close()
    assert isinstance(caught.value.__cause__, ZeroDivisionError) and "of our own" in mirror.problem
    mirror.update([trial(0)], SPACE)  # given up: nothing happens
    assert not numbers(tmp_path / "study.db")


def test_an_empty_study_has_no_mirror(tmp_path):
    Study(tmp_path / "a", {}, SPACE).close()
    with Study(tmp_path / "b", {}, SPACE, storage=False) as study:
        study.asked([Trial(0, VALUES)])
        study.told([trial(0)])
        assert study.mirror is None
    assert not list(tmp_path.rglob("study.db"))


# -- URLs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("me:secret@host/db", "got text"),
        ("nosuch://me:secret@host/db", "got nosuch://"),
        ("postgresql://me:secret@host:port/db", "got postgresql://"),
        ("sqlite://", "kept in a file"),
        ("sqlite:///:memory:", "kept in a file"),
        ("sqlite:////no/such/folder/study.db", "/no/such/folder is no folder"),
    ],
)
def test_urls_that_are_none(tmp_path, url, said):
    with pytest.raises(ValueError, match=said) as caught:
        Study(tmp_path / "study", {}, SPACE, storage=url)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "study" / "journal.jsonl").exists()  # refused before anything was written
    with Study(tmp_path / "study", {}, SPACE):  # and the lock was let go
        pass


def test_a_driver_that_is_not_installed(tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "psycopg" else real(name))
    for url in ("postgresql://me:secret@host/db", "postgres://me:secret@host/db"):
        with pytest.raises(
            ImportError, match=r"needs the module 'psycopg'.*pip install 'thalweg\[postgresql\]'"
        ) as caught:
            Study(tmp_path, {}, SPACE, storage=url)
        assert "secret" not in str(caught.value)
    with pytest.raises(ImportError, match="needs the module '.*', which is not installed"):
        Mirror("oracle://me:secret@host/db", "first", ["min"])


@pytest.mark.skipif(importlib.util.find_spec("psycopg") is None, reason="psycopg is not installed")
def test_a_host_that_does_not_answer(tmp_path):
    url = "postgresql://me:p%40ss{w@127.0.0.1:1/studies"  # nobody listens at port 1
    begun = time.perf_counter()
    with pytest.raises(MirrorLost, match=r"postgresql at 127.0.0.1:1 \(database studies\), could not be") as caught:
        Study(tmp_path, {}, SPACE, storage=url, patience=1)
    assert time.perf_counter() - begun > 0.9
    said = f"{caught.value} {caught.value.__cause__}"
    assert "p@ss" not in said and "p%40ss" not in said and "refused" in said
    assert not (tmp_path / "journal.jsonl").exists()


# -- killed ----------------------------------------------------------------------------------------

WRITER = """
import os, sys
import optuna, sqlalchemy.orm, alembic.command
from thalweg.tuner import _mirror
from thalweg.tuner._lingering import finish, linger
from thalweg.tuner._parameters import parameter_from_config
from thalweg.tuner._study import Study
from thalweg.tuner._trial import COMPLETED, Trial
import json
_mirror.EVERY = 0.0
space = [parameter_from_config(one) for one in json.loads(sys.argv[2])]
values = json.loads(sys.argv[3])

for _ in sys.stdin:
    pid = os.fork()
    if pid == 0:
        study = Study(sys.argv[1], {}, space)
        for number in range(study.next_number, 3000):
            study.asked([Trial(number, values)])
            study.told([Trial(number, values, COMPLETED, [number / 4])])
            study.mirror.flush()
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def test_killed_while_it_is_written(tmp_path):
    folder = tmp_path / "study"
    random.seed(5)
    given = [json.dumps([one.get_config() for one in SPACE]), json.dumps(VALUES)]
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WRITER, folder, *given], stdin=-1, stdout=-1, text=True
    ) as forks:
        for _ in range(4):
            forks.stdin.write("go\n")
            forks.stdin.flush()
            pid = int(forks.stdout.readline())
            time.sleep(random.uniform(0.05, 0.4))
            os.kill(pid, signal.SIGKILL)
            assert int(forks.stdout.readline()) == signal.SIGKILL
        forks.stdin.close()
    with Study(folder, {}, SPACE) as study:
        told = [one.number for one in study.trials if study.is_told(one.number)]
    found = loaded(folder / "study.db", "study")[1]
    assert [one.user_attrs["number"] for one in found] == told and len(told) > 1
    assert all(one.params == VALUES and one.value == one.user_attrs["number"] / 4 for one in found)


def test_the_mirror_of_a_study_that_is_over_ends_by_itself(tmp_path):
    mirror = Mirror(tmp_path / "study.db", "first", ["min"])
    mirror.update([trial(0), trial(1)], SPACE)
    linger(tmp_path, mirror)
    until = time.monotonic() + 30
    while mirror._thread.is_alive() and time.monotonic() < until:
        time.sleep(0.02)
    assert not mirror._thread.is_alive() and numbers(tmp_path / "study.db") == [0, 1]
    finish(tmp_path)
