"""Sources of batches: generators, Keras-style sequences, data loaders; read ahead by threads."""

from __future__ import annotations

import itertools
import queue
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

from thalweg.data._rows import DataError, DataWarning, Rows


class PyDataset:
    """Batches by number, as in Keras: define ``__len__`` and ``__getitem__``.

    Args:
        workers: threads that fetch batches; what fit is given wins.
        use_multiprocessing: taken for Keras's sake; threads are used.
        max_queue_size: batches that are fetched ahead.

    Example:
        >>> import numpy as np, thalweg
        >>> class Halves(thalweg.utils.PyDataset):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, index):
        ...         return np.ones((4, 3)) * index, np.ones((4, 1))
        >>> model = thalweg.Sequential([thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> len(model.fit(Halves(), epochs=2, verbose=0).epoch)
        2

    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__, how many batches it has.")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__, which gives a batch.")

    @property
    def num_batches(self) -> int:
        """How many batches there are."""
        return len(self)

    def on_epoch_end(self) -> None:
        """Called after each pass."""


Sequence = PyDataset


class Stream:
    """Batches one after the other, each turned into rows and checked.

    Args:
        source: an iterator, an iterable, or something with ``__len__`` and ``__getitem__``.
        convert: (batch, what to call it) -> rows.
        what: who reads, for messages.

    Attributes:
        length: batches a pass, where the source tells.
        restarts: whether a pass can be made again.
        check: called with each batch's rows and what to call it.

    """

    def __init__(self, source: Any, convert: Callable[[Any, str], Rows], what: str) -> None:
        self.source, self.convert, self.what = source, convert, what
        self.indexed = (
            hasattr(source, "__getitem__") and hasattr(source, "__len__") and not isinstance(source, Iterator)
        )
        self.restarts = not isinstance(source, Iterator)
        self.length = _length(source)
        self.check: Callable[[Rows, str], None] = lambda rows, place: None
        self.workers = 1
        self._pass: Iterator[Any] | None = None
        self._given = 0  # batches of this pass
        self._from = 0  # where a pass of an indexed source goes on, after batches that were left out
        self._between = True  # passes: the next batch is a first one
        self._first: Rows | None = None
        self._waiting: deque[Rows] = deque()
        if getattr(source, "num_workers", 0) and not getattr(source, "multiprocessing_context", None):
            warnings.warn(
                f"{type(source).__name__} starts {source.num_workers} processes by fork beside JAX's threads, which can "
                "lock up: give it multiprocessing_context='spawn'.",
                DataWarning,
                stacklevel=2,
            )

    def epoch(self, steps: int | None = None, skip: int = 0) -> Iterator[Rows]:
        """The next `steps` batches, or those up to the end of the pass where it is None, without the first `skip`.

        With `steps`, a source that can start again does so in the middle of an epoch, and the next
        epoch goes on where this one stopped.
        """
        given = 0
        if steps is not None and skip and self._skips():
            given = min(skip, steps)
            self._forward(given)
        while steps is None or given < steps:
            rows = self._drop() if given < skip else self._next()
            if rows is None:
                if steps is None or not self.restarts or self._given == 0:
                    self._pass = None if self.restarts else self._pass
                    return
                self._pass = None
                continue
            given += 1
            if given > skip:
                yield rows
        if steps is not None and self.length is not None and self._given >= self.length:
            self._end_pass()

    def pass_over(self, epochs: int, steps: int | None = None) -> None:
        """Leave out what `epochs` epochs of `steps` batches read, as if they had been read.

        An indexed source is told of the ends of its passes and fetches nothing. An iterator with a method
        ``skip(batches)`` is asked to; of any other source the batches are drawn and dropped.
        """
        if steps is not None and self._skips():
            self._forward(epochs * steps)
            return
        for _ in range(epochs):
            for _ in self.epoch(steps, skip=sys.maxsize):
                pass

    def _skips(self) -> bool:
        """Whether the source leaves batches out itself; a data set's ``skip`` gives another one instead."""
        return not self.restarts and callable(getattr(self.source, "skip", None))

    def _forward(self, batches: int) -> None:
        while self._waiting and batches:
            self._drop()
            batches -= 1
        if batches:
            self.source.skip(batches)
            self._given += batches

    def peek(self) -> Rows:
        """The next batch, which stays the next."""
        rows = self._next()
        if rows is None:
            raise DataError(f"{self.what} got no batch: the data are empty, or a generator that has ended.")
        self._waiting.append(rows)
        self._given -= 1
        return rows

    def _next(self) -> Rows | None:
        if self._waiting:
            self._given += 1
            return self._waiting.popleft()
        batch = self._raw()
        if batch is None:
            return None
        rows = self._checked(batch)
        self._given += 1
        return rows

    def _drop(self) -> Any:
        """Leave one batch out; None where the pass has no more."""
        if self._waiting:
            self._waiting.popleft()
        elif self.indexed:
            self._given = 0 if self._between else self._given
            self._between = False
            if self._given >= len(self.source):
                self._end_pass()
                return None
        elif self._raw() is None:
            return None
        self._given += 1
        if self.indexed:
            self._pass, self._from = None, self._given
        return True

    def _raw(self) -> Any:
        """The next batch as the source gives it, or None where the pass has no more."""
        if self._pass is None:
            self._pass, self._given, self._from = self._start(), self._from, 0
            self._between = False
        try:
            return next(self._pass)
        except StopIteration:
            self._end_pass()
            return None
        except DataError:
            raise
        except Exception as error:
            raise DataError(
                f"{self.what}: batch {self._given} raised {type(error).__name__}: {error}. The batches before it were used."
            ) from error

    def _end_pass(self) -> None:
        if self.restarts:
            self._pass, self._from, self._between = None, 0, True
            if self._given and callable(getattr(self.source, "on_epoch_end", None)):
                self.source.on_epoch_end()

    def _start(self) -> Iterator[Any]:
        if not self.indexed:
            return iter(self.source)
        numbers = range(self._from, len(self.source))
        if self.workers <= 1:
            return map(self.source.__getitem__, numbers)
        return _in_parallel(self.source.__getitem__, numbers, self.workers)

    def _checked(self, batch: Any) -> Rows:
        place = f"{self.what}, batch {self._given}"
        rows = self.convert(batch, place)
        first = self._first = self._first or rows
        for argument in ("x", "y", "weight"):
            mine, theirs = ([array.shape[1:] for array in getattr(one, argument)] for one in (rows, first))
            if mine != theirs:
                raise DataError(
                    f"{place}: {argument} has rows of shape {mine}, the first batch had {theirs}. "
                    "Only the number of rows may change from batch to batch."
                )
        self.check(rows, place)
        return rows


def peek(stream: Stream) -> Rows:
    """The first rows of a stream, which it gives again."""
    return stream.peek()


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        return None


def _in_parallel(fetch: Callable[[int], Any], numbers: range, workers: int) -> Iterator[Any]:
    """fetch(i) for all numbers, in order, some ahead."""
    with ThreadPoolExecutor(workers) as pool:
        ahead = deque(pool.submit(fetch, i) for i in itertools.islice(numbers, 2 * workers))
        rest = iter(numbers[2 * workers :])
        while ahead:
            done = ahead.popleft()
            for i in itertools.islice(rest, 1):
                ahead.append(pool.submit(fetch, i))
            yield done.result()


class prefetch(AbstractContextManager[Iterator[Rows]]):  # noqa: N801
    """Reads an iterator ahead in a thread, until the ``with`` block ends.

    Args:
        iterator: what to read.
        size: how many items are kept ready.

    """

    def __init__(self, iterator: Iterator[Rows], size: int = 10) -> None:
        self._iterator = iterator
        self._ready: queue.Queue[Any] = queue.Queue(max(size, 1))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="thalweg-prefetch", daemon=True)

    def __enter__(self) -> Iterator[Rows]:
        self._thread.start()
        return self._items()

    def __exit__(self, *error: Any) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            self._drain()
            self._thread.join(0.05)

    def _read(self) -> None:
        try:
            for item in self._iterator:
                if not self._put((item, None)):
                    return
            self._put((None, None))
        except BaseException as error:  # handed to the reader, who raises it
            self._put((None, error))

    def _put(self, entry: Any) -> bool:
        while not self._stopped.is_set():
            try:
                self._ready.put(entry, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def _items(self) -> Iterator[Rows]:
        while True:
            item, error = self._ready.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item

    def _drain(self) -> None:
        while True:
            try:
                self._ready.get_nowait()
            except queue.Empty:
                return
