"""GaussianProcessSampler: what it proposes, from what, and how fast it may be kept up to date."""

from __future__ import annotations

import math
import statistics

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from thalweg.tuner.searches._acquisition import lcb, log_ei
from thalweg.tuner.searches._activity import Learnt, Told
from thalweg.tuner.searches._encoding import Features, Space
from thalweg.tuner.searches._gaussian_process import GaussianProcessSampler
from thalweg.tuner.searches._kernel import Kernel, fit
from thalweg.tuner.searches._model import checkpoint, subset
from thalweg.tuner.searches._posterior import Posterior
from thalweg.tuner.searches._targets import noise_of, scalarized, warped

UNIT = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}
MIXED = {
    "rate": FloatDistribution(1e-5, 1, log=True),
    "units": IntDistribution(8, 512, log=True),
    "layers": IntDistribution(1, 4),
    "drop": FloatDistribution(0, 0.6, step=0.1),
    "batch": CategoricalDistribution([16, 32, 64, 128]),
    "kind": CategoricalDistribution(["relu", "tanh", "gelu"]),
    "bias": CategoricalDistribution([False, True]),
    "fixed": CategoricalDistribution(["only"]),
}


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


def new_study(sampler=None, **how):
    return optuna.create_study(sampler=sampler or GaussianProcessSampler(0), **how)


def study_of(points, distributions, sampler=None, attrs=None, **how):
    """A study whose trials are (params, score) pairs; None is a failed trial."""
    study = new_study(sampler, **how)
    for i, (params, score) in enumerate(points):
        study.add_trial(
            create_trial(
                params=params,
                distributions={name: distributions[name] for name in params},
                values=None if score is None else list(np.atleast_1d(score)),
                state=TrialState.FAIL if score is None else TrialState.COMPLETE,
                user_attrs=(attrs or {}).get(i, {}),
            )
        )
    return study


def bowl(params, at=(0.3, 0.6)):
    return (params["x"] - at[0]) ** 2 + (params["y"] - at[1]) ** 2


def scattered(count, seed=0, f=bowl, distributions=UNIT):
    rng = np.random.default_rng(seed)
    space = Space(distributions)
    points = [space.values(row) for row in space.snap(rng.random((count, space.size)))]
    return [(params, f(params)) for params in points]


def branin(x, y):
    bent = (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2
    return bent + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


# -- the space as a cube -----------------------------------------------------------------------


def test_every_value_has_a_coordinate_and_comes_back_from_it():
    space = Space(MIXED)
    rng = np.random.default_rng(0)
    for row in space.snap(rng.random((200, space.size))):
        values = space.values(row)
        assert values["fixed"] == "only" and list(values) == list(MIXED)
        for name, value in values.items():
            assert MIXED[name]._contains(MIXED[name].to_internal_repr(value))
        np.testing.assert_allclose(space.row(values), row, atol=1e-12)
        assert type(values["units"]) is int and type(values["rate"]) is float and type(values["bias"]) is bool


def test_uniform_coordinates_are_uniform_values():
    space = Space({"layers": IntDistribution(1, 4), "kind": CategoricalDistribution(["a", "b", "c"])})
    values = [space.values(row) for row in np.random.default_rng(0).random((3000, 2))]
    for name, share in (("layers", 1 / 4), ("kind", 1 / 3)):
        _, counts = np.unique([one[name] for one in values], return_counts=True)
        np.testing.assert_allclose(counts / 3000, share, atol=0.03)


def test_the_order_of_numbers_is_kept_and_choices_without_order_are_equally_far_apart():
    space = Space({"batch": MIXED["batch"], "kind": MIXED["kind"]})
    features = Features(space, np.zeros(2, dtype=bool))
    rows = np.stack([space.row({"batch": 16 * 2**i, "kind": kind}) for i, kind in enumerate(["relu", "tanh", "gelu"])])
    found = features(rows)
    assert np.all(np.diff(found[:, 0]) > 0)
    distances = np.linalg.norm(found[:, None, 1:] - found[None, :, 1:], axis=2)
    np.testing.assert_allclose(distances, 1 - np.eye(3), atol=1e-12)


def test_points_that_share_a_missing_parameter_are_not_told_apart_by_it():
    distributions = {"kind": MIXED["kind"], "leaf": MIXED["kind"], "depth": IntDistribution(1, 9)}
    space = Space(distributions)
    features = Features(space, np.array([False, True, True]))
    without, other, there = features(
        np.stack([space.row({"kind": "relu"}), space.row({"kind": "tanh"}), space.row({"kind": "relu", "depth": 5})])
    )
    assert np.flatnonzero(without != other).tolist() == [0, 1]  # the indicators of 'relu' and 'tanh'
    assert np.linalg.norm(without - there) >= 0.5  # even where depth is in the middle


# -- which parameters are there ------------------------------------------------------------------

NET = {
    "optimizer": CategoricalDistribution(["adam", "sgd", "rmsprop"]),
    "layers": IntDistribution(1, 4),
    "units_0": IntDistribution(8, 64),
    "units_1": IntDistribution(8, 64),
    "units_2": IntDistribution(8, 64),
    "momentum": FloatDistribution(0, 1),
    "nesterov": CategoricalDistribution([False, True]),
    "damping": FloatDistribution(0, 1),
}


def net_active(values):
    names = {"optimizer", "layers", *(f"units_{i}" for i in range(min(values["layers"], 3)))}
    if values["optimizer"] == "sgd":
        names |= {"momentum", "nesterov"}
        if values["nesterov"]:
            names.add("damping")
    return names


def net_rows(count, seed):
    space = Space(NET)
    full = space.snap(np.random.default_rng(seed).random((count, space.size)))
    return space, full, Told(space, net_active).mask(full)


def test_activity_is_learnt_from_what_the_trials_have():
    space, _, seen = net_rows(60, 0)
    learnt = Learnt(space, seen, np.empty((0, space.size)))
    _, full, expected = net_rows(500, 1)
    wrong = (np.isnan(learnt.mask(full)) != np.isnan(expected)).mean()
    assert wrong < 0.005


def test_failed_trials_teach_what_they_have_and_not_what_they_lack():
    space = Space({"kind": CategoricalDistribution(["a", "b"]), "x": UNIT["x"], "late": UNIT["y"]})
    well = np.stack([space.row({"kind": "a", "late": 0.5})] * 4)
    failed = np.stack([space.row({"kind": "b", "x": 0.5})] * 3)  # ended before it asked for 'late'
    masked = Learnt(space, well, failed).mask(np.full((2, 3), 0.25) + [[0.0], [0.5]])
    assert np.isnan(masked).tolist() == [[False, True, False], [False, False, False]]


# -- the process -------------------------------------------------------------------------------


def some_trials(count, size=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.random((count, size))
    return x, np.sin(5 * x).sum(1) + 0.1 * rng.standard_normal(count)


KERNEL = Kernel(np.array([0.4, 0.9, 2.0]), signal=1.3, noise=1e-2)


def test_the_posterior_is_scikit_learns():
    x, y = some_trials(40)
    at = np.random.default_rng(1).random((7, 3))
    theirs = ConstantKernel(1.3) * Matern(KERNEL.lengths, nu=2.5) + ConstantKernel(1.0)
    mean, deviation = GaussianProcessRegressor(theirs, alpha=1e-2, optimizer=None).fit(x, y).predict(at, True)
    posterior = Posterior(KERNEL, base=25)
    posterior.observe(x, np.full(40, 1e-2))
    found, variance = posterior.moments(at / KERNEL.lengths, posterior.targets(y))
    np.testing.assert_allclose(found, mean, atol=1e-8)
    np.testing.assert_allclose(np.sqrt(variance), deviation, atol=1e-8)


def test_a_posterior_that_has_grown_and_changed_is_one_made_at_once():
    x, y = some_trials(150)
    at = np.random.default_rng(1).random((7, 3)) / KERNEL.lengths
    noises = np.full(150, 1e-2)
    grown = Posterior(KERNEL, base=30)
    for count in (30, 31, 64, 100):
        grown.observe(x[:count], noises[:count])
    grown.observe(np.concatenate([x[:90], x[120:130]]), noises[:100])  # other pending trials
    assert grown.observe(x, noises) == 90
    at_once = Posterior(KERNEL, base=150)
    at_once.observe(x, noises)
    for one, other in zip(grown.moments(at, grown.targets(y)), at_once.moments(at, at_once.targets(y)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


def test_a_believed_trial_leaves_the_mean_and_takes_the_deviation():
    x, y = some_trials(30)
    at = np.random.default_rng(1).random((5, 3)) / KERNEL.lengths
    before, after = Posterior(KERNEL, 20), Posterior(KERNEL, 20)
    before.observe(x[:29], np.full(29, 1e-2))
    after.observe(x, np.full(30, 1e-2))
    mean, variance = before.moments(at, before.targets(y[:29]))
    believed, less = after.moments(at, after.targets(y[:29]))
    np.testing.assert_allclose(believed, mean, atol=1e-12)
    assert np.all(less < variance)


def test_gradients_of_the_posterior_and_of_the_acquisitions():
    x, y = some_trials(30)
    posterior = Posterior(KERNEL, 30)
    posterior.observe(x, np.full(30, 1e-2))
    w = posterior.targets(y)
    at = np.random.default_rng(2).random((4, 3)) / KERNEL.lengths
    for acquisition in (log_ei, lcb):

        def value(points, acquisition=acquisition):
            return acquisition(*posterior.moments(points, w), float(y.min()))[0]

        mean, variance, d_mean, d_variance = posterior.gradients(at, w, posterior.weights(w))
        _, by_mean, by_variance = acquisition(mean, variance, float(y.min()))
        exact = by_mean[:, None] * d_mean + by_variance[:, None] * d_variance
        for j in range(3):
            step = 1e-6 * np.eye(3)[j]
            np.testing.assert_allclose(exact[:, j], (value(at + step) - value(at - step)) / 2e-6, rtol=1e-4, atol=1e-6)


def test_log_expected_improvement_is_exact_near_and_finite_far_away():
    z = np.array([3.0, 0.5, -0.5, -2.0, -5.0])
    draws = statistics.NormalDist()
    exact = [math.log(draws.pdf(one) + one * draws.cdf(one)) for one in z]
    np.testing.assert_allclose(log_ei(-z, np.ones(5), 0.0)[0], exact, rtol=1e-9)
    far, by_mean, _ = log_ei(np.array([40.0, 999.0, 1001.0, 1e8]), np.ones(4), 0.0)
    assert np.isfinite(far).all() and np.all(np.diff(far) < 0) and np.all(by_mean < 0)


def test_the_fit_finds_what_matters_and_how_much_is_noise():
    rng = np.random.default_rng(0)
    x = rng.random((50, 3))
    y = np.sin(6 * x[:, 0]) + 0.3 * rng.standard_normal(50)
    y = (y - y.mean()) / y.std()
    kernel = fit(x, np.arange(3), y[:, None], np.full(50, np.nan))
    assert kernel.lengths[0] < 0.5 * kernel.lengths[1:].min()
    assert 0.07 < kernel.noise < 0.35  # the truth is 0.15


def test_repeats_of_a_point_sharpen_the_noise():
    rng = np.random.default_rng(1)
    x = np.repeat(rng.random((8, 2)), 5, 0)
    smooth = np.sin(9 * x[:, 0] + 7 * x[:, 1])
    found = []
    for noise in (0.0, 0.5):
        y = smooth + noise * rng.standard_normal(40)
        y = (y - y.mean()) / y.std()
        found.append(fit(x, np.arange(2), y[:, None], np.full(40, np.nan)).noise)
    assert found[0] < 1e-3 and 0.1 < found[1] < 0.7


# -- the targets -------------------------------------------------------------------------------


def test_outliers_flatten_nothing_and_failures_are_the_worst():
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1e6, 1e300, np.nan])
    targets = warped(scores)
    assert np.isfinite(targets).all() and np.all(np.diff(targets[:9]) > 0)
    assert targets[1] - targets[0] > 0.2
    assert targets[9] == targets[8]
    assert abs(targets.mean()) < 1e-12 and abs(targets.std() - 1) < 1e-12


@pytest.mark.parametrize("scores", [[1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 1.0, 5.0], [1.0, np.nan], [-1e308, 1e308]])
def test_few_or_equal_scores_are_targets_too(scores):
    targets = warped(np.array(scores))
    assert np.isfinite(targets).all()
    if np.isnan(scores[-1]):
        assert targets[-1] > targets[0]


def test_standard_errors_are_carried_to_the_targets():
    scores = np.linspace(0, 1, 21)
    targets = warped(scores)
    errors = np.where(np.arange(21) % 2, 0.01, np.nan)
    noise = noise_of(scores, targets, errors)
    assert np.isnan(noise[::2]).all()
    slope = (targets[5] - targets[3]) / (scores[5] - scores[3])
    assert math.isclose(noise[5], (0.01 * slope) ** 2, rel_tol=0.05)


def test_scalarized_objectives_have_their_best_on_the_front():
    rng = np.random.default_rng(0)
    columns = rng.random((50, 2))
    for share in (0.1, 0.5, 0.9):
        best = columns[np.argmin(scalarized(columns, np.array([share, 1 - share])))]
        assert not np.any(np.all(columns < best, axis=1))


# -- proposals ---------------------------------------------------------------------------------


def test_the_same_trials_give_the_same_proposal_however_it_came_about():
    kept = GaussianProcessSampler(7)
    study = new_study(kept)
    under_way = []
    for i in range(34):
        trial = study.ask(UNIT)
        again = GaussianProcessSampler(7)
        frozen = study._storage.get_trial(trial._trial_id)
        fresh = again.sample_relative(study, frozen, again.infer_relative_search_space(study, frozen))
        assert not fresh or fresh == trial.params
        under_way.append(trial)
        if i % 4 == 3:  # in another order than they were asked for
            for one in reversed(under_way[1:]):
                study.tell(one, bowl(one.params))
            del under_way[1:]
    told = GaussianProcessSampler(7, number=trial.number)
    assert told.sample_relative(study, study.get_trials()[0], UNIT)


def test_seed_and_number_decide():
    points = scattered(3)

    def proposal(seed, number):
        sampler = GaussianProcessSampler(seed, number=number)
        return study_of(points, UNIT, sampler).ask(UNIT).params

    assert proposal(0, 3) == proposal(0, 3)
    assert len({tuple(proposal(seed, number).values()) for seed in (0, 1) for number in (3, 4)}) == 4
    assert proposal(0, 10**9) != proposal(0, 3)  # far beyond the sequence


def test_independent_values_are_keyed_by_name_and_in_their_range():
    study = new_study(GaussianProcessSampler(3))
    first = study.ask(MIXED).params
    assert first == new_study(GaussianProcessSampler(3)).ask(dict(reversed(MIXED.items()))).params
    assert first != new_study(GaussianProcessSampler(4)).ask(MIXED).params
    for name, value in first.items():
        assert MIXED[name]._contains(MIXED[name].to_internal_repr(value))


def test_the_space_is_the_union_with_the_latest_ranges():
    study = study_of([({"x": 0.5}, 1.0), ({"y": 0.5}, None)], UNIT)
    study.add_trial(create_trial(params={"x": 0.2}, distributions={"x": FloatDistribution(0, 0.4)}, value=1.0))
    study.ask({"fixed": MIXED["fixed"]})
    trial = study.ask()
    assert set(trial.relative_params) == {"x", "y", "fixed"}
    assert trial.relative_search_space["x"].high == 0.4
    assert trial.relative_params["fixed"] == "only"


def test_no_point_is_proposed_twice_until_all_have_been():
    space = {"a": IntDistribution(0, 3), "b": CategoricalDistribution(["p", "q", "r"])}
    study = new_study(GaussianProcessSampler(0))
    seen = []
    for i in range(14):
        trial = study.ask(space)
        seen.append(tuple(trial.params.values()))
        if i % 3:
            study.tell(trial, trial.params["a"] + len(seen) % 2)
    assert len(set(seen[1:13])) >= 11 and len(set(seen)) == 12  # the first one was drawn without a history


@pytest.mark.parametrize("acquisition", ["lcb", "log_ei"])
def test_a_batch_spreads(acquisition):
    """Even where one bowl draws them all: no two trials at a time are about to find out the same."""
    study = study_of(scattered(12), UNIT, GaussianProcessSampler(0, acquisition=acquisition))
    batch = np.array([list(study.ask(UNIT).params.values()) for _ in range(12)])
    distances = np.linalg.norm(batch[:, None] - batch[None], axis=2)[np.triu_indices(12, 1)]
    assert distances.min() > 0.01 and np.median(distances) > 0.04


@pytest.mark.parametrize("acquisition", ["lcb", "log_ei"])
def test_it_goes_where_the_bowl_is_deepest(acquisition):
    study = study_of(scattered(15), UNIT, GaussianProcessSampler(0, acquisition=acquisition))
    for _ in range(8):
        trial = study.ask(UNIT)
        study.tell(trial, bowl(trial.params))
    assert study.best_value < 1e-3


def test_maximize_is_minimize_of_the_negative():
    points = scattered(12)
    down = study_of(points, UNIT).ask(UNIT).params
    up = study_of([(params, -score) for params, score in points], UNIT, direction="maximize").ask(UNIT).params
    assert down == up


def test_failed_and_infinite_trials_are_avoided_and_counted():
    def failing(params):
        return None if params["x"] < 0.5 else bowl(params)  # the deepest point cannot be had

    study = study_of(scattered(16, f=failing), UNIT)
    proposals = []
    for _ in range(10):
        trial = study.ask(UNIT)
        proposals.append(trial.params["x"])
        score = failing(trial.params)
        study.tell(trial, score, state=TrialState.FAIL if score is None else TrialState.COMPLETE)
    assert np.mean(np.array(proposals) > 0.5) >= 0.7

    study = study_of([({"x": 0.1 * i, "y": 0.5}, None if i < 8 else math.inf) for i in range(10)], UNIT)
    assert study.ask(UNIT).params  # no score at all: still the initial design


def test_rejected_trials_say_nothing():
    points = scattered(12)
    plain = study_of(points, UNIT)
    marked = study_of([*points, (points[0][0], None)], UNIT, attrs={12: {"rejected": True}})
    for study in (plain, marked):
        study.sampler = GaussianProcessSampler(0, number=12)
    assert plain.ask(UNIT).params == marked.ask(UNIT).params


def test_known_errors_count_as_noise():
    line = {"x": FloatDistribution(0, 1)}
    points = [({"x": float(x)}, float(x) + (-3.0 if i == 7 else 0.0)) for i, x in enumerate(np.linspace(0, 1, 12))]
    trusted = study_of(points, line, GaussianProcessSampler(0, beta=0.0))
    doubted = study_of(points, line, GaussianProcessSampler(0, beta=0.0), attrs={7: {"standard_error": 30.0}})
    assert abs(trusted.ask(line).params["x"] - 7 / 11) < 0.1
    assert doubted.ask(line).params["x"] < 0.2


def test_several_objectives_cover_the_front():
    study = optuna.create_study(
        directions=["minimize", "maximize"], sampler=GaussianProcessSampler(0, num_initial_points=6)
    )
    for _ in range(26):
        trial = study.ask(UNIT)
        x, y = trial.params.values()
        study.tell(trial, (x + 0.5 * y, -((1 - x) ** 2) - 0.5 * y))
    front = [trial.params for trial in study.best_trials]
    assert len(front) >= 10
    xs = [params["x"] for params in front]
    assert min(xs) < 0.2 and max(xs) > 0.8
    assert np.median([params["y"] for params in front]) < 0.05


def conditional(ask):
    if ask("kind", CategoricalDistribution(["flat", "deep"])) == "flat":
        return 1.0 + 0.2 * ask("slope", UNIT["x"])
    return (ask("x", UNIT["x"]) - 0.3) ** 2 + 0.01 * abs(ask("depth", IntDistribution(1, 9)) - 6)


def test_a_conditional_space_is_searched_in_its_good_branch():
    study = new_study(GaussianProcessSampler(1))
    for _ in range(30):
        trial = study.ask()
        study.tell(trial, conditional(trial._suggest))
    assert study.best_value < 0.01
    assert sum(trial.params["kind"] == "deep" for trial in study.trials[15:]) >= 12


def test_somebody_may_say_which_parameters_are_active():
    asked = []

    def active(values):
        asked.append(dict(values))
        return {"kind", "depth"} if values["kind"] == "deep" else {"kind"}

    space = {"kind": CategoricalDistribution(["flat", "deep"]), "depth": IntDistribution(1, 9)}
    study = new_study(GaussianProcessSampler(0, active=active))
    points = []
    for _ in range(10):
        trial = study.ask(space)  # has a depth even where it is flat
        deep = trial.params["kind"] == "deep"
        points.append(trial.params["depth"] if deep else "flat")
        study.tell(trial, 0.1 * trial.params["depth"] if deep else 1.0)
    assert asked and {"kind", "depth"} == set(asked[-1])
    assert len(set(points)) == 10  # 'flat' is one point, whatever its depth


def test_the_best_of_a_mixed_space_is_found_in_batches():
    def cost(params):
        kind = {"relu": 1.0, "tanh": 0.0, "gelu": 0.5}[params["kind"]]
        size = 0.3 * abs(params["layers"] - 2) + 0.2 * abs(math.log2(params["batch"]) - 5)
        return (math.log10(params["rate"]) + 2) ** 2 + kind + size

    study = new_study(GaussianProcessSampler(0))
    for _ in range(8):
        for trial in [study.ask(MIXED) for _ in range(6)]:
            study.tell(trial, cost(trial.params))
    assert study.best_value < 0.2
    assert [study.best_params[name] for name in ("kind", "layers", "batch")] == ["tanh", 2, 32]


def test_noise_is_told_from_the_function():
    rng = np.random.default_rng(0)
    study = study_of([], UNIT)
    for _ in range(28):
        trial = study.ask(UNIT)
        study.tell(trial, bowl(trial.params) + 0.1 * rng.standard_normal())
    late = [bowl(trial.params) for trial in study.trials[18:]]
    assert statistics.median(late) < 0.05


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="Did you mean 'log_ei'"):
        GaussianProcessSampler(0, acquisition="log_e")
    with pytest.raises(ValueError, match="seed"):
        GaussianProcessSampler(-1)
    with pytest.raises(ValueError, match="num_initial_points must be"):
        GaussianProcessSampler(0, num_initial_points=0)
    with pytest.raises(ValueError, match="beta must be"):
        GaussianProcessSampler(0, beta=-1.0)


# -- effort and worth --------------------------------------------------------------------------


def test_kernels_are_fitted_at_few_and_fixed_counts_of_trials():
    marks = sorted({checkpoint(count) for count in range(1, 1001)})
    assert len(marks) < 70 and marks[:20] == list(range(1, 21))
    assert max(after / before for before, after in zip(marks[20:], marks[21:], strict=False)) <= 1.1
    chosen = subset(-np.arange(1000.0))
    assert len(chosen) == len(set(chosen)) == 300 and set(range(900, 1000)) <= set(chosen) and chosen[0] < 10


def test_a_batch_at_many_trials_refits_nothing(monkeypatch):
    from thalweg.tuner.searches import _model

    fits, factored = [], []
    monkeypatch.setattr(_model, "fit", lambda *data: fits.append(1) or fit(*data))
    begin = Posterior._begin
    monkeypatch.setattr(Posterior, "_begin", lambda self, *rows: factored.append(1) or begin(self, *rows))
    study = study_of(scattered(300), UNIT)
    for _ in range(16):
        study.ask(UNIT)
    assert len(fits) == len(factored) == 1


def test_better_than_random_on_branin():
    space = {"x": FloatDistribution(-5, 10), "y": FloatDistribution(0, 15)}

    def best(sampler):
        study = new_study(sampler)
        for _ in range(25):
            trial = study.ask(space)
            study.tell(trial, branin(**trial.params))
        return study.best_value - 0.397887

    found = statistics.median(best(GaussianProcessSampler(seed)) for seed in range(5))
    drawn = statistics.median(best(optuna.samplers.RandomSampler(seed=seed)) for seed in range(5))
    assert found < 0.05 < drawn
