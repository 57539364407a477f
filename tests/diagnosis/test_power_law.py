"""A power law is found again where there is one, and its intervals hold what is measured later."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.diagnosis._power_law import PowerLaw, fit_power_law

SIZES = [64, 128, 256, 512, 1024, 2048]


def measured(law, rng, rows=1000, nets=3, sizes=SIZES, noise=0.04):
    """Errors of nets that follow a law but for the noise of seeds and of the validation rows."""
    rates = np.minimum([[law(n) * math.exp(noise * rng.standard_normal()) for _ in range(nets)] for n in sizes], 1)
    return rng.binomial(rows, rates) / rows


@pytest.mark.parametrize("c", [0.2, 0.4, 0.8])
def test_a_law_without_a_floor_is_found_again(c):
    law = PowerLaw(0.0, 0.9 * 64**c, c)
    found = fit_power_law(SIZES, [[law(n)] * 2 for n in SIZES])
    assert found.law.a < 0.02 * law(2048)
    assert found.law.c == pytest.approx(c, rel=0.02)
    assert found.law.b == pytest.approx(law.b, rel=0.1)
    assert found.at(8192).error == pytest.approx(law(8192), rel=0.15)


def test_a_floor_is_found_again():
    law = PowerLaw(0.2, 20.0, 0.9)
    sizes = [64, 128, 256, 512, 1024, 2048, 4096, 8192]
    found = fit_power_law(sizes, [[law(n)] * 2 for n in sizes])
    assert found.law.a == pytest.approx(0.2, rel=0.1)
    assert found.law.c == pytest.approx(0.9, abs=0.15)
    low, high = found.intervals["a"]
    assert low < 0.2 < high
    assert found.ratio(4).error > 0.9  # more rows bring nearly nothing


def test_intervals_hold_the_true_numbers_and_least_squares_lies_near_them():
    rng = np.random.default_rng(1)
    inside, apart = [], []
    for _ in range(30):
        law = PowerLaw(0.01, rng.uniform(2, 5), rng.uniform(0.4, 0.6))
        found = fit_power_law(SIZES, measured(law, rng), rows=1000)
        ends = [found.intervals[name] for name in "abc"]
        inside.append([low <= number <= high for number, (low, high) in zip(law, ends, strict=True)])
        apart.append(math.log(found.law(1024) / law(1024)))
    assert np.mean(inside, axis=0).min() >= 0.8
    assert np.abs(apart).mean() < 0.15 and abs(np.mean(apart)) < 0.05


@pytest.mark.parametrize("a", [0.0, 0.03])
@pytest.mark.parametrize("rows", [200, 2000])
def test_what_is_measured_later_lies_inside_as_often_as_stated(a, rows):
    rng = np.random.default_rng(rows)
    inside = []
    for _ in range(24):
        law = PowerLaw(a, rng.uniform(1, 4), rng.uniform(0.3, 0.6))
        found = fit_power_law(SIZES, measured(law, rng, rows), rows=rows).at(8192)
        later = float(measured(law, rng, rows, 1, [8192])[0, 0])
        inside.append(found.low <= later <= found.high)
    assert np.mean(inside) >= 0.8


def test_coverage_of_squared_errors():
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(24):
        law, luck = PowerLaw(0.1, 6.0, 0.5), math.exp(0.1 * rng.standard_normal())  # 400 rows of scatter 4
        errors = [[law(n) * luck * math.exp(0.05 * rng.standard_normal()) for _ in range(3)] for n in SIZES]
        found = fit_power_law(SIZES, errors, rows=400, scatter=4.0).at(8192)
        inside.append(found.low <= law(8192) * math.exp(0.15 * rng.standard_normal()) <= found.high)
    assert np.mean(inside) >= 0.8


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 0.5), st.floats(0.02, 0.95), st.floats(0.05, 1.0), st.floats(0, 0.3), st.integers(0, 2**20))
def test_intervals_hold_the_prediction_and_widen_with_distance(floor, here, c, noise, seed):
    law = PowerLaw(floor * here, (1 - floor) * here * 2048**c, c)
    rng = np.random.default_rng(seed)
    errors = [[law(n) * math.exp(noise * rng.standard_normal()) for _ in range(3)] for n in SIZES]
    found = fit_power_law(SIZES, errors)
    for low, high in found.intervals.values():
        assert 0 <= low <= high
    assert 0 < found.law.c <= 1 and found.law.a >= 0 and found.law.b >= 0
    widths = []
    for rows in (2048, 4096, 8192, 16384, 32768):
        one = found.at(rows)
        assert 0 <= one.low <= one.error <= one.high
        widths.append(one.high / one.low)
    assert widths == sorted(widths)


def test_fewer_validation_rows_widen_and_a_higher_level_too():
    errors = measured(PowerLaw(0.0, 2.0, 0.4), np.random.default_rng(5))

    def width(rows, level, measured_on=None):
        one = fit_power_law(SIZES, errors, rows=rows, level=level).at(8192, measured_on)
        return one.high - one.low

    assert width(100, 0.9) > width(1000, 0.9) > width(1000, 0.5)
    assert width(1000, 0.9, 50) > width(1000, 0.9) > width(1000, 0.9, math.inf)


def test_curves_that_are_no_power_law_get_wider_intervals():
    rng = np.random.default_rng(6)
    smooth = [[2.0 * n**-0.4 * math.exp(0.01 * rng.standard_normal()) for _ in range(3)] for n in SIZES]
    jumping = [[value * (1.5 if i % 2 else 1.0) for value in each] for i, each in enumerate(smooth)]
    one, other = (fit_power_law(SIZES, errors).at(8192) for errors in (smooth, jumping))
    assert other.high / other.low > 1.5 * one.high / one.low


def test_no_errors_at_all_are_no_error_of_zero():
    found = fit_power_law(SIZES, np.zeros((6, 3)), rows=100).at(8192)
    assert found.low == 0 and 0 < found.high < 0.1


def test_the_order_of_sizes_and_repeats_change_nothing():
    errors = measured(PowerLaw(0.01, 2.0, 0.5), np.random.default_rng(7))
    one, other = fit_power_law(SIZES, errors, rows=1000), fit_power_law(SIZES[::-1], errors[::-1], rows=1000)
    assert one == other and one.at(9000) == other.at(9000)


@pytest.mark.parametrize(
    ("sizes", "errors", "level", "said"),
    [
        ([1, 2], [[0.1], [0.1]], 0.9, "needs 3 different sizes"),
        ([1, 2, 2], [[0.1]] * 3, 0.9, "needs 3 different sizes"),
        ([1, 2, 4], [0.1, 0.1, 0.1], 0.9, r"must be \[sizes, nets\]"),
        ([1, 2, 4], [[0.1], [-0.1], [0.1]], 0.9, "not negative"),
        ([1, 2, 4], [[0.1], [math.nan], [0.1]], 0.9, "finite"),
        ([1, 2, 4], [[0.1]] * 3, 1.5, "level"),
    ],
)
def test_what_cannot_be_fitted(sizes, errors, level, said):
    with pytest.raises(ValueError, match=said):
        fit_power_law(sizes, errors, level=level)
