"""Slow stretches of a training run are saddles, not local minima.

A linear net of two layers learns a map with three strengths, from small weights, by plain gradient descent. It rests three
times, each time until the next strength is learnt (Saxe et al. 2014). At each rest the gradient is short, so that the loss
alone looks like a local minimum; the Hessian has negative eigenvalues there, and the loss falls again. The first rest has
8 of them for each of three strengths that are not learnt yet, 24 of 112; the second 7 for each of two; the third 6.

A net with tanh units leaves the same first saddle. After that its slow stretches are slopes, and some of its curvature is
negative all the way: none of its places is a local minimum either.
"""

import numpy as np

import thalweg
from thalweg import diagnosis, layers, optimizers

rng = np.random.default_rng(0)
x = np.linalg.qr(rng.normal(size=(64, 8)))[0] * 8  # whitened: each strength has a time of its own
left, right = np.linalg.qr(rng.normal(size=(8, 3)))[0], np.linalg.qr(rng.normal(size=(6, 3)))[0]
y = x @ (left * [3.0, 1.0, 0.35]) @ right.T

for activation in ("linear", "tanh"):
    stack = [layers.Dense(8, activation, use_bias=False), layers.Dense(6, use_bias=False)]
    model = thalweg.Sequential([thalweg.Input((8,)), *stack])
    model.compile(optimizers.SGD(0.1), "mse")
    model.set_weights([1e-3 * rng.normal(size=weight.shape) for weight in model.get_weights()])

    way = diagnosis.Trajectory("25 steps")
    model.fit(x, y, batch_size=64, epochs=800, seed=0, verbose=0, callbacks=[way])
    along = diagnosis.curvature_along(model, way, x, y)

    print(f"\nA {activation} net of two layers:\n{along}")
    kinds = [one.kind for one in along.points]
    print(", ".join(f"{kinds.count(kind)} x {kind}" for kind in dict.fromkeys(kinds)))
    print(f"\nIts last place:\n{diagnosis.critical_point(model, x, y)}")
    along.plot(f"saddles_{activation}.png")
    print(f"The picture is in saddles_{activation}.png.")
