"""Objectives: their direction, what is better, and the best epoch."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.tuner._objective import Objective, best_epoch, objectives_of

NAN, INF = math.nan, math.inf
VALUES = st.lists(st.floats(width=32), max_size=20)


def test_the_direction_follows_from_the_name_or_is_given():
    assert Objective("val_accuracy") == Objective("val_accuracy", "max")
    assert Objective("head_loss").direction == "min"
    assert Objective("gradient_norm").direction == "min"
    assert Objective("val_loss", "max").direction == "max"


def test_a_name_that_tells_nothing_needs_a_direction():
    with pytest.raises(ValueError, match=r"'profit' is better.*Objective\('profit', direction='min'\)"):
        Objective("profit")
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        Objective("val_acuracy")
    assert Objective("profit", "max").direction == "max"


def test_a_direction_that_is_none_is_told_the_nearest():
    with pytest.raises(ValueError, match="Unknown direction 'mim'. Did you mean 'min'"):
        Objective("loss", "mim")
    with pytest.raises(ValueError, match="needs the name of a log"):
        Objective("")


@pytest.mark.parametrize(
    ("direction", "a", "b", "expected"),
    [
        ("min", 1, 2, True), ("min", 2, 1, False), ("min", 1, 1, False), ("max", 2, 1, True), ("max", 1, 2, False),
        ("min", NAN, 1, False), ("min", 1, NAN, True), ("max", NAN, 1, False), ("max", 1, NAN, True),
        ("min", NAN, NAN, False), ("max", INF, 1, False), ("min", -INF, 1, False), ("max", 1, -INF, True),
        ("min", None, 1, False), ("min", 1, None, True), ("min", NAN, None, False),
    ],
)  # fmt: skip
def test_what_is_better(direction, a, b, expected):
    assert Objective("v", direction).better(a, b) is expected


@settings(deadline=None)
@given(VALUES, st.sampled_from(["min", "max"]))
def test_the_best_epoch_is_the_first_of_the_best_finite_values(values, direction):
    best = Objective("v", direction).best_of({"v": values})
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        assert best is None
        return
    value = min(finite) if direction == "min" else max(finite)
    assert best == (values.index(value), value)


@settings(deadline=None)
@given(VALUES)
def test_more_of_a_thing_is_less_of_its_negative(values):
    least = Objective("v", "min").best_of({"v": values})
    most = Objective("v", "max").best_of({"v": [-value for value in values]})
    assert (least is None) == (most is None)
    if least is not None and most is not None:
        assert least == (most[0], -most[1])


def test_logs_that_lack_the_objective():
    one = Objective("val_loss")
    assert (one.has_value({"val_loss": 1}), one.has_value({"loss": 1})) == (True, False)
    with pytest.raises(ValueError, match=r"lack. Unknown log 'val_loss'. Did you mean 'loss'.*validation_data"):
        one.best_of({"loss": [1.0]})
    with pytest.raises(ValueError, match=r"Choose another objective\.$"):
        Objective("accuracy").get_value({"loss": [1.0]})


def test_several_ways_to_name_objectives():
    loss, accuracy = Objective("val_loss", "min"), Objective("val_accuracy", "max")
    assert objectives_of() == objectives_of(None) == objectives_of("val_loss") == objectives_of(loss) == (loss,)
    assert objectives_of([accuracy, "val_loss"]) == objectives_of(("val_accuracy", loss)) == (accuracy, loss)


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ([], ValueError, "empty list"),
        (["loss", Objective("loss", "max")], ValueError, "'loss' twice"),
        (["profit"], ValueError, "Nobody knows"),
        (3, TypeError, "must be a name.*got 3"),
        ([["loss"]], TypeError, "must be a name"),
    ],
)
def test_what_is_no_objective(given, kind, message):
    with pytest.raises(kind, match=message):
        objectives_of(given)


def test_the_first_of_several_chooses_the_epoch():
    history = {"val_loss": [0.9, 0.5, 0.6], "val_accuracy": [0.6, NAN, 0.8]}
    assert best_epoch(objectives_of(["val_accuracy", "val_loss"]), history) == (2, (0.8, 0.6))
    assert best_epoch(objectives_of("val_loss"), history) == (1, (0.5,))
    epoch, scores = best_epoch(objectives_of(["val_loss", "val_accuracy"]), history)
    assert epoch == 1
    assert scores[0] == 0.5
    assert math.isnan(scores[1])
    assert best_epoch([Objective("v", "min")], {"v": [NAN]}) is None
