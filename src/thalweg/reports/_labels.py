"""Of several labels: each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.diagnosis.probing._reliability import calibration
from thalweg.reports._given import Given

if TYPE_CHECKING:
    from thalweg.reports._validated import Answers


def of_labels(found: Answers, given: Given) -> dict[str, Any]:
    """Precision, recall and calibration of each label."""
    from scipy.special import expit

    chances = found.outputs.astype(np.float64)
    chances = expit(chances) if found.logits else chances
    believed = bool(((chances >= 0) & (chances <= 1)).all())
    right = (found.truth == found.said).all(axis=1)
    return {
        "names": list(found.names),
        "exact": float(right.mean()),
        "accuracy": {"value": float((found.truth == found.said).mean())},
        "each": [_label(found.truth[:, i] == 1, found.said[:, i] == 1) for i in range(len(found.names))],
        "calibrations": [
            calibration(chances[:, i], found.truth[:, i] == 1) if believed else None for i in range(len(found.names))
        ],
        "rows_told": [
            {
                "truth": _listed(found, found.truth[i]),
                "said": _listed(found, found.said[i]),
                "right": bool(right[i]),
            }
            for i in range(len(right))
        ],
    }


def _label(true: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    hit = int((true & said).sum())
    return {
        "rows": int(true.sum()),
        "precision": hit / int(said.sum()) if said.any() else None,
        "recall": hit / int(true.sum()) if true.any() else None,
        "f1": 2 * hit / int(true.sum() + said.sum()) if true.any() or said.any() else None,
    }


def _listed(found: Answers, row: np.ndarray) -> str:
    return ", ".join(name for name, on in zip(found.names, row, strict=True) if on) or "none"
