"""The course's network on the full MNIST: 784-128-128-10, at least 98.0 % on the test set within 20 epochs.

Run it with THALWEG_DATA set to a folder that holds the four idx files, or let it download them.
The test set is opened once, at the end: the epoch that is kept is chosen on validation rows.
"""

import thalweg
from thalweg import callbacks, layers, optimizers, regularizers

(x, y), (x_test, y_test) = thalweg.datasets.mnist.load_data()
x, x_test = x.reshape(-1, 784) / 255.0, x_test.reshape(-1, 784) / 255.0

model = thalweg.Sequential(
    [
        thalweg.Input((784,)),
        layers.Dense(128, activation="relu", kernel_regularizer=regularizers.L2(1e-6)),
        layers.Dropout(0.1),
        layers.Dense(128, activation="relu", kernel_regularizer=regularizers.L2(1e-6)),
        layers.Dropout(0.1),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()

epochs, batch = 20, 64
steps = epochs * (55_000 // batch)
model.compile(
    optimizer=optimizers.Adam(optimizers.schedules.CosineDecay(2e-3, steps)),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    x[:55_000],
    y[:55_000],
    batch_size=batch,
    epochs=epochs,
    validation_data=(x[55_000:], y[55_000:]),
    callbacks=[callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)],
    seed=0,
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.2%} (wanted: at least 98.0 %), loss {loss:.4f}")
