"""ProgressBar: what a person sees in a file, a terminal and a notebook."""

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import sys
import termios
import types
import warnings

import pytest
from callback_fakes import FakeModel

from thalweg.callbacks import CallbackList, ProgressBar
from thalweg.callbacks import _progress_bar as bar_module
from thalweg.callbacks import _screens as screens_module
from thalweg.callbacks._logs import figure
from thalweg.callbacks._progress_line import Line, duration, log_line, markup, per_step, rich_line, unmarked


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when told to."""
    now = types.SimpleNamespace(value=100.0)
    fake = types.SimpleNamespace(monotonic=lambda: now.value)
    monkeypatch.setattr(bar_module, "time", fake)
    monkeypatch.setattr(screens_module, "time", fake)
    return now


class Tty:
    """A pseudo-terminal in the place of standard output and error, and what a person would see on it."""

    def __init__(self, monkeypatch, columns):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.out = os.fdopen(slave, "w", encoding="utf-8")
        self.err = os.fdopen(os.dup(slave), "w", encoding="utf-8")
        monkeypatch.setattr(sys, "stdout", self.out)
        monkeypatch.setattr(sys, "stderr", self.err)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        os.set_blocking(self.master, False)
        self.columns, self.raw = columns, ""
        self._pending = b""

    def rows(self):
        """The rows on the screen, without colours."""
        self.out.flush()
        self.err.flush()
        while True:
            try:
                self._pending += os.read(self.master, 65536)
            except BlockingIOError:
                break
        self.raw = self._pending.decode("utf-8")
        rows, row, column = [[]], 0, 0
        for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[\s\S]", self.raw):
            if part == "\r":
                column = 0
            elif part == "\n":
                row += 1
                rows += [[]] * (row == len(rows))
            elif part == "\x1b[K":
                del rows[row][column:]
            elif not part.startswith("\x1b"):
                if column == self.columns:
                    row, column = row + 1, 0
                    rows += [[]] * (row == len(rows))
                rows[row] += [" "] * (column + 1 - len(rows[row]))
                rows[row][column] = part
                column += 1
        return ["".join(cells).rstrip() for cells in rows]

    def close(self):
        self.out.close()
        self.err.close()
        os.close(self.master)


@pytest.fixture
def terminal(monkeypatch):
    """Make a terminal of a width."""
    made = []

    def make(columns=100):
        made.append(Tty(monkeypatch, columns))
        return made[-1]

    yield make
    for one in made:
        one.close()


def started(epochs=20, steps=100, verbose="auto", model=None):
    listed = CallbackList(model=model, epochs=epochs, steps=steps, verbose=verbose)
    listed.on_train_begin()
    listed.on_epoch_begin(0)
    return listed


LOGS = {"accuracy": 0.29333, "loss": 1.9864}


# numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.29333, "0.2933"),
        (-12.5, "-12.5000"),
        (1e-3, "1.0000e-03"),
        (-1e-3, "-1.0000e-03"),
        (0.0011, "0.0011"),
        (0, "0.0000e+00"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ([0.5] * 6, "0.5000 to 0.5000 of 6"),
        ("new", "new"),
        (None, "None"),
    ],
)
def test_figures(value, shown):
    assert figure(value) == shown


def test_durations_and_paces():
    assert [duration(s) for s in (0.4, 59.9, 60, 125, 3599, 3723)] == ["0s", "59s", "1:00", "2:05", "59:59", "1:02:03"]
    assert [per_step(s) for s in (0.000771, 0.0123, 2.2)] == ["771us/step", "12ms/step", "2s/step"]


# plain lines


def test_a_log_gets_one_plain_line_an_epoch(capsys, clock):
    for verbose in ("auto", 1, 2, True):
        listed = started(steps=3, verbose=verbose)
        clock.value += 0.5
        listed.on_progress(1, {"loss": 9.0})
        clock.value += 0.001542
        listed.on_progress(3, {"loss": 2.0})
        listed.on_epoch_end(0, LOGS)
        listed.on_train_end()
        assert capsys.readouterr() == ("Epoch 1/20 - 3/3 - 0s - 771us/step - accuracy: 0.2933 - loss: 1.9864\n", "")


def test_a_single_epoch_needs_no_number_and_silence_is_silent(capsys, clock):
    listed = started(epochs=1, steps=3, verbose=2)
    clock.value += 6
    listed.on_epoch_end(0, {"loss": 1.0})
    assert capsys.readouterr().out == "3/3 - 6s - 2s/step - loss: 1.0000\n"
    bar = ProgressBar(0)
    bar.set_params({"epochs": 2, "steps": 3})
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    bar.on_epoch_end(0, LOGS)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("wrong", [3, "loud", -1, None, 1.5])
def test_an_unknown_verbosity_is_told(wrong):
    with pytest.raises(ValueError, match="Unknown verbose"):
        ProgressBar(wrong)


def test_an_epoch_that_was_cut_short_shows_the_steps_it_took(capsys):
    model = FakeModel()
    listed = started(model=model, verbose=2)
    model.stop_training = True
    listed.on_progress(41, {"loss": 1.0})
    listed.on_epoch_end(0, {"loss": 1.0})
    assert " - 41/100 - " in capsys.readouterr().out


def test_a_stop_at_the_end_of_an_epoch_cuts_nothing(capsys):
    model = FakeModel()
    listed = started(model=model, verbose=2)
    listed.on_progress(84, {"loss": 1.0})
    model.stop_training = True
    listed.on_epoch_end(0, {"loss": 1.0})
    assert " - 100/100 - " in capsys.readouterr().out


def test_a_stream_shows_its_length_once_it_is_known(capsys):
    listed = started(steps=None, verbose=2)
    listed.on_progress(41, {"loss": 1.0})
    listed.on_epoch_end(0, {"loss": 1.0})
    listed.on_epoch_begin(1)
    listed.on_progress(50, {"loss": 1.0})
    listed.on_epoch_end(1, {"loss": 1.0})
    assert re.findall(r"\d+/\d+ - 0s", capsys.readouterr().out) == ["41/41 - 0s", "50/50 - 0s"]


# lines in columns


def test_a_line_fits_its_width_at_every_moment():
    values = {"accuracy": 0.5, "loss": 1.5, "top_k_categorical_accuracy": 0.5}
    for width in range(30, 160):
        for done in (0, 50, 100):
            pace = 0.012 if done else None
            line = Line(3, 20, done, 100, 5.0, pace, values, "train")
            text = rich_line(line, width, unmarked, "━─")
            assert "\n" not in text and len(text) <= width
            ended = rich_line(line._replace(phase="end"), width, unmarked, "━─")
            assert all(len(row) <= max(width, 36) for row in ended.split("\n"))
            assert all(f"{name}: " in ended for name in values)


def test_the_bar_is_as_long_as_what_is_done():
    for done, full in [(0, 0), (50, 12), (99, 23), (100, 24)]:
        text = rich_line(Line(1, 2, done, 100, 1.0, None, {}), 200, unmarked, "#-")
        assert (text.count("#"), text.count("-")) == (full, 24 - full)


def test_markup_is_escaped():
    assert markup("<b>", "quiet").endswith(">&lt;b&gt;</span>") and markup("<b>", "value") == "&lt;b&gt;"


def test_one_line_in_full():
    line = Line(3, 20, 41, 100, 5.0, 0.1, LOGS)
    assert rich_line(line, 110, unmarked, "━─") == (
        "Epoch  3/20  ━━━━━━━━━───────────────   41/100  5s left  100ms/step  accuracy: 0.2933  loss: 1.9864"
    )
    assert rich_line(line._replace(total=None, epoch=None), 100, unmarked, "━─") == (
        "41 steps   5s  100ms/step  accuracy: 0.2933  loss: 1.9864"
    )
    assert log_line(line).startswith("Epoch 3/20 - 41/100 - 5s - 100ms/step - accuracy: 0.2933")


# a terminal


def test_a_terminal_shows_a_line_that_grows_and_stays(terminal, clock):
    tty = terminal(100)
    listed = started()
    assert tty.rows() == ["Epoch  1/20  ━━━━━━━━━━━━━━━━━━━━━━━━    0/100   0s"]
    for step in (20, 40):
        clock.value += 1.0
        listed.on_progress(step, LOGS)
    assert tty.rows() == [
        "Epoch  1/20  ━━━━━━━━━━━━━━━━━━━━━━━━   40/100  3s left  50ms/step  accuracy: 0.2933  loss: 1.9864"
    ]
    clock.value += 1.0
    listed.on_test_begin()
    assert "validating" in tty.rows()[0]
    listed.on_epoch_end(0, {**LOGS, "val_loss": 2.5})
    ended = "Epoch  1/20  ━━━━━━━━━━  100/100   3s  50ms/step  accuracy: 0.2933  loss: 1.9864  val_loss: 2.5000"
    assert tty.rows() == [ended, ""]
    clock.value += 1.0
    listed.on_epoch_begin(1)
    assert tty.rows() == [ended, "Epoch  2/20  ━━━━━━━━━━━━━━━━━━━━━━━━    0/100   0s"]
    listed.on_epoch_end(1, {"loss": 1.0})
    listed.on_train_end()
    assert len(tty.rows()) == 3 and "\x1b[36m" in tty.raw
    assert (sys.stdout, sys.stderr) == (tty.out, tty.err)


def test_a_shorter_row_leaves_nothing_of_a_longer_one(terminal, clock):
    tty = terminal(80)
    listed = started()
    clock.value += 1
    listed.on_progress(100, {"loss": 1.5, "one": 1.0, "two": 2.0})
    assert len(tty.rows()[0]) == 70
    listed.on_epoch_end(0, {"loss": 1.5, "val_precision_at_a_recall_of_a_half": 0.5})
    listed.on_train_end()
    assert tty.rows() == [
        "Epoch  1/20  100/100   1s  10ms/step  loss: 1.5000",
        "  val_precision_at_a_recall_of_a_half: 0.5000",
        "",
    ]


def test_drawing_is_throttled(terminal, clock):
    tty = terminal()
    listed = started()
    clock.value += 1
    for step in range(1, 100):
        clock.value += 0.001
        listed.on_progress(step, {"loss": 1.0})
    tty.rows()
    assert 2 <= tty.raw.count("\r") <= 4
    listed.on_epoch_end(0, {})
    listed.on_train_end()


def test_what_others_print_goes_above_the_line(terminal, clock):
    tty = terminal(100)
    listed = started()
    clock.value += 1
    listed.on_progress(10, {"loss": 1.0})
    print("hello")
    print("two\nrows")
    clock.value += 1
    listed.on_progress(20, {"loss": 1.0})
    rows = tty.rows()
    assert rows[:3] == ["hello", "two", "rows"] and rows[3].startswith("Epoch  1/20") and len(rows) == 4
    sys.stderr.write(warnings.formatwarning("the rate looks large", UserWarning, "fit.py", 7, ""))  # as warn() does
    clock.value += 1
    listed.on_progress(30, {"loss": 1.0})
    rows = tty.rows()
    assert "UserWarning: the rate looks large" in rows[3] and rows[-1].startswith("Epoch  1/20")
    assert sum(row.startswith("Epoch") for row in rows) == 1
    print("no end of line", end="")
    clock.value += 1
    listed.on_progress(40, {"loss": 1.0})
    rows = tty.rows()
    assert rows[-2] == "no end of line" and " 40/100" in rows[-1]
    listed.close()


def test_an_error_in_the_middle_leaves_the_terminal_usable(terminal, clock):
    tty = terminal(100)
    with pytest.raises(ZeroDivisionError), CallbackList(epochs=2, steps=10, verbose=1) as listed:
        listed.on_train_begin()
        listed.on_epoch_begin(0)
        raise ZeroDivisionError
    assert (sys.stdout, sys.stderr) == (tty.out, tty.err)
    print("after")
    rows = tty.rows()
    assert rows[0].startswith("Epoch 1/2") and rows[1:] == ["after", ""]
    listed.close()


def test_another_stream_put_in_our_place_is_left_alone(terminal, clock):
    terminal()
    listed = started()
    other = io.StringIO()
    sys.stdout = other
    listed.on_train_end()
    assert sys.stdout is other


def test_a_guarded_stream_is_otherwise_the_stream(terminal, clock):
    tty = terminal()
    listed = started()
    assert sys.stdout.fileno() == tty.out.fileno() and sys.stdout.encoding == "utf-8"
    sys.stdout.writelines(["a\n", "b\n"])
    listed.close()
    assert [row for row in tty.rows() if row] == ["a", "b"]


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("NO_COLOR", "1")])
def test_what_the_environment_says_about_terminals_holds(terminal, clock, monkeypatch, name, value):
    tty = terminal()
    monkeypatch.setenv(name, value)
    listed = started()
    clock.value += 1
    listed.on_progress(50, LOGS)
    listed.on_epoch_end(0, LOGS)
    listed.on_train_end()
    tty.rows()
    assert re.findall(r"\x1b\[[0-9]+m", tty.raw) == []
    assert ("\r\x1b" in tty.raw or "━" in tty.raw) == (name == "NO_COLOR")


def test_a_terminal_without_unicode_gets_another_bar(terminal, clock):
    tty = terminal()
    tty.out.reconfigure(encoding="ascii")
    listed = started()
    clock.value += 1
    listed.on_progress(50, {})
    assert "============------------" in tty.rows()[0]
    listed.close()


def test_an_unknown_length_is_counted(terminal, clock):
    tty = terminal(100)
    listed = started(steps=None)
    clock.value += 2
    listed.on_progress(41, {"loss": 1.0})
    assert tty.rows() == ["Epoch  1/20  41 steps   2s  49ms/step  loss: 1.0000"]
    listed.on_epoch_end(0, {"loss": 1.0})
    clock.value += 2
    listed.on_epoch_begin(1)
    assert "0/41" in tty.rows()[1] and "━" in tty.rows()[1]
    listed.close()


# evaluation


def test_an_evaluation_has_a_bar_of_its_own(terminal, clock, capsys):
    tty = terminal(100)
    with ProgressBar.for_evaluation("auto", 30) as progress:
        for step in (10, 20, 30):
            clock.value += 0.5
            progress(step, LOGS)
    assert tty.rows() == [
        "━━━━━━━━━━━━━━━━━━━━━━━━  30/30   1s  50ms/step  accuracy: 0.2933  loss: 1.9864",
        "",
    ]


def test_an_evaluation_in_a_log_is_a_line_and_an_error_none(capsys, clock):
    with ProgressBar.for_evaluation(2, 3) as progress:
        clock.value += 3
        progress(3, {"loss": 1.0, "accuracy": 0.5})
    assert capsys.readouterr().out == "3/3 - 3s - 1s/step - accuracy: 0.5000 - loss: 1.0000\n"
    with pytest.raises(ZeroDivisionError), ProgressBar.for_evaluation(2, 3):
        raise ZeroDivisionError
    assert capsys.readouterr().out == ""


# a notebook


def test_a_notebook_shows_one_output_that_grows(notebook, clock, capsys):
    listed = started(epochs=2)
    clock.value += 1
    listed.on_progress(50, LOGS)
    clock.value += 1
    listed.on_epoch_end(0, {**LOGS, "<b>": 1.0})
    clock.value += 1
    listed.on_epoch_begin(1)
    listed.on_epoch_end(1, LOGS)  # too soon to be sent
    listed.on_train_end()
    assert len(notebook) == 1 and capsys.readouterr().out == ""
    texts = [bundle["text/plain"].split("\n") for bundle in notebook[0]]
    assert [len(rows) for rows in texts] == [1, 1, 1, 2, 2]
    assert " 50/100" in texts[1][0] and "0/100" in texts[3][1] and "100/100" in texts[4][1]
    assert "<b>" not in notebook[0][-1]["text/html"] and "&lt;b&gt;" in notebook[0][-1]["text/html"]


def test_many_epochs_in_a_notebook_go_into_several_outputs_of_bounded_size(notebook, clock):
    listed = started(epochs=100)
    for epoch in range(100):
        listed.on_epoch_begin(epoch)
        clock.value += 0.01
        listed.on_epoch_end(epoch, LOGS)
    listed.on_train_end()
    last = [output[-1]["text/plain"].split("\n") for output in notebook]
    assert [len(rows) for rows in last] == [40, 40, 20]
    assert [row.split()[1] for rows in last for row in rows] == [f"{n}/100" for n in range(1, 101)]
    assert sum(map(len, notebook)) < 30


def test_a_notebook_prints_plain_lines_where_asked(notebook, clock, capsys):
    listed = started(verbose=2)
    listed.on_epoch_end(0, LOGS)
    assert notebook == [] and capsys.readouterr().out.startswith("Epoch 1/20 - 100/100")


def test_ipython_without_a_kernel_is_no_notebook(monkeypatch, clock, capsys):
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    listed = started()
    listed.on_epoch_end(0, LOGS)
    assert capsys.readouterr().out.startswith("Epoch 1/20")
