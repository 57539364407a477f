"""``thalweg test``: the best net of a run on its sealed test rows, with an interval for how often these were looked at."""

from __future__ import annotations

import os

import numpy as np
from rich.console import Console

from thalweg import callbacks, data
from thalweg._intervals import mean_interval, proportion_interval
from thalweg.cli._again import again
from thalweg.cli._source import Source
from thalweg.data._sealed import LEDGER, times

_LEVEL = 0.95  # of all looks together


def look(folder: str, reason: str) -> None:
    """Open the test rows of a run, for a reason, and tell what its best net does on them.

    Raises:
        ValueError: where the run was not begun by ``thalweg train``, is under way, has no test rows or no model, where its
            data have changed since, or no reason is given.

    """
    console = Console(highlight=False)
    instead = "there test.open('why', model=model, run=...) of data.split gives the test rows."
    run, source, model = again(folder, instead)
    if source.test is None:
        raise ValueError(
            f"{folder} has no test rows: it was trained without a part of the rows to test on. Train again with --test 0.1; "
            "rows that this net has learnt from cannot test it any more."
        )
    x, y = source.test.open(reason, model=model, run=run.path)
    ledger = run.path.resolve().parent / LEDGER
    looks = len(data.openings(ledger.parent, source.test.data))
    loss = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    level = data.level_for(looks, _LEVEL)
    value, low, high = measured(source, model.predict(x), np.asarray(y), level)
    metric, shown = source.goal.metric, source.goal.shown
    console.print(
        f"{source.name}: {source.test.rows:,} test rows, {times(looks)}; on record in {os.path.relpath(ledger)}\n"
        f"test loss {callbacks.figure(loss)}\n"
        f"test {metric}{source.unit[1]} {shown(value)}, {_percent(level)} interval {shown(low)} to {shown(high)}\n"
        f"{_said(looks, level)}",
        markup=False,
        soft_wrap=True,
    )


def measured(source: Source, outputs: np.ndarray, y: np.ndarray, level: float) -> tuple[float, float, float]:
    """The metric on rows, and the ends of its interval, in the target's own unit.

    Args:
        source: of the rows.
        outputs: of the net.
        y: the targets.
        level: of the interval.

    """
    metric = source.goal.metric
    if metric == "accuracy":
        right = outputs.argmax(axis=-1) == y.ravel()
        return right.mean(), *_share(right, level)
    y = y.reshape(outputs.shape)
    if metric == "binary_accuracy":
        each = ((outputs > 0.5) == (y > 0.5)).mean(axis=-1)
        few = outputs.shape[-1] == 1 or each.all()  # where all are right, resamples would be so too
        return each.mean(), *(_share(each == 1, level) if few else mean_interval(each, level))
    errors = np.abs(outputs.astype(np.float64) - y).mean(axis=-1) * source.unit[0]
    return errors.mean(), *mean_interval(errors, level)


def _share(right: np.ndarray, level: float) -> tuple[float, float]:
    low, high = proportion_interval(int((~right).sum()), len(right), level)
    return 1 - high, 1 - low


def _said(looks: int, level: float) -> str:
    if looks == 1:
        return f"the first look at these rows: an interval at {_percent(level)}; each further look widens it"
    return (
        f"the {_ordinal(looks)} look at these rows: interval at {_percent(level)} in place of {_percent(_LEVEL)} (Bonferroni), "
        f"so that all {looks} looks, each at {_percent(level)}, together hold with {_percent(_LEVEL)}"
    )


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _percent(level: float) -> str:
    return f"{100 * level:.4g} %"
