"""Keras's namespace: code written for ``tensorflow.keras`` runs with only its import lines changed.

``import thalweg as tf`` leaves ``tf.keras.layers.Dense`` as it is; ``from thalweg.keras.layers import Dense``
and ``from thalweg import keras`` work too.
"""

import sys

from thalweg import activations as activations
from thalweg import callbacks as callbacks
from thalweg import config as config
from thalweg import constraints as constraints
from thalweg import datasets as datasets
from thalweg import initializers as initializers
from thalweg import layers as layers
from thalweg import losses as losses
from thalweg import metrics as metrics
from thalweg import models as models
from thalweg import optimizers as optimizers
from thalweg import regularizers as regularizers
from thalweg import saving as saving
from thalweg import utils as utils
from thalweg.layers import Input as Input
from thalweg.models import Model as Model
from thalweg.models import Sequential as Sequential

for _module in (
    activations,
    callbacks,
    config,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    optimizers.schedules,
    regularizers,
    saving,
    utils,
):
    sys.modules[_module.__name__.replace("thalweg.", "thalweg.keras.", 1)] = _module
