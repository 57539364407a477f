"""Everything that fit takes gives the same training."""

import threading
import time

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import thalweg
from thalweg import data, layers
from thalweg.utils import PyDataset

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def trained(x, y=None, **given):
    model = thalweg.Sequential(
        [thalweg.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(2, activation="softmax")]
    )
    model.draw(5)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    given = {"epochs": 3, "verbose": 0, "shuffle": False, "seed": 1, **given}
    history = model.fit(x, y, **given)
    return model, history


REFERENCE, HISTORY = trained(X, Y, batch_size=8)


class Batches(PyDataset):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.ended = 0
        self.threads = set()

    def __len__(self):
        return 6

    def __getitem__(self, index):
        self.threads.add(threading.get_ident())
        time.sleep(0.002 * (6 - index))  # the later, the faster: order must hold nevertheless
        return X[8 * index : 8 * index + 8], Y[8 * index : 8 * index + 8]

    def on_epoch_end(self):
        self.ended += 1


class Loader:
    """What a data loader of another library looks like: it iterates over lists of arrays, again and again."""

    def __len__(self):
        return 6

    def __iter__(self):
        return iter([[X[i : i + 8], Y[i : i + 8]] for i in range(0, 48, 8)])


def endless():
    while True:
        for i in range(0, 48, 8):
            yield X[i : i + 8], Y[i : i + 8]


SOURCES = {
    "lists": (lambda: (X.tolist(), Y.tolist()), {"batch_size": 8}),
    "JAX arrays": (lambda: (jnp.asarray(X), jnp.asarray(Y)), {"batch_size": 8}),
    "frames": (lambda: (pd.DataFrame(X), pd.Series(Y)), {"batch_size": 8}),
    "a dict": (lambda: ({"input_layer": X}, Y), {"batch_size": 8}),
    "float64": (lambda: (X.astype(float), Y.astype(float)), {"batch_size": 8}),
    "a PyDataset": (lambda: (Batches(), None), {}),
    "a PyDataset, four threads": (lambda: (Batches(), None), {"workers": 4, "max_queue_size": 2}),
    "a loader": (lambda: (Loader(), None), {}),
    "a generator": (lambda: (endless(), None), {"steps_per_epoch": 6}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_trains_the_same_net(source):
    make, given = SOURCES[source]
    x, y = make()
    model, history = trained(x, y, **given)
    for a, b in zip(model.get_weights(), REFERENCE.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(history.history["loss"], HISTORY.history["loss"], rtol=1e-5)
    if isinstance(x, Batches):
        assert x.ended == 3


def test_torch_tensors_are_taken_without_importing_torch():
    class Tensor:
        """An array of another library: NumPy can read it."""

        def __init__(self, array):
            self.array, self.shape = array, array.shape

        def __array__(self, dtype=None, copy=None):
            return self.array

    model, _ = trained(Tensor(X), Tensor(Y), batch_size=8)
    np.testing.assert_allclose(model.get_weights()[0], REFERENCE.get_weights()[0], rtol=1e-6)


@pytest.mark.parametrize("source", ["arrays", "batches"])
def test_evaluate_and_predict_read_any_source(source):
    if source == "arrays":
        scores, outputs = REFERENCE.evaluate(X, Y, verbose=0), REFERENCE.predict(X)
    else:
        scores, outputs = REFERENCE.evaluate(Batches(), verbose=0), REFERENCE.predict(Batches())
    np.testing.assert_allclose(scores[0], -np.log(outputs[np.arange(48), Y]).mean(), rtol=1e-5)
    assert scores[1] == pytest.approx((outputs.argmax(axis=1) == Y).mean())
    assert outputs.shape == (48, 2)


def test_uneven_batches_weigh_by_rows():
    uneven = [(X[:20], Y[:20]), (X[20:25], Y[20:25]), (X[25:], Y[25:])]
    np.testing.assert_allclose(
        REFERENCE.evaluate(iter(uneven), verbose=0), REFERENCE.evaluate(X, Y, verbose=0), rtol=1e-5
    )


def test_several_inputs_and_outputs_go_by_name_or_by_place():
    a, b = thalweg.Input((2,), name="a"), thalweg.Input((1,), name="b")
    joined = layers.Concatenate()([a, b])
    model = thalweg.Model([a, b], [layers.Dense(1, name="sum")(joined), layers.Dense(2, name="rest")(joined)])
    model.compile("sgd", {"sum": "mse", "rest": "mse"}, loss_weights={"sum": 2.0, "rest": 0.5})
    rest = np.zeros((48, 2), np.float32)
    total = X.sum(axis=1)
    model.draw(0)
    start = model.get_weights()
    results = []
    for x, y in (
        ([X[:, :2], X[:, 2:]], [total, rest]),
        ({"b": X[:, 2:], "a": X[:, :2]}, {"rest": rest, "sum": total}),
    ):
        model.set_weights(start)
        history = model.fit(x, y, epochs=2, verbose=0, shuffle=False, seed=0).history
        results.append(model.get_weights())
        np.testing.assert_allclose(
            history["loss"], 2 * np.array(history["sum_loss"]) + 0.5 * np.array(history["rest_loss"]), rtol=1e-5
        )
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(data.DataError, match="Did you mean 'a'"):
        model.predict({"aa": X[:, :2], "b": X[:, 2:]})


def test_the_prefetching_thread_ends_with_the_fit():
    class Stop(thalweg.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.stop_training = True

    trained(endless(), steps_per_epoch=6, callbacks=[Stop()])
    deadline = time.monotonic() + 5
    while any(t.name == "thalweg-prefetch" for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_later_changes_of_an_array_do_not_reach_the_device():
    x = np.ones((64, 8), np.float32)
    placed = data.place(x, 64, "float32")
    x[:] = 7
    assert float(placed.max()) == 1.0


@pytest.mark.parametrize("n", [1, 7, 33, 1000, 60_000])
def test_orders_hold_every_row_once_and_never_point_past_them(n):
    index, rows = data.order(n, 32, seed=3, epoch=2)
    real = np.concatenate([batch[:count] for batch, count in zip(index, rows, strict=True)])
    assert sorted(real) == list(range(n))
    assert index.max() < n <= data.capacity(n) <= max(1.07 * n, n + 8)
    again, _ = data.order(n, 32, seed=3, epoch=2)
    np.testing.assert_array_equal(index, again)
    if n > 7:
        assert not np.array_equal(index, data.order(n, 32, seed=3, epoch=3)[0])


def test_the_last_fraction_is_split_off_before_shuffling():
    rows = data.adapt(X, Y)
    train, rest = data.validation_split(rows, 0.3)
    assert train.n == int(np.floor(48 * 0.7))
    np.testing.assert_array_equal(rest.x[0], X[train.n :])
