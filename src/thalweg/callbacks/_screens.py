"""Where progress is shown: nowhere, as plain lines, in a terminal, in a notebook."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from typing import Any, Protocol, TextIO

from thalweg.callbacks._progress_line import Line, ansi, log_line, markup, rich_line, unmarked

_NARROW = 80  # where a terminal does not tell its width
_NOTEBOOK = 120
_BLOCK = 40  # finished lines in one output of a notebook: what every update sends again
_STYLE = "margin:0;line-height:1.35;white-space:pre"


class Screen(Protocol):
    """Shows progress."""

    live: bool

    def show(self, line: Line) -> None:
        """Show a state that the next one replaces."""

    def finish(self, line: Line) -> None:
        """Show the state that stays."""

    def close(self) -> None:
        """Leave everything as it was found; may be called twice."""


def screen_for(verbose: Any) -> Screen:
    """The screen for a verbosity, where this process writes to."""
    if verbose == 0:
        return Dark()
    if verbose == 2:
        return Log()
    if _in_notebook():
        return Notebook()
    return Terminal() if _in_terminal() else Log()


def _in_notebook() -> bool:
    """Whether an IPython kernel runs this; IPython is not imported for it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


def _in_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


class Dark:
    """Shows nothing."""

    live = False

    def show(self, line: Line) -> None:
        """Nothing."""

    def finish(self, line: Line) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Log(Dark):
    """A plain line where an epoch ends."""

    def finish(self, line: Line) -> None:
        """Print it."""
        print(log_line(line), flush=True)


class Terminal:
    """A line that is drawn over again. What others print meanwhile goes above it."""

    live = True

    def __init__(self) -> None:
        self._out = sys.stdout
        self._paint = unmarked if os.environ.get("NO_COLOR") else ansi
        self._glyphs = _glyphs(self._out)
        self._lock = threading.RLock()
        self._drawn = False  # whether the cursor stands behind our line
        self._midline = False  # whether it stands behind somebody's unfinished line
        streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}
        self._guards = [(name, _Guard(found, self)) for name, found in streams.items() if found and found.isatty()]
        for name, guard in self._guards:
            setattr(sys, name, guard)
        if os.name == "nt":
            os.system("")  # an old console obeys escape sequences only after this

    def show(self, line: Line) -> None:
        """Draw it."""
        self._draw(line, "")

    def finish(self, line: Line) -> None:
        """Draw it for good."""
        self._draw(line, "\n")

    def close(self) -> None:
        """Leave the line as it is, and hand standard output and error back."""
        with self._lock:
            if self._drawn:
                self._out.write("\n")
                self._out.flush()
                self._drawn = False
            for name, guard in self._guards:
                if getattr(sys, name) is guard:  # somebody may have put another one in its place
                    setattr(sys, name, guard.stream)

    def _draw(self, line: Line, end: str) -> None:
        with self._lock:
            text = rich_line(line, self._width() - 1, self._paint, self._glyphs)
            text = text.replace("\n", "\x1b[K\n")  # clear what the line before left behind
            self._out.write(("\n" if self._midline else "\r") + f"{text}\x1b[K{end}")
            self._out.flush()
            self._drawn, self._midline = not end, False

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._out.fileno()).columns or _NARROW
        except (OSError, ValueError):
            return _NARROW

    def write_above(self, stream: TextIO, text: str) -> int:
        """Write somebody's text where our line is; the line comes back with the next update."""
        with self._lock:
            if self._drawn and text:
                self._out.write("\r\x1b[K")
                self._out.flush()
                self._drawn = False
            if text:
                self._midline = not text.endswith("\n")
            return stream.write(text)


class _Guard:
    """Stands for standard output or error while a line is drawn; all but writing is the stream's own."""

    def __init__(self, stream: TextIO, screen: Terminal) -> None:
        self.stream = stream
        self._screen = screen

    def write(self, text: str) -> int:
        """Write above the line."""
        return self._screen.write_above(self.stream, text)

    def writelines(self, lines: Any) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _glyphs(stream: TextIO) -> str:
    try:
        "━".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "=-"
    return "━━"


class Notebook:
    """An output that is replaced in place; finished epochs stay above the running one."""

    live = True

    def __init__(self, interval: float = 0.1) -> None:
        self._interval = interval
        self._sent = -interval
        self._done: list[Line] = []
        self._running: Line | None = None
        self._handle: Any = None

    def show(self, line: Line) -> None:
        """Show it below the finished ones."""
        self._running = line
        self._send(time.monotonic())

    def finish(self, line: Line) -> None:
        """Add it to the finished ones."""
        self._running = None
        self._done.append(line)
        if len(self._done) < _BLOCK:
            self._send(time.monotonic())
        else:
            self.close()
            self._done, self._handle = [], None

    def close(self) -> None:
        """Send what has not been sent."""
        if self._done or self._running:
            self._send(None)

    def _send(self, now: float | None) -> None:
        if now is not None and now - self._sent < self._interval:
            return
        self._sent = now or time.monotonic()
        bundle = self._bundle()
        if self._handle is None:
            display = importlib.import_module("IPython.display").display  # the kernel has long imported it
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def _bundle(self) -> dict[str, str]:
        lines = [*self._done, *([self._running] if self._running else [])]
        text, marked = (
            "\n".join(rich_line(line, _NOTEBOOK, paint, "━━") for line in lines) for paint in (unmarked, markup)
        )
        return {"text/plain": text, "text/html": f'<pre style="{_STYLE}">{marked}</pre>'}
