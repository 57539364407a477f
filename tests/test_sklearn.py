"""Nets as scikit-learn's estimators: its own checks, and what people do with them."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import thalweg
from thalweg.sklearn import NetClassifier, NetRegressor

SMALL = {"hidden": (32,), "members": 2, "epochs": 30}  # with the defaults: tests/long


@parametrize_with_checks([NetClassifier(**SMALL), NetRegressor(**SMALL)])
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which warnings there must be, the checks look for themselves
        check(estimator)


def people(n=300, seed=0):
    rng = np.random.default_rng(seed)
    age, city = rng.integers(18, 80, n), rng.choice(["Bern", "Basel", "Chur"], n)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.1, np.nan, age),
            "city": city,
            "since": pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
            "street": rng.choice([f"street {i}" for i in range(20)], n),
        }
    )
    return frame, (age - 50) / 10 + (city == "Bern") * 3.0 + rng.normal(size=n) * 0.2


def test_a_frame_of_words_dates_and_gaps_goes_in_as_it_is():
    frame, score = people()
    model = NetClassifier(random_state=0).fit(frame, np.where(score > 0, "rich", "poor"))
    assert list(model.feature_names_in_) == list(frame.columns) and model.n_features_in_ == 4
    other, truth = people(200, seed=1)
    assert model.score(other, np.where(truth > 0, "rich", "poor")) > 0.85
    assert set(model.predict(other.assign(city="Paris"))) <= {"rich", "poor"}
    with pytest.raises(ValueError, match="feature names"):
        model.predict(other.rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match="a frame with the same columns"):
        model.predict(np.zeros((3, 4)))
    with pytest.warns(thalweg.data.DataWarning, match="'since' holds 2, which cannot be read as a date"):
        assert len(model.predict(other.head(3).assign(city=1, since=2, street=3))) == 3  # numbers where words were
    assert NetRegressor(random_state=0).fit(frame, score).score(other, truth) > 0.6


def test_a_pickle_predicts_the_same_and_can_be_trained_on():
    x, y = load_iris(return_X_y=True)
    model = NetClassifier(epochs=10, random_state=0).fit(x, y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(model.predict_proba(x), again.predict_proba(x))
    before = again.score(x, y)
    assert again.partial_fit(x, y).n_iter_ == 11 and again.score(x, y) >= before - 0.05


def test_pipelines_searches_and_cross_validation():
    x, y = load_breast_cancer(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), NetClassifier(epochs=8, random_state=0))
    assert cross_val_score(pipeline, x, y, cv=3).min() > 0.9
    search = GridSearchCV(NetClassifier(epochs=15, random_state=0), {"hidden": [(8,), (16, 16)]}, cv=2, n_jobs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # joblib's workers may be restarted
        search.fit(x.astype(np.float32), y)
    assert search.best_score_ > 0.8 and len(search.best_estimator_.loss_curve_) == 15


def test_batches_of_rows_train_one_net():
    x, y = load_iris(return_X_y=True)
    model = NetClassifier(random_state=0, learning_rate=0.01)
    order = np.random.default_rng(0).permutation(150)
    for _ in range(15):
        for rows in np.array_split(order, 3):
            model.partial_fit(x[rows], y[rows], classes=[0, 1, 2])
    assert model.score(x, y) > 0.9 and model.n_iter_ == 45
    with pytest.raises(ValueError, match="none of the classes"):
        model.partial_fit(x[:3], [5, 5, 5])


def test_it_stops_early_on_rows_of_its_own_and_keeps_the_best():
    x, y = load_breast_cancer(return_X_y=True)
    model = NetClassifier(epochs=300, early_stopping=True, patience=5, schedule="constant", random_state=0).fit(x, y)
    assert model.n_iter_ < 300 and model.score(x, y) > 0.95


def test_labels_outputs_and_balanced_classes():
    x, y = make_multilabel_classification(200, n_classes=4, random_state=0)
    model = NetClassifier(random_state=0).fit(x, y)
    assert model.predict_proba(x).shape == (200, 4) and (model.predict(x) == y).mean() > 0.85
    with pytest.raises(ValueError, match="several targets"):
        NetClassifier().fit(x, np.stack([y[:, 0] * 3, y[:, 1] + 5], axis=1))
    xs, ys = load_diabetes(return_X_y=True)
    both = NetRegressor(random_state=0, epochs=30).fit(xs, np.stack([ys, -2 * ys], axis=1))
    assert both.predict(xs).shape == (len(xs), 2) and both.score(xs, np.stack([ys, -2 * ys], axis=1)) > 0.3
    rare = np.random.default_rng(0).random(400) < 0.05
    rows = np.random.default_rng(1).normal(size=(400, 3)) + rare[:, None]
    recalls = [
        NetClassifier(random_state=0, epochs=20, class_weight=weight).fit(rows, rare).predict(rows)[rare].mean()
        for weight in (None, "balanced")
    ]
    assert recalls[1] > recalls[0] + 0.2


def test_doubles_stay_doubles_where_there_are_few_rows():
    x, y = load_iris(return_X_y=True)
    assert NetClassifier(epochs=2).fit(x, y).predict_proba(x).dtype == np.float64
    assert NetClassifier(epochs=2).fit(x.astype(np.float32), y).predict_proba(x).dtype == np.float32


@pytest.mark.parametrize(
    ("given", "message"),
    [({"schedule": "linear"}, "linear"), ({"activation": "rellu"}, "relu"), ({"optimizer": "adan"}, "adam")],
)
def test_an_unknown_name_gets_the_nearest_known_one(given, message):
    x, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        NetClassifier(**given).fit(x, y)


def test_each_net_spares_other_rows_and_all_are_averaged():
    x, y = load_breast_cancer(return_X_y=True)
    model = NetClassifier(random_state=0).fit(x, y)
    folds = model._folds(y)
    assert len(model.nets_) == 5 and np.array_equal(np.sum(folds, axis=0), np.ones(len(y)))
    shares = [y[fold].mean() for fold in folds]
    assert max(shares) - min(shares) < 0.02
    inputs = model._inputs(model._frame(x, reset=False)).inputs
    with thalweg.config.precision(model.precision_):
        each = np.mean([net.predict(inputs, verbose=0) for net in model.nets_], axis=0)
    np.testing.assert_allclose(model.predict_proba(x), each, atol=1e-6)
    assert model.n_iter_ < model.epochs_  # stopped
    alone = NetClassifier(members=1, early_stopping=False, epochs=5, random_state=0).fit(x, y)
    assert len(alone.nets_) == 1 and alone.n_iter_ == 5
    with pytest.raises(ValueError, match="validation_fraction"):
        NetClassifier(validation_fraction=1.5).fit(x, y)


def test_doubles_are_computed_in_doubles_by_every_thread():
    x, y = load_iris(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NetClassifier(epochs=3, hidden=(17,)).fit(x, y)


@pytest.mark.parametrize(
    "given",
    [
        *({"hidden": one} for one in (128, "64,64", (0,), (64.5,))),
        *({"members": one} for one in (0, 1.5, True)),
        *({"epochs": one} for one in (0, "all")),
        *({"batch_size": one} for one in (0, "some")),
        *({"learning_rate": one} for one in (-1, 0, float("nan"), "fast")),
        {"early_stopping": "yes"},
        {"patience": 0},
        {"dropout": 1.0},
        {"l2": -1},
        {"validation_fraction": 1.0},
        {"embedding": 0},
        {"periodic": -1},
    ],
    ids=str,
)
def test_an_argument_out_of_range_is_named(given):
    name, value = next(iter(given.items()))
    for kind in (NetClassifier, NetRegressor):
        with pytest.raises(ValueError, match=f"{name} must be") as told:
            kind(**given).fit(np.zeros((5, 2)), [0, 1, 0, 1, 0])
        assert repr(value) in str(told.value)


def test_infinity_is_named_in_frames_too():
    frame, score = people(60)
    frame.loc[7, "age"] = np.inf
    with pytest.raises(ValueError, match="infinity in column 'age', row 7"):
        NetRegressor(epochs=1).fit(frame, score)


def test_cells_that_can_no_longer_be_read_are_told():
    frame, score = people()
    model = NetRegressor(epochs=2, members=1).fit(frame, score)
    same = model.predict(frame.assign(since=frame["since"].astype(object)))
    np.testing.assert_array_equal(same, model.predict(frame))
    np.testing.assert_array_equal(model.predict(frame.assign(since=frame["since"].dt.strftime("%Y-%m-%d"))), same)
    for column, cell in (("since", "31.12.2020"), ("age", "old")):
        with pytest.warns(thalweg.data.DataWarning, match=f"{column!r} holds {cell!r}, which cannot be read as a"):
            model.predict(frame.assign(**{column: cell}))
