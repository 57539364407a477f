"""JSON from files that nobody vouches for."""

from __future__ import annotations

import json
import os
from typing import Any

from thalweg.files._error import refuse

_MOST_BYTES = 16 << 20
_MOST_ENTRIES = 500_000  # each may take a hundred times the room of its text
_DEEPEST = 100


def parse(raw: bytes | str, path: str | os.PathLike[str], part: str, most: int = _MOST_BYTES) -> dict[str, Any]:
    """An object from JSON text.

    Args:
        raw: the text.
        path: the file it is from, for messages.
        part: of the file.
        most: bytes; a file of many numbers, such as a long history, may have more than a net's description.

    Raises:
        FileError: where it is no JSON, no object, too large or nested too deeply.

    """
    if len(raw) > most:
        refuse(path, part, f"is {len(raw):,} bytes of JSON, more than {most:,}: no net needs that.")
    text = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
    entries = sum(text.count(sign) for sign in (b",", b"[", b"{"))
    if entries > max(_MOST_ENTRIES, most // 10):
        refuse(path, part, f"is JSON of {entries:,} entries: no net needs that.")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        refuse(path, part, f"is no valid JSON ({type(error).__name__}: {str(error)[:200]}).", error)
    if not isinstance(found, dict):
        refuse(path, part, f"must be a JSON object, got {type(found).__name__}.")
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        level = [below for one in level for below in _below(one)]
    if level:
        refuse(path, part, f"is nested more than {_DEEPEST} levels deep: no net needs that.")
    return found


def _below(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value
    return [one for one in inner if isinstance(one, (dict, list))]
