"""How much each class weighs."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.cli._source import Source


def weights_of(source: Source, asked: dict[str, Any]) -> dict[int, float] | None:
    """Class -> weight, so that every class weighs the same: rows / (classes x rows of the class); None unless asked for."""
    if asked.get("class_weight") != "balanced":
        return None
    if source.goal.metric != "accuracy":
        raise ValueError("--class-weight goes with classes: what is to be predicted here are no classes.")
    counts = np.bincount(np.asarray(source.train[1]).ravel().astype(int), minlength=source.goal.outputs)
    return {i: float(counts.sum() / (len(counts) * count)) for i, count in enumerate(counts) if count}
