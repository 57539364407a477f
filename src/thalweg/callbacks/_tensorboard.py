"""A fit's course for TensorBoard."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from thalweg._names import unknown
from thalweg.callbacks._callback import Callback, Logs
from thalweg.callbacks._tensorboard_events import require_tensorboard
from thalweg.callbacks._tensorboard_profile import Profile
from thalweg.callbacks._tensorboard_run import Run


class TensorBoard(Callback):
    """Writes logs that ``tensorboard --logdir logs`` shows, and flushes them after each epoch.

    In ``train`` and ``validation`` below the folder: ``epoch_loss``, ``epoch_<metric>``, ``epoch_learning_rate``;
    ``evaluation_<name>_vs_iterations``; ``batch_<name>`` where `update_freq` asks for it, at the number of steps the
    net has ever taken, so that a resumed fit goes on where the last one ended. The HPARAMS tab shows every hyper at
    its first value, and a hyper that is turned has a course of its own, ``hyper/<path>``. NaN is written as NaN.

    A population has a folder a member, ``member-00/train`` and so on; what is one number for all of them lies beside
    these, as do the ``batch_`` numbers, which are means over the members.

    Args:
        log_dir: where to write. One folder a fit; TensorBoard compares those below the folder it is given, and
            shows the hypers that the first one names.
        histogram_freq: write histograms of all weights, as ``<layer>/<weight>/histogram``, every so many epochs;
            0 writes none.
        write_graph: taken for Keras's sake: the graph is not written.
        write_images: beside the histograms, write weights with one or two axes as grey pictures, the smallest number
            black and the largest white.
        write_steps_per_second: also write how fast it trains.
        update_freq: ``'epoch'``; a number of steps, after which the running numbers of the epoch are also written;
            or ``'batch'``, which is 1.
        profile_batch: a step of this fit, counted from 1, or the first and the last of some, to be profiled by
            ``jax.profiler``; 0 profiles none. To show it, TensorBoard needs its profile plugin.
        embeddings_freq, embeddings_metadata: taken for Keras's sake: no embeddings are written.

    Raises:
        ImportError: where TensorBoard is not installed.
        ValueError: on numbers out of range.

    Example:
        >>> import tempfile, numpy as np, thalweg
        >>> model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> x = np.linspace(0, 1, 64).reshape(-1, 1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     history = model.fit(x, 2 * x, epochs=2, verbose=0, callbacks=[TensorBoard(folder)])
        ...     os.path.isdir(os.path.join(folder, 'train'))
        True

    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: int | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        require_tensorboard()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = _whole("histogram_freq", histogram_freq, 0)
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = update_freq
        self._every = _frequency(update_freq)
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._profile = Profile(self.log_dir, *_steps(profile_batch))
        self._own = Run(self.log_dir, None)
        self._members: list[Run] = []
        self._fitting = False
        self._before = 0  # steps of this fit before this epoch
        self._ever = 0  # steps the net had ever taken before this epoch
        self._step = 0  # steps of this epoch
        self._begun = 0.0
        self._lap = (0, 0.0)  # the step and the time at which batch numbers were last written

    def set_model(self, model: Any) -> None:
        """Be handed the model, or the population, and know its folders."""
        self.close()
        self.model = model
        members = list(model) if hasattr(type(model), "__iter__") else []
        width = max(2, len(str(len(members) - 1)))
        folders = [os.path.join(self.log_dir, f"member-{i:0{width}d}") for i in range(len(members))]
        self._own = Run(self.log_dir, None if members else model)
        self._members = [Run(folder, member) for folder, member in zip(folders, members, strict=True)]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Write the hypers at their first values."""
        self._fitting = True
        self._before = 0
        self._profile.done = False
        self._say_what_is_not_written()
        runs = self._runs()
        for run in runs:
            run.begin()
        self._experiment(runs)
        self._flush()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start counting."""
        for run in self._runs():
            run.ever = int(getattr(run.model, "steps_taken", 0))
        self._ever = max(run.ever for run in self._runs())
        self._own.ever = self._ever
        self._step = 0
        self._begun = time.monotonic()
        self._lap = (0, self._begun)
        self._profiling()

    def next_stop(self, step: int) -> int | None:
        """The next step at which batch numbers are due, or the profiler is to be started or stopped."""
        stops = [stop - self._before for stop in self._profile.stops()]
        if self._every is not None:
            taken = self._ever + step
            stops.append(taken - taken % self._every + self._every - self._ever)
        return min((stop for stop in stops if stop > step), default=None)

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Write the batch numbers, where they are due."""
        self._step = step
        self._profiling()
        if self._every is None or (self._ever + step) % self._every:
            return
        pace = self._pace_since(*self._lap)
        self._lap = (step, time.monotonic())
        for run, share in self._shares(logs):
            run.batch(step, {**share, **pace} if share else {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's numbers, and the weights where they are due."""
        pace = self._pace_since(0, self._begun)
        weights = bool(self.histogram_freq) and epoch % self.histogram_freq == 0
        for run, share in self._shares(logs):
            run.epoch(epoch, share, pace)
            if weights:
                run.weights(epoch, self.write_images)
        for run in self._members:
            if run.model.stop_training:  # it has its last numbers; the others go on
                run.end(well=True)
        self._before += self._step
        self._flush()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the evaluation's numbers at the optimizer's steps."""
        for run, share in self._shares(logs):
            run.evaluation(share)
        if not self._fitting:  # of model.evaluate: nobody will call close
            self.close()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Say that the fit is over, and close the files."""
        for run in self._runs():
            run.end(well=True)
        self.close()

    def close(self) -> None:
        """Close the files and stop the profiler; a fit that had no end has failed."""
        fitting, self._fitting = self._fitting, False
        with ExitStack() as stack:
            for run in (self._own, *self._members):
                stack.callback(run.close, failed=fitting)
            stack.callback(self._profile.stop)

    def _runs(self) -> list[Run]:
        """One a model."""
        return self._members or [self._own]

    def _experiment(self, runs: list[Run]) -> None:
        """Say what the HPARAMS tab is to show: every hyper of every model, and the metrics."""
        found: dict[str, list[float]] = {}
        for run in runs:
            for path, value in run.hypers.items():
                found.setdefault(path, []).append(value)
        if found:
            names = [str(name) for name in getattr(runs[0].model, "metrics_names", ["loss"])]
            ranges = {path: (min(values), max(values)) for path, values in found.items()}
            self._own.root.experiment(ranges, [*names, *(f"val_{name}" for name in names)])

    def _flush(self) -> None:
        for run in (self._own, *self._members):
            run.flush()

    def _shares(self, logs: Logs | None) -> Iterator[tuple[Run, Logs]]:
        """Each folder's share of the logs: of a population, lists are the members', single numbers the whole's."""
        logs = logs or {}
        if not self._members:
            yield self._own, logs
            return
        each = {name: value for name, value in logs.items() if isinstance(value, list)}
        yield self._own, {name: value for name, value in logs.items() if name not in each}
        for i, run in enumerate(self._members):
            if not run.ended:
                yield run, {name: value[i] for name, value in each.items()}

    def _pace_since(self, step: int, begun: float) -> Logs:
        """Steps a second since a step, where that was asked for."""
        if not self.write_steps_per_second:
            return {}
        return {"steps_per_second": (self._step - step) / max(time.monotonic() - begun, 1e-9)}

    def _profiling(self) -> None:
        trouble = self._profile.look(self._before + self._step)
        if trouble:
            self._warn(trouble)

    def _say_what_is_not_written(self) -> None:
        if self.embeddings_freq or self.embeddings_metadata is not None:
            self._warn("TensorBoard: embeddings are not written, whatever embeddings_freq and embeddings_metadata say.")
        if self.write_images and not self.histogram_freq:
            self._warn("TensorBoard: images are written with the histograms; write_images needs histogram_freq too.")


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        raise ValueError(f"{name} must be a whole number >= {least}, got TensorBoard({name}={value!r}).")
    return int(value)


def _frequency(given: int | str) -> int | None:
    """Steps between batch numbers; None where only epochs are written."""
    if isinstance(given, str):
        known: dict[str, int | None] = {"epoch": None, "batch": 1}
        if given not in known:
            raise ValueError(f"{unknown('update_freq', given, known)} A number of steps may be given too.")
        return known[given]
    return _whole("update_freq", given, 1)


def _steps(given: Any) -> tuple[int, int]:
    """The first and the last step to profile."""
    if isinstance(given, str):
        given = [int(one) if one.strip().isdigit() else one for one in given.split(",")]
    pair = list(given) if isinstance(given, (list, tuple)) else [given, given]
    try:
        first, last = (_whole("profile_batch", one, 0) for one in pair)
        if last < first or (first == 0) != (last == 0):
            raise ValueError
    except ValueError:
        raise ValueError(
            "profile_batch must be a step >= 1, a pair (first, last) of such, or 0 for none, got "
            f"TensorBoard(profile_batch={given!r})."
        ) from None
    return first, last
