"""A search from its beginning to its end, on small nets."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from nets import FIT, REST, TRAIN, build, three_points

import thalweg
from thalweg import callbacks, layers, optimizers, tuner


def search(kind=tuner.RandomSearch, folder=None, build=build, fit=FIT, **options):
    options = {"seed": 0, "directory": folder, **options}
    found = kind(build, options.pop("objective", "val_loss"), **options)
    found.search(*TRAIN, **fit)
    return found


def told(found):
    return [(t.number, t.values, t.status, t.scores, t.source, t.best_step) for t in found.trials]


KINDS = {
    "random": (tuner.RandomSearch, {"max_trials": 6}),
    "grid": (tuner.GridSearch, {"max_trials": 5}),
    "gp": (tuner.BayesianOptimization, {"max_trials": 10, "num_initial_points": 4, "parallel_trials": 3}),
    "tpe": (tuner.BayesianOptimization, {"max_trials": 14, "sampler": "tpe"}),
    "cma-es": (tuner.BayesianOptimization, {"max_trials": 14, "sampler": "cma-es"}),
    "hyperband": (tuner.Hyperband, {"max_epochs": 4, "factor": 2}),
    "bohb": (tuner.BOHB, {"max_epochs": 4, "factor": 2, "sampler": "tpe"}),
    "pbt": (tuner.PopulationBasedTraining, {"population_size": 4, "max_epochs": 4, "interval": 2}),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_search_ends_with_its_trials_and_again_with_the_same(name, tmp_path):
    kind, options = KINDS[name]
    one = search(kind, tmp_path / "one", **options)
    total = one.search_.total(None) if name != "grid" else 5
    assert len(one.trials) == total
    assert all(t.has_score for t in one.trials)
    other = search(kind, tmp_path / "other", **options)
    assert told(one) == told(other)
    new = [frozenset(t.values.items()) for t in one.trials if t.source is None]
    assert len(set(new)) == len(new), "a point was tried twice"
    best = min(one.trials, key=lambda t: t.score)
    assert one.best_trial.number == best.number
    loss, accuracy = one.get_best_models()[0].evaluate(*REST, verbose=0)
    assert loss == pytest.approx(best.score, rel=1e-5)
    assert accuracy == pytest.approx(best.metrics["val_accuracy"], abs=1e-6)


def test_a_trial_in_a_population_equals_it_alone(tmp_path):
    found = search(folder=tmp_path, max_trials=8)
    for trial in found.trials[:4]:
        model = build(tuner.HyperParameters(trial.values))
        history = model.fit(*TRAIN, **FIT, seed=trial.executions[0]["seed"])
        assert min(history.history["val_loss"]) == pytest.approx(trial.score, rel=1e-4)


def test_it_goes_on_where_it_ended(tmp_path):
    whole = search(folder=tmp_path / "whole", max_trials=8)
    search(folder=tmp_path / "parts", max_trials=3)
    parts = search(folder=tmp_path / "parts", max_trials=8)
    assert [t[:2] for t in told(parts)] == [t[:2] for t in told(whole)]
    assert [t.score for t in parts.trials] == pytest.approx([t.score for t in whole.trials], rel=1e-5)


def test_a_seed_that_nobody_gave_is_the_studys(tmp_path):
    one = search(folder=tmp_path, seed=None, max_trials=2)
    two = search(folder=tmp_path, seed=None, max_trials=3)
    assert two.seed == one.seed
    assert len(two.trials) == 3


def test_a_small_space_is_exhausted_with_a_word(tmp_path, capsys):
    found = search(folder=tmp_path, build=three_points, max_trials=10, fit={**FIT, "verbose": 2})
    assert sorted(t.values["units"] for t in found.trials) == [2, 4, 8]
    said = capsys.readouterr().out
    assert said.count("exhausted") == 1
    assert "3 points" in said and "of the 10 asked for" in said


def test_a_grid_says_what_it_takes(tmp_path, capsys):
    def large(hp):
        hp.Float("dropout", 0, 0.5)
        return three_points(hp) if hp.Int("n", 1, 3) else None

    search(tuner.GridSearch, tmp_path, build=large, max_trials=None, fit={**FIT, "epochs": 1, "verbose": 2})
    said = capsys.readouterr().out
    assert "This grid is 90 trials" in said
    assert "random search of a tenth" in said


def test_a_changed_space_is_refused_with_old_and_new(tmp_path):
    search(folder=tmp_path, build=three_points, max_trials=1)

    def other(hp):
        hp.Int("units", 2, 16)
        return three_points(tuner.HyperParameters())

    with pytest.raises(ValueError, match="units") as caught:
        search(folder=tmp_path, build=other, max_trials=2)
    assert "[2, 4, 8]" in str(caught.value) and "16" in str(caught.value)
    with pytest.raises(ValueError, match="seed"):
        search(folder=tmp_path, build=three_points, max_trials=2, seed=5)
    assert len(search(folder=tmp_path, build=other, max_trials=2, overwrite=True).trials) == 2


def test_batch_size_epochs_and_class_weights_are_searched_in_fit(tmp_path):
    class Searched(tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            weight = hp.Float("weight", 0.5, 2.0)
            kwargs["epochs"] = hp.Int("epochs", 1, 3)
            return model.fit(
                *args, **{**kwargs, "batch_size": hp.Choice("batch_size", [8, 16])}, class_weight={0: weight}
            )

    found = search(folder=tmp_path, build=Searched(), max_trials=6)
    assert {"weight", "epochs", "batch_size"} <= set(found.trials[0].values)
    for trial in found.trials:
        assert trial.epochs == trial.values["epochs"]
    assert found.get_best_hyperparameters()[0].values["batch_size"] in (8, 16)


def test_a_fit_may_train_twice_and_give_back_a_number(tmp_path):
    class Twice(tuner.HyperModel):
        def build(self, hp):
            return three_points(hp)

        def fit(self, hp, model, *args, **kwargs):
            model.fit(*args, **kwargs)
            model.fit(*args, **{**kwargs, "epochs": hp.Int("more", 1, 2)})
            return float(model.evaluate(*REST, verbose=0)) + hp.Float("offset", 0, 1)

    found = search(folder=tmp_path, build=Twice(), max_trials=4)
    for trial in found.trials:
        assert trial.score > trial.values["offset"]
    model = found.get_best_models()[0]
    assert model.evaluate(*REST, verbose=0) == pytest.approx(
        found.best_trial.score - found.best_trial.values["offset"], rel=1e-5
    )


def test_executions_are_members_and_the_score_is_their_mean(tmp_path):
    found = search(folder=tmp_path, max_trials=3, executions_per_trial=3)
    for trial in found.trials:
        scores = [one["scores"][0] for one in trial.executions]
        assert len({one["seed"] for one in trial.executions}) == 3
        assert trial.score == pytest.approx(np.mean(scores))
        assert trial.error == pytest.approx(np.std(scores, ddof=1) / math.sqrt(3))


def test_cross_validation_scores_every_row_once(tmp_path):
    fit = {name: value for name, value in FIT.items() if name != "validation_data"}
    found = search(folder=tmp_path, max_trials=3, cross_validation=4, fit=fit)
    for trial in found.trials:
        assert [one["fold"] for one in trial.executions] == [0, 1, 2, 3]
        assert trial.score == pytest.approx(np.mean([one["scores"][0] for one in trial.executions]))
    with pytest.raises(ValueError, match="validation_data"):
        search(folder=tmp_path / "b", cross_validation=2)


def test_a_fold_is_as_if_its_rows_were_given_alone(tmp_path):
    fit = {name: value for name, value in FIT.items() if name != "validation_data"}
    found = search(folder=tmp_path, max_trials=1, cross_validation=3, fit=fit)
    folds = found._bench(0, TRAIN, fit).folds
    trial = found.trials[0]
    for one, (train, rest) in zip(trial.executions, folds, strict=True):
        model = build(tuner.HyperParameters(trial.values))
        x, y = TRAIN
        given = {**fit, "validation_data": (x[rest], y[rest]), "seed": one["seed"]}
        history = model.fit(x[train], y[train], **given)
        assert min(history.history["val_loss"]) == pytest.approx(one["scores"][0], rel=1e-4)


def test_several_objectives_make_a_front(tmp_path):
    goals = ["val_loss", tuner.Objective("val_accuracy", "max")]
    found = search(folder=tmp_path, objective=goals, max_trials=6)
    assert all(len(t.scores) == 2 for t in found.trials)
    assert found.trials_dataframe().shape[0] == 6


def test_callbacks_stop_members_one_by_one(tmp_path):
    stopping = callbacks.EarlyStopping("val_loss", patience=1)
    found = search(folder=tmp_path, max_trials=8, fit={**FIT, "epochs": 30, "callbacks": [stopping]})
    assert len({t.epochs for t in found.trials}) > 1
    assert max(t.epochs for t in found.trials) <= 30


def test_what_raises_is_recorded_and_the_search_goes_on(tmp_path):
    def picky(hp):
        if hp.Int("n", 0, 9) % 3 == 0:
            raise RuntimeError(f"no nets for {hp.get('n')}")
        return three_points(hp)

    found = search(folder=tmp_path, build=picky, max_trials=12)
    failed = [t for t in found.trials if t.status == "FAILED"]
    assert len(found.trials) == 12
    assert failed and all("no nets for" in t.message and "Traceback" in t.message for t in failed)
    assert all(t.has_score for t in found.trials if t not in failed)


def test_a_callback_that_raises_fails_its_trial_alone(tmp_path):
    class Bomb(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if self.model.get_weights()[0].shape == (6, 4):
                raise RuntimeError("four units")

    found = search(folder=tmp_path, max_trials=6, fit={**FIT, "callbacks": [Bomb()]})
    for trial in found.trials:
        assert (trial.status == "FAILED") == (trial.values["units_0"] == 4)


def test_it_stops_after_failures_in_a_row_with_their_cause(tmp_path):
    def never(hp):
        hp.Float("a", 0, 1)
        raise RuntimeError("never")

    with pytest.raises(tuner.SearchFailed, match="never") as caught:
        search(folder=tmp_path, build=never, max_trials=50, max_consecutive_failed_trials=4)
    assert "in a row" in str(caught.value)
    assert not (tmp_path / "untitled_project" / "lock").exists() or search(
        folder=tmp_path, build=three_points, max_trials=1, overwrite=True
    )


def test_every_trial_nan_names_the_learning_rates(tmp_path):
    def floats(hp):
        model = thalweg.Sequential([thalweg.Input((6,)), layers.Dense(8), layers.Dense(1)])
        model.compile(optimizers.SGD(hp.Float("learning_rate", 1e18, 1e20, sampling="log")), "mse")
        return model

    with pytest.raises(tuner.SearchFailed, match="learning") as caught:
        search(folder=tmp_path, build=floats, max_trials=5)
    assert "5 of 5" in str(caught.value)


def test_time_ends_it(tmp_path):
    begun = time.monotonic()
    found = search(folder=tmp_path, max_trials=None, max_time="3 s", fit={**FIT, "epochs": 2})
    assert time.monotonic() - begun < 60
    assert found.trials


def test_groups_that_were_not_begun_in_time_wait_for_the_next_search(tmp_path):
    given = {"fit": {**FIT, "epochs": 2}, "max_trials": 20, "memory": 1}  # bytes: each trial is a group of its own
    found = search(folder=tmp_path, max_time=0.5, **given)
    done = [trial.number for trial in found.trials if trial.status == "COMPLETED"]
    waiting = [trial.number for trial in found.running]
    assert done and waiting
    again = search(folder=tmp_path, **given)
    assert len(again.trials) == 20 and not again.running
    assert {trial.number for trial in again.trials} >= {*done, *waiting}


def test_hyperparameters_set_beforehand_win(tmp_path):
    hp = tuner.HyperParameters()
    hp.Fixed("learning_rate", 0.02)
    hp.Choice("units_0", [4])
    found = search(folder=tmp_path, hyperparameters=hp, max_trials=3)
    assert {t.values["learning_rate"] for t in found.trials} == {0.02}
    assert {t.values["units_0"] for t in found.trials} == {4}
    hp.Choice("layers", [1, 2])
    fixed = search(folder=tmp_path / "b", hyperparameters=hp, tune_new_entries=False, max_trials=3)
    assert sorted(t.values["layers"] for t in fixed.trials) == [1, 2]
    assert "dropout" not in fixed.trials[0].values


def test_verdict(tmp_path):
    found = search(folder=tmp_path, max_trials=6)
    verdict = found.verdict(top=2, seeds=3)
    assert [len(one.scores) for one in verdict.entrants] == [3, 3]
    assert "new seeds" in str(verdict)
    again = tuner.RandomSearch(build, "val_loss", directory=tmp_path)
    with pytest.raises(ValueError, match="needs the data"):
        again.verdict()


def test_the_nets_of_all_but_the_best_are_let_go(tmp_path):
    found = search(folder=tmp_path, max_trials=8, keep=2)
    assert len(list((found.folder / "nets").iterdir())) <= 2
    assert len(found.get_best_models(2)) == 2
    worst = max(found.trials, key=lambda t: t.score)
    if worst.notes.get("nets") is None:
        with pytest.raises(ValueError, match="not kept"):
            found.model_of(worst)


def test_groups_are_in_the_journal(tmp_path):
    found = search(folder=tmp_path, max_trials=8)
    groups = list(tuner.read_study(found.folder).events("group"))
    assert sorted(n for group in groups for n in group["trials"]) == list(range(8))
    assert all(0 <= group["padding"] < 1 for group in groups)


def test_what_groups_took_is_in_the_journal_and_said_where_all_is_wanted(tmp_path, capsys):
    found = search(folder=tmp_path, max_trials=8, fit={**FIT, "verbose": 2})
    trained = list(tuner.read_study(found.folder).events("group trained"))
    assert sorted(n for group in trained for n in group["trials"]) == list(range(8))
    assert all(group["seconds"] > 0 for group in trained)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("trained ")]
    assert len(lines) == len(trained) and all("compiled" in line for line in lines)
    search(folder=tmp_path / "again", max_trials=8)  # the same programs serve again
    again = list(tuner.read_study(tmp_path / "again" / found.folder.name).events("group trained"))
    assert [group["compiled"] for group in again] == [0] * len(again)


def test_a_budget_of_memory_cuts_groups(tmp_path):
    found = search(folder=tmp_path, max_trials=6, memory=1)
    groups = list(tuner.read_study(found.folder).events("group"))
    assert [group["nets"] for group in groups] == [1] * 6


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from nets import build, TRAIN, FIT
from thalweg import tuner
found = tuner.{kind}(build, 'val_loss', seed=0, directory={folder!r}, checkpoint='1 epoch', **{options!r})
found.search(*TRAIN, **{{**FIT, 'epochs': 400}})
print('done')
"""


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RandomSearch", {"max_trials": 6}),
        pytest.param("Hyperband", {"max_epochs": 40, "factor": 6}, marks=pytest.mark.long),
    ],
)
def test_a_killed_search_goes_on_as_if_nothing_had_happened(kind, options, tmp_path):
    tests = os.path.dirname(__file__)

    def script(folder):
        text = SCRIPT.format(tests=tests, kind=kind, folder=str(tmp_path / folder), options=options)
        return subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    whole = script("whole")
    said = whole.communicate(timeout=300)[0]
    assert "done" in said, said
    kills = 0
    for _ in range(10):
        running = script("killed")
        groups = tmp_path / "killed" / "untitled_project" / "groups"
        until = time.monotonic() + 120
        while running.poll() is None and time.monotonic() < until:
            if kills < 2 and groups.is_dir() and any(groups.rglob("epoch-*")):
                time.sleep(0.05 * (kills + 1))
                running.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.01)
        said = running.communicate(timeout=120)[0]
        assert running.returncode in (0, -signal.SIGKILL), said
        if running.returncode == 0:
            break
    assert kills == 2
    one, two = (tuner.read_study(tmp_path / name / "untitled_project").trials for name in ("whole", "killed"))
    assert [(t.values, t.scores, t.source) for t in one] == [(t.values, t.scores, t.source) for t in two]
    lines = (tmp_path / "killed" / "untitled_project" / "journal.jsonl").read_text().splitlines()
    ends = [t["number"] for line in lines for t in json.loads(line).get("told", [])]
    assert len(ends) == len(set(ends)) == len(two)


class Presses:
    """Something whose end is the moment of a Ctrl-C: what a destructor raises is lost, as in JAX's own at a collection."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_whose_exception_is_lost_ends_the_search_all_the_same(tmp_path):
    def pressed(hp):
        Presses()
        return build(hp)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        search(folder=tmp_path, build=pressed, max_trials=3)
    assert signal.getsignal(signal.SIGINT) == before
    study = tuner.read_study(tmp_path / "untitled_project")
    assert not any(trial.has_score for trial in study.trials)
