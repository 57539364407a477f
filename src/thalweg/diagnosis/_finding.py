"""Something that was found wrong: plain data with its evidence and its remedy."""

from __future__ import annotations

from typing import Any, NamedTuple


class Finding(NamedTuple):
    """Something wrong, proved by a number.

    Attributes:
        name: ``'duplicates'``, ``'dead units'``, ...
        evidence: what was seen, in a sentence.
        remedy: what to do about it, in a sentence.
        detail: the numbers behind it, plain data.

    """

    name: str
    evidence: str
    remedy: str
    detail: dict[str, Any]
