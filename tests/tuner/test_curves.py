"""The curves of a search on disk, and a study that is read as it grows."""

import json

import numpy as np
import pytest

import thalweg
from thalweg import layers, tuner
from thalweg.tuner._curves import CURVES, Curves, read_curves
from thalweg.tuner._nets import Nets
from thalweg.tuner._study import Follower, Study
from thalweg.tuner._trial import Trial

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int32)


def build(hp):
    model = thalweg.Sequential(
        [thalweg.Input((3,)), layers.Dense(hp.Int("units", 2, 8), "relu"), layers.Dense(2, "softmax")]
    )
    model.compile(
        thalweg.optimizers.SGD(hp.Float("rate", 0.01, 0.3)), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def by_trial(folder):
    """Trial -> epoch -> logs."""
    found = {}
    for curve in read_curves(folder)[0]:
        for place, number in enumerate(curve.trials):
            found.setdefault(number, {})[curve.epoch] = {name: values[place] for name, values in curve.logs.items()}
    return found


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        (tuner.RandomSearch, {"max_trials": 5}),
        (tuner.RandomSearch, {"max_trials": 1}),
        (tuner.RandomSearch, {"max_trials": 3, "executions_per_trial": 2}),
        (tuner.Hyperband, {"max_epochs": 4, "factor": 2}),
    ],
)
def test_every_trial_has_the_curve_of_its_nets(tmp_path, kind, how):
    found = kind(build, "val_accuracy", directory=tmp_path, project_name="study", seed=1, keep=100, **how)
    found.search(X, Y, epochs=4, validation_split=0.25, verbose=0)
    curves = by_trial(tmp_path / "study")
    assert sorted(curves) == [trial.number for trial in found.trials]
    for trial in found.trials:
        nets, first = found.histories(trial), trial.notes["first_epoch"]
        assert sorted(curves[trial.number]) == list(range(first, first + len(nets[0]["loss"])))
        for name in ("loss", "val_accuracy"):
            told = [curves[trial.number][epoch][name] for epoch in sorted(curves[trial.number])]
            np.testing.assert_allclose(told, np.mean([net[name] for net in nets], axis=0), rtol=1e-5)


def test_a_study_that_begins_anew_forgets_the_curves(tmp_path):
    for seed, trials in ((1, 4), (2, 2)):
        found = tuner.RandomSearch(
            build, "val_loss", trials, directory=tmp_path, project_name="study", seed=seed, overwrite=True
        )
        found.search(X, Y, epochs=2, validation_split=0.25, verbose=0)
    assert sorted(by_trial(tmp_path / "study")) == [0, 1]


def test_what_was_being_written_when_the_process_was_killed_is_passed_over(tmp_path):
    curves = Curves(tmp_path)
    curves.grow(0, {0: {"loss": 1.0}, 1: {"loss": float("nan"), "accuracy": 0.5}})
    curves.close()
    with (tmp_path / CURVES).open("ab") as file:
        file.write(b'{"epoch": 1, "tri')
    again = Curves(tmp_path)
    again.grow(1, {0: {"loss": 1 / 3}})
    again.close()
    found, end = read_curves(tmp_path)
    assert [one.epoch for one in found] == [0, 1]
    assert found[0].logs == {"loss": [1.0, None], "accuracy": [None, 0.5]}
    assert found[1].logs == {"loss": [0.333333]}
    assert end == (tmp_path / CURVES).stat().st_size
    assert read_curves(tmp_path, end) == ([], end)


@pytest.mark.parametrize(
    "line",
    ['[]', '{"epoch": 1}', '{"epoch": "x", "trials": [], "logs": {}}', '{"epoch": 1, "trials": [1], "logs": {"loss": []}}',
     '{"epoch": 1, "trials": [1], "logs": {"loss": [{}]}}', '{"epoch": 1, "trials": 5, "logs": {}}', '\x00\x00'],
)  # fmt: skip
def test_lines_that_are_no_curves_are_passed_over(tmp_path, line):
    good = json.dumps({"epoch": 0, "trials": [0], "logs": {"loss": [1.0]}})
    (tmp_path / CURVES).write_text(f"{line}\n{good}\n")
    assert [one.trials for one in read_curves(tmp_path)[0]] == [[0]]


def test_a_curve_that_nobody_told_as_it_grew_is_written_at_the_end(tmp_path):
    curves = Curves(tmp_path)
    curves.grow(0, {0: {"loss": 5.0}})
    curves.whole(0, 0, [{"loss": [1.0, 2.0]}])
    curves.whole(1, 3, [{"loss": [1.0, 2.0]}, {"loss": [3.0]}])
    curves.close()
    assert by_trial(tmp_path) == {0: {0: {"loss": 5.0}}, 1: {3: {"loss": 2.0}, 4: {"loss": 2.0}}}


def test_a_full_disk_costs_curves_alone(tmp_path):
    curves = Curves(tmp_path / "no such folder")
    curves.grow(0, {0: {"loss": 1.0}})
    curves.close()


def test_a_study_is_read_as_it_grows(tmp_path):
    follower = Follower(tmp_path)
    with Study(tmp_path, {"seed": 1}, storage=False) as study:
        assert len(list(follower.events())) == 1
        study.asked([Trial(0, {"a": 1}), Trial(1, {"a": 2})])
        study.told([Trial(0, {"a": 1}, "COMPLETED", [0.5])])
        assert [next(iter(set(event) - {"at", "crc"})) for event in follower.events()] == ["asked", "told"]
        assert list(follower.events()) == []
        assert [one.status for one in follower.record.trials] == ["COMPLETED", "RUNNING"]
    with Study(tmp_path, {"seed": 2}, storage=False, overwrite=True):
        assert len(list(follower.events())) == 1
        assert follower.record.trials == []


def test_a_kept_net_is_opened_without_the_function_that_built_it(tmp_path):
    found = tuner.RandomSearch(build, "val_accuracy", 3, directory=tmp_path, project_name="study", seed=1)
    found.search(X, Y, epochs=3, validation_split=0.25, verbose=0)
    opened = Nets(tmp_path / "study").best(found.best_trial, -1.0).open()
    np.testing.assert_array_equal(opened.predict(X, verbose=0), found.get_best_models()[0].predict(X, verbose=0))
