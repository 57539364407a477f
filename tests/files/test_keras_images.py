"""Layers of images and sequences, from thalweg to Keras and back, in files; all of them side by side in one net."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from file_pairs import exchanged, identical, same_layers

import thalweg

IMAGES = [
    ("AveragePooling2D", {"pool_size": (2, 3), "padding": "same"}),
    ("Conv2D", {"filters": 3, "kernel_size": 2, "activation": "relu", "kernel_regularizer": "l2"}),
    ("Conv2D", {"filters": 2, "kernel_size": (2, 3), "strides": 2, "padding": "same", "groups": 2}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False}),
    ("DepthwiseConv2D", {"kernel_size": 2, "depth_multiplier": 2, "depthwise_regularizer": "l1"}),
    ("GlobalAveragePooling2D", {"keepdims": True}),
    ("GlobalMaxPooling2D", {}),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 2, "depth_multiplier": 2, "pointwise_constraint": "unit_norm"}),
    ("SpatialDropout2D", {"rate": 0.0}),
    ("UpSampling2D", {"size": (1, 2), "interpolation": "bilinear"}),
    ("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}),
]
SEQUENCES = [
    ("AveragePooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}),
    ("Conv1D", {"filters": 3, "kernel_size": 2, "padding": "causal", "dilation_rate": 2}),
    ("GlobalAveragePooling1D", {}),
    ("GlobalMaxPooling1D", {"keepdims": True}),
    ("MaxPooling1D", {}),
]


def net(module):
    """Every layer on one image, or one sequence, of which all see the same."""
    kinds = module.layers
    x = module.Input((6,))
    wide = kinds.Dense(40)(x)
    fed = {
        "images": kinds.Dense(2, name="channels")(kinds.Reshape((5, 4, 2))(wide)),
        "sequences": kinds.Dense(2, name="steps")(kinds.Reshape((10, 4))(wide)),
    }
    made = [getattr(kinds, name)(**given)(fed["images"]) for name, given in IMAGES]
    made += [getattr(kinds, name)(**given)(fed["sequences"]) for name, given in SEQUENCES]
    model = module.Model(x, kinds.Add()([kinds.Dense(2)(kinds.Flatten()(one)) for one in made]))
    model.compile(module.optimizers.SGD(0.001, momentum=0.9), "mse")
    return model


def test_every_layer_goes_to_keras_and_back(tmp_path):
    exchanged(net(thalweg), tmp_path)


def test_a_net_that_keras_built_is_read(tmp_path):
    theirs, ours = net(keras), net(thalweg)
    for ending in (".keras", ".h5"):
        theirs.save(tmp_path / f"new{ending}")
        again = thalweg.models.load_model(tmp_path / f"new{ending}")
        identical(again, theirs)
        same_layers(again, ours)
    assert [layer.name for layer in ours.layers] == [
        layer.name for layer in thalweg.models.model_from_json(ours.to_json()).layers
    ]


def test_channels_first_is_refused_with_a_word():
    import pytest

    model = keras.Sequential([keras.Input((2, 5, 4)), keras.layers.MaxPooling2D(data_format="channels_first")])
    with pytest.raises(ValueError, match=r"np\.moveaxis"):
        thalweg.models.model_from_json(model.to_json())
