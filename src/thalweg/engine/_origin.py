"""Where a loss that is no finite number any more began.

Nothing is watched while a net trains. Once a chunk's running loss is lost, the chunk is run again from the state it
started from, by the very program that lost it and so bit for bit: its bounds are data, and a sum that is no finite
number stays none, so halving finds the step. Then that one step is looked at part by part.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from thalweg.engine._finding import Finding, in_pass, in_update, in_weights
from thalweg.engine._mixed import Member
from thalweg.engine._population import share_out
from thalweg.engine._program import Program
from thalweg.engine._scene import Scene, finite, moved, of_member, scene
from thalweg.engine._state import TrainState
from thalweg.engine._step import Passed
from thalweg.engine._task import Task


class Origin(NamedTuple):
    """The first number that was not finite, and what to go back to.

    Steps are counted as the chunk's bounds are. Where something lies in the chunk before, the count goes on
    backwards: -1 is the last step of a chunk before one that starts at 0.

    Attributes:
        step: whose loss was the first that is not finite.
        state: the last state before that step with finite weights and a finite loss of its own. Where the first step
            has nothing before it, the state it started from; None where no state with finite weights is known.
        before: the step that `state` stands before, or None.
        kind: ``'input'``, ``'weights'`` (given so), ``'activation'``, ``'loss'``, ``'penalty'``, ``'gradient'``
            or ``'update'``.
        place: a layer's name, a weight's path, a loss's name, or a row and column of the batch.
        detail: plain data. Always ``loss`` (of `step`), ``loss_before`` (of `state`, or None), ``rate`` (the
            learning rate, or None), ``values``, ``nan``, ``inf`` and ``largest`` (how many numbers the place has,
            how many are none, the largest size of the others), and ``by``, ``rows`` and others where they are known.
        made: the step in which the number was made: `step`, or an earlier one for ``'gradient'`` and ``'update'``.

    """

    step: int
    state: TrainState | None
    before: int | None
    kind: str
    place: str
    detail: dict[str, Any]
    made: int


class Chunk(NamedTuple):
    """A chunk as it was run: the program's arguments, and the bounds as numbers."""

    arguments: tuple[Any, ...]
    start: int
    stop: int


def origin(
    program: Program,
    task: Task,
    arguments: tuple[Any, ...],
    start: int,
    stop: int,
    earlier: tuple[tuple[Any, ...], int, int] | None = None,
    member: int | None = None,
    share: Member | None = None,
) -> Origin:
    """Find where the loss was lost in a chunk.

    Args:
        program: the one that ran it.
        task: what the program was made for.
        arguments: of the program, without the bounds; none of them was donated.
        start, stop: the bounds, as numbers.
        earlier: arguments, start and stop of the chunk before, which the loss came through.
        member: which one of a population's, for a program that is spread over members; all of them are in
            `arguments`. No other member runs a step, and no other program is compiled.
        share: the member's share of the program: what is told, and the states, are then those of its own net.

    Raises:
        ValueError: where the running loss is finite after the chunk, or was not finite before it.

    """
    search = Search(program, task, member, share, Chunk(arguments, start, stop), earlier and Chunk(*earlier))
    if not np.isfinite(search.mean(start)):
        raise ValueError(f"The running loss was no finite number before step {start}: ask about the chunk before.")
    if np.isfinite(search.mean(stop)):
        raise ValueError(f"The running loss is finite after the steps {start} to {stop}: there is nothing to find.")
    step = _first(start, stop, lambda i: not np.isfinite(search.mean(i + 1)))
    found = _lost_forward(search, step) if finite(_weights(search.state(step))) else _lost_weights(search, step)
    return found if share is None or found.state is None else found._replace(state=share.own(found.state))


class Search(NamedTuple):
    """What is run again."""

    program: Program
    task: Task
    member: int | None
    share: Member | None
    chunk: Chunk
    earlier: Chunk | None

    def run(self, chunk: Chunk, step: int) -> tuple[TrainState, float]:
        """The state before `step` of `chunk`, and the running loss there."""
        bounds = self._bounds(chunk, step)
        state, results = self.program(*chunk.arguments, *bounds)
        if self.member is not None:
            state, results = of_member((state, results[0]), self.member)
            return state, float(results)
        return state, float(results[0])

    def _bounds(self, chunk: Chunk, step: int) -> tuple[Any, Any]:
        if self.member is None:
            return np.int32(chunk.start), np.int32(step)
        seeds = chunk.arguments[2]  # one a member, and laid out as the bounds are

        def placed(bound: int) -> Any:
            bounds = np.zeros(len(seeds), np.int32)
            bounds[self.member] = bound
            return share_out(bounds, len(seeds.sharding.device_set) if isinstance(seeds, jax.Array) else 1)

        return placed(chunk.start), placed(step)

    def state(self, step: int) -> TrainState:
        """The state before `step`."""
        return self.run(self.chunk, step)[0]

    def mean(self, step: int) -> float:
        """The running loss before `step`."""
        return self.run(self.chunk, step)[1]

    def scene(self, chunk: Chunk, state: TrainState, step: int) -> Scene:
        """A step, to be looked at."""
        return scene(self.task, chunk.arguments, state, step, self.member, self.share)

    def own(self, state: TrainState) -> TrainState:
        """A state as the member's own net has it."""
        return state if self.share is None else self.share.own(state)

    def leads_on(self) -> bool:
        """Whether the chunk before ends with the weights that this one starts from: nobody set others in between."""
        if self.earlier is None:
            return False
        ended, begun = self.run(self.earlier, self.earlier.stop)[0], self.state(self.chunk.start)
        pairs = zip((*ended.params, *ended.frozen), (*begun.params, *begun.frozen), strict=True)
        return all(np.array_equal(one, other) for one, other in pairs)


class _Known(NamedTuple):
    """A state with finite weights and a finite loss, and where it stands."""

    chunk: Chunk
    step: int  # of its chunk
    state: TrainState
    before: int  # of the chunk that lost the loss


def _lost_forward(search: Search, step: int) -> Origin:
    """The weights of the step are finite: something on the way from the batch to the loss is not."""
    state = search.state(step)
    now = search.scene(search.chunk, state, step)
    passed = now.passed(now.state.params)
    facts = _facts(now, passed)
    known = _step_before(search, step) if step > search.chunk.start or search.leads_on() else None
    if known is None:
        found = in_pass(now, passed, None)
        known = _Known(search.chunk, step, state, step)
    else:
        was = search.scene(known.chunk, known.state, known.step)
        seen = was.passed(was.state.params)
        found = in_pass(now, passed, seen)
        facts |= {"loss_before": float(seen.loss), "moved": moved(known.state.params, state.params)}
    return _origin(step, known, found, facts, step)


def _lost_weights(search: Search, step: int) -> Origin:
    """The weights of the step are not finite: an earlier step made them so, or they were given so."""
    now = search.scene(search.chunk, search.state(step), step)
    facts = _facts(now, now.passed(now.state.params))
    breaking = _breaking(search, step)
    if breaking is not None:
        chunk, made = breaking
        known = _known(search, chunk, made)
        was = search.scene(chunk, known.state, made)
        found = in_update(was, search.own(search.run(chunk, made + 1)[0]))
        facts |= {"loss_before": float(was.passed(was.state.params).loss), "rate": was.rate()}
        return _origin(step, known, found, facts, known.before)
    start = search.chunk.start
    found = in_weights(search.scene(search.chunk, search.state(start), start))
    return _origin(step, _step_before(search, start), found, facts, start)


def _facts(now: Scene, passed: Passed) -> dict[str, Any]:
    return {"loss": float(passed.loss), "loss_before": None, "rate": now.rate()}


def _origin(step: int, known: _Known | None, found: Finding, facts: dict[str, Any], made: int) -> Origin:
    state, before = (known.state, known.before) if known else (None, None)
    return Origin(step, state, before, found.kind, found.place, {**facts, **found.detail}, made)


def _breaking(search: Search, step: int) -> tuple[Chunk, int] | None:
    """The chunk and the step in which the weights were lost that are not finite before `step`; None where none did it.

    What the optimizer remembers may be lost a while before the weights are, as where it gathers gradients: that
    counts too, unless it is infinite from the start, as a best loss yet.
    """
    earlier = search.earlier
    for parts in (_all_trained, _weights):
        for chunk, last in ((search.chunk, step), *([(earlier, earlier.stop)] if earlier else [])):
            begun, ended = search.run(chunk, chunk.start)[0], search.run(chunk, last)[0]
            if finite(parts(begun)) and not finite(parts(ended)):
                return chunk, _first_without(search, chunk, last, parts)
    return None


def _first_without(search: Search, chunk: Chunk, last: int, parts: Callable[[TrainState], Any]) -> int:
    return _first(chunk.start, last, lambda i: not finite(parts(search.run(chunk, i + 1)[0])))


def _step_before(search: Search, step: int) -> _Known | None:
    """The state of the step before `step`, which may lie in the chunk before; None where it is not finite."""
    if step > search.chunk.start:
        return _known(search, search.chunk, step - 1)
    if search.earlier is None:
        return None
    known = _known(search, search.earlier, search.earlier.stop - 1)
    return known if finite(_weights(known.state)) else None


def _known(search: Search, chunk: Chunk, step: int) -> _Known:
    shift = 0 if chunk is search.chunk else search.chunk.start - chunk.stop
    return _Known(chunk, step, search.run(chunk, step)[0], step + shift)


def _first(start: int, stop: int, lost: Callable[[int], bool]) -> int:
    """The first number of start..stop - 1 from which on it is lost; found by halving."""
    return start + bisect_left(range(start, stop), True, key=lost)


def _weights(state: TrainState) -> Any:
    return state.params, state.frozen


def _all_trained(state: TrainState) -> Any:
    return state.params, state.frozen, state.optimizer
