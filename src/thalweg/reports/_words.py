"""Numbers and times as people read them."""

from __future__ import annotations

from typing import Any

from thalweg.callbacks import figure as log_figure

NONE = "\u2013"
"""A dash, for what has no meaning or is not known."""


def percent(share: float | None) -> str:
    """``0.9385`` as ``93.9 %``; finer where it is near nothing."""
    if share is None:
        return NONE
    return f"{share:.2%}".replace("%", " %") if 0 < abs(share) < 0.0995 else f"{share:.1%}".replace("%", " %")


def ratio(value: float | None) -> str:
    """With three decimals, or a dash where it has no meaning."""
    return NONE if value is None else f"{value:.3f}"


def count(value: int | None) -> str:
    """With commas, or what is said where it is not known."""
    return "not on record" if value is None else f"{value:,}"


def log(value: float | None) -> str:
    """A log's value."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 1000 else log_figure(value)


def number(value: Any) -> str:
    """A hyper's value, short."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def moment(text: str | None) -> str:
    """``2026-01-31T12:00:00+00:00`` as ``2026-01-31 12:00:00 UTC``."""
    if not text:
        return "not on record"
    return f"{text[:19].replace('T', ' ')} UTC" if text[10:11] == "T" else text


def seconds(value: float) -> str:
    """How long."""
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def part(told: dict[str, Any] | None) -> str:
    """A part of a net by its name and its numbers: ``Adam (learning_rate 0.001, beta_1 0.9)``."""
    if told is None:
        return "not on record"
    numbers = ", ".join(
        f"{name} {part(value) if isinstance(value, dict) and 'numbers' in value else number(value)}"
        for name, value in told["numbers"].items()
    )
    return told["name"] + (f" ({numbers})" if numbers else "")
