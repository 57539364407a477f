"""A search in words: order, fronts, tables, failures, frames, and the trials as an Optuna study."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import numpy as np
import optuna
import pytest

from thalweg.tuner._objective import Objective
from thalweg.tuner._optuna import as_optuna_study
from thalweg.tuner._parameters import Boolean, Choice, Condition, Fixed, Float, Int
from thalweg.tuner._summary import (
    cause,
    end_summary,
    failures,
    meanings,
    number,
    pareto_front,
    ranked,
    results_summary,
    search_space_summary,
    seconds_text,
    trials_dataframe,
    value_of,
    wrapped,
)
from thalweg.tuner._trial import Trial

LOSS, ACCURACY, WEIGHTS = Objective("val_loss"), Objective("val_accuracy"), Objective("weights", "min")
NAN = math.nan


def done(n, *scores, **more):
    values = more.pop("values", {"units": n})
    return Trial(n, values, "COMPLETED", list(scores), **{"epochs": 3, "seconds": 0.5, **more})


def failed(n, message, **values):
    return Trial(n, values, "FAILED", message=message)


def numbers(trials):
    return [trial.number for trial in trials]


# order


def test_the_best_comes_first_whichever_way_is_better():
    trials = [done(0, 0.3), done(1, NAN), done(2, 0.1), failed(3, "x"), done(4, 0.2), Trial(5, {}), done(6, math.inf)]
    random.Random(0).shuffle(trials)
    assert numbers(ranked(trials, [LOSS])) == [2, 4, 0, 1, 3, 5, 6]
    assert numbers(ranked(trials, [ACCURACY])) == [0, 4, 2, 1, 3, 5, 6]
    assert ranked([], [LOSS]) == []


def test_equally_good_trials_stay_in_the_order_of_their_numbers():
    assert numbers(ranked([done(2, 0.5), done(0, 0.5), done(1, 0.5)], [LOSS])) == [0, 1, 2]


def test_the_front_comes_first_in_the_order_of_the_first_objective():
    trials = [done(0, 0.9, 900.0), done(1, 0.5, 950.0), done(2, 0.7, 10.0), done(3, 0.95, 2000.0), done(4, NAN, 1.0)]
    assert numbers(pareto_front(trials, [ACCURACY, WEIGHTS])) == [3, 0, 2]
    assert numbers(ranked(trials, [ACCURACY, WEIGHTS])) == [3, 0, 2, 1, 4]


@pytest.mark.parametrize("goals", [[LOSS, WEIGHTS], [ACCURACY, WEIGHTS], [LOSS, ACCURACY, WEIGHTS]])
def test_the_front_is_the_one_optuna_finds(goals):
    rng = np.random.default_rng(len(goals))
    trials = [done(n, *rng.integers(0, 12, len(goals)).astype(float).tolist()) for n in range(80)]
    study = as_optuna_study(trials, [], goals)
    assert sorted(numbers(pareto_front(trials, goals))) == sorted(t.user_attrs["trial"] for t in study.best_trials)


# results


def test_the_table_of_results_is_aligned_and_wrapped():
    values = {"units": 64, "learning_rate": 0.0012345, "activation": "relu", "dropout": 0.25}
    trials = [done(11, 0.97221, errors=[0.0031], values=values), done(2, 0.91, values={"units": 8}), failed(3, "E: x")]
    assert results_summary(trials, [ACCURACY], 10, width=75) == [
        "   trial     val_accuracy  epochs  hyperparameters",
        "1     11  0.9722 ± 0.0031       3  units=64 learning_rate=0.00123",
        "                                   activation=relu dropout=0.25",
        "2      2           0.9100       3  units=8",
        "1 of 3 trials failed: E: x",
    ]
    assert len(results_summary(trials, [ACCURACY], 1, width=200)) == 3


def test_in_little_room_the_hyperparameters_stand_below():
    trials = [done(0, 0.5, values={"units": 64, "learning_rate": 0.001, "activation": "relu"})]
    lines = results_summary(trials, [ACCURACY], 10, width=40)
    assert lines[2:] == ["    units=64 learning_rate=0.001", "    activation=relu"]
    assert max(map(len, lines)) <= 40


def test_several_objectives_have_a_column_each_and_a_mark():
    trials = [done(0, 0.9, 900.0), done(1, 0.5, 950.0)]
    lines = results_summary(trials, [ACCURACY, WEIGHTS])
    assert lines[0].split() == ["trial", "val_accuracy", "weights", "epochs", "hyperparameters"]
    assert lines[1].startswith("1*") and lines[2].startswith("2 ") and lines[-1] == "* on the Pareto front"


def test_nothing_to_show_is_said():
    assert results_summary([], [LOSS]) == ["No trial has ended with a score yet."]
    assert results_summary([Trial(0, {})], [LOSS]) == ["No trial has ended with a score yet."]
    assert results_summary([failed(0, "E: x")], [LOSS]) == ["1 of 1 trial failed: E: x"]


def test_the_end_says_how_much_was_tried_and_what_came_of_it():
    trials = [done(0, 0.5, best_step=1), done(1, 0.25, errors=[0.01], best_step=4), Trial(2, {})]
    assert end_summary(trials, [LOSS], 3723.0) == [
        "2 trials of 6 epochs in all took 1:02:03.",
        "Best val_loss: 0.2500 ± 0.0100 by trial 1, epoch 5.",
        "  units=1",
    ]
    front = end_summary([done(n, float(n), 9000.0 - n) for n in range(7)], [LOSS, WEIGHTS], 0.44)
    assert front[0].endswith("took 0.4 s.") and front[1] == "On the Pareto front of val_loss and weights: 7 trials."
    assert front[-1] == "and 2 more" and len(front) == 9
    assert end_summary([], [LOSS], 0.0) == ["0 trials of 0 epochs in all took 0.0 s."]


def test_numbers_are_short():
    assert [number(x) for x in (0.97221, 8192.0, 12.0, -3e-5)] == ["0.9722", "8192", "12.0000", "-3.0000e-05"]
    assert [seconds_text(s) for s in (0.04, 9.14, 125)] == ["0.0 s", "9.1 s", "2:05"]
    assert wrapped(["aa", "bb", "ccccccc", "d"], 5) == ["aa bb", "ccccccc", "d"] and wrapped([], 5) == [""]


# the space


def test_the_space_is_a_line_a_parameter():
    space = [
        Int("layers", 1, 3),
        Int("batch_size", 16, 256, step=2, sampling="log"),
        Float("learning_rate", 1e-5, 1, sampling="log"),
        Float("momentum", 0, 0.99, sampling="linear", conditions=[Condition("optimizer", ["sgd", "rmsprop"])]),
        Choice("optimizer", ["sgd", "adam"]),
        Choice("width", [16, 64]),
        Boolean("bias"),
        Fixed("epochs", 20),
    ]
    assert [line.split("  ") for line in (" ".join(x.split()) for x in search_space_summary(space))]
    lines = search_space_summary(space)
    assert lines[0].split() == ["name", "kind", "values", "drawn", "active"]
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "layers Int 1 to 3 linear",
        "batch_size Int 16 to 256, times 2 log",
        "learning_rate Float 1e-05 to 1 log",
        "momentum Float 0 to 0.99 linear where optimizer is sgd or rmsprop",
        "optimizer Choice sgd, adam",
        "width Choice 16, 64 ordered",
        "bias Boolean False, True",
        "epochs Fixed 20 never",
    ]
    assert len({line.index(word) for line, word in zip(lines, ["kind", "Int", "Int", "Float"], strict=False)}) == 1
    assert "empty" in search_space_summary([])[0]


def test_a_name_with_two_meanings_gets_its_condition():
    space = [Choice("cell", ["gru", "cnn"])]
    space += [Int("units", 1, 8, conditions=[Condition("cell", ["gru"])])]
    space += [Choice("units", [100, 200], conditions=[Condition("cell", ["cnn"])])]
    names = meanings(space)
    assert list(names) == ["cell", "units where cell is gru", "units where cell is cnn"]
    trial = done(0, 0.5, values={"cell": "cnn", "units": 200})
    assert [value_of(one, trial) for one in names.values()] == ["cnn", None, 200]
    assert value_of(Int("units", 1, 8), trial) is None  # its range has changed since
    study = as_optuna_study([trial, done(1, 0.4, values={"cell": "gru", "units": 3})], space, [LOSS])
    assert study.best_params == {"cell": "gru", "units where cell is gru": 3}


# what went wrong

TRACEBACK = """Traceback (most recent call last):
  File "a.py", line 3, in build
    Dense({0})
ValueError: units must be above 0, got {0}
Pass more."""


def test_equal_causes_are_counted_once():
    trials = [failed(n, TRACEBACK.format(-n)) for n in range(12)]
    trials += [failed(n, "Traceback\nRuntimeError: no memory") for n in range(12, 14)]
    trials += [done(n, 0.5) for n in range(14, 20)]
    assert failures(trials) == [
        "14 of 20 trials failed: 12 x ValueError: units must be above 0, got 0, 2 x RuntimeError: no memory"
    ]
    assert failures(trials[:12] + trials[14:])[0].startswith("12 of 18 trials failed: ValueError: units must")
    assert failures([done(0, 0.5), Trial(1, {})]) == []


def test_the_cause_is_the_exception_of_the_last_traceback():
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second\nwith a hint") from None
    except ValueError:
        import traceback

        assert cause(traceback.format_exc()) == "ValueError: second"
    assert cause(None) == cause("") == "no message" and cause("just so") == "just so"


def test_trials_that_ended_nan_say_what_they_tried():
    lost = [done(n, NAN, values={"lr": 0.5 + n, "units": 8}) for n in range(20)]
    assert failures(lost) == ["20 of 20 trials ended NaN; learning rates tried: 0.5 to 19.5"]
    named = [done(n, NAN, values={"opt/learning_rate": 3.1, "units": 8}) for n in range(2)]
    assert failures(named) == ["2 of 2 trials ended NaN; learning rates tried: 3.1"]
    other = [done(n, NAN, values={"units": 8 * n, "color": "red", "bias": True, "balrog": 1}) for n in (1, 2)]
    assert failures(other) == ["2 of 2 trials ended NaN; units tried: 8 to 16, balrog tried: 1"]
    assert failures([done(0, math.inf, values={})]) == ["1 of 1 trial ended NaN"]
    beside = failures([*lost, done(20, 0.5, values={"lr": 0.01})])
    assert beside == [
        "20 of 21 trials ended NaN; learning rates tried: 0.5 to 19.5 (with a score: learning rates tried: 0.01)"
    ]


# frames and studies


def test_the_frame_keeps_types_where_something_is_missing():
    trials = [
        done(1, 0.5, errors=[0.1], best_step=2, source=0, values={"units": 8, "bias": True, "rate": 0.5, "a": "x"}),
        done(0, 0.25, values={"units": 4}),
        failed(2, "x", rate=0.25, bias=False),
        done(3, NAN, values={"a": "y"}),
    ]
    frame = trials_dataframe(trials, [LOSS])
    assert list(frame) == [
        *["number", "status", "val_loss", "val_loss_error", "epochs", "seconds", "best_step", "source"],
        *["hp/units", "hp/bias", "hp/rate", "hp/a"],
    ]
    assert frame["number"].tolist() == [0, 1, 2, 3] and frame["status"].tolist()[2] == "FAILED"
    assert frame["hp/units"].dtype == "Int64" and frame["hp/units"].dropna().tolist() == [4, 8]
    assert frame["hp/bias"].dtype == "boolean" and frame["hp/rate"].dtype == float
    assert frame["val_loss"].isna().tolist() == [False, False, True, True]
    assert frame["val_loss_error"].notna().tolist() == [False, True, False, False]
    assert frame["source"].dropna().tolist() == [0] and frame["best_step"].dropna().tolist() == [2]
    assert frame["hp/a"].isna().tolist() == [True, False, True, False]


def test_full_columns_keep_their_plain_types_and_no_trial_is_no_row():
    frame = trials_dataframe([done(n, 0.5, 3.0) for n in range(3)], [LOSS, WEIGHTS])
    assert frame["hp/units"].dtype == "int64" and frame["weights"].tolist() == [3.0] * 3
    empty = trials_dataframe([], [LOSS])
    assert len(empty) == 0 and "val_loss_error" in empty


def test_an_optuna_study_holds_the_trials(capfd):
    space = [
        Int("units", 16, 64, step=16),
        Float("lr", 1e-4, 1, sampling="log"),
        Float("keep", 0.1, 1, sampling="reverse_log"),
        Choice("opt", ["sgd", "adam"]),
        Float("momentum", 0, 1, conditions=[Condition("opt", ["sgd"])]),
    ]
    rng = np.random.default_rng(0)
    trials = []
    for n in range(20):
        values = {p.name: p.value_at(rng.random()) for p in space}
        if values["opt"] == "adam":
            del values["momentum"]
        trials.append(done(n, values["lr"], values=values))
    trials += [failed(20, "x", units=16), done(21, NAN, values={"units": 32}), Trial(22, {"units": 16})]
    trials += [done(23, 0.5, values={"units": 99})]  # no value of it any more
    verbosity = optuna.logging.get_verbosity()
    study = as_optuna_study(reversed(trials), space, [Objective("val_loss", "max")])
    assert capfd.readouterr() == ("", "") and optuna.logging.get_verbosity() == verbosity
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE and study.user_attrs["objectives"] == ["val_loss"]
    assert [t.user_attrs["trial"] for t in study.trials] == [*range(22), 23]
    states = [t.state.name for t in study.trials]
    assert states == ["COMPLETE"] * 20 + ["FAIL"] * 2 + ["COMPLETE"]
    for told, there in zip(trials, study.trials[:20], strict=False):
        back = {p.name: p.from_optuna(there.params[p.name]) for p in space if p.name in there.params}
        assert back == pytest.approx(told.values) and there.value == told.score
    assert study.trials[-1].params == {}


def test_importing_what_a_person_sees_imports_nothing_heavy():
    modules = ", ".join(
        f"thalweg.tuner.{name}" for name in ("_table", "_summary", "_importance", "_pictures", "_optuna")
    )
    code = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"optuna", "pandas", "matplotlib", "sklearn", "IPython"} & set(loaded)
