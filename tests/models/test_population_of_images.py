"""Convolutional nets side by side: filters are padded and masked, and each net is the one trained alone."""

import numpy as np
import pytest

import thalweg
from thalweg import layers, optimizers, regularizers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 8, 7, 2)).astype(np.float32)
Y = RNG.integers(0, 3, 48)


def plain(first, second, units):
    """As people write them."""
    return [
        layers.Conv2D(first, 3, activation="relu", kernel_regularizer=regularizers.L1L2(1e-3, 1e-3)),
        layers.SpatialDropout2D(0.3),
        layers.MaxPooling2D(),
        layers.Conv2D(second, 2, activation="relu", kernel_constraint="max_norm"),
        layers.Flatten(),
        layers.Dense(units, activation="relu"),
        layers.Dropout(0.2),
    ]


def every_kind(first, second, units):
    """Whatever keeps channels apart or mixes them."""
    return [
        layers.ZeroPadding2D(1),
        layers.Conv2D(first, 3, strides=2, padding="same"),
        layers.PReLU(alpha_regularizer="l1"),
        layers.LayerNormalization(axis=(1, 2, 3)),
        layers.UpSampling2D(),
        layers.DepthwiseConv2D(3, depth_multiplier=2, activation="sigmoid", bias_regularizer="l1"),
        layers.BatchNormalization(),
        layers.SeparableConv2D(second, 2, activation="relu", depth_multiplier=2, pointwise_regularizer="l1"),
        layers.AveragePooling2D(2, strides=1, padding="same"),
        layers.Reshape((-1, second)),
        layers.Conv1D(units, 3, padding="causal", activation="softmax"),
        layers.MaxPooling1D(),
        layers.GlobalAveragePooling1D(),
    ]


def net(parts, widths):
    model = thalweg.Sequential([thalweg.Input(X.shape[1:]), *parts(*widths), layers.Dense(3, activation="softmax")])
    model.compile(optimizers.SGD(0.05, momentum=0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize(
    ("parts", "shapes"),
    [(plain, [(4, 6, 5), (3, 4, 7)]), (every_kind, [(4, 6, 5), (3, 6, 7)])],
    ids=["plain", "every kind"],
)
def test_members_equal_nets_trained_alone(parts, shapes):
    population = thalweg.Population([net(parts, widths) for widths in shapes])
    population.fit(X, Y, epochs=2, batch_size=16, verbose=0, seeds=[3, 4])
    for member, widths, seed in zip(population, shapes, [3, 4], strict=True):
        solo = net(parts, widths)
        losses = solo.fit(X, Y, epochs=2, batch_size=16, verbose=0, seed=seed).history["loss"]
        np.testing.assert_allclose(member.history.history["loss"], losses, rtol=1e-5)
        np.testing.assert_allclose(member.predict(X), solo.predict(X), atol=1e-5)
        for mine, alone in zip(member.get_weights(), solo.get_weights(), strict=True):
            np.testing.assert_allclose(mine, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (lambda n: [layers.Conv2D(n, 2), layers.Conv2D(4, 2, groups=2)], "does not leave padding alone"),
        (lambda n: [layers.Conv2D(n, 2), layers.RandomFlip()], "does not leave padding alone"),
        (
            lambda n: [layers.Flatten(), layers.Dense(n), layers.Reshape((-1, 1)), layers.AveragePooling1D()],
            "only channels can be padded",
        ),
    ],
    ids=["groups", "augmentation", "places"],
)
def test_what_cannot_be_padded_is_named(parts, words):
    models = []
    for n in (4, 8):
        models.append(thalweg.Sequential([thalweg.Input(X.shape[1:]), *parts(n), layers.Flatten(), layers.Dense(3)]))
        models[-1].compile("sgd", "mse")
    with pytest.raises(ValueError, match=words):
        thalweg.Population(models).fit(X, np.zeros((48, 3)), verbose=0)
