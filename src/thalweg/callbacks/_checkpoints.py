"""A folder of checkpoints: the newest two, each a whole fit in one file, and what was there beside it."""

from __future__ import annotations

import os
import re
import shutil
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from thalweg import files

_KEPT = 2
_NAME = re.compile(r"epoch-(\d+)-step-(\d+)\.safetensors")


class CheckpointFolder:
    """Writes snapshots of a fit, and finds the newest one that is whole.

    Args:
        folder: made when the first one is written.
        keep: how many are kept; None: all of them.

    """

    def __init__(self, folder: str | os.PathLike[str], keep: int | None = _KEPT) -> None:
        self.folder, self.keep = Path(folder), keep

    def write(self, snapshot: dict[str, Any], beside: Iterable[Path] = ()) -> Path:
        """Write a snapshot, then let the oldest go, and those of a future that was given up: damaged ones.

        Args:
            snapshot: of a fit.
            beside: files that belong to it as they are now; they are linked, and whoever replaces them replaces the others.

        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"epoch-{snapshot['epoch']:06}-step-{snapshot['step']:09}.safetensors"
        files.write_checkpoint(path, snapshot)
        for one in beside:
            linked(one, path.with_name(f"{path.stem}.{one.name}"))
        if self.keep is None:
            return path
        known = self.paths()
        newest = known.index(path) + 1
        for other in (*known[: max(newest - self.keep, 0)], *known[newest:]):
            _removed(other)
        return path

    def paths(self) -> list[Path]:
        """The checkpoints, the newest last."""
        if not self.folder.is_dir():
            return []
        return sorted((path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)), key=place_of)

    def after(self, epoch: int, step: int) -> list[Path]:
        """Those of later places of the fit."""
        return [path for path in self.paths() if place_of(path) > (epoch, step)]

    def move(self, paths: Iterable[Path], folder: Path) -> None:
        """Have checkpoints, and what lies beside them, in another folder."""
        for path in paths:
            folder.mkdir(parents=True, exist_ok=True)
            for one in path.parent.glob(f"{path.stem}.*"):
                one.rename(folder / one.name)

    def newest(self) -> dict[str, Any] | None:
        """The newest snapshot that is whole, or None; a damaged one is passed over with a word.

        Raises:
            thalweg.models.FileError: where there are some, and none is whole.

        """
        damaged: files.FileError | None = None
        for path in reversed(self.paths()):
            try:
                return files.read_checkpoint(path)
            except files.FileError as error:
                warnings.warn(f"{error} The one before it is tried.", stacklevel=2)
                damaged = error
        if damaged is not None:
            raise damaged
        return None

    def keep_only(self, path: Path) -> None:
        """Delete all others."""
        for other in self.paths():
            if other != path:
                _removed(other)

    def remove(self) -> None:
        """Delete all of them, and what killed writers left."""
        for path in self.paths():
            _removed(path)
        files.remove_parts(self.folder)


def place_of(checkpoint: Path) -> tuple[int, int]:
    """Epoch and step of a checkpoint, by its name.

    Example:
        >>> place_of(Path('epoch-000002-step-000000017.safetensors'))
        (2, 17)

    """
    match = _NAME.fullmatch(checkpoint.name)
    assert match is not None, "a checkpoint's name has its place"
    return int(match[1]), int(match[2])


def linked(source: Path, place: Path) -> None:
    """Have a file in a second place, by a link where the file system has links; what was there is replaced."""
    part = place.with_name(f"{place.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    os.replace(part, place)


def _removed(path: Path) -> None:
    """A checkpoint and what lies beside it are gone."""
    for one in path.parent.glob(f"{path.stem}.*"):
        one.unlink(missing_ok=True)
