"""Layers that move images: each image in a way of its own, as far as their ends allow, and only while training."""

import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import layers
from thalweg.layers import Context

SPOT = np.zeros((400, 9, 9, 1), np.float32)
SPOT[:, 4, 4] = 1.0
RNG = np.random.default_rng(0)

EACH = {
    "RandomTranslation": (0.2, 0.3),
    "RandomRotation": (0.2,),
    "RandomZoom": (0.4,),
    "RandomFlip": (),
}
each = pytest.mark.parametrize("name", EACH)


def centres(images):
    """Where the grey of each image lies, [images, 2], from the middle."""
    at = np.arange(images.shape[1]) - (images.shape[1] - 1) / 2
    grey = np.asarray(images)[..., 0]
    weight = grey.sum(axis=(1, 2))
    return np.stack([(grey.sum(2) * at).sum(1) / weight, (grey.sum(1) * at).sum(1) / weight], axis=1)


@each
def test_images_pass_as_they_are_outside_training(name):
    x = RNG.normal(size=(5, 6, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(getattr(layers, name)(*EACH[name])(x, training=False), x)


@each
def test_every_image_is_moved_anew(name):
    layer, x = getattr(layers, name)(*EACH[name]), np.repeat(RNG.normal(size=(1, 6, 4, 3)), 64, axis=0)
    once, again = (np.asarray(layer(x)) for _ in range(2))
    assert not np.array_equal(once, again)
    assert len({one.tobytes() for one in once}) == (4 if name == "RandomFlip" else 64)


@each
def test_an_image_s_fate_is_that_of_its_row_alone(name):
    layer, x = getattr(layers, name)(*EACH[name]), RNG.normal(size=(8, 6, 4, 3)).astype(np.float32)
    ctx = {"h": layer.hypers(), "key": jnp.uint32(7)}
    all_rows = layer.apply({}, jnp.asarray(x), Context(True, **ctx))
    some = layer.apply({}, jnp.asarray(x[:3]), Context(True, **ctx))
    np.testing.assert_array_equal(all_rows[:3], some)


def test_a_shift_is_uniform_between_its_ends():
    moved = centres(layers.RandomTranslation((-0.1, 0.3), 0.2, fill_mode="constant")(SPOT))
    for part, low, high in ((moved[:, 0], -0.9, 2.7), (moved[:, 1], -1.8, 1.8)):
        assert low - 1e-4 <= part.min() < low + 0.1 and high - 0.1 < part.max() <= high + 1e-4
        assert abs(part.mean() - (low + high) / 2) < 4 * (high - low) / np.sqrt(12 * len(part))
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.2


def test_a_turn_keeps_the_distance_from_the_centre_and_turns_counter_clockwise():
    x = np.zeros((200, 41, 41, 1), np.float32)
    x[:, 18:23, 33:38] = 1.0  # to the right of the middle
    moved = centres(layers.RandomRotation((0.0, 0.25), fill_mode="constant")(x))
    np.testing.assert_allclose(np.hypot(*moved.T), 15.0, atol=0.2)
    angle = np.arctan2(-moved[:, 0], moved[:, 1])
    assert -0.02 <= angle.min() < 0.1 and 1.45 < angle.max() <= np.pi / 2 + 0.02


def test_a_zoom_without_a_width_factor_keeps_the_aspect():
    x = np.zeros((100, 40, 40, 1), np.float32)
    x[:, 15:25, 10:30] = 1.0
    seen = np.asarray(layers.RandomZoom(0.3, fill_mode="constant")(x))[..., 0]
    heights, widths = seen.max(2).sum(1), seen.max(1).sum(1)
    assert heights.std() > 1
    np.testing.assert_allclose(widths / heights, 2.0, atol=0.2)
    free = np.asarray(layers.RandomZoom(0.3, 0.3, fill_mode="constant")(x))[..., 0]
    assert (free.max(1).sum(1) / free.max(2).sum(1)).std() > 0.2


def test_flips_are_fair_coins():
    x = np.broadcast_to(np.arange(4.0).reshape(1, 2, 2, 1), (2000, 2, 2, 1))
    seen = np.asarray(layers.RandomFlip()(x)).reshape(-1, 4)[:, 0]
    counts = np.bincount(seen.astype(int), minlength=4)
    assert (abs(counts - 500) < 5 * np.sqrt(2000 * 3 / 16)).all()


def test_channels_move_together_and_grey_beyond_the_edge_is_what_was_asked():
    x = np.ones((6, 5, 5, 2), np.float32) * np.array([1.0, 3.0], np.float32)
    seen = np.asarray(layers.RandomTranslation(0.4, 0.4, fill_mode="constant", fill_value=1.0)(x))
    np.testing.assert_allclose(seen[..., 0], 1.0, atol=1e-6)
    share = (seen[..., 1] - 1) / 2
    assert share.min() < 0.05 and share.max() > 0.95


def digits(factor):
    model = thalweg.Sequential(
        [
            thalweg.Input((8, 8)),
            layers.Reshape((8, 8, 1)),
            layers.RandomTranslation(factor, factor, fill_mode="constant"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_members_that_are_moved_differently_share_a_program_and_train_as_if_alone():
    x, y = RNG.random((90, 8, 8)).astype(np.float32), RNG.integers(0, 10, 90)
    nets = [digits(factor) for factor in (0.0, 0.1, (0.1, 0.3))]
    thalweg.Population(nets).fit(x, y, epochs=3, batch_size=16, verbose=0, seeds=[1, 2, 3])
    for seed, (net, factor) in enumerate(zip(nets, (0.0, 0.1, (0.1, 0.3)), strict=True), start=1):
        alone = digits(factor)
        alone.fit(x, y, epochs=3, batch_size=16, verbose=0, seed=seed)
        for mine, other in zip(net.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_a_factor_is_a_knob():
    layer = layers.RandomTranslation(0.1, (0.0, 0.2))
    assert layer.hypers() == {
        "height_factor/lower": -0.1,
        "height_factor/upper": 0.1,
        "width_factor/lower": 0.0,
        "width_factor/upper": 0.2,
    }
    layer.height_factor = 0.3
    layer.set_hyper("width_factor/lower", -0.2)
    assert (layer.height_factor, layer.width_factor) == (0.3, 0.2)
    other = layer.twin()
    other.height_factor = 0.0
    assert layer.height_factor == 0.3
    with pytest.raises(ValueError, match="upper"):
        layer.set_hyper("height_factor/upper", 2.0)
    assert layers.RandomZoom(0.1).structure() != layers.RandomZoom(0.1, 0.1).structure()
