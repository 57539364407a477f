"""One epoch of a small convolutional net, thalweg beside Keras and PyTorch, all in one run.

    python benchmarks/convolution.py [--rounds N] [--python PEERS_PYTHON]

The net: 3 x 3 filters, 32 and then 64, each followed by ReLU and 2 x 2 pooling; 128 units with ReLU; 10 classes; Adam, at
batch 128. Rows and peers as in fit.py.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from fit import Clock, _epoch, in_turn, make_data, run

BATCH = 128


def build() -> Any:
    """The net."""
    import thalweg
    from thalweg import layers

    parts: list[Any] = [thalweg.Input((784,)), layers.Reshape((28, 28, 1))]
    for filters in (32, 64):
        parts += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D()]
    parts += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax")]
    model = thalweg.Sequential(parts)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def ours(data: str, epochs: int) -> dict[str, Any]:
    """thalweg's side."""
    rows, clock = np.load(data), Clock()
    history = build().fit(
        rows["x"], rows["y"], batch_size=BATCH, epochs=epochs + 1, verbose=0, callbacks=[clock.callback], seed=0
    )
    return {"side": "thalweg", "epochs_s": clock.seconds[1:], "final_loss": history.history["loss"][-1]}


def table(data: str, python: str, rounds: int) -> None:
    """Seconds an epoch, ours and theirs."""
    common = ["--data", data, "--batch-size", str(BATCH), "--epochs", "2", "--network", "cnn"]
    sides = {
        "thalweg": lambda: run(sys.executable, "convolution.py", "--side", "--data", data),
        "Keras on JAX": lambda: run(python, "peers/keras_fit.py", *common),
        "Keras on TensorFlow": lambda: run(python, "peers/keras_fit.py", "--backend", "tensorflow", *common),
        "PyTorch": lambda: run(python, "peers/torch_fit.py", *common),
        "PyTorch, channels last": lambda: run(python, "peers/torch_fit.py", "--channels-last", *common),
    }
    records = in_turn(sides, rounds)
    base = _epoch(records["thalweg"])
    print("\n| side | s an epoch | its time / thalweg's | loss after 3 epochs |\n|---|---|---|---|")
    for name, found in records.items():
        print(
            f"| {name} | {_epoch(found):.2f} | {_epoch(found) / base:.2f} | {found[0]['final_loss']:.4f} |", flush=True
        )


def main() -> None:
    """Everything, or one side's record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", action="store_true")
    parser.add_argument("--data", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=os.environ.get("THALWEG_BENCH_PYTHON", sys.executable))
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(ours(arguments.data, 2)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        make_data(path)
        table(str(path), arguments.python, arguments.rounds)


if __name__ == "__main__":
    main()
