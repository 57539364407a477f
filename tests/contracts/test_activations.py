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


def input_of(name):
    """Always of one shape, so that each operation is compiled once."""
    return ROWS if name in {case[0] for case in ALONG_AN_AXIS} else GRID


def values_and_slopes(*functions):
    return jax.jit(lambda points: [jax.vmap(jax.value_and_grad(one))(points) for one in functions])


def test_every_activation_stands_in_the_tables_of_cases():
    assert {name for name, _ in POINTWISE + ALONG_AN_AXIS} == set(activations.TABLE)


def test_every_activation_of_keras_is_known():
    functions = {name for name, member in vars(keras.activations).items() if callable(member)}
    assert functions - {"get", "serialize", "deserialize"} <= set(activations.TABLE)


@every_case
def test_values_are_keras_s(name, given):
    ours, theirs = pair(name, given)
    if name != "sparsemax":  # Keras's, on JAX, sums to anything but 1
        np.testing.assert_allclose(ours(input_of(name)), theirs(input_of(name)), rtol=1e-6, atol=1e-6)


@pointwise
def test_gradients_are_keras_s_and_finite_at_kinks_near_zero_and_far_from_it(name, given):
    ours, theirs = pair(name, given)
    corners = {0.0, given.get("threshold"), given.get("max_value")} if name == "relu" and given else ()
    points = np.array([x for x in GRID if x not in corners], np.float32)
    (values, slopes), (_, real) = values_and_slopes(ours, theirs)(points)
    np.testing.assert_allclose(values, theirs(points), rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(slopes, real, rtol=2e-6, atol=1e-6)
    assert (np.isfinite(slopes) | ((name == "exponential") & (points == 1e4))).all()


@pytest.mark.parametrize(("name", "given"), [case for case in POINTWISE if case[0] == "relu"])
def test_the_gradient_of_relu_at_a_corner_lies_between_those_on_both_sides(name, given):
    ours, _ = pair(name, given)
    corners = [x for x in (0.0, given.get("threshold"), given.get("max_value")) if x is not None]
    points = np.float32(corners)[:, None] + np.float32([-1e-3, 0, 1e-3])
    slopes = values_and_slopes(ours)(points.ravel())[0][1]
    for below, at, above in slopes.reshape(-1, 3):
        assert min(below, above) <= at <= max(below, above)


@along_an_axis
def test_gradients_along_an_axis_are_keras_s_and_finite_for_ties_and_for_wide_gaps(name, given):
    ours, theirs = pair(name, given)
    towards = jnp.asarray(np.random.default_rng(1).normal(size=ours(ROWS).shape), jnp.float32)
    slope = jax.jit(jax.grad(lambda x: jnp.sum(ours(x) * towards)))
    if name != "sparsemax":
        real = jax.jit(jax.grad(lambda x: jnp.sum(theirs(x) * towards)))(ROWS)
        np.testing.assert_allclose(slope(ROWS), real, rtol=2e-5, atol=2e-6)
    for size in (0.0, 1e-4, 30.0, 1e4):
        for x in (np.sign(ROWS) * size, np.full_like(ROWS, size), np.full_like(ROWS, -size)):
            assert np.isfinite(ours(x.astype(np.float32))).all()
            assert np.isfinite(slope(x.astype(np.float32))).all()


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
def test_the_dtype_of_the_input_is_kept_and_integers_become_floats(name, given):
    ours, _ = pair(name, given)
    x = input_of(name)
    for dtype in ("float16", "bfloat16", "float32"):
        found = jax.eval_shape(ours, jnp.asarray(x, dtype))
        assert found.dtype == dtype
        assert found.shape == ours(x).shape
    if name != "linear":
        whole = x.clip(-9, 9).astype(np.int32)
        assert ours(whole).dtype == np.float32
        np.testing.assert_allclose(ours(whole), ours(whole.astype(np.float32)), rtol=1e-6)


@every_case
def test_nan_goes_in_and_nan_comes_out(name, given):
    ours, _ = pair(name, given)
    assert np.isnan(ours(np.full_like(input_of(name), np.nan))).all()


@pytest.mark.parametrize("axis", [(-1, -2), (1, 2), [1, 2]])
def test_softmax_sums_to_one_along_several_axes(axis):
    found = activations.softmax(ROWS, axis)
    np.testing.assert_allclose(jnp.sum(found, (1, 2)), 1, rtol=1e-6)
    np.testing.assert_allclose(
        found, keras.activations.softmax(ROWS, tuple(one % 3 for one in axis)), rtol=1e-6, atol=1e-7
    )
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


def test_the_gradient_of_sparsemax_is_what_leaves_the_sum_over_the_support_alone():
    x = ROWS.reshape(-1, 6)
    slopes = np.asarray(jax.vmap(jax.jacobian(activations.sparsemax))(jnp.asarray(x)))
    for row, slope in zip(np.asarray(activations.sparsemax(x)), slopes, strict=True):
        held = (row > 0).astype(np.float32)
        np.testing.assert_allclose(slope, np.diag(held) - np.outer(held, held) / held.sum(), atol=1e-6)


def test_sparsemax_of_large_numbers_keeps_its_digits():
    x = (1e4 + np.random.default_rng(3).normal(size=64) * 0.02).astype(np.float32)
    np.testing.assert_allclose(activations.sparsemax(x), activations.sparsemax(x - x.max()), atol=1e-6)


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
