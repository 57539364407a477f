"""JSON from files that nobody vouches for."""

from __future__ import annotations

import json
import os
from typing import Any

from thalweg.files._error import refuse

_MOST_BYTES = 32 << 20
_DEEPEST = 100


def parse(raw: bytes | str, path: str | os.PathLike[str], part: str) -> dict[str, Any]:
    """An object from JSON text.

    Raises:
        FileError: where it is no JSON, no object, too large or nested too deeply.

    """
    if len(raw) > _MOST_BYTES:
        refuse(path, part, f"is {len(raw):,} bytes of JSON, more than {_MOST_BYTES:,}: no net needs that.")
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
