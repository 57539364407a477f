"""Nets side by side: against published costs, XLA's own count, McNemar's test by its formula."""

import json
import math

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

import thalweg
from thalweg import layers
from thalweg.data import DataError
from thalweg.diagnosis import compare, multiply_adds, probe
from thalweg.diagnosis.probing._compare import mcnemar
from thalweg.layers import Conv2D, Dense, DepthwiseConv2D, Flatten, MaxPooling2D, SeparableConv2D

D8 = thalweg.datasets.load("digits8")
X, Y, XT, YT = D8.x / 16.0, D8.y, D8.x_test / 16.0, D8.y_test


def of(shape, *stack):
    return thalweg.Sequential([thalweg.Input(shape), *stack])


def compiled(shape, *stack):
    model = of(shape, *stack, Dense(10, "softmax"))
    model.compile(thalweg.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model


def mlp():
    return compiled((64,), Dense(32, "relu"))


def cnn():
    return compiled((8, 8, 1), Conv2D(8, 3, activation="relu"), MaxPooling2D(2), Flatten())


# -- costs ----------------------------------------------------------------------------------------


def alexnet():
    """Krizhevsky et al. 2012, with its groups."""
    return of(
        (227, 227, 3), Conv2D(96, 11, 4), MaxPooling2D(3, 2), Conv2D(256, 5, padding="same", groups=2), MaxPooling2D(3, 2),
        Conv2D(384, 3, padding="same"), Conv2D(384, 3, padding="same", groups=2), Conv2D(256, 3, padding="same", groups=2),
        MaxPooling2D(3, 2), Flatten(), Dense(4096), Dense(4096), Dense(1000),
    )  # fmt: skip


def vgg16():
    """Simonyan & Zisserman 2015."""
    stack = []
    for count, filters in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]:
        stack += [*(Conv2D(filters, 3, padding="same") for _ in range(count)), MaxPooling2D(2)]
    return of((224, 224, 3), *stack, Flatten(), Dense(4096), Dense(4096), Dense(1000))


def mobilenet():
    """Howard et al. 2017."""
    stack = [Conv2D(32, 3, 2, padding="same", use_bias=False)]
    steps = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024)]
    for stride, filters in steps:
        stack += [DepthwiseConv2D(3, stride, padding="same"), Conv2D(filters, 1)]
    return of((224, 224, 3), *stack, layers.GlobalAveragePooling2D(), Dense(1000))


@pytest.mark.parametrize(
    ("build", "published"), [(alexnet, 724_406_816), (vgg16, 15_470_264_320), (mobilenet, 568_740_352)]
)
def test_costs_are_the_published_ones(build, published):
    assert multiply_adds(build()) == published


def test_a_separable_convolution_is_its_two_parts():
    whole = of((9, 8, 4), SeparableConv2D(6, 3, depth_multiplier=2))
    parts = of((9, 8, 4), DepthwiseConv2D(3, depth_multiplier=2), Conv2D(6, 1))
    assert multiply_adds(whole) == multiply_adds(parts) == 7 * 6 * (9 * 8 + 8 * 6)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3))
def test_costs_are_half_of_what_xla_counts(size, stride, groups, channels, filters):
    """Of XLA's own operations, without padding, whose zeros it leaves out."""
    fed, made = groups * channels, groups * filters
    model = of((8, 7, fed), Conv2D(made, size, stride, groups=groups), Flatten(), Dense(5))

    def run(x, kernel, last):
        order = ("NHWC", "HWIO", "NHWC")
        z = lax.conv_general_dilated(
            x, kernel, (stride,) * 2, "VALID", dimension_numbers=order, feature_group_count=groups
        )
        return z.reshape(1, -1) @ last

    kernel, _, last, _ = (np.ones(one.shape, np.float32) for one in model.weights)
    counted = jax.jit(run).lower(np.ones((1, 8, 7, fed), np.float32), kernel, last).cost_analysis()["flops"]
    assert 2 * multiply_adds(model) == counted


def test_layers_that_are_called_twice_count_twice_and_steps_count_each():
    x = thalweg.Input((6,))
    twice = Dense(6)
    assert multiply_adds(thalweg.Model(x, twice(twice(x)))) == 72
    assert multiply_adds(of((11, 3), Dense(5))) == 11 * 15
    assert multiply_adds(of((3,), layers.BatchNormalization(), layers.Dropout(0.5))) == 0
    frozen = of((3,), Dense(4))
    frozen.trainable = False
    assert multiply_adds(frozen) == 12
    with pytest.raises(ValueError, match="not built"):
        multiply_adds(thalweg.Sequential([Dense(3)]))


# -- side by side ---------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 50))
def test_mcnemar_is_a_fair_coin(mine, theirs, alike):
    right = np.array([1] * mine + [0] * theirs + [1] * alike, bool)
    others = np.array([0] * mine + [1] * theirs + [1] * alike, bool)
    n, least = mine + theirs, min(mine, theirs)
    tail = sum(math.comb(n, i) for i in range(least + 1)) / 2**n
    assert mcnemar(right, others) == pytest.approx(min(1.0, 2 * tail if mine != theirs else 1.0))


@pytest.fixture(scope="module")
def found():
    nets = {"mlp": mlp(), "cnn": cnn()}
    return compare(nets, (XT, YT), (X, Y), epochs=8, retrain=True, seconds={"mlp": 12.5}, verbose=0)


def test_what_stands_side_by_side(found):
    first, other = found.contenders
    assert (first.name, other.name) == ("mlp", "cnn") and found["cnn"] is other
    assert first.parameters == 64 * 32 + 32 + 330 and other.parameters == 80 + 72 * 10 + 10
    assert first.multiply_adds == 64 * 32 + 320 and other.multiply_adds == 36 * 72 + 720
    assert first.seconds == 12.5 and 0 < other.seconds < 60
    assert first.difference is None and first.p_value is None
    a, b = first.probe.right, other.probe.right
    assert other.difference.value == pytest.approx(b.mean() - a.mean())
    assert other.difference.low <= other.difference.value <= other.difference.high
    assert other.p_value == mcnemar(a, b)
    assert other.accuracy == other.probe.accuracy and other.accuracy.value > 0.8
    assert found.epochs == 8 and found.trained == len(X)
    assert first.probe.shuffling is not None and first.probe.neighbours.trained == len(X)


def test_nets_see_the_same(found):
    """Also the same noise: a net against itself differs in nothing."""
    model = mlp()
    model.fit(X.reshape(-1, 64), Y, epochs=3, seed=1, verbose=0)
    twins = compare([model, model], (XT, YT), rows=120, verbose=0)
    one, other = twins.contenders
    assert one.name == "sequential" and other.name == "sequential'"
    assert one.probe.record() == other.probe.record() == probe(model, (XT, YT), rows=120, verbose=0).record()
    assert other.difference == (0, 0, 0) and other.p_value == 1
    assert "do not tell" in twins.conclusions()[0]
    assert one.seconds == pytest.approx(sum(model.history.seconds))


def test_it_trains_as_fit_does():
    alone, here = mlp(), mlp()
    alone.fit(X.reshape(-1, 64), Y, epochs=2, seed=3, verbose=0)
    compare([here], (XT, YT), (X, Y), epochs=2, seed=3, rows=30, verbose=0)
    assert all(map(np.array_equal, alone.get_weights(), here.get_weights()))


def test_record_text_and_picture(found, tmp_path):
    told = json.loads(json.dumps(found.record(), allow_nan=False))
    assert [one["name"] for one in told["contenders"]] == ["mlp", "cnn"]
    assert told["contenders"][1]["probe"]["accuracy"]["value"] == found["cnn"].accuracy.value
    text = str(found)
    for words in ("multiply-adds a picture", "against mlp", "p (McNemar)", "pixels shuffled", "What follows"):
        assert words in text
    assert len({len(line.rstrip()) for line in text.split("\n")}) > 1 and max(map(len, text.split("\n"))) < 160
    figure = found.plot(tmp_path / "compare.png")
    assert (tmp_path / "compare.png").stat().st_size > 50_000 and figure._repr_png_()[:4] == b"\x89PNG"
    alone = compare({"one": mlp()}, (XT, YT), rows=20, verbose=0)
    assert "What follows" not in str(alone) and "    -" in str(alone)
    alone.plot()


@pytest.mark.parametrize(
    ("models", "options", "error", "words"),
    [
        ({}, {}, ValueError, "models"),
        (mlp(), {}, ValueError, "models"),
        ([mlp(), "cnn"], {}, TypeError, "model"),
        ([mlp()], {"epochs": 2}, ValueError, "train"),
        ([mlp()], {"epochs": 0, "train": (X, Y)}, ValueError, "epochs"),
        ([mlp()], {"seconds": {"sequential": -1}}, ValueError, "seconds"),
        ([mlp()], {"seconds": {"nobody": 1}}, ValueError, "nobody"),
        ([mlp(), of((49,), Dense(10))], {}, ValueError, "49|loss"),
        ([compiled((49,))], {}, DataError, "49"),
    ],
)
def test_mistakes_are_told(models, options, error, words):
    with pytest.raises(error, match=words):
        compare(models, (XT, YT), rows=10, verbose=0, **options)
