"""Intervals hold what they promise."""

import numpy as np
import pytest
from scipy.stats import beta, binom, binomtest, ttest_1samp

from thalweg._intervals import mean_interval, proportion_interval, student_interval

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("wrong", "n"), [(0, 1), (1, 1), (0, 40), (3, 40), (40, 40), (5_000, 10**6)])
@pytest.mark.parametrize("level", [0.95, 0.975, 0.9999])
def test_a_share_gets_the_interval_of_clopper_and_pearson(wrong, n, level):
    found = proportion_interval(wrong, n, level)
    theirs = binomtest(wrong, n).proportion_ci(level, method="exact")
    np.testing.assert_allclose(found, theirs, rtol=1e-6, atol=1e-12)
    tail = (1 - level) / 2
    if 0 < wrong < n:
        np.testing.assert_allclose(found[0], beta.ppf(tail, wrong, n - wrong + 1), rtol=1e-9)
        assert binom.sf(wrong - 1, n, found[0]) == pytest.approx(tail)
        assert binom.cdf(wrong, n, found[1]) == pytest.approx(tail)


@pytest.mark.parametrize("n", [5, 30])
def test_it_holds_every_share_often_enough(n):
    ends = np.array([proportion_interval(wrong, n, 0.95) for wrong in range(n + 1)])
    for share in np.linspace(0.001, 0.999, 97):
        held = (ends[:, 0] <= share) & (share <= ends[:, 1])
        assert binom.pmf(np.arange(n + 1), n, share)[held].sum() >= 0.95


def test_a_mean_gets_an_interval_that_holds_it_about_as_often_as_promised():
    held = 0
    for i in range(200):
        low, high = mean_interval(np.random.default_rng(i).normal(3, 2, 60), 0.9, seed=i)
        held += low <= 3 <= high
    assert 0.84 < held / 200 < 0.95


@pytest.mark.parametrize("n", [2_000, 32_768, 100_003])
def test_of_many_rows_it_is_what_the_normal_distribution_says(n):
    values = RNG.exponential(size=n)
    low, high = mean_interval(values, 0.95)
    half = 1.96 * values.std() / np.sqrt(n)
    np.testing.assert_allclose([low, high], [values.mean() - half, values.mean() + half], atol=0.12 * half)


def test_a_higher_level_is_a_wider_interval_and_the_same_seed_the_same_one():
    values = RNG.exponential(size=300)
    widths = [np.diff(mean_interval(values, level))[0] for level in (0.8, 0.95, 0.975, 0.999, 0.9999)]
    assert widths == sorted(widths) and len(set(widths)) == 5
    assert mean_interval(values, 0.95, seed=4) == mean_interval(values, 0.95, seed=4) != mean_interval(values, 0.95)
    assert mean_interval(np.array([2.5]), 0.95) == (2.5, 2.5)


def test_what_has_no_interval_is_told():
    for wrong, n in ((-1, 3), (4, 3), (0, 0)):
        with pytest.raises(ValueError, match="number of rows among n"):
            proportion_interval(wrong, n, 0.95)
    for values in (np.empty(0), np.ones((3, 2)), np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="finite numbers, one a row"):
            mean_interval(values, 0.95)
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match="between 0 and 1"):
            proportion_interval(1, 3, level)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_a_few_scores_get_students_interval(level):
    values = RNG.normal(size=5)
    np.testing.assert_allclose(student_interval(values, level), ttest_1samp(values, 0).confidence_interval(level))
