"""Every loss against Keras's, on the same numbers."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from thalweg import losses

RNG = np.random.default_rng(0)
ROWS, WIDE = 12, 5


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True)).astype(np.float32)


LOGITS = RNG.normal(size=(ROWS, WIDE)).astype(np.float32)
CLASSES = RNG.integers(0, WIDE, ROWS)
ONE_HOT = np.eye(WIDE, dtype=np.float32)[CLASSES]
BITS = RNG.integers(0, 2, (ROWS, WIDE)).astype(np.float32)
NUMBERS = RNG.normal(size=(ROWS, WIDE)).astype(np.float32)
POSITIVE = RNG.random((ROWS, WIDE)).astype(np.float32) * 3

CASES = [
    ("BinaryCrossentropy", {}, BITS, softmax(LOGITS)),
    ("BinaryCrossentropy", {"from_logits": True}, BITS, LOGITS),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, BITS, softmax(LOGITS)),
    ("BinaryFocalCrossentropy", {}, BITS, softmax(LOGITS)),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5, "alpha": 0.4}, BITS, softmax(LOGITS)),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, LOGITS),
    ("CategoricalCrossentropy", {}, ONE_HOT, softmax(LOGITS)),
    ("CategoricalCrossentropy", {}, ONE_HOT, 2 * softmax(LOGITS)),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, LOGITS),
    ("CategoricalFocalCrossentropy", {}, ONE_HOT, softmax(LOGITS)),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 3.0, "alpha": 0.7}, ONE_HOT, LOGITS),
    ("CategoricalHinge", {}, ONE_HOT, LOGITS),
    ("CosineSimilarity", {}, NUMBERS, LOGITS),
    ("Hinge", {}, BITS, LOGITS),
    ("Hinge", {}, 2 * BITS - 1, LOGITS),
    ("Huber", {}, NUMBERS, 3 * LOGITS),
    ("Huber", {"delta": 0.3}, NUMBERS, LOGITS),
    ("KLDivergence", {}, softmax(NUMBERS), softmax(LOGITS)),
    ("LogCosh", {}, NUMBERS, LOGITS),
    ("MeanAbsoluteError", {}, NUMBERS, LOGITS),
    ("MeanAbsolutePercentageError", {}, NUMBERS, LOGITS),
    ("MeanSquaredError", {}, NUMBERS, LOGITS),
    ("MeanSquaredLogarithmicError", {}, POSITIVE, POSITIVE[::-1].copy()),
    ("Poisson", {}, POSITIVE, POSITIVE[::-1].copy()),
    ("SparseCategoricalCrossentropy", {}, CLASSES, softmax(LOGITS)),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES[:, None], LOGITS),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, CLASSES, softmax(LOGITS)),
    ("SquaredHinge", {}, BITS, LOGITS),
]
NAMES = [f"{name}-{'-'.join(given) or 'plain'}-{i}" for i, (name, given, *_) in enumerate(CASES)]
each_case = pytest.mark.parametrize(("name", "given", "y", "p"), CASES, ids=NAMES)


def test_every_loss_stands_in_the_table_of_cases():
    assert {name for name, *_ in CASES} == {cls.__name__ for cls in losses.TABLE.values()}


@each_case
def test_value_and_gradient_are_keras_s(name, given, y, p):
    ours, theirs = getattr(losses, name)(**given), getattr(keras.losses, name)(**given)
    np.testing.assert_allclose(ours(y, p), theirs(y, p), rtol=2e-6, atol=1e-6)
    mine = jax.grad(lambda q: ours(y, q))(jnp.asarray(p))
    real = jax.grad(lambda q: theirs(y, q))(jnp.asarray(p))
    np.testing.assert_allclose(mine, real, rtol=1e-4, atol=1e-6)


@each_case
@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight", "sum_over_batch_size", None])
def test_sample_weights_and_reductions_are_keras_s(name, given, y, p, reduction):
    if given.get("ignore_class") is not None and reduction in (None, "sum"):
        pytest.skip("Keras marks ignored rows by a mask of its own here")
    weight = np.linspace(0.0, 2.0, ROWS).astype(np.float32)
    ours = getattr(losses, name)(reduction=reduction, **given)(y, p, sample_weight=weight)
    theirs = getattr(keras.losses, name)(reduction=reduction, **given)(y, p, sample_weight=weight)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@each_case
def test_padding_rows_count_nothing(name, given, y, p):
    loss = getattr(losses, name)(**given)
    rows = jnp.asarray([1.0] * 7 + [0.0] * (ROWS - 7))
    each = loss.apply(loss.hypers(), jnp.asarray(y), jnp.asarray(p))
    masked = loss.reduce(each, None, rows, loss.counted(jnp.asarray(y)))
    np.testing.assert_allclose(masked, loss(y[:7], p[:7]), rtol=1e-5, atol=1e-6)


@each_case
def test_it_is_traced_once_whatever_its_numbers_are(name, given, y, p):
    loss, traces = getattr(losses, name)(**given), []

    @jax.jit
    def value(h, y, p):
        traces.append(1)
        return loss.apply(h, y, p)

    for factor in (1.0, 0.5):
        value({key: jnp.float32(number * factor) for key, number in loss.hypers().items()}, y, p)
    assert len(traces) == 1


@each_case
@pytest.mark.parametrize("point", [0.0, 1.0, 1e-8, 1e4, -1e4])
def test_gradients_are_finite_at_awkward_points(name, given, y, p, point):
    if point == -1e4 and name == "Poisson":
        pytest.skip("a count's mean is never negative: the logarithm of it is not defined")
    loss = getattr(losses, name)(**given)
    outputs = jnp.full_like(jnp.asarray(p), point)
    gradient = jax.grad(lambda q: loss(y, q))(outputs)
    assert jnp.isfinite(gradient).all()
    assert jnp.isfinite(loss(y, outputs))


@each_case
def test_description_makes_its_like(name, given, y, p):
    loss = getattr(losses, name)(**given)
    again = losses.deserialize(losses.serialize(loss))
    assert again.structure() == loss.structure()
    assert again.hypers() == loss.hypers()
    keras_config = keras.losses.serialize(getattr(keras.losses, name)(**given))
    assert losses.deserialize(keras_config).structure() == loss.structure()


@pytest.mark.parametrize("name", [n for n in losses.TABLE if n[0].islower() or n.isupper()])
def test_names_are_keras_s(name):
    if name in ("BCE", "huber_loss", "logcosh", "kullback_leibler_divergence"):
        return
    assert keras.losses.get(name) is not None


def test_a_users_function_may_give_a_row_or_a_number():
    rows = losses.get(lambda y, p: jnp.abs(y - p))
    whole = losses.get(lambda y, p: jnp.mean(jnp.abs(y - p)))
    y, p = jax.ShapeDtypeStruct((7, 2), jnp.float32), jax.ShapeDtypeStruct((7, 2), jnp.float32)
    assert rows.per_row(y, p)
    assert not whole.per_row(y, p)
    np.testing.assert_allclose(rows(NUMBERS, LOGITS), whole(NUMBERS, LOGITS), rtol=1e-6)


def test_an_unknown_loss_is_told_the_nearest_name():
    with pytest.raises(ValueError, match="Did you mean 'categorical_crossentropy'"):
        losses.get("categorical_crosentropy")
