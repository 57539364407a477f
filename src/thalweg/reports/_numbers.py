"""Of numbers: predicted against true ones, and what is left, in the target's own unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg import _seeds
from thalweg.reports._given import Given

if TYPE_CHECKING:
    from thalweg.reports._validated import Answers

_POINTS = 1500  # that are drawn
_REPORT = 12  # what a generator is for: part of its key
_WHOLE = 1000.0  # from which on decimals tell nothing


def of_numbers(found: Answers, given: Given) -> dict[str, Any]:
    """Errors of each number, points to draw, and a histogram of what is left."""
    truth, said = (_in_unit(one, given) for one in (found.truth, found.said))
    rows = _seeds.generator(0, _REPORT).permutation(len(truth))[:_POINTS]
    return {
        "names": list(found.names),
        "scaled": given.scale is not None,
        "each": [_number(truth[:, i], said[:, i]) for i in range(len(found.names))],
        "points": [{"truth": truth[rows, i].tolist(), "said": said[rows, i].tolist()} for i in range(len(found.names))],
        "rows_told": [
            {"truth": _figures(truth[i]), "said": _figures(said[i]), "off": _figures(said[i] - truth[i])}
            for i in range(len(truth))
        ],
    }


def _in_unit(values: np.ndarray, given: Given) -> np.ndarray:
    if given.scale is None:
        return np.asarray(values, np.float64)
    deviations, means = given.scale
    return np.asarray(values * deviations + means, np.float64)


def _number(truth: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    """Errors of one number; R^2 is None where the truth is the same in all rows."""
    left = said - truth
    spread = float(((truth - truth.mean()) ** 2).sum())
    counts, edges = np.histogram(left, bins=min(30, max(5, int(np.sqrt(len(left))))))
    return {
        "mae": float(np.abs(left).mean()),
        "rmse": float(np.sqrt((left**2).mean())),
        "r2": 1 - float((left**2).sum()) / spread if spread > 0 else None,
        "bias": float(left.mean()),
        "median": float(np.median(np.abs(left))),
        "ninety": float(np.quantile(np.abs(left), 0.9)),
        "residuals": {"counts": counts.tolist(), "edges": edges.tolist()},
    }


def figure(value: float) -> str:
    """A number as a person reads it."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.4g}"


def _figures(values: np.ndarray) -> str:
    return ", ".join(figure(float(one)) for one in values)
