"""Saving and loading: a model's description and arrays, into files and back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg import config, files, optimizers
from thalweg.files import Content, FileError, ModelFile, Part, refuse
from thalweg.layers import Layer
from thalweg.models._describe import Reader, describe, part_of

if TYPE_CHECKING:
    from thalweg.models._model import Model

_WEIGHTS = ".weights.h5"


class FileWarning(UserWarning):
    """A file that was read or written, but not everything as it was."""


def save(model: Model, path: str | os.PathLike[str], overwrite: bool = True, include_optimizer: bool = True) -> None:
    """See ``Model.save``."""
    ending = files.ending(path)
    if ending == _WEIGHTS:
        raise ValueError(
            f"A whole model's file ends in .keras or .h5, got {os.fspath(path)!r}: save_weights writes that one."
        )
    _may_write(path, overwrite)
    _write(model, path, include_optimizer)


def save_weights(model: Model, path: str | os.PathLike[str], overwrite: bool = True) -> None:
    """See ``Model.save_weights``."""
    if files.ending(path) != _WEIGHTS:
        raise ValueError(f"A file of weights ends in .weights.h5, got {os.fspath(path)!r}.")
    _may_write(path, overwrite)
    _write(model, path, include_optimizer=True)


def _may_write(path: str | os.PathLike[str], overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{os.fspath(path)} is there already: give another path, or overwrite=True.")


def _write(model: Model, path: str | os.PathLike[str], include_optimizer: bool) -> None:
    model.draw()
    listed = stored_layers(model)
    variables = _optimizer_arrays(model) if include_optimizer else []
    description = describe(model)
    if not include_optimizer:
        description["compile_config"] = None
    files.write(
        path,
        Content(
            description,
            [part_of(layer) for layer in listed],
            [[variable.numpy() for variable in layer.variables] for layer in listed],
            variables,
            _own(model, include_optimizer),
        ),
    )


def stored_layers(model: Model) -> list[Layer]:
    """The layers as a file lists them: its inputs first."""
    inputs = [symbol.layer for symbol in model.inputs]
    return [*inputs, *model.network.layers]


def _own(model: Model, include_optimizer: bool) -> dict[str, Any]:
    """What only thalweg knows of a model, as plain data."""
    found: dict[str, Any] = {
        "steps_taken": int(model.steps_taken),
        "class_names": model.class_names,
        "preprocessing": model.preprocessing,
    }
    if include_optimizer and model.optimizer is not None:
        found["optimizer"] = optimizers.serialize(model.optimizer)
        found["learning_rate_scale"] = model.hypers.get("optimizer/learning_rate/scale")
        excluded = model.optimizer.excludes
        if excluded is not None:
            paths = [f"{layer.name}/{v.name}" for layer in model.layers for v in layer.variables]
            found["excluded_from_weight_decay"] = [path for path in paths if excluded(path)]
            warnings.warn(
                "exclude_from_weight_decay has no place in Keras's files: thalweg keeps it when it loads this one, Keras "
                "would decay all weights.",
                FileWarning,
                stacklevel=5,
            )
    return found


def _optimizer_arrays(model: Model) -> list[tuple[str, np.ndarray]]:
    """The optimizer's variables in Keras's order, which wants them of one that has done no step too."""
    if model.optimizer is None or isinstance(model.optimizer, optimizers.OptaxOptimizer):
        return []
    state = model.optimizer_state
    state = _untouched(model) if state is None else state
    entries = files.layout(model.optimizer, _weight_names(model), state)
    arrays = files.values(model.optimizer, entries, state)
    title = model.optimizer.name
    return [(f"{title}/{entry.name}", array) for entry, array in zip(entries, arrays, strict=True)]


def _weight_names(model: Model) -> list[str]:
    network = model.network
    return [f"{network.layers[place.layer].name}_{place.weight.name}" for place in network.trainable]


def save_model(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True, **options: Any) -> None:
    """Keras's function for ``model.save(filepath)``."""
    model.save(filepath, overwrite=overwrite, **options)


def export(model: Model, path: str | os.PathLike[str], kind: str) -> None:
    """See ``Model.export``."""
    if kind != "onnx" or not os.fspath(path).endswith(".onnx"):
        raise ValueError(
            f"export writes ONNX, to a path ending in .onnx, got export({os.fspath(path)!r}, format={kind!r})."
        )
    model.draw()
    weights = [{v.name: v.numpy() for v in layer.variables} for layer in model.network.layers]
    names = model.input_labels, model.output_names
    files.write_whole(
        path, [files.to_onnx(model.network, weights, name=model.name, input_names=names[0], output_names=names[1])]
    )


# -- loading ------------------------------------------------------------------------------------


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002
    safe_mode: bool = True,
) -> Any:
    """The model in a ``.keras`` or ``.h5`` file, as thalweg or Keras wrote it.

    The file is looked over before anything is built: no code in it is run, nothing outside it is read or
    written, and no more memory is taken than the file can account for. Layers, functions and optimizers are
    looked up by name in thalweg's own tables and in `custom_objects` alone.

    Args:
        filepath: the file; what it is shows from its content.
        custom_objects: name -> class or function, for what the file names and thalweg does not have.
        compile: whether to compile it as it was, with the optimizer's state.
        safe_mode: taken for Keras's sake. It must be True: there is no way to run code from a file.

    Returns:
        A Sequential or a Model.

    Raises:
        thalweg.models.FileError: on a file that is damaged, hostile, from the future, or names what is not
            known; it names the file and the part of it.
        ValueError: where `safe_mode` is switched off.

    Example:
        >>> import tempfile, thalweg
        >>> model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f'{folder}/net.keras')
        ...     again = thalweg.models.load_model(f'{folder}/net.keras')
        >>> again.count_params()
        3

    """
    if not safe_mode:
        raise ValueError(
            "safe_mode=False would run code from the file, which thalweg never does. Hand functions and classes over in "
            "custom_objects instead."
        )
    with files.open_model(filepath) as file:
        if file.description is None:
            refuse(filepath, "", "holds weights alone: build the model, then model.load_weights(path).")
        reader = Reader(filepath, custom_objects)
        model, parts = reader.model(file.description)
        own = file.own
        told = file.description.get("compile_config")
        if compile and told:
            if isinstance(told, Mapping):
                told = {**told, "optimizer": own.get("optimizer") or told.get("optimizer")}
            reader.compile(model, told)
        if model.built:
            _fill(model, file, parts)
        elif file.holds_weights():
            refuse(filepath, "build_input_shape", "is missing or no shape, but there are weights of layers.")
        _take_own(model, own, filepath)
    for words, whose in reader.notes.items():
        warnings.warn(f"{os.fspath(filepath)}: {whose} {words}", FileWarning, stacklevel=2)
    return model


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model, without weights, that ``model.to_json()`` described.

    Args:
        json_string: the description, thalweg's or Keras's.
        custom_objects: name -> class or function, for what it names and thalweg does not have.

    Raises:
        thalweg.models.FileError: on a description that is none, or names what is not known.

    Example:
        >>> import thalweg
        >>> model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1, name='out')])
        >>> thalweg.models.model_from_json(model.to_json()).layers[0].name
        'out'

    """
    told = files.parse(json_string, "the JSON", "")
    reader = Reader("the JSON", custom_objects)
    model, _ = reader.model(told)
    if told.get("compile_config"):
        reader.compile(model, told["compile_config"])
    return model


def load_weights(model: Model, path: str | os.PathLike[str], skip_mismatch: bool, by_name: bool) -> None:
    """See ``Model.load_weights``."""
    mine = [part_of(layer) for layer in stored_layers(model)]
    with files.open_model(path) as file:
        if by_name or skip_mismatch:
            _fill_some(file, mine, by_name)
            return
        _fill(model, file, _as_nested(model, file, mine))
        model.steps_taken = np.uint32(file.own.get("steps_taken", model.steps_taken))


def _as_nested(model: Model, file: ModelFile, mine: list[Part]) -> Sequence[Part]:
    """The parts as they are nested in a file that says so; models used as layers are taken apart here.

    What the file describes is built anew: layers that stand in the same place of both nets belong together.
    """
    if file.description is None:
        return mine
    try:
        other, theirs = Reader(file.path).model(file.description)
    except FileError:  # of layers that nobody handed over: then none of them was a model
        return mine
    held = [[layer for layer in one.network.layers if layer.variables] for one in (other, model) if one.built]
    if len(held) < 2 or len(held[0]) != len(held[1]):
        return mine  # which says what is missing
    partners = {id(layer): own for layer, own in zip(*held, strict=True)}

    def owned(parts: Sequence[Part]) -> tuple[Part, ...]:
        return tuple(
            part._replace(parts=owned(part.parts))
            if part.parts is not None
            else part_of(partners[id(part.owner)])._replace(kind=part.kind)
            if part.weights
            else part
            for part in parts
        )

    return owned(theirs)


def _fill(model: Model, file: ModelFile, parts: Sequence[Part]) -> None:
    """Put a file's arrays into the model; all are read before any is put in its place."""
    arrays = file.arrays(parts)
    state = _state_of(model, file, parts)
    for part, held in zip(files.leaves(parts), arrays, strict=True):
        part.owner.set_weights(held)
    if state is not None:
        model.optimizer_state = state
        model.optimizer.iterations = int(state.iterations)


def _state_of(model: Model, file: ModelFile, parts: Sequence[Part]) -> Any:
    """The optimizer's state from a file, or None where it has none, or only the count of an unused one."""
    found = file.optimizer()
    optimizer = model.optimizer
    if optimizer is None or isinstance(optimizer, optimizers.OptaxOptimizer) or not found:
        return None
    order = _order_in_file(model, parts)
    state = _untouched(model).over_params(lambda each: tuple(each[i] for i in order))
    names = _weight_names(model)
    entries = files.layout(optimizer, [names[i] for i in order], state)
    if len(found) < len(entries):
        entries = entries[: len(found)]
        if len(found) > 2:  # else Keras's optimizer had counted, but not been used yet
            entries = []
    if not entries or len(found) > len(entries):
        warnings.warn(
            f"{os.fspath(file.path)} has {len(found)} variables of an optimizer, which are not those of "
            f"{type(optimizer).__name__} here: its state was not taken over, the optimizer starts anew.",
            FileWarning,
            stacklevel=4,
        )
        return None
    filled = files.filled(state, entries, file.optimizer_arrays([entry.shape for entry in entries]))
    back = np.argsort(order)
    return filled.over_params(lambda each: tuple(each[i] for i in back))


def _order_in_file(model: Model, parts: Sequence[Part]) -> list[int]:
    """For each trained weight in the file's order, its number in the model's."""
    network = model.network
    mine = {(id(network.layers[p.layer]), p.weight.name): i for i, p in enumerate(network.trainable)}
    pairs = [(id(part.owner), spec.name) for part in files.leaves(parts) for spec in part.weights]
    return [mine[pair] for pair in pairs if pair in mine]


def _untouched(model: Model) -> Any:
    """The optimizer's state before the first step."""
    return model.optimizer.init(tuple(_Like(place.weight.shape) for place in model.network.trainable))


class _Like:
    """What an optimizer looks at of a weight to make its slots: no numbers are needed."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.dtype = shape, np.dtype(config.floatx())


def _fill_some(file: ModelFile, mine: Sequence[Part], by_name: bool) -> None:
    """Layers whose arrays fit; the others are left as they are, with a word."""
    left = []
    for part, arrays in zip(files.leaves(mine), file.fitting(mine, by_name), strict=True):
        if arrays is not None:
            part.owner.set_weights(arrays)
        elif part.weights:
            left.append(part.name)
    if left:
        warnings.warn(
            f"{os.fspath(file.path)} has no weights that fit the layers {', '.join(left)}: they stay as they are.",
            FileWarning,
            stacklevel=4,
        )


def _take_own(model: Model, own: Mapping[str, Any], path: Any) -> None:
    """What only thalweg knows."""
    model.steps_taken = np.uint32(own.get("steps_taken", 0))
    model.class_names, model.preprocessing = own.get("class_names"), own.get("preprocessing")
    excluded = own.get("excluded_from_weight_decay")
    if excluded is not None and model.optimizer is not None:
        model.optimizer.exclude_from_weight_decay(excluded)
    scale = own.get("learning_rate_scale")
    if scale is not None and model.optimizer is not None:
        try:
            model.hypers["optimizer/learning_rate/scale"] = scale
        except (KeyError, ValueError) as error:
            refuse(path, "thalweg's own entry 'learning_rate_scale'", f"has no place: {error}", error)
