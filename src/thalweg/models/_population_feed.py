"""What a population reads: the same rows or batches for all members, each in its own order, or rows of its own."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from thalweg import data
from thalweg.data import Rows
from thalweg.engine import ArrayFeed, Feed, Order, Slab, order_of, stack
from thalweg.models._crew import Crew
from thalweg.models._fit import feed_of
from thalweg.models._portions import Numbers


def shared_feed(
    crew: Crew, source: Any, asked: dict[str, Any], seed: int | None, first: Rows, placed: Any = None
) -> Feed:
    """A feed of rows that all members read; those that stay on the devices are copied to each once."""
    feed = feed_of(source, asked["batch_size"], asked, seed, False, first)
    if isinstance(feed, ArrayFeed):
        feed.data = crew.share(feed.data, own=False) if placed is None else placed
    return feed


class PopulationFeed:
    """One set of rows, in an order for each member; or for each member rows of its own among them.

    Args:
        crew: who reads.
        source: rows or a stream.
        asked: the fit's arguments.
        seeds: one a member; None keeps the rows' order.
        first: the first rows of the source.
        each: per member the numbers of its rows, or None where all read all.
        placed: the rows on the devices, where they are there already.

    Raises:
        ValueError: where a stream is to be read by each member for itself.

    """

    def __init__(
        self,
        crew: Crew,
        source: Any,
        asked: dict[str, Any],
        seeds: list[int | None],
        first: Rows,
        each: list[Numbers] | None = None,
        placed: Any = None,
    ) -> None:
        self.crew, self.seeds, self.each = crew, seeds, each
        self.inner = shared_feed(crew, source, asked, seeds[0], first, placed)
        inner = self.inner
        self.steps_of = [inner.steps] * len(seeds)
        if each is not None:
            if not isinstance(inner, ArrayFeed):
                raise ValueError(
                    "Rows of members' own go with arrays, got a source of batches: give x and y as arrays."
                )
            own = [inner.per_pass if numbers is None else -(-len(numbers) // inner.batch_size) for numbers in each]
            self.steps_of = [int(asked["steps_per_epoch"] or steps) for steps in own]
        known = [steps for steps in self.steps_of if steps is not None]
        self.steps = max(known, default=None)

    @property
    def rows(self) -> Any:
        """What all members read, where it is rows."""
        return getattr(self.inner, "rows", None)

    @property
    def data(self) -> Any:
        """Those rows on the devices."""
        return getattr(self.inner, "data", None)

    def place(self, step: int) -> dict[str, Any]:
        """As of the rows that all members read."""
        return self.inner.place(step)

    def look_at(self, place: Any) -> None:
        """Likewise."""
        self.inner.look_at(place)

    def go_to(self, epochs: int, place: Any) -> None:
        """Go on as after `epochs` epochs."""
        self.inner.go_to(epochs, place)

    def bound(self, step: int, running: list[bool]) -> Any:
        """Each member's own bound: one that does not run, or has no more rows, runs no more steps."""
        bounds = np.zeros(self.crew.count, np.int32)
        for i, (runs, steps) in enumerate(zip(running, self.steps_of, strict=True)):
            bounds[i] = 0 if not runs else step if steps is None else min(step, steps)
        return self.crew.share(bounds)

    def epoch(self, number: int, skip: int = 0) -> Generator[Slab, None, None]:
        """The slabs, with orders [members, steps, batch]."""
        if isinstance(self.inner, ArrayFeed):
            assert self.steps is not None
            if skip < self.steps:
                yield Slab(self.inner.data, stack(self.crew.fill(self._orders(number))), self.steps, skip)
            return
        for slab in self.inner.epoch(number, skip):
            order = Order(*(np.broadcast_to(a, (self.crew.count, *a.shape)) for a in slab.order))
            yield Slab(self.crew.share(slab.data, own=False), order, slab.steps)

    def _orders(self, number: int) -> list[Order]:
        inner = self.inner
        assert isinstance(inner, ArrayFeed) and self.steps is not None
        room = data.capacity(self.steps)
        orders = []
        for i, seed in enumerate(self.seeds):
            numbers = None if self.each is None else self.each[i]
            count, steps = inner.rows.n if numbers is None else len(numbers), self.steps_of[i]
            assert steps is not None
            order = order_of(count, inner.batch_size, steps, number, seed, room)
            orders.append(order if numbers is None else order._replace(index=numbers[order.index]))
        return orders
