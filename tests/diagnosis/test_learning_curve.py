"""Learning and validation curves of small nets: one population, honest sizes, records, pages and pictures."""

import builtins
import json

import numpy as np
import pytest

import thalweg
from thalweg import callbacks, layers, losses, optimizers
from thalweg.data import DataError
from thalweg.diagnosis import _errors_of, _learning_curve
from thalweg.diagnosis._learning_curve import learning_curve
from thalweg.diagnosis._validation_curve import validation_curve

RNG = np.random.default_rng(0)
X = RNG.normal(size=(320, 3)).astype("float32")
CLASSES = (X[:, 0] + X[:, 1] > 0).astype("int32") + (X[:, 2] > 0.5)
NUMBERS = (2 * X[:, 0] - X[:, 1] + 0.1 * RNG.normal(size=320)).astype("float32")


def net(outputs=3, loss="sparse_categorical_crossentropy", last="softmax", rate=0.02):
    model = thalweg.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.1), layers.Dense(outputs, last)])
    model.compile(optimizers.Adam(rate), loss)
    return model


@pytest.fixture
def fits(monkeypatch):
    """The populations that were fitted, and with what."""
    seen = []
    whole = _errors_of.Population.fit

    def fit(self, *args, **given):
        seen.append((self, given))
        return whole(self, *args, **given)

    monkeypatch.setattr(_errors_of.Population, "fit", fit)
    return seen


@pytest.fixture(scope="module")
def curve():
    return learning_curve(net(), X, CLASSES, epochs=6, seeds=2)


def test_one_population_of_twins_on_random_parts(fits):
    model = net()
    found = learning_curve(model, X, CLASSES, epochs=3, seeds=2)
    assert found.sizes == (16, 32, 64, 128, 256) and found.validation_rows == 64
    ((population, given),) = fits
    assert len(population) == 10 and not model.built
    rows = given["rows"]
    assert sorted(map(len, rows)) == sorted(found.sizes * 2)
    for one in rows:
        assert len(set(one)) == len(one) and max(one) < 256
    halves = [set(one) for one in rows if len(one) == 128]
    assert 30 < len(halves[0] & halves[1]) < 100  # drawn anew, not nested
    assert len(set(given["seeds"])) == 10


def test_the_nets_are_those_that_the_same_rows_alone_would_make(fits):
    found = learning_curve(
        net(), X[:200], CLASSES[:200], validation=(X[200:], CLASSES[200:]), sizes=[50, 100, 200], epochs=2
    )
    ((_, given),) = fits
    place = [len(one) for one in given["rows"]].index(100)
    alone, rows = net(), given["rows"][place]
    alone.fit(X[rows], CLASSES[rows], epochs=2, batch_size=32, seed=given["seeds"][place], verbose=0)
    wrong = alone.predict(X).argmax(axis=1) != CLASSES
    assert found.errors[1][0] == pytest.approx(wrong[200:].mean())
    assert found.train_errors[1][0] == pytest.approx(wrong[rows].mean())


def test_it_repeats():
    one, other = (learning_curve(net(), X, CLASSES, epochs=2, seeds=2, seed=5) for _ in range(2))
    assert one == other
    assert one.errors != learning_curve(net(), X, CLASSES, epochs=2, seeds=2, seed=6).errors


def test_classes_are_drawn_in_proportion_and_each_at_least_once():
    strata = np.repeat([0, 1, 2], [900, 98, 2])
    for size in (16, 100, 500, 1000):
        rows = _learning_curve._drawn(size, strata, np.random.default_rng(size))
        counts = np.bincount(strata[rows], minlength=3)
        assert counts.sum() == size == len(set(rows)) and counts.min() >= 1
        assert counts[0] == pytest.approx(0.9 * size, abs=2)


def test_predictions_and_the_page(curve):
    assert [one.rows for one in curve.predictions] == [512, 1024]
    for one in curve.predictions:
        assert 0 <= one.low <= one.error <= one.high <= 1
    page = str(curve)
    assert "Would more rows help?" in page and "1,024" in page and "foretold" in page
    assert all(len(line) < 400 for line in page.splitlines())


def test_the_record_is_plain(curve):
    record = json.loads(json.dumps(curve.record()))
    assert record["sizes"] == list(curve.sizes)
    assert record["fit"]["law"].keys() == {"a", "b", "c"} == record["fit"]["intervals"].keys()
    assert record["answer"] == curve.answer


def test_numbers_are_measured_by_their_variance():
    found = learning_curve(net(1, "mse", None), X, 1000 * NUMBERS, epochs=2, seeds=2)
    assert found.unit == "unexplained variance"
    assert 0.5 < np.mean(found.errors[-1]) < 1.5  # numbers of that size are not learnt so soon
    other = learning_curve(net(1, "mse", None), X, NUMBERS, epochs=20, seeds=2)
    assert np.mean(other.errors[-1]) < min(0.2, np.mean(other.errors[0]))


def test_several_labels():
    y = (X[:, :2] > 0).astype("float32")
    found = learning_curve(net(2, losses.BinaryCrossentropy(from_logits=True), None), X, y, epochs=12, seeds=2)
    assert found.unit == "share of wrong labels" and np.mean(found.errors[-1]) < 0.2


def test_the_answer_weighs_training_against_validation():
    noisy = np.random.default_rng(2)
    linear = net(1, "mse", None, 0.05)
    hopeless = learning_curve(linear, X, noisy.normal(size=320) + 0.2 * NUMBERS, epochs=3, seeds=2)
    assert hopeless.answer.startswith("Something else first")
    lucky = learning_curve(net(rate=0.05), X, CLASSES, epochs=40, seeds=2)
    assert lucky.answer.split()[0] in {"Yes:", "Perhaps:"}
    assert "1,024" in lucky.answer


def test_callbacks_are_each_nets_own_and_see_the_validation_rows(fits):
    stopping = callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    learning_curve(net(rate=0.2), X, CLASSES, epochs=30, seeds=2, callbacks=[stopping])
    ((population, _),) = fits
    ran = [len(member.history.history["val_loss"]) for member in population]
    assert len(set(ran)) > 1 and max(ran) <= 30


def test_weights_of_rows_reach_the_fit(fits):
    weights = np.where(CLASSES == 1, 0.0, 1.0)
    learning_curve(net(), X, CLASSES, epochs=2, seeds=2, sample_weight=weights)
    ((_, given),) = fits
    assert len(given["sample_weight"]) == 256


def test_what_cannot_be_drawn():
    with pytest.raises(DataError, match="needs 3 sizes.*64 training rows at least, got 32"):
        learning_curve(net(), X[:40], CLASSES[:40])
    with pytest.raises(ValueError, match="3 different numbers of rows.*to 256"):
        learning_curve(net(), X, CLASSES, sizes=[100, 200, 300])
    with pytest.raises(ValueError, match="seeds must be 2 or more"):
        learning_curve(net(), X, CLASSES, seeds=1)
    with pytest.raises(TypeError, match="validation_split=.*Give validation"):
        learning_curve(net(), X, CLASSES, validation_split=0.1)


def test_values_of_a_rate(fits):
    found = validation_curve(net(), X, CLASSES, "optimizer/learning_rate", [1e-6, 0.02, 0.021], epochs=10)
    ((population, given),) = fits
    assert sorted({member.hypers["optimizer/learning_rate"] for member in population}) == [1e-6, 0.02, 0.021]
    assert len(population) == 9 and len(set(given["seeds"])) == 3  # pairs of the same seed
    assert found.best != 1e-6 and 1e-6 not in found.alike
    assert set(found.alike) == {0.02, 0.021}
    for mean, each in zip(found.means, found.errors, strict=True):
        assert mean.low <= np.mean(each) == pytest.approx(mean.error) and mean.error <= mean.high
    assert "cannot be told from it" in str(found)
    assert json.loads(json.dumps(found.record()))["best"] == found.best


def test_values_at_the_edge_ask_for_more():
    found = validation_curve(net(), X, CLASSES, "optimizer/learning_rate", [1e-6, 2e-6, 0.02], epochs=8)
    assert found.best == 0.02 and "try higher values" in found.answer


def test_a_number_that_changes_nothing_is_alike():
    found = validation_curve(net(), X, CLASSES, "optimizer/epsilon", [1e-9, 1e-8, 2e-8], epochs=4, seeds=2)
    assert found.alike == found.values
    assert np.ptp(found.errors, axis=0).max() < 0.05  # the same first weights and orders


def test_unknown_hypers_and_values():
    with pytest.raises(KeyError, match="Did you mean 'dropout/rate'"):
        validation_curve(net(), X, CLASSES, "dropout/rat", [0.1, 0.2])
    with pytest.raises(ValueError, match="rate must be"):
        validation_curve(net(), X, CLASSES, "dropout/rate", [0.1, 1.2])
    with pytest.raises(ValueError, match="two different numbers"):
        validation_curve(net(), X, CLASSES, "dropout/rate", [0.1, 0.1])


def test_pictures(curve, tmp_path):
    pytest.importorskip("matplotlib")
    figure = curve.plot(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 5000
    assert figure.axes[0].get_xlabel() == "rows learnt from" and curve.unit in figure.axes[0].get_ylabel()
    found = validation_curve(net(), X, CLASSES, "dropout/rate", [0.0, 0.5], epochs=2, seeds=2)
    assert found.plot().axes[0].get_xlabel() == "dropout/rate"


def test_pictures_name_the_extra(curve, monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **given):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **given)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"thalweg\[plots\]"):
        curve.plot()
