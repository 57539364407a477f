"""What a search shows: plain lines in a file, a live table in a terminal and in a notebook."""

from __future__ import annotations

import fcntl
import io
import math
import os
import re
import struct
import sys
import termios
import threading
import time
import types

import pytest
from rich.console import Console

from thalweg.tuner import _table as module
from thalweg.tuner._objective import Objective
from thalweg.tuner._table import Frame, Progress, SearchScreen, trial_line
from thalweg.tuner._trial import Trial

ACCURACY, WEIGHTS = Objective("val_accuracy"), Objective("weights", "min")
VALUES = {"units": 64, "lr": 0.0031}
GROUP = {"label": "64-128-10", "trials": 4, "epoch": 5, "epochs": 20}


def done(n, *scores, **more):
    return Trial(n, more.pop("values", VALUES), "COMPLETED", list(scores), **{"epochs": 3, "seconds": 0.81, **more})


def failed(n):
    return Trial(n, VALUES, "FAILED", message="Traceback\nValueError: no\n", seconds=0.1)


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when told to."""
    now = types.SimpleNamespace(value=100.0)
    monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: now.value))
    return now


def drawn(progress, now, width=80, height=40):
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    console.print(Frame(progress, now))
    return [line.rstrip() for line in console.file.getvalue().split("\n")][:-1]


# plain lines


def test_a_file_gets_one_plain_line_a_trial(capsys):
    screen = SearchScreen.for_verbose("auto", [ACCURACY], total=200)
    screen.begin(["Random search"])
    best = done(7, 0.975)
    screen.told(best, best)
    screen.running([GROUP])
    screen.told(done(11, 0.9722), best)
    screen.said("Warning: mind")
    screen.told(failed(12), best)
    screen.told(done(13, math.nan), best)
    screen.end(["3 trials"])
    screen.close()
    assert capsys.readouterr() == (
        "Random search\n"
        "1/200  trial 7  val_accuracy 0.9750 (the best so far)  units=64 lr=0.0031  0.8 s\n"
        "2/200  trial 11  val_accuracy 0.9722 (best 0.9750 by trial 7)  units=64 lr=0.0031  0.8 s\n"
        "Warning: mind\n"
        "3/200  trial 12  failed: ValueError: no (best 0.9750 by trial 7)  units=64 lr=0.0031  0.1 s\n"
        "4/200  trial 13  val_accuracy nan (best 0.9750 by trial 7)  units=64 lr=0.0031  0.8 s\n"
        "3 trials\n",
        "",
    )


def test_lines_say_how_a_trial_stands_to_the_front():
    progress = Progress([ACCURACY, WEIGHTS])
    for trial, line in [
        (done(0, 0.9, 500.0), "1  trial 0  val_accuracy 0.9000, weights 500 (on the front of 1)"),
        (done(1, 0.8, 100.0), "2  trial 1  val_accuracy 0.8000, weights 100 (on the front of 2)"),
        (done(2, 0.7, 200.0), "3  trial 2  val_accuracy 0.7000, weights 200 (not on the front of 2)"),
        (done(3, 0.95, 100.0), "4  trial 3  val_accuracy 0.9500, weights 100 (on the front of 1)"),
    ]:
        progress.tell(trial)
        assert trial_line(trial, progress).startswith(line + "  units")
    progress.tell(failed(4))
    assert "failed: ValueError: no (not on the front of 1)" in trial_line(failed(4), progress)
    nobody = Progress([ACCURACY])
    nobody.tell(failed(0))
    assert trial_line(failed(0), nobody).startswith("1  trial 0  failed: ValueError: no  units=64")


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (False, 0), (1, 1), (True, 1), (2, 1), ("auto", 1)])
def test_verbosities(verbose, lines, capsys):
    with SearchScreen.for_verbose(verbose, [ACCURACY], 3) as screen:
        screen.begin([])
        screen.said("") if not lines else None
        screen.told(done(0, 0.5))
        screen.end()
    assert capsys.readouterr().out.count("\n") == lines


@pytest.mark.parametrize("wrong", [3, "loud", None, -1])
def test_an_unknown_verbosity_is_told(wrong):
    with pytest.raises(ValueError, match="Unknown verbose"):
        SearchScreen.for_verbose(wrong, [ACCURACY], 3)


def test_lines_go_where_the_console_writes():
    console = Console(file=io.StringIO(), force_terminal=True)
    screen = SearchScreen.for_verbose(2, [ACCURACY], 3, console=console)
    screen.begin(["[bold]title[/] " + "x" * 200])
    assert console.file.getvalue() == "[bold]title[/] " + "x" * 200 + "\n"  # neither marked up nor folded


def test_the_total_may_grow(capsys):
    screen = SearchScreen.for_verbose(2, [ACCURACY], None)
    screen.begin([])
    screen.told(done(0, 0.5))
    assert screen.total is None
    screen.total = 8
    screen.told(done(1, 0.5))
    assert re.findall(r"^\S+", capsys.readouterr().out, re.M) == ["1", "2/8"]


# how far


def test_the_time_left_is_estimated_from_the_trials_of_this_session():
    progress = Progress([ACCURACY], total=20)
    progress.begin([*(done(n, 0.5) for n in range(10)), Trial(10, {})], now=100.0)
    assert progress.left(105.0) is None and progress.part(105.0) == 0.5 and progress.best.number == 0
    for n in range(10, 12):
        progress.tell(done(n, 0.5))
    assert progress.left(110.0) == 40.0
    progress.deadline = 130.0
    assert progress.left(110.0) == 20.0
    progress.total = None
    assert progress.left(120.0) == 10.0 and progress.part(115.0) == 0.5 and progress.part(500.0) == 1.0
    assert progress.left(500.0) == 0.0
    progress.deadline = None
    assert progress.left(110.0) is None and progress.part(110.0) == 0.0


def test_the_top_is_kept_in_order():
    progress = Progress([Objective("val_loss")], total=20)
    for n, score in enumerate([0.5, 0.1, math.nan, 0.3, 0.2, 0.9, 0.05, 0.4]):
        progress.tell(done(n, score))
    assert [trial.number for trial in progress.top] == [6, 1, 4, 3, 7] and progress.failed == 1
    assert [trial.number for trial in progress.last] == [7, 6, 5] and progress.best.number == 6


# the table


def test_the_table_in_full():
    progress = Progress([ACCURACY], total=40)
    progress.begin([], 100.0)
    for trial in (done(0, 0.9), failed(1), done(2, 0.9722, errors=[0.002]), done(3, math.nan)):
        progress.tell(trial)
    progress.groups = (GROUP, {"label": "a child", "trials": [1, 2]})
    rows = drawn(progress, 110.0, 90)
    assert re.fullmatch(r"━+[╺╸ ━]+  4/40 trials  2 failed  10s  1:30 left", rows[0])
    assert rows[1:] == [
        "best val_accuracy 0.9722 ± 0.0020 by trial 2  units=64 lr=0.0031",
        "64-128-10  4x  ━━━           epoch 5/20",  # without colours a bar is what is done
        "a child    2x",
        "       trial     val_accuracy  epochs   time  hyperparameters",
        "top 1      2  0.9722 ± 0.0020       3  0.8 s  units=64 lr=0.0031",
        "top 2      0           0.9000       3  0.8 s  units=64 lr=0.0031",
        "last       3              nan       3  0.8 s  units=64 lr=0.0031",
        "           2  0.9722 ± 0.0020       3  0.8 s  units=64 lr=0.0031",
        "           1           failed       0  0.1 s  ValueError: no",
    ]


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80, 200])
def test_the_table_fits_its_width(width):
    long = {f"a_rather_long_name_{i}": 0.123456 for i in range(12)}
    for goals in ([ACCURACY], [Objective("val_sparse_categorical_accuracy"), WEIGHTS, Objective("val_loss")]):
        progress = Progress(goals, total=40)
        progress.begin([], 100.0)
        for n in range(8):
            progress.tell(done(n, *[0.5 + n] * len(goals), values=long, errors=[0.25] * len(goals)))
            progress.tell(failed(n + 8))
        progress.groups = ({**GROUP, "label": "64-128-256-512-1024-10, batch 32, adam"},) * 9
        rows = drawn(progress, 110.0, width)
        assert max(map(len, rows)) <= width - 2 and len(rows) < 90
        if width >= 40:
            text = "\n".join(rows)
            assert "16/40 trials  8 failed" in text and "5/20" in text and "and 5 more" in text


def test_before_anything_is_known_there_is_a_bar():
    progress = Progress([ACCURACY])
    progress.begin([], 100.0)
    assert len(drawn(progress, 100.0)) == 1 and "0 trials  0s" in drawn(progress, 100.0)[0]


def test_markup_in_names_is_text():
    progress = Progress([ACCURACY], 3)
    progress.tell(done(0, 0.5, values={"a": "[red]x[/red]"}))
    progress.groups = ({**GROUP, "label": "[bold]b"},)
    text = "\n".join(drawn(progress, 1.0))
    assert "a=[red]x[/red]" in text and "[bold]b" in text


def test_a_told_trial_costs_little():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with SearchScreen.for_verbose(1, [ACCURACY, WEIGHTS], 2000, console=console) as screen:
        screen.begin([])
        trials = [done(n, float(n % 97), float(n % 89)) for n in range(2000)]
        begun = time.process_time()
        for trial in trials:
            screen.told(trial, trial)
        assert (time.process_time() - begun) / 2000 < 1e-3
        screen.end()


# a terminal


def sized(fd, columns, rows=24):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Tty:
    """A pseudo-terminal in the place of standard output and error, and a thread that reads what comes."""

    def __init__(self, monkeypatch, columns):
        self.master, slave = os.openpty()
        sized(slave, columns)
        self.out = os.fdopen(slave, "w", encoding="utf-8")
        self.columns, self._read = columns, []
        monkeypatch.setattr(sys, "stdout", self.out)
        monkeypatch.setattr(sys, "stderr", self.out)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))  # rich asks the process's own terminal, which this is not
        monkeypatch.delenv("NO_COLOR", raising=False)
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self):
        try:
            while chunk := os.read(self.master, 65536):
                self._read.append(chunk)
        except OSError:
            pass  # Linux says so where the other end is closed

    def close(self):
        self.out.close()
        self._thread.join(10)
        os.close(self.master)
        self.raw = b"".join(self._read).decode()
        return [row for row in screen_of(self.raw, self.columns) if row]


def search(interrupt_at=None):
    with SearchScreen.for_verbose("auto", [ACCURACY], 4) as screen:
        screen.begin(["Random search"])
        for n in range(4):
            screen.running([GROUP])
            time.sleep(0.25)
            screen.told(done(n, 0.5 + n / 10))
            print("a print", n)
            if n == interrupt_at:
                raise KeyboardInterrupt
        screen.said("a note")
        screen.end(["4 trials"])
    print("after")


def screen_of(raw, columns):
    """The rows that are left on a terminal."""
    rows, row, column = [[]], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\s\S]", raw):
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            rows += [[]] * (row == len(rows))
        elif part == "\x1b[2K":
            rows[row] = []
        elif re.fullmatch(r"\x1b\[\d*A", part):
            row = max(row - int(part[2:-1] or 1), 0)
        elif not part.startswith("\x1b"):
            if column == columns:
                row, column = row + 1, 0
                rows += [[]] * (row == len(rows))
            rows[row] = rows[row] + [" "] * (column + 1 - len(rows[row]))
            rows[row][column] = part
            column += 1
    return ["".join(cells).rstrip() for cells in rows]


@pytest.mark.parametrize("columns", [40, 80])
def test_a_terminal_shows_a_table_and_keeps_what_others_print(columns, monkeypatch):
    tty = Tty(monkeypatch, columns)
    search()
    assert sys.stdout is tty.out and sys.stderr is tty.out
    assert tty.close() == [
        *["Random search", "a print 0", "a print 1", "a print 2", "a print 3", "a note", "4 trials", "after"]
    ]
    raw = tty.raw
    assert "\x1b[?25l" in raw and raw.rindex("\x1b[?25h") > raw.rindex("\x1b[?25l")  # the cursor is back
    assert "64-128-10" in raw and "val_accuracy" in raw and 4 <= raw.count("/4 trials") <= 24


def test_a_break_leaves_the_last_table_and_the_cursor(monkeypatch):
    tty = Tty(monkeypatch, 80)
    with pytest.raises(KeyboardInterrupt):
        search(interrupt_at=2)
    print("after")
    rows = tty.close()
    assert tty.raw.rindex("\x1b[?25h") > tty.raw.rindex("\x1b[?25l") and rows[-1] == "after"
    assert sum("3/4 trials" in row for row in rows) == 1 and any(row.startswith("top 1      2") for row in rows)
    assert not any("epoch 5/20" in row for row in rows)


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    tty = Tty(monkeypatch, 80)
    monkeypatch.setenv("TERM", "dumb")
    search()
    rows = tty.close()
    assert "\x1b" not in tty.raw and rows[1] == (
        "1/4  trial 0  val_accuracy 0.5000 (the best so far)  units=64 lr=0.0031  0.8 s"
    )


# a notebook


def test_a_notebook_shows_one_output_that_is_replaced(notebook, clock, capsys):
    with SearchScreen.for_verbose("auto", [ACCURACY], 3) as screen:
        screen.begin(["A search for <b>"])
        for n in range(3):
            clock.value += 1
            screen.running([GROUP])
            clock.value += 0.01  # too soon to be sent
            screen.told(done(n, 0.5))
        clock.value += 1
        screen.said("a note")
        screen.end(["3 trials"])
    assert len(notebook) == 1 and len(notebook[0]) == 6 and capsys.readouterr().out == ""
    running, last = notebook[0][3], notebook[0][-1]
    assert "epoch 5/20" in running["text/plain"] and "2/3 trials" in running["text/plain"]
    rows = last["text/plain"].rstrip().split("\n")
    assert rows[:2] == ["A search for <b>", "a note"] and rows[-1] == "3 trials"
    assert "3/3 trials" in rows[2] and "epoch 5/20" not in last["text/plain"] and "left" not in rows[2]
    assert "&lt;b&gt;" in last["text/html"] and last["text/html"].startswith("<pre")


def test_many_told_trials_in_a_notebook_are_few_updates(notebook, clock):
    screen = SearchScreen.for_verbose(1, [ACCURACY], 1000)
    screen.begin([])
    for n in range(1000):
        clock.value += 0.01
        screen.told(done(n, 0.5))
    screen.close()
    screen.close()
    assert 50 < len(notebook[0]) < 110


def test_a_notebook_prints_plain_lines_where_asked(notebook, capsys):
    screen = SearchScreen.for_verbose(2, [ACCURACY], 3)
    screen.begin([])
    screen.told(done(0, 0.5))
    assert notebook == [] and capsys.readouterr().out.startswith("1/3  trial 0")
