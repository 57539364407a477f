"""Copies across a split are found, and rows that lie near each other by nature are not taken for copies."""

import numpy as np
import pytest

from thalweg import datasets
from thalweg.diagnosis._twins import comparable, duplicates, near_duplicates, twins

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("columns", [1, 2, 3, 8, 20])
@pytest.mark.parametrize("draw", [RNG.normal, RNG.uniform, lambda size: RNG.standard_t(3, size=size)])
def test_rows_of_one_distribution_are_no_twins_in_whatever_dimension(draw, columns):
    train, rest = draw(size=(1500, columns)).astype("f4"), draw(size=(500, columns)).astype("f4")
    found = twins(train, rest)
    assert near_duplicates(train, rest, (columns,)) is None
    assert found.dimensions == pytest.approx(columns, rel=0.35)


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_noisy_copies_are_found_and_named_by_row(share):
    train, rest = RNG.normal(size=(1000, 6)).astype("f4"), RNG.normal(size=(400, 6)).astype("f4")
    count = int(share * 400)
    rest[:count] = train[:count] + RNG.normal(size=(count, 6)).astype("f4") * 1e-3
    finding, rows = near_duplicates(train, rest, (6,))
    assert set(range(count)) <= set(rows.tolist()) and len(rows) <= count + 2
    assert finding.detail["count"] == len(rows) and f"{len(rows)} of 400" in finding.evidence


@pytest.mark.parametrize("copied", ["brighter", "moved"])
@pytest.mark.parametrize("name", ["digits", "digits8"])
def test_pictures_that_were_changed_a_little_are_found(name, copied):
    held = datasets.load(name)
    x = held.x[:1400].astype("f4").reshape(1400, -1)
    side = int(np.sqrt(x.shape[1]))
    train, rest = x[:1000].copy(), x[1000:].copy()
    assert near_duplicates(train, rest, train.shape[1:]) is None
    some = train[:120].reshape(-1, side, side)
    changed = 0.8 * some + 9 if copied == "brighter" else np.roll(some, 1, axis=2)
    rest[:120] = changed.reshape(120, -1)
    finding, rows = near_duplicates(train, rest, train.shape[1:])
    assert len(set(rows.tolist()) & set(range(120))) > 90 and len(rows) < 130, finding


def test_equal_rows_are_duplicates_and_repeats_of_a_small_space_are_not():
    train, rest = RNG.normal(size=(600, 4)).astype("f4"), RNG.normal(size=(300, 4)).astype("f4")
    assert duplicates(train, rest) is None
    rest[[3, 50, 299]] = train[[0, 1, 2]]
    finding, rows = duplicates(train, rest)
    assert rows.tolist() == [3, 50, 299] and finding.detail["count"] == 3
    dice, others = (RNG.integers(1, 7, (n, 3)).astype("f4") for n in (600, 300))
    assert duplicates(dice, others) is None and near_duplicates(dice, others, (3,)) is None


def test_pictures_are_compared_moved_and_large_ones_a_little_out_of_focus():
    large = comparable(np.ones((3, 784), "f4"), np.ones((2, 784), "f4"), (784,))
    small = comparable(np.ones((3, 64), "f4"), np.ones((2, 64), "f4"), (64,))
    table = comparable(RNG.normal(size=(9, 64)), RNG.normal(size=(2, 64)), (64,))
    assert (len(large.moved), len(small.moved), len(table.moved)) == (4, 4, 0)
    assert large.train.shape == (3, 14 * 14)
