"""Cross-validation: the training rows cut into folds, each of which is validated on once."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg import data


def folds_of(
    count: int | None, args: tuple[Any, ...], kwargs: dict[str, Any], seed: int
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """(rows to train on, rows to validate on) a fold; classes keep their shares in each.

    Args:
        count: of folds; None: none are made.
        args, kwargs: what ``fit`` is given.
        seed: of the order in which rows are dealt.

    Raises:
        ValueError: where the rows are none that can be cut, or validation rows are given beside.

    """
    if count is None:
        return ()
    names = ("x", "y")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    for name in ("validation_data", "validation_split"):
        if given.get(name) is not None and not (name == "validation_split" and given[name] == 0):
            raise ValueError(f"cross_validation makes its own validation rows, got {name} beside it: leave it out.")
    rows = data.adapt(given.get("x"), given.get("y"), what="fit")
    if not isinstance(rows, data.Rows) or not rows.y:
        raise ValueError("cross_validation needs arrays x and y, got a source of batches.")
    if rows.n < count:
        raise ValueError(f"cross_validation={count} needs at least {count} rows, got {rows.n}.")
    return tuple((np.sort(train), np.sort(rest)) for train, rest in _splitter(rows, count, seed))


def _splitter(rows: Any, count: int, seed: int) -> Any:
    from sklearn.model_selection import KFold, StratifiedKFold

    classes = data.classes_of(rows.y[0]) if rows.y[0].ndim == 1 or rows.y[0].shape[-1] == 1 else None
    if (
        classes is not None
        and np.bincount(classes.ravel()).max() >= count
        and np.bincount(classes.ravel())[np.unique(classes)].min() >= count
    ):
        return StratifiedKFold(count, shuffle=True, random_state=seed).split(rows.x[0], classes.ravel())
    return KFold(count, shuffle=True, random_state=seed).split(rows.x[0])
