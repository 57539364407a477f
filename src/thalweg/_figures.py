"""What all pictures have in common: the extra that draws them, and how they are handed on."""

from __future__ import annotations

import functools
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


BLUE, ORANGE, GREEN, GREY, FAINT = "#0072b2", "#d55e00", "#009e73", "#7d848c", "#d4d8de"
"""Told apart by the colour-blind, too: Okabe and Ito's palette; greys for what stands behind."""


def require_matplotlib() -> None:
    """Make sure that pictures can be drawn.

    Raises:
        ImportError: where matplotlib is missing; it is in the extra ``plots``.

    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as missing:
        raise ImportError("Pictures need the extra: pip install 'thalweg[plots]'") from missing


def handed_on(figure: Figure, path: str | os.PathLike[str] | None) -> Figure:
    """A figure that a notebook shows, and that is written to a file where one is named."""
    figure._repr_png_ = functools.partial(_png, figure)  # type: ignore[attr-defined]  # how a notebook shows it
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
    return figure


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()
