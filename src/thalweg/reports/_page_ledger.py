"""The section of the test set: who opened it."""

from __future__ import annotations

from typing import Any

from thalweg.data._sealed import times
from thalweg.reports._blocks import Block, Grid, Text
from thalweg.reports._words import moment

_LINES = 50  # of the ledger that are shown


def ledger_blocks(told: dict[str, Any]) -> list[Block]:
    """How often, when, why, for which net, and what that does to intervals."""
    looks = told["openings"]
    about = Text(
        "Who opened the test rows of this run, as the ledger beside it tells. This report has not opened them, and shows "
        "nothing that was learnt from them."
    )
    if told["damaged"]:
        return [about, Text(f"The ledger cannot be read: {told['damaged']}")]
    if told["rows"] is None and not looks:
        return [about, Text("This run's record knows of no test rows, and the ledger of no opening.")]
    rows = "The test rows" if told["rows"] is None else f"{told['rows']:,} test rows"
    if not looks:
        return [about, Text(f"{rows}, {times(0)}. The first look gets an interval at {_level(told['next'])}.")]
    return [about, _ledger(looks), Text(f"{rows}, {times(len(looks))}. {_widened(told)}")]


def _widened(told: dict[str, Any]) -> str:
    if told["level"] == told["next"]:
        return ""
    return (
        f"Each look's interval is to be read at {_level(told['level'])}, so that all looks together hold with 95 % "
        f"(Bonferroni); one more look makes that {_level(told['next'])}."
    )


def _ledger(looks: list[dict[str, Any]]) -> Grid:
    shown = looks[-_LINES:]
    rows = tuple(
        (
            moment(one["when"]),
            one["why"],
            one["model"] or "nobody named",
            f"{one['run']}{' (this run)' if one['own'] else ''}",
        )
        for one in shown
    )
    more = f" The last {_LINES} of {len(looks):,}." if len(looks) > _LINES else ""
    return Grid(f"The openings, the oldest first.{more}", ("when", "why", "net", "run"), rows, (0, 1, 2, 3))


def _level(level: float) -> str:
    return f"{100 * level:.4g} %"
