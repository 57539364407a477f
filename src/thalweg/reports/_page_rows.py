"""The section of the validation rows: what is mixed up, what can be believed, what is most wrong."""

from __future__ import annotations

from typing import Any

from thalweg.reports._blocks import Block, Card, Cards, Facts, Grid, Heading, Picture, Pictures, Shade, Text
from thalweg.reports._numbers import figure
from thalweg.reports._words import log, percent, ratio

_MATRIX = 20  # classes up to which the whole matrix is shown
_PICTURED = 4  # labels or numbers that get pictures


def row_blocks(told: dict[str, Any]) -> list[Block]:
    """By what the net is for."""
    return [*_KINDS[told["task"]](told), *_worst(told)]


def _classes(told: dict[str, Any]) -> list[Block]:
    accuracy, names = told["accuracy"], told["names"]
    found: list[Block] = [
        Text("What the best net makes of the rows that it did not learn from: which classes it takes for which others."),
        Facts(
            (
                ("Rows", f"{told['rows']:,} of {len(names):,} classes"),
                (
                    "Accuracy",
                    f"{percent(accuracy['value'])}, 95 % interval {percent(accuracy['low'])} to {percent(accuracy['high'])}",
                ),
                ("Loss", log(told["loss"])),
            )
        ),
        Heading(3, "Confusion"),
        _matrix(told) if len(names) <= _MATRIX else _pairs(told),
        Heading(3, "Class by class"),
        _each(told, "rows", "Precision: of the rows that were called so, how many are. Recall: of those that are, how many "
              "were called so. F1 is their harmonic mean. A dash: no such row."),
        Heading(3, "Calibration"),
    ]  # fmt: skip
    if told["calibration"] is None:
        return [*found, Text("The net's outputs are no probabilities: there is nothing to calibrate.")]
    return [*found, *_calibration(told["calibration"])]


def _matrix(told: dict[str, Any]) -> Grid:
    names, matrix = told["names"], told["confusion"]
    most = max((n for i, row in enumerate(matrix) for j, n in enumerate(row) if i != j), default=0) or 1
    rows, shades = [], []
    for i, row in enumerate(matrix):
        total = sum(row)
        rows.append((names[i], *map(str, row), str(total)))
        own = (
            [_shade(n, n / total if i == j else n / most, i == j) for j, n in enumerate(row)]
            if total
            else [None] * len(row)
        )
        shades.append((None, *own, None))
    caption = (
        "How many rows of each class (a line) were taken for which class (a column). Blue is right; the stronger the orange of a "
        "cell, the more rows were mistaken."
    )
    return Grid(caption, ("truth", *names, "rows"), tuple(rows), (0,), tuple(shades))


def _shade(rows: int, strength: float, right: bool) -> Shade | None:
    return Shade(right, strength) if rows else None


def _pairs(told: dict[str, Any]) -> Grid:
    names, each = told["names"], told["each"]
    rows = tuple(
        (names[one["truth"]], names[one["said"]], str(one["rows"]), percent(one["rows"] / each[one["truth"]]["rows"]))
        for one in told["pairs"]
    )
    caption = f"The {len(rows)} pairs of classes that are mixed up most, of {len(names):,} classes."
    return Grid(caption, ("truth", "said", "rows", "share of the class"), rows, (0, 1))


def _each(told: dict[str, Any], rows: str, caption: str) -> Grid:
    lines = tuple(
        (name, f"{one['rows']:,}", ratio(one["precision"]), ratio(one["recall"]), ratio(one["f1"]))
        for name, one in zip(told["names"], told["each"], strict=True)
    )
    return Grid(caption, ("", rows, "precision", "recall", "F1"), lines)


def _calibration(told: dict[str, Any]) -> list[Block]:
    alt = "; ".join(
        f"{percent(p['probability'])} said, {percent(p['share'])} right ({p['rows']} rows)" for p in told["points"]
    )
    data = {**told, "said": "probability of the class that was named", "came": "share that was right"}
    return [
        Text(
            f"Whether probabilities can be believed. The expected calibration error is {percent(told['error'])}: so far, on "
            f"average over rows, is the share of right answers from the probability that was told, in {told['bins']} bins of "
            "equal width (Guo et al. 2017). Points below the line: the net is surer than it should be."
        ),
        Pictures((Picture("calibration", "reliability", data, f"Reliability diagram: {alt}.",
                          "Each dot is a bin, with the 95 % interval of its share; the bars below are its rows."),)),
    ]  # fmt: skip


# -- labels and numbers ------------------------------------------------------------------------


def _labels(told: dict[str, Any]) -> list[Block]:
    names = told["names"]
    found: list[Block] = [
        Text("What the best net makes of the rows that it did not learn from, label by label."),
        Facts(
            (
                ("Rows", f"{told['rows']:,}, {len(names):,} labels each"),
                ("Labels right", percent(told["accuracy"]["value"])),
                ("Rows with all labels right", percent(told["exact"])),
                ("Loss", log(told["loss"])),
            )
        ),
        Heading(3, "Label by label"),
        _each(told, "rows that have it", "Precision: of the rows that were given the label, how many have it. Recall: of those "
              "that have it, how many were given it. A dash: no such row."),
        Heading(3, "Calibration"),
    ]  # fmt: skip
    known = [(name, one) for name, one in zip(names, told["calibrations"], strict=True) if one is not None]
    if not known:
        return [*found, Text("The net's outputs are no probabilities: there is nothing to calibrate.")]
    rows = tuple((name, percent(one["error"])) for name, one in known)
    return [
        *found,
        Text(
            "Whether the probability of each label can be believed. The expected calibration error is the mean distance of the "
            f"share of rows that have it from the probability that was told, in {known[0][1]['bins']} bins of equal width "
            "(Guo et al. 2017)."
        ),
        Grid("The expected calibration error of each label.", ("", "calibration error"), rows),
        Pictures(tuple(_reliability(i, *one) for i, one in enumerate(known[:_PICTURED]))),
    ]


def _reliability(i: int, name: str, told: dict[str, Any]) -> Picture:
    data = {**told, "said": f"probability of {name}", "came": "share that has it"}
    alt = "; ".join(f"{percent(p['probability'])} said, {percent(p['share'])} came true" for p in told["points"])
    return Picture(f"calibration-{i}", "reliability", data, f"Reliability diagram of {name}: {alt}.", name)


def _numbers(told: dict[str, Any]) -> list[Block]:
    names = told["names"]
    unit = "in the targets' own units" if told["scaled"] else "as the net predicts them"
    rows = tuple(
        (
            name,
            *(figure(one[key]) for key in ("mae", "rmse", "median", "ninety", "bias")),
            ratio(one["r2"]),
        )
        for name, one in zip(names, told["each"], strict=True)
    )
    head = ("", "mean error", "root mean square", "half below", "90 % below", "mean residual", "R²")
    caption = (
        f"Sizes of the errors, {unit}. A mean residual (predicted - true) far from 0: the net says too much, or too little, on "
        "the whole. R² is the share of the variance that is explained."
    )
    drawn = [
        one
        for i, name in enumerate(names[:_PICTURED])
        for one in (_scatter(i, name, told["points"][i]), _residuals(i, name, told["each"][i]))
    ]
    return [
        Text("What the best net makes of the rows that it did not learn from: how far its predictions are off."),
        Facts((("Rows", f"{told['rows']:,}"), ("Loss", log(told["loss"])))),
        Heading(3, "Errors"),
        Grid(caption, head, rows),
        Heading(3, "Predicted against true"),
        Text("Dots on the line are predicted exactly; the second picture counts residuals, which should lie around 0."),
        Pictures(tuple(drawn)),
    ]


def _scatter(i: int, name: str, points: dict[str, Any]) -> Picture:
    alt = f"Predicted against true {name}: {len(points['truth']):,} rows."
    return Picture(f"scatter-{i}", "scatter", {**points, "name": name}, alt, f"{name}: predicted against true")


def _residuals(i: int, name: str, one: dict[str, Any]) -> Picture:
    alt = f"Histogram of the residuals of {name}, mean {figure(one['bias'])}, root mean square {figure(one['rmse'])}."
    data = {**one["residuals"], "name": name}
    return Picture(f"residuals-{i}", "residuals", data, alt, f"{name}: residuals")


_KINDS = {"classes": _classes, "labels": _labels, "numbers": _numbers}
"""Task -> the blocks of its mistakes."""


# -- the worst rows ----------------------------------------------------------------------------


def _worst(told: dict[str, Any]) -> list[Block]:
    rows = told["worst"]
    found: list[Block] = [
        Heading(3, "The worst rows"),
        Text(
            f"The {len(rows)} validation rows with the highest loss, worst first: mistakes of the net, or targets that are wrong. "
            f"Their numbers count the rows of {told['worst_of']} from 0."
        ),
    ]
    if rows and rows[0]["picture"] is not None:
        return [*found, Cards(tuple(_card(one) for one in rows))]
    more = f" {told['worst_more']:,} more columns are left out." if told["worst_more"] else ""
    chance = ("its probability",) if "probability" in rows[0] and rows[0]["probability"] is not None else ()
    off = ("off by",) if "off" in rows[0] else ()
    head = ("row", "truth", "said", *chance, *off, "loss", *told["worst_columns"])
    lines = [
        (
            f"{one['row']:,}",
            one["truth"],
            one["said"],
            *(percent(one["probability"]) for _ in chance),
            *(one["off"] for _ in off),
            log(one["loss"]),
            *one["cells"],
        )
        for one in rows
    ]
    words = range(1, 3) if not off else ()
    after = range(len(head) - len(told["worst_columns"]), len(head))
    return [*found, Grid(f"The worst rows, and what stands in them.{more}", head, tuple(lines), (*words, *after))]


def _card(one: dict[str, Any]) -> Card:
    sure = f" ({percent(one['probability'])})" if one.get("probability") is not None else ""
    verdict = "" if not one.get("right") else "right, but unsure"
    lines = (
        f"truth {one['truth']}",
        f"said {one['said']}{sure}",
        verdict,
        f"row {one['row']:,}, loss {log(one['loss'])}",
    )
    alt = f"Validation row {one['row']}: truth {one['truth']}, said {one['said']}{sure}."
    return Card(one["picture"], alt, tuple(line for line in lines if line))
