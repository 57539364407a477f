"""A fit that was steered by hand is repeated to the last bit by the changes on its record."""

import json

import numpy as np
import pytest
from going_on import KINDS, Steps, X, Y, leaves
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg import callbacks

places = st.tuples(st.integers(0, 3), st.integers(0, 3))
turns = st.lists(st.tuples(places, st.sampled_from([0.5, 0.9, 2.0])), max_size=5)


class Hand(Steps):
    """Turns a hyper by a factor at some safe points, and stops at one."""

    def __init__(self, turned, stop=None):
        self.turned, self.stop = turned, stop

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:  # there is no safe point before the first step
            self.on_safe_point(0, 0)

    def on_safe_point(self, epoch, step, last=False):
        for at, factor in self.turned:
            if at == (epoch, step):
                self.model.hypers["optimizer/learning_rate"] *= factor
        if (epoch, step) == self.stop:
            self.model.stop_training = True


def fit(model, callback, **given):
    """Four epochs of four steps."""
    options = {"epochs": 4, "batch_size": 8, "verbose": 0, "seed": 1, "validation_data": (X[:10] + 1, Y[:10]), **given}
    return model.fit(X, Y, callbacks=[callback], **options)


@settings(max_examples=25, deadline=None)
@given(turns, st.none() | st.tuples(st.integers(0, 3), st.integers(1, 3)))
def test_the_changes_of_a_history_repeat_its_fit(turned, stop):
    by_hand, again = KINDS["adam"](), KINDS["adam"]()
    told = fit(by_hand, Hand(turned, stop))
    replay = callbacks.Replay([(one.epoch, one.step, one.path, one.new) for one in told.changes], stop)
    found = fit(again, replay)
    assert all(
        map(np.array_equal, leaves(by_hand), leaves(again))
    )  # what was turned when it stopped no step has run with
    assert found.history == told.history


def test_the_lines_of_a_run_do_too(tmp_path):
    by_hand, again = KINDS["momentum"](), KINDS["momentum"]()
    fit(by_hand, Hand([((1, 2), 0.5), ((3, 0), 2.0)]), run=tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    told = [one["change"] for one in lines if "change" in one]
    assert [(one["epoch"], one["step"]) for one in told] == [(1, 2), (3, 0)]
    fit(again, callbacks.Replay([(one["epoch"], one["step"], one["path"], one["new"]) for one in told]))
    assert all(map(np.array_equal, by_hand.get_weights(), again.get_weights()))


def test_notes_are_lines_and_survive_a_fit_that_is_broken_off(tmp_path):
    class Writes(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.history.noted(epoch, 4, f"<b>epoch</b> {epoch}")
            if epoch == 1 and not (tmp_path / "once").exists():
                (tmp_path / "once").touch()
                raise KeyboardInterrupt

    model = KINDS["sgd"]()
    with pytest.raises(KeyboardInterrupt):
        fit(model, Writes(), run=tmp_path / "run")
    history = fit(KINDS["sgd"](), Writes(), run=tmp_path / "run")
    assert [one.text for one in history.notes] == [f"<b>epoch</b> {i}" for i in range(4)] and "4 notes" in repr(history)
    lines = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert [one["note"]["text"] for one in lines if "note" in one] == [one.text for one in history.notes]


@pytest.mark.parametrize("change", [(1, 2, "rate"), (1, 2, "rate", "much"), 7, ("a", 0, "rate", 1.0)])
def test_what_is_no_change_is_told(change):
    with pytest.raises(ValueError, match=r"\(epoch, step, path, value\), got"):
        callbacks.Replay([change])
