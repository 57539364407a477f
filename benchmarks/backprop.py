"""How long a look at backpropagation takes: the gradients of 1,000 examples of a net for MNIST, and a check of gradients.

    python benchmarks/backprop.py [--rounds 5]

The net is the course's, 784-16-16-10 with 13,002 weights. Each figure is of a process of its own with an empty cache for what is
compiled; "again" is a second call in the same process. The last two lines are what the same gradients cost when they are
multiplied out by jax.vmap(jax.grad), in float64 and in float32.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile

from sides import recorded

_BEFORE = """
import json, time
import numpy as np, jax, jax.numpy as jnp
import thalweg
from thalweg import layers
from thalweg.diagnosis import backprop, check_gradients
rng = np.random.default_rng(0)
x, y = rng.random((1000, 784)).astype('float32'), rng.integers(0, 10, 1000)
model = thalweg.Sequential([thalweg.Input((784,)), *(layers.Dense(16, 'sigmoid') for _ in range(2)), layers.Dense(10, 'softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.draw(0)
def multiplied_out(dtype):
    network, loss = model.network, model.objective.losses[0]
    params = tuple(jnp.asarray(np.asarray(one), dtype) for one in model.arrays()[0])
    def of_row(params, x, y):
        out = network.forward(params, (), network.hypers(), (x[None],), training=False).outputs[0]
        return loss.apply(loss.hypers(), y[None], out).sum()
    run = jax.jit(jax.vmap(jax.grad(of_row), (None, 0, 0)))
    def act():
        each = np.concatenate([np.asarray(one).reshape(1000, -1) for one in run(params, jnp.asarray(x, dtype), jnp.asarray(y))], axis=1)
        return each @ each.T
    return act
def in_float64():
    with jax.enable_x64(True):
        return multiplied_out(jnp.float64)()
"""
_AFTER = """
def taken(act):
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
print(json.dumps({'first': taken(act), 'again': taken(act)}))
"""
SIDES = {
    "backprop: z, activations, errors": "act = lambda: backprop(model, x, y)",
    "the same and the pulls of all examples": "act = lambda: backprop(model, x, y).pulls()",
    "by automatic differentiation": "act = lambda: backprop(model, x, y, by='automatic differentiation').pulls()",
    "table of all weights, 6 examples": "act = lambda: backprop(model, x, y).table()",
    "check_gradients of the net, 32 rows": "act = lambda: check_gradients(model, x[:32], y[:32])",
    "multiplied out, float64": "act = in_float64",
    "multiplied out, float32": "act = multiplied_out(jnp.float32)",
}


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print("| what | first, s | again, s |\n|---|---|---|", flush=True)
    for name, code in SIDES.items():
        seconds = []
        for _ in range(asked.rounds):
            with tempfile.TemporaryDirectory() as cache:
                seconds.append(recorded([sys.executable, "-c", _BEFORE + code + _AFTER], THALWEG_CACHE=cache))
        first, again = (statistics.median(one[key] for one in seconds) for key in ("first", "again"))
        print(f"| {name} | {first:.2f} | {again:.3f} |", flush=True)


if __name__ == "__main__":
    main()
