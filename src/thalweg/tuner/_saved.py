"""A trained net as arrays: its best weights, and the state from which it can be trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from thalweg.models import model_from_json
from thalweg.models._fit import state_of, take_over


@dataclass
class Saved:
    """What is kept of a net.

    Attributes:
        features: the shape of a row of each input.
        best: the weights of the best epoch.
        state: everything that training goes on from, or None where nobody wants to.
        described: the model as JSON text, for whoever has no function that builds it; None where it has no description.

    """

    features: list[list[int]]
    best: list[np.ndarray]
    state: list[np.ndarray] | None = None
    described: str | None = None

    @classmethod
    def of(cls, model: Any, best: list[np.ndarray] | None, whole: bool) -> Saved:
        """What is kept of a model after its training."""
        features = [list(symbol.features) for symbol in model.inputs]
        weights = model.get_weights() if best is None else best
        state = [np.asarray(leaf) for leaf in jax.tree.leaves(jax.device_get(state_of(model, None)))] if whole else None
        try:
            described = model.to_json()
        except ValueError:  # a layer that is a function of one's own
            described = None
        return cls(features, weights, state, described)

    def begin(self, model: Any) -> None:
        """Let a model that was built likewise go on from the last state."""
        self._build(model)
        like = state_of(model, None)
        assert self.state is not None
        take_over(model, jax.tree.unflatten(jax.tree.structure(like), self.state))

    def restore(self, model: Any) -> None:
        """Give a model that was built likewise the best weights."""
        self._build(model)
        model.set_weights(self.best)

    def open(self) -> Any:
        """The net with its best weights, made from its description.

        Raises:
            ValueError: where it has none, or one that is not known here.

        """
        if self.described is None:
            raise ValueError(
                "This net has no description in Keras's form: only the script that built it can make it again."
            )
        model = model_from_json(self.described)
        self.restore(model)
        return model

    def _build(self, model: Any) -> None:
        model._build_for([tuple(one) for one in self.features])
        model.draw(0)

    def to_tree(self) -> dict[str, Any]:
        """Plain data and arrays."""
        return {"features": self.features, "best": self.best, "state": self.state, "described": self.described}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Saved:
        """What :meth:`to_tree` gave."""
        return cls(tree["features"], tree["best"], tree["state"], tree.get("described"))
