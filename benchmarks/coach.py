"""The coach beside a fixed net of 3 x 128 units and the tuner's random search, at equal time.

    python benchmarks/coach.py [--time 40] [--splits 2] [--only NAME]

Everybody gets the same training and validation rows; the test rows are sealed until each side has chosen its net, and are
opened once a side. Errors are error rates, or for numbers the share of variance left unexplained.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import thalweg
from thalweg import data, datasets, layers, models, optimizers, tuner
from thalweg.engine import use_host_devices

Rows = tuple[np.ndarray, np.ndarray]


def digits() -> Rows:
    """28 x 28 pixels, the first 6,000."""
    held = datasets.load("digits")
    return held.x[:6000], held.y[:6000]


def digits8() -> Rows:
    """8 x 8 pixels."""
    held = datasets.load("digits8")
    return np.concatenate([held.x, held.x_test]), np.concatenate([held.y, held.y_test])


def toy(name: str) -> Callable[[], Rows]:
    """A table that comes with scikit-learn."""

    def make() -> Rows:
        from sklearn import datasets as theirs

        x, y = getattr(theirs, f"load_{name}")(return_X_y=True)
        return x.astype(np.float32), y

    return make


def friedman() -> Rows:
    """Ten columns, five of which matter, and noise."""
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(3000, noise=1.0, random_state=0)
    return x.astype(np.float32), y.astype(np.float32)


SETS = {
    "digits": digits,
    "digits8": digits8,
    "breast cancer": toy("breast_cancer"),
    "diabetes": toy("diabetes"),
    "friedman": friedman,
}


_TRIALS = 30  # of a wave of the search


class Ground:
    """The rows of one split, and what nets for them begin and end with."""

    def __init__(self, rows: Rows, seed: int) -> None:
        x, y = rows
        if y.dtype.kind == "f":
            y = ((y - y.mean()) / y.std()).astype(np.float32)
        cut = data.split(x, y, 0.2, 0.25, seed=seed)
        self.train, self.validation, self.test = cut
        self.goal, self.front = models.goal_of(self.train[1]), models.array_front(self.train[0])

    def error(self, model: Any, who: str) -> float:
        """On the test rows, opened for this."""
        x, y = self.test.open(f"{who} has chosen its net", model=model)
        said = np.asarray(model.predict(x))
        if y.dtype.kind == "f":
            return float(((said.ravel() - y) ** 2).mean() / self.train[1].var())
        return float((said.argmax(axis=1) != y).mean())


def fixed(ground: Ground, seconds: float, seed: int) -> Any:
    """3 x 128 units with ReLU, Adam, 20 epochs."""
    goal = ground.goal
    hidden = [layers.Dense(128, "relu") for _ in range(3)]
    model = models.chained(ground.front(), [*hidden, layers.Dense(goal.outputs, goal.activation)])
    model.compile(optimizers.Adam(), goal.loss, metrics=[goal.metric])
    model.fit(*ground.train, epochs=20, validation_data=ground.validation, verbose=0, seed=seed)
    return model


def searched(ground: Ground, seconds: float, seed: int) -> Any:
    """The tuner's random search over the default space."""
    goal = ground.goal
    space = tuner.HyperMLP(
        goal.outputs,
        goal.activation,
        goal.loss,
        [goal.metric],
        front=ground.front,
        rows=len(ground.train[0]),
        epochs=20,
    )
    begun, trials = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        while (left := seconds - (time.monotonic() - begun)) > 0:  # a wave at a time, so that it ends in time
            trials += _TRIALS
            search = tuner.RandomSearch(space, f"val_{goal.metric}", trials, directory=folder, seed=seed, max_time=left)
            search.search(*ground.train, epochs=20, validation_data=ground.validation, verbose=0)
        return search.get_best_models()[0]


def coached(ground: Ground, seconds: float, seed: int) -> Any:
    """The coach."""
    return thalweg.coach(*ground.train, validation=ground.validation, time=seconds, seed=seed).model


SIDES = {"3 x 128": fixed, "random search": searched, "coach": coached}


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=float, default=40, help="seconds for the coach, and for the search")
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    use_host_devices()
    print("| data | " + " | ".join(SIDES) + " | seconds |\n|" + "---|" * (len(SIDES) + 2), flush=True)
    for name, make in SETS.items():
        if asked.only not in name:
            continue
        errors: dict[str, list[float]] = {side: [] for side in SIDES}
        seconds: dict[str, list[float]] = {side: [] for side in SIDES}
        for split in range(asked.splits):
            ground = Ground(make(), split)
            for side, run in SIDES.items():
                begun = time.monotonic()
                model = run(ground, asked.time, split)
                seconds[side].append(time.monotonic() - begun)
                errors[side].append(ground.error(model, side))
        told = [
            f"{statistics.mean(found):.2%} ({', '.join(f'{one:.1%}' for one in found)})" for found in errors.values()
        ]
        spent = ", ".join(f"{statistics.mean(one):.0f}" for one in seconds.values())
        print(f"| {name} | " + " | ".join(told) + f" | {spent} |", flush=True)


if __name__ == "__main__":
    main()
