"""The table, read with the doubt that a limited number of rows leaves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.diagnosis import _scenario
from thalweg.diagnosis._scenario import SCENARIOS, read_table


def scenario(train, rest, reached, noise=None, constant=0.9):
    arrays = (np.array([one]) for one in (train, rest, reached, reached if noise is None else noise))
    return SCENARIOS[int(read_table(*arrays, constant)[0])]


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ((0.30, 0.31, 0.05), "high bias"),
        ((0.01, 0.20, 0.05), "high variance"),
        ((0.20, 0.40, 0.05), "high bias and variance"),
        ((0.30, 0.05, 0.05), "what did you do?"),
        ((0.01, 0.02, 0.02), "well"),
        ((0.20, 0.21, 0.20), "well"),  # at the noise
        ((0.00, 0.02, 0.01), "well"),  # two points are none
    ],
)
def test_the_courses_table(errors, said):
    assert scenario(*errors) == said


def test_a_net_that_knows_no_new_row_is_never_well():
    assert scenario(0.0, 0.5, 0.5, noise=0.45, constant=0.5) == "high variance"


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_whatever_the_errors_one_row_of_the_table_holds_and_a_lower_target_is_never_kinder(train, rest, target):
    said = scenario(train, rest, target)
    assert said in SCENARIOS
    harder = scenario(train, rest, target / 2)
    if harder == "well":
        assert said == "well"
    if said == "high bias":
        assert harder in ("high bias", "high bias and variance")


def test_no_error_in_ten_rows_is_not_no_error_in_a_thousand():
    rng = np.random.default_rng(0)
    few, many = (_scenario._draws(np.zeros((n, 1)), None, rng, True)[:, 0] for n in (10, 1000))
    assert np.quantile(few, 0.975) == pytest.approx(0.217, abs=0.03)  # Jeffreys: Beta(1/2, 10 + 1/2)
    assert np.quantile(many, 0.975) == pytest.approx(0.0025, abs=0.0005)


def test_draws_have_the_means_spread_and_count_rows_as_they_weigh():
    rng = np.random.default_rng(0)
    errors = rng.exponential(size=(500, 1))
    drawn = _scenario._draws(errors, None, rng, False)[:, 0]
    assert drawn.mean() == pytest.approx(errors.mean(), abs=0.01)
    assert drawn.std() == pytest.approx(errors.std() / np.sqrt(500), rel=0.1)
    weight = (np.arange(500) < 100).astype(float)
    half = _scenario._draws(errors, weight, rng, False)[:, 0]
    assert half.mean() == pytest.approx(errors[:100].mean(), abs=0.02)
