"""Where runs and studies lie below a folder, and by what the page knows them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

TRASH = ".trash"
"""The folder of what was thrown away: nobody looks into it."""


def folders_with(root: Path, marks: Sequence[str]) -> Iterator[Path]:
    """Folders below another one that hold a file of one of these names; links to elsewhere are not followed.

    Args:
        root: where to look; it need not be there.
        marks: names of files.

    """
    for path, inner, names in os.walk(root):
        inner[:] = sorted(set(inner) - {TRASH})
        if Path(path) != root and not set(marks).isdisjoint(names):
            yield Path(path)
