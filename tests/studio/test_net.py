"""A look into a net: what it answers, what it is asked to change, and what is refused."""

import threading

import numpy as np
import pandas as pd
import pytest

import thalweg
from thalweg import layers
from thalweg.cli._studio import rows_of_run
from thalweg.data import Rows
from thalweg.diagnosis import backprop
from thalweg.studio._examples import tells_classes
from thalweg.studio._net import LOOKS, Kept, Mirror
from thalweg.studio._rows import ROWS, rows_of_folder, sample_of
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
    mirror = Mirror(model)
    mirror.ends = ends
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
        Mirror(net()).look({"do": "answer"})


def test_the_mirror_follows_the_net_while_somebody_looks_and_copies_nothing_else(monkeypatch):
    monkeypatch.setattr("thalweg.studio._net._FRESH", 60.0)
    monkeypatch.setattr("thalweg.studio._net._PATIENCE", 60.0)
    model, copies = net(), []
    mirror = Mirror(model)
    mirror.inside.pass_by = lambda model, copies: None
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
    found = Kept.from_file(tmp_path / "best.keras")
    assert found.ends == (0.0, 16.0) and found.look({"do": "sight"})["picture"] == [8, 8, 1]
    told = found.look({"do": "answer", "pixels": PIXELS.tolist()})["outputs"]
    assert told == pytest.approx(model.predict(16 * PIXELS.reshape(1, 8, 8), verbose=0)[0], abs=1e-5)
    (tmp_path / "bad.keras").write_bytes(b"no file")
    with pytest.raises(Refused, match="bad.keras cannot be read"):
        Kept.from_file(tmp_path / "bad.keras")
    assert set(LOOKS) == {"answer", "example", "inside", "sight", "weights"}


# -- rows that are chosen -------------------------------------------------------------------------


def rows_for(shape, n=40, classes=4, hot=False):
    rng = np.random.default_rng(1)
    y = rng.integers(0, classes, n)
    return Rows((rng.random((n, *shape)).astype(np.float32),), (np.eye(classes)[y] if hot else y,), (), n)


def with_rows(model, rows, validation=None):
    sample = sample_of(model, rows, validation)
    mirror = Mirror(model, lambda: sample, sample)
    mirror.stay(model)
    return mirror


@pytest.mark.parametrize("hot", [False, True])
def test_a_chosen_row_is_shown_and_answered_as_the_net_answers_it(hot):
    model = net(loss="categorical_crossentropy" if hot else "sparse_categorical_crossentropy")
    rows = rows_for((8, 8), hot=hot)
    mirror = with_rows(model, rows)
    told = mirror.look({"do": "example", "part": "training", "row": 7})
    low, high = rows.x[0].min(), rows.x[0].max()
    assert told["pixels"] == pytest.approx(((rows.x[0][7] - low) / (high - low)).ravel(), abs=1e-3)
    right = int(rows.y[0][7].argmax() if hot else rows.y[0][7])
    assert (told["label"], told["row"], told["place"], told["count"], told["total"]) == (right, 7, 7, 40, 40)
    said = mirror.look({"do": "answer", "part": "training", "row": 7})
    assert said["outputs"] == pytest.approx(model.predict(rows.x[0][7:8], verbose=0)[0], abs=1e-6)
    found = backprop(model, rows.x[0][7:8], rows.y[0][7:8])
    assert said["network"]["loss"] == pytest.approx(found.losses[0], rel=1e-4) and said["network"]["right"] == right


def test_the_next_wrong_row_is_found_once_around():
    model = net()
    rows = rows_for((8, 8))
    mirror = with_rows(model, rows)
    wrong = np.flatnonzero(model.predict(rows.x[0], verbose=0).argmax(axis=1) != rows.y[0])
    assert 1 < len(wrong) < 40
    for number in range(40):
        told = mirror.look({"do": "example", "part": "training", "row": number, "wrong": True})
        assert told["row"] == next((one for one in wrong if one > number), wrong[0])
    right = rows._replace(y=(model.predict(rows.x[0], verbose=0).argmax(axis=1),))
    with pytest.raises(Refused, match="right about each of these 40 rows"):
        with_rows(model, right).look({"do": "example", "part": "training", "row": 0, "wrong": True})


def test_a_row_of_a_table_is_shown_as_numbers_with_their_names():
    model = thalweg.Sequential([thalweg.Input((50,)), layers.Dense(3, "tanh"), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.draw(0)
    rng = np.random.default_rng(2)
    rows = Rows(
        (rng.normal(size=(9, 50)).astype(np.float32),),
        (rng.normal(size=(9, 1)),),
        (),
        9,
        (list(map("c{}".format, range(50))),),
    )
    mirror = with_rows(model, rows, rows.part(0, 3))
    told = mirror.look({"do": "example", "part": "validation", "row": 2})
    assert [name for name, _ in told["features"]] == [f"c{i}" for i in range(40)] and told["left_out"] == 10
    assert [value for _, value in told["features"]] == pytest.approx(rows.x[0][2][:40]) and "pixels" not in told
    assert told["label"] is None and told["target"] == pytest.approx(rows.y[0][2])
    said = mirror.look({"do": "answer", "part": "validation", "row": 2})
    found = backprop(model, rows.x[0][2:3], rows.y[0][2:3])
    assert said["asked"] == pytest.approx(found.asked_of(0, 0).ravel(), rel=1e-4) and said["network"]["right"] is None
    with pytest.raises(Refused, match="tells no classes apart"):
        mirror.look({"do": "example", "part": "training", "row": 0, "wrong": True})


def test_named_columns_are_no_picture_even_where_they_are_a_square():
    model = net(shape=(64,))
    rows = rows_for((64,))
    assert with_rows(model, rows).picture == (8, 8, 1)
    named = rows._replace(columns=([f"c{i}" for i in range(64)],))
    assert with_rows(model, named).picture is None


def test_a_net_of_two_inputs_answers_too():
    one, two = thalweg.Input((3,)), thalweg.Input((2,))
    model = thalweg.Model([one, two], layers.Dense(1, "sigmoid")(layers.Concatenate()([one, two])))
    model.compile("sgd", "binary_crossentropy")
    model.draw(0)
    rng = np.random.default_rng(0)
    rows = Rows((rng.normal(size=(6, 3)), rng.normal(size=(6, 2))), (np.array([0, 1, 0, 1, 1, 0]),), (), 6)
    mirror = with_rows(model, rows)
    told = mirror.look({"do": "example", "part": "training", "row": 1})
    assert len(told["features"]) == 5 and told["label"] == 1
    said = mirror.look({"do": "answer", "part": "training", "row": 1})
    assert said["outputs"] == pytest.approx(model.predict([one[1:2] for one in rows.x], verbose=0)[0], abs=1e-6)
    found = mirror.look({"do": "example", "part": "training", "row": 0, "wrong": True})["row"]
    assert (model.predict(list(rows.x), verbose=0)[found, 0] > 0.5) != rows.y[0][found]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"part": "test", "row": 0}, "part must be 'training', got 'test'"),
        ({"part": ["training"], "row": 0}, "part must be"),
        ({"part": "validation", "row": 0}, "part must be 'training'"),
        ({"part": "training", "row": 40}, "row must be a whole number from 0 to 39, got 40"),
        ({"part": "training", "row": -1}, "row must be"),
        ({"part": "training", "row": True}, "row must be"),
        ({"part": "training"}, "row must be"),
    ],
)
def test_rows_that_are_not_there_are_refused_by_name(wish, said):
    mirror = with_rows(net(), rows_for((8, 8)))
    for do in ("example", "answer"):
        with pytest.raises(Refused, match=said):
            mirror.look({"do": do, **wish})


def test_which_nets_tell_classes_apart():
    assert tells_classes(net()) and tells_classes(net(loss="categorical_crossentropy"))
    assert not tells_classes(net(loss="mse")) and not tells_classes(net(end="sigmoid", loss="binary_crossentropy"))


def test_rows_are_few_the_same_at_each_call_and_copies(tmp_path):
    model = net()
    rows = rows_for((8, 8), 6000)
    one, two = sample_of(model, rows, rows.part(0, 10)), sample_of(model, rows)
    assert len(one.x[0]) == ROWS and len(one.validation.x[0]) == 10 and one.total == 6000
    assert np.array_equal(one.numbers, two.numbers) and (np.diff(one.numbers) > 0).all()
    assert np.array_equal(one.x[0], rows.x[0][one.numbers]) and np.array_equal(one.y[0], rows.y[0][one.numbers])
    assert not np.shares_memory(one.validation.x[0], rows.x[0])
    model.fit(rows.x[0], rows.y[0], verbose=0, epochs=1, run=tmp_path / "first")
    with pytest.raises(Refused, match="was begun by a script"):
        rows_of_folder(tmp_path / "first", rows_of_run)


# -- weights as pictures --------------------------------------------------------------------------


def shown(model, layer, picture=True):
    mirror = with_rows(model, rows_for((8, 8)))
    told = mirror.look({"do": "weights", "layer": layer})
    values = np.array(told["values"]).reshape(told["count"], told["height"], told["width"]) / 127 * told["largest"]
    return told, values


def test_each_unit_of_a_first_dense_is_a_picture_of_what_it_sees():
    model = thalweg.Sequential([thalweg.Input((8, 8)), layers.Flatten(), layers.Dense(70), layers.Dense(4, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.draw(0)
    kernel = model.get_weights()[0]
    told, values = shown(model, model.layers[-2].name)
    assert told["kind"] == "units" and told["total"] == 70 and len(told["numbers"]) == told["count"] == 64
    lengths = np.square(kernel).sum(axis=0)
    assert set(told["numbers"]) == set(np.argsort(-lengths)[:64]) and told["numbers"] == sorted(told["numbers"])
    wanted = kernel.T[told["numbers"]].reshape(64, 8, 8)
    assert (
        told["largest"] == pytest.approx(np.abs(wanted).max()) and np.abs(values - wanted).max() < told["largest"] / 200
    )
    told, values = shown(model, model.layers[-1].name)
    assert told["kind"] == "matrix" and told["rows"] == [70, 70] and told["columns"] == [4, 4]
    assert np.abs(values[0] - model.get_weights()[2]).max() < told["largest"] / 200


def test_filters_of_a_first_convolution_and_channels_side_by_side():
    model = net(layers.Conv2D(5, (3, 2)), shape=(8, 8, 3))
    kernel = model.get_weights()[0]
    told, values = shown(model, model.layers[0].name)
    assert told["kind"] == "filters" and (told["height"], told["width"], told["side_by_side"]) == (3, 6, 3)
    for number in range(5):
        for channel in range(3):
            part = values[number][:, 2 * channel : 2 * channel + 2]
            assert np.abs(part - kernel[:, :, channel, number]).max() < told["largest"] / 200
    assert shown(model, model.layers[-1].name)[0]["kind"] == "matrix"


def test_a_large_matrix_shows_its_largest_rows_and_columns_and_unknown_layers_are_refused():
    model = thalweg.Sequential([thalweg.Input((301,)), layers.Dense(400), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.draw(0)
    told, values = shown(model, model.layers[0].name)
    assert values.shape == (1, 256, 256) and told["rows"] == [256, 301] and told["columns"] == [256, 400]
    with pytest.raises(Refused, match="layer"):
        shown(model, "nothing")


# -- a large net ----------------------------------------------------------------------------------


def test_classes_of_a_table_are_called_as_in_the_table():
    table = thalweg.data.read(pd.DataFrame({"a": [1.0, 2.0, 4.0, 5.5] * 5, "y": ["no", "yes"] * 10}), "y")
    model = thalweg.Sequential([thalweg.Input((1,)), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.draw(0)
    x, y = table.encode(table.recipe())
    assert Mirror(model).sight["names"] == ["0", "1"]
    model.preprocessing = table.recipe().record()
    rows = Rows((np.asarray(x["numbers"] if isinstance(x, dict) else x).reshape(20, 1),), (y,), (), 20)
    mirror = with_rows(model, rows)
    assert mirror.sight["names"] == ["no", "yes"]
    assert mirror.look({"do": "example", "part": "training", "row": 1})["features"][0][0] == "a"
    assert mirror.look({"do": "answer", "part": "training", "row": 1})["network"]["names"] == ["no", "yes"]


def test_a_large_net_is_looked_into_while_the_fit_rests_alone(monkeypatch):
    monkeypatch.setattr("thalweg.studio._net._LARGEST", 10)
    model, copies = net(), []
    mirror, real = Mirror(model), model.get_weights
    model.get_weights = lambda: copies.append(1) or real()
    ask = {"do": "answer", "pixels": PIXELS.tolist()}
    mirror.pass_by(model)
    with pytest.raises(
        Refused, match=r"The net has \d+ weights; while it trains it is looked into up to 10. Pause the fit"
    ):
        mirror.look(ask)
    seen = mirror.look({"do": "inside"})
    assert seen["looks"] == [] and "Pause the fit" in seen["why"] and mirror.look({"do": "sight"})["largest"] == 10
    mirror.pass_by(model)
    assert not copies
    told = []
    mirror.pass_by(model, rests=True)
    thread = threading.Thread(target=lambda: told.append(mirror.look(ask)))
    thread.start()
    while thread.is_alive():
        mirror.pass_by(model, rests=True)
    assert told[0]["outputs"] == pytest.approx(model.predict(PIXELS.reshape(1, 8, 8), verbose=0)[0], abs=1e-5)
    mirror.pass_by(model)
    with pytest.raises(Refused, match="Pause the fit"):
        mirror.look(ask)
    mirror.stay(model)
    count = len(copies)
    assert mirror.look(ask)["outputs"] == told[0]["outputs"] and len(copies) == count + 1
