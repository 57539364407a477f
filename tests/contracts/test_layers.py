"""Every layer: the promised shape, Keras's numbers, one compilation, finite gradients, a description that makes its like."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import thalweg
from thalweg import layers
from thalweg.engine import compiled
from thalweg.layers._not_here import NOT_HERE

RNG = np.random.default_rng(2)
FLAT = RNG.normal(size=(8, 6)).astype(np.float32)
DEEP = RNG.normal(size=(8, 4, 3)).astype(np.float32)
IMAGES = RNG.normal(size=(8, 5, 4, 2)).astype(np.float32)
LARGER = RNG.normal(size=(8, 7, 6, 4)).astype(np.float32)
CODES = RNG.integers(0, 7, (8, 4)).astype(np.float32)
PAIR = [FLAT, RNG.normal(size=(8, 6)).astype(np.float32)]

CASES = [
    ("Activation", {"activation": "tanh"}, FLAT),
    ("Activation", {"activation": "softmax"}, DEEP),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, FLAT),
    ("Add", {}, PAIR),
    ("Average", {}, PAIR),
    ("AveragePooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}, DEEP),
    ("AveragePooling2D", {"pool_size": (2, 3), "padding": "same"}, LARGER),
    ("BatchNormalization", {}, FLAT),
    ("BatchNormalization", {"axis": 1, "momentum": 0.7, "epsilon": 0.1}, DEEP),
    ("BatchNormalization", {"center": False, "scale": False}, FLAT),
    ("Concatenate", {}, PAIR),
    ("Concatenate", {"axis": 1}, [DEEP, DEEP]),
    ("Conv1D", {"filters": 5, "kernel_size": 2, "padding": "causal", "dilation_rate": 2}, DEEP),
    ("Conv1D", {"filters": 2, "kernel_size": 3, "strides": 2, "kernel_constraint": "unit_norm"}, DEEP),
    ("Conv2D", {"filters": 5, "kernel_size": 3, "activation": "relu", "kernel_regularizer": "l2"}, LARGER),
    ("Conv2D", {"filters": 4, "kernel_size": (2, 3), "strides": 2, "padding": "same", "groups": 2}, LARGER),
    ("Conv2D", {"filters": 3, "kernel_size": 2, "dilation_rate": (2, 1), "use_bias": False}, LARGER),
    ("Dense", {"units": 5}, FLAT),
    ("Dense", {"units": 5, "activation": "relu", "use_bias": False, "kernel_regularizer": "l2"}, DEEP),
    (
        "Dense",
        {"units": 5, "bias_regularizer": "l1", "activity_regularizer": "l2", "kernel_constraint": "max_norm"},
        FLAT,
    ),
    ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "same", "activation": "tanh"}, LARGER),
    ("DepthwiseConv2D", {"kernel_size": (1, 3), "strides": 2, "depthwise_regularizer": "l1"}, LARGER),
    ("Dropout", {"rate": 0.3}, FLAT),
    ("ELU", {"alpha": 0.5}, FLAT),
    ("Embedding", {"input_dim": 7, "output_dim": 3}, CODES),
    ("Embedding", {"input_dim": 7, "output_dim": 2, "embeddings_regularizer": "l2"}, CODES),
    ("Flatten", {}, DEEP),
    ("GaussianNoise", {"stddev": 0.3}, FLAT),
    ("GlobalAveragePooling1D", {}, DEEP),
    ("GlobalAveragePooling2D", {"keepdims": True}, IMAGES),
    ("GlobalMaxPooling1D", {"keepdims": True}, DEEP),
    ("GlobalMaxPooling2D", {}, IMAGES),
    ("Identity", {}, FLAT),
    ("LayerNormalization", {}, FLAT),
    ("LayerNormalization", {"axis": (1, 2), "epsilon": 0.1}, DEEP),
    ("LayerNormalization", {"axis": 1, "center": False}, DEEP),
    ("LeakyReLU", {"negative_slope": 0.2}, FLAT),
    ("MaxPooling1D", {}, DEEP),
    ("MaxPooling2D", {}, LARGER),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, LARGER),
    ("Maximum", {}, PAIR),
    ("Minimum", {}, PAIR),
    ("Multiply", {}, PAIR),
    ("Normalization", {"mean": 0.5, "variance": 2.0}, FLAT),
    ("PReLU", {"alpha_initializer": "ones"}, FLAT),
    ("PReLU", {"shared_axes": [1]}, DEEP),
    ("RandomContrast", {"factor": 0.0, "value_range": (-1, 1)}, IMAGES),
    ("RandomFlip", {"mode": "horizontal"}, IMAGES),
    ("RandomRotation", {"factor": (0.1, 0.1)}, IMAGES),
    ("RandomRotation", {"factor": (-0.3, -0.3), "fill_mode": "wrap", "interpolation": "nearest"}, IMAGES),
    ("RandomTranslation", {"height_factor": (0.3, 0.3), "width_factor": (-0.2, -0.2)}, IMAGES),
    ("RandomTranslation", {"height_factor": 0, "width_factor": (1, 1), "data_format": "channels_first"}, IMAGES),
    ("RandomZoom", {"height_factor": (0.2, 0.2), "fill_mode": "nearest"}, IMAGES),
    (
        "RandomZoom",
        {"height_factor": 0, "width_factor": (-0.3, -0.3), "fill_mode": "constant", "fill_value": 0.5},
        IMAGES,
    ),
    ("ReLU", {}, FLAT),
    ("ReLU", {"max_value": 0.7, "negative_slope": 0.1, "threshold": 0.2}, FLAT),
    ("Rescaling", {"scale": 0.5, "offset": 0.1}, FLAT),
    ("Reshape", {"target_shape": (2, -1)}, DEEP),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 2, "depth_multiplier": 2, "activation": "relu"}, LARGER),
    ("Softmax", {}, FLAT),
    ("Softmax", {"axis": 1}, DEEP),
    ("SpatialDropout2D", {"rate": 0.3}, IMAGES),
    ("Subtract", {}, PAIR),
    ("UpSampling2D", {}, IMAGES),
    *(("UpSampling2D", {"size": (1, 3), "interpolation": one}, IMAGES) for one in ("bilinear", "bicubic", "lanczos3")),
    ("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, IMAGES),
]
IDS = [f"{name}-{i}" for i, (name, *_) in enumerate(CASES)]
each_case = pytest.mark.parametrize(("name", "given", "x"), CASES, ids=IDS)
NOISY = {"Dropout", "GaussianNoise", "RandomFlip", "SpatialDropout2D"}


def pair(name, given, x):
    """Our layer and Keras's, with the same weights, drawn at random."""
    ours, theirs = getattr(layers, name)(**given), getattr(keras.layers, name)(**given)
    ours(x), theirs(x)
    weights = [RNG.random(w.shape).astype(np.float32) for w in theirs.get_weights()]
    if len(weights) == len(ours.get_weights()):
        ours.set_weights(weights)
        theirs.set_weights(weights)
    return ours, theirs


def model_of(layer, x):
    """The layer between a Dense before it and one after it."""
    shapes = [one.shape[1:] for one in (x if isinstance(x, list) else [x])]
    inputs = [thalweg.Input(shape) for shape in shapes]
    made = layer(inputs if len(inputs) > 1 else inputs[0])
    outputs = layers.Dense(1)(layers.Flatten()(made))
    model = thalweg.Model(inputs, outputs)
    model.compile("sgd", "mse")
    return model


def test_every_layer_stands_in_the_table_of_cases():
    assert {name for name, *_ in CASES} | {"InputLayer", "Lambda"} == set(layers.TABLE)


@each_case
def test_forward_is_keras_s(name, given, x):
    ours, theirs = pair(name, given, x)
    told = {"training": False} if name.startswith("Random") else {}  # called alone, these show what training does
    np.testing.assert_allclose(ours(x, **told), theirs(x, **told), rtol=1e-6, atol=1e-6)
    shapes = [one.shape for one in x] if isinstance(x, list) else x.shape
    features = tuple(s[1:] for s in shapes) if isinstance(x, list) else shapes[1:]
    assert (x[0] if isinstance(x, list) else x).shape[:1] + ours.output_features(features) == theirs(x).shape
    assert [v.name for v in ours.variables] == [v.name for v in theirs.variables if v.name != "seed_generator_state"]


@each_case
def test_training_is_keras_s(name, given, x):
    if name in NOISY:
        pytest.skip("random by nature; its bits have tests of their own")
    ours, theirs = pair(name, given, x)
    np.testing.assert_allclose(
        ours(x, training=True), theirs(x, training=True) if _trains(theirs) else theirs(x), rtol=1e-5, atol=2e-6
    )
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def _trains(layer):
    import inspect

    return "training" in inspect.signature(layer.call).parameters


@each_case
def test_a_second_fit_and_a_turned_number_compile_nothing(name, given, x):
    y = np.zeros((8, 1), np.float32)
    model = model_of(getattr(layers, name)(**given), x)
    model.fit(x, y, batch_size=3, epochs=1, verbose=0)
    before = sum(program.traces for program in compiled())
    for path, value in dict(model.hypers).items():
        low, high = model.hypers.ranges().get(path, (0.0, 1.0))
        model.hypers[path] = min(max(value * 0.5 + 1e-3, low), high)
    model.fit(x, y, batch_size=3, epochs=1, verbose=0)
    again = model_of(getattr(layers, name)(**given), x)
    again.fit(x, y, batch_size=3, epochs=1, verbose=0)
    assert sum(program.traces for program in compiled()) == before


@each_case
def test_gradients_are_finite_at_awkward_points(name, given, x):
    layer = getattr(layers, name)(**given)
    shapes = tuple(one.shape[1:] for one in x) if isinstance(x, list) else x.shape[1:]
    weights = {v.name: jnp.asarray(v.value) for v in layer.variables_for(shapes)}

    def total(inputs):
        return jnp.sum(layer.apply(weights, inputs, layers.Context(True, layer.hypers())) ** 2) * 1e-6

    slope = jax.jit(jax.grad(total))
    for point in (0.0, 30.0, -1e4, 1e4):
        there = jax.tree.map(lambda one, point=point: jnp.full_like(one, point), x)
        assert all(jnp.isfinite(g).all() for g in jax.tree.leaves(slope(there))), point


@each_case
def test_description_makes_its_like(name, given, x):
    layer = getattr(layers, name)(**given)
    again = layers.deserialize(layers.serialize(layer))
    assert again.structure() == layer.structure()
    assert again.hypers() == layer.hypers()
    read = layers.deserialize(keras.layers.serialize(getattr(keras.layers, name)(**given)))
    assert read.structure() == layer.structure()


def test_padding_rows_do_not_move_batch_statistics():
    x = np.concatenate([FLAT, FLAT])[:11]
    model = thalweg.Sequential([thalweg.Input((6,)), layers.BatchNormalization(momentum=0.0), layers.Dense(1)])
    model.compile(thalweg.optimizers.SGD(0.0), "mse")
    model.fit(x, np.zeros((11, 1)), batch_size=16, epochs=1, verbose=0, shuffle=False)
    _, _, mean, variance = model.layers[0].get_weights()
    np.testing.assert_allclose(mean, x.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(variance, x.var(axis=0), rtol=1e-5)


def test_normalization_learns_from_rows_frames_and_batches():
    import pandas as pd

    sources = [FLAT, pd.DataFrame(FLAT), (FLAT[i : i + 3] for i in range(0, 8, 3))]
    theirs = keras.layers.Normalization()
    theirs.adapt(FLAT)
    for source in sources:
        layer = layers.Normalization()
        layer.adapt(source)
        np.testing.assert_allclose(layer(FLAT), theirs(FLAT), rtol=1e-5, atol=1e-5)


def test_a_layer_in_this_package_s_style_and_one_in_keras_s():
    class Scale(layers.Layer):
        def init(self, features):
            return (layers.Weight("scale", features, "ones"),)

        def apply(self, w, x, ctx):
            return x * w["scale"]

    class Shift(layers.Layer):
        def build(self, input_shape):
            self.shift = self.add_weight(shape=input_shape[1:], initializer="zeros", regularizer="l2", name="shift")
            self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

        def call(self, x, training=False):
            if training:
                self.seen.assign(self.seen + 1)
            return x + self.shift

    model = thalweg.Sequential([thalweg.Input((6,)), Scale(), Shift(), layers.Dense(1)])
    model.compile("adam", "mse")
    y = FLAT.sum(axis=1, keepdims=True)
    losses = model.fit(FLAT, y, epochs=30, batch_size=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert float(model.layers[1].seen.numpy()) == 60
    assert not np.allclose(model.layers[0].get_weights()[0], 1)
    assert "shift/shift_regularizer/l2" in model.hypers


def test_a_frozen_layer_keeps_its_weights():
    model = thalweg.Sequential([thalweg.Input((6,)), layers.Dense(4), layers.Dense(1)])
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    before = model.layers[0].get_weights()[0]
    model.fit(FLAT, np.ones((8, 1)), epochs=3, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], before)
    model.layers[0].trainable = True
    model.compile("adam", "mse")
    model.fit(FLAT, np.ones((8, 1)), epochs=3, verbose=0)
    assert not np.array_equal(model.layers[0].get_weights()[0], before)


def test_lambda_trains():
    model = thalweg.Sequential([thalweg.Input((6,)), layers.Lambda(lambda x: x**2), layers.Dense(1)])
    model.compile(thalweg.optimizers.Adam(0.05), "mse")
    losses = model.fit(FLAT, (FLAT**2).sum(axis=1), epochs=200, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("make", "culprit"),
    [
        (lambda: layers.Dense(0), "units"),
        (lambda: layers.Dense(2.5), "units"),
        (lambda: layers.Dropout(1.2), "rate"),
        (lambda: layers.Dropout(float("nan")), "rate"),
        (lambda: layers.GaussianNoise(-1), "stddev"),
        (lambda: layers.RandomTranslation(1.5, 0), "height_factor"),
        (lambda: layers.RandomRotation(15), "a full turn: 15 / 360"),
        (lambda: layers.RandomZoom((0.1, 0.2, 0.3)), "a pair of them"),
        (lambda: layers.RandomRotation(0.1, fill_mode="mirror"), "fill_mode"),
        (lambda: layers.RandomFlip("sideways"), "mode"),
        (lambda: layers.RandomRotation(0.1)(DEEP), "Reshape"),
        (lambda: layers.RandomContrast(-0.1), "factor must be"),
        (lambda: layers.RandomContrast(0.1, value_range=(1, 0)), "value_range"),
        (lambda: layers.Conv2D(0, 3), "filters"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), "kernel_size must be a whole number of 1 or more, or 2 of them"),
        (lambda: layers.Conv1D(4, 3, strides=0), "strides"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "Unknown padding 'causal'"),
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), "both be above 1"),
        (lambda: layers.Conv2D(4, 3, data_format="channels_first"), "np.moveaxis"),
        (lambda: layers.MaxPooling2D(data_format="channels_first"), "np.moveaxis"),
        (lambda: layers.SpatialDropout2D(0.5, data_format="channels_first"), "np.moveaxis"),
        (lambda: layers.Conv2D(4, 3, data_format="channel_last"), "Did you mean 'channels_last'"),
        (lambda: layers.Conv2D(5, 3, groups=2), "multiple of groups"),
        (lambda: layers.Conv2D(6, 3, groups=3)(IMAGES), "3 groups"),
        (lambda: layers.Conv2D(6, 6)(IMAGES), "reaches over 6 x 6 places"),
        (lambda: layers.Conv2D(6, 3)(DEEP), "Reshape"),
        (lambda: layers.MaxPooling1D()(FLAT), "sequences"),
        (lambda: layers.GlobalMaxPooling2D()(DEEP), "images"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier"),
        (lambda: layers.ZeroPadding2D((1, -1)), "padding"),
        (lambda: layers.UpSampling2D(interpolation="area"), "interpolation"),
        (lambda: layers.Dense(3, activation="rellu"), "Did you mean 'relu'"),
        (lambda: layers.Dense(3, kernel_initializer="he_norml"), "Did you mean 'he_normal'"),
        (lambda: layers.Dense(3, kernel_regularizer="l3"), "l3"),
        (lambda: layers.BatchNormalization(momentum=2), "momentum"),
        (lambda: layers.Reshape((4, 4))(FLAT), "Reshape"),
        (lambda: layers.Add()([FLAT, DEEP]), "Add"),
        (lambda: layers.Concatenate()([thalweg.Input((2, 3)), thalweg.Input((3, 3))]), "Concatenate"),
        (lambda: thalweg.Input((0,)), "shape"),
    ],
)
def test_what_is_out_of_range_is_named(make, culprit):
    with pytest.raises(ValueError, match=culprit):
        make()


def test_a_weight_that_is_handed_to_a_function_of_jax_s_is_told_how():
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], 3), name="w")

        def call(self, x):
            return jnp.dot(x, self.w)

    with pytest.raises(TypeError, match=r"Own\.call hands a weight itself .* self\.NAME\.value"):
        Own()(FLAT)


def test_arguments_that_do_not_exist_are_told_the_nearest_of_the_layer():
    with pytest.raises(TypeError, match=r"Conv2D: Unknown argument 'stride'. Did you mean 'strides'\?.*kernel_size"):
        layers.Conv2D(4, 3, stride=2)


def test_what_keras_has_and_thalweg_has_not_is_listed():
    kinds = {name: one for name, one in vars(keras.layers).items() if isinstance(one, type)}
    theirs = {name for name, one in kinds.items() if issubclass(one, keras.layers.Layer)}
    assert {name for name in theirs if not hasattr(layers, name)} == NOT_HERE
