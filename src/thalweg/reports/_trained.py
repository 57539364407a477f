"""What was trained on what, and how: the record of a run, in the order in which people ask."""

from __future__ import annotations

import json
from typing import Any

from thalweg.callbacks import Run
from thalweg.models import model_from_json
from thalweg.reports._events import Events
from thalweg.reports._given import Given

_NOT_SAID = ("data", "checkpoint")  # options that tell nothing of the net
_UNUSED = ("name", "reduction", "axis")  # of parts: alike nearly everywhere


def trained(run: Run, events: Events, given: Given | None) -> dict[str, Any]:
    """From run.json alone, but for how many rows validated and what a table's columns were taken for."""
    record, told = run.record, (run.record.get("model") or [None])[0]
    asked, ended = record.get("asked") or {}, record.get("ended") or {}
    command = asked.get("command") or {}
    compiled = (told or {}).get("compile_config") or {}
    fit = record.get("fit") or {}
    return {
        "data": command.get("data"),
        "options": {name: value for name, value in command.items() if name not in _NOT_SAID and value is not None},
        "rows": {
            "training": (record.get("data") or {}).get("rows"),
            "validation": None if given is None or given.validation is None else _count(given.validation[1]),
            "test": (asked.get("test") or {}).get("rows"),
        },
        "said": [] if given is None else list(given.said),
        "nets": record.get("members") or 1,
        **_layers(told),
        "optimizer": _named(compiled.get("optimizer")),
        "loss": _named(compiled.get("loss")),
        "metrics": [_named(one) for one in _flat(compiled.get("metrics"))],
        "batch_size": fit.get("batch_size"),
        "epochs": {"asked": fit.get("epochs"), "done": len(events.epochs)},
        "seeds": record.get("seeds") or [],
        "state": run.state,
        "begun": record.get("begun"),
        "ended": ended.get("at"),
        "resumed": record.get("resumed") or [],
        "seconds": round(sum(line.get("seconds") or 0 for line in events.epochs), 3),
        "versions": record.get("versions") or {},
        "machine": record.get("machine") or {},
    }


def _count(y: Any) -> int:
    """How many rows targets have, those of several outputs, too."""
    if isinstance(y, dict):
        y = list(y.values())
    return len(y[0]) if isinstance(y, (list, tuple)) and hasattr(y[0], "__len__") else len(y)


def _layers(told: Any) -> dict[str, Any]:
    """A dict a layer, and how many weights there are; shapes are None where a net of a person's own parts is not made anew."""
    if told is None:
        return {"layers": [], "parameters": None}
    try:
        model = model_from_json(json.dumps({**told, "compile_config": None}))
    except (ValueError, TypeError):
        named = [(one["config"].get("name"), one["class_name"]) for one in told["config"]["layers"]]
        return {
            "layers": [{"name": n, "kind": k, "shape": None, "parameters": None} for n, k in named],
            "parameters": None,
        }
    shapes = {id(symbol.layer): symbol.shape for symbol in model.inputs}
    made = model.network.features[len(model.inputs) :]
    shapes |= {id(model.network.layers[n.layer]): (None, *f) for n, f in zip(model.network.nodes, made, strict=True)}
    each = [
        {
            "name": layer.name,
            "kind": type(layer).__name__,
            "shape": list(shapes[id(layer)][1:]),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    ]
    return {"layers": each, "parameters": model.count_params()}


def _named(told: Any) -> dict[str, Any] | None:
    """A part of the net by its name and its numbers; what is off is left out."""
    if told is None:
        return None
    if not isinstance(told, dict):
        return {"name": str(told), "numbers": {}}
    config = told.get("config") or {}
    off = _UNUSED if config.get("use_ema") else (*_UNUSED, "ema_momentum")
    numbers = {name: _value(value) for name, value in config.items() if name not in off and value not in (None, False)}
    return {"name": str(told.get("registered_name") or told.get("class_name")), "numbers": numbers}


def _value(value: Any) -> Any:
    return _named(value) if isinstance(value, dict) and "class_name" in value else value


def _flat(given: Any) -> list[Any]:
    if isinstance(given, dict) and "class_name" not in given:
        given = list(given.values())
    if isinstance(given, list):
        return [one for part in given for one in _flat(part)]
    return [] if given is None else [given]
