"""What people type on the first day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._registered import custom_object_scope as custom_object_scope
from thalweg._registered import get_custom_objects as get_custom_objects
from thalweg._registered import register_keras_serializable as register_keras_serializable
from thalweg._seeds import set_random_seed as set_random_seed
from thalweg.data import PyDataset as PyDataset
from thalweg.data import Sequence as Sequence

if TYPE_CHECKING:
    from thalweg.models import Model


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows from class numbers.

    Args:
        x: integers in [0, num_classes), of any shape; a last axis of length 1 is dropped.
        num_classes: the largest number + 1 where None.

    Returns:
        float32, ``[*x.shape, num_classes]``.

    Raises:
        ValueError: on a number that is fractional or outside the classes.

    Example:
        >>> import thalweg
        >>> thalweg.utils.to_categorical([0, 2], num_classes=3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)

    """
    given = np.asarray(x)
    classes = given.astype(np.int64)
    if given.size and not np.array_equal(classes, given):
        raise ValueError(f"to_categorical needs whole numbers, got {given[classes != given].flat[0]!r}.")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    count = int(num_classes) if num_classes else (int(classes.max()) + 1 if classes.size else 0)
    if classes.size and (classes.min() < 0 or classes.max() >= count):
        wrong = classes.min() if classes.min() < 0 else classes.max()
        raise ValueError(f"Classes must be in [0, {count}), got {wrong}.")
    return np.eye(count, dtype=np.float32)[classes]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """`x` with vectors along `axis` scaled to norm 1; zero vectors stay zero.

    Example:
        >>> import thalweg
        >>> thalweg.utils.normalize([[3.0, 4.0]])
        array([[0.6, 0.8]])

    """
    array = np.asarray(x, dtype=float)
    norms = np.linalg.norm(array, ord=order, axis=axis, keepdims=True)
    return array / np.where(norms == 0, 1, norms)


def plot_model(
    model: Model,
    to_file: str | Path = "model.png",
    show_shapes: bool = True,
    show_layer_names: bool = True,
    dpi: int = 150,
    **ignored: Any,
) -> Path:
    """Draw a model's graph into a picture file; graphviz is not needed.

    Args:
        model: a built model.
        to_file: the picture; its ending says the format (png, svg, pdf).
        show_shapes: write the output shapes and parameter counts into the boxes.
        show_layer_names: write the layers' names into the boxes.
        dpi: dots an inch.
        ignored: further arguments of Keras's function, which steer graphviz.

    Returns:
        The path of the file.

    Raises:
        ImportError: where matplotlib is missing; it is in the extra ``plots``.

    """
    from thalweg._model_plot import draw

    return draw(model, Path(to_file), show_shapes, show_layer_names, dpi)
