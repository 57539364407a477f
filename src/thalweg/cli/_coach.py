"""``thalweg coach``: the course's recipe as a program, told as it goes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console

from thalweg import callbacks, diagnosis
from thalweg._seconds import seconds_of
from thalweg.cli._source import OF_TABLES, Source, source_of, types_of
from thalweg.cli._train import command_with
from thalweg.diagnosis.coaching import NOT_THE_SAME, Plan, Purpose, layers_of, training_of


def coach(name: str, asked: dict[str, Any]) -> None:
    """Coach a net for a data set, and leave it as a run."""
    seconds = seconds_of(asked["time"], "--time")
    console = Console(highlight=False)
    source = source_of(name, asked)
    folder = (
        Path(asked["out"]) if asked["out"] else Path("runs") / f"{source.name}-coach-{time.strftime('%Y%m%d-%H%M%S')}"
    )
    if folder.exists():
        raise FileExistsError(f"{folder} is there already: give another folder, --out.")
    console.print("\n".join(source.lines), markup=False)
    table = hasattr(source.recipe, "goal")

    def told(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)
        status.update("trying remedies side by side ...")

    with console.status("looking at the rows ...") as status:
        diagnosis.coach(
            *source.train,
            validation=source.validation,
            target_error=asked["target_error"],
            time=seconds,
            front=source.front,
            goal=source.goal,
            preprocessing=source.recipe and source.recipe.record(),
            run=callbacks.RunFolder(folder, asked=command_with(name, {**asked, "coach": True}, source)),
            seed=asked["seed"],
            tell=told,
            code=(lambda plan: code_for_table(plan, name, asked, source)) if table else None,
        )
    console.print(
        f"wrote {folder}/\n"
        "  best.keras     the net\n"
        "  net.py         Python that builds and trains it\n"
        "  coach.json     the notebook\n"
        f"to see what is left to do: thalweg diagnose {folder}"
        + ("" if source.test is None else f"\nwhen the choice is made: thalweg test {folder} --reason '...'"),
        soft_wrap=True,
    )


def code_for_table(plan: Plan, name: str, asked: dict[str, Any], source: Source) -> str:
    """Python that reads the table, builds the net and trains it."""
    given = {option: asked[option] for option in OF_TABLES if asked.get(option)}
    target = given.pop("target").split(",")
    read = {
        "types": types_of(given.get("types")),
        "drop": (given.get("drop") or "").split(","),
        "task": given.get("task"),
    }
    options = "".join(f", {key}={value!r}" for key, value in read.items() if given.get(key))
    by = "".join(
        f", {key}={given[option]!r}" for key, option in (("group", "group"), ("time", "time_column")) if option in given
    )
    purpose = Purpose(source.front, *source.goal, source.rows)
    lines = [
        f'"""A net that the coach found for {Path(name).name}.',
        "",
        NOT_THE_SAME,
        '"""',
        "",
        "import thalweg",
        "from thalweg import callbacks, data, layers, models, optimizers, regularizers",
        "",
        f"table = data.read({name!r}, {target!r}{options})",
        *([f"table, test = table.split({asked['test']}, {asked['seed']}{by})"] if source.test is not None else []),
        f"train, rest = table.split({asked['validation']}, {asked['seed']}{by})",
        "recipe = train.recipe()",
        "(x, y), (x_val, y_val) = train.encode(recipe), rest.encode(recipe)",
        "model = models.chained(",
        "    models.table_front(recipe),",
        "    [",
        *(f"        {one}," for one in layers_of(plan, purpose)),
        "    ],",
        ")",
        *training_of(plan, purpose),
        "",
    ]
    return "\n".join(lines)
