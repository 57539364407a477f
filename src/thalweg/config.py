"""Settings of the whole process: the dtype policy, float precision, and where caches live."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from thalweg._names import unknown

_POLICIES = {
    # name: (dtype of weights and updates, dtype of the layers' arithmetic)
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "mixed_bfloat16": ("float32", "bfloat16"),
}
_policy = "float32"
_here: ContextVar[str | None] = ContextVar("dtype policy of a block of code", default=None)


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


@contextlib.contextmanager
def precision(name: str) -> Iterator[None]:
    """Another dtype policy for what is built and run within, in this thread alone.

    Args:
        name: as for :func:`set_dtype_policy`.

    Raises:
        ValueError: on an unknown name.

    Example:
        >>> import thalweg
        >>> with thalweg.config.precision('float64'):
        ...     thalweg.config.floatx()
        'float64'

    """
    if name not in _POLICIES:
        raise ValueError(unknown("dtype policy", name, list(_POLICIES)))
    import jax

    token = _here.set(name)
    try:
        with jax.enable_x64(True) if name == "float64" else contextlib.nullcontext():
            yield
    finally:
        _here.reset(token)


def dtype_policy() -> str:
    """The policy in force, by name."""
    return _here.get() or _policy


def floatx() -> str:
    """The dtype of weights, losses and updates: ``'float32'`` or ``'float64'``."""
    return _POLICIES[dtype_policy()][0]


def set_floatx(dtype: str) -> None:
    """Keras's name for choosing float32 or float64."""
    set_dtype_policy(dtype)


def compute_dtype() -> str:
    """The dtype of the layers' arithmetic."""
    return _POLICIES[dtype_policy()][1]


def cache_folder() -> Path:
    """Where downloads and compiled programs are kept: ``$THALWEG_CACHE``, or the user's cache folder."""
    named = os.environ.get("THALWEG_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "thalweg"
