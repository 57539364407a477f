"""The peers of benchmarks/tune.py: the same search, each with its own tools, in an environment of their own.

One side a process; the last line of output is its record. The timer starts after imports and data, and ends
when the best trial is known: compilation is within it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from typing import Any

import numpy as np

warnings.filterwarnings("ignore")


def keras_tuner(data: dict[str, np.ndarray], asked: argparse.Namespace) -> float:
    """KerasTuner's random search, a model built per trial."""
    import tempfile

    import keras
    import keras_tuner

    def build(hp: Any) -> Any:
        model = keras.Sequential([keras.Input((64,))])
        for i in range(hp.Int("layers", 1, 3)):
            model.add(keras.layers.Dense(hp.Choice(f"units_{i}", [32, 64, 128]), activation="relu"))
            model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5)))
        model.add(keras.layers.Dense(10, activation="softmax"))
        rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        tuner = keras_tuner.RandomSearch(build, "val_accuracy", max_trials=asked.trials, seed=0, directory=folder)
        tuner.search(
            data["x"],
            data["y"],
            epochs=asked.epochs,
            batch_size=32,
            validation_data=(data["xv"], data["yv"]),
            verbose=0,
        )
        best = tuner.oracle.get_best_trials(1)[0].score
    asked.seconds = time.perf_counter() - begun
    return float(best)


def optuna_torch(data: dict[str, np.ndarray], asked: argparse.Namespace) -> float:  # noqa: PLR0915
    """Optuna's random sampler over a PyTorch loop as its documentation writes it, tensors in memory."""
    import optuna
    import torch

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    x, y, xv, yv = (torch.as_tensor(data[name]) for name in ("x", "y", "xv", "yv"))
    y, yv = y.long(), yv.long()

    def train(model: Any, optimizer: Any, schedule: Any, batch: int) -> float:
        best = 0.0
        loss_of = torch.nn.CrossEntropyLoss()
        for _ in range(asked.epochs):
            model.train()
            order = torch.randperm(len(x))
            for start in range(0, len(x), batch):
                rows = order[start : start + batch]
                optimizer.zero_grad()
                loss_of(model(x[rows]), y[rows]).backward()
                optimizer.step()
                if schedule is not None:
                    schedule.step()
            model.eval()
            with torch.no_grad():
                best = max(best, float((model(xv).argmax(1) == yv).float().mean()))
        return best

    def small(trial: Any) -> float:
        parts: list[Any] = []
        width = 64
        drop = trial.suggest_float("dropout", 0.0, 0.5)
        for i in range(trial.suggest_int("layers", 1, 3)):
            units = trial.suggest_categorical(f"units_{i}", [32, 64, 128])
            parts += [torch.nn.Linear(width, units), torch.nn.ReLU(), torch.nn.Dropout(drop)]
            width = units
        model = torch.nn.Sequential(*parts, torch.nn.Linear(width, 10))
        rate = trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
        return train(model, torch.optim.Adam(model.parameters(), rate), None, 32)

    def default(trial: Any) -> float:
        """The default space of ``thalweg tune``."""
        parts: list[Any] = []
        width = 64
        kinds = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU, "silu": torch.nn.SiLU}
        activation = kinds[trial.suggest_categorical("activation", list(kinds))]
        drop = trial.suggest_float("dropout", 0.0, 0.5)
        for i in range(trial.suggest_int("layers", 1, 4)):
            units = trial.suggest_int(f"units_{i}", 32, 256, log=True)
            parts += [torch.nn.Linear(width, units), activation(), torch.nn.Dropout(drop)]
            width = units
        model = torch.nn.Sequential(*parts, torch.nn.Linear(width, 10))
        rate = trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
        decay = trial.suggest_float("l2", 1e-7, 1e-2, log=True)
        kind = trial.suggest_categorical("optimizer", ["adam", "sgd", "rmsprop"])
        if kind == "sgd":
            momentum = trial.suggest_float("momentum", 0.0, 0.99)
            optimizer: Any = torch.optim.SGD(model.parameters(), rate, momentum=momentum, weight_decay=decay)
        else:
            made = torch.optim.Adam if kind == "adam" else torch.optim.RMSprop
            optimizer = made(model.parameters(), rate, weight_decay=decay)
        batch = trial.suggest_categorical("batch_size", [32, 64, 128])
        steps = asked.epochs * -(-len(x) // batch)
        shape = trial.suggest_categorical("schedule", ["constant", "cosine", "exponential"])
        schedule = None
        if shape == "cosine":
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        elif shape == "exponential":
            schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.01 ** (1 / steps))
        return train(model, optimizer, schedule, batch)

    begun = time.perf_counter()
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(default if asked.default_space else small, n_trials=asked.trials)
    asked.seconds = time.perf_counter() - begun
    return float(study.best_value)


def scikit_learn(data: dict[str, np.ndarray], asked: argparse.Namespace) -> float:
    """RandomizedSearchCV over MLPClassifier, which has no dropout, on the same split, in two processes."""
    from itertools import product

    from scipy.stats import loguniform
    from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV
    from sklearn.neural_network import MLPClassifier

    x, y = np.concatenate([data["x"], data["xv"]]), np.concatenate([data["y"], data["yv"]])
    fold = np.r_[np.full(len(data["x"]), -1), np.zeros(len(data["xv"]), int)]
    widths = [32, 64, 128]
    shapes = [one for depth in (1, 2, 3) for one in product(widths, repeat=depth)]
    weights = [(s, 3 ** (3 - len(s))) for s in shapes]  # each depth as often
    space = {
        "hidden_layer_sizes": [s for s, times in weights for _ in range(times)],
        "learning_rate_init": loguniform(1e-4, 1e-2),
        "alpha": loguniform(1e-6, 1e-2),
    }
    net = MLPClassifier(batch_size=32, max_iter=asked.epochs, random_state=0)
    begun = time.perf_counter()
    search = RandomizedSearchCV(
        net, space, n_iter=asked.trials, cv=PredefinedSplit(fold), n_jobs=2, refit=False, random_state=0
    )
    search.fit(x, y)
    asked.seconds = time.perf_counter() - begun
    return float(search.best_score_)


SIDES = {"keras-tuner": keras_tuner, "optuna-torch": optuna_torch, "scikit-learn": scikit_learn}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("--data", required=True)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--backend", default="jax")
    parser.add_argument("--default-space", action="store_true")
    asked = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", asked.backend)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    loaded = np.load(asked.data)
    data = {name: loaded[name] for name in ("x", "y", "xv", "yv")}
    best = SIDES[asked.side](data, asked)
    print(json.dumps({"side": asked.side, "seconds": asked.seconds, "trials": asked.trials, "best": best}))


if __name__ == "__main__":
    main()
