"""The Gaussian process as an Optuna sampler, on functions whose least value is known."""

import math
import statistics

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from thalweg.tuner.searches._gaussian_process import GaussianProcessSampler


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


BRANIN = {"x": FloatDistribution(-5, 10), "y": FloatDistribution(0, 15)}


def branin(p):
    x, y = p["x"], p["y"]
    bent = (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2
    return bent + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.39788735772973816


MIXED = {
    "rate": FloatDistribution(1e-4, 1.0, log=True),
    "kind": CategoricalDistribution(("a", "b", "c")),
    "layers": IntDistribution(1, 3),
    "size": CategoricalDistribution((16, 32, 64)),
}


def mixed(p):
    cost = (math.log10(p.get("rate", 0.01)) + 2) ** 2 + {"a": 1.0, "b": 0.0, "c": 0.5}[p["kind"]]
    return cost + 0.3 * abs(p["layers"] - 2) + abs(math.log2(p["size"]) - 5) * 0.2


def play(function, space, count, seed=0, sampler=None, batch=1, direction="minimize"):
    study = optuna.create_study(direction=direction)
    ours = GaussianProcessSampler(seed) if sampler is None else sampler
    study.sampler = ours
    number = 0
    while number < count:
        asked = []
        for _ in range(min(batch, count - number)):
            if sampler is None:
                ours.number = number
            asked.append(study.ask(space))
            number += 1
        for trial in asked:
            study.tell(trial, function(trial.params))
    return study


def points(study):
    return [tuple(sorted(trial.params.items())) for trial in study.trials]


def test_it_beats_random_on_branin():
    ours = [play(branin, BRANIN, 25, seed).best_value for seed in range(2)]
    chance = [play(branin, BRANIN, 25, s, optuna.samplers.RandomSampler(seed=s)).best_value for s in range(9)]
    assert max(ours) < 0.2 * statistics.median(chance)


def test_it_finds_the_best_of_a_mixed_space():
    study = play(mixed, MIXED, 36, batch=6)
    assert study.best_value < 0.2
    assert (study.best_params["kind"], study.best_params["layers"], study.best_params["size"]) == ("b", 2, 32)


def test_the_same_seed_proposes_the_same_and_a_new_object_goes_on_alike():
    whole = play(branin, BRANIN, 12)
    assert points(whole) == points(play(branin, BRANIN, 12))
    assert points(whole) != points(play(branin, BRANIN, 12, seed=1))
    again = optuna.create_study(sampler=GaussianProcessSampler(0, number=11))
    for trial in whole.trials[:11]:
        again.add_trial(trial)
    assert again.ask(BRANIN).params == pytest.approx(whole.trials[11].params)


def test_no_point_twice_and_batches_spread():
    found = points(play(mixed, {name: MIXED[name] for name in ("kind", "layers", "size")}, 27, batch=9))
    assert len(set(found)) == 27
    study = play(branin, BRANIN, 10)
    asked = []
    for number in range(10, 18):
        study.sampler.number = number
        asked.append(study.ask(BRANIN))
    spots = np.array([[t.params["x"] / 15, t.params["y"] / 15] for t in asked])
    gaps = np.linalg.norm(spots[:, None] - spots[None], axis=-1) + np.eye(len(spots))
    assert gaps.min() > 1e-3


def test_more_is_better_where_that_is_wanted():
    study = play(lambda p: -branin(p), BRANIN, 22, direction="maximize")
    assert study.best_value > -1.5


def test_failures_and_absurd_values_do_not_stop_it():
    study = optuna.create_study(sampler=GaussianProcessSampler(0))
    for number in range(24):
        study.sampler.number = number
        trial = study.ask(BRANIN)
        if trial.params["x"] < 0:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, 1e6 if number == 5 else branin(trial.params))
    last = [trial.state for trial in study.trials[12:]]
    assert last.count(TrialState.FAIL) <= 6, "it keeps away from where trials fail"
    assert study.best_value < 3


def test_parameters_that_are_not_always_there():
    def ask(trial):
        if trial.suggest_categorical("kind", ("a", "b")) == "a":
            return 1 + abs(trial.suggest_float("slow", 0, 1) - 0.5)
        return (trial.suggest_float("fast", 0, 1) - 0.3) ** 2

    study = optuna.create_study(sampler=GaussianProcessSampler(0))
    for number in range(25):
        study.sampler.number = number
        trial = study.ask()
        study.tell(trial, ask(trial))
    assert study.best_value < 1e-3
    assert study.best_params["kind"] == "b"


def test_noise_is_told_from_the_function():
    rng = np.random.default_rng(0)
    study = play(lambda p: branin(p) + rng.normal(0, 2.0), BRANIN, 28)
    late = [branin(trial.params) for trial in study.trials[18:]]
    assert statistics.median(late) < 10


def test_several_objectives():
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=GaussianProcessSampler(0))
    for number in range(25):
        study.sampler.number = number
        trial = study.ask({"x": FloatDistribution(0, 1)})
        study.tell(trial, [trial.params["x"] ** 2, (trial.params["x"] - 1) ** 2])
    xs = [trial.params["x"] for trial in study.best_trials]
    assert min(xs) < 0.2 and max(xs) > 0.8


def test_a_rejected_trial_says_nothing():
    study = play(branin, BRANIN, 14)
    asked = []
    for more in ([], [{"x": 3.0, "y": 2.0}]):
        other = optuna.create_study(sampler=GaussianProcessSampler(0, number=14))
        for trial in study.trials:
            other.add_trial(trial)
        for params in more:
            told = create_trial(
                state=TrialState.FAIL, params=params, distributions=BRANIN, user_attrs={"rejected": True}
            )
            other.add_trial(told)
        asked.append(other.ask(BRANIN).params)
    assert asked[0] == asked[1]
