"""A callback from a few functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._names import unknown
from thalweg.callbacks._callback import HOOKS, Callback

_HOOKS = (*HOOKS, "next_stop")


class LambdaCallback(Callback):
    """Calls your functions as hooks.

    Args:
        hooks: hook -> function with the arguments of that hook in :class:`Callback`, without ``self``; None does
            nothing.

    Raises:
        TypeError: on a name that is no hook, or something that cannot be called.

    Example:
        >>> tell = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs['loss']))
        >>> tell.on_epoch_end(0, {'loss': 0.5})
        0 0.5

    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if name not in _HOOKS:
                raise TypeError(unknown("hook of LambdaCallback", name, _HOOKS))
            if function is not None:
                if not callable(function):
                    raise TypeError(f"{name} must be callable, got LambdaCallback({name}={function!r}).")
                self.__dict__[name] = function
