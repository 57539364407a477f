"""How a fit goes: sources, checks, then epochs of chunks, with callbacks between them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from thalweg import _seeds, config, data
from thalweg.callbacks import CallbackList, RunFolder
from thalweg.data import DataWarning, Rows, Stream
from thalweg.engine import (
    ArrayFeed,
    Chunk,
    Feed,
    Program,
    Slab,
    StreamFeed,
    TrainState,
    Watch,
    chunk_end,
    origin,
    program,
    run_chunk,
)
from thalweg.models import _checks, _compile
from thalweg.models._interrupts import Interrupts, Terminated
from thalweg.models._memory import explained, rows_a_step
from thalweg.models._not_finite import LossNotFinite, LossWarning, report

if TYPE_CHECKING:
    from thalweg.models._model import Model

_BATCH = 32


def fit(model: Model, **asked: Any) -> Any:
    """Train `model`; the arguments are those of ``Model.fit``."""
    _compile.require_compiled(model, "fit")
    _checks.fit_arguments(asked)
    seed = _seeds.next_seed() if asked["seed"] is None else _seeds.checked(asked["seed"])

    def looked_at() -> tuple[Any, Any, Rows]:
        train, validation = sources(model, asked)
        return train, validation, prepare(model, train, validation, seed)

    begun: list[Session] = []
    with explained("fit", lambda: rows_a_step(begun[0].feed) if begun else None):
        (train, validation, first), said = heard(looked_at)
        begun.append(Session(model, train, validation, first, seed, asked, said))
        return begun[0].run()


def heard(act: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What `act` gives, and the warnings it made, which are shown as the person's own line's."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = act()
    for one in caught:
        warnings.warn(one.message, one.category, stacklevel=4)
    return result, [str(one.message) for one in caught]


def adapted(model: Any, x: Any, y: Any = None, weight: Any = None, **how: Any) -> Any:
    """What was given, as rows or as a stream in the order of the model's inputs and outputs."""
    return data.adapt(x, y, weight, **how, **_checks.names(model))


def sources(model: Model, asked: dict[str, Any]) -> tuple[Any, Any]:
    """The training rows or stream, and those of validation or None."""
    train = adapted(model, asked["x"], asked["y"], asked["sample_weight"], what="fit", batch_size=asked["batch_size"])
    if asked["class_weight"] is not None:
        train = _checks.with_class_weight(train, asked["class_weight"])
    given = asked["validation_data"]
    if given is not None:
        parts = given if isinstance(given, (tuple, list)) else (given,)
        validation = adapted(model, *parts, what="validation_data")
    elif asked["validation_split"]:
        train, validation = data.validation_split(train, asked["validation_split"])
    else:
        validation = None
    return train, validation


def prepare(model: Model, train: Any, validation: Any, seed: int | None) -> Rows:
    """Build the model for the data, draw its weights, and look the rows over; gives the first rows."""
    first = train if isinstance(train, Rows) else data.peek(train)
    ready(model, first, seed)
    looked_over(model, train, "fit")
    if isinstance(train, Rows):
        _checks.one_class(model, train)
    if validation is not None:
        looked_over(model, validation, "validation")
        if isinstance(validation, Rows) and isinstance(train, Rows):
            _checks.between(train, validation)
    return first


def looked_over(model: Model, source: Any, what: str) -> Rows:
    """The first rows of a source whose shapes and numbers fit the model; a stream's others are looked over as they come."""
    if isinstance(source, Rows):
        _checks.rows(model, source, what)
        return source
    first = data.peek(source)
    _checks.rows(model, first, what)
    source.check = lambda rows, place: _checks.rows(model, rows, place)
    return first


def ready(model: Model, first: Rows, seed: int | None = None) -> None:
    """Know the shapes, the weights, the losses and the metrics, from the first rows seen."""
    model._build_for([array.shape[1:] for array in first.x])
    model.draw(seed)
    if model.objective is None:
        model.objective = _compile.objective_of(model)
    _checks.shapes(model, first)
    if model.watch is None and model.compiled is not None and first.y:
        model.watch = _compile.watch_of(model, first)


class _GoneBack(Exception):  # noqa: N818  no error: a fit that leaves an epoch
    """Somebody has gone back to a snapshot."""


class Session:
    """One fit under way."""

    def __init__(
        self, model: Model, train: Any, validation: Any, first: Rows, seed: int, asked: dict[str, Any], said: list[str]
    ) -> None:
        self.model, self.asked, self.seed = model, asked, np.uint32(seed)
        self.seeds: Any = self.seed
        exact = not _checks.per_row(model, first)
        self.feed = feed_of(train, asked["batch_size"], asked, seed if asked["shuffle"] else None, exact, first)
        listed = callbacks_of(asked)
        self.callbacks = CallbackList(
            listed,
            model=model,
            verbose=asked["verbose"],
            epochs=asked["epochs"],
            steps=self.feed.steps,
        )
        assert model.watch is not None
        self.watch: Watch = model.watch.following(self.callbacks.needs)
        self.task = model.task(masked=not exact).watching(self.watch)
        self.program: Program = program("train", self.task)
        self.evaluator = Evaluator(model, validation, asked, exact) if validation is not None else None
        self.history = self.callbacks.history
        self.history.warnings.extend(said)
        self.paths = [public(model, path) for path in self.task.paths]
        self.begin()

    def begin(self) -> None:
        """Nothing has been done yet."""
        self.epoch, self.step = self.asked["initial_epoch"], 0  # steps of the epoch
        self.totals: Any = None  # running sums of the epoch, None between epochs
        self.results: Any = None  # what they make
        self.numbers: Any = self.turned_to()  # hypers of the last chunk; what is turned from here on goes on record
        self.before: Chunk | None = None  # the last chunk whose loss was finite
        self.judges = True  # whether a loss that is no number ends the fit
        self.resumed: dict[str, Any] | None = None  # a snapshot that is still to be taken over
        self.back: dict[str, Any] | None = None  # one that somebody wants to go back to
        self.returned = False  # whether that has been done just now
        self.last_logs: dict[str, Any] = {}
        self.validated = 0  # validations that are done
        self.facts: dict[str, Any] | None = None  # by what the data are known again, once somebody has asked
        self.ended = False  # whether the last epoch is over
        self.broken_by = "failed"  # how a fit ended that did not end by itself
        self.stopped_at: tuple[int, int] | None = None  # epoch and steps done in it, where somebody stopped the fit
        self.interrupts: Interrupts | None = None  # whether somebody wants it to end

    def run(self) -> Any:
        """All epochs; gives the history."""
        model = self.model
        model.stop_training = False
        model.history = self.history
        model.program = self.program
        model.session = self
        with self.callbacks, Interrupts() as interrupts:
            self.interrupts = interrupts
            try:
                self.callbacks.on_train_begin()
                self._run_epochs(interrupts)
                self.ended = True
                self.finalize()
                self.callbacks.on_train_end(self.last_logs)
            finally:
                model.session = None
        return self.history

    def _run_epochs(self, interrupts: Interrupts) -> None:
        self._catch_up()
        try:
            while self.back is not None or (not self.has_run_all and not self.model.stop_training):
                with suppress(_GoneBack):
                    if self.back is not None:
                        self._turn_back()
                    self.last_logs = self.run_epoch(interrupts)
                    self.epoch, self.step, self.totals, self.results = self.epoch + 1, 0, None, None
                    self.safe_point()
                if not self.has_run_all:
                    interrupts.check()
        except (KeyboardInterrupt, Terminated):
            self.broken_by = "interrupted"
            self.settle()
            if interrupts.asked is not None and not interrupts.hard:  # else it was raised anywhere
                self.callbacks.on_safe_point(self.epoch, self.step, last=True)
            self.callbacks.on_train_end(self.last_logs)
            raise
        except LossNotFinite:
            self.callbacks.on_train_end(self.last_logs)
            raise
        except BaseException:
            self.settle()
            raise

    def _catch_up(self) -> None:
        """Where a fit goes on: let the streams leave out what was read; in the middle of an epoch the rest comes later."""
        snapshot = self.resumed
        if snapshot is None:
            return
        self.feed.go_to(snapshot["epoch"] - snapshot["initial_epoch"], snapshot["place"])
        self.validated, place = snapshot["validated"]
        if self.evaluator is not None and place is not None:
            self.evaluator.feed.go_to(self.validated, place)
        if snapshot["step"] == 0 or self.has_run_all:
            self.restore()

    @property
    def has_run_all(self) -> bool:
        """Whether as many epochs are done as were asked for."""
        return bool(self.epoch >= self.asked["epochs"])

    @property
    def outcome(self) -> str:
        """How the fit ended."""
        return ("finished" if self.has_run_all else "stopped early") if self.ended else self.broken_by

    def finalize(self) -> None:
        """See :func:`finalize`."""
        finalize(self.model)

    def run_once(self) -> dict[str, Any]:
        """One epoch without the hooks of a fit: what train_on_batch does."""
        self.judges = False
        with Interrupts() as interrupts:
            return self.run_epoch(interrupts)

    def run_epoch(self, interrupts: Interrupts) -> dict[str, Any]:
        """One epoch, or what is left of it: its chunks, then validation."""
        self.callbacks.on_epoch_begin(self.epoch)
        self.step, self.totals, self.results = 0, self.fresh_totals(), None
        if self.resumed is not None and self.resumed["epoch"] == self.epoch:
            self.restore()  # after that hook, which may have turned something
        with closing(self.feed.epoch(self.epoch, self.step)) as slabs:
            while not (self.step and self.model.stop_training) and (slab := next(slabs, None)) is not None:
                self.run_slab(slab, interrupts)
        if self.results is None:
            raise data.DataError("The training data gave no batch: it is empty, or a generator that has ended.")
        self._check_length()
        self.settle()
        logs = self.logs(self.results)
        if self.evaluator is not None and self._validates(self.epoch):
            found = self.evaluator.run(self.callbacks, interrupts)
            self.validated += 1
            logs.update({f"val_{name}": value for name, value in found.items()})
        self.callbacks.on_epoch_end(self.epoch, logs)
        return logs

    def run_slab(self, slab: Slab, interrupts: Interrupts) -> None:
        """A slab's steps, in chunks."""
        done = slab.start
        offset = self.step - done
        order = self.place(slab.order)
        each = self.callbacks.wants_train_batches
        while done < slab.steps:
            if each:
                self.callbacks.on_train_batch_begin(self.step)
            asked = 1 + done if each else _relative(self.callbacks.next_stop(self.step), offset)
            stop = chunk_end(self.program, done, slab.steps, asked)
            state = self.state(self.totals)  # read anew: a callback may have set weights
            arguments = (state, self.vector(), self.seed, slab.data, order, self.units)
            state, results = run_chunk(self.program, arguments, self.bound(done), self.bound(stop), stop - done)
            logs = self.logs(results)
            self.keep(state)
            if self.judges:
                self.judge(logs, Chunk(arguments, done, stop), offset)
            self.totals, self.results, done, self.step = state.totals, results, stop, offset + stop
            if stop == asked:
                self.settle()  # somebody is to look
            if each:
                self.callbacks.on_train_batch_end(self.step - 1, logs)
            self.callbacks.on_progress(self.step, logs)
            self.safe_point()
            interrupts.check()
            if self.model.stop_training:
                self.stopped_at = (self.epoch, self.step)
                break

    def judge(self, logs: dict[str, Any], chunk: Chunk, offset: int) -> None:
        """Go back to the last finite state where the loss is finite no more, and say where that began."""
        if math.isfinite(logs["loss"]):
            self.before = chunk
            return
        found = origin(self.program, self.task, *chunk, self.before)
        if found.state is not None:
            self.keep(found.state)
        message = report(found, self.epoch, self.task, self.feed.steps, offset)
        if not self.callbacks.ends_on_nan:
            raise LossNotFinite(message, found)
        warnings.warn(message, LossWarning, stacklevel=2)
        self.history.warnings.append(message)

    def all_seeds(self) -> list[int]:
        """The seed, or one a member."""
        return [int(seed) for seed in np.atleast_1d(np.asarray(self.seeds))]

    def data_facts(self) -> dict[str, Any]:
        """By what the training data are known again."""
        if self.facts is None:
            rows = getattr(self.feed, "rows", None)
            self.facts = {"rows": None} if rows is None else {"rows": rows.n, "sha256": data.fingerprint(rows)}
        return self.facts

    def safe_point(self) -> None:
        """The state is whole: whoever keeps checkpoints writes one, and whoever wants to go back says so."""
        self.callbacks.on_safe_point(self.epoch, self.step)
        if self.back is not None:
            raise _GoneBack

    # -- a fit that goes back --------------------------------------------------------------------

    def go_back(self, snapshot: dict[str, Any]) -> None:
        """Be what a snapshot of this fit says, once the safe point under way is over; for callbacks.

        What each callback kept in the snapshot it is handed by ``set_state``.

        Raises:
            ValueError: where the snapshot is of another net, or of data that cannot be read again.

        """
        self.check_snapshot(snapshot)
        if snapshot["data"].get("sha256") is None:
            raise ValueError("A stream cannot be read again: a fit on batches from a source does not go back.")
        self.back = snapshot

    def _turn_back(self) -> None:
        assert self.back is not None
        self.resumed, self.back = self.back, None
        self.epoch, self.step = self.resumed["epoch"], self.resumed["step"]
        self.totals = self.results = self.before = None
        self.returned = True
        self.model.stop_training = False
        self._catch_up()

    # -- a fit that goes on in another process ---------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """All that the fit is at this instant, as nested plain data and arrays; taken at a safe point."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "initial_epoch": self.asked["initial_epoch"],
            "stopped": bool(self.model.stop_training),
            "seeds": self.all_seeds(),
            "data": self.data_facts(),
            "place": self.feed.place(self.step),
            "validated": [self.validated, None if self.evaluator is None else self.evaluator.feed.place(0)],
            "last_logs": self.last_logs,
            "callbacks": self.callbacks.get_state(),
            "results": None if self.results is None else [np.asarray(one) for one in jax.device_get(self.results)],
            **self.members_snapshot(),
        }

    def members_snapshot(self) -> dict[str, Any]:
        """What is each net's own."""
        state = self.state(self.fresh_totals() if self.totals is None else self.totals)
        return {"members": [held_by(self.model, state, self.numbers)]}

    def resume(self, snapshot: dict[str, Any]) -> None:
        """Go on from a snapshot, as soon as every callback has begun; for ``on_train_begin``.

        Where several callbacks have one, the fit goes on from the latest.

        Raises:
            ValueError: where the snapshot is of another net, or of other data.

        """
        self.check_snapshot(snapshot)
        self.feed.look_at(snapshot["place"])
        if snapshot["data"] != self.data_facts():
            raise ValueError(
                f"The checkpoint is of other data: they were {snapshot['data']}, got {self.data_facts()}. Give the fit "
                "the rows, targets and weights it had, in their order, or begin another run."
            )
        if self.resumed is None or (self.epoch, self.step) < (snapshot["epoch"], snapshot["step"]):
            self.take_seeds(snapshot["seeds"])
            self.resumed, self.epoch, self.step = snapshot, snapshot["epoch"], snapshot["step"]

    def check_snapshot(self, snapshot: dict[str, Any]) -> None:
        """Whether every array has its place in the net."""
        if len(snapshot["members"]) != 1:
            raise ValueError(f"The checkpoint is of a population of {len(snapshot['members'])}, this is one net.")
        same_arrays(self.state(self.fresh_totals()), snapshot["members"][0]["state"])

    def take_seeds(self, seeds: list[int]) -> None:
        """Draw and shuffle as the fit before did."""
        self.seeds = self.seed = np.uint32(seeds[0])
        if isinstance(self.feed, ArrayFeed) and self.feed.seed is not None:
            self.feed.seed = seeds[0]

    def restore(self) -> None:
        """Be what the snapshot says."""
        snapshot, self.resumed = self.resumed, None
        assert snapshot is not None
        self.step = snapshot["step"]
        self.restore_members(snapshot)
        self.model.stop_training, self.last_logs = snapshot["stopped"], snapshot["last_logs"]
        self.callbacks.set_state(snapshot["callbacks"])
        self.results = snapshot["results"] if self.step else None
        if self.returned:  # who went back may look around before the fit goes on
            self.returned = False
            self.safe_point()

    def restore_members(self, snapshot: dict[str, Any]) -> None:
        """Give each net its own."""
        state, own = given_back(self.model, snapshot["members"][0], self.state(self.fresh_totals()))
        self.numbers = self.numbers if own is None else own
        self.keep(state)
        self.totals = state.totals if self.step else None

    def settle(self) -> None:
        """Before anybody looks at the model: it holds its arrays already."""

    units: Any = ()

    def place(self, order: Any) -> Any:
        """An order on the device."""
        return jax.device_put(order)

    def bound(self, step: int) -> Any:
        """A bound of the loop as the program takes it."""
        return np.int32(step)

    def logs(self, results: Any) -> dict[str, Any]:
        """Results as the callbacks see them."""
        return self.watch.logs(results)

    def fresh_totals(self) -> Any:
        """Sums of nothing."""
        return self.watch.init()

    def state(self, totals: Any) -> TrainState:
        """The model's arrays as a state."""
        return state_of(self.model, totals)

    def keep(self, state: TrainState) -> None:
        """Hand a state's arrays to the model."""
        take_over(self.model, state)

    def turned_to(self) -> Any:
        """The hypers as they are."""
        return self.task.hypers()

    def vector(self) -> Any:
        """The hypers in force; what changed since the last chunk goes on record."""
        numbers = self.turned_to()
        if not np.array_equal(numbers, self.numbers):
            for i in np.flatnonzero(numbers != self.numbers):
                self.history.changed(self.epoch, self.step, self.paths[i], float(self.numbers[i]), float(numbers[i]))
        self.numbers = numbers
        return numbers.astype(config.floatx())

    def _validates(self, epoch: int) -> bool:
        freq = self.asked["validation_freq"]
        return (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq

    def _check_length(self) -> None:
        wanted = self.feed.steps
        if wanted is not None and self.step < wanted and not self.model.stop_training:
            message = (
                f"The training data ended early: epoch {self.epoch + 1} got {self.step} batches of the {wanted} wanted. "
                "Training goes on; give steps_per_epoch as many steps as there are batches, or a source that repeats."
            )
            warnings.warn(message, DataWarning, stacklevel=2)
            if message not in self.history.warnings:  # said before a fit was broken off in its validation
                self.history.warnings.append(message)


def state_of(model: Model, totals: Any) -> TrainState:
    """A net's arrays as a state."""
    params, frozen = model.arrays()
    if model.optimizer_state is None:
        model.optimizer_state = model.optimizer.init(params)
    return TrainState(params, frozen, model.optimizer_state, model.steps_taken, totals)


def take_over(model: Model, state: TrainState) -> None:
    """Hand a state's arrays to a net."""
    model.hold(state.params, state.frozen)
    model.optimizer_state, model.steps_taken = state.optimizer, state.step
    model.optimizer.iterations = int(state.optimizer.iterations)


def held_by(model: Model, state: TrainState, numbers: Any) -> dict[str, Any]:
    """One net's part of a snapshot."""
    return {
        "state": [np.asarray(leaf) for leaf in jax.tree.leaves(jax.device_get(state))],
        "hypers": dict(model.hypers),
        "numbers": numbers.tolist(),
        "stopped": bool(model.stop_training),
    }


def given_back(model: Model, held: dict[str, Any], like: TrainState) -> tuple[TrainState, Any]:
    """Give a net its part of a snapshot; its state and the hypers of its last chunk."""
    for path, value in zip(list(model.hypers), held["hypers"].values(), strict=True):  # names may be others by now
        if model.hypers[path] != value:
            model.hypers[path] = value
    model.stop_training = held["stopped"]
    numbers = held["numbers"]  # None in checkpoints of old that were written before the first step
    return jax.tree.unflatten(jax.tree.structure(like), held["state"]), None if numbers is None else np.array(numbers)


def same_arrays(like: TrainState, found: list[Any]) -> None:
    wanted = [(np.shape(leaf), np.asarray(leaf).dtype) for leaf in jax.tree.leaves(like)]
    came = [(np.shape(leaf), leaf.dtype) for leaf in found]
    if wanted != came:
        odd = next((pair for pair in zip(wanted, came, strict=False) if pair[0] != pair[1]), (len(wanted), len(came)))
        raise ValueError(
            f"The checkpoint is of another net, optimizer or set of metrics: expected {odd[0]}, got {odd[1]}. Compile the "
            "model as it was, or begin another run."
        )


def finalize(model: Model) -> None:
    """Leave the weights that the optimizer wants at the end: averages, where it keeps some."""
    if model.optimizer_state is not None and model.optimizer.use_ema:
        params, frozen = model.arrays()
        model.hold(model.optimizer.finalize(model.optimizer_state, params), frozen)


class Evaluator:
    """Rows or a stream to evaluate on, placed once, and the program that does."""

    def __init__(self, model: Model, source: Any, asked: dict[str, Any], exact: bool) -> None:
        self.model = model
        first = source if isinstance(source, Rows) else data.peek(source)
        batch = asked["validation_batch_size"] or asked["batch_size"]
        limits = {**asked, "steps_per_epoch": asked["validation_steps"]}
        self.feed = feed_of(source, batch, limits, None, exact, first)
        assert model.watch is not None
        self.watch = model.watch
        self.exact = exact

    def run(
        self, callbacks: Any = None, interrupts: Any = None, progress: Callable[[int, Any], None] | None = None
    ) -> Any:
        """The logs."""
        model = self.model
        task = model.task(masked=not self.exact).without_training()
        evaluate = program("evaluate", task)
        hooks = callbacks if callbacks is not None and callbacks.wants_test_batches else None
        if callbacks is not None:
            callbacks.on_test_begin()
        params, frozen = model.arrays()  # read after that hook, which may exchange them
        vector = task.hypers().astype(config.floatx())
        totals, results = self.watch.init(), None
        seen = 0
        for slab in self.feed.epoch(0):
            order, done = jax.device_put(slab.order), 0
            while done < slab.steps:
                if hooks:
                    hooks.on_test_batch_begin(seen)
                stop = chunk_end(evaluate, done, slab.steps, done + 1 if hooks else None)
                arguments = (params, frozen, totals, vector, slab.data, order, ())
                totals, results = run_chunk(evaluate, arguments, np.int32(done), np.int32(stop), stop - done)
                seen, done = seen + stop - done, stop
                if hooks:
                    hooks.on_test_batch_end(seen - 1, self.watch.logs(results))
                if progress is not None:
                    progress(seen, self.watch.logs(results))
                if interrupts is not None:
                    interrupts.check()
        if results is None:
            raise data.DataError("There is nothing to evaluate on: the data gave no batch.")
        logs: dict[str, Any] = self.watch.logs(results)
        if callbacks is not None:
            callbacks.on_test_end(logs)
        return logs


def feed_of(
    source: Any, batch_size: int | None, asked: dict[str, Any], seed: int | None, exact: bool, first: Rows
) -> Feed:
    """The feed for rows or for a stream."""
    if isinstance(source, Rows):
        batch = int(min(batch_size or _BATCH, source.n if exact else data.capacity(source.n)))  # NumPy's come too
        per_pass = math.ceil(source.n / batch)
        steps = None if asked["steps_per_epoch"] is None else int(asked["steps_per_epoch"])
        if steps is not None and steps > per_pass:
            warnings.warn(
                f"steps {steps} is more than the {per_pass} batches that {source.n} rows make: the rows are read again.",
                DataWarning,
                stacklevel=4,
            )
        return ArrayFeed(source, batch, seed=seed, steps_per_epoch=steps, exact=exact)
    assert isinstance(source, Stream)
    return StreamFeed(
        source,
        steps_per_epoch=asked["steps_per_epoch"],
        size=asked.get("max_queue_size", 10),
        workers=asked.get("workers", 1),
        exact=exact,
        first=first,
    )


def _relative(stop: int | None, offset: int) -> int | None:
    return None if stop is None else stop - offset


def as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def callbacks_of(asked: dict[str, Any]) -> list[Any]:
    """The callbacks asked for: those given, what says when to stop, and the run's folder."""
    run = asked.get("run")
    folder = run if run is None or isinstance(run, RunFolder) else RunFolder(run)
    return [*as_list(asked["callbacks"]), *as_list(asked["until"]), *as_list(folder)]


def public(model: Model, path: str) -> str:
    """A program's path of a hyper, as ``model.hypers`` names it."""
    part, _, rest = path.partition("/")
    if part == "net":
        position, _, local = rest.partition("/")
        return f"{model.network.layers[int(position)].name}/{local}"
    return model.objective_path(rest) if part == "loss" else path
