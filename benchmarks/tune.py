"""Searches, thalweg beside its peers, all in one run.

    python benchmarks/tune.py [--quick] [--python PEERS_PYTHON]

prints the tables that benchmarks/README.md holds. The peers live in an environment of their own
(benchmarks/requirements-peers.txt), named by --python or THALWEG_BENCH_PYTHON. Timers start after imports and data
and end when the best trial is known: compilation is within, and nothing compiled lies on disk.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sides import recorded

HERE = Path(__file__).parent


def small(hp: Any) -> Any:
    """1 to 3 layers of 32, 64 or 128 units, dropout, a learning rate."""
    import thalweg
    from thalweg import layers, optimizers

    parts: list[Any] = [thalweg.Input((64,))]
    for i in range(hp.Int("layers", 1, 3)):
        parts.append(layers.Dense(hp.Choice(f"units_{i}", [32, 64, 128]), activation="relu"))
        parts.append(layers.Dropout(hp.Float("dropout", 0.0, 0.5)))
    model = thalweg.Sequential([*parts, layers.Dense(10, activation="softmax")])
    rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def ours(asked: argparse.Namespace) -> dict[str, Any]:
    """thalweg's side."""
    import thalweg
    from thalweg import tuner

    data = np.load(asked.data)
    x, y, xv, yv = (data[name] for name in ("x", "y", "xv", "yv"))
    build: Any = small
    fit = {"batch_size": 32}
    if asked.default_space:
        build, fit = tuner.HyperMLP(10, input_shape=(64,), rows=len(x), epochs=asked.epochs), {}
    assert thalweg.Population
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        search = tuner.RandomSearch(build, "val_accuracy", max_trials=asked.trials, seed=0, directory=folder)
        search.search(x, y, epochs=asked.epochs, validation_data=(xv, yv), verbose=0, **fit)
        best = search.best_trial.score
        seconds = time.perf_counter() - begun
        groups = list(tuner.read_study(search.folder).events("group"))
    return {"side": "thalweg", "seconds": seconds, "trials": asked.trials, "best": best, "groups": groups}


def asking(trials: int = 1000, batch: int = 32) -> dict[str, Any]:
    """Milliseconds a trial for a batch of proposals of the Gaussian process, with many trials seen."""
    from thalweg.tuner._hyperparameters import HyperParameters, keyed
    from thalweg.tuner._objective import objectives_of
    from thalweg.tuner._trial import COMPLETED, Trial
    from thalweg.tuner.searches._bayesian import Bayesian
    from thalweg.tuner.searches._search import Book

    def space(hp: Any) -> float:
        rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
        value = (np.log10(rate) + 2.5) ** 2 + abs(hp.Float("dropout", 0.0, 0.5) - 0.2)
        for i in range(hp.Int("layers", 1, 3)):
            value += (np.log2(hp.Int(f"units_{i}", 16, 256, sampling="log")) - 6) ** 2 / 20
        return float(
            value + {"relu": 0.0, "tanh": 0.1, "gelu": 0.05}[hp.Choice("activation", ["relu", "tanh", "gelu"])]
        )

    book = Book([], {}, list(objectives_of("val_loss")), 0, lambda: iter(()), lambda name, values: False)
    search = Bayesian(None, parallel_trials=batch)

    def ask(number: int, unknown: Any) -> Trial:
        hp = HyperParameters(unknown=unknown)
        score = space(hp)
        for parameter in hp.space:
            book.space.setdefault(parameter.name, parameter)
        return Trial(number, dict(hp.values), scores=[score])

    trials -= trials % batch  # whole waves
    for number in range(trials):
        trial = ask(number, keyed(0, number))
        trial.status = COMPLETED
        book.trials.append(trial)
    first = ask(trials, search.ask(book, trials, 0).suggest)  # fits the kernel's hypers and the first factor
    book.trials.append(first)
    times = []
    for number in range(trials + 1, trials + batch):
        begun = time.perf_counter()
        book.trials.append(ask(number, search.ask(book, number, 0).suggest))
        times.append((time.perf_counter() - begun) * 1000)
    return {"median_ms": statistics.median(times), "most_ms": max(times)}


def memory(trials: int = 1000) -> dict[str, Any]:
    """How much a process grows over many trials."""
    import psutil

    from thalweg import tuner

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(256, 16)).astype(np.float32), rng.integers(0, 4, 256)

    def build(hp: Any) -> Any:
        import thalweg
        from thalweg import layers, optimizers

        units, rate = hp.Choice("units", [8, 16, 32]), hp.Float("rate", 1e-4, 1e-1, sampling="log")
        model = thalweg.Sequential([thalweg.Input((16,)), layers.Dense(units, "relu"), layers.Dense(4, "softmax")])
        model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return model

    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        sizes = []
        for wanted in (100, 300, trials + 300):  # the program for whole waves of 256 is compiled between the first two
            search = tuner.RandomSearch(build, "val_loss", max_trials=wanted, seed=0, directory=folder)
            search.search(x, y, epochs=2, validation_split=0.2, verbose=0)
            sizes.append(process.memory_info().rss / 2**20)
    return {"grown_mb": sizes[2] - sizes[1], "first_mb": sizes[1] - sizes[0], "trials": trials}


def thalweg_side(*options: str) -> dict[str, Any]:
    """Ours, with no compiled program on disk."""
    with tempfile.TemporaryDirectory() as cache:
        return recorded([sys.executable, str(HERE / "tune.py"), *options], THALWEG_CACHE=cache)


def race(sides: dict[str, Callable[[], dict[str, Any]]], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """All sides in turn, so that a machine that slows down slows all of them."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in sides.items():
            record = side()
            found[name].append(record)
            print(
                f"# round {number + 1}, {name}: {record['seconds']:.2f} s, best {record['best']:.4f}", file=sys.stderr
            )
    return found


def table(data: str, python: str, trials: int, rounds: int, scaled: tuple[str, ...], bars: dict[str, float]) -> None:
    """Seconds of a search, ours and theirs."""
    peers = str(HERE / "peers" / "tune_peers.py")

    def peer(name: str, *more: str) -> Callable[[], dict[str, Any]]:
        count = "20" if name in scaled or any(one in scaled for one in more) else str(trials)
        command = [python, peers, name, "--data", data, "--trials", count, *more]
        return lambda: recorded(command)

    sides = {
        "thalweg": lambda: thalweg_side("--side", "--data", data, "--trials", str(trials)),
        "KerasTuner on JAX": peer("keras-tuner", "--backend", "jax"),
        "KerasTuner on TensorFlow": peer("keras-tuner", "--backend", "tensorflow"),
        "Optuna + PyTorch": peer("optuna-torch"),
        "scikit-learn RandomizedSearchCV, 2 jobs": peer("scikit-learn"),
    }
    found = race(sides, rounds)
    base = statistics.median(one["seconds"] for one in found["thalweg"])
    print(f"\n| {trials} trials of 20 epochs | seconds | its time / thalweg's | at least |\n|---|---|---|---|")
    for name, records in found.items():
        factor = trials / records[0]["trials"]
        seconds = statistics.median(one["seconds"] for one in records) * factor
        mark = f" (20 trials x {factor:g})" if factor > 1 else ""
        print(f"| {name} | {seconds:.2f}{mark} | {seconds / base:.2f} | {bars.get(name, '')} |", flush=True)


def default_space_table(data: str, python: str, trials: int, rounds: int) -> None:
    """The default space of ``thalweg tune`` against the same in Optuna and PyTorch."""
    more = ["--data", data, "--trials", str(trials), "--default-space"]
    sides = {
        "thalweg": lambda: thalweg_side("--side", *more),
        "Optuna + PyTorch": lambda: recorded([python, str(HERE / "peers" / "tune_peers.py"), "optuna-torch", *more]),
    }
    found = race(sides, rounds)
    base, peer = (statistics.median(one["seconds"] for one in records) for records in found.values())
    groups = found["thalweg"][0]["groups"]
    print(f"\n| default space, {trials} trials | seconds |\n|---|---|\n| thalweg | {base:.2f} |")
    print(f"| Optuna + PyTorch | {peer:.2f}: {peer / base:.2f} x (at least 3) |")
    print(f"\n{len(groups)} groups:")
    for group in groups:
        print(f"- {json.dumps({name: value for name, value in group.items() if name != 'trials'})}")


def make_data(path: Path) -> None:
    """scikit-learn's 8x8 digits, the last fifth to validate on."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    np.savez(path, x=x[:1437], y=y[:1437].astype(np.int32), xv=x[1437:], yv=y[1437:].astype(np.int32))


def main() -> None:
    """Everything, or one side's record."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--side", "--asking", "--memory", "--quick", "--default-space", "--no-peers"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--data", default="")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--python", default=os.environ.get("THALWEG_BENCH_PYTHON", sys.executable))
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(ours(asked)))
    elif asked.asking:
        print(json.dumps(asking()))
    elif asked.memory:
        print(json.dumps(memory()))
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "digits.npz"
            make_data(path)
            rounds = 1 if asked.quick else 3
            kt, tf, pt, sk = "KerasTuner on JAX", "KerasTuner on TensorFlow", "Optuna + PyTorch", "scikit-learn"
            sk += " RandomizedSearchCV, 2 jobs"
            table(str(path), asked.python, 20, rounds, (), {kt: 12, tf: 25, pt: 3, sk: 1.4})
            table(str(path), asked.python, 200, rounds, ("keras-tuner",), {kt: 40, tf: 70, pt: 8, sk: 4})
            default_space_table(str(path), asked.python, 200, 1)
            found = recorded([sys.executable, str(HERE / "tune.py"), "--asking"])
            print(
                f"\n| asking for 32 at 1,000 trials | {found['median_ms']:.1f} ms a trial, at most {found['most_ms']:.1f} |"
            )
            found = recorded([sys.executable, str(HERE / "tune.py"), "--memory"])
            print(f"| memory over {found['trials']:,} trials | grows by {found['grown_mb']:.1f} MB |")
            print(f"| the program for whole waves, once | {found['first_mb']:.1f} MB |")


if __name__ == "__main__":
    main()
