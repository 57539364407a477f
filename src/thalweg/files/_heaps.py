"""HDF5's heaps of texts, walked before the library walks them: in a broken one it goes round for ever."""

from __future__ import annotations

from collections.abc import Iterator

_FRONT = b"GCOL\x01\0\0\0"  # signature, version, reserved
_HEAD = 16  # bytes before each text, and of a heap's own front


class BrokenHeapError(ValueError):
    """A heap whose entries do not follow one another to its end."""


def longest_text(content: bytes) -> int:
    """How many bytes the longest text of no fixed length has.

    Raises:
        BrokenHeapError: where a heap cannot be walked.

    """
    longest, at = 0, content.find(_FRONT)
    while at >= 0:
        longest = max(longest, *_sizes(content, at), 0)
        at = content.find(_FRONT, at + 1)
    return longest


def _sizes(content: bytes, at: int) -> Iterator[int]:
    """Sizes of what is in the heap at `at`."""
    end = at + _number(content, at + 8, 8)
    if end > len(content):
        raise BrokenHeapError(f"a heap of texts at byte {at:,} goes on beyond the file's end")
    at += _HEAD
    while at + _HEAD <= end:
        size = _number(content, at + 8, 8)
        used = _number(content, at, 2) > 0
        step = _HEAD + -(-size // 8) * 8 if used else size  # free room counts its own head
        if step <= 0 or at + step > end:
            raise BrokenHeapError(f"the heap of texts has an entry of {size:,} bytes at byte {at:,}")
        if used:
            yield size
        at += step


def _number(content: bytes, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "little")
