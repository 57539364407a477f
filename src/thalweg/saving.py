"""Keras's names for saving, loading, and naming one's own classes and functions in files."""

from thalweg._registered import custom_object_scope as custom_object_scope
from thalweg._registered import get_custom_objects as get_custom_objects
from thalweg._registered import get_registered_name as get_registered_name
from thalweg._registered import get_registered_object as get_registered_object
from thalweg._registered import register_keras_serializable as register_keras_serializable
from thalweg.models import load_model as load_model
from thalweg.models import save_model as save_model

CustomObjectScope = custom_object_scope
