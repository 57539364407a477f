"""Every loss and metric in files: compiled in one framework, gone on with in the other."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest
from file_pairs import RNG, X, Y, exchanged, same_outputs, train

import thalweg
from thalweg import losses, metrics

ROWS, WIDE = 40, 4
CLASSES = RNG.integers(0, WIDE, ROWS)
ONE_HOT = np.eye(WIDE, dtype=np.float32)[CLASSES]
BITS = RNG.integers(0, 2, (ROWS, WIDE)).astype(np.float32)
NUMBERS = RNG.normal(size=(ROWS, WIDE)).astype(np.float32)
COUNTS = RNG.random((ROWS, WIDE)).astype(np.float32) * 3
ONE_BIT = BITS[:, :1]

LOSSES = {
    "sigmoid": (
        BITS,
        [
            ("BinaryCrossentropy", {"label_smoothing": 0.2}),
            ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5, "alpha": 0.4}),
        ],
    ),
    "softmax": (
        ONE_HOT,
        [
            ("CategoricalCrossentropy", {"label_smoothing": 0.1}),
            ("CategoricalFocalCrossentropy", {"gamma": 3.0, "alpha": 0.7}),
            ("KLDivergence", {}),
        ],
    ),
    "softmax ": (CLASSES, [("SparseCategoricalCrossentropy", {"ignore_class": 2})]),
    "linear": (
        NUMBERS,
        [
            ("CosineSimilarity", {}),
            ("Huber", {}),
            ("LogCosh", {}),
            ("MeanAbsoluteError", {"reduction": "sum"}),
            ("MeanSquaredError", {"name": "mine"}),
        ],
    ),
    "softplus": (
        COUNTS,
        [("MeanAbsolutePercentageError", {}), ("MeanSquaredLogarithmicError", {}), ("Poisson", {})],
    ),
    "tanh": (2 * BITS - 1, [("CategoricalHinge", {}), ("Hinge", {}), ("SquaredHinge", {})]),
    "linear ": (CLASSES, [("SparseCategoricalCrossentropy", {"from_logits": True})]),
}

METRICS = {
    "sigmoid": (
        ONE_BIT,
        [
            ("AUC", {"num_thresholds": 20, "curve": "PR"}),
            ("AUC", {"thresholds": [0.2, 0.5, 0.9], "name": "coarse"}),
            ("BinaryAccuracy", {"threshold": 0.8}),
            ("BinaryCrossentropy", {"label_smoothing": 0.1}),
            ("FalseNegatives", {}),
            ("FalsePositives", {"thresholds": [0.2, 0.7]}),
            ("Hinge", {}),
            ("Precision", {"thresholds": [0.1, 0.6]}),
            ("Recall", {}),
            ("SquaredHinge", {}),
            ("TrueNegatives", {}),
            ("TruePositives", {}),
        ],
    ),
    "softmax": (
        ONE_HOT,
        [
            ("CategoricalAccuracy", {}),
            ("CategoricalCrossentropy", {"label_smoothing": 0.1}),
            ("CategoricalHinge", {}),
            ("F1Score", {"average": "micro", "threshold": 0.3}),
            ("FBetaScore", {"beta": 2.0, "average": "macro"}),
            ("KLDivergence", {}),
            ("Precision", {"top_k": 2, "class_id": 1}),
            ("TopKCategoricalAccuracy", {"k": 3}),
        ],
    ),
    "softmax ": (
        CLASSES[:, None],
        [
            ("SparseCategoricalAccuracy", {}),
            ("SparseCategoricalCrossentropy", {}),
            ("SparseTopKCategoricalAccuracy", {"k": 2}),
        ],
    ),
    "softplus": (
        COUNTS,
        [
            ("Accuracy", {}),
            ("CosineSimilarity", {"axis": -1}),
            ("LogCoshError", {}),
            ("MeanAbsoluteError", {}),
            ("MeanAbsolutePercentageError", {}),
            ("MeanSquaredError", {"name": "size"}),
            ("MeanSquaredLogarithmicError", {}),
            ("Poisson", {}),
            ("R2Score", {"class_aggregation": "variance_weighted_average"}),
            ("RootMeanSquaredError", {}),
        ],
    ),
}
GIVEN = {"batch_size": ROWS, "verbose": 0, "return_dict": True}


def heads(module, activation, count, width=WIDE):
    x = module.Input((6,))
    made = [module.layers.Dense(width, activation=activation.strip(), name=f"head_{i}")(x) for i in range(count)]
    return module.Model(x, made if count > 1 else made[0])


def test_every_member_stands_in_a_table_of_cases():
    assert {n for _, cases in LOSSES.values() for n, _ in cases} == {cls.__name__ for cls in losses.TABLE.values()}
    told = {n for _, cases in METRICS.values() for n, _ in cases}
    assert told | {"Mean", "Total"} == {cls.__name__ for cls in metrics.TABLE.values()}


@pytest.mark.parametrize("activation", LOSSES)
def test_losses_go_to_keras_and_back(activation, tmp_path):
    y, cases = LOSSES[activation]
    ours = heads(thalweg, activation, len(cases))
    listed = [getattr(losses, name)(**given) for name, given in cases]
    ours.compile(thalweg.optimizers.SGD(0.01, momentum=0.9), listed if len(listed) > 1 else listed[0])
    targets = [y] * len(cases) if len(cases) > 1 else y
    again, _ = exchanged(ours, tmp_path, y=targets)
    assert again.objective.hypers() == pytest.approx(ours.objective.hypers(), rel=1e-6)
    for ending in (".keras", ".h5"):
        kept = thalweg.models.load_model(tmp_path / f"ours{ending}")
        assert kept.objective.structure() == ours.objective.structure()
        assert kept.objective.hypers() == ours.objective.hypers()
        assert [loss.name for loss in kept.objective.losses] == [loss.name for loss in ours.objective.losses]


@pytest.mark.parametrize("activation", METRICS)
def test_metrics_go_to_keras_and_back(activation, tmp_path):
    y, cases = METRICS[activation]
    ours = heads(thalweg, activation, 1, width=1 if y is ONE_BIT else WIDE)
    loss = "mse" if y.dtype == np.float32 else "sparse_categorical_crossentropy"
    ours.compile("sgd", loss, metrics=[getattr(metrics, name)(**given) for name, given in cases])
    wanted = ours.evaluate(X, y, **GIVEN)
    for ending in (".keras", ".h5"):
        ours.save(tmp_path / f"ours{ending}")
        theirs = keras.models.load_model(tmp_path / f"ours{ending}")
        same_values(wanted, theirs.evaluate(X, y, **GIVEN))
        theirs.save(tmp_path / f"theirs{ending}")
        for name in ("ours", "theirs"):
            again = thalweg.models.load_model(tmp_path / f"{name}{ending}")
            assert again.evaluate(X, y, **GIVEN) == wanted


def same_values(mine, real):
    assert set(mine) == set(real)
    for name, value in real.items():
        np.testing.assert_allclose(mine[name], value, rtol=2e-5, atol=1e-6, err_msg=name)


FORMS = [
    {"loss": "mse", "metrics": ["mae", "mse", "accuracy"]},
    {"loss": "mean_squared_error", "metrics": ["mae"], "weighted_metrics": ["mean_absolute_error"]},
    {"loss": "log_cosh", "metrics": ["MAE"], "loss_weights": 2.0},
    {"loss": "huber", "loss_weights": [0.5], "metrics": [["mape", "root_mean_squared_error"]]},
    {"loss": "hinge", "weighted_metrics": [["acc"]]},
]


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_whatever_form_compile_was_told_in_both_say_the_same(form, tmp_path):
    pair = []
    for module in (thalweg, keras):
        model = module.Sequential([module.Input((6,)), module.layers.Dense(2, name="out")])
        model.compile("sgd", **form)
        pair.append(model)
    ours, theirs = pair
    theirs.set_weights(ours.get_weights())
    train(theirs, X, Y), train(ours, X, Y)
    for ending in (".keras", ".h5"):
        ours.save(tmp_path / f"ours{ending}")
        read = keras.models.load_model(tmp_path / f"ours{ending}")
        same_values(ours.evaluate(X, Y, **GIVEN), read.evaluate(X, Y, **GIVEN))
        theirs.save(tmp_path / f"theirs{ending}")
        back = thalweg.models.load_model(tmp_path / f"theirs{ending}")
        same_outputs(back, theirs)
        same_values(back.evaluate(X, Y, **GIVEN), theirs.evaluate(X, Y, **GIVEN))
        again = thalweg.models.load_model(tmp_path / f"ours{ending}")
        assert again.evaluate(X, Y, **GIVEN) == ours.evaluate(X, Y, **GIVEN)


def test_one_metric_alone_becomes_a_list_as_keras_wants_it(tmp_path):
    ours = heads(thalweg, "linear", 1, width=2)
    ours.compile("sgd", "mse", metrics="mae", weighted_metrics=metrics.MeanAbsoluteError(name="too"))
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    same_values(ours.evaluate(X, Y, **GIVEN), theirs.evaluate(X, Y, **GIVEN))


def test_keras_forgets_the_numbers_of_some_losses():
    told = keras.losses.serialize(keras.losses.Huber(delta=0.3))
    assert "delta" not in told["config"]


def test_a_turned_loss_is_written_as_it_is_now(tmp_path):
    ours = heads(thalweg, "linear", 2)
    ours.compile("sgd", ["huber", "mse"], loss_weights=[1.0, 2.0])
    ours.hypers["head_0/loss/delta"] = 0.25
    ours.save(tmp_path / "ours.keras")
    assert keras.models.load_model(tmp_path / "ours.keras").loss[0]._fn_kwargs["delta"] == 0.25
    assert thalweg.models.load_model(tmp_path / "ours.keras").hypers["head_0/loss/delta"] == 0.25
