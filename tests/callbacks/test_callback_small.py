"""LambdaCallback, LearningRateScheduler, CSVLogger."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from callback_fakes import FakeModel, drive

from thalweg.callbacks import CallbackList, CSVLogger, LambdaCallback, LearningRateScheduler
from thalweg.callbacks._callback import HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_lambda_takes_every_hook_by_keyword(hook):
    calls = []
    one = LambdaCallback(**{hook: lambda *arguments: calls.append(arguments)})
    getattr(one, hook)(1, {})
    assert calls == [(1, {})]
    assert LambdaCallback(**{hook: None}).wants_batches is False


def test_lambda_refuses_what_is_no_hook():
    with pytest.raises(TypeError, match="Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epochs_end=print)
    with pytest.raises(TypeError, match="on_epoch_end must be callable, got LambdaCallback\\(on_epoch_end=3\\)"):
        LambdaCallback(on_epoch_end=3)


def test_a_lambda_with_an_older_name_is_called_by_the_train_hook():
    calls = []
    listed = CallbackList(LambdaCallback(on_batch_end=lambda batch, logs: calls.append((batch, logs))))
    listed.on_train_batch_end(4, {"loss": 1.0})
    assert calls == [(4, {"loss": 1.0})]


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch, rate: rate / 2,
        lambda epoch: 0.8 / 2 ** (epoch + 1),
        lambda epoch, lr=None: lr / 2,
        lambda *arguments: np.float32(arguments[1] / 2),
    ],
)
def test_a_schedule_of_one_or_two_arguments_sets_the_rate(schedule):
    model = FakeModel(0.8)
    listed, _ = drive(LearningRateScheduler(schedule), [{"loss": 1.0}] * 3, model)
    assert listed.history.history["learning_rate"] == pytest.approx([0.4, 0.2, 0.1])


def test_a_schedule_says_what_it_sets_where_asked(capsys):
    drive(LearningRateScheduler(lambda epoch: 1, verbose=1), [{}])
    assert capsys.readouterr().out == "Epoch 1: learning rate set to 1.\n"


@pytest.mark.parametrize("bad", [None, "0.1", math.nan, math.inf, [0.1]])
def test_a_schedule_must_give_a_number(bad):
    with pytest.raises(ValueError, match=r"schedule must give a finite number, got .* for epoch 0"):
        drive(LearningRateScheduler(lambda epoch: bad), [{}])


@pytest.mark.parametrize("bad", [0.1, lambda: 1, lambda a, b, c: 1])
def test_a_schedule_must_be_callable_with_an_epoch(bad):
    with pytest.raises(TypeError, match="schedule must be callable as"):
        LearningRateScheduler(bad)


def test_a_type_error_inside_a_schedule_is_not_taken_for_its_signature():
    with pytest.raises(TypeError, match="unsupported operand"):
        drive(LearningRateScheduler(lambda epoch, rate: rate + "x"), [{}])


def test_csv_grows_by_a_flushed_line_an_epoch(tmp_path):
    path = tmp_path / "fit.csv"
    seen = []
    peek = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(len(path.read_text().splitlines())))
    drive([CSVLogger(path), peek], [{"loss": 1.0}, {"loss": 0.5, "val_loss": 2.0}, {"val_loss": 1.0}])
    assert seen == [2, 3, 4]
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["epoch", "loss", "val_loss"], ["0", "1.0", "NA"], ["1", "0.5", "2.0"], ["2", "NA", "1.0"]]


def test_csv_appends_under_the_columns_that_are_there(tmp_path):
    path = tmp_path / "fit.csv"
    for logs in ({"val_loss": 2.0, "loss": 1.0}, {"loss": 0.5, "accuracy": 0.9, "val_loss": 1.5}):
        drive(CSVLogger(path, separator=";", append=True), [logs])
    assert path.read_text().splitlines() == ["epoch;loss;val_loss", "0;1.0;2.0", "0;0.5;1.5"]
    drive(CSVLogger(path), [{"loss": 3.0}])
    assert path.read_text().splitlines() == ["epoch,loss,val_loss", "0,3.0,NA"]


def test_csv_is_closed_where_a_fit_raises(tmp_path):
    log = CSVLogger(tmp_path / "fit.csv")
    with pytest.raises(ZeroDivisionError), CallbackList(log) as listed:
        listed.on_train_begin()
        opened = log._file
        raise ZeroDivisionError
    assert opened is not None and opened.closed and log._file is None


def test_csv_names_the_path_it_cannot_write(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        drive(CSVLogger(tmp_path / "absent" / "fit.csv"), [{}])
