"""A HyperModel's ``fit``, held at its calls of ``model.fit`` so that the nets of many trials train together.

``fit(hp, model, ...)`` is a person's own code: it may choose a batch size, weigh classes, train twice, and give
back a number. It runs in a thread that waits at each call of ``model.fit`` until that call's net has been trained
beside the others'. One thread runs at a time, so that nothing depends on how they are scheduled.
"""

from __future__ import annotations

import inspect
import queue
import threading
from dataclasses import dataclass, field
from typing import Any

from thalweg.models import Model
from thalweg.tuner._hypermodel import HyperModel
from thalweg.tuner._hyperparameters import HyperParameters

_SIGNATURE = inspect.signature(Model.fit)


@dataclass
class FitCall:
    """A call of ``model.fit`` that waits.

    Attributes:
        model: whose.
        arguments: by name, with the defaults of those that were left out.

    """

    model: Any
    arguments: dict[str, Any]


@dataclass
class Returned:
    """What ``fit`` gave back."""

    value: Any


class Abandoned(BaseException):
    """Ends the thread of a trial that nobody will train."""


@dataclass
class Rehearsal:
    """One run of a HyperModel's ``fit``.

    Args:
        hypermodel: whose.
        hp: what it is handed.
        model: likewise.
        args, kwargs: likewise.

    """

    hypermodel: HyperModel
    hp: HyperParameters
    model: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    _thread: threading.Thread | None = None
    _out: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    _in: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    _plain: bool = False

    def start(self) -> FitCall | Returned:
        """Run up to the first call of ``model.fit``, or to the end.

        Raises:
            BaseException: whatever ``fit`` raises.

        """
        if type(self.hypermodel).fit is HyperModel.fit:  # it would only hand the call on
            self._plain = True
            return FitCall(self.model, _bound(self.model, self.args, self.kwargs))
        self.model.fit = self._hold
        self._thread = threading.Thread(target=self._run, daemon=True, name="thalweg-trial")
        self._thread.start()
        return self._next()

    def go_on(self, history: Any) -> FitCall | Returned:
        """Give the waiting call its history, and run up to the next one or to the end."""
        if self._plain:
            return Returned(history)
        self._in.put(history)
        return self._next()

    def abandon(self) -> None:
        """End a run that waits."""
        if self._thread is not None and self._thread.is_alive():
            self._in.put(Abandoned())
            self._thread.join()
        self.model.__dict__.pop("fit", None)

    def _next(self) -> FitCall | Returned:
        found = self._out.get()
        if isinstance(found, FitCall):
            return found
        assert self._thread is not None
        self._thread.join()
        self.model.__dict__.pop("fit", None)
        if isinstance(found, BaseException):
            raise found
        return Returned(found[0])

    def _run(self) -> None:
        try:
            value = self.hypermodel.fit(self.hp, self.model, *self.args, **self.kwargs)
        except BaseException as error:
            self._out.put(error)
        else:
            self._out.put((value,))

    def _hold(self, *args: Any, **kwargs: Any) -> Any:
        self._out.put(FitCall(self.model, _bound(self.model, args, kwargs)))
        answer = self._in.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _bound(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    bound = _SIGNATURE.bind(model, *args, **kwargs)
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name != "self"}
