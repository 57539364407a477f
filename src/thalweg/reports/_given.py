"""The net that a report is of, and the rows that it was trained and validated on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thalweg import datasets
from thalweg.callbacks import Run
from thalweg.data import refuse_sealed
from thalweg.models import load_model


class Given(NamedTuple):
    """A net and its rows.

    Attributes:
        model: the best net of the run.
        train, validation: ``(x, y)`` each, or None.
        names: of the classes, labels or numbers; None: they are counted.
        frame: the validation rows as they were read, a pandas frame; None where they were no table.
        scale: (deviations, means) of targets that the net sees scaled; None where it sees them as they are.
        pictures: whether rows that may be pictures are ones.
        unit: what 1 in the net's outputs is in the target's unit, and words for it.
        said: what a person should know of the data.
        known: whether the rows are known to be those of the run.

    """

    model: Any
    train: Any
    validation: Any
    names: tuple[str, ...] | None = None
    frame: Any = None
    scale: tuple[np.ndarray, np.ndarray] | None = None
    pictures: bool = False
    unit: tuple[float, str] = (1.0, "")
    said: tuple[str, ...] = ()
    known: bool = False


def given_by_hand(run: Run, train: Any, validation: Any, model: Any) -> Given:
    """Rows that a script hands over.

    Raises:
        ValueError: where the run has no single best net and none was handed over.

    """
    refuse_sealed(train, validation)
    if model is None:
        path = run.path / "best.keras"
        if not path.is_file():
            raise ValueError(
                f"There is no {path}: hand over the net itself, report(run, train=..., validation=..., model=model)."
            )
        model = load_model(path)
    return Given(model, train, validation)


def given_by_command(run: Run) -> Given:
    """Rows made again from the command that began the run.

    Raises:
        ValueError: saying why that cannot be, and what to do.

    """
    from thalweg.cli._again import again  # what the commands train on is theirs to know

    members = run.record.get("members")
    example = f"thalweg.reports.report({str(run.path)!r}, train=(x, y), validation=(x, y)"
    if members:
        raise ValueError(
            f"This run trained {members} nets side by side, and this section is of one net. For that of a member: "
            f"{example}, model=thalweg.models.load_model({str(run.path / 'best-000.keras')!r}))"
        )
    _, source, model = again(str(run.path), f"{example}) gives all sections.")
    goal: Any = getattr(source.recipe, "goal", None)
    scaled = goal is not None and goal.TASK == "regression"
    return Given(
        model,
        source.train,
        source.validation,
        getattr(goal, "classes", None) or getattr(goal, "targets", None) or getattr(source.recipe, "classes", None),
        source.frame,
        (np.array(goal.deviations), np.array(goal.means)) if scaled else None,
        source.name in datasets.NAMES or hasattr(source.recipe, "height"),
        source.unit,
        tuple(source.lines),
        True,
    )
