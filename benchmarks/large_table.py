"""A CSV of a million rows: read and encoded beside pandas's own reading, and predicted a piece at a time.

    python benchmarks/large_table.py [--rows 1000000] [--repeats 3]

Each figure is taken in a process of its own. Memory is the highest that the process held, above what it held once all was
imported; the matrix is rows x columns of float32.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = 30

_BEFORE = """
import json, sys, time, warnings
warnings.simplefilter('ignore')
import numpy as np, pandas as pd
import thalweg
from thalweg import data, models
from thalweg.cli import _predict
def held(which):
    return int(next(line for line in open('/proc/self/status') if line.startswith(which)).split()[1]) / 1024
path, rows = sys.argv[1], int(sys.argv[2])
pd.read_csv(path, nrows=100)
before, begun = held('VmRSS'), time.perf_counter()
"""
_AFTER = """
print(json.dumps([time.perf_counter() - begun, held('VmHWM') - before]))
"""
PANDAS = "frame = pd.read_csv(path)"
READ = """
table = data.read(path, target='bought')
recipe = table.recipe()
x, y = table.encode(recipe)
"""
TRAIN = """
from thalweg import layers
table = data.read(path, target='bought')
train = table.part(np.arange(20000))
recipe = train.recipe()
x, y = train.encode(recipe)
net = models.chained(models.table_front(recipe), [layers.Dense(64, activation='relu'), layers.Dense(2, activation='softmax')])
net.compile('adam', 'sparse_categorical_crossentropy')
net.preprocessing = recipe.record()
net.fit(x, y, epochs=1, verbose=0)
net.save(sys.argv[3])
"""
PREDICT = """
from pathlib import Path
from click.testing import CliRunner
from thalweg.cli import main
done = CliRunner().invoke(main, ['predict', sys.argv[3], path, '-o', sys.argv[3] + '.csv'])
assert done.exit_code == 0, done.output
"""


def write(path: Path, rows: int) -> None:
    """Numbers of several kinds, names, dates and yes or no, with a hundredth of the numbers missing."""
    rng = np.random.default_rng(0)
    for start in range(0, rows, 100_000):
        n = min(100_000, rows - start)
        found = {f"number {i}": rng.normal(size=n).round(4) * 10 ** (i % 4) for i in range(20)}
        found |= {f"count {i}": rng.integers(0, 10 ** (i + 1), n) for i in range(4)}
        for name in ("number 3", "number 7"):
            found[name][rng.random(n) < 0.01] = np.nan
        found |= {
            "city": rng.choice(["Bern", "Basel", "Chur", "Genf"], n),
            "shop": rng.choice([f"shop {i}" for i in range(200)], n),
            "code": rng.choice([f"{a}{b}" for a in "ABCDEFGH" for b in range(9)], n),
            "day": (np.datetime64("2020-01-01") + rng.integers(0, 2000, n)).astype(str),
            "member": rng.choice(["yes", "no"], n),
            "bought": rng.choice(["yes", "no"], n),
        }
        assert len(found) == COLUMNS
        pd.DataFrame(found).to_csv(path, index=False, mode="a", header=start == 0)


def measured(code: str, *given: object) -> tuple[float, float]:
    """Seconds, and MB above the import."""
    done = subprocess.run(
        [sys.executable, "-c", _BEFORE + code + _AFTER, *map(str, given)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def main() -> None:
    """The figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    matrix = asked.rows * COLUMNS * 4 / 2**20
    with tempfile.TemporaryDirectory() as folder:
        path, net = Path(folder) / "table.csv", Path(folder) / "net.keras"
        write(path, asked.rows)
        size = path.stat().st_size / 2**20
        print(f"{asked.rows:,} rows x {COLUMNS} columns, {size:,.0f} MB of CSV; as float32 {matrix:,.0f} MB\n")
        measured(TRAIN, path, asked.rows, net)
        sides = {"pandas.read_csv": PANDAS, "read and encoded": READ, "predicted, a piece at a time": PREDICT}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(asked.repeats):
            for name, code in sides.items():
                found[name].append(measured(code, path, asked.rows, net))
        base = statistics.median(seconds for seconds, _ in found["pandas.read_csv"])
        print("| | seconds | x pandas | MB above the import | x the matrix |\n|---|---|---|---|---|")
        for name, runs in found.items():
            seconds, memory = (statistics.median(one) for one in zip(*runs, strict=True))
            print(f"| {name} | {seconds:.1f} | {seconds / base:.2f} | {memory:,.0f} | {memory / matrix:.1f} |")


if __name__ == "__main__":
    main()
