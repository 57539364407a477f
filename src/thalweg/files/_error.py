"""What is said of a file that cannot be read, or not be trusted."""

from __future__ import annotations

import os
from typing import NoReturn


class FileError(ValueError):
    """A file that is broken, hostile, or of another kind; the message names the file and the part of it."""


def refuse(path: str | os.PathLike[str], part: str, wrong: str, cause: BaseException | None = None) -> NoReturn:
    """Raise a :class:`FileError`.

    Args:
        path: the file.
        part: the member, dataset or entry that is at fault; '' for the file as a whole.
        wrong: what is wrong with it, and what to do.
        cause: what a library said.

    """
    raise FileError(f"{os.fspath(path)}: {part + ': ' if part else ''}{wrong}") from cause
