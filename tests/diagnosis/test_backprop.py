"""Backpropagation, looked at: the chain rule against automatic differentiation, wishes, the course's table, pulls."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import layers, losses, optimizers
from thalweg.data import DataError
from thalweg.diagnosis import backprop
from thalweg.diagnosis.chain_rule._rules import has_rules
from thalweg.engine import compiled as programs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 6))
CLASSES = RNG.integers(0, 3, 7)
AD = "automatic differentiation"


def net(*stack, loss="sparse_categorical_crossentropy", shape=(6,), seed=0):
    model = thalweg.Sequential([thalweg.Input(shape), *stack])
    model.compile(optimizers.SGD(1.0), loss)
    rng = np.random.default_rng(seed)
    model.set_weights(
        [rng.random(w.shape) + 0.1 if "var" in w.name else rng.normal(size=w.shape) for w in model.weights]
    )
    return model


def course(**how):
    return net(layers.Dense(5, "sigmoid"), layers.Dense(4, "relu"), layers.Dense(3, "softmax"), **how)


def gradients_by_jax(model, x, y):
    """Each row's gradient of its loss, by the net's own forward pass: one array [rows, ...] a weight."""
    network, loss = model.network, model.objective.losses[0]
    with jax.enable_x64(True):
        params, frozen = (tuple(jnp.asarray(np.asarray(one), jnp.float64) for one in part) for part in model.arrays())

        def of_row(params, x, y):
            out = network.forward(params, frozen, network.hypers(), (x[None],), training=False).outputs[0]
            return loss.reduce(loss.apply(loss.hypers(), y[None], out), None, None, None)

        run = jax.jit(jax.vmap(jax.grad(of_row), (None, 0, 0)))
        return jax.device_get(run(params, jnp.asarray(x, jnp.float64), jnp.asarray(y)))


def flat(gradients):
    return np.concatenate([one.reshape(len(one), -1) for one in gradients], axis=1)


def close(one, other, rtol=1e-9):
    np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-6 * rtol + 1e-15)


def each_weight(found):
    """-dL/dw of every weight, [rows, weights]."""
    total = found.table().total
    return found.table(weights=range(total), examples=range(len(found.losses))).wishes.T


# -- the chain rule ---------------------------------------------------------------------------

HIDDEN = [
    lambda: layers.Dense(4, "tanh"),
    lambda: layers.Dense(5, "gelu", use_bias=False),
    lambda: layers.Dense(3, "softmax"),
    lambda: layers.Dense(4, "log_softmax"),
    lambda: layers.Activation("selu"),
    lambda: layers.ReLU(max_value=1.0, negative_slope=0.1),
    lambda: layers.Softmax(),
    lambda: layers.PReLU("ones"),
    lambda: layers.BatchNormalization(),
    lambda: layers.Rescaling(0.5, 1.0),
    lambda: layers.Normalization(mean=0.3, variance=2.0),
    lambda: layers.Dropout(0.5),
]
LAST = [
    (lambda: layers.Dense(3, "softmax"), "sparse_categorical_crossentropy", CLASSES),
    (lambda: layers.Dense(3, "softmax"), losses.CategoricalCrossentropy(label_smoothing=0.1), np.eye(3)[CLASSES]),
    (lambda: layers.Dense(3), losses.SparseCategoricalCrossentropy(from_logits=True), CLASSES),
    (
        lambda: layers.Dense(2, "sigmoid"),
        losses.BinaryCrossentropy(label_smoothing=0.2),
        RNG.integers(0, 2, (7, 2)).astype(float),
    ),
    (lambda: layers.Dense(2, "softmax"), "mse", RNG.random((7, 2))),
    (lambda: layers.Dense(1, "elu"), "huber", RNG.normal(size=7)),
]


@settings(max_examples=6, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.integers(0, len(HIDDEN) - 1), min_size=1, max_size=4), st.integers(0, len(LAST) - 1), st.integers(0, 99)
)
def test_the_chain_rule_is_automatic_differentiation(hidden, last, seed):
    make, loss, y = LAST[last]
    model = net(*(HIDDEN[i]() for i in hidden), make(), loss=loss, seed=seed)
    found, other = backprop(model, X, y), backprop(model, X, y, by=AD)
    assert (found.by, other.by) == ("chain rule", AD)
    close(found.losses, other.losses)
    for one, two in zip(found.layers, other.layers, strict=True):
        close(one.error, two.error, 1e-8)
        close(one.asked, two.asked, 1e-8)
    close(each_weight(found), -flat(gradients_by_jax(model, X, y)), 1e-8)


def test_every_rule_is_used_and_right():
    """All kinds of layers in a few nets, so that none hangs on what was drawn above."""
    pictures = RNG.normal(size=(7, 4, 3))
    kinds = [layers.Activation(name) for name in ("relu", "sigmoid", "linear", "mish")]
    stack = [
        layers.Dense(3, "tanh"),
        layers.Flatten(),
        *(make() for make in HIDDEN),
        *kinds,
        layers.Reshape((2, -1)),
        layers.Dense(4, "relu"),
    ]
    stack += [layers.Flatten(), layers.GaussianNoise(0.3), layers.Identity(), layers.LeakyReLU(0.2), layers.ELU()]
    model = net(*stack, layers.Dense(3, "softmax"), shape=(4, 3))
    assert has_rules(model.network)
    found = backprop(model, pictures, CLASSES)
    assert found.by == "chain rule"
    close(each_weight(found), -flat(gradients_by_jax(model, pictures, CLASSES)), 1e-8)


def test_rows_with_an_axis_more():
    model, y = net(layers.Dense(3, "softmax"), shape=(4, 6)), RNG.integers(0, 3, (7, 4))
    x = RNG.normal(size=(7, 4, 6))
    found = backprop(model, x, y)
    close(found.layer(1).error, (found.layer(1).activation - np.eye(3)[y]) / 4)
    close(each_weight(found), -flat(gradients_by_jax(model, x, y)))
    with pytest.raises(ValueError, match="no Dense layer on flat rows"):
        found.wishes(1, 0)


def test_a_textbook_in_numpy():
    model = net(layers.Dense(5, "sigmoid"), layers.Dense(4, "tanh"), layers.Dense(2), loss="mse")
    y = RNG.normal(size=(7, 2))
    w1, b1, w2, b2, w3, b3 = (one.astype(float) for one in model.get_weights())
    a1 = 1 / (1 + np.exp(-(X @ w1 + b1)))
    a2 = np.tanh(a1 @ w2 + b2)
    d3 = 2 * (a2 @ w3 + b3 - y) / 2
    d2 = d3 @ w3.T * (1 - a2**2)
    d1 = d2 @ w2.T * a1 * (1 - a1)
    found = backprop(model, X, y)
    for number, (z, error) in enumerate([(X @ w1 + b1, d1), (a1 @ w2 + b2, d2), (a2 @ w3 + b3, d3)], start=1):
        close(found.layer(number).z, z)
        close(found.layer(number).error, error)
        close(found.layer(number).bias_wish, -error)
    close(found.asked_of(0), -(d1 @ w1.T).mean(axis=0))
    wishes = found.wishes(2, 3, example=4)
    close(wishes.weights, -d2[4, 3] * a1[4])
    close(wishes.earlier, -d2[4, 3] * w2[:, 3])
    assert wishes.bias == pytest.approx(-d2[4, 3]) and wishes.activation == pytest.approx(a2[4, 3])
    average = found.wishes(2, 3)
    close(average.weights, -(d2[:, 3, None] * a1).mean(axis=0))
    close(average.earlier, -(d2[:, 3, None] * w2[:, 3]).mean(axis=0))


def test_softmax_and_its_crossentropy_give_a_minus_y_until_the_loss_clips():
    model = net(layers.Dense(3, "softmax"), shape=(1,))
    model.set_weights([np.array([[1.0, 0.0, -2.0]]), np.zeros(3)])
    x = np.array([[0.0], [1.0], [5.0], [-30.0], [1e4]])
    y = np.array([0, 2, 2, 1, 2])
    found = backprop(model, x, y).layer(1)
    close(found.error[:3], (found.activation - np.eye(3)[y])[:3], 1e-14)
    assert 1e-7 < found.activation[2, 2] < 1e-6
    assert not found.error[3:].any()  # below 1e-7 nothing flows, as in training
    before = model.get_weights()
    model.train_on_batch(x[3:], y[3:])
    assert all((one == two).all() for one, two in zip(before, model.get_weights(), strict=True))


def test_the_average_of_the_wishes_is_the_step_of_gradient_descent():
    model = course(seed=3)
    before = np.concatenate([w.ravel() for w in model.get_weights()])
    found = backprop(model, X, CLASSES)
    model.train_on_batch(X, CLASSES)  # learning rate 1
    after = np.concatenate([w.ravel() for w in model.get_weights()])
    np.testing.assert_allclose(found.table(weights=range(found.table().total)).average, after - before, atol=2e-6)


def test_wishes_are_summed_into_what_the_layer_before_is_asked_for():
    found = backprop(course(), X, CLASSES)
    for example in (None, 2):
        total = sum(found.wishes(3, j, example).earlier for j in range(3))
        close(found.asked_of(2, example), total)
    layer = found.layer(3)
    close(layer.asks, -layer.error @ layer.kernel.T)
    close(layer.asks, found.layer(2).asked)


def test_penalties_sample_and_loss_weights_are_told_apart():
    plain, heavy = net(layers.Dense(3, "softmax")), net(layers.Dense(3, "softmax", kernel_regularizer="l2"))
    close(each_weight(backprop(plain, X, CLASSES)), each_weight(backprop(heavy, X, CLASSES)))
    heavy.compile("sgd", "sparse_categorical_crossentropy", loss_weights=2.5)
    for by in (None, AD):
        close(each_weight(backprop(heavy, X, CLASSES, by=by)), 2.5 * each_weight(backprop(plain, X, CLASSES)))


# -- other nets ---------------------------------------------------------------------------------


def test_a_graph_is_left_to_automatic_differentiation():
    x = thalweg.Input((6,))
    shared = layers.Dense(6, "tanh", name="shared")
    joined = layers.Add()([shared(x), layers.LayerNormalization()(shared(shared(x)))])
    model = thalweg.Model(x, layers.Dense(3, "softmax")(layers.Concatenate()([joined, x])))
    model.compile("sgd", "sparse_categorical_crossentropy")
    found = backprop(model, X, CLASSES)
    assert found.by == AD and "automatic differentiation" in str(found)
    close(each_weight(found), -flat(gradients_by_jax(model, X, CLASSES)), 1e-8)
    last = found.layer(found.layers[-1].name)
    close(last.error, last.activation - np.eye(3)[CLASSES], 1e-8)
    assert "shared (2)" in {one.name for one in found.layers}
    with pytest.raises(ValueError, match="chain rule is written out for chains"):
        backprop(model, X, CLASSES, by="chain rule")
    with pytest.raises(ValueError, match="no Dense layer on flat rows"):
        found.wishes("layer_normalization", 0)


def test_convolutions():
    pixels = RNG.normal(size=(7, 8, 8, 1))
    stack = [
        layers.Conv2D(2, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(3, "softmax"),
    ]
    model = net(*stack, shape=(8, 8, 1))
    found = backprop(model, pixels, CLASSES)
    first = found.layer(1)
    assert found.by == AD and (first.kind, first.z.shape) == ("Conv2D", (7, 6, 6, 2))
    close(first.activation, np.maximum(first.z, 0))
    close(first.error, -first.asked * (first.z > 0), 1e-8)
    close(each_weight(found), -flat(gradients_by_jax(model, pixels, CLASSES)), 1e-8)
    close(found.wishes(2, 1, 4).earlier, -found.layer(2).error[4, 1] * found.layer(2).kernel[:, 1])
    with pytest.raises(ValueError, match="is no Dense layer on flat rows"):
        found.wishes(1, 0)


def test_several_inputs_and_outputs():
    a, b = thalweg.Input((6,), name="a"), thalweg.Input((2,), name="b")
    joined = layers.Concatenate()([layers.Dense(4, "relu")(a), layers.Dense(4, "tanh")(b)])
    model = thalweg.Model([a, b], [layers.Dense(1)(joined), layers.Dense(3, "softmax")(joined)])
    model.compile("sgd", ["mse", "sparse_categorical_crossentropy"], loss_weights=[1.0, 0.5])
    found = backprop(model, [X, X[:, :2]], [X[:, 0], CLASSES])
    out, share = found.layer(3), found.layer(4)
    close(out.error[:, 0], 2 * (out.activation[:, 0] - X[:, 0]))
    close(share.error, 0.5 * (share.activation - np.eye(3)[CLASSES]))
    close(found.layer("concatenate").asked, out.asks + share.asks)


def test_a_layer_of_somebody_s_own_and_a_loss_of_one_number():
    class Squared(layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight(shape=input_shape[1:], initializer="ones", name="factor")

        def call(self, x):
            return self.factor * x**2

    model = net(Squared(), layers.Dense(1), loss=lambda y, p: jnp.mean((y - p) ** 4))
    y = RNG.normal(size=7)
    found = backprop(model, X, y)
    out = found.layer(1).activation[:, 0]
    assert found.by == AD
    close(found.losses, (y - out) ** 4)
    close(found.layer(1).error[:, 0], 4 * (out - y) ** 3)
    close(each_weight(found)[:, :6], found.layer(1).asks * X**2)


def test_frozen_layers_and_ignored_classes():
    model = course()
    model.layers[0].trainable = False
    found = backprop(model, X, CLASSES)
    assert found.table().total == 5 * 4 + 4 + 4 * 3 + 3 and found.wishes(1, 0).weights.any()
    model = net(layers.Dense(3, "softmax"), loss=losses.SparseCategoricalCrossentropy(ignore_class=1))
    error = backprop(model, X, CLASSES).layer(1).error
    assert not error[CLASSES == 1].any() and error[CLASSES != 1].all()


# -- pulls ----------------------------------------------------------------------------------------


def test_pulls_are_those_of_the_gradients_multiplied_out():
    model = course(seed=1)
    g = flat(gradients_by_jax(model, X, CLASSES))
    pulls = backprop(model, X, CLASSES).pulls()
    norms, mean = np.linalg.norm(g, axis=1), g.mean(axis=0)
    close(pulls.norms, norms)
    close(pulls.agreement, g @ mean / norms / np.linalg.norm(mean))
    assert pulls.mean_norm == pytest.approx(np.linalg.norm(mean))
    assert pulls.cancelled == pytest.approx(1 - np.linalg.norm(mean) / norms.mean())
    products = g @ g.T
    least = min((products[i, j], i, j) for i in range(7) for j in range(i))
    assert {pulls.pairs[0].one, pulls.pairs[0].other} == {least[1], least[2]}
    assert pulls.pairs[0].product == pytest.approx(least[0])


@settings(max_examples=10, deadline=None, derandomize=True, database=None)
@given(st.lists(st.floats(-50, 50), min_size=7, max_size=7))
def test_what_cancels_lies_between_nothing_and_all(y):
    model = net(layers.Dense(1), loss="mse", shape=(1,))
    pulls = backprop(model, X[:, :1], np.array(y)).pulls()
    assert 0 <= pulls.cancelled <= 1 and (np.abs(pulls.agreement) <= 1).all() and (pulls.norms >= 0).all()
    assert all(one.product < 0 and -1 <= one.cosine < 0 for one in pulls.pairs)
    assert str(pulls).startswith("Pulls of 7 examples")


def test_opposite_examples_cancel_and_equal_ones_do_not():
    model = net(layers.Dense(1), loss="mse", shape=(1,))
    model.set_weights([np.zeros((1, 1)), np.zeros(1)])
    opposite = backprop(model, np.ones((2, 1)), np.array([1.0, -1.0])).pulls()
    assert opposite.cancelled == 1 and opposite.mean_norm == 0 and not opposite.agreement.any()
    assert opposite.pairs[0][:3] == (0, 1, pytest.approx(-1))
    equal = backprop(model, np.ones((2, 1)), np.array([1.0, 1.0])).pulls()
    assert equal.cancelled == pytest.approx(0, abs=1e-12) and not equal.pairs
    close(equal.agreement, 1.0)


# -- the table, the page, the record ----------------------------------------------------------------


def test_the_table_of_the_course():
    found = backprop(course(), X, CLASSES)
    table = found.table(layer=2, weights=[0, 6, 20], examples=[5, 1])
    assert table.names == ("dense_1 kernel[0, 0]", "dense_1 kernel[1, 2]", "dense_1 bias[0]")
    close(table.wishes[1], found.wishes(2, 2, 5).weights[1:2].tolist() + found.wishes(2, 2, 1).weights[1:2].tolist())
    assert table.average[2] == pytest.approx(found.wishes(2, 0).bias)
    page = str(found.table())
    assert "average of 7" in page and "8 of 74 weights" in page
    for wrong in ({"weights": [74]}, {"weights": [-1]}, {"examples": [7]}, {"weights": [True]}):
        with pytest.raises(ValueError, match="must be a whole number from 0 to"):
            found.table(**wrong)


def test_one_example_and_what_is_printed_and_kept():
    model = course()
    found = backprop(model, X[2], CLASSES[2])
    assert len(found.losses) == 1
    close(found.layer(2).error[0], backprop(model, X, CLASSES).layer(2).error[2])
    record = json.loads(json.dumps(found.record()))
    assert record["layers"][2]["kernel"] == found.layer(2).kernel.tolist()
    for one in (found.wishes(1, 2), found.table(), found.pulls()):
        assert json.loads(json.dumps(one.record()))
    assert "one example" in str(found) and "2 dense_1 (Dense)" in str(found)
    said = str(found.wishes(1, 2, 0))
    assert "Neuron 2 of layer 1 (dense), example 0" in said and "wish for w_i" in said and "bias" in said


def test_a_neuron_of_whom_nothing_is_asked_says_just_that():
    model = net(layers.Dense(2, "relu"), layers.Dense(3, "softmax"))
    kernel, bias, *rest = model.get_weights()
    model.set_weights([kernel, bias - 1e6, *rest])
    found = backprop(model, X, CLASSES)
    assert str(found.wishes(1, 0)).splitlines()[1:] == [
        "Nothing is asked of it: dL/dz is 0, as its activation is flat below 0."
    ]
    one = found.table(weights=3, examples=0)
    assert one.numbers == (3,) and one.examples == (0,) and "-0 " not in str(one)


def test_vanishing_errors_are_told():
    deep = net(*(layers.Dense(6, "sigmoid") for _ in range(8)), layers.Dense(3, "softmax"))
    deep.set_weights([0.3 * one for one in deep.get_weights()])
    assert "vanish" in backprop(deep, X, CLASSES).answer


def test_a_second_call_compiles_nothing():
    model = course()
    backprop(model, X, CLASSES).pulls()
    before = sum(one.traces for one in programs())
    model.set_weights([2 * one for one in model.get_weights()])
    backprop(model, X + 1, CLASSES).pulls()
    backprop(course(seed=9), X, CLASSES)
    assert sum(one.traces for one in programs()) == before


# -- what cannot be looked at -------------------------------------------------------------------------


def test_mistakes_are_named():
    model, bare = course(), thalweg.Sequential([thalweg.Input((6,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="call model.compile"):
        backprop(bare, X, CLASSES)
    with pytest.raises(ValueError, match="by must be"):
        backprop(model, X, CLASSES, by="magic")
    with pytest.raises(DataError, match="expects rows of shape"):
        backprop(model, X[:, :5], CLASSES)
    with pytest.raises(DataError):
        backprop(model, np.where(X > 1, np.nan, X), CLASSES)
    found = backprop(model, X, CLASSES)
    for call in (lambda: found.layer(4), lambda: found.layer(-1), lambda: found.layer(True), lambda: found.layer(1.5)):
        with pytest.raises(ValueError, match="layer must be a name, or a number from 0 to 3"):
            call()
    with pytest.raises(ValueError, match="Did you mean 'dense_2'"):
        found.layer("dense_22")
    with pytest.raises(ValueError, match="neuron must be a whole number from 0 to 3"):
        found.wishes(2, 4)
    with pytest.raises(ValueError, match="go together"):
        found.plot(layer=2)
    with pytest.raises(ValueError, match="example must be a whole number from 0 to 6"):
        found.wishes(2, 0, example=7)
    with pytest.raises(ValueError, match="too many to hold. Look at 1,118,481 rows at most"):
        backprop(
            net(layers.Dense(2), loss="mse", shape=(58,)),
            np.zeros((1_200_000, 58), "float16"),
            np.zeros((1_200_000, 2)),
        )
    with pytest.raises(ValueError, match="Look at 13 rows at most"):
        wide = net(layers.Embedding(1000, 10000), layers.Flatten(), layers.Dense(1), loss="mse", shape=(1,))
        backprop(wide, np.zeros((20, 1)), np.zeros(20)).pulls()


def test_unbuilt_models_huge_values_and_lost_weights():
    unbuilt = thalweg.Sequential([layers.Dense(4, "relu"), layers.Dense(3, "softmax")])
    unbuilt.compile("sgd", "sparse_categorical_crossentropy")
    assert len(backprop(unbuilt, X, CLASSES).layers) == 3
    huge = backprop(course(), 1e30 * np.sign(X), CLASSES)
    assert all(np.isfinite(one.error).all() for one in huge.layers[1:])
    lost = course()
    lost.set_weights([np.full_like(one, np.nan) for one in lost.get_weights()])
    found = backprop(lost, X, CLASSES)
    assert "not finite" in str(found) and str(found.pulls()) and str(found.wishes(1, 0)) and str(found.table())


# -- pictures -------------------------------------------------------------------------------------------


def test_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    pixels = RNG.random((3, 28, 28))
    model = net(layers.Flatten(), layers.Dense(20, "relu"), layers.Dense(3, "softmax"), shape=(28, 28))
    found = backprop(model, pixels, CLASSES[:3])
    assert found.picture == (28, 28, 1)
    figure = found.plot(tmp_path / "net.png", example=1)
    words = [one.get_text() for one in figure.axes[-1].texts]
    assert any("772 more" in one for one in words) and any("8 more" in one for one in words)
    last = int(np.abs(found.layer(1).activation[1]).argmin())  # who would not be drawn
    rings = [one for one in found.plot(example=1, layer=1, neuron=last).axes[-1].patches if one.get_label() == "marked"]
    assert "example 1 of 3" in figure.axes[-1].get_title() and "inputs" in words
    conv = net(layers.Conv2D(16, 3, strides=7), layers.Flatten(), layers.Dense(3, "softmax"), shape=(16, 16, 1))
    told = backprop(conv, pixels[:, :16, :16, None], CLASSES[:3]).plot()  # 2 x 2 x 16 numbers are no pixels
    assert "before dense" in " ".join(one.get_text() for one in told.axes[-1].texts)
    assert len(rings) == 1 and rings[0].center[0] == pytest.approx(3.2)
    assert len(figure.axes) == 2 and (tmp_path / "net.png").stat().st_size > 5000
    assert len(found.wishes(1, 2, 0).plot().axes) == 4 and len(found.wishes(2, 2).plot().axes) == 1
    assert found.table().plot() and found.pulls().plot()._repr_png_()
    model.set_weights([np.full_like(one, np.nan) for one in model.get_weights()])
    lost = backprop(model, pixels, CLASSES[:3])
    assert lost.plot(tmp_path / "lost.png") and lost.wishes(1, 0).plot(tmp_path / "lost.png")
    with pytest.raises(ValueError, match="has none"):
        backprop(net(layers.Rescaling(2.0), loss="mse"), X, X).plot()
