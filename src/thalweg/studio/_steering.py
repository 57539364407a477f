"""What a person may ask of a fit that runs, and the thread that trains doing it: between two chunks of steps."""

from __future__ import annotations

import math
import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from thalweg._names import Table
from thalweg.callbacks._run_record import checkpoint_name

_LONGEST = 2000  # letters of a note


class Refused(ValueError):  # noqa: N818  as of a wish
    """What was asked for cannot be done; the message names the field."""


class Steering:
    """The wishes of people, waiting for the thread that trains.

    Attributes:
        paused: whether the fit waits.
        until: the epoch after which it is to wait again, where somebody asked for one more; else None.

    """

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[tuple[dict[str, Any], Future[Any]]] = queue.SimpleQueue()
        self.begin()
        self.open = False

    def begin(self) -> None:
        """A fit begins, of which nobody has asked anything."""
        self.paused = False
        self.until: int | None = None
        self.after_back: dict[str, float] = {}  # hypers for where the fit comes to be again
        self.open = True

    def ask(self, wish: Mapping[str, Any]) -> Future[Any]:
        """Ask for something; the future holds what came of it, or a :class:`Refused`."""
        asked: Future[Any] = Future()
        if not self.open:
            asked.set_exception(Refused("The fit is over: nothing can be asked of it any more."))
        else:
            self.waiting.put((dict(wish), asked))
        return asked

    def close(self) -> None:
        """Nobody does anything any more; whoever waits is told so."""
        self.open = False
        while not self.waiting.empty():
            self.waiting.get()[1].set_exception(Refused("The fit is over: nothing can be asked of it any more."))

    def look(self, studio: Any, wait: float = 0.0) -> bool:
        """Do what was asked for; whether there was anything."""
        done = False
        while True:
            try:
                wish, asked = self.waiting.get(timeout=wait if wait and not done else 0)
            except queue.Empty:
                return done
            done = True
            try:
                asked.set_result(WISHES[_text("do", wish.get("do"))](studio, wish))
            except Exception as error:  # told to whoever asked; the fit goes on
                asked.set_exception(error if isinstance(error, Refused) else Refused(str(error)))


def number(name: str, given: Any) -> float:
    """A finite number.

    Raises:
        Refused: where it is none.

    """
    try:
        if not isinstance(given, bool) and isinstance(given, (int, float)) and math.isfinite(given):
            return float(given)
    except OverflowError:  # a whole number that is no float
        pass
    raise Refused(f"{name} must be a finite number, got {str(given)[:50]!r}.")


def _text(name: str, given: Any, longest: int = 200) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > longest:
        raise Refused(f"{name} must be a text of at most {longest:,} letters, got {str(given)[:50]!r}.")
    return given


def _turn(studio: Any, wish: Mapping[str, Any]) -> Any:
    path, value = _text("path", wish.get("path")), number("value", wish.get("value"))
    studio.remember(path)
    turn(studio.model, path, value)
    return {"path": path, "value": float(studio.model.hypers[path])}


def turn(model: Any, path: str, value: float) -> None:
    """Turn a hyper.

    Raises:
        Refused: where there is none of that name, or the value is out of its range.

    """
    try:
        model.hypers[path] = value
    except (KeyError, ValueError) as error:
        raise Refused(f"{path}: {error.args[0] if error.args else error}") from None


def _note(studio: Any, wish: Mapping[str, Any]) -> Any:
    session = studio.model.session
    studio.model.history.noted(session.epoch, session.step, _text("text", wish.get("text"), _LONGEST))
    return {}


def _pause(studio: Any, wish: Mapping[str, Any]) -> Any:
    studio.steering.paused = True
    return {}


def _go_on(studio: Any, wish: Mapping[str, Any]) -> Any:
    studio.steering.paused, studio.steering.until = False, None
    return {}


def _one_more(studio: Any, wish: Mapping[str, Any]) -> Any:
    session = studio.model.session
    until = session.epoch + (2 if session.step else 1)  # what is left of an epoch is none
    if session.has_run_all:
        session.asked["epochs"] += 1
    studio.steering.paused, studio.steering.until = False, until
    return {"until": studio.steering.until}


def _stop(studio: Any, wish: Mapping[str, Any]) -> Any:
    studio.steering.paused = False
    studio.model.stop_training = True
    return {}


def _checkpoint(studio: Any, wish: Mapping[str, Any]) -> Any:
    return {"checkpoint": studio.run_folder.checkpoint().name}


def _back(studio: Any, wish: Mapping[str, Any]) -> Any:
    path, session = _known_checkpoint(studio, wish), studio.model.session
    studio.run_folder.go_back(path)
    studio.went = f"gone back here from epoch {session.epoch + 1}, step {session.step}"
    return {"checkpoint": checkpoint_name(path)}


def _branch(studio: Any, wish: Mapping[str, Any]) -> Any:
    path, hypers = _known_checkpoint(studio, wish), wish.get("hypers") or {}
    if not isinstance(hypers, dict):
        raise Refused(f"hypers must be a table of paths and values, got {str(hypers)[:50]!r}.")
    values = {_text("path", name): number(str(name), value) for name, value in hypers.items()}
    twin = studio.model.twin()  # on which it is seen whether they can be had
    for name, value in values.items():
        turn(twin, name, value)
    folder = _next_to(studio.run_folder.folder)
    studio.run_folder.branch(path, folder)
    studio.steering.after_back = values
    studio.branched()
    return {"run": folder.name}


def _known_checkpoint(studio: Any, wish: Mapping[str, Any]) -> Path:
    name = _text("checkpoint", wish.get("checkpoint"))
    known = {checkpoint_name(path): path for path in studio.run_folder.checkpoints()}
    if name not in known:
        raise Refused(f"checkpoint: this run has none of the name {name!r}; it has {', '.join(known) or 'none'}.")
    return known[name]


def _next_to(folder: Path) -> Path:
    """The first free name of a branch."""
    stem = folder.name.rpartition("-branch-")[0] or folder.name
    return next(path for i in range(1, 10_000) if not (path := folder.with_name(f"{stem}-branch-{i}")).exists())


WISHES: Mapping[str, Callable[[Any, Mapping[str, Any]], Any]] = Table(
    "wish",
    {
        "turn": _turn,
        "note": _note,
        "pause": _pause,
        "go on": _go_on,
        "one more epoch": _one_more,
        "stop": _stop,
        "checkpoint": _checkpoint,
        "go back": _back,
        "branch": _branch,
    },
)
"""What may be asked for, and what it does: a function of the :class:`Studio` and of the wish."""
