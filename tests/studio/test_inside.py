"""What the layers hold while a net learns: the numbers, how often they are taken, how many are kept, and going back."""

import itertools
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import callbacks, layers
from thalweg.data import Rows
from thalweg.diagnosis import diagnose
from thalweg.studio import Studio
from thalweg.studio._inside import BINS, KEPT, LAYERS, Inside, Looks, Pace, histogram
from thalweg.studio._rows import sample_of
from thalweg.studio._steering import Refused

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int32)


def net(width=5, penalty=None):
    hidden = layers.Dense(width, "relu", kernel_regularizer=penalty, name="hidden")
    model = thalweg.Sequential([thalweg.Input((3,)), hidden, layers.Dense(2, "softmax", name="out")])
    model.compile(thalweg.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.draw(0)
    return model


def inside_of(model, x=X, y=Y):
    sample = sample_of(model, Rows((x,), (y,), (), len(x)))
    return Inside(lambda: sample)


def told_of(model, **given_):
    inside = inside_of(model, **given_)
    inside.at_rest(model)
    (look,) = inside.looks.since(0)["looks"]
    return {one["name"]: one for one in look["layers"]}, look, inside


def is_histogram_of(told, values):
    values = np.ravel(values).astype(np.float64)
    assert told["low"] == pytest.approx(values.min(), rel=1e-5, abs=1e-8)
    assert told["high"] == pytest.approx(values.max(), rel=1e-5, abs=1e-8)
    assert told["mean"] == pytest.approx(values.mean(), rel=1e-4, abs=1e-6)
    assert told["std"] == pytest.approx(values.std(), rel=1e-4, abs=1e-6)
    assert sum(told["counts"]) == values.size and len(told["counts"]) == BINS
    wanted, _ = np.histogram(values, BINS, (told["low"], told["high"]))
    assert np.abs(np.array(told["counts"]) - wanted).sum() <= 0.02 * values.size + 2  # rounding at the edges


def loss_of(params, penalty=0.0):
    w1, b1, w2, b2 = params
    scores = jax.nn.log_softmax(jax.nn.relu(X @ w1 + b1) @ w2 + b2)
    return -scores[jnp.arange(len(Y)), Y].mean() + penalty * jnp.square(w1).sum()


@pytest.mark.parametrize("penalty", [None, 0.3])
def test_the_numbers_are_those_of_numpy_and_of_real_gradients(penalty):
    model = net(penalty=None if penalty is None else thalweg.regularizers.L2(penalty))
    layer, look, inside = told_of(model)
    w1, b1, w2, b2 = weights = model.get_weights()
    assert list(layer) == ["hidden", "out"] and look["rows"] == 64 and inside.why == ""
    is_histogram_of(layer["hidden"]["weights"], np.concatenate([w1.ravel(), b1]))
    is_histogram_of(layer["out"]["weights"], np.concatenate([w2.ravel(), b2]))
    hidden = np.maximum(X @ w1 + b1, 0)
    is_histogram_of(layer["hidden"]["activations"], hidden)
    assert layer["hidden"]["activations"]["zeros"] == pytest.approx((hidden == 0).mean())
    assert layer["hidden"]["activations"]["dead"] == pytest.approx((hidden == 0).all(axis=0).mean())
    is_histogram_of(layer["out"]["activations"], model.predict(X, verbose=0))
    slopes = jax.grad(loss_of)(weights, penalty or 0.0)
    for name, own in (("hidden", slopes[:2]), ("out", slopes[2:])):
        flat = np.concatenate([np.ravel(one) for one in own])
        is_histogram_of(layer[name]["gradients"], flat)
        assert layer[name]["gradients"]["norm"] == pytest.approx(np.linalg.norm(flat), rel=1e-4)


def test_dead_units_are_those_that_a_diagnosis_finds():
    model = net(width=10)
    w1, b1, w2, b2 = model.get_weights()
    b1[:] = -100
    b1[0] = 1
    model.set_weights([w1, b1, w2, b2])
    layer, _, _ = told_of(model)
    found = {one.name: one for one in diagnose(model, (X, Y), (X, Y)).findings}["dead units"]
    assert layer["hidden"]["activations"]["dead"] == found.detail["share"] == 0.9


def test_numbers_that_differ_in_their_last_bits_are_counted():
    told = histogram(np.array([1.0, np.nextafter(1.0, 2), 1.0]))
    assert sum(told["counts"]) == 3 and told["counts"][0] == 2 and told["counts"][-1] == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=60))
def test_a_histogram_counts_every_number_once(values):
    told = histogram(np.array(values, np.float32))
    assert sum(told["counts"]) + told["lost"] == len(values) and len(told["counts"]) == BINS
    finite = [one for one in values if np.isfinite(one)]
    assert told["lost"] == len(values) - len(finite)
    assert (told["low"], told["high"]) == ((min(finite), max(finite)) if finite else (None, None))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.001, 0.5)), min_size=1, max_size=60))
def test_looks_take_a_share_of_the_time_whatever_they_take(steps):
    pace, now, spent, first = Pace(50, 0.5), 0.0, 0.0, None
    begun = []
    for wait, takes in steps:
        now += wait
        if pace.is_due(now):
            first = now if first is None else first
            begun.append(now)
            pace.took(now, now + takes)
            now += takes
            spent += takes
            last = takes
    assert spent - last <= (now - first) / 50 + 1e-9  # the last one's rest is still to come
    assert all(b - a >= 0.5 for a, b in itertools.pairwise(begun))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(st.floats(0.001, 5), st.tuples(st.just("back"), st.floats(0, 1))), max_size=300),
    st.integers(3, 12),
)
def test_looks_that_are_kept_are_few_in_order_about_evenly_apart_and_end_where_the_fit_has_gone_back_to(steps, most):
    looks, place = Looks(most), 0.0
    for step in steps:
        if isinstance(step, tuple):
            place *= step[1]
            looks.cut(place)
            assert all(one["place"] <= place for one in looks.since(0)["looks"])
            before = looks.since(0)
            looks.add({"place": place + 1}, looks.life - 1)
            assert looks.since(0) == before, "what was begun before is no part of the fit any more"
        else:
            place += step
            if looks.wants(place):
                looks.add({"place": place}, looks.life)
        kept = [one["place"] for one in looks.since(0)["looks"]]
        assert len(kept) <= most and kept == sorted(set(kept))


@given(st.integers(10, 3000), st.integers(4, 64))
def test_even_steps_stay_even_and_reach_over_all_of_the_fit(count, most):
    looks = Looks(most)
    for place in range(count):
        if looks.wants(place):
            looks.add({"place": float(place)}, looks.life)
    kept = [one["place"] for one in looks.since(0)["looks"]]
    gaps = np.diff(kept)
    assert kept[0] == 0 and gaps.max() <= 2 * gaps.min() + 2 and count - kept[-1] <= 2 * gaps.max() + 1
    assert len(kept) >= min(count, most // 2)


def test_a_page_is_given_what_it_has_not_got_and_told_what_is_left():
    looks = Looks(4)
    for place in range(4):
        looks.add({"place": float(place)}, looks.life)
    held = looks.since(0)
    assert [one["place"] for one in held["looks"]] == [0, 1, 2, 3] and held["kept"] == [
        one["number"] for one in held["looks"]
    ]
    last = held["kept"][-1]
    looks.add({"place": 4.0}, looks.life)
    more = looks.since(last)
    assert [one["place"] for one in more["looks"]] == [4] and more["kept"][:-1] == [held["kept"][0], held["kept"][2]]


def test_a_deep_net_tells_its_first_and_last_layers():
    model = thalweg.Sequential([thalweg.Input((3,)), *(layers.Dense(2) for _ in range(20)), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.draw(0)
    layer, look, _ = told_of(model)
    assert len(layer) == LAYERS and look["all"] == 21


def test_what_cannot_be_seen_is_said_and_weights_are_there_all_the_same():
    def nothing():
        raise Refused("no rows here")

    model, inside = net(), Inside(nothing)
    inside.at_rest(model)
    inside.at_rest(model)  # no second look at the same
    (look,) = inside.looks.since(0)["looks"]
    assert inside.why == "no rows here" and look["rows"] == 0 and look["layers"][0]["activations"] is None
    is_histogram_of(look["layers"][1]["weights"], np.concatenate([one.ravel() for one in model.get_weights()[2:]]))
    uncompiled = thalweg.Sequential([thalweg.Input((3,)), layers.Dense(2)])
    uncompiled.draw(0)
    _, look, inside = told_of(uncompiled)
    assert "cannot be seen" in inside.why and look["layers"][0]["weights"]["counts"]


class Watch(callbacks.Callback):
    """Lets each look be taken before the fit goes on."""

    def __init__(self, studio):
        self.studio = studio

    def on_epoch_begin(self, epoch, logs=None):
        if epoch:
            self.studio.mirror.inside.wait()


@pytest.fixture
def looked(monkeypatch, tmp_path):
    """A fit that is looked into as often as it can be."""
    monkeypatch.setattr("thalweg.studio._inside._APART", 0.0)
    monkeypatch.setattr("thalweg.studio._inside.Pace.is_due", lambda self, now: True)

    def fit(readers, epochs=12, **more):
        studio, model = Studio(tmp_path / "runs", tell=None), net()
        for number in range(readers):
            studio.live.handed(number, 10**9, True)
        model.fit(
            X,
            Y,
            batch_size=8,
            epochs=epochs,
            verbose=0,
            seed=0,
            callbacks=[studio, Watch(studio), *more.pop("callbacks", [])],
            **more,
        )
        studio.mirror.inside.wait()
        return studio, model

    return fit


def test_a_fit_is_looked_into_by_another_thread_and_as_long_as_nobody_reads_at_its_weights_alone(looked):
    studio, model = looked(0)
    looks = studio.mirror.inside.looks.since(0)["looks"]
    assert looks and all(one["rows"] == 0 and one["layers"][0]["activations"] is None for one in looks)
    studio, model = looked(1)
    looks = studio.mirror.inside.looks.since(0)["looks"]
    assert len(looks) > 3 and all(one["rows"] == 64 and one["layers"][0]["gradients"]["norm"] > 0 for one in looks)
    told = studio.look().look({"do": "inside"})
    assert told["looks"][-1]["place"] == 12 and told["why"] == ""
    w1, b1 = model.get_weights()[:2]
    is_histogram_of(told["looks"][-1]["layers"][0]["weights"], np.concatenate([w1.ravel(), b1]))
    assert studio.look().look({"do": "inside", "after": told["kept"][-1]})["looks"] == []
    with pytest.raises(Refused, match="after must be the number of a look"):
        studio.look().look({"do": "inside", "after": "x"})


def test_a_fit_that_was_not_seen_is_looked_into_once_it_is_over(looked):
    studio, _ = looked(0)
    told = studio.look().look({"do": "inside"})
    assert told["looks"][-1]["rows"] == 64 and told["looks"][-1]["place"] == 12
    assert len([one for one in told["looks"] if one["place"] == 12]) == 1


def test_a_fit_that_goes_back_takes_back_what_came_after(looked, tmp_path):
    seen = {}

    class Back(callbacks.Callback):
        comes_last = True

        def on_safe_point(self, epoch, step, last=False):
            inside = seen["studio"].mirror.inside
            inside.wait()
            places = [one["place"] for one in inside.looks.since(0)["looks"]]
            if (epoch, step) == (8, 0) and "before" not in seen:
                seen["before"] = places
                folder = seen["studio"].run_folder
                folder.go_back(min(folder.checkpoints(), key=lambda path: path.name))
            elif "before" in seen and "after" not in seen:
                seen["after"], seen["at"] = places, (epoch, step)

    class Known(callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen["studio"] = next(one for one in self.model.session.callbacks if isinstance(one, Studio))

    looked(1, epochs=10, run=tmp_path / "runs" / "first", callbacks=[Known(), Back()])
    assert max(seen["before"]) >= 7 and seen["at"][0] < 8
    assert max(seen["after"]) <= seen["at"][0] + 1


def test_the_thread_that_trains_does_not_wait_for_a_look(monkeypatch):
    model = net()
    inside = inside_of(model)
    begun, go_on = [], threading.Event()
    monkeypatch.setattr(Inside, "_look", lambda *given_: begun.append(1) or (go_on.wait(60) and {"place": 0.0}))
    inside.pass_by(model)
    while not begun:
        time.sleep(0.001)
    inside.pass_by(model)
    inside.pass_by(model)
    go_on.set()
    inside.wait()
    assert begun == [1] and KEPT == 64
