"""The Hessian against calculus, autodiff and the theory of linear nets; what kind of place a net's weights are."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import callbacks, layers, optimizers, regularizers
from thalweg.data import DataError
from thalweg.diagnosis import Trajectory, critical_point, curvature_along, hessian, sharpness
from thalweg.diagnosis.landscape import _curvature, _spectrum
from thalweg.diagnosis.landscape._trajectory import passed_in
from thalweg.engine import compiled as programs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
MAP = RNG.normal(size=(4, 3)) @ np.diag([2.0, 1.0, 0.5])
Y = X @ MAP
CLASSES = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 0.5)
QUIET = {"verbose": 0}


def compiled(*stack, loss="mse", rate=0.05, columns=4):
    model = thalweg.Sequential([thalweg.Input((columns,)), *stack])
    model.compile(optimizers.SGD(rate), loss)
    return model


def linear(*widths, loss="mse"):
    return compiled(*(layers.Dense(width, use_bias=False) for width in widths), loss=loss)


def at(model, *weights):
    model.set_weights(weights)
    return model


def at_origin(model):
    model.draw(0)
    return at(model, *(np.zeros_like(weight) for weight in model.get_weights()))


def curved():
    return compiled(layers.Dense(6, "tanh"), layers.Dense(3, "softmax"), loss="sparse_categorical_crossentropy")


# -- the Hessian ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 7, 90])
def test_a_linear_model_has_two_x_x_over_n(rows):
    model = compiled(layers.Dense(1))
    found = hessian(model, X[:rows], Y[:rows, 0], batch_size=16, count=2, **QUIET)
    columns = np.c_[X[:rows], np.ones(rows)]
    true = np.linalg.eigvalsh(2 * columns.T @ columns / rows)
    assert np.allclose(found.nodes, true, atol=1e-13 * true[-1] * 10)
    assert np.allclose(found.eigenvalues, true[[0, 1, -2, -1]], atol=1e-12) and found.exact
    assert found.residuals.max() < 1e-12 and found.trace.value == pytest.approx(true.sum())
    assert found.index.value == 0 and found.flat == pytest.approx(max(5 - rows, 0) / 5)


def by_autodiff(model):
    """The Hessian of a curved net's loss, written down anew."""
    kernel, bias, kernel2, bias2 = (np.asarray(one, np.float64) for one in model.get_weights())
    shapes = [one.shape for one in (kernel, bias, kernel2, bias2)]
    flat = np.concatenate([one.reshape(-1) for one in (kernel, bias, kernel2, bias2)])

    def loss(vector):
        parts, start = [], 0
        for shape in shapes:
            size = int(np.prod(shape))
            parts.append(vector[start : start + size].reshape(shape))
            start += size
        logits = jnp.tanh(X @ parts[0] + parts[1]) @ parts[2] + parts[3]
        return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(X)), CLASSES])

    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.hessian(loss))(jnp.asarray(flat)))


def test_a_curved_net_as_autodiff_has_it(monkeypatch):
    model = curved()
    model.fit(X, CLASSES, epochs=3, seed=0, **QUIET)
    matrix = by_autodiff(model)
    true = np.linalg.eigvalsh(matrix)
    found = hessian(model, X, CLASSES, batch_size=32, **QUIET)
    assert np.allclose(found.nodes, true, atol=1e-10)
    for value, vector, residual in zip(found.eigenvalues, found.eigenvectors, found.residuals, strict=True):
        assert np.linalg.norm(matrix @ vector - value * vector) == pytest.approx(residual, abs=1e-10)
    assert [one.shape for one in found.eigenvector(0)] == [(4, 6), (6,), (6, 3), (3,)]
    assert found.index.value == pytest.approx(np.mean(true < -1e-10))
    single = hessian(model, X, CLASSES, precision="float32", **QUIET)
    assert np.allclose(single.nodes, true, atol=1e-5 * true[-1]) and single.noise > 1e-6 * true[-1]
    monkeypatch.setattr(_spectrum, "DENSE", 10)
    some = hessian(model, X, CLASSES, steps=8, **QUIET)
    assert not some.exact and len(some.nodes) < len(true)
    assert np.allclose(some.eigenvalues[-2:], true[-2:], atol=1e-3 * true[-1])
    for value, residual in zip(some.eigenvalues, some.residuals, strict=True):
        assert np.abs(true - value).min() <= residual + 1e-12
    assert some.index.low <= found.index.value <= some.index.high
    assert some.trace.low <= found.trace.value <= some.trace.high
    again = hessian(model, X, CLASSES, steps=8, **QUIET)
    assert np.array_equal(again.nodes, some.nodes)
    assert "..." in str(some) and "from 4 starts" in str(some)


@given(
    values=st.lists(st.sampled_from([-3.0, -1.0, 0.0, 0.0, 1e-3, 2.0, 5.0]), min_size=12, max_size=30),
    starts=st.integers(1, 4),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_krylov_finds_known_spectra(values, starts, seed):
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    matrix = turn @ np.diag(values) @ turn.T
    first = rng.normal(size=(starts, len(values)))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    none = np.empty((0, len(values)))
    found = _spectrum._krylov(lambda v: v @ matrix, first, none, 2e-16, 3, rng, lambda done, of: None)
    assert np.allclose(found.basis @ found.basis.T, np.eye(len(found.basis)), atol=1e-8)
    assert np.allclose(found.weights.sum(axis=1), 1)
    vectors = found.vectors(np.arange(len(found.values)))
    assert np.allclose(
        np.linalg.norm(vectors @ matrix - found.values[:, None] * vectors, axis=1), found.residuals, atol=1e-6
    )
    assert found.values.max() == pytest.approx(max(values), abs=0.02) or max(values) == 0
    whole = _spectrum._krylov(lambda v: v @ matrix, first, none, 2e-16, 60, rng, lambda done, of: None)
    assert whole.exact and np.allclose(whole.values, np.sort(values), atol=1e-10)


def test_the_quadrature_has_the_moments_of_the_starts():
    matrix = RNG.normal(size=(50, 50))
    matrix += matrix.T
    first = np.linalg.qr(RNG.normal(size=(50, 3)))[0].T
    found = _spectrum._krylov(
        lambda v: v @ matrix, first, np.empty((0, 50)), 2e-16, 5, np.random.default_rng(0), lambda *_: None
    )
    power = np.eye(50)
    for degree in range(10):  # exact up to twice the steps less one
        true = np.einsum("ij,jk,ik->i", first, power, first)
        assert np.allclose(found.weights @ found.values**degree, true, rtol=1e-9, atol=1e-9 * abs(true).max())
        power = power @ matrix


def test_penalties_and_dropout():
    stack = [layers.Dense(3, kernel_regularizer=regularizers.L2(0.1)), layers.Dropout(0.9)]
    model = compiled(*stack)
    with_them, without = (hessian(model, X, Y, penalties=given, **QUIET) for given in (True, False))
    plain = hessian(compiled(layers.Dense(3)), X, Y, **QUIET)
    assert np.allclose(without.nodes, plain.nodes, atol=1e-12)  # dropout is off
    assert with_them.trace.value - without.trace.value == pytest.approx(12 * 0.2)


def test_other_weights_and_rows_use_the_program_again():
    model, other = curved(), curved()
    other.fit(X, CLASSES, epochs=1, **QUIET)
    hessian(model, X, CLASSES, **QUIET)
    known = sum(one.traces for one in programs())
    hessian(other, X[:89], CLASSES[:89], **QUIET)
    hessian(other.twin(), X, CLASSES, **QUIET)
    assert sum(one.traces for one in programs()) == known


def test_several_outputs_streams_of_names_and_frozen_layers():
    x = thalweg.Input((4,))
    hidden = layers.Dense(5, "tanh", trainable=False)(x)
    model = thalweg.Model(x, [layers.Dense(1, name="a")(hidden), layers.Dense(3, name="b")(hidden)])
    model.compile("sgd", ["mse", "mae"], loss_weights=[2.0, 0.0])
    found = hessian(model, X, [Y[:, 0], Y], **QUIET)
    seen = np.tanh(X @ model.get_weights()[0] + model.get_weights()[1])
    columns = np.c_[seen, np.ones(90)]
    assert found.size == 6 + 18
    assert np.allclose(found.nodes[-6:], np.linalg.eigvalsh(4 * columns.T @ columns / 90), atol=1e-6)


def test_density_is_one_in_all():
    found = hessian(curved(), X, CLASSES, **QUIET)
    told = found.density()
    assert np.trapezoid(told.mean, told.values) == pytest.approx(1, abs=1e-3)
    still = hessian(at_origin(linear(3, 3, 3)), X, Y, **QUIET).density()
    assert np.trapezoid(still.mean, still.values) == pytest.approx(1, abs=1e-3)


# -- what kind of place ----------------------------------------------------------------------------


def test_the_origin_of_a_linear_net_of_two_layers_is_a_strict_saddle():
    hidden = 5
    model = at_origin(linear(hidden, 3))
    singular = np.linalg.svd(Y.T @ X / len(X), compute_uv=False) * 2 / 3  # the loss is a mean over outputs
    true = np.sort(np.concatenate([np.repeat([singular, -singular], hidden, axis=1).reshape(-1), np.zeros(5)]))
    assert np.allclose(hessian(model, X, Y, **QUIET).nodes, true, atol=1e-13)
    found = critical_point(model, X, Y, **QUIET)
    assert found.kind == "saddle" and found.certainty > 1e6 and found.gradient_norm == 0
    assert found.lowest.value == pytest.approx(-singular[0]) and found.highest.value == pytest.approx(singular[0])
    assert found.index.value == pytest.approx(15 / 35) and found.flat == pytest.approx(5 / 35)
    way = 1e-3 * found.direction
    downhill = at(model, way[:20].reshape(4, 5), way[20:].reshape(5, 3)).evaluate(X, Y, **QUIET)
    assert downhill < found.loss


def test_its_global_minimum_is_a_minimum_with_flat_directions():
    left, values, right = np.linalg.svd(MAP, full_matrices=False)
    first = np.c_[left * np.sqrt(values), np.zeros((4, 2))]
    second = np.r_[np.sqrt(values)[:, None] * right, np.zeros((2, 3))]
    model = at(linear(5, 3), first, second)
    found = critical_point(model, X, Y, **QUIET)
    assert found.kind == "minimum" and found.certainty > 1e3
    assert found.index.value == 0 and found.flat == pytest.approx(23 / 35)  # h (in + out) - in out
    moved = critical_point(at(model, first + 0.3, second), X, Y, **QUIET)
    assert moved.kind == "not critical" and moved.certainty > 1


def test_lesser_solutions_of_a_linear_net_are_saddles():
    """Baldi and Hornik 1989: a critical point that leaves the strongest direction out has a way down."""
    whitened = np.linalg.qr(RNG.normal(size=(90, 4)))[0] * np.sqrt(90)
    left, values, right = np.linalg.svd(MAP, full_matrices=False)
    for kept in ([0], [1], [2], [0, 1], [1, 2], [0, 2]):
        first, second = np.zeros((4, 3)), np.zeros((3, 3))
        for unit in kept:
            first[:, unit] = left[:, unit] * np.sqrt(values[unit])
            second[unit] = np.sqrt(values[unit]) * right[unit]
        found = critical_point(at(linear(3, 3), first, second), whitened, whitened @ MAP, **QUIET)
        assert found.kind == "saddle", kept


def test_the_origin_of_a_deeper_linear_net_is_flat():
    found = critical_point(at_origin(linear(5, 5, 3)), X, Y, **QUIET)
    assert found.kind == "flat" and found.lowest == (0, 0) and found.certainty == np.inf
    assert "higher order" in str(found)


def test_a_negated_loss_has_a_maximum():
    solved = np.linalg.lstsq(X, Y, rcond=None)[0]
    model = at(linear(3, loss=lambda t, p: -jnp.mean((t - p) ** 2, axis=-1)), solved)
    found = critical_point(model, X, Y, **QUIET)
    assert found.kind == "maximum" and found.index.value == 1


def test_a_slope_without_curvature_is_not_critical():
    model = linear(3, loss=lambda t, p: 1e-6 * jnp.mean(p, axis=-1))
    model.draw(0)
    found = critical_point(model, X, Y, **QUIET)
    assert found.kind == "not critical" and found.gradient_norm < 1e-5 and found.change == np.inf
    json.dumps(found.record(), allow_nan=False)


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_a_convex_loss_has_no_saddles(seed):
    """Whatever the weights: a linear model with a cross-entropy is at a minimum or on a slope."""
    rng = np.random.default_rng(seed)
    model = compiled(layers.Dense(3, "softmax"), loss="sparse_categorical_crossentropy")
    at(model, rng.normal(size=(4, 3)) * rng.choice([0.01, 1]), rng.normal(size=3))
    found = critical_point(model, X, CLASSES, **QUIET)
    assert found.kind in ("minimum", "not critical") and found.index.value == 0


def test_large_nets_are_judged_by_their_ends(monkeypatch):
    monkeypatch.setattr(_spectrum, "DENSE", 10)
    assert critical_point(at_origin(linear(5, 3)), X, Y, **QUIET).kind == "saddle"
    assert critical_point(at_origin(linear(5, 5, 3)), X, Y, **QUIET).kind == "flat"
    solved = np.linalg.lstsq(X, Y, rcond=None)[0]
    found = critical_point(at(linear(3), solved), X, Y, **QUIET)
    assert found.kind == "minimum"
    found = critical_point(at(linear(3), solved + 1), X, Y, **QUIET)
    assert found.kind == "not critical"
    columns = 2 / 3 * X.T @ X / 90
    gradient = columns @ np.ones((4, 3))
    assert found.change == pytest.approx(np.trace(gradient.T @ np.linalg.inv(columns) @ gradient) / 2, rel=1e-6)
    assert found.distance == pytest.approx(np.sqrt(12), rel=1e-6)


# -- along a fit -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A small linear net from small weights: it rests at a saddle before it learns."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    model = linear(4, 3)
    at(model, 1e-4 * RNG.normal(size=(4, 4)), 1e-4 * RNG.normal(size=(4, 3)))
    way = Trajectory("20 steps")
    model.fit(
        X,
        Y,
        batch_size=90,
        epochs=201,
        seed=0,
        callbacks=[way],
        run=callbacks.RunFolder(folder, "50 epochs", keep=9),
        **QUIET,
    )
    return model, way, folder


def test_a_folders_way_has_the_steps_of_its_checkpoints(fitted):
    model, way, folder = fitted
    found = passed_in(model, folder)
    assert found.steps == [50, 100, 150, 200, 201]
    for step in (100, 200, 201):
        mine, theirs = (one.weights[one.steps.index(step)] for one in (way, found))
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    assert passed_in(model, folder, most=3).steps == [50, 150, 201]
    alone = passed_in(model, folder / "checkpoints")
    assert alone.steps == [0, 1, 2, 3, 4]


def test_a_trajectory_keeps_what_the_net_was(fitted):
    model, way, _ = fitted
    assert way.steps == [*range(0, 201, 20), 201] and len(way) == 12
    assert all(np.array_equal(a, b) for a, b in zip(way.weights[-1], model.get_weights(), strict=True))
    other = linear(4, 3)
    at(other, *way.weights[0])
    other.fit(X, Y, batch_size=90, epochs=40, seed=0, **QUIET)
    assert all(np.allclose(a, b, atol=1e-7) for a, b in zip(way.weights[2], other.get_weights(), strict=True))


def test_slow_stretches_are_saddles(fitted):
    model, way, _ = fitted
    found = curvature_along(model, way, X, Y, **QUIET)
    kinds = [one.kind for one in found.points]
    assert kinds[0] == "saddle" and kinds[-1] != "maximum" and "not critical" in kinds
    assert found.points[0].loss > 2 * found.points[-1].loss and list(found.steps) == way.steps
    assert str(found).count("\n") == 12
    json.dumps(found.record(), allow_nan=False)


def test_checkpoints_of_a_run_are_a_way_too(fitted):
    model, _, folder = fitted
    found = curvature_along(model, folder, X, Y, **QUIET)
    assert len(found.points) >= 4
    assert found.points[-1].loss == pytest.approx(model.evaluate(X, Y, **QUIET), rel=0.5)
    losses = [one.loss for one in found.points]
    assert losses == sorted(losses, reverse=True)


def test_members_of_a_population_have_ways_of_their_own():
    crew = thalweg.Population.of_seeds(linear(2, 3), 2)
    ways = [Trajectory("2 steps"), Trajectory("epoch")]
    crew.fit(X, Y, epochs=2, seeds=range(2), member_callbacks=[[way] for way in ways], **QUIET)
    assert ways[0].steps == [0, 2, 4, 6] and ways[1].steps == [0, 3, 6]
    for way, net in zip(ways, crew.models, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(way.weights[-1], net.get_weights(), strict=True))


def test_a_fit_that_goes_on_goes_on_with_its_way(tmp_path):
    ways = []
    for epochs in (2, 4):
        model = linear(2, 3)
        model.draw(0)
        ways.append(Trajectory())
        model.fit(X, Y, epochs=epochs, seed=0, callbacks=[ways[-1]], run=tmp_path / "run", **QUIET)
    assert ways[1].steps == [0, 3, 6, 9, 12]
    assert all(
        np.array_equal(a, b) for k in range(3) for a, b in zip(ways[0].weights[k], ways[1].weights[k], strict=True)
    )


@pytest.mark.parametrize("path", [None, [], 3, Trajectory(), "no/such/folder"])
def test_what_is_no_way(path):
    with pytest.raises(ValueError, match="path"):
        curvature_along(linear(3), path, X, Y, **QUIET)


def test_a_way_of_another_net(fitted):
    _, way, folder = fitted
    for path in (way, folder):
        with pytest.raises(ValueError, match="get_weights|another net"):
            curvature_along(linear(3), path, X, Y, **QUIET)


# -- sharpness ---------------------------------------------------------------------------------------


def test_sharpness_of_a_quadratic():
    model = at(compiled(layers.Dense(1, use_bias=False)), np.linalg.lstsq(X, Y[:, :1], rcond=None)[0])
    matrix = 2 * X.T @ X / 90
    true = np.linalg.eigvalsh(matrix)
    found = sharpness(model, X, Y[:, 0], radius=0.3, adaptive=False, **QUIET)
    assert found.eigenvalue.value == pytest.approx(true[-1]) and found.trace.value == pytest.approx(true.sum())
    assert found.worst_rise.value == pytest.approx(true[-1] * 0.3**2 / 2, rel=1e-6)
    assert found.mean_rise.low <= true.mean() * 0.3**2 / 2 <= found.mean_rise.high
    size = np.diag(np.abs(model.get_weights()[0][:, 0]))
    found = sharpness(model, X, Y[:, 0], radius=0.3, **QUIET)
    assert found.worst_rise.value == pytest.approx(np.linalg.eigvalsh(size @ matrix @ size)[-1] * 0.3**2 / 2, rel=1e-3)
    assert f"{2 / true[-1]:.3g}" in str(found)
    json.dumps(found.record(), allow_nan=False)


def test_adaptive_sharpness_does_not_see_the_scale_of_layers():
    model = compiled(layers.Dense(5, "relu", use_bias=False), layers.Dense(3, use_bias=False))
    model.fit(X, Y, epochs=2, seed=0, **QUIET)
    first = sharpness(model, X, Y, **QUIET)
    one, two = model.get_weights()
    second = sharpness(at(model, 4 * one, two / 4), X, Y, **QUIET)
    assert second.worst_rise.value == pytest.approx(first.worst_rise.value, rel=1e-3)
    assert second.eigenvalue.value > 2 * first.eigenvalue.value


# -- mistakes, records, pictures ---------------------------------------------------------------------

MISTAKES = [
    (lambda m: hessian(m, X[:, :2], Y), DataError, "rows of shape"),
    (lambda m: hessian(m, np.where(X > 2, np.nan, X), Y), DataError, "hessian"),
    (lambda m: hessian(m, X, Y[:5]), DataError, "rows"),
    (lambda m: hessian(m, X[:0], Y[:0]), DataError, "empty"),
    (lambda m: hessian(m, X, Y, count=0), ValueError, "count"),
    (lambda m: hessian(m, X, Y, starts=1), ValueError, "starts"),
    (lambda m: hessian(m, X, Y, steps=1.5), ValueError, "steps"),
    (lambda m: hessian(m, X, Y, precision="float16"), ValueError, "float32"),
    (lambda m: hessian(m, X, Y, seed=-1), ValueError, "seed"),
    (lambda m: hessian(m, X, Y, verbose=3), ValueError, "verbose"),
    (lambda m: hessian(linear(3, loss=lambda t, p: jnp.exp(1e5 + p).mean(-1)), X, Y), ValueError, "loss is"),
    (lambda m: hessian(m, X, Y, batch_size=0), ValueError, "batch_size"),
    (lambda m: critical_point(m, X, Y, tolerance=0), ValueError, "tolerance"),
    (lambda m: sharpness(m, X, Y, radius=-1), ValueError, "radius"),
    (lambda m: Trajectory("often"), ValueError, "every"),
]


@pytest.mark.parametrize(("act", "kind", "said"), MISTAKES)
def test_mistakes_are_named(act, kind, said):
    with pytest.raises(kind, match=said):
        act(linear(3))


def test_nets_without_a_loss_or_weights():
    bare = thalweg.Sequential([thalweg.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="compile"):
        hessian(bare, X, Y)
    with pytest.raises(ValueError, match="trained"):
        hessian(compiled(layers.Activation("tanh")), X, X)
    model = linear(3)
    at(model, np.full((4, 3), np.nan))
    with pytest.raises(ValueError, match="finite"):
        hessian(model, X, Y)
    unbuilt = thalweg.Sequential([layers.Dense(3)])
    unbuilt.compile("sgd", "mse")
    assert hessian(unbuilt, X, Y, **QUIET).size == 15


def test_a_curvature_that_is_none():
    model = at_origin(linear(3, loss=lambda t, p: jnp.mean(jnp.abs(p) ** 1.5, axis=-1)))
    with pytest.raises(ValueError, match="curvature"):
        critical_point(model, X, Y, **QUIET)


def test_huge_and_tiny_values():
    for scale in (1e-20, 1e20):
        found = hessian(linear(3), scale * X, Y, **QUIET)
        assert found.exact and found.index.value == 0
        assert found.nodes[-1] == pytest.approx(scale**2 * 2 / 3 * np.linalg.eigvalsh(X.T @ X / 90)[-1])


def test_records_pages_and_pictures(tmp_path, fitted, capsys):
    found = hessian(curved(), X, CLASSES, verbose=1)
    json.dumps(found.record(), allow_nan=False)
    assert "45 eigenvalues, all computed" in str(found) or "51 eigenvalues, all computed" in str(found)
    found.plot(tmp_path / "hessian.png")
    model, way, _ = fitted
    figure = curvature_along(model, way, X, Y, **QUIET).plot(tmp_path / "along.png")
    assert figure._repr_png_()[:4] == b"\x89PNG" and (tmp_path / "hessian.png").stat().st_size > 5000
    assert capsys.readouterr().out == ""


def test_long_work_is_told(monkeypatch, capsys):
    from thalweg.diagnosis import _telling

    monkeypatch.setattr(_telling, "_FIRST", 0.0)
    monkeypatch.setattr(_telling, "_AGAIN", 0.0)
    monkeypatch.setattr(_telling, "_LINE", 0.0)
    hessian(linear(3), X, Y, verbose=1)
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("hessian: 12 of 12") and "\r" not in said
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    hessian(linear(3), X, Y, verbose=1)
    said = capsys.readouterr().err
    assert "hessian: 12 of 12" in said and said.endswith("\r")
    monkeypatch.undo()
    hessian(linear(3), X, Y)
    assert capsys.readouterr().err == ""


def test_intervals_hold_the_index(monkeypatch):
    assert _curvature.LEVEL == 0.9
    monkeypatch.setattr(_spectrum, "DENSE", 10)
    found = hessian(at_origin(linear(5, 3)), X, Y, steps=3, **QUIET)  # seven different eigenvalues
    assert found.index.low - 1e-9 <= 15 / 35 <= found.index.high + 1e-9
