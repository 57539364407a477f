"""The test set, kept as if it was gold: rows that nothing touches until somebody says why, and a ledger of who did."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from thalweg.data._fingerprint import digest_of
from thalweg.data._rows import DataError

LEDGER = "test-ledger.jsonl"
"""Name of the file beside the runs of a folder in which openings stand, one JSON object a line."""


_PAIR = 3  # arrays of (x, y, weights): longer lists are rows


class SealedError(TypeError):
    """Somebody reached for test rows without opening them."""


class Opening(NamedTuple):
    """A line of a ledger.

    Attributes:
        when: in UTC, as ``2026-01-31T12:00:00Z``.
        why: the reason that was given.
        model: who was to be tested: its name and a digest of its weights; empty where nobody was named.
        run: name of the run's folder; empty where none was named.
        data: fingerprint of the test rows.

    """

    when: str
    why: str
    model: str
    run: str
    data: str


class Sealed:
    """Test rows that cannot be looked at by accident: they are not iterated, indexed, converted, copied or pickled.

    :meth:`open` gives them to who says why, and that goes on record. Each look makes the test set a little more of a
    validation set: a report widens its interval by the number of looks.

    Args:
        x: inputs.
        y: targets.
        data: fingerprint of the rows, where `x` and `y` are not the rows as they were found; None: that of `x` and `y`.

    Example:
        >>> import numpy as np
        >>> from thalweg import data
        >>> sealed = data.split(np.arange(20.0)[:, None], np.arange(20) % 2).test
        >>> sealed
        <2 sealed test rows, never opened>
        >>> x, y = sealed.open('the last net, before it goes to work')
        >>> len(x), sealed
        (2, <2 sealed test rows, opened once>)

    """

    __slots__ = ("__x", "__y", "data", "openings", "rows")

    def __init__(self, x: Any, y: Any, data: str | None = None) -> None:
        self.__x, self.__y = x, y
        self.rows: int = len(y)
        self.data: str = data or digest_of(_arrays([x, y]))
        self.openings: list[Opening] = []

    def open(self, reason: str, model: Any = None, run: str | os.PathLike[str] | None = None) -> tuple[Any, Any]:
        """The rows, for who says why.

        Args:
            reason: why they are looked at; it stands in the ledger.
            model: who is to be tested.
            run: the folder of its run; the ledger is a file beside it, ``test-ledger.jsonl``. Without one the opening is
                on record in :attr:`openings` alone.

        Returns:
            ``(x, y)``.

        Raises:
            ValueError: where no reason is given.

        """
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"The test set is opened for a reason: test.open('...'), got {reason!r}.")
        when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        name = "" if run is None else Path(run).resolve().name
        opening = Opening(when, reason.strip(), _told(model), name, self.data)
        if run is not None:
            _write(Path(run).resolve().parent / LEDGER, opening)
        self.openings.append(opening)
        return self.__x, self.__y

    def __repr__(self) -> str:
        return f"<{self.rows:,} sealed test rows, {times(len(self.openings))}>"


def times(count: int) -> str:
    """How often it was opened, in words."""
    return {0: "never opened", 1: "opened once", 2: "opened twice"}.get(count, f"opened {count} times")


def _refusal(what: str) -> Callable[..., NoReturn]:
    def refuse(self: Sealed, *_: Any, **__: Any) -> NoReturn:
        raise SealedError(
            f"The test set is sealed: it cannot be {what}. Choose by the validation rows; when the choice is made, "
            "x, y = test.open('why') gives the test rows and puts that on record."
        )

    return refuse


_REFUSED = {
    "iterated over": ("__iter__", "__next__", "__reversed__", "__contains__"),
    "indexed": ("__getitem__", "__len__"),
    "made into an array": ("__array__", "__jax_array__", "__dlpack__", "__float__", "__index__"),
    "copied or pickled": ("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__"),
    "called": ("__call__",),
}
for _what, _names in _REFUSED.items():
    for _name in _names:
        setattr(Sealed, _name, _refusal(_what))


def refuse_sealed(*given: Any) -> None:
    """Raise where test rows stand among arguments, or in a pair among them.

    Raises:
        SealedError: saying how they are opened.

    """
    for one in given:
        pair = one if isinstance(one, (tuple, list)) and len(one) <= _PAIR else ()
        for part in (one, *pair):
            if isinstance(part, Sealed):
                _refusal("used here")(part)


def _told(model: Any) -> str:
    if model is None:
        return ""
    weights = model.get_weights() if hasattr(model, "get_weights") else []
    return f"{getattr(model, 'name', type(model).__name__)} {digest_of(_arrays(weights))[:12]}"


def _arrays(values: Any) -> Iterator[np.ndarray]:
    """The arrays in lists and dicts of arrays and frames."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, (list, tuple)):
        for one in values:
            yield from _arrays(one)
    else:
        yield np.asarray(values)


def _write(path: Path, opening: Opening) -> None:
    """A line more, in one write, so that two processes' lines do not mix."""
    line = json.dumps(opening._asdict(), ensure_ascii=False) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def openings(folder: str | os.PathLike[str], data: str | None = None) -> list[Opening]:
    """What stands in the ledger of a folder of runs, the oldest first.

    Args:
        folder: in which the runs lie.
        data: fingerprint of the test rows; only their openings are given. None is all.

    Raises:
        DataError: on a line that is no opening, naming it.

    Example:
        >>> import tempfile
        >>> openings(tempfile.mkdtemp())
        []

    """
    path = Path(folder) / LEDGER
    found = []
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        try:
            one = Opening(**json.loads(line))
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: line {number} is no opening of a test set: {error}.") from error
        if data is None or one.data == data:
            found.append(one)
    return found
