"""A small net and its rows, for tests."""

import numpy as np

import thalweg
from thalweg import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int32)


def net():
    model = thalweg.Sequential(
        [thalweg.Input((3,)), layers.Dense(4, "relu", kernel_regularizer="l2"), layers.Dropout(0.2), layers.Dense(2, "softmax")]
    )  # fmt: skip
    model.compile(thalweg.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
