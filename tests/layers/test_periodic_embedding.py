"""PeriodicEmbedding against its formula, alone and side by side, in files and out of range."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import layers
from thalweg.layers._periodic_embedding import _cosine

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("columns", [None, [2, 0]])
@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4)])
def test_it_is_its_formula(columns, shape):
    x = RNG.normal(size=shape).astype(np.float32)
    layer = layers.PeriodicEmbedding(3, waves=5, columns=columns)
    y = np.asarray(layer(x))
    frequencies, phases, kernel, bias = (np.float64(w) for w in layer.get_weights())
    chosen = np.float64(x if columns is None else x[..., columns])
    waves = np.cos(2 * np.pi * (chosen[..., None] * frequencies + phases))
    made = np.einsum("...df,dfo->...do", waves, kernel) + bias
    np.testing.assert_allclose(y, np.concatenate([x, made.reshape(*shape[:-1], -1)], axis=-1), atol=2e-6)
    assert y.shape[1:] == layer.output_features(shape[1:])


@pytest.mark.parametrize(("dtype", "far"), [("float32", 3e-7), ("float64", 2e-14)])
def test_the_sum_of_powers_is_the_cosine_and_so_is_its_slope(dtype, far):
    with thalweg.config.precision(dtype):
        turns = jnp.asarray(np.linspace(-2, 2, 4001), dtype)
        np.testing.assert_allclose(_cosine(turns), np.cos(2 * np.pi * np.float64(turns)), atol=far)
        slope = jax.vmap(jax.grad(_cosine))(turns)
        np.testing.assert_allclose(slope, -2 * np.pi * np.sin(2 * np.pi * np.float64(turns)), atol=40 * far)


def net(width, **given):
    model = thalweg.Sequential(
        [
            thalweg.Input((4,)),
            layers.Dense(width, activation="tanh"),
            layers.PeriodicEmbedding(2, waves=6, **given),
            layers.Dense(3),
        ]
    )
    model.compile("adam", "mse")
    return model


def test_a_member_of_any_width_is_as_trained_alone():
    x, y = RNG.normal(size=(96, 4)), RNG.normal(size=(96, 3))
    population = thalweg.Population([net(5), net(9, scale=0.5), net(2)])
    population.fit(x, y, epochs=3, seeds=[1, 2, 3], verbose=0)
    for member, width, scale, seed in zip(population, (5, 9, 2), (0.1, 0.5, 0.1), (1, 2, 3), strict=True):
        alone = net(width, scale=scale)
        alone.fit(x, y, epochs=3, seed=seed, verbose=0)
        np.testing.assert_allclose(member.predict(x, verbose=0), alone.predict(x, verbose=0), atol=1e-5)


def test_files_hold_it(tmp_path):
    x = RNG.normal(size=(5, 4))
    model = net(6, columns=[0, 5])
    before = model.predict(x, verbose=0)
    model.save(tmp_path / "net.keras")
    assert np.array_equal(thalweg.models.load_model(tmp_path / "net.keras").predict(x, verbose=0), before)


def test_it_learns_what_jumps_sooner_than_a_dense_net():
    x = RNG.uniform(-1, 1, (600, 1))
    y = np.sign(np.sin(12 * x))
    losses = []
    for front in ([layers.PeriodicEmbedding(8, scale=1.0)], []):
        model = thalweg.Sequential([thalweg.Input((1,)), *front, layers.Dense(32, activation="relu"), layers.Dense(1)])
        model.compile(thalweg.optimizers.Adam(0.01), "mse")
        losses.append(model.fit(x, y, epochs=30, seed=0, verbose=0).history["loss"][-1])
    assert losses[0] < 0.5 * losses[1]


@pytest.mark.parametrize("given", [{"output_dim": 0}, {"waves": -1}, {"scale": -0.1}])
def test_numbers_out_of_range_are_refused(given):
    with pytest.raises(ValueError, match="PeriodicEmbedding"):
        layers.PeriodicEmbedding(**given)
    with pytest.raises(ValueError, match="column 7 is none of its 4 inputs"):
        layers.PeriodicEmbedding(columns=[7])(np.zeros((2, 4)))
