"""Fits in processes of their own, to be killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from going_on import KINDS, Steps, X, Y, leaves, told

from thalweg import callbacks, config

_FORKED = multiprocessing.get_context("forkserver")  # thalweg is imported once, and JAX starts in each child
_FORKED.set_forkserver_preload(["thalweg", "going_on"])


class Slow(Steps):
    """Takes its time, and says how far it is."""

    def __init__(self, sign: Path, seconds: float = 0.004) -> None:
        self.sign, self.seconds, self.epoch = sign, seconds, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_progress(self, step, logs=None):
        self.sign.write_text(f"{self.epoch} {step}")
        time.sleep(self.seconds)


def given(**more: Any) -> dict[str, Any]:
    """The arguments of all children's fits."""
    return {"epochs": 12, "batch_size": 8, "verbose": 0, "seed": 3, **more}


def watchers(folder: Path) -> list[Any]:
    """Callbacks with files and a memory."""
    return [
        callbacks.EarlyStopping("loss", patience=30, restore_best_weights=True),
        callbacks.CSVLogger(folder / "fit.csv"),
        callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.05),
    ]


def fitted(folder: Path, kind: str = "adam", every: Any = 2, policy: str = "float32", **more: Any) -> Any:
    """Fit in `folder`, or go on there, and leave what came of it."""
    config.set_dtype_policy(policy)
    model = KINDS[kind]()
    run = callbacks.RunFolder(folder / "run", every=every)
    model.fit(X, Y, callbacks=[*watchers(folder), Slow(folder / "sign")], run=run, **given(**more))
    leave(model, folder)


def leave(model: Any, folder: Path) -> None:
    """Put what came of a fit into a folder."""
    np.savez(folder / "end.npz", *leaves(model))
    (folder / "end.json").write_text(json.dumps({**told(model.history), "hypers": list(model.hypers.values())}))


def start(target: Any, *arguments: Any, **more: Any) -> Any:
    """A child that runs `target`."""
    child = _FORKED.Process(target=target, args=arguments, kwargs=more, daemon=True)
    child.start()
    return child


def wait_for(path: Path, child: Any) -> None:
    """Until the child has made a file."""
    end = time.monotonic() + 120
    while not path.exists():
        assert child.is_alive() and time.monotonic() < end, f"the child ended with {child.exitcode}"
        time.sleep(0.002)


def end(child: Any, number: int | None = None) -> int:
    """Send a signal, where one is given, and wait for the child's end; its exit status."""
    if number is not None and child.pid is not None:
        os.kill(child.pid, number)
    child.join(120)
    assert child.exitcode is not None
    return child.exitcode


def same_ends(one: Path, two: Path) -> None:
    """Whether what came of two fits is equal to the last bit, and their CSV files are."""
    mine, theirs = np.load(one / "end.npz"), np.load(two / "end.npz")
    assert mine.files == theirs.files
    for name in mine.files:
        assert mine[name].dtype == theirs[name].dtype
        np.testing.assert_array_equal(mine[name], theirs[name])
    assert json.loads((one / "end.json").read_text()) == json.loads((two / "end.json").read_text())
    assert (one / "fit.csv").read_bytes() == (two / "fit.csv").read_bytes()
