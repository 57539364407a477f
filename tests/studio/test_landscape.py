"""The landscape of a run: the numbers are those of the diagnosis, what is kept is bounded, what cannot be done is refused by name."""

import threading
import time

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from studio_client import Client
from studio_nets import X, Y

import thalweg
from thalweg import callbacks, layers
from thalweg.cli import main, rows_of
from thalweg.cli._studio import rows_of_run
from thalweg.diagnosis import Trajectory, curvature_along, loss_surface, race
from thalweg.studio import Studio, _landscape, _trail
from thalweg.studio._ground import ground_in, ground_of
from thalweg.studio._house import House
from thalweg.studio._jobs import Jobs
from thalweg.studio._landscape import KINDS, begin, choices, newest, settings_of
from thalweg.studio._rows import Sample, rows_of_folder
from thalweg.studio._server import Server
from thalweg.studio._steering import Refused
from thalweg.studio._trail import Trail


def net(penalty="l2"):
    model = thalweg.Sequential(
        [thalweg.Input((3,)), layers.Dense(4, "tanh", kernel_regularizer=penalty), layers.Dense(2, "softmax")]
    )
    model.compile(thalweg.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def done(jobs, told, seconds=120.0):
    """What was found, once it is."""
    end = time.monotonic() + seconds
    while told["state"] != "done":
        assert time.monotonic() < end
        time.sleep(0.01)
        told = jobs.look(told["number"])
    return told["record"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit that is over, its studio, and the way as the diagnosis keeps it."""
    studio, way = Studio(tmp_path_factory.mktemp("runs"), tell=None), Trajectory("epoch")
    model = net()
    model.fit(X, Y, epochs=6, batch_size=8, verbose=0, seed=1, validation_split=0.25, callbacks=[way, studio])
    Server._shared.stop()
    return model, studio, way


# -- numbers --------------------------------------------------------------------------------------


def test_the_way_is_that_of_the_fit(fitted):
    model, studio, way = fitted
    found = studio.ground()
    assert found.way.steps == way.steps and found.has_way
    for mine, theirs in zip(found.way.weights, way.weights, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(mine, theirs, strict=True))
    assert all(
        np.array_equal(one, other) for one, other in zip(found.model.get_weights(), model.get_weights(), strict=True)
    )
    x, y = found.rows(1000)
    assert np.array_equal(x, X[:48]) and np.array_equal(np.ravel(y), Y[:48]) and len(found.rows(10)[0]) == 10


@pytest.mark.parametrize("directions", ["auto", "filter", "eigen", "trajectory"])
def test_the_surface_is_that_of_the_diagnosis(fitted, directions):
    model, studio, way = fitted
    jobs = Jobs()
    asked = {"kind": "surface", "directions": directions, "size": 5, "span": 0.5}
    found = done(jobs, begin(jobs, asked, "first", studio.ground))
    plane = "trajectory" if directions == "auto" else directions
    own = loss_surface(model, X[:48], Y[:48], plane, 5, 0.5, way, verbose=0)
    for name, value in own.record().items():
        assert found[name] == value, name
    assert found["shows_path"] == own.shows_path and found["at_edge"] == own.at_edge and found["note"] == ""


def test_the_curvature_is_that_of_the_diagnosis(fitted):
    model, studio, way = fitted
    jobs = Jobs()
    found = done(jobs, begin(jobs, {"kind": "curvature", "places": 3}, "first", studio.ground))
    own = curvature_along(model, [way.weights[i] for i in (0, 3, 6)], X[:48], Y[:48], verbose=0).record()
    assert found["points"] == own["points"] and found["steps"] == [way.steps[i] for i in (0, 3, 6)]
    assert found["rows"] == 48 and found["note"] == ""


def test_a_race_is_that_of_the_diagnosis_and_needs_no_run(fitted):
    model, studio, way = fitted
    jobs = Jobs()
    racers = ["gradient descent", "Adam + decay"]
    found = done(
        jobs, begin(jobs, {"kind": "race", "racers": racers, "surface": "beale", "steps": 40, "start": [1.5, 1]})
    )
    own = race(racers, "beale", 40, [1.5, 1], verbose=0).record()
    assert {name: found[name] for name in own} == own
    found = done(
        jobs, begin(jobs, {"kind": "race", "racers": racers, "surface": "run", "steps": 10}, "first", studio.ground)
    )
    plane = loss_surface(model, X[:48], Y[:48], "trajectory", 25, path=way, verbose=0)
    own = race(racers, plane, 10, verbose=0).record()
    assert {name: found[name] for name in own} == own
    assert done(jobs, begin(jobs, {"kind": "race", "steps": 5}))["names"] == choices()["racers"]


def test_what_is_known_is_not_computed_again_until_the_net_is_another_one(fitted, monkeypatch):
    model, studio, _ = fitted
    jobs, asked = Jobs(), {"kind": "surface", "size": 5}
    first = begin(jobs, asked, "first", studio.ground)
    record = done(jobs, first)
    again = begin(jobs, {**asked, "seed": 0}, "first", studio.ground)
    assert again["number"] == first["number"] and again["record"] == record
    assert begin(jobs, asked, "second", studio.ground)["number"] != first["number"]
    twin, copies = studio.trail.ask()
    twin.set_weights([1.5 * one for one in model.get_weights()])
    other = ground_of(twin, studio.sample(), [(one.step, one.weights) for one in copies], "")
    assert begin(jobs, asked, "first", lambda: other)["number"] != first["number"]


# -- runs of which only the folder is there -------------------------------------------------------


def test_a_recorded_run_has_the_way_of_its_checkpoints(tmp_path):
    way, model = Trajectory("epoch"), net()
    model.fit(
        X, Y, epochs=5, batch_size=8, verbose=0, seed=1, callbacks=[way, callbacks.RunFolder(tmp_path / "run", keep=4)]
    )
    sample = Sample((X,), (Y,), np.arange(64), 64, None, ())
    found = ground_in(tmp_path / "run", sample)
    assert found.way.steps == way.steps[2:] == [16, 24, 32, 40]
    for mine, theirs in zip(found.way.weights, way.weights[2:], strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(mine, theirs, strict=True))
    with pytest.raises(Refused, match="open the page in the process that trains"):
        rows_of_folder(tmp_path / "run", rows_of_run)
    (tmp_path / "run" / "best.keras").write_bytes(b"no net")
    with pytest.raises(Refused, match="cannot be read here"):
        ground_in(tmp_path / "run", sample)
    (tmp_path / "run" / "best.keras").unlink()
    (tmp_path / "run" / "last.keras").unlink()
    with pytest.raises(Refused, match="has no net yet"):
        ground_in(tmp_path / "run", sample)


def test_a_short_way_is_told_and_the_surface_is_drawn_without_it(fitted):
    model, studio, way = fitted
    jobs = Jobs()
    short = ground_of(model, studio.sample(), zip(way.steps[:2], way.weights[:2], strict=True), "Keep more of them.")
    for directions in ("auto", "trajectory"):
        found = done(
            jobs, begin(jobs, {"kind": "surface", "size": 5, "directions": directions}, "short", lambda: short)
        )
        assert found["directions"] == "filter" and found["path"] is None
        assert "2 places of it are kept, and it takes 3 at least. Keep more of them." in found["note"]
    none = ground_of(model, studio.sample(), [], "keep more of them")
    with pytest.raises(Refused, match="No place of this run's way is kept"):
        done(jobs, begin(jobs, {"kind": "curvature"}, "none", lambda: none))


def test_a_run_of_the_command_makes_its_rows_again_and_any_other_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["train", "digits8", "--epochs", "2", "--layers", "4", "--out", "runs/digits"]
    assert CliRunner().invoke(main, command).exit_code == 0
    net().fit(X, Y, epochs=1, verbose=0, run=tmp_path / "runs" / "scripted")
    house = House(tmp_path / "runs", again=rows_of_run)
    found = done(
        house.jobs, begin(house.jobs, {"kind": "surface", "size": 5}, "digits", lambda: house.ground("digits"))
    )
    rows = rows_of("runs/digits")
    assert found["rows"] == 1000 < len(rows["x"]) and found["directions"] == "filter"
    assert "RunFolder(folder, keep=50) keeps more checkpoints" in found["note"]
    model, sample = (
        thalweg.models.load_model("runs/digits/best.keras"),
        rows_of_folder(tmp_path / "runs" / "digits", rows_of_run),
    )
    assert len(sample.x[0]) > 1000
    own = loss_surface(model, *house.ground("digits").rows(1000), "filter", 5, verbose=0)
    assert found["losses"] == own.record()["losses"]
    along = done(
        house.jobs, begin(house.jobs, {"kind": "curvature", "places": 2}, "digits", lambda: house.ground("digits"))
    )
    assert len(along["points"]) == 2 and along["steps"][1] == 2 * along["steps"][0]
    with pytest.raises(Refused, match="open the page in the process that trains"):
        house.ground("scripted")
    with pytest.raises(KeyError):
        house.ground("nobody")


def test_the_addresses_begin_work_and_tell_how_far_it_is(client):
    status, known = client.json("GET", "/api/race")
    assert status == 200 and known["racers"] == choices()["racers"] and "about" in known["surfaces"]["saddle"]
    assert known["newest"] == {} and client.json("GET", "/api/runs/first/landscape") == (200, {})
    status, told = client.json("POST", "/api/race", {"surface": "saddle", "steps": 20, "racers": ["Adam"]})
    assert status == 200
    end = time.monotonic() + 60
    while told["state"] != "done" and time.monotonic() < end:
        assert set(told) == {"number", "state", "before", "done", "total", "seconds"}
        status, told = client.json("GET", f"/api/race/{told['number']}")
    assert told["record"]["losses"] == race(["Adam"], "saddle", 20, verbose=0).record()["losses"]
    assert client.json("POST", "/api/race", {"steps": 0}) == (
        400,
        {"error": "steps must be a whole number from 1 to 2,000, or null, got '0'."},
    )
    assert client.json("GET", "/api/race/99")[0] == 400
    status, told = client.json("POST", "/api/runs/first/landscape", {"kind": "surface"})
    assert status == 400 and "thalweg studio makes those" in told["error"]
    status, told = client.json("POST", "/api/runs/first/landscape", {"kind": "surface", "size": 2})
    assert status == 400 and told["error"].startswith("size must be an odd whole number")
    assert client.json("POST", "/api/runs/nobody/landscape", {"kind": "surface"})[0] == 404
    status, told = client.json("POST", "/api/runs/first/landscape", {"kind": "race", "steps": 5})
    assert status == 200 and client.json("GET", f"/api/runs/first/landscape/{told['number']}")[0] == 200


def test_another_process_is_asked_where_that_trains_the_run(tmp_path, monkeypatch):
    """Its page passes on what is asked, and how far that is."""
    monkeypatch.setattr(_trail, "_PATIENCE", 60.0)
    monkeypatch.setattr("thalweg.studio._app._ANSWER", 60.0)
    studio, other, found = Studio(tmp_path, tell=None), Server(House(tmp_path)), {}
    other.start()

    def ask():
        try:
            asked()
        finally:
            studio.model.stop_training = True

    def asked():
        client = Client(other)
        status, told = client.json("POST", "/api/runs/first/landscape", {"kind": "surface", "size": 5})
        found["begun"], found["before"] = (status, told), other.house.jobs._thread
        while status == 200 and told["state"] != "done":
            status, told = client.json("GET", f"/api/runs/first/landscape/{told['number']}")
        found["record"] = told.get("record")
        found["wrong"] = client.json("POST", "/api/runs/first/landscape", {"kind": "surface", "size": 4})

    class Begin(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                self.thread = threading.Thread(target=ask)
                self.thread.start()

        def on_progress(self, step, logs=None):
            time.sleep(0.001)

    begun = Begin()
    net().fit(X, Y, epochs=100_000, batch_size=8, verbose=0, seed=1, run=tmp_path / "first", callbacks=[begun, studio])
    begun.thread.join()
    other.stop()
    assert found["begun"][0] == 200 and found["before"] is None, "it computes nothing itself"
    assert found["record"]["directions"] == "trajectory" and found["record"]["rows"] == 64
    assert found["wrong"][0] == 400 and "size must be an odd whole number" in found["wrong"][1]["error"]


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "kind: Unknown kind None"),
        ({"kind": "surfaces"}, "kind: Unknown kind 'surfaces'. Did you mean 'surface'"),
        ({"kind": "surface", "size": 4}, "size must be an odd whole number from 5 to 61, got '4'"),
        ({"kind": "surface", "size": 63}, "size must be an odd whole number"),
        ({"kind": "surface", "size": True}, "size must be an odd whole number"),
        ({"kind": "surface", "size": "31"}, "size must be an odd whole number"),
        ({"kind": "surface", "span": 0}, "span must be a number above 0"),
        ({"kind": "surface", "span": float("nan")}, "span must be a number above 0"),
        ({"kind": "surface", "directions": "up"}, "directions must be one of auto, filter, eigen, trajectory"),
        ({"kind": "surface", "directions": ["filter"]}, "directions must be one of"),
        ({"kind": "surface", "seed": -1}, "seed must be a whole number"),
        ({"kind": "surface", "spam": 1}, "spam: Unknown setting 'spam'. Did you mean 'span'"),
        ({"kind": "curvature", "places": 9}, "places must be a whole number from 1 to 8, got '9'"),
        ({"kind": "race", "racers": []}, "racers must be a list of different names among gradient descent"),
        ({"kind": "race", "racers": ["Adam", "Adam"]}, "racers must be a list of different names"),
        ({"kind": "race", "racers": ["adam"]}, "racers must be"),
        ({"kind": "race", "racers": [["Adam"]]}, "racers must be"),
        ({"kind": "race", "surface": "hill"}, "surface must be one of ravine"),
        ({"kind": "race", "steps": 2001}, "steps must be a whole number from 1 to 2,000"),
        ({"kind": "race", "start": [1]}, "start must be two finite numbers"),
        ({"kind": "race", "start": [1, float("inf")]}, "start must be two finite numbers"),
        ({"kind": "race", "start": [1, 10**400]}, "start must be two finite numbers"),
    ],
)
def test_wrong_settings_are_refused_by_name(wish, said):
    with pytest.raises(Refused, match="^" + said.replace("(", r"\(")):
        settings_of(wish)


def test_what_would_take_minutes_is_refused_or_seen_on_fewer_rows(fitted, monkeypatch):
    model, studio, _ = fitted
    jobs, weights = Jobs(), model.count_params()
    monkeypatch.setattr(_landscape, "_FEWEST", 5)
    monkeypatch.setattr(_landscape, "_ROOM", 25 * weights * 20)
    assert (
        done(jobs, begin(jobs, {"kind": "surface", "size": 5, "directions": "filter"}, "a", studio.ground))["rows"]
        == 20
    )
    with pytest.raises(Refused, match=f"size: 961 passes over 5 rows with {weights} weights would take minutes"):
        done(jobs, begin(jobs, {"kind": "surface", "size": 31}, "a", studio.ground))
    with pytest.raises(Refused, match="steps must be at most 300 on a net's own loss, got 301"):
        done(jobs, begin(jobs, {"kind": "race", "surface": "run", "steps": 301}, "a", studio.ground))
    monkeypatch.setattr(_landscape, "_ROOM", 1e12)
    monkeypatch.setattr(_landscape, "_ENOUGH", 0.0)
    found = done(jobs, begin(jobs, {"kind": "curvature", "places": 4}, "a", studio.ground))
    assert found["steps"] == [36] and found["note"] == "There was time for 1 of 4 places."
    with pytest.raises(Refused, match="surface: Unknown surface 'run'"):
        done(jobs, begin(jobs, {"kind": "race", "surface": "run"}))
    with pytest.raises(Refused, match="kind: Unknown kind 'surface'"):
        begin(jobs, {"kind": "surface"})


def test_a_stream_and_a_net_that_does_not_come_by_are_refused(monkeypatch):
    studio = Studio(tell=None)
    with pytest.raises(Refused, match="stream"):
        studio.ground()
    monkeypatch.setattr(_trail, "_PATIENCE", 0.05)
    with pytest.raises(Refused, match="The net is busy"):
        Trail().ask()


# -- work -----------------------------------------------------------------------------------------


def test_one_piece_of_work_at_a_time_and_its_progress_is_told(monkeypatch):
    jobs, gate, seen = Jobs(), threading.Event(), []

    def slow(told):
        told(3, 10)
        seen.append(threading.current_thread())
        gate.wait(60)
        return {"x": float("nan")}

    first = jobs.begin("a", slow)
    while not seen:
        time.sleep(0.005)
    second = jobs.begin("b", lambda told: seen.append(threading.current_thread()))
    told = jobs.look(first["number"])
    assert (told["state"], told["done"], told["total"], told["before"]) == ("computing", 3, 10, 0)
    assert jobs.look(second["number"])["state"] == "waiting" and jobs.look(second["number"])["before"] == 1
    assert jobs.begin("a", slow)["number"] == first["number"]
    for key in "cde":
        jobs.begin(key, lambda told: None)
    with pytest.raises(Refused, match="4 pieces of work wait already"):
        jobs.begin("f", lambda told: None)
    gate.set()
    assert done(jobs, first) == {"x": None} and done(jobs, second) is None
    assert seen[0] is seen[1] is not threading.current_thread()


def test_the_diagnosis_tells_how_far_it_is(fitted):
    _, studio, _ = fitted
    for wish, total in (
        ({"kind": "surface", "size": 9}, 81),
        ({"kind": "curvature", "places": 2}, 1),
        ({"kind": "race", "steps": 30}, 30),
    ):
        kind, asked = settings_of(wish)
        told = []
        KINDS[kind].made(studio.ground(), asked, lambda done, of, told=told: told.append((done, of)))
        assert told[-1] in ((total, total), (1, 2)), kind


def test_work_that_fails_or_takes_too_long_is_told_and_can_be_asked_for_again(monkeypatch):
    jobs = Jobs()
    for error, said in ((ValueError("all is flat"), "all is flat"), (KeyError("x"), "KeyError: 'x'")):
        with pytest.raises(Refused, match=said):
            done(jobs, jobs.begin(said, lambda told, error=error: (_ for _ in ()).throw(error)))
    assert done(jobs, jobs.begin("all is flat", lambda told: 7)) == 7
    monkeypatch.setattr("thalweg.studio._jobs._LONGEST", 0.0)

    def work(told):
        time.sleep(0.01)
        told(2, 9)

    with pytest.raises(Refused, match="2 of 9 are done: ask for less"):
        done(jobs, jobs.begin("long", work))
    with pytest.raises(Refused, match="there is no piece of work 99"):
        jobs.look(99)
    for i in range(80):
        done(jobs, jobs.begin(i, lambda told: None))
    assert len(jobs._jobs) <= 17 and len(jobs._keys) <= 17


# -- the trail ------------------------------------------------------------------------------------


class Net:
    """As a trail sees a net."""

    def __init__(self, size=1):
        self.size, self.steps_taken, self.copies = size, 0, 0

    def count_params(self):
        return self.size

    def get_weights(self):
        self.copies += 1
        return [np.full(1, float(self.steps_taken))]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(1, 120), st.integers(-60, -1)), min_size=1, max_size=6), st.integers(4, 12))
def test_the_trail_is_bounded_even_and_cut_back(moves, most):
    """Epochs that are done, and going back by some, in any order."""
    trail, model, epoch = Trail(most=most), Net(), 0
    trail.begin(model, 0)
    for move in moves:
        if move < 0:
            epoch = max(epoch + move, 0)
            model.steps_taken = 10 * epoch
            trail.back_to(epoch)
        for _ in range(max(move, 0)):
            epoch, model.steps_taken = epoch + 1, model.steps_taken + 10
            trail.pass_by(model, epoch - 1, 5)  # within an epoch
            trail.pass_by(model, epoch, 0)
        kept = [one.epoch for one in trail.copies()]
        assert kept[0] == 0 and kept[-1] <= epoch and len(kept) <= most
        assert len(set(np.diff(kept))) <= 1, "evenly apart"
        assert len(kept) >= min(epoch + 1, most // 2) or move < 0 or min(moves) < 0
        for one in trail.copies():
            assert one.step == 10 * one.epoch and one.weights[0][0] == one.step
    assert model.copies <= 2 + sum(map(abs, moves)), "not more than one an epoch"


def test_a_large_net_leaves_fewer_copies_or_none():
    for size, count in ((1, 48), ((256 << 20) // 40, 10), ((256 << 20) // 12, 0)):
        trail, model = Trail(), Net(size)
        for epoch in range(500):
            trail.pass_by(model, epoch, 0)
        assert len(trail.copies()) <= count and (len(trail.copies()) > count // 2 or not count)
    trail.pass_by(Net(30_000_000), 0, 0)
    with pytest.raises(Refused, match="The net has 30,000,000 weights: there is a landscape of nets of 20,000,000"):
        trail.ask()


def test_a_fit_that_went_back_has_no_way_beyond(tmp_path):
    """The trail of the fit that a person has sent back is that of the fit as it then went."""

    class Back(callbacks.Callback):
        comes_last = True
        done = False

        def on_safe_point(self, epoch, step, last=False):
            if (epoch, step) == (4, 0) and not self.done:
                self.done, self.before = True, [one.epoch for one in studio.trail.copies()]
                (folder,) = (one for one in self.model.session.callbacks if isinstance(one, callbacks.RunFolder))
                folder.go_back(folder.checkpoints()[0])

    studio, back = Studio(tmp_path, tell=None), Back()
    run = callbacks.RunFolder(tmp_path / "run", keep=3)
    net().fit(X, Y, epochs=6, batch_size=8, verbose=0, seed=1, callbacks=[studio, back, run])
    assert back.before == [0, 1, 2, 3, 4]
    assert [one.epoch for one in studio.trail.copies()] == list(range(7))
    assert studio.ground().way.steps == [8 * i for i in range(7)]


def test_a_fit_that_goes_on_tells_of_its_own_way_alone(tmp_path):
    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net().fit(X, Y, epochs=6, batch_size=8, verbose=0, seed=1, run=tmp_path / "run", callbacks=[Stop()])
    studio, model = Studio(tmp_path, tell=None), net()
    model.fit(X, Y, epochs=6, batch_size=8, verbose=0, seed=1, run=tmp_path / "run", callbacks=[studio])
    found = studio.ground().way
    assert found.steps == [24, 32, 40, 48]
    assert all(np.array_equal(one, other) for one, other in zip(found.weights[-1], model.get_weights(), strict=True))


def test_a_fit_that_runs_is_asked_and_goes_on(tmp_path, monkeypatch):
    """The net of a moment ago, with the hypers of then, from another thread."""
    monkeypatch.setattr(_trail, "_PATIENCE", 60.0)
    studio, found = Studio(tmp_path, tell=None), []

    class Asks(callbacks.Callback):
        def next_stop(self, step):
            return step + 1

        def on_progress(self, step, logs=None):
            if self.model.session.epoch == 2 and step == 3:
                self.thread = threading.Thread(target=lambda: found.append(studio.ground()))
                self.thread.start()
                while not studio.trail._asked:
                    time.sleep(0.001)
            elif self.model.session.epoch == 2 and step == 4:
                self.thread.join()

    net().fit(X, Y, epochs=4, batch_size=8, verbose=0, seed=1, callbacks=[Asks(), studio])
    assert found[0].way.steps == [0, 8, 16, 19]
    assert found[0].stamp != studio.ground().stamp and studio.ground().way.steps[-1] == 32


def test_a_fit_that_pauses_is_asked_too(tmp_path, monkeypatch):
    monkeypatch.setattr(_trail, "_PATIENCE", 60.0)
    studio, model = Studio(tmp_path, tell=None), net()

    class Pause(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                studio.steering.ask({"do": "pause"})

    fit = threading.Thread(
        target=lambda: model.fit(X, Y, epochs=4, batch_size=8, verbose=0, seed=1, callbacks=[Pause(), studio])
    )
    fit.start()
    while not studio.steering.paused:
        time.sleep(0.005)
    found = studio.ground()
    assert found.way.steps[:3] == [0, 8, 16] and studio.ground().stamp == found.stamp
    studio.steering.ask({"do": "go on"})
    fit.join()
    assert studio.ground().way.steps == [0, 8, 16, 24, 32]


def test_what_was_asked_for_last_is_told_to_a_second_tab(fitted):
    _, studio, _ = fitted
    jobs = Jobs()
    assert newest(jobs, "first") == {}
    first = begin(jobs, {"kind": "surface", "size": 5}, "first", studio.ground)
    second = begin(jobs, {"kind": "surface", "size": 7}, "first", studio.ground)
    told = newest(jobs, "first")
    assert told["surface"]["number"] == second["number"] and told["surface"]["asked"]["size"] == 7
    assert done(jobs, second)["alphas"] and done(jobs, first)
    assert begin(jobs, {"kind": "surface", "size": 5}, "first", studio.ground)["number"] == first["number"]
    assert newest(jobs, "first")["surface"]["number"] == first["number"]
    alone = begin(jobs, {"kind": "race", "steps": 5})
    assert newest(jobs) == {"race": {"number": alone["number"], "asked": settings_of({"kind": "race", "steps": 5})[1]}}
    assert set(newest(jobs, "first")) == {"surface"}
    with pytest.raises(Refused):
        done(jobs, begin(jobs, {"kind": "race", "surface": "run"}))
    assert newest(jobs) == {}, "one that failed is not asked for again"


def test_every_kind_is_told_of():
    assert set(KINDS) == {"surface", "curvature", "race"}
    assert choices()["surfaces"]["rosenbrock"]["steps"] == 2000
