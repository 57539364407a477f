"""From rows or streams to slabs: data on the device with the order in which a stretch of steps reads it.

Arrays are one resident :class:`Data` read in a new order each epoch. A stream becomes a row of
slabs, each some batches laid end to end, made by a thread while the device computes.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from thalweg import config, data
from thalweg.data import Rows, Stream
from thalweg.engine._state import Data, Order

_SLAB_BYTES = 8 << 20
_SLAB_BATCHES = 64


class Slab(NamedTuple):
    """Some steps' worth of work."""

    data: Data
    order: Order
    steps: int
    start: int = 0  # steps before it are done already


class Feed(Protocol):
    """Where an epoch's work comes from."""

    @property
    def steps(self) -> int | None:
        """Steps an epoch, where they are known."""

    def epoch(self, number: int, skip: int = 0) -> Generator[Slab, None, None]:
        """The slabs of one epoch, without its first `skip` steps."""

    def place(self, step: int) -> dict[str, Any]:
        """What must be the same, or be known, where another process goes on at `step` of an epoch: plain data."""

    def look_at(self, place: Mapping[str, Any]) -> None:
        """Raise ValueError where one cannot go on at a :meth:`place` of another process."""

    def go_to(self, epochs: int, place: Mapping[str, Any]) -> None:
        """Go on as after `epochs` epochs, at a :meth:`place`."""


def place_rows(rows: Rows, capacity: int | None = None) -> Data:
    """Rows on the device, in a capacity that neighbouring row counts share."""
    room = capacity or data.capacity(rows.n)
    floats = config.floatx()

    def put(arrays: Any) -> tuple[Any, ...]:
        return tuple(data.place(array, room, floats) for array in arrays)

    labels = tuple(data.place(array, room, floats if array.dtype.kind == "f" else "int32") for array in rows.y)
    return Data(put(rows.x), labels, put(rows.weight))


def order_of(
    n: int, batch_size: int, steps: int, number: int, seed: int | None = None, room: int | None = None
) -> Order:
    """The order in which `n` rows are read in an epoch.

    Args:
        n: rows there are.
        batch_size: rows a step.
        steps: of an epoch; where they are no whole pass, the next epoch goes on where this one stops.
        number: of the epoch.
        seed: keys the orders together with the number of the pass; None keeps the rows' order.
        room: steps for which the arrays have room; by default a capacity that neighbouring counts share.

    """
    room = room or data.capacity(steps)
    per_pass = -(-n // batch_size)
    index = np.zeros((room, batch_size), np.int32)
    rows = np.zeros(room, np.int32)
    done = 0
    while done < steps:
        pass_, first = divmod(number * steps + done, per_pass)
        taken = min(per_pass - first, steps - done)
        batches, counts = data.order(n, batch_size, seed=seed or 0, epoch=pass_, shuffle=seed is not None)
        index[done : done + taken] = batches[first : first + taken]
        rows[done : done + taken] = counts[first : first + taken]
        done += taken
    return Order(index, rows)


class ArrayFeed:
    """Rows that fit on the device.

    Args:
        rows: on the host.
        batch_size: rows a step.
        seed: keys the orders together with the number of the pass; None keeps the rows' order.
        steps_per_epoch: fewer steps than a pass has: the next epoch goes on where this one stopped.
        exact: whether the last, short batch gets a slab of its own instead of padding rows.

    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        *,
        seed: int | None = None,
        steps_per_epoch: int | None = None,
        exact: bool = False,
    ) -> None:
        self.rows, self.batch_size, self.seed, self.exact = rows, batch_size, seed, exact
        self.per_pass = -(-rows.n // batch_size)
        self.steps = steps_per_epoch or self.per_pass

    @cached_property
    def data(self) -> Data:
        """The rows on the device, placed when they are first needed."""
        return place_rows(self.rows)

    def epoch(self, number: int, skip: int = 0) -> Generator[Slab, None, None]:
        """One slab, or two where the short batch is exact."""
        for slab in self._slabs(number):
            if skip < slab.steps:
                yield slab._replace(start=skip)
            skip = max(skip - slab.steps, 0)

    def place(self, step: int) -> dict[str, Any]:
        """What decides an epoch's order."""
        return {
            "rows": self.rows.n,
            "batch_size": self.batch_size,
            "steps": self.steps,
            "shuffle": self.seed is not None,
        }

    def look_at(self, place: Mapping[str, Any]) -> None:
        """The sizes must be the same."""
        _same(place, self.place(0))

    def go_to(self, epochs: int, place: Mapping[str, Any]) -> None:
        """Orders are keyed by the epoch: there is nothing to catch up on."""

    def _slabs(self, number: int) -> Generator[Slab, None, None]:
        order = self.order(number, self.seed)
        full = int((order.rows == self.batch_size).sum()) if self.exact else self.steps
        short = [i for i in range(self.steps) if order.rows[i] < self.batch_size] if self.exact else []
        if not short:
            yield Slab(self.data, order, self.steps)
        elif full == 0 or short == [self.steps - 1]:
            yield from self._split(order, self.steps - 1)
        else:  # the short batch lies within the epoch: it was carried over from the pass before
            for i in range(self.steps):
                yield Slab(self.data, _cut(order, i, i + 1, int(order.rows[i])), 1)

    def _split(self, order: Order, full: int) -> Generator[Slab, None, None]:
        if full:
            yield Slab(self.data, order, full)
        yield Slab(self.data, _cut(order, full, full + 1, int(order.rows[full])), 1)

    def order(self, number: int, seed: int | None) -> Order:
        """The order of epoch `number`, in a capacity of steps that neighbouring counts share."""
        return order_of(self.rows.n, self.batch_size, self.steps, number, seed)


class StreamFeed:
    """Batches that come one after the other.

    Args:
        stream: what gives them.
        steps_per_epoch: batches an epoch; None goes on to the stream's end.
        size: how many batches are prepared ahead.
        workers: threads that prepare them, for indexable streams.
        exact: whether batches of other sizes get a slab of their own instead of padding rows.

    """

    def __init__(
        self,
        stream: Stream,
        *,
        steps_per_epoch: int | None = None,
        size: int = 10,
        workers: int = 1,
        exact: bool = False,
        first: Rows | None = None,
    ) -> None:
        self.stream, self.size, self.workers, self.exact = stream, size, workers, exact
        self.asked = steps_per_epoch
        self.steps = steps_per_epoch or stream.length
        self.batch_size = first.n if first is not None else 0
        self._until, self._room = 0, 0  # steps of the epoch in the slabs so far, batches for which the last has room
        self._left = 0  # batches of a slab that another process had begun

    def place(self, step: int) -> dict[str, Any]:
        """The widest batch so far, to which later ones are padded, and what is left of the slab: its width is known."""
        left = max(self._until - step, 0) if step else 0
        return {"steps": self.asked, "widest": self.batch_size, "left": left, "room": self._room}

    def look_at(self, place: Mapping[str, Any]) -> None:
        """Epochs must be as long."""
        _same({"steps": place.get("steps", self.asked), **_sizes(place)}, {"steps": self.asked})

    def go_to(self, epochs: int, place: Mapping[str, Any]) -> None:
        """Let the stream leave out what was read."""
        self.batch_size, self._left, self._room = place["widest"], place["left"], place["room"]
        self.stream.pass_over(epochs, self.asked)

    def epoch(self, number: int, skip: int = 0) -> Generator[Slab, None, None]:
        """Slabs of as many batches as fit a few megabytes, in the stream's order."""
        waiting: list[Rows] = []
        self.stream.workers, self._until = self.workers, skip
        with data.prefetch(self.stream.epoch(self.asked, skip), self.size) as batches:
            for rows in batches:
                if waiting and (self._full(waiting) or (self.exact and rows.n != waiting[0].n)):
                    yield self._slab(waiting)
                    waiting = []
                waiting.append(rows)
        if waiting:
            yield self._slab(waiting)

    def _full(self, waiting: list[Rows]) -> bool:
        return len(waiting) >= (self._left or self._batches(waiting[0]))

    def _batches(self, rows: Rows) -> int:
        size = 4 * sum(int(np.prod(np.shape(a)[1:])) for a in (*rows.x, *rows.y)) * max(rows.n, 1)
        return max(1, min(_SLAB_BATCHES, _SLAB_BYTES // max(size, 1), self.steps or _SLAB_BATCHES))

    def _slab(self, batches: list[Rows]) -> Slab:
        width = batches[0].n if self.exact else max(self.batch_size, *(rows.n for rows in batches))
        self.batch_size = max(self.batch_size, width)
        room = self._room = self._room if self._left else self._batches(batches[0])
        self._until, self._left = self._until + len(batches), 0
        index = np.zeros((room, width), np.int32)
        counts = np.zeros(room, np.int32)
        start = 0
        for i, rows in enumerate(batches):
            index[i] = start
            index[i, : rows.n] = np.arange(start, start + rows.n)
            counts[i] = rows.n
            start += rows.n
        return Slab(place_rows(_joined(batches), room * width), Order(index, counts), len(batches))


def _same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name in dict.fromkeys((*now, *before)):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"The run was begun with {name}={before.get(name)}, got {now.get(name)}: it cannot go on. Give it what it "
                "had, or begin another."
            )


def _sizes(place: Mapping[str, Any]) -> dict[str, Any]:
    """What only the place of arrays has."""
    return {name: place[name] for name in ("rows", "batch_size") if name in place}


def _joined(batches: list[Rows]) -> Rows:
    def join(name: str) -> tuple[Any, ...]:
        parts = [getattr(rows, name) for rows in batches]
        return tuple(np.concatenate([np.asarray(one[i]) for one in parts]) for i in range(len(parts[0])))

    return batches[0]._replace(x=join("x"), y=join("y"), weight=join("weight"), n=sum(rows.n for rows in batches))


def _cut(order: Order, start: int, stop: int, width: int) -> Order:
    return Order(order.index[start:stop, :width], order.rows[start:stop])
