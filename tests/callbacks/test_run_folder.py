"""RunFolder: what lies in it, and what it says."""

from __future__ import annotations

import json
import os

import jax
import numpy as np
import pytest
from going_on import KINDS, Break, BrokenOff, Steps, Turn, X, Y, dense, net

import thalweg
from thalweg import callbacks, data, files, layers, models, optimizers
from thalweg.callbacks._checkpoints import CheckpointFolder


def fit(model, run, *more, **given):
    given = {"epochs": 4, "batch_size": 8, "verbose": 0, "seed": 7, **given}
    return model.fit(given.pop("x", X), given.pop("y", Y), callbacks=[Steps(), *more], run=run, **given)


def broken(model, run, epoch, step=0, *more, **given):
    with pytest.raises(BrokenOff):
        fit(model, run, Break("on_safe_point", epoch, step), *more, **given)


def lines(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def test_what_lies_in_it(tmp_path):
    folder = tmp_path / "runs" / "first"
    model = KINDS["adam"]()
    history = fit(model, folder, validation_split=0.25, validation_freq=2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.keras", "checkpoints", "history.jsonl", "last.keras", "lock", "run.json"
    ]  # fmt: skip
    names = [path.name for path in sorted((folder / "checkpoints").iterdir())]
    whole = [f"epoch-00000{epoch}-step-000000000" for epoch in (3, 4)]
    assert names == [f"{name}.{end}" for name in whole for end in ("best.keras", "safetensors")]
    told = lines(folder)
    assert [line["epoch"] for line in told] == [0, 1, 2, 3]
    for name, values in history.history.items():  # also those that are not there every epoch
        assert [line[name] for line in told if name in line] == values
    assert ["val_loss" in line for line in told] == [False, True, False, True]
    assert all(line["seconds"] >= 0 for line in told)


def test_the_record(tmp_path):
    fit(KINDS["adam"](), callbacks.RunFolder(tmp_path / "run", asked={"why": "a test"}), validation_split=0.25)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["seeds"] == [7] and record["members"] is None and record["asked"] == {"why": "a test"}
    assert record["model"][0]["class_name"] == "Sequential" and 0.05 in record["hypers"][0]
    assert record["fit"] == {
        "batch_size": 8, "shuffle": True, "steps_per_epoch": None, "initial_epoch": 0, "epochs": 4,
        "validation_split": 0.25, "validation_freq": 1,
    }  # fmt: skip
    rows, _ = data.validation_split(data.adapt(X, Y), 0.25)
    assert record["data"]["rows"] == rows.n and len(record["data"]["sha256"]) == 64
    assert record["versions"]["jax"] == jax.__version__ and record["versions"]["thalweg"] == thalweg.__version__
    assert record["machine"]["threads"] == len(os.sched_getaffinity(0)) and record["machine"]["devices"]
    ended = record["ended"]
    assert ended["why"] == "finished" and ended["epochs"] == 4 and ended["best"].keys() == {"epoch", "value"}
    assert record["begun"].endswith("+00:00")


@pytest.mark.parametrize(("monitor", "mode"), [(None, "auto"), ("auc", "auto"), ("loss", "max")])
def test_the_best_and_the_last_model_can_be_loaded(monitor, mode, tmp_path):
    class Keep(callbacks.Callback):
        def __init__(self):
            self.outputs = []

        def on_epoch_end(self, epoch, logs=None):
            self.outputs.append(self.model.predict(X))

    keep, model = Keep(), KINDS["adam"]()
    history = fit(model, callbacks.RunFolder(tmp_path / "run", monitor=monitor, mode=mode), keep)
    values = np.array(history.history[monitor or "loss"])
    best = int(values.argmin() if monitor is None else values.argmax())
    assert callbacks.read_run(tmp_path / "run").record["ended"]["best"] == {"epoch": best, "value": values[best]}
    for which, expected in (("best", keep.outputs[best]), ("last", model.predict(X))):
        loaded = models.load_model(tmp_path / "run" / f"{which}.keras")
        np.testing.assert_array_equal(loaded.predict(X), expected)


def test_the_best_is_of_validation_also_where_some_epochs_have_none(tmp_path):
    """The loss of an epoch without validation must not stand for it."""
    scores = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update({} if epoch % 2 else {"loss": 1e-6}))
    history = fit(KINDS["sgd"](), tmp_path / "run", scores, validation_split=0.25, validation_freq=2)
    best = callbacks.read_run(tmp_path / "run").record["ended"]["best"]
    assert best["value"] == min(history.history["val_loss"]) and best["epoch"] in (1, 3)


def test_the_history_grows_as_it_goes_and_is_cut_back(tmp_path):
    folder, seen = tmp_path / "run", []
    look = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(len(lines(folder))))
    turn = Turn("optimizer/learning_rate")
    broken(KINDS["sgd"](), callbacks.RunFolder(folder, every="2 epochs"), 3, 2, look, turn)
    assert seen == [0, 1, 3, 5] and len(lines(folder)) == 5  # three epochs, two changes
    changes = [line["change"] for line in lines(folder) if "change" in line]
    assert [(one["epoch"], one["step"], one["path"]) for one in changes] == [
        (1, 1, "optimizer/learning_rate"), (2, 0, "optimizer/learning_rate")
    ]  # fmt: skip
    with (folder / "history.jsonl").open("a") as file:
        file.write('{"epoch": 99, "lo')  # torn
    assert len(callbacks.read_run(folder).epochs) == 3
    fit(KINDS["sgd"](), callbacks.RunFolder(folder, every="2 epochs"), Turn("optimizer/learning_rate"))
    assert [line.get("epoch", "change") for line in lines(folder)] == [0, "change", 1, "change", 2, 3]


def test_a_history_that_is_shorter_than_it_was_is_told_of(tmp_path):
    folder = tmp_path / "run"
    broken(KINDS["sgd"](), callbacks.RunFolder(folder), 2, 2)
    path = folder / "history.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(UserWarning, match="history.jsonl is 20 bytes shorter than it was"):
        fit(KINDS["sgd"](), callbacks.RunFolder(folder))
    told = lines(folder)
    assert [line["epoch"] for line in told if "epoch" in line] == [0, 2, 3] and "shorter" in str(told)


def test_warnings_stand_in_the_history_once(tmp_path):
    def warned(message):
        return pytest.warns(UserWarning, match=message)

    given = {"validation_data": (X[:10], Y[:10]), "epochs": 3}
    with warned("stand in the training rows too"):
        broken(KINDS["sgd"](), callbacks.RunFolder(tmp_path / "run", every=1), 1, 2, **given)
    with warned("stand in the training rows too"):
        fit(KINDS["sgd"](), callbacks.RunFolder(tmp_path / "run", every=1), **given)
    assert ["warning" in line for line in lines(tmp_path / "run")] == [True, False, False, False]


def test_a_history_of_fits_before_is_not_written_again(tmp_path):
    record, model = callbacks.History(), KINDS["sgd"]()
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0, seed=1, callbacks=[record])
    fit(model, tmp_path / "run", record, epochs=3)
    assert len(record.epoch) == 5
    assert [line["epoch"] for line in lines(tmp_path / "run")] == [0, 1, 2]


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_the_newest_checkpoints_are_kept(keep, tmp_path):
    fit(KINDS["sgd"](), callbacks.RunFolder(tmp_path / "run", every=1, keep=keep))
    names = [path.name for path in CheckpointFolder(tmp_path / "run" / "checkpoints").paths()]
    last = ["epoch-000003-step-000000003", "epoch-000003-step-000000004", "epoch-000004-step-000000000"]
    assert names == [f"{name}.safetensors" for name in last[-keep:]]


@pytest.mark.parametrize("keep", [1, 2])
def test_a_damaged_checkpoint_is_passed_over_and_does_not_push_out_whole_ones(keep, tmp_path):
    whole = KINDS["adam"]()
    fit(whole, tmp_path / "whole")
    folder = tmp_path / "run"
    broken(KINDS["adam"](), callbacks.RunFolder(folder), 2, 2)
    checkpoints = CheckpointFolder(folder / "checkpoints")
    newest = checkpoints.paths()[1]
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.warns(UserWarning, match=rf"{newest.name}: is no whole checkpoint.*The one before it is tried"):
        broken(KINDS["adam"](), callbacks.RunFolder(folder, every=1, keep=keep), 1, 3)
    names = [f"epoch-000001-step-00000000{step}.safetensors" for step in (1, 2)]
    assert [path.name for path in checkpoints.paths()] == names[-keep:]
    model = KINDS["adam"]()
    fit(model, callbacks.RunFolder(folder, every=1, keep=keep))
    assert model.history.history == whole.history.history


def test_where_all_checkpoints_are_damaged_nothing_goes_on(tmp_path):
    broken(KINDS["sgd"](), callbacks.RunFolder(tmp_path / "run", every=1), 2, 2)
    for path in CheckpointFolder(tmp_path / "run" / "checkpoints").paths():
        path.write_bytes(b"x" + path.read_bytes()[1:])
    with pytest.warns(UserWarning, match="is no whole checkpoint"), pytest.raises(files.FileError, match="SHA-256"):
        fit(KINDS["sgd"](), tmp_path / "run")
    files.Lock(tmp_path / "run" / "lock").release()  # it was let go


def test_a_model_that_cannot_be_described_is_checkpointed_all_the_same(tmp_path):
    def make():
        return net(layers.Lambda(lambda x: x * 2), dense(), optimizer=optimizers.SGD(0.5))

    whole, model = make(), make()
    fit(whole, None)
    with pytest.warns(UserWarning, match="checkpoints are kept, but no model files.*Lambda"):
        broken(make(), callbacks.RunFolder(tmp_path / "run", every=1), 2, 2)
    with pytest.warns(UserWarning, match="but no model files"):
        fit(model, callbacks.RunFolder(tmp_path / "run", every=1))
    assert model.history.history == whole.history.history
    assert not list((tmp_path / "run").glob("*.keras"))


def test_a_person_is_told_where_it_goes_on(tmp_path, capsys):
    broken(KINDS["sgd"](), callbacks.RunFolder(tmp_path / "run", every=1), 2, 3)
    capsys.readouterr()
    fit(KINDS["sgd"](), callbacks.RunFolder(tmp_path / "run", every=1), verbose=2)
    assert f"{tmp_path / 'run'}: going on in epoch 3, step 3.\n" in capsys.readouterr().out
