"""Sequential: a stack of layers, built when the shape of its input is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.layers import Input, InputLayer, Layer, Symbol
from thalweg.models._model import Model


class Sequential(Model):
    """Layers one after the other.

    Args:
        layers: layers (or models, whose layers are then taken over); the first may be an ``Input``.
        name: for the summary.

    Example:
        >>> import thalweg
        >>> model = thalweg.Sequential([thalweg.Input((784,)), thalweg.layers.Dense(10, activation='softmax')])
        >>> model.count_params()
        7850

    """

    def __init__(self, layers: Sequence[Any] | None = None, name: str | None = None) -> None:
        self._start(name)
        self._stack: list[Any] = []
        self._features: tuple[int, ...] | None = None
        self._given = False  # whether the input's shape was said, not learnt from data
        for layer in layers or ():
            self._append(layer)
        self._rebuild()

    def add(self, layer: Any) -> None:
        """Put a layer on top."""
        self._append(layer)
        self._rebuild()

    def pop(self, rebuild: bool = True) -> Any:
        """Take the top layer off and return it.

        Raises:
            ValueError: where there is none.

        """
        if not self._stack:
            raise ValueError("pop() found no layer: the model is empty.")
        layer = self._stack.pop()
        self._rebuild()
        return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, (Symbol, InputLayer)):
            features = layer.features if isinstance(layer, Symbol) else layer.given_features
            if self._stack:
                raise ValueError("Input must be the first layer of a Sequential.")
            self._features, self._given = tuple(features), True
            return
        if isinstance(layer, type):
            raise TypeError(
                f"Sequential takes layer objects, got the class {layer.__name__}: write {layer.__name__}(...)."
            )
        if not isinstance(layer, (Layer, Model)):
            raise TypeError(f"Sequential takes layers, got {layer!r} of type {type(layer).__name__}.")
        if not self._stack and not self._given:
            known = layer.given_features if isinstance(layer, Layer) else _first_features(layer)
            if known is not None:
                self._features, self._given = tuple(known), True
        self._stack.append(layer)

    def _rebuild(self) -> None:
        if self._features is None or not self._stack:
            self._symbols = None
            return
        symbol = first = self._symbols[0] if self._symbols else Input(self._features)
        for layer in self._stack:
            symbol = layer(symbol)
        self._set_graph(first, symbol)
        if self.compiled is not None:
            self._recompile()

    def _recompile(self) -> None:
        from thalweg.models import _compile

        self.optimizer_state, self.watch = None, None
        self.objective = _compile.objective_of(self)

    def build(self, input_shape: Any = None) -> None:
        """Say the shape of the input, with None for the batch axis."""
        if input_shape is not None:
            self._features = tuple(input_shape[1:])
        self._rebuild()

    def _build_for(self, features: Sequence[tuple[int, ...]]) -> None:
        if not self.built and self._stack:
            self._features = tuple(features[0])
            self._rebuild()

    @property
    def layers(self) -> list[Layer]:
        """The layers; the input is not among them, as in Keras."""
        return list(self._network.layers) if self.built else [one for one in self._stack if isinstance(one, Layer)]


def _first_features(model: Model) -> tuple[int, ...] | None:
    return model.inputs[0].features if model.built else None
