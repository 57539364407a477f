"""``thalweg test``: the best net of a run on its sealed test rows, with an interval for how often these were looked at."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from rich.console import Console

from thalweg import callbacks, data
from thalweg._intervals import mean_interval, proportion_interval
from thalweg.cli._command import command_of
from thalweg.cli._source import Source, source_of
from thalweg.cli._train import weights_of
from thalweg.data._sealed import LEDGER, times
from thalweg.models import load_model
from thalweg.models._checks import with_class_weight
from thalweg.models._fit import adapted

_LEVEL = 0.95  # of all looks together


def look(folder: str, reason: str) -> None:
    """Open the test rows of a run, for a reason, and tell what its best net does on them.

    Raises:
        ValueError: where the run was not begun by ``thalweg train``, is under way, has no test rows or no model, where its
            data have changed since, or no reason is given.

    """
    console = Console(highlight=False)
    run = callbacks.read_run(folder)
    name, asked = command_of(run, "there test.open('why', model=model, run=...) of data.split gives the test rows.")
    model = _best(run)
    source = source_of(name, asked)
    if source.test is None:
        raise ValueError(
            f"{folder} has no test rows: it was trained without a part of the rows to test on. Train again with --test 0.1; "
            "rows that this net has learnt from cannot test it any more."
        )
    _same_rows(run, model, source, name, asked)
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


def _best(run: callbacks.Run) -> Any:
    if run.state == "running":
        raise ValueError(f"{run.path} is still being trained: its net is tested when that has ended.")
    path = run.path / "best.keras"
    if not path.is_file():
        raise ValueError(f"There is no {path}: no epoch of the run was finished. To go on: thalweg resume {run.path}")
    return load_model(path)


def _same_rows(run: callbacks.Run, model: Any, source: Source, name: str, asked: dict[str, Any]) -> None:
    """Raise where the rows are others than the run's: then rows that it learnt from could stand among those of the test."""
    rows, weights = adapted(model, *source.train, what="fit"), weights_of(source, asked)
    rows = rows if weights is None else with_class_weight(rows, weights)
    assert source.test is not None
    now = {
        "training": {"rows": rows.n, "sha256": data.fingerprint(rows)},
        "test": {"rows": source.test.rows, "sha256": source.test.data},
    }
    before = {"training": run.record.get("data"), "test": run.record["asked"].get("test")}
    for part, told in before.items():
        if told is not None and told != now[part]:
            raise ValueError(
                f"{name} has changed since {run.path} was trained: its {part} rows were {_known(told)}, they are "
                f"{_known(now[part])}. Put the data back as they were, or train again."
            )


def _known(told: dict[str, Any]) -> str:
    return f"{told['rows']:,} with the SHA-256 {told['sha256'][:12]}..."


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
