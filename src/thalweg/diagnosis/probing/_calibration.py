"""Whether a net's probabilities can be believed, and what would mend them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_softmax

from thalweg.diagnosis.probing._reliability import calibration

BINS = 15
_COLDEST, _HOTTEST = 0.02, 50.0  # temperatures


class Calibration(NamedTuple):
    """How far probabilities can be believed.

    Attributes:
        error: the expected calibration error, in 15 bins of equal width.
        points: the reliability curve: for each bin that has rows its ends, rows, mean probability, and the share of rows that
            are right, with its interval.
        confidence: the mean probability of what the net says.
        accuracy: the share of rows of which that is right.
        brier: the mean over rows of the summed squared distance of the probabilities from 0 and 1.
        nll: the mean negative logarithm of the true class's probability.
        temperature: T, by which logits would have to be divided for the least negative log-likelihood of these rows: above 1
            where the net is too sure.
        mended: the expected calibration error with that temperature, on the same rows.

    """

    error: float
    points: tuple[dict[str, Any], ...]
    confidence: float
    accuracy: float
    brier: float
    nll: float
    temperature: float
    mended: float


def calibrated(logits: np.ndarray, truth: np.ndarray) -> Calibration:
    """Compare probabilities with what came true.

    Args:
        logits: [rows, classes].
        truth: class numbers, [rows].

    """
    from scipy.optimize import minimize_scalar

    right = logits.argmax(axis=1) == truth

    def nll(log_temperature: float) -> float:
        logs = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(logs[np.arange(len(truth)), truth].mean())

    def reliability(temperature: float) -> dict[str, Any]:
        return calibration(np.exp(log_softmax(logits / temperature, axis=1).max(axis=1)), right, BINS)

    bounds = (np.log(_COLDEST), np.log(_HOTTEST))
    temperature = float(np.exp(minimize_scalar(nll, bounds=bounds, method="bounded", options={"xatol": 1e-5}).x))
    chances = np.exp(log_softmax(logits, axis=1))
    told = reliability(1.0)
    return Calibration(
        told["error"],
        tuple(told["points"]),
        float(chances.max(axis=1).mean()),
        float(right.mean()),
        float(((chances - np.eye(chances.shape[1])[truth]) ** 2).sum(axis=1).mean()),
        nll(0.0),
        temperature,
        reliability(temperature)["error"],
    )
