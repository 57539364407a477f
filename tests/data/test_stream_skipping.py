"""A stream that goes on in another process: what was read is left out, and nothing is fetched that need not be."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from going_on import KINDS, Break, Steps, X, Y, broken_fit, same
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg import callbacks, data
from thalweg.engine import _feed
from thalweg.utils import PyDataset

SIZES = (8, 5, 8, 3, 2)
STARTS = np.cumsum((0, *SIZES))


def batch(i):
    return X[STARTS[i] : STARTS[i + 1]], Y[STARTS[i] : STARTS[i + 1]]


class Numbers(PyDataset):
    """Batches in an order drawn anew after each pass; remembers what was fetched."""

    def __init__(self):
        super().__init__()
        self.passes, self.fetched = 0, []
        self._order()

    def _order(self):
        self.order = np.random.default_rng(self.passes).permutation(len(SIZES))

    def __len__(self):
        return len(SIZES)

    def __getitem__(self, index):
        self.fetched.append(index)
        return batch(self.order[index])

    def on_epoch_end(self):
        self.passes += 1
        self._order()


class Shuffled:
    """An iterable that draws an order at the begin of each pass."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def __iter__(self):
        return map(batch, self.rng.permutation(len(SIZES)))


class Endless:
    """An iterator that leaves batches out itself."""

    def __init__(self):
        self.at, self.skipped, self.drawn = 0, [], 0

    def __iter__(self):
        return self

    def __next__(self):
        self.at, self.drawn = self.at + 1, self.drawn + 1
        return batch((self.at * 7) % len(SIZES))

    def skip(self, batches):
        self.skipped.append(batches)
        self.at += batches


def generator():
    rng = np.random.default_rng(1)
    while True:
        yield batch(rng.integers(len(SIZES)))


SOURCES = {
    "generator": (generator, (4, 7)),
    "sequence": (Numbers, (None, 3, 5, 7)),
    "iterable": (Shuffled, (None, 3, 5, 7)),
    "skips": (Endless, (4, 6)),
}


def streams(source):
    """A stream over a source, as fit makes it."""
    return data.adapt(source, what="fit")


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.data())
def test_what_comes_is_what_would_have_come(drawn):
    make, lengths = SOURCES[drawn.draw(st.sampled_from(sorted(SOURCES)))]
    steps, done, skip = (
        drawn.draw(st.sampled_from(lengths)),
        drawn.draw(st.integers(0, 3)),
        drawn.draw(st.integers(0, 8)),
    )
    skip = min(skip, steps or len(SIZES))
    whole, other = streams(make()), streams(make())
    for stream in (whole, other):
        for _ in range(drawn.draw(st.integers(0, 2))):
            data.peek(stream)
    for _ in range(done):
        list(whole.epoch(steps))
    expected = [
        [rows.x[0] for rows in whole.epoch(steps)][skip:],
        *([r.x[0] for r in whole.epoch(steps)] for _ in "ab"),
    ]
    other.pass_over(done, steps)
    got = [[rows.x[0] for rows in other.epoch(steps, skip)], *([r.x[0] for r in other.epoch(steps)] for _ in "ab")]
    assert [len(one) for one in got] == [len(one) for one in expected]
    for one, two in zip(chain(*got), chain(*expected), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("steps", [None, 3, 7])
def test_a_sequence_fetches_nothing_that_is_left_out(steps):
    source = Numbers()
    stream = streams(source)
    data.peek(stream)
    stream.pass_over(4, steps)
    assert source.fetched == [0]  # what was looked at
    assert source.passes == (4 if steps is None else 4 * steps // 5 - (steps == 7 and 4 * steps % 5 == 0))
    next(stream.epoch(steps, 2))
    assert len(source.fetched) == 2


def test_an_iterator_that_can_skip_is_asked_and_nothing_is_drawn():
    source = Endless()
    stream = streams(source)
    data.peek(stream)
    stream.pass_over(5, 4)
    next(stream.epoch(4, 3))
    assert source.skipped == [19, 3] and source.drawn == 2


def test_a_skip_that_gives_another_data_set_is_not_taken_for_it():
    class Set(Shuffled):
        def skip(self, batches):
            raise AssertionError("such a skip leaves this one as it is")

    list(streams(Set()).epoch(3, 2))


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("skip", range(1, 9))
def test_steps_are_as_wide_as_they_would_have_been(skip, exact, monkeypatch):
    """Batches are padded to the widest of their slab: that must not depend on where a fit goes on."""
    monkeypatch.setattr(_feed, "_SLAB_BATCHES", 4)

    def feed():
        stream = streams((X[:n], Y[:n]) for n in (2, 2, 2, 3, 3, 5, 8, 4, 4, 1))
        return _feed.StreamFeed(stream, steps_per_epoch=10, exact=exact, first=data.peek(stream))

    def widths(slabs):
        return [(slab.order.index.shape[1], int(slab.order.rows[i])) for slab in slabs for i in range(slab.steps)]

    whole, other, place = feed(), feed(), None
    expected, done = [], 0
    for slab in whole.epoch(0):
        expected += widths([slab])
        if done < skip <= done + slab.steps:
            place = whole.place(skip)
        done += slab.steps
    other.look_at(place)
    other.go_to(0, place)
    assert widths(other.epoch(0, skip)) == expected[skip:]


@pytest.mark.parametrize("kind", ["adam", "rmsprop"])
@pytest.mark.parametrize("name", sorted(SOURCES))
@pytest.mark.parametrize("slab", [2, 64])
def test_a_fit_on_a_stream_goes_on(name, kind, slab, tmp_path, monkeypatch):
    monkeypatch.setattr(_feed, "_SLAB_BATCHES", slab)  # uneven batches: the width of a slab must be the same again
    make, lengths = SOURCES[name]

    def fit(model, more):
        model.fit(
            make() if kind == "adam" else map_targets(make()),
            steps_per_epoch=lengths[-1] if kind == "adam" or name != "skips" else 6,
            epochs=4,
            verbose=0,
            seed=1,
            callbacks=[*more, Steps()],
            validation_data=validation(),
            validation_steps=2,
        )

    whole = KINDS[kind]()
    fit(whole, [])
    breaks = [
        Break("on_safe_point", 0, 2),
        Break("on_progress", 1, 3),
        Break("on_safe_point", 3, 0),
        Break("on_test_begin", 3),
    ]
    broken, _ = broken_fit(KINDS[kind], breaks, lambda: callbacks.RunFolder(tmp_path / "run", every=1), fit)
    same(whole, broken)


def map_targets(source):
    """Batches whose targets are of the outputs' shape, for a loss of one's own."""
    if not isinstance(source, (PyDataset, Shuffled, Endless)):
        return ((x, y.astype(np.float32)) for x, y in source)
    kind = type(source)

    class Mapped(kind):
        if hasattr(kind, "__getitem__"):

            def __getitem__(self, index):
                x, y = super().__getitem__(index)
                return x, y.astype(np.float32)

        elif hasattr(kind, "__next__"):

            def __next__(self):
                x, y = super().__next__()
                return x, y.astype(np.float32)

        else:

            def __iter__(self):
                return ((x, y.astype(np.float32)) for x, y in super().__iter__())

    return Mapped()


def validation():
    """Batches that are never the same: what was validated on before is left out too."""
    rng = np.random.default_rng(9)
    while True:
        yield rng.normal(size=(6, 3)).astype(np.float32), rng.integers(0, 2, (6, 1)).astype(np.float32)
