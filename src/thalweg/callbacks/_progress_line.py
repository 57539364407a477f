"""How far an epoch is, as one line: for a log, for a terminal, for a notebook."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from thalweg.callbacks._logs import figure

Paint = Callable[[str, str], str]
"""(text, one of the styles below) -> the text, marked up."""

_ANSI = {"title": "1", "bar": "36", "rest": "2", "quiet": "2", "value": ""}
_CSS = {"title": "font-weight:600", "bar": "color:#0b7285", "rest": "opacity:.25", "quiet": "opacity:.65", "value": ""}
_BARS = (24, 16, 10, 0)  # widths to try, the widest first; 0: no bar
_GAP = "  "
_INDENT = 2  # of an epoch's further rows

Field = list[tuple[str, str]]
"""Parts that stay together: (text, style)."""


class Line(NamedTuple):
    """One state of the progress.

    Attributes:
        epoch: counted from 1; None where there is one only.
        epochs: of the fit.
        done: steps.
        total: steps of the epoch, None where nobody knows.
        seconds: since the epoch began.
        pace: seconds a step; None before the first one.
        values: logs.
        phase: ``'train'``, ``'validate'`` or ``'end'``.

    """

    epoch: int | None
    epochs: int
    done: int
    total: int | None
    seconds: float
    pace: float | None
    values: Mapping[str, Any]
    phase: str = "train"


def duration(seconds: float) -> str:
    """``'9s'``, ``'2:05'``, ``'1:02:03'``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def per_step(seconds: float) -> str:
    """``'2s/step'``, ``'12ms/step'``, ``'771us/step'``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}/step"
    return f"{seconds * 1e6:.0f}us/step"


def log_line(line: Line) -> str:
    """Without colours and columns: ``Epoch 1/20 - 3/3 - 0s - 771us/step - accuracy: 0.2933 - loss: 1.9864``."""
    parts = [] if line.epoch is None else [f"Epoch {line.epoch}/{line.epochs}"]
    parts += [f"{line.done}/{line.total or line.done}", duration(line.seconds)]
    parts += [] if line.pace is None else [per_step(line.pace)]
    return " - ".join(parts + [f"{name}: {figure(value)}" for name, value in line.values.items()])


def rich_line(line: Line, width: int, paint: Paint, glyphs: str) -> str:
    """With a bar and colours, in columns.

    Where an epoch has ended, what does not fit goes into further rows; before that it is left out.

    Args:
        line: what to show.
        width: characters in a row.
        paint: how to mark text up.
        glyphs: of the bar: what is done, what is not.

    """
    logs: list[Field] = [[(f"{name}:", "quiet"), (f" {figure(value)}", "value")] for name, value in line.values.items()]
    for size in _BARS if line.total else (0,):
        fields = [*_title(line), *_bar(line, size, glyphs), *_counts(line), *logs]
        rows = _rows(fields, width)
        if len(rows) == 1:
            break
    if line.phase != "end" and len(rows) > 1:
        rows = [[*_rows(fields, width - 3)[0], [("…", "quiet")]]]
    indent = "\n" + " " * _INDENT
    return indent.join(_GAP.join("".join(paint(*part) for part in field) for field in row) for row in rows)


def _title(line: Line) -> list[Field]:
    return [] if line.epoch is None else [[(f"Epoch {line.epoch:>{len(str(line.epochs))}}/{line.epochs}", "title")]]


def _bar(line: Line, width: int, glyphs: str) -> list[Field]:
    full = min(width, int(width * line.done / (line.total or 1)))
    return [[(glyphs[0] * full, "bar"), (glyphs[1] * (width - full), "rest")]] if width else []


def _counts(line: Line) -> list[Field]:
    """Steps, time, and time per step, each at least as wide as it mostly is, so that epochs stand in columns."""
    steps = f"{line.done:>{len(str(line.total))}}/{line.total}" if line.total else f"{line.done} steps"
    pace = "" if line.pace is None else per_step(line.pace)
    return [[(text, "quiet")] for text in (steps, f"{_clock(line):>3}", f"{pace:>9}")]


def _clock(line: Line) -> str:
    if line.phase == "validate":
        return "validating"
    if line.phase == "end" or not line.total or line.pace is None:
        return duration(line.seconds)
    return f"{duration(line.pace * (line.total - line.done))} left"


def _rows(fields: list[Field], width: int) -> list[list[Field]]:
    """As many fields in each row as fit."""
    rows: list[list[Field]] = []
    room = -1
    for field in fields:
        length = sum(len(text) for text, _ in field)
        if length > room:
            rows.append([])
            room = width if len(rows) == 1 else width - _INDENT
        rows[-1].append(field)
        room -= length + len(_GAP)
    return rows


def ansi(text: str, style: str) -> str:
    """Marked up for a terminal."""
    return f"\x1b[{_ANSI[style]}m{text}\x1b[0m" if text and _ANSI[style] else text


def unmarked(text: str, style: str) -> str:
    """As it is."""
    return text


def markup(text: str, style: str) -> str:
    """Marked up as HTML."""
    safe = html.escape(text)
    return f'<span style="{_CSS[style]}">{safe}</span>' if text and _CSS[style] else safe
