"""MNIST: 60,000 training and 10,000 test digits of 28 x 28 grey values."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from thalweg import config
from thalweg.data import DataError
from thalweg.datasets import _idx

FILES = {
    "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The files, and the SHA-256 of each one's unpacked bytes."""

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
_SECONDS = 20

Pair = tuple[np.ndarray, np.ndarray]


def load_data(path: str | Path | None = None) -> tuple[Pair, Pair]:
    """The digits and their classes.

    They are looked for in `path`, then in the folder that ``$THALWEG_DATA`` names, then in the cache
    folder; where they are in none, they are downloaded there. Every file is checked by its SHA-256.

    Args:
        path: a folder with the four idx files; Keras's ``'mnist.npz'`` means none.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 [60000, 28, 28], uint8 [60000] and 10,000 likewise.

    Raises:
        thalweg.data.DataError: where a file is missing and cannot be downloaded, or is not the one expected;
            it says where to put the files.

    Source: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition".

    """
    folder = _folder(None if str(path) == "mnist.npz" else path)
    x, y, x_test, y_test = (_array(folder, name) for name in FILES)
    return (x, y), (x_test, y_test)


def _folder(path: str | Path | None) -> Path:
    asked = [Path(one) for one in (path, os.environ.get("THALWEG_DATA")) if one]
    for folder in (inner for one in asked for inner in (one, one / "mnist")):
        if all((folder / name).is_file() for name in FILES):
            return folder
    if path is not None:
        missing = [name for name in FILES if not (Path(path) / name).is_file()]
        raise DataError(
            f"{path} lacks {', '.join(missing)}: load_data(path) takes a folder with the four idx files of MNIST."
        )
    return config.cache_folder() / "mnist"


def _array(folder: Path, name: str) -> np.ndarray:
    file = folder / name
    if not file.is_file():
        _download(file)
    content = _idx.unpacked(file)
    if hashlib.sha256(content).hexdigest() != FILES[name]:
        raise DataError(f"{file} is not the MNIST file of that name: its SHA-256 differs. Delete it and load it anew.")
    return _idx.parse(content, file)


def _download(file: Path) -> None:
    said = []
    for mirror in MIRRORS:
        try:
            with urllib.request.urlopen(mirror + file.name, timeout=_SECONDS) as answer:
                content = answer.read()
            break
        except (OSError, urllib.error.URLError) as error:
            said.append(f"{mirror}: {error}")
    else:
        raise DataError(
            f"MNIST is not on this machine, and no mirror answered ({'; '.join(said)}). Put {', '.join(FILES)} into "
            f"{file.parent}, or into a folder that the environment variable THALWEG_DATA names. The 12,000 digits of "
            "thalweg.datasets.digits need no download."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(file)
