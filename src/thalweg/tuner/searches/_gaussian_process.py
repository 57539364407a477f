"""Bayesian optimization with a Gaussian process, for any Optuna study."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.samplers import BaseSampler

from thalweg import _checks, _seeds
from thalweg.tuner.searches import _candidates
from thalweg.tuner.searches._acquisition import ACQUISITIONS, lcb
from thalweg.tuner.searches._activity import Active, Learnt, Told
from thalweg.tuner.searches._ascent import Ascent, Field
from thalweg.tuner.searches._encoding import Array, Features, Space
from thalweg.tuner.searches._history import Finished, Reader, split, union
from thalweg.tuner.searches._kernel import LEAST_NOISE, Kernel, fit
from thalweg.tuner.searches._posterior import Posterior
from thalweg.tuner.searches._targets import noise_of, scalarized, warped

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_INITIAL, _SPREAD, _STEP, _WEIGHTS, _INDEPENDENT = range(5)
"""What a generator is for; with the seed, and the number or the count of trials, its key."""

_FITTED = 300
"""A kernel is fitted to no more trials than these."""

_ANCHORS = 5


class GaussianProcessSampler(BaseSampler):
    """Propose the point that promises most, by a Gaussian process on the trials so far."""

    def __init__(
        self,
        seed: int,
        number: int | None = None,
        num_initial_points: int | None = None,
        acquisition: str = "log_ei",
        beta: float = 2.6,
        active: Active | None = None,
    ) -> None:
        self.seed = _seeds.checked(seed)
        self.number = number
        if num_initial_points is not None:
            _checks.number(self, "num_initial_points", num_initial_points, at_least=1)
        self.num_initial_points = num_initial_points
        self.beta = _checks.number(self, "beta", beta, at_least=0)
        self.acquisition = acquisition
        self._promise = partial(lcb, beta=beta) if acquisition == "lcb" else ACQUISITIONS[acquisition]
        self.active = active
        self._reader = Reader()
        self._memos: dict[str, tuple[Any, Any]] = {}

    # -- Optuna's words

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        finished, running = split(study.get_trials(deepcopy=False), trial.number)
        known = self._memo("union", finished, lambda: union(finished))
        return {**known, **union(running)}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        space = self._memo("space", search_space, lambda: Space(search_space))
        if not space.size:
            return space.values(np.empty(0))
        finished, running = split(study.get_trials(deepcopy=False), trial.number)
        read = self._reader(finished, space, study.directions)
        rows = [space.row(one.params) for one in running if one.params]
        pending = np.array(rows).reshape(len(rows), space.size)
        number = trial.number if self.number is None else self.number
        return space.values(self._propose(space, read, pending, number))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        number = trial.number if self.number is None else self.number
        name = int.from_bytes(hashlib.sha256(param_name.encode()).digest()[:16], "big")
        space = Space({param_name: param_distribution})
        return space.values(_seeds.generator(self.seed, number, _INDEPENDENT, name).random(space.size))[param_name]

    def _memo(self, name: str, key: Any, make: Callable[[], Any]) -> Any:
        known = self._memos.get(name)
        if known is None or known[0] != key:
            known = self._memos[name] = (key, make())
        return known[1]

    # -- the proposal

    def _propose(self, space: Space, read: Finished, pending: Array, number: int) -> Array:
        state = digest(repr(space.distributions), *vars(read).values())
        activity = self._memo("activity", state, lambda: self._activity(space, read))
        rows = activity.mask(read.rows) if isinstance(activity, Told) else read.rows
        pending = activity.mask(pending)
        taken = {*space.keys(rows), *space.keys(pending)}
        rng = _seeds.generator(self.seed, number, _STEP)
        first = self.num_initial_points or max(3 * space.size, 3)
        if len(rows) + len(pending) < first or not np.isfinite(read.scores).any():
            point = space.snap(_candidates.sobol(_seeds.generator(self.seed, _INITIAL), space.size, skip=number))
            return fresh(space, activity, point, taken, rng)
        columns = self._memo("columns", state, lambda: np.stack([warped(one) for one in read.scores.T], 1))
        targets = columns[:, 0]
        if columns.shape[1] > 1:
            weights = _seeds.generator(self.seed, number, _WEIGHTS).dirichlet(np.ones(columns.shape[1]))
            targets = scalarized(columns, weights)
        features = Features(space, np.isnan(rows).any(0) | np.isnan(pending).any(0))
        count = checkpoint(len(rows))
        kernel = self._kernel(features, rows[:count], read.scores[:count], read.errors[:count])
        known = noise_of(read.scores[:, 0], targets, read.errors)
        noises = np.where(np.isnan(known), kernel.noise, known + LEAST_NOISE)
        key = digest(kernel.lengths, np.array([kernel.signal, kernel.noise]))
        posterior = self._memo("posterior", key, lambda: Posterior(kernel, count))

        order = np.argsort(columns.mean(1), kind="stable")
        anchors = rows[order[:_ANCHORS]]
        feats = features(rows)
        pend = features(pending)
        n0 = (
            posterior.observe(np.concatenate([feats, pend]), np.concatenate([noises, np.full(len(pend), kernel.noise)]))
            if ("field" in self._memos and self._memos["field"][0] == (state, key))
            else None
        )
        if n0 is None:
            posterior.observe(feats, noises)
            field = self._memo(
                "field", (state, key), lambda: self._field(space, features, activity, posterior, anchors, len(rows))
            )
            n0 = posterior.observe(
                np.concatenate([feats, pend]), np.concatenate([noises, np.full(len(pend), kernel.noise)])
            )
        field = self._memos["field"][1]
        field.follow(posterior, n0)
        w = posterior.targets(targets)
        alpha = posterior.weights(w)
        best = float((targets - noises * alpha[: len(targets)]).min())
        ascent = Ascent(space, features, activity, posterior, w, best, self._promise, taken)
        n = posterior.count
        point = ascent(field, anchors, rng, starts=6 if n < 400 else 3, calls=max(4, min(40, 6000 // n)))
        return fresh(space, activity, np.empty((0, space.size)) if point is None else point[None], taken, rng)

    def _activity(self, space: Space, read: Finished) -> Told | Learnt:
        if self.active is not None:
            return Told(space, self.active)
        return Learnt(space, read.rows[read.well], read.rows[~read.well])

    def _kernel(self, features: Features, rows: Array, scores: Array, errors: Array) -> Kernel:
        def make() -> Kernel:
            if not np.isfinite(scores).any():
                columns = np.zeros_like(scores)
            else:
                columns = np.stack([warped(one) for one in scores.T], 1)
            chosen = subset(columns.mean(1))
            known = noise_of(scores[:, 0], columns[:, 0], errors)
            return fit(features(rows[chosen]), features.group, columns[chosen], known[chosen])

        return self._memo(
            "kernel", digest(repr(features.space.distributions), features.conditional, rows, scores, errors), make
        )

    def _field(
        self,
        space: Space,
        features: Features,
        activity: Told | Learnt,
        posterior: Posterior,
        anchors: Array,
        count: int,
    ) -> Field:
        rows = _candidates.spread(space, anchors, _seeds.generator(self.seed, count, _SPREAD))
        masked = activity.mask(rows)
        keep = list({key: i for i, key in reversed(list(enumerate(space.keys(masked))))}.values())[::-1]
        rows, masked = rows[keep], masked[keep]
        return Field(rows, masked, features(masked) / posterior.kernel.lengths, posterior)


def fresh(space: Space, activity: Told | Learnt, first: Array, taken: set[bytes], rng: np.random.Generator) -> Array:
    """The first of some points that is not taken, or a random one."""
    batches: list[Callable[[], Array]] = [lambda: first, lambda: space.snap(rng.random((256, space.size)))]
    if space.count <= 2**16:
        batches.append(lambda: rng.permutation(space.grid()))
    for batch in batches:
        rows = batch()
        if not len(rows):
            continue
        for row, key in zip(rows, space.keys(activity.mask(rows)), strict=True):
            if key not in taken:
                return row
    return first[0] if len(first) else space.snap(rng.random((1, space.size)))[0]


def checkpoint(count: int) -> int:
    """The last of 1, 2, ..., 19, 20, 22, 24, 26, 28, 30, 33, ... that is not above `count`: a tenth more each time."""
    at = 1
    while (after := max(at + 1, int(1.1 * at))) <= count:
        at = after
    return at


def subset(targets: Array) -> Array:
    """Which trials a kernel is fitted to: the best third of what there is room for, and others evenly by number."""
    count = len(targets)
    if count <= _FITTED:
        return np.arange(count)
    best = np.argsort(targets, kind="stable")[: _FITTED // 3]
    rest = np.setdiff1d(np.arange(count), best)
    even = rest[np.linspace(0, len(rest) - 1, _FITTED - len(best)).round().astype(int)]
    return np.sort(np.concatenate([best, even]))


def digest(*parts: Any) -> bytes:
    """A short name for arrays and texts: equal where they are."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(
            part.encode() if isinstance(part, str) else repr(part.shape).encode() + np.ascontiguousarray(part).tobytes()
        )
    return found.digest()
