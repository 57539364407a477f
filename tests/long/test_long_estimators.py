"""scikit-learn's own checks on the estimators as they come, with all their epochs."""

import warnings

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from thalweg.sklearn import NetClassifier, NetRegressor

pytestmark = pytest.mark.long


@parametrize_with_checks([NetClassifier(), NetRegressor()])
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)
