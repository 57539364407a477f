"""Of classes: which are taken for which, and how far probabilities can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._intervals import proportion_interval
from thalweg.diagnosis.probing._reliability import calibration
from thalweg.reports._given import Given

if TYPE_CHECKING:
    from thalweg.reports._validated import Answers

_PAIRS = 20  # of classes that are mixed up most


def of_classes(found: Answers, given: Given) -> dict[str, Any]:
    """The confusion matrix, what follows from it, and the calibration."""
    count = len(found.names)
    matrix = np.zeros((count, count), int)
    np.add.at(matrix, (found.truth, found.said), 1)
    right = found.truth == found.said
    chances = _chances(found)
    low, high = proportion_interval(int((~right).sum()), len(right), 0.95)
    sure = None if chances is None else chances.max(axis=1)
    of_truth = None if chances is None else chances[np.arange(len(chances)), found.truth]
    return {
        "names": list(found.names),
        "accuracy": {"value": float(right.mean()), "low": 1 - high, "high": 1 - low},
        "confusion": matrix.tolist(),
        "pairs": _pairs(matrix),
        "each": [_class(matrix, i) for i in range(count)],
        "calibration": None if sure is None else calibration(sure, right),
        "rows_told": [
            {
                "truth": found.names[found.truth[i]],
                "said": found.names[found.said[i]],
                "right": bool(right[i]),
                "probability": None if sure is None else float(sure[i]),
                "probability of truth": None if of_truth is None else float(of_truth[i]),
            }
            for i in range(len(right))
        ],
    }


def _chances(found: Answers) -> np.ndarray | None:
    """Probabilities of the classes, [rows, classes]; None where the outputs are none."""
    from scipy.special import expit, softmax

    outputs = found.outputs.astype(np.float64)
    if outputs.shape[-1] == 1:
        yes = expit(outputs.ravel()) if found.logits else outputs.ravel()
        chances = np.stack([1 - yes, yes], axis=1)
    else:
        chances = softmax(outputs, axis=-1) if found.logits else outputs
    is_one = (chances >= 0).all() and np.allclose(chances.sum(axis=1), 1, atol=1e-3)
    return chances if is_one else None


def _class(matrix: np.ndarray, i: int) -> dict[str, Any]:
    """Of one class; None is what has no meaning, as the precision of a class that the net never names."""
    right, true, named = int(matrix[i, i]), int(matrix[i].sum()), int(matrix[:, i].sum())
    return {
        "rows": true,
        "precision": right / named if named else None,
        "recall": right / true if true else None,
        "f1": 2 * right / (true + named) if true + named else None,
    }


def _pairs(matrix: np.ndarray) -> list[dict[str, Any]]:
    """The pairs of classes that are mixed up most, in the order of how many rows that are."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS]
    places = [divmod(int(one), len(matrix)) for one in order]
    return [{"truth": i, "said": j, "rows": int(wrong[i, j])} for i, j in places if wrong[i, j]]
