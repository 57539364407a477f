"""Whole fits beside real Keras: the same weights and batches give the same nets."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
import pytest

import thalweg


def build(module, dropout=False):
    layers, regularizers = module.layers, module.regularizers
    return module.Sequential(
        [
            module.Input((12,)),
            layers.Dense(16, activation="relu", kernel_regularizer=regularizers.L2(1e-3)),
            layers.BatchNormalization(),
            layers.Dense(8, activation="tanh", activity_regularizer=regularizers.L1(1e-3)),
            layers.Dense(5, activation="softmax", bias_regularizer=regularizers.L1L2(1e-4, 1e-4)),
        ]
    )


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(203, 12)).astype(np.float32)
    return x, rng.integers(0, 5, 203)


def pair(compile_=None, **kwargs):
    ours, theirs = build(thalweg), build(keras)
    weights = [np.array(w) for w in theirs.get_weights()]
    ours.set_weights(weights)
    for model in (ours, theirs):
        model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"], **kwargs)
    return ours, theirs


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_a_fit_is_keras_s(rows, optimizer):
    x, y = rows
    ours, theirs = pair(optimizer=optimizer)
    given = {"batch_size": 32, "epochs": 4, "shuffle": False, "verbose": 0, "validation_split": 0.2}
    mine = ours.fit(x, y, **given).history
    real = theirs.fit(x, y, **given).history
    assert list(mine) == list(real)
    for name, values in real.items():
        np.testing.assert_allclose(mine[name], values, rtol=2e-4, err_msg=name)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), rtol=1e-3, atol=1e-5)
    mine_scores, real_scores = ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(mine_scores, real_scores, rtol=2e-4)


def test_sample_and_class_weights_are_keras_s(rows):
    x, y = rows
    weights = np.random.default_rng(0).random(len(x)).astype(np.float32)
    for extra in ({"sample_weight": weights}, {"class_weight": {0: 3.0, 2: 0.5}}):
        ours, theirs = pair(optimizer="sgd", weighted_metrics=["accuracy"])
        given = {"batch_size": 50, "epochs": 2, "shuffle": False, "verbose": 0, **extra}
        mine, real = ours.fit(x, y, **given).history, theirs.fit(x, y, **given).history
        assert set(mine) == set(real)
        for name, values in real.items():
            np.testing.assert_allclose(mine[name], values, rtol=2e-4, err_msg=name)


def test_steps_per_epoch_carries_over_as_keras_does():
    x, y = np.arange(12, dtype=np.float32).reshape(12, 1), np.zeros((12, 1), np.float32)
    seen = []

    class Look(thalweg.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, round(logs["loss"], 3)))

    model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1, use_bias=False)])
    model.set_weights([[[1.0]]])
    model.compile(thalweg.optimizers.SGD(0.0), "mse")
    model.fit(x, y, batch_size=4, epochs=3, steps_per_epoch=2, shuffle=False, verbose=0, callbacks=[Look()])
    batch = [np.mean(np.arange(i, i + 4.0) ** 2) for i in (0, 4, 8)]
    order = [(batch[0], batch[1]), (batch[2], batch[0]), (batch[1], batch[2])]
    wanted = [(i, round(float(np.mean(pair[: i + 1])), 3)) for pair in order for i in range(2)]
    assert seen == wanted


def test_several_inputs_and_outputs_are_keras_s():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(64, 3)).astype(np.float32), rng.normal(size=(64, 4)).astype(np.float32)
    p, q = rng.integers(0, 2, (64, 1)).astype(np.float32), rng.normal(size=(64, 2)).astype(np.float32)

    def net(module):
        first, second = module.Input((3,), name="first"), module.Input((4,), name="second")
        joined = module.layers.Concatenate()([module.layers.Dense(5, activation="relu")(first), second])
        shared = module.layers.Dense(6, activation="tanh")(joined)
        yes = module.layers.Dense(1, activation="sigmoid", name="yes")(shared)
        size = module.layers.Dense(2, name="size")(shared)
        model = module.Model([first, second], [yes, size])
        model.compile(
            "sgd",
            loss={"yes": "binary_crossentropy", "size": "mse"},
            loss_weights={"yes": 0.3, "size": 2.0},
            metrics={"yes": ["accuracy"], "size": ["mae"]},
        )
        return model

    ours, theirs = net(thalweg), net(keras)
    ours.set_weights([np.array(w) for w in theirs.get_weights()])
    given = {"epochs": 3, "shuffle": False, "verbose": 0}
    mine = ours.fit([a, b], [p, q], **given).history
    real = theirs.fit([a, b], [p, q], **given).history
    assert set(mine) == set(real)
    for name, values in real.items():
        np.testing.assert_allclose(mine[name], values, rtol=2e-4, err_msg=name)
    for one, other in zip(ours.predict([a, b]), theirs.predict([a, b], verbose=0), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
