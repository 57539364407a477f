"""SwapEMAWeights: side by side with Keras, and nothing is lost where a fit is cut short."""

from __future__ import annotations

import os

import numpy as np
import pytest

import thalweg
from thalweg import layers, optimizers
from thalweg.callbacks import Callback, EarlyStopping, LambdaCallback
from thalweg.callbacks._swap_ema_weights import SwapEMAWeights

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 4)).astype(np.float32)
Y = (X @ RNG.normal(size=(4, 1)) + 0.3).astype(np.float32)
TRAIN, VALIDATION = (X[:64], Y[:64]), (X[64:], Y[64:])


def net(ema=True):
    model = thalweg.Sequential(
        [
            thalweg.Input((4,)),
            layers.Dense(6, activation="tanh"),
            layers.BatchNormalization(momentum=0.8),
            layers.Dense(1),
        ]
    )
    model.compile(optimizers.SGD(0.05, use_ema=ema, ema_momentum=0.9) if ema else "sgd", "mse")
    model.draw(3)
    return model


def keras_net(weights):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, activation="tanh"),
            keras.layers.BatchNormalization(momentum=0.8),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9), "mse")
    model.set_weights(weights)
    return model, keras


def fit(model, *callbacks, epochs=4, **more):
    how = dict(batch_size=16, epochs=epochs, verbose=0, shuffle=False, validation_data=VALIDATION)
    return model.fit(*TRAIN, callbacks=list(callbacks), **{**how, **more})


def averages(model):
    return [np.array(one) for one in model.optimizer_state.averages]


def trained(model):
    return [np.array(one) for one in model.arrays()[0]]


def assert_equal(some, others):
    for a, b in zip(some, others, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_numbers_and_weights_are_keras_own(swap_on_epoch):
    ours = net()
    theirs, keras = keras_net(ours.get_weights())
    seen = {"ours": [], "theirs": []}
    mine = LambdaCallback(on_epoch_end=lambda epoch, logs: seen["ours"].append(ours.get_weights()))
    other = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen["theirs"].append(theirs.get_weights()))
    got = fit(ours, SwapEMAWeights(swap_on_epoch), mine)
    expected = fit(theirs, keras.callbacks.SwapEMAWeights(swap_on_epoch), other)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(got.history[name], expected.history[name], rtol=1e-5)
    for mine, other in zip([*seen["ours"], ours.get_weights()], [*seen["theirs"], theirs.get_weights()], strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    raw = fit(net(), shuffle=False).history["val_loss"]
    assert not np.allclose(got.history["val_loss"], raw, rtol=1e-3)  # the averages are others than the weights


def test_training_goes_on_from_the_weights_as_if_nothing_had_been():
    alone, swapped = net(), net()
    loss = fit(alone).history["loss"]
    for on_epoch in (False, True):
        swapped = net()
        assert fit(swapped, SwapEMAWeights(on_epoch)).history["loss"] == loss
        assert_equal(swapped.get_weights(), alone.get_weights())
        assert_equal(averages(swapped), averages(alone))


def test_what_stands_behind_sees_the_averages_at_an_epochs_end():
    model, seen = net(), []

    class Look(Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((trained(model), logs["val_loss"], model.evaluate(*VALIDATION, verbose=0)))

    fit(model, SwapEMAWeights(swap_on_epoch=True), Look())
    assert_equal(seen[-1][0], trained(model))  # a fit leaves the averages behind
    for _, during, after in seen:
        assert after == pytest.approx(during, rel=1e-6)


@pytest.mark.parametrize("first", [False, True])
def test_a_fit_that_is_stopped_leaves_the_averages_too(first):
    swap, stop = SwapEMAWeights(swap_on_epoch=True), EarlyStopping("loss", patience=1, mode="max")
    stopped, alone = net(), net()
    ran = len(fit(stopped, *((stop, swap) if first else (swap, stop)), epochs=9).epoch)
    fit(alone, epochs=ran)
    assert ran < 9
    assert_equal(stopped.get_weights(), alone.get_weights())
    assert_equal(averages(stopped), averages(alone))


def test_weights_that_another_callback_restores_stay():
    swap = SwapEMAWeights(swap_on_epoch=True)
    stop = EarlyStopping("loss", patience=2, mode="max", restore_best_weights=True)
    for order in ((stop, swap), (swap, stop)):
        model, kept = net(), []
        keep = LambdaCallback(on_epoch_end=lambda epoch, logs, m=model, k=kept: k.append(m.get_weights()))
        fit(model, *order[:1], keep, *order[1:], epochs=9)
        assert_equal(model.get_weights(), kept[0])


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("hook", ["on_test_begin", "on_epoch_end"])
def test_the_weights_come_back_where_a_fit_is_cut_short(error, hook):
    model, before = net(), []

    class Keep(Callback):
        def on_test_begin(self, logs=None):
            before[:] = [trained(model), averages(model)]

    def fail(*arguments):
        raise error

    with pytest.raises(error):
        fit(model, Keep(), SwapEMAWeights(swap_on_epoch=True), LambdaCallback(**{hook: fail}))
    assert_equal(trained(model), before[0])
    assert_equal(averages(model), before[1])


def test_evaluations_and_predictions_alone_are_of_the_averages():
    model = net()
    fit(model, epochs=1)
    state = model.optimizer_state
    params, frozen = model.arrays()
    other = tuple(one + 1 for one in params)
    model.hold(other, frozen)
    swap = SwapEMAWeights()
    plain = net()
    plain.set_weights([np.array(one) for one in _merged(model, state.averages, frozen)])
    assert model.evaluate(*VALIDATION, verbose=0, callbacks=[swap]) == plain.evaluate(*VALIDATION, verbose=0)
    np.testing.assert_array_equal(model.predict(X, callbacks=[swap]), plain.predict(X))
    assert all(a is b for a, b in zip(model.arrays()[0], other, strict=True))
    assert all(a is b for a, b in zip(model.optimizer_state.averages, state.averages, strict=True))


def _merged(model, params, frozen):
    """Weights in the order of ``get_weights``."""
    trained, rest = iter(params), iter(frozen)
    return [next(trained if v in model.trainable_weights else rest) for v in model.weights]


def test_an_optimizer_without_averages_is_told_before_an_epoch_is_spent():
    model = net(ema=False)
    before = model.get_weights()
    for act in (
        lambda: fit(model, SwapEMAWeights()),
        lambda: model.evaluate(*VALIDATION, verbose=0, callbacks=[SwapEMAWeights()]),
    ):
        with pytest.raises(ValueError, match="made with use_ema=True, got SGD with use_ema=False"):
            act()
    assert_equal(model.get_weights(), before)


def test_averages_that_are_not_there_yet_are_told():
    with pytest.raises(ValueError, match="has no averages yet"):
        net().evaluate(*VALIDATION, verbose=0, callbacks=[SwapEMAWeights()])


def test_members_of_a_population_swap_each_their_own():
    rates = (0.05, 0.01)

    def member(rate):
        model = net()
        model.optimizer.learning_rate = rate
        return model

    solos = [member(rate) for rate in rates]
    population = thalweg.Population([member(rate) for rate in rates])
    how = dict(batch_size=16, epochs=3, verbose=0, shuffle=False)
    population.fit(*TRAIN, callbacks=[SwapEMAWeights(swap_on_epoch=True)], seeds=[0, 0], **how)
    for mine, solo in zip(population, solos, strict=True):
        solo.fit(*TRAIN, **how)
        for a, b in zip(mine.get_weights(), solo.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_validation_that_did_not_ask_is_told_once():
    model = net()
    fit(model, epochs=1)
    swap = SwapEMAWeights()
    swap.set_model(model)
    swap.on_train_begin()
    with pytest.warns(UserWarning, match="the val_ numbers are not of the averages"):
        swap.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
    swap.on_epoch_end(1, {"loss": 1.0, "val_loss": 1.0})
