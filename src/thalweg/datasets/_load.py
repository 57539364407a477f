"""Data sets by name, or from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thalweg import data
from thalweg._names import unknown
from thalweg.data import DataError
from thalweg.datasets import mnist

Pair = tuple[np.ndarray, np.ndarray]
_EMBEDDED = Path(__file__).with_name("digits.npz")


class DataSet(NamedTuple):
    """Training rows, and test rows where there are any.

    Attributes:
        name: of the set, or of the file.
        x, y: training rows.
        x_test, y_test: test rows, or None.

    """

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None
    y_test: np.ndarray | None

    def __repr__(self) -> str:
        test = "no test rows" if self.x_test is None else f"{len(self.x_test):,} test rows"
        return f"<DataSet {self.name}: x {self.x.shape} {self.x.dtype}, y {self.y.shape} {self.y.dtype}, {test}>"


class _Digits:
    """12,000 real digits that come with the package."""

    @staticmethod
    def load_data() -> tuple[Pair, Pair]:
        """10,000 training and 2,000 test digits of MNIST, 28 x 28 grey values, stratified by class.

        Returns:
            ``(x_train, y_train), (x_test, y_test)``, all uint8.

        Example:
            >>> import thalweg
            >>> (x, y), (x_test, y_test) = thalweg.datasets.digits.load_data()
            >>> x.shape, x_test.shape
            ((10000, 28, 28), (2000, 28, 28))

        """
        found = read_npz(_EMBEDDED)
        assert found.x_test is not None
        assert found.y_test is not None
        return (found.x, found.y), (found.x_test, found.y_test)


class _Digits8:
    """scikit-learn's 8 x 8 digits."""

    @staticmethod
    def load_data() -> tuple[Pair, Pair]:
        """1,437 training and 360 test digits, 8 x 8 grey values from 0 to 16, stratified by class with a fixed seed.

        Returns:
            ``(x_train, y_train), (x_test, y_test)``.

        Example:
            >>> import thalweg
            >>> (x, y), (x_test, y_test) = thalweg.datasets.digits8.load_data()
            >>> x.shape, x_test.shape
            ((1437, 8, 8), (360, 8, 8))

        """
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        pictures = load_digits()
        x, x_test, y, y_test = train_test_split(
            pictures.images.astype(np.uint8),
            pictures.target.astype(np.uint8),
            test_size=360,
            stratify=pictures.target,
            random_state=0,
        )
        return (x, y), (x_test, y_test)


digits, digits8 = _Digits(), _Digits8()

_SETS: dict[str, Callable[[], tuple[Pair, Pair]]] = {
    "digits": digits.load_data,
    "digits8": digits8.load_data,
    "mnist": mnist.load_data,
}
NAMES = tuple(_SETS)
"""The data sets that have a name."""


def load(name: str | Path) -> DataSet:
    """A data set by name, or from a .npz file.

    A file holds ``x_train`` and ``y_train`` (or ``x`` and ``y``), and may hold ``x_test`` and ``y_test``.

    Raises:
        thalweg.data.DataError: where there is no such set or file, or the file does not hold such arrays.

    Example:
        >>> import thalweg
        >>> thalweg.datasets.load('digits8').x.shape
        (1437, 8, 8)

    """
    if str(name) in _SETS:
        (x, y), (x_test, y_test) = _SETS[str(name)]()
        return DataSet(str(name), x, y, x_test, y_test)
    path = Path(name)
    if path.suffix != ".npz":
        if path.exists():
            raise DataError(f"{path}: data files end in .npz, got {path.suffix or 'no ending'!r}.")
        raise DataError(f"{unknown('data set', str(name), list(_SETS))} Or give the path of a .npz file.")
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    return read_npz(path)


def read_npz(path: Path) -> DataSet:
    """The rows in a .npz file. Nothing in it is ever unpickled."""

    def wanted(names: list[str]) -> list[str]:
        train = ["x_train", "y_train"] if "x_train" in names else ["x", "y"]
        if not set(train) <= set(names):
            raise DataError(
                f"{path} must hold x_train and y_train, or x and y; it holds {', '.join(sorted(names)) or 'nothing'}."
            )
        return [*train, *(["x_test", "y_test"] if {"x_test", "y_test"} <= set(names) else [])]

    x, y, *tested = data.read_arrays(path, wanted).values()
    return DataSet(path.stem, x, y, *(tested or (None, None)))
