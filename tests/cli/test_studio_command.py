"""``thalweg studio`` and ``thalweg train --studio``: a link that opens, and an end by Ctrl-C."""

import http.client
import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from thalweg import callbacks
from thalweg.cli import main, rows_of

pytest.importorskip("starlette")


def begun(*arguments, cwd):
    command = [sys.executable, "-c", "from thalweg.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "120"},
    )


def link_in(process):
    for line in process.stdout:
        if line.startswith("studio: "):
            return urlsplit(line.split()[1])
    raise AssertionError("no link")


def ended(process):
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    return said


def opens(link):
    connection = http.client.HTTPConnection(link.hostname, link.port, timeout=20)
    connection.request("GET", f"/?{link.query}")
    answer = connection.getresponse()
    connection.close()
    return answer.status


def test_a_folder_of_runs_is_served_until_ctrl_c(tmp_path):
    process = begun("studio", "runs", cwd=tmp_path)
    assert opens(link_in(process)) == 303
    ended(process)
    assert process.returncode == 0


def stays(process):
    """Until the command has done its work."""
    return next(line for line in process.stdout if line.startswith("the page stays until Ctrl-C"))


def test_a_search_and_a_coach_have_pages_that_stay(tmp_path):
    commands = {
        "study=s": ("tune", "digits8", "--trials", 2, "--epochs", 1, "--out", "studies/s"),
        "run=c": ("coach", "digits8", "--time", "1s", "--target-error", 0.9, "--out", "runs/c"),
    }
    running = {place: begun(*command, "--studio", cwd=tmp_path) for place, command in commands.items()}
    for place, process in running.items():
        link = link_in(process)
        assert link.fragment == place
        stays(process)
        assert opens(link) == 303
        ended(process)
        assert process.returncode == 0


def test_a_training_has_a_page_that_stays_and_leaves_no_word_of_it_in_its_command(tmp_path):
    process = begun(
        "train",
        "digits8",
        "--epochs",
        12,
        "--layers",
        "8",
        "--no-diagnose",
        "--studio",
        "--out",
        "runs/a",
        cwd=tmp_path,
    )
    link = link_in(process)
    stays(process)
    assert opens(link) == 303 and link.fragment == "run=a"
    ended(process)
    assert process.returncode == 0
    run = callbacks.read_run(tmp_path / "runs" / "a")
    assert len(run.checkpoints()) == 10  # to go back to
    assert run.state == "finished" and "studio" not in run.record["asked"]["command"]


def test_mistakes_are_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    done = CliRunner().invoke(main, ["studio", "file"])
    assert done.exit_code == 1 and "is a file" in done.output
    assert "--port" in CliRunner().invoke(main, ["studio", "--help"]).output


def test_the_rows_of_a_run_are_those_that_it_learnt_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = [
        "train",
        "digits8",
        "--epochs",
        "2",
        "--layers",
        "8",
        "--no-diagnose",
        "--out",
        "runs/a",
        "--class-weight",
        "balanced",
    ]
    assert CliRunner().invoke(main, made).exit_code == 0
    from thalweg.studio._script import script_of

    given = {}
    code = script_of(tmp_path / "runs" / "a").replace("model.fit(", "model.fit(verbose=0, ")
    exec(compile(code, "again.py", "exec"), given)
    run = callbacks.read_run(tmp_path / "runs" / "a")
    assert given["history"].history["val_loss"] == [one["val_loss"] for one in run.epochs]
    assert set(rows_of("runs/a")) == {"x", "y", "validation_data", "class_weight"}
