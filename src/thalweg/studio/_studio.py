"""Studio: a live page about a fit, with knobs that reach it while it trains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from thalweg import callbacks
from thalweg.callbacks._run_record import Lines, checkpoint_name
from thalweg.studio._ground import Ground, ground_of
from thalweg.studio._live import Live
from thalweg.studio._net import Mirror
from thalweg.studio._recorded import said_in, take
from thalweg.studio._rows import Again, Sample, rows_of_fit
from thalweg.studio._server import Server
from thalweg.studio._steering import Refused, Steering, turn
from thalweg.studio._trail import Trail

_LAST_WORDS = 1.0  # seconds in which pages are told how it ended, before the process may be gone
_DRAGGED = 5.0  # seconds within which another turn of the same knob belongs to the one before
_LIGHT = 5_000_000  # weights of a net that a checkpoint is kept of before a knob is turned
_PAUSE = 0.05  # seconds between looks at what is asked for, while a fit waits


class Studio(callbacks.Callback):
    """Shows a fit on a local web page while it runs, and lets a person turn its hypers, pause it, go back and branch off.

    The page lies on this machine alone, behind a link with a token, which is printed when the fit begins. Curves grow there about ten
    times a second; a knob reaches the net with the next chunk of steps. What was turned is on the fit's record
    (``history.changes``, a line in ``history.jsonl``), and the page gives a script that repeats the fit bit for bit. Checkpoints,
    going back and branches need a run folder: ``fit(run='runs/first')``.

    Args:
        runs: the folder whose runs the page lists beside this one.
        port: of the page; 0: a free one.
        tell: is handed the line with the link, as ``print``; None: nobody is told.
        again: makes the rows of other runs again, so that their nets can be looked into: from a run's folder to its best net,
            ``(x, y)`` that it learnt from, and those that it was validated on or None. None: of other runs the records alone are
            shown. ``thalweg train``, ``tune`` and ``coach`` have one for the runs of ``thalweg train``.

    Attributes:
        link: to the page, once a fit has begun.

    Raises:
        ImportError: where the extra ``studio`` is missing, when the fit begins.
        OSError: where the port is taken.
        TypeError: in the fit of a population.

    Example:
        >>> from thalweg.studio import Studio
        >>> # model.fit(x, y, epochs=100, run='runs/first', callbacks=[Studio()])

    """

    comes_last: ClassVar[bool] = True
    of_searches: ClassVar[bool] = True

    def __init__(
        self,
        runs: str | Path = "runs",
        port: int = 0,
        tell: Callable[[str], Any] | None = print,
        again: Again | None = None,
    ) -> None:
        self.runs, self.port, self.tell, self.again = Path(runs), port, tell, again
        self.live, self.steering = Live(), Steering()
        self.run_folder: Any = _NoFolder()
        self.link = ""
        self._server: Server | None = None
        self._lines = Lines({})
        self.mirror: Any = None
        self.rows: Sample | None = None
        self.trail = Trail()
        self._epoch, self._anew = 0, False
        self.went = ""  # words for where the fit has gone back from
        self._turned = ("", -math.inf)  # the hyper that was turned last, and when

    # -- what the fit says -----------------------------------------------------------------------

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the page."""
        session = self.model.session
        if hasattr(self.model, "models"):
            raise TypeError(
                "Studio shows one net while it trains; a population has many. Give one of its nets a fit of its own."
            )
        found = [one for one in session.callbacks if isinstance(one, callbacks.RunFolder)]
        self.run_folder = found[0] if found else _NoFolder()
        self._lines = Lines({None: self.model.history}, whole=True)
        self.rows = rows_of_fit(session)
        self.mirror = Mirror(
            self.model, self.sample, self.rows, lambda: self.live.readers, lambda: self.live.all_of("epochs")
        )
        self.trail = Trail()
        if session.resumed is None:  # else its weights come yet
            self.trail.begin(self.model, session.epoch)
        self._server = Server.of_process(self.runs, self.port, self.again)
        self.steering.begin()
        self.live.begin_anew()  # one that was handed to a fit before shows this one
        self._tell_all("running")
        self._server.show(self)
        self.link = self._server.link_to(self)
        if self.tell is not None:
            self.tell(f"studio: {self.link}")

    def on_search_begin(self, folder: Path) -> None:
        """Open the page of a study, or of a coach; it is read from its folder."""
        server = Server.of_process(self.runs, self.port, self.again)
        self.link = f"{server.link}#{server.house.place_of(folder)}"
        if self.tell is not None:
            self.tell(f"studio: {self.link}")

    @property
    def name(self) -> str:
        """Of the run, by which the page knows it."""
        folder = self.run_folder.folder
        return "this fit" if folder is None else str(folder)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Where it is."""
        self._epoch = epoch
        self.live.say(epoch=epoch, step=0)

    def on_progress(self, step: int, logs: Any = None) -> None:
        """The running numbers."""
        self._catch_up()
        self.live.point(self._epoch, step, logs or {})
        self.live.say(step=step, hypers=dict(self.model.hypers))
        self._grow()

    def on_safe_point(self, epoch: int, step: int, last: bool = False) -> None:
        """What has happened; while somebody has the fit pause, it waits here."""
        self._catch_up()
        if self.went and self.model.session.back is None:
            self.model.history.noted(epoch, step, self.went)
            self.went = ""
        self._grow()
        self.mirror.pass_by(self.model)
        self.trail.pass_by(self.model, epoch, step)
        if step == 0:
            self._list()
        if step == 0 and self.steering.until is not None and epoch >= self.steering.until:
            self.steering.paused, self.steering.until = True, None
        session = self.model.session
        if not last and self.steering.look(self):
            self._list()
        if self.steering.paused and not last:
            begun = time.monotonic()
            self._tell_all("paused")
            while self.steering.paused and session.back is None and not self._is_to_end(session):
                self.mirror.pass_by(self.model, rests=True)
                self.trail.pass_by(self.model, epoch, step)
                if self.steering.look(self, _PAUSE):
                    self._grow()
                    self.live.say(hypers=dict(self.model.hypers))
                    self._list()
            self.model.history.waited(time.monotonic() - begun)
            self._tell_all("running")

    def set_state(self, state: Mapping[str, Any]) -> None:
        """The fit has gone back, or goes on: from here on everything is told anew."""
        for path, value in self.steering.after_back.items():
            turn(self.model, path, value)
        self.steering.after_back = {}
        self.trail.back_to(self.model.session.epoch)
        self._anew = True

    def on_train_end(self, logs: Any = None) -> None:
        """The fit is over; the page stays as long as the process."""
        self._grow()
        self._tell_all(self.model.session.outcome)
        self.steering.close()
        self.mirror.stay(self.model)
        self.trail.stay(self.model, self.model.session.epoch)
        self.live.wait_for_readers(_LAST_WORDS)

    def close(self) -> None:
        """Nothing can be asked any more."""
        if self.live.now.get("status") in ("running", "paused"):
            self.live.say(status="failed")
        self.steering.close()

    def branched(self) -> None:
        """The fit is another run now."""
        if self._server is not None:
            self._server.show(self)

    def look(self) -> Any:
        """Into the net, as it was a moment ago."""
        return self.mirror

    def sample(self) -> Sample:
        """Some of the rows that the net learns from.

        Raises:
            Refused: where they come from a stream.

        """
        if self.rows is None:
            raise Refused(
                "This fit reads its rows from a stream, which cannot be read twice: fit(x, y) on arrays shows them."
            )
        return self.rows

    def ground(self) -> Ground:
        """What the landscape of the fit is made of, as it was a moment ago.

        Raises:
            Refused: where the rows come from a stream, or the fit does not come by.

        """
        sample = self.sample()
        model, copies = self.trail.ask()
        more = "A place is kept after each epoch of a net of less than 64 MB."
        return ground_of(model, sample, [(one.step, one.weights) for one in copies], more)

    def remember(self, path: str) -> None:
        """Keep a checkpoint before a hyper is turned, so that this can be undone; one that is dragged along is turned once.

        Args:
            path: of the hyper.

        """
        before, self._turned = self._turned, (path, time.monotonic())
        dragged = before[0] == path and self._turned[1] - before[1] < _DRAGGED
        if self.run_folder.folder is not None and not dragged and self.model.count_params() <= _LIGHT:
            self.run_folder.checkpoint(stays=False)

    # -- how --------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """After the history has been cut back."""
        if self._anew:
            self._anew = False
            self.live.begin_anew()
            self._lines = Lines({None: self.model.history}, whole=True)
            self._tell_all("running")

    def _grow(self) -> None:
        take(self.live, self._lines.events())

    def _list(self) -> None:
        """Checkpoints that there are."""
        if self.run_folder.folder is not None:
            self.live.say(checkpoints=[checkpoint_name(path) for path in self.run_folder.checkpoints()])

    def _tell_all(self, status: str) -> None:
        session, hypers = self.model.session, dict(self.model.hypers)
        folder = self.run_folder.folder
        known = {} if folder is None else said_in(Path(folder), epochs=False)[0]
        self.live.say(
            **{
                **known,
                "status": status,
                "steered": status in ("running", "paused"),
                "name": self.name,
                "epoch": session.epoch,
                "step": session.step,
                "epochs": session.asked["epochs"],
                "steps": session.feed.steps,
                "hypers": hypers,
                "ranges": {path: list(ends) for path, ends in self.model.hypers.ranges().items()},
                "parameters": self.model.count_params(),
                "picture": None if self.mirror is None else self.mirror.picture,
                "at": time.time(),
            }
        )

    @staticmethod
    def _is_to_end(session: Any) -> bool:
        return session.interrupts is not None and session.interrupts.asked is not None


class _NoFolder:
    """In the place of a run folder where the fit has none."""

    folder = None

    def __getattr__(self, name: str) -> Any:
        raise Refused("This fit keeps no folder, so there are no checkpoints: fit(run='runs/first') keeps one.")
