"""Curves drawn in a terminal, eight dots a character."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.text import Text

_COLORS = ("cyan", "magenta", "green", "yellow")
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character, by row and column


def chart(title: str, series: Mapping[str, Sequence[float]], width: int = 64, height: int = 10) -> Text:
    """Lines over epochs, with a scale at the left and a legend below.

    Args:
        title: stands above.
        series: name -> a number an epoch; numbers that are not finite are left out.
        width, height: of the drawing, in characters.

    """
    finite = [value for values in series.values() for value in values if math.isfinite(value)]
    if not finite:
        return Text(f"{title}: nothing to draw, no number is finite")
    low, high = min(finite), max(finite)
    high = high if high > low else low + 1
    longest = max(len(values) for values in series.values())
    cells: dict[tuple[int, int], tuple[int, int]] = {}
    for number, values in enumerate(series.values()):
        for column, row in _line(values, longest, low, high, 2 * width, 4 * height):
            place = (row // 4, column // 2)
            dots, _ = cells.get(place, (0, 0))
            cells[place] = (dots | _DOTS[row % 4][column % 2], number)
    return _assembled(title, series, cells, (low, high), width, height, longest)


def _line(
    values: Sequence[float], longest: int, low: float, high: float, columns: int, rows: int
) -> list[tuple[int, int]]:
    """The dots (column, row) of one line, its points joined."""
    points = [
        (round(i * (columns - 1) / max(longest - 1, 1)), round((high - value) / (high - low) * (rows - 1)))
        for i, value in enumerate(values)
        if math.isfinite(value)
    ]
    dots = list(points)
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        dots += [(round(x0 + (x1 - x0) * k / steps), round(y0 + (y1 - y0) * k / steps)) for k in range(steps)]
    return dots


def _assembled(
    title: str,
    series: Mapping[str, Sequence[float]],
    cells: Mapping[tuple[int, int], tuple[int, int]],
    scale: tuple[float, float],
    width: int,
    height: int,
    longest: int,
) -> Text:
    text = Text(f"{'':>9} {title}\n", style="bold")
    labels = {0: f"{scale[1]:.4g}", height - 1: f"{scale[0]:.4g}"}
    for row in range(height):
        text.append(f"{labels.get(row, ''):>9} ┤", style="not bold dim")
        for column in range(width):
            dots, number = cells.get((row, column), (0, 0))
            text.append(chr(0x2800 + dots) if dots else " ", style=f"not bold {_COLORS[number % len(_COLORS)]}")
        text.append("\n")
    text.append(
        f"{'':>9} └{'─' * width}\n{'':>10} epoch 1{f'epoch {longest}':>{width - 7}}\n{'':>10}", style="not bold dim"
    )
    for number, (name, values) in enumerate(series.items()):
        text.append(f" ── {name}", style=f"not bold {_COLORS[number % len(_COLORS)]}")
        text.append(f" {values[-1]:.4f}  " if values else "  ", style="not bold")
    text.append("\n")
    return text
