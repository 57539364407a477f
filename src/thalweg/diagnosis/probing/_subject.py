"""What is probed: a net that tells classes of pictures apart, and the pictures that it is asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np

from thalweg import config
from thalweg.data import Rows
from thalweg.diagnosis._tasks import Classes
from thalweg.diagnosis.probing import _programs
from thalweg.engine import Task, program_of
from thalweg.models import Model

_BATCH = 128  # rows at a time: of a convolution what 256 give no longer fits the caches of 2 cores (2.5 times slower)


@dataclass(frozen=True, eq=False)
class Subject:
    """A net and pictures.

    Attributes:
        model: the net.
        task: the same, compiled up to where its logits are.
        end: what its outputs are then, ``'logits'`` or ``'probabilities'``.
        picture: height, width and channels.
        kind: what an answer is.
        pictures: [rows, height, width, channels].
        truth: class numbers, [rows].
        ends: the least and the largest value of a pixel.

    """

    model: Model
    task: Task
    end: str
    picture: tuple[int, int, int]
    kind: Classes
    pictures: np.ndarray
    truth: np.ndarray
    ends: tuple[float, float]

    @property
    def classes(self) -> int:
        """How many."""
        return self.kind.count

    @property
    def span(self) -> float:
        """Of the pixels' values."""
        return self.ends[1] - self.ends[0]

    @cached_property
    def background(self) -> np.ndarray:
        """The median of the pixels at the edges, [channels]."""
        x = self.pictures
        edges = [x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]]
        return np.asarray(np.median(np.concatenate([one.reshape(-1, x.shape[-1]) for one in edges]), axis=0), x.dtype)

    @cached_property
    def logits(self) -> np.ndarray:
        """The net's, of the pictures, [rows, classes]."""
        return self.answers(self.pictures)

    @cached_property
    def right(self) -> np.ndarray:
        """Whether the net is, of each picture."""
        return np.asarray(self.logits.argmax(axis=1) == self.truth)

    def answers(self, pictures: np.ndarray) -> np.ndarray:
        """The net's logits of other pictures, float64 [rows, classes]."""
        return np.asarray(self.run(_programs.answers, (self.end,), [pictures])[0], np.float64)

    def shaped(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures as the net takes them."""
        return pictures.astype(config.floatx()).reshape(len(pictures), *self.task.network.inputs[0])

    def run(
        self,
        make: Callable[..., Any],
        how: tuple[Any, ...],
        rows: list[np.ndarray],
        numbers: tuple[Any, ...] = (),
        batch: int = _BATCH,
    ) -> list[np.ndarray]:
        """Run a program over rows, a batch at a time.

        Args:
            make: gives the function that is compiled, from the task and `how`.
            how: hashable; what else decides it.
            rows: arrays of so many rows each; those of four axes are pictures.
            numbers: further arguments, the same for all rows.
            batch: rows at a time; another number is another program.

        Returns:
            What the program gives, one array an output.

        """
        compiled = program_of(make, self.task.blueprint(), *how, key=(self.task.structure, *how))
        floats = config.floatx()
        vector = self.task.hypers().astype(floats)
        held = [np.int32(one) if isinstance(one, int) else np.asarray(one, floats) for one in numbers]
        weights = self.model.arrays()
        rows = [self.shaped(one) if one.ndim == 4 else one for one in rows]
        begun = []
        for start in range(0, len(rows[0]), batch):
            some = [_filled(one[start : start + batch], batch) for one in rows]
            begun.append(compiled(*weights, vector, *some, *held))
        parts = [one if isinstance(one, tuple) else (one,) for one in jax.device_get(begun)]
        return [np.concatenate(pieces)[: len(rows[0])] for pieces in zip(*parts, strict=True)]


def pictures_of(rows: Rows, picture: tuple[int, int, int], kind: Classes) -> tuple[np.ndarray, np.ndarray]:
    """Rows as pictures, and their class numbers."""
    return rows.x[0].astype(config.floatx()).reshape(rows.n, *picture), kind.targets(rows.y[0])


def _filled(rows: np.ndarray, batch: int) -> np.ndarray:
    """A whole batch; what fills up the last one are copies of its last row."""
    lacking = batch - len(rows)
    return rows if not lacking else np.concatenate([rows, np.repeat(rows[-1:], lacking, axis=0)])
