"""Many nets like one, trained as one population, and how each errs, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg import data
from thalweg._checks import whole
from thalweg._seeds import checked
from thalweg.data import DataError, Rows
from thalweg.diagnosis._measured import inputs_of, rows_of
from thalweg.diagnosis._tasks import task_of
from thalweg.models import Population

SPARED = 0.2
"""Of the rows, where nobody names others to validate on."""
_BLOCK = 4096  # rows whose outputs are held at once, of all nets
_OURS = ("rows", "validation_rows", "validation_data", "validation_split", "seeds", "run")


class Ground(NamedTuple):
    """What nets learn from and are measured on.

    Attributes:
        task: what an error is.
        train: rows to learn from.
        rest: rows to validate on.
        spread: what errors are measured by, from the training targets.

    """

    task: Any
    train: Rows
    rest: Rows
    spread: Any

    @property
    def targets(self) -> np.ndarray:
        """Of the training rows."""
        return np.asarray(self.task.targets(self.train.y[0]))

    @property
    def strata(self) -> np.ndarray:
        """A number a training row; rows of one number are drawn in proportion."""
        return self.targets if self.task.NAME == "classes" else np.zeros(self.train.n, int)


def ground_of(who: str, model: Any, x: Any, y: Any, validation: Any, seed: int, fit: Mapping[str, Any]) -> Ground:
    """Look the rows over, and spare some of them where none are given to validate on.

    Args:
        who: asks, for messages.
        model: compiled; it is left as it is.
        x, y: as in ``fit``.
        validation: ``(x, y)``, or None for a fifth of the rows, of classes equal parts.
        seed: of that cut.
        fit: further arguments for ``Population.fit``.

    Raises:
        TypeError: on an argument that `who` decides itself.
        DataError: on rows that do not fit the net.

    """
    for name in _OURS:
        if name in fit:
            raise TypeError(
                f"{who} decides itself which rows nets see, got {name}=. Give validation=(x, y), and seeds=."
            )
    weight = fit.get("sample_weight")
    rows = rows_of(model, (x, y) if weight is None else (x, y, weight), who)
    probe = model.twin()
    probe.ready(rows)
    task = task_of(probe)
    if validation is not None:
        rest = rows_of(probe, validation, "validation")
        return Ground(task, rows, rest, task.spread(task.targets(rows.y[0])))
    strata = task.targets(rows.y[0]) if task.NAME == "classes" else None
    cut = data.split(np.arange(rows.n), np.arange(rows.n), SPARED, 0, stratify=strata, seed=checked(seed))
    assert cut.validation is not None
    train, rest = _part(rows, cut.train[0]), _part(rows, cut.validation[0])
    return Ground(task, train, rest, task.spread(task.targets(train.y[0])))


def _part(rows: Rows, numbers: np.ndarray) -> Rows:
    taken = [tuple(array[numbers] for array in arrays) for arrays in (rows.x, rows.y, rows.weight)]
    return rows._replace(x=taken[0], y=taken[1], weight=taken[2], n=len(numbers))


def checked_seeds(who: str, seeds: Any) -> int:
    """How many nets of different seeds there are of each kind.

    Raises:
        ValueError: below two, of which no noise can be told.

    """
    if not whole(2)(seeds):
        raise ValueError(
            f"seeds must be 2 or more, as one net tells nothing of their noise, got {who}(seeds={seeds!r})."
        )
    return int(seeds)


def trained(
    models: Sequence[Any], ground: Ground, rows: Sequence[Any] | None, seeds: Sequence[int], fit: Mapping[str, Any]
) -> Population:
    """The nets, trained side by side; validated on the way only where a callback may ask for it.

    Args:
        models: compiled.
        ground: the rows.
        rows: per net the numbers of those that it learns from; None: all.
        seeds: one a net.
        fit: further arguments for ``Population.fit``.

    """
    given = {"verbose": 0, **fit}
    if given.pop("sample_weight", None) is not None:
        given["sample_weight"] = ground.train.weight[0]
    if given.get("callbacks") or given.get("member_callbacks"):
        given["validation_data"] = (inputs_of(ground.rest), ground.rest.y[0])
    population = Population(models)
    population.fit(inputs_of(ground.train), ground.train.y[0], rows=rows, seeds=list(seeds), **given)
    return population


def errors_on(population: Population, ground: Ground, rows: Rows) -> np.ndarray:
    """Each net's errors, [nets, rows], with dropout off."""
    task = ground.task
    found = []
    for start in range(0, rows.n, _BLOCK):
        block = rows.part(start, min(start + _BLOCK, rows.n))
        targets = task.targets(block.y[0])
        outputs = np.asarray(population.predict(inputs_of(block)))
        found.append([task.errors(targets, task.decided(one), ground.spread) for one in outputs])
    each = np.concatenate([np.asarray(block, np.float64) for block in found], axis=1)
    if not np.isfinite(each).all():
        raise DataError(
            "Some nets answer with numbers that are none (NaN): their training went astray. Lower the rate."
        )
    return each
