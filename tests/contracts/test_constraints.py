"""Every constraint against Keras's, on the same numbers."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from thalweg import constraints

RNG = np.random.default_rng(0)
MATRIX = (RNG.normal(size=(7, 5)) * np.array([0.1, 0.4, 1.0, 3.0, 0.0])).astype(np.float32)
CUBES = RNG.normal(size=(3, 2, 4, 5)).astype(np.float32)

CASES = [
    ("MaxNorm", {}, MATRIX),
    ("MaxNorm", {"max_value": 0.5}, MATRIX),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}, MATRIX),
    ("MaxNorm", {"max_value": 0.0}, MATRIX),
    ("MaxNorm", {"max_value": 1.5, "axis": [0, 1, 2]}, CUBES),
    ("MaxNorm", {"max_value": 1.5, "axis": None}, CUBES),
    ("MinMaxNorm", {}, MATRIX),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 2.0}, MATRIX),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 2.0, "rate": 0.3}, MATRIX),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 2.0, "rate": 0.0, "axis": -1}, MATRIX),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 1.0, "axis": [0, 1, 2]}, CUBES),
    ("NonNeg", {}, MATRIX),
    ("NonNeg", {}, CUBES),
    ("UnitNorm", {}, MATRIX),
    ("UnitNorm", {"axis": 1}, MATRIX),
    ("UnitNorm", {"axis": [0, 1, 2]}, CUBES),
    ("UnitNorm", {"axis": None}, CUBES),
]
IDS = ["-".join([name, *(f"{key}={value}" for key, value in given.items()), f"{w.ndim}d"]) for name, given, w in CASES]
each_case = pytest.mark.parametrize(("name", "given", "w"), CASES, ids=IDS)
every_name = pytest.mark.parametrize("name", sorted(constraints.TABLE))
every_hyper = pytest.mark.parametrize(
    ("name", "hyper"), sorted({(cls.__name__, hyper) for cls in constraints.TABLE.values() for hyper in cls.HYPERS})
)


def pair(name, given):
    return getattr(constraints, name)(**given), getattr(keras.constraints, name)(**given)


def test_every_constraint_stands_in_the_table_of_cases():
    assert {name for name, *_ in CASES} == {cls.__name__ for cls in constraints.TABLE.values()}


def test_every_constraint_of_keras_is_known():
    classes = {name for name, member in vars(keras.constraints).items() if isinstance(member, type)}
    assert classes - {"Constraint"} <= set(constraints.TABLE)
    for name in dir(keras.constraints):
        if not name.startswith("_"):
            assert hasattr(constraints, name)


@each_case
def test_projections_are_keras_s(name, given, w):
    ours, theirs = pair(name, given)
    np.testing.assert_allclose(ours(w), theirs(w), rtol=1e-6, atol=1e-6)


@each_case
def test_zeros_stay_zeros(name, given, w):
    ours, _ = pair(name, given)
    np.testing.assert_array_equal(ours(np.zeros_like(w)), np.zeros_like(w))
    padded = np.concatenate([w, np.zeros_like(w)], axis=0)
    found = np.asarray(ours(padded))
    np.testing.assert_array_equal(found[len(w) :], 0)
    np.testing.assert_allclose(found[: len(w)], ours(w), rtol=2e-6, atol=1e-7)


@each_case
def test_projecting_twice_changes_nothing_more(name, given, w):
    ours, _ = pair(name, given)
    once = ours(w)
    if given.get("rate") != 0.3:  # goes only part of the way
        np.testing.assert_allclose(ours(once), once, rtol=2e-5, atol=2e-6)


@each_case
def test_projections_and_gradients_are_finite_near_zero_and_far_from_it(name, given, w):
    ours, _ = pair(name, given)
    towards = jnp.asarray(RNG.normal(size=w.shape), jnp.float32)
    pushed = jax.jit(jax.value_and_grad(lambda v: jnp.sum(ours(v) * towards)))
    for size in (0.0, 1e-4, 30.0, 1e4):
        for x in (np.sign(w) * size, np.full_like(w, size), np.full_like(w, -size)):
            value, slope = pushed(x.astype(np.float32))
            assert np.isfinite(value)
            assert np.isfinite(slope).all()


@each_case
def test_traced_hypers_give_the_projection_of_their_numbers_without_a_new_program(name, given, w):
    ours, _ = pair(name, given)
    count = []

    @jax.jit
    def project(hypers, v):
        count.append(1)
        return ours.apply(hypers, v)

    for number in (0.1, 0.4, 0.9):
        turned = dict.fromkeys(ours.hypers(), number)
        fixed = type(ours)(**{**ours.get_config(), **turned})
        np.testing.assert_allclose(project(turned, w), fixed(w), rtol=2e-6, atol=1e-6)
    assert len(count) == 1


@every_hyper
def test_turning_a_hyper_changes_the_projection_and_no_structure(name, hyper):
    given = {"min_value": 0.3, "max_value": 0.6} if name == "MinMaxNorm" else {"max_value": 0.6}
    member = getattr(constraints, name)(**given)
    structure, before = member.structure(), np.asarray(member(MATRIX))
    assert hash(structure) == hash(getattr(constraints, name)(**given).structure())
    member.set_hyper(hyper, 0.5)
    assert member.hypers()[hyper] == 0.5
    assert member.get_config()[hyper] == 0.5
    assert member.structure() == structure
    assert not np.array_equal(member(MATRIX), before)


def test_the_axis_and_the_kind_are_structure():
    for cls in (constraints.MaxNorm, constraints.MinMaxNorm, constraints.UnitNorm):
        assert len({cls(axis=axis).structure() for axis in (0, 1, None, (0, 1))}) == 4
    assert constraints.MaxNorm().structure() != constraints.UnitNorm().structure()
    assert constraints.NonNeg().structure() == constraints.NonNeg().structure()


@each_case
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_shape_and_dtype_of_the_weights_are_kept(name, given, w, dtype):
    ours, _ = pair(name, given)
    weights = jnp.asarray(w, dtype)
    plain = jax.eval_shape(ours, weights)
    traced = jax.eval_shape(ours.apply, {hyper: jnp.float32(0.1) for hyper in ours.hypers()}, weights)
    assert plain.dtype == traced.dtype == dtype
    assert plain.shape == traced.shape == w.shape


def test_norms_end_up_where_they_were_promised():
    length = np.linalg.norm(MATRIX, axis=0)
    short = np.linalg.norm(constraints.MaxNorm(0.5)(MATRIX), axis=0)
    np.testing.assert_allclose(short, np.minimum(length, 0.5), atol=1e-6)
    within = np.linalg.norm(constraints.MinMaxNorm(0.5, 2.0, axis=0)(MATRIX), axis=0)
    np.testing.assert_allclose(within[:4], np.clip(length, 0.5, 2.0)[:4], atol=1e-6)
    one = np.linalg.norm(constraints.UnitNorm()(MATRIX), axis=0)
    np.testing.assert_allclose(one[:4], 1, atol=1e-5)
    assert (np.asarray(constraints.NonNeg()(MATRIX)) >= 0).all()


@every_name
def test_a_name_leads_to_a_constraint_and_back(name):
    member = constraints.get(name)
    written = constraints.serialize(member)
    for read in (constraints.deserialize(written), constraints.get(written)):
        assert type(read) is type(member)
        assert read.get_config() == member.get_config()
        assert read.structure() == member.structure()
    assert constraints.get(member) is member
    assert type(constraints.get(type(member))) is type(member)
    assert member.get_config() == keras.constraints.get(name).get_config()


@each_case
def test_descriptions_are_keras_s_and_are_read_both_ways(name, given, w):
    ours, theirs = pair(name, given)
    written, real = constraints.serialize(ours), keras.constraints.serialize(theirs)
    assert written == real
    assert constraints.deserialize(real).structure() == ours.structure()
    assert keras.constraints.deserialize(written).get_config() == theirs.get_config()


@every_name
def test_a_misspelt_name_is_told_the_nearest_known_one(name):
    with pytest.raises(ValueError, match=f"Unknown constraint '{name}x'") as told:
        constraints.get(f"{name}x")
    assert f"Did you mean {name!r}?" in str(told.value)
    with pytest.raises(ValueError, match="Unknown constraint"):
        constraints.deserialize({"class_name": f"{name}x", "config": {}})


def test_what_names_no_constraint_is_refused():
    assert constraints.get(None) is None
    assert constraints.serialize(None) is None
    with pytest.raises(TypeError, match="got 2"):
        constraints.get(2)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "much", True])
@every_hyper
def test_a_bound_is_a_finite_number_of_at_least_zero(name, hyper, value):
    with pytest.raises(ValueError, match=hyper):
        getattr(constraints, name)(**{hyper: value})


def test_bounds_must_be_in_order_and_a_rate_at_most_one():
    with pytest.raises(ValueError, match="min_value <= max_value"):
        constraints.MinMaxNorm(2.0, 1.0)
    with pytest.raises(ValueError, match="rate"):
        constraints.MinMaxNorm(rate=1.1)


@pytest.mark.parametrize("axis", ["0", 1.0, True, [0, "1"]])
@pytest.mark.parametrize("name", ["MaxNorm", "MinMaxNorm", "UnitNorm"])
def test_an_axis_must_be_an_integer(name, axis):
    with pytest.raises(ValueError, match="axis"):
        getattr(constraints, name)(axis=axis)


@pytest.mark.parametrize("axis", [2, -3, (0, 2)])
@pytest.mark.parametrize("name", ["MaxNorm", "MinMaxNorm", "UnitNorm"])
def test_an_axis_must_be_one_of_the_weights_(name, axis):
    with pytest.raises(ValueError, match="needs weights with that axis"):
        getattr(constraints, name)(axis=axis)(MATRIX)


def test_a_user_s_function_is_a_constraint_and_is_read_from_custom_objects():
    def boxed(w):
        return jnp.clip(w, -0.5, 0.5)

    member = constraints.get(boxed)
    np.testing.assert_allclose(member(MATRIX), MATRIX.clip(-0.5, 0.5))
    written = constraints.serialize(member)
    with pytest.raises(ValueError, match="boxed"):
        constraints.deserialize(written)
    assert constraints.deserialize(written, {"boxed": boxed}).structure() == member.structure()


def test_a_user_s_function_must_keep_the_shape():
    with pytest.raises(ValueError, match="keep the shape"):
        constraints.get(jnp.sum)(MATRIX)
