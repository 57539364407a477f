"""Gradients of convolution and pooling, by hand on a CPU, are those that XLA and automatic differentiation give."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import layers
from thalweg.diagnosis import hessian
from thalweg.layers._windows import _convolved, _plainly, larger, pooled, sweep

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("sizes", [(7,), (8, 7)])
def test_slopes_of_a_convolution_are_xla_s(padding, sizes):
    for size, (stride, dilation) in itertools.product((1, 2, 3), ((1, 1), (2, 1), (3, 1), (1, 2))):
        sweeps = tuple(sweep(length, size, stride, dilation, padding) for length in sizes)
        x = RNG.normal(size=(3, *sizes, 4)).astype(np.float32)
        kernel = RNG.normal(size=(*(size for _ in sizes), 4, 5)).astype(np.float32)
        weights = RNG.normal(size=_plainly(x, kernel, sweeps).shape).astype(np.float32)

        def slopes(function, x=x, kernel=kernel, weights=weights, sweeps=sweeps):
            total = jax.jit(jax.grad(lambda x, k: (weights * function(x, k, sweeps)).sum(), (0, 1)))
            return total(x, kernel)

        for mine, theirs in zip(slopes(_convolved), slopes(_plainly), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-5, err_msg=str(sweeps))


def test_the_first_of_several_largest_gets_the_slope_as_in_reduce_window():
    x = jnp.asarray(RNG.integers(0, 3, (2, 7, 6, 3)).astype(np.float32))
    for size, stride, padding in ((2, 2, "valid"), (3, 2, "same"), (3, 1, "valid")):
        sweeps = tuple(sweep(length, size, stride, 1, padding) for length in (7, 6))
        around = ((0, 0), *((one.before, one.after) for one in sweeps), (0, 0))

        def theirs(x, size=size, stride=stride, around=around):
            window, steps = (1, size, size, 1), (1, stride, stride, 1)
            return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, steps, around)

        weights = RNG.normal(size=theirs(x).shape).astype(np.float32)
        mine, real = (
            jax.jit(jax.grad(lambda x, f=f, w=weights: (w * f(x)).sum()))(x)
            for f in (lambda x, s=sweeps: pooled(x, s, larger, -np.inf), theirs)
        )
        np.testing.assert_allclose(mine, real, atol=1e-6)


def test_a_number_that_is_none_is_not_pooled_away():
    x = jnp.ones((1, 4, 4, 1)).at[0, 1, 1, 0].set(jnp.nan)
    assert np.isnan(layers.MaxPooling2D()(x)).ravel().tolist() == [True, False, False, False]


def test_curvature_of_a_convolutional_net_is_that_of_the_same_net_as_a_dense_one():
    """A 2 x 2 window over 2 x 2 pixels has one place: there a convolution is a Dense layer."""
    x, y = RNG.normal(size=(40, 2, 2, 1)).astype(np.float32), RNG.integers(0, 3, 40)
    nets = [
        thalweg.Sequential([thalweg.Input((2, 2, 1)), *front, layers.Dense(3, "softmax")])
        for front in (
            [layers.Conv2D(4, 2, activation="tanh"), layers.Flatten()],
            [layers.Flatten(), layers.Dense(4, "tanh")],
        )
    ]
    for one in nets:
        one.compile("sgd", "sparse_categorical_crossentropy")
    dense = nets[1].get_weights()
    nets[0].set_weights([dense[0].reshape(2, 2, 1, 4), *dense[1:]])
    found = [hessian(one, x, y, count=3, verbose=0).eigenvalues for one in nets]
    np.testing.assert_allclose(found[0], found[1], atol=1e-8)
