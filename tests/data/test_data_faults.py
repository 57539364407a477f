"""What bad data get: one clear message that names the culprit, before anything is trained."""

import warnings

import numpy as np
import pandas as pd
import pytest

import thalweg
from thalweg import layers
from thalweg.data import DataError, DataWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype(np.float32)
Y = np.arange(40) % 4


def net(outputs=4, loss="sparse_categorical_crossentropy", activation="softmax", features=3):
    model = thalweg.Sequential(
        [thalweg.Input(np.atleast_1d(features).tolist()), layers.Dense(outputs, activation=activation)]
    )
    model.compile("sgd", loss)
    return model


def changed(array, place, value, dtype=None):
    other = np.array(array, dtype=dtype)
    other[place] = value
    return other


FRAME = pd.DataFrame({"age": X[:, 0], "height": X[:, 1], "weight": X[:, 2]})
HOLED = FRAME.copy()
HOLED.iloc[7] = np.nan
TEXT = FRAME.assign(height="tall")

FAULTS = {
    "nan": (lambda: net().fit(changed(X, (17, 2), np.nan), Y), "x has 1 value.* nan in row 17, column 2"),
    "inf": (lambda: net().fit(changed(X, (5, 0), np.inf), Y), "inf in row 5, column 0"),
    "nan in a frame": (
        lambda: net().fit(HOLED, Y),
        "3 values.* row 7, column 0 .'age'",
    ),
    "nan target": (lambda: net(1, "mse", None).fit(X, changed(Y, 3, np.nan, float)), "y has .* row 3"),
    "nan weight": (lambda: net().fit(X, Y, sample_weight=changed(np.ones(40), 9, np.nan)), "sample_weight .* row 9"),
    "negative weight": (
        lambda: net().fit(X, Y, sample_weight=changed(np.ones(40), 9, -1)),
        "negative, got -1 in row 9",
    ),
    "nan in evaluate": (lambda: net().evaluate(changed(X, (1, 1), np.nan), Y), "evaluate: x .* row 1, column 1"),
    "nan in predict": (lambda: net().predict(changed(X, (1, 1), np.nan)), "predict: x .* row 1, column 1"),
    "nan in validation": (
        lambda: net().fit(X, Y, validation_data=(changed(X, (1, 1), np.nan), Y)),
        "validation: x .* row 1, column 1",
    ),
    "label too large": (lambda: net().fit(X, changed(Y, 11, 4)), r"in \[0, 4\).* got 4 in row 11"),
    "labels from 1": (lambda: net().fit(X, Y + 1), "start at 1"),
    "label below": (lambda: net().fit(X, changed(Y, 11, -1)), "got -1 in row 11"),
    "fractional label": (lambda: net().fit(X, changed(Y, 6, 1.5, float)), "whole numbers, got 1.5 in row 6"),
    "one-hot out of range": (
        lambda: net(loss="categorical_crossentropy").fit(X, changed(np.eye(4)[Y], (8, 1), 7)),
        "got 7 in row 8",
    ),
    "labels -1 and 1": (lambda: net(1, "binary_crossentropy", "sigmoid").fit(X, 2 * (Y % 2) - 1), "hinge"),
    "class numbers for one-hot": (lambda: net(loss="categorical_crossentropy").fit(X, Y), "to_categorical"),
    "one-hot for class numbers": (lambda: net().fit(X, np.eye(4)[Y]), "'categorical_crossentropy'"),
    "wrong width": (lambda: net().fit(X[:, :2], Y), r"expects rows of shape \(3,\), got \(2,\)"),
    "one row alone": (lambda: net(features=(3, 4)).predict(np.ones((3, 4))), r"x\[None\] gives it the axis of rows"),
    "unflattened": (lambda: net(features=12).fit(np.ones((8, 3, 4)), Y[:8]), "Flatten"),
    "a row of answers for each place": (
        lambda: net(features=(5, 3)).fit(np.ones((40, 5, 3)), Y),
        r"class numbers of shape \(5,\).*4 numbers for each of 5 places of a row.*Flatten",
    ),
    "the same, one-hot": (
        lambda: net(features=(5, 3), loss="categorical_crossentropy").fit(np.ones((40, 5, 3)), np.eye(4)[Y]),
        r"rows of shape \(5, 4\).*put a Flatten layer",
    ),
    "lengths differ": (lambda: net().fit(X, Y[:-1]), "x has 40 rows and y has 39"),
    "weights' length": (lambda: net().fit(X, Y, sample_weight=np.ones(3)), "sample_weight has 3"),
    "empty": (lambda: net().fit(X[:0], Y[:0]), "empty"),
    "nothing": (lambda: net().fit(), "x is None"),
    "no targets": (lambda: net().fit(X), "needs targets"),
    "ragged": (lambda: net().fit([[1, 2, 3], [4, 5]], [0, 1]), "row 0 has 3 values, row 1 has 2"),
    "text": (lambda: net().fit(np.full((4, 3), "a"), Y[:4]), "x must be numbers, got dtype <U1"),
    "text in a frame": (lambda: net().fit(TEXT, Y), "column 'height' .*'tall'"),
    "objects": (lambda: net().fit(np.array([[1, 2, None]] * 4, dtype=object), Y[:4]), "got None .* row 0, column 2"),
    "complex": (lambda: net().fit(X.astype(complex), Y), "complex"),
    "large integers": (lambda: net().fit(changed(X, (3, 1), 2**24 + 1, np.int64), Y), "row 3, column 1"),
    "large floats": (lambda: net().fit(changed(X, (3, 1), 1e39, float), Y), "too large for float32.* row 3, column 1"),
    "batch_size 0": (lambda: net().fit(X, Y, batch_size=0), "batch_size must be a positive integer"),
    "epochs negative": (lambda: net().fit(X, Y, epochs=-1), "epochs must be"),
    "validation_split": (lambda: net().fit(X, Y, validation_split=1.5), "validation_split must be"),
    "split leaves nothing": (lambda: net().fit(X, Y, validation_split=0.999), "leaves 0 to train on"),
    "verbose": (lambda: net().fit(X, Y, verbose=7), "verbose must be"),
    "unknown loss": (lambda: net(loss="mze").fit(X, Y), "Unknown loss 'mze'.* Did you mean"),
    "unknown optimizer": (lambda: net().compile("adem", "mse"), "Did you mean 'adam'"),
    "both weights": (lambda: net().fit(X, Y, sample_weight=np.ones(40), class_weight={0: 2.0}), "exclude each other"),
    "not compiled": (lambda: thalweg.Sequential([layers.Dense(1)]).fit(X, Y), "model.compile"),
    "y beside batches": (lambda: net().fit(iter([(X, Y)]), Y), "beside a source of batches"),
    "a split of batches": (lambda: net().fit(iter([(X, Y)]), validation_split=0.2), "validation_split needs arrays"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_culprit_is_named(fault):
    act, message = FAULTS[fault]
    with pytest.raises(ValueError, match=message):
        act()


def test_nothing_was_trained_when_rows_were_bad():
    model = net()
    before = model.get_weights() if model.draw(0) is None else None
    with pytest.raises(DataError):
        model.fit(changed(X, (39, 2), np.nan), Y, epochs=3)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_class_only_is_warned_of():
    with pytest.warns(DataWarning, match="all 40 rows are of class 2"):
        net().fit(X, np.full(40, 2), verbose=0)


def test_a_generator_that_raises_names_the_batch():
    def batches():
        yield X[:8], Y[:8]
        yield X[8:16], Y[8:16]
        raise OSError("the disk is gone")

    with pytest.raises(DataError, match="batch 2 raised OSError: the disk is gone"):
        net().fit(batches(), verbose=0)


def test_a_generator_that_ends_early_is_told_how_far_it_came():
    with pytest.warns(DataWarning, match="got 2 batches of the 5 wanted"):
        history = net().fit(((X[i : i + 8], Y[i : i + 8]) for i in (0, 8)), steps_per_epoch=5, verbose=0)
    assert any("5 wanted" in said for said in history.warnings)


def test_an_empty_generator_is_an_error():
    with pytest.raises(DataError, match="no batch"):
        net().fit(iter([]), verbose=0)


def test_batches_whose_shapes_change_are_named():
    with pytest.raises(DataError, match=r"batch 1: x has rows of shape \[\(2,\)\], the first batch had \[\(3,\)\]"):
        net().fit(iter([(X[:4], Y[:4]), (X[:4, :2], Y[:4])]), verbose=0)


def test_a_bad_row_in_a_later_batch_is_named():
    with pytest.raises(DataError, match="batch 2: x has 1 value.* row 1, column 0"):
        net().fit(iter([(X[:4], Y[:4])] * 2 + [(changed(X[:4], (1, 0), np.nan), Y[:4])]), verbose=0)


def test_rows_that_stand_in_both_sets_are_counted():
    with pytest.warns(DataWarning, match="5 of 10 validation rows .50.0%"):
        history = net().fit(
            X[:30], Y[:30], validation_data=(np.concatenate([X[:5], X[30:35]]), Y[:10]), verbose=0, epochs=1
        )
    assert "leaked" in history.warnings[0]


def test_repeats_of_a_small_discrete_space_are_no_leak():
    bits = RNG.integers(0, 2, (400, 3)).astype(np.float32)
    labels = bits.sum(axis=1).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net().fit(bits[:300], labels[:300], validation_data=(bits[300:], labels[300:]), verbose=0)


def test_a_split_of_sorted_rows_is_warned_of():
    with pytest.warns(DataWarning, match="mixed very differently"):
        net().fit(
            np.repeat(X, 10, axis=0) + RNG.normal(size=(400, 3)),
            np.arange(400) // 100,
            validation_split=0.25,
            verbose=0,
        )


def test_a_fair_split_is_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net().fit(X, Y, validation_split=0.25, verbose=0)
