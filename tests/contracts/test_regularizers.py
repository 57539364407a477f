"""Every regularizer against Keras's, on the same numbers."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from thalweg import regularizers

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(7, 5)).astype(np.float32)

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L1", {"l1": None}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L2", {"l2": None}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.3}),
    ("L1L2", {"l1": 0.3, "l2": 0.7}),
    ("L1L2", {"l1": None, "l2": None}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.3, "mode": "rows"}),
    ("OrthogonalRegularizer", {"factor": 0.3, "mode": "columns"}),
]
IDS = ["-".join([name, *(f"{key}={value}" for key, value in given.items())]) for name, given in CASES]
each_case = pytest.mark.parametrize(("name", "given"), CASES, ids=IDS)
every_name = pytest.mark.parametrize("name", sorted(regularizers.TABLE))
every_hyper = pytest.mark.parametrize(
    ("name", "hyper"), sorted({(cls.__name__, hyper) for cls in regularizers.TABLE.values() for hyper in cls.HYPERS})
)


def pair(name, given):
    return getattr(regularizers, name)(**given), getattr(keras.regularizers, name)(**given)


def as_float32s(config):
    """Keras rounds some factors to float32 before it writes them down."""
    return {key: value if isinstance(value, str) else float(np.float32(value)) for key, value in config.items()}


def test_every_regularizer_stands_in_the_table_of_cases():
    assert {name for name, _ in CASES} == {cls.__name__ for cls in regularizers.TABLE.values()}


def test_every_regularizer_of_keras_is_known():
    classes = {name for name, member in vars(keras.regularizers).items() if isinstance(member, type)}
    assert classes - {"Regularizer"} <= set(regularizers.TABLE)
    for name in dir(keras.regularizers):
        if not name.startswith("_"):
            assert hasattr(regularizers, name)


@each_case
def test_value_and_gradient_are_keras_s(name, given):
    ours, theirs = pair(name, given)
    np.testing.assert_allclose(ours(WEIGHTS), theirs(jnp.asarray(WEIGHTS)), rtol=1e-6, atol=1e-6)
    mine = jax.grad(ours)(jnp.asarray(WEIGHTS))
    real = jax.grad(lambda w: jnp.asarray(theirs(w)))(jnp.asarray(WEIGHTS))
    np.testing.assert_allclose(mine, real, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(), (6,), (2, 3, 4), (0, 3)])
@pytest.mark.parametrize("name", ["L1", "L2", "L1L2"])
def test_weights_of_any_shape_have_a_scalar_penalty(name, shape):
    ours, theirs = pair(name, {"l1": 0.2} if name == "L1" else {"l2": 0.2})
    w = np.ones(shape, np.float32) * 3
    assert ours(w).shape == ()
    np.testing.assert_allclose(ours(w), theirs(w), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(), (6,), (2, 3, 4)])
def test_the_orthogonal_penalty_takes_nothing_but_matrices(shape):
    with pytest.raises(ValueError, match="matrix"):
        regularizers.OrthogonalRegularizer()(np.ones(shape, np.float32))


@each_case
def test_gradients_are_finite_near_zero_and_far_from_it(name, given):
    ours, _ = pair(name, given)
    priced = jax.jit(jax.value_and_grad(ours))
    for size in (0.0, 1e-4, 30.0, 1e4):
        for w in (np.sign(WEIGHTS) * size, np.full_like(WEIGHTS, size), np.full_like(WEIGHTS, -size)):
            value, slope = priced(w.astype(np.float32))
            assert np.isfinite(value)
            assert np.isfinite(slope).all()


@each_case
def test_traced_hypers_give_the_penalty_of_their_numbers_without_a_new_program(name, given):
    ours, _ = pair(name, given)
    count = []

    @jax.jit
    def penalty(hypers, w):
        count.append(1)
        return ours.apply(hypers, w)

    for factor in (0.0, 0.25, 4.0):
        turned = {hyper: factor + place for place, hyper in enumerate(ours.hypers())}
        fixed = type(ours)(**{**ours.get_config(), **turned})
        np.testing.assert_allclose(penalty(turned, WEIGHTS), fixed(WEIGHTS), rtol=1e-6, atol=1e-6)
    assert len(count) == 1


@each_case
def test_the_penalty_is_proportional_to_its_factors(name, given):
    ours, _ = pair(name, given)
    once = dict.fromkeys(ours.hypers(), 0.5)
    thrice = dict.fromkeys(ours.hypers(), 1.5)
    np.testing.assert_allclose(ours.apply(thrice, WEIGHTS), 3 * ours.apply(once, WEIGHTS), rtol=1e-6)


@every_hyper
def test_turning_a_hyper_changes_the_penalty_and_no_structure(name, hyper):
    member = getattr(regularizers, name)()
    structure, before = member.structure(), float(member(WEIGHTS))
    assert hash(structure) == hash(type(member)().structure())
    member.set_hyper(hyper, 0.7)
    assert member.hypers()[hyper] == 0.7
    assert member.get_config()[hyper] == 0.7
    assert member.structure() == structure
    assert float(member(WEIGHTS)) != before
    assert type(member)(**{hyper: 0.9}).structure() == structure


def test_the_mode_and_the_kind_are_structure():
    rows, columns = (regularizers.OrthogonalRegularizer(mode=mode) for mode in ("rows", "columns"))
    assert rows.structure() != columns.structure()
    assert regularizers.L1(0.1).structure() != regularizers.L2(0.1).structure()
    assert regularizers.L1(0.1).structure() != regularizers.L1L2(0.1).structure()


def test_a_twin_has_knobs_of_its_own():
    one = regularizers.L2(0.5)
    other = one.twin()
    other.set_hyper("l2", 0.25)
    assert (one.l2, other.l2) == (0.5, 0.25)


@each_case
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_penalty_has_the_dtype_of_the_weights(name, given, dtype):
    ours, _ = pair(name, given)
    w = jnp.asarray(WEIGHTS, dtype)
    plain = jax.eval_shape(ours, w)
    traced = jax.eval_shape(ours.apply, {hyper: jnp.float32(0.1) for hyper in ours.hypers()}, w)
    assert plain.dtype == traced.dtype == dtype


def test_a_matrix_of_one_row_costs_nothing():
    value, slope = jax.value_and_grad(regularizers.OrthogonalRegularizer())(jnp.ones((1, 4)))
    assert value == 0
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_padding_a_matrix_with_zeros_leaves_its_orthogonal_penalty(mode):
    member = regularizers.OrthogonalRegularizer(0.5, mode)
    wide = np.zeros((11, 9), np.float32)
    scattered = np.ix_([0, 2, 3, 5, 6, 8, 10], [1, 2, 4, 7, 8])
    wide[scattered] = WEIGHTS
    penalty, slope = jax.value_and_grad(member)(jnp.asarray(wide))
    np.testing.assert_allclose(penalty, member(WEIGHTS), rtol=1e-6)
    np.testing.assert_allclose(
        np.asarray(slope)[scattered], jax.grad(member)(jnp.asarray(WEIGHTS)), rtol=1e-5, atol=1e-7
    )


@every_name
def test_a_name_leads_to_a_regularizer_and_back(name):
    member = regularizers.get(name)
    written = regularizers.serialize(member)
    for read in (regularizers.deserialize(written), regularizers.get(written)):
        assert type(read) is type(member)
        assert read.get_config() == member.get_config()
        assert read.structure() == member.structure()
    assert regularizers.get(member) is member
    assert type(regularizers.get(type(member))) is type(member)
    if name != "l1_l2":  # Keras knows it as a function of its module alone
        assert as_float32s(member.get_config()) == as_float32s(keras.regularizers.get(name).get_config())


@each_case
def test_descriptions_are_keras_s_and_are_read_both_ways(name, given):
    ours, theirs = pair(name, given)
    written, real = regularizers.serialize(ours), keras.regularizers.serialize(theirs)
    assert {**written, "config": as_float32s(written["config"])} == {**real, "config": as_float32s(real["config"])}
    assert as_float32s(regularizers.deserialize(real).get_config()) == as_float32s(ours.get_config())
    assert keras.regularizers.deserialize(written).get_config() == theirs.get_config()


@every_name
def test_a_misspelt_name_is_told_the_nearest_known_one(name):
    with pytest.raises(ValueError, match=f"Unknown regularizer '{name}x'") as told:
        regularizers.get(f"{name}x")
    assert f"Did you mean {name!r}?" in str(told.value)
    with pytest.raises(ValueError, match="Unknown regularizer"):
        regularizers.deserialize({"class_name": f"{name}x", "config": {}})


def test_what_names_no_regularizer_is_refused():
    assert regularizers.get(None) is None
    assert regularizers.serialize(None) is None
    with pytest.raises(TypeError, match=r"got 0\.1"):
        regularizers.get(0.1)
    with pytest.raises(ValueError, match="rows"):
        regularizers.OrthogonalRegularizer(mode="row")


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "much", True])
@every_hyper
def test_a_factor_is_a_finite_number_of_at_least_zero(name, hyper, value):
    with pytest.raises(ValueError, match=hyper):
        getattr(regularizers, name)(**{hyper: value})


def test_a_user_s_function_is_a_regularizer_and_is_read_from_custom_objects():
    def largest(w):
        return jnp.max(jnp.abs(w))

    member = regularizers.get(largest)
    np.testing.assert_allclose(member(WEIGHTS), np.abs(WEIGHTS).max())
    written = regularizers.serialize(member)
    with pytest.raises(ValueError, match="largest"):
        regularizers.deserialize(written)
    read = regularizers.deserialize(written, {"largest": largest})
    assert read.structure() == member.structure() == regularizers.get(largest).structure()
    assert regularizers.get(lambda w: jnp.sum(w)).structure() != member.structure()


def test_a_user_s_function_must_give_a_scalar():
    with pytest.raises(ValueError, match="scalar"):
        regularizers.get(jnp.abs)(WEIGHTS)


def test_a_class_written_as_for_keras_is_a_regularizer():
    class Quartic(regularizers.Regularizer):
        def __init__(self, factor=0.5):
            self.factor = factor

        def __call__(self, w):
            return self.factor * jnp.sum(w**4)

    member = regularizers.get(Quartic)
    np.testing.assert_allclose(member.apply({}, WEIGHTS), 0.5 * (WEIGHTS**4).sum(), rtol=1e-5)
    assert member.structure() != Quartic().structure()


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2"])
def test_a_turned_factor_stays_in_its_range(name):
    regularizer = getattr(regularizers, name)()
    for path in regularizer.hypers():
        with pytest.raises(ValueError, match=path):
            regularizer.set_hyper(path, -1.0)
