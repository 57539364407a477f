"""One epoch in Keras: `model.fit` on arrays, on JAX or on TensorFlow, jit_compile left to "auto"."""

from __future__ import annotations

import os
import time
from typing import Any

from _side import BETA_1, BETA_2, DENSE, EPSILON, FILTERS, LEARNING_RATE, SIZES, arguments, load, report


def mlp(keras: Any) -> Any:
    """The course's network."""
    *hidden, classes = SIZES[1:]
    return keras.Sequential(
        [
            keras.Input(SIZES[:1]),
            *(keras.layers.Dense(units, activation="relu") for units in hidden),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )


def cnn(keras: Any) -> Any:
    """The small convolutional net."""
    layers = keras.layers
    parts = [keras.Input(SIZES[:1]), layers.Reshape((28, 28, 1))]
    for filters in FILTERS:
        parts += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D()]
    ends = [layers.Flatten(), layers.Dense(DENSE, activation="relu"), layers.Dense(SIZES[-1], activation="softmax")]
    return keras.Sequential([*parts, *ends])


def clock(keras: Any, seconds: list[float]) -> Any:
    """A callback that writes down each epoch's seconds, from the end of the one before.

    The first counts from the call of `fit`: it holds the compilation.
    """
    held = {"since": time.perf_counter()}

    def on_epoch_end(_epoch: int, _logs: Any) -> None:
        now = time.perf_counter()
        seconds.append(now - held["since"])
        held["since"] = now

    return keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)


def main() -> None:
    """Train and report."""
    parser = arguments(__doc__)
    parser.add_argument("--backend", choices=("jax", "tensorflow"), default="jax")
    parser.add_argument("--steps-per-execution", default="1", help="1 is Keras's default; a number, or auto")
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = options.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    per_call = options.steps_per_execution
    keras.utils.set_random_seed(0)
    x, y = load(options.data)
    model = {"mlp": mlp, "cnn": cnn}[options.network](keras)
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=per_call if per_call == "auto" else int(per_call),
    )
    seconds: list[float] = []
    history = model.fit(
        x,
        y,
        batch_size=options.batch_size,
        epochs=options.epochs + 1,
        shuffle=True,
        verbose=0,
        callbacks=[clock(keras, seconds)],
    )
    name = f"keras-{options.backend}" + (f"-steps{per_call}" if per_call != "1" else "")
    report(name, seconds, history.history["loss"][-1], ("keras", options.backend))


if __name__ == "__main__":
    main()
