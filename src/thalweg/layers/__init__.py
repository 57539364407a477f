"""Layers: what a net is made of. One table of names, Keras's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg._family import Family
from thalweg._names import Table
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
from thalweg.layers._augmentation import RandomFlip as RandomFlip
from thalweg.layers._augmentation import RandomRotation as RandomRotation
from thalweg.layers._augmentation import RandomTranslation as RandomTranslation
from thalweg.layers._augmentation import RandomZoom as RandomZoom
from thalweg.layers._base import Layer as Layer
from thalweg.layers._base import mask_rows as mask_rows
from thalweg.layers._context import Context as Context
from thalweg.layers._context import layer_key as layer_key
from thalweg.layers._dense import Dense as Dense
from thalweg.layers._dropout import Dropout as Dropout
from thalweg.layers._dropout import GaussianNoise as GaussianNoise
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
from thalweg.layers._periodic_embedding import PeriodicEmbedding as PeriodicEmbedding
from thalweg.layers._shape import Flatten as Flatten
from thalweg.layers._shape import Reshape as Reshape
from thalweg.layers._symbol import Symbol as Symbol
from thalweg.layers._variable import Variable as Variable
from thalweg.layers._variable import Weight as Weight

_CLASSES: tuple[type[Layer], ...] = (
    Activation,
    ActivityRegularization,
    Add,
    Average,
    BatchNormalization,
    Concatenate,
    Dense,
    Dropout,
    ELU,
    Embedding,
    Flatten,
    GaussianNoise,
    Identity,
    InputLayer,
    Lambda,
    LayerNormalization,
    LeakyReLU,
    Maximum,
    Minimum,
    Multiply,
    Normalization,
    PReLU,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    ReLU,
    Rescaling,
    Reshape,
    Softmax,
    Subtract,
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
