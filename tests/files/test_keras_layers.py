"""Nets of every layer, regularizer, constraint, initializer and activation, from thalweg to Keras and back, in files."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import pytest
from file_pairs import exchanged, identical, same_layers, same_optimizer_settings
from test_keras_images import IMAGES, SEQUENCES

import thalweg
from thalweg import activations, constraints, initializers, layers, regularizers

SGD = {"learning_rate": 0.02, "momentum": 0.9}


CASES = [
    ("Activation", {"activation": "tanh"}, 1),
    ("ActivityRegularization", {"l1": 0.01, "l2": 0.02}, 1),
    ("Add", {}, 2),
    ("Average", {}, 2),
    ("BatchNormalization", {}, 1),
    ("BatchNormalization", {"momentum": 0.7, "epsilon": 0.1, "center": False, "scale": False}, 1),
    ("Concatenate", {"axis": 1}, 2),
    ("Dense", {"units": 5, "activation": "relu", "use_bias": False, "activity_regularizer": "l2"}, 1),
    ("Dropout", {"rate": 0.0, "seed": 3}, 1),
    ("ELU", {"alpha": 0.5}, 1),
    ("Embedding", {"input_dim": 50, "output_dim": 2}, 0),
    ("Flatten", {}, 0),
    ("GaussianNoise", {"stddev": 0.0}, 1),
    ("Identity", {}, 1),
    ("InputLayer", {}, -1),
    ("LayerNormalization", {}, 1),
    ("LayerNormalization", {"axis": (1, 2), "epsilon": 0.1, "center": False}, 0),
    ("LeakyReLU", {"negative_slope": 0.2}, 1),
    ("Maximum", {}, 2),
    ("Minimum", {}, 2),
    ("Multiply", {}, 2),
    ("Normalization", {"mean": 0.5, "variance": 2.0}, 1),
    ("Normalization", {}, 1),
    ("PReLU", {"alpha_initializer": "ones"}, 1),
    ("PReLU", {"shared_axes": [1]}, 0),
    ("RandomContrast", {"factor": (0.1, 0.2), "value_range": (-100, 100)}, 3),
    ("RandomFlip", {"mode": "vertical"}, 3),
    ("RandomRotation", {"factor": (0.1, 0.1), "fill_mode": "wrap"}, 3),
    ("RandomTranslation", {"height_factor": (0.1, 0.1), "width_factor": (-0.2, -0.2), "fill_value": 0.5}, 3),
    ("RandomZoom", {"height_factor": (0.1, 0.1), "interpolation": "nearest"}, 3),
    ("ReLU", {"max_value": 0.7, "negative_slope": 0.1, "threshold": 0.2}, 1),
    ("Rescaling", {"scale": 0.5, "offset": 0.1}, 1),
    ("Reshape", {"target_shape": (-1, 1)}, 0),
    ("Softmax", {"axis": 1}, 1),
    ("Subtract", {}, 2),
]
PLAIN = {
    *("Activation", "ActivityRegularization", "Dropout", "ELU", "GaussianNoise", "Identity", "LeakyReLU", "ReLU"),
    *("Rescaling", "Softmax"),
}
"""Layers without weights that keep a row's shape."""
NO_EXCHANGE = {"RandomContrast", "RandomFlip", "RandomTranslation", "RandomZoom"}
"""The first is random whatever its numbers are; Keras cannot write the others into .h5 files once they have been trained."""
each_layer = pytest.mark.parametrize(
    ("name", "given", "inputs"), CASES, ids=[f"{name}-{i}" for i, (name, *_) in enumerate(CASES)]
)


def net(module, name, given, inputs):
    """The layer between others that learn; on rows of a table where `inputs` is 0, on images where it is 3."""
    kinds = module.layers
    if inputs == -1:
        model = module.Sequential([kinds.InputLayer(shape=(6,)), kinds.Dense(2)])
    elif inputs == 2:
        x = module.Input((6,))
        halves = [kinds.Dense(4, activation="tanh", name=one)(x) for one in ("left", "right")]
        model = module.Model(x, kinds.Dense(2)(getattr(kinds, name)(**given)(halves)))
    else:
        shape = {0: (3, 2), 3: (3, 2, 1)}.get(inputs)
        first = [kinds.Reshape(shape), kinds.Dense(3)] if shape else [kinds.Dense(4)]
        last = [kinds.Flatten()] if shape and name != "Flatten" else []
        model = module.Sequential([module.Input((6,)), *first, getattr(kinds, name)(**given), *last, kinds.Dense(2)])
    model.compile(module.optimizers.SGD(**SGD), "mse")
    return model


def test_every_layer_stands_in_the_table_of_cases():
    of_images = {name for name, _ in (*IMAGES, *SEQUENCES)}
    assert {name for name, *_ in CASES} | {"Lambda"} | of_images == set(layers.TABLE)


of_images = pytest.mark.filterwarnings("ignore:Model doesn't support `jit_compile=True`")  # so Keras says of its own


@of_images
@pytest.mark.parametrize(
    ("name", "given", "inputs"),
    [(*one,) for one in CASES if one[2] != 2 and one[0] not in {*PLAIN, *NO_EXCHANGE}],
    ids=str,
)
def test_a_net_goes_to_keras_and_back(name, given, inputs, tmp_path):
    exchanged(net(thalweg, name, given, inputs), tmp_path)


def test_layers_without_weights_go_to_keras_and_back_side_by_side(tmp_path):
    made = [(name, given) for name, given, _ in CASES if name in PLAIN]
    ours = side_by_side(
        thalweg, [lambda kinds, x, n=n, given=given: getattr(kinds, n)(**given)(kinds.Dense(4)(x)) for n, given in made]
    )
    exchanged(ours, tmp_path)


def test_merges_go_to_keras_and_back_side_by_side(tmp_path):
    made = [(name, given) for name, given, inputs in CASES if inputs == 2]

    def merged(kinds, x, name, given):
        return getattr(kinds, name)(**given)([kinds.Dense(3)(x), kinds.Dense(3)(x)])

    exchanged(side_by_side(thalweg, [lambda kinds, x, m=m: merged(kinds, x, *m) for m in made]), tmp_path)


@of_images
@each_layer
def test_a_net_that_keras_built_is_read(name, given, inputs, tmp_path):
    theirs = net(keras, name, given, inputs)
    ours = net(thalweg, name, given, inputs)
    for ending in (".keras", ".h5", ".json"):
        if ending == ".json":
            again = thalweg.models.model_from_json(theirs.to_json())
        else:
            theirs.save(tmp_path / f"new{ending}")
            again = thalweg.models.load_model(tmp_path / f"new{ending}")
            identical(again, theirs)
            same_optimizer_settings(again, ours)
        same_layers(again, ours)
    same_layers(thalweg.models.model_from_json(ours.to_json()), ours)
    assert keras.models.model_from_json(ours.to_json()).count_params() == ours.count_params()


ACTIVATIONS = sorted(activations.TABLE)
NOT_ALONE = {"glu", "sparsemax", "threshold"}  # halves; is none in Keras on JAX; needs numbers
REGULARIZERS = [
    ("L1", {"l1": 0.03}),
    ("L2", {"l2": 0.03}),
    ("L1L2", {"l1": 0.02, "l2": 0.01}),
    ("OrthogonalRegularizer", {"factor": 0.02, "mode": "columns"}),
]
CONSTRAINTS = [
    ("MaxNorm", {"max_value": 0.7, "axis": 1}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 0.9, "rate": 0.8}),
    ("NonNeg", {}),
    ("UnitNorm", {"axis": [0, 1]}),
]
INITIALIZERS = [
    ("Constant", {"value": 0.3}),
    ("GlorotNormal", {"seed": 1}),
    ("GlorotUniform", {}),
    ("HeNormal", {}),
    ("HeUniform", {"seed": 2}),
    ("Identity", {"gain": 0.5}),
    ("LecunNormal", {}),
    ("LecunUniform", {}),
    ("Ones", {}),
    ("Orthogonal", {"gain": 0.7, "seed": 3}),
    ("RandomNormal", {"mean": 0.1, "stddev": 0.3}),
    ("RandomUniform", {"minval": -0.3, "maxval": 0.2}),
    ("TruncatedNormal", {"stddev": 0.2}),
    ("VarianceScaling", {"scale": 0.5, "mode": "fan_out", "distribution": "uniform"}),
    ("Zeros", {}),
]
FAMILIES = (("regularizer", REGULARIZERS), ("constraint", CONSTRAINTS), ("initializer", INITIALIZERS))


def side_by_side(module, made):
    """Layers on one input, and one that sees them all."""
    x = module.Input((6,))
    model = module.Model(
        x, module.layers.Dense(2)(module.layers.Concatenate()([one(module.layers, x) for one in made]))
    )
    model.compile(module.optimizers.SGD(0.001, momentum=0.9), "mse")
    return model


def dense_with(module, family, cases):
    found = getattr(module, f"{family}s")
    members = [getattr(found, name)(**given) for name, given in cases]
    return side_by_side(
        module, [lambda kinds, x, one=one: kinds.Dense(6, **{f"kernel_{family}": one})(x) for one in members]
    )


def test_every_member_stands_in_a_table_of_cases():
    assert {name for name, _ in REGULARIZERS} == {cls.__name__ for cls in regularizers.TABLE.values()}
    assert {name for name, _ in CONSTRAINTS} == {cls.__name__ for cls in constraints.TABLE.values()}
    assert {name for name, _ in INITIALIZERS} | {"STFT"} == {cls.__name__ for cls in initializers.TABLE.values()}


@pytest.mark.parametrize(("family", "cases"), FAMILIES, ids=[family for family, _ in FAMILIES])
def test_what_goes_with_weights_goes_to_keras_and_back(family, cases, tmp_path):
    ours, _ = exchanged(dense_with(thalweg, family, cases), tmp_path)
    same_layers(ours, dense_with(thalweg, family, cases))
    described = thalweg.models.model_from_json(dense_with(keras, family, cases).to_json())
    same_layers(described, ours)


@pytest.mark.parametrize("names", [ACTIVATIONS[i::3] for i in range(3)], ids="-".join)
def test_activations_go_to_keras_and_back(names, tmp_path):
    names = [name for name in names if name not in NOT_ALONE]
    ours = side_by_side(
        thalweg, [lambda kinds, x, name=name: kinds.Activation(name)(kinds.Dense(6)(x)) for name in names]
    )
    again, _ = exchanged(ours, tmp_path)
    assert [layer.activation for layer in again.layers if isinstance(layer, layers.Activation)] == [
        layer.activation for layer in ours.layers if isinstance(layer, layers.Activation)
    ]
