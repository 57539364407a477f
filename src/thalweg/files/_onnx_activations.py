"""Activations in ONNX's operations: one function each, with the arguments of its namesake in `activations`.

An operation of ONNX's own is taken wherever it gives the same numbers and lets NaN through, as ours do.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg import activations
from thalweg._family import name_of
from thalweg.files._onnx_graph import Graph

Emitter = Callable[..., str]


def activation(g: Graph, function: Any, x: str, **arguments: Any) -> str:
    """Add ``function(x, **arguments)``; give the name of the result.

    Args:
        g: where to.
        function: one of the package's own, or a ``functools.partial`` of one.
        x: the name of its input.
        arguments: what it is called with; the others have the function's own defaults.

    Raises:
        ValueError: where the function is not the package's own.

    """
    plain, arguments = _opened(function, arguments)
    if plain not in ACTIVATIONS:
        raise ValueError(
            f"Layer {g.place!r} cannot be exported to ONNX: its activation {name_of(plain)!r} is none of thalweg's own, "
            f"so what it computes is unknown here. Expected one of {', '.join(sorted(map(name_of, ACTIVATIONS)))}, or a "
            "functools.partial of one. Express it by those."
        )
    arrays = [key for key, value in arguments.items() if key != "axis" and np.ndim(value)]
    if arrays:
        raise ValueError(
            f"Layer {g.place!r} cannot be exported to ONNX: its activation {name_of(plain)!r} is given an array as "
            f"{arrays[0]}. Expected a number. Give it one; slopes that differ between features are the layer PReLU's."
        )
    bound = inspect.signature(plain).bind(x, **arguments)
    bound.apply_defaults()
    return ACTIVATIONS[plain](g, *bound.args)


def _opened(function: Any, arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The function within a partial, with all arguments."""
    if isinstance(function, functools.partial) and not function.args:
        return function.func, {**function.keywords, **arguments}
    return function, arguments


def _alone(kind: str, **attributes: Any) -> Emitter:
    """What is a single operation in ONNX."""
    return lambda g, x: g.op(kind, x, **attributes)


def _linear(g: Graph, x: str) -> str:
    return x


def _relu(g: Graph, x: str, negative_slope: float, max_value: float | None, threshold: float) -> str:
    if max_value is None and not negative_slope and not threshold:
        return g.op("Relu", x)
    kept = x if max_value is None else g.op("Clip", x, 0.0, max_value)
    below = g.op("Mul", g.op("Sub", x, threshold), negative_slope)
    return g.op("Where", g.op("Greater", x, threshold), kept, below)


def _leaky_relu(g: Graph, x: str, negative_slope: float) -> str:
    return g.op("LeakyRelu", x, alpha=float(negative_slope))


def _elu(g: Graph, x: str, alpha: float) -> str:
    return g.op("Elu", x, alpha=float(alpha))


def _celu(g: Graph, x: str, alpha: float) -> str:
    return g.op("Celu", x, alpha=float(alpha))


def _gelu(g: Graph, x: str, approximate: bool) -> str:
    return g.op("Gelu", x, approximate="tanh" if approximate else "none")


def _silu(g: Graph, x: str) -> str:
    return g.op("Mul", x, g.op("Sigmoid", x))


def _log_sigmoid(g: Graph, x: str) -> str:
    return g.op("Neg", g.op("Softplus", g.op("Neg", x)))


def _squareplus(g: Graph, x: str, b: float) -> str:
    root = g.op("Sqrt", g.op("Add", g.op("Mul", x, x), b))
    return g.op("Mul", g.op("Add", x, root), 0.5)


def _clipped(low: float, high: float) -> Emitter:
    return lambda g, x: g.op("Clip", x, low, high)


def _soft_shrink(g: Graph, x: str, threshold: float) -> str:
    moved = g.op("Sub", x, g.op("Mul", g.op("Sign", x), threshold))
    return _unless_small(g, x, threshold, moved)


def _hard_shrink(g: Graph, x: str, threshold: float) -> str:
    return _unless_small(g, x, threshold, x)


def _unless_small(g: Graph, x: str, size: float, kept: str) -> str:
    """`kept`, and 0 where x is not larger than `size`; ONNX's own Shrink would make 0 of NaN too."""
    return g.op("Where", g.op("LessOrEqual", g.op("Abs", x), size), 0.0, kept)


def _tanh_shrink(g: Graph, x: str) -> str:
    return g.op("Sub", x, g.op("Tanh", x))


def _threshold(g: Graph, x: str, threshold: float, default_value: float) -> str:
    return g.op("Where", g.op("LessOrEqual", x, threshold), default_value, x)


def _sparse_plus(g: Graph, x: str) -> str:
    half = g.op("Mul", g.op("Add", x, 1.0), 0.5)
    upper = g.op("Where", g.op("GreaterOrEqual", x, 1.0), x, g.op("Mul", half, half))
    return g.op("Where", g.op("LessOrEqual", x, -1.0), 0.0, upper)


def _sparse_sigmoid(g: Graph, x: str) -> str:
    return g.op("Mul", g.op("Clip", g.op("Add", x, 1.0), 0.0, 2.0), 0.5)


def _softmax(g: Graph, x: str, axis: int | Sequence[int]) -> str:
    if isinstance(axis, int):
        return g.op("Softmax", x, axis=axis)
    _, powers, total = _exponentials(g, x, axis)
    return g.op("Div", powers, total)


def _log_softmax(g: Graph, x: str, axis: int | Sequence[int]) -> str:
    if isinstance(axis, int):
        return g.op("LogSoftmax", x, axis=axis)
    shifted, _, total = _exponentials(g, x, axis)
    return g.op("Sub", shifted, g.op("Log", total))


def _exponentials(g: Graph, x: str, axes: Sequence[int]) -> tuple[str, str, str]:
    """The numbers minus their largest, the exponentials of that, and their sum over several axes."""
    over = g.integers("axes", list(axes))
    shifted = g.op("Sub", x, g.op("ReduceMax", x, over))
    powers = g.op("Exp", shifted)
    return shifted, powers, g.op("ReduceSum", powers, over)


def _sparsemax(g: Graph, x: str, axis: int) -> str:
    along, over = g.integers("axis", axis), g.integers("axes", [axis])
    total = g.op("ReduceSum", x, over)
    largest = g.op("Where", g.op("IsNaN", total), total, g.op("ReduceMax", x, over))  # a maximum may pass over NaN
    x = g.op("Sub", x, largest)
    shape = g.op("Shape", x)
    ordered, _ = g.ops("TopK", 2, x, g.op("Gather", shape, over), axis=axis)
    rank = g.op("CumSum", g.op("Expand", 1.0, shape), along)
    one_more = g.op("Add", g.op("Mul", rank, ordered), 1.0)
    held = g.op("Greater", one_more, g.op("CumSum", ordered, along))
    total = g.op("ReduceSum", g.op("Where", held, ordered, 0.0), over)
    size = g.op("ReduceSum", g.op("Cast", held, to=_FLOAT32), over)
    tau = g.op("Div", g.op("Sub", total, 1.0), size)
    return g.op("Relu", g.op("Sub", x, tau))


def _glu(g: Graph, x: str, axis: int) -> str:
    first, second = g.ops("Split", 2, x, axis=axis, num_outputs=2)
    return g.op("Mul", first, g.op("Sigmoid", second))


_FLOAT32 = 1  # onnx.TensorProto.FLOAT

ACTIVATIONS: dict[Callable[..., Any], Emitter] = {
    activations.celu: _celu,
    activations.elu: _elu,
    activations.exponential: _alone("Exp"),
    activations.gelu: _gelu,
    activations.glu: _glu,
    activations.hard_shrink: _hard_shrink,
    activations.hard_sigmoid: _alone("HardSigmoid", alpha=1 / 6, beta=0.5),
    activations.hard_silu: _alone("HardSwish"),
    activations.hard_tanh: _clipped(-1.0, 1.0),
    activations.leaky_relu: _leaky_relu,
    activations.linear: _linear,
    activations.log_sigmoid: _log_sigmoid,
    activations.log_softmax: _log_softmax,
    activations.mish: _alone("Mish"),
    activations.relu: _relu,
    activations.relu6: _clipped(0.0, 6.0),
    activations.selu: _alone("Selu"),
    activations.sigmoid: _alone("Sigmoid"),
    activations.silu: _silu,
    activations.soft_shrink: _soft_shrink,
    activations.softmax: _softmax,
    activations.softplus: _alone("Softplus"),
    activations.softsign: _alone("Softsign"),
    activations.sparse_plus: _sparse_plus,
    activations.sparse_sigmoid: _sparse_sigmoid,
    activations.sparsemax: _sparsemax,
    activations.squareplus: _squareplus,
    activations.tanh: _alone("Tanh"),
    activations.tanh_shrink: _tanh_shrink,
    activations.threshold: _threshold,
}
"""Every activation, and how it is written in ONNX."""
