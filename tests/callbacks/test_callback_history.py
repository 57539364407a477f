"""History: what a fit returns."""

from __future__ import annotations

import numpy as np
from callback_fakes import drive

from thalweg.callbacks import History, HyperChange
from thalweg.callbacks import _history as module


def test_history_holds_python_floats_and_zero_based_epochs():
    logs = [{"loss": np.float32(2.0), "each": np.array([0.5, 0.25])}, {"loss": 1, "val_loss": 3.0}]
    listed, _ = drive([], logs, steps=7)
    history = listed.history
    assert history.history == {"each": [[0.5, 0.25]], "loss": [2.0, 1.0], "val_loss": [3.0]}
    assert all(type(value) is float for value in history.history["loss"])
    assert history.epoch == [0, 1]
    assert history.params == {"verbose": 0, "epochs": 2, "steps": 7}
    assert (history.changes, history.warnings) == ([], [])


def test_seconds_are_those_of_a_clock_that_does_not_jump(monkeypatch):
    clock = iter([10.0, 12.5, 20.0, 20.25])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    history = History()
    for epoch in range(2):
        history.on_epoch_begin(epoch)
        history.on_epoch_end(epoch, {})
    assert history.seconds == [2.5, 0.25]


def test_one_history_of_several_fits_goes_on():
    history = History()
    for _ in range(2):
        drive(history, [{"loss": 1.0}, {"loss": 0.5}])
    assert history.history["loss"] == [1.0, 0.5, 1.0, 0.5] and history.epoch == [0, 1, 0, 1]


def test_repr_tells_the_course_of_every_log():
    listed, _ = drive([], [{"loss": loss, "acc": 0.5, "each": [0.1]} for loss in (2.0, 0.0005, float("nan"), 0.25)])
    history = listed.history
    history.seconds = [1.0] * 4
    history.changes.append(HyperChange(1, 0, "optimizer/learning_rate", 0.1, 0.01))
    history.warnings += ["one", "two"]
    assert repr(history).splitlines() == [
        "History of 4 epochs, 4.0 s",
        "  acc   0.5000 -> 0.5000  (lowest 0.5000, highest 0.5000)",
        "  each  [0.1000]",
        "  loss  2.0000 -> 0.2500  (lowest 5.0000e-04, highest 2.0000)",
        "  1 hyperparameter change",
        "  2 warnings",
    ]
    assert repr(History()) == "History of 0 epochs, 0.0 s"
    assert repr(drive([], [{"loss": float("nan")}])[0].history).splitlines()[1] == "  loss  nan"
