"""The random bits of layers are as good as independent fair coins, and Dropout and GaussianNoise make right use of them."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from thalweg.layers import Context, Dropout, GaussianNoise, layer_key

ROWS, UNITS, STEPS = 48, 40, 400
LEAST = 1e-4  # what a p-value must exceed; all seeds are fixed


@functools.partial(jax.jit, static_argnums=(2, 3, 4))
def words(seeds, steps, layer=0, call=0, shape=(ROWS, UNITS)):
    """uint32 [len(seeds), *shape], one block for each pair of seed and step."""
    return jax.vmap(lambda seed, step: Context(True, key=layer_key(seed, step, layer, call)).random_bits(shape))(
        seeds, steps
    )


@functools.partial(jax.jit, static_argnums=(2, 3))
def normals(seeds, steps, layer=0, shape=(ROWS, UNITS)):
    return jax.vmap(lambda seed, step: Context(True, key=layer_key(seed, step, layer, 0)).normal(shape))(seeds, steps)


@functools.partial(jax.jit, static_argnums=(0, 1))
def numbers(kind, units, awake=None, key=77):
    return getattr(Context(True, awake=awake, key=key), kind)((ROWS, units))


@jax.jit
def dropped(rate, key, x):
    return Dropout(0.5).apply({}, x, Context(True, h={"rate": rate}, key=key))


def over_steps(seed, layer=0, call=0, shape=(ROWS, UNITS), steps=STEPS):
    return np.asarray(words(jnp.full(steps, seed, jnp.uint32), jnp.arange(steps, dtype=jnp.uint32), layer, call, shape))


def kept(bits, rate):
    return (bits >> 8) >= int(rate * 2**24)


def centred(coins, rate):
    """Of mean 0 and variance 1 where `coins` is True with probability ``1 - rate``."""
    return (coins.astype(np.float64) - (1 - rate)) / math.sqrt(rate * (1 - rate))


def drawn_by_dropout(key, rate=0.5, shape=(ROWS, UNITS), **given):
    layer = Dropout(rate, **given)
    return np.asarray(layer.apply({}, jnp.ones(shape), Context(True, h=layer.hypers(), key=key)))


def assert_uncorrelated(one, other):
    """Two arrays of mean 0 and variance 1."""
    assert abs((one * other).mean()) < 5 / math.sqrt(one.size)


def assert_as_often_as_expected(counts, of, share):
    """Whether counts are binomial(of, share), neither too far from it nor too near."""
    squares = ((counts - of * share) ** 2 / (of * share * (1 - share))).sum()
    assert LEAST < stats.chi2(counts.size).cdf(squares) < 1 - LEAST


# -- the bits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.02, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_every_unit_and_every_row_is_kept_as_often_as_promised(seed, rate):
    coins = kept(over_steps(seed), rate)
    assert_as_often_as_expected(coins.sum(axis=(0, 1)), STEPS * ROWS, 1 - rate)
    assert_as_often_as_expected(coins.sum(axis=(0, 2)), STEPS * UNITS, 1 - rate)
    assert_as_often_as_expected(coins.sum(axis=(1, 2)), ROWS * UNITS, 1 - rate)
    assert_as_often_as_expected(coins.sum(axis=0).ravel(), STEPS, 1 - rate)


def test_every_layer_and_every_seed_keeps_as_many_as_promised():
    for layer in range(6):
        by_seed = words(jnp.arange(200, dtype=jnp.uint32), jnp.zeros(200, jnp.uint32), layer)
        assert_as_often_as_expected(kept(np.asarray(by_seed), 0.5).sum(axis=(1, 2)), ROWS * UNITS, 0.5)


def test_every_one_of_the_32_bits_is_a_fair_coin_and_none_tells_of_another():
    bits = over_steps(3)
    coins = np.stack([centred((bits >> place) & 1, 0.5).ravel() for place in range(32)])
    assert (abs(coins.mean(axis=1)) < 5 / math.sqrt(coins.shape[1])).all()
    between = coins @ coins.T / coins.shape[1] - np.eye(32)
    assert abs(between).max() < 5 / math.sqrt(coins.shape[1])


def test_words_are_spread_evenly_over_all_bytes():
    bits = over_steps(4)
    for place in (0, 8, 16, 24):
        counts = np.bincount(((bits >> place) & 255).ravel(), minlength=256)
        assert LEAST < stats.chisquare(counts).pvalue < 1 - LEAST


def test_neighbouring_words_are_spread_evenly_over_all_pairs():
    high = over_steps(5) >> 28
    for one, other in ((high[:, :, ::2], high[:, :, 1::2]), (high[:, ::2], high[:, 1::2]), (high[::2], high[1::2])):
        counts = np.bincount((one * 16 + other).ravel(), minlength=256)
        assert LEAST < stats.chisquare(counts).pvalue < 1 - LEAST


@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("lag", [1, 2, 8, 32])
def test_steps_rows_and_units_know_nothing_of_each_other(rate, lag):
    coins = centred(kept(over_steps(6), rate), rate)
    for axis in range(3):
        ahead, behind = np.split(coins, [lag], axis=axis)[1], np.split(coins, [coins.shape[axis] - lag], axis=axis)[0]
        assert_uncorrelated(ahead, behind)


def test_no_pair_of_units_and_no_pair_of_rows_is_correlated():
    coins = centred(kept(over_steps(7), 0.5), 0.5)
    for table in (coins.reshape(-1, UNITS), coins.transpose(0, 2, 1).reshape(-1, ROWS)):
        between = table.T @ table / len(table)
        np.fill_diagonal(between, 0)
        assert abs(between).max() < 5 / math.sqrt(len(table))


def test_no_pair_of_steps_is_correlated():
    coins = centred(kept(over_steps(8), 0.5), 0.5).reshape(STEPS, -1)
    between = coins @ coins.T / coins.shape[1]
    np.fill_diagonal(between, 0)
    assert abs(between).max() < 5.5 / math.sqrt(coins.shape[1])


def test_layers_and_calls_of_a_layer_know_nothing_of_each_other():
    places = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (0, 2)]
    coins = [centred(kept(over_steps(9, layer, call, steps=100), 0.5), 0.5) for layer, call in places]
    for one, other in itertools.combinations(coins, 2):
        assert_uncorrelated(one, other)
        assert_uncorrelated(one[1:], other[:-1])
        assert_uncorrelated(one[:-1], other[1:])


def test_neighbouring_seeds_know_nothing_of_each_other():
    near = [0, 1, 2, 3, 4, 1000, 1001, 2**31, 2**32 - 1]
    coins = [centred(kept(over_steps(seed, steps=100), 0.5), 0.5) for seed in near]
    for one, other in itertools.combinations(coins, 2):
        assert_uncorrelated(one, other)
        assert_uncorrelated(one[1:], other[:-1])
        assert_uncorrelated(one[:-1], other[1:])


def test_seeds_steps_layers_and_calls_all_have_keys_of_their_own():
    keys = [
        np.asarray(jax.vmap(lambda s, place=place: layer_key(s // 64, s % 64, *place))(jnp.arange(4096)))
        for place in [(0, 0), (1, 0), (0, 1), (2, 3)]
    ]
    found = np.unique(np.concatenate(keys))
    assert len(found) >= 4 * 4096 - 2  # of 32 bits: hardly ever does a pair collide


def test_a_key_is_the_same_for_traced_and_for_plain_numbers():
    plain = layer_key(17, 250, 3, 1)
    assert plain.dtype == jnp.uint32
    assert plain == jax.jit(layer_key, static_argnums=(2, 3))(17, 250, 3, 1)
    assert plain == layer_key(np.uint32(17), np.int64(250), 3, 1)


def test_more_rows_or_more_units_leave_the_bits_of_the_first_ones():
    few = np.asarray(Context(True, key=12345).random_bits((5, 7)))
    many = np.asarray(Context(True, key=12345).random_bits((50, 70)))
    np.testing.assert_array_equal(few, many[:5, :7])
    assert few.dtype == np.uint32


def test_units_of_several_axes_have_the_bits_of_as_many_in_a_row():
    flat = Context(True, key=9).random_bits((5, 24))
    np.testing.assert_array_equal(Context(True, key=9).random_bits((5, 2, 3, 4)), flat.reshape(5, 2, 3, 4))
    np.testing.assert_array_equal(Context(True, key=9).random_bits((5,)), flat[:, 0])


@pytest.mark.parametrize("kind", ["random_bits", "uniform", "normal"])
@pytest.mark.parametrize("where", ["front", "back", "scattered"])
def test_awake_units_of_a_padded_layer_draw_what_they_draw_unpadded(kind, where):
    place = {
        "front": np.arange(24, 64),
        "back": np.arange(40),
        "scattered": np.sort(np.random.default_rng(1).permutation(64)[:40]),
    }[where]
    awake = np.zeros(64, np.float32)
    awake[place] = 1
    plain, padded, everyone = numbers(kind, 40), numbers(kind, 64, awake), numbers(kind, 40, np.ones(40, np.float32))
    np.testing.assert_array_equal(padded[:, place], plain)
    np.testing.assert_array_equal(everyone, plain)


def test_awake_units_of_several_axes_are_counted_in_order():
    awake = (np.random.default_rng(2).random((4, 6)) < 0.6).astype(np.float32)
    units = int(awake.sum())
    padded = np.asarray(Context(True, awake=jnp.asarray(awake), key=5).random_bits((ROWS, 4, 6)))
    np.testing.assert_array_equal(padded[:, awake > 0], Context(True, key=5).random_bits((ROWS, units)))


@pytest.mark.parametrize(("layer", "given"), [(Dropout, 0.4), (GaussianNoise, 0.7)])
def test_a_padded_layer_gives_its_awake_units_what_the_unpadded_one_gives(layer, given):
    member = layer(given)
    x = np.random.default_rng(3).normal(size=(ROWS, 10)).astype(np.float32)
    place = [0, 1, 4, 5, 6, 9, 12, 13, 14, 15]
    awake, wide = np.zeros(16, np.float32), np.zeros((ROWS, 16), np.float32)
    awake[place], wide[:, place] = 1, x
    applied = jax.jit(lambda x, awake: member.apply({}, x, Context(True, h=member.hypers(), awake=awake, key=8)))
    plain, padded = applied(x, None), np.asarray(applied(wide, awake))
    np.testing.assert_array_equal(padded[:, place], plain)
    np.testing.assert_array_equal(padded[:, awake == 0], 0)


# -- numbers made of them ------------------------------------------------------------------------


def test_uniform_numbers_are_uniform_and_below_one():
    values = np.stack([np.asarray(Context(True, key=layer_key(1, step, 0, 0)).uniform((200, 100))) for step in (0, 1)])
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert values.max() < 1
    assert stats.kstest(values.ravel(), "uniform").pvalue > LEAST
    assert stats.kstest(values[:, :, 0].ravel(), "uniform").pvalue > LEAST
    assert stats.kstest(values[:, 0, :].ravel(), "uniform").pvalue > LEAST


@pytest.mark.parametrize("seed", [0, 1])
def test_normal_numbers_have_mean_zero_and_variance_one_and_the_normal_distribution(seed):
    steps = jnp.arange(40, dtype=jnp.uint32)
    z = np.asarray(normals(jnp.full(40, seed, jnp.uint32), steps)).astype(np.float64)
    n = z.size
    assert np.isfinite(z).all()
    assert abs(z.mean()) < 5 / math.sqrt(n)
    assert abs((z**2).mean() - 1) < 5 * math.sqrt(2 / n)
    assert abs((z**3).mean()) < 5 * math.sqrt(15 / n)
    assert abs((z**4).mean() - 3) < 5 * math.sqrt(96 / n)
    assert stats.kstest(z.ravel(), "norm").pvalue > LEAST
    assert abs(z).max() > 3.5
    by_unit, by_row = z.mean(axis=(0, 1)) * math.sqrt(40 * ROWS), z.mean(axis=(0, 2)) * math.sqrt(40 * UNITS)
    for sums in (by_unit, by_row):
        assert LEAST < stats.chi2(sums.size).cdf((sums**2).sum()) < 1 - LEAST
    for axis in range(3):
        ahead, behind = np.split(z, [1], axis=axis)[1], np.split(z, [z.shape[axis] - 1], axis=axis)[0]
        assert_uncorrelated(ahead, behind)
        assert abs(((ahead**2 - 1) * (behind**2 - 1) / 2).mean()) < 5 / math.sqrt(ahead.size)


def test_the_lowest_and_the_highest_word_give_finite_numbers():
    class Extreme(Context):
        def random_bits(self, shape):
            return jnp.array([[0, 2**32 - 1]], jnp.uint32)

    low, high = Extreme(True).uniform((1, 2))[0]
    assert low == 0
    assert 0.9999999 < high < 1
    low, high = Extreme(True).normal((1, 2))[0]
    assert -6 < low < -5
    assert abs(low + high) < 0.01


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_numbers_come_in_the_dtype_that_was_asked_for(dtype):
    ctx = Context(True, key=3)
    assert ctx.normal((ROWS, UNITS), dtype).dtype == dtype
    assert ctx.uniform((ROWS, UNITS), dtype).dtype == dtype
    assert np.isfinite(np.asarray(ctx.normal((ROWS, UNITS), dtype), np.float32)).all()


# -- Dropout -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.75, 0.97])
def test_dropout_keeps_the_mean_and_scales_what_it_keeps(rate):
    shape = (200, 200)
    y = drawn_by_dropout(layer_key(0, 0, 0, 0), rate, shape).astype(np.float64)
    share = (y > 0).mean()
    assert abs(share - (1 - rate)) < 5 * math.sqrt(rate * (1 - rate) / y.size)
    assert abs(y.mean() - 1) < 5 * math.sqrt(rate / (1 - rate) / y.size)
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-6)


def test_dropout_drops_exactly_the_units_whose_bits_lie_below_the_rate():
    key = layer_key(1, 2, 3, 4)
    uniform = np.asarray(Context(True, key=key).uniform((ROWS, UNITS)))
    for rate in (0.125, 0.3, 0.5):
        np.testing.assert_array_equal(drawn_by_dropout(key, rate) > 0, uniform >= np.float32(rate))


def test_a_higher_rate_drops_the_same_values_and_more():
    key = layer_key(1, 2, 3, 4)
    held = [drawn_by_dropout(key, rate) > 0 for rate in (0.0, 0.2, 0.5, 0.8, 1.0)]
    for more, fewer in itertools.pairwise(held):
        assert (more | ~fewer).all()
        assert more.sum() > fewer.sum()


def test_a_rate_of_zero_keeps_everything():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(ROWS, UNITS)), jnp.float32)
    for step in range(20):
        key = layer_key(0, step, 0, 0)
        np.testing.assert_array_equal(dropped(0.0, key, x), x)


def test_a_rate_of_one_gives_zeros_and_a_finite_gradient():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(ROWS, UNITS)), jnp.float32)
    for step in range(20):
        np.testing.assert_array_equal(dropped(1.0, layer_key(0, step, 0, 0), x), 0)
    by_rate, by_input = jax.grad(lambda rate, v: jnp.sum(dropped(rate, layer_key(0, 0, 0, 0), v)), (0, 1))(1.0, x)
    np.testing.assert_array_equal(by_input, 0)
    assert np.isfinite(by_rate)


def test_the_gradient_flows_through_what_is_kept():
    key, x = layer_key(0, 0, 0, 0), jnp.ones((ROWS, UNITS))
    np.testing.assert_array_equal(jax.grad(lambda v: jnp.sum(dropped(0.25, key, v)))(x), dropped(0.25, key, x))


def test_dropped_values_are_zeros_even_where_the_input_is_not_finite():
    x = jnp.full((ROWS, UNITS), jnp.inf)
    y = np.asarray(dropped(0.5, layer_key(0, 0, 0, 0), x))
    assert set(np.unique(y)) == {0.0, np.inf}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dropout_in_half_precision_drops_the_same_values(dtype):
    key = layer_key(4, 0, 0, 0)
    y = dropped(0.3, key, jnp.ones((ROWS, UNITS), dtype))
    assert y.dtype == dtype
    np.testing.assert_array_equal(np.asarray(y) > 0, drawn_by_dropout(key, 0.3) > 0)


def test_a_traced_rate_is_one_program_for_all_rates_and_no_structure():
    count = []

    @jax.jit
    def program(rate, key):
        count.append(1)
        return Dropout(0.5).apply({}, jnp.ones((ROWS, UNITS)), Context(True, h={"rate": rate}, key=key))

    key = layer_key(2, 0, 0, 0)
    for rate in (0.0, 0.3, 0.5, 1.0):
        np.testing.assert_allclose(program(rate, key), drawn_by_dropout(key, rate), rtol=1e-6)
    assert len(count) == 1
    assert Dropout(0.3).structure() == Dropout(0.6).structure()
    assert GaussianNoise(0.3).structure() == GaussianNoise(0.6).structure()
    assert Dropout(0.3).structure() != Dropout(0.3, noise_shape=(None, 1)).structure()


@pytest.mark.parametrize(
    ("noise_shape", "tied"),
    [((None, 1, None), (1,)), ((None, None, 1), (2,)), ((1, None, None), (0,)), ((None, 1, 1), (1, 2)), (None, ())],
)
def test_an_axis_of_noise_shape_that_is_one_is_dropped_as_a_whole(noise_shape, tied):
    shape = (40, 12, 9)
    y = drawn_by_dropout(layer_key(0, 1, 2, 0), 0.4, shape, noise_shape=noise_shape) > 0
    drawn = y[tuple(slice(0, 1) if axis in tied else slice(None) for axis in range(3))]
    np.testing.assert_array_equal(y, np.broadcast_to(drawn, shape))
    assert abs(drawn.mean() - 0.6) < 5 * math.sqrt(0.24 / drawn.size)
    for axis in set(range(3)) - set(tied):
        assert (drawn != np.take(drawn, [0], axis=axis)).any()


def test_noise_shape_may_name_the_sizes_of_the_input():
    key = layer_key(0, 1, 2, 0)
    told = drawn_by_dropout(key, 0.4, (8, 3, 5), noise_shape=(8, 1, 5))
    np.testing.assert_array_equal(told, drawn_by_dropout(key, 0.4, (8, 3, 5), noise_shape=(None, 1, None)))


@pytest.mark.parametrize("layer", [Dropout(0.5), GaussianNoise(0.5)])
def test_nothing_is_random_outside_training(layer):
    x = jnp.ones((ROWS, UNITS))
    np.testing.assert_array_equal(layer.apply({}, x, Context(False, h=layer.hypers(), key=3)), x)
    np.testing.assert_array_equal(layer(x), x)
    assert not np.array_equal(layer(x, training=True), x)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "half", None])
def test_a_rate_lies_between_zero_and_one(rate):
    with pytest.raises(ValueError, match="rate"):
        Dropout(rate)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_cannot_be_turned_out_of_its_range(rate):
    layer = Dropout(0.5)
    with pytest.raises(ValueError, match="rate"):
        layer.set_hyper("rate", rate)
    assert layer.rate == 0.5


# -- GaussianNoise -------------------------------------------------------------------------------


@pytest.mark.parametrize("stddev", [0.1, 3.0])
def test_gaussian_noise_has_the_promised_deviation_around_the_input(stddev):
    layer, x = GaussianNoise(stddev), np.full((200, 200), 2.0, np.float32)
    y = layer.apply({}, jnp.asarray(x), Context(True, h=layer.hypers(), key=layer_key(0, 0, 0, 0)))
    z = (np.asarray(y, np.float64) - x) / stddev
    assert abs(z.mean()) < 5 / math.sqrt(z.size)
    assert abs((z**2).mean() - 1) < 5 * math.sqrt(2 / z.size)
    assert stats.kstest(z.ravel(), "norm").pvalue > LEAST


def test_gaussian_noise_of_no_deviation_changes_nothing():
    layer, x = GaussianNoise(0.0), jnp.full((ROWS, UNITS), 2.0)
    np.testing.assert_array_equal(layer.apply({}, x, Context(True, h=layer.hypers(), key=1)), x)


def test_gaussian_noise_takes_its_deviation_traced():
    program = jax.jit(
        lambda stddev, x: GaussianNoise(1.0).apply({}, x, Context(True, h={"stddev": stddev}, key=jnp.uint32(5)))
    )
    x = jnp.zeros((ROWS, UNITS))
    np.testing.assert_allclose(program(3.0, x), 3 * program(1.0, x), rtol=1e-6)
    np.testing.assert_allclose(program(1.0, x), Context(True, key=5).normal((ROWS, UNITS)), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("stddev", [-0.1, float("inf"), "loud"])
def test_a_deviation_is_a_finite_number_of_at_least_zero(stddev):
    with pytest.raises(ValueError, match="stddev"):
        GaussianNoise(stddev)
