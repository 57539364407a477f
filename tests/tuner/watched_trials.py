"""Trials that say in a folder which process trains them and how far they are, so that tests can kill and pause it."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from nets import FIT, TRAIN

import thalweg
from thalweg import callbacks, layers, optimizers, tuner

LONG = {**FIT, "epochs": 6}


class Sign(callbacks.Callback):
    """A line an epoch: who trains it, and which epoch that was."""

    def __init__(self, path, seconds):
        self.path, self.seconds = path, seconds

    def on_epoch_end(self, epoch, logs=None):
        with self.path.open("a") as file:
            file.write(f"{os.getpid()} {epoch}\n")
        time.sleep(self.seconds)


class Watched(tuner.HyperModel):
    """A point is a number; what is to happen to a trial is looked up by it.

    Args:
        folder: for the signs.
        count: points.
        seconds: that an epoch takes longer.
        acts: number -> what its ``fit`` does first.

    """

    def __init__(self, folder, count=3, seconds=0.0, acts=None):
        super().__init__()
        self.folder, self.count, self.seconds, self.acts = folder, count, seconds, acts or {}

    def build(self, hp):
        number = hp.Int("number", 0, self.count - 1)
        model = thalweg.Sequential([thalweg.Input((6,)), layers.Dense(4, "tanh"), layers.Dense(3, "softmax")])
        model.compile(optimizers.Adam(0.01 * (1 + number)), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp, model, *args, callbacks=(), **kwargs):
        number = hp.get("number")
        if number in self.acts:
            self.acts[number](hp)
        return model.fit(*args, callbacks=[*callbacks, Sign(self.folder / f"{number}.log", self.seconds)], **kwargs)


def search(folder, executor, hypermodel=None, fit=LONG, **options):
    """A grid search over watched trials."""
    options = {"seed": 0, "checkpoint": "epoch", "project_name": "study", **options}
    hypermodel = hypermodel or Watched(folder)
    found = tuner.GridSearch(hypermodel, "val_loss", directory=folder, executor=executor, **options)
    found.search(*TRAIN, **fit)
    return found


def signs(folder, number):
    """(process, epoch) of every epoch that was trained of a trial."""
    path = folder / f"{number}.log"
    lines = path.read_text().splitlines() if path.exists() else []
    return [tuple(map(int, line.split())) for line in lines]


def once(folder, number, epochs, act):
    """Do something to the process that trains a trial, once it has trained so many epochs of it; a thread."""

    def wait():
        end = time.monotonic() + 120
        while len(signs(folder, number)) < epochs:
            assert time.monotonic() < end, f"trial {number} was never trained"
            time.sleep(0.01)
        act(signs(folder, number)[-1][0])

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def sender(number):
    """What sends a signal to a process."""
    return lambda pid: os.kill(pid, number)


KILL, STOP = sender(signal.SIGKILL), sender(signal.SIGSTOP)


def alive(pid):
    """Whether a process runs, or is paused."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def journal_ends(found):
    """How often the journal says of each trial that it ended."""
    lines = (found.folder / "journal.jsonl").read_text().splitlines()
    told = [trial["number"] for line in lines for trial in json.loads(line).get("told", [])]
    return {number: told.count(number) for number in told}


if __name__ == "__main__":  # a search to be interrupted or killed
    where = Path(sys.argv[1])
    search(where, sys.argv[2], Watched(where, 2, float(sys.argv[3])))
