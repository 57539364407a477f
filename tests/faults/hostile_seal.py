"""Digests renewed, as whoever forges a file would renew them."""

import hashlib
import json
import warnings
import zipfile

import numpy as np
import safetensors.numpy

from thalweg.files import write_checkpoint


def repacked(path, members, extra=(), seal=False, how=zipfile.ZIP_STORED):
    """An archive of `members`; with `seal` thalweg's digests are those of the new members."""
    if seal and "thalweg.json" in members:
        told = json.loads(members["thalweg.json"])
        told["sha256"] = {
            name: hashlib.sha256(content).hexdigest() for name, content in members.items() if name != "thalweg.json"
        }
        members = {**members, "thalweg.json": json.dumps(told).encode()}
    with zipfile.ZipFile(path, "w", how) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there already
        for name, content in members.items():
            archive.writestr(name, content)
        for info, content in extra:
            archive.writestr(info, content)


def sealed(raw):
    """Bytes whose last 32 are the digest of those before."""
    return raw + hashlib.sha256(raw).digest()


def checkpoint_of(record, arrays):
    """A checkpoint's bytes with any record."""
    whole = {**arrays, "~sha256": np.zeros(32, np.uint8)}
    return sealed(safetensors.numpy.save(whole, {"thalweg": json.dumps(record)})[:-32])


def checkpoint(path, tree):
    """A good checkpoint."""
    write_checkpoint(path, tree)
