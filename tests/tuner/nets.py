"""Small nets and rows that the tuner's tests share."""

import numpy as np

import thalweg
from thalweg import layers, optimizers

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(96, 6)).astype(np.float32)
Y = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(np.int32) + (X[:, 2] > 0.8)
TRAIN, REST = (X[:64], Y[:64]), (X[64:], Y[64:])
FIT = {"epochs": 3, "batch_size": 16, "validation_data": REST, "verbose": 0}


def build(hp):
    """One or two layers, dropout, a learning rate."""
    parts = [thalweg.Input((6,))]
    for i in range(hp.Int("layers", 1, 2)):
        parts.append(layers.Dense(hp.Choice(f"units_{i}", [4, 8, 12]), activation="tanh"))
        parts.append(layers.Dropout(hp.Float("dropout", 0.0, 0.4)))
    model = thalweg.Sequential([*parts, layers.Dense(3, activation="softmax")])
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def three_points(hp):
    """A space of three points."""
    model = thalweg.Sequential(
        [thalweg.Input((6,)), layers.Dense(hp.Choice("units", [2, 4, 8])), layers.Dense(3, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model
