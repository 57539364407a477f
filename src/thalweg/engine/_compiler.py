"""What XLA's compiler is told beside a program."""

from __future__ import annotations

import functools
from typing import Any

import jax

_EIGEN_S_CONVOLUTION = {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"
}


@functools.cache
def options() -> dict[str, Any]:
    """Of every program of this process.

    On a CPU convolutions are Eigen's, not YNNPACK's: of two without padding, 28 x 28 to 32 and 13 x 13 x 32 to 64 filters
    3 x 3 at batch 128, YNNPACK takes 13.3 ms on 2 cores and Eigen 3.5. Where the compiler does not know the option, it
    does as it likes.
    """
    if jax.local_devices()[0].platform != "cpu":
        return {}
    try:
        jax.jit(lambda x: x, compiler_options=_EIGEN_S_CONVOLUTION).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return _EIGEN_S_CONVOLUTION
