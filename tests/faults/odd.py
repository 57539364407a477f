"""Files that no library here would write, and that are valid nevertheless."""

import json
import zipfile

import h5py
import hostile_hdf5
import numpy as np
from hostile_seal import repacked

NUMBERS = np.arange(12).reshape(3, 4)


def deflated(path, given):
    repacked(path, given.stack, how=zipfile.ZIP_DEFLATED)


def zeros_deflated(path, given):
    """Much smaller than what is in it, as a net that is not trained is."""
    padded = {**given.stack, "assets/zeros.bin": bytes(20 << 20)}
    repacked(path, padded, how=zipfile.ZIP_DEFLATED)


def commented(path, given):
    repacked(path, given.stack)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"from a friend " * 100


def more_members(path, given):
    repacked(path, {**given.stack, "assets/": b"", "assets/words.txt": b"a b c", "__MACOSX/._config.json": b"x"})


def prefixed(path, given):
    repacked(path, given.stack)
    path.write_bytes(b"#!/bin/sh\nexit 1\n" + path.read_bytes())


def as_keras_writes(path, given):
    """No digests, and no word of thalweg."""
    weights = given.folder / "plain_inside.h5"
    hostile_hdf5.plain(weights).close()
    members = {"config.json": given.stack["config.json"], "metadata.json": given.stack["metadata.json"]}
    repacked(path, {**members, "model.weights.h5": weights.read_bytes()})


def no_metadata(path, given):
    as_keras_writes(path, given)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "metadata.json"}
    repacked(path, members)


def names_like_paths(path, given):
    """Names are names: nothing is opened by them."""
    as_keras_writes(path, given)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    description = json.loads(members["config.json"])
    names = ["../../etc/passwd", "https://example.org/x", ".."]
    for layer, name in zip(description["config"]["layers"][1:], names, strict=True):
        layer["config"]["name"] = name
    repacked(path, {**members, "config.json": json.dumps(description).encode()})


ARCHIVES = {
    "deflated": deflated,
    "zeros_deflated": zeros_deflated,
    "commented": commented,
    "more_members": more_members,
    "prefixed": prefixed,
    "as_keras_writes": as_keras_writes,
    "no_metadata": no_metadata,
    "names_like_paths": names_like_paths,
}


def kernel(**how):
    return hostile_hdf5.weights(lambda file: file.create_dataset(hostile_hdf5.KERNEL, **how))


def packed(path, given):
    options = {"chunks": (2, 3), "compression": "gzip", "shuffle": True, "fletcher32": True}
    kernel(data=NUMBERS.astype("f4"), **options)(path, given)


WEIGHTS = {
    "packed": packed,
    "checksums": kernel(data=NUMBERS.astype("f4"), chunks=(3, 4), fletcher32=True),
    "growing": kernel(data=NUMBERS.astype("f4"), maxshape=(None, None), chunks=(8, 8)),
    "float64": kernel(data=NUMBERS.astype("f8")),
    "float16": kernel(data=NUMBERS.astype("f2")),
    "big_endian": kernel(data=NUMBERS.astype(">f4")),
    "int8": kernel(data=NUMBERS.astype("i1")),
    "uint64": kernel(data=NUMBERS.astype("u8")),
}


def numbered_pieces(file):
    """Names in pieces, as Keras writes very many of them."""
    group = file["model_weights"]
    del group.attrs["layer_names"]
    group.attrs["layer_names0"] = np.array([b"first"])
    group.attrs["layer_names1"] = np.array([b"drop", b"last"])


def texts_of_any_length(file):
    group = file["model_weights"]
    del group.attrs["layer_names"]
    group.attrs["layer_names"] = ["first", "drop", "last"]


LEGACY = {
    "plain": hostile_hdf5.legacy(lambda file: None),
    "numbered_pieces": hostile_hdf5.legacy(numbered_pieces),
    "texts_of_any_length": hostile_hdf5.legacy(texts_of_any_length),
    "no_version": hostile_hdf5.legacy(lambda file: None, keras_version=None),
    "front": lambda path, given: front(path, given),
}


def front(path, given):
    """Room in front of the signature, which is the writer's."""
    hostile_hdf5.legacy(lambda file: None)(path, given)
    with h5py.File(path) as source, h5py.File(path.with_suffix(".front"), "w", userblock_size=1024) as target:
        for name in source:
            source.copy(name, target)
        target.attrs.update(source.attrs)
    path.write_bytes(b"anything" + path.with_suffix(".front").read_bytes()[8:])
