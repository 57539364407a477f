"""``thalweg tune``: a search over dense nets for a data set."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from thalweg import tuner
from thalweg._names import Table
from thalweg.cli._interrupted import Interrupted
from thalweg.cli._source import OF_TABLES, Source, source_of
from thalweg.cli._studio import stay, studio_of
from thalweg.tuner.searches._hyperband import Hyperband

_DATA = ("validation", "test", "epochs", "seed", *OF_TABLES)
"""Options that say what is trained on, and how."""
_AGAIN = ("search", "trials", "time", "objective", "executions", "executor", "storage", *_DATA)
"""Options with which a search goes on as it began."""
_CUT = ("seed", "test", "target", "task", "group", "time_column")
"""Options that say which rows are sealed."""
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
    source = source_of(name, asked)
    folder = Path(asked["out"]) if asked["out"] else Path("studies") / f"{source.name}-{asked['search']}"
    if tuner.holds_study(folder) and not (asked["resume"] or asked["overwrite"]):
        raise FileExistsError(f"There is a study in {folder}: --resume goes on with it, --overwrite begins anew.")
    console.print("\n".join(source.lines), markup=False)
    found = made(name, source, asked, folder)
    watching = studio_of("runs", asked)
    try:
        found.search(*source.train, epochs=asked["epochs"], validation_data=source.validation, callbacks=watching)
    except KeyboardInterrupt:
        given = {option.replace("_", "-"): asked[option] for option in _AGAIN if asked.get(option) is not None}
        again = " ".join(f"--{option} {shlex.quote(str(value))}" for option, value in given.items())
        console.print(f"interrupted; to go on: thalweg tune {name} {again} --out {folder} --resume", soft_wrap=True)
        raise Interrupted from None
    path = folder / "best.keras"
    best = found.get_best_models()[0]
    best.preprocessing = source.recipe and source.recipe.record()
    best.save(path)
    console.print(
        f"wrote {folder}/\n"
        "  best.keras     the net of the best trial, as it was trained\n"
        "  journal.jsonl  every trial\n"
        "  curves.jsonl   how each of them learnt\n"
        "  study.db       the same, for optuna-dashboard\n"
        f"to train it longer: thalweg train {name}{_again(source, asked)} --from {folder}"
        + (f"\nto predict: thalweg predict {path} new.csv -o out.csv" if source.recipe else ""),
        soft_wrap=True,
    )
    stay(watching)


def _again(source: Source, asked: dict[str, Any]) -> str:
    """The options that say what a table's columns are and which rows are sealed, as they were typed."""
    brought = source.test is not None and not source.cut
    given = {option: asked[option] for option in OF_TABLES if asked.get(option)}
    given |= {} if brought else {option: asked[option] for option in ("test", "seed")}
    return "".join(f" --{option.replace('_', '-')} {shlex.quote(str(value))}" for option, value in given.items())


def made(name: str, source: Source, asked: dict[str, Any], folder: Path) -> Any:
    """The tuner that was asked for."""
    objective = asked["objective"] or f"val_{source.goal.metric}"
    common = {
        "directory": folder.parent,
        "project_name": folder.name,
        "overwrite": asked["overwrite"],
        "seed": asked["seed"],
        "max_time": asked["time"],
        "executions_per_trial": asked["executions"],
        "executor": asked["executor"],
        "storage": asked["storage"],
        "asked": {"data": name, **_told(source, asked)},
    }
    build = space_of(source, asked["epochs"])
    if asked["trials"] is None and asked["time"] is None:
        asked = {**asked, "trials": 100}
    return SEARCHES[asked["search"]](build, objective, asked, **common)


def _told(source: Source, asked: dict[str, Any]) -> dict[str, Any]:
    """The options by which a study is known again; what seals no rows has no part in it."""
    known = [one for one in _DATA if one != "test" or source.cut]
    return {option: asked[option] for option in known if asked.get(option) is not None}


def space_of(source: Source, epochs: int) -> tuner.HyperMLP:
    """The default space for these rows."""
    goal = source.goal
    return tuner.HyperMLP(
        goal.outputs,
        goal.activation,
        goal.loss,
        [goal.metric],
        front=source.front,
        rows=source.rows,
        epochs=epochs,
    )


def best_of(folder: str, source: Source, wanted: dict[str, Any]) -> tuple[Any, int]:
    """The net of a study's best trial, untrained and compiled for the epochs that are wanted, and its batch size.

    Raises:
        ValueError: where the study was not made by ``thalweg tune``, has no trial with a score, or has seen rows that are
            sealed here.

    """
    study = tuner.read_study(folder)
    asked = study.identity.get("asked")
    if asked is None:
        raise ValueError(f"{folder} is a script's study, whose build function only the script knows: train it there.")
    if source.cut:
        _refuse_other_cut(folder, asked, wanted)
    goals = [tuner.Objective(one["name"], one["direction"]) for one in study.identity["objectives"]]
    best = tuner.ranked(study.trials, goals)
    if not best or not best[0].has_score:
        raise ValueError(f"No trial of the study in {folder} has a score.")
    hp = tuner.HyperParameters(best[0].values).for_trial()
    model = space_of(source, wanted["epochs"]).build(hp)
    return model, best[0].values["batch_size"]


def _refuse_other_cut(folder: str, study: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise where rows that are sealed here may have chosen the net."""
    for option in _CUT:
        if study.get(option) != wanted.get(option):
            name = f"--{option.replace('_', '-')}"
            raise ValueError(
                f"The study in {folder} has seen rows that would be sealed here: its {name} was {study.get(option, 'none')}, "
                f"got {wanted.get(option)}. Give the same {name}, or --test 0."
            )
