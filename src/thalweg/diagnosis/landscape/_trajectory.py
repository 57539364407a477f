"""The way a net took: its weights along a fit, kept by a callback or read from a run's folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from thalweg import callbacks
from thalweg.callbacks._checkpoints import CheckpointFolder, place_of
from thalweg.callbacks._every import Every
from thalweg.callbacks._run_record import RECORD, read_run
from thalweg.diagnosis.landscape._terrain import flat_of
from thalweg.files import read_checkpoint


class Trajectory(callbacks.Callback):
    """Keeps the weights along a fit, the first and the last ones included.

    Each copy takes as much memory as the weights do. A fit that goes on from a checkpoint goes on with what was kept.

    Args:
        every: how often: ``'epoch'``, ``'10 steps'``, ``'5 min'``, a number of steps.

    Attributes:
        steps: after how many steps of the fit each copy was taken.
        weights: the copies, each as ``model.get_weights()`` gives it.
        begun: how many steps the net had taken before the fit.

    Raises:
        ValueError: on another `every`.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.diagnosis import Trajectory
        >>> model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> x = np.ones((8, 1))
        >>> history = model.fit(x, x, batch_size=2, epochs=2, verbose=0, callbacks=[way := Trajectory('2 steps')])
        >>> way.steps
        [0, 2, 4, 6, 8]

    """

    STATE: ClassVar[tuple[str, ...]] = ("steps", "weights", "begun")
    per_member = True

    def __init__(self, every: Any = "epoch") -> None:
        self._every = Every(every, "every")
        self.steps: list[int] = []
        self.weights: list[list[np.ndarray]] = []
        self.begun = 0

    def __repr__(self) -> str:
        when = f", after {self.steps[0]:,} to {self.steps[-1]:,} steps" if self.steps else ""
        return f"<Trajectory: weights at {len(self):,} places{when}>"

    def __len__(self) -> int:
        return len(self.weights)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget the fit before, and keep the weights that this one starts from."""
        self.steps, self.weights = [], []
        self.begun = int(self.model.steps_taken)
        session = self.model.session  # a population's members have none
        self._every.restart(0 if session is None else session.epoch, 0 if session is None else session.step)
        self._keep()

    def next_stop(self, step: int) -> int | None:
        """Where a number of steps is asked for, the step that completes it."""
        return self._every.next_stop(step)

    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """Keep the weights where it is time."""
        if self._every.due(epoch, step):
            self._keep()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Keep the last weights."""
        self._keep()

    def _keep(self) -> None:
        step = int(self.model.steps_taken) - self.begun
        if step not in self.steps:  # an epoch's end comes up twice: within it and after it
            self.steps.append(step)
            self.weights.append(self.model.get_weights())


class Way(NamedTuple):
    """Weights along a fit.

    Attributes:
        steps: after how many steps each was taken; counted from 0 where nobody knows.
        weights: [points, all weights], those that are trained first.

    """

    steps: list[int]
    weights: np.ndarray


def way_of(who: str, model: Any, path: Any) -> Way:
    """Weights along a fit, from whatever holds them.

    Args:
        who: asks, for messages.
        model: whose weights they are.
        path: a :class:`Trajectory`, a run's folder, or lists of weights as ``model.get_weights()`` gives them.

    Raises:
        ValueError: where it holds none, or weights of another net.
        thalweg.models.FileError: where a folder's checkpoints are damaged.

    """
    if isinstance(path, (str, os.PathLike)):
        path = passed_in(model, Path(path))
    if isinstance(path, Trajectory):
        steps, each = path.steps, [flat_of(model, weights) for weights in path.weights]
    elif isinstance(path, Sequence) and not isinstance(path, str):
        steps, each = list(range(len(path))), [flat_of(model, weights) for weights in path]
    else:
        raise ValueError(
            f"path must be a Trajectory, the folder of a run, or a list of model.get_weights(), got {who}(path={path!r})."
        )
    if not each:
        raise ValueError(f"{who}: path holds no weights. Fit with callbacks=[Trajectory('epoch')], and give that.")
    return Way(list(steps), np.array(each))


def passed_in(model: Any, folder: Path, most: int | None = None) -> Trajectory:
    """The way that a run's checkpoints tell, those that stay included; ``RunFolder(folder, keep=100)`` keeps more than two.

    Args:
        model: a net like that of the run.
        folder: of the run, or of checkpoints alone, whose steps are then counted from 0.
        most: checkpoints that are read at most, evenly apart; None: all.

    Raises:
        ValueError: where they are of another net.
        thalweg.models.FileError: where they are damaged.

    """
    run = read_run(folder, epochs=False) if (folder / RECORD).is_file() else None
    paths = CheckpointFolder(folder).paths() if run is None else run.checkpoints()
    chosen = range(len(paths)) if most is None else np.unique(np.linspace(0, len(paths) - 1, most).astype(int))
    way = Trajectory()
    for i in chosen if paths else ():
        way.steps.append(int(i) if run is None or run.steps is None else _steps_at(paths[i], run.steps))
        way.weights.append(_weights_in(model, paths[i]))
    return way


def _steps_at(checkpoint: Path, steps: int) -> int:
    """After how many steps of the fit a checkpoint was written; its name tells."""
    epoch, step = place_of(checkpoint)
    return epoch * steps + step


def _weights_in(model: Any, checkpoint: Path) -> list[np.ndarray]:
    """A checkpoint's weights, as ``model.get_weights()`` gives them."""
    held = [*model._held(True), *model._held(False)]
    arrays = read_checkpoint(checkpoint)["members"][0]["state"][
        : len(held)
    ]  # weights come first, in the net's own order
    if [np.shape(one) for one in arrays] != [one.shape for one in held]:
        raise ValueError(f"{checkpoint} is of another net than {model.name!r}: give the net of that run.")
    by_id = {id(variable): np.asarray(array) for variable, array in zip(held, arrays, strict=True)}
    return [by_id[id(one)] for one in model.weights]
