"""Three of the course's curves on the embedded digits: weight decay, early stopping, momentum; under half a minute.

    python examples/curves.py

trains the nets of each curve side by side, prints what they come to, and writes curves.png. The net is 784-128-128-10. The
first two curves learn from 1,000 digits, few enough to be learnt by heart.

Source: Krogh & Hertz 1992, "A simple weight decay can improve generalization"; Prechelt 1998, "Early stopping, but when?";
Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import thalweg
from thalweg import callbacks, datasets, layers, metrics, optimizers, regularizers

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#7d848c"
FEW, MANY = 1000, 8000
EPOCHS = range(1, 61)

(X, Y), _ = datasets.digits.load_data()  # the test digits stay shut: nothing here asks how good a net is in the end
X = X.reshape(len(X), -1) / np.float32(255)
VALIDATION = X[MANY:], Y[MANY:]


def net(optimizer: Any, l2: float = 0.0) -> Any:
    """The course's network."""
    hidden = [layers.Dense(128, activation="relu", kernel_regularizer=regularizers.L2(l2)) for _ in range(2)]
    plain = metrics.SparseCategoricalCrossentropy(name="cross_entropy")  # the loss without the penalty
    model = thalweg.Sequential([thalweg.Input((784,)), *hidden, layers.Dense(10, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy", plain])
    return model


def side_by_side(models: Sequence[Any], rows: int, epochs: int, **given: Any) -> list[dict[str, list[float]]]:
    """What each net's epochs came to."""
    crew = thalweg.Population(models)
    seeds = [0] * len(models)
    crew.fit(X[:rows], Y[:rows], epochs=epochs, verbose=0, seeds=seeds, validation_data=VALIDATION, **given)
    return [model.history.history for model in crew]


def weight_decay(axes: Any) -> None:
    """The larger the factor, the nearer training and validation loss stay, and the less sure the net is where it errs."""
    factors = (0.0, 1e-3, 1e-2)
    found = side_by_side([net("adam", l2) for l2 in factors], FEW, len(EPOCHS), batch_size=32)
    for l2, history, color in zip(factors, found, (GREY, BLUE, ORANGE), strict=True):
        axes.plot(EPOCHS, history["cross_entropy"], color=color, linewidth=1, linestyle="--")
        axes.plot(EPOCHS, history["val_cross_entropy"], color=color, label=f"L2 {l2:g}")
        train, rest = (history[name][-1] for name in ("cross_entropy", "val_cross_entropy"))
        error = 100 - 100 * history["val_accuracy"][-1]
        print(
            f"weight decay    L2 {l2:<6g} training {train:.3f}, validation {rest:.3f}, validation error {error:.2f} %"
        )
    axes.set(title="weight decay", xlabel="epoch", ylabel="cross-entropy (dashed: training)", ylim=(0, 0.8))


def early_stopping(axes: Any) -> None:
    """Training loss goes on falling; validation loss turns: there training stops, and goes back to the best weights."""
    whole = side_by_side([net("adam")], FEW, len(EPOCHS), batch_size=32)[0]
    stop = callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    stopped = side_by_side([net("adam")], FEW, len(EPOCHS), batch_size=32, callbacks=[stop])[0]
    best, last = int(np.argmin(stopped["val_loss"])), len(stopped["val_loss"]) - 1
    axes.plot(EPOCHS, whole["loss"], color=GREY, linestyle="--", label="training")
    axes.plot(EPOCHS, whole["val_loss"], color=BLUE, label="validation")
    axes.axvline(last + 1, color=ORANGE, linewidth=1, label=f"stops after epoch {last + 1}")
    axes.plot([best + 1], [whole["val_loss"][best]], "*", color=GREEN, markersize=12, label=f"keeps epoch {best + 1}")
    axes.set(title="early stopping", xlabel="epoch", ylabel="loss", ylim=(0, None))
    print(
        f"early stopping  validation loss {whole['val_loss'][best]:.3f} in epoch {best + 1}, kept; {whole['val_loss'][-1]:.3f} in epoch 60"
    )


def momentum(axes: Any) -> None:
    """The same rate gets farther with momentum."""
    kinds = {
        "plain SGD": optimizers.SGD(0.01, momentum=0.0),
        "momentum 0.5": optimizers.SGD(0.01, momentum=0.5),
        "momentum 0.9": optimizers.SGD(0.01, momentum=0.9),
        "Nesterov 0.9": optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    }
    found = side_by_side([net(one) for one in kinds.values()], MANY, 15, batch_size=64)
    for name, history, color in zip(kinds, found, (GREY, GREEN, BLUE, ORANGE), strict=True):
        axes.plot(range(1, 16), history["loss"], color=color, label=name)
        reached = next((i + 1 for i, loss in enumerate(history["loss"]) if loss < 0.3), None)
        print(
            f"momentum        {name:<13} training loss {history['loss'][-1]:.3f} after 15 epochs, below 0.3 in epoch {reached or '-'}"
        )
    axes.set(title="momentum, rate 0.01", xlabel="epoch", ylabel="training loss", yscale="log")


def main() -> None:
    """All three."""
    begun = time.perf_counter()
    figure = Figure(figsize=(13, 4), layout="constrained")
    for draw, axes in zip((weight_decay, early_stopping, momentum), figure.subplots(1, 3), strict=True):
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.savefig("curves.png", dpi=120)
    print(f"wrote curves.png, {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
