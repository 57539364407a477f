"""Nets that end in a chain of layers, whatever they begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg import layers
from thalweg.data import Recipe
from thalweg.models._model import Model
from thalweg.models._sequential import Sequential

EMBEDDING = 8
"""Numbers a name, in the embedding of columns with many names (Holzmueller et al. 2024)."""
PERIODIC = 3
"""Numbers that are learnt beside each that lies on a scale (likewise)."""


def chained(front: Any, chain: Sequence[Any]) -> Any:
    """A net of what it begins with and a chain of layers.

    Args:
        front: layers, the first an Input; or inputs and the symbol that is made of them, as :func:`table_front` gives.
        chain: layers, one fed by the other.

    Example:
        >>> import thalweg
        >>> chained([thalweg.Input((3,))], [thalweg.layers.Dense(2)]).count_params()
        8

    """
    if isinstance(front, list):
        return Sequential([*front, *chain])
    inputs, symbol = front
    for layer in chain:
        symbol = layer(symbol)
    return Model(inputs, symbol)


def table_front(recipe: Recipe, embedding: int = EMBEDDING, periodic: int = PERIODIC) -> Any:
    """What a net for a table begins with: its numbers, those on a scale with waves beside them, and an embedding of its codes.

    Args:
        recipe: of the table.
        embedding: numbers that stand for each name of a column with many.
        periodic: numbers that are learnt beside each that lies on a scale
            (:class:`thalweg.layers.PeriodicEmbedding`); 0 for none.

    Example:
        >>> import pandas as pd, thalweg
        >>> table = thalweg.data.read(pd.DataFrame({'a': [1.0, 2.0, 4.0], 'y': [0.5, 1.5, 9.0]}), 'y')
        >>> front = thalweg.models.table_front(table.recipe(), periodic=0)
        >>> thalweg.models.chained(front, [thalweg.layers.Dense(1)]).count_params()
        2

    """
    inputs, parts = [], []
    if recipe.titles:
        numbers = layers.Input((len(recipe.titles),), name="numbers")
        inputs.append(numbers)
        waves = periodic and recipe.measures
        parts.append(layers.PeriodicEmbedding(periodic, columns=waves, name="waves")(numbers) if waves else numbers)
    if recipe.sizes:
        codes = layers.Input((len(recipe.sizes),), name="codes")
        inputs.append(codes)
        parts.append(layers.Flatten()(layers.Embedding(sum(recipe.sizes), embedding, name="names")(codes)))
    return inputs, layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
