"""One epoch in hand-written JAX: a jax.lax.scan over batches, every number a constant.

What an expert would write for this one net and nothing else: no dropout, no masks, no callbacks, no
hyperparameters that can be turned. Adam as Keras has it; loss and accuracy summed over the epoch.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _side import BETA_1, BETA_2, EPSILON, LEARNING_RATE, SIZES, arguments, load, report, timed


def initial(rng: np.random.Generator) -> list[Any]:
    """Keras's initial weights: Glorot's uniform kernels, zero biases."""
    params = []
    for inputs, outputs in zip(SIZES, SIZES[1:], strict=False):
        limit = np.sqrt(6 / (inputs + outputs))
        params += [rng.uniform(-limit, limit, (inputs, outputs)).astype(np.float32), np.zeros(outputs, np.float32)]
    return params


def loss_of(params: list[Any], x: Any, y: Any) -> tuple[Any, Any]:
    """Cross-entropy of softmax outputs, clipped as Keras clips it, and how many rows are right."""
    for i in range(0, len(params) - 2, 2):
        x = jax.nn.relu(x @ params[i] + params[i + 1])
    p = jax.nn.softmax(x @ params[-2] + params[-1])
    picked = jnp.sum(p * jax.nn.one_hot(y, SIZES[-1]), axis=1)
    return -jnp.mean(jnp.log(jnp.clip(picked, 1e-7, 1 - 1e-7))), jnp.sum(jnp.argmax(p, axis=1) == y)


def step(state: Any, batch: Any) -> tuple[Any, Any]:
    """One step of Adam."""
    params, m, v, t, rows, labels = state
    (loss, right), grads = jax.value_and_grad(loss_of, has_aux=True)(params, rows[batch], labels[batch])
    t = t + 1
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    m = [a + (g - a) * (1 - BETA_1) for a, g in zip(m, grads, strict=True)]
    v = [a + (g * g - a) * (1 - BETA_2) for a, g in zip(v, grads, strict=True)]
    params = [w - rate * a / (jnp.sqrt(b) + EPSILON) for w, a, b in zip(params, m, v, strict=True)]
    return (params, m, v, t, rows, labels), (loss, right)


def main() -> None:
    """Train and report."""
    options = arguments(__doc__).parse_args()
    x, y = load(options.data)
    rng = np.random.default_rng(0)
    params = jax.device_put(initial(rng))
    zeros = jax.tree.map(jnp.zeros_like, params)
    rows, labels = jax.device_put(x), jax.device_put(y)
    steps = -(-len(x) // options.batch_size)

    @jax.jit
    def epoch(params: Any, m: Any, v: Any, t: Any, rows: Any, labels: Any, order: Any) -> Any:
        state, (losses, right) = jax.lax.scan(step, (params, m, v, t, rows, labels), order)
        return state[:4], losses.mean(), right.sum()

    state = (params, zeros, zeros, jnp.float32(0))

    def one() -> float:
        nonlocal state
        order = np.resize(
            rng.permutation(len(x)).astype(np.int32), (steps, options.batch_size)
        )  # the last one is filled up
        state, loss, _ = epoch(*state, rows, labels, order)
        return float(loss)

    seconds, loss = timed(one, options.epochs)
    report("hand-written jax.lax.scan", seconds, loss, ("jax",))


if __name__ == "__main__":
    main()
