"""A fit that was broken off and goes on is, to the last bit, the fit that was not."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import pytest
from going_on import (
    KINDS,
    WEIGHT,
    Break,
    BrokenOff,
    Hooks,
    Steps,
    Turn,
    X,
    Y,
    broken_fit,
    dense,
    files_of,
    leaves,
    same,
    states,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import callbacks, layers, optimizers

ROWS = {"sgd": {"class_weight": {0: 1.0, 1: 3.0}}, "momentum": {"sample_weight": WEIGHT}}
TURNED = {"schedule": "loss/label_smoothing", "adam": "dropout/rate"}
HOOKS = ("on_epoch_begin", "on_epoch_end", "on_progress", "on_safe_point", "on_test_begin")


def watchers(kind, folder):
    """Callbacks with a memory, and files of theirs."""
    folder.mkdir(exist_ok=True)
    listed = [
        callbacks.EarlyStopping("loss", patience=2, min_delta=0.02, restore_best_weights=True),
        callbacks.CSVLogger(folder / "fit.csv"),
        callbacks.ModelCheckpoint(
            folder / "{epoch}-{batch}-{loss:.3f}.weights.h5",
            "loss",
            save_best_only=True,
            save_weights_only=True,
            save_freq=3,
        ),
        callbacks.Convergence(1e-9, "gradient_norm" if kind == "sgd" else "loss"),
    ]
    if kind == "nadam":
        listed.append(callbacks.LearningRateScheduler(lambda epoch, rate: 0.9 * rate))
    elif kind != "schedule":
        listed.append(callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.05))
    if kind == "adamw":
        listed.append(callbacks.SwapEMAWeights(swap_on_epoch=True))
    return listed


def named(model):
    """The path of a hyper in a net whose layers have got other numbers."""
    return next(path for path in model.hypers if path.startswith("dropout"))


def going_on(kind, every, breaks, folder, *, keeper, hooks=False, turn=False, keeper_first=True, **fit):
    """The model of an unbroken fit and that of a broken one, with what their callbacks know."""
    targets = Y.astype(np.float32) if kind == "rmsprop" else Y

    def run(model, more, where):
        listed = watchers(kind, where)
        path = TURNED.get(kind, "optimizer/learning_rate")
        also = [Hooks() if hooks else Steps(), *([Turn(named(model) if "dropout" in path else path)] if turn else [])]
        kept = more if keeper_first else more[::-1]
        given = {"epochs": 5, "batch_size": 8, "verbose": 0, "seed": 3, **ROWS.get(kind, {}), **fit}
        model.fit(X, targets, callbacks=[*listed, *also, *kept], **given)
        return states([*listed, *also])

    def keep():
        if keeper == "run":
            return callbacks.RunFolder(folder / "run", every=every)
        return callbacks.BackupAndRestore(folder / "backup", save_freq=every)

    whole = KINDS[kind]()
    expected = run(whole, [], folder / "whole")
    broken, got = broken_fit(
        KINDS[kind], [Break(*one) for one in breaks], keep, lambda model, more: run(model, more, folder / "broken")
    )
    return (whole, expected), (broken, got)


@settings(max_examples=40, deadline=None, derandomize=True)
@example("adamw", 1, [("on_test_begin", 1, 0), ("on_epoch_end", 2, 0)], "run", False, False, True, None, True, True, 0)
@example("adamw", "epoch", [("on_epoch_begin", 2, 0)], "run", False, False, True, None, False, True, 0)
@example("sgd", "epoch", [("on_progress", 0, 2), ("on_progress", 1, 1)], "run", True, True, True, None, True, True, 0)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    every=st.sampled_from(["epoch", "2 epochs", 1, 1, 2, "3 steps", 5]),
    breaks=st.lists(st.tuples(st.sampled_from(HOOKS), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=3),
    keeper=st.sampled_from(["run", "backup"]),
    hooks=st.booleans(),
    turn=st.booleans(),
    shuffle=st.booleans(),
    steps=st.sampled_from([None, None, 3]),
    validated=st.booleans(),
    keeper_first=st.booleans(),
    initial_epoch=st.sampled_from([0, 0, 2]),
)
def test_a_fit_goes_on_as_if_nothing_had_happened(
    kind, every, breaks, keeper, hooks, turn, shuffle, steps, validated, keeper_first, initial_epoch
):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (whole, expected), (broken, got) = going_on(
            kind,
            every,
            sorted(breaks, key=lambda one: one[1:]),
            folder,
            keeper=keeper,
            hooks=hooks,
            turn=turn,
            keeper_first=keeper_first,
            shuffle=shuffle,
            steps_per_epoch=steps,
            initial_epoch=initial_epoch,
            validation_data=(X[:10] + 1, Y[:10].astype(np.float32) if kind == "rmsprop" else Y[:10])
            if validated
            else None,
        )
        same(whole, broken)
        np.testing.assert_equal(got, expected)
        assert files_of(folder / "broken") == files_of(folder / "whole")


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("before", [None, "", "epoch,loss,val_loss\n7,0.5,NA\n"])
@pytest.mark.parametrize("at", [("on_safe_point", 0, 2), ("on_progress", 1, 1)])
def test_a_csv_file_goes_on_where_it_was(append, before, at, tmp_path):
    """Lines written after the checkpoint are cut off, whatever stood there before."""

    def fit(model, more, name):
        log = callbacks.CSVLogger(tmp_path / name, append=append)
        model.fit(X, Y, epochs=3, batch_size=8, verbose=0, seed=1, callbacks=[log, Steps(), *more])

    for name in ("whole.csv", "broken.csv"):
        if before is not None:
            (tmp_path / name).write_text(before)
    fit(KINDS["sgd"](), [], "whole.csv")
    broken_fit(
        KINDS["sgd"],
        [Break(*at), Break("on_epoch_end", 1)],
        lambda: callbacks.BackupAndRestore(tmp_path / "backup", save_freq=2),
        lambda model, more: fit(model, more, "broken.csv"),
    )
    assert (tmp_path / "broken.csv").read_text() == (tmp_path / "whole.csv").read_text()


def test_a_csv_file_that_lost_lines_is_told_of(tmp_path):
    def fit(more):
        log, backup = callbacks.CSVLogger(tmp_path / "fit.csv"), callbacks.BackupAndRestore(tmp_path / "backup")
        KINDS["sgd"]().fit(X, Y, epochs=3, batch_size=8, verbose=0, seed=1, callbacks=[log, backup, *more])

    with pytest.raises(BrokenOff):
        fit([Break("on_safe_point", 2)])
    text = (tmp_path / "fit.csv").read_text()
    (tmp_path / "fit.csv").write_text(text[: text.index("\n1,") + 1])
    with pytest.warns(UserWarning, match=r"fit\.csv is \d+ bytes shorter than it was: lines of epochs before are lost"):
        fit([])
    assert [line.split(",")[0] for line in (tmp_path / "fit.csv").read_text().splitlines()] == ["epoch", "0", "2"]


def test_a_seed_that_nobody_gave_is_kept(tmp_path):
    def fit(model, more):
        model.fit(X, Y, epochs=3, batch_size=8, verbose=0, callbacks=[*more, Steps()], validation_split=0.2)

    broken, _ = broken_fit(
        KINDS["adam"],
        [Break("on_progress", 0, 2), Break("on_safe_point", 1, 1), Break("on_epoch_end", 2)],
        lambda: callbacks.RunFolder(tmp_path / "run", every=2),
        fit,
    )
    whole = KINDS["adam"]()
    seed = callbacks.read_run(tmp_path / "run").record["seeds"][0]
    whole.fit(X, Y, epochs=3, batch_size=8, verbose=0, seed=seed, validation_split=0.2)
    same(whole, broken)


def test_a_run_that_left_no_checkpoint_begins_anew_with_its_own_seed(tmp_path):
    for last in (False, True):
        model = KINDS["adam"]()
        more = [] if last else [Break("on_progress", 0, 1)]
        with nullcontext() if last else pytest.raises(BrokenOff):
            model.fit(X, Y, epochs=1, batch_size=8, verbose=0, callbacks=[Steps(), *more], run=tmp_path / "run")
    whole = KINDS["adam"]()
    seed = callbacks.read_run(tmp_path / "run").record["seeds"][0]
    whole.fit(X, Y, epochs=1, batch_size=8, verbose=0, seed=seed)
    same(whole, model)


def test_a_fit_that_was_stopped_in_the_middle_of_an_epoch_stays_stopped(tmp_path):
    class Stop(Steps):
        def on_progress(self, step, logs=None):
            self.model.stop_training = step >= 2

    models = []
    for more in ([], [callbacks.BackupAndRestore(tmp_path / "b", save_freq=1), Break("on_safe_point", 0, 2)], "again"):
        model = KINDS["sgd"]()
        kept = [callbacks.BackupAndRestore(tmp_path / "b", save_freq=1)] if more == "again" else more
        with suppress(BrokenOff):
            model.fit(X, Y, epochs=3, batch_size=8, verbose=0, seed=1, callbacks=[Stop(), *kept])
        models.append(model)
    same(models[0], models[2])
    assert int(np.asarray(models[2].steps_taken)) == 2


def test_one_that_was_stopped_after_an_epoch_gives_the_best_weights_back(tmp_path):
    def fit(model, more):
        stop = callbacks.EarlyStopping("loss", min_delta=10, patience=1, restore_best_weights=True)
        model.fit(X, Y, epochs=6, batch_size=8, verbose=0, seed=1, callbacks=[stop, *more])

    whole = KINDS["sgd"]()
    fit(whole, [])
    assert len(whole.history.epoch) == 2
    broken, _ = broken_fit(
        KINDS["sgd"], [Break("on_safe_point", 2)], lambda: callbacks.BackupAndRestore(tmp_path / "b"), fit
    )
    same(whole, broken)


def test_fewer_epochs_than_were_trained_give_the_state_of_the_checkpoint(tmp_path):
    def fit(model, more, epochs):
        model.fit(X, Y, epochs=epochs, batch_size=8, verbose=0, seed=1, callbacks=[Steps(), *more])

    backup = [callbacks.BackupAndRestore(tmp_path / "b", save_freq=1), Break("on_safe_point", 2, 3)]
    first, second = KINDS["momentum"](), KINDS["momentum"]()
    with pytest.raises(Exception, match="on_safe_point 2 3"):
        fit(first, backup, 6)
    fit(second, backup[:1], 1)
    for one, two in zip(leaves(first), leaves(second), strict=True):
        np.testing.assert_array_equal(one, two)


def test_layers_may_have_other_names(tmp_path):
    """Hypers are known by their places."""
    count = iter(range(9))

    def functional():
        number = next(count)
        inputs = thalweg.Input((3,))
        hidden = layers.Dropout(0.2, name=f"drop{number}")(dense()(inputs))
        model = thalweg.Model(inputs, layers.Dense(1, activation="sigmoid", name=f"out{number}")(hidden))
        model.compile(optimizers.Adam(0.05), {f"out{number}": "binary_crossentropy"}, metrics=["accuracy"])
        return model

    def fit(model, more):
        path = next(path for path in model.hypers if path.startswith("drop"))
        turn = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: model.hypers.update({path: 0.1 * epoch}))
        model.fit(X, Y, epochs=4, batch_size=8, verbose=0, seed=1, callbacks=[*more, turn, Steps()])

    whole = functional()
    fit(whole, [])
    broken, _ = broken_fit(
        functional, [Break("on_progress", 2, 2)], lambda: callbacks.RunFolder(tmp_path / "run", every=1), fit
    )
    for model in (whole, broken):
        assert all(change.path.startswith("drop") for change in model.history.changes)
        model.history.changes[:] = [change._replace(path="drop") for change in model.history.changes]
    same(whole, broken)


def test_two_that_keep_checkpoints_agree(tmp_path):
    """The fit goes on from the later one, and a stream is passed over once."""

    def fit(model, more):
        backup = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=2)
        model.fit(
            ((X[i : i + 8], Y[i : i + 8]) for i in [0, 8, 16] * 9),
            steps_per_epoch=4,
            epochs=4,
            verbose=0,
            seed=1,
            callbacks=[backup, *more, Steps()],
        )

    whole = KINDS["sgd"]()
    fit(whole, [])
    broken, _ = broken_fit(
        KINDS["sgd"], [Break("on_safe_point", 2, 3)], lambda: callbacks.RunFolder(tmp_path / "run", every=3), fit
    )
    same(whole, broken)
