"""coach: the course's recipe as a program. Start simple, diagnose, try what the table says, keep what helps."""

from __future__ import annotations

import functools
import math
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import _seeds, data, models
from thalweg._checks import arguments
from thalweg._seconds import seconds_of
from thalweg.callbacks._callback import apart
from thalweg.data import DataError, refuse_sealed
from thalweg.diagnosis._baselines import baselines
from thalweg.diagnosis._errors_of import SPARED, Ground
from thalweg.diagnosis._measured import Measured, inputs_of, measured, part_of
from thalweg.diagnosis._one_thread import one_thread
from thalweg.diagnosis._scenario import HIGH_BIAS, HIGH_VARIANCE, UNDECIDED, WELL, Verdict, verdict
from thalweg.diagnosis._splits import Looked, look_at_split
from thalweg.diagnosis.coaching._candidates import AIMS, Candidate, remedies
from thalweg.diagnosis.coaching._code import code_of
from thalweg.diagnosis.coaching._notebook import Notebook, Page, Tried, wrapped
from thalweg.diagnosis.coaching._plan import Plan, Purpose, build, images_of
from thalweg.diagnosis.coaching._trained import Result, stopping, train
from thalweg.diagnosis.coaching._written import Written
from thalweg.diagnosis.probing import multiply_adds
from thalweg.engine import use_host_devices

SEEDS = 3  # of a plan that is judged: one net more than a spread needs
_FINALISTS = 3  # of a round, which are trained on all of these
_ROUNDS = 5  # for which there shall be time
_MORE = 12  # a round's work, in that of one plan on all seeds: many nets, of which some are larger
_FEWEST = 20  # epochs
_LEAST = 0.4  # of a round's time, with which a shorter one is begun
_FIRST = (64,)  # widths to start from
_SLOWER = 5  # times as slow as a dense net's are multiplications and additions of a convolution, at worst
_SHARE = 0.25  # of the time that is left, which another kind of net may take in a round
_TRIED = 6  # epochs, fewer than which tell nothing of another kind of net
_STEPS = 1500  # that a net of the first plan takes, about
_LEFT = 0.25  # share of the time that the last training may take
_COMPILING = 3  # seconds that compiling the last training takes, about
_BATCHES = (32, 256)  # smallest and largest


@dataclass(frozen=True)
class Coaching:
    """What came of it.

    Attributes:
        model: the net, as it was in its best epoch.
        plan: how it was made.
        notebook: what was seen, tried and kept; ``print(coaching)``.
        error: its validation error.
        unit: of that: ``'error rate'``, ...
        code: Python that builds and trains it.

    """

    model: Any
    plan: Plan
    notebook: Notebook
    error: float
    unit: str
    code: str

    def record(self) -> dict[str, Any]:
        """All but the net as plain data, for JSON."""
        return {
            "plan": self.plan._asdict(),
            "notebook": self.notebook.record(),
            "error": self.error,
            "unit": self.unit,
            "code": self.code,
        }

    def __str__(self) -> str:
        return str(self.notebook)


def coach(
    x: Any,
    y: Any,
    *,
    validation: Any = None,
    target_error: float | None = None,
    time: Any = "5m",
    front: Callable[[], Any] | None = None,
    goal: Any = None,
    preprocessing: dict[str, Any] | None = None,
    run: Any = None,
    callbacks: Iterable[Any] | None = None,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
    doing: Callable[[str], None] | None = None,
    code: Callable[[Plan, Purpose, Ground], str] | None = None,
    verbose: Any = "auto",
) -> Coaching:
    """Find a net for some rows by the course's recipe.

    It starts with a small net and diagnoses it. Where the training error is what is too large, it tries a larger net, longer
    training, other rates and optimizers; where the gap to the validation error is, L2, L1, dropout and less complexity. Of images
    it tries convolution, where there is time for it, and against a gap to move them about. The remedies of a round train side by side, on one seed each. The best three are trained again beside what they are to replace,
    on three other seeds, and the best one is kept where it is better by more than the noise of seeds. That goes on until the target is
    reached, the time is up, or no remedy helps. Ctrl-C ends it, too: the best net so far is what it gives. Test rows stay where
    they are: it sees training and validation rows alone.

    Args:
        x: inputs: an array, or a list of arrays.
        y: targets: class numbers, 0 and 1 for several labels, or numbers.
        validation: ``(x, y)`` to choose by; None spares a fifth of the rows.
        target_error: when to stop: an error rate, a share of wrong labels, or for numbers a share of unexplained variance.
            None: go on as long as something helps.
        time: to take, in seconds or as ``'10m'``. The last round may take a little longer.
        front: makes what a net begins with, as ``models.table_front`` does; None: rows are laid flat and scaled.
        goal: what the net is trained for, a ``models.Goal``; None: by what the targets look like.
        preprocessing: goes with the net into its file: from cells to inputs, as a recipe's ``record()``.
        run: a folder for the net that was found: an ordinary run, with the notebook (``coach.json``, which grows from the begin)
            and the code (``net.py``) beside it. Or a :class:`~thalweg.callbacks.RunFolder`.
        callbacks: of the run; :class:`thalweg.studio.Studio` shows the coach from the begin.
        seed: of everything random.
        tell: is handed each part of the story as soon as it is written; None: `print`, as `verbose` says.
        doing: is handed what it is busy with, in a few words, as often as that changes.
        code: from a plan, what it is for and its rows to Python that builds and trains it, where rows come from elsewhere than
            two arrays.
        verbose: 0 says nothing; 1 prints the story; 'auto' does so in a terminal.

    Returns:
        The :class:`Coaching`; ``print`` it for the story.

    Raises:
        thalweg.data.DataError: on rows that cannot be learnt from.
        ValueError: on a target or a time out of range.

    Example:
        >>> import numpy as np, thalweg
        >>> x = np.random.default_rng(0).normal(size=(300, 2))
        >>> found = thalweg.coach(x, (x[:, 0] > 0).astype(int), target_error=0.05, time=20)
        >>> found.error < 0.06, found.model.predict(x[:5]).shape
        (True, (5, 2))

    Source: Ng 2018, "Machine learning yearning"; Goodfellow et al. 2016, "Deep learning", ch. 11.

    """
    refuse_sealed(x, y, validation)
    arguments("coach", {"verbose": verbose}, {"verbose": (lambda one: one in ("auto", 0, 1), "'auto', 0 or 1")})
    if tell is None and (verbose == 1 or (verbose == "auto" and sys.stdout.isatty())):
        tell = functools.partial(print, flush=True)
    if validation is not None and not (isinstance(validation, (tuple, list)) and len(validation) in (2, 3)):
        raise TypeError(
            f"validation must be rows to choose by, (x, y), got {validation!r}; None spares a fifth of the rows."
        )
    if target_error is not None and not 0 <= float(target_error) < math.inf:
        raise ValueError(f"target_error must be a number of at least 0, an error rate like 0.02, got {target_error!r}.")
    use_host_devices()
    given = _ground(x, y, validation, front, goal, preprocessing, seed)
    cut = seed if validation is None else None
    folder = None if run is None else Path(getattr(run, "folder", run))
    watching, own = apart(callbacks or ())
    with Written(folder) as written:
        for one in watching if folder is not None else ():
            one.on_search_begin(folder)
        lesson = _Lesson(given, target_error, seconds_of(time, "time"), seed, tell, doing, cut, written)
        lesson.go()
        return lesson.end(run, code, [*watching, *own])


def _ground(
    x: Any, y: Any, validation: Any, front: Any, goal: Any, preprocessing: Any, seed: int
) -> tuple[Purpose, data.Rows, data.Rows]:
    if validation is None:
        cut = data.split(x, y, SPARED, 0, seed=_seeds.checked(seed))
        (x, y), validation = cut.train, cut.validation
    rows = data.adapt(x, y, what="coach")
    rest = data.adapt(*validation, what="validation")
    if not isinstance(rows, data.Rows) or not isinstance(rest, data.Rows):
        raise DataError("coach goes through the rows many times: it needs arrays, got a source of batches.")
    goal = models.goal_of(rows.y[0]) if goal is None else goal
    if front is None:
        if len(rows.x) != 1:
            raise DataError(f"coach got {len(rows.x)} arrays of inputs: say how a net begins with them, front=...")
        front = models.array_front(rows.x[0])
    scale = None
    if goal.loss == "mse":
        values = np.asarray(rows.y[0], np.float64).reshape(rows.n, -1)
        scale = (values.mean(axis=0), np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0))
    asked = (goal.outputs, goal.activation, goal.loss, goal.metric)
    purpose = Purpose(front, *asked, rows.n, images_of(front()), scale, preprocessing)
    return purpose, rows, rest


@dataclass
class _Lesson:
    """A coaching under way."""

    given: tuple[Purpose, data.Rows, data.Rows]
    target: float | None
    seconds: float
    seed: int
    tell: Callable[[str], None] | None
    doing: Callable[[str], None] | None
    cut: int | None  # the seed by which validation rows were spared, where nobody gave any
    written: Written
    pages: list[Page] = field(default_factory=list)
    draws: int = 0

    def __post_init__(self) -> None:
        self.begun = time.monotonic()
        self.purpose, rows, rest = self.given
        batch = int(np.clip(2 ** round(math.log2(max(rows.n / 60, 1))), *_BATCHES))
        epochs = int(np.clip(_STEPS * batch // rows.n, 10, 100))
        self.plan = Plan(_FIRST, batch=batch, epochs=epochs)
        model = build(self.plan, self.purpose)
        self.found: Measured = measured(model, rows, rest)
        if self.target is not None and self.target > 1 and self.found.task.NAME != "numbers":
            raise ValueError(f"target_error is an error rate, between 0 and 1, like 0.02, got {self.target!r}.")
        self.ground = Ground(self.found.task, self.found.train.rows, self.found.validation.rows, self.found.spread)
        self.busy("looking at the rows, and what others make of them")
        with one_thread("sklearn.ensemble"):
            self.others = baselines(self.found, self.seed)
            self.looked: Looked = look_at_split(self.found, self.others)
        self.pace = 0.0  # seconds that a round takes
        self.epoch = 0.0  # seconds that an epoch of a net takes
        self.ended = ""

    # -- the rounds -------------------------------------------------------------------------------

    def go(self) -> None:
        """Round after round, until it ends, or somebody ends it."""
        try:
            self.rounds()
        except KeyboardInterrupt:
            if "now" not in vars(self):
                raise  # before there is any net
            saw, _ = self.see(self.read(), set())
            self.ended = "Stopped by hand: the best net so far it is."
            self.page(saw, "", (), None, self.ended, 0.0)

    def rounds(self) -> None:
        """Start simple; then a round for what is too large, again and again."""
        shown, best = self.ground.task.shown, self.others.found[0]
        wrong = "".join(f" Found in the rows: {one.evidence}; {one.remedy}." for one in self.looked.findings)
        numbers = self.ground.task.NAME == "numbers"
        unit = "; errors are squared errors as a share of the variance of the training targets" if numbers else ""
        self.began = (
            f"{self.ground.train.n:,} training rows, {self.ground.rest.n:,} validation rows. Without a net the validation error is "
            f"{shown(best.error)} ({best.name}), with a constant {shown(float(self.found.validation.constant.mean()))}{unit}.{wrong} "
            f"Start simple: {self.plan}."
        )
        self.say(wrapped(self.began))
        self.written.write(self.notebook())
        self.busy("training the first net")
        self.now = self.first()
        self.fit_to_time()
        failed: set[str] = set()
        while True:
            saw, aim = self.see(self.read(), failed)
            if not aim:
                if self.target is None or float(self.now.validation[self.now.place]) > self.target:
                    self.polish()
                self.page(saw, "", (), None, self.ended, 0.0)
                break
            kept = self.round(saw, aim)
            failed = set() if kept else failed | {aim}

    def see(self, read: Verdict, failed: set[str]) -> tuple[str, str]:
        """What the errors say, and which gap to close; an empty one says that it is over."""
        shown, reached = self.ground.task.shown, read.target.reached.value
        own, rest = float(self.now.train.mean()), float(self.now.validation.mean())
        asked = "" if self.target is None else f", asked for {shown(self.target)}"
        saw = f"Training error {shown(own)}, validation error {shown(rest)}{asked}: {read.scenario}."
        if self.target is not None and rest <= self.target:
            self.ended = "The target is reached: stop. Open the test set once."
            return saw, ""
        if rest == 0:
            self.ended = (
                "No validation row is wrong: these rows cannot tell what would be better. Stop, or validate on more."
            )
            return saw, ""
        if self.left() < _LEAST * self.pace:
            self.ended = f"Of the {self.seconds:.0f} s too little is left for another round."
            return saw, ""
        goal = reached if self.target is None else self.target
        larger = "bias" if own - min(goal, rest) > rest - own else "variance"
        first = {HIGH_BIAS: "bias", HIGH_VARIANCE: "variance"}.get(read.scenario, larger)
        if failed:
            saw += f" Nothing helped against {' nor '.join(sorted(failed))}."
        elif read.scenario in (WELL, UNDECIDED) and self.target is None:
            saw += " No target was asked for, so go on as long as something helps."
        for aim in (first, "variance" if first == "bias" else "bias", "both"):
            if aim not in failed:
                return saw, aim
        self.ended = "No remedy helps any more, neither against bias, nor against variance, nor both: more or better rows would have to."
        return saw, ""

    def round(self, saw: str, aim: str) -> bool:
        """Try the remedies side by side; whether one was kept.

        Each is trained on one seed; the best few then on other seeds, beside what they are to replace: the best of many is
        lucky too.
        """
        begun, number = time.monotonic(), len(self.pages) + 1
        tried = self.to_try(aim)
        self.busy(f"round {number}: {len(tried)} remedies against {AIMS[aim]}, side by side")
        results = self.trained([one.plan for one in tried], 1, self.left() / 2)
        first = sorted(_both(tried, results), key=lambda pair: self.rank(pair[1], aim))
        finalists = first[:_FINALISTS]
        self.busy(f"round {number}: the best {len(finalists)} again, on {SEEDS} other seeds")
        now, *results = self.trained([self.plan, *(one.plan for one, _ in finalists)], SEEDS, self.left())
        assert now is not None, "the first plan is trained in any case"
        self.epoch = now.seconds / now.plan.epochs
        again = _both([one for one, _ in finalists], results)
        self.pace = time.monotonic() - begun
        kept, why = self.judged(now, min(again, key=lambda pair: self.rank(pair[1], aim), default=None), aim)
        told = sorted((_told(*pair) for pair in again), key=lambda one: one.validation)
        told += sorted((_told(*pair) for pair in first[_FINALISTS:]), key=lambda one: one.validation)
        self.page(saw, aim, tuple(told), kept, why, time.monotonic() - begun)
        return kept is not None

    def to_try(self, aim: str) -> list[Candidate]:
        """The remedies for which there is time."""
        found = [self.in_time(one) for one in remedies(aim, self.plan, self.purpose.images)]
        tried = [one for one in found if one is not None]
        if self.left() < self.pace:  # for which the first remedies of the course's order must do
            tried = tried[: max(_FINALISTS, int(len(tried) * self.left() / self.pace))]
        return tried

    def rank(self, result: Result, aim: str) -> float:
        """What a round looks at: validation error and loss; against bias also the training error, whose turn comes first."""
        rest = float((result.validation + result.loss / 2).mean())
        return rest + 0.25 * float(result.train.mean()) if aim == "bias" else rest

    def judged(self, now: Result, best: tuple[Candidate, Result] | None, aim: str) -> tuple[str | None, str]:
        """The name of the best remedy, where it is better than what there is by more than the noise of seeds; and why."""
        if best is None:
            return None, "Nothing kept: there was no time to train the best ones again on other seeds."
        if now.plan != self.plan:  # time ended its training early: what it came to before counts
            now = self.now
        shown, (one, new) = self.ground.task.shown, best
        both = [np.array([self.rank(_single(each, i), aim) for i in range(SEEDS)]) for each in (now, new)]
        gain = float(both[0].mean() - both[1].mean())
        noise = math.sqrt(sum(float(each.var(ddof=1)) for each in both) / SEEDS)
        means = [(float(each.train.mean()), float(each.validation.mean())) for each in (now, new)]
        parts = zip(("training", "validation"), *means, strict=True)
        told = " and ".join(f"{part} {shown(old)} -> {shown(young)}" for part, old, young in parts)
        if gain <= noise:
            self.now = min((self.now, now), key=lambda each: self.rank(_single(each, each.place), "variance"))
            return None, f"Nothing kept: {one.name} comes nearest, but not beyond the noise of seeds ({told})."
        self.pace *= max(1.0, new.seconds / now.seconds)  # rounds with larger nets take longer
        self.plan, self.now, self.epoch = one.plan, new, new.seconds / new.plan.epochs
        return one.name, f"Kept: {one.name} ({told} on three new seeds: beyond their noise)."

    def polish(self) -> None:
        """In the end: the net that there is, trained to the end with a falling rate, and for longer."""
        plans, left = [self.plan], self.left() + _LEFT * self.seconds - _COMPILING
        for times in (1, 2, 4):
            longer = self.plan._replace(schedule="cosine", epochs=times * self.plan.epochs)
            left -= SEEDS * longer.epochs * self.epoch
            if left > 0 and longer != self.plan:
                plans.append(longer)
        self.busy("training to the end, the rate falling to 0")
        results = self.trained(plans, SEEDS, self.left() + _LEFT * self.seconds)
        best = min([self.now, *filter(None, results)], key=lambda one: self.rank(one, "variance"))
        if best is not self.now and best.plan.schedule == "cosine":
            self.ended += f" In the end the rate falls to 0, for up to {best.plan.epochs} epochs."
        self.plan, self.now = best.plan, best

    # -- what rounds are made of --------------------------------------------------------------------

    def first(self) -> Result:
        """The plan that there is, on its seeds, however long it takes."""
        (found,) = self.trained([self.plan], SEEDS, math.inf)
        assert found is not None, "the first plan is trained in any case"
        return found

    def trained(self, plans: list[Plan], count: int, seconds: float) -> list[Result | None]:
        """Plans on seeds that nobody has had yet, within a time; None where there was none for it."""
        self.draws += 1
        seeds = [int(one) for one in np.random.SeedSequence((self.seed, self.draws)).generate_state(count)]
        return train(plans, self.purpose, self.ground, seeds, time.monotonic() + seconds)

    def read(self) -> Verdict:
        """The table, for the net that there is."""
        model, found = self.now.best, self.found
        targets = found.train.targets
        constant = found.task.constant(targets)
        parts = [
            part_of(model, rows, found.task, found.spread, constant) for rows in (self.ground.train, self.ground.rest)
        ]
        return verdict(
            found._replace(train=parts[0], validation=parts[1]), self.others, self.target, self.looked.weight, self.seed
        )

    def fit_to_time(self) -> None:
        """Fewer epochs, where a round of the first ones would take too much of the time."""
        begun = time.monotonic()
        self.now = self.first()
        self.epoch = self.now.seconds / self.plan.epochs
        a_round = _MORE * (time.monotonic() - begun)
        share = self.seconds / _ROUNDS / a_round
        if share < 1:
            self.plan = self.plan._replace(epochs=max(_FEWEST, int(share * self.plan.epochs)))

    def in_time(self, one: Candidate) -> Candidate | None:
        """The candidate itself; of another kind of net for as many epochs as there is time for, None where those are too few."""
        if one.plan.filters == self.plan.filters:
            return one
        dearer = multiply_adds(build(one.plan, self.purpose)) / multiply_adds(build(self.plan, self.purpose))
        epoch = self.epoch * dearer * (1 if self.plan.filters else _SLOWER)
        epochs = int(_SHARE * self.left() / (1 + SEEDS) / epoch)
        return None if epochs < _TRIED else one._replace(plan=one.plan._replace(epochs=min(epochs, one.plan.epochs)))

    def left(self) -> float:
        """Seconds for further rounds."""
        return self.seconds * (1 - _LEFT) - (time.monotonic() - self.begun)

    def page(self, saw: str, aim: str, tried: Any, kept: str | None, why: str, seconds: float) -> None:
        """A page more."""
        self.pages.append(Page(saw, aim, tried, kept, why, str(self.plan), seconds))
        self.say(self.pages[-1].text(len(self.pages)))
        self.written.write(self.notebook())

    def busy(self, what: str) -> None:
        """Tell whoever watches."""
        told = f"{what} ({time.monotonic() - self.begun:.0f} of {self.seconds:.0f} s)"
        self.written.busy = told
        if "began" in vars(self):
            self.written.write(self.notebook())
        if self.doing is not None:
            self.doing(told)

    def notebook(self, end: str = "") -> Notebook:
        """What there is of it."""
        return Notebook(self.began, tuple(self.pages), end)

    def say(self, text: str) -> None:
        """Tell who listens."""
        if self.tell is not None:
            self.tell(text)

    def end(self, run: Any, code: Callable[[Plan, Purpose, Ground], str] | None, callbacks: list[Any]) -> Coaching:
        """The net: that of the kept plan with the lowest validation error, trained as an ordinary run where one is asked for."""
        best = self.now.best
        place = self.now.place
        error = float(self.now.validation[place])
        text = (code or functools.partial(code_of, cut=self.cut))(self.plan, self.purpose, self.ground)
        if run is not None:
            best = self._run(run, self.now.seeds[place], callbacks)
            error = float(part_of(best, self.ground.rest, self.found.task, self.found.spread, 0).error)
        seen, shown = self.read().validation, self.ground.task.shown
        end = (
            f"The net, the best of {SEEDS}: {self.plan}; validation error {shown(error)} after {time.monotonic() - self.begun:.0f} s, known to lie between "
            f"{shown(seen.low)} and {shown(seen.high)} by so many rows, and chosen by them: expect a little more on others."
        )
        self.say(wrapped(end))
        done = Coaching(best, self.plan, self.notebook(end), error, self.ground.task.UNIT, text)
        self.written.end(done.record(), text)
        return done

    def _run(self, folder: Any, seed: int, callbacks: list[Any]) -> Any:
        """The same net once more, as a run; gives the net of its best epoch."""
        self.busy("training the net once more, as a run")
        self.written.let_go()
        model = build(self.plan, self.purpose)
        model.fit(
            inputs_of(self.ground.train),
            self.ground.train.y[0],
            batch_size=self.plan.batch,
            epochs=self.plan.epochs,
            validation_data=(inputs_of(self.ground.rest), self.ground.rest.y[0]),
            callbacks=[stopping(self.plan), *callbacks],
            seed=seed,
            run=folder,
            verbose=0,
        )
        return model


def _single(result: Result, i: int) -> Result:
    """One seed of it."""
    part = slice(i, i + 1)
    return result._replace(train=result.train[part], validation=result.validation[part], loss=result.loss[part])


def _both(tried: list[Candidate], results: list[Result | None]) -> list[tuple[Candidate, Result]]:
    """Each with what came of it, where there was time for it."""
    return [(one, result) for one, result in zip(tried, results, strict=True) if result is not None]


def _told(tried: Candidate, result: Result) -> Tried:
    rest = result.validation
    spread = float(rest.std(ddof=1)) if len(rest) > 1 else None
    return Tried(tried.name, len(rest), float(result.train.mean()), float(rest.mean()), spread)
