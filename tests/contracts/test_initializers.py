"""Every initializer against theory, and against Keras's on the same arguments."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import math

import keras
import ml_dtypes  # noqa: F401  (teaches NumPy the name 'bfloat16')
import numpy as np
import pytest
from scipy import stats
from scipy.signal import get_window

from thalweg import initializers

SHAPE = (400, 300)
CUT = 0.87962566103423978  # the standard deviation of a standard normal cut at -2 and 2
LEFT = stats.truncnorm(-2, 2)

NORMAL, TRUNCATED, UNIFORM = "normal", "truncated", "uniform"

# name, arguments, distribution, mean, variance on SHAPE
RANDOM = [
    ("RandomNormal", {}, NORMAL, 0.0, 0.05**2),
    ("RandomNormal", {"mean": 2.0, "stddev": 3.0}, NORMAL, 2.0, 9.0),
    ("TruncatedNormal", {}, TRUNCATED, 0.0, (0.05 * CUT) ** 2),
    ("TruncatedNormal", {"mean": -1.0, "stddev": 2.0}, TRUNCATED, -1.0, (2 * CUT) ** 2),
    ("RandomUniform", {}, UNIFORM, 0.0, 0.1**2 / 12),
    ("RandomUniform", {"minval": 1.0, "maxval": 3.0}, UNIFORM, 2.0, 4 / 12),
    ("GlorotUniform", {}, UNIFORM, 0.0, 2 / 700),
    ("GlorotNormal", {}, TRUNCATED, 0.0, 2 / 700),
    ("HeUniform", {}, UNIFORM, 0.0, 2 / 400),
    ("HeNormal", {}, TRUNCATED, 0.0, 2 / 400),
    ("LecunUniform", {}, UNIFORM, 0.0, 1 / 400),
    ("LecunNormal", {}, TRUNCATED, 0.0, 1 / 400),
    ("VarianceScaling", {}, TRUNCATED, 0.0, 1 / 400),
    ("VarianceScaling", {"mode": "fan_out", "scale": 3.0}, TRUNCATED, 0.0, 3 / 300),
    ("VarianceScaling", {"mode": "fan_avg", "distribution": "normal"}, TRUNCATED, 0.0, 1 / 350),
    ("VarianceScaling", {"distribution": "truncated_normal", "scale": 0.5}, TRUNCATED, 0.0, 0.5 / 400),
    ("VarianceScaling", {"distribution": "untruncated_normal"}, NORMAL, 0.0, 1 / 400),
    ("VarianceScaling", {"distribution": "uniform", "mode": "fan_out"}, UNIFORM, 0.0, 1 / 300),
]
# name, arguments, shape
FIXED = [
    ("Zeros", {}, (4, 3)),
    ("Zeros", {}, ()),
    ("Ones", {}, (4, 3)),
    ("Ones", {}, (0, 3)),
    ("Constant", {}, (4, 3)),
    ("Constant", {"value": 2.5}, (2, 3, 4)),
    ("Constant", {"value": [1.0, 2.0, 3.0]}, (4, 3)),
    ("Identity", {}, (4, 4)),
    ("Identity", {"gain": 0.5}, (4, 3)),
    ("Identity", {"gain": -2.0}, (3, 4)),
    ("STFT", {}, (16, 1, 9)),
    ("STFT", {"side": "imag"}, (16, 1, 9)),
    ("STFT", {"scaling": "spectrum"}, (16, 1, 9)),
    ("STFT", {"scaling": None, "window": "hamming", "periodic": True}, (16, 1, 9)),
    ("STFT", {"window": None}, (16, 1, 9)),
]


def ids_of(cases):
    return ["-".join([case[0], *(f"{key}={value}" for key, value in case[1].items())]) for case in cases]


random_case = pytest.mark.parametrize(
    ("name", "given", "kind", "mean", "variance"), RANDOM, ids=[f"{i}-{one}" for i, one in enumerate(ids_of(RANDOM))]
)
fixed_case = pytest.mark.parametrize(
    ("name", "given", "shape"), FIXED, ids=[f"{i}-{one}" for i, one in enumerate(ids_of(FIXED))]
)
every_name = pytest.mark.parametrize("name", sorted(initializers.TABLE))
DRAWING = sorted(
    cls.__name__ for cls in set(initializers.TABLE.values()) if issubclass(cls, initializers.RandomInitializer)
)
every_random_one = pytest.mark.parametrize("name", DRAWING)


def generator(*key):
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def made(name, given, shape=SHAPE, key=(7, 1), dtype="float32"):
    return getattr(initializers, name)(**given).draw(generator(*key), shape, dtype)


def fitting_shape(name):
    return (16, 1, 9) if name == "STFT" else (6, 4)


def test_every_initializer_stands_in_the_tables_of_cases():
    cases = {case[0] for case in [*RANDOM, *FIXED]} | {"Orthogonal"}
    assert cases == {cls.__name__ for cls in initializers.TABLE.values()}


def test_every_initializer_of_keras_is_known():
    names = {name for name in dir(keras.initializers) if not name.startswith("_")}
    assert {name for name in names if not hasattr(initializers, name)} == set()
    classes = {name for name in names if isinstance(getattr(keras.initializers, name), type)}
    assert {name for name in classes - {"Initializer"} if name not in initializers.TABLE} == set()


@random_case
def test_mean_and_variance_are_within_five_standard_errors_of_theory(name, given, kind, mean, variance):
    values = made(name, given).astype(np.float64)
    kurtosis = {NORMAL: 3.0, UNIFORM: 1.8, TRUNCATED: 3.0 + float(LEFT.stats("k"))}[kind]
    assert abs(values.mean() - mean) < 5 * math.sqrt(variance / values.size)
    error = variance * math.sqrt((kurtosis - 1) / values.size)
    assert abs(((values - mean) ** 2).mean() - variance) < 5 * error


@random_case
def test_values_follow_the_distribution_that_the_name_promises(name, given, kind, mean, variance):
    values = (made(name, given).ravel().astype(np.float64)[::6] - mean) / math.sqrt(variance)
    half = math.sqrt(3)
    law = {
        NORMAL: stats.norm(),
        UNIFORM: stats.uniform(-half, 2 * half),
        TRUNCATED: stats.truncnorm(-2, 2, scale=1 / CUT),
    }[kind]
    assert stats.kstest(values, law.cdf).pvalue > 1e-3


@random_case
def test_values_are_spread_as_keras_s(name, given, kind, mean, variance):
    shape = (60, 50)
    real = np.asarray(getattr(keras.initializers, name)(**given, seed=3)(shape)).ravel()
    assert stats.ks_2samp(made(name, given, shape, key=(11,)).ravel(), real).pvalue > 1e-3


@random_case
def test_bounded_values_fill_their_bounds_and_never_leave_them(name, given, kind, mean, variance):
    values = made(name, given).astype(np.float64)
    if kind == NORMAL:
        assert abs(values - mean).max() > 3.5 * math.sqrt(variance)
        return
    limit = math.sqrt(3 * variance) if kind == UNIFORM else 2 * math.sqrt(variance) / CUT
    assert abs(values - mean).max() <= limit * (1 + 1e-6)
    assert abs(values - mean).max() > limit * 0.995


@random_case
def test_rows_and_columns_are_not_correlated(name, given, kind, mean, variance):
    values = (made(name, given).astype(np.float64) - mean) / math.sqrt(variance)
    for lag in (1, 2, 7):
        for pairs in (values[lag:] * values[:-lag], values[:, lag:] * values[:, :-lag]):
            assert abs(pairs.mean()) < 5 / math.sqrt(pairs.size)


@pytest.mark.parametrize(
    ("shape", "fan_in", "fan_out"),
    [
        ((400, 300), 400, 300),
        ((300, 400), 300, 400),
        ((5000,), 5000, 5000),
        ((50, 20, 30), 1000, 1500),
        ((3, 5, 16, 24), 240, 360),
        ((2, 3, 5, 8, 10), 240, 300),
    ],
)
def test_fans_count_the_field_of_a_convolution_on_both_sides(shape, fan_in, fan_out):
    assert initializers.fans(shape) == (fan_in, fan_out)
    for mode, connections in (("fan_in", fan_in), ("fan_out", fan_out), ("fan_avg", (fan_in + fan_out) / 2)):
        given = {"scale": 3.0, "mode": mode, "distribution": "uniform"}
        limit = 3 / math.sqrt(connections)
        real = abs(np.asarray(keras.initializers.VarianceScaling(**given, seed=1)(shape))).max()
        values = abs(made("VarianceScaling", given, shape))
        assert values.max() <= limit * (1 + 1e-6)
        assert values.max() > limit * 0.99
        np.testing.assert_allclose(values.max(), real, rtol=0.01)


def test_fans_may_be_told_by_their_axes():
    assert initializers.fans((2, 3, 5), (0, 1), (2,)) == (6, 5)
    given = {"distribution": "uniform", "input_axes": (1,), "output_axes": (0,)}
    values = abs(made("VarianceScaling", given, (400, 300)))
    assert 0.995 < values.max() / math.sqrt(3 / 300) <= 1 + 1e-6


def test_a_scalar_weight_may_be_drawn():
    for name in DRAWING:
        if name != "Orthogonal":
            assert made(name, {}, ()).shape == ()


@every_random_one
@pytest.mark.parametrize("shape", [(6, 4), (0, 4), (2, 3, 4)])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_shape_and_dtype_are_as_asked(name, shape, dtype):
    values = made(name, {}, shape, dtype=dtype)
    assert isinstance(values, np.ndarray)
    assert values.shape == shape
    assert values.dtype == np.dtype(dtype)


@fixed_case
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_shape_and_dtype_of_fixed_values_are_as_asked(name, given, shape, dtype):
    values = made(name, given, shape, dtype=dtype)
    assert values.shape == shape
    assert values.dtype == np.dtype(dtype)


@every_random_one
@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64"])
def test_what_draws_at_random_draws_floats(name, dtype):
    with pytest.raises(ValueError, match="floating-point"):
        made(name, {}, (2, 2), dtype=dtype)


@every_random_one
@pytest.mark.parametrize("shape", [(2, -1), (2.0, 3), (None, 3)])
def test_a_shape_holds_integers_of_at_least_zero(name, shape):
    with pytest.raises(ValueError, match="shape must hold integers"):
        made(name, {}, shape)


@fixed_case
def test_fixed_values_are_keras_s(name, given, shape):
    real = np.asarray(getattr(keras.initializers, name)(**given)(shape))
    if name == "Constant" and np.ndim(given.get("value", 0)):
        real = np.broadcast_to(real, shape)
    np.testing.assert_allclose(made(name, given, shape), real, rtol=1e-6, atol=4e-6 if name == "STFT" else 1e-6)


@fixed_case
def test_fixed_values_need_no_randomness(name, given, shape):
    np.testing.assert_array_equal(made(name, given, shape, key=(1,)), made(name, given, shape, key=(2,)))


@pytest.mark.parametrize("side", ["real", "imag"])
def test_a_convolution_with_the_stft_kernel_is_a_fourier_transform(side):
    signal, window = np.random.default_rng(0).normal(size=16), get_window("hann", 16, fftbins=False)
    exact = np.fft.rfft(signal * window / np.linalg.norm(window))
    kernel = made("STFT", {"side": side}, (16, 1, 9), dtype="float64")
    np.testing.assert_allclose(signal @ kernel[:, 0, :], getattr(exact, side), atol=1e-12)


def test_fixed_values_are_the_caller_s_own():
    for name, given, shape in FIXED:
        values = made(name, given, shape)
        values[...] = 7
        assert not (made(name, given, shape) == 7).any()


def test_identity_is_one_on_the_diagonal():
    np.testing.assert_array_equal(made("Identity", {"gain": 3.0}, (4, 4)), 3 * np.eye(4))
    with pytest.raises(ValueError, match="matrices"):
        made("Identity", {}, (4,))


def test_constant_refuses_what_is_no_number_and_what_does_not_fit():
    with pytest.raises(ValueError, match="Constant"):
        initializers.Constant("much")
    with pytest.raises(ValueError, match="broadcast"):
        made("Constant", {"value": [1.0, 2.0]}, (4, 3))


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (25, 25), (3, 2, 4, 10), (2, 2, 3, 30), (1, 5)])
@pytest.mark.parametrize("gain", [1.0, 1.7])
def test_the_columns_or_rows_of_an_orthogonal_weight_are_orthonormal(shape, gain):
    values = made("Orthogonal", {"gain": gain}, shape).reshape(-1, shape[-1]).astype(np.float64)
    q = values if values.shape[0] >= values.shape[1] else values.T
    np.testing.assert_allclose(q.T @ q, gain**2 * np.eye(q.shape[1]), atol=5e-6)
    real = np.asarray(keras.initializers.Orthogonal(gain, seed=1)(shape)).reshape(values.shape)
    np.testing.assert_allclose(np.linalg.norm(values), np.linalg.norm(real), rtol=1e-5)


def test_all_orthogonal_matrices_are_equally_likely():
    drawn = np.stack([made("Orthogonal", {}, (2, 2), key=(0, i)) for i in range(2000)]).astype(np.float64)
    angle = np.arctan2(drawn[:, 1, 0], drawn[:, 0, 0])
    assert stats.kstest(angle, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-3
    turned = (np.linalg.det(drawn) > 0).mean()
    assert abs(turned - 0.5) < 5 * 0.5 / math.sqrt(2000)


def test_an_orthogonal_weight_has_two_axes_or_more():
    with pytest.raises(ValueError, match="two or more axes"):
        made("Orthogonal", {}, (5,))


@every_random_one
def test_the_same_key_gives_the_same_values_and_another_key_others(name):
    values = made(name, {}, (30, 20), key=(7, 0, 1))
    np.testing.assert_array_equal(values, made(name, {}, (30, 20), key=(7, 0, 1)))
    for key in [(8, 0, 1), (7, 1, 1), (7, 0, 2), (7, 1, 0)]:
        other = made(name, {}, (30, 20), key=key)
        assert not np.array_equal(values, other)
        if name != "Orthogonal":
            assert abs(np.corrcoef(values.ravel(), other.ravel())[0, 1]) < 5 / math.sqrt(values.size)


@every_random_one
def test_a_seed_of_its_own_pins_the_values_whatever_the_key(name):
    pinned = made(name, {"seed": 5}, (6, 4), key=(1,))
    np.testing.assert_array_equal(pinned, made(name, {"seed": 5}, (6, 4), key=(2,)))
    assert not np.array_equal(pinned, made(name, {"seed": 6}, (6, 4), key=(1,)))
    np.testing.assert_array_equal(pinned, getattr(initializers, name)(seed=5)((6, 4)))


@every_random_one
def test_a_call_without_a_generator_repeats_itself_and_differs_from_another_object_s(name):
    one, other = getattr(initializers, name)(), getattr(initializers, name)()
    np.testing.assert_array_equal(one((6, 4)), one((6, 4)))
    assert not np.array_equal(one((6, 4)), other((6, 4)))


@every_random_one
@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", True])
def test_a_seed_is_an_integer_of_32_bits(name, seed):
    with pytest.raises(ValueError, match="seed"):
        getattr(initializers, name)(seed=seed)


@every_name
def test_a_name_leads_to_an_initializer_and_back(name):
    member = initializers.get(name)
    written = initializers.serialize(member)
    for read in (initializers.deserialize(written), initializers.get(written)):
        assert type(read) is type(member)
        assert read.get_config() == member.get_config()
        assert read.structure() == member.structure()
        shape = fitting_shape(name[:4].upper() if name.lower().startswith("stft") else name)
        np.testing.assert_array_equal(read.draw(generator(1), shape), member.draw(generator(1), shape))
    assert initializers.get(member) is member
    assert type(initializers.get(type(member))) is type(member)
    if name.lower() != "constant":  # Keras's cannot be had by its name alone
        assert type(member).__name__ == type(keras.initializers.get(name)).__name__


@pytest.mark.parametrize(("name", "given"), [case[:2] for case in [*RANDOM, *FIXED]] + [("Orthogonal", {"gain": 2.0})])
def test_descriptions_are_keras_s_and_are_read_both_ways(name, given):
    if name in DRAWING:
        given = {**given, "seed": 4}
    ours, theirs = getattr(initializers, name)(**given), getattr(keras.initializers, name)(**given)
    written, real = initializers.serialize(ours), keras.initializers.serialize(theirs)
    assert {key: written[key] for key in ("module", "class_name", "registered_name")} == {
        key: real[key] for key in ("module", "class_name", "registered_name")
    }
    if name != "Identity":  # Keras forgets its gain
        assert initializers.deserialize(real).get_config() == ours.get_config()
    assert keras.initializers.deserialize(written).get_config() == theirs.get_config()


def test_the_file_of_a_keras_seed_generator_is_a_seed():
    theirs = keras.initializers.HeNormal(seed=keras.random.SeedGenerator(9))
    assert initializers.deserialize(keras.initializers.serialize(theirs)).seed == 9


@every_name
def test_a_misspelt_name_is_told_the_nearest_known_one(name):
    with pytest.raises(ValueError, match=f"Unknown initializer '{name}x'") as told:
        initializers.get(f"{name}x")
    assert f"Did you mean {name!r}?" in str(told.value)
    with pytest.raises(ValueError, match="Unknown initializer"):
        initializers.deserialize({"class_name": f"{name}x", "config": {}})


def test_what_names_no_initializer_is_refused():
    assert initializers.get(None) is None
    assert initializers.serialize(None) is None
    with pytest.raises(TypeError, match="got 3"):
        initializers.get(3)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("RandomNormal", {"stddev": -1.0}),
        ("RandomNormal", {"mean": float("nan")}),
        ("TruncatedNormal", {"stddev": float("inf")}),
        ("RandomUniform", {"minval": 1.0, "maxval": 0.0}),
        ("VarianceScaling", {"scale": 0.0}),
        ("VarianceScaling", {"mode": "fan_inn"}),
        ("VarianceScaling", {"distribution": "cauchy"}),
        ("Orthogonal", {"gain": float("inf")}),
        ("Identity", {"gain": "big"}),
        ("STFT", {"side": "left"}),
        ("STFT", {"scaling": "densitty"}),
        ("STFT", {"window": "no such window"}),
    ],
)
def test_numbers_out_of_range_and_unknown_words_are_refused(name, given):
    with pytest.raises(ValueError, match=rf"{next(iter(given))}|[Uu]nknown"):
        getattr(initializers, name)(**given)


def test_an_array_is_an_initializer_of_its_very_values():
    values = np.arange(6.0).reshape(2, 3)
    member = initializers.get(values)
    values[0, 0] = 100
    np.testing.assert_array_equal(member((2, 3)), np.arange(6.0).reshape(2, 3))
    with pytest.raises(ValueError, match="shape"):
        member((3, 2))


def test_a_user_s_function_is_an_initializer_and_is_read_from_custom_objects():
    def sevens(shape, dtype=None):
        return np.full(shape, 7, dtype)

    member = initializers.get(sevens)
    assert member.draw(generator(0), (2, 2)).tolist() == [[7, 7], [7, 7]]
    written = initializers.serialize(member)
    with pytest.raises(ValueError, match="sevens"):
        initializers.deserialize(written)
    assert initializers.deserialize(written, {"sevens": sevens})((1,)).tolist() == [7]


def test_a_class_written_as_for_keras_is_an_initializer():
    class Halves(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return np.full(shape, 0.5, dtype)

    assert initializers.get(Halves).draw(generator(0), (2,)).tolist() == [0.5, 0.5]
