"""Models and layers called by hand, on symbols and on arrays."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import thalweg
from thalweg import layers


def test_a_dict_is_read_by_its_names():
    p, q = thalweg.Input((2,), name="p"), thalweg.Input((2,), name="q")
    model = thalweg.Model({"p": p, "q": q}, layers.Subtract()([p, q]))
    one, two = np.ones((3, 2), "f4"), np.full((3, 2), 5, "f4")
    np.testing.assert_array_equal(model({"q": two, "p": one}), model({"p": one, "q": two}))
    a, b = thalweg.Input((2,)), thalweg.Input((2,))
    outer = thalweg.Model([a, b], model({"q": b, "p": a}))
    np.testing.assert_array_equal(outer.predict([one, two]), one - two)
    with pytest.raises(ValueError, match=r"takes the inputs \['p', 'q'\], got a dict of \['p', 'r'\]"):
        model({"p": one, "r": two})


def test_a_stack_without_a_shape_learns_it_as_a_layer():
    inner = thalweg.Sequential([layers.Dense(3), layers.Dense(2)])
    x = thalweg.Input((4,))
    assert thalweg.Model(x, inner(x)).output_shape == (None, 2)
    assert thalweg.Sequential([thalweg.Input((4,)), inner]).count_params() == inner.count_params()


def test_a_normalization_called_twice_moves_twice_as_in_keras():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 4)).astype("f4"), rng.normal(size=(16, 3)).astype("f4")

    def built(kit, sgd):
        first = kit.Input((4,))
        hidden = kit.layers.Dense(3)
        norm = kit.layers.BatchNormalization(momentum=0.5)
        model = kit.Model(first, norm(kit.layers.Activation("relu")(norm(hidden(first)))))
        model.compile(sgd, "mse")
        return model

    ours = built(thalweg, thalweg.optimizers.SGD(0.0))
    theirs = built(keras, keras.optimizers.SGD(0.0))
    ours.draw(0)
    theirs.set_weights(ours.get_weights())
    ours.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    theirs.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for mine, real in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, real, rtol=1e-5, atol=1e-6)
