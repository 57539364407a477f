"""Checkpoints: nested plain data with arrays in it, as one safetensors file whose last array is its own digest."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from thalweg.files._atomic import write_whole
from thalweg.files._error import refuse
from thalweg.files._json import parse
from thalweg.files._open import content_of, opened

_DIGEST = "~sha256"  # bytes of the smallest kind and the last name: safetensors puts them at the end
_FORMAT = 1
_KINDS = {
    **{f"{kind}{bits}": f"{kind[0].upper()}{bits}" for kind in ("int", "uint", "float") for bits in (16, 32, 64)},
    **{"int8": "I8", "uint8": "U8", "bool": "BOOL"},
}
"""Numpy's names of dtypes, and safetensors'."""


def write_checkpoint(path: str | os.PathLike[str], tree: dict[str, Any]) -> None:
    """Write nested dicts and lists of plain data and arrays, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    record = {"format": _FORMAT, "tree": _packed(tree, "", arrays)}
    pieces = _safetensors({**arrays, _DIGEST: np.zeros(32, np.uint8)}, {"thalweg": json.dumps(record)})[:-1]
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    write_whole(path, [*pieces, digest.digest()])


def _safetensors(arrays: dict[str, np.ndarray], notes: dict[str, str]) -> list[Any]:
    """The format's bytes: a header, then each array as it lies in memory, which the library would copy twice."""
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))  # so that each is aligned
    header: dict[str, Any] = {"__metadata__": notes}
    at = 0
    for name in names:
        array = arrays[name]
        if array.dtype.name not in _KINDS or not array.dtype.isnative:
            raise TypeError(f"A checkpoint holds numbers, got an array of {array.dtype} in {name}.")
        told = {"dtype": _KINDS[array.dtype.name], "shape": array.shape}
        header[name] = {**told, "data_offsets": (at, at + array.nbytes)}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return [len(text).to_bytes(8, "little") + text, *(arrays[name].reshape(-1).view(np.uint8) for name in names)]


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What :func:`write_checkpoint` wrote.

    Raises:
        FileError: where the file is not as it was written.

    """
    with opened(path) as file:
        raw = content_of(file, path)
    if len(raw) < 40 or hashlib.sha256(memoryview(raw)[:-32]).digest() != raw[-32:]:
        refuse(path, "", "is no whole checkpoint: its SHA-256 does not match. It was changed or cut short.")
    try:
        arrays = safetensors.numpy.load(raw)
        size = int.from_bytes(raw[:8], "little")
        told = json.loads(raw[8 : 8 + size])["__metadata__"]["thalweg"]
    except Exception as error:  # whatever a library makes of bytes that nobody vouches for
        refuse(path, "", f"is no checkpoint of thalweg's ({str(error)[:200]}).", error)
    record = parse(told, path, "the record", max(len(raw), 16 << 20))
    if record.get("format") != _FORMAT:
        refuse(path, "", f"is of format {record.get('format')}, this thalweg reads {_FORMAT}. Update thalweg.")
    if not isinstance(record.get("tree"), dict):
        refuse(path, "the record", "must hold a 'tree' as an object.")
    found: dict[str, Any] = _unpacked(record["tree"], arrays, path)
    return found


def _packed(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """`value` with its arrays moved out, each under its place's name."""
    if isinstance(value, dict):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"A checkpoint's dicts have words as keys, got {odd[0]!r} in {name or '/'}.")
        return {key: _packed(one, f"{name}/{key}", arrays) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_packed(one, f"{name}/{i}", arrays) for i, one in enumerate(value)]
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        arrays[name] = np.ascontiguousarray(value).reshape(np.shape(value))  # the former makes [1] of []
        return {"~array": name}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(
        f"A checkpoint holds plain data and arrays, got {value!r} of type {type(value).__name__} in {name}."
    )


def _unpacked(value: Any, arrays: dict[str, np.ndarray], path: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"~array"}:
            name = value["~array"]
            if not isinstance(name, str) or name not in arrays:
                refuse(path, "the record", f"names the array {name!r}, which is not there.")
            return arrays[name]
        return {key: _unpacked(one, arrays, path) for key, one in value.items()}
    return [_unpacked(one, arrays, path) for one in value] if isinstance(value, list) else value
