"""The course's snippets, as they stand on its slides but for their import lines."""

import numpy as np
import pytest

import thalweg as tf
from thalweg import keras


@pytest.fixture
def digits():
    rng = np.random.default_rng(0)
    x = rng.random((96, 10), dtype=np.float32)
    y = keras.utils.to_categorical(rng.integers(0, 64, 96), 64)
    return x, y


def test_regularizers_on_a_dense_layer():
    from thalweg.keras import layers, regularizers

    layer = layers.Dense(
        units=64,
        kernel_regularizer=regularizers.L1L2(l1=1e-5, l2=1e-4),
        bias_regularizer=regularizers.L2(1e-4),
        activity_regularizer=regularizers.L2(1e-5),
    )
    assert layer(np.ones((2, 3), np.float32)).shape == (2, 64)
    assert layer.hypers() == {
        "kernel_regularizer/l1": 1e-5,
        "kernel_regularizer/l2": 1e-4,
        "bias_regularizer/l2": 1e-4,
        "activity_regularizer/l2": 1e-5,
    }


def test_dropout_with_the_slides_signature():
    layer = tf.keras.layers.Dropout(0.5, noise_shape=None, seed=None)
    out = np.asarray(layer(np.ones((200, 50), np.float32), training=True))
    assert set(np.unique(out)) == {0.0, 2.0}
    assert abs((out == 0).mean() - 0.5) < 0.03


def test_compile_and_fit_with_every_argument_of_the_slide(digits):
    from thalweg.keras import layers

    model = keras.Sequential()
    model.add(layers.Dense(64, kernel_initializer="uniform", input_shape=(10,)))
    model.add(layers.Activation("softmax"))
    opt = keras.optimizers.Adam(learning_rate=0.01)
    model.compile(loss="categorical_crossentropy", optimizer=opt)
    x, y = digits
    history = model.fit(
        x=x,
        y=y,
        batch_size=None,
        epochs=2,
        verbose=0,
        callbacks=None,
        validation_split=0.25,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
    )
    assert history.epoch == [0, 1]
    assert history.history["loss"][1] < history.history["loss"][0]
    assert set(history.history) == {"loss", "val_loss"}


def test_early_stopping_with_every_argument_of_the_slide(digits):
    model = tf.keras.Sequential([tf.keras.layers.Dense(64, activation="softmax")])
    model.compile(loss="categorical_crossentropy")
    stopping = tf.keras.callbacks.EarlyStopping(
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    )
    x, y = digits
    rng = np.random.default_rng(1)
    noise = (rng.random(x.shape, dtype=np.float32), y[rng.permutation(len(y))])
    history = model.fit(x, y, epochs=500, verbose=0, callbacks=[stopping], validation_data=noise, seed=0)
    assert len(history.epoch) < 500
    assert history.history["val_loss"][-1] >= min(history.history["val_loss"])


def test_the_parameter_counts_of_the_slide(capsys):
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(128, activation="relu", input_shape=(784,)),
            tf.keras.layers.Dense(128, activation="relu"),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.summary()
    printed = capsys.readouterr().out
    for count in ("100,480", "16,512", "1,290", "118,282"):
        assert count in printed


def test_plain_gradient_descent_repeats_until_convergence():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2)).astype(np.float32)
    y = x @ np.array([[1.0], [-2.0]], np.float32) + 0.5
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    model.compile(tf.keras.optimizers.SGD(0.1), "mse")
    history = model.fit(x, y, batch_size=40, epochs=2000, verbose=0, until=tf.callbacks.Convergence(tolerance=1e-4))
    assert len(history.epoch) < 2000
    assert history.history["gradient_norm"][-1] <= 1e-4
    assert np.allclose(model.layers[0].kernel.numpy(), [[1.0], [-2.0]], atol=1e-3)


@pytest.mark.filterwarnings("ignore:.*not validated.*", "ignore:EarlyStopping watches.*")
def test_the_callbacks_of_the_course_as_they_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    my_callbacks = [
        tf.keras.callbacks.EarlyStopping(patience=2),
        tf.keras.callbacks.ModelCheckpoint(filepath="model.{epoch:02d}-{val_loss:.2f}.h5"),
        tf.keras.callbacks.TensorBoard(log_dir="./logs"),
    ]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 4)), rng.normal(size=(64, 1))
    dataset = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 64, 16)]
    model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(iter(dataset * 3), epochs=3, steps_per_epoch=4, callbacks=my_callbacks, validation_data=(x, y), verbose=0)
    saved = sorted(path.name for path in tmp_path.glob("*.h5"))
    assert [name[:9] for name in saved] == ["model.01-", "model.02-", "model.03-"]
    again = tf.keras.models.load_model(tmp_path / saved[-1])
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert list((tmp_path / "logs" / "train").iterdir())
    model.fit(iter(dataset), epochs=1, callbacks=my_callbacks[:2], verbose=0)  # nothing validates
    assert (tmp_path / "model.01-nan.h5").exists()
