"""``thalweg tune`` as a person types it."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest

import thalweg
from thalweg import tuner

COMMAND = [sys.executable, "-c", "from thalweg.cli import main; main()"]


def begun(*arguments, cwd):
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "90"},
    )


def run(*arguments, cwd):
    process = begun(*arguments, cwd=cwd)
    said = process.communicate(timeout=300)[0]
    return process.returncode, said


def test_it_searches_writes_the_best_and_train_goes_on_from_it(tmp_path):
    code, said = run("tune", "digits8", "--search", "random", "--trials", 3, "--epochs", 2, cwd=tmp_path)
    assert code == 0, said
    folder = tmp_path / "studies" / "digits8-random"
    best = tuner.ranked(tuner.read_study(folder).trials, [tuner.Objective("val_accuracy")])[0]
    assert f"Best val_accuracy: {best.score:.4f} by trial {best.number}" in said
    assert "360 test rows, sealed" in said
    model = thalweg.models.load_model(folder / "best.keras")
    hidden = [layer.units for layer in model.layers if hasattr(layer, "units")][:-1]
    assert hidden == [best.values[f"units_{i}"] for i in range(best.values["layers"])]
    code, said = run("tune", "digits8", "--search", "random", "--trials", 3, "--epochs", 2, cwd=tmp_path)
    assert code == 1 and "--resume" in said and "--overwrite" in said
    code, said = run("train", "digits8", "--from", folder, "--epochs", 3, "--out", "longer", cwd=tmp_path)
    assert code == 0, said
    assert len((tmp_path / "longer" / "history.jsonl").read_text().splitlines()) == 3


def test_what_it_says_when_interrupted_goes_on(tmp_path):
    process = begun("tune", "digits8", "--search", "random", "--trials", 2, "--epochs", 200, cwd=tmp_path)
    journal = tmp_path / "studies" / "digits8-random" / "journal.jsonl"
    until = time.monotonic() + 120
    while '"group"' not in (journal.read_text() if journal.exists() else "") and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 130, said
    again = re.search(r"to go on: thalweg (.*)", said)
    assert again, said
    code, said = run(*shlex.split(again[1]), cwd=tmp_path)
    assert code == 0, said
    trials = tuner.read_study(journal.parent).trials
    assert len(trials) == 2 and all(trial.has_score for trial in trials)


@pytest.mark.parametrize(("option", "value"), [("--search", "hyperbend"), ("--executor", "rey"), ("--time", "soon")])
def test_what_it_does_not_know_is_named(option, value, tmp_path):
    code, said = run("tune", "digits8", "--trials", 1, option, value, cwd=tmp_path)
    assert code == 1 and value in said and "Traceback" not in said
