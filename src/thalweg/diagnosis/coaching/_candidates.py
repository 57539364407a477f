"""What may be tried next to a plan: the course's remedies, each a changed plan with a name."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thalweg._names import Table
from thalweg.diagnosis.coaching._plan import RATES, Plan

_WIDEST = 1024
_DEEPEST = 6
_MOVED: dict[str, Any] = {"shift": 0.06, "turn": 0.03}  # how far images are moved about


class Candidate(NamedTuple):
    """A plan with one thing changed.

    Attributes:
        name: what was changed.
        plan: with the change.

    """

    name: str
    plan: Plan


def _architectures(plan: Plan) -> list[Candidate]:
    """Another kind of net: what is learnt at one place of an image is known at all others."""
    first = plan.filters or (8,)
    return [
        Candidate(f"convolution, {'-'.join(map(str, filters))} filters", plan._replace(filters=filters))
        for filters in ((first[0], 2 * first[0]), (2 * first[0], 4 * first[0]))
    ]


def against_bias(plan: Plan) -> list[Candidate]:
    """More units and layers; longer, faster or other training; less regularization."""
    first = plan.widths or (32,)
    found = [
        Candidate("twice as wide", plan._replace(widths=tuple(min(2 * w, _WIDEST) for w in first))),
        Candidate("four times as wide", plan._replace(widths=tuple(min(4 * w, _WIDEST) for w in first))),
        Candidate("a layer more", plan._replace(widths=(*first, first[-1])[:_DEEPEST])),
        Candidate("two layers more, twice as wide", plan._replace(widths=_deeper(first, 2, 2))),
        *_architectures(plan),
        Candidate("a larger net, longer", plan._replace(widths=_deeper(first, 1, 4), epochs=2 * plan.epochs)),
        *_training(plan),
        Candidate("twice as long, the rate falling", plan._replace(epochs=2 * plan.epochs, schedule="cosine")),
    ]
    if plan.dropout or plan.l1 or plan.l2 or plan.moves:
        found.append(Candidate("half the regularization", _regularized(plan, 0.5)))
        found.append(Candidate("no regularization", _regularized(plan, 0.0)))
    return _different(plan, found)


def against_variance(plan: Plan) -> list[Candidate]:
    """More data, if only images moved about; L2, L1, dropout, less complexity; and training that ends more quietly."""
    longer: dict[str, Any] = {"epochs": 2 * plan.epochs, "schedule": "cosine"}
    found = [
        *_architectures(plan),
        Candidate("images shifted", plan._replace(shift=_MOVED["shift"])),
        Candidate("images moved", plan._replace(**_MOVED)),
        Candidate("images moved, twice as long", plan._replace(**_MOVED, **longer)),
        Candidate(
            "images moved, twice as long and wide", plan._replace(**_MOVED, **longer, widths=_deeper(plan.widths, 0, 2))
        ),
        Candidate(
            "images moved, dropout 0.2, twice as long, four times as wide",
            plan._replace(**_MOVED, **longer, dropout=0.2, widths=_deeper(plan.widths, 0, 4)),
        ),
        Candidate("images moved by more, twice as long", plan._replace(shift=0.1, turn=0.05, **longer)),
    ]
    found += [Candidate(f"L2 {value:g}", plan._replace(l2=value)) for value in (1e-5, 1e-4, 1e-3, 1e-2)]
    found += [Candidate(f"L1 {value:g}", plan._replace(l1=value)) for value in (1e-5, 1e-4)]
    found += [Candidate(f"dropout {value:g}", plan._replace(dropout=value)) for value in (0.1, 0.25, 0.5)]
    found += [
        Candidate("dropout 0.3 and L2 0.0001", plan._replace(dropout=0.3, l2=1e-4)),
        Candidate("dropout 0.3, twice as wide", plan._replace(dropout=0.3, widths=_deeper(plan.widths, 0, 2))),
        Candidate("half as wide", plan._replace(widths=tuple(max(w // 2, 4) for w in plan.widths))),
        Candidate("a layer fewer", plan._replace(widths=plan.widths[:-1])),
        *_training(plan),
    ]
    return _different(plan, found)


def against_both(plan: Plan) -> list[Candidate]:
    """A larger net and regularization at once, where neither helps alone; the rate falling to 0."""
    larger = {
        "twice as wide": _deeper(plan.widths, 0, 2),
        "four times as wide": _deeper(plan.widths, 0, 4),
        "a layer more, twice as wide": _deeper(plan.widths, 1, 2),
        "two layers more": _deeper(plan.widths, 2, 1),
    }
    quieter: dict[str, dict[str, Any]] = {
        "dropout 0.2": {"dropout": 0.2},
        "dropout 0.4": {"dropout": 0.4},
        "L2 0.001": {"l2": 1e-3},
        "dropout 0.2 and L2 0.0001": {"dropout": 0.2, "l2": 1e-4},
        "images moved, twice as long": {**_MOVED, "epochs": 2 * plan.epochs},
    }
    found = [
        Candidate(f"{size}, {name}", plan._replace(widths=widths, schedule="cosine", **numbers))
        for size, widths in larger.items()
        for name, numbers in quieter.items()
    ]
    return _different(plan, found)


def _training(plan: Plan) -> list[Candidate]:
    """Other ways of training the same net, which change both errors."""
    found = [
        Candidate("learning rate x 3", plan._replace(rate=plan.rate * 3)),
        Candidate("learning rate / 3", plan._replace(rate=plan.rate / 3)),
        Candidate("the rate falling to 0", plan._replace(schedule="cosine")),
        Candidate("learning rate x 3, falling", plan._replace(rate=plan.rate * 3, schedule="cosine")),
    ]
    for name in RATES:
        rate = plan.rate * RATES[name] / RATES[plan.optimizer]
        found.append(Candidate(f"optimizer {name}", plan._replace(optimizer=name, rate=rate)))
    return found + [
        Candidate(f"activation {name}", plan._replace(activation=name)) for name in ("relu", "gelu", "tanh")
    ]


def _deeper(widths: tuple[int, ...], layers: int, factor: int) -> tuple[int, ...]:
    wide = tuple(min(factor * w, _WIDEST) for w in widths or (32,))
    return (*wide, *wide[-1:] * layers)[:_DEEPEST]


def _regularized(plan: Plan, factor: float) -> Plan:
    names = ("dropout", "l1", "l2", "shift", "turn")
    return plan._replace(**{name: getattr(plan, name) * factor for name in names})


def _different(plan: Plan, found: list[Candidate]) -> list[Candidate]:
    """Those that change anything, each plan once."""
    seen: dict[Plan, Candidate] = {}
    for one in found:
        if one.plan != plan:
            seen.setdefault(one.plan, one)
    return list(seen.values())


AIMS = {"bias": "bias", "variance": "variance", "both": "bias and variance at once"}
"""What is too large, in words."""
FAMILIES = Table("family of remedies", {"bias": against_bias, "variance": against_variance, "both": against_both})
"""What is too large -> what may be tried."""


def remedies(aim: str, plan: Plan, images: tuple[int, int, int] | None) -> list[Candidate]:
    """What may be tried next to a plan.

    Args:
        aim: what is too large: a name in `FAMILIES`.
        plan: the net that there is.
        images: height, width and channels, where rows are images, which can be moved about and have neighbouring pixels.

    """
    fits = 0 if images is None else int(np.log2(min(images[:2])))  # times that a side can be halved
    return [
        one
        for one in FAMILIES[aim](plan)
        if (images is not None or not one.plan.of_images) and len(one.plan.filters) <= fits
    ]
