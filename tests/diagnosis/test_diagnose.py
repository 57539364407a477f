"""A diagnosis names the scenario, what is wrong, and what to do; nets are small and their truth is known by construction."""

import json

import numpy as np
import pytest

import thalweg
from thalweg import data, layers
from thalweg.diagnosis import Doctor, diagnose
from thalweg.diagnosis._inside import look_inside
from thalweg.diagnosis._measured import rows_of

RNG = np.random.default_rng(0)
pytestmark = pytest.mark.filterwarnings("ignore::thalweg.data.DataWarning")  # of rows that are wrong on purpose


def net(*units, rate=0.01, activation="relu", outputs=2, features=4, **dense):
    hidden = [layers.Dense(one, activation, **dense) for one in units]
    last = layers.Dense(outputs, "softmax") if outputs > 1 else layers.Dense(1)
    model = thalweg.Sequential([thalweg.Input((features,)), *hidden, last])
    model.compile(thalweg.optimizers.Adam(rate), "sparse_categorical_crossentropy" if outputs > 1 else "mse")
    return model


def rule(n, features=4):
    """Two classes that a plane parts."""
    x = RNG.normal(size=(n, features)).astype("f4")
    return x, (x[:, 0] + x[:, 1] > 0).astype(int)


def corners(n):
    """Two classes that no plane parts."""
    x = RNG.uniform(-1, 1, size=(n, 4)).astype("f4")
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def fitted(model, train, rest, epochs=20, **more):
    model.fit(*train, epochs=epochs, validation_data=rest, verbose=0, seed=0, **more)
    return model


def names(found):
    return [one.name for one in found.findings]


@pytest.fixture(scope="module")
def well():
    train, rest = rule(600), rule(300)
    return fitted(net(16), train, rest), train, rest


def test_a_net_that_does_well_is_left_in_peace(well):
    found = diagnose(*well)
    assert found.scenario == "well" and not found.findings and found.sure > 0.9
    assert found.remedies[0].what == "stop" and "test set once" in found.remedies[0].how
    assert found.train.low <= found.train.value <= found.train.high < 0.06
    assert found.rows == (600, 300) and found.constant == pytest.approx(0.5, abs=0.1)
    model, _, rest = well
    wrong = np.asarray(model.predict(rest[0])).argmax(axis=1) != rest[1]
    assert found.validation.value == pytest.approx(wrong.mean())


def test_the_page_and_the_record_say_the_same(well):
    found = diagnose(*well, target_error=0.05)
    page = str(found)
    for text in ("well", "training", "validation", "given", "avoidable bias", "nearest neighbours", "1. stop"):
        assert text in page
    again = json.loads(json.dumps(found.record()))
    assert (
        again["scenario"] == "well" and again["target"]["by"] == "given" and again["bias"]["value"] == found.bias.value
    )
    assert set(again) == set(found._fields)
    assert found.short().splitlines()[1].startswith("next: stop")


def test_too_small_a_net_has_bias_and_others_show_that_more_is_reachable():
    train, rest = corners(600), corners(300)
    found = diagnose(fitted(net(1), train, rest), train, rest)
    assert found.scenario == "high bias" and found.target.by in ("gradient boosting", "nearest neighbours")
    assert found.bias.low > 0.1 and abs(found.variance.value) < 0.15
    told = [one.what for one in found.remedies]
    assert any("more units and layers" in one for one in told) and any("best bet" in one for one in told)


def test_a_net_that_learns_by_heart_has_variance():
    x = RNG.normal(size=(400, 20)).astype("f4")
    y = ((x[:, 0] > 0) ^ (RNG.random(400) < 0.1)).astype(int)
    train, rest = (x[:80], y[:80]), (x[80:], y[80:])
    found = diagnose(fitted(net(128, features=20), train, rest, 60), train, rest, target_error=0.1, seeds=3)
    assert found.scenario == "high variance" and found.train.value < 0.02 and found.variance.low > 0.05
    assert "more data" in [one.what for one in found.remedies]
    bias, variance, nets = found.seeds
    assert nets == 3 and variance.low < variance.value < variance.high and bias.value < 0
    assert "over 3 seeds" in str(found)


def test_copies_are_found_and_left_out_of_the_errors():
    x = RNG.normal(size=(700, 20)).astype("f4")
    y = RNG.integers(0, 2, 700) & (x[:, 0] > 0)
    train, rest = (x[:300], y[:300]), (x[300:].copy(), y[300:].copy())
    rest[0][:100], rest[1][:100] = train[0][:100], train[1][:100]
    model = fitted(net(128, features=20), train, rest, 60)
    found = diagnose(model, train, rest)
    assert "duplicates" in names(found) and found.findings[0].detail["count"] == 100
    wrong = np.asarray(model.predict(rest[0])).argmax(axis=1) != rest[1]
    assert found.validation.value == pytest.approx(wrong[100:].mean())
    assert found.validation.value > wrong.mean()
    assert any("copies" in note for note in found.notes)


def test_a_column_that_gives_the_target_away_is_named():
    x, y = corners(900)
    y ^= RNG.random(900) < 0.2
    x = np.column_stack([x, RNG.normal(size=900), y + RNG.normal(size=900) * 0.01]).astype("f4")
    train, rest = (x[:600], y[:600]), (x[600:], y[600:])
    found = diagnose(fitted(net(16, features=6), train, rest), train, rest)
    assert names(found) == ["leaking feature"] and "known before the target" in found.remedies[0].what
    assert found.findings[0].detail["column"] == "column 5"


def test_rows_of_another_kind_are_told_by_a_classifier():
    train, rest = rule(500), rule(300)
    moved = (rest[0] + np.array([0, 0, 2, 0], "f4"), rest[1])
    found = diagnose(fitted(net(16), train, moved), train, moved)
    assert names(found) == ["drift"] and "column 2" in found.findings[0].detail["columns"].split(", ")[0]


def test_targets_of_other_rows_are_no_signal_and_sorted_rows_a_class_mix():
    x, y = rule(600)
    y = RNG.permutation(y)
    train, rest = (x[:400], y[:400]), (x[400:], y[400:])
    found = diagnose(fitted(net(16), train, rest), train, rest)
    assert found.scenario == "what did you do?" and "no signal" in names(found)
    x, y = rule(600)
    order = np.argsort(y, kind="stable")
    train, rest = (x[order][:500], y[order][:500]), (x[order][500:], y[order][500:])
    assert "class mix" in names(diagnose(fitted(net(16), train, rest), train, rest))


def test_too_few_rows_to_say_are_admitted_with_the_experiment_that_would_tell():
    train, rest = corners(600), corners(10)
    found = diagnose(fitted(net(3), train, rest, 5), train, rest, target_error=0.15)
    assert found.scenario == "undecided" and "small validation" in names(found)
    assert len(found.chances) > 1 or found.validation.high - found.validation.low > 0.2
    assert any("more validation rows" in one.what for one in found.remedies) and str(found).startswith("undecided: ")


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: net(16, rate=3.0), "learning rate too high"),
        (lambda: net(16, rate=1e-6), "learning rate too low"),
        (lambda: net(16, bias_initializer=thalweg.initializers.Constant(-9.0)), "dead units"),
        (lambda: net(*[16] * 8, activation="sigmoid", rate=1e-4), "vanishing gradients"),
    ],
)
def test_what_goes_wrong_in_training_is_named_with_its_evidence(build, expected):
    train, rest = corners(600), corners(300)
    found = diagnose(fitted(build(), train, rest, 10), train, rest)
    assert found.scenario == "high bias" and expected in names(found), found
    one = next(one for one in found.findings if one.name == expected)
    assert any(letter.isdigit() for letter in one.evidence) and one.remedy


def test_numbers_are_measured_by_their_variance_and_labels_by_the_share_of_wrong_ones():
    x = RNG.normal(size=(600, 4)).astype("f4")
    y = (1000 + 50 * (x[:, 0] + x[:, 1])).astype("f4")
    train, rest = (x[:400], (y[:400] - 1000) / 50), (x[400:], (y[400:] - 1000) / 50)
    model = fitted(net(16, outputs=1), train, rest, 30)
    found = diagnose(model, train, rest)
    share = ((np.asarray(model.predict(rest[0])).ravel() - rest[1]) ** 2).mean() / train[1].var()
    assert found.scenario == "well" and found.validation.value == pytest.approx(share, rel=1e-4)
    assert "unexplained variance" in str(found)
    labels = (x[:, :3] > 0).astype("f4")
    model = thalweg.Sequential([thalweg.Input((4,)), layers.Dense(16, "relu"), layers.Dense(3, "sigmoid")])
    model.compile(thalweg.optimizers.Adam(0.02), "binary_crossentropy")
    parts = (x[:400], labels[:400]), (x[400:], labels[400:])
    found = diagnose(fitted(model, *parts, 30), *parts)
    assert found.scenario == "well" and found.unit == "share of wrong labels"


def test_gradients_inside_are_those_of_jax_s_own_and_tensors_those_of_predict(well):
    model, train, _ = well
    inside = look_inside(model, rows_of(model, train, "train"))
    rows = np.sort(np.random.default_rng(0).permutation(600)[:512])
    np.testing.assert_allclose(inside.outputs[-1], model.predict(train[0][rows]), rtol=1e-5, atol=1e-6)
    kernel, before = model.layers[1].kernel, model.layers[1].kernel.numpy()
    loss = []
    for step in (1e-3, -1e-3):
        moved = before.copy()
        moved[0, 0] += step
        kernel.assign(moved)
        loss.append(model.evaluate(train[0][rows], train[1][rows], verbose=0))
    kernel.assign(before)
    assert inside.gradients["dense"] > 0 and abs(loss[0] - loss[1]) / 2e-3 < 100 * inside.gradients["dense"] + 1e-2


def test_what_cannot_be_diagnosed_is_told(well):
    model, train, rest = well
    with pytest.raises(data.DataError, match=r"train must be a pair \(x, y\)"):
        diagnose(model, train[0], rest)
    with pytest.raises(ValueError, match="target_error must be a number of at least 0"):
        diagnose(model, train, rest, target_error=-1)
    with pytest.raises(ValueError, match="seeds must be 2 or more"):
        diagnose(model, train, rest, seeds=1)
    sealed = data.split(*train).test
    with pytest.raises(data.SealedError):
        diagnose(model, train, sealed)
    loose = thalweg.Sequential([thalweg.Input((4,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="no loss"):
        diagnose(loose, train, rest)


def test_the_doctor_warns_once_of_each_thing_and_is_silent_on_a_healthy_fit(well):
    model, train, rest = well
    doctor = Doctor()
    fitted(model.twin(), train, rest, 8, callbacks=[doctor])
    assert doctor.findings == []
    for scale, bias, told in (
        (1000, 0.0, "unscaled inputs: .*1.0[0-9]e.03"),
        (1, -9.0, "dead units: 16 of 16 units of dense"),
    ):
        doctor = Doctor()
        sick = net(16, bias_initializer=thalweg.initializers.Constant(bias))
        with pytest.warns(UserWarning, match=told) as said:
            sick.fit(scale * train[0], train[1], epochs=2, verbose=0, callbacks=[doctor])
        assert len(said) == len(sick.history.warnings) == len(doctor.findings) == 1


def test_targets_of_another_size_are_named_and_what_is_told_to_be_done_about_them_helps():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 4)).astype("f4")
    y = (150 + 77 * (0.8 * x[:, 0] - 0.6 * x[:, 1])).astype("f4")

    def fit(end, **compiled):
        model = thalweg.Sequential([thalweg.Input((4,)), layers.Dense(32, "relu"), layers.Dense(1), *end])
        model.compile("adam", "mse", **compiled)
        model.fit(x[:300], y[:300], epochs=15, verbose=0, seed=0)
        return diagnose(model, (x[:300], y[:300]), (x[300:], y[300:]))

    sick = fit([])
    names = [one.name for one in sick.findings]
    assert sick.scenario == "high bias" and names == ["no better than constant", "unscaled targets"]
    told = sick.findings[1].detail
    cured = fit([layers.Rescaling(told["deviation"], told["mean"])], loss_weights=told["deviation"] ** -2)
    assert "unscaled targets" not in [one.name for one in cured.findings]
    assert cured.train.value < 0.1 * sick.train.value
