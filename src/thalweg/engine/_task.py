"""What is compiled: a net, what it is trained for, and the shape of its batches. No numbers that are data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from thalweg.engine._layout import Layout, layout_of
from thalweg.engine._objective import Objective
from thalweg.engine._watch import Watch
from thalweg.network import Network
from thalweg.optimizers import Optimizer


@dataclass(frozen=True, eq=False)
class Task:
    """A net and its purpose.

    Attributes:
        network: the graph.
        objective: losses by output, or None for prediction alone.
        watch: sums kept while running.
        optimizer: None where nothing is trained.
        decays: per trained weight, whether decoupled weight decay applies to it.
        dtype: of the layers' arithmetic where it differs from the weights', else None.
        masked: whether a batch may have padding rows.
        padded: whether layers may have sleeping units.
        flat: whether small weights lie together as one vector, and what the optimizer remembers of them likewise.

    """

    network: Network
    objective: Objective | None = None
    watch: Watch | None = None
    optimizer: Optimizer | None = None
    decays: tuple[bool, ...] | None = None
    dtype: str | None = None
    masked: bool = True
    padded: bool = False
    flat: bool = False

    @cached_property
    def structure(self) -> tuple[Any, ...]:
        """Equal structures share one compiled program."""
        members = (self.network, self.objective, self.watch, self.optimizer)
        flags = (self.decays, self.dtype, self.masked, self.padded, self.flat)
        return (*(member and member.structure() for member in members), *flags)

    @property
    def shared(self) -> bool:
        """Whether its members say which part of the net they use."""
        return self.padded or bool(self.network.blocks)

    @cached_property
    def _layout(self) -> Layout | None:
        return layout_of(self.network) if self.flat else None

    def apart(self, arrays: Any) -> tuple[Any, ...]:
        """Arrays as the program has them, one by one: one a trained weight."""
        return arrays if self._layout is None else self._layout.split(arrays)

    def together(self, arrays: Any) -> tuple[Any, ...]:
        """Arrays, one a trained weight, as the program has them."""
        return arrays if self._layout is None else self._layout.join(arrays)

    def constraints(self, h: Any) -> tuple[Any, ...]:
        """What is applied after an update, likewise."""
        limits = self.network.constraints(h)
        return limits if self._layout is None else (*(limits[i] for i in self._layout.alone), None)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Where each number of the program's vector of hypers comes from."""
        return tuple(_gather(self))

    def hypers(self) -> np.ndarray:
        """The numbers in force, as the vector that flows into the program."""
        parts = (*self.network.layers, self.objective, self.optimizer)  # in the order of `paths`; read every chunk
        return np.array(
            [number for part in parts if part is not None for number in part.hypers().values()], dtype=np.float64
        )

    def unpack(self, vector: Any) -> dict[str, dict[str, Any]]:
        """The vector inside a program, back as hypers by part and by name."""
        parts: dict[str, dict[str, Any]] = {"net": {}, "loss": {}, "optimizer": {}}
        for i, path in enumerate(self.paths):
            part, _, local = path.partition("/")
            parts[part][local] = vector[i]
        return parts

    def blueprint(self) -> Task:
        """The same task without a hold on anybody's weights."""
        return replace(
            self,
            network=self.network.blueprint(),
            objective=self.objective and self.objective.twin(),
            optimizer=self.optimizer and self.optimizer.twin(),
        )

    def over(self, network: Network, padded: bool) -> Task:
        """The same task for another net of this graph."""
        return replace(self, network=network, padded=padded)

    def watching(self, watch: Watch) -> Task:
        """The same task with other sums."""
        return replace(self, watch=watch)

    def without_training(self) -> Task:
        """The same net, loss and sums, used as it is."""
        return replace(self, optimizer=None, decays=None, watch=self.watch and self.watch.without_gradient())

    def cast(self, x: Any) -> Any:
        """Outputs in the precision of losses and metrics."""
        return x if self.dtype is None else x.astype(jnp.float32)


def _gather(task: Task) -> dict[str, float]:
    found = {f"net/{path}": value for path, value in task.network.hypers().items()}
    if task.objective is not None:
        found.update({f"loss/{path}": value for path, value in task.objective.hypers().items()})
    if task.optimizer is not None:
        found.update({f"optimizer/{path}": value for path, value in task.optimizer.hypers().items()})
    return found
