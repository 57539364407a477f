"""The weights that a net has passed while it was trained: few copies, evenly apart, in bounded memory.

The thread that trains takes them, at safe points, and waits for nobody.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np

from thalweg import config
from thalweg.studio._steering import Refused

_MOST = 48  # copies
_ROOM = 256 << 20  # bytes of all of them
_FEWEST = 4  # copies that are worth having
_LARGEST = 20_000_000  # weights of a net that is copied
_PATIENCE = 3.0  # seconds to wait for the net as it is now


class Copy(NamedTuple):
    """Weights at one place of a fit.

    Attributes:
        epoch: epochs that were done.
        step: steps of the fit that were.
        weights: as ``model.get_weights()`` gives them.

    """

    epoch: int
    step: int
    weights: list[np.ndarray]


class Trail:
    """Copies of a net's weights at the ends of epochs.

    Where there is no room for one more, every second copy is let go and the stride doubles: what is kept stays evenly apart.

    Args:
        most: copies that are kept at most.
        room: bytes of all of them; of a net that is too large for four of them none is kept.

    """

    def __init__(self, most: int = _MOST, room: int = _ROOM) -> None:
        self.most, self.room = most, room
        self._copies: list[Copy] = []
        self._stride, self._begun = 1, 0
        self._asked, self._over, self._size = False, False, 0
        self._now: tuple[Any, Copy] | None = None
        self._new, self._lock = threading.Event(), threading.Lock()

    # -- for the thread that trains ---------------------------------------------------------------

    def begin(self, model: Any, epoch: int) -> None:
        """Keep the weights that a fit starts from."""
        self._begun = int(model.steps_taken)
        self._keep(model, epoch)

    def pass_by(self, model: Any, epoch: int, step: int) -> None:
        """Copy the weights where an epoch has ended, and where somebody asks.

        Args:
            model: that is trained.
            epoch: epochs that are done.
            step: steps of the next one that are.

        """
        if step == 0:
            self._keep(model, epoch)
        if self._asked and self._size <= _LARGEST:
            self._asked = False
            self._take(model, epoch)

    def back_to(self, epoch: int) -> None:
        """The fit has gone back: what came after is no part of it any more."""
        self._copies = [one for one in self._copies if one.epoch <= epoch]

    def stay(self, model: Any, epoch: int) -> None:
        """The fit is over: the net stays as it is."""
        self._over = True
        if self._size <= _LARGEST:
            self._take(model, epoch)

    def _keep(self, model: Any, epoch: int) -> None:
        most = self._most_of(model)
        if most < _FEWEST or any(one.epoch == epoch for one in self._copies):
            return
        first = self._copies[0].epoch if self._copies else epoch
        if (epoch - first) % self._stride:
            return
        if len(self._copies) >= most:
            self._copies, self._stride = self._copies[::2], 2 * self._stride
        if (epoch - first) % self._stride == 0:
            self._copies = [*self._copies, self._copy(model, epoch)]  # a list of its own: others read the one before

    def _take(self, model: Any, epoch: int) -> None:
        copy = self._copy(model, epoch)
        twin = model.twin()  # with the hypers of now, as penalties are part of the loss
        twin.set_weights(copy.weights)
        self._now = (twin, copy)
        self._new.set()

    def _copy(self, model: Any, epoch: int) -> Copy:
        return Copy(epoch, int(model.steps_taken) - self._begun, model.get_weights())

    def _most_of(self, model: Any) -> int:
        self._size = model.count_params()
        return min(self.most, self.room // max(self._size * np.dtype(config.floatx()).itemsize, 1))

    # -- for whoever asks -------------------------------------------------------------------------

    def copies(self) -> list[Copy]:
        """Those that are kept, the first one first."""
        return list(self._copies)

    def ask(self) -> tuple[Any, list[Copy]]:
        """A twin of the net as it is now, of one's own, and the way that it came, its end included.

        Raises:
            Refused: where the fit does not come by, or the net is too large to be copied.

        """
        if self._size > _LARGEST:
            raise Refused(f"The net has {self._size:,} weights: there is a landscape of nets of {_LARGEST:,} at most.")
        with self._lock:
            if not self._over:
                self._new.clear()
                self._asked = True
            if not self._new.wait(_PATIENCE):
                raise Refused("The net is busy: it compiles, or its batches are slow. Try again.")
            assert self._now is not None
            twin, now = self._now
            return twin, [*(one for one in self._copies if one.step < now.step), now]
