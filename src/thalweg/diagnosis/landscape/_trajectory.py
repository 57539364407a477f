"""The way a net took: its weights along a fit, kept by a callback or read from a run's folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from thalweg import callbacks
from thalweg.callbacks._checkpoints import CheckpointFolder
from thalweg.callbacks._every import Every
from thalweg.callbacks._run_record import CHECKPOINTS
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
    if isinstance(path, Trajectory):
        steps, each = path.steps, [flat_of(model, weights) for weights in path.weights]
    elif isinstance(path, (str, os.PathLike)):
        steps, each = _from_folder(model, Path(path))
    elif isinstance(path, Sequence) and not isinstance(path, str):
        steps, each = list(range(len(path))), [flat_of(model, weights) for weights in path]
    else:
        raise ValueError(
            f"path must be a Trajectory, the folder of a run, or a list of model.get_weights(), got {who}(path={path!r})."
        )
    if not each:
        raise ValueError(f"{who}: path holds no weights. Fit with callbacks=[Trajectory('epoch')], and give that.")
    return Way(list(steps), np.array(each))


def _from_folder(model: Any, folder: Path) -> tuple[list[int], list[np.ndarray]]:
    """The checkpoints that a run has kept; ``RunFolder(folder, keep=100)`` keeps more than two."""
    inner = folder / CHECKPOINTS
    paths = CheckpointFolder(inner if inner.is_dir() else folder).paths()
    trained, frozen = model._held(True), model._held(False)
    shapes = [one.shape for one in (*trained, *frozen)]
    each = []
    for path in paths:
        leaves = read_checkpoint(path)["members"][0]["state"]  # weights come first, in the net's own order
        arrays = leaves[: len(shapes)]
        if [np.shape(one) for one in arrays] != shapes:
            raise ValueError(f"{path} is of another net than {model.name!r}: give the net of that run.")
        each.append(np.concatenate([np.asarray(one, np.float64).reshape(-1) for one in arrays]))
    return list(range(len(each))), each
