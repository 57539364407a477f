"""Races of optimizers: against their updates written out, known minima, and the net's own loss on its plane."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import thalweg
from thalweg import layers, optimizers
from thalweg.diagnosis import Trajectory, loss_surface, race
from thalweg.diagnosis.landscape._courses import CLASSICS
from thalweg.diagnosis.landscape._race import NAMES
from thalweg.engine import compiled as programs

RNG = np.random.default_rng(2)
X = RNG.normal(size=(60, 3))
Y = X @ RNG.normal(size=(3, 1))
MINIMA = {
    "ravine": [(0, 0)],
    "saddle": [(0, 1), (0, -1)],
    "rosenbrock": [(1, 1)],
    "beale": [(3, 0.5)],
    "plateau": [(0, 0)],
}


def slope(x, y):
    """Of the ravine."""
    return np.array([0.1 * x, 5 * y])


def by_hand(kind, rates, steps, start):
    """Ways down the ravine, as the papers have them (Adam's epsilon as in Keras)."""
    p, m, v = np.array(start, float), np.zeros(2), np.zeros(2)
    way = [p]
    for t in range(steps):
        g, rate = slope(*p), rates(t)
        if kind == "plain":
            p = p - rate * g
        elif kind == "momentum":
            m = 0.9 * m - rate * g
            p = p + m
        elif kind == "nesterov":
            m = 0.9 * m - rate * g
            p = p + 0.9 * m - rate * g
        elif kind == "adam":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            p = p - rate * np.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1)) * m / (np.sqrt(v) + 1e-7)
        way.append(p)
    return np.array(way)


def test_ways_are_those_of_the_papers():
    racers = {
        "plain": optimizers.SGD(0.1),
        "momentum": optimizers.SGD(0.05, momentum=0.9),
        "nesterov": optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "adam": optimizers.Adam(0.3),
    }
    found = race(racers, "ravine", steps=60, start=(-3, 1))
    for i, (kind, one) in enumerate(racers.items()):
        assert np.allclose(found.paths[i], by_hand(kind, lambda t, r=one.learning_rate: r, 60, (-3, 1)), atol=1e-6)
    assert np.allclose(found.losses, 0.05 * found.paths[..., 0] ** 2 + 2.5 * found.paths[..., 1] ** 2)
    assert found.names == tuple(racers) and found.rates == (0.1, 0.05, 0.05, 0.3)


def test_rates_fall_where_the_name_says_so():
    found = race(["gradient descent + decay"], "ravine", steps=40)
    rates = CLASSICS["ravine"].rates.plain
    way = by_hand("plain", lambda t: rates / (1 + 4 * t / 40), 40, CLASSICS["ravine"].start)
    assert np.allclose(found.paths[0], way, atol=1e-9)


def test_a_rate_beyond_two_over_the_curvature_diverges():
    found = race({"stable": optimizers.SGD(0.399), "unstable": optimizers.SGD(0.401)}, "ravine", steps=20_000)
    assert found.diverged == (False, True)
    assert found.arrived[0] is not None and found.ranking == [0, 1]
    assert "diverged" in str(found)
    json.dumps(found.record(), allow_nan=False)
    found.plot()


@pytest.mark.parametrize("name", CLASSICS)
def test_the_classics(name):
    one = CLASSICS[name]
    for x, y in MINIMA[name]:
        assert float(one.function(x, y)) == pytest.approx(0, abs=1e-12)
    around = RNG.uniform(one.box[::2], one.box[1::2], size=(500, 2)).T
    assert np.min(np.asarray(one.function(*around))) >= 0
    found = race(surface=name)
    assert found.names == NAMES and not any(found.diverged)
    assert sum(step is not None for step in found.arrived) >= 5
    for i, step in enumerate(found.arrived):
        if step is not None:
            assert found.losses[i, step] <= found.goal < found.losses[i, :step].min()
    steps = [found.arrived[i] for i in found.ranking if found.arrived[i] is not None]
    assert steps == sorted(steps)
    x0, x1, y0, y1 = one.box
    assert x0 < one.start[0] < x1 and y0 < one.start[1] < y1
    assert found.map[2].shape == (121, 121)


def test_functions_and_racers_of_ones_own():
    def bowl(x, y):
        return (x - 2) ** 2 + 3 * (y + 1) ** 2 + 5

    found = race([optimizers.Adam(0.2), optimizers.Adam(0.1), "momentum"], bowl, steps=400, box=(-1, 4, -3, 2))
    assert found.names == ("Adam", "Adam'", "momentum") and found.surface == "bowl"
    assert np.allclose(found.paths[:, -1], (2, -1), atol=0.05) and found.minimum == pytest.approx(5, abs=1e-3)
    assert found.map[0][[0, -1]].tolist() == [-1, 4]
    assert all(step is not None for step in found.arrived)
    holed = race(["gradient descent"], lambda x, y: jnp.log(x) ** 2 + y**2, start=(3.0, 1.0))
    assert np.isnan(holed.map[2]).any()
    holed.plot()


def test_names_as_a_net_is_compiled_with():
    found = race(["adam", "sgd", "nesterov + decay"], steps=30)
    named = race(["Adam", "gradient descent", "Nesterov + decay"], steps=30)
    assert found.names == ("adam", "sgd", "nesterov + decay") and found.rates == named.rates
    np.testing.assert_array_equal(found.paths, named.paths)
    np.testing.assert_array_equal(race({"a": "adam"}, steps=30).paths[0], found.paths[0])


def test_on_a_slope_without_curves_no_step_is_wider_than_the_map():
    found = race(["sgd"], lambda x, y: x + y, steps=5)
    assert np.ptp(found.map[0]) >= np.abs(np.diff(found.paths[0], axis=0)).max() > 0.5


@pytest.mark.parametrize("steps", [1, 19, 20, 47])
def test_a_race_in_stretches_is_one_race(steps):
    found, longer = race(["Adam"], steps=steps), race(["Adam"], steps=100)
    assert found.paths.shape == (1, steps + 1, 2) and found.losses.shape == (1, steps + 1)
    np.testing.assert_allclose(found.paths, longer.paths[:, : steps + 1], rtol=1e-12)


def test_the_picture_follows_who_arrives_and_leaves_who_does_not():
    pytest.importorskip("matplotlib")
    lost = {"calm": "sgd", "lost": optimizers.SGD(5.0)}
    field = race(lost, steps=60, box=(-3, 3, -2, 2), start=(-2.5, 1)).plot().axes[0]
    calm, astray = (one.get_ydata() for one in field.lines if len(one.get_ydata()) == 61)
    assert field.get_xlim() == pytest.approx((-3, 3)) and np.isfinite(calm).all() and np.isnan(astray[-1])
    far = race(["momentum"], lambda x, y: x**2 + y**2, start=(1, 1), box=(0.9, 1.2, 0.9, 1.2)).plot().axes[0]
    assert far.get_xlim()[0] == pytest.approx(0.6)


def test_the_map_of_a_function_reaches_as_far_as_the_ways():
    found = race(None, lambda x, y: (x - 1) ** 2 + 10 * (y + 2) ** 2)
    x, y, heights = found.map
    i, j = np.unravel_index(heights.argmin(), heights.shape)
    assert (x[j], y[i]) == pytest.approx((1, -2), abs=0.1) and y[0] < -3 < y[-1]
    kept = race(None, lambda x, y: (x - 1) ** 2 + 10 * (y + 2) ** 2, box=(0, 2, 0, 2))
    assert tuple(kept.map[1][[0, -1]]) == (0, 2)


def test_an_optimizer_is_left_as_it_was():
    given = optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 30))
    first, second = (race({"a": given}, "ravine", steps=30) for _ in range(2))
    assert np.array_equal(first.paths, second.paths) and given.iterations == 0


def test_other_rates_use_the_program_again():
    race([optimizers.SGD(0.1)], "beale", steps=11)
    known = sum(one.traces for one in programs())
    race([optimizers.SGD(0.2)], "beale", steps=11, start=(0, 0))
    assert sum(one.traces for one in programs()) == known


def net():
    model = thalweg.Sequential([thalweg.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(1)])
    model.compile(optimizers.SGD(0.05), "mse")
    return model


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_on_a_nets_plane_the_loss_is_the_nets(precision):
    model = net()
    model.fit(X, Y, epochs=20, verbose=0, seed=0, callbacks=[way := Trajectory("10 steps")])
    surface = loss_surface(model, X, Y, "trajectory", size=9, path=way, batch_size=16, precision=precision, verbose=0)
    found = race(["gradient descent", "Adam"], surface, steps=30)
    assert np.allclose(found.paths[0, 0], surface.path[0], atol=1e-5)
    for place in (0, 7, 30):
        flat = surface.terrain.weights + found.paths[0, place] @ surface.plane
        model.set_weights(surface.terrain.shaped(flat))
        assert found.losses[0, place] == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-4)
    near = [surface.terrain.loss(surface.terrain.weights + (found.paths[0, 0] + step) @ surface.plane)
            for step in ((1e-2, 0), (-1e-2, 0), (0, 1e-2), (0, -1e-2))]  # fmt: skip
    slopes = np.array([near[0] - near[1], near[2] - near[3]]) / 2e-2
    moved = (found.paths[0, 0] - found.paths[0, 1]) / found.rates[0]
    assert np.allclose(moved, slopes, rtol=2e-2, atol=1e-3)
    assert found.losses[0, -1] < found.losses[0, 0] and "trajectory plane" in str(found)
    found.plot()


def test_on_other_planes_a_race_begins_near_a_corner():
    surface = loss_surface(net(), X, Y, size=5, verbose=0)
    found = race(["Adam"], surface, steps=3)
    assert np.allclose(np.abs(found.paths[0, 0]), 0.9)


def test_pictures_that_move(tmp_path):
    found = race(["gradient descent", "Adam + decay"], "saddle", steps=40)
    path = found.animate(tmp_path / "race.gif", frames=12)
    with Image.open(path) as picture:
        assert picture.format == "GIF" and picture.n_frames >= 12
    assert path.stat().st_size < 3e6
    assert found.plot(tmp_path / "race.png")._repr_png_()[:4] == b"\x89PNG"
    json.dumps(found.record(), allow_nan=False)
    with pytest.raises(ValueError, match="gif"):
        found.animate(tmp_path / "race.mp4")
    with pytest.raises(ValueError, match="frames"):
        found.animate(tmp_path / "race.gif", frames=1)


MISTAKES = [
    ({"optimizers": ["Adm"]}, ValueError, "Adam"),
    ({"optimizers": []}, ValueError, "optimizers"),
    ({"optimizers": "Adam"}, ValueError, "list"),
    ({"surface": "ravin"}, ValueError, "ravine"),
    ({"surface": 3}, TypeError, "LossSurface"),
    ({"steps": 0}, ValueError, "steps"),
    ({"start": (1, 2, 3)}, ValueError, "start"),
    ({"start": (np.nan, 0)}, ValueError, "start"),
    ({"surface": lambda x, y: jnp.log(x), "start": (-1, 0), "steps": 2}, ValueError, "start"),
    ({"surface": lambda x, y: jnp.sqrt(-1 - x * x), "steps": 2}, ValueError, "box"),
    ({"box": (1, 0, 0, 1)}, ValueError, "box"),
    ({"box": (0, 1)}, ValueError, "box"),
    ({"surface": lambda x, y: np.sin(x)}, TypeError, "jax.numpy"),
    ({"surface": lambda x, y: x if x > 0 else -x}, TypeError, "jnp.where"),
    ({"surface": lambda x, y: jnp.stack([x, y])}, TypeError, "one number"),
    ({"surface": lambda x, y: 7.0 + 0 * x}, ValueError, "flat"),
]


@pytest.mark.parametrize(("given", "kind", "said"), MISTAKES)
def test_mistakes_are_named(given, kind, said):
    with pytest.raises(kind, match=said):
        race(**given)
