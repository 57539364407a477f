"""Reports: what they hold agrees with what others compute; what data hold stays text; what is missing is said."""

import base64
import hashlib
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, mean_absolute_error, precision_recall_fscore_support, r2_score

import thalweg
from thalweg import callbacks, data, layers, reports
from thalweg.cli._source import source_of
from thalweg.cli._train import train
from thalweg.diagnosis._remedies import Remedy
from thalweg.diagnosis.probing._reliability import calibration
from thalweg.reports._gather import gather
from thalweg.reports._png import png
from thalweg.reports._trained import _named

RNG = np.random.default_rng(0)
EVIL = "<script>alert(1)</script>"
COLUMN = 'a "b" | c\'s <i>'
OPTIONS = {
    "layers": "8", "activation": "relu", "dropout": 0.1, "l2": 0.0, "optimizer": "adam", "learning_rate": 0.01,
    "batch_size": 32, "epochs": 2, "validation": 0.2, "test": 0.1, "seed": 0, "checkpoint": "epoch",
}  # fmt: skip


def people(n=240):
    x = RNG.normal(size=n)
    kind = np.select([x > 0.5, x < -0.5], [EVIL, "low | poor"], "*mid*")
    return pd.DataFrame({COLUMN: x.round(6), "job": RNG.choice(["nurse", "[clerk](http://x)"], n), "kind": kind,
                         "price": 1e5 + 2e4 * x + RNG.normal(size=n) * 1e3})  # fmt: skip


def trained(path, out, **more):
    train(str(path), {**OPTIONS, **more, "out": str(out)})
    return out


def net(outputs, activation, loss, width=2):
    model = thalweg.Sequential([thalweg.Input((width,)), layers.Dense(outputs, activation)])
    model.compile(thalweg.optimizers.Adam(0.01), loss)
    return model


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table with hostile names; its run, its source, and its report."""
    folder = tmp_path_factory.mktemp("table")
    people().to_csv(folder / "t.csv", index=False)
    run = trained(folder / "t.csv", folder / "runs" / "one", target="kind", drop="price")
    source = source_of(str(folder / "t.csv"), {**OPTIONS, "target": "kind", "drop": "price"})
    return run, source, reports.report(run)


def answers(run, source):
    model = thalweg.models.load_model(run / "best.keras")
    x, y = source.validation
    return np.asarray(y).ravel(), model.predict(x, verbose=0)


def test_mistakes_agree_with_scikit_learn(table):
    run, source, found = table
    y, chances = answers(run, source)
    told, said = found.validation, chances.argmax(axis=1)
    assert np.sum(told["confusion"]) == len(y) == told["rows"]
    assert told["confusion"] == confusion_matrix(y, said, labels=range(3)).tolist()
    each = precision_recall_fscore_support(y, said, labels=range(3), zero_division=0)
    for i, one in enumerate(told["each"]):
        expected = [values[i] for values in each]
        assert [one[k] or 0 for k in ("precision", "recall", "f1", "rows")] == pytest.approx(expected)
    losses = -np.log(chances[np.arange(len(y)), y])
    assert told["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    worst = told["worst"]
    assert len(worst) == 24 and [one["loss"] for one in worst] == pytest.approx(np.sort(losses)[::-1][:24], rel=1e-5)
    row = data.read(run.parents[1] / "t.csv", "kind").frame.loc[worst[0]["row"]]
    assert told["worst_columns"][0] == COLUMN and worst[0]["cells"][1] == row["job"]
    assert worst[0]["truth"] == data.read(run.parents[1] / "t.csv", "kind").targets.loc[worst[0]["row"], "kind"]


def test_the_calibration_error_is_the_one_of_the_definition(table):
    run, source, found = table
    y, chances = answers(run, source)
    sure, right, n = chances.max(axis=1), chances.argmax(axis=1) == y, len(y)
    error, told = 0.0, found.validation["calibration"]
    for b in range(told["bins"]):
        rows = (sure > b / told["bins"]) & (sure <= (b + 1) / told["bins"])
        error += rows.sum() / n * abs(right[rows].mean() - sure[rows].mean()) if rows.any() else 0
    assert told["error"] == pytest.approx(error) and told["bins"] == 10
    assert sum(one["rows"] for one in told["points"]) == n
    drawn = RNG.random(5000)
    assert calibration(drawn, RNG.random(5000) < drawn)["error"] < 0.03
    assert calibration(np.array([0.0, 1.0]), np.array([False, True]), 5)["error"] == 0


def test_the_record_is_plain_data_and_tells_what_was_trained(table):
    _, source, found = table
    again = json.loads(json.dumps(found.record()))
    assert again["run"] == "one" and again["trained"]["rows"] == {"training": source.rows, "validation": 43, "test": 24}
    assert again["trained"]["state"] == "finished" and again["trained"]["optimizer"]["numbers"]["learning_rate"] == 0.01
    assert again["trained"]["parameters"] == sum(one["parameters"] for one in again["trained"]["layers"])
    assert [one["name"] for one in again["curves"]["series"]] == ["loss", "accuracy"]
    assert again["diagnosis"]["rows"] == [source.rows, 43] and list(again["missing"]) == ["learning_curve"]
    held = {"class_name": "Adam", "config": {"name": "x", "use_ema": True, "ema_momentum": 0.9, "clipnorm": None}}
    assert _named(held) == {"name": "Adam", "numbers": {"use_ema": True, "ema_momentum": 0.9}}


def test_names_from_the_data_stay_text(table):
    run, _, _ = table
    page, text = (run / "report.html").read_text(), (run / "report.md").read_text()
    assert "<script" not in page and "<i>" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a &quot;b&quot; | c&#x27;s &lt;i&gt;" in page
    outside_fences = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script" not in outside_fences and "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert r"low \| poor" in text and r"\*mid\*" in text and "[clerk]" not in outside_fences
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(columns) == 1, block
    for name in re.findall(r"\]\((report/[^)]*)\)", text):
        assert (run / name).read_bytes().startswith(b"\x89PNG"), name
    assert re.search(r"\]\(report/calibration.png\)", text)


def test_a_page_may_load_nothing_and_its_headings_are_in_order(table):
    page = (table[0] / "report.html").read_text()
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in page and '<html lang="en">' in page
    assert "http:" not in page.replace("http://x", "") and "https:" not in page and "url(http" not in page
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))
    assert len(re.findall("<svg", page)) == len(re.findall(r'role="img" aria-label="[^"]+"', page)) == 3
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_a_diagnosis_that_lies_there_is_read_where_it_is_of_the_same_net(table, monkeypatch):
    run, _, found = table
    digest = hashlib.sha256((run / "best.keras").read_bytes()).hexdigest()
    marked = {**found.diagnosis, "notes": ["from the folder"]}
    never = pytest.fail
    monkeypatch.setattr("thalweg.diagnosis.diagnose", lambda *_, **__: never("was computed anew"))
    (run / "diagnosis.json").write_text(json.dumps({"model": digest, "diagnosis": marked}))
    assert gather(run).diagnosis["notes"] == ["from the folder"]

    class Anew:
        def record(self):
            return {"notes": ["anew"], "remedies": [Remedy("a", "b", "c")._asdict()]}

    monkeypatch.setattr("thalweg.diagnosis.diagnose", lambda *_, **__: Anew())
    for told in ({"model": "0" * 64, "diagnosis": marked}, {"model": digest, "diagnosis": {}}, []):
        (run / "diagnosis.json").write_text(json.dumps(told))
        assert gather(run).diagnosis["notes"] == ["anew"]
    (run / "diagnosis.json").unlink()


def test_the_ledger_is_told_and_nothing_is_opened(table, monkeypatch):
    run, source, found = table
    assert found.test["openings"] == [] and "24 test rows, never opened" in (run / "report.html").read_text()
    source.test.open("a | <b>look</b>", run=run)
    source.test.open("one more", run=run.parent / "other")
    monkeypatch.setattr(data.Sealed, "open", lambda *_, **__: pytest.fail("the report opened the test rows"))
    monkeypatch.setattr("thalweg.reports._gather.diagnosed", lambda *_: found.diagnosis)
    again = gather(run)
    assert [one["own"] for one in again.test["openings"]] == [True, False] and again.test["level"] == 0.975
    page, text = reports.html(again), reports.markdown(again)
    assert "a | &lt;b&gt;look&lt;/b&gt;" in page and "one more look makes that 98.33 %" in page
    assert r"a \| &lt;b&gt;look&lt;/b&gt;" in text and "24 test rows, opened twice" in text
    ledger = run.parent / "test-ledger.jsonl"
    before = ledger.read_text()
    ledger.write_text("no line of a ledger\n")
    assert "line 1 is no opening" in reports.html(gather(run))
    ledger.write_text(before)


def test_numbers_are_told_in_the_targets_unit(tmp_path, monkeypatch):
    monkeypatch.setattr("thalweg.reports._gather.diagnosed", lambda *_: None)
    people().to_csv(tmp_path / "t.csv", index=False)
    run = trained(tmp_path / "t.csv", tmp_path / "run", target="price", drop="kind")
    found = reports.report(run)
    source = source_of(str(tmp_path / "t.csv"), {**OPTIONS, "target": "price", "drop": "kind"})
    y, outputs = answers(run, source)
    goal = source.recipe.goal
    truth, said = (goal.decode(np.asarray(one).reshape(-1, 1))["price"] for one in (y, outputs))
    told = found.validation["each"][0]
    assert told["mae"] == pytest.approx(mean_absolute_error(truth, said)) and told["mae"] > 1000
    assert told["r2"] == pytest.approx(r2_score(truth, said))
    assert sum(told["residuals"]["counts"]) == len(y) == len(found.validation["points"][0]["truth"])
    curve = found.curves["series"][1]
    assert curve["name"] == "mae" and "price" in curve["unit"] and curve["validation"][0][-1] > 1000
    assert (run / "report" / "scatter-0.png").is_file() and "off by" in (run / "report.md").read_text()


def test_a_script_hands_its_rows_over(tmp_path, monkeypatch):
    monkeypatch.setattr("thalweg.reports._gather.diagnosed", lambda *_: None)
    x = RNG.normal(size=(160, 2)).astype("float32")
    y = np.stack([x[:, 0] > 0, x[:, 1] > 0], axis=1).astype("float32")
    halves = (x[:120], y[:120]), (x[120:], y[120:])
    model = net(2, "sigmoid", "binary_crossentropy")
    turned = callbacks.LearningRateScheduler(lambda epoch, rate: rate / (2 if epoch == 1 else 1))
    model.fit(*halves[0], validation_data=halves[1], epochs=2, callbacks=[turned], run=tmp_path / "run", verbose=0)
    alone = gather(tmp_path / "run")
    assert alone.validation is None and "validation=(x, y)) gives all sections" in alone.missing["validation"]
    assert alone.curves["validated"] and alone.trained["rows"]["training"] == 120
    found = reports.report(tmp_path / "run", *halves, class_names=["left|", EVIL])
    told = found.validation
    said = model.predict(x[120:], verbose=0) > 0.5
    expected = precision_recall_fscore_support(y[120:], said, zero_division=0)
    assert [one["recall"] or 0 for one in told["each"]] == pytest.approx(list(expected[1]))
    assert [one["rows"] for one in told["each"]] == expected[3].tolist() and len(told["calibrations"]) == 2
    change = found.curves["changes"][0]
    assert change["at"] == 1 and (change["old"], change["new"]) == pytest.approx((0.01, 0.005))
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Turned on the way" in page and "optimizer/learning_rate" in page and "<script" not in page
    only = gather(tmp_path / "run", validation=halves[1])
    assert only.validation["rows"] == 40 and "learnt from are missing" in only.missing["diagnosis"]
    with pytest.raises(data.SealedError):
        gather(tmp_path / "run", halves[0], data.split(x, y).test)
    wrong = gather(tmp_path / "run", *halves, class_names=["left"])
    assert "class_names must name 2 labels, got 1" in wrong.missing["validation"]


def test_what_a_run_lacks_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("thalweg.reports._gather.diagnosed", lambda *_: None)
    x = RNG.normal(size=(80, 2)).astype("float32")
    y = (x[:, 0] > 0).astype(int)
    model = net(1, "sigmoid", "binary_crossentropy")
    crew = thalweg.Population.of_seeds(model, 2)
    crew.fit(x, y, epochs=2, seeds=range(2), validation_split=0.2, run=tmp_path / "crew", verbose=0)
    found = gather(tmp_path / "crew")
    assert found.trained["nets"] == 2 and len(found.curves["best"]) == len(found.curves["series"][0]["validation"]) == 2
    assert (
        "trained 2 nets side by side" in found.missing["validation"] and "best-000.keras" in found.missing["diagnosis"]
    )
    one = gather(tmp_path / "crew", (x[:64], y[:64]), (x[64:], y[64:]), model=crew[1])
    assert np.sum(one.validation["confusion"]) == 16 and one.validation["calibration"]["points"]
    model.fit(x, y, epochs=1, run=tmp_path / "alone", verbose=0)
    bare = reports.report(tmp_path / "alone")
    assert not bare.curves["validated"] and "Nothing was validated" in (tmp_path / "alone" / "report.md").read_text()
    assert "knows of no test rows" in (tmp_path / "alone" / "report.html").read_text()
    lacking = gather(tmp_path / "alone", (x, y))
    assert "no validation rows" in lacking.missing["validation"] and lacking.trained["rows"]["validation"] is None
    (tmp_path / "crew" / "history.jsonl").write_text('{"epoch": 0, "loss": [0.5, nu')
    assert "No epoch was finished" in reports.html(gather(tmp_path / "crew"))


def test_a_net_of_several_outputs_gets_what_is_on_record(tmp_path):
    x = RNG.normal(size=(40, 2)).astype("float32")
    inputs = thalweg.Input((2,))
    model = thalweg.Model(inputs, [layers.Dense(1, name="p")(inputs), layers.Dense(1, name="q")(inputs)])
    model.compile("sgd", ["mse", "mse"])
    train, rest = ((part, [part[:, :1], part[:, 1:]]) for part in (x[:30], x[30:]))
    model.fit(*train, validation_data=rest, epochs=1, run=tmp_path / "run", verbose=0)
    found = gather(tmp_path / "run", train, rest)
    assert found.trained["rows"] == {"training": 30, "validation": 10, "test": None}
    assert "has 2 outputs (p, q)" in found.missing["validation"]
    assert {"loss", "p_loss", "q_loss"} <= {one["name"] for one in found.curves["series"]}


def test_data_that_are_gone_cost_only_the_sections_that_need_them(table, tmp_path):
    run, _, _ = table
    there = run.parents[1] / "t.csv"
    there.rename(tmp_path / "away.csv")
    try:
        found = gather(run)
    finally:
        (tmp_path / "away.csv").rename(there)
    assert found.validation is None and "t.csv" in found.missing["validation"] and found.curves["epochs"] == [1, 2]


def test_many_classes_are_told_by_the_pairs_that_are_mixed_up_most(tmp_path, monkeypatch):
    monkeypatch.setattr("thalweg.reports._gather.diagnosed", lambda *_: None)
    x, y = RNG.normal(size=(150, 3)).astype("float32"), np.arange(150) % 25
    model = net(25, "linear", thalweg.losses.SparseCategoricalCrossentropy(from_logits=True), width=3)
    model.fit(x, y, epochs=1, run=tmp_path / "run", verbose=0)
    found = gather(tmp_path / "run", (x, y), (x, y))
    matrix = confusion_matrix(y, model.predict(x, verbose=0).argmax(axis=1))
    np.fill_diagonal(matrix, 0)
    pairs = found.validation["pairs"]
    assert len(pairs) == 20 and [one["rows"] for one in pairs] == sorted(matrix.ravel(), reverse=True)[:20]
    assert "mixed up most, of 25 classes" in reports.markdown(found)
    chances = [one["probability"] for one in found.validation["worst"]]
    assert all(0 < one <= 1 for one in chances) and found.validation["worst_columns"] == ["0", "1", "2"]


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3)])
def test_pixels_come_back_from_a_png(shape):
    pixels = RNG.integers(0, 256, shape).astype(np.uint8)
    again = np.asarray(Image.open(io.BytesIO(png(pixels))))
    assert (again == pixels.reshape(again.shape)).all()


def test_without_matplotlib_the_extra_is_named(table, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"thalweg\[plots\]"):
        reports.report(table[0])


def test_pictures_of_a_person_with_the_dollar_are_no_formulas(table):
    found = table[2]
    told = {**found.curves, "series": [{**found.curves["series"][0], "name": "$x_$ \\frac & <b>"}]}
    page = reports.html(found._replace(curves=told))
    assert "$x_$ \\frac &amp; &lt;b&gt;" in page
    cards = {**found.validation, "worst": [{**one, "picture": base64.b64encode(png(np.zeros((4, 4), np.uint8))).decode()}
                                           for one in found.validation["worst"]]}  # fmt: skip
    assert reports.html(found._replace(validation=cards)).count("<img ") == 24
