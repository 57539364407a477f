"""Optimizers, schedules and activations of several nets as one thing, one of whose kinds is chosen by a number.

What is alike in all nets is left as it is: no choice is compiled where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from thalweg import layers
from thalweg.engine._aligned import Differs
from thalweg.engine._kinds import can_be_chosen, habits_of, is_own_optimizer
from thalweg.layers import AnyActivation
from thalweg.optimizers import AnyOptimizer, Optimizer
from thalweg.optimizers.schedules import AnySchedule, Constant, LearningRateSchedule


class Chosen(NamedTuple):
    """Several things as one.

    Attributes:
        whole: what goes into the program.
        kinds: per net, the numbers that say which is its own, by path below `whole`.
        path_of: per net, where one of its numbers lies among those of `whole`.

    """

    whole: Any
    kinds: list[dict[str, float]]
    path_of: list[Callable[[str], str]]


def any_optimizer(optimizers: Sequence[Any]) -> Chosen:
    """Optimizers as one.

    Raises:
        Differs: where one cannot stand beside the first.

    """
    first = optimizers[0]
    structures = [one and one.structure() for one in optimizers]
    if all(structure == structures[0] for structure in structures):
        return Chosen(first, [{} for _ in optimizers], [str] * len(optimizers))
    for i, (one, structure) in enumerate(zip(optimizers, structures, strict=True)):
        if structure != structures[0] and not (is_own_optimizer(first) and is_own_optimizer(one)):
            raise Differs(i, f"its optimizer: {_told(one)} against {_told(first)}; only thalweg's own can be mixed")
        if habits_of(one) != habits_of(first):
            raise Differs(i, "use_ema, ema_overwrite_frequency or gradient_accumulation_steps of its optimizer")
    rates = _rates([one._learning_rate for one in optimizers])
    bare = [one.with_rate(0.0) for one in optimizers]
    distinct, which = _distinct(bare)
    whole = first.with_rate(rates.whole) if len(distinct) == 1 else AnyOptimizer(distinct, rates.whole)

    def path_of(net: int) -> Callable[[str], str]:
        def path(local: str) -> str:
            part, _, _ = local.partition("/")
            if part == "learning_rate":
                return f"learning_rate{rates.path_of[net](local.removeprefix('learning_rate'))}"
            return local if len(distinct) == 1 or part == "ema_momentum" else f"{which[net]}/{local}"

        return path

    kinds: list[dict[str, float]] = []
    for net in range(len(optimizers)):
        own = {f"learning_rate{path}": kind for path, kind in rates.kinds[net].items()}
        kinds.append(own if len(distinct) == 1 else {"kind": float(which[net]), **own})
    return Chosen(whole, kinds, [path_of(net) for net in range(len(optimizers))])


def _rates(rates: list[Any]) -> Chosen:
    """Rates as one; paths begin with the slash that follows the optimizer's ``learning_rate``, or are empty."""
    made = [one if isinstance(one, LearningRateSchedule) else Constant(one) for one in rates]
    distinct, which = _distinct(made)
    if len(distinct) == 1:
        return Chosen(rates[0], [{} for _ in rates], [str] * len(rates))

    def path_of(net: int) -> Callable[[str], str]:
        return lambda local: f"/{which[net]}{local or '/learning_rate'}"

    kinds = [{"/kind": float(number)} for number in which]
    return Chosen(AnySchedule(distinct), kinds, [path_of(net) for net in range(len(rates))])


def _distinct(each: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """One of each structure, in an order that does not depend on the nets', and which is whose."""
    structures = [one.structure() for one in each]
    first = dict(zip(reversed(structures), reversed(each), strict=True))
    order = sorted(first, key=lambda structure: (structure[0].__name__, str(structure)))
    return [first[structure] for structure in order], [order.index(structure) for structure in structures]


def any_activation(functions: Sequence[Any]) -> tuple[Any, list[int]]:
    """Activations as one, and which is whose; they can be chosen from, or are one and the same."""
    if all(function is functions[0] for function in functions) or not all(map(can_be_chosen, functions)):
        return functions[0], [0] * len(functions)
    distinct = [one for one in layers.ELEMENTWISE if any(one is function for function in functions)]
    return AnyActivation(distinct), [distinct.index(function) for function in functions]


def _told(optimizer: Optimizer | None) -> str:
    return "none" if optimizer is None else type(optimizer).__name__
