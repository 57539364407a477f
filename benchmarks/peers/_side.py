"""What every side of the benchmark speaks: its arguments, its data, its one line of JSON."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

SIZES = (784, 128, 128, 10)
"""Units from the pixels to the classes."""
FILTERS, DENSE = (32, 64), 128
"""Of the convolutional net: 3 x 3 filters, each followed by 2 x 2 pooling, then a layer of units."""
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
"""Adam, with Keras's constants."""


def arguments(about: str | None) -> argparse.ArgumentParser:
    """A parser that knows what all sides are told; a side adds what is its own."""
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help=".npz with x float32 [rows, 784] and y int32 [rows]")
    parser.add_argument("--batch-size", type=int, default=32, help="rows a step")
    parser.add_argument(
        "--network", choices=("mlp", "cnn"), default="mlp", help="784-128-128-10, or the convolutional one"
    )
    parser.add_argument("--epochs", type=int, default=5, help="epochs timed after the first, which is timed apart")
    return parser


def load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The rows and their labels."""
    with np.load(path) as held:
        return held["x"], held["y"]


def timed(epoch: Callable[[], float], epochs: int) -> tuple[list[float], float]:
    """Seconds of the first epoch and of `epochs` more, and the last one's loss.

    `epoch` trains one epoch and returns its mean loss as a Python number, so that nothing is
    still under way when it returns.
    """
    seconds, loss = [], float("nan")
    for _ in range(epochs + 1):
        start = time.perf_counter()
        loss = epoch()
        seconds.append(time.perf_counter() - start)
    return seconds, loss


def report(side: str, seconds: list[float], loss: float, packages: Iterable[str]) -> None:
    """Print the line that the comparison reads."""
    record = {
        "side": side,
        "first_epoch_s": round(seconds[0], 4),
        "epochs_s": [round(s, 4) for s in seconds[1:]],
        "final_loss": round(float(loss), 6),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }
    print(json.dumps(record), flush=True)
