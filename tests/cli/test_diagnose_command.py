"""``thalweg diagnose`` and ``thalweg coach``: the page, what they leave in the run's folder, and what they refuse."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import thalweg
from thalweg import layers
from thalweg.cli import main

RNG = np.random.default_rng(0)


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diagnosed")
    x = RNG.normal(size=(300, 3)).astype("f4")
    np.savez(folder / "a.npz", x=x, y=(x[:, 0] + x[:, 1] > 0).astype(int))
    said = run(
        "train", folder / "a.npz", "--epochs", 12, "--layers", "16", "--learning-rate", 0.01, "--out", folder / "run"
    )
    return folder, said


def test_training_ends_with_the_short_form_and_the_record_is_of_that_net(trained):
    folder, said = trained
    assert "well" in said and "training error rate" in said and "next: stop" in said
    assert f"more: thalweg diagnose {folder / 'run'}" in said.replace("\n", " ")
    record = json.loads((folder / "run" / "diagnosis.json").read_text())
    assert record["model"] == hashlib.sha256((folder / "run" / "best.keras").read_bytes()).hexdigest()
    assert record["diagnosis"]["scenario"] == "well" and record["diagnosis"]["rows"] == [243, 27]
    quiet = run("train", folder / "a.npz", "--epochs", 1, "--no-diagnose", "--out", folder / "quiet")
    assert "next:" not in quiet and not (folder / "quiet" / "diagnosis.json").exists()


def test_the_page_has_errors_baselines_and_what_to_do(trained):
    folder, _ = trained
    said = run("diagnose", folder / "run", "--target-error", 0.1, "--seeds", 2)
    for text in (
        "95 % interval",
        "243 rows",
        "given",
        "over 2 seeds",
        "nearest neighbours",
        "what to do, in this order",
        "1. ",
    ):
        assert text in said
    assert json.loads((folder / "run" / "diagnosis.json").read_text())["diagnosis"]["target"]["by"] == "given"


def test_a_run_of_a_script_says_what_to_call(tmp_path):
    net = thalweg.Sequential([thalweg.Input((2,)), layers.Dense(1)])
    net.compile("sgd", "mse")
    net.fit(np.zeros((8, 2)), RNG.normal(size=8), run=tmp_path / "script", verbose=0)
    assert "thalweg.diagnosis.diagnose(run, train=(x, y)" in run("diagnose", tmp_path / "script", code=1)


def test_the_coach_leaves_a_run_that_is_tested_diagnosed_and_made_again_by_its_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = RNG.normal(size=400)
    town = RNG.choice(["north", "south"], 400)
    pd.DataFrame({"x": x, "town": town, "y": 100 + 10 * x + 5 * (town == "north")}).to_csv("t.csv", index=False)
    said = run("coach", "t.csv", "--target", "y", "--target-error", 0.05, "--time", "12s", "--out", "found")
    said = " ".join(said.split())  # the story is wrapped
    assert "Start simple" in said and "40 test rows, sealed" in said and "The net, the best of 3: " in said
    assert {one.name for one in (tmp_path / "found").iterdir()} >= {"best.keras", "net.py", "coach.json", "run.json"}
    assert "test mae (in units of y)" in run("test", "found", "--reason", "the end of a coaching")
    assert "unexplained variance" in run("diagnose", "found")
    assert "coaching" in run("resume", "found", code=1)
    assert "is there already" in run("coach", "t.csv", "--target", "y", "--out", "found", code=1)
    given = {}
    code = (
        (tmp_path / "found" / "net.py")
        .read_text()
        .replace("    x,\n", "    x,\n    verbose=0,\n", 1)
        .replace("    y,\n", "    y=y,\n", 1)
    )
    exec(compile(code, "net.py", "exec"), given)
    best = thalweg.models.load_model("found/best.keras")
    shapes = [[one.shape for one in net.trainable_weights] for net in (given["model"], best)]
    assert shapes[0] == shapes[1]
