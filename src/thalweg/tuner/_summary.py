"""A search in words: lines of text, drawn from the records of its trials alone."""

from __future__ import annotations

import math
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from thalweg.callbacks._logs import figure
from thalweg.callbacks._progress_line import duration
from thalweg.tuner._trial import COMPLETED, FAILED, RUNNING, Trial

if TYPE_CHECKING:
    import pandas as pd

    from thalweg.tuner._objective import Objective
    from thalweg.tuner._parameters import Parameter

WIDTH = 100  # characters in a line, where nobody says
_NARROWEST = 24  # of the hyperparameters' column; where there is less, they stand below
_BELOW = 4  # their indent there
_GAP = "  "
_RATE = re.compile(r"learning_?rate|(?<![a-z])lr(?![a-z])", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
_DTYPES = {frozenset({int}): "Int64", frozenset({bool}): "boolean"}  # that can hold a gap


# in order


def ranked(trials: Iterable[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """The trials, best first; those without a number last, in the order in which they were asked for.

    Of several objectives the Pareto front comes first; within it, and behind it, the first objective decides.

    Args:
        trials: in any order.
        objectives: what the scores stand for.

    Returns:
        A new list of the same trials.

    Example:
        >>> from thalweg.tuner import Objective
        >>> a, b, c = Trial(0, {}, 'COMPLETED', [0.9]), Trial(1, {}, 'FAILED'), Trial(2, {}, 'COMPLETED', [0.8])
        >>> [trial.number for trial in ranked([a, b, c], [Objective('val_loss', 'min')])]
        [2, 0, 1]

    """
    trials = sorted(trials, key=lambda trial: trial.number)
    scored = sorted((trial for trial in trials if trial.has_score), key=lambda trial: costs_of(trial, objectives))
    if len(objectives) > 1:
        front = {trial.number for trial in pareto_front(scored, objectives)}
        scored.sort(key=lambda trial: trial.number not in front)
    return scored + [trial for trial in trials if not trial.has_score]


def pareto_front(trials: Iterable[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """The trials that no other one beats in one objective without losing in another, by the first objective.

    Example:
        >>> from thalweg.tuner import Objective
        >>> goals = [Objective('val_accuracy', 'max'), Objective('weights', 'min')]
        >>> scores = [[0.9, 100.0], [0.8, 10.0], [0.7, 50.0]]
        >>> trials = [Trial(n, {}, 'COMPLETED', score) for n, score in enumerate(scores)]
        >>> [trial.number for trial in pareto_front(trials, goals)]
        [0, 1]

    """
    costs = {trial.number: costs_of(trial, objectives) for trial in trials if trial.has_score}
    front: list[Trial] = []
    for trial in sorted((t for t in trials if t.has_score), key=lambda t: (costs[t.number], t.number)):
        mine = costs[trial.number]  # whoever beats it stands before it in this order
        if not any(dominates(costs[other.number], mine) for other in front):
            front.append(trial)
    return front


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether costs are nowhere higher than others, and somewhere lower."""
    return one != other and all(map(operator.le, one, other))


def costs_of(trial: Trial, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """The scores, turned so that less is better."""
    return tuple(goal.sign * score for score, goal in zip(trial.scores or [], objectives, strict=True))


# numbers and names


def short(value: Any) -> str:
    """A hyperparameter's value in a few characters: ``64``, ``0.0031``, ``relu``."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """A score in a few characters: ``0.9722``, ``2.9330e-04``, ``8192``."""
    return f"{value:.0f}" if abs(value) >= 100 and float(value).is_integer() else figure(value)


def settings(values: Mapping[str, Any]) -> str:
    """``'units=64 lr=0.0031'``."""
    return " ".join(f"{name}={short(value)}" for name, value in values.items())


def score_text(trial: Trial, index: int = 0) -> str:
    """A score, with its standard error where there is one: ``'0.9722 ± 0.0031'``."""
    if trial.scores is None:
        return "-"
    error = None if trial.errors is None else trial.errors[index]
    return number(trial.scores[index]) + ("" if error is None else f" ± {number(error)}")


def seconds_text(seconds: float) -> str:
    """``'0.8 s'``, ``'9.1 s'``, ``'2:05'``."""
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def meanings(space: Iterable[Parameter]) -> dict[str, Parameter]:
    """The parameters by name; where a name means another thing on another branch, its condition is added.

    Example:
        >>> from thalweg.tuner._parameters import Condition, Int
        >>> space = [Int('a', 1, 3), *(Int('b', 1, top, conditions=[Condition('a', top)]) for top in (2, 3))]
        >>> list(meanings(space))
        ['a', 'b where a is 2', 'b where a is 3']

    """
    space = list(space)
    counts = Counter(one.name for one in space)
    return {f"{one.name} {_condition(one)}".strip() if counts[one.name] > 1 else one.name: one for one in space}


def value_of(parameter: Parameter, trial: Trial) -> Any:
    """Its value in a trial; None where it was not active, or where its range has changed since."""
    if parameter.name not in trial.values or not parameter.is_active(trial.values):
        return None
    try:
        return parameter.check(trial.values[parameter.name])
    except ValueError:
        return None


# the results


def results_summary(
    trials: Sequence[Trial], objectives: Sequence[Objective], num_trials: int = 10, width: int = WIDTH
) -> list[str]:
    """The best trials, a row each: place, trial, scores and standard errors, epochs, hyperparameters.

    Args:
        trials: of the search, in any order.
        objectives: what the scores stand for.
        num_trials: how many rows at most.
        width: of a line, in characters; longer lists of hyperparameters go on in the next line.

    Returns:
        Lines of text; after the table the failures, where there were some.

    Example:
        >>> from thalweg.tuner import Objective
        >>> trials = [Trial(n, {'units': n}, 'COMPLETED', [0.5 / (n + 1)], epochs=3) for n in range(2)]
        >>> for line in results_summary(trials, [Objective('val_loss', 'min')]):
        ...     print(line)
           trial  val_loss  epochs  hyperparameters
        1      1    0.2500       3  units=1
        2      0    0.5000       3  units=0

    """
    shown = [trial for trial in ranked(trials, objectives) if trial.has_score][: max(num_trials, 0)]
    failed = failures(trials)
    if not shown:
        return failed or ["No trial has ended with a score yet."]
    front = {t.number for t in pareto_front(trials, objectives)} if len(objectives) > 1 else set()
    head = ["", "trial", *(goal.name for goal in objectives), "epochs"]
    rows = [
        [
            str(place) + ("*" if trial.number in front else " " * bool(front)),
            str(trial.number),
            *(score_text(trial, i) for i in range(len(objectives))),
            str(trial.epochs),
        ]
        for place, trial in enumerate(shown, start=1)
    ]
    lines = _table(head, rows, "hyperparameters", [trial.values for trial in shown], width)
    return lines + (["* on the Pareto front"] if front else []) + failed


def _table(
    head: list[str], rows: list[list[str]], last: str, values: Sequence[Mapping[str, Any]], width: int
) -> list[str]:
    """Columns to the right, and one of hyperparameters that is wrapped between two of them."""
    sizes = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    indent = sum(sizes) + len(_GAP) * len(sizes)
    beside = width - indent >= _NARROWEST
    indent = indent if beside else _BELOW
    lines = [_row(head, sizes) + (last if beside else "")]
    for cells, one in zip(rows, values, strict=True):
        words = wrapped([f"{name}={short(value)}" for name, value in one.items()], width - indent)
        lines.append(_row(cells, sizes) + (words.pop(0) if beside else ""))
        lines += [" " * indent + more for more in words]
    return [line.rstrip() for line in lines]


def _row(cells: list[str], sizes: list[int]) -> str:
    return "".join(cell.rjust(size) + _GAP for cell, size in zip(cells, sizes, strict=True))


def wrapped(words: Iterable[str], room: int) -> list[str]:
    """Words in lines of at most `room` characters; a longer word gets a line of its own."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def end_summary(
    trials: Sequence[Trial], objectives: Sequence[Objective], seconds: float, width: int = WIDTH
) -> list[str]:
    """What a search says when it ends: how much was tried, the best trial or the Pareto front, the failures.

    Example:
        >>> from thalweg.tuner import Objective
        >>> trials = [Trial(0, {'units': 8}, 'COMPLETED', [0.5], epochs=3, best_step=1)]
        >>> for line in end_summary(trials, [Objective('val_loss', 'min')], seconds=75.0):
        ...     print(line)
        1 trial of 3 epochs in all took 1:15.
        Best val_loss: 0.5000 by trial 0, epoch 2.
          units=8

    """
    done = [trial for trial in trials if trial.status != RUNNING]
    epochs = sum(trial.epochs for trial in done)
    lines = [f"{_count(len(done), 'trial')} of {_count(epochs, 'epoch')} in all took {seconds_text(seconds)}."]
    best = next((trial for trial in ranked(done, objectives) if trial.has_score), None)
    if best is not None and len(objectives) == 1:
        epoch = "" if best.best_step is None else f", epoch {best.best_step + 1}"
        lines.append(f"Best {objectives[0].name}: {score_text(best)} by trial {best.number}{epoch}.")
        lines += _indented(best, width)
    elif best is not None:
        lines += _front_lines(done, objectives, width)
    return lines + failures(done)


def _front_lines(trials: Sequence[Trial], objectives: Sequence[Objective], width: int) -> list[str]:
    front = pareto_front(trials, objectives)
    names = " and ".join(goal.name for goal in objectives)
    head = f"On the Pareto front of {names}: {_count(len(front), 'trial')}."
    return [head, *results_summary(front, objectives, num_trials=5, width=width)[:-1]] + (
        [f"and {len(front) - 5} more"] if len(front) > 5 else []
    )


def _indented(trial: Trial, width: int) -> list[str]:
    words = (f"{name}={short(value)}" for name, value in trial.values.items())
    return [f"  {line}" for line in wrapped(words, width - 2) if line]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


# the space


def search_space_summary(space: Iterable[Parameter]) -> list[str]:
    """A line a parameter: its name, kind, values, how they are drawn, and when it is active.

    Args:
        space: the parameters, in the order in which they were asked for.

    Returns:
        Lines of text.

    Example:
        >>> from thalweg.tuner._parameters import Choice, Condition, Float, Int
        >>> space = [Int('layers', 1, 3), Float('lr', 1e-4, 0.1, sampling='log'), Choice('cell', ['lstm', 'gru']),
        ...          Int('units', 16, 64, step=16, conditions=[Condition('layers', [2, 3])])]
        >>> for line in search_space_summary(space):
        ...     print(line)
        name    kind    values             drawn   active
        layers  Int     1 to 3             linear
        lr      Float   0.0001 to 0.1      log
        cell    Choice  lstm, gru
        units   Int     16 to 64, step 16  linear  where layers is 2 or 3

    """
    rows = [[p.name, type(p).__name__, *_VALUES[type(p).__name__](p), _condition(p)] for p in space]
    if not rows:
        return ["The search space is empty: build(hp) has asked for no hyperparameter."]
    rows.insert(0, ["name", "kind", "values", "drawn", "active"])
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_GAP.join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip() for row in rows]


def _numbers(parameter: Any) -> tuple[str, str]:
    low, high, step = map(short, (parameter.min_value, parameter.max_value, parameter.step))
    by = "step" if parameter.sampling == "linear" else "times"
    stepped = parameter.step is not None and (type(parameter).__name__, parameter.step) != ("Int", 1)
    return f"{low} to {high}" + (f", {by} {step}" if stepped else ""), parameter.sampling


def _listed(parameter: Any) -> tuple[str, str]:
    return ", ".join(map(short, parameter.options)), "ordered" if getattr(parameter, "ordered", False) else ""


_VALUES: Mapping[str, Callable[[Any], tuple[str, str]]] = {
    "Int": _numbers,
    "Float": _numbers,
    "Choice": _listed,
    "Boolean": _listed,
    "Fixed": lambda parameter: (short(parameter.value), "never"),
}
"""Kind -> its values in words, and how they are drawn."""


def _condition(parameter: Parameter) -> str:
    """``'where cell is lstm or gru, depth is 2'``; nothing where it is always active."""
    said = [f"{one.name} is {' or '.join(map(short, one.values))}" for one in parameter.conditions]
    return f"where {', '.join(said)}" if said else ""


# what went wrong


def failures(trials: Sequence[Trial]) -> list[str]:
    """Why trials ended without a score: equal causes once, and what the trials that ended in NaN had tried.

    Args:
        trials: of the search, in any order.

    Returns:
        Lines of text; none where nothing went wrong.

    Example:
        >>> lost = [Trial(n, {'lr': n + 0.5}, 'COMPLETED', [float('nan')]) for n in range(3)]
        >>> failures(lost)
        ['3 of 3 trials ended NaN; learning rates tried: 0.5 to 2.5']
        >>> failures([Trial(0, {}, 'FAILED', message='ValueError: 0 units'), Trial(1, {}, 'COMPLETED', [0.5])])
        ['1 of 2 trials failed: ValueError: 0 units']

    """
    done = [trial for trial in trials if trial.status != RUNNING]
    failed = [trial for trial in done if trial.status == FAILED]
    lost = [trial for trial in done if trial.status == COMPLETED and not trial.has_score]
    lines = []
    if failed:
        lines.append(f"{len(failed)} of {_count(len(done), 'trial')} failed: {_causes(failed)}")
    if lost:
        well = [trial for trial in done if trial.has_score]
        beside = f" (with a score: {_tried(well)})" if well and _tried(well) else ""
        ranges = _tried(lost)
        lines.append(
            f"{len(lost)} of {_count(len(done), 'trial')} ended NaN" + (f"; {ranges}{beside}" if ranges else "")
        )
    return lines


def _causes(failed: Sequence[Trial]) -> str:
    """``'12 x ValueError: ..., 2 x ...'``, the commonest first; causes that differ in numbers only are one."""
    causes = [cause(trial.message) for trial in failed]
    kinds = [_NUMBER.sub("0", text) for text in causes]
    counts = Counter(kinds).most_common()
    if len(counts) == 1:
        return causes[0]
    return ", ".join(f"{count} x {causes[kinds.index(kind)]}" for kind, count in counts)


def cause(message: str | None) -> str:
    r"""The line of a traceback that says what happened: its exception, without what led there.

    Example:
        >>> cause('Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nValueError: no\nhint')
        'ValueError: no'

    """
    lines = [line for line in (message or "").splitlines() if line.strip()]
    frames = [i for i, line in enumerate(lines) if line.startswith("  File ")]
    if not frames:
        return lines[-1].strip() if lines else "no message"
    after = (line.strip() for line in lines[frames[-1] + 1 :] if not line.startswith(" "))
    return next(after, lines[-1].strip())


def _tried(trials: Sequence[Trial]) -> str:
    """The learning rates of these trials; without any, all their numbers."""
    numbers: dict[str, list[float]] = {}
    for trial in trials:
        for name, value in trial.values.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                numbers.setdefault(name, []).append(value)
    rates = [value for name, values in numbers.items() if _RATE.search(name) for value in values]
    if rates:
        return f"learning rates tried: {_range(rates)}"
    return ", ".join(f"{name} tried: {_range(values)}" for name, values in numbers.items())


def _range(values: Sequence[float]) -> str:
    low, high = short(min(values)), short(max(values))
    return low if low == high else f"{low} to {high}"


# the frame


def trials_dataframe(trials: Iterable[Trial], objectives: Sequence[Objective]) -> pd.DataFrame:
    """A row a trial, in the order in which they were asked for.

    Args:
        trials: in any order.
        objectives: what the scores stand for.

    Returns:
        A frame with ``number``, ``status``, per objective its name and ``<name>_error`` (the standard error), ``epochs``,
        ``seconds``, ``best_step``, ``source`` and one column ``hp/<name>`` a hyperparameter, where what is missing was
        not active. Whole numbers and truth values with gaps have pandas's nullable types.

    Example:
        >>> from thalweg.tuner import Objective
        >>> trials = [Trial(0, {'units': 8}, 'COMPLETED', [0.5], epochs=3), Trial(1, {}, 'FAILED')]
        >>> frame = trials_dataframe(trials, [Objective('val_loss', 'min')])
        >>> frame[['number', 'status', 'val_loss', 'hp/units']]
           number     status  val_loss  hp/units
        0       0  COMPLETED       0.5         8
        1       1     FAILED       NaN      <NA>

    """
    import pandas as pd

    trials = sorted(trials, key=lambda trial: trial.number)
    columns: dict[str, list[Any]] = {"number": [t.number for t in trials], "status": [t.status for t in trials]}
    for i, goal in enumerate(objectives):
        columns[goal.name] = [math.nan if t.scores is None else float(t.scores[i]) for t in trials]
        errors = [None if t.errors is None else t.errors[i] for t in trials]
        columns[f"{goal.name}_error"] = [math.nan if error is None else float(error) for error in errors]
    columns |= {"epochs": [t.epochs for t in trials], "seconds": [t.seconds for t in trials]}
    frame = pd.DataFrame(columns)
    for name in ("best_step", "source"):
        frame[name] = pd.array([getattr(t, name) for t in trials], dtype="Int64")
    names = dict.fromkeys(name for t in trials for name in t.values)
    found = {f"hp/{name}": _series([t.values.get(name) for t in trials]) for name in names}
    return pd.concat([frame, pd.DataFrame(found, index=frame.index)], axis=1)


def _series(values: list[Any]) -> Any:
    """A column that keeps whole numbers whole where some are missing."""
    import pandas as pd

    kinds = frozenset(type(value) for value in values if value is not None)
    gaps = any(value is None for value in values)
    return pd.array(values, dtype=_DTYPES[kinds]) if gaps and kinds in _DTYPES else values
