"""One epoch of the course's network, thalweg beside its peers, all in one run.

    python benchmarks/fit.py [--quick] [--python PEERS_PYTHON]

prints the tables that benchmarks/README.md holds. The peers live in an environment of their own
(benchmarks/requirements-peers.txt), named by --python or THALWEG_BENCH_PYTHON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sides import recorded

HERE = Path(__file__).parent


def build(extras: bool = False, widths: tuple[int, ...] = (784, 128, 128, 10)) -> Any:
    """The net; with `extras`: dropout, L2 and a schedule."""
    import thalweg
    from thalweg import layers, optimizers, regularizers

    parts: list[Any] = [thalweg.Input((widths[0],))]
    for width in widths[1:-1]:
        penalty = regularizers.L2(1e-4) if extras else None
        parts.append(layers.Dense(width, activation="relu", kernel_regularizer=penalty))
        if extras:
            parts.append(layers.Dropout(0.2))
    model = thalweg.Sequential([*parts, layers.Dense(widths[-1], activation="softmax")])
    rate = optimizers.schedules.ExponentialDecay(1e-3, 1000, 0.96) if extras else 1e-3
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Clock:
    """Seconds of every epoch of a fit."""

    def __init__(self) -> None:
        import thalweg

        clock = self
        self.seconds: list[float] = []

        class Callback(thalweg.callbacks.Callback):  # type: ignore[name-defined, misc]
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                clock.begun = time.perf_counter()

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                clock.seconds.append(time.perf_counter() - clock.begun)

        self.callback = Callback()


def ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """thalweg's side: `epochs` epochs, the first apart."""
    loaded = np.load(arguments.data)
    model = build(arguments.extras)
    clock = Clock()
    fit = {"batch_size": arguments.batch_size, "verbose": 0, "callbacks": [clock.callback], "seed": 0}
    begun = time.perf_counter()
    model.fit(loaded["x"], loaded["y"], epochs=1, **fit)
    whole_first = time.perf_counter() - begun
    history = model.fit(loaded["x"], loaded["y"], epochs=arguments.epochs, **fit)
    return {
        "side": "thalweg" + (" + dropout, L2, schedule" if arguments.extras else ""),
        "first_epoch_s": whole_first,
        "epochs_s": clock.seconds[1:],
        "final_loss": history.history["loss"][-1],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def run(python: str, script: str, *options: str, **variables: str) -> dict[str, Any]:
    """One side in a process of its own; its last line of output is its record."""
    return recorded([python, str(HERE / script), *options], **variables)


def in_turn(sides: dict[str, Callable[[], dict[str, Any]]], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """All sides, A B C A B C, so that a machine that slows down slows all of them."""
    records: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in sides.items():
            records[name].append(side())
            print(f"# round {number + 1}, {name}: {_epoch(records[name][-1:]):.3f} s", file=sys.stderr)
    return records


def _epoch(records: list[dict[str, Any]]) -> float:
    return statistics.median(second for record in records for second in record["epochs_s"])


def epochs_table(data: str, python: str, peers: bool, rounds: int) -> None:
    """Seconds an epoch, ours and theirs, by batch size."""
    print("\n| batch | side | s an epoch | its time / thalweg's |\n|---|---|---|---|")
    for batch in (32, 128, 1024):
        common = ["--data", data, "--batch-size", str(batch), "--epochs", "5"]
        sides: dict[str, Callable[[], dict[str, Any]]] = {
            "thalweg": lambda c=common: run(sys.executable, "fit.py", "--side", *c),
            "hand-written jax.lax.scan": lambda c=common: run(sys.executable, "peers/hand_jax.py", *c),
        }
        if batch == 32:
            sides["thalweg + dropout, L2, schedule"] = lambda c=common: run(
                sys.executable, "fit.py", "--side", "--extras", *c
            )
        if peers and batch == 32:
            few = [*common[:-1], "3"]
            sides["Keras on JAX"] = lambda c=few: run(python, "peers/keras_fit.py", "--backend", "jax", *c)
            sides["Keras on TensorFlow"] = lambda c=few: run(
                python, "peers/keras_fit.py", "--backend", "tensorflow", *c
            )
            sides["PyTorch, tuned by hand"] = lambda c=few: run(python, "peers/torch_fit.py", *c)
            sides["PyTorch, as people write it"] = lambda c=few: run(python, "peers/torch_fit.py", "--plain", *c)
            sides["scikit-learn MLPClassifier"] = lambda c=few: run(python, "peers/sklearn_fit.py", *c)
        records = in_turn(sides, rounds)
        base = _epoch(records["thalweg"])
        for name in sides:
            print(
                f"| {batch} | {name} | {_epoch(records[name]):.3f} | {_epoch(records[name]) / base:.2f} |", flush=True
            )


def compilation_table(data: str) -> None:
    """What the first epoch costs over a warm one, in a new process and in the next."""
    print("\n| first epoch over a warm one | seconds |\n|---|---|")
    common = ["--side", "--data", data, "--batch-size", "32", "--epochs", "3"]
    first, then = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as cache:
            for found in (first, then):
                record = run(sys.executable, "fit.py", *common, THALWEG_CACHE=cache)
                found.append(record["first_epoch_s"] - _epoch([record]))
    print(f"| a new process, nothing on disk | {statistics.median(first):.2f} |")
    print(f"| the next process | {statistics.median(then):.2f} |", flush=True)


def same_structure(times: int = 100) -> dict[str, Any]:
    """One structure built and fitted `times` times: compilations and memory."""
    import psutil

    from thalweg.engine import compiled

    x, y = np.random.default_rng(0).random((512, 64), dtype=np.float32), np.zeros(512, np.int32)
    y[::2] = 1
    process = psutil.Process()
    sizes = []
    for i in range(times):
        model = build(widths=(64, 32, 32, 10))
        model.fit(x, y, epochs=1, verbose=0, seed=i)
        sizes.append(process.memory_info().rss / 2**20)
    traces = sum(program.traces for program in compiled())
    return {"compiled": traces, "grown_mb": sizes[-1] - sizes[1]}


def population(members: int = 32) -> dict[str, Any]:
    """A model-step in a population against the same net alone."""
    import thalweg
    from thalweg.engine import use_host_devices

    use_host_devices()
    rng = np.random.default_rng(0)
    x, y = rng.random((12_800, 64), dtype=np.float32), rng.integers(0, 10, 12_800)
    alone, together = [], []
    solo = build(widths=(64, 32, 32, 10))
    crew = thalweg.Population([build(widths=(64, 32, 32, 10)) for _ in range(members)])
    for number in range(6):
        for who, found, share in ((solo, alone, 1), (crew, together, members)):
            clock = Clock()
            given = {"seed": 0} if share == 1 else {"seeds": range(members)}
            who.fit(x, y, epochs=3, verbose=0, callbacks=[clock.callback], **given)
            if number:
                found.extend(second / 400 / share * 1e6 for second in clock.seconds)
    return {"solo_us": statistics.median(alone), "member_us": statistics.median(together)}


def imports(rounds: int = 9) -> tuple[float, float]:
    """Seconds to import thalweg and to import jax, in turn."""
    times: dict[str, list[float]] = {"thalweg": [], "jax": []}
    for _ in range(rounds):
        for name, found in times.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
            found.append(time.perf_counter() - begun)
    return statistics.median(times["thalweg"]), statistics.median(times["jax"])


def small_table(data: str) -> None:
    """Everything that is one number."""
    print("\n| what | measured |\n|---|---|")
    again = run(sys.executable, "fit.py", "--same-structure", "--data", data)
    print(
        f"| the same structure built and fitted 100 times | compiled {again['compiled']} x, "
        f"memory grew by {again['grown_mb']:.1f} MB |"
    )
    crew = run(sys.executable, "fit.py", "--population", "--data", data)
    print(
        f"| population of 32 nets 64-32-32-10: a model-step against one net's | {crew['member_us']:.1f} us against "
        f"{crew['solo_us']:.1f} us: {crew['solo_us'] / crew['member_us']:.2f} x cheaper |"
    )
    ours_, theirs = imports()
    print(f"| import thalweg / import jax | {ours_:.2f} s / {theirs:.2f} s: {ours_ / theirs:.2f} x |")
    peak = run(sys.executable, "fit.py", "--side", "--data", data, "--batch-size", "32", "--epochs", "2")["peak_mb"]
    size = 60_000 * 784 * 4 / 2**20
    print(f"| peak memory of fit, {size:.0f} MB of float32 rows | {peak:.0f} MB (allowed: {1.5 * size + 400:.0f}) |")


def make_data(path: Path) -> None:
    """The full MNIST where THALWEG_DATA is set, else rows of the same shape."""
    if os.environ.get("THALWEG_DATA"):
        import thalweg

        (x, y), _ = thalweg.datasets.mnist.load_data()
        np.savez(path, x=(x.reshape(-1, 784) / np.float32(255)).astype(np.float32), y=y.astype(np.int32))
    else:
        rng = np.random.default_rng(0)
        np.savez(path, x=rng.random((60_000, 784), dtype=np.float32), y=rng.integers(0, 10, 60_000).astype(np.int32))


def main() -> None:
    """Everything, or one side's record."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--side", "--extras", "--same-structure", "--population", "--quick", "--no-peers"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--data", default="")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--python", default=os.environ.get("THALWEG_BENCH_PYTHON", sys.executable))
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(ours(arguments)))
    elif arguments.same_structure:
        print(json.dumps(same_structure()))
    elif arguments.population:
        print(json.dumps(population()))
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.npz"
            make_data(path)
            epochs_table(str(path), arguments.python, not arguments.no_peers, 1 if arguments.quick else 3)
            compilation_table(str(path))
            small_table(str(path))


if __name__ == "__main__":
    main()
