"""What happened in a run, epoch by epoch: curves, what was turned on the way, what was warned of."""

from __future__ import annotations

import math
from typing import Any

from thalweg.callbacks import Run
from thalweg.reports._events import Events

_IN_UNIT = ("mae", "mean_absolute_error", "rmse", "root_mean_squared_error")
"""Metrics that are in the target's unit."""


def happened(run: Run, events: Events, unit: tuple[float, str]) -> dict[str, Any]:
    """A dict a curve, with a line a net, and what is to be marked in it.

    Args:
        run: which.
        events: what its history holds.
        unit: what 1 in the net's outputs is in the target's own unit, and words for it.

    """
    names = [name for name in events.names if not name.startswith("val_")]
    names.sort(key=lambda name: (name != "loss", name == "learning_rate"))
    steps = run.steps
    return {
        "epochs": [line["epoch"] + 1 for line in events.epochs],
        "series": [_curve(name, events, unit) for name in names if _is_curve(name, events)],
        "best": _best(run, events),
        "changes": [{**one, "at": one["epoch"] + (one["step"] / steps if steps else 0)} for one in events.changes],
        "warnings": list(dict.fromkeys(events.warnings)),
        "validated": any("val_loss" in line for line in events.epochs),
    }


def _is_curve(name: str, events: Events) -> bool:
    return all(isinstance(_one(line.get(name)), float | int | None) for line in events.epochs)


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _curve(name: str, events: Events, unit: tuple[float, str]) -> dict[str, Any]:
    factor, words = unit if name in _IN_UNIT else (1.0, "")
    training, validation = (_lines([line.get(one) for line in events.epochs], factor) for one in (name, f"val_{name}"))
    return {"name": name, "unit": words, "training": training, "validation": validation}


def _lines(values: list[Any], factor: float) -> list[list[float | None]]:
    """A line a net; None where a number is missing or is none. Without any number, no line."""
    nets = max((len(one) for one in values if isinstance(one, list)), default=1)
    each = [one if isinstance(one, list) else [one] * nets for one in values]
    lines = [[_number(one[net], factor) for one in each] for net in range(nets)]
    return lines if any(value is not None for line in lines for value in line) else []


def _number(value: Any, factor: float) -> float | None:
    return float(value) * factor if isinstance(value, float | int) and math.isfinite(value) else None


def _best(run: Run, events: Events) -> list[dict[str, Any]]:
    """The best epoch of each net: as the run's end tells it, or of a run that has not ended, that of the lowest loss."""
    told = (run.record.get("ended") or {}).get("best") or {}
    if "epoch" in told:
        return [{"epoch": told["epoch"] + 1, "value": told["value"]}]
    if told:
        return [{"epoch": told[one]["epoch"] + 1, "value": told[one]["value"]} for one in sorted(told, key=int)]
    name = "val_loss" if any("val_loss" in line for line in events.epochs) else "loss"
    values = [(line[name], line["epoch"] + 1) for line in events.epochs if isinstance(line.get(name), float)]
    return [{"epoch": min(values)[1], "value": min(values)[0]}] if values else []
