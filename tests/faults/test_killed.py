"""Processes that are killed, and those that go on in their place."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from children import end, fitted, given, leave, same_ends, start, wait_for, watchers
from going_on import KINDS, X, Y

from thalweg import callbacks, files
from thalweg.callbacks._checkpoints import CheckpointFolder


def whole(folder, kind="adam"):
    """The fit that nobody breaks off."""
    folder.mkdir()
    model = KINDS[kind]()
    model.fit(X, Y, callbacks=watchers(folder), **given())
    leave(model, folder)
    return folder


def test_killed_eight_times_at_random(tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    rng = np.random.default_rng()
    kills = 0
    while kills < 8:
        (broken / "sign").unlink(missing_ok=True)
        child = start(fitted, broken)
        wait_for(broken / "sign", child)
        time.sleep(rng.uniform(0, 0.06))
        if end(child, signal.SIGKILL) == 0:  # it was done before
            break
        kills += 1
    assert kills > 1
    child = start(fitted, broken)
    if end(child) != 0:  # the last kill came when the run was finished, but its end not yet told
        assert callbacks.read_run(broken / "run").state == "finished" and (broken / "end.npz").exists()
    same_ends(broken, whole(tmp_path / "whole"))
    lines = callbacks.read_run(broken / "run").epochs
    assert [line["epoch"] for line in lines] == list(range(12))


def test_double_precision_goes_on_in_another_process(tmp_path):
    for name, times in (("broken", 2), ("whole", 1)):
        folder = tmp_path / name
        folder.mkdir()
        for i in range(times):
            child = start(fitted, folder, every=1, policy="float64")
            if i + 1 < times:
                wait_for(folder / "sign", child)
                time.sleep(0.05)
                end(child, signal.SIGKILL)
        assert end(child) == 0
    assert np.load(tmp_path / "whole" / "end.npz")["arr_0"].dtype == np.float64
    same_ends(tmp_path / "broken", tmp_path / "whole")


def test_sigterm_leaves_a_checkpoint_at_the_step_and_the_status_143(tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    child = start(fitted, broken, every="1 h")
    wait_for(broken / "sign", child)
    time.sleep(0.03)
    assert end(child, signal.SIGTERM) == 128 + signal.SIGTERM
    snapshot = CheckpointFolder(broken / "run" / "checkpoints").newest()
    epoch, step = map(int, (broken / "sign").read_text().split())  # it may have come after the epoch's last step
    assert (snapshot["epoch"], snapshot["step"]) in {(epoch, step), (epoch + 1, 0)} and step in {snapshot["step"], 4}
    run = callbacks.read_run(broken / "run")
    assert run.state == "interrupted" and run.resumable
    assert end(start(fitted, broken, every="1 h")) == 0
    same_ends(broken, whole(tmp_path / "whole"))


def test_two_processes_do_not_write_to_one_folder(tmp_path):
    child = start(fitted, tmp_path, epochs=1000)
    wait_for(tmp_path / "sign", child)
    run = callbacks.read_run(tmp_path / "run")
    assert run.state == "running" and run.owner == child.pid and not run.resumable
    with pytest.raises(files.Locked, match=f"is being written by process {child.pid} on "):
        KINDS["adam"]().fit(X, Y, run=tmp_path / "run", **given())
    with pytest.raises(files.Locked, match=str(child.pid)):
        files.Lock(tmp_path / "run" / "lock")
    end(child, signal.SIGKILL)  # with its owner the lock is gone
    assert callbacks.read_run(tmp_path / "run").state == "broken off"
    files.Lock(tmp_path / "run" / "lock").release()


def test_ctrl_c_ends_a_script_as_python_does(tmp_path):
    script = (
        "import sys; from pathlib import Path; sys.path[:0] = [sys.argv[1]]; from children import fitted\n"
        "fitted(Path(sys.argv[2]), every='1 h', epochs=1000)"
    )
    folder = str(__file__).rpartition("/")[0]
    child = subprocess.Popen([sys.executable, "-c", script, folder, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    child.exitcode, child.is_alive = None, lambda: child.poll() is None
    wait_for(tmp_path / "sign", child)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGINT and said.rstrip().endswith("KeyboardInterrupt")
    assert callbacks.read_run(tmp_path / "run").state == "interrupted"
    assert len(CheckpointFolder(tmp_path / "run" / "checkpoints").paths()) == 1
