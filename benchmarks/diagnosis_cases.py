"""Nets of known truth by which ``thalweg.diagnosis`` is scored; what each suffers from follows from how it is made.

The cases that a diagnosis may be tuned on are in diagnosis_tuning.py, from other data and other generators;
diagnosis.py runs both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import thalweg
from thalweg import datasets, initializers, layers, optimizers, regularizers

Pair = tuple[np.ndarray, np.ndarray]
Cut = tuple[Pair, Pair]
Made = tuple[Any, Pair, Pair, float | None]

BIAS, VARIANCE, BOTH = {"high bias"}, {"high variance"}, {"high bias and variance"}
ODD, WELL, OPEN = {"what did you do?"}, {"well"}, {"undecided"}


class Case(NamedTuple):
    """A net, its rows, and the truth about them.

    Attributes:
        name: what it is called.
        make: gives the fitted model, its training and validation rows, and a target error or None.
        scenarios: the verdicts that count as right.
        finding: the name that must be among the findings, or None.
        healthy: whether nothing at all may be found.
        why: how the truth follows from the construction.

    """

    name: str
    make: Callable[[], Made]
    scenarios: set[str]
    finding: str | None = None
    healthy: bool = False
    why: str = ""


def healthy(name: str, make: Callable[[], Made], why: str) -> Case:
    """A case in which nothing is wrong."""
    return Case(name, make, WELL, None, True, why)


# -- nets ----------------------------------------------------------------------------------------------


def net(
    inputs: int,
    outputs: int,
    last: str,
    widths: Sequence[int],
    activation: str = "relu",
    l2: float = 0.0,
    dropout: float = 0.0,
    norm: bool = False,
    kernel: Any = "glorot_uniform",
    bias: Any = "zeros",
) -> Any:
    """Dense layers of these widths, with what is asked for after each."""
    parts: list[Any] = [thalweg.Input((inputs,))]
    penalty = regularizers.L2(l2) if l2 else None
    for width in widths:
        parts.append(layers.Dense(width, None if norm else activation, True, kernel, bias, penalty))
        parts += [layers.BatchNormalization(), layers.Activation(activation)] if norm else []
        parts += [layers.Dropout(dropout)] if dropout else []
    return thalweg.Sequential([*parts, layers.Dense(outputs, last, True, kernel, "zeros", penalty)])


def fitted(
    rows: Cut,
    widths: Sequence[int],
    *,
    target: float | None = None,
    rate: Any = 0.003,
    sgd: bool = False,
    epochs: int = 20,
    batch: int = 32,
    two: bool = False,
    seed: int = 0,
    **kinds: Any,
) -> Made:
    """A net fitted to the first rows and validated on the others: whole numbers are classes, others are numbers.

    With `two` there is one sigmoid for two classes.
    """
    (x, y), validation = rows
    classes = y.dtype.kind in "iu"
    if not classes:
        model, loss, metrics = net(x.shape[1], 1, "linear", widths, **kinds), "mse", ["mae"]
    elif two:
        model, loss, metrics = net(x.shape[1], 1, "sigmoid", widths, **kinds), "binary_crossentropy", ["accuracy"]
    else:
        many = int(max(y.max(), validation[1].max())) + 1
        model, loss = net(x.shape[1], many, "softmax", widths, **kinds), "sparse_categorical_crossentropy"
        metrics = ["accuracy"]
    optimizer = optimizers.SGD(rate, momentum=0.9) if sgd else optimizers.Adam(rate)
    model.compile(optimizer, loss, metrics=metrics)
    model.fit(x, y, batch, epochs, verbose=0, validation_data=validation, seed=seed)
    return model, (x, y), validation, target


# -- what is done to rows ------------------------------------------------------------------------------


def pair(x: Any, y: Any) -> Pair:
    """Rows as float32, classes as int32, numbers as float32."""
    y = np.asarray(y)
    return np.asarray(x, np.float32), y.astype(np.int32 if y.dtype.kind in "iub" else np.float32)


def cut(rows: Pair, validation: int) -> Cut:
    """The last rows as validation."""
    x, y = rows
    return (x[:-validation], y[:-validation]), (x[-validation:], y[-validation:])


def mixed(rows: Pair, count: int, seed: int = 0) -> Pair:
    """So many rows, drawn without putting back."""
    order = np.random.default_rng(seed).permutation(len(rows[1]))[:count]
    return rows[0][order], rows[1][order]


def scaled(rows: Pair) -> Pair:
    """Columns of mean 0 and deviation 1, and numbers likewise."""
    x, y = rows
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-6)
    return pair(x, y if y.dtype.kind == "i" else (y - y.mean()) / y.std())


def flipped(rows: Pair, share: float, seed: int = 0) -> Pair:
    """This share of the labels made another class."""
    x, y = rows
    rng = np.random.default_rng(seed)
    hit = rng.permutation(len(y))[: round(share * len(y))]
    y = y.copy()
    classes = int(y.max()) + 1
    y[hit] = (y[hit] + rng.integers(1, classes, len(hit))) % classes
    return x, y


def shuffled(rows: Pair, seed: int = 0) -> Pair:
    """The targets in an order that has nothing to do with the rows."""
    return rows[0], np.random.default_rng(seed).permutation(rows[1])


def noised(rows: Pair, share: float, seed: int = 0) -> Pair:
    """Noise on the numbers that makes up this share of their variance; they are scaled to variance 1 again."""
    x, y = rows
    noise = np.random.default_rng(seed).normal(size=len(y))
    return pair(x, np.sqrt(1 - share) * (y - y.mean()) / y.std() + np.sqrt(share) * noise)


def wider(rows: Pair, columns: int, seed: int = 0) -> Pair:
    """With columns beside the others that mean nothing."""
    extra = np.random.default_rng(seed).normal(size=(len(rows[1]), columns))
    return pair(np.hstack([rows[0], extra]), rows[1])


def repeated(rows: Cut, share: float, change: Callable[[np.ndarray], np.ndarray] = lambda x: x) -> Cut:
    """This share of the validation rows put in from the training rows, after a change to them."""
    (x, y), (x_val, y_val) = rows
    count = round(share * len(y_val))
    x_val, y_val = x_val.copy(), y_val.copy()
    x_val[:count], y_val[:count] = change(x[:count]), y[:count]
    order = np.random.default_rng(1).permutation(len(y_val))
    return (x, y), (x_val[order], y_val[order])


def jittered(size: float) -> Callable[[np.ndarray], np.ndarray]:
    """A change: noise of this share of each column's deviation."""

    def change(x: np.ndarray) -> np.ndarray:
        return pair(x + size * x.std(0) * np.random.default_rng(2).normal(size=x.shape), 0)[0]

    return change


def told(rows: Pair, noise: float = 0.01, seed: int = 0) -> Pair:
    """With a column that gives the target away."""
    x, y = rows
    column = (y - y.mean()) / y.std() + noise * np.random.default_rng(seed).normal(size=len(y))
    return pair(np.column_stack([x, column]), y)


def by_target(rows: Pair) -> Pair:
    """Sorted by the target."""
    order = np.argsort(rows[1], kind="stable")
    return rows[0][order], rows[1][order]


def only(rows: Pair, keep: np.ndarray) -> Pair:
    """The rows that are kept."""
    return rows[0][keep], rows[1][keep]


def one_in_ten_of(rows: Pair, scarce: int) -> Pair:
    """Nine of ten rows of a class taken out."""
    drop = np.flatnonzero(rows[1] == scarce)
    keep = np.ones(len(rows[1]), bool)
    keep[drop[np.arange(len(drop)) % 10 > 0]] = False
    return only(rows, keep)


# -- rows ----------------------------------------------------------------------------------------------


def spirals(count: int, seed: int, noise: float = 0.02, turns: float = 1.0) -> Pair:
    """Two spirals, one within the other."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, count)
    along = np.sqrt(rng.uniform(0.03, 1, count))
    angle = 2 * np.pi * turns * along + np.pi * arm
    x = along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(0, noise, (count, 2))
    return scaled(pair(x, arm))


def xor(count: int, seed: int) -> Pair:
    """Whether two columns have one sign; a little space between."""
    x = np.random.default_rng(seed).uniform(0.05, 1, (count, 2)) * np.random.default_rng(seed + 1).choice(
        [-1, 1], (count, 2)
    )
    return scaled(pair(x, x.prod(1) > 0))


def product(count: int, seed: int) -> Pair:
    """The product of two columns: a number of which no plane knows anything."""
    x = np.random.default_rng(seed).normal(size=(count, 2))
    return scaled(pair(x, x.prod(1)))


def teacher(count: int, seed: int, inputs: int = 4, classes: int = 0, units: int = 6, net_seed: int = 1) -> Pair:
    """What a random tanh net says: numbers, or its strongest output where there are classes."""
    rng = np.random.default_rng(net_seed)
    first, last = rng.normal(size=(inputs, units)), rng.normal(size=(units, max(classes, 1)))
    x = np.random.default_rng(seed).normal(size=(count, inputs))
    y = np.tanh(x @ first) @ last
    y = (y - y.mean(0)) / y.std(0)
    return pair(x, y.argmax(1) if classes > 1 else y[:, 0])


def friedman(count: int, seed: int) -> Pair:
    """Friedman's first function: five of ten columns matter."""
    from sklearn.datasets import make_friedman1

    return scaled(pair(*make_friedman1(count, random_state=seed)))


def circuits(count: int, seed: int, raw: bool = False) -> Pair:
    """Friedman's second function: the impedance of a circuit; the columns are of very different sizes if `raw`."""
    from sklearn.datasets import make_friedman2

    x, y = make_friedman2(count, random_state=seed)
    return pair(x, (y - y.mean()) / y.std()) if raw else scaled(pair(x, y))


def plane(count: int, seed: int, inputs: int = 8) -> Pair:
    """A weighted sum of the columns."""
    x = np.random.default_rng(seed).normal(size=(count, inputs))
    return scaled(pair(x, x @ np.linspace(-1, 1, inputs)))


def blobs(count: int, seed: int, classes: int = 4, inputs: int = 5, spread: float = 1.0) -> Pair:
    """Round clouds."""
    centers = 3 * np.random.default_rng(11).normal(size=(classes, inputs))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, count)
    return scaled(pair(centers[y] + spread * rng.normal(size=(count, inputs)), y))


def digits(count: int, seed: int = 0) -> Pair:
    """28 x 28 digits, grey values from 0 to 1."""
    (x, y), _ = datasets.digits.load_data()
    return mixed(pair(x.reshape(-1, 784) / 255, y), count, seed)


def of_sklearn(name: str, seed: int = 0, raw: bool = False) -> Pair:
    """A table that comes with scikit-learn, each row once, in a random order."""
    from sklearn import datasets as tables

    x, y = getattr(tables, f"load_{name}")(return_X_y=True)
    _, once = np.unique(x, axis=0, return_index=True)
    rows = pair(x[once], y[once])
    return mixed(rows if raw else scaled(rows), len(once), seed)


def grid(count: int, seed: int) -> Pair:
    """Four answers on a scale from 0 to 4, and whether their weighted sum is high: 625 different rows."""
    x = np.random.default_rng(seed).integers(0, 5, (count, 4))
    return scaled(pair(x, x @ [2, 1, 1, 2] > 12))


# -- what only these cases need ------------------------------------------------------------------------


def shoved(x: np.ndarray) -> np.ndarray:
    """28 x 28 pictures moved down by a pixel."""
    return np.roll(x.reshape(-1, 28, 28), 1, axis=1).reshape(-1, 784)


def brightened(x: np.ndarray) -> np.ndarray:
    """Pictures a tenth brighter."""
    return np.minimum(x * np.float32(1.1) + np.float32(0.02), 1)


def displaced(rows: Cut, columns: Any, by: float) -> Cut:
    """These columns of validation moved by so many deviations."""
    train, (x, y) = rows
    x = x.copy()
    x[:, columns] += by
    return train, (x, y)


def easier(rows: Cut) -> Cut:
    """Training labels random in one half of the space; validation from the other half alone."""
    (x, y), checked = rows
    rng = np.random.default_rng(7)
    y = np.where(x[:, 1] > 0, rng.integers(0, 2, len(y)), y).astype(np.int32)
    return (x, y), only(checked, checked[0][:, 1] <= 0)


def of_classes(rows: Cut, classes: Sequence[int]) -> Cut:
    """Validation from these classes alone."""
    return rows[0], only(rows[1], np.isin(rows[1][1], classes))


def muddled(rows: Pair, classes: Sequence[int]) -> Pair:
    """The labels of these classes exchanged among their rows."""
    x, y = rows
    y, among = y.copy(), np.isin(y, classes)
    y[among] = np.random.default_rng(6).permutation(y[among])
    return x, y


def scarce_in_validation(rows: Cut, scarce: int) -> Cut:
    """Of this class one row in ten left in validation."""
    return rows[0], one_in_ten_of(rows[1], scarce)


def mislabelled(rows: Cut, share: float) -> Cut:
    """Wrong labels among the training rows alone."""
    return flipped(rows[0], share, 8), rows[1]


def noisy_training(rows: Cut, share: float) -> Cut:
    """Noise of this share on the numbers of the training rows alone."""
    (x, y), checked = rows
    noise = np.sqrt(share / (1 - share)) * y.std() * np.random.default_rng(9).normal(size=len(y))
    return pair(x, y + noise), checked


def sized(rows: Pair, by: float) -> Pair:
    """Columns of this size."""
    return pair(rows[0] * by + by, rows[1])


def half_asleep(shape: Any, dtype: Any = None) -> np.ndarray:
    """First biases of which one half is at -12."""
    return np.where(np.arange(shape[0]) % 2, -12.0, 0.0).astype("float32")


def normal(deviation: float) -> Any:
    """First weights of this size."""
    return initializers.RandomNormal(0.0, deviation)


def ending(rate: float, steps: int) -> Any:
    """A rate that falls to a tenth again and again."""
    return optimizers.schedules.ExponentialDecay(rate, steps, 0.1)


# -- the cases -----------------------------------------------------------------------------------------

SMALL = "neighbours or trees solve it, these few units cannot"
HEART = "far more weights than rows: what is chance is learnt by heart"
PLANE = "a plane cannot do it, and it bends to columns that mean nothing: both errors high, with a gap"
STILL_WELL = "so few repeats cannot move the error from one side of the target to the other"
STILL_HIGH = "with the repeats and without them the training error is low and the validation error high"
TABLE_OR_LEAK = "the table reads low and low; but both are low by a leak"
TABLE_OR_SPLIT = "the table reads low and high; but it is the split that is wrong, not the net that is too large"
CLEAN = "the net learns the rule, so what is wrong in training alone is its training error"
SHUFFLED = "the targets are those of other rows"
FEW = "so few rows tell a good net from a bad one by chance alone"
USUAL = "a usual net, rows enough, a target within reach"
FLOOR = "targets wrong in both sets alike: nobody gets below, and the net is there"

CASES = [
    # too small
    Case("spirals, 2 units", lambda: fitted(cut(spirals(2000, 1), 500), [2]), BIAS, why=SMALL),
    Case(
        "spirals, 3 tanh units",
        lambda: fitted(cut(spirals(2500, 2), 500), [3], activation="tanh", target=0.05),
        BIAS,
        why=SMALL,
    ),
    Case("xor, 1 unit", lambda: fitted(cut(xor(1500, 3), 500), [1]), BIAS, why=SMALL),
    Case("xor, no hidden layer", lambda: fitted(cut(xor(1500, 4), 400), [], two=True, target=0.1), BIAS, why=SMALL),
    Case("digits, 1 unit", lambda: fitted(cut(digits(3000, 5), 600), [1], epochs=10), BIAS, why=SMALL),
    Case("digits, 2 units", lambda: fitted(cut(digits(3000, 6), 600), [2], epochs=8, target=0.1), BIAS, why=SMALL),
    Case(
        "teacher of 5 classes, 1 unit",
        lambda: fitted(cut(teacher(3000, 7, 3, 5), 600), [1], target=0.15),
        BIAS,
        why=SMALL,
    ),
    Case("product, 1 unit", lambda: fitted(cut(product(2500, 8), 500), [1]), BIAS, why=SMALL),
    Case("friedman, 1 unit", lambda: fitted(cut(friedman(2000, 9), 500), [1], target=0.05), BIAS, why=SMALL),
    # held back
    Case(
        "cancer, L2 of 3",
        lambda: fitted(cut(of_sklearn("breast_cancer"), 170), [32], l2=3.0, epochs=25),
        BIAS,
        "no better than constant",
        why="a penalty that leaves no weights",
    ),
    Case(
        "circuits, L2 of 5",
        lambda: fitted(cut(circuits(2000, 10), 500), [32, 32], l2=5.0, target=0.1),
        BIAS,
        "no better than constant",
        why="a penalty that leaves no weights",
    ),
    Case(
        "digits, dropout of 0.9",
        lambda: fitted(cut(digits(2500, 11), 500), [16, 16, 16], dropout=0.9, epochs=10),
        BIAS,
        why="of sixteen units one or two are left a layer",
    ),
    Case(
        "spirals, dropout of 0.9",
        lambda: fitted(cut(spirals(2000, 12), 500), [16, 16, 16], dropout=0.9, target=0.05),
        BIAS,
        why="of sixteen units one or two are left a layer",
    ),
    Case(
        "digits, 1 epoch",
        lambda: fitted(cut(digits(1500, 13), 500), [32], sgd=True, rate=0.002, epochs=1),
        BIAS,
        why="thirty small steps are no training",
    ),
    Case(
        "spirals, 3 epochs",
        lambda: fitted(cut(spirals(1500, 14), 500), [32, 32], rate=0.001, epochs=3, target=0.05),
        BIAS,
        why="a hundred small steps do not unwind a spiral",
    ),
    # far too large
    Case(
        "100 noisy rows, 1024 units",
        lambda: fitted(cut(flipped(teacher(600, 15, 10, 2), 0.2), 500), [1024], epochs=60, target=0.25),
        VARIANCE,
        why=HEART,
    ),
    Case(
        "300 digits, 512 x 512",
        lambda: fitted(cut(digits(1100, 16), 800), [512, 512], rate=0.001, epochs=25, target=0.05),
        VARIANCE,
        why="thousands of rows reach the target, 300 do not",
    ),
    Case(
        "300 columns without meaning",
        lambda: fitted(cut(wider(blobs(700, 17, 2, 1, 0.7), 300), 500), [200], epochs=25, target=0.05),
        VARIANCE,
        why="one of 301 columns tells the class, the net learns the others by heart",
    ),
    Case(
        "xor among 100 columns",
        lambda: fitted(cut(wider(xor(800, 18), 100), 500), [128, 128], epochs=25, target=0.1),
        VARIANCE,
        "overfitting",
        why=HEART,
    ),
    Case(
        "digits, wrong labels learnt by heart",
        lambda: fitted(cut(flipped(digits(2200, 19), 0.2), 700), [512, 256], rate=0.001, epochs=35),
        VARIANCE,
        "overfitting",
        why="a fifth of the labels is random, and the training error is far below that",
    ),
    Case(
        "teacher, wrong labels learnt by heart",
        lambda: fitted(cut(flipped(teacher(1400, 20, 8, 2), 0.2), 700), [512, 512], epochs=50, target=0.24),
        VARIANCE,
        "overfitting",
        why="a fifth of the labels is random, and the training error is far below that",
    ),
    Case(
        "cancer, wrong labels learnt by heart",
        lambda: fitted(cut(flipped(of_sklearn("breast_cancer", 1), 0.2), 250), [256, 256], epochs=60),
        VARIANCE,
        "overfitting",
        why="a fifth of the labels is random, and the training error is far below that",
    ),
    Case(
        "friedman, 100 noisy rows",
        lambda: fitted(cut(noised(friedman(600, 21), 0.3), 500), [300, 300], epochs=100, target=0.4),
        VARIANCE,
        why=HEART,
    ),
    Case(
        "plane among 120 columns",
        lambda: fitted(cut(noised(wider(plane(620, 22, 4), 120), 0.1), 500), [256], epochs=80, target=0.2),
        VARIANCE,
        why=HEART,
    ),
    # both
    Case(
        "xor on a plane, with 50 columns",
        lambda: fitted(cut(wider(xor(920, 23), 50), 800), [], epochs=150, target=0.05),
        BOTH,
        why=PLANE,
    ),
    Case(
        "product on a plane, with 50 columns",
        lambda: fitted(cut(wider(product(620, 24), 50), 500), [], epochs=300, target=0.05),
        BOTH,
        why=PLANE,
    ),
    Case(
        "spirals on a plane, with 25 columns",
        lambda: fitted(cut(wider(spirals(950, 25), 25), 800), [], two=True, epochs=150, target=0.05),
        BOTH,
        why=PLANE,
    ),
    Case(
        "200 digits, 2 units",
        lambda: fitted(cut(digits(800, 26), 600), [2], epochs=60, target=0.08),
        BOTH,
        why="two units cannot part ten classes, and 1,570 weights learn 200 rows by heart as far as they can",
    ),
    # rows that leak
    Case(
        "1 % of validation in training",
        lambda: fitted(repeated(cut(digits(4000, 27), 1000), 0.01), [64], rate=0.001, epochs=15, target=0.1),
        WELL,
        "duplicates",
        why=STILL_WELL,
    ),
    Case(
        "3 % of validation in training",
        lambda: fitted(repeated(cut(teacher(3000, 28, 4, 3), 600), 0.03), [24], epochs=25, target=0.15),
        WELL,
        "duplicates",
        why=STILL_WELL,
    ),
    Case(
        "10 % of validation in training, numbers",
        lambda: fitted(repeated(cut(noised(friedman(600, 29), 0.3), 480), 0.1), [256, 256], epochs=100, target=0.4),
        VARIANCE,
        "duplicates",
        why=STILL_HIGH,
    ),
    Case(
        "10 % of validation in training, 1 unit",
        lambda: fitted(repeated(cut(spirals(2500, 30), 500), 0.1), [1], target=0.05),
        BIAS,
        "duplicates",
        why="one unit is at the rows of both sets no better than at others",
    ),
    Case(
        "50 % of validation in training",
        lambda: fitted(repeated(cut(digits(750, 31), 400), 0.5), [256, 256], rate=0.001, epochs=25, target=0.02),
        VARIANCE,
        "duplicates",
        why=STILL_HIGH,
    ),
    Case(
        "50 % of validation in training, good by it",
        lambda: fitted(
            repeated(cut(flipped(teacher(1000, 32, 8, 2), 0.1), 500), 0.5), [256, 256], epochs=50, target=0.2
        ),
        VARIANCE | ODD,
        "duplicates",
        why="the rows that do not repeat have a high error; the mean over all of them has not, by the leak",
    ),
    Case(
        "5 % of validation nearly in training",
        lambda: fitted(repeated(cut(blobs(2500, 33), 600), 0.05, jittered(0.003)), [16], epochs=20, target=0.06),
        WELL,
        "near duplicates",
        why=STILL_WELL,
    ),
    Case(
        "30 % of validation nearly in training",
        lambda: fitted(
            repeated(cut(flipped(teacher(800, 34, 8, 2), 0.1), 500), 0.3, jittered(0.005)),
            [256, 256],
            epochs=50,
            target=0.13,
        ),
        VARIANCE,
        "near duplicates",
        why=STILL_HIGH,
    ),
    Case(
        "digits moved by a pixel",
        lambda: fitted(
            repeated(cut(flipped(digits(1600, 35), 0.2), 500), 0.2, shoved),
            [256, 256],
            rate=0.001,
            epochs=35,
            target=0.22,
        ),
        VARIANCE,
        "near duplicates",
        why=STILL_HIGH,
    ),
    Case(
        "digits brightened",
        lambda: fitted(repeated(cut(digits(4000, 36), 1000), 0.1, brightened), [64], rate=0.001, epochs=15, target=0.1),
        WELL,
        "near duplicates",
        why="the other nine tenths are below the target too",
    ),
    Case(
        "a column that is the class",
        lambda: fitted(cut(told(flipped(xor(2000, 37), 0.25), 0.02), 500), [32], epochs=20),
        WELL | ODD,
        "leaking feature",
        why=TABLE_OR_LEAK,
    ),
    Case(
        "a column that is the number",
        lambda: fitted(cut(told(noised(friedman(2000, 38), 0.4), 0.02), 500), [32], epochs=25, target=0.4),
        WELL | ODD,
        "leaking feature",
        why=TABLE_OR_LEAK,
    ),
    # other rows in validation than in training
    Case(
        "teacher, all columns moved",
        lambda: fitted(displaced(cut(teacher(3000, 39, 4, 4), 600), slice(None), 2.0), [32], epochs=25, target=0.12),
        VARIANCE | ODD,
        "drift",
        why=TABLE_OR_SPLIT,
    ),
    Case(
        "friedman, three columns moved",
        lambda: fitted(displaced(cut(friedman(2500, 40), 500), [0, 2, 3], 2.5), [48], epochs=30, target=0.1),
        VARIANCE | ODD,
        "drift",
        why=TABLE_OR_SPLIT,
    ),
    Case(
        "columns without meaning moved",
        lambda: fitted(displaced(cut(wider(blobs(3000, 41, 3), 3), 600), [5, 6, 7], 1.0), [12], epochs=20, target=0.08),
        WELL,
        "drift",
        why="what has moved has nothing to do with the classes",
    ),
    Case(
        "the random half in training alone",
        lambda: fitted(easier(cut(xor(2500, 42), 1000)), [24], epochs=25),
        ODD,
        "drift",
        why="labels are random only where validation has no rows: training error high, validation error low",
    ),
    Case(
        "one class scarce in validation",
        lambda: fitted(scarce_in_validation(cut(blobs(3000, 43, 2), 1200), 0), [16], epochs=20, target=0.05),
        WELL,
        "class mix",
        why="the net is good at both classes; validation has ten of one for one of the other",
    ),
    Case(
        "the easy classes in validation alone",
        lambda: fitted(of_classes(cut(muddled(blobs(3000, 44, 5), [2, 3, 4]), 1200), [0, 1]), [24], target=0.05),
        ODD,
        "class mix",
        why="three classes cannot be told apart, two can: training error high, validation error low",
    ),
    Case(
        "digits, sorted before the cut",
        lambda: fitted(cut(by_target(digits(3000, 45)), 300), [64], rate=0.001, epochs=12),
        VARIANCE | ODD,
        "sorted validation",
        why=TABLE_OR_SPLIT,
    ),
    Case(
        "friedman, sorted before the cut",
        lambda: fitted(cut(by_target(friedman(2500, 101)), 250), [32], epochs=20, target=0.05),
        VARIANCE | ODD,
        "sorted validation",
        why=TABLE_OR_SPLIT,
    ),
    Case(
        "three blobs, sorted before the cut",
        lambda: fitted(cut(by_target(blobs(3000, 46, 3)), 300), [16], epochs=20, target=0.06),
        WELL,
        "sorted validation",
        why="validation has one class alone, which is in training too, and the net is good at all",
    ),
    # wrong in training, right in validation
    Case(
        "digits, a quarter of the training labels wrong",
        lambda: fitted(
            mislabelled(cut(digits(3700, 47), 700), 0.25), [24], l2=0.003, epochs=8, rate=0.001, target=0.15
        ),
        ODD,
        why=CLEAN,
    ),
    Case(
        "xor, a quarter of the training labels wrong",
        lambda: fitted(mislabelled(cut(xor(2500, 48), 600), 0.25), [16], epochs=25),
        ODD,
        why=CLEAN,
    ),
    Case(
        "blobs, 40 % of the training labels wrong",
        lambda: fitted(mislabelled(cut(blobs(3000, 49), 600), 0.4), [12], epochs=12),
        ODD,
        why=CLEAN,
    ),
    Case(
        "plane, half of the training numbers noise",
        lambda: fitted(noisy_training(cut(plane(3000, 50), 600), 0.5), [8], epochs=12, target=0.1),
        ODD,
        why=CLEAN,
    ),
    # nothing to learn
    Case(
        "digits with labels of others, 8 units",
        lambda: fitted(cut(shuffled(digits(2500, 51)), 500), [8], epochs=10),
        ODD,
        "no signal",
        why=SHUFFLED,
    ),
    Case(
        "digits with labels of others, 512 x 512",
        lambda: fitted(cut(shuffled(digits(1400, 52)), 400), [512, 512], rate=0.001, epochs=40),
        ODD,
        "no signal",
        why=SHUFFLED,
    ),
    Case(
        "cancer with labels of others",
        lambda: fitted(cut(shuffled(of_sklearn("breast_cancer", 2)), 170), [16], epochs=25, two=True),
        ODD,
        "no signal",
        why=SHUFFLED,
    ),
    Case(
        "friedman with numbers of others, 512 units",
        lambda: fitted(cut(shuffled(friedman(1000, 53)), 400), [512, 256], epochs=60),
        ODD,
        "no signal",
        why=SHUFFLED,
    ),
    Case(
        "teacher with labels of others, 16 units",
        lambda: fitted(cut(shuffled(teacher(2000, 54, 6, 3)), 500), [16], target=0.1),
        ODD,
        "no signal",
        why=SHUFFLED,
    ),
    # what goes wrong in training
    Case(
        "Adam at 0.5",
        lambda: fitted(cut(digits(2500, 55), 500), [48, 48], rate=0.5, epochs=10),
        BIAS,
        "learning rate too high",
        why="hundreds of times the usual rate",
    ),
    Case(
        "gradient descent at 5",
        lambda: fitted(cut(spirals(2000, 56), 500), [24, 24], activation="tanh", sgd=True, rate=5.0),
        BIAS,
        "learning rate too high",
        why="a hundred times a rate that works",
    ),
    Case(
        "Adam at 1, numbers",
        lambda: fitted(cut(friedman(2000, 57), 500), [32, 32], activation="tanh", rate=1.0, target=0.1),
        BIAS,
        "learning rate too high",
        why="hundreds of times the usual rate",
    ),
    Case(
        "Adam at 0.00001",
        lambda: fitted(cut(teacher(2500, 58, 4, 4), 500), [32], rate=1e-5, epochs=20),
        BIAS,
        "learning rate too low",
        why="a hundredth of the usual rate",
    ),
    Case(
        "Adam at 0.00001, numbers",
        lambda: fitted(cut(friedman(2500, 59), 500), [32, 32], rate=1e-5, epochs=15, target=0.1),
        BIAS,
        "learning rate too low",
        why="a hundredth of the usual rate",
    ),
    Case(
        "gradient descent at 0.00005",
        lambda: fitted(cut(digits(2500, 60), 500), [48], sgd=True, rate=5e-5, epochs=10),
        BIAS,
        "learning rate too low",
        why="hundreds of times below a rate that works",
    ),
    Case(
        "biases at -10",
        lambda: fitted(cut(spirals(2000, 61), 500), [32, 32], bias=initializers.Constant(-10.0)),
        BIAS,
        "dead units",
        why="no row wakes a unit, so no gradient comes through",
    ),
    Case(
        "dead by the rate",
        lambda: fitted(cut(friedman(2000, 62), 500), [24, 24], sgd=True, rate=0.7, epochs=12, target=0.1),
        BIAS,
        "dead units",
        why="the first steps are so large that no row wakes a unit afterwards",
    ),
    Case(
        "half of the biases at -12",
        lambda: fitted(cut(blobs(2500, 63), 500), [64], bias=half_asleep, target=0.06),
        WELL,
        "dead units",
        why="half of the units sleep for ever; the others are enough",
    ),
    Case(
        "first weights of 10",
        lambda: fitted(
            cut(teacher(2000, 64, 4, 4), 500), [24, 24, 24], activation="sigmoid", kernel=normal(10.0), rate=0.001
        ),
        BIAS,
        "saturated units",
        why="every unit is at 0 or 1",
    ),
    Case(
        "tanh of large weights, numbers",
        lambda: fitted(
            cut(friedman(2000, 65), 500), [24, 24, 24], activation="tanh", kernel=normal(6.0), rate=0.001, target=0.1
        ),
        BIAS,
        "saturated units",
        why="every unit is at -1 or 1",
    ),
    Case(
        "columns of 10,000",
        lambda: fitted(cut(sized(xor(2000, 66), 1e4), 500), [24], sgd=True, rate=0.01),
        BIAS,
        "unscaled inputs",
        why="nothing is scaled",
    ),
    Case(
        "circuits as they are",
        lambda: fitted(cut(circuits(2000, 67, raw=True), 500), [24], activation="tanh", rate=0.001, target=0.1),
        BIAS,
        "unscaled inputs",
        why="columns from 1 to 1,800 side by side",
    ),
    Case(
        "cancer in columns of 10,000",
        lambda: fitted(cut(sized(of_sklearn("breast_cancer", 3), 1e4), 170), [16], sgd=True, rate=0.01),
        BIAS,
        "unscaled inputs",
        why="nothing is scaled",
    ),
    Case(
        "eight sigmoid layers",
        lambda: fitted(cut(digits(2500, 68), 500), [24] * 8, activation="sigmoid", sgd=True, rate=0.01, epochs=10),
        BIAS,
        "vanishing gradients",
        why="each layer takes three quarters of the gradient, or more",
    ),
    Case(
        "ten sigmoid layers, numbers",
        lambda: fitted(cut(friedman(2000, 69), 500), [16] * 10, activation="sigmoid", sgd=True, rate=0.01, target=0.1),
        BIAS,
        "vanishing gradients",
        why="each layer takes three quarters of the gradient, or more",
    ),
    Case(
        "first weights three times too large",
        lambda: fitted(cut(teacher(2000, 70, 5), 500), [40] * 7, kernel=normal(0.65), rate=1e-4, epochs=10),
        BIAS,
        "exploding gradients",
        why="each layer makes the gradient three times larger",
    ),
    Case(
        "a rate that ends too early",
        lambda: fitted(cut(digits(2500, 71), 500), [48], rate=ending(0.001, 20), epochs=15),
        BIAS,
        "plateau",
        why="after the first epoch the steps are next to nothing, the loss stays where it is",
    ),
    Case(
        "a rate that ends too early, numbers",
        lambda: fitted(cut(product(2500, 72), 500), [32, 32], rate=ending(0.003, 30), epochs=20, target=0.1),
        BIAS,
        "plateau",
        why="after two epochs the steps are next to nothing, the loss stays where it is",
    ),
    Case(
        "all weights zero",
        lambda: fitted(cut(spirals(2000, 73), 500), [24, 24], kernel="zeros"),
        BIAS,
        "no better than constant",
        why="with weights of zero only the last bias has a gradient",
    ),
    # validation too small
    Case(
        "8 rows of validation",
        lambda: fitted(cut(teacher(1508, 74, 4, 3), 8), [24], epochs=20),
        OPEN,
        "small validation",
        why=FEW,
    ),
    Case(
        "12 rows of validation, digits",
        lambda: fitted(cut(digits(1512, 75), 12), [48], rate=0.001, epochs=12),
        OPEN,
        "small validation",
        why=FEW,
    ),
    Case(
        "15 rows of validation, cancer",
        lambda: fitted(cut(of_sklearn("breast_cancer", 4), 15), [16], epochs=15, target=0.05),
        OPEN,
        "small validation",
        why=FEW,
    ),
    Case(
        "10 rows of validation, numbers",
        lambda: fitted(cut(noised(friedman(1010, 76), 0.3), 10), [24], epochs=20),
        OPEN,
        "small validation",
        why=FEW,
    ),
    # well
    healthy("digits", lambda: fitted(cut(digits(5000, 77), 1000), [64], rate=0.001, epochs=12, target=0.1), USUAL),
    healthy(
        "digits, tanh",
        lambda: fitted(cut(digits(5000, 78), 1000), [64], activation="tanh", rate=0.001, epochs=12, target=0.12),
        USUAL,
    ),
    healthy(
        "digits, dropout",
        lambda: fitted(cut(digits(5000, 79), 1000), [128, 64], dropout=0.3, rate=0.001, epochs=12, target=0.1),
        USUAL,
    ),
    healthy(
        "digits, L2 and dropout",
        lambda: fitted(cut(digits(6000, 80), 1000), [192], dropout=0.4, l2=0.0001, rate=0.001, epochs=10, target=0.1),
        USUAL,
    ),
    healthy(
        "teacher of 3 classes",
        lambda: fitted(cut(teacher(4000, 81, 4, 3), 800), [24], activation="tanh", rate=0.005, epochs=30, target=0.06),
        USUAL,
    ),
    healthy(
        "teacher, batch normalisation",
        lambda: fitted(cut(teacher(4000, 82, 4, 3), 800), [32], norm=True, epochs=20, target=0.13),
        USUAL,
    ),
    healthy("teacher's numbers", lambda: fitted(cut(teacher(3000, 83), 600), [32], epochs=25, target=0.05), USUAL),
    healthy(
        "teacher's numbers, tanh",
        lambda: fitted(cut(teacher(3000, 84, 3), 600), [24], activation="tanh", rate=0.005, epochs=30),
        "a net of the teacher's own kind, without noise",
    ),
    healthy(
        "teacher's numbers at the noise",
        lambda: fitted(cut(noised(teacher(4000, 85), 0.3), 1000), [16], epochs=15, target=0.38),
        FLOOR,
    ),
    healthy("blobs", lambda: fitted(cut(blobs(2000, 86), 500), [16], epochs=20), "clouds that hardly touch"),
    healthy(
        "blobs, sigmoid",
        lambda: fitted(cut(blobs(2000, 87, 5), 500), [16], activation="sigmoid", rate=0.01, epochs=20),
        "clouds that hardly touch",
    ),
    healthy(
        "two blobs, one output",
        lambda: fitted(cut(blobs(2000, 88, 2, 3), 500), [12], two=True, epochs=20, target=0.05),
        "clouds that hardly touch",
    ),
    healthy(
        "cancer",
        lambda: fitted(cut(of_sklearn("breast_cancer", 5), 200), [16], rate=0.001, epochs=20, target=0.07),
        USUAL,
    ),
    healthy(
        "iris",
        lambda: fitted(cut(of_sklearn("iris", 6), 60), [16], activation="tanh", rate=0.01, epochs=25, target=0.1),
        USUAL,
    ),
    healthy(
        "friedman at the noise",
        lambda: fitted(cut(noised(friedman(4000, 89), 0.2), 800), [32], epochs=20, target=0.27),
        FLOOR,
    ),
    healthy("friedman", lambda: fitted(cut(friedman(4000, 90), 800), [48], epochs=25, target=0.05), USUAL),
    healthy("circuits", lambda: fitted(cut(circuits(2500, 91), 500), [32], epochs=25, target=0.03), USUAL),
    healthy(
        "plane at the noise",
        lambda: fitted(cut(noised(plane(3000, 92), 0.25), 800), [8], epochs=12),
        FLOOR,
    ),
    healthy(
        "labels at the noise, target",
        lambda: fitted(cut(flipped(teacher(4000, 93, 3, 2), 0.2), 1000), [12], epochs=15, l2=0.0003, target=0.23),
        FLOOR,
    ),
    healthy(
        "labels at the noise",
        lambda: fitted(cut(flipped(xor(4000, 94), 0.2), 1000), [12], epochs=25, l2=0.0003),
        FLOOR,
    ),
    healthy(
        "four blobs, labels at the noise",
        lambda: fitted(cut(flipped(blobs(3000, 95), 0.2), 800), [12], epochs=15, l2=0.001),
        FLOOR,
    ),
    healthy(
        "grid",
        lambda: fitted(cut(grid(2000, 96), 500), [16], epochs=20, target=0.05),
        "rows repeat in both sets, as there are only 625",
    ),
    healthy(
        "grid, labels at the noise",
        lambda: fitted(cut(flipped(grid(3000, 97), 0.1), 800), [12], activation="tanh", epochs=15, target=0.13),
        "rows repeat in both sets, with other labels at times",
    ),
    healthy(
        "one in ten",
        lambda: fitted(cut(mixed(one_in_ten_of(blobs(6000, 98, 2), 1), 3000), 800), [16], epochs=20, target=0.03),
        "both sets have one row of a class for ten of the other, and the clouds hardly touch",
    ),
    healthy(
        "spirals",
        lambda: fitted(cut(spirals(3000, 99), 600), [32, 32], activation="tanh", epochs=40, target=0.04),
        USUAL,
    ),
    healthy(
        "xor, tanh",
        lambda: fitted(cut(xor(2500, 100), 500), [16], activation="tanh", rate=0.005, l2=0.0003, epochs=25),
        "a little space between the four fields",
    ),
]
