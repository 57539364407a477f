"""The mirror in a real PostgreSQL, which is killed and started again meanwhile."""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

import optuna
import pytest

from thalweg.tuner import _mirror
from thalweg.tuner._mirror import MirrorLost
from thalweg.tuner._parameters import Choice, Float, Int
from thalweg.tuner._study import Study, read_study
from thalweg.tuner._trial import COMPLETED, FAILED, Trial

PLACES = os.pathsep.join([os.environ.get("PATH", ""), *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)])
INITDB, POSTGRES = (shutil.which(name, path=PLACES) for name in ("initdb", "postgres"))
PASSWORD = "p@ss:w{o}rd% 1"
SPACE = [
    Int("units", 32, 128, step=32),
    Float("rate", 1e-4, 1e-1, sampling="log"),
    Choice("activation", ["relu", "tanh"]),
]
VALUES = {"units": 64, "rate": 0.01, "activation": "tanh"}


def unprivileged():
    """Who the server runs as: as root it refuses to."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return None


WHY = (
    "PostgreSQL is not installed: no `initdb` and `postgres` on the PATH or in /usr/lib/postgresql/*/bin"
    if not (INITDB and POSTGRES)
    else "psycopg is not installed: pip install 'thalweg[postgresql]'"
    if importlib.util.find_spec("psycopg") is None
    else "as root, PostgreSQL needs another user to run as, and there is neither `postgres` nor `nobody`"
    if unprivileged() is None
    else ""
)
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY)


class Server:
    """A server of our own, in a temporary folder, on a free port of the loopback address."""

    def __init__(self, folder):
        self.folder, self.process = folder, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "password").write_text(PASSWORD + "\n")
        if who := unprivileged():
            for path in (folder, folder / "password"):
                os.chown(path, who["user"], who["group"])
        self.who = {
            **unprivileged(),
            "cwd": folder,
            "stdin": subprocess.DEVNULL,
            "env": {"PATH": PLACES, "LC_ALL": "C"},
        }
        made = subprocess.run(
            [INITDB, "-D", folder / "data", "-U", "thalweg", "-A", "scram-sha-256", f"--pwfile={folder}/password",
             "-E", "UTF8", "--locale=C", "--no-sync"],
            capture_output=True, text=True, check=False, **self.who,
        )  # fmt: skip
        assert made.returncode == 0, made.stdout + made.stderr

    def start(self):
        """Start it, as often as what a killed one has left stands in the way."""
        for _ in range(100):
            with (self.folder / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [POSTGRES, "-D", "data", "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                     "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=20"],
                    stdout=log, stderr=log, **self.who,
                )  # fmt: skip
            while self.process.poll() is None:
                with contextlib.suppress(OSError, Exception), self.connection():
                    return
                time.sleep(0.05)
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.process.wait(20)

    def connection(self):
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="thalweg", password=PASSWORD, dbname="postgres", autocommit=True
        )

    def url(self, database, password=PASSWORD):
        return f"postgresql://thalweg:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="module")
def server():
    folder = Path(tempfile.mkdtemp(prefix="thalweg-postgresql-"))
    made = Server(folder)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.fixture
def database(server, request, monkeypatch):
    """The URL of a new database."""
    monkeypatch.setattr(_mirror, "EVERY", 0.05)
    name = request.node.name[:60]
    before = set(threading.enumerate())  # other tests' mirrors may still be written
    with server.connection() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.url(name)
    assert not [one for one in set(threading.enumerate()) - before if one.name == "thalweg-mirror"]


def trial(number, **given):
    return Trial(
        number, dict(VALUES), **{"status": COMPLETED, "scores": [number / 4], "epochs": 5, "seconds": 2.5, **given}
    )


def loaded(url, name="first"):
    storage = optuna.storages.RDBStorage(url.replace("postgresql:", "postgresql+psycopg:").replace("{", "{{"))
    try:
        return optuna.load_study(study_name=name, storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()


def numbers(url, name="first"):
    return [one.user_attrs["number"] for one in loaded(url, name)]


def test_a_search_into_postgresql(tmp_path, database):
    told = [trial(0, notes={"a": "\0"}), trial(1, status=FAILED, scores=None, message="Traceback"), trial(2)]
    with Study(tmp_path / "first", {"seed": 1}, SPACE, storage=database) as study:
        study.asked([Trial(number, VALUES) for number in range(3)])
        study.told(told[:2])
        study.mirror.flush()
        assert numbers(database) == [0, 1]
        study.told(told[2:])
    found = loaded(database)
    assert [one.user_attrs["number"] for one in found] == [0, 1, 2]
    assert [one.state.name for one in found] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert found[0].params == VALUES and found[0].user_attrs["notes"] == {"a": "\0"}
    assert found[1].user_attrs["message"] == "Traceback" and found[2].value == 0.5
    with Study(tmp_path / "first", {"seed": 1}, SPACE, storage=database):
        pass
    assert numbers(database) == [0, 1, 2]
    assert not (tmp_path / "first" / "study.db").exists()
    with pytest.raises(MirrorLost, match="mirror of another study, named 'first'"):
        Study(tmp_path / "elsewhere" / "first", {"seed": 1}, SPACE, storage=database)
    with Study(tmp_path / "first", {"seed": 2}, SPACE, storage=database, overwrite=True):
        pass
    assert numbers(database) == []


def test_killed_and_started_again_meanwhile(tmp_path, server, database):
    with Study(tmp_path / "first", {}, SPACE, storage=database) as study:
        study.asked([Trial(number, VALUES) for number in range(30)])
        study.told([trial(number) for number in range(10)])
        study.mirror.flush()
        server.stop(signal.SIGKILL)
        begun = time.perf_counter()
        for number in range(10, 20):
            study.told([trial(number)])
        assert time.perf_counter() - begun < 1  # the search does not wait
        time.sleep(0.5)
        server.start()
        study.told([trial(number) for number in range(20, 30)])
    assert sorted(numbers(database)) == list(range(30))
    assert not list(read_study(tmp_path / "first").events("warning"))


def test_killed_in_the_middle_of_a_batch(tmp_path, server, database, monkeypatch):
    amid, gone, real = threading.Event(), threading.Event(), _mirror._frozen

    def frozen(one, known):
        if one.number == 30:
            amid.set()
            assert gone.wait(60)
        return real(one, known)

    monkeypatch.setattr(_mirror, "_frozen", frozen)
    with Study(tmp_path / "first", {}, SPACE, storage=database) as study:
        study.asked([Trial(number, VALUES) for number in range(60)])
        study.told([trial(number) for number in range(60)])
        assert amid.wait(60)
        server.stop(signal.SIGKILL)
        server.start()
        assert numbers(database) == []  # nothing of a batch, or all of it
        gone.set()
    assert numbers(database) == list(range(60))


def test_away_for_too_long(tmp_path, server, database):
    study = Study(tmp_path / "first", {}, SPACE, storage=database)
    study.asked([Trial(number, VALUES) for number in range(2)])
    study.told([trial(0)])
    study.mirror.flush()
    study.mirror._patience = 1
    server.stop(signal.SIGKILL)
    try:
        study.told([trial(1)])
        with pytest.warns(UserWarning, match=rf"postgresql at 127.0.0.1:{server.port} \(database ") as caught:
            study.close()
        assert "refused" in str(caught[0].message) and "ss:w" not in str(caught[0].message)
        with pytest.raises(MirrorLost, match=f"127.0.0.1:{server.port}.* could not be written for 1 s"):
            Study(tmp_path / "first", {}, SPACE, storage=database, patience=1)
    finally:
        server.start()
    Study(tmp_path / "first", {}, SPACE, storage=database).close()  # the study was whole, and its mirror is
    assert numbers(database) == [0, 1]


def test_errors_that_waiting_does_not_mend(tmp_path, server, database):
    begun = time.perf_counter()
    for url, said in (
        (server.url("nowhere"), 'database "nowhere" does not exist'),
        (database.replace("rd%25", "rd%26"), "password authentication failed"),
        (database.replace("thalweg:", "nobody:"), "authentication failed"),
    ):
        with pytest.raises(MirrorLost, match=said) as caught:
            Study(tmp_path / "first", {}, SPACE, storage=url)
        assert "ss:w" not in f"{caught.value} {caught.value.__cause__}"
    assert time.perf_counter() - begun < 10
    assert not (tmp_path / "first" / "journal.jsonl").exists()
