"""Files that attack their reader: one function a class, each with what the refusal must name."""

import io
import json
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import hostile_descriptions
import hostile_hdf5
import numpy as np
import safetensors.numpy
from hostile_seal import checkpoint, checkpoint_of, repacked, sealed

import thalweg
from thalweg import layers


class Case(NamedTuple):
    """One file, how it is to be read, and what the refusal must say."""

    name: str
    path: str
    how: str
    culprit: str


def stack():
    """The net that most files are of, with a layer of each sort that a description can lie about."""
    model = thalweg.Sequential(
        [
            thalweg.Input((3,)),
            layers.Dense(4, activation="relu", name="first", kernel_regularizer="l2", kernel_constraint="max_norm"),
            layers.Dropout(0.2, name="drop"),
            layers.Dense(2, name="last"),
        ]
    )
    rate = thalweg.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model.compile(thalweg.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


def graph():
    """A net with a branch."""
    entry = thalweg.Input((3,), name="entry")
    left = layers.Dense(3, name="left")(entry)
    both = layers.Add(name="both")([entry, left])
    model = thalweg.Model(entry, layers.Dense(2, name="end")(both))
    model.compile("sgd", "mse")
    return model


class Sources(NamedTuple):
    """Good files, from which the others are made."""

    folder: Path
    stack: dict
    graph: dict
    weights: bytes


def sources(folder):
    """Save the two nets, and read what was saved."""
    rng = np.random.default_rng(0)
    model = stack()
    model.fit(rng.normal(size=(8, 3)), rng.normal(size=(8, 2)), epochs=1, verbose=0, seed=0)
    model.save(folder / "good.keras")
    model.save(folder / "good.h5")
    model.save_weights(folder / "good.weights.h5")
    graph().save(folder / "good_graph.keras")
    checkpoint(folder / "good.safetensors", {"epoch": 1, "arrays": [np.arange(3.0)]})
    members = []
    for name in ("good.keras", "good_graph.keras"):
        with zipfile.ZipFile(folder / name) as archive:
            members.append({one: archive.read(one) for one in archive.namelist()})
    return Sources(folder, *members, (folder / "good.weights.h5").read_bytes())


# -- archives -----------------------------------------------------------------------------------------


def with_member(name, content=b"x", **attributes):
    """The good archive and one member more, with the attributes a zip library would not write."""

    def make(path, given):
        info = zipfile.ZipInfo(name)
        for key, value in attributes.items():
            setattr(info, key, value)
        repacked(path, given.stack, extra=[(info, content)])

    return make


def patched(find, replace, count=-1):
    """The good archive with some bytes of its directory replaced."""

    def make(path, given):
        raw = (given.folder / "good.keras").read_bytes()
        assert find in raw
        path.write_bytes(raw.replace(find, replace, count))

    return make


def flagged(offsets, value):
    """The good archive with a field of the last member's headers changed: offsets in the local and central one."""

    def make(path, given):
        raw = bytearray((given.folder / "good.keras").read_bytes())
        for signature, offset in zip((b"PK\x03\x04", b"PK\x01\x02"), offsets, strict=True):
            at = raw.rindex(signature) + offset
            raw[at : at + len(value)] = value
        path.write_bytes(raw)

    return make


def bomb(size, name="config.json"):
    """A member of zeros, packed a thousandfold."""

    def make(path, given):
        kept = {one: content for one, content in given.stack.items() if one != name}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for one, content in kept.items():
                archive.writestr(one, content)
            with archive.open(name, "w", force_zip64=True) as member:
                for _ in range(size >> 20):
                    member.write(bytes(1 << 20))

    return make


def lying_bomb(path, given):
    """The directory claims ten bytes, the stream unpacks to 300 MB."""
    bomb(300 << 20)(path, given)
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, at + 24, 10)  # uncompressed size
    path.write_bytes(raw)


def nested_bomb(path, given):
    """An archive of archives: nothing of the inner one may be unpacked."""
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("model.weights.h5", bytes(64 << 20))
    repacked(path, {**given.stack, "model.weights.h5": room.getvalue()}, seal=True)


def overlapping(path, given):
    """Every entry of the directory points to the same packed bytes."""
    packed = zlib.compress(bytes(30 << 20), 9)[2:-4]
    crc = zlib.crc32(bytes(30 << 20))
    names = ["config.json", "metadata.json", "model.weights.h5", "thalweg.json", *(f"a{i}" for i in range(40))]
    head = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(packed), 30 << 20, 11, 0) + b"config.json"
    body = head + packed
    directory = b"".join(
        struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, crc, len(packed), 30 << 20, len(name), 0, 0, 0, 0, 0, 0
        )
        + name.encode()
        for name in names
    )
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(names), len(names), len(directory), len(body), 0)
    path.write_bytes(body + directory + end)


def crowded(number):
    """A directory of very many empty members."""

    def make(path, given):
        entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0)
        directory = b"".join(entry + f"{i:06x}".encode() for i in range(number))
        count = min(number, 0xFFFF)
        end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), 0, 0)
        path.write_bytes(directory + end)

    return make


def without(name):
    """The good archive without a member."""

    def make(path, given):
        repacked(path, {one: content for one, content in given.stack.items() if one != name})

    return make


def with_config(content):
    """The good archive with another text in the place of its description."""

    def make(path, given):
        repacked(path, {**given.stack, "config.json": content}, seal=True)

    return make


def cut(share):
    """The front part of the good archive."""

    def make(path, given):
        raw = (given.folder / "good.keras").read_bytes()
        path.write_bytes(raw[: int(len(raw) * share)])

    return make


def changed(name, change):
    """The good archive with a member changed and no digest renewed."""

    def make(path, given):
        repacked(path, {**given.stack, name: change(given.stack[name])})

    return make


def future(key, value):
    """The good archive, of a version that is not written yet."""

    def make(path, given):
        if key == "keras_version":
            repacked(path, {**given.stack, "metadata.json": json.dumps({key: value}).encode()}, seal=True)
        else:
            own = {**json.loads(given.stack["thalweg.json"]), key: value}
            repacked(path, {**given.stack, "thalweg.json": json.dumps(own).encode()})

    return make


def own(**changes):
    """The good archive with other entries of thalweg's own."""

    def make(path, given):
        told = json.loads(given.stack["thalweg.json"])
        told["own"] = {**told["own"], **changes}
        repacked(path, {**given.stack, "thalweg.json": json.dumps(told).encode()})

    return make


LINK = (stat.S_IFLNK | 0o777) << 16
ARCHIVES = {
    "parent": (with_member("../out"), r"member '\.\./out'"),
    "parent_within": (with_member("a/../../out"), r"member 'a/\.\./\.\./out'"),
    "absolute": (with_member("/etc/out"), r"member '/etc/out'"),
    "backslash": (with_member("..\\out"), r"member '\.\.\\\\out'"),
    "drive": (with_member("C:out"), r"member 'C:out'"),
    "nul": (patched(b"metadata.json", b"metadata\0json"), r"member 'metadata"),
    "link": (with_member("layers", b"/etc/passwd", external_attr=LINK, create_system=3), r"member 'layers'.* link"),
    "twice": (with_member("config.json", b"{}"), r"member 'config\.json'.*twice"),
    "encrypted": (flagged((6, 8), b"\x01\x00"), r"member '.*' is encrypted|member '.*': is encrypted"),
    "bzip2": (flagged((8, 10), b"\x0c\x00"), r"member '.*method 12"),
    "unknown_method": (flagged((8, 10), b"\x63\x00"), r"member '.*method 99"),
    "bomb": (bomb(280 << 20), r"member 'config\.json'.*unpacks"),
    "weights_bomb": (bomb(280 << 20, "model.weights.h5"), r"member 'model\.weights\.h5'.*unpacks"),
    "small_bomb": (bomb(40 << 20), r"'config\.json'"),
    "lying_bomb": (lying_bomb, r"'config\.json'|zip archive"),
    "nested_bomb": (nested_bomb, r"model\.weights\.h5.*HDF5|HDF5"),
    "overlapping": (overlapping, r"member '.*'"),
    "crowded": (crowded(20_000), r"members"),
    "very_crowded": (crowded(1_000_000), r"directory|members"),
    "no_config": (without("config.json"), r"member 'config\.json'"),
    "no_weights": (without("model.weights.h5"), r"member 'model\.weights\.h5'"),
    "no_own": (without("thalweg.json"), r"member 'thalweg\.json'.*missing"),
    "no_metadata": (without("metadata.json"), r"member 'metadata\.json'"),
    "cut": (cut(0.5), r"zip archive"),
    "cut_end": (cut(0.999), r"zip archive"),
    "no_json": (with_config(b"{class_name: 'Sequential'}"), r"'config\.json'.*JSON"),
    "pickle_as_json": (with_config(b"\x80\x04\x95cos\nsystem\n"), r"'config\.json'.*JSON"),
    "list_as_json": (with_config(b"[1, 2]"), r"'config\.json'.*object"),
    "deep_json": (with_config(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), r"'config\.json'"),
    "deepish_json": (with_config(b'{"a":' + b"[" * 500 + b"]" * 500 + b"}"), r"'config\.json'.*deep"),
    "huge_number": (with_config(b'{"a": 1' + b"0" * 100_000 + b"}"), r"'config\.json'"),
    "large_json": (with_config(b'{"a": "' + b"a" * (40 << 20) + b'"}'), r"'config\.json'.*bytes"),
    "many_in_json": (with_config(b'{"a": [' + b"[]," * 4_000_000 + b"[]]}"), r"'config\.json'"),
    "invalid_utf8": (with_config(b'{"class_name": "\xff\xfe"}'), r"'config\.json'"),
    "wide_json": (with_config(b'{"a": "' + "\U0001f600".encode() + b"a" * (14 << 20) + b'"}'), r"the description"),
    "empty_json": (with_config(b""), r"'config\.json'"),
    "digest": (changed("model.weights.h5", lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])), r"'model\.weights\.h5'.*SHA"),
    "digest_config": (changed("config.json", lambda raw: raw.replace(b"relu", b"tanh")), r"'config\.json'.*SHA"),
    "keras_4": (future("keras_version", "4.0.0"), r"keras_version.*4\.0\.0"),
    "keras_odd": (future("keras_version", {"a": 1}), r"keras_version"),
    "format_2": (future("format", 2), r"format 2"),
    "format_odd": (future("format", "x"), r"format"),
    "digests_odd": (future("sha256", [1]), r"digests"),
    "own_list": (future("own", [1]), r"own"),
    "own_steps": (own(steps_taken="many"), r"steps_taken"),
    "own_steps_huge": (own(steps_taken=2**70), r"steps_taken"),
    "own_steps_negative": (own(steps_taken=-1), r"steps_taken"),
    "own_classes": (own(class_names={"a": 1}), r"class_names"),
    "own_preprocessing": (own(preprocessing=[1]), r"preprocessing"),
    "own_scale": (own(learning_rate_scale="x"), r"learning_rate_scale"),
    "own_excluded": (own(excluded_from_weight_decay=[[1]]), r"excluded_from_weight_decay"),
    "own_optimizer": (own(optimizer={"module": "os", "class_name": "system", "config": {}}), r"compile_config.*system"),
    "own_optimizer_odd": (own(optimizer=[1, 2]), r"compile_config"),
}

# -- files of other kinds ---------------------------------------------------------------------------------


def raw_bytes(content):
    """Bytes as they are."""
    return lambda path, given: path.write_bytes(content)


def npz(path, given):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


OTHERS = {
    "empty": (raw_bytes(b""), r"HDF5"),
    "two_bytes": (raw_bytes(b"PK"), r"zip"),
    "folder": (lambda path, given: path.mkdir(), r"folder"),
    "fifo": (lambda path, given: os.mkfifo(path), r"no regular file"),
    "device": (lambda path, given: path.symlink_to("/dev/zero"), r"no regular file"),
    "sparse": (lambda path, given: (path.touch(), os.truncate(path, 1 << 40)), r"HDF5"),
    "png": (raw_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100)), r"HDF5"),
    "pickle": (raw_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR."), r"HDF5"),
    "npz": (npz, r"member 'config\.json'"),
    "text": (raw_bytes(b"hello\n" * 1000), r"HDF5"),
}

# -- checkpoints ------------------------------------------------------------------------------------------


def header(text, body=b"", length=None):
    """A file of safetensors' form with any header, sealed as an attacker would."""

    def make(path, given):
        raw = struct.pack("<Q", len(text) if length is None else length) + text + body
        path.write_bytes(sealed(raw))

    return make


def saying(record):
    """A checkpoint with another record than :mod:`thalweg` writes."""
    return lambda path, given: path.write_bytes(checkpoint_of(record, {"/a": np.arange(4.0, dtype=np.float32)}))


def good_but(change):
    """The good checkpoint with some bytes changed, its seal not renewed."""
    return lambda path, given: path.write_bytes(change((given.folder / "good.safetensors").read_bytes()))


def entry(**told):
    """A header with one tensor that lies."""
    record = json.dumps({"format": 1, "tree": {"a": {"~array": "/a"}}})
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **told}
    last = {"dtype": "U8", "shape": [32], "data_offsets": [4, 36]}
    return json.dumps({"__metadata__": {"thalweg": record}, "/a": tensor, "~sha256": last}).encode()


CHECKPOINTS = {
    "c_empty": (raw_bytes(b""), r"checkpoint"),
    "c_changed": (good_but(lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:]), r"SHA-256"),
    "c_cut": (good_but(lambda raw: raw[:-1]), r"SHA-256"),
    "c_longer": (good_but(lambda raw: raw + b"\0"), r"SHA-256"),
    "c_folder": (lambda path, given: path.mkdir(), r"folder"),
    "c_fifo": (lambda path, given: os.mkfifo(path), r"no regular file"),
    "c_no_header": (header(b""), r"checkpoint"),
    "c_length": (header(b"{}", length=1 << 60), r"checkpoint"),
    "c_no_json": (header(b"hello", bytes(8)), r"checkpoint"),
    "c_list": (header(b"[1]", bytes(8)), r"checkpoint"),
    "c_deep": (header(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"), r"checkpoint"),
    "c_overlap": (header(entry(data_offsets=[0, 8]), bytes(4)), r"checkpoint"),
    "c_outside": (header(entry(data_offsets=[0, 1 << 40]), bytes(4)), r"checkpoint"),
    "c_shape": (header(entry(shape=[1 << 40]), bytes(4)), r"checkpoint"),
    "c_dtype": (header(entry(dtype="PICKLE"), bytes(4)), r"checkpoint"),
    "c_plain": (
        lambda path, given: path.write_bytes(sealed(safetensors.numpy.save({"a": np.zeros(3)}))),
        r"checkpoint",
    ),
    "c_format": (saying({"format": 2, "tree": {}}), r"format 2"),
    "c_no_format": (saying({"tree": {}}), r"format None"),
    "c_no_tree": (saying({"format": 1}), r"record.*tree"),
    "c_tree_list": (saying({"format": 1, "tree": [1]}), r"record.*tree"),
    "c_missing": (saying({"format": 1, "tree": {"a": {"~array": "/b"}}}), r"'/b'"),
    "c_odd_name": (saying({"format": 1, "tree": {"a": {"~array": [1]}}}), r"record"),
}

# -- text -----------------------------------------------------------------------------------------------------

TEXTS = {
    "j_empty": ("", r"JSON"),
    "j_no_json": ("{", r"JSON"),
    "j_list": ("[]", r"JSON"),
    "j_nothing": ("{}", r"the description"),
    "j_deep": ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", r"JSON"),
    "j_lone_surrogate": ('{"class_name": "\\ud800"}', r"the description"),
    "j_kind_list": ('{"class_name": ["Sequential"], "config": {"layers": []}}', r"the description"),
    "j_layers": ('{"class_name": "Sequential", "config": {"layers": {}}}', r"the description"),
    "j_no_layers": ('{"class_name": "Functional", "config": {"layers": []}}', r"the description"),
    "j_layer_text": ('{"class_name": "Sequential", "config": {"layers": ["os.system"]}}', r"the description"),
}


def _text(content):
    return lambda path, given: path.write_text(content)


def cases(folder):
    """Every hostile file, made in `folder`."""
    given = sources(folder)
    found = []
    tables = [
        (ARCHIVES, ".keras", "load_model"),
        (OTHERS, ".keras", "load_model"),
        (OTHERS, ".weights.h5", "load_weights"),
        (CHECKPOINTS, ".safetensors", "read_checkpoint"),
        ({name: (_text(text), culprit) for name, (text, culprit) in TEXTS.items()}, ".json", "model_from_json"),
        *hostile_descriptions.tables(),
        *hostile_hdf5.tables(),
    ]
    for number, (table, suffix, how) in enumerate(tables):
        for name, (make, culprit) in table.items():
            path = folder / f"{number}_{name}{suffix}"
            make(path, given)
            found.append(Case(f"{name}{suffix}", str(path), how, culprit))
    return found
