"""The shape of a run's loss, for whoever asks: its surface, the curvature along its way, optimizers racing on it.

What is asked for is checked by a table of fields, and bounded by what it costs: a large net is looked at on fewer rows, or
refused with the numbers.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from thalweg._names import Table, unknown
from thalweg.diagnosis import landscape
from thalweg.diagnosis._telling import told_to
from thalweg.diagnosis.landscape._courses import CLASSICS
from thalweg.diagnosis.landscape._directions import NAMES as DIRECTIONS
from thalweg.diagnosis.landscape._race import NAMES as RACERS
from thalweg.studio._ground import Ground
from thalweg.studio._jobs import Jobs, Told
from thalweg.studio._steering import Refused

AUTO, OWN = "auto", "run"
"""Directions that suit the way that is there; the surface that is the run's own."""
_ROOM = 4e11  # weights x rows x passes that a piece of work may cost: 10 s of two cores that have nothing else to do
_FEWEST, _MOST_ROWS = 64, 1000  # rows that a loss is told of
_ENOUGH = 20.0  # seconds, after which no further place of a way is begun
_SLOPE = 3  # passes of a slope
_BENT = 4  # of a Hessian times a vector
_PLACE = 12  # of a pass where a place's curvature is measured: it is one in float64, and there are several places
_VECTORS = 240  # that a Hessian is multiplied with at most, where it is not written out
_WRITTEN_OUT = 1500  # weights up to which it is
_SIZES = (5, 61)  # places along a side
_STEPS, _MOST_ON_NETS = 100, 300  # of a race on a net's own loss
_MOST_STEPS = 2000  # of a race on any other
_OWN_SURFACE = {"size": 25, "span": 1.0, "seed": 0}  # that a race is run on


class Field(NamedTuple):
    """One setting of what is asked for.

    Attributes:
        default: where none is given.
        fits: whether a value is one.
        words: what it must be.

    """

    default: Any
    fits: Callable[[Any], bool]
    words: str


class Kind(NamedTuple):
    """One kind of landscape.

    Attributes:
        fields: name -> field.
        made: plain data, from the ground, the settings, and a function that is told how far it is.
        stands: whether it stands on a run's ground.

    """

    fields: Mapping[str, Field]
    made: Callable[[Ground | None, Mapping[str, Any], Told], Any]
    stands: Callable[[Mapping[str, Any]], bool] = lambda asked: True


def begin(
    jobs: Jobs, given: Mapping[str, Any], run: str = "", ground: Callable[[], Ground] | None = None
) -> dict[str, Any]:
    """Have a landscape computed, unless the same one is known; gives what ``jobs.look`` does.

    Args:
        jobs: that do it.
        given: as for :func:`settings_of`.
        run: whose it is.
        ground: gives the run's; None: a race without a run.

    Raises:
        Refused: on settings that are none, or where the run's net or rows are not at hand.

    """
    kind, asked = settings_of(given, RACES if ground is None else KINDS)
    made = KINDS[kind]
    own = ground() if ground is not None and made.stands(asked) else None
    key = (run, kind, json.dumps(asked, sort_keys=True), None if own is None else own.stamp)
    return jobs.begin(key, lambda told: made.made(own, asked, told), (run, kind), asked)


def newest(jobs: Jobs, run: str = "") -> dict[str, Any]:
    """What was asked for last of each kind, as ``jobs.begun`` tells it, so that a second tab shows the same.

    Args:
        jobs: that do it.
        run: whose it is.

    """
    found = {kind: jobs.begun((run, kind)) for kind in KINDS}
    return {kind: one for kind, one in found.items() if one is not None}


def settings_of(given: Mapping[str, Any], known: Mapping[str, Kind] | None = None) -> tuple[str, dict[str, Any]]:
    """The kind that is asked for and all its settings, checked.

    Args:
        given: ``kind``, and what is to be otherwise than by default.
        known: kinds that may be asked for; None: all.

    Raises:
        Refused: naming the field, what was expected and what came.

    """
    known = KINDS if known is None else known
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in known:
        raise Refused(f"kind: {unknown('kind', kind, list(known))}")
    fields = known[kind].fields
    for name in given:
        if name != "kind" and name not in fields:
            raise Refused(f"{name}: {unknown('setting', name, list(fields))}")
    asked = {name: given.get(name, field.default) for name, field in fields.items()}
    for name, field in fields.items():
        if not field.fits(asked[name]):
            raise Refused(f"{name} must be {field.words}, got {str(asked[name])[:50]!r}.")
    return kind, asked


# -- surface --------------------------------------------------------------------------------------


def _surface(ground: Ground | None, asked: Mapping[str, Any], told: Told) -> Any:
    assert ground is not None
    found = _surface_of(ground, asked, told, 0.0)
    return {**found.record(), "shows_path": found.shows_path, "at_edge": found.at_edge, "note": _note(ground)}


def _surface_of(ground: Ground, asked: Mapping[str, Any], told: Told, more: float) -> landscape.LossSurface:
    """The surface, on as many rows as it and `more` passes leave time for."""
    directions = asked["directions"]
    if directions == AUTO or (directions == "trajectory" and not ground.has_way):
        directions = "trajectory" if ground.has_way else "filter"
    passes = asked["size"] ** 2 + more + (_hessian(ground) if directions == "eigen" else 0)
    x, y = ground.rows(_rows_for(ground, passes, "steps" if more else "size"))
    path = ground.way if ground.has_way else None
    with told_to(told):
        return landscape.loss_surface(
            ground.model, x, y, directions, asked["size"], asked["span"], path, seed=asked["seed"], verbose=0
        )


def _rows_for(ground: Ground, passes: float, field: str) -> int:
    """How many rows there is time for.

    Raises:
        Refused: where those are too few to tell of a loss.

    """
    weights = ground.model.count_params()
    rows = int(_ROOM / (max(weights, 1) * passes))
    if rows < _FEWEST:
        raise Refused(
            f"{field}: {passes:,.0f} passes over {_FEWEST} rows with {weights:,} weights would take minutes: ask for less."
        )
    return min(rows, _MOST_ROWS)


def _hessian(ground: Ground) -> float:
    """Passes over the rows that the ends of a Hessian's spectrum take."""
    weights = ground.model.count_params()
    return float(_BENT * (weights if weights <= _WRITTEN_OUT else _VECTORS))


def _note(ground: Ground) -> str:
    """What a person should know of the way."""
    if ground.has_way:
        return ""
    count = len(ground.way)
    return f"The run's way is not drawn: {count} places of it are kept, and it takes 3 at least. {ground.more}"


# -- curvature ------------------------------------------------------------------------------------


def _curvature(ground: Ground | None, asked: Mapping[str, Any], told: Told) -> Any:
    """Places of the way, the ends first and then between them, for as long as there is time."""
    assert ground is not None
    if not len(ground.way):
        raise Refused(f"No place of this run's way is kept. {ground.more}")
    x, y = ground.rows(_rows_for(ground, _PLACE * _hessian(ground), "places"))
    order = _spread(len(ground.way), asked["places"])
    found: dict[int, Any] = {}
    begun, slowest = time.monotonic(), 0.0
    for i in order:
        before = time.monotonic()
        if found and before - begun + slowest > _ENOUGH:
            break
        told(len(found), len(order))
        along = landscape.curvature_along(ground.model, [ground.way.weights[i]], x, y, verbose=0)
        found[i] = along.record()["points"][0]
        slowest = max(slowest, time.monotonic() - before)
    left = len(order) - len(found)
    return {
        "steps": [ground.way.steps[i] for i in sorted(found)],
        "points": [found[i] for i in sorted(found)],
        "rows": len(x[0] if isinstance(x, list) else x),
        "note": f"There was time for {len(found)} of {len(order)} places." if left else "",
    }


def _spread(n: int, count: int) -> list[int]:
    """Some places of n, evenly apart: the last, the first, then those farthest from the ones before."""
    left = sorted({int(i) for i in np.linspace(0, n - 1, min(n, count)).round()})
    chosen = [left.pop()]
    while left:
        farthest = max(left, key=lambda i: min(abs(i - j) for j in chosen))
        left.remove(farthest)
        chosen.append(farthest)
    return chosen


# -- race -----------------------------------------------------------------------------------------


def _race(ground: Ground | None, asked: Mapping[str, Any], told: Told) -> Any:
    surface, steps, note = asked["surface"], asked["steps"], ""
    if surface == OWN:
        if ground is None:
            raise Refused(f"surface: {unknown('surface', OWN, list(CLASSICS))}")
        surface, steps = _own(ground, asked, told)
        note = _note(ground)
    with told_to(told):
        found = landscape.race(asked["racers"], surface, steps, asked["start"], verbose=0)
    return {**found.record(), "note": note}


def _own(ground: Ground, asked: Mapping[str, Any], told: Told) -> tuple[landscape.LossSurface, int]:
    """The run's surface, on as many rows as a race on it leaves time for, and how long that is."""
    steps = asked["steps"] or _STEPS
    if steps > _MOST_ON_NETS:
        raise Refused(f"steps must be at most {_MOST_ON_NETS} on a net's own loss, got {steps:,}.")
    settings = {**_OWN_SURFACE, "directions": asked["directions"]}
    return _surface_of(ground, settings, told, _SLOPE * steps * len(asked["racers"])), steps


# -- what may be asked for ------------------------------------------------------------------------


def _is_whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda one: isinstance(one, int) and not isinstance(one, bool) and low <= one <= high


def _is_number(one: Any) -> bool:
    return isinstance(one, (int, float)) and not isinstance(one, bool) and abs(one) <= sys.float_info.max


def _are_racers(given: Any) -> bool:
    known = isinstance(given, list) and len(given) > 0 and all(one in RACERS for one in given)
    return known and len(set(given)) == len(given)


def _is_point(given: Any) -> bool:
    return given is None or (isinstance(given, list) and len(given) == 2 and all(map(_is_number, given)))


_PLANES = (AUTO, *DIRECTIONS)
_DIRECTIONS = Field(AUTO, lambda one: one in _PLANES, f"one of {', '.join(_PLANES)}")
_SURFACES = (*CLASSICS, OWN)
KINDS: Mapping[str, Kind] = Table(
    "kind",
    {
        "surface": Kind(
            {
                "directions": _DIRECTIONS,
                "size": Field(
                    31,
                    lambda one: _is_whole(*_SIZES)(one) and one % 2 == 1,
                    f"an odd whole number from {_SIZES[0]} to {_SIZES[1]}",
                ),
                "span": Field(1.0, lambda one: _is_number(one) and 0 < one <= 100, "a number above 0, at most 100"),
                "seed": Field(0, _is_whole(0, 2**31 - 1), "a whole number of 0 or more"),
            },
            _surface,
        ),
        "curvature": Kind({"places": Field(6, _is_whole(1, 8), "a whole number from 1 to 8")}, _curvature),
        "race": Kind(
            {
                "racers": Field(list(RACERS), _are_racers, f"a list of different names among {', '.join(RACERS)}"),
                "surface": Field("ravine", lambda one: one in _SURFACES, f"one of {', '.join(_SURFACES)}"),
                "steps": Field(
                    None,
                    lambda one: one is None or _is_whole(1, _MOST_STEPS)(one),
                    f"a whole number from 1 to {_MOST_STEPS:,}, or null",
                ),
                "start": Field(None, _is_point, "two finite numbers, or null"),
                "directions": _DIRECTIONS,
            },
            _race,
            lambda asked: bool(asked["surface"] == OWN),
        ),
    },
)
"""What may be asked for of a run."""

RACES: Mapping[str, Kind] = Table("kind", {"race": KINDS["race"]})
"""What may be asked for without a run."""


def choices() -> dict[str, Any]:
    """What a race may be between, and on what."""
    return {
        "racers": list(RACERS),
        "surfaces": {name: {"about": one.about, "steps": one.steps} for name, one in CLASSICS.items()},
        "own": OWN,
        "steps": {"default": _STEPS, "most": _MOST_ON_NETS},
    }
