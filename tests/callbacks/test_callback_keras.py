"""Side by side with Keras: the same logs, driven by hand through its callbacks and ours."""

from __future__ import annotations

import math
import os
import warnings

import numpy as np
import pytest
from callback_fakes import FakeModel, drive
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg import callbacks as ours

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

# eighths are exact in single precision, in which Keras compares
VALUES = st.integers(-24, 24).map(lambda n: n / 8)
DELTAS = st.integers(-4, 4).map(lambda n: n / 16)
MODES = st.sampled_from(["min", "max"])
CALM = settings(max_examples=80, deadline=None, derandomize=True)


def with_keras(callback, logs, rate=0.01):
    """The model after a fit that logs `logs`, the logs at its end, and how many epochs ran."""
    model = FakeModel(rate)
    callback.set_model(model)
    callback.on_train_begin()
    seen = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for epoch, found in enumerate(logs):
            callback.on_epoch_begin(epoch)
            model.weights = epoch + 1
            seen.append(dict(found))
            callback.on_epoch_end(epoch, seen[-1])
            if model.stop_training:
                break
    callback.on_train_end()
    return model, seen


def with_ours(callback, logs, rate=0.01):
    """The same with ours."""
    model, seen = FakeModel(rate), []
    keep = ours.LambdaCallback(on_epoch_end=lambda epoch, found: seen.append(dict(found)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drive([callback, keep], logs, model)
    return model, seen


def as_logs(values):
    return [{"loss": 0.0} if value is None else {"score": value} for value in values]


@CALM
@given(
    values=st.lists(st.none() | VALUES, min_size=1, max_size=14),
    mode=MODES,
    min_delta=DELTAS,
    patience=st.integers(0, 4),
    baseline=st.none() | VALUES,
    restore=st.booleans(),
    start=st.integers(0, 4),
)
def test_early_stopping(values, mode, min_delta, patience, baseline, restore, start):
    arguments = dict(
        monitor="score",
        mode=mode,
        min_delta=min_delta,
        patience=patience,
        baseline=baseline,
        restore_best_weights=restore,
        start_from_epoch=start,
    )
    theirs, mine = keras.callbacks.EarlyStopping(**arguments), ours.EarlyStopping(**arguments)
    expected, got = with_keras(theirs, as_logs(values)), with_ours(mine, as_logs(values))
    assert got[1] == expected[1]
    assert got[0].restored == expected[0].restored
    for name in ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"):
        assert getattr(mine, name) == getattr(theirs, name), name


@CALM
@given(
    first=VALUES,
    values=st.lists(st.none() | st.just(math.nan) | VALUES, max_size=12),
    mode=MODES,
    patience=st.integers(0, 4),
    baseline=st.none() | VALUES,
)
def test_early_stopping_takes_a_nan_for_the_worst_value(first, values, mode, patience, baseline):
    worst = math.inf if mode == "min" else -math.inf
    arguments = dict(monitor="score", mode=mode, patience=patience, baseline=baseline, restore_best_weights=True)
    theirs, mine = keras.callbacks.EarlyStopping(**arguments), ours.EarlyStopping(**arguments)
    replaced = [worst if value is not None and math.isnan(value) else value for value in [first, *values]]
    expected, got = with_keras(theirs, as_logs(replaced)), with_ours(mine, as_logs([first, *values]))
    assert len(got[1]) == len(expected[1]) and got[0].restored == expected[0].restored
    assert (mine.wait, mine.best, mine.best_epoch) == (theirs.wait, theirs.best, theirs.best_epoch)


@CALM
@given(
    values=st.lists(st.none() | VALUES, min_size=1, max_size=16),
    mode=MODES,
    min_delta=DELTAS,
    patience=st.integers(0, 3),
    cooldown=st.integers(0, 3),
    factor=st.sampled_from([0.0, 0.1, 0.5]),
    min_lr=st.sampled_from([0.0, 0.001, 0.02]),
)
def test_reduce_lr_on_plateau(values, mode, min_delta, patience, cooldown, factor, min_lr):
    arguments = dict(
        monitor="score",
        mode=mode,
        min_delta=min_delta,
        patience=patience,
        cooldown=cooldown,
        factor=factor,
        min_lr=min_lr,
    )
    theirs, mine = keras.callbacks.ReduceLROnPlateau(**arguments), ours.ReduceLROnPlateau(**arguments)
    expected, got = with_keras(theirs, as_logs(values)), with_ours(mine, as_logs(values))
    rates = [[found["learning_rate"] for found in one[1]] for one in (expected, got)]
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-6)
    np.testing.assert_allclose(got[0].optimizer.learning_rate, expected[0].optimizer.learning_rate, rtol=1e-6)
    for name in ("wait", "cooldown_counter", "best"):
        assert getattr(mine, name) == getattr(theirs, name), name


@CALM
@given(factors=st.lists(st.floats(0.1, 2.0), min_size=1, max_size=6), takes_rate=st.booleans())
def test_learning_rate_scheduler(factors, takes_rate):
    def of_both(epoch, rate):
        return rate * factors[epoch]

    def of_epoch(epoch):
        return 0.5 * factors[epoch]

    schedule = of_both if takes_rate else of_epoch
    logs = [{"loss": 1.0} for _ in factors]
    expected = with_keras(keras.callbacks.LearningRateScheduler(schedule), logs)
    got = with_ours(ours.LearningRateScheduler(schedule), logs)
    assert [list(found) for found in got[1]] == [list(found) for found in expected[1]]
    rates = [[found["learning_rate"] for found in one[1]] for one in (expected, got)]
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-6)


@CALM
@given(
    logs=st.lists(
        st.dictionaries(st.sampled_from(["loss", "val_loss", "accuracy", "f, 1"]), st.floats(), max_size=4),
        min_size=1,
        max_size=4,
    ),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_csv_logger_writes_the_same_bytes(tmp_path_factory, logs, separator):
    folder = tmp_path_factory.mktemp("csv")
    with_keras(keras.callbacks.CSVLogger(str(folder / "theirs"), separator), logs)
    with_ours(ours.CSVLogger(folder / "ours", separator), logs)
    assert (folder / "ours").read_bytes() == (folder / "theirs").read_bytes()


def test_callbacks_of_keras_work_in_our_list(tmp_path):
    calls = []
    theirs = [
        keras.callbacks.EarlyStopping("loss", mode="min", patience=2, restore_best_weights=True),
        keras.callbacks.CSVLogger(str(tmp_path / "fit.csv")),
        keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: calls.append(epoch)),
        keras.callbacks.LearningRateScheduler(lambda epoch: 0.5),
    ]
    model = FakeModel()
    listed, ran = drive(theirs, [{"loss": loss} for loss in (2.0, 1.0, 3.0, 4.0, 5.0)], model)
    assert (ran, model.restored, calls) == (4, [2], [0, 1, 2, 3])
    assert listed.history.history["learning_rate"] == [0.5] * 4
    assert len((tmp_path / "fit.csv").read_text().splitlines()) == 5
    assert not listed.wants_train_batches
    assert ours.CallbackList(keras.callbacks.TerminateOnNaN()).wants_train_batches
    assert ours.CallbackList(keras.callbacks.LambdaCallback(on_train_batch_end=print)).wants_train_batches


def test_every_hook_of_keras_is_one_of_ours():
    theirs = {name for name in dir(keras.callbacks.Callback) if name.startswith("on_")}
    assert theirs == {name for name in dir(ours.Callback) if name.startswith("on_")} - {
        "on_progress",
        "on_safe_point",
        "on_search_begin",
    }
