"""``thalweg report``: a run's page and its text, and what is said where something is missing."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import thalweg
from thalweg import layers
from thalweg.cli import main

RNG = np.random.default_rng(0)


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_a_run_of_coloured_pictures_gets_its_report_with_a_learning_curve(tmp_path):
    for name, level in (("day", 200), ("night | <i>", 60)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(60):
            pixels = np.clip(RNG.normal(level, 60, (6, 4, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i:02d}.png")
    given = ("--epochs", 2, "--layers", "4", "--validation", 0.25, "--learning-rate", 0.01, "--no-diagnose")
    run("train", tmp_path / "photos", *given, "--out", tmp_path / "run")
    said = run("report", tmp_path / "run", "--learning-curve")
    assert "report.html" in said and "report.md" in said and "without" not in said
    page, text = ((tmp_path / "run" / name).read_text() for name in ("report.html", "report.md"))
    assert page.count("data:image/png;base64,") == 24 and text.count("](report/worst-") == 24
    assert "night | &lt;i&gt;" in page and "<i>" not in page
    assert "The answer" in page and "n^-" in page and (tmp_path / "run" / "report" / "learning-curve.png").is_file()
    with Image.open(tmp_path / "run" / "report" / "worst-01.png") as shown:
        assert shown.mode == "RGB" and shown.size[1] / shown.size[0] == 1.5


def test_what_cannot_be_told_is_told(tmp_path, monkeypatch):
    assert "no run folder" in run("report", tmp_path, code=1)
    net = thalweg.Sequential([thalweg.Input((2,)), layers.Dense(1)])
    net.compile("sgd", "mse")
    net.fit(np.zeros((8, 2)), RNG.normal(size=8), run=tmp_path / "script", verbose=0)
    said = run("report", tmp_path / "script")
    assert "without the diagnosis and the validation rows" in said and "thalweg.reports.report(" in said
    assert (tmp_path / "script" / "report.html").is_file()
    said = run("report", tmp_path / "script", "--learning-curve")
    assert "without the diagnosis and the learning curve and the validation rows" in said
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert "pip install 'thalweg[plots]'" in run("report", tmp_path / "script", code=1)


@pytest.mark.parametrize("name", ["train", "report"])
def test_help_tells_of_it(name):
    assert "report" in run("--help") and name in run("--help")
