"""How a net for plain arrays begins: pixels share one scale, columns have their own."""

import numpy as np
import pytest

from thalweg import layers, models

RNG = np.random.default_rng(0)


def begins(x):
    *_, scale = models.array_front(x)()
    net = models.chained(models.array_front(x)(), [])
    return type(scale), np.asarray(net.predict(x))


@pytest.mark.parametrize("x", [RNG.integers(0, 201, (30, 9, 8)).astype(np.uint8), 200 * RNG.random((30, 9, 8))])
def test_grey_values_are_divided_by_the_largest(x):
    x.flat[0] = 200
    kind, fed = begins(x)
    assert kind is layers.Rescaling
    np.testing.assert_allclose(fed, x.reshape(30, -1) / 200, rtol=1e-5)


@pytest.mark.parametrize(
    "x",
    [
        RNG.normal(size=(40, 3)) * [1, 100, 0.01] + [0, 50, 3],
        RNG.normal(size=(40, 9, 8)),
        RNG.random((40, 9, 2)) * [1, 1000],
    ],
)
def test_columns_have_a_scale_each(x):
    kind, fed = begins(x)
    assert kind is layers.Normalization
    np.testing.assert_allclose(fed.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(fed.std(axis=0), 1, rtol=1e-3)
