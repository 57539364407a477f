"""The search space beside KerasTuner's: what KerasTuner 1.4.8 was seen to do, and where thalweg does otherwise on purpose.

The numbers were taken from the real one (KERAS_BACKEND=jax), which is not installed where these tests run.
"""

from __future__ import annotations

import inspect

import pytest

from thalweg.tuner._hypermodel import HyperModel
from thalweg.tuner._hyperparameters import HyperParameters
from thalweg.tuner._objective import Objective, objectives_of
from thalweg.tuner._parameters import Boolean, Choice, Fixed, Float, Int

U = [0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.999999]


# -- hp.prob_to_value, hp.value_to_prob, hp.values ----------------------------------------------

DRAWN = [
    (Int("a", 6, 12), [6, 6, 6, 7, 9, 11, 12, 12, 12]),
    (Int("a", 6, 13, step=3), [6, 6, 6, 6, 9, 12, 12, 12, 12]),
    (Int("a", -5, 5), [-5, -5, -4, -3, 0, 3, 4, 5, 5]),
    (Int("a", 3, 3), [3] * 9),
    (Int("a", 2, 32, step=2, sampling="log"), [2, 2, 2, 4, 8, 16, 32, 32, 32]),
    (Int("a", 3, 100, step=3, sampling="log"), [3, 3, 3, 9, 27, 81, 81, 81, 81]),
    (Int("a", 1, 4, sampling="log"), [1, 1, 1, 1, 2, 3, 4, 4, 4]),
    (Int("a", 1, 4, sampling="reverse_log"), [1, 1, 1, 2, 3, 4, 4, 4, 4]),
    (Int("a", 1, 1000, sampling="log"), [1, 1, 1, 5, 31, 177, 501, 708, 1000]),
    (Int("a", 1, 1000, sampling="reverse_log"), [1, 293, 500, 824, 970, 996, 1000, 1000, 1000]),
    (Float("a", 0, 1), U),
    (Float("a", 0, 1, step=0.25), [0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0]),
    (
        Float("a", 1e-4, 1e-1, sampling="log"),
        [
            0.0001,
            0.00014125375446227543,
            0.00019952623149688798,
            0.0005623413251903491,
            0.0031622776601683794,
            0.01778279410038923,
            0.050118723362727234,
            0.07079457843841377,
            0.09999930922685793,
        ],
    ),
    (
        Float("a", 1e-4, 1e-1, sampling="reverse_log"),
        [
            0.0001,
            0.029305421561586234,
            0.049981276637272774,
            0.08231720589961078,
            0.09693772233983163,
            0.09953765867480965,
            0.09990047376850313,
            0.09995874624553773,
            0.0999999993092221,
        ],
    ),
    (Float("a", 1e-4, 1e-1, step=10, sampling="log"), [1e-4, 1e-4, 1e-4, 1e-3, 1e-2, 0.1, 0.1, 0.1, 0.1]),
    (Choice("a", ["x", "y", "z"]), ["x", "x", "x", "x", "y", "z", "z", "z", "z"]),
    (Boolean("a"), [False] * 4 + [True] * 5),
    (Fixed("a", 3), [3] * 9),
]


@pytest.mark.parametrize(("parameter", "expected"), DRAWN, ids=lambda one: str(one)[:60])
def test_a_uniform_number_becomes_the_same_value(parameter, expected):
    drawn = [parameter.value_at(u) for u in U]
    assert drawn == (expected if isinstance(expected[0], str) else pytest.approx(expected, rel=1e-12))


UNITS = [
    (Int("a", 6, 13, step=3), {6: 1 / 6, 9: 0.5, 12: 5 / 6}),
    (Int("a", 3, 3), {3: 0.5}),
    (Int("a", 2, 32, step=2, sampling="log"), {2: 0.1, 4: 0.3, 8: 0.5, 16: 0.7, 32: 0.9}),
    (Int("a", 1, 4, sampling="log"), {1: 0.251929636413, 2: 0.569323441927, 3: 0.778385397049, 4: 0.934535830899}),
    (
        Int("a", 1, 4, sampling="reverse_log"),
        {1: 0.065464169101, 2: 0.221614602951, 3: 0.430676558073, 4: 0.748070363587},
    ),
    (Float("a", 0, 1, step=0.25), {0.0: 0.1, 0.25: 0.3, 0.5: 0.5, 0.75: 0.7, 1.0: 0.9}),
    (Float("a", 2, 2), {2.0: 0.5}),
    (Choice("a", ["x", "y", "z"]), {"x": 1 / 6, "y": 0.5, "z": 5 / 6}),
    (Boolean("a"), {True: 0.75, False: 0.25}),
    (Fixed("a", 3), {3: 0.5}),
]


@pytest.mark.parametrize(("parameter", "expected"), UNITS, ids=lambda one: str(one)[:60])
def test_a_value_lies_in_the_middle_of_its_share(parameter, expected):
    assert [parameter.unit(value) for value in expected] == pytest.approx(list(expected.values()), rel=1e-10)


GRIDS = [  # KerasTuner keeps those without a step in a set; sorted here
    (Int("a", 6, 12), [6, 7, 8, 9, 10, 11, 12]),
    (Int("a", 6, 13, step=3), [6, 9, 12]),
    (Int("a", 2, 32, step=2, sampling="log"), [2, 4, 8, 16, 32]),
    (Int("a", 2, 32, step=2, sampling="reverse_log"), [2, 18, 26, 30, 32]),
    (Int("a", 1, 20, sampling="log"), [1, 2, 3, 5, 7, 9, 13, 18]),
    (Int("a", 1, 20, sampling="reverse_log"), [3, 8, 12, 14, 16, 18, 19, 20]),
    (Int("a", 1, 1000, sampling="log"), [1, 2, 5, 11, 22, 44, 89, 177, 355, 708]),
    (Float("a", 0, 1), [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]),
    (Float("a", 1e-4, 0.1, step=10, sampling="reverse_log"), [0.0001, 0.0901, 0.0991, 0.1]),
    (Float("a", 0, 1, step=5), [0.0]),
    (Choice("a", ["x", "y", "z"]), ["x", "y", "z"]),
    (Boolean("a"), [False, True]),  # with the default first, as its grid search tries them
]


@pytest.mark.parametrize(("parameter", "expected"), GRIDS, ids=lambda one: str(one)[:60])
def test_the_same_grid(parameter, expected):
    assert list(parameter.grid()) == (expected if isinstance(expected[0], str) else pytest.approx(expected))


@pytest.mark.parametrize(
    ("parameter", "default"),
    [(Int("a", 6, 12), 6), (Float("a", 0, 1), 0.0), (Choice("a", ["x", "y"]), "x"), (Boolean("a"), False)],
    ids=str,
)
def test_the_default_is_the_minimum_or_the_first(parameter, default):
    assert parameter.default == default


def test_the_order_and_the_names_of_the_arguments_are_kerastuners():
    expected = {
        "Int": ["name", "min_value", "max_value", "step", "sampling", "default", "parent_name", "parent_values"],
        "Float": ["name", "min_value", "max_value", "step", "sampling", "default", "parent_name", "parent_values"],
        "Choice": ["name", "values", "ordered", "default", "parent_name", "parent_values"],
        "Boolean": ["name", "default", "parent_name", "parent_values"],
        "Fixed": ["name", "value", "parent_name", "parent_values"],
        "conditional_scope": ["parent_name", "parent_values"],
        "name_scope": ["name"],
        "get": ["name"],
        "is_active": ["hyperparameter"],
    }
    for name, arguments in expected.items():
        assert list(inspect.signature(getattr(HyperParameters(), name)).parameters) == arguments


# -- the container ------------------------------------------------------------------------------


def test_an_inactive_one_is_none_registered_and_without_a_value():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["cnn"]):
        assert hp.Int("filters", 8, 64) is None
    assert hp.values == {"model": "mlp"}
    assert [one.name for one in hp.space] == ["model", "filters"]
    assert ("filters" in hp, "model" in hp, "nope" in hp) == (False, True, False)
    assert (hp.is_active("filters"), hp.is_active("model"), hp.is_active("nope")) == (False, True, False)
    with pytest.raises(ValueError, match="'filters' is not active"):
        hp.get("filters")
    with pytest.raises(KeyError, match="Did you mean 'model'"):
        hp.get("modle")


def test_two_branches_may_share_a_name():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["cnn"]):
        assert hp.Int("n", 8, 64) is None
    with hp.conditional_scope("model", ["mlp"]):
        assert hp.Int("n", 1, 2) == 1
    assert (hp.values, len(hp.space)) == ({"model": "mlp", "n": 1}, 3)


def test_name_scopes_stand_before_names_parents_and_what_is_read():
    hp = HyperParameters()
    with hp.name_scope("enc"):
        hp.Int("a", 1, 3)
        with hp.name_scope("in"):
            hp.Int("b", 1, 3)
        assert hp.get("a") == 1
        assert hp.Int("c", 1, 3, parent_name="a", parent_values=[1]) == 1
    assert hp.values == {"enc/a": 1, "enc/in/b": 1, "enc/c": 1}
    assert hp.space[-1].conditions[0].name == "enc/a"
    assert hp.get("enc/in/b") == 1


def test_what_depends_on_what_is_inactive_is_inactive():
    hp = HyperParameters()
    hp.Boolean("on")
    with hp.conditional_scope("on", [True]):
        assert hp.Int("depth", 1, 3) is None
        with hp.conditional_scope("depth", [1, 2]):
            assert hp.Int("e", 1, 3) is None
    assert [len(one.conditions) for one in hp.space] == [0, 1, 2]


def test_one_parent_value_needs_no_list_and_a_parent_value_without_a_parent_means_nothing():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    assert hp.Int("a", 1, 2, parent_name="model", parent_values="mlp") == 1
    assert hp.Int("b", 1, 2, parent_values=["cnn"]) == 1


def test_what_was_registered_beforehand_stays():
    person = HyperParameters()
    person.Int("units", 8, 16)
    hp = person.for_trial()
    assert hp.Int("units", 1, 1000) == 8
    assert (hp.space[0].min_value, hp.space[0].max_value) == (8, 16)


def test_what_is_fixed_beforehand_holds_in_branches_too():
    person = HyperParameters()
    person.Fixed("lr", 0.01)
    hp = person.for_trial()
    hp.Boolean("on", default=True)
    assert hp.Float("lr", 1, 2, parent_name="on", parent_values=[True]) == 0.01
    assert hp.values == {"on": True, "lr": 0.01}


def test_an_untunable_block_has_its_defaults_and_leaves_no_trace():
    class Block(HyperModel):
        def build(self, hp):
            return hp.Int("k", 1, 3)

    hp = HyperParameters(unknown=lambda parameter: parameter.max_value)
    assert (Block(tunable=False).build(hp), hp.space) == (1, [])
    assert (Block().build(hp), len(hp.space)) == (3, 1)


# -- objectives ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "direction"),
    {
        "loss": "min", "val_loss": "min", "acc": "max", "val_acc": "max", "accuracy": "max", "val_accuracy": "max",
        "auc": "max", "mse": "min", "mae": "min", "val_mean_squared_error": "min", "precision": "max",
        "recall": "max", "top_k_categorical_accuracy": "max", "binary_crossentropy": "min", "kl_divergence": "min",
    }.items(),
)  # fmt: skip
def test_the_same_direction_of_a_known_log(name, direction):
    assert Objective(name).direction == direction


def test_the_first_of_equally_good_epochs():
    assert Objective("v", "min").best_of({"v": [3, 1, 2, 1]}) == (1, 1.0)


def test_a_list_of_objectives():
    assert objectives_of(["val_loss", "accuracy"]) == (Objective("val_loss", "min"), Objective("accuracy", "max"))


# -- where KerasTuner 1.4.8 does otherwise ---------------------------------------------------------
# Beside each: what it was seen to do.


def test_a_range_of_decimals_keeps_its_end():
    assert Float("a", 0, 1, step=0.1).grid()[-1] == 1.0  # 0.9: (1 - 0) // 0.1 is 9
    assert Float("a", 0, 0.3, step=0.1).grid() == (0.0, 0.1, 0.2, 0.3)  # (0, 0.1, 0.2)
    assert Float("a", 0, 1, step=0.1).unit(0.6) == pytest.approx(6.5 / 11)  # 0.6000...01 is taken for the fifth of ten


def test_powers_stay_below_the_maximum_and_are_integers():
    assert Int("a", 1, 2**30 - 1, step=2, sampling="log").grid()[-1] == 2**29  # 2**30
    assert all(isinstance(value, int) for value in Int("a", 2, 16, step=2, sampling="log").grid())  # 4.0, 8.0, 16.0


def test_a_mirrored_ladder_rises_and_its_default_is_on_it():
    parameter = Int("a", 2, 40, step=2, sampling="reverse_log")
    assert parameter.grid() == (10, 26, 34, 38, 40)  # falling: 40, 38, 34, 26, 10
    assert parameter.default == 10  # 2, which it never draws


def test_a_grid_lists_all_of_few_values():
    assert Int("a", 1, 10, sampling="log").grid() == tuple(range(1, 11))  # 1, 2, 3, 4, 6, 7, 9


def test_truth_values_stay_truth_values():
    choice = Choice("a", [True, False])
    assert (choice.values[0] is True, choice.ordered) == (True, False)  # the integers 1 and 0, ordered


@pytest.mark.parametrize(
    "make",
    [
        lambda: Int("a", True, 4),  # 1
        lambda: Int("a", 1, 4, step=-1),  # no values
        lambda: Int("a", 1, 4, step=0),  # ZeroDivisionError in the search
        lambda: Int("a", 1, 4, default=9),  # 9
        lambda: Int("a", 0, 9, step=3, default=4),  # 4
        lambda: Int("a", 1, 4, default=1.5),  # 1.5
        lambda: Float("a", float("nan"), 1),  # nan
        lambda: Float("a", 0, float("inf")),  # inf
        lambda: Choice("a", "abc"),  # 'a', 'b', 'c'
        lambda: Choice("a", [1, 1]),  # 1 twice
        lambda: Choice("a", [float("nan")]),  # nan
        lambda: HyperParameters().Int("", 1, 2),  # the name ''
        lambda: Objective("x", "maximize"),  # neither min nor max: nothing is ever better
    ],
)
def test_nonsense_is_refused(make):
    with pytest.raises(ValueError, match=r"hp\.|Objective|direction|name"):
        make()


def test_another_definition_under_a_name_is_an_error():
    hp = HyperParameters()
    hp.Int("a", 1, 4)
    with pytest.raises(ValueError, match="different meanings"):
        hp.Int("a", 100, 200)  # 1, which is not in the range


def test_a_value_that_does_not_fit_is_passed_over():
    assert HyperParameters(values={"a": 77}).Int("a", 1, 4) == 1  # 77
    assert HyperParameters(values={"a": "x"}).Int("a", 1, 4) == 1  # 'x'


def test_a_scope_within_a_scope_may_be_about_anything_asked_for():
    hp = HyperParameters()
    hp.Boolean("a", default=True)
    hp.Boolean("b", default=True)
    with hp.conditional_scope("a", [True]), hp.conditional_scope("b", [True]):
        assert hp.Int("n", 1, 3) == 1  # ValueError: b not defined
    with hp.name_scope("block"):
        assert hp.Int("m", 1, 3, parent_name="a", parent_values=[True]) == 1  # ValueError: block/a not defined


def test_scopes_hold_within_an_untunable_block():
    class Block(HyperModel):
        def build(self, hp):
            hp.Int("k", 1, 3)
            return list(hp.values)

    hp = HyperParameters()
    with hp.name_scope("s"):
        assert Block(tunable=False).build(hp) == ["s/k"]  # 'k'


@pytest.mark.parametrize("name", ["f1_score", "r2_score", "cosine_similarity"])
def test_scores_are_to_be_large(name):
    assert Objective(name).direction == "max"  # min


def test_nan_in_the_first_epoch_is_not_the_best():
    assert Objective("v", "min").best_of({"v": [float("nan"), 1, 2]}) == (1, 1.0)  # epoch 0, nan
    assert Objective("v", "min").better(1, float("nan"))  # False
