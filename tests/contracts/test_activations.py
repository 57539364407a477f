"""Every activation against Keras's, on the same numbers."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from thalweg import activations

KINKS = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0]
FAR = [-1e4, -30.0, -1e-4, 0.0, 1e-4, 30.0, 1e4]
GRID = np.concatenate([np.linspace(-9, 9, 181), KINKS, FAR]).astype(np.float32)
ROWS = np.random.default_rng(0).normal(size=(3, 4, 6)).astype(np.float32) * 4

POINTWISE = [
    ("celu", {}),
    ("celu", {"alpha": 0.3}),
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("exponential", {}),
    ("gelu", {}),
    ("gelu", {"approximate": True}),
    ("hard_shrink", {}),
    ("hard_shrink", {"threshold": 1.0}),
    ("hard_sigmoid", {}),
    ("hard_silu", {}),
    ("hard_swish", {}),
    ("hard_tanh", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("linear", {}),
    ("log_sigmoid", {}),
    ("mish", {}),
    ("relu", {}),
    ("relu", {"max_value": 6.0}),
    ("relu", {"max_value": 3.0}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"threshold": -1.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 6.0, "threshold": 1.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 3.0, "threshold": 0.5}),
    ("relu6", {}),
    ("selu", {}),
    ("sigmoid", {}),
    ("silu", {}),
    ("soft_shrink", {}),
    ("soft_shrink", {"threshold": 1.0}),
    ("softplus", {}),
    ("softsign", {}),
    ("sparse_plus", {}),
    ("sparse_sigmoid", {}),
    ("squareplus", {}),
    ("squareplus", {"b": 0.2}),
    ("swish", {}),
    ("tanh", {}),
    ("tanh_shrink", {}),
    ("threshold", {"threshold": 0.5, "default_value": -2.0}),
]
ALONG_AN_AXIS = [
    ("glu", {}),
    ("glu", {"axis": 1}),
    ("log_softmax", {}),
    ("log_softmax", {"axis": 1}),
    ("softmax", {}),
    ("softmax", {"axis": 1}),
    ("sparsemax", {}),
    ("sparsemax", {"axis": 1}),
]


def ids_of(cases):
    return ["-".join([name, *(f"{key}={value}" for key, value in given.items())]) for name, given in cases]


pointwise = pytest.mark.parametrize(("name", "given"), POINTWISE, ids=ids_of(POINTWISE))
along_an_axis = pytest.mark.parametrize(("name", "given"), ALONG_AN_AXIS, ids=ids_of(ALONG_AN_AXIS))
every_case = pytest.mark.parametrize(
    ("name", "given"), POINTWISE + ALONG_AN_AXIS, ids=ids_of(POINTWISE + ALONG_AN_AXIS)
)
every_name = pytest.mark.parametrize("name", sorted(activations.TABLE))


def pair(name, given):
    ours, theirs = activations.TABLE[name], getattr(keras.activations, name)
    return (lambda x: ours(x, **given)), (lambda x: theirs(x, **given))


def slopes(function, points):
    return jax.vmap(jax.grad(function))(jnp.asarray(points))


def test_every_activation_stands_in_the_tables_of_cases():
    assert {name for name, _ in POINTWISE + ALONG_AN_AXIS} == set(activations.TABLE)


def test_every_activation_of_keras_is_known():
    functions = {name for name, member in vars(keras.activations).items() if callable(member)}
    assert functions - {"get", "serialize", "deserialize"} <= set(activations.TABLE)


@pointwise
def test_values_are_keras_s(name, given):
    ours, theirs = pair(name, given)
    np.testing.assert_allclose(ours(GRID), theirs(GRID), rtol=1e-6, atol=1e-6)


@along_an_axis
def test_values_along_an_axis_are_keras_s(name, given):
    ours, theirs = pair(name, given)
    np.testing.assert_allclose(ours(ROWS), theirs(ROWS), rtol=1e-6, atol=1e-6)


@pointwise
def test_gradients_are_keras_s_at_the_kinks_and_between_them(name, given):
    ours, theirs = pair(name, given)
    near = np.array([*KINKS, -7.3, -2.2, -0.2, 1e-4, -1e-4, 0.2, 0.9, 2.2, 7.3], np.float32)
    np.testing.assert_allclose(slopes(ours, near), slopes(theirs, near), rtol=2e-6, atol=1e-6)


@along_an_axis
def test_gradients_along_an_axis_are_keras_s(name, given):
    ours, theirs = pair(name, given)
    towards = jnp.asarray(np.random.default_rng(1).normal(size=ours(ROWS).shape), jnp.float32)
    mine = jax.grad(lambda x: jnp.sum(ours(x) * towards))(jnp.asarray(ROWS))
    real = jax.grad(lambda x: jnp.sum(theirs(x) * towards))(jnp.asarray(ROWS))
    np.testing.assert_allclose(mine, real, rtol=2e-5, atol=2e-6)


@pointwise
def test_gradients_are_finite_near_zero_and_far_from_it(name, given):
    ours, _ = pair(name, given)
    found = np.asarray(slopes(ours, np.array(FAR, np.float32)))
    if name == "exponential":
        assert np.isinf(found[-1])
        found = found[:-1]
    assert np.isfinite(found).all()


@along_an_axis
@pytest.mark.parametrize("size", [0.0, 1e-4, 30.0, 1e4])
def test_gradients_along_an_axis_are_finite_for_ties_and_for_wide_gaps(name, given, size):
    ours, _ = pair(name, given)
    signs = np.sign(ROWS).astype(np.float32)
    for x in (signs * size, np.full_like(ROWS, size), np.full_like(ROWS, -size)):
        towards = jnp.asarray(np.random.default_rng(1).normal(size=ours(x).shape), jnp.float32)
        value, slope = jax.value_and_grad(lambda z, c=towards: jnp.sum(ours(z) * c))(jnp.asarray(x))
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


@every_case
def test_a_compiled_call_gives_what_a_plain_one_gives(name, given):
    ours, _ = pair(name, given)
    np.testing.assert_allclose(jax.jit(ours)(ROWS), ours(ROWS), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("celu", {"alpha": 0.3}),
        ("elu", {"alpha": 0.3}),
        ("hard_shrink", {"threshold": 1.0}),
        ("leaky_relu", {"negative_slope": 0.01}),
        ("relu", {"negative_slope": 0.1, "max_value": 6.0, "threshold": 1.0}),
        ("relu", {"negative_slope": 0.0, "threshold": 0.0}),
        ("soft_shrink", {"threshold": 1.0}),
        ("squareplus", {"b": 0.2}),
        ("threshold", {"threshold": 0.5, "default_value": -2.0}),
    ],
)
def test_the_numbers_of_an_activation_may_be_traced(name, given):
    function = activations.TABLE[name]
    count = []

    def called(x, numbers):
        count.append(1)
        return function(x, **numbers)

    compiled = jax.jit(called)
    np.testing.assert_allclose(compiled(GRID, given), function(GRID, **given), rtol=1e-6, atol=1e-6)
    other = {key: value + 0.25 for key, value in given.items()}
    np.testing.assert_allclose(compiled(GRID, other), function(GRID, **other), rtol=1e-6, atol=1e-6)
    assert len(count) == 1


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
def test_traced_numbers_do_not_change_the_gradient_at_the_kink(name):
    function = activations.TABLE[name]
    key = "alpha" if name == "elu" else "negative_slope"
    for number in (0.0, 0.3):
        plain = jax.grad(lambda x, n=number: function(x, **{key: n}))(0.0)
        traced = jax.jit(jax.grad(lambda x, n: function(x, **{key: n})))(0.0, number)
        assert plain == traced


@every_case
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_dtype_of_the_input_is_kept(name, given, dtype):
    ours, _ = pair(name, given)
    found = ours(jnp.asarray(ROWS, dtype))
    assert found.dtype == dtype
    assert found.shape == ours(ROWS).shape


@every_case
def test_integers_become_floats(name, given):
    ours, _ = pair(name, given)
    whole = np.arange(-6, 6).reshape(2, 1, 6).repeat(2, axis=1)
    found = jnp.asarray(ours(whole))
    if name != "linear":
        assert found.dtype == np.float32
    np.testing.assert_allclose(found, ours(whole.astype(np.float32)), rtol=1e-6)


@every_case
def test_nan_goes_in_and_nan_comes_out(name, given):
    ours, _ = pair(name, given)
    assert np.isnan(ours(np.full((2, 2, 4), np.nan, np.float32))).all()


@pytest.mark.parametrize("axis", [(-1, -2), (1, 2), [1, 2]])
def test_softmax_sums_to_one_along_several_axes(axis):
    found = activations.softmax(ROWS, axis)
    np.testing.assert_allclose(jnp.sum(found, (1, 2)), 1, rtol=1e-6)
    np.testing.assert_allclose(found, keras.activations.softmax(ROWS, tuple(axis)), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(jnp.exp(activations.log_softmax(ROWS, axis)), found, rtol=1e-5, atol=1e-7)


def test_an_entry_of_minus_infinity_gets_no_probability():
    x = np.array([[0.0, -np.inf, 0.0]], np.float32)
    np.testing.assert_allclose(activations.softmax(x), [[0.5, 0.0, 0.5]])


def test_sparsemax_gives_the_nearest_point_of_the_simplex():
    x = ROWS.reshape(-1, 6)
    found = np.asarray(activations.sparsemax(x))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    assert (found >= 0).all()
    assert (found == 0).any()
    corners = np.random.default_rng(2).dirichlet(np.full(6, 0.3), 400)
    nearest = ((x[:, None] - corners[None]) ** 2).sum(axis=2).min(axis=1)
    assert (((x - found) ** 2).sum(axis=1) <= nearest + 1e-5).all()


def test_sparsemax_of_large_numbers_keeps_its_digits():
    shifted = activations.sparsemax(np.array([1e6 + 0.5, 1e6, 1e6 - 4], np.float32))
    np.testing.assert_allclose(shifted, [0.75, 0.25, 0.0], atol=1e-6)


def test_glu_needs_an_even_size():
    with pytest.raises(ValueError, match="even size"):
        activations.glu(np.ones((2, 5)))


@every_name
def test_a_name_leads_to_a_function_and_back(name):
    function = activations.get(name)
    written = activations.serialize(function)
    assert activations.deserialize(written) is function
    assert activations.get(written) is function
    assert activations.get(function) is function
    assert written == keras.activations.serialize(keras.activations.get(name))


@every_name
def test_what_keras_writes_for_a_function_is_read(name):
    written = keras.saving.serialize_keras_object(keras.activations.get(name))
    assert activations.deserialize(written) is activations.TABLE[name]


def test_no_activation_means_linear():
    assert activations.get(None) is activations.linear
    assert activations.get("linear") is activations.linear


def test_a_user_s_function_keeps_its_name_and_is_read_from_custom_objects():
    def bent(x):
        return x

    assert activations.get(bent) is bent
    assert activations.serialize(bent) == "bent"
    assert activations.deserialize("bent", {"bent": bent}) is bent


def test_a_user_s_function_with_a_known_name_is_told_apart():
    def relu(x):
        return x

    written = activations.serialize(relu)
    assert written == "Custom>relu"
    assert activations.deserialize(written, {"relu": relu}) is relu
    with pytest.raises(ValueError, match="Custom>relu"):
        activations.deserialize(written)


@every_name
def test_a_misspelt_name_is_told_the_nearest_known_one(name):
    with pytest.raises(ValueError, match=f"Unknown activation '{name}x'") as told:
        activations.get(f"{name}x")
    assert f"Did you mean {name!r}?" in str(told.value)
    with pytest.raises(ValueError, match="Unknown activation"):
        activations.deserialize(f"{name}x")


def test_what_names_no_activation_is_refused():
    with pytest.raises(TypeError, match="got 3"):
        activations.get(3)
