"""Files that were damaged are refused or as they were; saves that go wrong leave what was there."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from damage import FORMATS, content, net, write

HERE = Path(__file__).parent


def child(script, *arguments, before=()):
    """The lines of JSON that a script of this folder prints; it must end well."""
    command = [*before, sys.executable, HERE / script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (done.stdout[-300:], done.stderr[-3000:])
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def files(tmp_path):
    """One net in each format."""
    model = net()
    for name in FORMATS:
        write(model, tmp_path / name)
    return tmp_path


def test_flips_and_cuts_are_refused_or_change_nothing(files):
    lines = child("damage.py", files, "flip,cut,ends", 60, 7)
    found = {line["format"]: line["counts"] for line in lines if "format" in line}
    assert found.keys() == set(FORMATS)
    for name, counts in found.items():
        assert counts.keys() <= {"refused", "same"}, name
        assert sum(counts.values()) == (920 if name == "net.weights.h5" else 120)
        assert counts["refused"] > 80, name


def test_a_full_disk_leaves_the_old_file(tmp_path):
    (found,) = child("broken_saves.py", "full_disk", tmp_path, 4)
    assert len(found) == 20
    for one in found:
        assert str(tmp_path / one["name"]) in one["came"] and "too large" in one["came"], one
        assert one["kept"] and one["left"] == [], one


def test_a_full_disk_ends_a_run_that_can_go_on_later(tmp_path):
    (found,) = child("broken_saves.py", "full_run", tmp_path)
    for one in found:
        assert one["path"] in one["came"] and "too large" in one["came"], one
        assert one["left"] == [] and one["epochs"] == 3, one


def test_death_at_any_call_leaves_the_old_file_or_the_new(tmp_path):
    (found,) = child("broken_saves.py", "killed", tmp_path)
    for one in found:
        assert one["status"] == 0 and len(one["came"]) > 6, one
        assert one["came"] == sorted(one["came"], reverse=True), one  # old, old, ..., new, new
        assert set(one["came"]) == {"old", "new"}, one


@pytest.mark.parametrize("name", FORMATS)
def test_a_save_syncs_before_it_renames(name, files, monkeypatch):
    seen = []

    def watched(call):
        real = getattr(os, call)

        def act(*arguments, **named):
            seen.append((call, *(str(one) for one in arguments[:2] if isinstance(one, (str, Path)))))
            return real(*arguments, **named)

        monkeypatch.setattr(os, call, act)

    for call in ("open", "write", "fsync", "replace"):
        watched(call)
    write(net(1, trained=False), files / name)
    calls = [call for call, *_ in seen]
    assert re.fullmatch(r"open (write )+fsync replace open fsync ", " ".join([*calls, ""])), calls
    part, folder = seen[0][1], seen[-2][1]
    assert seen[-3] == ("replace", part, str(files / name))
    assert Path(part).parent == Path(folder) == files


def test_a_save_syncs_before_it_renames_as_the_system_sees_it(tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("strace is not here; the test above watches Python's own calls")
    log = tmp_path / "calls"
    kinds = "trace=openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2"
    before = ["strace", "-f", "-qq", "-y", "-o", str(log), "-e", kinds, "-s", "0"]
    child("broken_saves.py", "once", tmp_path, "net.keras", before=before)
    lines = [line.split(maxsplit=1)[1] for line in log.read_text().splitlines() if str(tmp_path) in line]
    lines = [line for line in lines if "unfinished" not in line and "broken_saves" not in line]
    order = [re.match(r"\w+", line)[0] for line in lines if ".part" in line or re.search(rf"{tmp_path}[>\"]", line)]
    assert re.fullmatch(r"openat (write )+fsync rename\w* openat fsync ", " ".join([*order, ""])), lines


def test_two_writers_leave_one_whole_file(tmp_path):
    models = [net(0), net(1)]
    whole = {}
    for name in FORMATS:
        for model in models:
            write(model, tmp_path / name)
            whole.setdefault(name, []).append(content(tmp_path / name, net(2, trained=False)))
    command = [sys.executable, HERE / "broken_saves.py", "again_and_again", tmp_path]
    writers = [subprocess.Popen([*command, str(seed)]) for seed in (0, 1)]
    empty, looked = net(2), 0
    while any(one.poll() is None for one in writers):
        for name in FORMATS:
            assert content(tmp_path / name, empty) in whole[name]
            looked += 1
    assert [one.returncode for one in writers] == [0, 0] and looked > 20
    assert not list(tmp_path.glob(".*"))


def test_two_threads_leave_one_whole_file(tmp_path):
    models = [net(seed, trained=False) for seed in (0, 1)]
    faults = []

    def save(model):
        try:
            for _ in range(20):
                write(model, tmp_path / "net.keras")
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=save, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == [] and not list(tmp_path.glob(".*"))
    assert content(tmp_path / "net.keras", None)


@pytest.mark.parametrize("name", FORMATS)
def test_places_where_nothing_can_be_written_are_named(name, tmp_path):
    model = net(trained=False)
    (tmp_path / "file").write_text("no folder")
    for folder, words in (("missing", "does not exist"), ("file", "is no folder")):
        with pytest.raises(OSError, match=words) as caught:
            write(model, tmp_path / folder / name)
        assert str(tmp_path / folder / name) in str(caught.value)
    (tmp_path / name).mkdir()
    with pytest.raises(OSError, match=re.escape(str(tmp_path / name))):
        write(model, tmp_path / name)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", FORMATS)
def test_links_names_and_permissions(name, tmp_path):
    model = net(trained=False)
    (tmp_path / "real").mkdir()
    (tmp_path / name).symlink_to(tmp_path / "real" / name)  # to nothing, yet
    for _ in range(2):
        write(model, tmp_path / name)
        assert (tmp_path / name).is_symlink() and not (tmp_path / "real" / name).is_symlink()
    long = tmp_path / f"{'ä' * 100}{'n' * 30}{name.removeprefix('net')}"
    before = os.umask(0o027)
    try:
        write(model, long)
    finally:
        os.umask(before)
    assert stat.S_IMODE(long.stat().st_mode) == 0o640
    assert content(long, net(2, trained=False))
    with pytest.raises(OSError, match="too long"):
        write(model, tmp_path / f"{'n' * 300}{name}")
