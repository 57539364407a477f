"""An Optax transformation, taken as it is."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import numpy as np

from thalweg._tunable import Hypers
from thalweg.optimizers._base import Arrays, Optimizer, OptimizerState


class OptaxOptimizer(Optimizer):
    """Any Optax ``GradientTransformation`` in an optimizer's place.

    Its numbers are its own constants: they are no hypers. What ``optax.inject_hyperparams`` lays open is
    part of its state.

    Args:
        transformation: an object with ``init`` and ``update``.
        name: in descriptions.

    Raises:
        TypeError: where it has none.

    Example:
        >>> import optax, thalweg
        >>> thalweg.optimizers.get(optax.adam(1e-3)).name
        'optax'

    """

    HYPERS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, transformation: Any, name: str = "optax") -> None:
        if not (callable(getattr(transformation, "init", None)) and callable(getattr(transformation, "update", None))):
            raise TypeError(f"An Optax transformation has init and update, got {transformation!r}.")
        super().__init__(0.0, name=name)
        self.transformation = transformation

    @property
    def learning_rate(self) -> Any:
        """Not known: it is inside the transformation."""
        raise AttributeError(
            "An Optax transformation keeps its learning rate to itself: give it a schedule, or use one of "
            "thalweg.optimizers, whose rate can be read and turned."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if "transformation" in vars(self):
            raise TypeError("An Optax transformation keeps its learning rate to itself; it cannot be set.")
        self._learning_rate = value

    def init(self, params: Arrays) -> OptimizerState:
        """The transformation's state, in the place of slots."""
        return OptimizerState(np.int32(0), self.transformation.init(params), {})

    def apply(
        self,
        h: Hypers,
        state: OptimizerState,
        params: Arrays,
        grads: Arrays,
        constraints: Arrays,
        decays: tuple[bool, ...] | None = None,
    ) -> tuple[Arrays, OptimizerState]:
        """One step of all weights."""
        updates, kept = self.transformation.update(grads, state.slots, params)
        moved = jax.tree.map(lambda w, u: (w + u).astype(w.dtype), params, updates)
        bound = tuple(w if limit is None else limit(w) for w, limit in zip(moved, constraints, strict=True))
        return bound, OptimizerState(state.iterations + 1, kept, {})

    def finalize(self, state: OptimizerState, params: Arrays) -> Arrays:
        """The weights as they are."""
        return params

    def get_config(self) -> dict[str, Any]:
        """Its name alone: functions cannot be written down."""
        return {"name": self.name}

    def structure(self) -> tuple[Any, ...]:
        """Each transformation is a structure of its own."""
        return (OptaxOptimizer, self.transformation)

    def __repr__(self) -> str:
        return "<OptaxOptimizer>"
