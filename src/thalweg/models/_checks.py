"""What is looked at before a fit: arguments, the rows' shapes and labels, rows that leak between splits."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import constraints, data, layers, losses, optimizers, regularizers
from thalweg._checks import Bounds, arguments, whole
from thalweg.data import DataError, DataWarning, Rows
from thalweg.network import Used

if TYPE_CHECKING:
    from thalweg.models._model import Model
    from thalweg.network import Network

_WEIGHT_TABLES = {"regularizer": regularizers.TABLE, "constraint": constraints.TABLE}

_KINDS = {
    losses.SparseCategoricalCrossentropy: "sparse",
    losses.CategoricalCrossentropy: "categorical",
    losses.CategoricalFocalCrossentropy: "categorical",
    losses.BinaryCrossentropy: "binary",
    losses.BinaryFocalCrossentropy: "binary",
}


def _fraction(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and 0 <= float(value) < 1


def _frequency(value: Any) -> bool:
    epochs = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    return all(whole(1)(one) for one in epochs)


_ARGUMENTS: dict[str, Bounds] = {
    "batch_size": (whole(1), "a positive integer"),
    "epochs": (whole(0), "a non-negative integer"),
    "initial_epoch": (whole(0), "a non-negative integer"),
    "steps_per_epoch": (whole(1), "a positive integer"),
    "validation_steps": (whole(1), "a positive integer"),
    "validation_batch_size": (whole(1), "a positive integer"),
    "validation_split": (_fraction, "a fraction in [0, 1)"),
    "validation_freq": (_frequency, "a positive integer, or a list of epochs counted from 1"),
    "max_queue_size": (whole(1), "a positive integer"),
    "workers": (whole(0), "a non-negative integer"),
    "verbose": (lambda value: value in ("auto", 0, 1, 2), "'auto', 0, 1 or 2"),
}


def fit_arguments(asked: dict[str, Any]) -> None:
    """Raise ValueError on the first argument that is out of range."""
    arguments("fit", {name: value for name, value in asked.items() if value is not None}, _ARGUMENTS)
    if asked["epochs"] is None:
        raise ValueError("epochs must be a non-negative integer, got fit(epochs=None).")


def with_class_weight(source: Any, class_weight: Any) -> Any:
    """The rows with the weights of their classes."""
    if not isinstance(source, Rows):
        raise DataError("class_weight goes with arrays; a source of batches gives (x, y, sample_weight) instead.")
    if len(source.y) != 1:
        raise DataError(f"class_weight is for models with one output, got targets for {len(source.y)}.")
    given = source.weight[0] if source.weight else None
    return source._replace(weight=(data.class_weights_to_rows(source.y[0], class_weight, given),))


def shapes(model: Model, first: Rows) -> None:
    """Whether the inputs and targets have the widths that the net has."""
    if len(first.x) != len(model.inputs):
        raise DataError(
            f"{model.name!r} has {len(model.inputs)} inputs ({', '.join(model.input_labels)}), "
            f"got {len(first.x)} arrays in x."
        )
    for array, symbol, name in zip(first.x, model.inputs, model.input_labels, strict=True):
        if array.shape[1:] != symbol.features:
            raise DataError(
                f"Input {name!r} expects rows of shape {symbol.features}, got {array.shape[1:]} "
                f"(x has shape {array.shape})." + _reshape_hint(array.shape, symbol.features)
            )
    if first.y and len(first.y) != len(model.outputs):
        raise DataError(
            f"{model.name!r} has {len(model.outputs)} outputs ({', '.join(model.output_names)}), "
            f"got {len(first.y)} arrays in y."
        )
    if model.objective is None or not first.y:
        return
    for label, symbol, name, loss in zip(
        first.y, model.outputs, model.output_names, model.objective.losses, strict=True
    ):
        if loss is not None:
            _target(name, label.shape, symbol.features, loss)


def _target(name: str, shape: tuple[int, ...], features: tuple[int, ...], loss: Any) -> None:
    kind, rows, hint = _KINDS.get(type(loss)), shape[1:], ""
    if _fits(kind, rows, features) or isinstance(loss, losses.FunctionLoss):
        return
    wanted = f"rows of shape {features}"
    if kind == "sparse":
        wanted = f"class numbers of shape {features[:-1]}" if features[:-1] else "one class number a row"
    if len(features) > 1 and _fits(kind, rows, features[-1:]):
        hint = (
            f" The net gives {features[-1]} numbers for each of {int(np.prod(features[:-1]))} places of a row: for one answer a row "
            "put a Flatten layer before its Dense layers (or a global pooling layer)."
        )
    elif kind == "sparse" and rows == features:
        hint = " One-hot rows go with 'categorical_crossentropy'."
    elif kind == "categorical" and rows in ((), (1,)):
        hint = (
            " Class numbers go with 'sparse_categorical_crossentropy', or make one-hot rows: utils.to_categorical(y)."
        )
    raise DataError(
        f"Output {name!r} with the loss {loss.name!r} expects {wanted} in y, got rows of shape {rows} "
        f"(y has shape {shape}).{hint}"
    )


def _fits(kind: str | None, rows: tuple[int, ...], features: tuple[int, ...]) -> bool:
    """Whether targets of that shape belong to outputs of such features."""
    if kind == "sparse":
        return rows in (features[:-1], (*features[:-1], 1))
    return rows == features or (features == (1,) and rows == ())


def _reshape_hint(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if shape == wanted:
        return " That is one row: x[None] gives it the axis of rows."
    came = shape[1:]
    if int(np.prod(came)) != int(np.prod(wanted)):
        return ""
    if len(came) == len(wanted) > 1 and came[0] != 1 and (*came[1:], came[0]) == wanted:
        return " Its channels come first: np.moveaxis(x, 1, -1) brings them last. (Reshaping would mix the pixels up.)"
    flat = " or a Flatten layer first" if len(wanted) == 1 else ""
    return f" The sizes agree: x.reshape(-1, {', '.join(map(str, wanted))}){flat} would fit."


def names(model: Model) -> dict[str, Any]:
    """The names by which dicts of inputs and outputs are read, once they are known."""
    return {"inputs": model.input_labels, "outputs": model.output_names} if model.built else {}


def rows(model: Model, source: Rows, what: str) -> None:
    """Look the rows over: the net's shapes, finite inputs, weights and targets, labels within the classes."""
    shapes(model, source)
    data.check_rows(source, what=what)
    if what.startswith("predict"):
        return
    if not source.y:
        raise DataError(f"{what} needs targets: pass y, or batches of (x, y).")
    if model.objective is None:
        return
    for label, symbol, loss in zip(source.y, model.outputs, model.objective.losses, strict=True):
        kind = _KINDS.get(type(loss))
        if kind is not None:
            ignored = getattr(loss, "ignore_class", None)
            data.check_labels(label, symbol.features[-1], kind, what, ignored)


def one_class(model: Model, train: Rows) -> None:
    """Warn of training rows that are all of one class."""
    if model.objective is None or train.n < 2:
        return
    for label, loss in zip(train.y, model.objective.losses, strict=True):
        kind = _KINDS.get(type(loss))
        found = data.only_class(label, kind) if kind else None
        if found is not None:
            warnings.warn(
                f"fit: all {train.n} rows are of class {found:g}: there is nothing to tell apart.",
                DataWarning,
                stacklevel=2,
            )


def may_be_padded(network: Network, optimizer: Any, masks: Sequence[Sequence[Any]]) -> None:
    """Raise where sleeping units would reach something that is not known to leave them asleep.

    Args:
        network: that of all members.
        optimizer: likewise, or None.
        masks: per member and layer, 1.0 for the units in use, or None.

    """
    units = tuple(None if parts[0] is None else np.min(parts, axis=0) for parts in zip(*masks, strict=True))
    tensors = replace(network, blocks=()).awake(Used(units)).tensors
    asleep = [bool((np.asarray(tensor) == 0).any()) for tensor in tensors]
    members = [("optimizer", one, optimizers.TABLE) for one in getattr(optimizer, "alternatives", [optimizer])]
    for number, node in enumerate(network.nodes, start=len(network.inputs)):
        if asleep[number] or any(asleep[i] for i in node.inputs):
            layer = network.layers[node.layer]
            if layer.looks_around and not _alike_at_all_places(tensors[node.inputs[0]]):
                raise ValueError(
                    f"The members' widths differ, and layer {layer.name!r} ({type(layer).__name__}) is fed images whose sizes "
                    "differ with them: only channels can be padded. Give all members the same widths before it."
                )
            members.append((f"layer {layer.name!r}", layer, layers.TABLE))
            for part in layer.HYPERS:
                table = _WEIGHT_TABLES.get(part.rpartition("_")[2])
                if table is not None and getattr(layer, part, None) is not None:
                    members.append((f"{part} of layer {layer.name!r}", getattr(layer, part), table))
    for what, member, table in members:
        if member is not None and not getattr(member, "pads", type(member) in table.values()):
            own = type(member) in table.values()
            why = (
                "does not leave padding alone" if own else "may not leave padding alone, as it is none of thalweg's own"
            )
            raise ValueError(
                "The members' widths or layers differ, so what some of them lack is padded; the "
                f"{what} ({type(member).__name__}) {why}. Give all members the same layers of the same widths."
            )


def _alike_at_all_places(mask: Any) -> bool:
    """Whether channels are in use at all places of an image, or at none."""
    each = np.asarray(mask).reshape(-1, np.shape(mask)[-1])
    return bool((each == each[0]).all())


def between(train: Rows, validation: Rows) -> None:
    """Warn of training rows that stand again in validation, and of class mixes far apart."""
    if len(train.x) == 1:
        leak = data.leak(train.x[0], validation.x[0])
        if leak is not None:
            warnings.warn(
                f"{leak.count} of {validation.n} validation rows ({leak.fraction:.1%}) stand in the training rows too: "
                "the validation score is leaked, it looks better than it is. Remove the repeats before splitting.",
                DataWarning,
                stacklevel=2,
            )
    if len(train.y) == 1 and data.mix_is_far(train.y[0], validation.y[0]):
        warnings.warn(
            "The classes of the validation rows are mixed very differently from those of the training rows: the data look "
            "sorted. Shuffle the rows before validation_split, which takes the last ones.",
            DataWarning,
            stacklevel=2,
        )


def per_row(model: Model, first: Rows) -> bool:
    """Whether every loss and metric gives one value a row, so that padding rows can be masked."""
    assert model.objective is not None and model.watch is not None
    for i, symbol in enumerate(model.outputs):
        out = jax.ShapeDtypeStruct((7, *symbol.features), jnp.float32)
        if i >= len(first.y):
            continue
        label = jax.ShapeDtypeStruct(
            (7, *first.y[i].shape[1:]), jnp.float32 if first.y[i].dtype.kind == "f" else jnp.int32
        )
        members = [model.objective.losses[i], *model.watch.metrics[i], *model.watch.weighted[i]]
        if not all(member is None or member.per_row(label, out) for member in members):
            return False
    return True
