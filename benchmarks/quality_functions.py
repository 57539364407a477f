"""How good the best of 60 trials is on made-up functions: the Gaussian process beside Optuna's samplers.

    OPENBLAS_NUM_THREADS=1 python benchmarks/quality_functions.py [--seeds 10] [--trials 60] [--jobs 2]

prints a table of medians over seeds of the regret: the true value at the point chosen last as the best one, minus
the optimum. `--only` names functions, `--samplers` samplers.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

Suggest = Callable[[str, Any], Any]

# -- functions: what they ask for, what they return (the least possible is 0) -------------------


def branin(ask: Suggest) -> float:
    x, y = ask("x", FloatDistribution(-5, 10)), ask("y", FloatDistribution(0, 15))
    bent = (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2
    return bent + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.39788735772973816


_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(ask: Suggest) -> float:
    x = np.array([ask(f"x{i}", FloatDistribution(0, 1)) for i in range(6)])
    return 3.322368011415515 - float(np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(_A * (x - _P) ** 2).sum(1)))


def conditional(ask: Suggest) -> float:
    """Four kinds with parameters of their own; 'forest' is the good one, 'linear' is easily good enough."""
    kind = ask("kind", CategoricalDistribution(["linear", "boosted", "forest", "nearest"]))
    scale = ask("scale", FloatDistribution(0, 1))
    shared = 0.5 * (scale - 0.7) ** 2
    if kind == "linear":
        return 0.6 + shared + 0.3 * (math.log10(ask("penalty", FloatDistribution(1e-5, 10, log=True))) + 2) ** 2 / 9
    if kind == "boosted":
        rate = math.log10(ask("rate", FloatDistribution(1e-4, 1, log=True)))
        depth = ask("boost_depth", IntDistribution(1, 12))
        return 0.4 + shared + 0.4 * (rate + 1.5) ** 2 + 0.02 * (depth - 4) ** 2
    if kind == "forest":
        share = ask("share", FloatDistribution(0, 1))
        depth = ask("forest_depth", IntDistribution(1, 20))
        leaf = math.log(ask("leaf", IntDistribution(1, 64, log=True)))
        return shared + 4 * (share - 0.25) ** 2 + 0.015 * (depth - 14) ** 2 + 0.3 * (leaf - math.log(4)) ** 2
    near = math.log(ask("neighbours", IntDistribution(1, 100, log=True)))
    return 0.8 + shared + 0.2 * (near - 2) ** 2


def net(ask: Suggest) -> float:
    """Like a net's validation loss: ten parameters and more, mixed, some of them conditional."""
    optimizer = ask("optimizer", CategoricalDistribution(["adam", "sgd", "rmsprop"]))
    rate = math.log10(ask("learning_rate", FloatDistribution(1e-5, 1, log=True)))
    batch = math.log2(ask("batch_size", CategoricalDistribution([16, 32, 64, 128, 256])) / 64)
    decay = math.log10(ask("l2", FloatDistribution(1e-7, 1e-1, log=True)))
    dropout = ask("dropout", FloatDistribution(0, 0.7))
    activation = ask("activation", CategoricalDistribution(["relu", "tanh", "gelu", "sigmoid"]))
    layers = ask("layers", IntDistribution(1, 4))
    units = [math.log2(ask(f"units_{i}", IntDistribution(8, 512, log=True))) for i in range(layers)]
    wanted = {"adam": -3.0, "sgd": -1.2, "rmsprop": -3.3}[optimizer] + 0.15 * batch
    loss = {"adam": 0.0, "sgd": 0.15, "rmsprop": 0.05}[optimizer]
    if optimizer == "sgd":
        momentum = ask("momentum", FloatDistribution(0, 0.99))
        loss += 0.3 * (momentum - 0.9) ** 2
    loss += 0.25 * (rate - wanted) ** 2 if rate < wanted else 0.6 * (rate - wanted) ** 2
    loss += {"relu": 0.02, "tanh": 0.1, "gelu": 0.0, "sigmoid": 0.3}[activation]
    capacity = sum(units) - 2.0 * (layers - 1)
    loss += 0.01 * (capacity - 17.0) ** 2 + 0.05 * (layers - 3) ** 2
    held_back = dropout / 0.35 + (decay + 7) / 4  # dropout and decay stand in for each other
    return loss + 0.1 * (held_back - 1.5) ** 2 + 0.3 * (dropout - 0.2) ** 2 + 0.01 * batch**2


def noisy(ask: Suggest) -> float:
    """Hartmann's function in its first four parameters; noise is added to what is told, not to what is reported."""
    x = np.array([ask(f"x{i}", FloatDistribution(0, 1)) for i in range(4)])
    value = np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(_A[:, :4] * (x - _P[:, :4]) ** 2).sum(1))
    return 3.72983998 - float(value)


FUNCTIONS = {one.__name__: one for one in (branin, hartmann, conditional, net, noisy)}
NOISE = {"noisy": 0.3}


# -- samplers ----------------------------------------------------------------------------------


def sampler_of(name: str, seed: int) -> optuna.samplers.BaseSampler:
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    if name == "tpe joint":
        return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
    from thalweg.tuner.searches._gaussian_process import GaussianProcessSampler

    _, *options = name.split()  # 'gp', or 'gp acquisition=lcb num_initial_points=5'
    settings = {key: _read(value) for key, value in (one.split("=") for one in options)}
    return GaussianProcessSampler(seed, **settings)


def _read(value: str) -> Any:
    try:
        return int(value) if value.isdigit() else float(value)
    except ValueError:
        return value


# -- one search --------------------------------------------------------------------------------


def regret(job: tuple[str, str, int, int, int]) -> tuple[float, float]:
    """The true value at the best point, and the seconds a trial took to ask for.

    Parameters are asked for one by one, as `build(hp)` does, so that a trial has those that it uses.
    """
    function_name, sampler_name, seed, trials, batch = job
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=sampler_of(sampler_name, seed))
    rng = np.random.default_rng(seed)
    true: list[float] = []
    seconds = 0.0
    while len(true) < trials:
        asked = []
        for _ in range(min(batch, trials - len(true))):
            begun = time.perf_counter()
            trial = study.ask()
            value = FUNCTIONS[function_name](_suggest(trial))
            seconds += time.perf_counter() - begun
            asked.append((trial, value))
        for trial, value in asked:
            true.append(value)
            study.tell(trial, value + NOISE.get(function_name, 0.0) * rng.standard_normal())
    return true[study.best_trial.number], seconds / trials


def _suggest(trial: optuna.Trial) -> Suggest:
    return lambda name, distribution: trial._suggest(name, distribution)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--only", nargs="*", default=list(FUNCTIONS))
    parser.add_argument("--samplers", nargs="*", default=["random", "tpe", "tpe joint", "gp"])
    given = parser.parse_args()
    rows = [(function, batch) for function in given.only for batch in given.batches]
    jobs = [
        (function, sampler, seed, given.trials, batch)
        for function, batch in rows
        for sampler in given.samplers
        for seed in range(given.seeds)
    ]
    with ProcessPoolExecutor(given.jobs) as pool:
        found = dict(zip(jobs, pool.map(regret, jobs), strict=True))
    print(f"| function | batch | {' | '.join(given.samplers)} |")
    print("|---|---|" + "---|" * len(given.samplers))
    for function, batch in rows:
        cells = []
        for sampler in given.samplers:
            all_of = [found[function, sampler, seed, given.trials, batch] for seed in range(given.seeds)]
            median, mean = statistics.median(r for r, _ in all_of), statistics.mean(r for r, _ in all_of)
            cells.append(f"{median:.3g} ({mean:.3g}, {1e3 * statistics.mean(s for _, s in all_of):.0f} ms)")
        print(f"| {function} | {batch} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
