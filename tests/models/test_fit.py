"""What holds of every fit: seeds, programs compiled once, knobs that turn, hooks in order, averages, precision."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import thalweg
from thalweg import callbacks, layers, optimizers, regularizers
from thalweg.engine import compiled

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 8)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def net(units=16, rate=0.2, optimizer="adam"):
    model = thalweg.Sequential(
        [
            thalweg.Input((8,)),
            layers.Dense(units, activation="relu", kernel_regularizer=regularizers.L2(1e-3)),
            layers.Dropout(rate),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first, again, other = net(), net(), net()
    first.fit(X, Y, epochs=3, verbose=0, seed=7)
    again.fit(X, Y, epochs=3, verbose=0, seed=7)
    other.fit(X, Y, epochs=3, verbose=0, seed=8)
    assert same(first, again)
    assert not same(first, other)


def test_set_random_seed_makes_a_script_repeatable():
    made = []
    for _ in range(2):
        thalweg.utils.set_random_seed(42)
        model = net()
        model.fit(X, Y, epochs=2, verbose=0)
        made.append(model)
    assert same(*made)


def test_one_structure_is_compiled_once_whatever_its_numbers_and_rows_are():
    net().fit(X, Y, epochs=1, verbose=0, validation_data=(X[:64] + 1, Y[:64]))
    before = sum(program.traces for program in compiled())
    other = net(rate=0.5, optimizer=optimizers.Adam(0.1, beta_1=0.5))
    other.fit(X[:299], Y[:299], epochs=2, verbose=0, validation_data=(X[:63] + 1, Y[:63]))
    other.hypers["optimizer/learning_rate"] = 0.01
    other.hypers["dense/kernel_regularizer/l2"] = 0.5
    other.fit(X[:290], Y[:290], epochs=1, verbose=0)
    assert sum(program.traces for program in compiled()) == before


def test_the_table_of_hypers_reads_and_writes_the_objects_themselves():
    model = net()
    assert dict(model.hypers) == {
        "dense/kernel_regularizer/l2": 1e-3,
        "dropout/rate": 0.2,
        "optimizer/learning_rate": 0.001,
        "optimizer/beta_1": 0.9,
        "optimizer/beta_2": 0.999,
        "optimizer/epsilon": 1e-7,
    }
    model.hypers["dropout/rate"] = 0.4
    assert model.layers[1].rate == 0.4
    model.optimizer.learning_rate = 0.05
    assert model.hypers["optimizer/learning_rate"] == 0.05
    with pytest.raises(ValueError, match=r"Dropout.rate must be in \[0, 1\], got 1.5"):
        model.hypers["dropout/rate"] = 1.5
    with pytest.raises(KeyError, match="Did you mean 'dropout/rate'"):
        model.hypers["dropout/rat"] = 0.1


def test_metrics_in_the_place_of_loss_weights_are_told():
    with pytest.raises(ValueError, match=r"metrics are named: metrics=\['accuracy'\]"):
        thalweg.Sequential([thalweg.Input((2,)), layers.Dense(1)]).compile("sgd", "mse", ["accuracy"])


def test_a_knob_turned_by_another_thread_takes_effect_at_once_and_goes_on_record():
    model = net(units=64)
    x, y = np.tile(X, (400, 1)), np.tile(Y, 400)
    model.fit(x, y, epochs=1, verbose=0, seed=0)
    before = sum(program.traces for program in compiled())
    under_way, turned = threading.Event(), []

    def turn():
        under_way.wait(60)
        turned.append(time.monotonic())
        model.hypers["optimizer/learning_rate"] = 0.0

    class Seen(callbacks.Callback):
        when = None

        def on_progress(self, step, logs=None):
            under_way.set()
            if model.history.changes:
                self.when = time.monotonic()
                self.model.stop_training = True

    seen = Seen()
    hand = threading.Thread(target=turn)
    hand.start()
    history = model.fit(x, y, epochs=500, verbose=0, callbacks=[seen], seed=0)
    hand.join()
    (change,) = history.changes
    assert (change.path, change.old, change.new) == ("optimizer/learning_rate", 0.001, 0.0)
    assert change.step >= 0
    assert seen.when - turned[0] < 2.0  # the aim is 0.1 s; this machine is shared
    assert sum(program.traces for program in compiled()) == before
    weights = model.get_weights()
    model.fit(x[:320], y[:320], epochs=1, verbose=0)
    for a, b in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_batch_hooks_are_called_for_every_batch_in_order_with_true_running_metrics():
    calls, losses = [], []

    class All(callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            calls.append(("begin", batch))

        def on_train_batch_end(self, batch, logs=None):
            calls.append(("end", batch))
            losses.append(logs["loss"])

        def on_test_batch_end(self, batch, logs=None):
            calls.append(("test", batch))

    watched, free = net(), net()
    history = watched.fit(X, Y, epochs=2, verbose=0, callbacks=[All()], validation_data=(X[:64] + 1, Y[:64]), seed=3)
    free.fit(X, Y, epochs=2, verbose=0, validation_data=(X[:64] + 1, Y[:64]), seed=3)
    each = [entry for batch in range(10) for entry in (("begin", batch), ("end", batch))]
    assert calls == (each + [("test", 0), ("test", 1)]) * 2
    assert losses[9] == pytest.approx(history.history["loss"][0], rel=1e-6)
    assert same(watched, free)


def test_second_fit_goes_on_and_compile_starts_anew():
    whole, halves = net(rate=0.0), net(rate=0.0)
    whole.fit(X, Y, epochs=2, verbose=0, shuffle=False, seed=0)
    halves.fit(X, Y, epochs=1, verbose=0, shuffle=False, seed=0)
    assert int(halves.optimizer.iterations) == 10
    halves.fit(X, Y, epochs=1, verbose=0, shuffle=False, seed=0)
    for a, b in zip(whole.get_weights(), halves.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    halves.compile("adam", "sparse_categorical_crossentropy")
    assert int(halves.optimizer.iterations) == 0


def test_initial_epoch_reads_the_rows_as_the_uninterrupted_fit_does():
    whole, halves = net(rate=0.3), net(rate=0.3)
    whole.fit(X, Y, epochs=4, verbose=0, seed=5)
    halves.fit(X, Y, epochs=2, verbose=0, seed=5)
    halves.fit(X, Y, epochs=4, initial_epoch=2, verbose=0, seed=5)
    assert same(whole, halves)


def test_averages_take_the_weights_place_when_a_fit_ends():
    model = net(optimizer=optimizers.SGD(0.5, use_ema=True, ema_momentum=0.99))
    seen = []
    peek = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0]))
    model.fit(X, Y, epochs=3, verbose=0, seed=0, callbacks=[peek])
    assert not np.array_equal(seen[-1], model.get_weights()[0])
    np.testing.assert_array_equal(model.optimizer_state.averages[0], model.get_weights()[0])


def test_a_loss_over_the_whole_batch_gets_an_exact_tail():
    import jax.numpy as jnp

    def spread(y, p):
        return jnp.mean((y - p) ** 2) + jnp.var(p)

    x, y = X[:70], X[:70, :1]
    ours = thalweg.Sequential([thalweg.Input((8,)), layers.Dense(1)])
    ours.draw(0)
    start = ours.get_weights()
    ours.compile(optimizers.SGD(0.01), spread)
    ours.fit(x, y, batch_size=32, epochs=1, shuffle=False, verbose=0)
    import jax

    w, b = (jnp.asarray(a) for a in start)
    for part in (slice(0, 32), slice(32, 64), slice(64, 70)):
        grads = jax.grad(lambda w, b, part=part: spread(y[part], x[part] @ w + b), (0, 1))(w, b)
        w, b = w - 0.01 * grads[0], b - 0.01 * grads[1]
    np.testing.assert_allclose(ours.get_weights()[0], w, rtol=1e-5, atol=1e-6)


def test_mixed_precision_trains_in_bfloat16_and_keeps_float32_weights():
    thalweg.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = net()
        history = model.fit(X, Y, epochs=8, verbose=0, seed=0).history
        assert model.get_weights()[0].dtype == np.float32
        assert history["loss"][-1] < history["loss"][0]
        assert np.asarray(model.predict(X)).dtype == np.float32
    finally:
        thalweg.config.set_dtype_policy("float32")


def test_single_batch_calls():
    model = net(rate=0.0)
    model.draw(0)
    tested = model.test_on_batch(X[:32], Y[:32])
    trained = model.train_on_batch(X[:32], Y[:32])
    assert trained == pytest.approx(tested, rel=1e-5)
    assert int(model.optimizer.iterations) == 1
    assert set(model.train_on_batch(X[:32], Y[:32], return_dict=True)) == {"loss", "accuracy"}
    assert model.predict_on_batch(X[:5]).shape == (5, 2)
    several = net(rate=0.0)
    several.draw(0)
    for start in range(0, 96, 32):
        several.train_on_batch(X[start : start + 32], Y[start : start + 32])
    whole = net(rate=0.0)
    whole.draw(0)
    whole.fit(X[:96], Y[:96], batch_size=32, shuffle=False, verbose=0)
    for a, b in zip(several.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_keyboard_interrupt_keeps_what_was_learnt():
    model = net()

    class Press(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                import signal

                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=50, verbose=0, callbacks=[Press()], seed=0)
    assert len(model.history.epoch) == 2
    assert model.evaluate(X, Y, verbose=0)[1] > 0.5


# Keras's own tanh and BatchNormalization are float32-exact only under float64: they are left out here
FLOAT64 = """
import os
os.environ['KERAS_BACKEND'] = 'jax'
import jax
jax.config.update('jax_enable_x64', True)
jax.config.update('jax_num_cpu_devices', 2)
import numpy as np, keras, thalweg
keras.backend.set_floatx('float64')
thalweg.config.set_dtype_policy('float64')
rng = np.random.default_rng(0)
x, y = rng.normal(size=(160, 6)), rng.integers(0, 3, 160)

def build(of):
    r = of.regularizers
    return of.Sequential([of.Input((6,)), of.layers.Dense(9, activation='relu', kernel_regularizer=r.L2(1e-3)),
                          of.layers.Dense(7, activation='softplus'), of.layers.Dense(3, activation='softmax')])

for name, given in [('SGD', {}), ('SGD', {'momentum': 0.9, 'nesterov': True}), ('Adam', {}), ('Adam', {'clipnorm': 0.1}),
                    ('RMSprop', {}), ('RMSprop', {'momentum': 0.5}), ('AdamW', {}), ('Nadam', {}), ('Adamax', {}),
                    ('Adagrad', {'global_clipnorm': 0.1}), ('Adadelta', {})]:
    ours, theirs = build(thalweg.keras), build(keras)
    ours.set_weights(theirs.get_weights())
    for model, of in ((ours, thalweg), (theirs, keras)):
        rate = of.optimizers.schedules.ExponentialDecay(1e-2, 50, 0.9)
        model.compile(getattr(of.optimizers, name)(rate, **given), 'sparse_categorical_crossentropy')
        model.fit(x, y, batch_size=16, epochs=20, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        apart = np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-12)
        assert apart < 1e-8, (name, given, b.shape, apart)

L, O = thalweg.layers, thalweg.optimizers
def net(widths, rate, optimizer):
    model = thalweg.Sequential([thalweg.Input((6,))])
    for width in widths:
        model.add(L.Dense(width, activation='relu', kernel_regularizer='l2'))
        model.add(L.Dropout(rate))
    model.add(L.Dense(3, activation='softmax'))
    model.compile(optimizer(O.schedules.CosineDecay(1e-2, 100)), 'sparse_categorical_crossentropy')
    return model
shapes = [(5, 7), (9, 3), (9, 7)]
for optimizer in (O.Adam, O.SGD, O.RMSprop, O.Nadam, O.Adadelta):
    members = thalweg.Population([net(shape, 0.1 * (i + 1), optimizer) for i, shape in enumerate(shapes)])
    members.fit(x, y, batch_size=16, epochs=10, verbose=0, seeds=[0, 1, 2])
    for i, shape in enumerate(shapes):
        alone = net(shape, 0.1 * (i + 1), optimizer)
        alone.fit(x, y, batch_size=16, epochs=10, verbose=0, seed=i)
        for a, b in zip(members[i].get_weights(), alone.get_weights()):
            assert np.linalg.norm(a - b) <= 1e-9 * np.linalg.norm(b), (optimizer, shape, np.linalg.norm(a - b))
print('agreed')
"""


def test_in_float64_weights_agree_with_keras_to_1e8_and_members_with_solo_runs_to_1e9():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FLOAT64], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "agreed", done.stderr[-3000:]


def test_images_with_their_channels_first_are_not_told_to_be_reshaped():
    model = thalweg.Sequential([thalweg.Input((8, 8, 3)), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(thalweg.data.DataError, match=r"np\.moveaxis\(x, 1, -1\)"):
        model.fit(np.zeros((4, 3, 8, 8)), np.zeros(4))
