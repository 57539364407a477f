"""Permutation-invariant MNIST of Srivastava et al. 2014, table 2: a standard net, dropout, dropout with max-norm.

    THALWEG_DATA=... python examples/srivastava.py [--net standard] [--epochs N] [--validate]

needs the full MNIST (thalweg.datasets says where it comes from), and about an hour on two cores. The numbers of each
net were chosen on 10,000 training rows put aside (--validate); then it learns from all 60,000, and the test rows are
opened once, after the last epoch. As in the paper, pixels are not known to be neighbours.

Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, table 2 and
appendix B.1.
"""

from __future__ import annotations

import argparse
import time
from typing import Any, NamedTuple

import numpy as np

import thalweg
from thalweg import callbacks, constraints, datasets, layers, optimizers

BATCH = 128


class Recipe(NamedTuple):
    """How one row of the table is made, and what it says.

    Attributes:
        published: test error of the paper, %.
        hidden: widths of the hidden layers.
        activation: theirs.
        dropout: of the inputs and of the hidden layers.
        max_norm: of the weights into each unit, or None.
        rate: of the first step; it falls to 0 along a cosine.
        momentum: of gradient descent; None: Adam.
        epochs: how many.

    """

    published: float
    hidden: tuple[int, ...]
    activation: str
    dropout: tuple[float, float]
    max_norm: float | None
    rate: float
    momentum: float | None
    epochs: int


RECIPES = {
    "standard": Recipe(1.60, (800, 800), "sigmoid", (0.0, 0.0), None, 0.001, None, 60),
    "dropout": Recipe(1.25, (1024, 1024, 1024), "relu", (0.2, 0.5), None, 0.03, 0.95, 150),
    "max-norm": Recipe(1.06, (1024, 1024, 1024), "relu", (0.2, 0.5), 2.0, 0.03, 0.95, 150),
}


def build(recipe: Recipe, epochs: int, rows: int) -> Any:
    """The net."""
    of_inputs, of_hidden = recipe.dropout
    limit = None if recipe.max_norm is None else constraints.MaxNorm(recipe.max_norm)
    model = thalweg.Sequential([thalweg.Input((784,))])
    if of_inputs:
        model.add(layers.Dropout(of_inputs))
    for units in recipe.hidden:
        model.add(layers.Dense(units, activation=recipe.activation, kernel_constraint=limit))
        if of_hidden:
            model.add(layers.Dropout(of_hidden))
    model.add(layers.Dense(10, activation="softmax", kernel_constraint=limit))
    falling = optimizers.schedules.CosineDecay(recipe.rate, epochs * -(-rows // BATCH))
    optimizer = optimizers.Adam(falling) if recipe.momentum is None else optimizers.SGD(falling, recipe.momentum)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def pixels(images: np.ndarray) -> np.ndarray:
    """Rows of numbers from 0 to 1."""
    return (images.reshape(len(images), -1) / np.float32(255)).astype(np.float32)


def told(every: int) -> Any:
    """A callback that says how far a net has come."""

    def said(epoch: int, logs: Any) -> None:
        if (epoch + 1) % every == 0:
            print(f"  epoch {epoch + 1}: " + ", ".join(f"{k} {v:.4f}" for k, v in logs.items()), flush=True)

    return callbacks.LambdaCallback(on_epoch_end=said)


def main() -> None:
    """Train, then open the test rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--net", choices=[*RECIPES, "all"], default="all")
    parser.add_argument("--epochs", type=int, default=None, help="instead of the recipe's")
    parser.add_argument(
        "--validate", action="store_true", help="put 10,000 training rows aside, leave the test rows shut"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    (x, y), (x_test, y_test) = datasets.mnist.load_data()
    x, x_test = pixels(x), pixels(x_test)
    for name in RECIPES if options.net == "all" else [options.net]:
        recipe = RECIPES[name]
        epochs, rows = options.epochs or recipe.epochs, len(x) - 10_000 * options.validate
        model, begun = build(recipe, epochs, rows), time.perf_counter()
        print(f"{name}: {model.count_params():,} parameters, {epochs} epochs", flush=True)
        shown = {"validation_data": (x[rows:], y[rows:])} if options.validate else {}
        model.fit(
            x[:rows],
            y[:rows],
            batch_size=BATCH,
            epochs=epochs,
            verbose=0,
            seed=options.seed,
            callbacks=[told(5)],
            **shown,
        )
        rest = (x[rows:], y[rows:]) if options.validate else (x_test, y_test)
        error = 100 * (1 - model.evaluate(*rest, verbose=0, return_dict=True)["accuracy"])
        what = "validation" if options.validate else "test"
        print(
            f"{name}: {what} error {error:.2f} % (published {recipe.published:.2f} %), {time.perf_counter() - begun:.0f} s"
        )


if __name__ == "__main__":
    main()
