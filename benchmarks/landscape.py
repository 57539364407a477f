"""What the shape of a loss costs, and how right it is.

    python benchmarks/landscape.py [--rounds 3]

The course's net, 784-128-128-10, on 2,000 digits, each measurement in a process of its own with nothing compiled on disk. The
other side of a surface is a loop that sets weights and evaluates, of which 60 places are timed. The Lanczos process is held
against the Hessian written out, on a net of 1,230 weights.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

QUIET = {"verbose": 0}


def digits(rows: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    import thalweg

    found = thalweg.datasets.load("digits")
    return (found.x[:rows].reshape(-1, 784) / 255.0).astype(np.float32), found.y[:rows].astype(np.int32)


def course(x: np.ndarray, y: np.ndarray) -> Any:
    """The course's net after five epochs."""
    import thalweg
    from thalweg import layers

    stack = [layers.Dense(128, "relu"), layers.Dense(128, "relu"), layers.Dense(10, "softmax")]
    model = thalweg.Sequential([thalweg.Input((784,)), *stack])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=5, seed=0, **QUIET)
    return model


def timed(act: Any) -> tuple[float, float]:
    """Seconds of a first call, which compiles, and of a second."""
    times = []
    for _ in range(2):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return times[0], times[1]


def surface() -> dict[str, float]:
    from thalweg.diagnosis import loss_surface

    x, y = digits()
    model = course(x, y)
    cold, warm = timed(lambda: loss_surface(model, x, y, **QUIET))
    weights = model.get_weights()
    model.evaluate(x, y, batch_size=2000, **QUIET)
    begun = time.perf_counter()
    for step in range(60):
        model.set_weights([(1 + 1e-3 * step) * one for one in weights])
        model.evaluate(x, y, batch_size=2000, **QUIET)
    return {"cold": cold, "warm": warm, "loop": (time.perf_counter() - begun) / 60 * 51**2}


def curvature() -> dict[str, float]:
    from thalweg.diagnosis import critical_point, hessian, sharpness

    x, y = digits()
    model = course(x, y)
    found = {}
    for name, act in (
        ("hessian, float64", lambda: hessian(model, x, y, **QUIET)),
        ("hessian, float32", lambda: hessian(model, x, y, precision="float32", **QUIET)),
        ("critical_point", lambda: critical_point(model, x, y, **QUIET)),
        ("sharpness", lambda: sharpness(model, x, y, **QUIET)),
    ):
        found[f"{name}, first"], found[f"{name}, again"] = timed(act)
    return found


def exactness() -> dict[str, float]:
    import thalweg
    from thalweg import layers
    from thalweg.diagnosis import hessian
    from thalweg.diagnosis.landscape import _spectrum

    x, y = digits(1000)
    x = x.reshape(-1, 28, 28)[:, ::3, ::3].reshape(1000, -1)
    stack = [layers.Dense(10, "tanh"), layers.Dense(10, "tanh"), layers.Dense(10, "softmax")]
    model = thalweg.Sequential([thalweg.Input((100,)), *stack])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=10, seed=0, **QUIET)
    true = hessian(model, x, y, **QUIET)
    single = hessian(model, x, y, precision="float32", **QUIET)
    _spectrum.DENSE = 0
    some = [hessian(model, x, y, seed=seed, **QUIET) for seed in range(10)]
    top = float(np.abs(true.nodes).max())
    return {
        "largest": top,
        "float32 off by, over the largest": float(np.abs(single.nodes - true.nodes).max()) / top,
        "lanczos, highest off by": max(abs(one.eigenvalues[-1] - true.nodes[-1]) for one in some) / top,
        "lanczos, lowest off by": max(abs(one.eigenvalues[0] - true.nodes[0]) for one in some) / top,
        "index, exact": true.index.value,
        "index, held of 10": sum(one.index.low <= true.index.value <= one.index.high for one in some),
        "index, width": float(np.mean([one.index.high - one.index.low for one in some])),
        "trace, held of 10": sum(one.trace.low <= true.trace.value <= one.trace.high for one in some),
    }


def races() -> dict[str, float]:
    from thalweg.diagnosis import race

    found = {}
    found["race, first"], found["race, again"] = timed(lambda: race(surface="ravine"))
    one = race(surface="ravine")
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        path = one.animate(Path(folder) / "race.gif")
        found["gif, seconds"], found["gif, MB"] = time.perf_counter() - begun, path.stat().st_size / 1e6
    return found


SIDES = {"surface": surface, "curvature": curvature, "exactness": exactness, "race": races}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help="measure one, in this process, and print JSON")
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(SIDES[asked.side]()))
        return
    environment = {**os.environ, "THALWEG_DISK_CACHE": "0"}
    print("| what | measured |\n|---|---|")
    for side in SIDES:
        rounds = []
        for _ in range(1 if side == "exactness" else asked.rounds):
            said = subprocess.run(
                [sys.executable, __file__, "--side", side], env=environment, capture_output=True, text=True, check=True
            )
            rounds.append(json.loads(said.stdout))
        for name in rounds[0]:
            print(f"| {side}: {name} | {statistics.median(one[name] for one in rounds):.4g} |", flush=True)


if __name__ == "__main__":
    main()
