"""What is said of a file that cannot be read, or not be trusted."""

from __future__ import annotations

import os
from typing import NoReturn

_LONGEST = 200, 1500  # characters of a part's name, and of what is wrong


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
    part, wrong = (_shown(text, most) for text, most in zip((part, wrong), _LONGEST, strict=True))
    raise FileError(f"{os.fspath(path)}: {part + ': ' if part else ''}{wrong}") from cause


def _shown(text: str, most: int) -> str:
    """Text that may hold names out of the file: not endless, and nothing in it that steers a terminal."""
    if len(text) > most:
        text = f"{text[: most - 60]}...{text[-50:]}"
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)
