"""The study's journal: what was told is never lost, and nothing that is damaged is taken for whole."""

from __future__ import annotations

import errno
import itertools
import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest

from thalweg import files
from thalweg.tuner import _journal
from thalweg.tuner._journal import from_plain, line_of, to_plain
from thalweg.tuner._parameters import Boolean, Choice, Condition, Fixed, Float, Int
from thalweg.tuner._study import Study, read_study
from thalweg.tuner._trial import COMPLETED, FAILED, Trial

IDENTITY = {"search": {"name": "hyperband", "factor": 3}, "seed": 1, "max_trials": 10}
SPACE = [Int("units", 32, 128, step=32), Float("rate", 1e-4, 1e-1, sampling="log"), Boolean("bias")]
VALUES = {"units": 64, "rate": 0.01, "bias": True}


def opened(folder, identity=IDENTITY, space=SPACE, **given):
    return Study(folder, identity, space, storage=False, **given)


def running(*numbers, **given):
    return [Trial(number, VALUES, **given) for number in numbers]


def ended(*numbers, **given):
    given = {"status": COMPLETED, "epochs": 5, "seconds": 0.5, **given}
    return [Trial(number, VALUES, **{"scores": [number / 4], **given}) for number in numbers]


def filled(folder, count=3):
    """A study of `count` trials, all told but the last."""
    with opened(folder) as study:
        for number in range(count):
            study.asked(running(number))
            if number < count - 1:
                study.told(ended(number))
    return folder / "journal.jsonl"


def state(record):
    return record.trials, record.running, record.parameters, record.identity, record.ended


# -- what is kept ----------------------------------------------------------------------------------


def test_goes_on_where_it_was_broken_off(tmp_path):
    study = opened(tmp_path / "studies" / "first")
    study.asked(running(0, 1, 2))
    assert study.told(ended(1)) == [True]
    study.told(ended(0, status=FAILED, scores=None, message="Traceback ..."))
    study.add_space([Choice("activation", ["relu", "tanh"])])
    before = state(study)
    study.close()
    study.close()
    again = opened(tmp_path / "studies" / "first")
    assert state(again) == before
    assert [trial.status for trial in again.trials] == [FAILED, COMPLETED, "RUNNING"]
    assert [trial.number for trial in again.running] == [2] and again.next_number == 3
    assert list(again.space) == ["units", "rate", "bias", "activation"]
    assert again.is_told(0) and not again.is_told(2)
    again.close()


def test_numbers_that_json_has_no_word_for(tmp_path):
    metrics = {"loss": math.inf, "val_loss": np.float32(0.1), "steps": np.int64(3), "norms": np.arange(2.0)}
    notes = {"shape": (3, (np.int8(4),)), "rungs": {0: [1, 2], (1, "a"): {"$float": "no number"}}, "$float": "text"}
    with opened(tmp_path) as study:
        study.asked(running(0))
        study.told(ended(0, scores=[math.nan, np.float64(-math.inf)], metrics=metrics, notes=notes))
        live = study.trials[0]
    for line in (tmp_path / "journal.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no strict JSON"))
    (trial,) = read_study(tmp_path).trials
    assert math.isnan(trial.scores[0]) and trial.scores[1] == -math.inf
    assert trial.metrics == {"loss": math.inf, "val_loss": float(np.float32(0.1)), "steps": 3, "norms": [0.0, 1.0]}
    assert trial.notes == {
        "shape": (3, (4,)), "rungs": {0: [1, 2], (1, "a"): {"$float": "no number"}}, "$float": "text"
    }  # fmt: skip
    assert repr(live) == repr(trial)  # whoever goes on knows what the process knew that was killed
    assert {type(one) for one in (*trial.scores, trial.metrics["val_loss"])} == {float}


@pytest.mark.parametrize("value", [None, True, 1 << 70, -0.0, "\ud800\0", [], (), {}, {"": ()}, {None: 1}, {"$x": 1}])
def test_plain_data_comes_back(value):
    again = from_plain(json.loads(json.dumps(to_plain({"a": [value]}), allow_nan=False)))["a"][0]
    assert repr(again) == repr(value)


def test_what_is_no_plain_data_is_refused_and_nothing_is_written(tmp_path):
    deep = []
    for _ in range(200):
        deep = [deep]
    with opened(tmp_path) as study:
        size = (tmp_path / "journal.jsonl").stat().st_size
        for bad, kind, said in (
            ({"net": object()}, TypeError, "got object"),
            ({"set": {1}}, TypeError, "got set"),
            ({"deep": deep}, ValueError, "levels deep"),
        ):
            with pytest.raises(kind, match=said):
                study.asked([Trial(0, {}), Trial(1, {}, notes=bad)])
        assert study.trials == [] and (tmp_path / "journal.jsonl").stat().st_size == size


def test_the_study_keeps_copies(tmp_path):
    with opened(tmp_path) as study:
        mine = Trial(0, dict(VALUES))
        study.asked([mine])
        mine.status, mine.scores, mine.values["units"] = COMPLETED, [0.5], 32
        assert study.running[0].values["units"] == 64
        assert study.told([mine]) == [True]
        mine.scores[0] = 7.0
        assert study.trials[0].scores == [0.5]


def test_a_batch_is_one_write_and_one_fsync(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "pwrite"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, real=real, name=name: calls.append(name) or real(*given))
    with opened(tmp_path) as study:
        calls.clear()
        study.asked(running(*range(450)))
        study.told(ended(*range(450)))
        assert calls == ["pwrite", "fsync"] * 2
        study.note("group", {"trials": [0, 1]})
        assert calls == ["pwrite", "fsync"] * 2 + ["pwrite"]
        study.flush()
        study.flush()
        assert calls == ["pwrite", "fsync"] * 3
    assert len(read_study(tmp_path).trials) == 450


def test_notes_warnings_and_the_end(tmp_path):
    with opened(tmp_path) as study:
        study.asked(running(0))
        study.note("group", {"trials": [0], "path": ("vmap", 2)})
        with pytest.warns(UserWarning, match="the space is small"):
            study.warn("the space is small")
        study.end("max_trials")
        assert study.ended == "max_trials"
        for kind in ("told", "crc", "at", "$float"):
            with pytest.raises(ValueError, match="cannot be of the kind"):
                study.note(kind, 1)
    record = read_study(tmp_path)
    assert list(record.events("group")) == [{"trials": [0], "path": ("vmap", 2)}]
    assert list(record.events("warning")) == ["the space is small"]
    assert record.ended == "max_trials"
    with opened(tmp_path) as study:
        study.asked(running(1))
        assert study.ended is None
        assert len(list(study.events("resumed"))) == 1


# -- a trial ends once -----------------------------------------------------------------------------


def test_a_late_result_is_turned_away(tmp_path):
    with opened(tmp_path) as study:
        study.asked(running(0, 1))
        study.told(ended(0))
        late = ended(0, scores=[9.0])
        assert study.told([*late, *ended(1), *ended(1, scores=[9.0])]) == [False, True, False]
        assert [trial.scores for trial in study.trials] == [[0.0], [0.25]]
    record = read_study(tmp_path)
    assert [trial.scores for trial in record.trials] == [[0.0], [0.25]] and not record.running
    (warning,) = record.events("warning")
    assert "[0, 1]" in warning and "turned away" in warning


def test_what_was_never_asked_for_is_refused(tmp_path):
    with opened(tmp_path) as study:
        study.asked(running(0))
        with pytest.raises(ValueError, match="Trial 1 was told, but never asked for"):
            study.told([*ended(0), *ended(1)])
        with pytest.raises(ValueError, match="Trial 0 has been asked for before; the next one is 1"):
            study.asked(running(0))
        with pytest.raises(ValueError, match="Trial 4 has been asked for before"):
            study.asked(running(4, 4))
        with pytest.raises(ValueError, match="told must be COMPLETED or FAILED, got trial 0, RUNNING"):
            study.told(running(0))
        with pytest.raises(ValueError, match="asked for must be RUNNING"):
            study.asked(ended(1))
        assert study.told(ended(0)) == [True]


# -- the same study, or another --------------------------------------------------------------------


def test_another_search_is_refused(tmp_path):
    filled(tmp_path)
    other = {"search": {"name": "hyperband", "factor": 4}, "seed": 2, "max_trials": 20}
    with pytest.raises(ValueError, match="holds a study of 3 trials that is another one") as caught:
        opened(tmp_path, other, may_change=["max_trials"])
    said = str(caught.value)
    assert "search/factor: was 3, now 4" in said and "seed: was 1, now 2" in said and "max_trials" not in said
    assert "another project_name" in said and "overwrite=True" in said
    with opened(tmp_path, {**IDENTITY, "max_trials": 20}, may_change=["max_trials"]) as study:  # the lock was let go
        assert study.identity["max_trials"] == 20
    assert read_study(tmp_path).identity["max_trials"] == 20
    with pytest.raises(ValueError, match="max_trials: was 20, now 10"):
        opened(tmp_path)


def test_another_space_is_refused(tmp_path):
    filled(tmp_path)
    space = [Int("units", 32, 256, step=32), SPACE[1], Fixed("batch_size", 32)]
    with pytest.raises(ValueError, match="another one") as caught:
        opened(tmp_path, space=space)
    said = str(caught.value)
    assert (
        "units: was hp.Int('units', min_value=32, max_value=128, step=32), "
        "now hp.Int('units', min_value=32, max_value=256, step=32)\n" in said
    )
    assert "bias: was hp.Boolean('bias'), now not there" in said
    assert "batch_size: was not there, now hp.Fixed('batch_size', value=32)" in said
    assert "rate" not in said


def test_the_space_grows(tmp_path):
    deeper = Int("units_2", 8, 16, conditions=[Condition("bias", [True])])
    elsewhere = Int("units_2", 8, 64, conditions=[Condition("bias", [False])])
    with opened(tmp_path) as study:
        study.add_space([deeper, SPACE[0]])
        study.add_space([elsewhere, deeper])
        with pytest.raises(ValueError, match=r"units_2 was hp.Int\(.*max_value=16.*, now hp.Int\(.*max_value=32"):
            study.add_space([Int("units_2", 8, 32, conditions=deeper.conditions)])
        assert study.parameters == [*SPACE, deeper, elsewhere] and study.space["units_2"] == deeper
    for known in (SPACE, [*SPACE, deeper, elsewhere], {one.name: one for one in SPACE}):
        with opened(tmp_path, space=known) as study:
            assert study.parameters == [*SPACE, deeper, elsewhere]


def test_overwrite(tmp_path):
    journal = filled(tmp_path / "first")
    (tmp_path / "first" / "study.db").write_text("a mirror")
    (tmp_path / "first" / "groups").mkdir()
    (tmp_path / "first" / "groups" / "0.safetensors").write_text("a checkpoint")
    (tmp_path / "first" / "notes.txt").write_text("a person's")
    with opened(tmp_path / "first", {"seed": 2}, [], overwrite=True, parts=["groups", "none"]) as study:
        assert study.trials == [] and study.identity == {"seed": 2}
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == ["journal.jsonl", "lock", "notes.txt"] and read_study(journal.parent).trials == []


def test_overwrite_deletes_nothing_that_is_no_study(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "study.db").write_text("a person's")
    with pytest.raises(FileExistsError, match=r"holds study.db, but no journal.jsonl: it is no study"):
        opened(tmp_path / "thesis", overwrite=True)
    (tmp_path / "thesis" / "journal.jsonl").write_text('{"op_code": 0}\n')
    for overwrite in (False, True):
        with pytest.raises(files.FileError, match="line 1: is no journal of a study"):
            opened(tmp_path / "thesis", overwrite=overwrite)
    assert sorted(path.name for path in (tmp_path / "thesis").iterdir()) == ["journal.jsonl", "study.db"]
    with pytest.raises(FileExistsError, match="is a file"):
        opened(tmp_path / "thesis" / "study.db")
    with opened(tmp_path / "new", overwrite=True) as study:
        assert study.trials == []


def test_a_second_writer_hears_who_the_first_is(tmp_path):
    filled(tmp_path)
    with opened(tmp_path) as study:
        for overwrite in (False, True):
            with pytest.raises(files.Locked, match=f"is being written by process {os.getpid()}"):
                opened(tmp_path, overwrite=overwrite)
        study.asked(running(3))
        record = read_study(tmp_path)
        assert len(record.trials) == 4 and record.owner == os.getpid()
        with pytest.raises(files.FileError, match="no folder of a study"):
            read_study(tmp_path / "elsewhere")
    assert read_study(tmp_path).owner is None
    with pytest.raises(ValueError, match="is closed"):
        study.asked(running(4))


# -- damage ----------------------------------------------------------------------------------------


def test_a_torn_last_line(tmp_path):
    journal = filled(tmp_path)
    whole = journal.read_bytes()
    begins = whole[:-1].rfind(b"\n") + 1
    for cut in sorted({*range(begins, len(whole), 17), len(whole) - 1}):
        for rest in (b"", b"\0" * 4096):  # a power failure may leave a file longer than what reached the disk
            journal.write_bytes(whole[:cut] + rest)
            assert len(read_study(tmp_path).trials) == 2
            with opened(tmp_path) as study:
                assert len(study.trials) == 2
                study.asked(running(2))
            assert len(read_study(tmp_path).trials) == 3


def test_a_part_of_the_last_line_that_never_reached_the_disk(tmp_path):
    journal = filled(tmp_path)
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-100] + b"\0" * 50 + whole[-50:])
    with opened(tmp_path) as study:
        assert len(study.trials) == 2 and list(study.events("resumed"))[-1]["cut"] > 100


def test_flipped_bits(tmp_path):
    journal = filled(tmp_path)
    whole = journal.read_bytes()
    before = state(read_study(tmp_path))
    places = {*range(0, len(whole), 19), *(i for i, byte in enumerate(whole) if byte in b"\n@ ")} - {len(whole) - 1}
    for place, bit in itertools.product(sorted(places), range(8)):
        journal.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        with pytest.raises(files.FileError, match=r"journal.jsonl: line \d+: ") as caught:
            read_study(tmp_path)
        line = whole[:place].count(b"\n") + 1
        assert f"line {line}:" in str(caught.value) or whole[place] == ord("\n")
    journal.write_bytes(whole)
    assert state(read_study(tmp_path)) == before


def test_a_damaged_line_is_named_and_nothing_is_changed(tmp_path):
    journal = filled(tmp_path)
    damaged = journal.read_bytes().replace(b'"RUNNING"', b'"RUMMING"', 1)
    journal.write_bytes(damaged)
    for read in (read_study, opened):
        with pytest.raises(files.FileError, match="line 2: is damaged: its checksum does not fit.*delete this line"):
            read(tmp_path)
    assert journal.read_bytes() == damaged
    with pytest.raises(files.FileError):
        opened(tmp_path)  # and the lock was let go


def sealed(event):
    return line_of(event).decode().encode()


HEADER = {"journal": 1, "thalweg": "0.1", "id": "x", "at": 0.0, "identity": {}, "space": []}


def seal_text(text):
    return text[:-1] + _journal._seal(text[:-1])


HOSTILE = {
    "empty": (b"", "line 1: is not whole"),
    "binary": (bytes(range(256)) * 100, "line 1"),
    "elf": (b"\x7fELF\n\0\0\n", "line 1: is damaged"),
    "no JSON": (seal_text(b'{"journal":1,oops}'), "line 1: is no valid JSON"),
    "no object": (seal_text(b"[1,2]")[:-2] + b"\n", "line 1"),
    "no header": (sealed({"asked": []}), "line 1: is no header"),
    "half a header": (sealed({"journal": 1}), "line 1: is no event.*KeyError"),
    "of the future": (sealed({**HEADER, "journal": 2, "thalweg": "9.9"}), "format 2, of thalweg 9.9.*install the newer"),
    "deep": (sealed(HEADER) + seal_text(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), "line 2: is no valid JSON"),
    "nested": (sealed(HEADER) + seal_text(b'{"a":' + b"[" * 500 + b"]" * 500 + b"}"), "line 2: .*levels deep"),
    "a mark that lies": (sealed(HEADER) + seal_text(b'{"a":{"$float":"one"}}'), "line 2: is no event"),
    "a mark of lists": (sealed(HEADER) + seal_text(b'{"a":{"$dict":[[[],1]]}}'), "line 2: is no event"),
    "endless digits": (sealed(HEADER) + seal_text(b'{"a":' + b"9" * 10_000 + b"}"), "line 2: is no valid JSON"),
    "no parameter": (sealed({**HEADER, "space": [{"class_name": "os.system"}]}), "line 1: "),
    "no list": (sealed(HEADER) + sealed({"asked": 5}), "line 2: is no event"),
    "no trial": (sealed(HEADER) + sealed({"asked": [{"number": 0}]}), "line 2: is no event"),
    "a strange field": (
        sealed(HEADER) + sealed({"asked": [{"number": 0, "values": {}, "__class__": 1}]}), "a trial has no __class__"
    ),
    "a number that is none": (sealed(HEADER) + sealed({"asked": [{"number": True, "values": {}}]}), "number of a trial"),
    "a negative number": (sealed(HEADER) + sealed({"asked": [{"number": -1, "values": {}}]}), "trial -1"),
    "a status that is none": (
        sealed(HEADER) + sealed({"asked": [{"number": 0, "values": {}, "status": "\x1b[31m"}]}), "one of them cannot be"
    ),
    "scores that are none": (
        sealed(HEADER) + sealed({"asked": [{"number": 0, "values": {}, "scores": ["best"]}]}), "one of them cannot be"
    ),
    "told, not asked": (
        sealed(HEADER) + sealed({"told": [{"number": 0, "values": {}, "status": "FAILED"}]}), "never asked for"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_journal(tmp_path, case):
    raw, said = HOSTILE[case]
    (tmp_path / "journal.jsonl").write_bytes(raw)
    with pytest.raises(files.FileError, match=said) as caught:
        read_study(tmp_path)
    assert str(tmp_path / "journal.jsonl") in str(caught.value) and len(str(caught.value)) < 2500
    assert "\x1b" not in str(caught.value)
    with pytest.raises(files.FileError):
        opened(tmp_path)
    assert (tmp_path / "journal.jsonl").read_bytes() == raw


def test_a_huge_line_is_not_read(tmp_path):
    with (tmp_path / "journal.jsonl").open("wb") as file:
        file.write(sealed(HEADER))
        file.truncate(1 << 40)  # a terabyte of nothing
    tracemalloc.start()
    with pytest.raises(files.FileError, match="line 2: is longer than"):
        read_study(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6


def test_what_is_too_large_to_be_read_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(_journal, "_MOST", 100_000)
    with opened(tmp_path) as study, pytest.raises(ValueError, match="may have 100,000 bytes"):
        study.asked(running(0, notes={"text": "x" * 200_000}))
    assert read_study(tmp_path).trials == []


# -- disks -----------------------------------------------------------------------------------------


def breaking(monkeypatch, name, error, times=math.inf, after=0):
    """Let a call of the system's fail, some times."""
    real, calls = getattr(os, name), itertools.count()

    def call(*given):
        if after <= next(calls) < after + times:
            if name == "pwrite":
                real(given[0], bytes(given[1])[:10], given[2])  # a part of it is there
            raise OSError(error, os.strerror(error))
        return real(*given)

    monkeypatch.setattr(os, name, call)


@pytest.mark.parametrize("name", ["pwrite", "fsync"])
@pytest.mark.parametrize("error", ["EBUSY", "EAGAIN", "ESTALE", "ETIMEDOUT", "EIO", "ENOENT"])
def test_a_disk_that_is_away_for_a_moment(tmp_path, monkeypatch, name, error):
    with opened(tmp_path) as study:
        study.asked(running(0))
        breaking(monkeypatch, name, getattr(errno, error), times=2)
        assert study.told(ended(0)) == [True]
        study.asked(running(1))
    assert [trial.status for trial in read_study(tmp_path).trials] == [COMPLETED, "RUNNING"]


@pytest.mark.parametrize(
    ("error", "hint"),
    [("ENOSPC", "Make room"), ("EDQUOT", "Make room within your quota"), ("EROFS", "Mount"), ("EACCES", "Allow")],
)
def test_a_full_disk(tmp_path, monkeypatch, error, hint):
    with opened(tmp_path) as study:
        study.asked(running(0, 1))
        study.told(ended(0))
        with monkeypatch.context() as patch:
            breaking(patch, "pwrite", getattr(errno, error))
            begun = time.monotonic()
            with pytest.raises(OSError, match=rf"Cannot write .*journal.jsonl: .*is whole\. {hint}") as caught:
                study.told(ended(1))
            assert caught.value.errno == getattr(errno, error) and time.monotonic() - begun < 1
        assert not study.is_told(1) and len(study.running) == 1
        assert [trial.status for trial in read_study(tmp_path).trials] == [COMPLETED, "RUNNING"]
        assert study.told(ended(1)) == [True]  # there is room again
    assert len(read_study(tmp_path).running) == 0


def test_a_real_limit_on_the_size_of_files(tmp_path):
    with opened(tmp_path) as study:
        study.asked(running(0))
        size = (tmp_path / "journal.jsonl").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
        try:
            with pytest.raises(OSError, match="Cannot write .*File too large"):
                study.told(ended(0))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
        assert (tmp_path / "journal.jsonl").stat().st_size == size
        study.told(ended(0))
    assert read_study(tmp_path).trials == ended(0)


def test_a_disk_that_stays_away(tmp_path, monkeypatch):
    monkeypatch.setattr(_journal, "PATIENCE", 0.4)
    with opened(tmp_path) as study:
        study.asked(running(0))
        with monkeypatch.context() as patch:
            breaking(patch, "pwrite", errno.ESTALE)
            breaking(patch, "ftruncate", errno.ESTALE)  # what is there of the line cannot be cut off now
            begun = time.monotonic()
            with pytest.raises(OSError, match=r"Cannot write .*journal.jsonl for 0.4 s: Stale"):
                study.told(ended(0))
            assert 0.3 < time.monotonic() - begun < 3
        assert len(read_study(tmp_path).running) == 1
        study.told(ended(0))
    assert read_study(tmp_path).trials == ended(0)


def test_a_study_that_was_deleted_or_changed_by_others(tmp_path):
    with opened(tmp_path / "deleted") as study:
        (tmp_path / "deleted" / "journal.jsonl").unlink()
        with pytest.raises(OSError, match=r"journal.jsonl was deleted while it was written to"):
            study.asked(running(0))
    with opened(tmp_path / "changed") as study:
        with (tmp_path / "changed" / "journal.jsonl").open("ab") as file:
            file.write(b"a line of an editor's\n")
        with pytest.raises(OSError, match="another program has changed it"):
            study.asked(running(0))
        assert study.trials == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Cannot make the folder .*file/study: Not a directory"):
        opened(tmp_path / "file" / "study")


def test_ctrl_c_in_the_middle_of_a_write(tmp_path, monkeypatch):
    with opened(tmp_path) as study:
        study.asked(running(0))

        def interrupted(handle):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", interrupted)
            with pytest.raises(KeyboardInterrupt):
                study.told(ended(0, message="a line that is longer than the one that comes after it " * 9))
        study.told(ended(0))
    assert read_study(tmp_path).trials == ended(0)


# -- killed ----------------------------------------------------------------------------------------

WRITER = """
import os, sys, time
from thalweg.tuner._study import Study
from thalweg.tuner._trial import COMPLETED, Trial

folder, done = sys.argv[1:]
real = os.pwrite


def slowly(handle, data, place):  # so that many kills hit a line
    time.sleep(2e-4)
    return real(handle, bytes(data)[:40], place)

os.pwrite = slowly

def write():
    told = os.open(done, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    study = Study(folder, {"seed": 1}, storage=False)
    for _ in range(2000):
        first = study.next_number
        trials = [trial for trial in study.running]
        new = [Trial(first + i, {"units": first + i}) for i in range(3)]
        study.asked(new)
        trials += new
        study.told([Trial(t.number, t.values, COMPLETED, [t.number / 4], notes={"a": "b" * 50}) for t in trials])
        os.write(told, "".join(f"{t.number}\\n" for t in trials).encode())

for _ in sys.stdin:
    pid = os.fork()
    if pid == 0:
        write()
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def test_killed_at_any_instant(tmp_path):
    folder, done, torn = tmp_path / "study", tmp_path / "done", 0
    random.seed(3)
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WRITER, folder, done], stdin=-1, stdout=-1, text=True
    ) as forks:
        for _ in range(20):
            forks.stdin.write("go\n")
            forks.stdin.flush()
            pid = int(forks.stdout.readline())
            time.sleep(random.uniform(0.001, 0.12))
            os.kill(pid, signal.SIGKILL)
            assert int(forks.stdout.readline()) == signal.SIGKILL
            if not (folder / "journal.jsonl").exists():
                continue
            torn += not (folder / "journal.jsonl").read_bytes().endswith(b"\n")
            record = read_study(folder)
            told = {int(line) for line in done.read_text().split()} if done.exists() else set()
            assert all(record.is_told(number) for number in told)
            assert [trial.number for trial in record.trials] == list(range(record.next_number))
            for trial in record.trials:
                assert trial.scores == ([trial.number / 4] if record.is_told(trial.number) else None)
        forks.stdin.close()
    with Study(folder, {"seed": 1}, storage=False) as study:
        assert len(told) > 20 and all(study.is_told(number) for number in told)
        assert len(done.read_text().split()) == len(told)  # none was told twice
    assert torn, "no kill has hit a line"


# -- size ------------------------------------------------------------------------------------------


def test_a_thousand_trials(tmp_path):
    metrics = {f"metric_{i}": i / 7 for i in range(8)}
    runs = [{"seed": i, "fold": None, "scores": [0.25]} for i in range(3)]
    with opened(tmp_path) as study:
        for first in range(0, 1000, 20):
            numbers = range(first, first + 20)
            study.asked(running(*numbers))
            study.told(ended(*numbers, metrics=metrics, executions=runs, notes={"bracket": 2}))
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        study = opened(tmp_path)
        times.append(time.perf_counter() - begun)
        assert len(study.trials) == 1000 and not study.running
        study.close()
    assert min(times) < 0.5
    tracemalloc.start()
    study = opened(tmp_path)
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    study.close()
    assert now < 6e6 and peak < 8e6
