"""The test rows of the command line: sealed by ``thalweg train`` and ``tune``, opened by ``thalweg test``."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

import thalweg
from thalweg import data, layers
from thalweg.callbacks import read_run
from thalweg.cli import main
from thalweg.cli._source import source_of
from thalweg.cli._test import look
from thalweg.cli._tune import best_of

RNG = np.random.default_rng(0)
QUICK = ("--epochs", 2, "--layers", "4")


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    return done.output


def people(n=200):
    x = RNG.permutation(n) / 7
    return pd.DataFrame(
        {
            "x": x,
            "house": [f"house {i % 40}" for i in range(n)],
            "day": (pd.to_datetime("2024-01-01") + pd.to_timedelta(RNG.permutation(n), "D")).strftime("%Y-%m-%d"),
            "kind": np.where(x + RNG.normal(size=n) > n / 14, "high", "low"),
            "price": 1e5 + 2e3 * x + RNG.normal(size=n) * 1e3,
        }
    )


def asked(**more):
    return {"validation": 0.1, "test": 0.1, "seed": 0, **more}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tested")
    people().to_csv(folder / "t.csv", index=False)
    given = ("--target", "price", "--drop", "day,kind", "--group", "house")
    said = run("train", folder / "t.csv", *given, *QUICK, "--out", folder / "runs" / "a")
    return folder, said


def parts_of(source):
    """The rows of the three parts, as sets."""
    parts = (source.train[0], source.validation[0], source.test.open("a test of the split")[0])
    numbers = [np.asarray(x[0] if isinstance(x, list) else x) for x in parts]
    return [{row.tobytes() for row in x} for x in numbers]


def apart(source, n):
    found = parts_of(source)
    return sum(map(len, found)) == len(set.union(*found)) == n


@pytest.mark.parametrize("by", [{}, {"group": "house"}, {"time_column": "day"}])
def test_no_row_of_a_table_is_in_two_parts(by, tmp_path):
    frame = people()
    frame.to_csv(tmp_path / "t.csv", index=False)
    given = asked(target="kind", drop="price,house" if "group" not in by else "price", **by)
    source = source_of(str(tmp_path / "t.csv"), given)
    assert apart(source, 200) and source.test.rows == 20 and source.cut
    assert f"{source.rows} training rows, {180 - source.rows} validation rows, 20 test rows, sealed" in source.lines[-1]
    table = data.read(tmp_path / "t.csv", "kind")
    rest, tested = table.split(0.1, 0, by.get("group"), by.get("time_column"))
    assert tested.fingerprint() == source.test.data
    if "group" in by:
        assert not set(rest.frame["house"]) & set(tested.frame["house"])
    if "time_column" in by:
        assert rest.frame["day"].astype(str).max() < tested.frame["day"].astype(str).min()
    if not by:
        shares = [part.targets["kind"].eq("high").mean() for part in (rest, tested)]
        assert abs(shares[0] - shares[1]) < 0.03


def test_what_is_learnt_from_the_rows_knows_nothing_of_the_test_rows(tmp_path):
    frame = people()
    frame.to_csv(tmp_path / "t.csv", index=False)
    before = source_of(str(tmp_path / "t.csv"), asked(target="price", drop="day"))
    tested = data.read(frame, "price").split(0.1, 0)[1].frame.index
    frame.loc[tested, ["x", "price"]] *= 1000
    frame.loc[tested, "house"] = "house 1"
    frame.to_csv(tmp_path / "t.csv", index=False)
    after = source_of(str(tmp_path / "t.csv"), asked(target="price", drop="day"))
    assert before.recipe.record() == after.recipe.record() and before.test.data != after.test.data
    assert parts_of(before)[:2] == parts_of(after)[:2]


def test_files_of_arrays_give_rows_of_each_class_or_keep_their_own_whole(tmp_path):
    x, y = np.arange(200.0)[:, None], np.arange(200) % 2
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.savez(tmp_path / "b.npz", x_train=x, y_train=y, x_test=x[:7] + 1000, y_test=y[:7])
    source = source_of(str(tmp_path / "a.npz"), asked(test=0.2))
    assert apart(source, 200) and source.test.open("a test")[1].tolist().count(1) == 20 == source.test.rows / 2
    assert source_of(str(tmp_path / "a.npz"), asked(test=0.2, seed=1)).test.data != source.test.data
    brought = source_of(str(tmp_path / "b.npz"), asked(test=0.2))
    assert brought.rows == 180 and brought.test.rows == 7 and not brought.cut
    for none in (asked(test=0), {"validation": 0.1, "seed": 0}):
        source = source_of(str(tmp_path / "a.npz"), none)
        assert source.test is None and source.rows == 180 and "no test rows" in source.lines[-1]
    for fraction in (-0.1, 1.0):
        with pytest.raises(ValueError, match="--test must be a fraction"):
            source_of(str(tmp_path / "a.npz"), asked(test=fraction))
    np.savez(tmp_path / "few.npz", x=x[:4], y=y[:4])
    with pytest.raises(data.DataError, match="--test 0 seals no rows"):
        source_of(str(tmp_path / "few.npz"), asked())


def test_the_error_is_that_of_the_sealed_rows_in_the_targets_unit(trained):
    folder, said = trained
    assert "20 test rows, sealed" in said and "house  dropped" in said
    said = run("test", folder / "runs" / "a", "--reason", "the first look")
    told = re.search(
        r"test mae \(in units of price\) ([\d,]+), 95 % interval ([\d,]+) to ([\d,]+)\nthe first look", said
    )
    value, low, high = (float(one.replace(",", "")) for one in told.groups())
    tested = data.read(folder / "t.csv", "price").split(0.1, 0, group="house")[1]
    tested.frame.to_csv(folder / "rows.csv", index=False)
    run("predict", folder / "runs" / "a", folder / "rows.csv", "-o", folder / "out.csv")
    errors = np.abs(pd.read_csv(folder / "out.csv")["price"].to_numpy() - tested.targets["price"].to_numpy())
    assert abs(value - errors.mean()) <= 1 and low < value < high
    half = 1.96 * errors.std() / np.sqrt(len(errors))
    assert 0.7 * half < (high - low) / 2 < 1.3 * half


def test_each_look_stands_in_the_ledger_and_widens_the_interval_whatever_run_it_is_of(trained):
    folder, _ = trained
    ledger = folder / "runs" / "test-ledger.jsonl"
    before = len(data.openings(ledger.parent))
    first = run("test", folder / "runs" / "a", "--reason", "once more")
    given = ("--target", "price", "--drop", "day,kind", "--group", "house", "--dropout", 0.1)
    run("train", folder / "t.csv", *given, *QUICK, "--out", folder / "runs" / "b")
    said = run("test", folder / "runs" / "b", "--reason", "another net on the same rows")
    found = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [(one["why"], one["run"]) for one in found[before:]] == [
        ("once more", "a"),
        ("another net on the same rows", "b"),
    ]
    assert len({one["data"] for one in found}) == 1 and all(one["model"] for one in found)
    assert f"opened {['once', 'twice'][before] if before < 2 else ''}" in first
    looks = before + 2
    otherwise = source_of(str(folder / "t.csv"), asked(target="price", drop="day", group="house", validation=0.3))
    assert otherwise.test.data == found[0]["data"]
    percent = f"{100 * data.level_for(looks):.4g} %"
    assert f"look at these rows: interval at {percent} in place of 95 % (Bonferroni)" in said
    assert f"all {looks} looks, each at {percent}, together hold with 95 %" in said and f"{percent} interval" in said


def test_two_looks_widen_the_interval_of_an_accuracy(tmp_path):
    x = RNG.normal(size=(222, 2))
    np.savez(tmp_path / "a.npz", x=x, y=(x[:, 0] > 0).astype(int))
    run("train", tmp_path / "a.npz", *QUICK, "--class-weight", "balanced", "--out", tmp_path / "run")
    form = r"test accuracy ([\d.]+)%, ([\d.]+) % interval ([\d.]+)% to ([\d.]+)%"
    said = [run("test", tmp_path / "run", "--reason", f"look {i}") for i in range(2)]
    (value, level, low, high), (same, higher, lower, further) = (
        map(float, re.search(form, one).groups()) for one in said
    )
    assert value == same and (level, higher) == (95, 97.5) and lower < low <= value <= high < further
    assert "the 2nd look at these rows: interval at 97.5 % in place of 95 %" in said[1] and "opened twice" in said[1]
    model = thalweg.models.load_model(tmp_path / "run" / "best.keras")
    x, y = source_of(str(tmp_path / "a.npz"), asked()).test.open("a test")
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert value == pytest.approx(100 * accuracy, abs=0.006) and f"test loss {loss:.4f}" in said[0]
    assert len(y) == 22 and f"{22 * accuracy:.3f}".endswith(".000")


@pytest.mark.parametrize("part", ["training", "test"])
def test_data_that_have_changed_are_named_and_nothing_is_opened(part, trained):
    folder, _ = trained
    ledger = folder / "runs" / "test-ledger.jsonl"
    before, text = ledger.read_text() if ledger.exists() else "", (folder / "t.csv").read_text()
    rows = data.read(folder / "t.csv", "price").split(0.1, 0, group="house")[part == "test"].frame.index
    frame = pd.read_csv(folder / "t.csv")
    frame.loc[rows[0], "price"] += 5
    frame.to_csv(folder / "t.csv", index=False)
    try:
        said = run("test", folder / "runs" / "a", "--reason", "a look", code=1)
    finally:
        (folder / "t.csv").write_text(text)
    assert re.search(rf"t\.csv has changed since .*: its {part} rows were .* SHA-256", said)
    assert (ledger.read_text() if ledger.exists() else "") == before


def test_a_run_from_before_there_were_test_rows_goes_on_and_has_none(tmp_path):
    x = RNG.normal(size=(200, 2))
    np.savez(tmp_path / "a.npz", x=x, y=(x[:, 0] > 0).astype(int))
    run("train", tmp_path / "a.npz", *QUICK, "--test", 0, "--class-weight", "balanced", "--out", tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    command = record["asked"]["command"]
    del command["test"], record["asked"]["test"]
    (tmp_path / "run" / "run.json").write_text(json.dumps({**record, "asked": {"command": {**command, "epochs": 3}}}))
    assert "no test rows" in run("resume", tmp_path / "run")
    assert len(read_run(tmp_path / "run").epochs) == 3
    said = run("test", tmp_path / "run", "--reason", "a look", code=1)
    assert "has no test rows" in said and "--test 0.1" in said and not (tmp_path / "test-ledger.jsonl").exists()


def test_what_cannot_be_tested_is_told(trained, tmp_path, monkeypatch):
    folder, _ = trained
    assert "Missing option '--reason'" in run("test", folder / "runs" / "a", code=2)
    assert "opened for a reason" in run("test", folder / "runs" / "a", "--reason", " ", code=1)
    assert "no run folder" in run("test", tmp_path, "--reason", "a look", code=1)
    net = thalweg.Sequential([thalweg.Input((2,)), layers.Dense(1)])
    net.compile("sgd", "mse")
    net.fit(np.zeros((8, 2)), RNG.normal(size=8), run=tmp_path / "script", verbose=0)
    assert "was begun by a script" in run("test", tmp_path / "script", "--reason", "a look", code=1)
    there = read_run(folder / "runs" / "a")
    monkeypatch.setattr("thalweg.callbacks.read_run", lambda path: there._replace(state="running"))
    with pytest.raises(ValueError, match="still being trained"):
        look("a", "a look")
    monkeypatch.setattr("thalweg.callbacks.read_run", lambda path: there._replace(path=tmp_path))
    with pytest.raises(ValueError, match="no epoch of the run was finished"):
        look("a", "a look")


def test_pictures_are_sealed_and_tested(tmp_path):
    for name, level in (("day", 220), ("night", 30)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(30):
            pixels = np.clip(RNG.normal(level, 20, (4, 4)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i:02d}.png")
    source = source_of(str(tmp_path / "photos"), asked())
    assert apart(source, 60) and sorted(source.test.open("a test")[1].tolist()) == [0, 0, 0, 1, 1, 1]
    said = run("train", tmp_path / "photos", *QUICK, "--learning-rate", 0.05, "--out", tmp_path / "run")
    assert "48 training pictures, 6 validation pictures, 6 test pictures, sealed" in said
    said = run("test", tmp_path / "run", "--reason", "do they tell day from night?")
    assert "6 test rows, opened once" in said and re.search(r"test accuracy \d+\.\d\d%, 95 % interval", said)


def test_a_search_seals_the_rows_too_and_its_best_net_is_trained_on_no_others(tmp_path):
    x = RNG.normal(size=(200, 2))
    np.savez(tmp_path / "a.npz", x=x, y=(x[:, 0] > 0).astype(int))
    given = ("--search", "random", "--trials", 1, "--epochs", 1, "--seed", 3, "--test", 0.2)
    said = run("tune", tmp_path / "a.npz", *given, "--out", tmp_path / "study")
    assert "40 test rows, sealed" in said and f"a.npz --test 0.2 --seed 3 --from {tmp_path}" in said
    other = ("train", tmp_path / "a.npz", "--from", tmp_path / "study", "--epochs", 1, "--out", tmp_path / "run")
    for wrong, name in (
        (("--seed", 4, "--test", 0.2), "--seed was 3, got 4"),
        (("--seed", 3), "--test was 0.2, got 0.1"),
    ):
        assert name in run(*other, *wrong, code=1)
    same = asked(seed=3, test=0.2, epochs=1)
    assert best_of(tmp_path / "study", source_of(str(tmp_path / "a.npz"), same), same)[0].layers
    none = {**same, "test": 0}
    assert best_of(tmp_path / "study", source_of(str(tmp_path / "a.npz"), none), none)[0].layers
