"""Which hyperparameters mattered, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.tuner._summary import meanings, value_of
from thalweg.tuner._trial import Trial

if TYPE_CHECKING:
    from thalweg.tuner._objective import Objective
    from thalweg.tuner._parameters import Parameter

_TREES = 64  # of the forest that is believed
_REPEATS = 24  # smaller forests on trials drawn anew, for the intervals
_TREES_AGAIN = 12
_QUANTILES = (0.05, 0.95)
_FEWEST = 8  # trials below which nothing is said about a parameter
_FENCE = 3.0  # quartile distances behind the worse quartile, from where scores are one and the same disaster
_BAR = 30  # characters

Array = np.ndarray[Any, np.dtype[Any]]


class ParameterImportance(NamedTuple):
    """How much one hyperparameter mattered.

    Attributes:
        name: its name.
        importance: share of the scores' variance that it explains on its own, 0 to 1.
        low: lower end of a 90 % interval.
        high: its upper end.
        trials: how many trials had it.
        conditional: whether it was active in some trials only; the share is then one of their variance.
        clear: whether the interval lies above what a random column would get.

    """

    name: str
    importance: float
    low: float
    high: float
    trials: int
    conditional: bool = False
    clear: bool = True


@dataclass(frozen=True)
class Importance:
    """Which hyperparameters mattered, the most important first. ``str()`` draws it.

    Attributes:
        objective: name of the score.
        parameters: a record each, the most important first.
        trials: with a score.
        warnings: what to keep in mind: too few trials, nothing above the noise.

    """

    objective: str
    parameters: tuple[ParameterImportance, ...]
    trials: int
    warnings: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[ParameterImportance]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, name: str) -> ParameterImportance:
        """The record of a hyperparameter, by its name."""
        return {one.name: one for one in self.parameters}[name]

    def __str__(self) -> str:
        lines = [f"What {self.objective} depended on, by {self.trials} trials (share of its variance, 90 % interval)"]
        width = max((len(one.name) for one in self.parameters), default=0)
        lines += [_bar(one, width) for one in self.parameters]
        if any(one.conditional for one in self.parameters):
            lines.append("* among the trials in which it was active")
        return "\n".join([*lines, *self.warnings])


def _bar(one: ParameterImportance, width: int) -> str:
    """Full up to the low end of the interval, thin up to the high one."""
    sure, maybe = round(_BAR * one.low), round(_BAR * one.high)
    bar = ("━" * sure + "─" * (maybe - sure)).ljust(_BAR)
    numbers = f"{one.importance:.2f} ({one.low:.2f} to {one.high:.2f})"
    more = (f"  * {one.trials} trials" if one.conditional else "") + ("" if one.clear else "  within the noise")
    return f"{one.name:<{width}}  {bar}  {numbers}{more}"


def importance(
    trials: Iterable[Trial], space: Iterable[Parameter], objective: Objective, seed: int = 0, index: int = 0
) -> Importance:
    r"""How much of the scores' variance each hyperparameter explains on its own: functional ANOVA.

    A forest of regression trees predicts the score :math:`f` from the hyperparameters :math:`x`. A tree is constant on
    boxes, so the mean over all others, and its variance, follow exactly:

    .. math:: f_j(x_j) = \int f \, dx_{-j}, \qquad
              \text{importance}_j = \operatorname{Var}[f_j] / \operatorname{Var}[f]

    each averaged over the trees. What is left to 1 is interactions. Integrals are in the measure by which values are
    drawn: a learning rate that is drawn by its logarithm counts by its logarithm.

    The interval comes from forests with other seeds on trials drawn anew with replacement. A column of random numbers
    goes along; what does not rise above it is within the noise. A parameter that was active in some trials only is judged
    among these. Scores far behind the rest (by Tukey's outer fence) count as that far: otherwise the one diverged trial
    would be all that the variance speaks of.

    Args:
        trials: of the search; those without a finite score are left out.
        space: the parameters. Those with one value are left out.
        objective: the score.
        seed: of the forests and of the trials drawn anew.
        index: which of the trials' scores it is.

    Returns:
        The record, the most important parameter first.

    Example:
        >>> from thalweg.tuner import Float, Objective
        >>> draws = np.random.default_rng(0).random((60, 2)).round(3).tolist()
        >>> trials = [Trial(n, {'a': a, 'b': b}, 'COMPLETED', [10 * a + b]) for n, (a, b) in enumerate(draws)]
        >>> mattered = importance(trials, [Float('a', 0, 1), Float('b', 0, 1)], Objective('val_loss', 'min'))
        >>> mattered.parameters[0].name, mattered['a'].low > 0.9, mattered['b'].high < 0.1
        ('a', True, True)

    Source: Hutter, Hoos & Leyton-Brown 2014, "An efficient approach for assessing hyperparameter importance".

    """
    scored = [trial for trial in trials if trial.has_score]
    scores = fenced(np.array([trial.scores[index] for trial in scored if trial.scores], float), objective.sign)
    known = {name: parameter for name, parameter in meanings(space).items() if parameter.count != 1}
    rows = _Rows(list(known), _columns(scored, list(known.values())), scores, seed)
    found = [one for active in rows.groups() for one in rows.judge(active)]
    found.sort(key=lambda one: -one.importance)
    left_out = [name for name in known if name not in {one.name for one in found}]
    said = _warnings(found, left_out, scores, len(known))
    return Importance(objective.name, tuple(found), len(scored), tuple(said))


def _columns(trials: Sequence[Trial], parameters: Sequence[Parameter]) -> Array:
    """A row a trial, a column a parameter, in the measure of its sampling; NaN where it was not active."""
    values = [[(one, value_of(one, trial)) for one in parameters] for trial in trials]
    units = [[np.nan if value is None else one.unit(value) for one, value in row] for row in values]
    return np.array(units, float).reshape(len(trials), len(parameters))


def fenced(scores: Array, sign: float) -> Array:
    """Scores with the disasters among them drawn near, as far as Tukey's outer fence."""
    if not len(scores):
        return scores
    lower, upper = np.quantile(sign * scores, [0.25, 0.75])
    return sign * np.minimum(sign * scores, upper + _FENCE * (upper - lower)) if upper > lower else scores


def _warnings(found: Sequence[ParameterImportance], left_out: Sequence[str], scores: Array, dims: int) -> list[str]:
    enough = 10 + 2 * dims
    said = []
    if len(scores) < enough:
        said.append(f"Too few trials to be sure: {len(scores)} with a score, {enough} would do for {dims} parameters.")
    if left_out:
        said.append(f"Left out, as fewer than {_FEWEST} trials had them: {', '.join(left_out)}.")
    if len(scores) > 1 and np.ptp(scores) == 0:
        said.append("Every trial has the same score: nothing mattered.")
    elif found and not any(one.clear for one in found):
        said.append("Nothing rises above the noise: by these trials, no hyperparameter is known to matter.")
    return said


class _Rows:
    """Trials as numbers: a row a trial, a column a parameter in [0, 1], NaN where it was not active."""

    def __init__(self, names: Sequence[str], columns: Array, scores: Array, seed: int) -> None:
        self._names, self._columns, self._scores, self._seed = names, columns, scores, seed

    def groups(self) -> list[list[int]]:
        """Parameters that were active in the same trials, and in enough of them."""
        groups: dict[bytes, list[int]] = {}
        for column in range(len(self._names)):
            active = ~np.isnan(self._columns[:, column])
            if active.sum() >= _FEWEST:
                groups.setdefault(active.tobytes(), []).append(column)
        return list(groups.values())

    def judge(self, group: list[int]) -> list[ParameterImportance]:
        """The importances of a group, among the trials in which it was active."""
        active = ~np.isnan(self._columns[:, group[0]])
        columns, scores = self._columns[active], self._scores[active]
        varied = [j for j in range(columns.shape[1]) if not np.isnan(columns[:, j]).all()]
        places = [varied.index(column) for column in group]
        shares, lows, highs, noise = _shares(columns[:, varied], scores, self._seed)
        return [
            ParameterImportance(
                self._names[column],
                float(shares[place]),
                float(lows[place]),
                float(highs[place]),
                trials=int(active.sum()),
                conditional=not bool(active.all()),
                clear=bool(lows[place] > noise),
            )
            for column, place in zip(group, places, strict=True)
        ]


def _shares(columns: Array, scores: Array, seed: int) -> tuple[Array, Array, Array, float]:
    """Per column the share, and the ends of its interval; and what a column of random numbers reaches."""
    count, width = columns.shape
    rng = np.random.default_rng(seed)
    shares = _forest_shares(_filled(columns, rng), scores, _TREES, rng)
    again = np.empty((_REPEATS, width + 1))
    for repeat in range(_REPEATS):
        drawn = rng.integers(0, count, count)
        probed = np.hstack([_filled(columns, rng), rng.random((count, 1))])
        again[repeat] = _forest_shares(probed[drawn], scores[drawn], _TREES_AGAIN, rng)
    low, high = np.quantile(again, _QUANTILES, axis=0)
    return shares, np.minimum(low[:-1], shares), np.maximum(high[:-1], shares), float(high[-1])


def _filled(columns: Array, rng: np.random.Generator) -> Array:
    """Columns whose gaps are random: what is not active says nothing, not even that it is not active."""
    return np.where(np.isnan(columns), rng.random(columns.shape), columns)


def _forest_shares(columns: Array, scores: Array, trees: int, rng: np.random.Generator) -> Array:
    """The mean over a forest's trees of each column's share of the tree's variance."""
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(trees, random_state=int(rng.integers(2**31))).fit(columns, scores)
    shares = [share for tree in forest.estimators_ if (share := _tree_shares(tree.tree_, columns.shape[1])) is not None]
    return np.mean(shares, axis=0) if shares else np.zeros(columns.shape[1])


def _tree_shares(tree: Any, width: int) -> Array | None:
    """Each column's share of the variance of one tree; None where it is constant."""
    low, high, values = _boxes(tree, width)
    sides = high - low
    volumes = np.prod(sides, axis=1)
    mean = volumes @ values
    total = volumes @ (values - mean) ** 2
    if total <= 1e-12 * max(mean**2, 1e-300):
        return None
    shares = np.empty(width)
    for column in range(width):
        ends = np.unique(np.concatenate([low[:, column], high[:, column]]))
        lies_in = (low[:, column] <= ends[:-1, None]) & (high[:, column] >= ends[1:, None])  # [intervals, leaves]
        marginal = lies_in @ (values * volumes / sides[:, column])
        shares[column] = np.diff(ends) @ (marginal - mean) ** 2 / total
    return shares


def _boxes(tree: Any, width: int) -> tuple[Array, Array, Array]:
    """The leaves of a tree as boxes within [0, 1]^width: lower corners, upper corners, values."""
    low, high = np.zeros((tree.node_count, width)), np.ones((tree.node_count, width))
    for node in range(tree.node_count):  # parents come before their children
        left, right = tree.children_left[node], tree.children_right[node]
        if left >= 0:
            column, threshold = tree.feature[node], tree.threshold[node]
            for child in (left, right):
                low[child], high[child] = low[node], high[node]
            high[left, column] = low[right, column] = threshold
    leaves = tree.children_left < 0
    return low[leaves], high[leaves], tree.value[leaves, 0, 0]
