"""Who opened the test rows of a run, when and why: read from the ledger, without opening them."""

from __future__ import annotations

from typing import Any

from thalweg import data
from thalweg.callbacks import Run

LEVEL = 0.95  # of all looks together


def tested(run: Run) -> dict[str, Any]:
    """The lines of the ledger for the run's test rows, whatever run they were opened for."""
    folder = run.path.resolve()
    known = (run.record.get("asked") or {}).get("test") or {}
    try:
        lines = data.openings(folder.parent)
    except data.DataError as error:
        return {"rows": known.get("rows"), "openings": [], "level": None, "next": None, "damaged": str(error)}
    rows = {known["sha256"]} if known else {one.data for one in lines if one.run == folder.name}
    looks = [{**one._asdict(), "own": one.run == folder.name} for one in lines if one.data in rows]
    counts = [sum(one["data"] == each for one in looks) for each in rows]
    most = max(counts, default=0)
    return {
        "rows": known.get("rows"),
        "openings": looks,
        "level": data.level_for(most, LEVEL) if most else None,
        "next": data.level_for(most + 1, LEVEL),
        "damaged": "",
    }
