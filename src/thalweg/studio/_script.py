"""A run as Python: a script that repeats it, knobs that were turned by hand included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from thalweg import callbacks
from thalweg.studio._live import Live
from thalweg.studio._recorded import Recorded

_FIT = ("batch_size", "shuffle", "steps_per_epoch", "initial_epoch", "validation_freq")
"""Arguments of ``fit`` that a run keeps."""


def script_of(folder: Path) -> str:
    """Python that trains the net of a run again, to the same bits on the same machine.

    Args:
        folder: of the run.

    """
    run, live = callbacks.read_run(folder, epochs=False), _told(folder)
    frame, _ = live.since()
    record, fit = run.record, run.record.get("fit") or {}
    changes = [(one["epoch"], one["step"], one["path"], one["new"]) for one in frame["changes"]]
    ended = record.get("ended") or {}
    lines = [
        f'"""The run {folder.name} again, as it was steered."""',
        "",
        "from thalweg import callbacks, models",
        *_rows(record, folder, frame["epochs"]),
        f"model = models.model_from_json({json.dumps(json.dumps(record['model'][0]))})",
        "steered = callbacks.Replay(",
        "    [",
        *(f"        {change!r}," for change in changes),
        "    ],",
        *([f"    stop={tuple(ended['stopped'])!r},"] if ended.get("stopped") else []),
        ")",
        "history = model.fit(",
        "    **rows,",
        *(f"    {name}={fit[name]!r}," for name in _FIT if fit.get(name) is not None),
        f"    epochs={fit.get('epochs')!r},",
        f"    seed={record['seeds'][0]!r},",
        "    callbacks=[steered],",
        ")",
        "",
    ]
    return "\n".join(lines)


def _told(folder: Path) -> Live:
    recorded = Recorded(folder)
    recorded.look()
    return recorded.live


def _rows(record: dict[str, Any], folder: Path, epochs: list[dict[str, Any]]) -> list[str]:
    """Where the rows come from: as ``thalweg train`` cut them, or from whoever has them."""
    if (record.get("asked") or {}).get("command"):
        return ["from thalweg.cli import rows_of", "", f"rows = rows_of({str(folder)!r})"]
    data = record.get("data") or {}
    known = f"{data['rows']:,} rows, sha256 {data['sha256'][:12]}..." if data.get("sha256") else "a stream of batches"
    split = (record.get("fit") or {}).get("validation_split")
    if not any("val_loss" in one for one in epochs):
        names, rows = "x and y are", '{"x": x, "y": y}'
    elif split:
        names, rows = "x and y are", f'{{"x": x, "y": y, "validation_split": {split!r}}}'
    else:
        names, rows = "x, y and validation are", '{"x": x, "y": y, "validation_data": validation}'
    return ["", f"# {names} what the run had: {known}", f"rows = {rows}"]
