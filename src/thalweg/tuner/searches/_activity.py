"""Which parameters a point has: told by somebody who knows, or learnt from the trials."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.tuner.searches._encoding import Array, Axis, Mask, Space

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
        self._owner = _owners(space)
        self._rules: dict[bytes, _Rule] = {}
        present, more = ~np.isnan(rows), ~np.isnan(partial)
        counts = present.sum(0)
        for i in np.argsort(-counts, kind="stable"):  # what many trials have comes first: parents before children
            if counts[i] == len(rows) or counts[i] + more[:, i].sum() == 0:
                continue
            known = np.concatenate([rows, partial[more[:, i]]])
            label = ~np.isnan(known[:, i])
            parents = np.asarray(~np.isnan(known[label]).any(0) & (counts > counts[i]))
            key = label.tobytes() + parents.tobytes()  # what stands in one scope comes and goes together
            if key not in self._rules:
                self._rules[key] = _Rule(*self._grown(_questions(space, known), label, parents))
            self._rules[key].add(int(i), self._owner)

    def _grown(self, questions: Array, label: Mask, parents: Mask) -> tuple[NDArray[np.intp], Any]:
        """The columns that the tree asks about, and the tree."""
        from sklearn.tree import DecisionTreeClassifier

        columns, tree = np.empty(0, dtype=np.intp), None
        for allowed in (parents & ~self.space.smooth, parents):
            if allowed.any():
                columns = np.flatnonzero(allowed[self._owner])
                tree = DecisionTreeClassifier(random_state=0).fit(questions[:, columns], label).tree_
                if (_says(tree, questions[:, columns]) == label).all():
                    break
        return columns, tree

    def mask(self, rows: Array) -> Array:
        """The rows, with NaN where a parameter is not active; a parameter that is missing stays so."""
        masked = rows.copy()
        questions = _questions(self.space, masked) if self._rules else masked
        for rule in self._rules.values():
            if rule.tree is not None:
                off = np.flatnonzero(~_says(rule.tree, questions[:, rule.columns]))[:, None]
                masked[off, rule.coordinates] = np.nan
                questions[off, rule.own] = -1.0
        return masked


@dataclass
class _Rule:
    """Some parameters are there where a tree says so, after a look at some columns of the questions."""

    columns: NDArray[np.intp]
    tree: Any
    coordinates: list[int] = field(default_factory=list)
    own: list[int] = field(default_factory=list)  # the questions about these parameters themselves

    def add(self, coordinate: int, owner: NDArray[np.intp]) -> None:
        """A further parameter that comes and goes with the others."""
        self.coordinates.append(coordinate)
        self.own += np.flatnonzero(owner == coordinate).tolist()


def _owners(space: Space) -> NDArray[np.intp]:
    """For each column of the questions, the coordinate that it is about."""
    return np.repeat(np.arange(space.size), [_width(axis) for axis in space.axes])


def _width(axis: Axis) -> int:
    return axis.levels if axis.nominal and axis.levels else 1


def _questions(space: Space, rows: Array) -> Array:
    """What a tree may ask: a number's coordinate, whether a choice is the k-th value; -1 for what is missing."""
    columns: list[Array] = []
    for axis, unit in zip(space.axes, rows.T, strict=True):
        known = np.where(np.isnan(unit), -1.0, unit)
        if axis.nominal:
            columns += [
                np.where(known < 0, -1.0, np.floor(known * _width(axis)) == level) for level in range(_width(axis))
            ]
        else:
            columns.append(known)
    return np.stack(columns, axis=1)


def _says(tree: Any, questions: Array) -> Mask:
    """A fitted tree's answers."""
    votes = tree.value[tree.apply(np.ascontiguousarray(questions, dtype=np.float32)), 0]
    return np.asarray(votes[:, -1] > 0.5 * votes.sum(1))
