"""scikit-learn's contract: nets as estimators, in pipelines and grid searches."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    _check_sample_weight,
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from thalweg import callbacks, config, data, layers, models, optimizers, regularizers
from thalweg._checks import Bounds, arguments, whole
from thalweg._names import Table
from thalweg.data.tables import Encoded, Recipe, numeric_recipe

_SMALL = 64  # rows up to which all are one batch, and none is spared for early stopping
_EXACT = 1000  # rows of float64 up to which the net computes in float64
_BATCHES, _PER_EPOCH = (32, 256), 64  # a batch is a power of two within these bounds, for about so many steps an epoch
_EPOCHS, _STEPS = (20, 200), 3000  # epochs within these bounds, for about so many steps


class _Net(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What classifiers and regressors share."""

    def __init__(
        self,
        hidden: Sequence[int] = (128, 128),
        activation: str = "relu",
        dropout: float = 0.0,
        l2: float = 1e-5,
        embedding: int = models.EMBEDDING,
        periodic: int = models.PERIODIC,
        members: int = 5,
        optimizer: str = "adam",
        learning_rate: float = 4e-3,
        schedule: str = "cosine",
        batch_size: Any = "auto",
        epochs: Any = "auto",
        early_stopping: Any = "auto",
        validation_fraction: float = 0.2,
        patience: int = 30,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.l2 = l2
        self.embedding = embedding
        self.periodic = periodic
        self.members = members
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.verbose = verbose

    # -- fitting ------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Train a new net.

        Args:
            X: rows, an array of numbers or a pandas frame with whatever columns; NaN is missing.
            y: targets.
            sample_weight: one a row; a row of weight 2 is as two rows.

        Returns:
            The estimator.

        Raises:
            ValueError: on data or arguments that cannot be used, naming them.

        """
        self._check_arguments()
        frame, targets = self._checked(X, y, reset=True)
        weights = self._weights(sample_weight, frame, targets)
        kept = weights > 0
        if not kept.all():
            frame, targets, weights = frame[kept], targets[kept], weights[kept]
        self._learn_targets(targets, weights)
        self.precision_ = "float64" if self._is_exact(X, len(frame)) else "float32"
        self.recipe_ = _recipe_of(frame, weights)
        with config.precision(self.precision_):
            self._begin(len(frame))
            self._train(self._inputs(frame), self._encoded(targets), weights, self.epochs_)
        return self

    def _check_arguments(self) -> None:
        arguments(type(self).__name__, self.get_params(deep=False), _ARGUMENTS)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> Self:  # noqa: N803
        self._check_arguments()
        first = not hasattr(self, "nets_")
        frame, targets = self._checked(X, y, reset=first)
        weights = self._weights(sample_weight, frame, targets)
        if first:
            self._learn_targets(targets, weights)
            self.precision_ = "float32"
            self.recipe_ = _recipe_of(frame, weights)
        with config.precision(self.precision_):
            if first:
                self._begin(len(frame), steady=True)
            self._train(self._inputs(frame), self._encoded(targets), weights, 1, more=not first)
        return self

    def _is_exact(self, given: Any, rows: int) -> bool:
        """Small data of doubles are computed in doubles, as in all of scikit-learn."""
        kinds = set(given.dtypes.map(str)) if hasattr(given, "dtypes") else {str(getattr(given, "dtype", "float64"))}
        return rows <= _EXACT and "float32" not in kinds

    def _begin(self, rows: int, steady: bool = False) -> None:
        """Nets that are yet to be trained."""
        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.batch_ = self._batch(rows)
        each = -(-rows // self.batch_)
        self.epochs_ = int(np.clip(-(-_STEPS // each), *_EPOCHS)) if self.epochs == "auto" else int(self.epochs)
        steps = max(1, self.epochs_ * each)
        rate = self.learning_rate if steady else _SCHEDULES[self.schedule](self.learning_rate, steps)
        self.nets_ = [self._net(rate) for _ in range(self.members)]

    def _net(self, rate: Any) -> models.Model:
        """A net that is yet to be trained."""
        chain: list[Any] = []
        for units in self.hidden:
            penalty = regularizers.L2(self.l2) if self.l2 else None
            chain.append(layers.Dense(units, activation=self.activation, kernel_regularizer=penalty))
            if self.dropout:
                chain.append(layers.Dropout(self.dropout))
        outputs, activation, loss = self._head()
        front = models.table_front(self.recipe_, self.embedding, self.periodic)
        net: models.Model = models.chained(front, [*chain, layers.Dense(outputs, activation=activation)])
        optimizer = optimizers.get(self.optimizer)
        optimizer.learning_rate = rate
        net.compile(optimizer, loss)
        return net

    def _batch(self, rows: int) -> int:
        if self.batch_size != "auto":
            return min(int(self.batch_size), rows)
        return rows if rows <= _SMALL else int(np.clip(2 ** round(math.log2(rows / _PER_EPOCH)), *_BATCHES))

    def _train(self, x: Encoded, y: Any, weights: np.ndarray, epochs: int, more: bool = False) -> None:
        """Some epochs; weights have a mean of 1, so that the loss is normalized by their sum."""
        spared: dict[str, Any] = {}
        stops = len(y) > _SMALL if self.early_stopping == "auto" else self.early_stopping
        if stops and not more and epochs > 1:
            folds = self._folds(y)
            spared = {
                "rows": [np.flatnonzero(~fold) for fold in folds],
                "validation_rows": [np.flatnonzero(fold) for fold in folds],
                "callbacks": [callbacks.EarlyStopping(patience=self.patience, restore_best_weights=True)],
            }
        seeds = np.random.SeedSequence((self.seed_, self.n_iter_ if more else 0)).generate_state(self.members)
        models.Population(self.nets_).fit(
            x.inputs,
            y,
            sample_weight=weights * (len(weights) / weights.sum()),
            batch_size=min(self.batch_, len(y)),
            epochs=epochs,
            seeds=[int(seed) for seed in seeds],
            verbose=self.verbose,
            **spared,
        )
        curve = _mean_curve([net.history.history["loss"] for net in self.nets_])
        self.loss_curve_ = [*self.loss_curve_, *curve] if more else curve
        self.n_iter_ = len(self.loss_curve_)
        self.loss_ = self.loss_curve_[-1]

    def _folds(self, y: Any) -> list[np.ndarray]:
        """For each net, which rows it does not learn from: each row is spared by one net in turn, of classes equal parts."""
        count = round(1 / self.validation_fraction) if 0 < self.validation_fraction < 1 else 0
        if not 2 <= count <= len(y):
            raise ValueError(
                f"validation_fraction must spare at least one of {len(y)} rows, and at most half of them; got "
                f"{self.validation_fraction}."
            )
        order = np.random.default_rng(self.seed_).permutation(len(y))
        strata = self._strata(y)
        if strata is not None:
            order = order[np.argsort(strata[order], kind="stable")]
        fold = np.empty(len(y), int)
        fold[order] = np.arange(len(y)) % count
        return [fold == i % count for i in range(self.members)]

    def _weights(self, given: Any, frame: Any, targets: Any) -> np.ndarray:
        found: np.ndarray = _check_sample_weight(
            given, np.empty((len(frame), 1)), dtype=np.float64, ensure_non_negative=True
        )
        if not found.any():
            raise ValueError("sample_weight is zero for every row: there is nothing to learn from.")
        return found

    # -- reading ------------------------------------------------------------------------------------

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, np.ndarray]:  # noqa: N803
        """The rows as a frame, and the targets as an array."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        if reset:
            self._by_name = _has_words(X)
        if self._by_name:
            frame = self._frame(X, reset)
            targets = check_array(y, ensure_2d=False, dtype=None, ensure_min_samples=1)
            check_consistent_length(frame, targets)
            return frame, targets
        rows, targets = validate_data(
            self, X, y, reset=reset, multi_output=True, y_numeric=self._y_numeric, ensure_all_finite="allow-nan",
            dtype=[np.float64, np.float32],
        )  # fmt: skip
        return _as_frame(rows), np.asarray(targets)

    _y_numeric = False
    loss_curve_: list[float]
    n_iter_: int

    def _frame(self, X: Any, reset: bool) -> Any:  # noqa: N803
        """Rows as a frame: by the names of its columns where there were words in training, else numbers in their order."""
        if self._by_name and hasattr(X, "columns"):
            _check_feature_names(self, X, reset=reset)
            _check_n_features(self, X, reset=reset)
            _check_finite(X)
            return X.rename(columns=str).reset_index(drop=True)
        if self._by_name:
            raise ValueError(
                f"{type(self).__name__} was trained on a frame with columns of words: give a frame with the same columns."
            )
        rows = validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", dtype=[np.float64, np.float32])
        return _as_frame(rows)

    def _inputs(self, frame: Any) -> Encoded:
        return self.recipe_.encode(frame, config.floatx())

    def _outputs(self, X: Any) -> np.ndarray:  # noqa: N803
        check_is_fitted(self)
        frame = self._frame(X, reset=False)
        with config.precision(self.precision_):
            each = models.Population(self.nets_).predict(self._inputs(frame).inputs)
        return np.asarray(each).mean(axis=0)

    # -- what scikit-learn asks ---------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        tags.non_deterministic = False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if "nets_" not in state:
            return state
        with config.precision(self.precision_):
            return {**state, "nets_": [_packed(net) for net in self.nets_]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "nets_" in state:
            with config.precision(state["precision_"]):
                state = {**state, "nets_": [_unpacked(net) for net in state["nets_"]]}
        super().__setstate__(state)


class NetClassifier(ClassifierMixin, _Net):  # type: ignore[misc]
    """Dense nets that tell classes apart.

    Several nets learn side by side in one program, each from another part of the rows, the rest of which says when it
    knows best; their probabilities are averaged.

    Args:
        hidden: units of the hidden layers.
        activation: of the hidden layers, by name.
        dropout: probability with which a hidden unit is dropped.
        l2: factor of the squared weights in the loss.
        embedding: numbers that stand for each name, in columns with many names.
        periodic: numbers that are learnt beside each column of numbers, as sums of waves; 0 for none.
        members: how many nets.
        optimizer: by name.
        learning_rate: at the beginning.
        schedule: ``'cosine'``: the rate falls to 0 over the whole training; ``'constant'``.
        batch_size: rows a step; ``'auto'``: all of up to 64 rows, else 32 to 256, more for more rows.
        epochs: how often all rows are seen; ``'auto'``: 20 to 200, for 3,000 steps where that is possible.
        early_stopping: whether each net spares some rows, stops when the loss on them falls no more, and goes back to its
            best epoch; ``'auto'``: with more than 64 rows.
        validation_fraction: of the rows that a net spares; each net spares others, until all have been spared.
        patience: epochs without a better one until it stops.
        class_weight: ``'balanced'``, or class -> weight.
        random_state: of the first weights, the order of the rows and dropout.
        verbose: 0 is silent.

    Attributes:
        classes_: the classes; for several labels, 0 and 1 of each.
        nets_: the nets, each a :class:`thalweg.Model`.
        recipe_: from rows to what the net reads.
        loss_curve_: the loss of each epoch, the mean over the nets that learn in it.
        n_iter_: how many epochs were run.
        n_features_in_, feature_names_in_: of the rows.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> NetClassifier(random_state=0).fit(X, y).score(X, y) > 0.95
        True

    """

    def __init__(
        self,
        hidden: Sequence[int] = (128, 128),
        activation: str = "relu",
        dropout: float = 0.0,
        l2: float = 1e-5,
        embedding: int = models.EMBEDDING,
        periodic: int = models.PERIODIC,
        members: int = 5,
        optimizer: str = "adam",
        learning_rate: float = 4e-3,
        schedule: str = "cosine",
        batch_size: Any = "auto",
        epochs: Any = "auto",
        early_stopping: Any = "auto",
        validation_fraction: float = 0.2,
        patience: int = 30,
        class_weight: Any = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            hidden, activation, dropout, l2, embedding, periodic, members, optimizer, learning_rate, schedule,
            batch_size, epochs, early_stopping, validation_fraction, patience, random_state, verbose,
        )  # fmt: skip
        self.class_weight = class_weight

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """One epoch more on these rows; the first call makes the net, by what it sees of them.

        Args:
            X, y, sample_weight: as for :meth:`fit`.
            classes: all there will be; needed on the first call where these rows do not have all.

        Returns:
            The estimator.

        """
        self._told = None if classes is None else np.asarray(classes)
        try:
            return self._partial_fit(X, y, sample_weight)
        finally:
            del self._told

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The most probable class of each row; of labels, 1 where the probability is above a half."""
        found = self.predict_proba(X)
        return (found > 0.5).astype(self.classes_.dtype) if self._many else self.classes_[found.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Probabilities, [rows, classes]; of labels, that each is 1."""
        return self._outputs(X)

    def _learn_targets(self, targets: np.ndarray, weights: np.ndarray) -> None:
        check_classification_targets(targets)
        kind = type_of_target(targets)
        self._many = kind == "multilabel-indicator"
        if kind == "multiclass-multioutput":
            raise ValueError(
                "NetClassifier tells one target's classes apart, or several labels of 0 and 1; got several targets."
            )
        if self._many:
            self.classes_ = np.array([0, 1])
            self.n_outputs_ = targets.shape[1]
            return
        flat = column_or_1d(targets, warn=True)
        told = getattr(self, "_told", None)
        self.classes_ = unique_labels(flat) if told is None else np.unique(told)
        self.n_outputs_ = 1

    def _head(self) -> tuple[int, str, str]:
        if self._many:
            return self.n_outputs_, "sigmoid", "binary_crossentropy"
        return max(len(self.classes_), 1), "softmax", "sparse_categorical_crossentropy"

    def _encoded(self, targets: np.ndarray) -> np.ndarray:
        if self._many:
            return np.asarray(targets, config.floatx())
        flat = targets.ravel()
        places = np.searchsorted(self.classes_, flat)
        strange = (places >= len(self.classes_)) | (self.classes_[np.minimum(places, len(self.classes_) - 1)] != flat)
        if strange.any():
            odd, known = flat[strange].tolist()[0], self.classes_.tolist()
            raise ValueError(f"y holds {odd!r}, which is none of the classes {known}.")
        return places.astype(np.int32)

    def _strata(self, y: np.ndarray) -> Any:
        return None if self._many else y

    def _weights(self, given: Any, frame: Any, targets: Any) -> np.ndarray:
        found = super()._weights(given, frame, targets)
        if self.class_weight is None:
            return found
        return found * compute_sample_weight(self.class_weight, targets)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class NetRegressor(RegressorMixin, _Net):  # type: ignore[misc]
    """Dense nets that predict numbers, trained side by side; their predictions are averaged.

    Args:
        hidden, activation, dropout, l2, embedding, periodic, members, optimizer, learning_rate, schedule, batch_size,
        epochs, early_stopping, validation_fraction, patience, random_state, verbose: as for :class:`NetClassifier`.

    Attributes:
        nets_: the nets, each a :class:`thalweg.Model`, which see targets with mean 0 and deviation 1.
        recipe_: from rows to what the net reads.
        loss_curve_: the loss of each epoch, the mean over the nets that learn in it.
        n_iter_: how many epochs were run.
        n_features_in_, feature_names_in_: of the rows.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> NetRegressor(random_state=0).fit(X, y).score(X, y) > 0.4
        True

    """

    _y_numeric = True

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """One epoch more on these rows; the first call makes the net, by what it sees of them.

        Args:
            X, y, sample_weight: as for :meth:`fit`.

        Returns:
            The estimator.

        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The numbers of each row."""
        found = self._outputs(X) * self.scale_ + self.mean_
        return found[:, 0] if self._flat else found

    def _learn_targets(self, targets: np.ndarray, weights: np.ndarray) -> None:
        if not np.isfinite(np.asarray(targets, float)).all():
            raise ValueError("y must be finite numbers: it contains NaN or infinity.")
        self._flat = targets.ndim == 1
        values = np.asarray(targets, np.float64).reshape(len(targets), -1)
        self.mean_ = np.average(values, axis=0, weights=weights)
        deviation = np.sqrt(np.average((values - self.mean_) ** 2, axis=0, weights=weights))
        self.scale_ = np.where(deviation > 0, deviation, 1.0)

    def _head(self) -> tuple[int, str, str]:
        return len(self.mean_), "linear", "mse"

    def _encoded(self, targets: np.ndarray) -> np.ndarray:
        values = np.asarray(targets, np.float64).reshape(len(targets), -1)
        return np.asarray((values - self.mean_) / self.scale_, config.floatx())

    def _strata(self, y: np.ndarray) -> Any:
        return None


def _whole(least: int, *others: str) -> Bounds:
    """A whole number, or one of some other values."""
    words = " or ".join([*map(repr, others), f"a whole number of at least {least}"])
    return lambda value: value in others if isinstance(value, str) else whole(least)(value), words


def _number(least: float, below: float, open_: bool = False) -> Bounds:
    """A number within bounds."""

    def fits(value: Any) -> bool:
        inside = isinstance(value, Real) and not isinstance(value, bool) and least <= float(value) < below
        return inside and not (open_ and value == least)

    top = "" if below == math.inf else f" and below {below:g}"
    return fits, f"a number {'above' if open_ else 'of at least'} {least:g}{top}"


def _are_widths(value: Any) -> bool:
    return not isinstance(value, str) and hasattr(value, "__len__") and all(map(whole(1), value))


_ARGUMENTS: dict[str, Bounds] = {
    "hidden": (_are_widths, "a sequence of whole numbers, like (128, 128)"),
    "dropout": _number(0, 1),
    "l2": _number(0, math.inf),
    "embedding": _whole(1),
    "periodic": _whole(0),
    "members": _whole(1),
    "learning_rate": _number(0, math.inf, open_=True),
    "batch_size": _whole(1, "auto"),
    "epochs": _whole(1, "auto"),
    "early_stopping": (lambda value: value in ("auto", True, False), "'auto', True or False"),
    "validation_fraction": _number(0, 1, open_=True),
    "patience": _whole(1),
}
"""Argument -> what it must be."""
_SCHEDULES = Table("schedule", {"cosine": optimizers.schedules.CosineDecay, "constant": lambda rate, steps: rate})
"""Name -> a rate, from the first rate and the number of steps."""


def _mean_curve(curves: list[list[float]]) -> list[float]:
    """The mean over the nets that still learn, epoch by epoch."""
    return [float(np.mean([c[i] for c in curves if i < len(c)])) for i in range(max(map(len, curves)))]


def _packed(net: models.Model) -> bytes:
    """A net as the bytes of a .keras file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.keras"
        net.save(path)
        return path.read_bytes()


def _unpacked(packed: bytes) -> models.Model:
    """A net from :func:`_packed`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.keras"
        path.write_bytes(packed)
        net: models.Model = models.load_model(path)
        return net


def _has_words(given: Any) -> bool:
    """Whether it is a frame with other columns than numbers."""
    return (
        hasattr(given, "dtypes") and hasattr(given, "columns") and any(kind.kind not in "biuf" for kind in given.dtypes)
    )


def _check_finite(frame: Any) -> None:
    for name in frame.columns:
        endless = np.isinf(frame[name].to_numpy()) if frame[name].dtype.kind == "f" else np.zeros(0, bool)
        if endless.any():
            raise ValueError(f"Input X contains infinity in column {name!r}, row {int(endless.argmax())}.")


def _as_frame(rows: np.ndarray) -> Any:
    import pandas as pd

    return pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])


def _recipe_of(frame: Any, weights: np.ndarray) -> Recipe:
    """What turns such rows into inputs: numbers alone are all kept, of a table each column is looked at."""
    return data.read(frame).recipe() if _has_words(frame) else numeric_recipe(frame, weights)
