"""Surfaces and lines of losses: against the net evaluated point by point, closed forms, and scikit-learn's decomposition."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD

import thalweg
from thalweg import layers, optimizers, regularizers
from thalweg.diagnosis import Trajectory, hessian, interpolate, loss_surface
from thalweg.engine import compiled as programs

RNG = np.random.default_rng(1)
X = RNG.normal(size=(130, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 2))).astype("float32")
CLASSES = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 0.5)
QUIET = {"verbose": 0}


def compiled(*stack, loss="mse", rate=0.05, metrics=None):
    model = thalweg.Sequential([thalweg.Input((4,)), *stack])
    model.compile(optimizers.SGD(rate), loss, metrics=metrics)
    return model


def whole():
    """A net with a bit of everything."""
    stack = [
        layers.Dense(6, "relu", kernel_regularizer=regularizers.L2(0.01)),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(3, "softmax"),
    ]
    model = compiled(*stack, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, CLASSES, epochs=2, seed=0, **QUIET)
    return model


def moved(model, surface, a, b):
    """A twin with the weights of a place on the plane."""
    flat = surface.terrain.weights + a * surface.plane[0] + b * surface.plane[1]
    twin = model.twin()
    twin.ready(thalweg.data.adapt(X, CLASSES))
    count = len(model.trainable_weights)
    arrays = surface.terrain.shaped(flat)
    twin.hold([one.astype("float32") for one in arrays[:count]], [one.astype("float32") for one in arrays[count:]])
    return twin


# -- surfaces --------------------------------------------------------------------------------------


def test_each_place_is_the_net_evaluated_there():
    model = whole()
    surface = loss_surface(model, X, CLASSES, size=7, span=0.8, batch_size=32, **QUIET)
    assert surface.alphas.tolist() == surface.betas.tolist() == np.linspace(-0.8, 0.8, 7).tolist()
    for i, j in ((0, 0), (3, 3), (1, 5), (6, 2)):
        twin = moved(model, surface, surface.alphas[j], surface.betas[i])
        loss, accuracy = twin.evaluate(X, CLASSES, **QUIET)
        assert surface.losses[i, j] == pytest.approx(loss, rel=1e-5)
        assert surface.errors[i, j] == pytest.approx(1 - accuracy, abs=1e-6)
    assert surface.loss == pytest.approx(surface.losses[3, 3], rel=1e-6)
    bare = loss_surface(model, X, CLASSES, size=3, span=0.8, penalties=False, **QUIET)
    penalty = 0.01 * np.sum(model.get_weights()[0] ** 2)
    assert surface.loss - bare.loss == pytest.approx(penalty, rel=1e-4)


def test_a_quadratic_has_a_quadratic_surface():
    model = compiled(layers.Dense(2))
    surface = loss_surface(model, X, Y, size=5, span=2, precision="float64", **QUIET)
    kernels = [surface.terrain.shaped(one)[0] for one in (surface.terrain.weights, *surface.plane)]
    for i, j in np.ndindex(5, 5):
        kernel = kernels[0] + surface.alphas[j] * kernels[1] + surface.betas[i] * kernels[2]
        assert surface.losses[i, j] == pytest.approx(np.mean((X @ kernel - Y) ** 2), rel=1e-9)
    assert surface.errors is None


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_filters_are_as_long_as_the_nets(seed):
    model = compiled(layers.Dense(5, "relu"), layers.BatchNormalization(), layers.Dense(2))
    model.draw(seed)
    surface = loss_surface(model, X[:4], Y[:4], size=3, seed=seed, **QUIET)
    own = surface.terrain.shaped(surface.terrain.weights)
    for direction in surface.plane:
        for weight, part in zip(own, surface.terrain.shaped(direction), strict=True):
            if weight.ndim == 2:
                assert np.allclose(np.linalg.norm(part, axis=0), np.linalg.norm(weight, axis=0))
            else:
                assert not part.any()


def test_filters_of_images():
    model = thalweg.Sequential([thalweg.Input((5, 5, 2)), layers.Flatten(), layers.Dense(3)])
    model.compile("sgd", "mse")
    x = RNG.normal(size=(6, 5, 5, 2))
    assert loss_surface(model, x, RNG.normal(size=(6, 3)), size=3, **QUIET).losses.shape == (3, 3)


def test_rescaled_layers_look_alike():
    model = compiled(layers.Dense(6, "relu", use_bias=False), layers.Dense(2, use_bias=False))
    first = loss_surface(model, X, Y, size=5, **QUIET)
    one, two = model.get_weights()
    model.set_weights([8 * one, two / 8])
    assert np.allclose(loss_surface(model, X, Y, size=5, **QUIET).losses, first.losses, rtol=1e-4)


def test_the_plane_of_the_largest_eigenvalues():
    model = compiled(layers.Dense(2))
    model.set_weights([np.linalg.lstsq(X, Y, rcond=None)[0], np.zeros(2)])
    found = hessian(model, X, Y, **QUIET)
    surface = loss_surface(model, X, Y, "eigen", size=5, precision="float64", **QUIET)
    for line, value in ((surface.losses[2], -1), (surface.losses[:, 2], -2)):
        assert np.allclose(line - surface.loss, found.eigenvalues[value] * surface.alphas**2 / 2, atol=1e-6)
    lowest = surface.minimum
    assert lowest[:2] == (0, 0)


@pytest.fixture(scope="module")
def fitted():
    model = compiled(layers.Dense(6, "tanh"), layers.Dense(2))
    model.fit(X, Y, epochs=12, seed=0, callbacks=[way := Trajectory()], **QUIET)
    return model, way


def test_the_plane_of_a_way_is_that_of_its_principal_directions(fitted):
    model, way = fitted
    surface = loss_surface(model, X, Y, "trajectory", size=9, path=way, **QUIET)
    flat = np.array([np.concatenate([one.reshape(-1) for one in weights]) for weights in way.weights], np.float64)
    apart = flat - flat[-1]
    parts = TruncatedSVD(2, algorithm="arpack").fit(apart)
    assert np.allclose(np.abs(surface.path), np.abs(parts.transform(apart)), atol=1e-6)
    assert surface.explained == pytest.approx(np.sum(parts.singular_values_**2) / np.sum(apart**2))
    assert surface.explained > 0.9 and surface.steps == tuple(way.steps)
    assert np.allclose(surface.path[-1], 0) and surface.loss == pytest.approx(model.evaluate(X, Y, **QUIET), rel=1e-5)
    for side, places in ((surface.alphas, surface.path[:, 0]), (surface.betas, surface.path[:, 1])):
        assert side[0] < places.min() and side[-1] > places.max()
    same = loss_surface(model, X, Y, "trajectory", size=3, path=way.weights, **QUIET)
    assert np.allclose(same.path, surface.path) and same.steps == tuple(range(13))
    other = loss_surface(model, X, Y, "filter", size=3, path=way, **QUIET)
    assert other.explained < surface.explained and np.allclose(other.path[-1], 0)
    assert surface.shows_path and other.shows_path == (other.explained > 0.05)
    assert ("too little to be drawn" in str(other)) != other.shows_path
    assert ("at the edge" in str(surface)) == surface.at_edge


def test_ways_of_a_plane_lie_in_it():
    model = compiled(layers.Dense(2))
    model.draw(0)
    first = model.get_weights()
    steps = [(0, 0), (1, 0.3), (2, 2), (4, 1)]
    directions = [[RNG.normal(size=one.shape) for one in first] for _ in range(2)]
    way = [[w + a * p + b * q for w, p, q in zip(first, *directions, strict=True)] for a, b in steps]
    model.set_weights(way[-1])
    surface = loss_surface(model, X, Y, "trajectory", size=3, path=way, **QUIET)
    assert surface.explained == pytest.approx(1)
    lengths = [np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(one, way[-1], strict=True))) for one in way]
    assert np.allclose(np.linalg.norm(surface.path, axis=1), lengths)


def test_holes_are_kept_and_drawn(tmp_path):
    model = compiled(layers.Dense(2, "exponential"))
    surface = loss_surface(model, X, Y, size=9, span=200, **QUIET)
    assert np.isnan(surface.losses).any() and np.isfinite(surface.losses).any()
    assert "holes" in str(surface)
    json.dumps(surface.record(), allow_nan=False)
    surface.plot(tmp_path / "flat.png")
    surface.plot(tmp_path / "solid.png", kind="3d")
    with pytest.raises(ValueError, match="finite"):
        loss_surface(
            compiled(layers.Dense(2), loss=lambda t, p: jnp.mean(jnp.sqrt(-1 - p**2), -1)), X, Y, size=3, **QUIET
        )


def test_other_nets_and_sizes_use_the_program_again():
    model = compiled(layers.Dense(7, "tanh"), layers.Dense(2))
    loss_surface(model, X, Y, size=3, **QUIET)
    twin = model.twin()
    twin.fit(X, Y, epochs=1, **QUIET)
    known = sum(one.traces for one in programs())
    loss_surface(model, X, Y, size=11, span=3, seed=3, **QUIET)
    interpolate(model, twin, X[:129], Y[:129])
    assert sum(one.traces for one in programs()) == known


def test_one_row_and_labels():
    model = compiled(layers.Dense(2, "sigmoid"), loss="binary_crossentropy")
    surface = loss_surface(model, X[:1], np.array([[0, 1]]), size=3, **QUIET)
    told = model.predict(X[:1])[0] > 0.5
    assert surface.errors[1, 1] == np.mean(told != [False, True])
    single = compiled(layers.Dense(1, "tanh"), loss="hinge")
    surface = loss_surface(single, X, 2 * (X[:, 0] > 0) - 1, size=3, **QUIET)
    assert surface.errors[1, 1] == pytest.approx(np.mean((single.predict(X)[:, 0] > 0) != (X[:, 0] > 0)))


def test_answers_of_sequences_are_not_judged():
    model = thalweg.Sequential([thalweg.Input((5, 4)), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    surface = loss_surface(model, RNG.normal(size=(8, 5, 4)), RNG.integers(0, 3, (8, 5)), size=3, **QUIET)
    assert surface.errors is None and np.isfinite(surface.losses).all()


def test_a_loss_of_the_whole_batch_sees_all_rows():
    def spread(y, p):
        return jnp.var(p - y)

    model = compiled(layers.Dense(2), loss=spread)
    surface = loss_surface(model, X, Y, size=3, batch_size=32, **QUIET)
    assert surface.loss == pytest.approx(np.var(model.predict(X) - Y), rel=1e-5)


def test_pictures_and_pages(fitted, tmp_path):
    model, way = fitted
    surface = loss_surface(model, X, Y, "trajectory", size=9, path=way, **QUIET)
    json.dumps(surface.record(), allow_nan=False)
    for kind in ("contour", "3d"):
        figure = surface.plot(tmp_path / f"{kind}.png", kind=kind)
        assert (tmp_path / f"{kind}.png").stat().st_size > 20_000 and figure._repr_png_()[:4] == b"\x89PNG"
        names = figure.axes[0].get_legend_handles_labels()[1]
        assert names == ["path", "its start", "the net", "lowest"]
    surface.plot(tmp_path / "a folder" / "that is new" / "surface.png")
    assert "81 nets on the principal plane" in str(surface) and "13 points" in str(surface)
    still = compiled(layers.Dense(2), loss=lambda t, p: 0 * jnp.mean(p, -1))
    loss_surface(still, X, Y, size=3, **QUIET).plot(tmp_path / "still.png")


MISTAKES = [
    ({"size": 4}, "odd"),
    ({"size": 1}, "odd"),
    ({"size": 5.0}, "odd"),
    ({"span": 0}, "span"),
    ({"span": np.inf}, "span"),
    ({"directions": "filters"}, "filter"),
    ({"directions": "trajectory"}, "path="),
    ({"directions": "trajectory", "path": "line"}, "line"),
    ({"directions": "trajectory", "path": [[np.zeros(3)]]}, "get_weights"),
    ({"precision": "double"}, "precision"),
]


@pytest.mark.parametrize(("given", "said"), MISTAKES)
def test_mistakes_are_named(given, said):
    model = compiled(layers.Dense(2))
    model.draw(0)
    if given.get("path") == "line":
        given = {**given, "path": [[(1 + k) * one for one in model.get_weights()] for k in range(4)]}
    with pytest.raises(ValueError, match=said):
        loss_surface(model, X, Y, **{**QUIET, **given})
    if "size" not in given:
        return
    with pytest.raises(ValueError, match="kind"):
        loss_surface(model, X, Y, size=3, **QUIET).plot(kind="2d")


# -- lines -------------------------------------------------------------------------------------------


def test_the_ends_of_a_line_are_the_nets():
    one, two = whole(), whole()
    two.fit(X, CLASSES, epochs=3, seed=5, **QUIET)
    found = interpolate(one, two, X, CLASSES, points=5)
    for net, place in ((one, 0), (two, -1)):
        loss, accuracy = net.evaluate(X, CLASSES, **QUIET)
        assert found.losses[place] == pytest.approx(loss, rel=1e-5)
        assert found.errors[place] == pytest.approx(1 - accuracy, abs=1e-6)
    middle = one.twin()
    middle.ready(thalweg.data.adapt(X, CLASSES))
    middle.set_weights([(a + b) / 2 for a, b in zip(one.get_weights(), two.get_weights(), strict=True)])
    assert found.losses[2] == pytest.approx(middle.evaluate(X, CLASSES, **QUIET)[0], rel=1e-5)
    json.dumps(found.record(), allow_nan=False)


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_a_convex_loss_has_no_barrier(seed):
    one, two = (compiled(layers.Dense(3, "softmax"), loss="sparse_categorical_crossentropy") for _ in range(2))
    one.draw(seed)
    two.draw(seed + 1)
    found = interpolate(one, two, X, CLASSES, points=7, precision="float64")
    assert found.barrier < 1e-12


def test_units_in_another_order_are_put_back():
    stack = [layers.Dense(9, "relu"), layers.Dropout(0.1), layers.Dense(8, "tanh"), layers.Dense(3, "softmax")]
    one = compiled(*stack, loss="sparse_categorical_crossentropy")
    one.fit(X, CLASSES, epochs=3, seed=0, **QUIET)
    two = one.twin()
    two.ready(thalweg.data.adapt(X, CLASSES))
    k1, b1, k2, b2, k3, b3 = one.get_weights()
    p, q = RNG.permutation(9), RNG.permutation(8)
    two.set_weights([k1[:, p], b1[p], k2[p][:, q], b2[q], k3[q], b3])
    assert np.allclose(one.predict(X), two.predict(X), atol=1e-6)
    apart, together = (interpolate(one, two, X, CLASSES, align=given) for given in (False, True))
    assert apart.barrier > 1e-3 and apart.distance > 1
    assert together.barrier < 1e-5 and together.distance < 1e-5 and "aligned" in str(together)


def test_aligned_nets_compute_the_same(tmp_path):
    one, two = (compiled(layers.Dense(9, "relu"), layers.Dense(2)) for _ in range(2))
    for seed, net in enumerate((one, two)):
        net.fit(X, Y, epochs=3, seed=seed, **QUIET)
    apart, together = (interpolate(one, two, X, Y, align=given) for given in (False, True))
    assert together.losses[-1] == pytest.approx(apart.losses[-1], rel=1e-5)
    assert together.distance < apart.distance
    assert apart.plot(tmp_path / "line.png")._repr_png_()[:4] == b"\x89PNG"
    assert ("above" in str(apart)) == (apart.barrier > 0)


def test_lines_that_cannot_be_drawn():
    model = compiled(layers.Dense(2))
    with pytest.raises(ValueError, match="structure"):
        interpolate(model, compiled(layers.Dense(2, "tanh")), X, Y)
    with pytest.raises(ValueError, match="structure"):
        interpolate(model, thalweg.Sequential([layers.Dense(2)]), X, Y)
    with pytest.raises(ValueError, match="points"):
        interpolate(model, model, X, Y, points=1)
    with pytest.raises(ValueError, match="batch_normalization"):
        interpolate(whole(), whole(), X, CLASSES, align=True)
    steep = compiled(layers.Dense(2, "exponential"))
    far = steep.twin()
    far.draw(0)
    far.set_weights([np.full((4, 2), 400.0), np.zeros(2)])
    found = interpolate(steep, far, X, Y, points=3)
    json.dumps(found.record(), allow_nan=False)
    assert found.barrier == np.inf and "inf" in str(found)
    found.plot()
