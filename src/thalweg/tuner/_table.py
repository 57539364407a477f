"""What a search shows while it runs: a table that is drawn over again, or a plain line a trial."""

from __future__ import annotations

import atexit
import bisect
import io
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from thalweg import _names
from thalweg.callbacks import _screens
from thalweg.callbacks._progress_line import duration
from thalweg.tuner._summary import WIDTH, cause, costs_of, dominates, number, ranked, score_text, seconds_text, settings
from thalweg.tuner._trial import FAILED, RUNNING, Trial

if TYPE_CHECKING:
    from thalweg.tuner._objective import Objective

_VERBOSE = _names.Table("verbose", {"auto": "auto", "0": 0, "1": 1, "2": 2})
_TOP, _LAST, _GROUPS = 5, 3, 4  # rows of each kind that are shown
_PER_SECOND = 5  # drawings in a terminal: one costs 3 ms
_ECHO = 2  # columns left free: where a terminal writes ^C, which in the next row would spoil the picture
_NARROW = 70  # below it the bar has a row of its own, and only what matters most has columns
_NOTEBOOK = 120  # characters in a row of a notebook
_PRE = '<pre style="margin:0;line-height:1.35;white-space:pre">{code}</pre>'

Group = Mapping[str, Any]
"""Trials that train side by side: ``label``, ``trials`` (how many), ``epoch`` (that are done), ``epochs``."""


@dataclass
class Progress:
    """How far a search is: what the screens draw.

    Attributes:
        objectives: what the scores stand for.
        total: trials to come to; None where only the time is bounded.
        deadline: by ``time.monotonic``, when the time budget ends.
        begun: by the same clock.
        before: trials that an earlier session told.
        done: trials told, the earlier ones counted.
        failed: those among them that have no score.
        best: the best trial so far.
        top: the best ones, best first; of several objectives the whole Pareto front.
        last: those told last, the newest first.
        groups: what is training now.
        ended: whether that was all.

    """

    objectives: Sequence[Objective]
    total: int | None = None
    deadline: float | None = None
    begun: float = 0.0
    before: int = 0
    done: int = 0
    failed: int = 0
    best: Trial | None = None
    top: tuple[Trial, ...] = ()
    last: tuple[Trial, ...] = ()
    groups: tuple[Group, ...] = ()
    ended: bool = False
    _front: list[tuple[tuple[float, ...], Trial]] = field(default_factory=list)  # with costs, cheapest first

    def begin(self, trials: Iterable[Trial], now: float) -> None:
        """Start the clock, and count what is known already."""
        for trial in trials:
            if trial.status != RUNNING:
                self.tell(trial)
        self.begun, self.before, self.last = now, self.done, ()

    def tell(self, trial: Trial, best: Trial | None = None) -> None:
        """Count a trial. Tuples are replaced, never changed: another thread may be drawing them."""
        self.done += 1
        self.last = (trial, *self.last[: _LAST - 1])
        if trial.has_score:
            self.top = self._with(trial)
        else:
            self.failed += 1
        self.best = best or (self.top[0] if self.top else None)

    def _with(self, trial: Trial) -> tuple[Trial, ...]:
        if len(self.objectives) == 1:
            return tuple(ranked((*self.top, trial), self.objectives)[:_TOP])
        mine = costs_of(trial, self.objectives)
        if any(dominates(other, mine) for other, _ in self._front):
            return self.top
        kept = [one for one in self._front if not dominates(mine, one[0])]
        bisect.insort(kept, (mine, trial), key=lambda one: one[0])
        self._front = kept
        return tuple(trial for _, trial in kept)

    def end(self) -> None:
        """Nothing trains any more."""
        self.groups, self.ended = (), True

    def left(self, now: float) -> float | None:
        """Seconds to go: by the trials that are done, and at most until the deadline; None where nobody knows yet."""
        if self.ended:
            return None
        bounds = [] if self.deadline is None else [max(self.deadline - now, 0.0)]
        told = self.done - self.before
        if self.total is not None and told:
            bounds.append((now - self.begun) / told * max(self.total - self.done, 0))
        return min(bounds, default=None)

    def part(self, now: float) -> float:
        """Which part of the search is behind us, 0 to 1."""
        if self.total is not None:
            return min(self.done / max(self.total, 1), 1.0)
        if self.deadline is None:
            return 0.0
        return min(max((now - self.begun) / max(self.deadline - self.begun, 1e-9), 0.0), 1.0)


class SearchScreen:
    """What ``tuner.search`` shows; this one shows nothing.

    A context manager: left in whatever way, it leaves the terminal as it was found.

    Args:
        progress: how far the search is.

    Example:
        >>> from thalweg.tuner import Objective
        >>> trial = Trial(0, {'units': 64, 'lr': 0.0031}, 'COMPLETED', [0.975], seconds=0.81)
        >>> with SearchScreen.for_verbose(2, [Objective('val_accuracy', 'max')], total=200) as screen:
        ...     screen.begin(['Search for the highest val_accuracy'])
        ...     screen.told(trial, best=trial)
        ...     screen.end([])
        Search for the highest val_accuracy
        1/200  trial 0  val_accuracy 0.9750 (the best so far)  units=64 lr=0.0031  0.8 s

    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    @staticmethod
    def for_verbose(
        verbose: Any,
        objectives: Sequence[Objective],
        total: int | None,
        deadline: float | None = None,
        console: Console | None = None,
    ) -> SearchScreen:
        """The screen for a verbosity, where this process writes to.

        Args:
            verbose: 0: nothing; 1 or ``'auto'``: a live table in a terminal or notebook, elsewhere plain lines;
                2: plain lines, also one a group of nets.
            objectives: what the scores stand for.
            total: how many trials there will be; None where only the time is bounded. May be set later, as ``total``.
            deadline: by ``time.monotonic``, when the time budget ends.
            console: where to show it; standard output where it is None.

        Raises:
            ValueError: on any other `verbose`.

        """
        wanted = _VERBOSE[str(int(verbose) if isinstance(verbose, bool) else verbose)]
        progress = Progress(objectives, total, deadline)
        if wanted == 0:
            return SearchScreen(progress)
        if wanted != 2 and console is None and _screens._in_notebook():
            return _Notebook(progress)
        if wanted != 2 and (_screens._in_terminal() if console is None else console.is_terminal):
            return _Terminal(progress, console or Console(highlight=False))
        return _Log(progress, console, groups=wanted == 2)

    @property
    def total(self) -> int | None:
        """How many trials there will be, as far as anybody knows; may grow."""
        return self.progress.total

    @total.setter
    def total(self, total: int | None) -> None:
        self.progress.total = total

    @property
    def width(self) -> int:
        """How many characters a summary's line should have."""
        return WIDTH

    def begin(self, title_lines: Iterable[str], trials: Iterable[Trial] = ()) -> None:
        """Start: lines that stay above everything, and the trials of earlier sessions."""
        self.progress.begin(trials, time.monotonic())

    def running(self, groups: Iterable[Group]) -> None:
        """Show what is training now."""
        self.progress.groups = tuple(groups)

    def told(self, trial: Trial, best: Trial | None = None) -> None:
        """Show that a trial has ended, and which is the best one now."""
        self.progress.tell(trial, best)

    def grouped(self, group: Mapping[str, Any]) -> None:
        """Show what a group of nets was and took; where every detail is wanted."""

    def said(self, text: str) -> None:
        """Show a note or a warning, which stays."""

    def end(self, summary_lines: Iterable[str] = ()) -> None:
        """Finish: the lines take the place of the table."""

    def close(self) -> None:
        """Leave everything as it was found; may be called twice."""

    def __enter__(self) -> SearchScreen:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Log(SearchScreen):
    """A plain line a trial."""

    def __init__(self, progress: Progress, console: Console | None, groups: bool = False) -> None:
        super().__init__(progress)
        self._console, self._groups = console, groups

    def begin(self, title_lines: Iterable[str], trials: Iterable[Trial] = ()) -> None:
        super().begin(title_lines, trials)
        self._print(*title_lines)

    def grouped(self, group: Mapping[str, Any]) -> None:
        if self._groups:
            self._print(group_line(group))

    def told(self, trial: Trial, best: Trial | None = None) -> None:
        super().told(trial, best)
        self._print(trial_line(trial, self.progress))

    def said(self, text: str) -> None:
        self._print(text)

    def end(self, summary_lines: Iterable[str] = ()) -> None:
        self._print(*summary_lines)

    def _print(self, *lines: str) -> None:
        file = sys.stdout if self._console is None else self._console.file
        for line in lines:
            print(line, file=file, flush=True)


def group_line(group: Mapping[str, Any]) -> str:
    """A group in one line.

    Example:
        >>> group_line({'nets': 7, 'widths': [64, 32], 'padding': 0.25, 'compiled': 2, 'seconds': 1.5})
        'trained 7 nets side by side, hidden layers padded to 64-32 (25 % of the arithmetic), 2 programs compiled, 1.5 s'

    """
    widths = "-".join(map(str, group["widths"]))
    padded = f", hidden layers padded to {widths} ({group['padding']:.0%} of the arithmetic)".replace("%", " %")
    nets = f"trained {group['nets']} nets side by side" if group["nets"] > 1 else "trained 1 net"
    programs = f"{group['compiled']} program{'' if group['compiled'] == 1 else 's'} compiled"
    return f"{nets}{padded if group['padding'] else ''}, {programs}, {seconds_text(group['seconds'])}"


def trial_line(trial: Trial, progress: Progress) -> str:
    """A trial in one line, for a log: ``12/200  trial 11  val_loss 0.31 (best 0.28 by trial 7)  units=64  0.8 s``."""
    of = "" if progress.total is None else f"/{progress.total}"
    parts = [f"{progress.done}{of}", f"trial {trial.number}", f"{_outcome(trial, progress)}{_beside(trial, progress)}"]
    return "  ".join(part for part in (*parts, settings(trial.values), seconds_text(trial.seconds)) if part)


def _outcome(trial: Trial, progress: Progress) -> str:
    if trial.status == FAILED:
        return f"failed: {cause(trial.message)}"
    scores = trial.scores or []
    return ", ".join(f"{goal.name} {number(s)}" for goal, s in zip(progress.objectives, scores, strict=False))


def _beside(trial: Trial, progress: Progress) -> str:
    """How it stands beside the best one, or to the Pareto front."""
    if len(progress.objectives) > 1:
        on = any(one.number == trial.number for one in progress.top)
        return f" ({'' if on else 'not '}on the front of {len(progress.top)})" if progress.top else ""
    if progress.best is None or progress.best.score is None:
        return ""
    if progress.best.number == trial.number:
        return " (the best so far)"
    return f" (best {number(progress.best.score)} by trial {progress.best.number})"


class _Terminal(SearchScreen):
    """A table that is drawn over again; what others print goes above it."""

    def __init__(self, progress: Progress, console: Console) -> None:
        super().__init__(progress)
        self._console = console
        self._live: Live | None = None

    @property
    def width(self) -> int:
        return self._console.width

    def begin(self, title_lines: Iterable[str], trials: Iterable[Trial] = ()) -> None:
        super().begin(title_lines, trials)
        self._print(*title_lines)
        self._live = Live(
            get_renderable=lambda: Frame(self.progress, time.monotonic()),
            console=self._console,
            refresh_per_second=_PER_SECOND,
            vertical_overflow="crop",
        )
        atexit.register(self.close)  # a cursor that nobody brought back would stay away
        self._live.start(refresh=True)

    def said(self, text: str) -> None:
        self._print(text)

    def end(self, summary_lines: Iterable[str] = ()) -> None:
        if self._live is not None:
            self._live.transient = True
        self.close()
        self._print(*summary_lines)

    def close(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            self.progress.end()
            live.stop()
            atexit.unregister(self.close)

    def _print(self, *lines: str) -> None:
        for line in lines:
            self._console.print(line, markup=False, highlight=False)


class _Notebook(SearchScreen):
    """An output that is replaced in place: notes, the table, and in the end the summary."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._output = _Output(self._bundle)
        self._above: tuple[str, ...] = ()
        self._below: tuple[str, ...] = ()
        self._open = False

    def begin(self, title_lines: Iterable[str], trials: Iterable[Trial] = ()) -> None:
        super().begin(title_lines, trials)
        self._above, self._open = tuple(title_lines), True
        self._output.send()

    def running(self, groups: Iterable[Group]) -> None:
        super().running(groups)
        self._output.send()

    def told(self, trial: Trial, best: Trial | None = None) -> None:
        super().told(trial, best)
        self._output.send()

    def said(self, text: str) -> None:
        self._above = (*self._above, text)
        self._output.send()

    def end(self, summary_lines: Iterable[str] = ()) -> None:
        self._below = tuple(summary_lines)
        self.close()

    def close(self) -> None:
        if self._open:
            self._open = False
            self.progress.end()
            self._output.close()

    def _bundle(self) -> dict[str, str]:
        console = Console(
            file=io.StringIO(), record=True, width=_NOTEBOOK, force_jupyter=False, force_terminal=True, highlight=False
        )
        frame = Frame(self.progress, time.monotonic())
        for part in (*map(Text, self._above), frame, *map(Text, self._below)):
            console.print(part)
        html = console.export_html(code_format=_PRE, inline_styles=True, clear=False)
        return {"text/plain": console.export_text(), "text/html": html}


class _Output(_screens.Notebook):
    """The output of a fit, which sends what it is given."""

    def __init__(self, made: Callable[[], dict[str, str]]) -> None:
        super().__init__()
        self._made = made

    def send(self) -> None:
        """Send it, unless that was done a moment ago."""
        self._send(time.monotonic())

    def close(self) -> None:
        """Send it for the last time."""
        self._send(None)

    def _bundle(self) -> dict[str, str]:
        return self._made()


@dataclass
class Frame:
    """One state of a search as rich draws it, at whatever width.

    Args:
        progress: how far the search is.
        now: by ``time.monotonic``.

    """

    progress: Progress
    now: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - _ECHO, 1)
        narrow = width < _NARROW
        parts: list[RenderableType] = [_heading(self.progress, self.now, narrow)]
        parts += [] if self.progress.best is None else [_best(self.progress, self.progress.best)]
        parts += [_running(self.progress.groups, narrow)] if self.progress.groups else []
        parts += [_rows(self.progress, narrow)] if self.progress.done else []
        for part in parts:
            yield from console.render(part, options.update(width=width))


def _heading(progress: Progress, now: float, narrow: bool) -> Table:
    of = "" if progress.total is None else f"/{progress.total}"
    parts = [(f"{progress.done}{of} trials", "bold")]
    parts += [(f"{progress.failed} failed", "red")] if progress.failed else []
    parts += [(duration(now - progress.begun), "dim")]
    left = progress.left(now)
    parts += [] if left is None else [(f"{duration(left)} left", "dim")]
    counts = Text("  ").join(Text(*part) for part in parts)
    known = progress.total is not None or progress.deadline is not None
    bar = ProgressBar(total=1.0, completed=progress.part(now), pulse=not known)
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(ratio=1)
    if narrow:
        grid.add_row(bar)
        grid.add_row(counts)
    else:
        grid.add_column(no_wrap=True)
        grid.add_row(bar, counts)
    return grid


def _best(progress: Progress, best: Trial) -> Text:
    scores = ", ".join(f"{goal.name} {score_text(best, i)}" for i, goal in enumerate(progress.objectives))
    head = "best" if len(progress.objectives) == 1 else f"front of {len(progress.top)}, best"
    text = Text.assemble((f"{head} {scores}", "bold green"), f" by trial {best.number}  ", overflow="fold")
    return text.append(settings(best.values), "green")


def _running(groups: Sequence[Group], narrow: bool) -> Table:
    """A row a group: what it is, how many trials, how far."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=14 if narrow else 30)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(width=6 if narrow else 12)
    grid.add_column(no_wrap=True)
    for group in groups[:_GROUPS]:
        trials, epoch, epochs = group.get("trials", 1), group.get("epoch") or 0, group.get("epochs")
        count = trials if isinstance(trials, int) else len(trials)
        bar = ProgressBar(total=epochs or 1, completed=epoch if epochs else 0, complete_style="cyan")
        done = f"{'' if narrow else 'epoch '}{epoch}/{epochs}" if epochs else ""
        grid.add_row(Text(str(group.get("label", "")), "cyan"), f"{count}x", bar, Text(done, "dim"))
    if len(groups) > _GROUPS:
        grid.add_row(Text(f"and {len(groups) - _GROUPS} more", "dim"))
    return grid


def _rows(progress: Progress, narrow: bool) -> Table:
    """The best trials and those told last, in the same columns."""
    goals = progress.objectives[:1] if narrow else progress.objectives
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    table.add_column("", style="dim", no_wrap=True)
    table.add_column("trial", justify="right", no_wrap=True)
    for goal in goals:
        table.add_column(goal.name, no_wrap=True, overflow="ellipsis", max_width=12 if narrow else 24, justify="right")
    for name in () if narrow else ("epochs", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("hyperparameters", ratio=1, no_wrap=True, overflow="ellipsis", min_width=5)
    places = [f"{'' if narrow else 'top '}{place}" for place in range(1, _TOP + 1)]
    labelled = [*zip(places, progress.top, strict=False), *zip(["last", "", ""], progress.last, strict=False)]
    for label, trial in labelled:
        table.add_row(label, str(trial.number), *_cells(trial, len(goals), narrow))
    return table


def _cells(trial: Trial, goals: int, narrow: bool) -> list[RenderableType]:
    failed = trial.status == FAILED
    color = "red" if failed else "" if trial.has_score else "yellow"
    text = [number(s) for s in (trial.scores or [])[:goals]] if narrow else [score_text(trial, i) for i in range(goals)]
    scores = ["failed"] + [""] * (goals - 1) if failed else text or [""] * goals
    more = [] if narrow else [str(trial.epochs), seconds_text(trial.seconds)]
    last = cause(trial.message) if failed else settings(trial.values)
    return [*(Text(score, color) for score in scores), *more, Text(last, color)]
