"""Makes src/thalweg/datasets/digits.npz: 12,000 digits of MNIST, 10,000 of its training and 2,000 of its test set.

Stratified: each class has the share of the rows that it has in MNIST, largest remainders first; which rows
is drawn with a fixed seed. The pictures stay bytes, the rows keep MNIST's order.

    THALWEG_DATA=folder/with/the/idx/files python tools/make_digits.py
"""

from pathlib import Path

import numpy as np

from thalweg import datasets

SEED = 20260
TARGET = Path(__file__).parents[1] / "src" / "thalweg" / "datasets" / "digits.npz"


def stratified(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` row numbers, in order, with the classes mixed as in `labels`."""
    exact = np.bincount(labels) * count / len(labels)
    each = np.floor(exact).astype(int)
    each[np.argsort(each - exact, kind="stable")[: count - each.sum()]] += 1
    picked = [rng.choice(np.flatnonzero(labels == one), size, replace=False) for one, size in enumerate(each)]
    return np.sort(np.concatenate(picked))


def main() -> None:
    (x, y), (x_test, y_test) = datasets.mnist.load_data()
    rng = np.random.default_rng(SEED)
    train, test = stratified(y, 10_000, rng), stratified(y_test, 2_000, rng)
    np.savez_compressed(TARGET, x_train=x[train], y_train=y[train], x_test=x_test[test], y_test=y_test[test])
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
