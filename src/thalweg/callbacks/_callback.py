"""The base class of all callbacks: every hook, doing nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Set
from pathlib import Path
from typing import Any, ClassVar, TypeVar

Logs = dict[str, Any]
_Hook = TypeVar("_Hook", bound=Callable[..., Any])

TRAIN_BATCH = ("on_train_batch_begin", "on_train_batch_end")
TEST_BATCH = ("on_test_batch_begin", "on_test_batch_end")
PREDICT_BATCH = ("on_predict_batch_begin", "on_predict_batch_end")
_OLDER = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
HOOKS = (
    *("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_progress"),
    *("on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end"),
    *(*TRAIN_BATCH, *_OLDER.values(), *TEST_BATCH, *PREDICT_BATCH),
)


def _default(hook: _Hook) -> _Hook:
    """Mark a hook that does nothing, as Keras marks its own, so that nobody waits for it between steps."""
    hook.__dict__["_is_default"] = True
    return hook


def listens(callback: object, hook: str) -> bool:
    """Whether `callback` does anything on `hook`; any object with hooks will do, one of Keras's too."""
    names = (hook, _OLDER[hook]) if hook in _OLDER else (hook,)
    own = [getattr(callback, name, None) for name in names]
    return any(callable(method) and not getattr(method, "_is_default", False) for method in own)


def apart(given: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """Callbacks that are of a search as a whole, and those of each fit.

    Example:
        >>> class Look(Callback):
        ...     of_searches = True
        >>> [len(each) for each in apart([Callback(), Look(), Callback()])]
        [1, 2]

    """
    listed = list(given)
    return [one for one in listed if is_of_searches(one)], [one for one in listed if not is_of_searches(one)]


def is_of_searches(callback: object) -> bool:
    """Whether a search as a whole has it; any object with hooks will do."""
    return bool(getattr(callback, "of_searches", False))


class Callback:
    """Base class for what listens to a fit: override the hooks you need.

    Steps run in compiled chunks of about a tenth of a second. A callback that overrides a train-batch
    hook makes every chunk one step long, which is slower; :meth:`on_progress` costs nothing.

    Attributes:
        model: the model that is trained, evaluated or asked for predictions.
        params: ``verbose``, ``epochs`` and ``steps`` (None where nobody knows).
        per_member: in a population, whether each member gets a copy that is handed the member and its own
            logs; otherwise one callback is handed the population, and logs with a list of numbers a name.

    Example:
        >>> class Shout(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(f"epoch {epoch + 1}: loss {logs['loss']:.2f}!")
        >>> Shout().on_epoch_end(0, {'loss': 0.5})
        epoch 1: loss 0.50!

    """

    # on the class, so that a subclass need not call super().__init__()
    model: Any = None
    params: Mapping[str, Any] | None = None
    per_member: bool = False
    comes_last: ClassVar[bool] = False  # whether it is called after all others, once they have written what they write
    of_searches: ClassVar[bool] = (
        False  # whether a search as a whole has it, instead of a copy a trial: on_search_begin
    )
    member: int | None = None  # which member of a population this copy is for

    def set_model(self, model: Any) -> None:
        """Be handed the model, before any hook."""
        self.model = model

    def on_search_begin(self, folder: Path) -> None:
        """A search or a coach begins, which keeps its record in a folder; asked of callbacks `of_searches`."""

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Be handed what is known about the fit, before any hook."""
        self.params = params

    @property
    def needs(self) -> Set[str]:
        """Logs this callback wants beyond the loss and the metrics: ``{'gradient_norm'}``."""
        return frozenset()

    @property
    def wants_batches(self) -> bool:
        """Whether a train-batch hook is overridden, so that every step must be a chunk of its own."""
        return any(listens(self, hook) for hook in TRAIN_BATCH)

    @_default
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called once, before the first epoch."""

    @_default
    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called once, after the last epoch, with its logs."""

    @_default
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch; `epoch` counts from 0."""

    @_default
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch and its validation; what is written into `logs` goes on record."""

    @_default
    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Called between chunks of training, about every tenth of a second.

        Args:
            step: steps done in this epoch.
            logs: the running loss and metrics of this epoch.

        """

    @_default
    def next_stop(self, step: int) -> int | None:
        """The next step of this epoch, after `step`, at which :meth:`on_progress` must be called; None: any."""
        return None

    @_default
    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """Called after everybody else, between chunks and after each epoch, where the state of the fit is whole.

        ``self.model.session.snapshot()`` gives that state, for a checkpoint.

        Args:
            epoch: the epoch that goes on, or comes next, counted from 0.
            step: steps done in it; 0 between epochs.
            last: the fit is about to be broken off: whoever keeps checkpoints writes one now.

        """

    @_default
    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each training step; `batch` counts from 0."""
        self.on_batch_begin(batch, logs)

    @_default
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each training step, with the running logs of the epoch."""
        self.on_batch_end(batch, logs)

    @_default
    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of :meth:`on_train_batch_begin`, which calls it."""

    @_default
    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of :meth:`on_train_batch_end`, which calls it."""

    @_default
    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before an evaluation, a fit's validation included."""

    @_default
    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after an evaluation, with its logs."""

    @_default
    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each step of an evaluation."""

    @_default
    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each step of an evaluation, with the running logs."""

    @_default
    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before a prediction."""

    @_default
    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after a prediction."""

    @_default
    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each step of a prediction."""

    @_default
    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each step of a prediction."""

    @_default
    def close(self) -> None:
        """Let go of files and screens; called when the fit is over, even where it raised. May be called twice."""

    STATE: ClassVar[tuple[str, ...]] = ()
    """Attributes that a checkpoint keeps: plain data and arrays, in lists and dicts."""

    def get_state(self) -> dict[str, Any]:
        """What a fit that goes on in another process must know; by default the attributes in ``STATE``."""
        return {name: getattr(self, name) for name in self.STATE}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`get_state` gave, after ``on_train_begin``."""
        for name in self.STATE:
            if name in state:
                setattr(self, name, state[name])

    def _warn(self, message: str) -> None:
        """Tell the person, and put it on the fit's record."""
        recorded = getattr(getattr(self.model, "history", None), "warnings", None)
        if isinstance(recorded, list) and message not in recorded:  # of a fit that goes on, it may be there already
            recorded.append(message)
        warnings.warn(message, stacklevel=3)
