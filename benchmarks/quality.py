"""How good searches are: on nets for four data sets that come with scikit-learn, medians over seeds.

    python benchmarks/quality.py [--seeds 10] [--trials 60]

Each search gets as many trials as the others; Hyperband its epochs. Objective: the validation loss. The winners are
scored on rows that no search saw. Synthetic functions are in quality_functions.py.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from typing import Any

import numpy as np

import thalweg
from thalweg import layers, optimizers, regularizers, tuner

EPOCHS = 27


def sets() -> dict[str, Any]:
    """Name -> (training, validation, held-out) rows, scaled."""
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    found = {}
    for name in ("iris", "wine", "breast_cancer", "digits"):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        x = ((x - x.mean(0)) / np.maximum(x.std(0), 1e-3)).astype(np.float32)
        rest, held = train_test_split(np.arange(len(x)), test_size=0.25, stratify=y, random_state=0)
        train, check = train_test_split(rest, test_size=0.33, stratify=y[rest], random_state=0)
        found[name] = tuple((x[rows], y[rows].astype(np.int32)) for rows in (train, check, held))
    return found


def space(inputs: int, classes: int) -> Any:
    """One hidden layer, gradient descent with momentum: six numbers, of which some matter much."""

    def build(hp: Any) -> Any:
        penalty = regularizers.L2(hp.Float("l2", 1e-6, 1e-1, sampling="log"))
        model = thalweg.Sequential(
            [
                thalweg.Input((inputs,)),
                layers.Dense(hp.Choice("units", [8, 16, 32, 64]), "tanh", kernel_regularizer=penalty),
                layers.Dropout(hp.Float("dropout", 0.0, 0.7)),
                layers.Dense(classes, "softmax"),
            ]
        )
        rate, momentum = hp.Float("learning_rate", 1e-4, 1.0, sampling="log"), hp.Float("momentum", 0.0, 0.99)
        model.compile(optimizers.SGD(rate, momentum), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return build


def searches(trials: int) -> dict[str, Any]:
    """Name -> (a tuner's class, its arguments)."""
    return {
        "random": (tuner.RandomSearch, {"max_trials": trials}),
        "Gaussian process": (tuner.BayesianOptimization, {"max_trials": trials}),
        "TPE (Optuna's)": (tuner.BayesianOptimization, {"max_trials": trials, "sampler": "tpe"}),
        "Hyperband": (tuner.Hyperband, {"max_epochs": EPOCHS, "factor": 3, "hyperband_iterations": 1}),
    }


def run(kind: Any, options: dict[str, Any], rows: Any, seed: int) -> dict[str, float]:
    """One search: its best validation score, the winner's held-out error, and the epochs it took."""
    (x, y), check, held = rows
    with tempfile.TemporaryDirectory() as folder:
        build = space(x.shape[1], int(y.max()) + 1)
        found = kind(build, "val_loss", seed=seed, directory=folder, storage=False, checkpoint=None, **options)
        found.search(x, y, epochs=EPOCHS, batch_size=32, validation_data=check, verbose=0)
        accuracy = found.get_best_models()[0].evaluate(*held, verbose=0)[1]
        return {
            "best": found.best_trial.score,
            "held": 1 - accuracy,
            "epochs": sum(trial.epochs for trial in found.trials),
        }


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=60)
    asked = parser.parse_args()
    assert thalweg.Population
    print("| data | search | best validation loss, median | held-out error, median | epochs |\n|---|---|---|---|---|")
    for name, rows in sets().items():
        for label, (kind, options) in searches(asked.trials).items():
            begun = time.perf_counter()
            found = [run(kind, options, rows, seed) for seed in range(asked.seeds)]
            best, held, epochs = (statistics.median(one[key] for one in found) for key in ("best", "held", "epochs"))
            print(f"| {name} | {label} | {best:.4f} | {held:.3f} | {epochs:.0f} |", flush=True)
            print(f"# {name}, {label}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
