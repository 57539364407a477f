"""The curves of a search's trials on disk: for whoever looks on, now or later. Nothing is decided by them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

CURVES = "curves.jsonl"
_DIGITS = 6  # that are kept of a number


class Curves:
    """Writes curves as they grow: one line an epoch of a group, with a number a trial and log.

    Lines are not forced onto the disk, and where the disk is full there are none: the journal is what must be whole.

    Args:
        folder: of the study.

    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / CURVES
        self._file: int | None = None
        self._broken = False
        self._seen: set[int] = set()

    def grow(self, epoch: int, logs: Mapping[int, Mapping[str, float]]) -> None:
        """Write what trials have come to.

        Args:
            epoch: that was trained, counted from 0.
            logs: of each trial, by its number.

        """
        if not logs:
            return
        self._seen.update(logs)
        names = list(dict.fromkeys(name for one in logs.values() for name in one))
        told = {name: [_short(one.get(name)) for one in logs.values()] for name in names}
        self._write({"epoch": epoch, "trials": list(logs), "logs": told})

    def whole(self, number: int, first_epoch: int, histories: Sequence[Mapping[str, Sequence[float]]]) -> None:
        """Write a trial's curve at its end, where nobody told it as it grew: that of another process."""
        if number in self._seen:
            return
        for place in range(max((len(values) for one in histories for values in one.values()), default=0)):
            reached = [
                {name: values[place] for name, values in one.items() if place < len(values)} for one in histories
            ]
            self.grow(first_epoch + place, {number: means(reached)})

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._broken:
            return
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o644)
                if os.fstat(self._file).st_size:
                    os.write(self._file, b"\n")  # ends what a process was writing when it was killed
            os.write(self._file, json.dumps(line, separators=(",", ":")).encode() + b"\n")
        except OSError:
            self._broken = True


class Curve(NamedTuple):
    """What some trials had come to after an epoch.

    Attributes:
        epoch: counted from 0.
        trials: their numbers.
        logs: log -> a number a trial, None where it has none.

    """

    epoch: int
    trials: list[int]
    logs: dict[str, list[float | None]]


def read_curves(folder: Path, start: int = 0) -> tuple[list[Curve], int]:
    """Curves of a study, also while they are written.

    Args:
        folder: of the study.
        start: bytes that are known already.

    Returns:
        What came after that, and how many bytes are known now. What is no line of curves is passed over.

    """
    try:
        with (folder / CURVES).open("rb") as file:
            file.seek(start)
            text = file.read()
    except OSError:
        return [], 0
    whole = text.rfind(b"\n") + 1
    found = [curve for line in text[:whole].splitlines() if (curve := _curve_of(line)) is not None]
    return found, start + whole


def _curve_of(line: bytes) -> Curve | None:
    try:
        given = json.loads(line)
        epoch, trials, logs = int(given["epoch"]), [int(one) for one in given["trials"]], dict(given["logs"])
        told = {str(name): [None if one is None else float(one) for one in values] for name, values in logs.items()}
    except (ValueError, TypeError, KeyError):
        return None
    return Curve(epoch, trials, told) if all(len(values) == len(trials) for values in told.values()) else None


def means(logs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each log over nets that have it."""
    found: dict[str, list[float]] = {}
    for one in logs:
        for name, value in one.items():
            found.setdefault(name, []).append(float(value))
    return {name: sum(values) / len(values) for name, values in found.items()}


def _short(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.{_DIGITS}g}")
