"""ONNX export: its checker passes, and ONNX Runtime predicts what the model predicts, for any batch size."""

import functools
import sys

import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import pytest

import thalweg
from thalweg import activations, layers
from thalweg.files import _onnx_activations, _onnx_layers
from thalweg.files._onnx import to_onnx

AWKWARD = np.array([-1e4, -50, -3, -1, -0.5, -1e-3, 0, 1e-3, 0.5, 1, 3, 6, 50, 1e4], np.float32)
FLAT, DEEP, CUBE, IMAGE = (6,), (4, 3), (2, 4, 3), (7, 6, 4)


def export(model):
    weights = [{v.name: v.numpy() for v in layer.variables} for layer in model.network.layers]
    return to_onnx(
        model.network, weights, name=model.name, input_names=model.input_labels, output_names=model.output_names
    )


class Runtime:
    """An exported file in ONNX Runtime."""

    def __init__(self, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.file = file
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def __call__(self, *inputs):
        named = {one.name: x for one, x in zip(self.session.get_inputs(), inputs, strict=True)}
        return self.session.run(None, named)


def check(model, *inputs, tolerance=1e-5):
    """Predictions of one file for batches of 1 and of 7 rows; gives the runtime."""
    runtime = Runtime(export(model))
    for one in (*runtime.session.get_inputs(), *runtime.session.get_outputs()):
        assert one.shape[0] == "batch"
    for rows in (1, 7):
        fed = [x[:rows] for x in inputs]
        expected = model.predict(list(fed) if len(fed) > 1 else fed[0], verbose=0)
        expected = expected if isinstance(expected, list) else [expected]
        for ours, theirs in zip(expected, runtime(*fed), strict=True):
            assert theirs.dtype == np.float32
            np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=tolerance)
    return runtime


def rows_of(*shapes):
    rng = np.random.default_rng(6)  # each test its own: the order of tests changes nothing
    return [rng.normal(size=(7, *shape)).astype(np.float32) for shape in shapes]


def model_of(layer, *shapes):
    """One layer, with random weights."""
    inputs = [thalweg.Input(shape) for shape in shapes]
    model = thalweg.Model(inputs, layer(inputs if layer.merges else inputs[0]))
    rng = np.random.default_rng(7)
    model.set_weights([rng.uniform(0.2, 1.5, w.shape) for w in model.get_weights()])
    return model


LAYERS = [
    ("Activation", {"activation": "tanh"}, [FLAT]),
    ("Activation", {"activation": layers.ReLU(max_value=0.5)}, [DEEP]),
    ("Activation", {"activation": layers.PReLU("ones")}, [DEEP]),
    ("ActivityRegularization", {"l1": 0.1}, [FLAT]),
    ("Add", {}, [FLAT, FLAT, FLAT]),
    ("Add", {}, [DEEP, (1, 3)]),
    ("Average", {}, [DEEP, (4, 1), DEEP]),
    ("AveragePooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}, [DEEP]),
    ("AveragePooling2D", {"pool_size": (2, 3), "padding": "same"}, [IMAGE]),
    ("BatchNormalization", {}, [FLAT]),
    ("BatchNormalization", {}, [DEEP]),
    ("BatchNormalization", {"axis": 1, "epsilon": 0.1}, [CUBE]),
    ("BatchNormalization", {"axis": -2, "center": False}, [CUBE]),
    ("BatchNormalization", {"center": False, "scale": False}, [FLAT]),
    ("Concatenate", {}, [FLAT, (2,), FLAT]),
    ("Concatenate", {"axis": 1}, [DEEP, (2, 3)]),
    ("Concatenate", {"axis": -2}, [CUBE, CUBE]),
    ("Concatenate", {}, [FLAT]),
    ("Conv1D", {"filters": 5, "kernel_size": 2, "padding": "causal", "dilation_rate": 2}, [DEEP]),
    ("Conv2D", {"filters": 5, "kernel_size": 3, "activation": "relu"}, [IMAGE]),
    ("Conv2D", {"filters": 4, "kernel_size": (2, 3), "strides": 2, "padding": "same", "groups": 2}, [IMAGE]),
    (
        "Conv2D",
        {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "activation": "softmax", "use_bias": False},
        [IMAGE],
    ),
    ("Dense", {"units": 5}, [FLAT]),
    ("Dense", {"units": 5, "use_bias": False, "activation": "gelu"}, [DEEP]),
    ("Dense", {"units": 5, "activation": "softmax", "kernel_regularizer": "l2"}, [CUBE]),
    ("Dense", {"units": 5, "activation": layers.LeakyReLU(0.1)}, [DEEP]),
    ("Dense", {"units": 5, "activation": functools.partial(activations.relu, max_value=0.3)}, [FLAT]),
    ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}, [IMAGE]),
    ("Dropout", {"rate": 0.3}, [FLAT]),
    ("ELU", {"alpha": 0.5}, [FLAT]),
    ("Flatten", {}, [FLAT]),
    ("Flatten", {}, [CUBE]),
    ("GaussianNoise", {"stddev": 0.3}, [FLAT]),
    *((f"Global{kind}Pooling1D", {}, [DEEP]) for kind in ("Average", "Max")),
    *((f"Global{kind}Pooling2D", {"keepdims": True}, [IMAGE]) for kind in ("Average", "Max")),
    ("Identity", {}, [FLAT]),
    ("InputLayer", {"shape": FLAT}, [FLAT]),
    ("LayerNormalization", {}, [FLAT]),
    ("LayerNormalization", {"axis": (2, 1), "epsilon": 0.1}, [DEEP]),
    ("LayerNormalization", {"axis": (1, 3), "scale": False}, [CUBE]),
    ("LayerNormalization", {"axis": 1, "center": False}, [DEEP]),
    ("LeakyReLU", {"negative_slope": 0.2}, [FLAT]),
    ("MaxPooling1D", {}, [DEEP]),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, [IMAGE]),
    ("Maximum", {}, [FLAT, FLAT, FLAT]),
    ("Minimum", {}, [DEEP, (4, 1)]),
    ("Multiply", {}, [DEEP, DEEP, (1, 3)]),
    ("Normalization", {}, [FLAT]),
    ("Normalization", {"axis": 1}, [DEEP]),
    ("Normalization", {"axis": (1, 3)}, [CUBE]),
    ("Normalization", {"axis": None}, [DEEP]),
    ("Normalization", {"mean": 0.5, "variance": 2.0}, [FLAT]),
    ("Normalization", {"axis": 1, "mean": [1.0, 2, 3, 4], "variance": [0.0, 1, 2, 3], "invert": True}, [DEEP]),
    ("Embedding", {"input_dim": 50, "output_dim": 3}, [FLAT]),
    ("PeriodicEmbedding", {}, [FLAT]),
    ("PeriodicEmbedding", {"output_dim": 2, "waves": 4, "columns": [2, 0]}, [FLAT]),
    ("PeriodicEmbedding", {"columns": [1]}, [DEEP]),
    ("PReLU", {}, [FLAT]),
    ("PReLU", {"shared_axes": [1]}, [CUBE]),
    ("RandomContrast", {"factor": 0.1}, [CUBE]),
    ("RandomFlip", {}, [CUBE]),
    ("RandomRotation", {"factor": 0.1}, [CUBE]),
    ("RandomTranslation", {"height_factor": 0.1, "width_factor": 0.1}, [CUBE]),
    ("RandomZoom", {"height_factor": 0.1}, [CUBE]),
    ("ReLU", {}, [FLAT]),
    ("ReLU", {"negative_slope": 0.2}, [FLAT]),
    ("ReLU", {"max_value": 0.7, "negative_slope": 0.1, "threshold": 0.2}, [FLAT]),
    ("Rescaling", {"scale": 0.5, "offset": 0.1}, [FLAT]),
    ("Rescaling", {"scale": [1, 2, 3], "offset": [[0], [1], [2], [3]]}, [DEEP]),
    ("Reshape", {"target_shape": (2, -1)}, [DEEP]),
    ("Reshape", {"target_shape": (4, 3, 2)}, [CUBE]),
    ("SeparableConv2D", {"filters": 5, "kernel_size": 3, "depth_multiplier": 2}, [IMAGE]),
    ("Softmax", {}, [FLAT]),
    ("Softmax", {"axis": 1}, [DEEP]),
    ("Softmax", {"axis": (1, -1)}, [CUBE]),
    ("SpatialDropout2D", {"rate": 0.3}, [CUBE]),
    ("Subtract", {}, [FLAT, FLAT]),
    ("UpSampling2D", {}, [CUBE]),
    ("UpSampling2D", {"size": (3, 2), "interpolation": "bilinear"}, [CUBE]),
    ("UpSampling2D", {"size": (1, 3), "interpolation": "bicubic"}, [CUBE]),
    ("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, [CUBE]),
]

ACTIVATIONS = [
    *((name, {}) for name in activations.TABLE if name not in ("threshold", "swish", "hard_swish")),
    ("swish", {}),
    ("hard_swish", {}),
    ("relu", {"negative_slope": 0.3, "max_value": 2.0, "threshold": -0.7}),
    ("relu", {"threshold": 0.5}),
    ("relu", {"negative_slope": -1.0}),
    ("leaky_relu", {"negative_slope": 1.5}),
    ("elu", {"alpha": 0.3}),
    ("celu", {"alpha": 0.3}),
    ("gelu", {"approximate": True}),
    ("squareplus", {"b": 1.0}),
    ("soft_shrink", {"threshold": 1.0}),
    ("hard_shrink", {"threshold": 0.0}),
    ("threshold", {"threshold": 0.5, "default_value": -2.0}),
    ("softmax", {"axis": 1}),
    ("softmax", {"axis": (1, 2)}),
    ("log_softmax", {"axis": 1}),
    ("log_softmax", {"axis": (1, -1)}),
    ("sparsemax", {"axis": 1}),
    ("glu", {"axis": 1}),
]


def identified(cases):
    return [f"{name}-{i}" for i, (name, *_) in enumerate(cases)]


each_activation = pytest.mark.parametrize(("name", "given"), ACTIVATIONS, ids=identified(ACTIVATIONS))


def test_every_layer_is_exported_or_refused_by_name():
    assert {*_onnx_layers.LAYERS, *_onnx_layers.REFUSED} == {*layers.TABLE.values(), layers.PeriodicEmbedding}
    assert {kind.__name__ for kind in _onnx_layers.LAYERS} == {name for name, *_ in LAYERS}


def test_every_activation_is_exported():
    assert set(_onnx_activations.ACTIVATIONS) == set(activations.TABLE.values())
    assert {name for name, _ in ACTIVATIONS} == set(activations.TABLE)


@pytest.mark.parametrize(("name", "given", "shapes"), LAYERS, ids=identified(LAYERS))
def test_a_layer_predicts_the_same(name, given, shapes):
    check(model_of(getattr(layers, name)(**given), *shapes), *rows_of(*shapes))


@each_activation
def test_an_activation_predicts_the_same(name, given):
    function = activations.get(name)
    model = model_of(layers.Activation(functools.partial(function, **given) if given else function), (2, 4, 6))
    (x,) = rows_of((2, 4, 6))
    check(model, x)
    check(model, 10 * x)


@each_activation
def test_an_activation_predicts_the_same_at_awkward_points(name, given):
    function = functools.partial(activations.get(name), **given)
    rng = np.random.default_rng(8)
    x = np.stack([rng.permutation(AWKWARD) for _ in range(7 * 4)]).reshape(7, 4, -1)
    if name == "exponential":
        x = np.minimum(x, 88)
    check(model_of(layers.Activation(function), x.shape[1:]), x)


@each_activation
def test_not_a_number_goes_through(name, given):
    x = np.stack([AWKWARD] * 8).reshape(4, 2, -1)
    x[1, 1, 3] = np.nan
    model = model_of(layers.Activation(functools.partial(activations.get(name), **given)), x.shape[1:])
    expected = np.isnan(np.asarray(functools.partial(activations.get(name), **given)(x)))
    np.testing.assert_array_equal(np.isnan(Runtime(export(model))(x)[0]), expected)


def test_sparsemax_and_softmax_pass_over_minus_infinity():
    x = np.array([[1.0, -np.inf, 0.5]], np.float32)
    for name in ("softmax", "sparsemax"):
        given = Runtime(export(model_of(layers.Activation(name), (3,))))(x)[0]
        np.testing.assert_allclose(given, activations.get(name)(x), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    # LayerNormalization computes the mean itself, and in float32 two ways to sum differ by the last digit of 5000
    [("BatchNormalization", 1e-5), ("Normalization", 1e-5), ("LayerNormalization", 2e-3)],
)
def test_means_far_from_zero_lose_no_digits(name, tolerance):
    model = model_of(getattr(layers, name)(), FLAT)
    for variable in model.layers[1].variables:
        if variable.name in ("mean", "moving_mean"):
            variable.assign(np.full(6, 5000.0))
    (x,) = rows_of(FLAT)
    check(model, x + 5000, tolerance=tolerance)


def trained(model, x, y, loss):
    model.compile("adam", loss)
    model.fit(x, y, epochs=2, batch_size=16, verbose=0, seed=1)
    return model


def test_the_course_s_net():
    model = thalweg.Sequential(
        [
            thalweg.Input((784,)),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(momentum=0.5),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(9)
    x = rng.random((96, 784), dtype=np.float32)
    trained(model, x, rng.integers(0, 10, 96), "sparse_categorical_crossentropy")
    assert abs(model.layers[4].moving_mean.numpy()).max() > 0.01
    runtime = check(model, x)
    file = onnx.load_from_string(runtime.file)
    assert (file.producer_name, file.producer_version) == ("thalweg", thalweg.__version__)
    dense, normal = ["kernel", "bias"], ["moving_mean", "scale", "beta"]
    kept = [(0, dense), (1, normal), (3, dense), (4, normal), (6, dense)]
    assert [one.name for one in file.graph.initializer] == [
        f"{model.layers[i].name}/{weight}" for i, weights in kept for weight in weights
    ]
    assert [node.op_type for node in file.graph.node] == [
        *(["MatMul", "Add", "Relu", "Sub", "Mul", "Add"] * 2),
        *("MatMul", "Add", "Softmax", "Identity"),
    ]


def test_two_inputs_two_outputs_and_a_shared_layer():
    left, right = thalweg.Input((6,), name="left"), thalweg.Input((6,), name="right")
    shared = layers.Dense(8, activation="selu", name="shared")
    joined = layers.BatchNormalization()(layers.Concatenate()([shared(left), shared(right)]))
    total = layers.Add()([shared(left), joined_part := layers.Dense(8, activation="mish")(joined)])
    outputs = [layers.Dense(3, activation="softmax", name="kind")(total), layers.Dense(1, name="size")(joined_part)]
    model = thalweg.Model([left, right], outputs)
    rng = np.random.default_rng(10)
    x = [rng.normal(size=(64, 6)).astype(np.float32) for _ in range(2)]
    y = [rng.integers(0, 3, 64), rng.normal(size=(64, 1)).astype(np.float32)]
    runtime = check(trained(model, x, y, ["sparse_categorical_crossentropy", "mse"]), *x)
    assert [one.name for one in runtime.session.get_inputs()] == ["left", "right"]
    assert [one.name for one in runtime.session.get_outputs()] == ["kind", "size"]
    held = [one.name for one in onnx.load_from_string(runtime.file).graph.initializer]
    assert held.count("shared/kernel") == 1 and not any(name.startswith("shared/kernel_") for name in held)


def test_names_that_come_twice_get_a_number():
    x = thalweg.Input((6,), name="x")
    one = layers.Dense(6, name="one")
    model = thalweg.Model(x, [x, one(x), one(one(x)), one(x)])
    model.draw(0)
    runtime = check(model, *rows_of(FLAT))
    assert [one.name for one in runtime.session.get_outputs()] == ["x_1", "one", "one_1", "one_2"]


def test_weights_of_float64_become_float32():
    model = model_of(layers.Dense(3, activation="gelu"), FLAT)
    weights = [{v.name: v.numpy().astype(np.float64) for v in layer.variables} for layer in model.network.layers]
    file = to_onnx(model.network, weights, name="net", input_names=["x"], output_names=["y"])
    assert {one.data_type for one in onnx.load_from_string(file).graph.initializer} == {onnx.TensorProto.FLOAT}
    (x,) = rows_of(FLAT)
    np.testing.assert_allclose(Runtime(file)(x)[0], model.predict(x, verbose=0), rtol=1e-5, atol=1e-5)


class Scale(layers.Layer):
    def apply(self, w, x, ctx):
        return 2 * x


class Wide(layers.Dense):
    pass


def double(x):
    return 2 * x


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            layers.Lambda(double, name="twice"),
            r"Layer 'twice' \(Lambda\) cannot be exported to ONNX: it holds a Python",
        ),
        (Scale(name="mine"), r"Layer 'mine' \(Scale\) cannot be exported to ONNX: its class is none of thalweg's own"),
        (
            Wide(3, name="wide"),
            r"'wide' \(Wide\).*Expected are the layers Activation, .*Express it by those, or export",
        ),
        (layers.Dense(3, activation=double, name="last"), "Layer 'last' .* its activation 'double' is none of thalweg"),
        (layers.Activation(jnp.sin, name="wave"), r"'wave'.*'sin'.*Expected one of celu, elu, .*Express it by those"),
        (layers.Activation(layers.Lambda(double)), r"Layer 'lambda' \(Lambda\) cannot"),
        (layers.Activation(Scale()), r"Layer 'scale' \(Scale\) cannot"),
        (
            layers.Activation(functools.partial(activations.leaky_relu, negative_slope=np.ones(6)), name="many"),
            "Layer 'many' .* activation 'leaky_relu' is given an array as negative_slope.*PReLU",
        ),
    ],
)
def test_what_is_not_the_package_s_own_is_refused_by_name(layer, message):
    with pytest.raises(ValueError, match=message):
        export(model_of(layer, FLAT))


def test_numbers_beyond_float32_are_refused():
    model = model_of(layers.Dense(2, name="steep"), FLAT)
    weights = [{"kernel": np.full((6, 2), 1e300), "bias": np.full(2, np.inf)}]
    with pytest.raises(ValueError, match=r"steep/kernel holds numbers beyond float32's range.*Rescale"):
        to_onnx(model.network, weights, name="net", input_names=["x"], output_names=["y"])
    weights[0]["kernel"] = np.ones((6, 2))  # infinity itself is a number of float32's
    to_onnx(model.network, weights, name="net", input_names=["x"], output_names=["y"])


def test_a_net_that_no_file_holds_is_refused_before_anything_is_copied():
    model = model_of(layers.Dense(2, name="huge"), FLAT)
    weights = [{"kernel": np.broadcast_to(np.float32(0), (40_000, 20_000)), "bias": np.zeros(2)}]
    with pytest.raises(ValueError, match=r"at most 2 GiB, and this net's weights take 3\.0 GiB.*narrower"):
        to_onnx(model.network, weights, name="net", input_names=["x"], output_names=["y"])


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"^Exporting to ONNX needs the extra: pip install 'thalweg\[onnx\]'$"):
        export(model_of(layers.Dense(2), FLAT))
