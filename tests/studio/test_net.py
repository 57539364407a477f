"""A look into a net: what it answers, what it is asked to change, and what is refused."""

import threading

import numpy as np
import pytest

import thalweg
from thalweg import layers
from thalweg.diagnosis import backprop
from thalweg.studio._net import LOOKS, Kept, Mirror, sight_of
from thalweg.studio._steering import Refused

RNG = np.random.default_rng(0)
PIXELS = RNG.random(64)


def net(*front, shape=(8, 8), end="softmax", loss="sparse_categorical_crossentropy"):
    model = thalweg.Sequential(
        [thalweg.Input(shape), *front, layers.Flatten(), layers.Dense(6, "relu"), layers.Dense(4, end)]
    )
    model.compile("adam", loss)
    model.draw(0)
    return model


def looked(model, ends=(0.0, 1.0), **wish):
    mirror = Mirror(sight_of(model, None)[0], ends)
    mirror.stay(model)
    return mirror.look({"do": "answer", "pixels": PIXELS.tolist(), **wish})


@pytest.mark.parametrize("ends", [(0.0, 1.0), (0.0, 255.0), (-1.0, 1.0)])
def test_it_says_what_the_net_says(ends):
    model = net()
    x = (ends[0] + PIXELS * (ends[1] - ends[0])).reshape(1, 8, 8)
    told = looked(model, ends)
    assert told["outputs"] == pytest.approx(model.predict(x, verbose=0)[0], abs=1e-5) and told["names"] == list("0123")
    assert "network" not in told
    model.class_names = ["<a>", "b", "c", "d"]
    assert looked(model, ends)["names"] == ["<a>", "b", "c", "d"]


def test_wishes_are_those_of_backpropagation():
    model = net()
    told = looked(model, label=2)
    found = backprop(model, PIXELS.reshape(1, 8, 8), np.array([2]))
    assert np.ravel(told["wishes"]) == pytest.approx(found.asked_of(0, 0).ravel(), rel=1e-4, abs=1e-9)
    assert told["network"]["right"] == 2 and told["network"]["loss"] == pytest.approx(found.losses[0], rel=1e-4)
    hot = net(loss="categorical_crossentropy")
    hot.set_weights(model.get_weights())
    assert looked(hot, label=2)["network"]["loss"] == pytest.approx(found.losses[0], rel=1e-4)


def test_logits_are_told_as_probabilities_and_colours_are_drawn_in_grey():
    logits = net(end=None, loss=thalweg.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert sum(looked(logits)["outputs"]) == pytest.approx(1)
    colours = net(shape=(8, 8, 3))
    x = np.repeat(PIXELS.reshape(1, 8, 8, 1), 3, axis=-1)
    told = looked(colours, label=0)
    assert told["outputs"] == pytest.approx(colours.predict(x, verbose=0)[0], abs=1e-5) and np.shape(
        told["wishes"]
    ) == (8, 8)


def test_a_convolution_answers_and_has_the_picture_of_its_end():
    told = looked(net(layers.Reshape((8, 8, 1)), layers.Conv2D(2, 3)), label=1)
    assert len(told["network"]["columns"]) == 3 and np.shape(told["wishes"]) == (8, 8)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"pixels": [0.5] * 63}, "pixels must be 64 numbers"),
        ({"pixels": ["a"] * 64}, "pixels must be 64 numbers"),
        ({"pixels": [float("nan")] * 64}, "pixels must be 64 numbers"),
        ({"pixels": None}, "pixels must be 64 numbers"),
        ({"pixels": [[1], [2, 3]]}, "pixels must be 64 numbers"),
        ({"label": 4}, "label must be a whole number from 0 to 3"),
        ({"label": "2"}, "label must be a whole number"),
        ({"label": True}, "label must be a whole number"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(wish, said):
    with pytest.raises(Refused, match=said):
        looked(net(), **wish)


def test_nets_of_no_pictures_and_fits_that_do_not_come_by(monkeypatch):
    with pytest.raises(Refused, match="sees no pictures"):
        looked(net(shape=(5, 3)))
    monkeypatch.setattr("thalweg.studio._net._PATIENCE", 0.05)
    with pytest.raises(Refused, match="The net is busy"):
        Mirror((8, 8, 1), (0.0, 1.0)).look({"do": "answer"})


def test_the_mirror_follows_the_net_while_somebody_looks_and_copies_nothing_else(monkeypatch):
    monkeypatch.setattr("thalweg.studio._net._FRESH", 60.0)
    monkeypatch.setattr("thalweg.studio._net._PATIENCE", 60.0)
    model, copies = net(), []
    mirror = Mirror((8, 8, 1), (0.0, 1.0))
    real = model.get_weights
    model.get_weights = lambda: copies.append(1) or real()
    mirror.pass_by(model)
    assert not copies, "nobody looks"
    told = []
    thread = threading.Thread(target=lambda: told.append(mirror.look({"do": "answer", "pixels": PIXELS.tolist()})))
    thread.start()
    while thread.is_alive():
        mirror.pass_by(model)
    assert len(copies) == 1 and told[0]["outputs"] == pytest.approx(
        model.predict(PIXELS.reshape(1, 8, 8), verbose=0)[0], abs=1e-5
    )


def test_a_run_that_is_over_is_read_from_its_file_and_a_damaged_one_is_refused(tmp_path):
    model = net(layers.Rescaling(1 / 16))
    model.save(tmp_path / "best.keras")
    found = Kept(tmp_path / "best.keras")
    assert found.ends == (0.0, 16.0) and found.look({"do": "sight"})["picture"] == [8, 8, 1]
    told = found.look({"do": "answer", "pixels": PIXELS.tolist()})["outputs"]
    assert told == pytest.approx(model.predict(16 * PIXELS.reshape(1, 8, 8), verbose=0)[0], abs=1e-5)
    (tmp_path / "bad.keras").write_bytes(b"no file")
    with pytest.raises(Refused, match="bad.keras cannot be read"):
        Kept(tmp_path / "bad.keras")
    assert set(LOOKS) == {"answer", "sight"}
