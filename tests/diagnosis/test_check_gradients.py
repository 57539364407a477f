"""Gradients beside differences: what is wrong is caught, what is right passes, corners are no errors."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import activations, layers, losses
from thalweg.data import DataError
from thalweg.diagnosis import check_gradients

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 6))


def custom_vjp(function, slope):
    """A function whose way back somebody wrote."""
    made = jax.custom_vjp(function)
    made.defvjp(lambda x: (function(x), x), lambda x, up: (up * slope(x),))
    return made


def custom_jvp(function, slope):
    made = jax.custom_jvp(function)
    made.defjvps(lambda along, ans, x: along * slope(x))
    return made


def verdicts(found):
    return [one.verdict for one in found.parts]


# -- what somebody wrote ----------------------------------------------------------------------------


@pytest.mark.parametrize("custom", [custom_vjp, custom_jvp])
def test_a_wrong_gradient_is_caught_where_it_is_wrong(custom):
    assert check_gradients(custom(jnp.sin, jnp.cos), X).passed
    for wrong in (lambda x: -jnp.cos(x), lambda x: jnp.cos(x) * (1 + 1e-3), lambda x: jnp.cos(x) + 1e-3):
        assert verdicts(check_gradients(custom(jnp.sin, wrong), X)) == ["wrong"]
    found = check_gradients(custom(jnp.sin, lambda x: jnp.where(jnp.arange(6) == 4, 0.0, jnp.cos(x))), X[0])
    assert found.parts[0].place == (4,) and found.parts[0].automatic == 0
    weight = found.parts[0].numeric / np.cos(X[0, 4])
    assert np.abs(weight) > 1e-3 and found.parts[0].error == pytest.approx(1)
    assert "wrong" in str(found) and "[4]" in str(found) and "Something is wrong with argument 0" in found.answer


@settings(max_examples=9, deadline=None, derandomize=True, database=None)
@given(st.sampled_from([1e-3, 1.0, 1e4]), st.sampled_from([1e-6, 1.0, 1e6]), st.sampled_from([0.99, 1.0, 1.01]))
def test_whatever_the_scale_right_is_right_and_wrong_is_wrong(size, factor, off):
    function = custom_vjp(
        lambda x: factor * jnp.tanh(x / size), lambda x: off * factor / jnp.cosh(x / size) ** 2 / size
    )
    assert check_gradients(function, size * X).passed == (off == 1.0)


def test_scalars_trees_and_numbers_at_the_ends_of_their_range():
    assert check_gradients(lambda x: {"sum": x.sum(), "count": 3}, 2.0).passed
    assert check_gradients(lambda x: 1e300 * x, X).passed and check_gradients(lambda x: 1e-300 * x, X).passed
    assert check_gradients(jnp.tanh, 1e-200 * X).passed
    assert check_gradients(lambda x: (1e8 + x) - 1e8, X).passed


def test_a_layer_in_either_style():
    bent = custom_vjp(jnp.tanh, lambda x: 1 - jnp.tanh(x))

    class Ours(layers.Layer):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def init(self, features):
            return (layers.Weight("scale", features, "ones"), layers.Weight("seen", (), "zeros", trainable=False))

        def apply(self, w, x, ctx):
            return self.function(x * w["scale"]) + w["seen"]

    class Keras(layers.Layer):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def build(self, input_shape):
            self.scale = self.add_weight(shape=input_shape[1:], initializer="ones", name="scale")

        def call(self, x):
            return self.function(x * self.scale)

    for kind in (Ours, Keras):
        found = check_gradients(kind(jnp.tanh), X)
        assert found.passed and [one.name for one in found.parts] == ["scale", "input"]
        assert verdicts(check_gradients(kind(bent), X)) == ["wrong", "wrong"]


def test_a_loss_and_a_function_of_two():
    class Cubed(losses.Loss):
        def call(self, y_true, y_pred):
            return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)

    assert check_gradients(Cubed(), X, X[::-1]).passed
    assert [one.name for one in check_gradients(Cubed(), X, X[::-1]).parts] == ["y_pred"]
    found = check_gradients(lambda y, p: jnp.mean((y - p) ** 2), X, X[::-1])
    assert found.passed and len(found.parts) == 2
    whole = check_gradients(lambda y, p: jnp.mean((y - p) ** 2), np.arange(5), X[:, 0])
    assert [one.name for one in whole.parts] == ["argument 1"]  # whole numbers are held


# -- corners, jumps, rounding, nothing -----------------------------------------------------------------


def test_corners_are_no_errors():
    mixed = np.array([0.0, 1.0, -1.0, 2.0, 0.0])
    found = check_gradients(activations.relu, mixed)
    assert found.passed and found.parts[0].kinks == 6 and found.parts[0].verdict == "right"
    assert "kinks" in str(found)
    assert verdicts(check_gradients(jnp.abs, np.zeros(3))) == ["not judged"]
    assert verdicts(check_gradients(jnp.sign, np.zeros(3))) == ["not judged"]
    assert "Nothing could be judged" in check_gradients(jnp.abs, np.zeros(3)).answer
    wrong = custom_vjp(jax.nn.relu, lambda x: (x > 0) * 2.0)
    assert verdicts(check_gradients(wrong, mixed)) == ["wrong"]  # away from its corner


@pytest.mark.parametrize("near", [1e-3, 1e-5, 1e-7, 1e-9])
def test_near_a_corner(near):
    assert check_gradients(jnp.abs, np.array([near, -near, 1.0, 2.0])).passed


def test_gradients_that_do_not_flow():
    assert verdicts(check_gradients(lambda x: jax.lax.stop_gradient(x) ** 2, X)) == ["no gradient"]
    assert verdicts(check_gradients(lambda x: jnp.round(3 * x), X)) == ["no gradient"]
    assert verdicts(check_gradients(lambda x: (x > 0.3) * 1.0, X)) == ["no gradient"]
    half = check_gradients(lambda x: jax.lax.stop_gradient(x) * x, X)
    assert verdicts(half) == ["wrong"] and half.parts[0].error == pytest.approx(0.5)
    unused = check_gradients(lambda x, y: x**2, X, X)
    assert verdicts(unused) == ["right", "no effect"] and unused.passed
    dead = layers.Dense(3, "relu", bias_initializer=thalweg.initializers.Constant(-50.0))
    found = check_gradients(dead, X)
    assert not found.passed and "dead" in str(found)


def test_numbers_that_are_none():
    assert verdicts(check_gradients(jnp.log, X)) == ["not finite"]
    slope = check_gradients(lambda x: jnp.sqrt(jnp.sum(x**2)), np.zeros(3))
    assert verdicts(slope) == ["not finite"] and not slope.passed
    assert verdicts(check_gradients(jnp.sin, np.array([1.0, np.nan]))) == ["not finite"]


def test_what_is_computed_in_float32_is_judged_as_far_as_it_goes():
    def coarse(x):
        return jnp.sin(x.astype(jnp.float32)).astype(x.dtype)

    assert check_gradients(coarse, X).passed
    assert verdicts(check_gradients(custom_vjp(coarse, lambda x: 1.05 * jnp.cos(x)), X)) == ["wrong"]


# -- all that is built in ---------------------------------------------------------------------------------


def test_all_activations():
    names = sorted(set(activations.TABLE) - {"threshold"})
    functions = [activations.TABLE[name] for name in names]
    points = [0.5 * RNG.normal(size=(3, 4)) for _ in names]
    found = check_gradients(lambda *points: [f(x) for f, x in zip(functions, points, strict=True)], *points)
    assert [names[i] for i, one in enumerate(found.parts) if not one.fine] == []
    assert check_gradients(lambda x: activations.threshold(x, 0.5, -2.0), X).passed


def test_all_losses():
    kinds = sorted(set(losses.TABLE.values()), key=lambda cls: cls.__name__)
    bits, hot = RNG.integers(0, 2, (5, 3)).astype(float), np.eye(3)[RNG.integers(0, 3, 5)]
    shares = RNG.random((5, 3)) + 0.1
    shares /= shares.sum(axis=1, keepdims=True)

    def case(kind):
        name = kind.__name__
        y = hot.argmax(axis=1) if "Sparse" in name else hot if "Categorical" in name or name == "KLDivergence" else bits
        return kind(), y

    cases = [case(kind) for kind in kinds]

    def every(*outputs):
        return [loss.apply(loss.hypers(), jnp.asarray(y), p) for (loss, y), p in zip(cases, outputs, strict=True)]

    found = check_gradients(every, *(shares + 0.01 * i for i in range(len(cases))))
    assert [kinds[i].__name__ for i, one in enumerate(found.parts) if one.verdict != "right"] == []


def test_all_layers_within_a_model():
    """Each on a Dense of its own, whose kernel has its gradient through the layer."""
    flat = [layers.Activation("tanh"), layers.BatchNormalization(), layers.Dense(3, "gelu", kernel_regularizer="l2")]
    flat += [
        layers.ELU(),
        layers.LayerNormalization(),
        layers.LeakyReLU(),
        layers.PReLU("ones"),
        layers.ReLU(negative_slope=0.1),
    ]
    flat += [
        layers.Rescaling(2.0),
        layers.Normalization(mean=0.1, variance=2.0),
        layers.Softmax(),
        layers.Reshape((3, 2)),
    ]
    flat += [layers.ActivityRegularization(l2=0.1), layers.Dropout(0.5), layers.GaussianNoise(0.1), layers.Identity()]
    pairs = [
        layers.Add(),
        layers.Average(),
        layers.Concatenate(),
        layers.Maximum(),
        layers.Minimum(),
        layers.Multiply(),
    ]
    x = thalweg.Input((6,))
    made = [layer(layers.Dense(6, use_bias=False)(x)) for layer in flat]
    made += [layer([layers.Dense(6, use_bias=False)(x), layers.Dense(6)(x)]) for layer in [*pairs, layers.Subtract()]]
    joined = layers.Concatenate()([layers.Flatten()(one) for one in made])
    model = thalweg.Model(x, layers.Dense(2)(joined))
    model.compile("sgd", "mse")
    found = check_gradients(model, X, RNG.normal(size=(5, 2)))
    assert [one for one in found.parts if not one.fine] == []
    assert len(found.parts) == len(model.trainable_weights)


def test_layers_as_they_are_in_training_and_by_themselves():
    for layer in (layers.BatchNormalization(), layers.Dropout(0.4), layers.GaussianNoise(0.2)):
        assert check_gradients(layer, X, training=True).passed
    assert (
        check_gradients(layers.Multiply(), X, X[::-1]).passed
        and check_gradients(layers.Multiply(), [X, X[::-1]]).passed
    )
    codes = check_gradients(layers.Embedding(7, 3), RNG.integers(0, 7, (5, 4)))
    assert codes.passed and [one.name for one in codes.parts] == ["embeddings"]


# -- a model, the record, mistakes --------------------------------------------------------------------------


def test_a_model_with_a_wrong_activation_and_with_penalties():
    def of(activation):
        model = thalweg.Sequential([layers.Dense(5, activation), layers.Dense(3, "softmax", kernel_regularizer="l2")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return check_gradients(model, X, np.array([0, 1, 2, 1, 0]))

    assert of("relu").passed
    found = of(custom_vjp(jnp.tanh, lambda x: 1 + 0 * x))
    assert {one.name for one in found.parts if not one.fine} == {"dense/kernel", "dense/bias"}


def test_the_record_and_the_picture(tmp_path):
    found = check_gradients(layers.Dense(3), X)
    record = json.loads(json.dumps(found.record()))
    assert record["passed"] is True and [one["name"] for one in record["parts"]] == ["kernel", "bias", "input"]
    pytest.importorskip("matplotlib")
    assert found.plot(tmp_path / "check.png") and (tmp_path / "check.png").stat().st_size > 5000


def test_mistakes_are_named():
    with pytest.raises(TypeError, match=r"check_gradients\(target, y_true, y_pred\), got 1 inputs"):
        check_gradients(losses.MeanSquaredError(), X)
    with pytest.raises(TypeError, match="takes a layer, a loss, a model or a function"):
        check_gradients(3, X)
    with pytest.raises(TypeError, match=r"got the class Dense: make one, Dense\("):
        check_gradients(layers.Dense, X)
    with pytest.raises(TypeError, match="losses.get"):
        check_gradients("mse", X, X)
    for leaves in (np.sin, lambda x: np.asarray(x).sum(), lambda x: float(x.sum()), lambda x: x if x.sum() > 0 else -x):
        with pytest.raises(TypeError, match=r"leaves JAX.*jnp\.where"):
            check_gradients(leaves, X)
    with pytest.raises(TypeError, match="got 0 inputs"):
        check_gradients(jnp.sin)
    with pytest.raises(TypeError, match="real numbers"):
        check_gradients(jnp.sin, X + 1j)
    with pytest.raises(ValueError, match="got no floating numbers"):
        check_gradients(lambda x: 1.0 * x, np.arange(3))
    with pytest.raises(ValueError, match="gives no floating numbers"):
        check_gradients(lambda x: x > 0, X)
    with pytest.raises(ValueError, match="is empty"):
        check_gradients(jnp.sin, np.zeros((0, 3)))
    with pytest.raises(ValueError, match="tolerance must lie"):
        check_gradients(jnp.sin, X, tolerance=2)
    model = thalweg.Sequential([layers.Dense(3)])
    with pytest.raises(ValueError, match="call model.compile"):
        check_gradients(model, X, X)
    model.compile("sgd", "mse")
    with pytest.raises(DataError):
        check_gradients(model, X, X[:2])
