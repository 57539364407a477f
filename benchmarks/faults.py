"""What happens to files when things go wrong, counted; and what being careful with them costs.

    python benchmarks/faults.py [--quick]

prints the table that benchmarks/README.md holds. With THALWEG_DATA naming a folder with MNIST the rows of the last
measurement are MNIST's, else random ones of the same shape. The damage is done by the scripts of tests/faults.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

FAULTS = Path(__file__).parent.parent / "tests" / "faults"
FORMATS = ("net.keras", "net.h5", "net.weights.h5", "net.safetensors")
INTERVAL = 5  # steps between checkpoints of a run that is killed


def row(what: str, measured: str, wanted: str) -> None:
    """One line of the table."""
    print(f"| {what} | {measured} | {wanted} |", flush=True)


def script(name: str, *arguments: Any) -> subprocess.CompletedProcess[str]:
    """Run a script of tests/faults to its end, whatever end."""
    command = [sys.executable, str(FAULTS / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


# -- kills ----------------------------------------------------------------------------------------------


def killed_net() -> Any:
    """A net in which much is to be lost: dropout, a schedule, averages, moments."""
    import thalweg
    from thalweg import layers, optimizers

    parts: list[Any] = [layers.Dense(32, activation="relu"), layers.Dropout(0.3), layers.BatchNormalization()]
    model = thalweg.Sequential([thalweg.Input((8,)), *parts, layers.Dense(1)])
    rate = optimizers.schedules.ExponentialDecay(0.01, 100, 0.9)
    model.compile(optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


def fit_once(folder: Path, progress: int | None = None, epochs: int = 40) -> None:
    """The run that is killed; the steps done so far are written to `progress`, which outlives the process."""
    from thalweg.callbacks import Callback, RunFolder

    class Turn(Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch
            if epoch == 7:
                self.model.hypers["optimizer/learning_rate/scale"] = 0.5

        def on_progress(self, step: int, logs: Any = None) -> None:
            if progress is not None:
                os.pwrite(progress, (self.epoch * 20 + step).to_bytes(8, "little"), 0)

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(640, 8)).astype(np.float32), rng.normal(size=(640, 1)).astype(np.float32)
    run = RunFolder(folder, every=f"{INTERVAL} steps")
    killed_net().fit(x, y, batch_size=32, epochs=epochs, seed=3, verbose=0, callbacks=[Turn()], run=run)


def corrupt(folder: Path) -> list[str]:
    """The files of a run that are there and cannot be read."""
    from thalweg.files import read_checkpoint
    from thalweg.models import FileError, load_model

    bad = []
    for path in [*folder.glob("checkpoints/*.safetensors"), *folder.glob("*.keras")]:
        try:
            (load_model if path.suffix == ".keras" else read_checkpoint)(path)
        except FileError as error:
            bad.append(str(error))
    return bad


def forked(act: Callable[[], Any]) -> int:
    """Do `act` in a copy of this process, which has imported everything and computed nothing."""
    child = os.fork()
    if not child:
        try:
            act()
            os._exit(0)
        except BaseException as error:
            print(f"# {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    return child


def ended(child: int) -> int:
    """How it ended."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after(child: int, delay: float) -> tuple[int, float]:
    """Kill a process after so many seconds, unless it ends before; how it ended, and when."""
    begun = time.monotonic()
    while time.monotonic() < begun + delay:
        one, status = os.waitpid(child, os.WNOHANG)
        if one:
            return os.waitstatus_to_exitcode(status), time.monotonic() - begun
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return ended(child), delay


def reached(folder: Path) -> int:
    """Steps in the newest checkpoint."""
    from thalweg.callbacks._checkpoints import CheckpointFolder

    paths = CheckpointFolder(folder / "checkpoints").paths()
    words = paths[-1].stem.split("-") if paths else ["", "0", "", "0"]
    return int(words[1]) * 20 + int(words[3])


def kills(number: int, folder: Path) -> None:
    """Kill a run at random instants, let it go on, kill it again."""
    import thalweg  # noqa: F401  in the parent, so that its copies need not

    random.seed(1)
    whole = folder / "whole"
    begun = time.monotonic()
    assert ended(forked(lambda: fit_once(whole))) == 0
    usual = time.monotonic() - begun
    done = runs = bad = differ = failed = 0
    lost: list[int] = []
    while done < number:
        runs += 1
        run = folder / f"run{runs}"
        progress = os.open(folder / "progress", os.O_RDWR | os.O_CREAT)
        status = -signal.SIGKILL
        while status == -signal.SIGKILL:
            os.pwrite(progress, bytes(8), 0)
            child = forked(lambda where=run, at=progress: fit_once(where, at))
            status, seconds = killed_after(child, random.uniform(0.1, usual) if done < number else 600)
            usual = min(usual, seconds) if status == 0 and seconds > 0.5 else usual  # the machine may be others' too
            if status == -signal.SIGKILL:
                done += 1
                steps = int.from_bytes(os.pread(progress, 8, 0), "little")
                lost += [max(steps - reached(run), 0)] if steps else []
                bad += ended(forked(lambda where=run: sys.exit(1) if corrupt(where) else None)) != 0
        failed += status != 0
        differ += ended(forked(lambda where=run: same_or_exit(where, whole))) != 0
    row(
        f"SIGKILL at {done} random instants of {runs} runs that write a checkpoint every {INTERVAL} steps",
        f"{bad} with a corrupt file; {runs - differ - failed} of {runs} runs bit-identical to one never interrupted; "
        f"lost {statistics.mean(lost):.1f} steps a kill, at most {max(lost)}",
        f"0; all; at most {INTERVAL}",
    )


def same_or_exit(one: Path, other: Path) -> None:
    """Whether both runs ended with the same bits: weights, moments, best model."""
    import jax

    from thalweg.models import load_model

    for name in ("last.keras", "best.keras"):
        models = [load_model(folder / name) for folder in (one, other)]
        leaves = [jax.tree.leaves((model.get_weights(), model.optimizer_state)) for model in models]
        for a, b in zip(*leaves, strict=True):
            if np.asarray(a).tobytes() != np.asarray(b).tobytes():
                raise AssertionError(f"{one / name} differs from {other / name}")


# -- damage --------------------------------------------------------------------------------------------------


def damaged(number: int, folder: Path) -> None:
    """Flips and cuts, each file loaded in a child whose death would be noticed."""
    written = script("broken_saves.py", "every_format", folder)
    assert written.returncode == 0, written.stderr
    for name in FORMATS:
        counts: dict[str, int] = {}
        died = 0
        for kind in ("flip", "cut"):
            for seed in range(max(number // 500, 1)):
                done = script("damage.py", folder, kind, min(number, 500), seed, name)
                died += done.returncode != 0
                for line in map(json.loads, done.stdout.splitlines()):
                    for came, count in line.get("counts", {}).items():
                        counts[came] = counts.get(came, 0) + count
        refused, same = counts.pop("refused", 0), counts.pop("same", 0)
        row(
            f"{number:,} flipped bits and {number:,} truncations of {name}",
            f"{refused:,} refused, {same:,} loaded as they were, {sum(counts.values())} differ or end in another error, "
            f"{died} crashes or hangs",
            "0 differ, 0 crash",
        )


def full(number: int, folder: Path) -> None:
    """A disk that is full at many sizes."""
    done = script("broken_saves.py", "full_disk", folder, number)
    found = json.loads(done.stdout)
    named = sum(one["came"].endswith(("is whole.", f"'{folder / one['name']}'")) for one in found)
    whole = sum(one["kept"] and not one["left"] for one in found)
    row(
        f"disk full at {number + 1} sizes for each format",
        f"{len(found)} saves: {named} errors that name the path, {whole} old files whole and nothing left beside them",
        f"{len(found)}, {len(found)}",
    )


def memory(folder: Path) -> None:
    """Peak memory over what was held before, of hostile files and of large good ones."""
    sys.path.insert(0, str(FAULTS))
    import hostile

    cases = hostile.cases(folder)
    big = script("broken_saves.py", "large", folder)
    assert big.returncode == 0, big.stderr
    large = [hostile.Case(name, str(folder / name), "load_model", "") for name in ("large.keras", "large.h5")]
    (folder / "cases.json").write_text(json.dumps([*cases, *large]))
    done = script("watched.py", folder / "cases.json", folder)
    found = [line for line in map(json.loads, done.stdout.splitlines()) if "kind" in line]
    assert len(found) == len(cases) + 2, done.stderr[-2000:]
    worst = max(found[:-2], key=lambda one: one["peak"] - 2 * min(one["size"], 2**30))
    row(
        f"peak memory of {len(cases)} hostile files; all refused: {all(one['kind'] == 'FileError' for one in found[:-2])}",
        f"at most {worst['peak'] / 1e6:.0f} MB ({worst['name']}, {worst['size'] / 1e6:.1f} MB)",
        "2 x file + 200 MB",
    )
    for one in found[-2:]:
        times = one["peak"] / one["size"]
        row(f"peak memory of {one['name']}, {one['size'] / 1e6:.0f} MB", f"{times:.2f} x file", "2 x file + 200 MB")


# -- what it costs ----------------------------------------------------------------------------------------------


def plainly(path: Path, size: int) -> None:
    """So many bytes, written and made durable, and nothing else."""
    with path.open("wb") as file:
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())


def saving(folder: Path, rounds: int = 20) -> None:
    """Seconds to save 1M weights with Adam's moments, beside the same bytes written plainly."""
    import thalweg
    from thalweg.files import write_checkpoint

    model = thalweg.Sequential([thalweg.Input((1000,)), thalweg.layers.Dense(1000)])
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(32, 1000)), rng.normal(size=(32, 1000)), epochs=1, verbose=0, seed=0)
    state = model.optimizer_state
    tree = {"weights": model.get_weights(), "slots": [dict(slots) for slots in state.slots]}
    ways: dict[str, Callable[[Path], Any]] = {
        ".keras": model.save,
        ".h5": model.save,
        "checkpoint": lambda path: write_checkpoint(path, tree),
    }
    for ending, way in ways.items():
        path = folder / f"million{ending}"
        way(path)
        size = path.stat().st_size
        times: dict[str, list[float]] = {"ours": [], "plain": []}
        acts = (("ours", partial(way, path)), ("plain", partial(plainly, folder / "plain", size)))
        for _ in range(rounds):
            for name, act in acts:
                begun = time.perf_counter()
                act()
                times[name].append(time.perf_counter() - begun)
        ours, plain = (statistics.median(times[name]) * 1e3 for name in ("ours", "plain"))
        row(
            f"1M weights with Adam's moments to {ending}, {size / 1e6:.0f} MB",
            f"{ours:.1f} ms; the same bytes written and synced plainly {plain:.1f} ms: {ours / plain:.2f} x",
            "at most 40 ms",
        )


def rows() -> tuple[np.ndarray, np.ndarray]:
    """MNIST's where THALWEG_DATA is set, else others of their shape."""
    if os.environ.get("THALWEG_DATA"):
        import thalweg

        (x, y), _ = thalweg.datasets.mnist.load_data()
        return (x.reshape(-1, 784) / np.float32(255)).astype(np.float32), y.astype(np.int32)
    rng = np.random.default_rng(0)
    return rng.random((60_000, 784), dtype=np.float32), rng.integers(0, 10, 60_000).astype(np.int32)


def every_epoch(folder: Path, pairs: int) -> None:
    """What a checkpoint adds to an epoch: every second epoch has one."""
    from fit import build

    from thalweg.callbacks import Callback
    from thalweg.callbacks._checkpoints import CheckpointFolder

    class Every(Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            self.begun: list[float] = []
            self.kept = CheckpointFolder(folder / "kept")

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begun.append(time.perf_counter())

        def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
            if step == 0 and epoch % 2:
                self.kept.write(self.model.session.snapshot())

    x, y = rows()
    clock = Every()
    build().fit(x, y, batch_size=32, epochs=2 * pairs + 3, verbose=0, seed=0, callbacks=[clock])
    seconds = np.diff(clock.begun)[2:]  # from epoch 2 on; whatever an epoch ends with belongs to it
    with_one, without = seconds[0::2][:pairs], seconds[1::2][:pairs]
    share = float(np.median(with_one - without)) / float(np.median(without))
    row(
        f"a checkpoint every epoch, 784-128-128-10, batch 32, Adam, {len(x):,} rows, {pairs} pairs of epochs",
        f"{np.median(with_one):.3f} s with, {np.median(without):.3f} s without; median of the pairs {share:+.1%}",
        "at most 3 % slower",
    )


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the counts")
    parser.add_argument("--only", default="", help="some of: kills, damaged, full, memory, saving, every_epoch")
    arguments = parser.parse_args()
    less = 10 if arguments.quick else 1
    parts: dict[str, Callable[[Path], None]] = {
        "kills": lambda folder: kills(200 // less, folder),  # first: it makes copies of a process that has not computed
        "damaged": lambda folder: damaged(1000 // less, folder),
        "full": lambda folder: full(50 // less, folder),
        "memory": memory,
        "saving": lambda folder: saving(folder, 20),
        "every_epoch": lambda folder: every_epoch(folder, 30 // (3 if arguments.quick else 1)),
    }
    print("| what | measured | wanted |\n|---|---|---|", flush=True)
    for name, part in parts.items():
        if not arguments.only or name in arguments.only.split(","):
            with tempfile.TemporaryDirectory() as folder:
                part(Path(folder))


if __name__ == "__main__":
    main()
