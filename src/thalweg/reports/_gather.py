"""gather: all that a report says of a run, before anything is drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from thalweg.callbacks import Run, read_run
from thalweg.callbacks._run_record import now
from thalweg.reports._diagnosed import diagnosed
from thalweg.reports._events import events_of
from thalweg.reports._given import Given, given_by_command, given_by_hand
from thalweg.reports._happened import happened
from thalweg.reports._learnt import learnt
from thalweg.reports._report import Report
from thalweg.reports._tested import tested
from thalweg.reports._trained import trained
from thalweg.reports._validated import validated

_NOT_ASKED = (
    "Nets of growing numbers of rows show what more rows would bring. They are trained where they are asked for: "
    "thalweg report {run} --learning-curve, or report(run, ..., learning_curve=True)."
)


def gather(
    run: str | os.PathLike[str],
    train: Any = None,
    validation: Any = None,
    *,
    class_names: Sequence[str] | None = None,
    model: Any = None,
    learning_curve: bool = False,
) -> Report:
    """All that a report says of a run, as plain data.

    The rows of a run that ``thalweg train`` began are made again from its command. The test rows are never opened.

    Args:
        run: its folder.
        train: ``(x, y)`` that it learnt from, where a script began it.
        validation: ``(x, y)`` that it was validated on, likewise.
        class_names: of the classes, labels or numbers to predict.
        model: the net, where ``best.keras`` does not hold it: a population's member, or one of a person's own layers.
        learning_curve: whether nets are trained to see what more rows would bring.

    Returns:
        The report; what could not be told has its reason in ``report.missing``.

    Raises:
        thalweg.models.FileError: where there is no run in the folder.

    Example:
        >>> import tempfile
        >>> import numpy as np, thalweg
        >>> net = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)])
        >>> net.compile('sgd', 'mse')
        >>> x = np.random.default_rng(0).normal(size=(32, 2))
        >>> folder = tempfile.mkdtemp() + '/first'
        >>> history = net.fit(x, x.sum(axis=1), epochs=1, verbose=0, run=folder)
        >>> found = gather(folder)
        >>> found.trained['rows']['training'], found.trained['optimizer']['name'], sorted(found.missing)
        (32, 'SGD', ['diagnosis', 'learning_curve', 'validation'])

    """
    told = read_run(run)
    events = events_of(told)
    given, why = _tried(lambda: _given(told, train, validation, class_names, model))
    sections = _Sections(given, why)
    of_net = sections.make("diagnosis", lambda one: diagnosed(told, one))
    if learning_curve:
        curve = sections.make("learning_curve", lambda one: learnt(one, told, len(events.epochs)))
    else:
        curve, sections.missing["learning_curve"] = None, _NOT_ASKED.format(run=told.path)
    return Report(
        told.path.resolve().name,
        now(),
        trained(told, events, given),
        happened(told, events, (1.0, "") if given is None else given.unit),
        of_net,
        curve,
        sections.make("validation", validated, needs_train=False),
        tested(told),
        sections.missing,
    )


class _Sections:
    """Makes what needs the net and its rows, and keeps the reason where that cannot be."""

    def __init__(self, given: Given | None, why: str) -> None:
        self.given, self.why = given, why
        self.missing: dict[str, str] = {}

    def make(self, name: str, act: Callable[[Given], Any], needs_train: bool = True) -> Any:
        given, found, reason = self.given, None, self.why
        if given is not None:
            reason = _lacking(given, needs_train)
            found, reason = (None, reason) if reason else _tried(lambda: act(given))
        if reason:
            self.missing[name] = reason
        return found


def _given(run: Run, train: Any, validation: Any, names: Sequence[str] | None, model: Any) -> Given:
    by_hand = any(one is not None for one in (train, validation, model))
    given = given_by_hand(run, train, validation, model) if by_hand else given_by_command(run)
    return given if names is None else given._replace(names=tuple(map(str, names)))


def _lacking(given: Given, needs_train: bool) -> str:
    """Which rows are missing; empty where none are."""
    if given.validation is None:
        return "There are no validation rows to look at: report(run, train=(x, y), validation=(x, y)) takes them."
    if needs_train and given.train is None:
        return "The rows that the net learnt from are missing: report(run, train=(x, y), validation=(x, y)) takes them."
    return ""


def _tried(act: Callable[[], Any]) -> tuple[Any, str]:
    """What came out, or None and why."""
    try:
        return act(), ""
    except (ValueError, OSError) as error:
        return None, str(error)
