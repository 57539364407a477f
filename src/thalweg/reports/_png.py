"""Pixels as a PNG file."""

from __future__ import annotations

import io

import numpy as np


def png(pixels: np.ndarray) -> bytes:
    r"""A file that holds a picture, by Pillow, which comes with matplotlib.

    Args:
        pixels: uint8 [height, width], or with a last axis of one (grey) or three (red, green, blue).

    Example:
        >>> png(np.zeros((2, 3), np.uint8))[:8]
        b'\x89PNG\r\n\x1a\n'

    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels).save(file, format="PNG")
    return file.getvalue()
