"""Is the net smart: against gradients and projections by hand, SciPy's rotations, scikit-learn's scores, known theory."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.neighbors import NearestNeighbors

import thalweg
from thalweg import engine, layers
from thalweg.data import DataError
from thalweg.diagnosis import probe
from thalweg.diagnosis.probing import _programs
from thalweg.diagnosis.probing._calibration import calibrated
from thalweg.diagnosis.probing._confidence import confidences
from thalweg.diagnosis.probing._damages import DAMAGES, rotated, shifted
from thalweg.diagnosis.probing._favourites import favourites
from thalweg.diagnosis.probing._filters import filters_of
from thalweg.diagnosis.probing._looked_over import fitting, picture_shape, subject_of
from thalweg.diagnosis.probing._records import share_of
from thalweg.diagnosis.probing._shuffling import shuffled
from thalweg.models import picture_of

D8 = thalweg.datasets.load("digits8")
X, Y = D8.x / 16.0, D8.y
XT, YT = D8.x_test / 16.0, D8.y_test
KINDS = ["shift", "rotation", "noise", "occlusion", "contrast"]


def net(*stack, loss="sparse_categorical_crossentropy", shape=(64,)):
    model = thalweg.Sequential([thalweg.Input(shape), *stack])
    model.compile(thalweg.optimizers.Adam(0.01), loss)
    return model


def mlp():
    return net(layers.Dense(32, "relu"), layers.Dense(10, "softmax"))


def cnn():
    return net(
        layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(10, "softmax"),
        shape=(8, 8, 1),
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    model = mlp()
    model.fit(X.reshape(-1, 64), Y, epochs=15, seed=0, verbose=0)
    return model


@pytest.fixture(scope="module")
def found(trained):
    return probe(trained, (XT, YT), train=(X, Y), retrain=True, epochs=2, verbose=0)


def subject(model, x=XT, y=YT, **options):
    return subject_of("probe", model, (x, y), options.pop("picture", None), options.pop("pixels", None), 2000, 0)[0]


# -- the net up to its logits ---------------------------------------------------------------------


def test_all_ways_to_end_a_net_give_the_same_logits(trained):
    weights = trained.get_weights()
    kernel, bias = weights[2:]
    x = XT.reshape(-1, 64)
    by_hand = np.maximum(x @ weights[0] + weights[1], 0) @ kernel + bias
    ends = [
        (net(layers.Dense(32, "relu"), layers.Dense(10, "softmax")), "logits"),
        (net(layers.Dense(32, "relu"), layers.Dense(10), layers.Softmax()), "logits"),
        (net(layers.Dense(32, "relu"), layers.Dense(10), layers.Activation("softmax")), "logits"),
        (net(layers.Dense(32, "relu"), layers.Dense(10), loss=thalweg.losses.SparseCategoricalCrossentropy(from_logits=True)), "logits"),
        (net(layers.Dense(32, "relu"), layers.Dense(10), layers.Lambda(jax.nn.softmax)), "probabilities"),
    ]  # fmt: skip
    for model, end in ends:
        model.set_weights(weights)
        one = subject(model)
        assert one.end == end
        shift = 0 if end == "logits" else jax.nn.logsumexp(by_hand, axis=1, keepdims=True)
        assert np.allclose(one.logits, by_hand - shift, atol=2e-3)
        assert np.array_equal(one.right, model.predict(x, verbose=0).argmax(axis=1) == YT)


def test_a_layer_that_others_use_too_keeps_its_softmax():
    x = thalweg.Input((64,))
    last = layers.Dense(10, "softmax")
    shared = last(layers.Dense(64)(x))
    model = thalweg.Model(x, layers.Add()([shared, shared]))
    model.compile("adam", "sparse_categorical_crossentropy")
    assert subject(model).end == "probabilities"
    twice = thalweg.layers.Dense(64, "softmax")
    model = thalweg.Model(x, twice(twice(x)))
    model.compile("adam", "sparse_categorical_crossentropy")
    one = subject(model)
    assert one.end == "probabilities"
    assert np.allclose(np.exp(one.logits), model.predict(XT.reshape(-1, 64), verbose=0), atol=1e-6)


@pytest.mark.parametrize(("activation", "logits"), [("sigmoid", False), (None, True)])
def test_two_classes_with_one_output(activation, logits):
    model = net(layers.Dense(1, activation), loss=thalweg.losses.BinaryCrossentropy(from_logits=logits))
    y = (YT > 4).astype(int)
    one = subject(model, XT, y)
    p = np.asarray(model.predict(XT.reshape(-1, 64), verbose=0), float).ravel()
    p = 1 / (1 + np.exp(-p)) if logits else p
    assert one.classes == 2 and np.array_equal(one.right, (p > 0.5) == y)
    assert confidences(one, 0)[0].mean == pytest.approx(np.maximum(p, 1 - p).mean(), rel=1e-5)
    assert calibrated(one.logits, one.truth).nll == pytest.approx(log_loss(y, p), rel=1e-4)


# -- what is done to pictures ---------------------------------------------------------------------


def test_shifts_move_every_pixel():
    rng = np.random.default_rng(5)
    x = rng.random((3, 6, 5, 2)).astype(np.float32)
    fill = np.array([7.0, 8.0], np.float32)
    for down, across in [(0, 0), (2, 0), (-1, 3), (4, -4), (6, 0), (0, -9)]:
        moved = shifted(x, down, across, fill)
        for i, j in np.ndindex(6, 5):
            here = (i - down, j - across)
            inside = 0 <= here[0] < 6 and 0 <= here[1] < 5
            assert np.array_equal(moved[:, i, j], x[:, *here] if inside else np.broadcast_to(fill, (3, 2)))


def test_quarter_turns_are_numpys():
    rng = np.random.default_rng(5)
    x = rng.random((4, 9, 9, 3)).astype(np.float32)
    fill = np.float32([0.1, 0.2, 0.3])
    for turns in range(-2, 3):
        assert np.allclose(rotated(x, 90 * turns, fill), np.rot90(x, turns, axes=(1, 2)), atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 2**31), st.floats(-3, 3), st.floats(0.1, 5))
def test_damaged_pictures_stay_in_their_range(kind, seed, low, span):
    rng = np.random.default_rng(seed)
    x = rng.uniform(low, low + span, (5, 8, 8, 2)).astype(np.float32)
    model = RANGED
    one = subject_of("probe", model, (x, np.zeros(5)), None, (float(x.min()), float(x.max())), 5, 0)[0]
    for size in DAMAGES[kind].sizes(8):
        for changed in DAMAGES[kind].change(one, size, rng):
            assert changed.shape == x.shape and changed.dtype == x.dtype
            assert changed.min() >= one.ends[0] - 1e-5 * span and changed.max() <= one.ends[1] + 1e-5 * span


RANGED = net(layers.Flatten(), layers.Dense(3, "softmax"), shape=(8, 8, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_size_changes_nothing(kind, trained):
    one = subject(trained)
    damage = DAMAGES[kind]
    for changed in damage.change(one, damage.sizes(8)[0], np.random.default_rng(0)):
        assert np.allclose(changed, one.pictures, atol=1e-6)


def test_occlusion_hides_one_square(trained):
    one = subject(trained)
    (changed,) = DAMAGES["occlusion"].change(one, 3.0, np.random.default_rng(0))
    grey = (changed == 0.5).all(axis=-1)
    assert (grey.sum(axis=(1, 2)) >= 9).all()
    touched = (changed != one.pictures).any(axis=-1)
    for mask in touched:
        rows, columns = np.nonzero(mask)
        assert np.ptp(rows) < 3 and np.ptp(columns) < 3


# -- attacks --------------------------------------------------------------------------------------


def climb(one, x, start, truth, size, step, steps):
    numbers = (size, step, steps, one.ends)
    fallen, wrong, point = one.run(_programs.attacks, (one.end,), [x, start, truth.astype(np.int32)], numbers)
    return fallen, wrong, point.reshape(x.shape)


def by_hand(model, x, y, start, size, step, steps, ends):
    """The same with jax.grad of the cross-entropy, picture by picture, in float64."""
    with jax.enable_x64(True):
        w = [jnp.asarray(one, jnp.float64) for one in model.get_weights()]

        def loss(x, y):
            return -jax.nn.log_softmax(jnp.maximum(x.ravel() @ w[0] + w[1], 0) @ w[2] + w[3])[y]

        slope = jax.jit(jax.vmap(jax.grad(loss)))
        point, low, high = (
            np.float64(one) for one in (start, np.maximum(x - size, ends[0]), np.minimum(x + size, ends[1]))
        )
        point = np.clip(point, low, high)
        for _ in range(steps):
            point = np.clip(point + step * np.sign(slope(point, y)), low, high)
        return point


def test_attacks_are_signs_of_the_gradient_projected(trained):
    one = subject(trained)
    x, y = one.pictures[:64], one.truth[:64]
    right = one.right[:64]
    for size, step, steps in [(0.05, 0.05, 1), (0.1, 0.025, 4)]:
        expected = by_hand(trained, x, y, x, size, step, steps, one.ends)
        fallen, wrong, point = climb(one, x, x, y, size, step, steps)
        still = ~fallen  # of those it is the end of the way
        assert np.abs(point - expected)[still].max() < 1e-5 and still.sum() > 20
        said = one.answers(expected.astype(np.float32)).argmax(axis=1)
        assert np.mean((said != y) == wrong) > 0.95
        assert (fallen >= wrong).all() and (fallen >= ~right).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.001, 1.0), st.integers(0, 6), st.integers(0, 1000))
def test_attacks_stay_in_the_ball_and_in_the_range(trained, size, steps, seed):
    one = subject(trained)
    x = one.pictures[:20]
    start = x + np.random.default_rng(seed).uniform(-size, size, x.shape).astype(np.float32)
    _, _, point = climb(one, x, start, one.truth[:20], size, 2.5 * size / max(steps, 1), steps)
    assert np.abs(point - x).max() <= size + 1e-6
    assert point.min() >= one.ends[0] and point.max() <= one.ends[1]


def test_a_linear_net_falls_exactly_where_theory_says():
    """Of two classes with logits w.x, the least l-infinity change that turns the answer is margin / |w|_1 (away from the ends)."""
    rng = np.random.default_rng(5)
    model = net(layers.Dense(2, "softmax", use_bias=False))
    kernel = rng.normal(size=(64, 2))
    model.set_weights([kernel])
    x = rng.uniform(0.4, 0.6, (200, 64)).astype(np.float32)
    logits = x @ kernel
    y = logits.argmax(axis=1)
    least = np.abs(logits[:, 0] - logits[:, 1]) / np.abs(kernel[:, 0] - kernel[:, 1]).sum()
    one = probe(model, (x, y), pixels=(0, 1), verbose=0)
    for response in (one.adversarial.fgsm, one.adversarial.pgd):
        for size, share in zip(response.sizes, response.accuracy, strict=True):
            clear = np.abs(least - size) > 1e-5
            assert share.value == pytest.approx(np.mean(least > size), abs=np.mean(~clear) + 1e-9)


def test_a_net_that_is_surer_than_float32_can_tell_is_attacked_all_the_same():
    """Its cross-entropy and its slope are 0 in float32; the margin's is not."""
    rng = np.random.default_rng(5)
    model = net(layers.Dense(2, "softmax", use_bias=False))
    kernel = 1e4 * rng.normal(size=(64, 2))
    model.set_weights([kernel])
    x = rng.uniform(0.4, 0.6, (50, 64)).astype(np.float32)
    one = probe(model, (x, (x @ kernel).argmax(axis=1)), pixels=(0, 1), verbose=0)
    assert one.accuracy.value == 1 and one.adversarial.fgsm.accuracy[-1].value == 0


def test_accuracy_under_pgd_never_rises_and_is_never_above_fgsm(found):
    fgsm, pgd = ([one.value for one in part.accuracy] for part in (found.adversarial.fgsm, found.adversarial.pgd))
    assert pgd == sorted(pgd, reverse=True) and all(a <= b for a, b in zip(pgd, fgsm, strict=True))
    assert pgd[-1] < 0.5 * pgd[0]


def test_the_attacked_picture(found, trained):
    one = found.adversarial.example
    answers = trained.predict(np.stack([one.before, one.after]).reshape(2, 64), verbose=0)
    assert answers[0].argmax() == one.truth != one.said == answers[1].argmax()
    assert [one.chance, one.chance_after] == pytest.approx(answers.max(axis=1), rel=1e-4)
    assert np.abs(one.after - one.before).max() <= one.size + 1e-6


def test_few_pictures_are_told_as_few(trained):
    said = probe(trained, (XT[:3], YT[:3]), verbose=0).conclusions()
    assert said[0].startswith("3 pictures are too few to tell it from") and "learnt nothing" not in " ".join(said)


def test_bytes_that_stay_small_have_a_small_range():
    dark = net(layers.Rescaling(1 / 16), layers.Dense(10, "softmax"))
    assert subject(dark, D8.x_test).ends == (0, 16) and D8.x_test.dtype == np.uint8


def test_what_gives_no_probabilities_and_pixels_of_another_scale_are_refused(trained):
    for bare in (net(layers.Dense(10)), net(layers.Dense(10, "tanh"))):
        with pytest.raises(ValueError, match="from_logits=True"):
            probe(bare, (XT, YT), verbose=0)
    assert subject(net(layers.Dense(10, "sigmoid"))).end == "probabilities"
    with pytest.raises(DataError, match="from 0 to 16, train from 0 to 1"):
        probe(trained, (D8.x_test, YT), train=(X, Y), verbose=0)
    assert "learnt nothing" not in str(probe(trained, (XT, YT), rows=50, train=(X[:9], Y[:9]), verbose=0))


# -- how sure, how believable ---------------------------------------------------------------------


def test_a_net_that_knows_nothing_is_sure_of_nothing():
    model = net(layers.Dense(10, "softmax", kernel_initializer="zeros"))
    found = probe(model, (XT, YT), verbose=0)
    assert all(one.mean == pytest.approx(0.1) and one.sure == 0 for one in found.confidence)
    (said,) = found.conclusions()
    assert "It has learnt nothing" in said and "from 0 to 1" in said
    assert found.by_chance == np.bincount(YT).max() / len(YT)
    assert all(one.value == found.accuracy.value for response in found.robustness for one in response.accuracy)
    assert found.calibration.nll == pytest.approx(np.log(10))


def test_a_net_with_large_weights_is_sure_of_noise(trained):
    loud = mlp()
    loud.set_weights([20 * one for one in trained.get_weights()])
    found = probe(loud, (XT, YT), rows=100, verbose=0)
    assert found.rows == 100 and found.given == 360
    assert found.conclusions()[0].startswith("It is sure of noise")
    assert found.calibration.temperature > 5
    assert "too sure" in str(found)


def test_confidence_is_that_of_predict(trained):
    one = subject(trained)
    real, uniform, _, shuffled, black, white, mean = confidences(one, 3)
    x = XT.reshape(-1, 64)
    for told, rows in [(real, x), (black, np.zeros((1, 64))), (white, np.ones((1, 64))), (mean, x.mean(axis=0)[None])]:
        p = trained.predict(rows, verbose=0)
        assert told.mean == pytest.approx(p.max(axis=1).mean(), rel=1e-4)
        assert told.sure == np.mean(p.max(axis=1) > 0.9) and told.rows == len(rows) == sum(told.says)
        assert told.says == tuple(np.bincount(p.argmax(axis=1), minlength=10))
    assert uniform.rows == shuffled.rows == len(x)
    assert confidences(one, 3)[1] == uniform != confidences(one, 4)[1]


def test_scores_are_scikit_learns():
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(3000, 4)) * 3
    truth = np.array([rng.choice(4, p=p) for p in np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = calibrated(logits, truth)
    assert found.nll == pytest.approx(log_loss(truth, p))
    assert found.brier == pytest.approx(sum(brier_score_loss(truth == k, p[:, k]) for k in range(4)))
    assert found.accuracy == np.mean(p.argmax(axis=1) == truth)
    assert found.error < 0.03 and found.temperature == pytest.approx(1, abs=0.1)
    place = np.ceil(p.max(axis=1) * 15)
    gaps = [abs((p.max(axis=1)[place == b] - (p.argmax(axis=1) == truth)[place == b]).sum()) for b in range(16)]
    assert found.error == pytest.approx(sum(gaps) / 3000)
    hot = calibrated(3 * logits, truth)
    assert hot.temperature == pytest.approx(3 * found.temperature, rel=1e-3)
    assert hot.mended == pytest.approx(found.mended, abs=5e-3) and hot.error > 0.05


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(2, 5), st.integers(0, 10**6), st.floats(0.01, 1e4))
def test_calibration_bears_anything(rows, classes, seed, size):
    rng = np.random.default_rng(seed)
    found = calibrated(size * rng.normal(size=(rows, classes)), rng.integers(0, classes, rows))
    assert 0 <= found.error <= 1 and 0 <= found.brier <= 2 and found.nll >= 0
    assert found.temperature > 0 and sum(one["rows"] for one in found.points) == rows


# -- what it looks for, what it is near to --------------------------------------------------------


def test_filters_are_the_weights(found, trained):
    one = found.filters
    kernel = trained.get_weights()[0]
    assert one.kind == "units" and one.total == 32 and one.images.shape == (16, 8, 8, 1)
    lengths = np.linalg.norm(kernel, axis=0)
    assert list(one.shown) == np.argsort(-lengths, kind="stable")[:16].tolist()
    assert np.allclose(one.images[3, 2, 5, 0], kernel[2 * 8 + 5, one.shown[3]])
    model = cnn()
    one = filters_of(subject(model))
    assert one.kind == "filters" and one.total == 8 and one.images.shape == (8, 3, 3, 1)
    flat = np.moveaxis(np.asarray(model.get_weights()[0]), -1, 0)
    assert np.array_equal(one.images, flat[list(one.shown)])


def test_smoothness_is_near_0_for_noise_and_near_1_for_areas():
    rng = np.random.default_rng(5)
    model = net(layers.Dense(30, "relu"), layers.Dense(10, "softmax"))
    noise = rng.normal(size=(64, 30))
    weights = [noise, np.zeros(30), rng.normal(size=(30, 10)), np.zeros(10)]
    for kernel, low, high in [
        (noise, -0.1, 0.1),
        (ndimage.gaussian_filter(noise.reshape(8, 8, 30), (3, 3, 0)).reshape(64, 30), 0.8, 1),
    ]:
        model.set_weights([kernel, *weights[1:]])
        assert low < filters_of(subject(model)).smoothness < high


def test_what_a_linear_net_likes_most_is_its_own_weights():
    """Of two classes the slope is the same everywhere: the difference of their weights."""
    rng = np.random.default_rng(5)
    model = net(layers.Dense(2, "softmax", use_bias=False))
    kernel = ndimage.gaussian_filter(rng.normal(size=(8, 8, 2)), (1, 1, 0)).reshape(64, 2)
    model.set_weights([kernel])
    one = favourites(subject(model, XT, YT % 2))
    for k in range(2):
        wanted = kernel[:, k] - kernel[:, 1 - k]
        moved = (one.pictures[k] - XT.mean(axis=0)[..., None]).ravel()
        inside = ((one.pictures[k] > 0.01) & (one.pictures[k] < 0.99)).ravel()  # no end of the range cuts it off there
        assert np.corrcoef(moved[inside], wanted[inside])[0, 1] > 0.6 and inside.sum() > 10
        assert moved @ wanted > 0


def test_favourites_are_what_the_net_says_of_them(found, trained):
    one = found.favourites
    assert one.pictures.shape == (10, 8, 8, 1)
    p = trained.predict(one.pictures.reshape(10, 64), verbose=0)
    assert one.chances == pytest.approx(np.diag(p), rel=1e-4)
    assert min(one.chances) > 0.8 and one.pictures.min() >= 0 and one.pictures.max() <= 1
    means = [np.corrcoef(XT[k == YT].mean(axis=0).ravel(), one.pictures[k].ravel())[0, 1] for k in range(10)]
    assert one.likeness == pytest.approx(means, rel=1e-4)


def test_neighbours_are_scikit_learns(found, trained):
    x, xt = X.reshape(-1, 64).astype(np.float32), XT.reshape(-1, 64).astype(np.float32)
    w = trained.get_weights()
    p = trained.predict(xt, verbose=0)
    wrong = np.flatnonzero(p.argmax(axis=1) != YT)
    order = wrong[np.argsort(-p.max(axis=1)[wrong], kind="stable")][:6]
    told = found.neighbours
    assert told.layer == "dense" and told.trained == len(X)
    assert [one.truth for one in told.mistakes] == YT[order].tolist()
    assert [one.chance for one in told.mistakes] == pytest.approx(p.max(axis=1)[order], rel=1e-4)
    for what, field in [
        (lambda rows: rows, "by_pixels"),
        (lambda rows: np.maximum(rows @ w[0] + w[1], 0), "by_activations"),
    ]:
        apart, rows = NearestNeighbors(n_neighbors=3).fit(what(x)).kneighbors(what(xt[order]))
        near = [getattr(one, field) for one in told.mistakes]
        assert np.allclose([one.distances for one in near], apart, rtol=1e-4)
        assert [one.rows for one in near] == [tuple(one) for one in rows.tolist()]
        assert all(one.labels == tuple(Y[list(one.rows)]) for one in near)
        assert np.array_equal(near[0].pictures[0].reshape(8, 8), X[near[0].rows[0]].astype(np.float32))


def test_of_a_net_that_is_always_right_there_are_no_mistakes():
    model = net(layers.Dense(2, "softmax"))
    y = model.predict(XT.reshape(-1, 64), verbose=0).argmax(axis=1)
    found = probe(model, (XT, y), train=(XT, y), rows=50, verbose=0)
    assert found.accuracy.value == 1 and found.neighbours.mistakes == () and found.neighbours.layer == "input"
    assert found.accuracy.high == 1 and 0.9 < found.accuracy.low < 1
    str(found), found.plot()


# -- learnt again ---------------------------------------------------------------------------------


def again(model, x, y, x_test, y_test, epochs):
    one = subject(model, x_test, y_test)
    return shuffled(one, fitting("probe", model, (x, y), "train", 0), epochs, 0)


def test_a_dense_net_does_not_care_about_the_order():
    """From equal weights it becomes the very same net."""
    model = net(layers.Dense(10, "softmax", kernel_initializer="zeros"))
    told = again(model, X, Y, XT, YT, 3)
    assert told.plain == told.shuffled and told.difference == (0, 0, 0)
    assert told.plain.value > 0.8 and told.rows == len(X) and told.epochs == 3


def test_a_convolution_does():
    digits = thalweg.datasets.load("digits")
    model = net(
        layers.Conv2D(8, 5, activation="relu"), layers.MaxPooling2D(4), layers.Flatten(), layers.Dense(10, "softmax"),
        shape=(28, 28, 1),
    )  # fmt: skip
    told = again(model, digits.x[:1500] / 255.0, digits.y[:1500], digits.x_test / 255.0, digits.y_test, 3)
    assert told.difference.high < -0.05 and told.rows == 1500


# -- the whole ------------------------------------------------------------------------------------


def test_the_damage_is_that_of_predict(found, trained):
    shift = found.response("shift")
    with pytest.raises(ValueError, match="Did you mean 'shift'"):
        found.response("shfit")
    moved = [shifted(XT[..., None], 2 * a, 2 * b, np.zeros(1)) for a, b in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    right = [trained.predict(one.reshape(-1, 64), verbose=0).argmax(axis=1) == YT for one in moved]
    assert shift.accuracy[2] == pytest.approx(share_of(np.mean(right, axis=0)), abs=1e-3)
    assert shift.sizes == (0, 1, 2, 3, 4, 5, 6) and shift.cost(0) == 0
    noise = found.response("noise")
    assert noise.cost(0.1) == noise.accuracy[0].value - noise.accuracy[1].value
    with pytest.raises(ValueError, match=r"size must be one of 0, 0.1, 0.2, 0.3, 0.5 .*got cost\(1\)"):
        noise.cost(1)
    assert found.response("PGD") is found.adversarial.pgd
    assert [one.kind for one in found.robustness] == KINDS
    for response in (*found.robustness, found.adversarial.fgsm, found.adversarial.pgd):
        assert len(response.sizes) == len(response.accuracy)
        assert all(one.low <= one.value <= one.high for one in response.accuracy)


def test_record_text_and_picture(found, tmp_path):
    told = json.loads(json.dumps(found.record(), allow_nan=False))
    assert told["accuracy"]["value"] == found.accuracy.value and len(told["right"]) == 360
    assert np.shape(told["favourites"]["pictures"]) == (10, 8, 8, 1)
    assert told["robustness"][0]["accuracy"][2]["low"] == found.response("shift").accuracy[2].low
    text = str(found)
    assert "A shift by 2 pixels costs" in text and "What follows" in text and max(map(len, text.split("\n"))) < 200
    figure = found.plot(tmp_path / "probe.png")
    assert (tmp_path / "probe.png").stat().st_size > 50_000 and figure._repr_png_()[:4] == b"\x89PNG"


def test_the_same_seed_gives_the_same_and_equal_structures_share_programs(trained):
    first = probe(trained, (XT, YT), rows=60, verbose=0).record()
    before = sum(one.traces for one in engine.compiled())
    other = mlp()
    other.set_weights([2 * one for one in trained.get_weights()])
    probe(other, (XT, YT), rows=300, seed=4, verbose=0)
    assert sum(one.traces for one in engine.compiled()) == before
    assert probe(trained, (XT, YT), rows=60, verbose=0).record() == first


def test_nothing_is_changed(trained):
    weights = [one.copy() for one in trained.get_weights()]
    x = XT.copy()
    probe(trained, (x, YT), train=(X, Y), retrain=True, epochs=1, verbose=0)
    assert all(map(np.array_equal, weights, trained.get_weights())) and np.array_equal(x, XT)


def test_bytes_colours_flat_rows_and_one_row():
    rng = np.random.default_rng(5)
    model = net(layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(4, "softmax"), shape=(10, 12, 3))
    x, y = rng.integers(0, 256, (30, 10, 12, 3)).astype(np.uint8), rng.integers(0, 4, 30)
    found = probe(model, (x, y), train=(x, y), verbose=0)
    assert found.picture == (10, 12, 3) and found.pixels == (0, x.max())
    found.plot()
    flat = net(layers.Dense(4, "softmax"), shape=(360,))
    assert np.array_equal(subject(flat, x / 256, y, picture=(10, 12, 3)).pictures, np.float32(x / 256))
    one = probe(mlp(), (XT[:1], YT[:1]), train=(X[:1], Y[:1]), verbose=0)
    assert one.rows == 1 and 0 <= one.accuracy.low < one.accuracy.high <= 1
    str(one), one.plot(), json.dumps(one.record(), allow_nan=False)
    assert picture_shape("probe", (784,), None) == (28, 28, 1)
    assert picture_shape("probe", (3072,), None) == (32, 32, 3)
    assert picture_shape("probe", (28, 28), None) == (*picture_of((28, 28)),)


def test_untrained_unbuilt_graph_and_one_hot():
    model = thalweg.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])
    model.compile("adam", "categorical_crossentropy")
    assert np.array_equal(subject(model, XT, np.eye(10)[YT]).truth, YT)
    x = thalweg.Input((8, 8, 1))
    a = layers.Conv2D(4, 3, padding="same")(x)
    b = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(a))
    y = layers.Dense(10, "softmax")(layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(layers.Add()([a, b]))))
    graph = thalweg.Model(x, y)
    graph.compile("adam", "sparse_categorical_crossentropy")
    graph.class_names = [f"digit {i}" for i in range(10)]
    found = probe(graph, (XT, YT), train=(X, Y), rows=30, verbose=0)
    assert found.classes[3] == "digit 3" and "digit" in str(found)


WRONG = [
    ({}, (XT, None), DataError, "classes"),
    ({}, XT, DataError, "pair"),
    ({}, (XT[:, :5], YT), DataError, "shape"),
    ({}, (np.where(XT[3, 4, 4] == XT, np.nan, XT), YT), DataError, "(?i)nan|finite"),
    ({}, (XT, YT + 5), DataError, "class"),
    ({}, (XT[:0], YT[:0]), DataError, "row"),
    ({"retrain": True}, (XT, YT), ValueError, "train"),
    ({"epochs": 0}, (XT, YT), ValueError, "epochs"),
    ({"rows": 0}, (XT, YT), ValueError, "rows"),
    ({"picture": (7, 9)}, (XT, YT), DataError, "picture"),
    ({"pixels": (0, 0.5)}, (XT, YT), DataError, "pixels"),
    ({"pixels": 1}, (XT, YT), ValueError, "pixels"),
    ({}, (np.full_like(XT, 0.5), YT), DataError, "nothing to see"),
    ({"verbose": 3}, (XT, YT), ValueError, "verbose"),
    ({"seed": -1}, (XT, YT), ValueError, "seed"),
]


@pytest.mark.parametrize(("options", "data", "error", "words"), WRONG)
def test_mistakes_are_told(options, data, error, words):
    with pytest.raises(error, match=words):
        probe(mlp(), data, **options)


def test_nets_that_went_astray_are_told_and_huge_pixels_borne():
    model = mlp()
    model.set_weights([np.full(one.shape, np.nan) for one in model.get_weights()])
    with pytest.raises(DataError, match="astray"):
        probe(model, (XT, YT), verbose=0)
    for factor in (1e-30, 1e15):
        found = probe(mlp(), (factor * XT, YT), rows=20, verbose=0)
        json.dumps(found.record(), allow_nan=False)
        found.plot()


def test_nets_that_tell_no_classes_are_refused():
    with pytest.raises(TypeError, match="model"):
        probe("mlp", (XT, YT))
    for model, y, words in [
        (net(layers.Dense(10, "softmax"), loss=None), YT, "loss"),
        (net(layers.Dense(1), loss="mse"), YT, "probabilities of classes"),
        (net(layers.Dense(1), loss="hinge"), np.sign(YT - 4.5), "probabilities of classes"),
        (net(layers.Dense(3, "sigmoid"), loss="binary_crossentropy"), np.eye(3)[YT % 3], "probabilities of classes"),
    ]:
        with pytest.raises(ValueError, match=words):
            probe(model, (XT, y), verbose=0)
    x, z = thalweg.Input((64,)), thalweg.Input((64,))
    model = thalweg.Model([x, z], layers.Dense(10, "softmax")(layers.Add()([x, z])))
    model.compile("adam", "sparse_categorical_crossentropy")
    flat = XT.reshape(-1, 64)
    with pytest.raises(ValueError, match="one input"):
        probe(model, ([flat, flat], YT), verbose=0)
    small = net(layers.Dense(10, "softmax"), shape=(25,))
    with pytest.raises(DataError, match="8 x 8"):
        probe(small, (flat[:, :25], YT), verbose=0)
