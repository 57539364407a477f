"""Sections of what is on record: what was trained on what, and its curves."""

from __future__ import annotations

import shlex
from typing import Any

from thalweg.reports._blocks import Block, Code, Facts, Folded, Grid, Heading, Listing, Picture, Pictures, Text
from thalweg.reports._words import NONE, count, log, moment, number, part, seconds

_CHANGES = 40  # that are listed


def trained_blocks(told: dict[str, Any]) -> list[Block]:
    """The net, its rows and its fit."""
    found: list[Block] = [
        Text("The data, the net and the fit, as the run's record tells them: what one needs to train the same again."),
        Facts(tuple(_facts(told))),
    ]
    if told["layers"]:
        found.append(_layers(told))
    if told["said"]:
        found.append(Folded("What the data were taken for", "\n".join(told["said"])))
    if told["data"]:
        found += [Text("The command that began it:"), Code(_command(told))]
    return found


def _facts(told: dict[str, Any]) -> list[tuple[str, str]]:
    rows, epochs, machine = told["rows"], told["epochs"], told["machine"]
    state = f"{told['state']}, {epochs['done']} of {count(epochs['asked'])} epochs in {seconds(told['seconds'])}"
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    devices = ", ".join(dict.fromkeys(machine.get("devices") or [])) or "not on record"
    resumed = f", resumed {len(told['resumed'])} times" if told["resumed"] else ""
    seeds = told["seeds"]
    found = [
        ("Data", told["data"] or "handed over by a script"),
        ("Rows", ", ".join(f"{name} {count(one)}" for name, one in rows.items())),
        ("Nets", f"{told['nets']:,} side by side") if told["nets"] > 1 else None,
        ("Optimizer", part(told["optimizer"])),
        ("Loss", part(told["loss"])),
        ("Metrics", ", ".join(part(one) for one in told["metrics"]) or "none"),
        ("Batch size", number(told["batch_size"] or "32 (none was given)")),
        ("State", state + resumed),
        ("Seed", ", ".join(map(str, seeds[:8])) + (f" and {len(seeds) - 8} more" if len(seeds) > 8 else "")),
        ("When", f"{moment(told['begun'])} to {moment(told['ended']) if told['ended'] else 'an end not on record'}"),
        ("Versions", versions or "not on record"),
        (
            "Machine",
            f"{devices}, {machine.get('threads', '?')} threads, {machine.get('system', 'system not on record')}",
        ),
    ]
    return [one for one in found if one is not None]


def _layers(told: dict[str, Any]) -> Grid:
    rows = [
        (
            one["name"] or NONE,
            one["kind"],
            NONE if one["shape"] is None else " x ".join(map(str, one["shape"])),
            NONE if one["parameters"] is None else f"{one['parameters']:,}",
        )
        for one in told["layers"]
    ]
    total = "" if told["parameters"] is None else f", {told['parameters']:,} parameters in all"
    caption = f"The layers, inputs first{total}. The output shape is that of one row."
    return Grid(caption, ("layer", "kind", "output shape", "parameters"), tuple(rows), (0, 1))


def _command(told: dict[str, Any]) -> str:
    words = ["thalweg", "train", str(told["data"])]
    for name, value in told["options"].items():
        words += [f"--{'from' if name == 'study' else name.replace('_', '-')}", number(value)]
    return shlex.join(words)


# -- curves ------------------------------------------------------------------------------------


def curve_blocks(told: dict[str, Any]) -> list[Block]:
    """A picture a curve, then what is marked in them."""
    if not told["epochs"]:
        return [Text("No epoch was finished: there is nothing to draw.")]
    best = told["best"]
    rest = "" if told["validated"] else " Nothing was validated: whether the net has learnt by heart cannot be seen."
    found: list[Block] = [
        Text(
            "Loss and metrics after each epoch, on the rows that the net learnt from and on those that it did not. While the "
            "training loss is counted, dropout is on and the net still learns, so it may lie above that of validation. A star "
            f"marks the best epoch, whose net is kept; a dotted line a hyperparameter that was turned.{rest}"
        ),
        Pictures(tuple(_picture(i, one, told) for i, one in enumerate(told["series"], start=1))),
        _ends(told),
    ]
    if len(best) > 1:
        found.append(_bests(best))
    found += _changes(told["changes"])
    if told["warnings"]:
        found += [Heading(3, "Warnings"), Text("What the fit said while it ran:")]
        found.append(Listing(tuple(("", one, "") for one in told["warnings"])))
    return found


def _picture(i: int, one: dict[str, Any], told: dict[str, Any]) -> Picture:
    title = f"{one['name']}{one['unit']}"
    data = {**one, "title": title, "epochs": told["epochs"], "best": told["best"], "changes": told["changes"]}
    ends = ", ".join(
        f"{rows} {log(one[rows][0][0])} to {log(one[rows][0][-1])}" for rows in ("training", "validation") if one[rows]
    )
    alt = f"{title} over {len(told['epochs'])} epochs: {ends}."
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in one["name"][:30])
    return Picture(f"curve-{i}-{name}", "curve", data, alt, title)


def _ends(told: dict[str, Any]) -> Grid:
    best = told["best"][0]["epoch"] if len(told["best"]) == 1 else None
    place = told["epochs"].index(best) if best in told["epochs"] else None
    rows = []
    for one in told["series"]:
        for rows_of in ("training", "validation"):
            if one[rows_of]:
                line = one[rows_of][0]
                at = () if place is None else (log(line[place]),)
                rows.append((f"{rows_of} {one['name']}{one['unit']}", log(line[0]), *at, log(line[-1])))
    head = (
        "",
        "first epoch",
        *(() if place is None else (f"best epoch ({best})",)),
        f"last epoch ({told['epochs'][-1]})",
    )
    which = " of the first net" if len(told["best"]) > 1 else ""
    return Grid(f"Where the curves{which} begin and end.", head, tuple(rows))


def _bests(best: list[dict[str, Any]]) -> Grid:
    rows = tuple((f"net {i}", str(one["epoch"]), log(one["value"])) for i, one in enumerate(best))
    return Grid("The best epoch of each net, and what it reached there.", ("", "best epoch", "value"), rows)


def _changes(changes: list[dict[str, Any]]) -> list[Block]:
    if not changes:
        return [Text("No hyperparameter was turned while it trained.", quiet=True)]
    rows = [
        (str(one["epoch"] + 1), str(one["step"]), one["path"], number(one["old"]), number(one["new"]))
        for one in changes[:_CHANGES]
    ]
    more = f" The first {_CHANGES} of {len(changes):,}; all stand in history.jsonl." if len(changes) > _CHANGES else ""
    caption = f"Hyperparameters that were turned while it trained, and with which step that began.{more}"
    return [Heading(3, "Turned on the way"), Grid(caption, ("epoch", "step", "which", "from", "to"), tuple(rows), (2,))]
