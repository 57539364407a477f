"""CallbackList: order, batches, stops, errors, and what it takes for a callback."""

from __future__ import annotations

import numpy as np
import pytest
from callback_fakes import FakeModel, drive

from thalweg.callbacks import Callback, CallbackList, EarlyStopping, History, LambdaCallback, ProgressBar
from thalweg.callbacks._callback import HOOKS


class Recorder(Callback):
    def __init__(self, name, calls):
        self.calls, self.name = calls, name


def _recording(hook):
    def method(self, *arguments):
        self.calls.append((self.name, hook, *arguments))
        if not hook.startswith("on_batch"):
            getattr(Callback, hook)(self, *arguments)

    return method


for _hook in HOOKS:
    setattr(Recorder, _hook, _recording(_hook))

WITHOUT_POSITION = {f"on_{phase}_{edge}" for phase in ("train", "test", "predict") for edge in ("begin", "end")}


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_reaches_every_callback_in_order(hook):
    calls = []
    listed = CallbackList([Recorder("a", calls), Recorder("b", calls)], model=None, epochs=3)
    position = () if hook in WITHOUT_POSITION else (2,)
    getattr(listed, hook)(*position, {"loss": np.float32(0.5)})
    direct = [call for call in calls if call[1] == hook]
    assert direct == [(name, hook, *position, {"loss": 0.5}) for name in "ab"]
    assert type(direct[0][-1]["loss"]) is float
    older = [call[1] for call in calls if call[1] != hook]
    assert older == ([hook.replace("train_", "")] * 2 if hook.startswith("on_train_batch") else [])


def test_every_hook_may_come_without_logs():
    calls = []
    listed = CallbackList(Recorder("a", calls), model=None)
    for hook in HOOKS:
        getattr(listed, hook)(*(() if hook in WITHOUT_POSITION else (0,)))
    assert {call[1] for call in calls} == set(HOOKS)
    assert all(call[-1] in ({}, None) for call in calls)  # None: an older name, called by the newer hook


def test_order_is_the_users_then_history_then_the_bar():
    stopping, log = EarlyStopping("loss", mode="min"), LambdaCallback()
    listed = CallbackList([stopping, [log]], model=FakeModel(), epochs=2, steps=3, verbose=2)
    assert [type(one) for one in listed] == [EarlyStopping, LambdaCallback, History, ProgressBar]
    assert stopping.model is listed.model and log.params == {"verbose": 2, "epochs": 2, "steps": 3}
    assert [type(one) for one in CallbackList(verbose=0)] == [History]
    assert len(CallbackList(add_history=False)) == 0 and bool(CallbackList(add_history=False))


def test_a_history_or_a_bar_of_the_users_is_kept():
    history, bar = History(), ProgressBar(0)
    listed = CallbackList([bar, history], verbose="auto")
    assert list(listed) == [bar, history] and listed.history is history


def test_a_single_callback_a_tuple_or_a_list_of_callbacks_will_do():
    one = LambdaCallback()
    listed = CallbackList(one)
    assert listed.callbacks[0] is one
    again = CallbackList(listed)
    assert again.callbacks == listed.callbacks and again.history is listed.history
    assert CallbackList((one,)).callbacks[0] is one
    listed.append(two := LambdaCallback())
    assert listed.callbacks[-1] is two


@pytest.mark.parametrize("wrong", ["early", 3, [None], {"loss": 1}, lambda epoch: None, object()])
def test_anything_else_is_named(wrong):
    with pytest.raises(TypeError, match="callbacks must hold callbacks"):
        CallbackList(wrong)


def test_a_class_in_the_place_of_an_object_is_told():
    with pytest.raises(TypeError, match=r"write EarlyStopping\(\)"):
        CallbackList([EarlyStopping])


def test_what_one_adds_to_the_logs_the_next_one_sees_but_not_the_caller():
    def add(epoch, logs):
        logs["f1"] = np.float32(0.25)

    given = {"loss": 1.0, "accuracy": 0.5}
    listed, _ = drive(LambdaCallback(on_epoch_end=add), [given])
    assert listed.history.history == {"accuracy": [0.5], "loss": [1.0], "f1": [0.25]}
    assert list(listed.history.history) == ["accuracy", "loss", "f1"]
    assert given == {"loss": 1.0, "accuracy": 0.5}


@pytest.mark.parametrize(
    ("hook", "phase"),
    [
        *((f"on_{phase}_batch_{edge}", phase) for phase in ("train", "test", "predict") for edge in ("begin", "end")),
        ("on_batch_begin", "train"),
        ("on_batch_end", "train"),
        ("on_progress", None),
        ("on_epoch_end", None),
    ],
)
def test_batches_are_wanted_where_a_batch_hook_is_overridden(hook, phase):
    made = type("Made", (Callback,), {hook: lambda self, *_: None})()
    for one in (made, LambdaCallback(**{hook: lambda *_: None})):
        listed = CallbackList(one)
        wants = {name for name in ("train", "test", "predict") if getattr(listed, f"wants_{name}_batches")}
        assert wants == ({phase} - {None})
        assert one.wants_batches == listed.wants_batches == (phase == "train")


def test_own_callbacks_want_no_batches():
    listed = CallbackList([EarlyStopping("loss", mode="min")], verbose=1)
    assert not (listed.wants_train_batches or listed.wants_test_batches or listed.wants_predict_batches)


def test_next_stop_is_the_nearest_one_ahead():
    every = [LambdaCallback(next_stop=lambda step, n=n: (step // n + 1) * n) for n in (7, 4)]
    listed = CallbackList([*every, LambdaCallback(next_stop=lambda step: None), LambdaCallback(next_stop=lambda s: 0)])
    assert [listed.next_stop(step) for step in (0, 3, 4, 7, 8, 13)] == [4, 4, 7, 8, 12, 14]
    assert CallbackList(LambdaCallback()).next_stop(5) is None
    assert Callback().next_stop(5) is None


def test_needs_are_gathered():
    listed = CallbackList([EarlyStopping("gradient_norm"), EarlyStopping("loss", mode="min")])
    assert listed.needs == {"gradient_norm"}


def test_an_error_is_raised_as_it_is_with_a_note_of_who_and_when():
    def fail(epoch, logs):
        if epoch == 2:
            raise KeyError("gone")

    class Mine(LambdaCallback):
        pass

    with pytest.raises(KeyError) as caught:
        drive(Mine(on_epoch_end=fail), [{"loss": 1.0}] * 5)
    assert caught.value.args == ("gone",)
    assert caught.value.__notes__ == ["Raised by the callback Mine, hook on_epoch_end, in epoch 3 of 5."]
    with pytest.raises(ZeroDivisionError) as caught:
        CallbackList(LambdaCallback(on_test_begin=lambda logs: 1 / 0)).on_test_begin()
    assert caught.value.__notes__ == ["Raised by the callback LambdaCallback, hook on_test_begin."]


def test_a_context_closes_all_even_where_one_cannot():
    closed = []

    class Closing(Callback):
        def __init__(self, name):
            self.name = name

        def close(self):
            closed.append(self.name)
            if self.name == "b":
                raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), CallbackList([Closing("a"), Closing("b"), Closing("c")]):
        pass
    assert sorted(closed) == ["a", "b", "c"]


def test_an_object_that_merely_has_some_hooks_is_a_callback():
    class Foreign:
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append((epoch, logs))

    one = Foreign()
    drive(one, [{"loss": 1.0}])
    assert one.seen == [(0, {"loss": 1.0})]


def test_a_subclass_need_not_call_super_init():
    class Bare(Callback):
        def __init__(self):
            pass

    assert Bare().model is None and Bare().params is None
    drive(Bare(), [{"loss": 1.0}])
