"""Nets of known truth on which a diagnosis may be tuned: made as the scored ones are, from other rows and other nets."""

from __future__ import annotations

from typing import Any

import numpy as np
from diagnosis_cases import (
    BIAS,
    BOTH,
    ODD,
    OPEN,
    VARIANCE,
    WELL,
    Case,
    Cut,
    Pair,
    by_target,
    cut,
    fitted,
    flipped,
    healthy,
    jittered,
    mixed,
    noised,
    one_in_ten_of,
    only,
    pair,
    repeated,
    scaled,
    shuffled,
    told,
    wider,
)

from thalweg import datasets, initializers, optimizers

# -- rows ----------------------------------------------------------------------------------------------


def circles(count: int, seed: int, noise: float = 0.06) -> Pair:
    """A ring around a ring."""
    from sklearn.datasets import make_circles

    return scaled(pair(*make_circles(count, noise=noise, factor=0.5, random_state=seed)))


def moons(count: int, seed: int, noise: float = 0.1) -> Pair:
    """Two half moons, one within the other."""
    from sklearn.datasets import make_moons

    return scaled(pair(*make_moons(count, noise=noise, random_state=seed)))


def checkers(count: int, seed: int, fields: int = 4) -> Pair:
    """The colours of a board."""
    x = np.random.default_rng(seed).uniform(0, fields, (count, 2))
    return scaled(pair(x, np.floor(x).sum(1).astype(int) % 2))


def shells(count: int, seed: int, inputs: int = 4, classes: int = 3) -> Pair:
    """Shells of a normal distribution, as many as there are classes."""
    from sklearn.datasets import make_gaussian_quantiles

    return pair(*make_gaussian_quantiles(n_samples=count, n_features=inputs, n_classes=classes, random_state=seed))


def halves(count: int, seed: int, inputs: int = 6) -> Pair:
    """Two sides of a plane, with a space between."""
    x = np.random.default_rng(seed).normal(size=(2 * count, inputs))
    side = x @ np.linspace(1, 2, inputs) / inputs
    keep = np.flatnonzero(np.abs(side) > 0.1)[:count]
    return pair(x[keep], side[keep] > 0)


def waves(count: int, seed: int, inputs: int = 3, pace: float = 3.0) -> Pair:
    """Sines of several columns, added."""
    x = np.random.default_rng(seed).uniform(-1, 1, (count, inputs))
    return scaled(pair(x, np.sin(pace * x).sum(1) + np.cos(pace * x[:, 0])))


def small_digits(count: int = 1797, seed: int = 0) -> Pair:
    """8 x 8 digits, grey values from 0 to 1."""
    (x, y), (x_test, y_test) = datasets.digits8.load_data()
    x, y = np.concatenate([x, x_test]).reshape(-1, 64) / 16, np.concatenate([y, y_test])
    return mixed(pair(x, y), count, seed)


def moved(x: np.ndarray) -> np.ndarray:
    """8 x 8 pictures moved by a pixel to the right."""
    return np.roll(x.reshape(-1, 8, 8), 1, axis=2).reshape(-1, 64)


def wine() -> Pair:
    """Wines of three growers."""
    from sklearn.datasets import load_wine

    return mixed(scaled(pair(*load_wine(return_X_y=True))), 178, 6)


def diabetes(seed: int = 0) -> Pair:
    """How an illness went on."""
    from sklearn.datasets import load_diabetes

    return mixed(scaled(pair(*load_diabetes(return_X_y=True))), 442, seed)


def dice(count: int, seed: int) -> Pair:
    """Three dice, of which the sum is high or low: 216 different rows."""
    x = np.random.default_rng(seed).integers(1, 7, (count, 3))
    return pair(x, x.sum(1) > 10)


def eased(rows: Cut) -> Cut:
    """Training labels of one half of the space made wrong in 45 %; validation from the other half alone."""
    (x, y), (x_val, y_val) = rows
    rough = x[:, 0] > 0
    wrong = rough & (np.random.default_rng(4).random(len(y)) < 0.45)
    return (x, np.where(wrong, 1 - y, y).astype(np.int32)), only((x_val, y_val), x_val[:, 0] <= 0)


def scarce(rows: Cut) -> Cut:
    """Of the second class one row in ten left in validation."""
    return rows[0], one_in_ten_of(rows[1], 1)


def stretched(rows: Pair) -> Pair:
    """Columns of tens of thousands."""
    return pair(rows[0] * 20000 + 30000, rows[1])


def brighter(x: np.ndarray) -> np.ndarray:
    """Pictures a little brighter."""
    return pair(0.95 * x + 0.05, 0)[0]


def shifted(rows: Cut, by: float) -> Cut:
    """Every column of validation moved by so many deviations."""
    train, (x, y) = rows
    return train, (pair(x + by, y)[0], y)


def wrong_in_training(rows: Cut, share: float) -> Cut:
    """Wrong labels among the training rows alone."""
    return flipped(rows[0], share, 5), rows[1]


def random_normal(deviation: float) -> Any:
    """First weights of this size."""
    return initializers.RandomNormal(0.0, deviation)


def stopping(rate: float, steps: int) -> Any:
    """A rate that is next to nothing after some steps."""
    return optimizers.schedules.ExponentialDecay(rate, steps, 0.1)


# -- the cases -----------------------------------------------------------------------------------------

TOO_SMALL = "neighbours or trees solve it, these few units cannot"
MEMORY = "far more weights than rows: what is noise is learnt by heart"

CASES = [
    # too small, or held back
    Case("circles, 1 unit", lambda: fitted(cut(circles(1200, 1), 300), [1]), BIAS, why=TOO_SMALL),
    Case("board, 2 units", lambda: fitted(cut(checkers(3000, 2), 600), [2], two=True), BIAS, why=TOO_SMALL),
    Case("small digits, 1 unit", lambda: fitted(cut(small_digits(), 400), [1], activation="tanh"), BIAS, why=TOO_SMALL),
    Case("shells, no hidden layer", lambda: fitted(cut(shells(2000, 3), 500), [], target=0.15), BIAS, why=TOO_SMALL),
    Case("waves, 1 unit", lambda: fitted(cut(waves(2000, 4), 500), [1]), BIAS, why=TOO_SMALL),
    Case("waves, 2 units, target", lambda: fitted(cut(waves(1500, 5, 2), 400), [2], target=0.1), BIAS, why=TOO_SMALL),
    Case(
        "small digits, L2 of 1",
        lambda: fitted(cut(small_digits(), 400), [64], l2=1.0),
        BIAS,
        "no better than constant",
        why="a penalty that leaves no weights",
    ),
    Case(
        "small digits, dropout of 0.9",
        lambda: fitted(cut(small_digits(), 400), [12, 12, 12], dropout=0.9, target=0.05),
        BIAS,
        why="of twelve units one is left a layer",
    ),
    Case(
        "small digits, 1 epoch",
        lambda: fitted(cut(small_digits(), 400), [32], rate=0.001, epochs=1),
        BIAS,
        why="fifty small steps are no training",
    ),
    # far too large
    Case(
        "100 noisy rows, 512 x 512",
        lambda: fitted(cut(flipped(shells(500, 6, 8, 2), 0.2), 400), [512, 512], epochs=40, target=0.25),
        VARIANCE,
        why=MEMORY,
    ),
    Case(
        "90 small digits, 300 x 300",
        lambda: fitted(cut(small_digits(590, 7), 500), [300, 300], epochs=40, target=0.03),
        VARIANCE,
        why="1,400 rows reach the target, 90 do not",
    ),
    Case(
        "250 columns without meaning",
        lambda: fitted(cut(wider(shells(900, 8, 3, 2), 250), 600), [256], epochs=30),
        VARIANCE,
        why=MEMORY,
    ),
    Case(
        "wrong labels learnt by heart",
        lambda: fitted(cut(flipped(small_digits(1797, 9), 0.2), 700), [256, 256], epochs=60, target=0.22),
        VARIANCE,
        "overfitting",
        why="a fifth of the labels is random, and the training error is far below that",
    ),
    Case(
        "noisy waves, 120 rows",
        lambda: fitted(cut(noised(waves(520, 10), 0.4), 400), [256, 256], epochs=150, target=0.45),
        VARIANCE,
        "overfitting",
        why=MEMORY,
    ),
    Case(
        "diabetes, 400 x 400",
        lambda: fitted(cut(diabetes(), 142), [400, 400], epochs=80, rate=0.002),
        VARIANCE,
        "overfitting",
        why="what is known of the illness explains half of it; the rest is learnt by heart",
    ),
    # both
    Case(
        "board on a plane, with 40 columns",
        lambda: fitted(cut(wider(checkers(900, 11), 40), 800), [], epochs=150, target=0.05),
        BOTH,
        why="a plane cannot split a board, and it bends to the 40 columns that mean nothing",
    ),
    Case(
        "waves on a plane, with 60 columns",
        lambda: fitted(cut(wider(waves(600, 12, 2, 4.5), 60), 500), [], epochs=400, target=0.05),
        BOTH,
        why="a plane is no wave, and 62 weights of 100 rows fit what means nothing",
    ),
    # rows that leak
    Case(
        "2 % of validation in training",
        lambda: fitted(repeated(cut(shells(2500, 13, 3, 2), 500), 0.02), [32, 32], epochs=25, target=0.1),
        WELL,
        "duplicates",
        why="a fiftieth of the rows cannot move the error from one side of the target to the other",
    ),
    Case(
        "35 % of validation in training",
        lambda: fitted(repeated(cut(wider(shells(550, 14, 3, 2), 40), 400), 0.35), [256, 256], epochs=40, target=0.1),
        VARIANCE,
        "duplicates",
        why="with the repeats and without them the validation error is high",
    ),
    Case(
        "20 % of validation in training, numbers",
        lambda: fitted(repeated(cut(noised(waves(520, 15, 5), 0.2), 400), 0.2), [256, 256], epochs=100, target=0.25),
        VARIANCE,
        "duplicates",
        why="with the repeats and without them the validation error is high",
    ),
    Case(
        "10 % of validation nearly in training",
        lambda: fitted(repeated(cut(halves(2000, 16, 8), 500), 0.1, jittered(0.002)), [16], epochs=20, target=0.06),
        WELL,
        "near duplicates",
        why="the other nine tenths are below the target too",
    ),
    Case(
        "small digits moved by a pixel",
        lambda: fitted(
            repeated(cut(flipped(small_digits(1797, 17), 0.2), 500), 0.3, moved), [200, 200], epochs=50, target=0.22
        ),
        VARIANCE,
        "near duplicates",
        why="a fifth of the labels is random: the training error is far below that, the validation error far above",
    ),
    Case(
        "small digits a little brighter",
        lambda: fitted(
            repeated(cut(flipped(small_digits(1100, 46), 0.15), 500), 0.15, brighter),
            [200, 200],
            epochs=50,
            target=0.17,
        ),
        VARIANCE,
        "near duplicates",
        why="15 % of the labels are random: the training error is far below that, the validation error far above",
    ),
    Case(
        "a column that is the class",
        lambda: fitted(cut(told(flipped(shells(2000, 18, 5, 2), 0.2)), 500), [24], epochs=20),
        WELL | ODD,
        "leaking feature",
        why="both errors are low, as the table reads them; but they are low by a leak",
    ),
    Case(
        "a column that is nearly the number",
        lambda: fitted(cut(told(noised(diabetes(1), 0.1), 0.03), 142), [24], epochs=60, rate=0.005, target=0.1),
        WELL | ODD,
        "leaking feature",
        why="both errors are low, as the table reads them; but they are low by a leak",
    ),
    # other rows in validation than in training
    Case(
        "shells moved by two deviations",
        lambda: fitted(shifted(cut(shells(2500, 19), 500), 2.0), [32, 32], epochs=25, target=0.12),
        VARIANCE | ODD,
        "drift",
        why="the table reads low and high; but it is the split that is wrong, not the net that is too large",
    ),
    Case(
        "the hard half in training alone",
        lambda: fitted(eased(cut(moons(2400, 20), 800)), [24], epochs=30),
        ODD,
        "drift",
        why="labels are wrong only where validation has no rows: training error high, validation error low",
    ),
    Case(
        "one class scarce in validation",
        lambda: fitted(scarce(cut(moons(2800, 21), 1200)), [24], epochs=30, target=0.05),
        WELL,
        "class mix",
        why="the net is good at both classes; validation has ten of one for one of the other",
    ),
    Case(
        "small digits, sorted before the cut",
        lambda: fitted(cut(by_target(small_digits(1790, 22)), 179), [64], epochs=20, rate=0.002),
        VARIANCE | ODD,
        "sorted validation",
        why="the last class is in validation alone; the table reads low and high, but it is the split that is wrong",
    ),
    # wrong labels in training, none in validation
    Case(
        "a third of the training labels wrong",
        lambda: fitted(wrong_in_training(cut(halves(4000, 23), 800), 0.33), [4], epochs=8, target=0.1, l2=0.003),
        ODD,
        why="the net learns the rule, so the wrong labels are its training error",
    ),
    Case(
        "small digits, a fifth of the training labels wrong",
        lambda: fitted(wrong_in_training(cut(small_digits(), 400), 0.2), [24], epochs=15, l2=0.001, target=0.12),
        ODD,
        why="the net learns the rule, so the wrong labels are its training error",
    ),
    # nothing to learn
    Case(
        "moons with labels of others, 4 units",
        lambda: fitted(cut(shuffled(moons(1500, 24)), 400), [4]),
        ODD,
        "no signal",
        why="the labels are shuffled",
    ),
    Case(
        "small digits with labels of others, 512 units",
        lambda: fitted(cut(shuffled(small_digits()), 500), [512, 512], epochs=50),
        ODD,
        "no signal",
        why="the labels are shuffled",
    ),
    Case(
        "waves with numbers of others, 16 units",
        lambda: fitted(cut(shuffled(waves(1500, 25)), 400), [16]),
        ODD,
        "no signal",
        why="the numbers are shuffled",
    ),
    # what goes wrong in training
    Case(
        "Adam at 1",
        lambda: fitted(cut(small_digits(), 400), [32, 32], rate=1.0),
        BIAS,
        "learning rate too high",
        why="a thousand times the usual rate",
    ),
    Case(
        "gradient descent at 10",
        lambda: fitted(cut(shells(2000, 26), 500), [24, 24], sgd=True, rate=10.0, epochs=15, activation="tanh"),
        BIAS,
        "learning rate too high",
        why="a hundred times a rate that works",
    ),
    Case(
        "Adam at 0.00001",
        lambda: fitted(cut(shells(2000, 27), 500), [32, 32], rate=1e-5, epochs=15),
        BIAS,
        "learning rate too low",
        why="a hundredth of the usual rate",
    ),
    Case(
        "biases at -8",
        lambda: fitted(cut(small_digits(), 400), [32, 32], bias=initializers.Constant(-8.0)),
        BIAS,
        "dead units",
        why="no row wakes a unit, so no gradient comes through",
    ),
    Case(
        "first weights of 8",
        lambda: fitted(
            cut(small_digits(), 400), [32, 32, 32], activation="sigmoid", kernel=random_normal(8.0), sgd=True, rate=0.01
        ),
        BIAS,
        "saturated units",
        why="every unit is at 0 or 1",
    ),
    Case(
        "columns of 20,000",
        lambda: fitted(cut(stretched(checkers(1600, 28, 2)), 400), [24], sgd=True, rate=0.01),
        BIAS,
        "unscaled inputs",
        why="nothing is scaled",
    ),
    Case(
        "nine sigmoid layers",
        lambda: fitted(cut(moons(1500, 29), 400), [12] * 9, activation="sigmoid", sgd=True, rate=0.01),
        BIAS,
        "vanishing gradients",
        why="each layer takes three quarters of the gradient, or more",
    ),
    Case(
        "first weights three times too large",
        lambda: fitted(cut(waves(1500, 48), 400), [30] * 7, kernel=random_normal(0.78), rate=1e-4, epochs=10),
        BIAS,
        "exploding gradients",
        why="each layer makes the gradient three times larger",
    ),
    Case(
        "a rate that ends too early",
        lambda: fitted(cut(shells(2000, 30), 500), [32, 32], rate=stopping(0.003, 30), epochs=25),
        BIAS,
        "plateau",
        why="after two epochs the steps are next to nothing, the loss stays where it is",
    ),
    Case(
        "all weights zero",
        lambda: fitted(cut(moons(1500, 31), 400), [16, 16], activation="tanh", kernel="zeros"),
        BIAS,
        "no better than constant",
        why="with weights of zero only the last bias has a gradient",
    ),
    # validation too small
    Case(
        "ten rows of validation",
        lambda: fitted(cut(moons(810, 32, 0.3), 10), [24], epochs=25),
        OPEN,
        "small validation",
        why="ten rows tell 0 % from 30 % at best",
    ),
    Case(
        "twelve rows of validation, small digits",
        lambda: fitted(cut(small_digits(812, 33), 12), [48], epochs=20),
        OPEN,
        "small validation",
        why="twelve rows tell 0 % from 25 % at best",
    ),
    # well
    healthy(
        "small digits, 48 units",
        lambda: fitted(cut(scaled(small_digits()), 400), [48], l2=0.001, epochs=12, target=0.06),
        "a usual net below a target within reach",
    ),
    healthy("moons", lambda: fitted(cut(moons(2000, 34, 0.2), 500), [24], epochs=25), "a small overlap"),
    healthy("halves", lambda: fitted(cut(halves(2000, 35), 500), [16], epochs=20, two=True), "a space between"),
    healthy(
        "wine",
        lambda: fitted(cut(wine(), 70), [16], activation="tanh", epochs=30, l2=0.003, target=0.1),
        "three growers whose wines lie apart",
    ),
    healthy(
        "shells, tanh",
        lambda: fitted(cut(shells(3000, 36, 3, 2), 600), [24, 24], activation="tanh", epochs=30, target=0.08),
        "rows enough for the target",
    ),
    healthy(
        "circles, sigmoid",
        lambda: fitted(cut(circles(2000, 37), 500), [24], activation="sigmoid", rate=0.01, l2=0.0003, epochs=40),
        "rings that lie apart",
    ),
    healthy(
        "waves at the noise",
        lambda: fitted(cut(noised(waves(3000, 38), 0.2), 600), [32, 32], epochs=12, target=0.25),
        "noise is a fifth of the variance",
    ),
    healthy(
        "waves without noise",
        lambda: fitted(cut(waves(2500, 39), 500), [48, 48], rate=0.001, epochs=30, target=0.05),
        "rows enough for a smooth function",
    ),
    healthy(
        "labels at the noise",
        lambda: fitted(cut(flipped(halves(3000, 40), 0.2), 800), [8], epochs=12, l2=0.001),
        "a plane, and a fifth of the labels wrong in both sets: nobody gets below",
    ),
    healthy(
        "labels at the noise, target",
        lambda: fitted(cut(flipped(moons(3000, 41), 0.15), 800), [16], epochs=25, target=0.18),
        "half moons, and 15 % of the labels wrong in both sets",
    ),
    healthy(
        "dice",
        lambda: fitted(cut(scaled(dice(1500, 42)), 500), [24], epochs=25, target=0.05),
        "rows repeat in both sets, as there are only 216",
    ),
    healthy(
        "one in ten",
        lambda: fitted(cut(mixed(one_in_ten_of(halves(5000, 43), 1), 2500), 600), [16], epochs=20),
        "both sets have one row of a class for ten of the other, and a space lies between",
    ),
    healthy(
        "small digits, dropout",
        lambda: fitted(
            cut(scaled(small_digits(1797, 44)), 400), [96, 96], dropout=0.3, rate=0.001, epochs=15, target=0.06
        ),
        "a usual net below a target within reach",
    ),
    healthy(
        "small digits, batch normalisation",
        lambda: fitted(cut(scaled(small_digits(1797, 45)), 400), [48], norm=True, epochs=10, target=0.06),
        "a usual net below a target within reach",
    ),
]
