"""What a layer does to its sums: pure functions ``f(x, ...)`` of arrays of any shape.

All give an array in the dtype of `x` (integers become floats), let NaN through, and have the
gradients of Keras's JAX backend, kinks included (but for a single point at the corners of :func:`relu` with arguments). Their further arguments may be traced, but for
`axis` and `approximate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from thalweg._family import Family, name_of
from thalweg._names import Table, tell_absent

Activation = Callable[..., Array]
Axis = int | Sequence[int]


def linear(x: ArrayLike) -> Array:
    """No activation: ``x``.

    Example:
        >>> linear(2.0)
        2.0

    """
    return x  # type: ignore[return-value]


def relu(
    x: ArrayLike, negative_slope: ArrayLike = 0.0, max_value: ArrayLike | None = None, threshold: ArrayLike = 0.0
) -> Array:
    """Rectified linear unit: ``x`` above the threshold, cut at `max_value`; ``negative_slope * (x - threshold)`` below.

    The derivative at 0 is 0, or 1 where there is a negative slope.

    Args:
        x: any shape.
        negative_slope: the slope below the threshold.
        max_value: the largest output; None means no bound.
        threshold: where the line begins.

    Returns:
        An array of the shape of `x`.

    Example:
        >>> relu([-2.0, 0.5, 9.0], negative_slope=0.5, max_value=6.0).tolist()
        [-1.0, 0.5, 6.0]

    Source: Nair & Hinton 2010, Rectified linear units improve restricted Boltzmann machines.

    """
    x = _floating(x)
    if max_value is None and _is_literally(0, negative_slope) and _is_literally(0, threshold):
        return jax.nn.relu(x)  # one instruction for by far the most common call
    slope, start = _like(x, negative_slope), _like(x, threshold)
    kept = x if max_value is None else jnp.clip(x, 0, _like(x, max_value))
    # Keras takes the right-hand derivative at 0 where there is a slope, the left-hand one where there is none
    rises = (x > start) | ((x == start) & (start == 0) & (slope != 0))
    return jnp.where(rises, kept, slope * (x - start))


def relu6(x: ArrayLike) -> Array:
    """Rectified linear unit cut at 6: ``min(max(x, 0), 6)``.

    Example:
        >>> relu6([-1.0, 3.0, 8.0]).tolist()
        [0.0, 3.0, 6.0]

    Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10.

    """
    return jax.nn.relu6(_floating(x))


def leaky_relu(x: ArrayLike, negative_slope: ArrayLike = 0.2) -> Array:
    """Leaky rectified linear unit: ``x`` where x >= 0, else ``negative_slope * x``.

    Args:
        x: any shape.
        negative_slope: the slope below 0.

    Example:
        >>> leaky_relu([-2.0, 3.0], negative_slope=0.5).tolist()
        [-1.0, 3.0]

    Source: Maas et al. 2013, Rectifier nonlinearities improve neural network acoustic models.

    """
    x = _floating(x)
    return jax.nn.leaky_relu(x, _like(x, negative_slope))


def elu(x: ArrayLike, alpha: ArrayLike = 1.0) -> Array:
    """Exponential linear unit: ``x`` where x > 0, else ``alpha * (exp(x) - 1)``.

    Args:
        x: any shape.
        alpha: minus the limit at minus infinity.

    Example:
        >>> elu([-1e4, 3.0], alpha=0.5).tolist()
        [-0.5, 3.0]

    Source: Clevert et al. 2016, Fast and accurate deep network learning by exponential linear units.

    """
    x = _floating(x)
    return jax.nn.elu(x, _like(x, alpha))


def celu(x: ArrayLike, alpha: ArrayLike = 1.0) -> Array:
    """Continuously differentiable ELU: ``max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)``.

    Args:
        x: any shape.
        alpha: minus the limit at minus infinity, > 0.

    Example:
        >>> celu([-1e4, 3.0], alpha=0.5).tolist()
        [-0.5, 3.0]

    Source: Barron 2017, Continuously differentiable exponential linear units.

    """
    x = _floating(x)
    return jax.nn.celu(x, _like(x, alpha))


def selu(x: ArrayLike) -> Array:
    """Scaled ELU: ``1.0507 * elu(x, 1.6733)``, which keeps means at 0 and variances at 1 (with LecunNormal kernels).

    Example:
        >>> selu([0.0, 1.0]).round(4).tolist()
        [0.0, 1.0506999492645264]

    Source: Klambauer et al. 2017, Self-normalizing neural networks.

    """
    return jax.nn.selu(_floating(x))


def softplus(x: ArrayLike) -> Array:
    """A smooth ReLU: ``log(1 + exp(x))``, without overflow.

    Example:
        >>> softplus([-1e4, 1e4]).tolist()
        [0.0, 10000.0]

    Source: Dugas et al. 2001, Incorporating second-order functional knowledge for better option pricing.

    """
    return jax.nn.softplus(_floating(x))


def softsign(x: ArrayLike) -> Array:
    """An S-curve with slow tails: ``x / (1 + |x|)``.

    Example:
        >>> softsign([-1.0, 3.0]).tolist()
        [-0.5, 0.75]

    """
    return jax.nn.soft_sign(_floating(x))


def squareplus(x: ArrayLike, b: ArrayLike = 4) -> Array:
    """A smooth ReLU without exponentials: ``(x + sqrt(x ** 2 + b)) / 2``.

    Args:
        x: any shape.
        b: how round the corner is, > 0.

    Example:
        >>> squareplus([0.0, 1.5]).tolist()
        [1.0, 2.0]

    Source: Barron 2021, Squareplus: a softplus-like algebraic rectifier.

    """
    x = _floating(x)
    return jax.nn.squareplus(x, _like(x, b))


def soft_shrink(x: ArrayLike, threshold: ArrayLike = 0.5) -> Array:
    """Moves `x` towards zero by `threshold`, and no further than zero.

    Args:
        x: any shape.
        threshold: by how much, >= 0.

    Example:
        >>> soft_shrink([-2.0, 0.25, 1.0]).tolist()
        [-1.5, 0.0, 0.5]

    """
    x = _floating(x)
    by = _like(x, threshold)
    return jnp.where(jnp.abs(x) <= by, 0, x - by * jnp.sign(x))


def hard_shrink(x: ArrayLike, threshold: ArrayLike = 0.5) -> Array:
    """``x`` where ``|x| > threshold``, else 0.

    Args:
        x: any shape.
        threshold: the largest size that becomes 0, >= 0.

    Example:
        >>> hard_shrink([-2.0, 0.25, 1.0]).tolist()
        [-2.0, 0.0, 1.0]

    """
    x = _floating(x)
    return jnp.where(jnp.abs(x) <= _like(x, threshold), 0, x)


def tanh_shrink(x: ArrayLike) -> Array:
    """``x - tanh(x)``.

    Example:
        >>> tanh_shrink([0.0, 100.0]).tolist()
        [0.0, 99.0]

    """
    x = _floating(x)
    return x - jnp.tanh(x)


def threshold(x: ArrayLike, threshold: ArrayLike, default_value: ArrayLike) -> Array:
    """``x`` where ``x > threshold``, else `default_value`.

    Args:
        x: any shape.
        threshold: the largest value that is replaced.
        default_value: what replaces it.

    Example:
        >>> threshold([1.0, 2.0, 3.0], 2.0, -1.0).tolist()
        [-1.0, -1.0, 3.0]

    """
    x = _floating(x)
    return jnp.where(x <= _like(x, threshold), _like(x, default_value), x)


def sparse_plus(x: ArrayLike) -> Array:
    """0 up to -1, ``(x + 1) ** 2 / 4`` up to 1, then ``x``.

    Example:
        >>> sparse_plus([-2.0, 0.0, 2.0]).tolist()
        [0.0, 0.25, 2.0]

    """
    return jax.nn.sparse_plus(_floating(x))


def sparse_sigmoid(x: ArrayLike) -> Array:
    """0 up to -1, ``(x + 1) / 2`` up to 1, then 1: the derivative of :func:`sparse_plus`.

    Example:
        >>> sparse_sigmoid([-2.0, 0.0, 2.0]).tolist()
        [0.0, 0.5, 1.0]

    """
    return jax.nn.sparse_sigmoid(_floating(x))


def silu(x: ArrayLike) -> Array:
    """``x * sigmoid(x)``, also called swish.

    Example:
        >>> silu([0.0, 1e4]).tolist()
        [0.0, 10000.0]

    Source: Ramachandran et al. 2017, Searching for activation functions.

    """
    return jax.nn.silu(_floating(x))


def gelu(x: ArrayLike, approximate: bool = False) -> Array:
    """``x * P(X <= x)`` for a standard normal X.

    Args:
        x: any shape.
        approximate: whether to take the quicker formula with tanh.

    Example:
        >>> gelu([0.0, 1.0]).round(4).tolist()
        [0.0, 0.8413]

    Source: Hendrycks & Gimpel 2016, Gaussian error linear units.

    """
    return jax.nn.gelu(_floating(x), approximate)


def tanh(x: ArrayLike) -> Array:
    """The hyperbolic tangent.

    Example:
        >>> tanh([-1e4, 0.0]).tolist()
        [-1.0, 0.0]

    """
    return jnp.tanh(_floating(x))


def sigmoid(x: ArrayLike) -> Array:
    """``1 / (1 + exp(-x))``, without overflow.

    Example:
        >>> sigmoid([-1e4, 0.0, 1e4]).tolist()
        [0.0, 0.5, 1.0]

    """
    return jax.nn.sigmoid(_floating(x))


def exponential(x: ArrayLike) -> Array:
    """``exp(x)``; it overflows to infinity above 88 in float32.

    Example:
        >>> exponential([-1e4, 0.0]).tolist()
        [0.0, 1.0]

    """
    return jnp.exp(_floating(x))


def hard_sigmoid(x: ArrayLike) -> Array:
    """A sigmoid of three straight pieces: ``relu6(x + 3) / 6``.

    Example:
        >>> hard_sigmoid([-3.0, 0.0, 3.0]).tolist()
        [0.0, 0.5, 1.0]

    """
    return jax.nn.hard_sigmoid(_floating(x))


def hard_silu(x: ArrayLike) -> Array:
    """``x * hard_sigmoid(x)``, also called hard swish.

    Example:
        >>> hard_silu([-3.0, 0.0, 3.0]).tolist()
        [0.0, 0.0, 3.0]

    Source: Howard et al. 2019, Searching for MobileNetV3.

    """
    return jax.nn.hard_silu(_floating(x))


def hard_tanh(x: ArrayLike) -> Array:
    """``x`` cut at -1 and 1.

    Example:
        >>> hard_tanh([-2.0, 0.5, 2.0]).tolist()
        [-1.0, 0.5, 1.0]

    """
    return jax.nn.hard_tanh(_floating(x))


def mish(x: ArrayLike) -> Array:
    """``x * tanh(softplus(x))``.

    Example:
        >>> mish([0.0, 1e4]).tolist()
        [0.0, 10000.0]

    Source: Misra 2020, Mish: a self regularized non-monotonic activation function.

    """
    return jax.nn.mish(_floating(x))


def log_sigmoid(x: ArrayLike) -> Array:
    """``log(sigmoid(x))``, without underflow.

    Example:
        >>> log_sigmoid([-1e4, 1e4]).tolist()
        [-10000.0, 0.0]

    """
    return -jax.nn.softplus(-_floating(x))


def softmax(x: ArrayLike, axis: Axis = -1) -> Array:
    """Positive numbers that sum to 1 along `axis`: ``exp(x) / sum(exp(x))``.

    Args:
        x: any shape; an entry of minus infinity gets 0.
        axis: the axis, or several, along which the sum is 1.

    Example:
        >>> softmax([0.0, 0.0]).tolist()
        [0.5, 0.5]

    """
    return jax.nn.softmax(_floating(x), _axes(axis))


def log_softmax(x: ArrayLike, axis: Axis = -1) -> Array:
    """``log(softmax(x))``, without underflow.

    Args:
        x: any shape.
        axis: the axis, or several, along which the probabilities sum to 1.

    Example:
        >>> log_softmax([0.0, -1e4]).tolist()
        [0.0, -10000.0]

    """
    return jax.nn.log_softmax(_floating(x), _axes(axis))


def sparsemax(x: ArrayLike, axis: int = -1) -> Array:
    """The point of the probability simplex that is nearest to `x`: like softmax, with exact zeros.

    ``max(x - tau, 0)``, with the one tau for which the sum is 1. (Keras 3.15 on JAX gives zeros for some inputs.)

    Args:
        x: any shape.
        axis: the axis along which the sum is 1.

    Example:
        >>> sparsemax([3.0, 2.5, -1.0]).tolist()
        [0.75, 0.25, 0.0]

    Source: Martins & Astudillo 2016, From softmax to sparsemax, algorithm 1.

    """
    x = jnp.moveaxis(_floating(x), axis, -1)
    # adding a constant changes nothing in exact arithmetic; in floats it saves the digits of large sums
    x = x - jax.lax.stop_gradient(jnp.max(x, axis=-1, keepdims=True))
    ordered = -jnp.sort(-x, axis=-1)
    rank = jnp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    held = 1 + rank * ordered > jnp.cumsum(ordered, axis=-1)
    size = jnp.sum(held, axis=-1, keepdims=True, dtype=x.dtype)
    tau = (jnp.sum(jnp.where(held, ordered, 0), axis=-1, keepdims=True) - 1) / size
    return jnp.moveaxis(jnp.maximum(x - tau, 0), -1, axis)


def glu(x: ArrayLike, axis: int = -1) -> Array:
    """Gated linear unit: ``a * sigmoid(b)``, with a and b the halves of `x` along `axis`.

    Args:
        x: of even size along `axis`, which the result has half of.
        axis: where to cut.

    Raises:
        ValueError: where the size along `axis` is odd.

    Example:
        >>> glu([1.0, 2.0, 0.0, 1e4]).tolist()
        [0.5, 2.0]

    Source: Dauphin et al. 2017, Language modeling with gated convolutional networks.

    """
    x = _floating(x)
    if x.shape[axis] % 2:
        raise ValueError(f"glu(axis={axis}) cuts x in halves and needs an even size there, got shape {x.shape}.")
    return jax.nn.glu(x, axis)


swish = silu
hard_swish = hard_silu

TABLE = Table(
    "activation",
    {
        **{
            function.__name__: function
            for function in (
                celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
                log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus,
                softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold,
            )
        },
        "swish": silu,
        "hard_swish": hard_silu,
    },
)  # fmt: skip


def get(identifier: Any) -> Activation:
    """The activation that `identifier` stands for.

    Args:
        identifier: None (linear), a name, a class (an instance of it), a description as Keras writes
            it, or any callable, which is taken as it is.

    Raises:
        ValueError: on an unknown name.
        TypeError: on what can be neither looked up nor called.

    Example:
        >>> get('swish') is silu and get(None) is linear
        True

    """
    function: Activation = linear if identifier is None else _FAMILY.get(identifier)
    return function


def serialize(activation: Activation) -> str | dict[str, Any]:
    """The name of an activation, or the description of an object that has a configuration (a layer).

    A user's function gives its own name, with ``Custom>`` before it where thalweg has another
    function of that name.

    Example:
        >>> serialize(swish)
        'silu'

    """
    if hasattr(activation, "get_config"):
        return _FAMILY.serialize(activation) or {}
    name = name_of(activation)
    return name if name in TABLE and TABLE[name] is activation else _FAMILY.custom_name(activation)


def deserialize(config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Activation:
    """The activation that a name or a description stands for.

    Args:
        config: as from :func:`serialize`, or as Keras writes it.
        custom_objects: name -> function or class, for what is not thalweg's own.

    Raises:
        ValueError: on a name that is neither thalweg's nor among `custom_objects`.

    Example:
        >>> deserialize('double', {'double': lambda x: 2 * x})(3.0)
        6.0

    """
    described = {"class_name": "function", "config": config} if isinstance(config, str) else config
    function: Activation = _FAMILY.deserialize(described, custom_objects)
    return function


def _floating(x: ArrayLike) -> Array:
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(jnp.result_type(float))


def _like(x: Array, number: ArrayLike) -> Array:
    return jnp.asarray(number, x.dtype)


def _is_literally(value: float, number: object) -> bool:
    return isinstance(number, (int, float)) and number == value


def _axes(axis: Axis) -> int | tuple[int, ...]:
    return axis if isinstance(axis, int) else tuple(axis)


def _as_it_is(function: Any) -> Activation:
    if not callable(function):
        raise TypeError(f"An activation must be callable, got {function!r} of type {type(function).__name__}.")
    checked: Activation = function
    return checked


_FAMILY = Family(TABLE, "keras.activations", _as_it_is)


tell_absent(__name__)
