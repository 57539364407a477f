"""Studies on the page: read as they grow, their trials as runs."""

import json
from urllib.parse import quote

import numpy as np
import pytest
from studio_client import Client
from studio_nets import X, Y

import thalweg
from thalweg import layers, tuner
from thalweg.studio import Studio
from thalweg.studio._house import House
from thalweg.studio._live import Cursor
from thalweg.studio._server import Server
from thalweg.studio._studies import trial_name
from thalweg.studio._watched import WatchedStudy
from thalweg.tuner._axes import Axes
from thalweg.tuner._curves import Curves
from thalweg.tuner._study import Study
from thalweg.tuner._trial import Trial

HOSTILE = "<b>study<b>"


def build(hp):
    model = thalweg.Sequential(
        [thalweg.Input((3,)), layers.Dense(hp.Int("units", 2, 8), "relu"), layers.Dense(2, "softmax")]
    )
    rate = hp.Float("rate", 0.001, 0.3, sampling="log")
    model.compile(thalweg.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def searched(folder, name=HOSTILE, kind=tuner.RandomSearch, epochs=3, callbacks=None, **how):
    given = {"max_trials": 10, **how} if kind is tuner.RandomSearch else how
    found = kind(build, "val_accuracy", directory=folder, project_name=name, seed=1, keep=3, **given)
    found.search(X, Y, epochs=epochs, validation_split=0.25, verbose=0, callbacks=callbacks)
    return found


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return searched(tmp_path_factory.mktemp("studies"))


@pytest.fixture
def client(study, tmp_path):
    server = Server(House(tmp_path / "runs", study.folder.parent))
    server.start()
    yield Client(server)
    server.stop()


def test_the_table_of_studies(client, study):
    status, rows = client.json("GET", "/api/studies")
    assert status == 200 and len(rows) == 1
    row, best = rows[0], study.best_trial
    assert row["study"] == HOSTILE and row["status"] == "finished" and row["search"] == "random"
    assert (row["told"], row["total"], row["failed"]) == (10, 10, 0)
    assert row["best"] == {"number": best.number, "score": best.score, "error": None}


def test_a_study_tells_its_trials_and_curves(study):
    frame, _ = House("nowhere", study.folder.parent).study(HOSTILE).live.since()
    axes = Axes(tuner.read_study(study.folder).parameters)
    assert [one["name"] for one in frame["now"]["axes"]] == ["units", "rate"]
    rows = {row["number"]: row for row in frame["trials"]}
    for trial in study.trials:
        row = rows[trial.number]
        assert row["status"] == "completed" and row["values"] == trial.values and row["scores"] == trial.scores
        assert row["places"] == axes.places(trial)
        told = {
            one["epoch"]: dict(zip(one["trials"], one["values"], strict=True)).get(trial.number)
            for one in frame["curves"]
        }
        assert max(told.values()) == pytest.approx(trial.score, rel=1e-5)
    assert {one["name"] for one in frame["curves"]} == {"val_accuracy"}


def test_a_trial_is_a_run(client, study):
    kept = study.best_trial
    name = trial_name(HOSTILE, kept.number)
    status, found = client.json("GET", f"/api/runs/{quote(name)}/curves")
    assert status == 200
    assert found["now"]["status"] == "finished" and found["now"]["values"] == kept.values
    [history] = study.histories(kept)
    for key in ("loss", "val_accuracy"):
        np.testing.assert_allclose([one[key] for one in found["epochs"]], history[key], rtol=1e-5)
    assert [one["epoch"] for one in found["epochs"]] == [0, 1, 2]


def test_the_net_of_a_kept_trial_is_looked_into(study):
    house = House("nowhere", study.folder.parent)
    shown = house.find(trial_name(HOSTILE, study.best_trial.number))
    np.testing.assert_array_equal(
        shown.net().net().predict(X, verbose=0), study.get_best_models()[0].predict(X, verbose=0)
    )
    lost = next(trial for trial in study.trials if "nets" not in trial.notes)
    with pytest.raises(ValueError, match="were not kept"):
        house.find(trial_name(HOSTILE, lost.number)).net()


@pytest.mark.parametrize(
    "path",
    ["/api/studies/none/importance", "/api/studies/..%2f..%2fetc/importance", f"/api/studies/{quote(HOSTILE)}%2f../importance",
     f"/api/runs/{quote(HOSTILE)}/trial-9999/curves", f"/api/runs/{quote(HOSTILE)}/trial-0/curves",
     f"/api/runs/{quote(HOSTILE)}/trial-%2b001/curves", f"/api/runs/{quote(HOSTILE)}/curves"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(client, path):
    status, told = client.json("GET", path)
    assert status == 404 and "There is no" in told["error"]


def test_importance_is_the_tuners(client, study):
    status, found = client.json("GET", f"/api/studies/{quote(HOSTILE)}/importance")
    mattered = study.importance()
    assert status == 200 and found["trials"] == 10 and found["warnings"] == list(mattered.warnings)
    assert found["parameters"] == [json.loads(json.dumps(one._asdict())) for one in mattered]


def test_a_study_is_told_as_it_grows(tmp_path):
    space = [tuner.Int("a", 1, 4)]
    identity = {"search": "random", "objectives": [{"name": "val_loss", "direction": "min"}]}
    watched, curves = WatchedStudy(tmp_path), Curves(tmp_path)
    watched.look()
    assert watched.live.now["status"] == "damaged"  # there is no journal yet
    with Study(tmp_path, identity, space, storage=False) as study:
        study.note("search", {"total": 7, "epochs": 2})
        study.asked([Trial(0, {"a": 1}), Trial(1, {"a": 4})])
        study.flush()
        watched.look()
        frame, cursor = watched.live.since()
        assert frame["now"]["status"] == "running" and frame["now"]["total"] == 7
        assert [(one["number"], one["status"]) for one in frame["trials"]] == [(0, "running"), (1, "running")]
        curves.grow(0, {0: {"val_loss": 0.5, "loss": 0.1}, 1: {"val_loss": 0.7, "loss": 0.2}})
        study.told([Trial(1, {"a": 4}, "COMPLETED", [0.25], epochs=2)])
        study.note("warning", "too few trials")
        study.flush()
        watched.look()
        frame, cursor = watched.live.since(cursor)
        assert not frame["fresh"]
        assert [(one["number"], one["status"], one["scores"]) for one in frame["trials"]] == [(1, "completed", [0.25])]
        assert frame["curves"] == [{"epoch": 0, "trials": [0, 1], "name": "val_loss", "values": [0.5, 0.7]}]
        assert frame["now"]["best"]["number"] == 1 and "too few trials" in frame["now"]["said"]
        version = watched.live.version
        watched.look()
        assert watched.live.version == version  # nothing new, nothing told
        study.add_space([tuner.Float("b", 0.0, 1.0)])  # all places are told again
        study.flush()
        watched.look()
        frame, cursor = watched.live.since(cursor)
        assert [one["number"] for one in frame["trials"]] == [0, 1]
    with Study(tmp_path, identity, space, storage=False, overwrite=True):
        watched.look()
        frame, _ = watched.live.since(cursor)
        assert frame["fresh"] and frame["trials"] == [] and frame["now"]["told"] == 0
    watched.look()
    assert watched.live.now["status"] == "broken off"


def test_a_damaged_journal_is_told(tmp_path, client, study):
    folder = study.folder.parent / "damaged"
    folder.mkdir()
    (folder / "journal.jsonl").write_text('{"journal": 1, "half\n')
    try:
        client.server.house.studies._listed = (-10.0, {})
        rows = {row["study"]: row for row in client.json("GET", "/api/studies")[1]}
        assert rows["damaged"]["status"] == "damaged" and "line 1" in rows["damaged"]["why"]
        assert rows[HOSTILE]["status"] == "finished"
    finally:
        (folder / "journal.jsonl").unlink()
        folder.rmdir()


def test_epochs_that_a_group_trains_again_replace_what_was_told(tmp_path):
    with Study(tmp_path / "s", {"search": "random"}, storage=False) as study:
        study.asked([Trial(0, {"a": 1}, notes={"epochs": 5})])
        curves = Curves(tmp_path / "s")
        for epoch, loss in ((0, 9.0), (1, 8.0), (2, 7.0), (1, 6.0)):
            curves.grow(epoch, {0: {"loss": loss}})
        study.flush()
        live = House(tmp_path).find("s/trial-0000").live
        frame, _ = live.since(Cursor())
        assert [(one["epoch"], one["loss"]) for one in frame["epochs"]] == [(0, 9.0), (1, 6.0)]


def test_a_studio_among_a_searchs_callbacks_shows_the_study(tmp_path):
    told = []
    one = Studio(tmp_path, tell=told.append)
    found = searched(tmp_path, "mine", max_trials=2, callbacks=[one])
    assert [trial.status for trial in found.trials] == ["COMPLETED"] * 2
    assert told == [f"studio: {one.link}"] and one.link.endswith("#study=mine")
    frame, _ = Server.of_process(tmp_path).house.study("mine").live.since()
    assert len({row["number"] for row in frame["trials"]}) == 2


def test_axes_are_those_of_the_pictures():
    axes = Axes([tuner.Int("units", 1, 4), tuner.Choice("how", ["a", "b"]), tuner.Fixed("one", 1)])
    assert [one["name"] for one in axes.record()] == ["units", "how"]
    assert axes.record()[1]["ticks"] == [[0.25, "a"], [0.75, "b"]]
    assert axes.places(Trial(0, {"units": 4, "how": "b", "one": 1})) == {"units": 0.875, "how": 0.75}
    assert axes.places(Trial(0, {"units": 99})) == {}
