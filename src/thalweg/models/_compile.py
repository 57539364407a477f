"""From what was given to ``compile`` to one loss per output and the sums to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from thalweg import losses, metrics
from thalweg._names import unknown
from thalweg.engine import Objective, Watch

if TYPE_CHECKING:
    from thalweg.data import Rows
    from thalweg.models._model import Model
    from thalweg.network import Network


class Compiled(NamedTuple):
    """The arguments of ``compile``, as given."""

    optimizer: Any
    loss: Any
    loss_weights: Any
    metrics: Any
    weighted_metrics: Any
    run_eagerly: bool


def require_compiled(model: Model, what: str) -> Compiled:
    """What was given to ``compile``.

    Raises:
        ValueError: where compile was not called, or without a loss.

    """
    if model.compiled is None:
        raise ValueError(f"{what} needs a compiled model: call model.compile(optimizer='adam', loss=...) first.")
    if model.compiled.loss is None and what != "predict":
        raise ValueError(f"{what} needs a loss: call model.compile(optimizer=..., loss='mse') or another loss first.")
    return model.compiled


def objective_of(model: Model) -> Objective | None:
    """One loss and weight per output."""
    compiled = model.compiled
    if compiled is None or compiled.loss is None:
        return None
    names = model.output_names
    each = per_output(compiled.loss, names, "loss")
    members = tuple(None if one is None else losses.get(one).twin() for one in each)
    if compiled.loss_weights is None:
        return Objective(members)
    weights = per_output(compiled.loss_weights, names, "loss_weights")
    return Objective(members, tuple(1.0 if one is None else _weight(one) for one in weights))


def _weight(given: Any) -> float:
    if isinstance(given, str):
        raise ValueError(
            f"loss_weights must be numbers, one an output, got compile(loss_weights={given!r}). The third argument of compile "
            "is loss_weights; metrics are named: metrics=['accuracy']."
        )
    return float(given)


def watch_of(model: Model, rows: Rows) -> Watch:
    """The losses and metrics to sum, resolved for the shapes of `rows`."""
    compiled = require_compiled(model, "fit")
    names = model.output_names
    several = len(names) > 1
    trained = [name for name, loss in zip(names, model.objective.losses, strict=True) if loss is not None]  # type: ignore[union-attr]
    listed = ("loss", *(f"{name}_loss" for name in trained)) if several else ("loss",)
    return Watch(
        listed,
        _metrics(model, compiled.metrics, rows, "metrics"),
        _metrics(model, compiled.weighted_metrics, rows, "weighted_metrics"),
        tuple(f"{name}_" if several else "" for name in names),
    )


def _metrics(model: Model, given: Any, rows: Rows, what: str) -> tuple[Any, ...]:
    names = model.output_names
    shared = not isinstance(given, Mapping) and not (
        isinstance(given, (list, tuple)) and any(isinstance(one, (list, tuple)) for one in given)
    )
    each = [given] * len(names) if shared and len(names) == 1 else per_output(given, names, what)
    found = []
    for i, (symbol, identifiers) in enumerate(zip(model.outputs, each, strict=True)):
        asked = identifiers if isinstance(identifiers, (list, tuple)) else [identifiers]
        label = rows.y[i].shape if i < len(rows.y) else (None,)
        loss = model.objective.losses[i] if model.objective else None
        members = [metrics.resolve(one, (None, *label[1:]), symbol.shape, loss) for one in asked if one is not None]
        found.append(tuple(members))
    return tuple(found)


def per_output(given: Any, names: list[str], what: str) -> list[Any]:
    """`given`, a list, a dict by output's name, or one for all, as one entry per output.

    Raises:
        ValueError: where a name or the number of entries does not match.

    """
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise ValueError(f"{what}: {unknown('output', name, names)}")
        return [given.get(name) for name in names]
    if given is None:
        return [None] * len(names)
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(f"{what} has {len(given)} entries for {len(names)} outputs ({', '.join(names)}).")
        return list(given)
    return [given] * len(names)


def decays_of(model: Model, network: Network) -> tuple[bool, ...] | None:
    """Per trained weight, whether decoupled weight decay applies; None where nothing was excluded."""
    excluded = getattr(model.optimizer, "excludes", None)
    if excluded is None:
        return None
    mask = tuple(not excluded(f"{network.layers[p.layer].name}/{p.weight.name}") for p in network.trainable)
    return None if all(mask) else mask
