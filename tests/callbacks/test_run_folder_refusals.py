"""RunFolder: runs that cannot go on, folders that are none, callbacks that raise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from going_on import Break, BrokenOff, Steps, X, Y, dense, leaves, net

from thalweg import callbacks, files, layers, optimizers
from thalweg.callbacks._checkpoints import CheckpointFolder


def fit(model, run, *more, **given):
    given = {"epochs": 4, "batch_size": 8, "verbose": 0, "seed": 7, **given}
    return model.fit(given.pop("x", X), given.pop("y", Y), callbacks=[Steps(), *more], run=run, **given)


@pytest.fixture
def run(tmp_path):
    """A run that was broken off in its second epoch."""
    with pytest.raises(BrokenOff):
        fit(made(), callbacks.RunFolder(tmp_path / "run", every=1), Break("on_safe_point", 1, 3))
    return tmp_path / "run"


def made(units=4, rate=0.3, loss="binary_crossentropy", layer=None):
    hidden = [dense(units), *([layer] if layer else [])]
    return net(*hidden, optimizer=optimizers.SGD(rate), loss=loss)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": {"units": 5}}, r"model 0/config/layers/1/config/units was 4, got 5"),
        ({"model": {"layer": layers.Dropout(0.1)}}, r"model 0/config/layers was \[.*\.\.\., got \["),
        ({"model": {"loss": "mse"}}, r"model 0/compile_config/loss/class_name was 'BinaryCrossentropy', got"),
        ({"batch_size": 10}, "fit batch_size was 8, got 10"),
        ({"shuffle": False}, "fit shuffle was True, got False"),
        ({"steps_per_epoch": 3}, "fit steps_per_epoch was None, got 3"),
        ({"initial_epoch": 1}, "fit initial_epoch was 0, got 1"),
        ({"x": X[:-1], "y": Y[:-1]}, "data rows was 26, got 25"),
        ({"x": X + 1}, "data sha256 was '"),
        ({"sample_weight": np.ones(26)}, "data sha256 was '"),
        ({"seed": 8}, r"holds a run with the seeds \[7\], got \[8\]"),
    ],
)
def test_another_fit_is_refused_with_the_difference(run, given, message):
    model = made(**given.pop("model", {}))
    before = (run / "run.json").read_bytes()
    with pytest.raises(ValueError, match=message):
        fit(model, run, **given)
    assert (run / "run.json").read_bytes() == before
    fit(made(), run)  # nothing was spoilt, and the lock is free


def test_another_learning_rate_is_told_of_and_the_runs_goes_on(run, tmp_path):
    whole, model = made(), made(rate=0.7)
    fit(whole, None)
    with pytest.warns(UserWarning, match=r"learning_rate is 0\.7 now, 0\.3 in the run: the run's goes on"):
        fit(model, run)
    for one, two in zip(leaves(whole), leaves(model), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_finished_run_is_refused_but_for_more_epochs(tmp_path):
    whole = made()
    fit(whole, None, epochs=6)
    for every in ("epoch", "1 h", 3):
        folder = tmp_path / str(every)
        fit(made(), callbacks.RunFolder(folder, every=every))
        for epochs in (4, 3):
            with pytest.raises(FileExistsError, match="holds a run that is finished, after 4 epochs: give another"):
                fit(made(), folder, epochs=epochs)
        model = made()
        fit(model, callbacks.RunFolder(folder, every=every), epochs=6)
        assert model.history.history == whole.history.history
        record = callbacks.read_run(folder).record
        assert record["ended"]["epochs"] == 6 and record["fit"]["epochs"] == 6 and len(record["resumed"]) == 1


def test_one_that_was_stopped_early_is_refused(tmp_path):
    stop = callbacks.EarlyStopping("loss", min_delta=10)
    fit(made(), tmp_path / "run", stop, epochs=9)
    assert callbacks.read_run(tmp_path / "run").state == "stopped early"
    with pytest.raises(FileExistsError, match="a run that is stopped early, after 2 epochs"):
        fit(made(), tmp_path / "run", callbacks.EarlyStopping("loss", min_delta=10), epochs=20)


def test_folders_that_are_no_runs(tmp_path):
    (tmp_path / "file").write_text("a")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="file is a file; a run needs a folder"):
        fit(made(), tmp_path / "file")
    with pytest.raises(FileExistsError, match="mine is there already and is no run"):
        fit(made(), tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "lock").touch()  # of a process that was killed at once
    (tmp_path / "empty" / ".run.json.17.part").touch()
    fit(made(), tmp_path / "empty", epochs=1)
    assert not list((tmp_path / "empty").glob(".*.part"))


@pytest.mark.parametrize("text", ["", "[]", '{"fit": ', '{"fit": {"epochs": 4}}', "{}"])
def test_a_damaged_record_is_refused(run, text):
    (run / "run.json").write_text(text)
    with pytest.raises(ValueError, match=r"run\.json|holds another run|holds a run"):
        fit(made(), run)


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_progress", "on_safe_point", "on_epoch_begin"])
def test_a_callback_that_raises_is_named_and_the_last_checkpoint_is_whole(hook, tmp_path):
    whole, model = made(), made()
    fit(whole, None)
    with pytest.raises(BrokenOff) as caught:
        fit(made(), callbacks.RunFolder(tmp_path / "run", every=1), Break(hook, 2))
    assert caught.value.__notes__ == [
        f"Raised by the callback Break, hook {hook}, in epoch {3 if hook != 'on_safe_point' else 2} of 4."
    ]
    assert CheckpointFolder(tmp_path / "run" / "checkpoints").newest() is not None
    fit(model, callbacks.RunFolder(tmp_path / "run", every=1))
    assert model.history.history == whole.history.history


def test_one_callback_more_starts_anew_and_one_less_is_told_of(run):
    class Count(callbacks.Callback):
        STATE = ("count",)
        count = 0

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1

    one = Count()
    with (
        pytest.warns(UserWarning, match="The checkpoint has no state of Count: it starts anew"),
        pytest.raises(BrokenOff),
    ):
        fit(made(), callbacks.RunFolder(run, every=1), one, Break("on_safe_point", 3, 2))
    assert one.count == 2
    model = made()
    with pytest.warns(UserWarning, match="has a state of Count, which is not among the callbacks"):
        fit(model, run)
    assert len(model.history.epoch) == 4 and len(model.history.warnings) == 2


def test_a_run_in_the_same_process_is_locked_too(tmp_path):
    class Again(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            fit(made(), tmp_path / "run")

    with pytest.raises(files.Locked, match="run is being written by process"):
        fit(made(), tmp_path / "run", Again())


def test_plain_data_alone_goes_into_the_record(tmp_path):
    fit(
        made(),
        callbacks.RunFolder(tmp_path / "run"),
        batch_size=np.int64(8),
        validation_split=0.25,
        validation_freq=(2, 4),
    )
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["fit"]["batch_size"] == 8 and record["fit"]["validation_freq"] == [2, 4]


@pytest.mark.parametrize("bad", [{"every": "often"}, {"every": 0}, {"every": None}, {"mode": "most"}, {"keep": 0}])
def test_bad_arguments(bad, tmp_path):
    with pytest.raises(ValueError, match=next(iter(bad))):
        callbacks.RunFolder(tmp_path / "run", **bad)
