"""A space looked through by running ``build``: its points, and what can be changed without another net."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from thalweg.tuner._bench import Bench
from thalweg.tuner._hypermodel import made_by
from thalweg.tuner._hyperparameters import default_of
from thalweg.tuner._parameters import Parameter


def points(bench: Bench) -> Iterator[dict[str, Any]]:
    """Every point, a grid of ten values where a hyperparameter is continuous; the last one asked for varies first.

    ``build`` decides what there is: it runs once a point, with the choices so far, and whatever it asks for beyond
    them takes its first value.
    """
    choices: list[int] = []
    while True:
        grids: list[tuple[Any, ...]] = []

        def choose(parameter: Parameter, grids: list[Any] = grids, choices: list[int] = choices) -> Any:
            place = len(grids)
            grids.append(parameter.grid())
            return grids[place][choices[place] if place < len(choices) else 0]

        hp = bench.template.for_trial({}, choose)
        made_by(bench.hypermodel, hp)
        yield dict(hp.values)
        choices += [0] * (len(grids) - len(choices))
        while choices and choices[-1] + 1 >= len(grids[len(choices) - 1]):
            choices.pop()
        if not choices:
            return
        choices[-1] += 1


def first_space(bench: Bench) -> list[Parameter]:
    """What ``build`` asks for, with every condition met once where that can be had: what a study is known again by."""
    hp = bench.template.for_trial({}, default_of)
    with contextlib.suppress(Exception):  # a trial of its own will say so, with a traceback
        made_by(bench.hypermodel, hp)
    return list(hp.space)


def is_data(
    bench: Bench, space: Mapping[str, Parameter], name: str, values: Mapping[str, Any], known: dict[str, bool]
) -> bool:
    """Whether another value of a hyperparameter makes a net of the same structure.

    Args:
        bench: what builds.
        space: the parameters by name.
        name: which one.
        values: a point at which to try.
        known: answers so far, by name.

    """
    if name not in known:
        parameter = space[name]
        others = [value for value in map(parameter.value_at, (0.05, 0.5, 0.95)) if value != values[name]]
        same = [_structure(bench, {**values, name: value}) == _structure(bench, values) for value in others]
        known[name] = bool(same) and all(same)
    return known[name]


def _structure(bench: Bench, values: Mapping[str, Any]) -> Any:
    hp = bench.template.for_trial(dict(values), default_of)
    model = made_by(bench.hypermodel, hp)
    layers = [(layer.structure(), getattr(layer, "units", None)) for layer in model.layers]
    return layers, model.optimizer.structure(), sorted(hp.values)
