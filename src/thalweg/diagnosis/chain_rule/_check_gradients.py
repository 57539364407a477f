"""Whether a gradient is right: automatic differentiation beside differences, for what somebody wrote."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.diagnosis.chain_rule._differences import DOUBT, Differences, differences, size_of
from thalweg.diagnosis.chain_rule._gradient_check import CheckedGradient, GradientCheck
from thalweg.diagnosis.chain_rule._subjects import subject_of

_SMALL = 1e-3  # of a gradient's typical size, below which errors are measured against that
_BLIND = 0.3  # of a derivative: where differences are off by more they tell nothing


def check_gradients(
    target: Any, *inputs: Any, training: bool = False, tolerance: float = 1e-5, seed: int = 0
) -> GradientCheck:
    """Compare gradients of automatic differentiation with central differences, ``(f(x + h) - f(x - h)) / 2h``, in float64.

    It finds a ``jax.custom_vjp`` or ``custom_jvp`` that is wrong, a ``stop_gradient`` or a rounding in the way, and NaN. Each weight
    and input is moved number by number (24 at most, drawn at random) and along four random directions. Six steps are tried;
    the two that agree best are believed, and their difference says how far. Where the slopes of the two sides differ there
    is a corner (as ReLU has at 0) or a jump: automatic differentiation takes one of the slopes, which is no error.

    Args:
        target: a layer, a loss, a compiled model, or any function of arrays.
        inputs: what it is applied to: of a layer its input (several for one that merges), of a loss ``y_true, y_pred``, of a model
            ``x, y``. Arrays of whole numbers are held fixed; of a loss the targets are, too. Of a model the weights are
            checked, for its whole loss with penalties.
        training: whether a layer is used as in training; its random bits are the same at each step.
        tolerance: relative error up to which a gradient is right.
        seed: of directions and places.

    Returns:
        What was found: ``.passed``, ``.parts``; ``print`` it.

    Raises:
        TypeError: where `target` is none of these, or inputs are missing.
        ValueError: where nothing has a gradient: only whole numbers came in, or none but whole ones come out.

    Example:
        >>> import jax, numpy as np
        >>> from thalweg.diagnosis import check_gradients
        >>> @jax.custom_jvp
        ... def square(x):
        ...     return x**2
        >>> square.defjvps(lambda slope, ans, x: 3 * x * slope)
        >>> found = check_gradients(square, np.array([1.0, 2.0]))
        >>> found.passed, found.parts[0].verdict
        (False, 'wrong')

    Source: Nocedal & Wright 2006, "Numerical optimization", section 8.1 (finite differences and their steps).

    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie between 0 and 1, got check_gradients(tolerance={tolerance!r}).")
    subject = subject_of(target, inputs, bool(training))
    if not subject.arguments:
        raise ValueError(
            f"{subject.name} got no floating numbers, of which a gradient could be taken: give arrays of floats."
        )
    for name, one in zip(subject.names, subject.arguments, strict=True):
        if not one.size:
            raise ValueError(f"{name} is empty: it has shape {one.shape}.")
    found = differences(subject.function, subject.arguments, seed)
    parts = [
        _checked(name, one.shape, each, tolerance)
        for name, one, each in zip(subject.names, subject.arguments, found, strict=True)
    ]
    return GradientCheck(subject.name, tuple(parts), tolerance)


def _checked(name: str, shape: tuple[int, ...], found: Differences, tolerance: float) -> CheckedGradient:
    automatic, numeric = found.automatic, found.numeric
    typical = _SMALL * size_of(found.gradient)
    apart = np.abs(automatic - numeric)
    sizes = np.maximum(np.maximum(np.abs(automatic), np.abs(numeric)), typical)
    errors = np.divide(apart, sizes, out=np.zeros_like(apart), where=(sizes > 0) & np.isfinite(sizes))
    judged = ~found.kinks & np.isfinite(numeric) & (DOUBT * found.doubt <= _BLIND * sizes)
    wrong = judged & (apart > tolerance * sizes + DOUBT * found.doubt)
    verdict = _verdict(found, judged, wrong)
    entries = len(found.entries)
    looked = np.where(wrong if wrong.any() else judged, errors, -1.0)
    if wrong[:entries].any():
        looked[entries:] = -1.0  # a place says more than a direction
    if verdict == "not finite":
        looked = (~np.isfinite(automatic) | ~np.isfinite(numeric)).astype(float)
    worst = int(looked.argmax())
    place = tuple(int(i) for i in np.unravel_index(found.entries[worst], shape)) if worst < entries else None
    return CheckedGradient(
        name,
        shape,
        verdict,
        float(errors[worst]) if looked[worst] >= 0 else 0.0,
        place,
        float(automatic[worst]),
        float(numeric[worst]),
        int(found.kinks.sum()),
        np.column_stack([automatic, numeric]),
    )


def _verdict(found: Differences, judged: np.ndarray, wrong: np.ndarray) -> str:
    if not (np.isfinite(found.value) and np.isfinite(found.gradient).all()):
        return "not finite"
    if wrong.any():
        return "wrong" if found.gradient.any() else "no gradient"
    if not found.moves:
        return "no effect"
    smooth = found.numeric[~found.kinks]
    if smooth.size and not smooth.any() and not found.gradient.any():
        return "no gradient"
    return "right" if judged.any() else "not judged"
