"""What makes a model of a point of the space, and trains it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from thalweg.tuner._hyperparameters import HyperParameters

Build = Callable[[HyperParameters], Any]
"""What a person writes: ``build(hp)`` returns a compiled model."""


def _tuned(build: Callable[..., Any]) -> Callable[..., Any]:
    """`build`, which adds nothing to the space where its owner is not tunable."""

    @functools.wraps(build)
    def wrapped(self: HyperModel, hp: HyperParameters, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "tunable", True):  # a subclass may have forgotten super().__init__()
            return build(self, hp, *args, **kwargs)
        with hp.closed() as inner:
            return build(self, inner, *args, **kwargs)

    return wrapped


class HyperModel:
    """A family of models: :meth:`build` makes one of them, :meth:`fit` trains it.

    Where a function ``build(hp)`` does not do, subclass: to search what :meth:`fit` takes (the batch size, the number
    of epochs), or to keep the settings of a family in an object.

    Args:
        name: for the summary; the class's where None.
        tunable: whether what :meth:`build` asks for joins the search space. Where False, it has its default, unless
            a person has set it beforehand.

    Example:
        >>> import thalweg
        >>> class Digits(HyperModel):
        ...     def build(self, hp):
        ...         units = hp.Int('units', 16, 64, step=16)
        ...         model = thalweg.Sequential([thalweg.Input((64,)), thalweg.layers.Dense(units), thalweg.layers.Dense(10)])
        ...         model.compile('adam', 'mse')
        ...         return model
        ...     def fit(self, hp, model, *args, **kwargs):
        ...         return model.fit(*args, batch_size=hp.Int('batch_size', 16, 64, step=2, sampling='log'), **kwargs)
        >>> hp = HyperParameters()
        >>> Digits().build(hp).count_params(), hp.values
        (1210, {'units': 16})

    """

    def __init__(self, name: str | None = None, tunable: bool = True) -> None:
        self.name = name or type(self).__name__
        self.tunable = tunable

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _tuned(cls.build)  # type: ignore[method-assign]  # so that it holds for blocks in a build too

    def build(self, hp: HyperParameters) -> Any:
        """A compiled model.

        Args:
            hp: what to ask for hyperparameters.

        Raises:
            NotImplementedError: where a subclass does not define it.

        """
        raise NotImplementedError(
            f"{type(self).__name__} has no build(hp). Define one that returns a compiled model, or hand a function "
            "build(hp) to the tuner."
        )

    def declare_hyperparameters(self, hp: HyperParameters) -> None:
        """Ask for what is to be in the space from the start, before the first build. Nothing, unless overridden.

        Args:
            hp: what to ask.

        """

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train a model that :meth:`build` made.

        Args:
            hp: the same that built it; more may be asked for.
            model: the model.
            args: of ``search``, as they came.
            kwargs: of ``search``, with the search's callbacks.

        Returns:
            The fit's :class:`~thalweg.callbacks.History`. An override may also return a dict (name -> number) or
            the objective's value.

        """
        return model.fit(*args, **kwargs)


class _Function(HyperModel):
    """The family of models that a function makes."""

    def __init__(self, function: Build) -> None:
        super().__init__(getattr(function, "__name__", type(function).__name__))
        self._function = function

    def build(self, hp: HyperParameters) -> Any:
        return self._function(hp)


def hypermodel_of(given: Any) -> HyperModel:
    """A :class:`HyperModel` of what a person hands to a tuner.

    Args:
        given: a HyperModel, or a function ``build(hp)`` that returns a compiled model.

    Raises:
        TypeError: where it is anything else: a class, a model, a function that does not take one argument.

    Example:
        >>> def build(hp):
        ...     return None
        >>> hypermodel_of(build).name
        'build'

    """
    if isinstance(given, HyperModel):
        return given
    wanted = "A tuner takes a function build(hp) that returns a compiled model, or a HyperModel"
    if isinstance(given, type):
        raise TypeError(f"{wanted}, got the class {given.__name__}. Make one of it: {given.__name__}().")
    if _is_model(given) or hasattr(given, "get_weights"):
        raise TypeError(
            f"{wanted}, got a model that is made already, {given!r}. Move the lines that make it into a function "
            "build(hp), so that each trial has its own."
        )
    if not callable(given):
        raise TypeError(f"{wanted}, got {given!r}.")
    if not _takes_one(given):
        raise TypeError(f"{wanted}, got {_name(given)}{inspect.signature(given)}. It must take one argument, hp.")
    return _Function(given)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # what C wrote may not tell
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


def _is_model(given: Any) -> bool:
    from thalweg.models import Model

    return isinstance(given, Model)


def checked_model(model: Any) -> Any:
    """`model` itself, where it is one that a search can train.

    Args:
        model: what ``build(hp)`` returned.

    Returns:
        It.

    Raises:
        TypeError: where it is no model of thalweg's.
        ValueError: where it is not compiled.

    Example:
        >>> import thalweg
        >>> model = thalweg.Sequential([thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> checked_model(model) is model
        True

    """
    wanted = "build(hp) must return a compiled thalweg.Sequential or Model, got"
    if model is None:
        raise TypeError(f"{wanted} None. Does it end with `return model`?")
    if not _is_model(model):
        kind = type(model)
        raise TypeError(
            f"{wanted} {kind.__module__.partition('.')[0]}'s {kind.__name__}. Build it of thalweg's layers and models."
        )
    if model.compiled is None:
        raise ValueError(
            f"{wanted} the {type(model).__name__} {model.name!r}, which is not compiled. Call model.compile(...) before "
            "`return model`."
        )
    return model


class Closed(HyperModel):
    """A hypermodel whose build adds nothing to the space but what a person set beforehand.

    Args:
        inner: the hypermodel.

    Example:
        >>> hp = HyperParameters()
        >>> units = Closed(hypermodel_of(lambda hp: hp.Int('units', 8, 64))).build(hp)
        >>> units, hp.space
        (8, [])

    """

    def __init__(self, inner: HyperModel) -> None:
        super().__init__(inner.name)
        self.inner = inner

    def build(self, hp: HyperParameters) -> Any:
        """What the inner one builds, all else at its defaults."""
        with hp.closed() as inner:
            return made_by(self.inner, inner)

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Likewise."""
        with hp.closed() as inner:
            return self.inner.fit(inner, model, *args, **kwargs)


def made_by(hypermodel: HyperModel, hp: HyperParameters) -> Any:
    """What a hypermodel builds, once it has declared what it wants to."""
    hypermodel.declare_hyperparameters(hp)
    return hypermodel.build(hp)
