"""Disks that are full, folders that may not be written."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from pathlib import Path

import pytest
from children import end, start
from going_on import KINDS, Steps, X, Y

from thalweg import callbacks, files
from thalweg.callbacks._checkpoints import CheckpointFolder


class Full(callbacks.Callback):
    """From an epoch on no file of this process may grow beyond a size."""

    def __init__(self, size):
        self.size = size

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, resource.RLIM_INFINITY))


def fit_until_full(folder, size, log):
    """In a child: the fit, and what it raised, as text."""
    model = KINDS["adam"]()
    listed = [Full(size), Steps(), *([callbacks.CSVLogger(folder / "fit.csv")] if log else [])]
    try:
        model.fit(X, Y, epochs=12, batch_size=8, verbose=0, seed=3, callbacks=listed, run=folder / "run")
    except OSError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        (folder / "said").write_text(f"{error.errno}\n{error}\n{error.filename}")
        files.Lock(folder / "run" / "lock").release()  # let go


@pytest.mark.parametrize(
    ("size", "log", "name"), [(1000, False, ".keras"), (250, False, "history.jsonl"), (120, True, "fit.csv")]
)
def test_a_full_disk_names_the_file_and_leaves_the_checkpoint_before(size, log, name, tmp_path):
    assert end(start(fit_until_full, tmp_path, size, log)) == 0
    number, *said = (tmp_path / "said").read_text().splitlines()
    assert int(number) == errno.EFBIG and name in said[0] and "Cannot write" in said[0]
    assert os.fspath(tmp_path) in said[-1]
    snapshot = CheckpointFolder(tmp_path / "run" / "checkpoints").newest()
    assert snapshot["epoch"] == 2
    assert not list(tmp_path.rglob("*.part"))
    model, whole = KINDS["adam"](), KINDS["adam"]()
    for one, run, csv in ((model, tmp_path / "run", "fit.csv"), (whole, None, "whole.csv")):
        more = [callbacks.CSVLogger(tmp_path / csv)] if log else []
        one.fit(X, Y, epochs=12, batch_size=8, verbose=0, seed=3, callbacks=[Steps(), *more], run=run)
    assert not log or (tmp_path / "fit.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert model.history.history == whole.history.history
    assert [line["epoch"] for line in callbacks.read_run(tmp_path / "run").epochs] == list(range(12))


def fit_without_rights(folder):
    """In a child: as somebody who may read the folders but not write them."""
    if os.getuid() == 0:
        os.setuid(65534)
    said = []
    for listed, run in (
        ([], folder / "run"),
        ([callbacks.BackupAndRestore(folder / "backup")], None),
        ([callbacks.CSVLogger(folder / "backup" / "fit.csv")], None),
        ([callbacks.ModelCheckpoint(folder / "backup" / "a.keras")], None),
    ):
        try:
            KINDS["sgd"]().fit(X, Y, epochs=1, batch_size=8, verbose=0, seed=3, callbacks=listed, run=run)
        except PermissionError as error:
            said.append(str(error))
    (folder / "open" / "said").write_text("\n".join(said))


def test_folders_that_may_not_be_written_are_named():
    with tempfile.TemporaryDirectory() as name:  # not below pytest's own, which others may not enter
        folder = Path(name)
        folder.chmod(0o755)
        for part, mode in (("run", 0o555), ("backup", 0o555), ("open", 0o777)):
            (folder / part).mkdir()
            (folder / part).chmod(mode)
        assert end(start(fit_without_rights, folder)) == 0
        said = (folder / "open" / "said").read_text().splitlines()
        for line, part in zip(said, ("run/lock", "backup/lock", "backup/fit.csv", "backup/a.keras"), strict=True):
            assert os.fspath(folder / part) in line and "ermission denied" in line
        assert not list((folder / "run").iterdir())
