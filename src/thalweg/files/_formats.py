"""Keras's three kinds of files: what is written into each, and how each is read. One table of endings.

All of them take and give the same things: a description, each layer's arrays, an optimizer's arrays, and
what only thalweg knows (``own``).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

import thalweg
from thalweg import config
from thalweg.files._atomic import write_whole
from thalweg.files._error import refuse
from thalweg.files._hdf5 import Store, Writer, is_hdf5
from thalweg.files._json import parse
from thalweg.files._open import content_of, opened, size_of
from thalweg.files._parts import Part, leaves, store_paths
from thalweg.files._zip import read_members, write_members

KERAS_VERSION = "3.15.1"  # whose formats these are
_FORMAT = 1  # of our own member; a file from the future is refused
_OWN, _CONFIG, _METADATA, _WEIGHTS = "thalweg.json", "config.json", "metadata.json", "model.weights.h5"
_LEGACY = "model_weights"
_MOST_OF_A_LAYER = 1_000  # arrays


class Content(NamedTuple):
    """A model, ready to be written.

    Attributes:
        description: of the model and what it was compiled with, in Keras's form.
        parts: its layers.
        arrays: per layer, its weights.
        optimizer: (name, array) of each variable of the optimizer, in Keras's order; () where there is none.
        own: what only thalweg knows, as plain data.

    """

    description: Mapping[str, Any]
    parts: Sequence[Part]
    arrays: Sequence[Sequence[np.ndarray]]
    optimizer: Sequence[tuple[str, np.ndarray]]
    own: Mapping[str, Any]


# -- writing ------------------------------------------------------------------------------------


def write(path: str | os.PathLike[str], content: Content) -> None:
    """Write a model as the path's ending says."""
    _WRITERS[ending(path)](path, content)


def _write_archive(path: str | os.PathLike[str], content: Content) -> None:
    members: dict[str, Any] = {
        _METADATA: json.dumps({"keras_version": KERAS_VERSION, "date_saved": ""}).encode(),
        _CONFIG: json.dumps(content.description).encode(),
        _WEIGHTS: _weights(content).content(),
    }
    digests = {name: hashlib.sha256(member).hexdigest() for name, member in members.items()}
    write_members(path, {**members, _OWN: json.dumps({**_head(content), "sha256": digests}).encode()})


def _write_weights(path: str | os.PathLike[str], content: Content) -> None:
    room = _weights(content)
    room.text("", "thalweg", json.dumps(_head(content)))
    write_whole(path, [room.content()])


def _write_legacy(path: str | os.PathLike[str], content: Content) -> None:
    room = Writer()
    room.text("", "keras_version", KERAS_VERSION)
    room.text("", "backend", "jax")
    room.text("", "thalweg", json.dumps(_head(content)))
    room.text("", "model_config", json.dumps({key: content.description[key] for key in ("class_name", "config")}))
    compiled = content.description.get("compile_config")
    if compiled:
        rest = {key: compiled.get(key) for key in ("loss", "loss_weights", "metrics", "weighted_metrics")}
        told = {key: compiled["optimizer"][key] for key in ("class_name", "config")}
        room.text("", "training_config", json.dumps({**rest, "optimizer_config": told}))
    room.texts(_LEGACY, "layer_names", [part.name for part in content.parts])
    room.text(_LEGACY, "backend", "jax")
    room.text(_LEGACY, "keras_version", KERAS_VERSION)
    for part, arrays in zip(content.parts, content.arrays, strict=True):
        names = [f"{part.name}/{part.weights[i].name}" for i in _legacy_order([part])]
        room.texts(f"{_LEGACY}/{part.name}", "weight_names", names)
        for name, i in zip(names, _legacy_order([part]), strict=True):
            room.array(f"{_LEGACY}/{part.name}/{name}", arrays[i])
    room.texts(f"{_LEGACY}/top_level_model_weights", "weight_names", [])
    if content.optimizer:
        room.texts("optimizer_weights", "weight_names", [name for name, _ in content.optimizer])
        for name, array in content.optimizer:
            room.array(f"optimizer_weights/{name}", array)
    write_whole(path, [room.content()])


def _weights(content: Content) -> Writer:
    room = Writer()
    for path, part, arrays in zip(store_paths(content.parts), leaves(content.parts), content.arrays, strict=True):
        room.text(f"{path}/vars", "name", part.name)
        for i, array in enumerate(arrays):
            room.array(f"{path}/vars/{i}", array)
    for i, (_, array) in enumerate(content.optimizer):
        room.array(f"optimizer/vars/{i}", array)
    room.group("vars")
    return room


def _head(content: Content) -> dict[str, Any]:
    return {"format": _FORMAT, "thalweg": thalweg.__version__, "own": content.own}


_WRITERS: Mapping[str, Callable[[str | os.PathLike[str], Content], None]] = {
    ".keras": _write_archive,
    ".weights.h5": _write_weights,
    ".h5": _write_legacy,
    ".hdf5": _write_legacy,
}


def ending(path: str | os.PathLike[str]) -> str:
    """Which of the known endings `path` has.

    Raises:
        ValueError: where it has none of them.

    """
    name = Path(path).name
    for one in sorted(_WRITERS, key=len, reverse=True):
        if name.endswith(one):
            return one
    raise ValueError(
        f"A model's file ends in .keras, .h5 or .weights.h5 (or .onnx, by export), got {os.fspath(path)!r}."
    )


# -- reading ------------------------------------------------------------------------------------


class ModelFile:
    """A file of a model, opened: its description first, then arrays of the shapes that its layers need.

    Attributes:
        description: in Keras's form, ``compile_config`` within; None in a file of weights alone.
        own: what only thalweg knows.
        keras: the version of Keras in whose form it was written, '' where the file does not say.

    """

    description: dict[str, Any] | None = None
    own: Mapping[str, Any]
    keras = ""

    def __init__(self, path: str | os.PathLike[str], store: Store, head: Mapping[str, Any]) -> None:
        self.path, self.store = path, store
        self.own = _own(head, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.store.close()

    def arrays(self, parts: Sequence[Part]) -> list[list[np.ndarray]]:
        """The weights of each of the layers in `parts`, nested ones in their place.

        Raises:
            FileError: where the file has other layers or arrays; it names the first one.

        """
        found = []
        places = self._places(parts)
        self._no_more_than([path for paths in places for path in paths])
        for part, paths in zip(leaves(parts), places, strict=True):
            if len(paths) != len(part.weights):
                refuse(
                    self.path,
                    f"layer {part.name!r}",
                    f"has {len(paths)} arrays in the file, this {part.kind} needs {len(part.weights)}"
                    f" ({', '.join(spec.name for spec in part.weights) or 'none'}).",
                )
            found.append([self._array(path, spec.shape) for path, spec in zip(paths, part.weights, strict=True)])
        return found

    def fitting(self, parts: Sequence[Part], by_name: bool) -> list[list[np.ndarray] | None]:
        """The weights of those layers that the file has in the same shapes, by place or by name; None for others."""
        places = self._named() if by_name else None
        found: list[list[np.ndarray] | None] = []
        listed = self._places(parts) if places is None else [places.get(part.name, []) for part in leaves(parts)]
        for part, paths in zip(leaves(parts), listed, strict=True):
            fits = [self.store.shape(path) for path in paths] == [spec.shape for spec in part.weights]
            found.append([self._array(path, None) for path in paths] if fits else None)
        return found

    def _places(self, parts: Sequence[Part]) -> list[list[str]]:
        """Per layer, where its arrays lie in the file, in the order of ``get_weights``."""
        return [self._below(where) for where in store_paths(parts)]

    def _no_more_than(self, wanted: Sequence[str]) -> None:
        """Refuse a file whose further layers have weights that nobody asks for."""
        known = {path.split("/")[1] for path in wanted}
        for name in self.store.names("layers"):
            group = f"layers/{name}"
            if name not in known and any(self.store.size(f"{group}/{inner}") for inner in ("vars", "layers")):
                refuse(self.path, f"group {group!r}", "holds weights of a layer that the net does not have.")

    def _named(self) -> dict[str, list[str]]:
        """The same by the layers' names, for those that are in no other."""
        groups = [f"layers/{name}" for name in self.store.names("layers")]
        return {self.store.text(f"{group}/vars", "name") or "": self._below(group) for group in groups}

    def _below(self, group: str) -> list[str]:
        return [f"{group}/vars/{i}" for i in range(min(self.store.size(f"{group}/vars"), _MOST_OF_A_LAYER))]

    def optimizer(self) -> list[str]:
        """Where the optimizer's variables lie, in Keras's order; nothing where the file has none."""
        return [f"optimizer/vars/{i}" for i in range(self.store.size("optimizer/vars"))]

    def optimizer_arrays(self, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
        """The optimizer's variables."""
        return [self._array(path, shape) for path, shape in zip(self.optimizer(), shapes, strict=True)]

    def holds_weights(self) -> bool:
        """Whether there are arrays of any layer."""
        return any(self._named().values())

    def _array(self, where: str, shape: tuple[int, ...] | None) -> np.ndarray:
        array = self.store.array(where, shape)
        if array.dtype.kind == "f":
            with np.errstate(over="ignore"):
                array = array.astype(config.floatx(), copy=False)
            wrong = array.size - int(np.isfinite(array).sum())
            if wrong:
                refuse(
                    self.path,
                    f"dataset {where!r}",
                    f"has {wrong:,} values that are NaN, infinite or beyond {config.floatx()}: no net can use them.",
                )
        return array


class Archive(ModelFile):
    """A .keras file: an archive of a description and of weights."""

    def __init__(self, path: str | os.PathLike[str], file: io.FileIO) -> None:
        size = size_of(file)
        members = read_members(file, path, (_OWN, _CONFIG, _METADATA, _WEIGHTS))
        head = parse(members[_OWN], path, f"member {_OWN!r}") if _OWN in members else {}
        _same_digests(members, head.get("sha256", {}), path)
        for name in (_CONFIG, _WEIGHTS):
            if name not in members:
                refuse(path, f"member {name!r}", "is missing: this is no model that Keras or thalweg wrote.")
        self.description = parse(members[_CONFIG], path, f"member {_CONFIG!r}")
        if _METADATA in members:
            self.keras = _version(parse(members[_METADATA], path, f"member {_METADATA!r}").get("keras_version"), path)
        store = Store(members.pop(_WEIGHTS), path, size, f"member {_WEIGHTS!r}")
        if store.checked and _OWN not in members:  # else a name that was changed would hide all digests
            refuse(path, f"member {_OWN!r}", "is missing, though thalweg wrote the weights. Get the file anew.")
        if _OWN in members and not store.checked:
            refuse(path, f"member {_WEIGHTS!r}", "was changed after it was written: it carries no SHA-256.")
        super().__init__(path, store, head)


class _Weights(ModelFile):
    """A .weights.h5; its layout is that of an archive's member."""

    def __init__(self, path: str | os.PathLike[str], store: Store) -> None:
        super().__init__(path, store, _told(store, path))


class _Legacy(ModelFile):
    def __init__(self, path: str | os.PathLike[str], store: Store) -> None:
        super().__init__(path, store, _told(store, path))
        self.keras = _version(store.text("", "keras_version"), path)
        self._group = _LEGACY if store.has(_LEGACY) else ""
        model = store.text("", "model_config")
        if model is not None:
            self.description = parse(model, path, "attribute 'model_config'")
            training = store.text("", "training_config")
            if training is not None:
                compiled = parse(training, path, "attribute 'training_config'")
                self.description["compile_config"] = {**compiled, "optimizer": compiled.get("optimizer_config")}

    def _places(self, parts: Sequence[Part]) -> list[list[str]]:
        """By position among the layers that have weights, as Keras reads them."""
        wanted = [part for part in parts if any(leaf.weights for leaf in leaves([part]))]
        held = [paths for _, paths in self._listed() if paths]
        if len(held) != len(wanted):
            refuse(self.path, "", f"has weights of {len(held)} layers, the net has {len(wanted)} layers with weights.")
        found: dict[int, list[str]] = {}
        for part, paths in zip(wanted, held, strict=True):
            found.update(self._of_layer(part, paths))
        return [found.get(id(leaf), []) for leaf in leaves(parts)]

    def _no_more_than(self, wanted: Sequence[str]) -> None:
        """By number of layers: :meth:`_places` has said so."""

    def _named(self) -> dict[str, list[str]]:
        return dict(self._listed())

    def _listed(self) -> list[tuple[str, list[str]]]:
        names = self.store.texts(self._group, "layer_names")
        folder = f"{self._group}/" if self._group else ""
        return [
            (name, [f"{folder}{name}/{path}" for path in self.store.texts(f"{folder}{name}", "weight_names")])
            for name in names
        ]

    def _of_layer(self, part: Part, paths: list[str]) -> dict[int, list[str]]:
        inner = list(leaves([part]))
        slots = [(id(leaf), i) for leaf in inner for i in range(len(leaf.weights))]
        order = _legacy_order(inner)
        if len(order) != len(paths):
            refuse(
                self.path, f"layer {part.name!r}", f"has {len(paths)} arrays in the file, the net needs {len(order)}."
            )
        found: dict[int, list[str]] = {id(leaf): [""] * len(leaf.weights) for leaf in inner}
        for place, path in zip(order, paths, strict=True):
            leaf, i = slots[place]
            found[leaf][i] = path
        return found

    def optimizer(self) -> list[str]:
        """By the names that the file lists."""
        return [f"optimizer_weights/{name}" for name in self.store.texts("optimizer_weights", "weight_names")]


def _legacy_order(parts: Sequence[Part]) -> list[int]:
    """Numbers of the weights of `parts`: those that are trained first, as old files have them."""
    specs = [spec for part in parts for spec in part.weights]
    return sorted(range(len(specs)), key=lambda i: not specs[i].trainable)


def open_model(path: str | os.PathLike[str]) -> ModelFile:
    """Open a file of any of the kinds, told apart by what is in it.

    Raises:
        FileError: naming the member or dataset that is at fault.
        FileNotFoundError: where there is no such file.

    """
    with opened(path) as file:
        if file.read(2) == b"PK" or (not is_hdf5(file) and zipfile.is_zipfile(file)):  # bytes may stand before it
            return Archive(path, file)
        if not is_hdf5(file):  # and is not read as a whole
            refuse(path, "", "is no zip archive and no HDF5 file: it may be cut short, or of another kind.")
        store = Store(content_of(file, path), path, size_of(file))
    whole = store.has(_LEGACY) or store.text("", "model_config") is not None or bool(store.texts("", "layer_names"))
    return _Legacy(path, store) if whole else _Weights(path, store)


def _told(store: Store, path: Any) -> dict[str, Any]:
    told = store.text("", "thalweg")
    return {} if told is None else parse(told, path, "attribute 'thalweg'")


def _own(head: Mapping[str, Any], path: Any) -> Mapping[str, Any]:
    number = head.get("format", _FORMAT)
    if not isinstance(number, int) or number > _FORMAT:
        refuse(
            path,
            "",
            f"was written by thalweg {head.get('thalweg')} in format {number}; this is thalweg {thalweg.__version__}, "
            f"which reads up to format {_FORMAT}. Update thalweg.",
        )
    own = head.get("own", {})
    if not isinstance(own, dict):
        refuse(path, "thalweg's own entries", f"must be an object, got {type(own).__name__}.")
    for name, (fits, wanted) in _OWN_ENTRIES.items():
        if own.get(name) is not None and not fits(own[name]):
            refuse(path, f"thalweg's own entry {name!r}", f"must be {wanted}, got {str(own[name])[:100]}.")
    return own


def _is_list_of(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(one, kinds) for one in value)


_OWN_ENTRIES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "steps_taken": (lambda value: type(value) is int and 0 <= value < 2**32, "a number of steps"),
    "class_names": (_is_list_of(str, int, float), "a list of names"),
    "preprocessing": (lambda value: isinstance(value, dict), "an object"),
    "learning_rate_scale": (lambda value: type(value) in (int, float) and 0 <= value < 1e30, "a number of at least 0"),
    "excluded_from_weight_decay": (_is_list_of(str), "a list of names"),
}


def _version(told: Any, path: Any) -> str:
    """The version of Keras that a file names; one from a future that nobody knows is refused."""
    if told is not None and not isinstance(told, str):
        refuse(path, "keras_version", f"must be text, got {type(told).__name__}.")
    text = told or ""
    first = text.partition(".")[0]
    if first.isdigit() and int(first) > int(KERAS_VERSION.partition(".")[0]):
        refuse(path, "keras_version", f"is {text}; formats up to Keras {KERAS_VERSION} are known. Update thalweg.")
    return text


def _same_digests(members: Mapping[str, bytes], digests: Any, path: Any) -> None:
    if not isinstance(digests, dict):
        refuse(path, f"member {_OWN!r}", "must hold the digests of the others as an object.")
    for name, told in digests.items():
        if name not in members or hashlib.sha256(members[name]).hexdigest() != told:
            refuse(path, f"member {name!r}", "was changed after it was written: its SHA-256 does not match.")
