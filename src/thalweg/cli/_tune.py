"""``thalweg tune``: a search over dense nets for a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from thalweg import datasets, tuner
from thalweg._names import Table
from thalweg.cli._train import Interrupted, goal_of, said, scaling, split
from thalweg.tuner.searches._hyperband import Hyperband

_AGAIN = ("search", "trials", "time", "epochs", "objective", "executions", "validation", "seed", "executor", "storage")
"""Options with which a search goes on as it began."""
_FACTOR = 3  # by how much a round of Hyperband has fewer trials and more epochs


def _random(build: Any, goal: Any, wanted: dict[str, Any], **common: Any) -> Any:
    return tuner.RandomSearch(build, goal, wanted["trials"], **common)


def _sampled(sampler: str) -> Callable[..., Any]:
    def make(build: Any, goal: Any, wanted: dict[str, Any], **common: Any) -> Any:
        return tuner.BayesianOptimization(build, goal, wanted["trials"], sampler=sampler, **common)

    return make


def _rounds(kind: Any) -> Callable[..., Any]:
    def make(build: Any, goal: Any, wanted: dict[str, Any], **common: Any) -> Any:
        one = sum(Hyperband(wanted["epochs"], _FACTOR).sizes().values())
        times = -(-(wanted["trials"] or one) // one)
        return kind(build, goal, wanted["epochs"], _FACTOR, times, max_trials=wanted["trials"], **common)

    return make


def _population_based(build: Any, goal: Any, wanted: dict[str, Any], **common: Any) -> Any:
    interval = max(1, wanted["epochs"] // 10)
    size = max(2, (wanted["trials"] or 160) // -(-wanted["epochs"] // interval))
    return tuner.PopulationBasedTraining(build, goal, size, wanted["epochs"], interval, **common)


SEARCHES = Table(
    "search",
    {
        "random": _random,
        "bayesian": _sampled("gp"),
        "tpe": _sampled("tpe"),
        "cma-es": _sampled("cma-es"),
        "hyperband": _rounds(tuner.Hyperband),
        "bohb": _rounds(tuner.BOHB),
        "pbt": _population_based,
    },
)
"""How each name makes a tuner."""


def tune(name: str, asked: dict[str, Any]) -> None:
    """Search as asked; a study that is there goes on where that is asked for.

    Raises:
        FileExistsError: where there is a study already, and nobody said what to do with it.

    """
    console = Console(highlight=False)
    held = datasets.load(name)
    folder = Path(asked["out"]) if asked["out"] else Path("studies") / f"{held.name}-{asked['search']}"
    if tuner.holds_study(folder) and not (asked["resume"] or asked["overwrite"]):
        raise FileExistsError(f"There is a study in {folder}: --resume goes on with it, --overwrite begins anew.")
    train_rows, validation = split(held.x, held.y, asked["validation"], asked["seed"])
    console.print(said(held, train_rows[0], validation[0]))
    found = made(name, train_rows, held.y, asked, folder)
    try:
        found.search(*train_rows, epochs=asked["epochs"], validation_data=validation)
    except KeyboardInterrupt:
        again = " ".join(f"--{option} {asked[option]}" for option in _AGAIN if asked[option] is not None)
        console.print(f"interrupted; to go on: thalweg tune {name} {again} --out {folder} --resume", soft_wrap=True)
        raise Interrupted from None
    path = folder / "best.keras"
    found.get_best_models()[0].save(path)
    console.print(
        f"wrote {folder}/\n"
        "  best.keras     the net of the best trial, as it was trained\n"
        "  journal.jsonl  every trial\n"
        "  study.db       the same, for optuna-dashboard\n"
        f"to train it longer: thalweg train {name} --from {folder}"
    )


def made(name: str, train_rows: Any, y: Any, asked: dict[str, Any], folder: Path) -> Any:
    """The tuner that was asked for."""
    goal = goal_of(y)
    objective = asked["objective"] or f"val_{goal.metric}"
    common = {
        "directory": folder.parent,
        "project_name": folder.name,
        "overwrite": asked["overwrite"],
        "seed": asked["seed"],
        "max_time": asked["time"],
        "executions_per_trial": asked["executions"],
        "executor": asked["executor"],
        "storage": asked["storage"],
        "asked": {"data": name, "validation": asked["validation"], "epochs": asked["epochs"], "seed": asked["seed"]},
    }
    build = space_of(train_rows[0], goal, asked["epochs"])
    if asked["trials"] is None and asked["time"] is None:
        asked = {**asked, "trials": 100}
    return SEARCHES[asked["search"]](build, objective, asked, **common)


def space_of(x: Any, goal: Any, epochs: int) -> tuner.HyperMLP:
    """The default space for these rows."""
    return tuner.HyperMLP(
        goal.outputs,
        goal.activation,
        goal.loss,
        [goal.metric],
        input_shape=x.shape[1:],
        front=scaling(x),
        rows=len(x),
        epochs=epochs,
    )


def best_of(folder: str, x: Any, y: Any, epochs: int) -> tuple[Any, int]:
    """The net of a study's best trial, untrained and compiled for `epochs`, and its batch size.

    Raises:
        ValueError: where the study was not made by ``thalweg tune``, or has no trial with a score.

    """
    study = tuner.read_study(folder)
    asked = study.identity.get("asked")
    if asked is None:
        raise ValueError(f"{folder} is a script's study, whose build function only the script knows: train it there.")
    goals = [tuner.Objective(one["name"], one["direction"]) for one in study.identity["objectives"]]
    best = tuner.ranked(study.trials, goals)
    if not best or not best[0].has_score:
        raise ValueError(f"No trial of the study in {folder} has a score.")
    hp = tuner.HyperParameters(best[0].values).for_trial()
    model = space_of(x, goal_of(y), epochs).build(hp)
    return model, best[0].values["batch_size"]
