"""Classes and functions of one's own, registered by name."""

import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import layers, saving


@pytest.fixture(autouse=True)
def forget():
    before = dict(saving.get_custom_objects())
    yield
    saving.get_custom_objects().clear()
    saving.get_custom_objects().update(before)


def test_registered_members_need_no_custom_objects(tmp_path):
    @saving.register_keras_serializable("shop")
    class Scale(layers.Layer):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def apply(self, w, x, ctx):
            return x * self.factor

    @thalweg.utils.register_keras_serializable()
    def bent(x):
        return jnp.sqrt(x * x + 1) - 1

    @saving.register_keras_serializable("shop", name="far")
    def distance(y, p):
        return jnp.abs(y - p)

    model = thalweg.Sequential([thalweg.Input((3,)), Scale(3.0), layers.Dense(2, activation=bent), layers.Dense(1)])
    model.compile("sgd", loss=distance, metrics=[distance])
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("f4")
    model.fit(x, x[:, :1], verbose=0, seed=0)
    for name in ("net.keras", "net.h5"):
        model.save(tmp_path / name)
        again = thalweg.models.load_model(tmp_path / name)
        assert again.layers[0].factor == 3.0
        np.testing.assert_array_equal(again.predict(x), model.predict(x))
        assert again.evaluate(x, x[:, :1], verbose=0) == model.evaluate(x, x[:, :1], verbose=0)
    saving.get_custom_objects().clear()
    with pytest.raises(thalweg.models.FileError, match="Scale"):
        thalweg.models.load_model(tmp_path / "net.keras")
    with saving.custom_object_scope({"Scale": Scale, "bent": bent, "distance": distance}):
        np.testing.assert_array_equal(thalweg.models.load_model(tmp_path / "net.keras").predict(x), model.predict(x))


def test_two_of_one_name_are_told_apart():
    @saving.register_keras_serializable("a")
    def one(x):
        return x

    def other(x):
        return -x

    other.__name__ = "one"
    with pytest.raises(ValueError, match="'a>one' is registered already"):
        saving.register_keras_serializable("a")(other)
    saving.register_keras_serializable("b")(other)
    assert saving.get_registered_object("b>one") is other
    assert saving.get_registered_name(one) == "a>one"
