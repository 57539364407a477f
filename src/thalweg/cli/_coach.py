"""``thalweg coach``: the course's recipe as a program, told as it goes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console

from thalweg import callbacks, diagnosis
from thalweg._seconds import seconds_of
from thalweg.cli._source import OF_TABLES, Source, source_of, types_of
from thalweg.cli._studio import stay, studio_of
from thalweg.cli._train import command_with
from thalweg.diagnosis.coaching import NOT_THE_SAME, Plan, Purpose, code_of, layers_of, training_of


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
    write = code_for_table if hasattr(source.recipe, "goal") else code_for_arrays

    def told(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    watching = studio_of(folder.parent, asked)
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
            callbacks=watching,
            seed=asked["seed"],
            tell=told,
            doing=status.update,
            code=lambda plan, purpose, ground: write(plan, purpose, ground, name, asked, source),
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
    stay(watching)


def code_for_arrays(plan: Plan, purpose: Purpose, ground: Any, name: str, asked: dict[str, Any], source: Source) -> str:
    """Python that loads arrays or pictures, builds the net and trains it."""
    load = "data.read_images" if source.recipe is not None else "thalweg.datasets.load"
    test = asked["test"] if source.cut else 0
    cut = f"data.split(rows.x, rows.y, {asked['validation']}, {test}, seed={asked['seed']})"
    return code_of(plan, purpose, ground, read=[f"rows = {load}({name!r})", f"(x, y), (x_val, y_val), _ = {cut}"])


def code_for_table(plan: Plan, purpose: Purpose, ground: Any, name: str, asked: dict[str, Any], source: Source) -> str:
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
