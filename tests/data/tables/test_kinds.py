"""What columns and targets are taken for."""

import numpy as np
import pandas as pd
import pytest

from thalweg import data

N = 60
RNG = np.random.default_rng(0)
COLUMNS = {
    "numbers": (RNG.normal(size=N), "numeric"),
    "whole numbers": (RNG.integers(0, 9, N), "numeric"),
    "numbers as text": (np.array([f"{v:.2f}" for v in RNG.normal(size=N)]), "numeric"),
    "thousands": (np.array([f"{v:,}" for v in RNG.integers(0, 10**7, N)]), "numeric"),
    "continental": (np.array([f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in RNG.uniform(1e3, 1e6, N)]), "numeric"),
    "prices": (np.array([f"$ {v:,.2f}" for v in RNG.uniform(0, 1e5, N)]), "numeric"),
    "shares": (np.array([f"{v:.1f} %" for v in RNG.uniform(0, 100, N)]), "numeric"),
    "half missing": (np.where(np.arange(N) % 2, RNG.normal(size=N), np.nan), "numeric"),
    "yes and no": (np.array(["yes", "no", "no"] * 20), "boolean"),
    "Y and N": (np.array(["Y", "N"] * 30), "boolean"),
    "zero and one": (np.array([0, 1] * 30), "boolean"),
    "zero, one, missing": (np.array([0, 1, np.nan] * 20), "boolean"),
    "true and false": (np.array([True, False] * 30), "boolean"),
    "cities": (np.array(["Bern", "Basel", "Chur", "Genf"] * 15), "categorical"),
    "two words": (np.array(["left", "right"] * 30), "categorical"),
    "one word or nothing": (np.array(["a", None] * 30, dtype=object), "categorical"),
    "days": (np.array([f"2024-{m:02d}-{d:02d}" for m in range(1, 7) for d in range(1, 11)]), "date"),
    "European days": (np.array([f"{d}.{m}.2024" for m in range(1, 7) for d in range(13, 23)]), "date"),
    "times": (np.array([f"2024-03-01 {h:02d}:{m:02d}:00" for h in range(6) for m in range(10)]), "date"),
    "stamps": (pd.date_range("2020-01-01", periods=N, freq="7h"), "date"),
    "sentences": (np.array([f"the {i} quick foxes jumped over {i * i} dogs" for i in range(N)]), "text"),
    "row numbers": (np.arange(N), "identifier"),
    "customer_id": (RNG.permutation(10**6)[:N], "identifier"),
    "codes": (np.array([f"K-{i:05d}" for i in RNG.permutation(10**4)[:N]]), "identifier"),
    "always 3": (np.full(N, 3), "constant"),
    "always x": (np.full(N, "x"), "constant"),
    "nothing": (np.full(N, np.nan), "empty"),
    "nothing at all": (np.full(N, None, dtype=object), "empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_taken_for(name):
    values, kind = COLUMNS[name]
    table = data.read(pd.DataFrame({name: values, "other": RNG.normal(size=N)}))
    assert table.columns[0].kind == kind, table.columns[0]
    if not table.columns[0].used:
        return
    found = table.recipe().encode(table.frame)
    assert np.isfinite(found.numbers).all() and found.numbers.shape[1] > 1


TARGETS = {
    "numbers": ({"y": RNG.normal(size=N)}, "regression", 1),
    "few whole numbers": ({"y": RNG.integers(0, 4, N)}, "classification", 4),
    "whole numbers as floats": ({"y": RNG.integers(1, 4, N).astype(float)}, "classification", 3),
    "many whole numbers": ({"y": RNG.permutation(N)}, "regression", 1),
    "names": ({"y": ["a", "b", "c"] * 20}, "classification", 3),
    "yes and no": ({"y": ["yes", "no"] * 30}, "classification", 2),
    "several numbers": ({"y": RNG.normal(size=N), "z": RNG.normal(size=N)}, "regression", 2),
    "several labels": ({"y": [0, 1] * 30, "z": [True, False] * 30}, "labels", 2),
    "one class": ({"y": ["a"] * N}, "classification", 1),
    "prices": ({"y": [f"{v:,}" for v in RNG.integers(10**3, 10**6, N)]}, "regression", 1),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_task_is_found_and_targets_come_back(name):
    targets, task, outputs = TARGETS[name]
    table = data.read(pd.DataFrame({"x": RNG.normal(size=N), **targets}), list(targets))
    recipe = table.recipe()
    assert table.task == task and recipe.goal.outputs == outputs
    y = recipe.goal.encode(table.targets)
    back = recipe.goal.decode(np.eye(outputs)[y] if task == "classification" else y)
    for column in targets:
        if task == "regression":
            wanted = [float(str(v).replace(",", "")) for v in table.targets[column]]
            np.testing.assert_allclose(back[column], wanted, rtol=1e-5, atol=1e-5)
        elif task == "labels":
            assert (back[column] == np.asarray(table.targets[column], int)).all()
        else:
            assert [str(v) for v in back[column]] == [str(v).removesuffix(".0") for v in table.targets[column]]


def test_targets_of_different_kinds_are_refused_by_name():
    frame = pd.DataFrame({"x": RNG.normal(size=N), "y": RNG.normal(size=N), "z": ["a", "b", "c"] * 20})
    with pytest.raises(data.DataError, match=r"'y' \(numeric\), 'z' \(categorical\)"):
        data.read(frame, ["y", "z"])


def test_a_decision_may_be_overruled():
    frame = pd.DataFrame({"zip": RNG.integers(1, 9, N), "x": RNG.normal(size=N), "y": RNG.integers(0, 3, N)})
    table = data.read(frame, "y", types={"zip": "categorical"}, drop=["x"], task="regression")
    assert [one.kind for one in table.columns] == ["categorical", "dropped"] and table.task == "regression"
    assert table.recipe().titles[0].startswith("zip is ")
    for wrong in ({"types": {"zap": "numeric"}}, {"types": {"zip": "category"}}, {"drop": ["z"]}, {"task": "ranking"}):
        with pytest.raises(ValueError, match="Unknown"):
            data.read(frame, "y", **wrong)


def test_only_a_column_that_is_left_can_be_learnt_from():
    with pytest.raises(data.DataError, match="No column is left.*a: constant"):
        data.read(pd.DataFrame({"a": [1] * N, "y": [0, 1] * 30}), "y").recipe()
