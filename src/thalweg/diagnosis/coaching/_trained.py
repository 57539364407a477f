"""Plans, trained side by side on several seeds, and what came of each."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg import callbacks
from thalweg.diagnosis._errors_of import Ground, errors_on
from thalweg.diagnosis._measured import inputs_of
from thalweg.diagnosis.coaching._plan import Plan, Purpose, build
from thalweg.models import Population
from thalweg.models._crew import crew_key

_LARGER = (
    4  # times the weights of the smallest net of a group, from which padding costs more than a program of one's own
)


class Result(NamedTuple):
    """A plan and its nets.

    Attributes:
        plan: what was trained, for as many epochs as there was time for.
        seeds: of its nets.
        nets: one a seed, each as it was in its best epoch.
        train: errors on the training rows, one a net.
        validation: likewise on the validation rows.
        loss: on the validation rows, without penalties, as a share of a constant's: it tells nets apart that err on as many
            rows.
        seconds: that its training took on average over its nets: of the time of all that were trained beside it the share of
            its epochs.

    """

    plan: Plan
    seeds: tuple[int, ...]
    nets: tuple[Any, ...]
    train: np.ndarray
    validation: np.ndarray
    loss: np.ndarray
    seconds: float

    @property
    def place(self) -> int:
        """Which net is the best: by the error, and by half as much the loss, as a few rows more or less are chance."""
        return int((self.validation + self.loss / 2).argmin())

    @property
    def best(self) -> Any:
        """The best net."""
        return self.nets[self.place]


class _Until(callbacks.Callback):
    """Ends the training of all nets at the first epoch's end after a time, and counts the epochs."""

    def __init__(self, until: float) -> None:
        self.until, self.epochs = until, 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """See whether time is up."""
        self.epochs = epoch + 1
        if time.monotonic() > self.until:
            for model in (self.model, *self.model):
                model.stop_training = True


def train(
    plans: Sequence[Plan], purpose: Purpose, ground: Ground, seeds: Sequence[int], until: float = math.inf
) -> list[Result | None]:
    """Train each plan on each seed, in as few populations as their sizes allow.

    Args:
        plans: to be trained; all of one batch size.
        purpose: what their nets have in common.
        ground: the rows.
        seeds: of first weights, orders and dropout, the same for every plan.
        until: when to be done, by ``time.monotonic()``: each population has an equal share of the time that is left, and ends
            after the epoch in which that is up; once it is all up none but that of the first plan is begun.

    Returns:
        A result a plan; None where there was no time for it.

    """
    nets = [[build(plan, purpose) for _ in seeds] for plan in plans]
    for each in nets:
        each[0].ready(ground.train, seeds[0])
    found: dict[int, Result] = {}
    groups = _groups([each[0] for each in nets])
    for number, group in enumerate(groups):
        begun = time.monotonic()
        if number and begun > until:
            break
        clock = _Until(begun + (until - begun) / (len(groups) - number))
        members = [net for i in group for net in nets[i]]
        crew = Population(members)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a lost loss is an answer too; what is wrong with rows was told
            crew.fit(
                inputs_of(ground.train),
                ground.train.y[0],
                validation_data=(inputs_of(ground.rest), ground.rest.y[0]),
                batch_size=plans[0].batch,
                epochs=[plans[i].epochs for i in group for _ in seeds],
                callbacks=[clock],
                member_callbacks=[[stopping(plans[i])] for i in group for _ in seeds],
                seeds=[seed for _ in group for seed in seeds],
                verbose=0,
            )
        ran = [plans[i]._replace(epochs=min(plans[i].epochs, clock.epochs)) for i in group]
        epoch = (time.monotonic() - begun) / len(seeds) / sum(one.epochs for one in ran)
        errors = [
            errors_on(crew, ground, rows).mean(axis=1).reshape(len(group), -1) for rows in (ground.train, ground.rest)
        ]
        losses = _losses(crew, ground).reshape(len(group), -1)
        for place, i in enumerate(group):
            seconds = epoch * ran[place].epochs
            own, rest, loss = (one[place] for one in (*errors, losses))
            found[i] = Result(ran[place], tuple(seeds), tuple(nets[i]), own, rest, loss, seconds)
    return [found.get(i) for i in range(len(plans))]


def _losses(crew: Population, ground: Ground) -> np.ndarray:
    """Of the validation rows, one a net, over that of the mean of the training targets."""
    objective, y = crew[0].objective, ground.rest.y[0]
    assert objective is not None
    loss = objective.losses[0]
    assert loss is not None
    outputs = np.asarray(crew.predict(inputs_of(ground.rest)))
    train = ground.targets
    mean = np.eye(outputs.shape[-1])[train] if ground.task.NAME == "classes" and outputs.shape[-1] > 1 else train
    constant = np.broadcast_to(mean.reshape(len(train), -1).mean(axis=0), outputs.shape[1:]).astype(outputs.dtype)
    return np.array([float(loss(y, one)) for one in outputs]) / max(float(loss(y, constant)), 1e-12)


def stopping(plan: Plan) -> Any:
    """What ends a training, and gives the net of the best epoch back."""
    return callbacks.EarlyStopping(patience=plan.patience, restore_best_weights=True)


def _groups(nets: Sequence[Any]) -> list[list[int]]:
    """Numbers of nets that one program trains: of one kind, and of sizes within a factor of each other."""
    groups: dict[Any, list[list[int]]] = {}
    for i in sorted(range(len(nets)), key=lambda i: nets[i].count_params()):
        alike = groups.setdefault(crew_key(nets[i]), [])
        if not alike or nets[i].count_params() > _LARGER * nets[alike[-1][0]].count_params():
            alike.append([])
        alike[-1].append(i)
    return sorted((sorted(group) for alike in groups.values() for group in alike), key=min)
