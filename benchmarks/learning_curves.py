"""Whether learning curves foretell: the interval for four times the rows against what is then measured.

    python benchmarks/learning_curves.py [--only digits] [--seeds 2]

Each case trains a curve on n rows, foretells the error with 4n rows, and trains three nets on 4n rows. They are measured
twice: on the curve's validation rows, and on as many others. The intervals' constants were chosen on other cases: other nets
(32 units of relu, 40 of tanh, 48 with batch normalization, none) and other draws, of the digits and of other tables.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import thalweg
from thalweg import layers, optimizers, regularizers
from thalweg.diagnosis._learning_curve import learning_curve

Pair = tuple[np.ndarray, np.ndarray]


class Case(NamedTuple):
    """A net of some kind on `n` rows of a table, measured on `m` others."""

    table: str
    net: str
    n: int
    m: int
    epochs: int


CASES = [
    Case("digits", "wide", 1250, 300, 20),
    Case("digits", "wide", 2500, 1000, 15),
    Case("digits", "deep", 625, 150, 30),
    Case("digits", "deep", 1250, 1000, 20),
    Case("digits", "dropout", 1250, 1000, 20),
    Case("digits", "dropout", 2000, 500, 20),
    Case("digits", "sgd", 500, 500, 30),
    Case("digits", "sgd", 2000, 1000, 15),
    Case("digits8", "wide", 340, 180, 60),
    Case("digits8", "deep", 340, 180, 60),
    Case("digits8", "dropout", 250, 350, 60),
    Case("cancer", "deep", 100, 80, 40),
    Case("blobs", "wide", 800, 400, 30),
    Case("rings", "deep", 500, 500, 40),
    Case("sine", "wide", 800, 400, 60),
    Case("kinked", "deep", 600, 600, 40),
]


def digits(set_: Any) -> Pair:
    """All of the pictures, as rows from 0 to 1."""
    (x, y), (x_test, y_test) = set_.load_data()
    x = np.concatenate([x, x_test]).astype(np.float32)
    return x.reshape(len(x), -1) / x.max(), np.concatenate([y, y_test]).astype(np.int32)


def scaled(x: np.ndarray) -> np.ndarray:
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0), np.float32)


def cancer() -> Pair:
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return scaled(x), y.astype(np.int32)


def blobs() -> Pair:
    """Five classes of three clumps each; one label in twenty is wrong."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        8000, 16, n_informative=10, n_classes=5, n_clusters_per_class=3, flip_y=0.05, class_sep=1.5, random_state=11
    )
    return scaled(x), y.astype(np.int32)


def rings() -> Pair:
    """Three shells around each other in five dimensions."""
    from sklearn.datasets import make_gaussian_quantiles

    x, y = make_gaussian_quantiles(n_samples=8000, n_features=5, n_classes=3, random_state=12)
    return scaled(x), y.astype(np.int32)


def sine() -> Pair:
    """A wave, a product and noise."""
    rng = np.random.default_rng(13)
    x = rng.uniform(-2, 2, (8000, 6)).astype(np.float32)
    return x, scaled(np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.4 * rng.standard_normal(8000))


def kinked() -> Pair:
    """Absolute values and steps, with noise."""
    rng = np.random.default_rng(14)
    x = rng.standard_normal((8000, 8)).astype(np.float32)
    return x, scaled(np.abs(x[:, :3]).sum(axis=1) + (x[:, 3] > 0) * x[:, 4] + 0.6 * rng.standard_normal(8000))


TABLES: dict[str, Callable[[], Pair]] = {
    "digits": lambda: digits(thalweg.datasets.digits),
    "digits8": lambda: digits(thalweg.datasets.digits8),
    "cancer": cancer,
    "blobs": blobs,
    "rings": rings,
    "sine": sine,
    "kinked": kinked,
}


def net(kind: str, columns: int, outputs: int) -> Any:
    """A compiled model that is yet to be trained."""
    penalty = regularizers.L2(1e-4)
    hidden: dict[str, list[Any]] = {
        "wide": [layers.Dense(64, "relu")],
        "deep": [layers.Dense(48, "relu", kernel_regularizer=penalty), layers.Dense(48, "relu")],
        "dropout": [layers.Dense(96, "relu"), layers.Dropout(0.3)],
        "sgd": [layers.Dense(48, "relu")],
    }
    last = layers.Dense(outputs, "softmax" if outputs > 1 else None)
    model = thalweg.Sequential([thalweg.Input((columns,)), *hidden[kind], last])
    rule = optimizers.SGD(0.05, 0.9) if kind == "sgd" else optimizers.Adam(2e-3)
    model.compile(rule, "sparse_categorical_crossentropy" if outputs > 1 else "mse")
    return model


class Outcome(NamedTuple):
    """What was foretold, and measured of each net on two sets of rows."""

    case: Case
    now: float
    error: float
    low: float
    high: float
    same: np.ndarray
    other: np.ndarray

    def inside(self, errors: np.ndarray) -> np.ndarray:
        return (self.low <= errors) & (errors <= self.high)


def tried(case: Case, table: Pair, seed: int) -> Outcome:
    """Foretell, then measure."""
    x, y = table
    order = np.random.default_rng((seed, case.n)).permutation(len(x))
    first, more = order[: case.n], order[: 4 * case.n]
    rest = order[4 * case.n :]
    checked, others = rest[: case.m], rest[case.m : 2 * case.m] if len(rest) >= 2 * case.m else rest[-case.m :]
    model = net(case.net, x.shape[1], int(y.max()) + 1 if y.dtype.kind == "i" else 1)
    curve = learning_curve(
        model, x[first], y[first], validation=(x[checked], y[checked]), epochs=case.epochs, seed=seed
    )
    crew = thalweg.Population.of_seeds(model, 3)
    crew.fit(x[more], y[more], epochs=case.epochs, batch_size=32, seeds=range(3), verbose=0)
    told = curve.predictions[-1]
    assert told.rows == 4 * case.n
    same, other = (errors(crew.predict(x[rows]), y[rows], y[first]) for rows in (checked, others))
    return Outcome(case, float(np.mean(curve.errors[-1])), told.error, told.low, told.high, same, other)


def errors(outputs: np.ndarray, y: np.ndarray, train_y: np.ndarray) -> np.ndarray:
    """One a net."""
    if y.dtype.kind == "i":
        return np.asarray((outputs.argmax(axis=-1) != y).mean(axis=1))
    return np.asarray(((outputs[..., 0] - y) ** 2).mean(axis=1) / train_y.var())


def row(*cells: Any) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def report(outcomes: list[Outcome]) -> None:
    """How many errors lie inside, of all and of the digits alone."""
    for name, part in (("all", outcomes), ("digits", [one for one in outcomes if one.case.table.startswith("digits")])):
        if not part:
            continue
        for what, measured in (("same rows", [o.same for o in part]), ("other rows", [o.other for o in part])):
            inside = np.array([one.inside(errors) for one, errors in zip(part, measured, strict=True)])
            print(f"- {name}, {what}: first net {inside[:, 0].sum()} of {len(part)}, all nets {inside.mean():.1%}")
        width = np.median([(one.high - one.low) / np.mean([one.same, one.other]).clip(1e-3) for one in part])
        print(f"- {name}: median width {width:.2f} times the measured error")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seeds", type=int, default=2, help="draws of rows a case")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    begun = time.perf_counter()
    tables: dict[str, Pair] = {}
    outcomes = []
    row(
        "table",
        "net",
        "rows",
        "validation",
        "now",
        "foretold for 4x",
        "90 %",
        "measured, same rows",
        "other rows",
        "inside",
    )
    row(*["---"] * 10)
    for seed in range(asked.seeds):
        for case in CASES:
            if asked.only and case.table not in asked.only:
                continue
            table = tables.setdefault(case.table, tables.get(case.table) or TABLES[case.table]())
            one = tried(case, table, seed)
            outcomes.append(one)
            ends = f"{one.low:.3f} to {one.high:.3f}"
            inside = f"{one.inside(one.same).sum()}, {one.inside(one.other).sum()} of 3"
            means = (f"{each.mean():.3f}" for each in (one.same, one.other))
            row(case.table, case.net, case.n, case.m, f"{one.now:.3f}", f"{one.error:.3f}", ends, *means, inside)
    print()
    report(outcomes)
    print(f"- {len(outcomes)} cases in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
