"""Whether a winner is told from a runner-up by chance."""

import numpy as np
import pytest
from scipy import stats

from thalweg.tuner import Objective
from thalweg.tuner._verdict import verdict_of

GOAL = Objective("val_loss")


def test_against_scipys_welch():
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.2, 0.05, 6), rng.normal(0.3, 0.01, 9)
    found = verdict_of(GOAL, [(0, {}, one), (1, {}, other)])
    interval = stats.ttest_ind(other, one, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.gap == pytest.approx(other.mean() - one.mean())


def test_more_is_better_where_that_is_wanted():
    found = verdict_of(Objective("val_accuracy"), [(0, {}, [0.5, 0.51]), (1, {}, [0.9, 0.91])])
    assert [one.trial for one in found.entrants] == [1, 0]
    assert found.gap == pytest.approx(0.4) and found.sure


def test_equal_nets_are_rarely_told_apart():
    rng = np.random.default_rng(1)
    sure = sum(verdict_of(GOAL, [(0, {}, rng.normal(size=5)), (1, {}, rng.normal(size=5))]).sure for _ in range(300))
    assert sure / 300 < 0.09  # 5 % wanted; the sorting makes it two-sided


def test_what_is_not_finite_is_left_out():
    found = verdict_of(GOAL, [(0, {}, [0.1, float("nan"), 0.2]), (1, {}, [float("nan")] * 3)])
    assert len(found.entrants) == 1 and found.gap is None
    with pytest.raises(ValueError, match="two finite"):
        verdict_of(GOAL, [(0, {}, [0.1])])
