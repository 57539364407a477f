"""``thalweg train`` as a person types it."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import thalweg

COMMAND = [sys.executable, "-c", "from thalweg.cli import main; main()", "train"]


def run(*arguments, cwd):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**os.environ, "COLUMNS": "90"},
    )


def test_it_trains_draws_and_says_what_it_wrote(tmp_path):
    done = run("digits8", "--epochs", 4, "--layers", "32", "--out", "runs/first", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Total params: 2,410" in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("Epoch ")]
    assert len(lines) == 4
    assert re.search(r"val_accuracy: 0\.\d{4}", lines[-1])
    assert "⠒" in done.stdout or "⠤" in done.stdout
    assert re.search(r"validation accuracy \d\d\.\d\d%", done.stdout)
    assert "test rows, sealed" in done.stdout
    folder = tmp_path / "runs" / "first"
    record = json.loads((folder / "run.json").read_text())
    assert record["ended"]["epochs"] == 4
    assert record["ended"]["why"] == "finished"
    assert record["asked"]["command"]["layers"] == "32"
    assert len((folder / "history.jsonl").read_text().splitlines()) == 4
    for name in ("best", "last"):
        model = thalweg.models.load_model(folder / f"{name}.keras")
        assert model.get_layer("dense").kernel.shape == (64, 32)


def test_the_same_seed_gives_the_same_weights(tmp_path):
    for name in ("a", "b"):
        assert run("digits8", "--epochs", 2, "--seed", 3, "--no-diagnose", "--out", name, cwd=tmp_path).returncode == 0
    a, b = (thalweg.models.load_model(tmp_path / name / "last.keras") for name in ("a", "b"))
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_numbers_to_predict_and_columns_of_any_scale(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3)) * [1, 100, 0.01] + [0, 50, 3]
    np.savez(tmp_path / "table.npz", x=x, y=(x - [0, 50, 3]) @ [1, 0.01, 100])
    done = run(
        "table.npz",
        "--epochs",
        60,
        "--dropout",
        0,
        "--learning-rate",
        0.01,
        "--no-diagnose",
        "--out",
        "o",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"validation mae ([\d.]+)", done.stdout)[1]) < 0.3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("digit",), "Did you mean 'digits'"),
        (("digits8", "--activation", "rellu"), "Did you mean 'relu'"),
        (("digits8", "--layers", "12,x"), "--layers"),
        (("digits8", "--batch-size", "0"), "batch_size"),
        (("digits8", "--validation", "2"), "--validation"),
        (("digits8", "--learning-rate", "-1"), "learning_rate"),
        (("digits8", "--out", "."), "there already"),
    ],
)
def test_mistakes_get_one_line(tmp_path, arguments, said):
    (tmp_path / "something").touch()
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def begun(tmp_path, *arguments):
    """A run under way, some epochs on."""
    command = [*COMMAND, "digits8", "--out", "o", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    history = tmp_path / "o" / "history.jsonl"
    while not (history.exists() and len(history.read_text().splitlines()) > 3):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_ctrl_c_keeps_the_history_and_the_weights(tmp_path):
    process = begun(tmp_path, "--epochs", 100000)
    assert f"running ({process.pid})" in thalweg_command("runs", ".", cwd=tmp_path).stdout
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "validation accuracy" in out
    assert "thalweg resume o" in out
    assert json.loads((tmp_path / "o" / "run.json").read_text())["ended"]["why"] == "interrupted"
    assert (tmp_path / "o" / "last.keras").exists()


def thalweg_command(*arguments, cwd):
    command = [*COMMAND[:-1], *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, check=False, env={**os.environ, "COLUMNS": "110"}
    )


def test_a_killed_run_is_listed_and_goes_on(tmp_path):
    options = ("--epochs", 40, "--layers", "32", "--checkpoint", "7 steps")
    process = begun(tmp_path, *options)
    process.kill()
    process.communicate()
    listed = thalweg_command("runs", ".", cwd=tmp_path).stdout
    assert "broken off" in listed
    assert "thalweg resume" in listed
    done = thalweg_command("resume", "o", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "going on in epoch" in done.stdout
    whole = run("digits8", *options, "--no-diagnose", "--out", "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    a, b = (thalweg.models.load_model(tmp_path / name / "last.keras") for name in ("o", "whole"))
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    again = thalweg_command("resume", "o", cwd=tmp_path)
    assert again.returncode == 1
    assert "finished" in again.stderr
    assert "Traceback" not in again.stderr


def test_runs_and_resume_say_what_is_missing(tmp_path):
    assert "no folder" in thalweg_command("runs", cwd=tmp_path).stderr
    assert "No runs in ." in thalweg_command("runs", ".", cwd=tmp_path).stdout
    assert "no run folder" in thalweg_command("resume", ".", cwd=tmp_path).stderr
