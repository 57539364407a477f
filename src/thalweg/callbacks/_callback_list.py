"""The callbacks of one fit, called in order as if they were one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from thalweg.callbacks._callback import HOOKS, PREDICT_BATCH, TEST_BATCH, TRAIN_BATCH, Callback, Logs, listens
from thalweg.callbacks._history import History
from thalweg.callbacks._logs import plain
from thalweg.callbacks._progress_bar import ProgressBar

_Kind = TypeVar("_Kind")


class CallbackList(Callback):
    """Calls every hook of every callback: the user's first, then the history, then the progress bar.

    Used as a context it closes files and screens at the end, even where the fit raised.

    Args:
        callbacks: one callback, any nesting of lists of them, or another CallbackList. Any object with some of
            the hooks is a callback, one of Keras's too.
        model: handed to each of them.
        epochs: how many epochs the fit runs.
        steps: steps an epoch; None where nobody knows.
        verbose: what the progress bar is made with; 0 adds none.
        add_history: add a :class:`History` where there is none.
        add_progbar: add a :class:`ProgressBar` where there is none; None: as `verbose` says.
        params: what else to put into the callbacks' ``params``.

    Raises:
        TypeError: where something in `callbacks` is no callback.

    Example:
        >>> from thalweg.callbacks import LambdaCallback
        >>> listed = CallbackList(LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs)), model=None)
        >>> listed.on_epoch_begin(0)
        >>> listed.on_epoch_end(0, {'loss': 0.5})
        0 {'loss': 0.5}
        >>> listed.history.history
        {'loss': [0.5]}

    """

    def __init__(
        self,
        callbacks: Any = None,
        model: Any = None,
        *,
        epochs: int = 1,
        steps: int | None = None,
        verbose: Any = 0,
        add_history: bool = True,
        add_progbar: bool | None = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Any] = list(_flat([] if callbacks is None else callbacks))
        if add_history and not self._find(History):
            self.callbacks.append(History())
        if (verbose != 0 if add_progbar is None else add_progbar) and not self._find(ProgressBar):
            self.callbacks.append(ProgressBar(verbose))
        self._in_order()
        self._listeners: dict[str, list[tuple[Any, Callable[..., Any]]]] = {}
        self._epoch: int | None = None
        self.set_params({"verbose": verbose, "epochs": epochs, "steps": steps, **params})
        self.set_model(model)

    @property
    def history(self) -> Any:
        """The record of the fit."""
        return self._find(History)

    @property
    def needs(self) -> frozenset[str]:
        """What any of them wants in the logs."""
        return frozenset().union(*(getattr(callback, "needs", ()) for callback in self.callbacks))

    @property
    def wants_train_batches(self) -> bool:
        """Whether any of them must be called at every training step."""
        return any(self._listening(hook) for hook in TRAIN_BATCH)

    @property
    def wants_batches(self) -> bool:
        """The same as :attr:`wants_train_batches`."""
        return self.wants_train_batches

    @property
    def wants_test_batches(self) -> bool:
        """Whether any of them must be called at every step of an evaluation."""
        return any(self._listening(hook) for hook in TEST_BATCH)

    @property
    def wants_predict_batches(self) -> bool:
        """Whether any of them must be called at every step of a prediction."""
        return any(self._listening(hook) for hook in PREDICT_BATCH)

    @property
    def ends_on_nan(self) -> bool:
        """Whether one of them ends the fit itself where the loss is no number."""
        return any(getattr(callback, "ends_on_nan", False) for callback in self.callbacks)

    def append(self, callback: Any) -> None:
        """Add one more, to be called last."""
        self.callbacks.extend(_flat(callback))
        self._in_order()
        self._listeners.clear()

    def _in_order(self) -> None:
        self.callbacks.sort(key=lambda one: bool(getattr(one, "comes_last", False)))

    def set_model(self, model: Any) -> None:
        """Hand the model to all of them."""
        self.model = model
        for callback in self.callbacks:
            if hasattr(callback, "set_model"):
                callback.set_model(model)

    def set_params(self, params: Any) -> None:
        """Hand what is known about the fit to all of them."""
        self.params = params
        for callback in self.callbacks:
            if hasattr(callback, "set_params"):
                callback.set_params(params)

    def next_stop(self, step: int) -> int | None:
        """The nearest step after `step` at which any of them must be called."""
        asked = [self._told("next_stop", owner, method, step) for owner, method in self._listening("next_stop")]
        return min((stop for stop in asked if stop is not None and stop > step), default=None)

    def close(self) -> None:
        """Close them all."""
        with ExitStack() as stack:
            for callback in self.callbacks:
                if isinstance(callback, Callback):
                    stack.callback(callback.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.callbacks)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    def __bool__(self) -> bool:
        return True

    def _find(self, kind: type[_Kind]) -> _Kind | None:
        return next((callback for callback in self.callbacks if isinstance(callback, kind)), None)

    def _listening(self, hook: str) -> list[tuple[Any, Callable[..., Any]]]:
        if hook not in self._listeners:
            self._listeners[hook] = [(one, getattr(one, hook)) for one in self.callbacks if listens(one, hook)]
        return self._listeners[hook]

    def _call(self, hook: str, *position: int, logs: Logs | None) -> None:
        listeners = self._listening(hook)
        if listeners:
            shared = plain(logs)  # one dict for all of them: what one adds, the next one sees
            for owner, method in listeners:
                self._told(hook, owner, method, *position, shared)

    def _told(self, hook: str, owner: Any, method: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return method(*arguments)
        except Exception as error:
            epochs = (self.params or {}).get("epochs")
            where = "" if self._epoch is None else f", in epoch {self._epoch + 1} of {epochs}"
            error.add_note(f"Raised by the callback {type(owner).__name__}, hook {hook}{where}.")
            raise

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_train_begin", logs=logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_train_end", logs=logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._epoch = epoch
        self._call("on_epoch_begin", epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_epoch_end", epoch, logs=logs)

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_progress", step, logs=logs)

    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """Call this hook of every callback."""
        for owner, method in self._listening("on_safe_point"):
            self._told("on_safe_point", owner, method, epoch, step, last)

    def get_state(self) -> dict[str, Any]:
        """Every callback's state, by its class and a counter."""
        return {title: one.get_state() for title, one in self._titled() if hasattr(one, "get_state")}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Give every callback its state back; one that has none there starts anew, with a word."""
        for title, one in self._titled():
            if title in state:
                one.set_state(state[title])
            elif hasattr(one, "get_state") and one.get_state():
                self._warn(f"The checkpoint has no state of {title}: it starts anew.")
        known = {title for title, _ in self._titled()}
        for title, left in state.items():
            if left and title not in known:
                self._warn(f"The checkpoint has a state of {title}, which is not among the callbacks: it is left out.")

    def _titled(self) -> list[tuple[str, Any]]:
        counts: dict[str, int] = {}
        titled = []
        for one in self.callbacks:
            kind = type(one).__name__
            counts[kind] = counts.get(kind, -1) + 1
            titled.append((f"{kind} {counts[kind]}" if counts[kind] else kind, one))
        return titled

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_train_batch_begin", batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_train_batch_end", batch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_batch_begin", batch, logs=logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_batch_end", batch, logs=logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_test_begin", logs=logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_test_end", logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_test_batch_begin", batch, logs=logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_test_batch_end", batch, logs=logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_predict_begin", logs=logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_predict_end", logs=logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_predict_batch_begin", batch, logs=logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call this hook of every callback."""
        self._call("on_predict_batch_end", batch, logs=logs)


def _flat(given: Any) -> Iterator[Any]:
    """The callbacks in `given`, whatever its nesting."""
    if isinstance(given, CallbackList):
        yield from given.callbacks
    elif isinstance(given, (list, tuple)):
        for one in given:
            yield from _flat(one)
    elif isinstance(given, type):
        raise TypeError(f"callbacks must hold callbacks, got the class {given.__name__}: write {given.__name__}().")
    elif any(callable(getattr(given, hook, None)) for hook in HOOKS):
        yield given
    else:
        raise TypeError(
            f"callbacks must hold callbacks (objects with hooks such as on_epoch_end), got {given!r} "
            f"of type {type(given).__name__}."
        )
