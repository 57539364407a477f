"""Whether a net and rows can be probed, looked over before anything is computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thalweg import losses
from thalweg._checks import arguments, number, whole
from thalweg.data import DataError, Rows
from thalweg.diagnosis._measured import rows_of, some_of
from thalweg.diagnosis._tasks import Classes, task_of
from thalweg.diagnosis.probing._subject import Subject, pictures_of
from thalweg.diagnosis.probing._up_to_logits import up_to_logits
from thalweg.models import Model, picture_of
from thalweg.models._fit import looked_over

_HELD = 1 << 25  # numbers of all pictures together
_SAMPLE = 32  # rows by which outputs are seen to be probabilities
_APART = 4  # times as wide a range of pixels as in training is another scale
_MARGINS = (losses.Hinge, losses.SquaredHinge, losses.CategoricalHinge)


def subject_of(who: str, model: Any, data: Any, picture: Any, pixels: Any, rows: int, seed: int) -> tuple[Subject, int]:
    """Look the net and the rows over; gives also how many rows there were.

    Args:
        who: asks, for messages.
        model: compiled.
        data: ``(x, y)``.
        picture: height, width and channels; None: what the rows' shape says.
        pixels: the least and the largest value of a pixel; None: those of the rows, for bytes from 0 on.
        rows: that are asked about at most; fewer, where they are large.
        seed: of weights that were not drawn yet.

    Raises:
        TypeError: where the model is none.
        DataError: on rows that do not fit the net, hold numbers that are none, or are no pictures.
        ValueError: where the net has several inputs or outputs, or does not give probabilities of classes.

    """
    arguments(who, {"rows": rows}, {"rows": (whole(1), "a positive integer")})
    if not isinstance(model, Model):
        raise TypeError(f"{who} takes a model, got {model!r} of type {type(model).__name__}.")
    given = fitting(who, model, data, "data", seed)
    kind = _classes(who, model)
    shape = picture_shape(who, given.x[0].shape[1:], picture)
    ends = _ends(who, given.x[0], pixels)
    some = some_of(given, min(rows, max(1, _HELD // math.prod(shape))))
    subject = Subject(model, *up_to_logits(model), shape, kind, *pictures_of(some, shape, kind), ends)
    if subject.end == "probabilities":
        _chances(who, model, subject.shaped(subject.pictures[:_SAMPLE]))
    return subject, given.n


def fitting(who: str, model: Any, given: Any, what: str, seed: int) -> Rows:
    """``(x, y)`` as rows in the shape that the net takes: the same pixels may come flat, or as pictures.

    Args:
        who: asks, for messages.
        model: is built for the rows where it is not.
        given: the pair.
        what: it is called.
        seed: of weights that were not drawn yet.

    Raises:
        DataError: where they do not fit.
        ValueError: where the net takes several inputs.

    """
    rows = rows_of(model, given, what)
    if len(rows.x) != 1 or (model.built and len(model.inputs) != 1):
        raise ValueError(f"{who} is for nets with one input, the picture; got {len(rows.x)} arrays in {what}.")
    if not rows.n or not rows.y:
        raise DataError(f"{what} must hold rows and their classes, got {rows.n} rows.")
    if model.built and math.prod(rows.x[0].shape[1:]) == math.prod(model.inputs[0].features):
        rows = rows._replace(x=(rows.x[0].reshape(rows.n, *model.inputs[0].features),))
    model.ready(rows, seed)
    looked_over(model, rows, what)
    return rows


def picture_shape(who: str, features: tuple[int, ...], given: Any) -> tuple[int, int, int]:
    """Height, width and channels of rows; flat ones are squares, grey ones or in three colours.

    Raises:
        DataError: where they are no pictures, or not of the shape that is given.

    """
    size = math.prod(features)
    if given is not None:
        shape = (*given, 1)[:3] if isinstance(given, (tuple, list)) else ()
        if len(shape) != 3 or not all(map(whole(1), shape)) or math.prod(shape) != size:
            raise DataError(
                f"picture must be (height, width) or (height, width, channels) of {size:,} numbers, as rows of shape {features} "
                f"have, got {who}(picture={given!r})."
            )
        return int(shape[0]), int(shape[1]), int(shape[2])
    found = picture_of(features, flat=True)
    if found:
        return found
    raise DataError(
        f"{who} is for pictures of 8 x 8 pixels or more, got rows of shape {features}. Of flat rows that are no square picture "
        "say the shape: picture=(height, width, channels)."
    )


def _classes(who: str, model: Any) -> Classes:
    kind, features = task_of(model), model.outputs[0].features
    if not isinstance(kind, Classes) or isinstance(model.objective.losses[0], _MARGINS) or len(features) != 1:
        raise ValueError(
            f"{who} is for nets that give probabilities of classes, one class a picture; {model.name!r} was compiled with "
            f"{model.objective.losses[0].name!r} and gives rows of shape {features}. A net that is to tell classes apart ends in "
            "a softmax of one output a class, and learns by 'sparse_categorical_crossentropy'."
        )
    return kind


def _chances(who: str, model: Model, x: np.ndarray) -> None:
    """Outputs are as the loss takes them: of several, it looks at their shares of the sum."""
    out = np.asarray(model.predict(x, verbose=0), np.float64)
    if out.min() < 0 or (out.shape[-1] == 1 and out.max() > 1):
        raise ValueError(
            f"{who} is for nets that give probabilities; {model.name!r} gives numbers from {out.min():.3g} to {out.max():.3g}. "
            "Logits? Then its loss must know: "
            "thalweg.losses.SparseCategoricalCrossentropy(from_logits=True); or end the net in a softmax."
        )


def same_scale(ends: tuple[float, float], learnt: Rows) -> None:
    """Pixels that are asked about are scaled as those that were learnt from.

    Raises:
        DataError: where one range is several times as wide as the other.

    """
    low, high = _ends("probe", learnt.x[0], None)
    wide, wide_then = ends[1] - ends[0], high - low
    if max(wide, wide_then) > _APART * min(wide, wide_then):
        raise DataError(
            f"data holds pixels from {ends[0]:g} to {ends[1]:g}, train from {low:g} to {high:g}: scale both alike, as in training."
        )


def _ends(who: str, x: np.ndarray, pixels: Any) -> tuple[float, float]:
    if pixels is None:
        low, high = 0.0 if x.dtype == np.uint8 else float(x.min()), float(x.max())
    else:
        if not isinstance(pixels, (tuple, list)) or len(pixels) != 2:
            raise ValueError(f"pixels must be (least, largest), the range of a pixel, got {who}(pixels={pixels!r}).")
        low, high = (number(who, "pixels", one) for one in pixels)
        if x.min() < low or x.max() > high:
            raise DataError(f"pixels=({low:g}, {high:g}), but there are pixels from {x.min():g} to {x.max():g}.")
    if not low < high:
        raise DataError(f"All pixels are {low:g}: there is nothing to see, and no range. Give pixels=(least, largest).")
    return low, high
