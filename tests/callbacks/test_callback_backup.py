"""BackupAndRestore: its folder, its refusals; that a fit goes on from it is tested with the faults."""

from __future__ import annotations

import threading

import pytest
from going_on import KINDS, Break, BrokenOff, Steps, Turn, X, Y, same

from thalweg import callbacks, files
from thalweg.callbacks._checkpoints import CheckpointFolder


def fit(model, *more, x=X, y=Y, **given):
    return model.fit(x, y, callbacks=list(more), **{"epochs": 4, "batch_size": 8, "verbose": 0, "seed": 7, **given})


def broken(folder, *at, model="sgd", **given):
    with pytest.raises(BrokenOff):
        fit(KINDS[model](), callbacks.BackupAndRestore(folder, 1), Steps(), Break("on_safe_point", *at), **given)


def test_a_fit_that_came_to_its_end_leaves_nothing(tmp_path):
    fit(KINDS["sgd"](), callbacks.BackupAndRestore(tmp_path / "deep" / "backup"))
    assert not (tmp_path / "deep" / "backup").exists()


def test_what_lies_beside_it_stays(tmp_path):
    (tmp_path / "mine.txt").touch()
    fit(KINDS["sgd"](), callbacks.BackupAndRestore(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_checkpoints_that_are_kept_go_on_with_more_epochs(tmp_path):
    whole, model = KINDS["momentum"](), KINDS["momentum"]()
    fit(whole)
    for epochs in (2, 2, 3):
        backup = callbacks.BackupAndRestore(tmp_path / "b", "1 h", delete_checkpoint=False, double_checkpoint=True)
        fit(KINDS["momentum"](), backup, epochs=epochs)
    assert [path.name for path in CheckpointFolder(tmp_path / "b").paths()] == [
        f"epoch-00000{epoch}-step-000000000.safetensors" for epoch in (2, 3)
    ]
    fit(model, callbacks.BackupAndRestore(tmp_path / "b"))
    same(whole, model)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": X[:-1], "y": Y[:-1]}, "begun with rows=26, got 25"),
        ({"batch_size": 10}, "begun with batch_size=8, got 10"),
        ({"steps_per_epoch": 3}, "begun with steps=4, got 3"),
        ({"shuffle": False}, "begun with shuffle=True, got False"),
        ({"x": X + 1}, "is of other data: they were .*, got .*begin another run"),
        ({"y": 1 - Y}, "is of other data"),
        (
            {"model": "adam"},
            "is of another net, optimizer or set of metrics: expected .*, got .*Compile the model as it was",
        ),
    ],
)
def test_another_fit_is_refused(given, message, tmp_path):
    broken(tmp_path / "b", 1, 2)
    model = KINDS[given.pop("model", "sgd")]()
    with pytest.raises(ValueError, match=message):
        fit(model, callbacks.BackupAndRestore(tmp_path / "b"), **given)
    fit(KINDS["sgd"](), callbacks.BackupAndRestore(tmp_path / "b"))


def test_a_stream_is_not_taken_for_arrays(tmp_path):
    def batches():
        return ((X[:8], Y[:8]) for _ in range(99))

    broken(tmp_path / "b", 1, 2)
    with pytest.raises(ValueError, match=r"begun with \w+=.*, got None"):
        fit(
            KINDS["sgd"](),
            callbacks.BackupAndRestore(tmp_path / "b"),
            x=batches(),
            y=None,
            batch_size=None,
            steps_per_epoch=4,
        )
    broken(tmp_path / "c", 1, 2, x=batches(), y=None, batch_size=None, steps_per_epoch=4)
    with pytest.raises(ValueError, match="begun with steps=4, got 3"):
        fit(
            KINDS["sgd"](),
            callbacks.BackupAndRestore(tmp_path / "c"),
            x=batches(),
            y=None,
            batch_size=None,
            steps_per_epoch=3,
        )
    with pytest.raises(ValueError, match="begun with"):
        fit(KINDS["sgd"](), callbacks.BackupAndRestore(tmp_path / "c"))


def test_one_fit_at_a_time(tmp_path):
    held = files.Lock(tmp_path / "lock")
    with pytest.raises(files.Locked, match=rf"{tmp_path} is being written by process \d+ on .*: wait for it, stop it"):
        fit(KINDS["sgd"](), callbacks.BackupAndRestore(tmp_path))
    held.release()
    held.release()
    fit(KINDS["sgd"](), callbacks.BackupAndRestore(tmp_path))


def test_a_lock_whose_file_was_deleted_meanwhile_is_taken_anew(tmp_path):
    held = files.Lock(tmp_path / "lock")
    held.remove()
    again = files.Lock(tmp_path / "lock")
    assert files.is_held(tmp_path / "lock") and not held.path.samefile(tmp_path)
    again.release()
    assert not files.is_held(tmp_path / "lock") and not files.is_held(tmp_path / "absent")


@pytest.mark.parametrize("left", ["", "nonsense", "[1]", "\x00" * 9])
def test_a_lock_that_nobody_signed_is_still_one(left, tmp_path):
    held = files.Lock(tmp_path / "lock")
    (tmp_path / "lock").write_text(left)
    with pytest.raises(files.Locked, match=r"process \? on \?"):
        files.Lock(tmp_path / "lock")
    held.release()


def test_the_same_object_serves_two_fits(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path / "b", 2)
    one, two = KINDS["sgd"](), KINDS["sgd"]()
    fit(one, backup, Turn("optimizer/learning_rate"))
    fit(two, backup, Turn("optimizer/learning_rate"))
    same(one, two)


@pytest.mark.parametrize("bad", [{"backup_dir": ""}, {"save_freq": "often"}, {"save_freq": 0}])
def test_bad_arguments(bad, tmp_path):
    with pytest.raises(ValueError, match=next(iter(bad))):
        callbacks.BackupAndRestore(**{"backup_dir": tmp_path, **bad})


def test_looking_at_a_lock_keeps_nobody_out(tmp_path):
    """Whoever asks holds it for an instant; a writer that comes then waits that long."""
    stop = threading.Event()
    files.Lock(tmp_path / "lock").release()

    def look():
        while not stop.is_set():
            files.is_held(tmp_path / "lock")
            stop.wait(0.001)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(40):
            files.Lock(tmp_path / "lock").release()
    finally:
        stop.set()
        thread.join()
    assert not files.is_held(tmp_path / "lock")
