"""The loop of a search: ask, build, train, tell, until there is nothing more to try."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from thalweg.tuner._bench import Assignment, Bench, Job, built, jobs_of
from thalweg.tuner._curves import Curves
from thalweg.tuner._hypermodel import HyperModel
from thalweg.tuner._hyperparameters import keyed
from thalweg.tuner._nets import Nets
from thalweg.tuner._space import is_data, points
from thalweg.tuner._summary import failures, ranked
from thalweg.tuner._trial import COMPLETED, FAILED, RUNNING, Trial, point_of
from thalweg.tuner.executors._executor import Executor
from thalweg.tuner.executors._progress import Listener, Logs
from thalweg.tuner.executors._train import Net, Outcome
from thalweg.tuner.searches._search import Answer, Ask, Book, Search

_COLLISIONS = 30  # proposals for one trial that have been tried before, until the space is looked through
_BATCH = 256  # trials asked for at a time, where nothing else bounds them
_TIMED = 32  # of them at first where time is bounded, and twice as many each time: few are left over when it is up
_KEY = 1_000_003


class SearchFailed(RuntimeError):  # noqa: N818
    """A search that cannot go on, or that found nothing; the message says why."""


@dataclass
class Limits:
    """What ends a search beside the search itself.

    Attributes:
        deadline: by ``time.monotonic``, or None.
        failures: trials in a row that may fail.
        keep: trials whose nets are kept.
        check: raises where somebody has asked to stop.

    """

    deadline: float | None = None
    failures: int = 10
    keep: int = 10
    check: Callable[[], None] = lambda: None

    def over(self) -> bool:
        """Whether time is up."""
        return self.deadline is not None and time.monotonic() >= self.deadline


@dataclass
class Loop(Listener):
    """One call of ``search``.

    Args:
        bench: what the trials share.
        search: what proposes.
        executor: who trains.
        study: where it is written down.
        screen: where it is shown.
        limits: what ends it.

    """

    bench: Bench
    search: Search
    executor: Executor
    study: Any
    screen: Any
    limits: Limits
    ended: str = "finished"
    trials: list[Trial] = field(default_factory=list)
    space: dict[str, Any] = field(default_factory=dict)
    _tried: set[Any] = field(default_factory=set)
    _new: list[Any] = field(default_factory=list)  # parameters asked for since the journal had them
    _under_way: dict[int, dict[str, Any]] = field(default_factory=dict)  # first trial -> how far its group is
    _exhausted: bool = False

    def __post_init__(self) -> None:
        self.nets, self.curves = Nets(self.study.folder), Curves(self.study.folder)
        self.trials = list(self.study.trials)  # this process's own: the study keeps copies
        self.space = dict(self.study.space)
        self._data: dict[str, bool] = {}
        self.book = Book(
            self.trials,
            self.space,
            list(self.bench.objectives),
            self.bench.seed,
            lambda: points(self.bench),
            lambda name, values: is_data(self.bench, self.space, name, values, self._data),
        )
        for trial in self.trials:
            if trial.source is None:
                self._tried.add(point_of(trial.values))

    # -- the story ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Until the search is over, time is up, or too much has failed.

        Raises:
            SearchFailed: where trials failed one after the other, or none of them has a score.

        """
        pending, known = self._left_over()
        while True:
            if not pending:
                pending, known = self._asked(), []
            self._stop_where_all_fails()
            if not pending:
                break
            self._train(pending, known)
            pending = []
            self._stop_where_all_fails()
            if self.limits.over():
                self.ended = "time is up"
                break
        self.nets.keep_only(self._best())
        for left in (self.study.folder / "groups").glob("*"):  # checkpoints of groups, all of which are done
            shutil.rmtree(left, ignore_errors=True)
        if self.trials and not any(trial.has_score for trial in self.trials):
            raise SearchFailed("\n".join(["The search found nothing.", *failures(self.trials)]))

    def _train(self, pending: list[tuple[Trial, Any]], known: Sequence[Sequence[int]]) -> None:
        trials = {trial.number: trial for trial, _ in pending}
        given = [one for _, one in pending]
        for outcomes in self.executor.run(self.bench, given, self.study.folder, self, known):
            self._tell([one for one in outcomes if trials[one.number].status == RUNNING], trials)

    def _best(self) -> list[Trial]:
        """The trials whose nets are kept."""
        return ranked([trial for trial in self.trials if trial.has_score], self.bench.objectives)[: self.limits.keep]

    # -- ask ------------------------------------------------------------------------------------------

    def _left_over(self) -> tuple[list[tuple[Trial, Any]], list[list[int]]]:
        """Trials that ran when the search was broken off, and the groups they were in."""
        running = [trial for trial in self.trials if trial.status == RUNNING]
        numbers = {trial.number for trial in running}
        groups = [group["trials"] for group in self.study.events("group")] if self.trials else []
        known = [group for group in groups if set(group) <= numbers]
        past = [group for group in groups if not set(group) & numbers]
        self.executor.recall(self.bench, [[self._assignment(self.trials[n], False) for n in one] for one in past])
        pending = []
        for trial in running:
            assignment = self._assignment(trial)
            jobs = self._built(trial, assignment, keyed(self.bench.seed, trial.number))
            if trial.status == RUNNING:
                pending.append((trial, (assignment, jobs)))
        self._failed([trial for trial in running if trial.status == FAILED])
        return pending, known

    def _asked(self) -> list[tuple[Trial, Any]]:
        """As many new trials as can be asked for now, in the journal before anything is trained."""
        pending: list[tuple[Trial, Any]] = []
        first = len(self.trials)
        most = _BATCH if self.limits.deadline is None else min(_BATCH, max(_TIMED, first))
        while len(pending) < most and not self.limits.over() and not self._all_fails():
            found = self._next()
            if isinstance(found, Answer):
                break
            trial, assignment, jobs = found
            self.trials.append(trial)
            if trial.status == RUNNING:
                pending.append((trial, (assignment, jobs)))
        new = self.trials[first:]
        self._meet(self._new)
        if new:
            self.study.asked([replace(trial, status=RUNNING, message=None) for trial in new])
        self._failed([trial for trial in new if trial.status == FAILED])
        return pending

    def _failed(self, trials: list[Trial]) -> None:
        """Trials that raised before they could be trained."""
        if trials:
            self.study.told(trials)
        for trial in trials:
            self.screen.told(trial)

    def _next(self) -> tuple[Trial, Assignment, list[Job] | None] | Answer:
        number = len(self.trials)
        for attempt in range(0 if self._exhausted else _COLLISIONS):
            ask = self.search.ask(self.book, number, attempt)
            if isinstance(ask, Answer):
                return ask
            unknown = ask.suggest or keyed(self.bench.seed, number + attempt * _KEY)
            found = self._trial(number, ask, unknown)
            if found is not None:
                return found
        return Answer.OVER if self._exhausted else self._untried(number)

    def _trial(self, number: int, ask: Ask, unknown: Any) -> tuple[Trial, Assignment, list[Job] | None] | None:
        """The trial that a proposal makes; None where its point has been tried."""
        notes = {**ask.notes, "first_epoch": ask.first_epoch, "epochs": ask.epochs}
        trial = Trial(number, dict(ask.values), RUNNING, source=ask.source, notes=notes)
        assignment = self._assignment(trial)
        jobs = self._built(trial, assignment, unknown)
        point = point_of(trial.values)
        if not ask.repeats:
            if point in self._tried and trial.status != FAILED and self._knows_points():
                for job in jobs or []:
                    job.rehearsal.abandon()
                return None
            self._tried.add(point)
        return trial, replace(assignment, values=dict(trial.values)), jobs

    def _knows_points(self) -> bool:
        """Whether a trial's point is known before it is trained: else ``fit`` asks for more elsewhere."""
        return self.executor.builds_here() or type(self.bench.hypermodel).fit is HyperModel.fit

    def _untried(self, number: int) -> tuple[Trial, Assignment, list[Job] | None] | Answer:
        """A point that is left, found by going through the space."""
        for values in points(self.bench):
            if point_of(values) not in self._tried:
                found = self._trial(number, Ask(values), keyed(self.bench.seed, number))
                if found is not None:
                    return found
        asked = self.search.total(self.book)
        wanted = f" of the {asked} asked for" if asked else ""
        text = f"The space is exhausted: all its {len(self._tried)} points have been tried, in {number} trials{wanted}."
        self.study.note("warning", text)
        self.screen.said(text)
        self.ended, self._exhausted = "the space is exhausted", True
        return Answer.OVER

    def _built(self, trial: Trial, assignment: Assignment, unknown: Any) -> list[Job] | None:
        """The trial's nets; None where a person's code raised, which is in its record then."""
        try:
            hp, model = built(self.bench, assignment, unknown)
            self._new.extend(hp.space)
            if not self.executor.builds_here():  # what only ``fit`` asks for is decided by what was proposed
                trial.values = {**assignment.values, **hp.values}
                return None
            trial.values = dict(hp.values)
            jobs = jobs_of(self.bench, replace(assignment, values=dict(hp.values)), hp, model)
            trial.values = dict(hp.values)  # ``fit`` may have asked for more
            self._new.extend(hp.space)
        except Exception:
            trial.status, trial.message = FAILED, traceback.format_exc()
            return None
        return jobs

    def _assignment(self, trial: Trial, whole: bool = True) -> Assignment:
        """What is to be trained for a trial; its source's nets are read where it is `whole`."""
        root, source = trial, trial.source
        by_number = self.trials
        while root.source is not None:
            root = by_number[root.source]
        epochs = trial.notes["epochs"]
        made = Assignment(trial.number, root.number, dict(trial.values), trial.notes["first_epoch"], epochs)
        return made if source is None or not whole else replace(made, sources=tuple(self.nets.read(by_number[source])))

    def _meet(self, parameters: Sequence[Any]) -> None:
        """Know these parameters; the journal keeps those that it does not have."""
        found = {(one.name, one.conditions): one for one in parameters}
        self.study.add_space(found.values())
        for one in found.values():
            self.space.setdefault(one.name, one)
        self._new.clear()

    # -- tell -----------------------------------------------------------------------------------------

    def _tell(self, outcomes: list[Outcome], trials: dict[int, Trial]) -> None:
        """Write down what came of some trials; first their nets, so that a told trial has them."""
        for outcome in outcomes:
            self._score(trials[outcome.number], outcome)
        kept = self._worth_keeping([trials[one.number] for one in outcomes])
        name = self.nets.write([one for one in outcomes if one.number in kept])
        for outcome in outcomes:
            if outcome.number in kept and name is not None:
                trials[outcome.number].notes["nets"] = name
        self._meet([parameter for one in outcomes for parameter in one.space])
        self.study.told([trials[one.number] for one in outcomes])
        for outcome in outcomes:
            first = trials[outcome.number].notes["first_epoch"]
            self.curves.whole(outcome.number, first, [net.history for net in outcome.nets])
            self._under_way.pop(outcome.number, None)
            self.screen.told(trials[outcome.number])

    def _worth_keeping(self, told: list[Trial]) -> set[int]:
        numbers = {trial.number for trial in told}
        return numbers if self.search.continues else numbers & {trial.number for trial in self._best()}

    def _score(self, trial: Trial, outcome: Outcome) -> None:
        trial.values = outcome.values
        trial.seconds = round(outcome.seconds, 6)
        if outcome.failure is not None:
            trial.status, trial.message = FAILED, outcome.failure
            return
        trial.epochs = sum(net.epochs for net in outcome.nets)
        each = [net.scores(self.bench.objectives) for net in outcome.nets]
        trial.executions = [
            {"seed": net.seed, "fold": net.fold, "scores": scores}
            for net, scores in zip(outcome.nets, each, strict=True)
        ]
        values = np.array(each, float)
        trial.scores = [float(v) for v in values.mean(axis=0)]
        if len(values) > 1:
            trial.errors = [float(v) for v in values.std(axis=0, ddof=1) / np.sqrt(len(values))]
        trial.status = COMPLETED
        if not trial.has_score:
            said = [text for net in outcome.nets for text in net.warnings]
            trial.message = said[0] if said else "No epoch gave a finite score."
            return
        first = outcome.nets[0]
        trial.best_step = trial.notes["first_epoch"] + (first.best or 0)
        trial.metrics = _metrics(outcome.nets)

    def _last(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.status != RUNNING][-self.limits.failures :]

    def _all_fails(self) -> bool:
        last = self._last()
        return len(last) == self.limits.failures and not any(trial.has_score for trial in last)

    def _stop_where_all_fails(self) -> None:
        if self._all_fails():
            last = self._last()
            raise SearchFailed("\n".join([f"{len(last)} trials in a row failed; the search stops.", *failures(last)]))

    # -- what the executor says -------------------------------------------------------------------

    def planned(self, record: dict[str, Any]) -> None:
        """A group is formed: it goes into the journal."""
        self.limits.check()
        self.study.note("group", record)

    def progressed(self, group: dict[str, Any], epoch: int, epochs: int, logs: Logs | None = None) -> None:
        """A group has trained an epoch."""
        self.limits.check()
        self.curves.grow(epoch - 1, logs or {})
        first, count = group["trials"][0], len(group["trials"])
        label = f"{group['nets']} nets, layers {group['widths']}" if "nets" in group else f"trial {first}"
        self._under_way[first] = {"label": label, "trials": count, "epoch": epoch, "epochs": epochs}
        if epoch >= epochs:
            del self._under_way[first]
        self.screen.running(list(self._under_way.values()))

    def trained(self, group: dict[str, Any], compiled: int, seconds: float) -> None:
        """A group is done: what it took goes into the journal."""
        record = {"trials": group["trials"], "compiled": compiled, "seconds": round(seconds, 3)}
        self.study.note("group trained", record)
        self.screen.grouped({**group, **record})


def _metrics(nets: Sequence[Net]) -> dict[str, float]:
    """Every log at each net's best epoch, as means over the nets."""
    found: dict[str, list[float]] = {}
    for net in nets:
        for name, values in net.history.items():
            if net.best is not None and net.best < len(values):
                found.setdefault(name, []).append(values[net.best])
    return {name: float(np.mean(values)) for name, values in found.items()}
