"""Ctrl-C and SIGTERM during a fit."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
from going_on import KINDS, Break, BrokenOff, Steps, X, Y, leaves, same

from thalweg import callbacks
from thalweg.callbacks._checkpoints import CheckpointFolder


class Press(Steps):
    """Sends signals to this process at a place of the fit."""

    def __init__(self, at, *numbers, hook="on_progress"):
        self.at, self.numbers, self.hook, self.epoch = at, numbers, hook, 0

    def _press(self, hook, *at):
        if hook == self.hook and at == self.at:
            for number in self.numbers:
                os.kill(os.getpid(), number)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_progress(self, step, logs=None):
        self._press("on_progress", self.epoch, step)

    def on_epoch_end(self, epoch, logs=None):
        self._press("on_epoch_end", epoch)

    def on_test_begin(self, logs=None):
        self._press("on_test_begin", self.epoch)

    def on_safe_point(self, epoch, step, last=False):
        if not last:
            self._press("on_safe_point", epoch, step)


def fit(model, *more, **given):
    """Four epochs of four steps."""
    given = {"epochs": 4, "batch_size": 8, "verbose": 0, "seed": 1, "validation_data": (X[:10] + 1, Y[:10]), **given}
    return model.fit(X, Y, callbacks=list(more), **given)


def backup(tmp_path, every="1 h"):
    return callbacks.BackupAndRestore(tmp_path / "backup", save_freq=every)


def newest(tmp_path):
    found = CheckpointFolder(tmp_path / "backup").newest()
    return None if found is None else (found["epoch"], found["step"])


@pytest.fixture(autouse=True)
def as_before():
    """Every test leaves the handlers as it found them."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("hook", "at", "left"),
    [
        ("on_progress", (1, 2), (1, 2)),
        ("on_safe_point", (2, 0), (2, 0)),
        ("on_epoch_end", (1,), (2, 0)),
        ("on_test_begin", (1,), (1, 4)),
    ],
)
def test_a_signal_leaves_a_checkpoint_to_go_on_from(number, hook, at, left, tmp_path):
    whole, first, second = KINDS["adam"](), KINDS["adam"](), KINDS["adam"]()
    fit(whole, Steps())
    raised = KeyboardInterrupt if number == signal.SIGINT else SystemExit
    with pytest.raises(raised) as caught:
        fit(first, backup(tmp_path), Press(at, number, hook=hook))
    assert number == signal.SIGINT or caught.value.code == 143
    assert newest(tmp_path) == left
    assert first.history.epoch == list(range(left[0])) and first.session is None
    fit(second, backup(tmp_path), Steps())
    same(whole, second)


def test_ctrl_c_gives_the_best_weights_back_but_the_checkpoint_holds_those_trained(tmp_path):
    class Worse(Press):
        def on_epoch_end(self, epoch, logs=None):
            self.epoch = epoch
            logs["score"] = 1.0 if epoch == 0 else 2.0
            if epoch == 0:
                self.kept = self.model.get_weights()

    def stop():
        return callbacks.EarlyStopping("score", mode="min", patience=9, restore_best_weights=True)

    press, model = Worse((2, 3), signal.SIGINT), KINDS["adam"]()
    with pytest.raises(KeyboardInterrupt):
        fit(model, press, stop(), backup(tmp_path))
    for one, two in zip(model.get_weights(), press.kept, strict=True):
        np.testing.assert_array_equal(one, two)
    assert len(model.history.history["loss"]) == 2 and "History of 2 epochs" in repr(model.history)
    whole, second = KINDS["adam"](), KINDS["adam"]()
    fit(whole, Worse((9, 9)), stop())
    fit(second, Worse((9, 9)), stop(), backup(tmp_path))
    same(whole, second)


def test_a_second_ctrl_c_does_not_wait(tmp_path):
    """Nobody knows then in the middle of what it came: the checkpoint before is what counts."""
    whole, first, second = KINDS["adam"](), KINDS["adam"](), KINDS["adam"]()
    fit(whole, Steps())
    with pytest.raises(KeyboardInterrupt):
        fit(first, backup(tmp_path, 3), Press((1, 2), signal.SIGINT, signal.SIGINT))
    assert newest(tmp_path) == (0, 3)
    fit(second, backup(tmp_path, 3), Steps())
    same(whole, second)


def test_an_interrupt_that_a_callback_raises_writes_no_half_state(tmp_path):
    class Raise(Steps):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    whole, first, second = KINDS["adam"](), KINDS["adam"](), KINDS["adam"]()
    reduce = {"monitor": "loss", "patience": 1, "min_delta": 0.5, "factor": 0.5}
    fit(whole, callbacks.ReduceLROnPlateau(**reduce), Steps())
    with pytest.raises(KeyboardInterrupt):
        fit(first, callbacks.ReduceLROnPlateau(**reduce), backup(tmp_path, 2), Raise())
    assert newest(tmp_path) == (1, 4)
    fit(second, callbacks.ReduceLROnPlateau(**reduce), backup(tmp_path, 2), Steps())
    same(whole, second)


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_safe_point"])
def test_what_comes_at_the_very_end_is_not_swallowed(hook):
    model = KINDS["sgd"]()
    at = (3,) if hook == "on_epoch_end" else (4, 0)
    with pytest.raises(SystemExit):
        fit(model, Press(at, signal.SIGTERM, hook=hook))
    assert model.history.epoch == [0, 1, 2, 3]


def test_somebody_elses_handlers_are_left_alone():
    calls = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        model = KINDS["sgd"]()
        fit(model, Press((1, 2), signal.SIGTERM, signal.SIGINT))
        assert calls == [signal.SIGTERM] and len(model.history.epoch) == 4
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, ignored)


def test_a_fit_in_another_thread_can_be_broken_off_and_go_on(tmp_path):
    whole, first, second = KINDS["adam"](), KINDS["adam"](), KINDS["adam"]()
    fit(whole, Steps())
    raised = []

    def in_a_thread(model, *more):
        try:
            fit(model, *more)
        except BrokenOff as error:
            raised.append(error)

    for model, more in ((first, [Break("on_progress", 1, 2)]), (second, [])):
        thread = threading.Thread(target=in_a_thread, args=(model, backup(tmp_path, 1), Steps(), *more))
        thread.start()
        thread.join()
    assert len(raised) == 1
    same(whole, second)


def test_weights_are_whole_after_ctrl_c_without_checkpoints():
    model = KINDS["adam"]()
    with pytest.raises(KeyboardInterrupt):
        fit(model, Press((1, 2), signal.SIGINT))
    assert int(np.asarray(model.steps_taken)) == 6
    assert all(np.isfinite(leaf).all() for leaf in leaves(model))
