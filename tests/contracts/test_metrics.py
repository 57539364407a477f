"""Every metric against Keras's: over batches, with weights, inside a program."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from thalweg import metrics

RNG = np.random.default_rng(1)
ROWS, WIDE = 60, 4


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True)).astype(np.float32)


LOGITS = RNG.normal(size=(ROWS, WIDE)).astype(np.float32)
SHARES = softmax(LOGITS)
CLASSES = RNG.integers(0, WIDE, ROWS)
ONE_HOT = np.eye(WIDE, dtype=np.float32)[CLASSES]
BITS = RNG.integers(0, 2, (ROWS, 1)).astype(np.float32)
CHANCE = RNG.random((ROWS, 1)).astype(np.float32)
MANY_BITS = RNG.integers(0, 2, (ROWS, WIDE)).astype(np.float32)
NUMBERS = RNG.normal(size=(ROWS, WIDE)).astype(np.float32)
POSITIVE = RNG.random((ROWS, WIDE)).astype(np.float32) * 3

CASES = [
    ("Accuracy", {}, CLASSES[:, None].astype(np.float32), RNG.integers(0, WIDE, (ROWS, 1)).astype(np.float32)),
    ("AUC", {}, BITS, CHANCE),
    ("AUC", {"num_thresholds": 20, "curve": "PR"}, BITS, CHANCE),
    ("AUC", {"summation_method": "minoring"}, BITS, CHANCE),
    ("AUC", {"summation_method": "majoring", "curve": "PR"}, BITS, CHANCE),
    ("AUC", {"thresholds": [0.2, 0.5, 0.9]}, BITS, CHANCE),
    ("AUC", {"multi_label": True, "num_labels": WIDE}, MANY_BITS, SHARES),
    ("AUC", {"from_logits": True}, BITS, (CHANCE - 0.5) * 8),
    ("BinaryAccuracy", {}, BITS, CHANCE),
    ("BinaryAccuracy", {"threshold": 0.8}, BITS, CHANCE),
    ("BinaryCrossentropy", {}, BITS, CHANCE),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, CHANCE),
    ("CategoricalAccuracy", {}, ONE_HOT, SHARES),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, SHARES),
    ("CategoricalHinge", {}, ONE_HOT, SHARES),
    ("CosineSimilarity", {}, NUMBERS, LOGITS),
    ("F1Score", {}, ONE_HOT, SHARES),
    ("F1Score", {"average": "micro", "threshold": 0.3}, MANY_BITS, SHARES),
    ("F1Score", {"average": "macro"}, ONE_HOT, SHARES),
    ("F1Score", {"average": "weighted"}, ONE_HOT, SHARES),
    ("FBetaScore", {"beta": 2.0, "average": "macro"}, ONE_HOT, SHARES),
    ("FalseNegatives", {}, BITS, CHANCE),
    ("FalsePositives", {"thresholds": [0.2, 0.7]}, BITS, CHANCE),
    ("Hinge", {}, BITS, CHANCE),
    ("KLDivergence", {}, softmax(NUMBERS), SHARES),
    ("LogCoshError", {}, NUMBERS, LOGITS),
    ("MeanAbsoluteError", {}, NUMBERS, LOGITS),
    ("MeanAbsolutePercentageError", {}, NUMBERS, LOGITS),
    ("MeanSquaredError", {}, NUMBERS, LOGITS),
    ("MeanSquaredLogarithmicError", {}, POSITIVE, POSITIVE[::-1].copy()),
    ("Poisson", {}, POSITIVE, POSITIVE[::-1].copy()),
    ("Precision", {}, BITS, CHANCE),
    ("Precision", {"thresholds": [0.1, 0.6]}, BITS, CHANCE),
    ("Precision", {"top_k": 2}, ONE_HOT, SHARES),
    ("Precision", {"class_id": 1}, ONE_HOT, SHARES),
    ("R2Score", {}, NUMBERS, LOGITS),
    ("R2Score", {"class_aggregation": None}, NUMBERS, LOGITS),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, NUMBERS, LOGITS),
    ("R2Score", {"num_regressors": 3}, NUMBERS[:, :1], LOGITS[:, :1]),
    ("Recall", {}, BITS, CHANCE),
    ("Recall", {"top_k": 2, "class_id": 3}, ONE_HOT, SHARES),
    ("RootMeanSquaredError", {}, NUMBERS, LOGITS),
    ("SparseCategoricalAccuracy", {}, CLASSES, SHARES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, LOGITS),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, CLASSES, SHARES),
    ("SquaredHinge", {}, BITS, CHANCE),
    ("TopKCategoricalAccuracy", {"k": 3}, ONE_HOT, SHARES),
    ("TrueNegatives", {}, BITS, CHANCE),
    ("TruePositives", {}, BITS, CHANCE),
]
NAMES = [f"{name}-{'-'.join(given) or 'plain'}-{i}" for i, (name, given, *_) in enumerate(CASES)]
each_case = pytest.mark.parametrize(("name", "given", "y", "p"), CASES, ids=NAMES)
OF_VALUES = {"Mean", "Sum"}


def both(name, given):
    return getattr(metrics, name)(**given), getattr(keras.metrics, name)(**given)


def test_every_metric_stands_in_the_table_of_cases():
    assert {name for name, *_ in CASES} | OF_VALUES == {cls.__name__ for cls in metrics.TABLE.values()} - {"Total"} | {
        "Sum"
    }


@each_case
def test_over_batches_it_is_keras_s(name, given, y, p):
    ours, theirs = both(name, given)
    for start in range(0, ROWS, 25):
        for metric in (ours, theirs):
            metric.update_state(y[start : start + 25], p[start : start + 25])
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-5, atol=1e-6)
    assert ours.name == theirs.name.rstrip("_0123456789") or ours.name == theirs.name


@each_case
def test_with_sample_weights_it_is_keras_s(name, given, y, p):
    ours, theirs = both(name, given)
    weight = RNG.random(ROWS).astype(np.float32)
    for metric in (ours, theirs):
        metric.update_state(y, p, sample_weight=weight)
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=2e-5, atol=1e-6)


@each_case
def test_rows_of_weight_zero_count_nothing_inside_a_program(name, given, y, p):
    metric = getattr(metrics, name)(**given)
    metric.build((None, *y.shape[1:]), (None, *p.shape[1:]))
    weights = np.array([1.0] * 40 + [0.0] * (ROWS - 40), np.float32)
    state = jax.jit(metric.update)(metric.init(), jnp.asarray(y), jnp.asarray(p), weights)
    again = jax.jit(metric.update)(state, jnp.asarray(y), jnp.asarray(p), weights)
    fresh = getattr(metrics, name)(**given)
    for _ in range(2):
        fresh.update_state(y[:40], p[:40])
    np.testing.assert_allclose(metric.result_of(again), fresh.result(), rtol=1e-5, atol=1e-6)
    assert jax.tree.structure(again) == jax.tree.structure(metric.init())


@each_case
def test_description_makes_its_like(name, given, y, p):
    metric = getattr(metrics, name)(**given)
    again = metrics.deserialize(metrics.serialize(metric))
    assert again.structure() == metric.structure()
    assert again(y, p).tolist() == metric(y, p).tolist()


@each_case
def test_reset_forgets(name, given, y, p):
    metric = getattr(metrics, name)(**given)
    first = metric(y, p)
    metric.reset_state()
    np.testing.assert_array_equal(metric(y, p), first)


def test_counts_are_exact_beyond_what_float32_holds():
    total = metrics.Mean().init()
    mean = metrics.Mean()
    ones = jnp.ones(1 << 16)

    @jax.jit
    def many(state):
        return jax.lax.fori_loop(0, 400, lambda _, s: mean.update_values(s, ones, ones), state)

    state = many(total)
    assert 400 * (1 << 16) > 2**24
    for _ in range(3):
        state = mean.update_values(state, ones[:1], ones[:1])
    assert (np.float64(state.high) + np.float64(state.low)).tolist() == [400 * (1 << 16) + 3] * 2
    assert float(mean.result_of(state)) == 1.0


def test_mean_and_sum_are_keras_s():
    values = RNG.random((7, 3)).astype(np.float32)
    for name in OF_VALUES:
        ours, theirs = both(name, {})
        for metric in (ours, theirs):
            metric.update_state(values, sample_weight=np.arange(7, dtype=np.float32))
        np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-6)


@pytest.mark.parametrize(
    ("y", "p", "expected"),
    [
        ((None, 1), (None, 1), "BinaryAccuracy"),
        ((None,), (None, 1), "BinaryAccuracy"),
        ((None,), (None, 5), "SparseCategoricalAccuracy"),
        ((None, 1), (None, 5), "SparseCategoricalAccuracy"),
        ((None, 5), (None, 5), "CategoricalAccuracy"),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_is_the_one_that_the_shapes_ask_for(y, p, expected, name):
    metric = metrics.resolve(name, y, p)
    assert type(metric).__name__ == expected
    assert metric.name == name


def test_accuracy_of_logits_is_cut_at_zero():
    from thalweg import losses

    metric = metrics.resolve("accuracy", (None, 1), (None, 1), losses.BinaryCrossentropy(from_logits=True))
    assert float(metric([[1.0], [0.0]], [[0.2], [-0.2]])) == 1.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("val_loss", "min"),
        ("accuracy", "max"),
        ("val_out_auc_1", "max"),
        ("mse", "min"),
        ("r2_score", "max"),
        ("val_f1_score", "max"),
    ],
)
def test_directions(name, expected):
    assert metrics.direction(name) == expected


def test_an_unknown_direction_is_an_error():
    with pytest.raises(ValueError, match="happiness"):
        metrics.direction("happiness")
