"""Sections of what holds the net back, and of what more rows would bring."""

from __future__ import annotations

from typing import Any

from thalweg.diagnosis._diagnosis import MEANING
from thalweg.reports._blocks import Block, Grid, Heading, Listing, Picture, Pictures, Text, Told
from thalweg.reports._words import NONE, percent


def diagnosis_blocks(told: dict[str, Any]) -> list[Block]:
    """The scenario, the errors, what was found, and what to do next."""
    found: list[Block] = [
        Text(
            "What holds the net back: training and validation error with dropout off and without penalties, compared with "
            f"what can be reached on the same rows. Errors are given as {told['unit']}."
        ),
        Told(told["scenario"].capitalize(), _meaning(told)),
        _errors(told),
    ]
    if told["baselines"]:
        found.append(_baselines(told))
    if told["findings"]:
        found += [Heading(3, "Found"), Text("What is wrong, each with its evidence:")]
        found.append(
            Listing(
                tuple((one["name"], f"{one['evidence']}. Remedy: {one['remedy']}.", "") for one in told["findings"])
            )
        )
    if told["remedies"]:
        found += [Heading(3, "What to do next"), Text("In this order; each with its reason, and how it is done:")]
        found.append(Listing(tuple((one["what"], one["why"], one["how"]) for one in told["remedies"]), numbered=True))
    return [*found, *(Text(one, quiet=True) for one in told["notes"])]


def _meaning(told: dict[str, Any]) -> str:
    chances = ", ".join(f"{name} {chance:.0%}".replace("%", " %") for name, chance in told["chances"].items())
    sure = f"How sure that is, with so many rows: {chances}." if chances else "What was found decides that."
    return f"{MEANING.get(told['scenario'], '')} {sure}"


def _errors(told: dict[str, Any]) -> Grid:
    target, rows = told["target"], told["rows"]
    whence = "given" if target["by"] == "given" else f"estimated: reached by {target['by']}"
    lines = [
        ("training", *_spanned(told["train"]), f"{rows[0]:,} rows"),
        ("validation", *_spanned(told["validation"]), f"{rows[1]:,} rows"),
        ("target", *_spanned(target["reached"]), whence),
        ("avoidable bias", *_spanned(told["bias"]), "training - target"),
        ("variance", *_spanned(told["variance"]), "validation - training"),
        ("a constant", percent(told["constant"]), NONE, "the best single answer, on validation rows"),
    ]
    if told["seeds"]:
        nets = f"over {told['seeds']['nets']} nets of other seeds"
        lines += [(f"{name}, seeds", *_spanned(told["seeds"][name]), nets) for name in ("bias", "variance")]
    head = ("", told["unit"], "95 % interval", "")
    return Grid("The errors, with intervals over rows, and the gaps between them.", head, tuple(lines), (0, 3))


def _spanned(one: dict[str, float]) -> tuple[str, str]:
    span = NONE if one["low"] == one["high"] else f"{percent(one['low'])} to {percent(one['high'])}"
    return percent(one["value"]), span


def _baselines(told: dict[str, Any]) -> Grid:
    nets = [("this net", told["validation"]["value"]), *told["baselines"].items()]
    rows = tuple((name, percent(error)) for name, error in sorted(nets, key=lambda one: one[1]))
    return Grid("Models that are no nets, on the same validation rows, the best one first.", ("", told["unit"]), rows)


def learning_blocks(told: dict[str, Any]) -> list[Block]:
    """The answer, the picture and the numbers."""
    law, fit = told["fit"]["law"], told["fit"]
    ends = ", ".join(f"{name} {low:.2g} to {high:.2g}" for name, (low, high) in fit["intervals"].items())
    text = f"error(n) = {law['a']:.3g} + {law['b']:.3g} n^-{law['c']:.2f}"
    seen, last = told["sizes"][-1], told["predictions"][-1]
    alt = (
        f"{told['unit']} falls from {percent(_mean(told['errors'][0]))} with {told['sizes'][0]:,} rows to "
        f"{percent(_mean(told['errors'][-1]))} with {seen:,}; {percent(last['error'])} is foretold for {last['rows']:,}."
    )
    return [
        Text(
            f"Nets like this one that learnt from more and more of the rows, {len(told['errors'][0])} of each size, measured "
            f"on {told['validation_rows']:,} validation rows; a power law through their errors foretells what more rows would "
            "bring."
        ),
        Told("The answer", told["answer"]),
        Pictures(
            (Picture("learning-curve", "learning", told, alt, "Each dot is a net; the band holds what is foretold."),)
        ),
        Text(f"The law: {text} ({fit['level']:.0%}: {ends}).".replace("%:", " %:")),
        _sizes(told),
    ]


def _sizes(told: dict[str, Any]) -> Grid:
    rows = [
        (f"{size:,}", percent(_mean(train)), percent(_mean(rest)), f"{percent(min(rest))} to {percent(max(rest))}")
        for size, train, rest in zip(told["sizes"], told["train_errors"], told["errors"], strict=True)
    ]
    rows += [
        (f"{one['rows']:,} (foretold)", NONE, percent(one["error"]), f"{percent(one['low'])} to {percent(one['high'])}")
        for one in told["predictions"]
    ]
    head = ("rows", "training", "validation", "from, to")
    return Grid(
        f"The curve in numbers, {told['unit']}; from, to is over nets, or what is foretold.", head, tuple(rows), ()
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
