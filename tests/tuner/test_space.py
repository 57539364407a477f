"""The search space: what a hyperparameter is, what `build(hp)` is handed, and what makes models of it."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import thalweg
from thalweg.tuner._hypermodel import HyperModel, checked_model, hypermodel_of
from thalweg.tuner._hyperparameters import HyperParameters, keyed
from thalweg.tuner._parameters import (
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    parameter_from_config,
)

# -- any hyperparameter -------------------------------------------------------------------------

SAMPLINGS = st.sampled_from(["linear", "log", "reverse_log"])
UNIT = st.floats(0, 1, exclude_max=True)


@st.composite
def ints(draw):
    sampling = draw(SAMPLINGS)
    low = draw(st.integers(-(10**6) if sampling == "linear" else 1, 10**6))
    high = draw(st.integers(low, 2**40))
    step = draw(st.none() | st.integers(1 if sampling == "linear" else 2, 10**6))
    return Int("i", low, high, step, sampling)


@st.composite
def floats(draw):
    sampling = draw(SAMPLINGS)
    low = draw(st.floats(-1e6, 1e6) if sampling == "linear" else st.floats(1e-6, 1e6))
    high = draw(st.floats(low, 1e7))
    step = draw(st.none() | (st.floats(1e-3, 1e6) if sampling == "linear" else st.floats(1.01, 1e6)))
    return Float("f", low, high, step, sampling)


CHOICES = st.one_of(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, unique=True),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, unique=True),
    st.lists(st.text(), min_size=1, unique=True),
    st.lists(st.booleans(), min_size=1, unique=True),
).map(lambda values: Choice("c", values))
OTHERS = st.booleans().map(lambda default: Boolean("b", default)) | st.sampled_from(
    [Fixed("x", 3), Fixed("x", 0.5), Fixed("x", "text"), Fixed("x", False)]
)
PARAMETERS = st.one_of(ints(), floats(), CHOICES, OTHERS)


@settings(deadline=None)
@given(PARAMETERS, UNIT)
@example(Float("f", 0, 1, step=0.1), 0.35)
@example(Int("i", 1, 2**40, sampling="log"), 0.9999999999999999)
@example(Int("i", 1, 2**40, sampling="reverse_log"), 0.9999999999999999)
def test_what_is_drawn_is_accepted_and_leads_back(parameter, u):
    value = parameter.value_at(u)
    assert parameter.check(value) == value
    assert type(parameter.check(value)) is type(value)
    place = parameter.unit(value)
    assert 0 <= place <= 1
    back = parameter.value_at(place)
    if parameter.count is None:
        assert back == pytest.approx(value, rel=1e-9, abs=1e-9 * max(abs(parameter.min_value), parameter.max_value))
    else:
        assert back == value


@settings(deadline=None)
@given(st.one_of(ints(), floats()), UNIT, UNIT)
def test_larger_shares_give_larger_values(parameter, u, v):
    assert parameter.value_at(min(u, v)) <= parameter.value_at(max(u, v))
    assert parameter.min_value <= parameter.value_at(u) <= parameter.max_value


@settings(deadline=None)
@given(PARAMETERS, UNIT)
@example(Float("f", 0, 1, step=1 / 3), 0.9)
@example(Float("f", 0.1, 0.7, step=0.30000000000000004), 0.9)
@example(Float("f", -349525.75, 0, step=0.001), 0.25)
def test_what_optuna_is_told_leads_back(parameter, u):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Optuna warns where it must cut a range
        distribution = parameter.distribution()
    value = parameter.value_at(u)
    told = parameter.to_optuna(value)
    assert distribution._contains(distribution.to_internal_repr(told))
    back = parameter.from_optuna(distribution.to_external_repr(distribution.to_internal_repr(told)))
    if parameter.count is None:
        assert back == pytest.approx(value, rel=1e-9, abs=1e-9 * max(abs(parameter.min_value), parameter.max_value))
    else:
        assert back == value
    assert type(back) is type(value)


CONDITIONS = st.lists(
    st.builds(
        Condition,
        st.text(min_size=1),
        st.lists(
            st.integers() | st.text() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False), min_size=1
        ),
    ),
    max_size=2,
)


@settings(deadline=None)
@given(PARAMETERS, CONDITIONS)
def test_a_config_is_json_and_makes_the_same_again(parameter, conditions):
    kind = type(parameter)
    config = {**parameter.get_config(), "conditions": [one.get_config() for one in conditions]}
    written = json.dumps(config)
    again = parameter_from_config(json.loads(written))
    assert type(again) is kind
    assert again.conditions == tuple(conditions)
    assert json.dumps(again.get_config()) == written
    assert hash(again) == hash(parameter_from_config(again.get_config()))
    assert again == parameter_from_config(again.get_config())


@settings(deadline=None)
@given(PARAMETERS)
def test_every_value_of_a_grid_is_accepted_once_and_in_order(parameter):
    if parameter.count is not None and parameter.count > 1000:
        return
    grid = parameter.grid()
    assert [parameter.check(value) for value in grid] == list(grid)
    assert len(set(grid)) == len(grid)
    if not isinstance(parameter, (Choice, Boolean, Fixed)):
        assert list(grid) == sorted(grid)
    if parameter.count is not None and (parameter.count <= 10 or not isinstance(parameter, Int) or parameter.step):
        assert len(grid) == parameter.count
    assert parameter.check(parameter.initial) == parameter.initial


def test_numpys_numbers_are_taken_and_pythons_come_out():
    one = Int("i", np.int64(1), np.float32(9), step=np.int8(2))
    assert one == Int("i", 1, 9, 2)
    assert type(one.check(np.int32(3))) is int
    assert type(Float("f", np.float32(0), 1).check(np.float32(0.5))) is float
    assert Choice("c", np.array([1, 2])).values == (1, 2)
    assert type(Choice("c", np.linspace(0, 1, 3)).values[0]) is float
    assert Fixed("x", np.bool_(True)).value is True
    assert Boolean("b", np.bool_(True)).default is True


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Int("i", 0, 4), True), (Int("i", 0, 4), 5), (Int("i", 0, 4), 1.5), (Int("i", 0, 4), "1"), (Int("i", 0, 4), None),
        (Int("i", 0, 9, step=3), 4), (Int("i", 1, 64, step=2, sampling="log"), 3), (Float("f", 0, 1), float("nan")),
        (Float("f", 0, 1), 1.1), (Float("f", 0, 1), False), (Float("f", 0, 1, step=0.1), 0.15),
        (Choice("c", [0, 1]), True), (Choice("c", [0, 1]), "0"), (Choice("c", ["a"]), "b"), (Boolean("b"), 1),
        (Fixed("x", 1), 2), (Fixed("x", 1), [1]),
    ],
)  # fmt: skip
def test_what_is_not_among_the_values_is_refused(parameter, value):
    with pytest.raises(ValueError, match=r"^hp\.\w+\('.*takes .*, got "):
        parameter.check(value)


def test_what_is_equal_is_taken_and_written_as_the_hyperparameter_writes_it():
    assert Int("i", 0, 4).check(3.0) == 3
    assert Float("f", 0, 1, step=0.1).check(0.30000000000000004) == 0.3
    assert type(Float("f", 0, 4).check(3)) is float
    assert type(Choice("c", [1.0, 2.0]).check(1)) is float


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Int("units", 128, 32), r"`min_value <= max_value` must hold in hp.Int\('units'\), got min_value=128, max_value=32."),
        (lambda: Int("i", 1.5, 3), "`min_value` must be an integer in .* got min_value=1.5. For fractions use hp.Float"),
        (lambda: Int("i", 0, "3"), "`max_value` must be an integer"),
        (lambda: Int("i", 0, float("inf")), "`max_value` must be an integer"),
        (lambda: Int("i", 0, 2**41), r"within -2\*\*40 and 2\*\*40"),
        (lambda: Int("i", 0, 9, step=0), "`step > 0` must hold with sampling='linear'.*got step=0"),
        (lambda: Int("i", 1, 9, step=1, sampling="log"), "`step > 1` must hold with sampling='log'.*factor.*got step=1"),
        (lambda: Int("i", 1, 9, step=1.5, sampling="log"), "`step` must be an integer"),
        (lambda: Int("i", 0, 9, sampling="log"), "`min_value > 0` must hold with sampling='log'.*got min_value=0"),
        (lambda: Int("i", 0, 9, sampling="reverse_log"), "`min_value > 0` must hold with sampling='reverse_log'"),
        (lambda: Int("i", 1, 9, sampling="lgo"), r"hp.Int\('i'\): Unknown sampling 'lgo'. Did you mean 'log'"),
        (lambda: Int("i", 1, 9, default=10), r"`default` must be an integer in \[1, 9\].*got default=10"),
        (lambda: Int("i", 1, 9, step=2, default=2), "`default` must be one of 1, 3, 5, ..., 9.*got default=2"),
        (lambda: Float("f", 0, float("nan")), "`max_value` must be a finite number.*got max_value=nan"),
        (lambda: Float("f", True, 2), "`min_value` must be a finite number.*got min_value=True"),
        (lambda: Float("f", -1e308, 1e308), "too far apart"),
        (lambda: Float("f", 1e-300, 1e300, sampling="log"), "too far apart"),
        (lambda: Float("f", 0, 1, step=1e-20), r"`step` makes 1e\+20 values"),
        (lambda: Choice("c", []), r"`values` must be a list of one value or more in hp.Choice\('c'\), got \[\]"),
        (lambda: Choice("c", "abc"), "`values` must be a list"),
        (lambda: Choice("c", {1, 2}), "`values` must be a list"),
        (lambda: Choice("c", 3), "`values` must be a list"),
        (lambda: Choice("c", [1, 2.0]), "of one type.*got float and int"),
        (lambda: Choice("c", [1, True]), "of one type.*got bool and int"),
        (lambda: Choice("c", [1, 2, 1]), "must differ.*got 1 twice"),
        (lambda: Choice("c", [float("nan")]), "finite floats.*got nan among them"),
        (lambda: Choice("c", [None]), "got None among them"),
        (lambda: Choice("c", ["a"], default="b"), r"`default` must be one of the values.*got default='b', values=\['a'\]"),
        (lambda: Choice("c", ["a"], ordered=True), "`ordered` must be False"),
        (lambda: Boolean("b", 1), "`default` must be True or False.*got default=1"),
        (lambda: Fixed("x", None), "`value` must be .*got None"),
        (lambda: Fixed("x", float("inf")), "`value` must be .*got inf"),
        (lambda: Int("", 1, 2), "needs a name"),
        (lambda: Condition("a", []), "parent_values must be one value or more of 'a'"),
        (lambda: Int("i", 0, 1).value_at(1.5), r"takes a number in \[0, 1\], got u=1.5"),
        (lambda: Int("i", 0, 1).value_at(float("nan")), r"takes a number in \[0, 1\]"),
        (lambda: Float("f", 0, 1).grid(0), "got points=0"),
        (lambda: Int("seed", 0, 2**32 - 1).grid(), "has 4294967296 values"),
        (lambda: parameter_from_config({"class_name": "Itn"}), "Unknown hyperparameter 'Itn'. Did you mean 'Int'"),
        (lambda: parameter_from_config({"class_name": "Boolean"}), "hp.Boolean has the settings name, conditions, default"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_hyperparameter_says_what_it_is():
    where = (Condition("model", ["cnn"]), Condition("layers", [2, 3]))
    assert str(Int("units", 8, 64, step=8)) == "hp.Int('units', min_value=8, max_value=64, step=8)"
    assert str(Int("i", 1, 9)) == "hp.Int('i', min_value=1, max_value=9)"
    assert str(Boolean("b", conditions=where)) == "hp.Boolean('b') where model in ['cnn'] and layers in [2, 3]"
    assert str(Choice("c", [1, 2], default=2)) == "hp.Choice('c', values=[1, 2], default=2)"


def test_sampling_may_be_none_or_capital_as_in_kerastuner():
    assert Int("i", 1, 4, sampling=None) == Int("i", 1, 4)
    assert Float("f", 1, 4, sampling="LOG").sampling == "log"


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (Int("i", 1, 9, step=3), "IntDistribution(high=7, log=False, low=1, step=3)"),
        (Int("i", 1, 9, sampling="log"), "IntDistribution(high=9, log=True, low=1, step=1)"),
        (Int("i", 1, 9, sampling="reverse_log"), "IntDistribution(high=9, log=True, low=1, step=1)"),
        (Int("i", 2, 32, step=2, sampling="log"), "IntDistribution(high=4, log=False, low=0, step=1)"),
        (Float("f", 0, 1), "FloatDistribution(high=1.0, log=False, low=0.0, step=None)"),
        (Float("f", 0, 1, step=0.3), "FloatDistribution(high=0.9, log=False, low=0.0, step=0.3)"),
        (Float("f", 0.1, 1, sampling="log"), "FloatDistribution(high=1.0, log=True, low=0.1, step=None)"),
        (Float("f", 0.1, 1, sampling="reverse_log"), "FloatDistribution(high=1.0, log=True, low=0.1, step=None)"),
        (Float("f", 1e-4, 0.1, step=10, sampling="log"), "IntDistribution(high=3, log=False, low=0, step=1)"),
        (Choice("c", ["a", "b"]), "CategoricalDistribution(choices=('a', 'b'))"),
        (Boolean("b"), "CategoricalDistribution(choices=(False, True))"),
        (Fixed("x", 3), "CategoricalDistribution(choices=(3,))"),
    ],
    ids=str,
)
def test_optunas_words(parameter, expected):
    assert repr(parameter.distribution()) == expected


def test_whatever_optuna_draws_is_a_value():
    import optuna

    space = [
        Int("a", 1, 1000, sampling="reverse_log"), Int("b", 2, 64, step=2, sampling="log"), Float("c", 0, 1, step=0.1),
        Float("d", 1e-4, 0.1, sampling="reverse_log"), Float("e", 1e-4, 0.1, step=10, sampling="reverse_log"),
        Float("f", 1e-4, 0.1, sampling="log"), Choice("g", ["x", "y"]), Boolean("h"), Fixed("i", 3), Float("j", 0, 1, step=1 / 3),
    ]  # fmt: skip
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = {one.name: [] for one in space}
    for _ in range(50):
        told = study.ask({one.name: one.distribution() for one in space}).params
        for one in space:
            drawn[one.name].append(one.from_optuna(told[one.name]))
            assert one.check(drawn[one.name][-1]) == drawn[one.name][-1]
    assert set(drawn["b"]) == {2, 4, 8, 16, 32, 64}
    assert set(drawn["e"]) == {0.0001, 0.0901, 0.0991, 0.1}
    assert np.median(drawn["a"]) > 900  # more large ones


def test_many_small_values_with_a_logarithm_and_many_large_ones_with_its_mirror():
    u = np.linspace(0, 1, 1001)[:-1]
    rates = [Float("f", 1e-4, 1, sampling="log").value_at(one) for one in u]
    mirror = [Float("f", 1e-4, 1, sampling="reverse_log").value_at(one) for one in u]
    assert np.median(rates) == pytest.approx(1e-2, rel=0.05)
    assert np.median(mirror) == pytest.approx(1 - 1e-2, rel=0.01)


def test_importing_it_does_not_import_optuna():
    code = "import sys, thalweg.tuner._hypermodel, thalweg.tuner._objective; print('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# -- what build is handed -----------------------------------------------------------------------


def test_values_given_unknown_and_defaults():
    hp = HyperParameters(values={"a": 3}, unknown=lambda parameter: parameter.value_at(0.99))
    assert (hp.Int("a", 1, 9), hp.Int("b", 1, 9)) == (3, 9)
    assert HyperParameters(values={"a": 3}).Int("b", 1, 9) == 1
    assert hp.values == {"a": 3, "b": 9}


def test_only_what_was_asked_for_while_active_is_a_value():
    hp = HyperParameters(values={"a": 3, "never": 1, "hidden": 2})
    hp.Int("a", 1, 9)
    assert hp.Int("hidden", 1, 9, parent_name="a", parent_values=[1]) is None
    assert hp.values == {"a": 3}


def test_a_value_that_the_range_no_longer_holds_gives_way():
    hp = HyperParameters(values={"n": 2, "k": 5}, unknown=lambda parameter: parameter.max_value)
    n = hp.Int("n", 1, 9)
    assert hp.Int("k", 1, n) == 2
    assert HyperParameters(values={"n": 7, "k": 5}).Int("k", 1, 7) == 5


def test_the_same_asked_twice_is_the_same():
    hp = HyperParameters(unknown=keyed(0, 0))
    assert hp.Float("f", 0, 1) == hp.Float("f", 0, 1)
    assert len(hp.space) == 1


def test_a_second_definition_shows_both():
    hp = HyperParameters()
    hp.Int("units", 8, 64)
    with pytest.raises(
        ValueError,
        match=r"hp.Int\('units', min_value=8, max_value=64\), then hp.Int\('units', min_value=8, max_value=65\)",
    ):
        hp.Int("units", 8, 65)
    with pytest.raises(ValueError, match=r"then hp.Float\('units'"):
        hp.Float("units", 8, 64)


def test_a_second_run_on_a_copy_may_define_anew():
    def build(hp):
        return hp.Int("k", 0, hp.Int("n", 1, 9))

    hp = HyperParameters(values={"n": 2, "k": 2})
    assert build(hp) == 2
    best = hp.copy()
    best.values["n"] = 5
    assert build(best) == 2
    assert [(one.name, one.max_value) for one in best.space] == [("n", 9), ("k", 5)]
    assert (hp.values["n"], hp.space[1].max_value) == (2, 2)


def test_a_value_left_over_from_another_branch_goes():
    hp = HyperParameters(values={"model": "cnn"})

    def build(hp):
        hp.Choice("model", ["mlp", "cnn"])
        return hp.Int("filters", 8, 64, parent_name="model", parent_values=["cnn"])

    assert build(hp) == 8
    best = hp.copy()
    best.values["model"] = "mlp"
    assert build(best) is None
    assert best.values == {"model": "mlp"}


def test_two_branches_at_once_that_disagree():
    hp = HyperParameters()
    hp.Boolean("p", default=True)
    hp.Boolean("q", default=True)
    hp.Int("n", 1, 3, parent_name="p", parent_values=[True])
    assert hp.Int("n", 0, 9, parent_name="q", parent_values=[True]) == 1  # one value serves both
    hp = HyperParameters()
    hp.Boolean("p", default=True)
    hp.Boolean("q", default=True)
    hp.Int("n", 1, 3, parent_name="p", parent_values=[True])
    with pytest.raises(ValueError, match="'n' has two meanings at once"):
        hp.Int("n", 100, 300, parent_name="q", parent_values=[True])


def test_conditions_on_nobody_and_on_oneself():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with (
        pytest.raises(
            ValueError, match=r"Unknown hyperparameter 'modle'. Did you mean 'model'.*ask for 'modle' before"
        ),
        hp.conditional_scope("modle", ["mlp"]),
    ):
        pass
    with pytest.raises(ValueError, match="depends on itself"):
        hp.Int("model", 1, 2, parent_name="model", parent_values=["mlp"])
    with pytest.raises(ValueError, match="parent_values must be one value or more of 'model'"):
        hp.Int("x", 1, 2, parent_name="model")
    with pytest.raises(ValueError, match="name scope needs a name"), hp.name_scope(""):
        pass
    assert hp.Int("after", 1, 2) == 1  # the scopes that failed are closed
    assert hp.space[-1].conditions == ()


def test_scopes_close_when_something_is_raised_within():
    hp = HyperParameters()
    hp.Boolean("on", default=True)
    with pytest.raises(RuntimeError), hp.name_scope("a"), hp.conditional_scope("on", [True]):
        raise RuntimeError
    hp.Int("b", 1, 2)
    assert (hp.space[-1].name, hp.space[-1].conditions) == ("b", ())


def test_a_copy_and_a_config_hold_everything():
    hp = HyperParameters(values={"later": 3})
    hp.Choice("model", ["mlp", "cnn"])
    hp.Int("filters", 8, 64, parent_name="model", parent_values=["cnn"])
    config = json.loads(json.dumps(hp.get_config()))
    for again in (hp.copy(), HyperParameters.from_config(config)):
        assert (again.space, again.values) == (hp.space, hp.values)
        assert again.get_config() == hp.get_config()
        assert again.Int("later", 1, 9) == 3
    assert "later" not in hp.values


# -- what a person sets beforehand -----------------------------------------------------------------


def test_a_persons_words_win():
    person = HyperParameters(values={"rate": 0.5})
    person.Int("units", 8, 16)
    person.Fixed("batch_size", 32)
    hp = person.for_trial(values={"units": 64, "rate": 0.1, "batch_size": 8, "free": 2}, unknown=keyed(0, 0))
    assert hp.Float("rate", 0, 0.4) == 0.5  # out of build's range, and yet
    assert 8 <= hp.Int("units", 8, 512) <= 16
    assert hp.Int("batch_size", 1, 64) == 32
    assert hp.Int("free", 1, 3) == 2
    assert [type(one).__name__ for one in hp.space] == ["Fixed", "Int", "Fixed", "Int"]
    assert "units" in person.values
    assert person.for_trial().values == {}  # only what build asks for is on the record


def test_what_a_person_wrote_into_values_is_fixed():
    person = HyperParameters()
    person.values["rate"] = 0.25
    assert person.for_trial(values={"rate": 0.5}).Float("rate", 0, 1) == 0.25


def test_what_a_search_proposed_is_not_fixed_for_the_next():
    best = HyperParameters().for_trial(values={"units": 64})
    best.Int("units", 8, 512)
    assert best.for_trial(values={"units": 100}).Int("units", 8, 512) == 100


def test_a_space_that_stands_outside_build():
    person = HyperParameters()
    person.Choice("model", ["mlp", "cnn"])
    person.Int("filters", 8, 64, parent_name="model", parent_values=["cnn"])
    hp = person.for_trial(values={"model": "cnn", "filters": 16})
    assert hp.get("filters") == 16
    assert hp.values == {"model": "cnn", "filters": 16}
    hp = person.for_trial()
    assert "filters" not in hp
    with hp.conditional_scope("model", ["mlp"]):
        assert hp.Int("units", 8, 64) == 8
    assert HyperParameters(values={"rate": 0.5}).for_trial()["rate"] == 0.5


def test_a_block_that_is_not_tunable_is_where_a_person_set_it():
    class Block(HyperModel):
        def build(self, hp):
            return hp.Int("k", 1, 9), hp.Int("j", 1, 9)

    person = HyperParameters()
    person.Int("k", 2, 9)
    hp = person.for_trial(values={"k": 7, "j": 7})
    assert Block(tunable=False).build(hp) == (7, 7)
    assert hp.values == {"k": 7}
    assert person.for_trial().values == {}


# -- draws -------------------------------------------------------------------------------------------


def test_a_keyed_draw_depends_on_seed_number_and_name_alone():
    one = Float("f", 0, 1)
    assert keyed(1, 2)(one) == keyed(1, 2)(one)
    others = [keyed(1, 3)(one), keyed(2, 2)(one), keyed(2, 1)(one), keyed(1, 2)(Float("g", 0, 1))]
    assert len({keyed(1, 2)(one), *others}) == 5
    code = (
        "from thalweg.tuner._hyperparameters import keyed\nfrom thalweg.tuner._parameters import Float\n"
        "print(repr(keyed(1, 2)(Float('f', 0, 1))))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert (
        float(said) == keyed(1, 2)(one) == 0.6063759399056671
    )  # written down, so that a study goes on after an upgrade
    with pytest.raises(ValueError, match="seed must be"):
        keyed(-1, 0)
    assert pickle.loads(pickle.dumps(HyperParameters(unknown=keyed(1, 2)))).Float("f", 0, 1) == keyed(1, 2)(one)


def test_keyed_draws_are_uniform():
    drawn = np.array([keyed(0, number)(Float(f"f_{number % 7}", 0, 1)) for number in range(2000)])
    counts, _ = np.histogram(drawn, bins=10, range=(0, 1))
    assert ((counts - 200) ** 2 / 200).sum() < 30  # chi squared, 9 degrees of freedom


# -- define by run, twice ----------------------------------------------------------------------------

NODES = st.recursive(
    st.tuples(st.integers(0, 4), st.just([])),
    lambda below: st.tuples(st.integers(0, 4), st.lists(below, max_size=3)),
    max_leaves=8,
)


def walk(hp, nodes, path="p"):
    """Ask for a tree: kinds by number; what lies below a node depends on it, under a name scope or its own."""
    for i, (kind, below) in enumerate(nodes):
        name = f"{path}{i}"
        value = [
            lambda: hp.Choice(name, ["a", "b"]),
            lambda: hp.Boolean(name),
            lambda: hp.Int(name, 1, 2),
            lambda: hp.Float(name, 0, 1, step=1.0),
            lambda: hp.Fixed(name, 1),
        ][kind]()
        half = [["b"], [True], [2], [1.0], [1]][kind]
        with hp.conditional_scope(name, half):
            walk(hp, below, f"{name}_")
        if value in half:  # asked for in one branch only
            hp.Int(f"{name}/extra", 0, 9)


@settings(deadline=None)
@given(st.lists(NODES, max_size=4), st.integers(0, 1000))
def test_the_same_values_give_the_same_active_set(nodes, number):
    first = HyperParameters(unknown=keyed(0, number))
    walk(first, nodes)
    second = HyperParameters(values=first.values, unknown=keyed(1, number))
    walk(second, nodes)
    assert second.values == first.values
    assert second.space == first.space
    copied = first.copy()
    walk(copied, nodes)
    assert (copied.values, copied.space) == (first.values, first.space)
    assert set(first.values) == {one.name for one in first.space if first.is_active(one)}
    for one in first.space:
        assert first.is_active(one) == (one.name in first)


# -- makers of models ----------------------------------------------------------------------------------


def net():
    return thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)])


def test_a_function_is_a_hypermodel():
    def build(hp):
        return hp.Int("a", 1, 2)

    made = hypermodel_of(build)
    assert (made.name, made.tunable, made.build(HyperParameters())) == ("build", True, 1)
    assert hypermodel_of(made) is made
    assert hypermodel_of(lambda hp, width=3: width).build(HyperParameters()) == 3
    assert hypermodel_of(lambda *all_of_them: all_of_them).build(1) == (1,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "got 3"),
        (None, "got None"),
        (HyperModel, r"got the class HyperModel. Make one of it: HyperModel\(\)"),
        (lambda: None, r"got <lambda>\(\). It must take one argument, hp"),
        (lambda hp, x: None, r"got <lambda>\(hp, x\)"),
    ],
)
def test_what_makes_no_models(given, message):
    with pytest.raises(TypeError, match=f"A tuner takes a function .*{message}"):
        hypermodel_of(given)


def test_a_model_makes_no_models():
    with pytest.raises(TypeError, match="got a model that is made already"):
        hypermodel_of(net())


def test_only_a_compiled_model_can_be_trained():
    model = net()
    with pytest.raises(ValueError, match=r"which is not compiled. Call model.compile\(...\) before"):
        checked_model(model)
    model.compile("sgd", "mse")
    assert checked_model(model) is model
    with pytest.raises(TypeError, match="got None. Does it end with `return model`"):
        checked_model(None)
    with pytest.raises(TypeError, match="got builtins's dict"):
        checked_model({})


def test_fit_hands_everything_on_and_build_must_be_there():
    class Fake:
        def fit(self, *args, **kwargs):
            return args, kwargs

    assert HyperModel().fit(HyperParameters(), Fake(), 1, epochs=2) == ((1,), {"epochs": 2})
    assert HyperModel().declare_hyperparameters(HyperParameters()) is None
    assert HyperModel(name="nets").name == "nets"
    with pytest.raises(NotImplementedError, match=r"HyperModel has no build\(hp\)"):
        HyperModel().build(HyperParameters())


def test_a_subclass_that_forgot_its_base_is_tunable():
    class Net(HyperModel):
        def __init__(self):
            self.width = 3

        def build(self, hp):
            return hp.Int("a", self.width, 9)

    hp = HyperParameters()
    assert (Net().build(hp), len(hp.space)) == (3, 1)
