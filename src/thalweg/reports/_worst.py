"""The rows that a net gets most wrong: as pictures where they are some, else as a table's rows."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.reports._given import Given
from thalweg.reports._png import png

if TYPE_CHECKING:
    from thalweg.reports._validated import Answers

_ROWS = 24
_COLUMNS = 20  # of a table
_NUMBERS = 12  # of rows that are neither pictures nor a table's
_LETTERS = 80  # of a cell
_SIDE = 8  # of the smallest square that flat rows are taken for
_LEAST = 4  # pixels of a picture's side
_SMALL, _LARGE = 84, 168  # pixels to which pictures are brought


def worst(found: Answers, given: Given, losses: np.ndarray, told: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows of the highest loss, worst first.

    Args:
        found: rows and answers.
        given: whose rows these are.
        losses: one a row.
        told: for each row its truth and what was said.

    Returns:
        ``worst``: a dict a row; ``worst_columns``: titles of its cells; ``worst_more``: columns that are left out;
        ``worst_of``: what their numbers count.

    """
    order = [int(i) for i in np.argsort(-losses, kind="stable")[:_ROWS]]
    pixels = _pixels(found.rows.x, given.pictures)
    columns, cells, more = ([], [[]] * len(order), 0) if pixels is not None else _cells(found, given, order)
    labels = given.frame.index if given.frame is not None else range(found.rows.n)
    each = [
        {
            "row": int(labels[i]),
            "loss": float(losses[i]),
            **told[i],
            "cells": own,
            "picture": None if pixels is None else _picture(pixels, i),
        }
        for i, own in zip(order, cells, strict=True)
    ]
    of = "the validation part" if given.frame is None else "the table"
    return {"worst": each, "worst_columns": columns, "worst_more": more, "worst_of": of}


def _pixels(x: tuple[np.ndarray, ...], are_pictures: bool) -> np.ndarray | None:
    """Rows as pictures, [rows, height, width] or with one or three colours; None where they are none."""
    if len(x) != 1:
        return None
    shape = x[0].shape[1:]
    if len(shape) == 1 and are_pictures and math.isqrt(shape[0]) ** 2 == shape[0] >= _SIDE**2:
        side = math.isqrt(shape[0])
        return x[0].reshape(-1, side, side)
    is_one = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))
    return x[0] if is_one and min(shape[:2]) >= _LEAST else None


def _picture(pixels: np.ndarray, i: int) -> str:
    """A PNG file in base 64; black and white are the least and the largest number of all rows."""
    low, high = min(float(pixels.min()), 0.0), float(pixels.max())
    shown: np.ndarray = np.rint((pixels[i] - low) / (high - low or 1.0) * 255).astype(np.uint8)
    shortest, longest = sorted(shown.shape[:2])
    if longest > _LARGE:
        step = math.ceil(longest / _LARGE)
        shown = shown[::step, ::step]
    else:
        times = min(math.ceil(_SMALL / shortest), max(_LARGE // longest, 1))
        shown = shown.repeat(times, axis=0).repeat(times, axis=1)
    return base64.b64encode(png(shown)).decode()


def _cells(found: Answers, given: Given, order: list[int]) -> tuple[list[str], list[list[str]], int]:
    """Titles, cells of the rows, and how many columns there are beside these."""
    if given.frame is not None:
        names = [str(one) for one in given.frame.columns[:_COLUMNS]]
        part = given.frame.iloc[order, :_COLUMNS]
        cells = [[_short(value) for value in row] for row in part.itertuples(index=False, name=None)]
        return names, cells, max(given.frame.shape[1] - _COLUMNS, 0)
    x, known = found.rows.x[0].reshape(found.rows.n, -1), (found.rows.columns or (None,))[0]
    names = [str(one) for one in (known if known is not None else range(x.shape[1]))][:_NUMBERS]
    return names, [[f"{value:.4g}" for value in x[i, :_NUMBERS]] for i in order], max(x.shape[1] - _NUMBERS, 0)


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
