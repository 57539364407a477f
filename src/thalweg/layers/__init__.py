"""Layers: what a net is made of. One table of names, Keras's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg._family import Family
from thalweg._names import Table, tell_absent
from thalweg.layers._activation import ELU as ELU
from thalweg.layers._activation import Activation as Activation
from thalweg.layers._activation import ActivityRegularization as ActivityRegularization
from thalweg.layers._activation import Identity as Identity
from thalweg.layers._activation import LeakyReLU as LeakyReLU
from thalweg.layers._activation import PReLU as PReLU
from thalweg.layers._activation import ReLU as ReLU
from thalweg.layers._activation import Softmax as Softmax
from thalweg.layers._any_activation import ELEMENTWISE as ELEMENTWISE
from thalweg.layers._any_activation import AnyActivation as AnyActivation
from thalweg.layers._apart import DepthwiseConv2D as DepthwiseConv2D
from thalweg.layers._apart import SeparableConv2D as SeparableConv2D
from thalweg.layers._augmentation import RandomFlip as RandomFlip
from thalweg.layers._augmentation import RandomRotation as RandomRotation
from thalweg.layers._augmentation import RandomTranslation as RandomTranslation
from thalweg.layers._augmentation import RandomZoom as RandomZoom
from thalweg.layers._base import Layer as Layer
from thalweg.layers._base import mask_rows as mask_rows
from thalweg.layers._context import Context as Context
from thalweg.layers._context import layer_key as layer_key
from thalweg.layers._contrast import RandomContrast as RandomContrast
from thalweg.layers._convolution import Conv1D as Conv1D
from thalweg.layers._convolution import Conv2D as Conv2D
from thalweg.layers._dense import Dense as Dense
from thalweg.layers._dropout import Dropout as Dropout
from thalweg.layers._dropout import GaussianNoise as GaussianNoise
from thalweg.layers._dropout import SpatialDropout2D as SpatialDropout2D
from thalweg.layers._embedding import Embedding as Embedding
from thalweg.layers._input import Input as Input
from thalweg.layers._input import InputLayer as InputLayer
from thalweg.layers._lambda import Lambda as Lambda
from thalweg.layers._merge import Add as Add
from thalweg.layers._merge import Average as Average
from thalweg.layers._merge import Concatenate as Concatenate
from thalweg.layers._merge import Maximum as Maximum
from thalweg.layers._merge import Minimum as Minimum
from thalweg.layers._merge import Multiply as Multiply
from thalweg.layers._merge import Subtract as Subtract
from thalweg.layers._merge import add as add
from thalweg.layers._merge import average as average
from thalweg.layers._merge import concatenate as concatenate
from thalweg.layers._merge import maximum as maximum
from thalweg.layers._merge import minimum as minimum
from thalweg.layers._merge import multiply as multiply
from thalweg.layers._merge import subtract as subtract
from thalweg.layers._normalization import BatchNormalization as BatchNormalization
from thalweg.layers._normalization import LayerNormalization as LayerNormalization
from thalweg.layers._normalization import Normalization as Normalization
from thalweg.layers._normalization import Rescaling as Rescaling
from thalweg.layers._not_here import NOT_HERE
from thalweg.layers._periodic_embedding import PeriodicEmbedding as PeriodicEmbedding
from thalweg.layers._pooling import AveragePooling1D as AveragePooling1D
from thalweg.layers._pooling import AveragePooling2D as AveragePooling2D
from thalweg.layers._pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from thalweg.layers._pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from thalweg.layers._pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from thalweg.layers._pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from thalweg.layers._pooling import MaxPooling1D as MaxPooling1D
from thalweg.layers._pooling import MaxPooling2D as MaxPooling2D
from thalweg.layers._resizing import UpSampling2D as UpSampling2D
from thalweg.layers._resizing import ZeroPadding2D as ZeroPadding2D
from thalweg.layers._shape import Flatten as Flatten
from thalweg.layers._shape import Reshape as Reshape
from thalweg.layers._symbol import Symbol as Symbol
from thalweg.layers._variable import Variable as Variable
from thalweg.layers._variable import Weight as Weight

# Keras's other names
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
Convolution1D = Conv1D
Convolution2D = Conv2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
SeparableConvolution2D = SeparableConv2D

_CLASSES: tuple[type[Layer], ...] = (
    Activation,
    ActivityRegularization,
    Add,
    Average,
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    ELU,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    Identity,
    InputLayer,
    Lambda,
    LayerNormalization,
    LeakyReLU,
    MaxPooling1D,
    MaxPooling2D,
    Maximum,
    Minimum,
    Multiply,
    Normalization,
    PReLU,
    RandomContrast,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    ReLU,
    Rescaling,
    Reshape,
    SeparableConv2D,
    Softmax,
    SpatialDropout2D,
    Subtract,
    UpSampling2D,
    ZeroPadding2D,
)
TABLE = Table("layer", {cls.__name__: cls for cls in _CLASSES})
"""Every name of a layer of Keras's, and its class."""

_FAMILY = Family(TABLE, "keras.layers", Lambda, Layer)


def serialize(layer: Layer) -> dict[str, Any] | None:
    """The description of a layer, from which :func:`deserialize` makes its like."""
    return _FAMILY.serialize(layer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer that `config` describes."""
    return _FAMILY.deserialize(config, custom_objects)


tell_absent(__name__, Layer, NOT_HERE)
