"""Replay: a fit that a person steered by hand, steered so again."""

from __future__ import annotations

from collections.abc import Iterable

from thalweg.callbacks._callback import Callback, Logs


class Replay(Callback):
    """Turns hypers at the steps at which somebody turned them, so that the same fit gives the same bits.

    Args:
        changes: (epoch, step, path, value) each, as ``history.changes`` and a run's ``history.jsonl`` have them: epochs and steps
            counted from 0, and the step the first one that runs with the value.
        stop: (epoch, step) where the fit was stopped, after so many steps of that epoch; None: nowhere.

    Raises:
        ValueError: where a change is not of that form.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg.callbacks import Replay
        >>> model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> again = Replay([(1, 2, 'optimizer/learning_rate', 0.001)])
        >>> history = model.fit(np.ones((8, 1)), np.ones(8), batch_size=2, epochs=2, verbose=0, callbacks=[again])
        >>> history.changes[0].epoch, history.changes[0].step, history.changes[0].new
        (1, 2, 0.001)

    """

    def __init__(self, changes: Iterable[tuple[int, int, str, float]], stop: tuple[int, int] | None = None) -> None:
        self.changes: dict[tuple[int, int], list[tuple[str, float]]] = {}
        for one in changes:
            try:
                epoch, step, path, value = one
                self.changes.setdefault((int(epoch), int(step)), []).append((str(path), float(value)))
            except (TypeError, ValueError):
                raise ValueError(f"A change is (epoch, step, path, value), got {one!r}.") from None
        self.stop = None if stop is None else (int(stop[0]), int(stop[1]))
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Turn what was turned before the first step."""
        self._epoch = epoch
        self._turn(0)

    def next_stop(self, step: int) -> int | None:
        """The next step at which something was turned, or the fit was stopped."""
        places = [*self.changes, *([self.stop] if self.stop else [])]
        return min((at for epoch, at in places if epoch == self._epoch and at > step), default=None)

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Turn what was turned after so many steps, and stop where it was stopped."""
        self._turn(step)
        if self.stop == (self._epoch, step):
            self.model.stop_training = True

    def _turn(self, step: int) -> None:
        for path, value in self.changes.get((self._epoch, step), ()):
            self.model.hypers[path] = value
