"""What is compiled: answers, hidden activations, attacks on pictures, pictures that suit a class.

Weights, hypers, pictures and numbers are arguments: nets of one structure share a program. A net is asked for its logits
z, in the place of its probabilities: ``margin = z_class - log(sum of exp(z) over the other classes)`` is as large as the
class is sure, and its slope never becomes zero by rounding, as that of a probability near 1 does. The cross-entropy is
``log(1 + exp(-margin))``, so that both have slopes of the same signs. `end` says what the outputs are: ``'logits'`` or ``'probabilities'``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from thalweg.engine import Task


def answers(task: Task, end: str) -> Callable[..., Any]:
    """Logits, [rows, classes]."""

    def run(params: Any, frozen: Any, vector: Any, x: Any) -> Any:
        return _logits(task, end, params, frozen, vector, x)

    return run


def hidden(task: Task, tensor: int) -> Callable[..., Any]:
    """One of the graph's tensors, laid flat: [rows, numbers]."""

    def run(params: Any, frozen: Any, vector: Any, x: Any) -> Any:
        found = _forward(task, params, frozen, vector, x).tensors[tensor]
        return task.cast(found.reshape(found.shape[0], -1))

    return run


def attacks(task: Task, end: str) -> Callable[..., Any]:
    """Steps against the class of each row within a ball around it, and pixels' range."""

    def run(
        params: Any,
        frozen: Any,
        vector: Any,
        x: Any,
        start: Any,
        truth: Any,
        size: Any,
        step: Any,
        steps: Any,
        ends: Any,
    ) -> Any:
        """Gives whether a row was wrong anywhere on the way, whether it is at its end, and the first wrong point, or the end."""
        low, high = jnp.maximum(x - size, ends[0]), jnp.minimum(x + size, ends[1])

        def look(point: Any, fallen: Any, found: Any) -> Any:
            def total(point: Any) -> Any:
                logits = _logits(task, end, params, frozen, vector, point)
                return _margin(logits, truth).sum(), logits

            slope, logits = jax.grad(total, has_aux=True)(point)
            wrong = jnp.argmax(logits, axis=-1) != truth
            kept = fallen.reshape(-1, *(1,) * (x.ndim - 1))
            return slope, wrong, fallen | wrong, jnp.where(kept, found, point)

        def go(_: Any, carried: Any) -> Any:
            point, fallen, found = carried
            slope, _, fallen, found = look(point, fallen, found)
            return jnp.clip(point - step * jnp.sign(slope), low, high), fallen, found

        begun = jnp.clip(start, low, high)
        point, fallen, found = lax.fori_loop(0, steps, go, (begun, jnp.zeros(x.shape[0], bool), begun))
        _, wrong, fallen, found = look(point, fallen, found)
        return fallen, wrong, found

    return run


def ascents(task: Task, end: str, picture: tuple[int, int, int]) -> Callable[..., Any]:
    """Steps from one picture towards each class: up the margin, back to where it began, and blurred."""

    def run(
        params: Any,
        frozen: Any,
        vector: Any,
        x: Any,
        classes: Any,
        step: Any,
        pull: Any,
        blur: Any,
        steps: Any,
        ends: Any,
    ) -> Any:
        def go(i: Any, point: Any) -> Any:
            def total(point: Any) -> Any:
                return _margin(_logits(task, end, params, frozen, vector, point), classes).sum()

            slope = jax.grad(total)(point)
            length = jnp.sqrt(jnp.sum(slope**2, axis=tuple(range(1, slope.ndim)), keepdims=True))
            up = slope / jnp.maximum(length, jnp.finfo(slope.dtype).tiny)
            moved = point + step * (1 - i / steps) * up + pull * (x - point)
            return jnp.clip((1 - blur) * moved + blur * _blurred(moved, picture), ends[0], ends[1])

        return lax.fori_loop(0, steps, go, x)

    return run


def _forward(task: Task, params: Any, frozen: Any, vector: Any, x: Any) -> Any:
    h = task.unpack(vector)["net"]
    return task.network.forward(params, frozen, h, (x,), training=False, dtype=task.dtype)


def _logits(task: Task, end: str, params: Any, frozen: Any, vector: Any, x: Any) -> Any:
    """Of a single output two: of no and of yes."""
    out = task.cast(_forward(task, params, frozen, vector, x).outputs[0])
    least = jnp.finfo(out.dtype).tiny
    if out.shape[-1] == 1:
        yes = out if end == "logits" else jnp.log(jnp.maximum(out, least)) - jnp.log(jnp.maximum(1 - out, least))
        return jnp.concatenate([jnp.zeros_like(yes), yes], axis=-1)
    return out if end == "logits" else jnp.log(jnp.maximum(out, least))


def _margin(logits: Any, classes: Any) -> Any:
    own = jnp.arange(logits.shape[-1]) == classes[:, None]
    others = jax.nn.logsumexp(jnp.where(own, -jnp.inf, logits), axis=-1)
    return jnp.take_along_axis(logits, classes[:, None], axis=-1)[:, 0] - others


def _blurred(x: Any, picture: tuple[int, int, int]) -> Any:
    """The mean of each pixel and its neighbours, 1 2 1 along both axes; beyond the edge stands the edge."""
    pixels = x.reshape(-1, *picture)
    for axis in (1, 2):
        around = [(1, 1) if i == axis else (0, 0) for i in range(4)]
        wide = jnp.pad(pixels, around, mode="edge")
        length = pixels.shape[axis]
        before, after = (lax.slice_in_dim(wide, start, start + length, axis=axis) for start in (0, 2))
        pixels = (before + 2 * pixels + after) / 4
    return pixels.reshape(x.shape)
