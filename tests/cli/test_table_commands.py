"""``thalweg train``, ``tune`` and ``predict`` on tables."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import thalweg
from thalweg.cli import main


def people(n=400, seed=0):
    rng = np.random.default_rng(seed)
    age, city = rng.integers(18, 80, n), rng.choice(["Bern", "Basel", "Chur"], n)
    income = np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(10, 0.5, n))
    score = (age - 50) / 10 + (city == "Bern") * 2.0 + rng.normal(size=n) * 0.3
    day = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D")
    return pd.DataFrame(
        {
            "customer_id": rng.permutation(10**6)[:n],
            "age": age,
            "city": city,
            "street": rng.choice([f"street {i}" for i in range(30)], n),
            "income": income,
            "joined": day.strftime("%d.%m.%Y"),
            "rich": np.where(score > 0, "yes", "no"),
            "score": score,
        }
    )


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    people().drop(columns="score").to_csv(folder / "people.csv", index=False)
    said = run("train", folder / "people.csv", "--target", "rich", "--epochs", 8, "--out", folder / "run")
    return folder, said


def test_it_says_what_each_column_is_taken_for(trained):
    _, said = trained
    for line in ("customer_id  identifier", "age          numeric", "city         categorical", "joined       date"):
        assert line in said
    assert "rich         boolean" in said and "task: classification: 2 classes" in said
    assert "of 400 missing" in said and "thalweg predict" in said


def test_another_process_predicts_the_same_whatever_the_order_of_columns(trained):
    folder, _ = trained
    new = people(150, seed=1).drop(columns=["rich", "score"])
    new.to_csv(folder / "new.csv", index=False)
    new[new.columns[::-1]].assign(more=1).to_csv(folder / "turned.csv.gz", index=False, sep=";")
    run("predict", folder / "run", folder / "new.csv", "-o", folder / "a.csv")
    command = [sys.executable, "-c", "from thalweg.cli import main; main()"]
    arguments = [
        "predict",
        folder / "run" / "best.keras",
        folder / "turned.csv.gz",
        "-o",
        folder / "b.csv",
        "--rows",
        37,
    ]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ignored: customer_id, more" in done.stdout
    one, other = pd.read_csv(folder / "a.csv"), pd.read_csv(folder / "b.csv")
    assert list(one.columns) == ["rich", "probability of no", "probability of yes", "cells unlike training"]
    assert (one["rich"] == other["rich"]).all()
    np.testing.assert_allclose(one["probability of yes"], other["probability of yes"], atol=1e-6)
    truth = people(150, seed=1)["rich"]
    assert (one["rich"] == truth).mean() > 0.85


def test_strange_rows_are_counted_and_missing_columns_named(trained):
    folder, _ = trained
    odd = people(20, seed=2).drop(columns=["rich", "score"])
    odd.loc[3, "income"], odd.loc[5, "city"] = 1e15, "Paris"
    odd.to_csv(folder / "odd.csv", index=False)
    said = run("predict", folder / "run", folder / "odd.csv", "-o", folder / "odd_out.csv")
    assert "2 of 20 rows have cells unlike" in said
    assert pd.read_csv(folder / "odd_out.csv")["cells unlike training"].to_numpy().nonzero()[0].tolist() == [3, 5]
    odd.drop(columns=["age", "city"]).to_csv(folder / "less.csv", index=False)
    said = run("predict", folder / "run", folder / "less.csv", "-o", folder / "none.csv", code=1)
    assert "'age', 'city'" in said and not (folder / "none.csv").exists()


def test_numbers_are_predicted_in_their_own_scale(tmp_path):
    people().drop(columns="rich").to_csv(tmp_path / "people.csv", index=False)
    said = run("train", tmp_path / "people.csv", "--target", "score", "--epochs", 15, "--out", tmp_path / "run")
    assert "task: regression" in said
    run("predict", tmp_path / "run", tmp_path / "people.csv", "-o", tmp_path / "out.csv")
    found, truth = pd.read_csv(tmp_path / "out.csv")["score"], people()["score"]
    assert np.corrcoef(found, truth)[0, 1] > 0.9 and abs(found.mean() - truth.mean()) < 0.5


def test_a_search_over_a_table_gives_a_net_that_predicts(tmp_path):
    people().drop(columns="score").to_csv(tmp_path / "people.csv", index=False)
    options = ["--target", "rich", "--drop", "joined,street", "--search", "random", "--trials", 2, "--epochs", 2]
    said = run("tune", tmp_path / "people.csv", *options, "--out", tmp_path / "study")
    assert "joined       dropped" in said
    run("predict", tmp_path / "study" / "best.keras", tmp_path / "people.csv", "-o", tmp_path / "out.csv")
    assert len(pd.read_csv(tmp_path / "out.csv")) == 400
    best = thalweg.models.load_model(tmp_path / "study" / "best.keras")
    assert best.preprocessing["goal"]["classes"] == ["no", "yes"]


MISTAKES = {
    "no target": (["train", "people.csv"], "--target NAME"),
    "an unknown target": (["train", "people.csv", "--target", "rch"], "Did you mean 'rich'"),
    "an unknown kind": (["train", "people.csv", "--target", "rich", "--types", "age=number"], "Known: .*numeric"),
    "no name in types": (["train", "people.csv", "--target", "rich", "--types", "numeric"], "NAME=KIND"),
    "an unknown group": (["train", "people.csv", "--target", "rich", "--group", "towns"], "Unknown column 'towns'"),
    "a target of digits": (["train", "digits8", "--target", "y"], "--target goes with tables"),
    "a net without a table": (["predict", "plain.keras", "people.csv", "-o", "out.csv"], "not trained on a table"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_get_one_line(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    people(40).to_csv("people.csv", index=False)
    thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)]).save("plain.keras")
    arguments, message = MISTAKES[what]
    import re

    assert re.search(message, run(*arguments, code=1))


def test_rare_classes_weigh_as_much_as_others_on_request(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(800, 2)), rng.random(800) < 0.08
    frame = pd.DataFrame({"a": x[:, 0] + y, "b": x[:, 1], "ill": np.where(y, "yes", "no")})
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = {}
    for name, more in (("plain", []), ("balanced", ["--class-weight", "balanced"])):
        given = ["--target", "ill", "--epochs", 12, "--layers", "8", "--out", tmp_path / name, *more]
        said = run("train", tmp_path / "t.csv", *given)
        assert "balanced class weights may help" not in said  # 8 in 100 are not yet rare
        run("predict", tmp_path / name, tmp_path / "t.csv", "-o", tmp_path / "out.csv")
        found[name] = (pd.read_csv(tmp_path / "out.csv")["ill"] == "yes").mean()
    assert found["plain"] < 0.05 < 0.15 < found["balanced"]
    refused = run("train", tmp_path / "t.csv", "--target", "a", "--class-weight", "balanced", code=1)
    assert "no classes" in refused


def test_errors_of_numbers_are_told_in_their_own_unit(tmp_path):
    people().drop(columns="rich").assign(score=lambda f: f["score"] * 10_000).to_csv(tmp_path / "t.csv", index=False)
    said = run("train", tmp_path / "t.csv", "--target", "score", "--epochs", 2, "--out", tmp_path / "run")
    line = next(one for one in said.splitlines() if one.startswith("validation mae"))
    told = float(line.split("in units of score) ")[1].split()[0].replace(",", ""))
    run("predict", tmp_path / "run" / "last.keras", tmp_path / "t.csv", "-o", tmp_path / "out.csv")
    truth, found = pd.read_csv(tmp_path / "t.csv")["score"], pd.read_csv(tmp_path / "out.csv")["score"]
    assert 0.6 * told < np.abs(truth - found).mean() < 1.6 * told


def test_a_run_whose_table_has_changed_does_not_go_on(tmp_path):
    people().to_csv(tmp_path / "t.csv", index=False)
    run("train", tmp_path / "t.csv", "--target", "rich", "--epochs", 1, "--out", tmp_path / "run")
    people(seed=3).to_csv(tmp_path / "t.csv", index=False)
    assert "data sha256" in run("resume", tmp_path / "run", code=1)


def test_a_table_of_arrays(tmp_path):
    frame = people()
    np.savez(tmp_path / "t.npz", age=frame["age"], income=frame["income"], rich=frame["rich"] == "yes")
    said = run("train", tmp_path / "t.npz", "--target", "rich", "--epochs", 1, "--out", tmp_path / "run")
    assert "age     numeric" in said and "of 400 missing" in said
    run("predict", tmp_path / "run", tmp_path / "t.npz", "-o", tmp_path / "out.csv")
    assert len(pd.read_csv(tmp_path / "out.csv")) == 400


def test_what_cannot_be_learnt_or_read_is_told_by_column(trained, tmp_path):
    folder, _ = trained
    new = people(20, seed=2).assign(joined="2024-01-01", age="old", city="Paris")
    new.to_csv(tmp_path / "new.csv", index=False)
    said = run("predict", folder / "run", tmp_path / "new.csv", "-o", tmp_path / "out.csv")
    assert "by column: age 20, city 20, joined 20" in said
    assert "'old', which cannot be read as a number" in said and "a date written as 31.12.2026" in said
    new.head(0).to_csv(tmp_path / "none.csv", index=False)
    assert "has no rows" in run("predict", folder / "run", tmp_path / "none.csv", "-o", tmp_path / "o.csv", code=1)
    assert "There is no run or model" in run("predict", tmp_path / "no", tmp_path / "new.csv", "-o", "o.csv", code=1)
    assert "is a folder, no table" in run("predict", folder / "run", tmp_path, "-o", tmp_path / "o.csv", code=1)
    people().assign(rich="yes").to_csv(tmp_path / "one.csv", index=False)
    assert "nothing to learn" in run("train", tmp_path / "one.csv", "--target", "rich", code=1)
    refused = run("train", folder / "people.csv", "--target", "rich", "--task", "regression", code=1)
    assert "no number: it cannot be predicted by regression" in refused


def test_what_rows_are_kept_together_by_is_not_learnt_from(tmp_path):
    people().assign(household=lambda f: [f"house {i % 90}" for i in range(len(f))]).to_csv(
        tmp_path / "t.csv", index=False
    )
    given = ("--target", "rich", "--drop", "score", "--group", "household", "--epochs", 1, "--out", tmp_path / "run")
    assert "household    dropped      says which rows stay together" in run("train", tmp_path / "t.csv", *given)
    assert "household" not in str(thalweg.models.load_model(tmp_path / "run" / "best.keras").preprocessing)
