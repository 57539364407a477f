"""Mirrors of studies that are closed, still being written: a search does not wait for its copy."""

from __future__ import annotations

import atexit
import warnings
from pathlib import Path

from thalweg.tuner._mirror import Mirror, MirrorLost

_mirrors: dict[Path, Mirror] = {}


def linger(folder: Path, mirror: Mirror) -> None:
    """Let a mirror be written in the background, at the latest when the process ends.

    Args:
        folder: of its study.
        mirror: which one.

    """
    if not _mirrors:
        atexit.unregister(finish_all)  # once, after whatever was registered before
        atexit.register(finish_all)
    _mirrors[folder.resolve()] = mirror
    mirror.retire()


def finish(folder: Path) -> None:
    """Wait until the mirror of a study is written, where one still is."""
    mirror = _mirrors.pop(folder.resolve(), None)
    if mirror is None:
        return
    try:
        if folder.exists():  # else there is nothing it could be a copy of
            mirror.close()
    except MirrorLost as lost:
        warnings.warn(str(lost), stacklevel=2)
    finally:
        mirror.abandon()


def finish_all() -> None:
    """Wait for all of them."""
    for folder in list(_mirrors):
        finish(folder)
