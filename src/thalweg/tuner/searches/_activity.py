"""Which parameters a point has: told by somebody who knows, or learnt from the trials."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.tuner.searches._encoding import Array, Mask, Space

Active = Callable[[Mapping[str, Any]], Collection[str]]
"""Values of all parameters -> the names of those that are active with them."""


class Told:
    """Which parameters a point has, where somebody knows.

    Args:
        space: the parameters.
        active: says it.

    """

    def __init__(self, space: Space, active: Active) -> None:
        self.space, self.active = space, active

    def mask(self, rows: Array) -> Array:
        """The rows, with NaN where a parameter is not active; a parameter that is missing stays so."""
        masked = rows.copy()
        for row in masked:
            there = np.flatnonzero(~np.isnan(row))
            values = {self.space.names[i]: self.space.axes[i].value(row[i]) for i in there}
            values |= self.space.only
            active = set(self.active(values))
            row[[i for i in there if self.space.names[i] not in active]] = np.nan
        return masked


class Learnt:
    """Which parameters a point has, learnt from points that were tried.

    For each parameter that some trials lack, a decision tree (scikit-learn's, grown until its leaves are pure) tells
    from the other parameters whether it is there: 'units_2' where layers >= 2, 'momentum' where optimizer is 'sgd'.
    Only what is there in every trial that has the parameter, and in more trials than it, can be what it depends on.
    Parameters with few values are asked first; the others only where these leave a doubt.

    Args:
        space: the parameters.
        rows: of the trials that ended well: all that they asked for is there.
        partial: of trials that may have ended before they asked for everything: what is there is there, what is
            missing tells nothing.

    """

    def __init__(self, space: Space, rows: Array, partial: Array) -> None:
        self.space = space
        self.trees: list[tuple[int, NDArray[np.intp], Any]] = []
        present, more = ~np.isnan(rows), ~np.isnan(partial)
        counts = present.sum(0)
        grown: dict[bytes, Any] = {}  # what stands in one scope comes and goes together: one tree for all of it
        for i in np.argsort(-counts, kind="stable"):
            if counts[i] == len(rows) or counts[i] + more[:, i].sum() == 0:
                continue
            all_rows = np.concatenate([rows, partial[more[:, i]]])
            label = ~np.isnan(all_rows[:, i])
            parents = ~np.isnan(all_rows[label]).any(0) & (counts > counts[i])
            key = label.tobytes() + parents.tobytes()
            if key not in grown:
                grown[key] = self._grow(_questions(space, all_rows), label, parents)
            if grown[key] is not None:
                self.trees.append((int(i), *grown[key]))

    def _grow(self, questions: Array, label: Mask, parents: Mask) -> tuple[NDArray[np.intp], Any] | None:
        from sklearn.tree import DecisionTreeClassifier

        owner = _owners(self.space)
        best = None
        for allowed in (parents & ~self.space.smooth, parents):
            columns = np.flatnonzero(allowed[owner])
            if len(columns):
                tree = DecisionTreeClassifier(random_state=0).fit(questions[:, columns], label)
                best = (columns, tree.tree_)
                if (_says(tree.tree_, questions[:, columns]) == label).all():
                    break
        return best

    def mask(self, rows: Array) -> Array:
        """The rows, with NaN where a parameter is not active; a parameter that is missing stays so."""
        masked = rows.copy()
        for i, columns, tree in self.trees:  # those that many trials have come first: parents before children
            masked[~_says(tree, _questions(self.space, masked)[:, columns]), i] = np.nan
        return masked


def _owners(space: Space) -> NDArray[np.intp]:
    """For each column of the questions, the coordinate that it is about."""
    return np.repeat(np.arange(space.size), [_width(axis) for axis in space.axes])


def _width(axis: Any) -> int:
    return axis.levels if axis.nominal else 1


def _questions(space: Space, rows: Array) -> Array:
    """What a tree may ask: a number's coordinate (-1 where it is missing), whether a choice is the k-th value."""
    columns = []
    for axis, unit in zip(space.axes, rows.T, strict=True):
        known = np.where(np.isnan(unit), -1.0, unit)
        if axis.nominal:
            columns += [np.floor(known * axis.levels) == level for level in range(_width(axis))]
        else:
            columns.append(known)
    return np.stack(columns, axis=1).astype(np.float64)


def _says(tree: Any, questions: Array) -> Mask:
    """A fitted tree's answers."""
    inputs = np.ascontiguousarray(questions, dtype=np.float32)
    votes = tree.value[tree.apply(inputs), 0]
    return votes[:, -1] > 0.5 * votes.sum(1)
