"""Which hyperparameters mattered: against known functions, and against Optuna's fANOVA."""

from __future__ import annotations

import numpy as np
import optuna
import pytest

from thalweg.tuner import _importance as module
from thalweg.tuner._importance import fenced, importance
from thalweg.tuner._objective import Objective
from thalweg.tuner._optuna import as_optuna_study
from thalweg.tuner._parameters import Choice, Condition, Fixed, Float, Int
from thalweg.tuner._trial import Trial

LOSS = Objective("val_loss")
ABC = [Float(name, 0, 1) for name in "abc"]


def searched(space, f, n=60, seed=0):
    """Trials at random points of a space, whose score is f(values, rng)."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(n):
        values = {}
        for one in space:
            if one.is_active(values):
                values[one.name] = one.value_at(rng.random())
        trials.append(Trial(number, values, "COMPLETED", [float(f(values, rng))]))
    return trials


def test_known_importances_are_found():
    """Of 3 a + 2 b, a has 9 / 13 of the variance and b 4 / 13."""
    found = importance(searched(ABC, lambda v, _: 3 * v["a"] + 2 * v["b"], n=200), ABC, LOSS)
    assert [one.name for one in found] == ["a", "b", "c"] and found.trials == 200
    assert found["a"].importance == pytest.approx(9 / 13, abs=0.06)
    assert found["b"].importance == pytest.approx(4 / 13, abs=0.06)
    assert found["c"].high < 0.02 and not found["c"].clear and found["a"].clear and found["b"].clear
    assert all(one.low <= one.importance <= one.high for one in found)
    assert found.warnings == ()


def test_what_hardly_matters_is_told_from_what_does():
    found = importance(searched(ABC, lambda v, _: 10 * v["a"] + v["b"]), ABC, LOSS)
    assert found.parameters[0].name == "a" and found["a"].low > 0.9 and found["b"].high < 0.1


def test_interactions_are_nobodys():
    """Of (a - 1/2) (b - 1/2) neither explains anything alone."""
    found = importance(searched(ABC, lambda v, _: (v["a"] - 0.5) * (v["b"] - 0.5), n=100), ABC, LOSS)
    assert sum(one.importance for one in found) < 0.4


def test_a_learning_rate_counts_by_its_logarithm():
    """Drawn over six decades, nine tenths of its plain range are the last one."""
    space = [Float("lr", 1e-6, 1, sampling="log"), Float("a", 0, 1)]
    trials = searched(space, lambda v, _: (np.log10(v["lr"]) + 3) ** 2 / 9 + v["a"], n=150)
    found = importance(trials, space, LOSS)
    expected = (4 / 45) / (4 / 45 + 1 / 12)  # the variance of u^2 is 4/45 over [-1, 1], that of a 1/12
    assert found["lr"].importance == pytest.approx(expected, abs=0.07)


def test_choices_and_steps_count_by_how_likely_their_values_are():
    space = [Choice("opt", ["sgd", "adam", "lion", "rmsprop"]), Int("units", 16, 64, step=16), Float("a", 0, 1)]
    trials = searched(space, lambda v, _: 2.0 * (v["opt"] == "adam") + v["units"] / 64, n=120)
    found = importance(trials, space, LOSS)
    choice, units = 4 * 3 / 16, 1.25 / 16
    assert found["opt"].importance == pytest.approx(choice / (choice + units), abs=0.05)
    assert found["units"].importance == pytest.approx(units / (choice + units), abs=0.05)


def test_numbers_are_those_of_optunas_fanova():
    """Where every parameter is drawn linearly; the forests have different random numbers."""
    trials = searched(ABC, lambda v, rng: 2 * v["a"] + v["b"] + v["a"] * v["c"] + 0.1 * rng.normal(), n=80)
    theirs = optuna.importance.FanovaImportanceEvaluator(seed=0).evaluate(as_optuna_study(trials, ABC, [LOSS]))
    ours = importance(trials, ABC, LOSS)
    for one in ours:
        assert one.importance == pytest.approx(theirs[one.name], abs=0.03)


def test_one_tree_gives_optunas_shares_exactly():
    from optuna.importance._fanova._tree import _FanovaTree
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng(0)
    x = rng.random((50, 3))
    tree = DecisionTreeRegressor(random_state=0).fit(x, x[:, 0] + x[:, 1] * x[:, 2]).tree_
    theirs = _FanovaTree(tree, np.array([[0.0, 1.0]] * 3))
    expected = [theirs.get_marginal_variance(np.array([j])) / theirs.variance for j in range(3)]
    np.testing.assert_allclose(module._tree_shares(tree, 3), expected, rtol=1e-9)


# conditions

BRANCHES = [
    Int("layers", 1, 2),
    Float("lr", 1e-4, 1, sampling="log"),
    Float("second", 0, 1, conditions=[Condition("layers", [2])]),
    Float("idle", 0, 1, conditions=[Condition("layers", [2])]),
    Fixed("epochs", 20),
]


def test_a_conditional_parameter_is_judged_among_the_trials_that_had_it():
    trials = searched(BRANCHES, lambda v, _: v["layers"] + 3 * v.get("second", 0.5) + 0.2 * np.log10(v["lr"]), n=150)
    found = importance(trials, BRANCHES, LOSS)
    active = sum("second" in trial.values for trial in trials)
    assert {one.name for one in found} == {"layers", "lr", "second", "idle"}
    assert found["second"].conditional and found["second"].trials == active < 150
    assert found["second"].importance == pytest.approx(0.75 / (0.75 + 0.053), abs=0.06)  # among them, lr has the rest
    assert not found["layers"].conditional and found["layers"].trials == 150
    assert not found["idle"].clear
    # over the whole space: layers 1/4, second 3/4 in half of it (its own share in the mean: 9/12/4), lr 4/75 of it
    assert 0.2 < found["layers"].importance < 0.65
    text = str(found)
    assert "* among the trials in which it was active" in text and f"* {active} trials" in text


def test_what_being_active_says_is_its_parents():
    """Only the parent matters: which of its children are there must not take that from it."""
    found = importance(searched(BRANCHES, lambda v, _: v["layers"], n=80), BRANCHES, LOSS)
    assert found["layers"].importance > 0.9 and found["second"].importance < 0.05


def test_parameters_that_few_trials_had_are_named():
    space = [Choice("a", list(range(20))), Float("b", 0, 1, conditions=[Condition("a", [3])])]
    found = importance(searched(space, lambda v, rng: v["a"] + rng.normal(), n=40), space, LOSS)
    assert [one.name for one in found] == ["a"] and any("fewer than 8 trials had them: b" in w for w in found.warnings)


# doubt


@pytest.mark.parametrize("seed", range(2))
def test_pure_noise_is_called_noise(seed):
    found = importance(searched(ABC, lambda v, rng: rng.normal(), n=50, seed=seed), ABC, LOSS)
    assert not any(one.clear for one in found) and "Nothing rises above the noise" in found.warnings[-1]
    assert "within the noise" in str(found)


def test_too_few_trials_are_said_to_be():
    found = importance(searched(ABC, lambda v, _: v["a"], n=15), ABC, LOSS)
    assert found.warnings[0].startswith("Too few trials to be sure: 15 with a score, 16 would do for 3")
    assert found["a"].high - found["a"].low > 0.05  # and the interval shows it
    assert importance(searched(ABC, lambda v, _: v["a"], n=16), ABC, LOSS).warnings == ()


def test_equal_scores_and_no_scores_are_no_error():
    same = importance(searched(ABC, lambda v, _: 0.5), ABC, LOSS)
    assert [one.importance for one in same] == [0, 0, 0] and "same score" in same.warnings[0]
    assert len(importance([], ABC, LOSS)) == 0 and len(importance([Trial(0, {"a": 0.5})], ABC, LOSS)) == 0
    assert "0 trials" in str(importance([], ABC, LOSS)) and len(importance([], [], LOSS)) == 0


def test_one_disaster_is_not_all_that_is_seen():
    trials = searched(ABC, lambda v, _: v["a"], n=60)
    trials[7].scores = [1e12]
    trials += [Trial(60, {"a": 0.5, "b": 0.5, "c": 0.5}, "COMPLETED", [float("nan")])]
    found = importance(trials, ABC, LOSS)
    assert found["a"].importance > 0.7 and found.trials == 60
    np.testing.assert_array_equal(fenced(np.array([0, 1, 2, 3, 100.0]), 1.0), [0, 1, 2, 3, 9])
    np.testing.assert_array_equal(fenced(np.array([0, -1, -2, -3, -100.0]), -1.0), [0, -1, -2, -3, -9])
    np.testing.assert_array_equal(fenced(np.array([0, -1, -2, -3, -100.0]), 1.0), [0, -1, -2, -3, -100])


def test_the_second_objective_can_be_asked_about():
    trials = searched(ABC, lambda v, _: v["a"], n=40)
    for trial in trials:
        trial.scores.append(100 * trial.values["b"])
    assert importance(trials, ABC, LOSS).parameters[0].name == "a"
    assert importance(trials, ABC, Objective("weights", "min"), index=1).parameters[0].name == "b"


# the record


def test_the_same_seed_gives_the_same_record():
    trials = searched(ABC, lambda v, rng: v["a"] + rng.normal(), n=30)
    first, again, other = (importance(trials, ABC, LOSS, seed=seed) for seed in (1, 1, 2))
    assert first == again and first != other


def test_bars_are_as_long_as_they_are_sure():
    one = module.ParameterImportance("lr", 0.5, 0.4, 0.6, 100)
    text = str(module.Importance("val_loss", (one,), 100, ("Mind.",)))
    assert text.split("\n")[1:] == ["lr  " + "━" * 12 + "─" * 6 + " " * 12 + "  0.50 (0.40 to 0.60)", "Mind."]
    with pytest.raises(KeyError):
        module.Importance("val_loss", (one,), 100)["units"]
