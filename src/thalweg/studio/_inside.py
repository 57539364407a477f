"""What the layers of a net hold while it learns: histograms of weights, activations and gradients, taken now and then.

The thread that trains copies the weights, no more; what they come to is found out by another one. Both keep to a share of the time.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from thalweg.data import Rows
from thalweg.diagnosis._inside import Inside as Seen
from thalweg.diagnosis._inside import look_inside
from thalweg.studio._live import plain
from thalweg.studio._rows import Sample
from thalweg.studio._steering import Refused, turn

BINS, KEPT, ROWS, LAYERS = 40, 64, 256, 16
"""Of a histogram; looks that are kept, rows that are looked at, and layers that are told, each at most."""
_APART = 50.0  # a look waits for so many times as long as the one before took
_SOONEST = 0.5  # seconds between two looks at least
_ROOM = 1 << 24  # numbers that the rows' activations may take
_NUMBERS = 1 << 20  # of an array that are counted; of a larger one each so many-th
_serial = itertools.count(1)  # of all looks of the process, so that no two are taken for one


class Pace:
    """Keeps what is done now and then to a share of the time.

    Args:
        apart: how many times as long as it took passes before the next time.
        soonest: seconds between two at least.

    """

    def __init__(self, apart: float = _APART, soonest: float = _SOONEST) -> None:
        self.apart, self.soonest, self._next = apart, soonest, -np.inf

    def is_due(self, now: float) -> bool:
        """Whether it may be done again."""
        return bool(now >= self._next)

    def took(self, begun: float, ended: float) -> None:
        """It has been done."""
        self._next = max(begun + self.soonest, ended + self.apart * (ended - begun))


class Looks:
    """Those that are kept: a bounded number, about evenly apart. When they are full, every second one goes.

    Args:
        most: that are kept.

    Attributes:
        life: how often the fit has gone back.

    """

    def __init__(self, most: int = KEPT) -> None:
        self.most, self.life, self._gap = most, 0, 0.0  # in epochs
        self._kept: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def wants(self, place: float) -> bool:
        """Whether one at that place, in epochs, would be kept."""
        with self._lock:
            return not self._kept or place >= self._kept[-1]["place"] + self._gap

    def add(self, look: dict[str, Any], life: int) -> None:
        """Keep a look; one at the same place makes room for it.

        Args:
            look: with its ``place``.
            life: in which it was begun: where the fit has gone back since, it is no part of it any more.

        """
        with self._lock:
            if life != self.life:
                return
            kept = [one for one in self._kept if one["place"] < look["place"]]
            self._kept = [*kept, {**look, "number": next(_serial)}]
            if len(self._kept) > self.most:
                self._kept = self._kept[::2]
                self._gap = (self._kept[-1]["place"] - self._kept[0]["place"]) / (len(self._kept) - 1)

    def cut(self, place: float) -> None:
        """The fit has gone back there: what came after is no part of it any more."""
        with self._lock:
            self._kept = [one for one in self._kept if one["place"] <= place]
            self.life += 1

    @property
    def last(self) -> dict[str, Any] | None:
        """The newest."""
        with self._lock:
            return self._kept[-1] if self._kept else None

    def since(self, after: int) -> dict[str, Any]:
        """The numbers of all that are kept, and those looks that came after one."""
        with self._lock:
            return {
                "kept": [one["number"] for one in self._kept],
                "looks": [one for one in self._kept if one["number"] > after],
            }


class Moment(NamedTuple):
    """A net as it was.

    Attributes:
        epoch, step: how far the fit had come.
        place: the same in epochs.
        weights: copies.
        hypers: as they were.

    """

    epoch: int
    step: int
    place: float
    weights: list[np.ndarray]
    hypers: dict[str, float]


class Inside:
    """Looks inside a net while it learns.

    Args:
        sample: gives rows; raises :class:`Refused` where there are none.
        readers: how many read; where nobody does the weights alone are looked at, which needs no pass through the net.

    Attributes:
        why: activations and gradients are not seen; '' where they are.

    """

    def __init__(self, sample: Callable[[], Sample], readers: Callable[[], int] = lambda: 1) -> None:
        self._sample, self._readers = sample, readers
        self.looks, self.why = Looks(), ""
        self._copying, self._looking = Pace(), Pace()
        self._twin: Any = None
        self._worker: threading.Thread | None = None
        self._place, self._knows = (0, 0, 0.0), False
        self._lock = threading.Lock()

    def pass_by(self, model: Any, copies: bool = True) -> None:
        """Have a look taken where one is due; for the thread that trains.

        Args:
            model: at a safe point.
            copies: whether its weights may be copied now; else it is only known where it is.

        """
        place = _place_of(model.session)
        if place[2] < self._place[2]:
            self.looks.cut(place[2])
        self._place = place
        now = time.monotonic()
        if (
            not copies
            or not (self._copying.is_due(now) and self._looking.is_due(now))
            or not self.looks.wants(place[2])
        ):
            return
        if self._worker is not None and self._worker.is_alive():
            return
        if self._twin is None:
            self._twin = model.twin()
        moment = Moment(*place, model.get_weights(), dict(model.hypers))
        self._copying.took(now, time.monotonic())
        self._worker = threading.Thread(target=self._work, args=(moment, self.looks.life), name="thalweg-inside")
        self._worker.start()

    def _work(self, moment: Moment, life: int) -> None:
        with self._lock:
            begun = time.monotonic()
            try:
                self._twin.set_weights(moment.weights)
                for path, value in moment.hypers.items():
                    turn(self._twin, path, value)
                whole = self._readers() > 0
                if whole and not self._knows:  # the first pass compiles, which is no measure of the next
                    self._seen(self._twin)
                    begun = time.monotonic()
                self.looks.add(self._look(self._twin, moment, whole), life)
            except Exception as error:  # told to whoever looks; the fit goes on
                self.why = f"The net cannot be looked into: {error}"
            self._looking.took(begun, time.monotonic())

    def at_rest(self, model: Any) -> None:
        """Look at a net that nobody trains now, where that has not been done.

        Args:
            model: with its weights.

        """
        with self._lock:
            last, life = self.looks.last, self.looks.life
            if last is None or last["place"] != self._place[2] or not (last["rows"] or self.why):
                self.looks.add(self._look(model, Moment(*self._place, [], {}), True), life)

    def wait(self) -> None:
        """Until the look that is under way is taken."""
        if self._worker is not None:
            self._worker.join()

    def _look(self, model: Any, moment: Moment, whole: bool) -> dict[str, Any]:
        seen, rows = self._seen(model) if whole else (None, 0)
        told = _layers(model, seen)
        some = told if len(told) <= LAYERS else [*told[: LAYERS // 2], *told[-LAYERS // 2 :]]
        return {
            **{"epoch": moment.epoch, "step": moment.step, "place": moment.place, "rows": rows},
            **{"layers": some, "all": len(told)},
        }

    def _seen(self, model: Any) -> tuple[Seen | None, int]:
        """What some rows do in the net."""
        try:
            sample = self._sample()
            rows = Rows(sample.x, sample.y, (), len(sample.x[0]))
            count = max(1, min(ROWS, _ROOM // max(1, sum(int(np.prod(one)) for one in model.network.features))))
            found, self.why = look_inside(model, rows, count), ""
            self._knows = True
            return found, min(count, rows.n)
        except Refused as error:
            self.why = str(error)
        except Exception as error:  # of whatever a person's own layers and losses do
            self.why = f"Activations and gradients cannot be seen: {error}"
        return None, 0


def _place_of(session: Any) -> tuple[int, int, float]:
    """Epoch and step of a fit, and both in epochs; where an epoch has no known length it counts when it is done."""
    if session is None:
        return 0, 0, 0.0
    steps = session.feed.steps
    return session.epoch, session.step, session.epoch + (session.step / steps if steps else 0.0)


def _layers(model: Any, seen: Seen | None) -> list[dict[str, Any]]:
    """Histograms of every layer that learns, or is an activation."""
    network, learnt = model.network, dict[str, list[np.ndarray]]()
    for place, array in zip(network.trainable, model.arrays()[0], strict=True):
        learnt.setdefault(network.layers[place.layer].name, []).append(np.asarray(array))
    given = {} if seen is None else dict(zip(seen.names, seen.outputs, strict=True))
    slopes, kinds = ({}, {}) if seen is None else (seen.slopes, seen.kinds)
    return [
        {
            "name": name,
            "weights": _of(learnt.get(name)),
            "activations": _activations(given.get(name)),
            "gradients": _gradients(slopes.get(name)),
        }
        for name in dict.fromkeys(network.layers[node.layer].name for node in network.nodes)
        if name in learnt or kinds.get(name)
    ]


def _of(arrays: Iterable[np.ndarray] | None) -> dict[str, Any] | None:
    return None if arrays is None else histogram(np.concatenate([np.ravel(one) for one in arrays]))


def _activations(outputs: np.ndarray | None) -> dict[str, Any] | None:
    """Of a layer's outputs, [rows, ..., units]: also how many are 0, and how many units give 0 for every row."""
    if outputs is None:
        return None
    silent = outputs.reshape(-1, outputs.shape[-1]) == 0
    return {**histogram(outputs), "zeros": float(silent.mean()), "dead": float(silent.all(axis=0).mean())}


def _gradients(slopes: list[np.ndarray] | None) -> dict[str, Any] | None:
    """Of the loss's gradient by what a layer learns: also its length."""
    if slopes is None:
        return None
    found = _of(slopes)
    norm = float(np.sqrt(sum(np.square(one, dtype=np.float64).sum() for one in slopes)))
    return plain({**(found or {}), "norm": norm})


def histogram(values: Any) -> dict[str, Any]:
    """How numbers are spread.

    Args:
        values: an array.

    Returns:
        ``low``, ``high``, and how many lie in each of `BINS` equal parts between, ``counts``; ``mean``, ``std``; ``lost``: how many
        are no finite numbers.

    """
    flat = np.ravel(values).astype(np.float64)
    held = flat[np.isfinite(flat)]
    if not held.size:
        return {"low": None, "high": None, "counts": [0] * BINS, "mean": None, "std": None, "lost": int(flat.size)}
    low, high = float(held.min()), float(held.max())
    some = held[:: -(-held.size // _NUMBERS)]
    places = (BINS * ((some - low) / ((high - low) or 1.0))).astype(
        int
    )  # np.histogram refuses a range of a few last bits
    counts = np.bincount(np.minimum(places, BINS - 1), minlength=BINS)
    return {
        **{"low": low, "high": high, "counts": counts.tolist()},
        **{"mean": float(held.mean()), "std": float(held.std()), "lost": int(flat.size - held.size)},
    }
