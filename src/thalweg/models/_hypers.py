"""``model.hypers``: the live table of every number that can be turned."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from thalweg._names import unknown

if TYPE_CHECKING:
    from thalweg._tunable import Tunable
    from thalweg.models._model import Model


class HyperTable(MutableMapping[str, float]):
    """Path -> value, read from and written to the model's own layers, optimizer and losses.

    Nothing is stored here: the objects' attributes are the one record, so ``model.optimizer.learning_rate``
    and ``model.hypers['optimizer/learning_rate']`` cannot disagree. While the model trains, a value written
    from a callback or another thread takes effect with the next chunk of steps, without recompiling.

    Example:
        >>> import thalweg
        >>> model = thalweg.Sequential([thalweg.Input((4,)), thalweg.layers.Dropout(0.2), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> model.hypers['dropout/rate'] = 0.5
        >>> model.layers[0].rate
        0.5

    """

    def __init__(self, model: Model) -> None:
        self._model = model

    def _owners(self) -> dict[str, tuple[Tunable, str]]:
        """Path -> (who holds the number, its local name)."""
        model = self._model
        owners: dict[str, tuple[Tunable, str]] = {}
        for layer in model.layers:
            owners.update({f"{layer.name}/{local}": (layer, local) for local in layer.hypers()})
        if model.optimizer is not None:
            owners.update({f"optimizer/{local}": (model.optimizer, local) for local in model.optimizer.hypers()})
        if model.objective is not None:
            owners.update({model.objective_path(local): (model.objective, local) for local in model.objective.hypers()})
        return owners

    def _owner(self, path: str) -> tuple[Tunable, str]:
        owners = self._owners()
        if path not in owners:
            raise KeyError(unknown("hyperparameter", path, list(owners)))
        return owners[path]

    def __getitem__(self, path: str) -> float:
        owner, local = self._owner(path)
        return float(owner.hypers()[local])

    def __setitem__(self, path: str, value: float) -> None:
        if path == "optimizer/learning_rate" and self._model.optimizer is not None:
            self._model.optimizer.set_hyper("learning_rate", value)  # says what to turn where a schedule drives it
            return
        owner, local = self._owner(path)
        owner.set_hyper(local, value)

    def __delitem__(self, path: str) -> None:
        raise TypeError(f"{path!r} belongs to the model's structure; it can be turned, not removed.")

    def __contains__(self, path: object) -> bool:
        return path in self._owners()

    def __iter__(self) -> Iterator[str]:
        return iter(self._owners())

    def __len__(self) -> int:
        return len(self._owners())

    def __repr__(self) -> str:
        return "\n".join(f"{path} = {value:g}" for path, value in self.items()) or "no hyperparameters"

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Path -> the least and the largest value it may take, where the owner says."""
        found: dict[str, Any] = {}
        for path, (owner, local) in self._owners().items():
            limits = owner.range_of(local)
            if limits is not None:
                found[path] = limits
        return found
