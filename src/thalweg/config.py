"""Settings of the whole process: the dtype policy, float precision, and where caches live."""

from __future__ import annotations

import os
from pathlib import Path

from thalweg._names import unknown

_POLICIES = {
    # name: (dtype of weights and updates, dtype of the layers' arithmetic)
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "mixed_bfloat16": ("float32", "bfloat16"),
}
_policy = "float32"


def set_dtype_policy(name: str) -> None:
    """Choose the precision of all that is built from here on.

    Args:
        name: ``'float32'`` (default), ``'float64'``, or ``'mixed_bfloat16'``: weights and updates
            in float32, the layers' arithmetic in bfloat16.

    Raises:
        ValueError: on an unknown name.

    Example:
        >>> import thalweg
        >>> thalweg.config.set_dtype_policy('float32')

    """
    global _policy
    if name not in _POLICIES:
        raise ValueError(unknown("dtype policy", name, list(_POLICIES)))
    if name == "float64":
        import jax

        jax.config.update("jax_enable_x64", True)
    _policy = name


def dtype_policy() -> str:
    """The policy in force, by name."""
    return _policy


def floatx() -> str:
    """The dtype of weights, losses and updates: ``'float32'`` or ``'float64'``."""
    return _POLICIES[_policy][0]


def set_floatx(dtype: str) -> None:
    """Keras's name for choosing float32 or float64."""
    set_dtype_policy(dtype)


def compute_dtype() -> str:
    """The dtype of the layers' arithmetic."""
    return _POLICIES[_policy][1]


def cache_folder() -> Path:
    """Where downloads and compiled programs are kept: ``$THALWEG_CACHE``, or the user's cache folder."""
    named = os.environ.get("THALWEG_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "thalweg"
