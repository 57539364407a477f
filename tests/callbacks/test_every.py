"""How often something is done."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.callbacks import _every
from thalweg.callbacks._every import Every


@pytest.fixture
def clock(monkeypatch):
    """A clock that is put forward by hand."""
    now = [1000.0]
    monkeypatch.setattr(_every.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("words", "count", "unit"),
    [
        ("epoch", 1, "epoch"), ("3 epochs", 3, "epoch"), ("1 epoch", 1, "epoch"), ("500 steps", 500, "step"),
        ("step", 1, "step"), (7, 7, "step"), (np.int64(7), 7, "step"), ("30 s", 30, "s"), ("1.5 min", 90, "s"),
        ("5 mins", 300, "s"), ("2 hours", 7200, "s"), ("0.5 h", 1800, "s"), ("1e3 steps", 1000, "step"),
    ],
)  # fmt: skip
def test_words(words, count, unit):
    every = Every(words, "every")
    assert (every.count, every.unit) == (count, unit)


@pytest.mark.parametrize(
    "bad",
    [
        "", " ", "often", "5", "5min", "min", "0 epochs", "-3 steps", "1.5 epochs", "nan steps", "inf steps", "inf s",
        "nan s", "5 5 steps", "5 days", "epoch 5", 0, -1, True, False, 1.5, None, [5], {}, b"epoch", np.float32(3),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(bad):
    with pytest.raises(ValueError, match=r"save_freq must be 'epoch', '3 epochs'.*, got save_freq="):
        Every(bad, "save_freq")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 30), st.lists(st.integers(1, 12), min_size=1, max_size=8), st.data())
def test_steps_are_counted_on_from_epoch_to_epoch(count, epochs, drawn):
    """Whatever the chunks are, and wherever another process goes on: at the steps that are multiples of the count."""
    every, due, total = Every(count, "every"), [], 0
    last = 0
    for epoch, steps in enumerate(epochs):
        step = 0
        while step < steps:
            wanted = every.next_stop(step)
            assert wanted == step + count - (total + step - last) and wanted > step
            step = min(step + drawn.draw(st.integers(1, 5)), steps, wanted)
            if every.due(epoch, step):
                due.append(total + step)
                last = total + step
                if drawn.draw(st.booleans()):  # broken off here, and gone on by another one
                    every = Every(count, "every")
                    every.restart(epoch, step)
        total += steps
        assert not every.due(epoch + 1, 0)
    assert due == list(range(count, total + 1, count))


def test_epochs_are_counted_between_epochs_alone():
    every = Every("2 epochs", "every")
    every.restart(3)
    assert [every.due(*at) for at in [(3, 5), (4, 0), (4, 5), (5, 0), (5, 5), (6, 0), (7, 0)]] == [
        False, False, False, True, False, False, True
    ]  # fmt: skip
    assert every.next_stop(4) is None


def test_seconds_are_of_a_clock_that_does_not_jump(clock, monkeypatch):
    monkeypatch.setattr(_every.time, "time", lambda: pytest.fail("the day's time may be set back"))
    every = Every("5 min", "every")
    assert every.next_stop(3) is None
    assert not every.due(0, 1)
    clock[0] += 299
    assert not every.due(0, 2)
    clock[0] += 1
    assert every.due(0, 3) and not every.due(0, 4)
    clock[0] += 3000  # the machine slept: once, not ten times
    assert every.due(1, 0) and not every.due(1, 1)
    every.restart(0)
    assert not every.due(0, 1) and math.isclose(every.count, 300)
