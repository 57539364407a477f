"""A fit that is steered while it runs: what is asked is done between two chunks, refused by name, and repeated by its script."""

import json
import threading
import time

import numpy as np
import pytest
from studio_nets import X, Y, net

import thalweg
from thalweg import callbacks
from thalweg.studio import Studio
from thalweg.studio._script import script_of
from thalweg.studio._steering import Refused


class Steps(callbacks.Callback):
    """Ends a chunk after each step."""

    def next_stop(self, step):
        return step + 1

    def on_progress(self, step, logs=None):
        pass


class Asks(callbacks.Callback):
    """Asks for something once so many steps of an epoch are done; the answers are kept."""

    def __init__(self, studio, wishes):
        self.studio, self.wishes, self.answers, self.epoch = studio, wishes, {}, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def next_stop(self, step):
        return step + 1

    def on_progress(self, step, logs=None):
        for wish in self.wishes.pop((self.epoch, step), ()):
            self.answers[json.dumps(wish)] = self.studio.steering.ask(wish)

    def told(self, wish):
        try:
            return self.answers[json.dumps(wish)].result(5)
        except Refused as error:
            return str(error)


def fit(model, *more, **given):
    given = {"epochs": 4, "batch_size": 8, "verbose": 0, "seed": 1, "validation_split": 0.25, **given}
    return model.fit(X, Y, callbacks=list(more), **given)


def steered(tmp_path, wishes, run="runs/first", **given):
    """A fit, and somebody who asks."""
    studio = Studio(tmp_path / "runs", tell=None)
    asks = Asks(studio, wishes)
    model = net()
    history = fit(model, asks, studio, run=None if run is None else tmp_path / run, **given)
    return model, history, studio, asks


def test_a_knob_turns_and_its_mark_is_on_the_record(tmp_path):
    wish = {"do": "turn", "path": "optimizer/learning_rate", "value": 0.02}
    _, history, studio, asks = steered(tmp_path, {(1, 2): [wish]})
    assert asks.told(wish) == {"path": "optimizer/learning_rate", "value": 0.02}
    (change,) = history.changes
    assert change[:3] == (1, 2, "optimizer/learning_rate") and (change.old, change.new) == (0.1, 0.02)
    lines = [json.loads(line) for line in (tmp_path / "runs/first/history.jsonl").read_text().splitlines()]
    assert [one["change"]["new"] for one in lines if "change" in one] == [0.02]
    frame, _ = studio.live.since()
    assert frame["now"]["status"] == "finished" and frame["now"]["hypers"]["optimizer/learning_rate"] == 0.02
    assert len(frame["epochs"]) == 4 and frame["changes"][0]["step"] == 2
    assert frame["now"]["ranges"]["dropout/rate"][0] == 0


WRONG = [
    ({"do": "turn", "path": "dropout/rate", "value": 1.5}, "dropout/rate"),
    ({"do": "turn", "path": "dropout/rate", "value": "much"}, "value must be a finite number"),
    ({"do": "turn", "path": "dropout/rate", "value": float("nan")}, "value must be a finite number"),
    ({"do": "turn", "path": "dropout/rate", "value": True}, "value must be a finite number"),
    ({"do": "turn", "path": "dropout/rate", "value": 10**400}, "value must be a finite number"),
    ({"do": "turn", "path": "dropuot/rate", "value": 0.5}, "Did you mean 'dropout/rate'"),
    ({"do": "turn", "value": 0.5}, "path must be a text"),
    ({"do": "dance"}, "Unknown wish 'dance'"),
    ({}, "do must be a text"),
    ({"do": "note", "text": ""}, "text must be a text"),
    ({"do": "note", "text": "x" * 2001}, "at most 2,000 letters"),
    ({"do": "go back", "checkpoint": "../../etc/passwd"}, "checkpoint: this run has none"),
    ({"do": "branch", "checkpoint": "nothing"}, "checkpoint: this run has none"),
]


def test_what_cannot_be_done_is_refused_by_name_and_the_fit_goes_on(tmp_path):
    model, _, _, asks = steered(tmp_path, {(1, 2): [wish for wish, _ in WRONG]})
    for wish, said in WRONG:
        assert said in asks.told(wish), wish
    plain = net()
    fit(plain, Steps())
    assert all(map(np.array_equal, model.get_weights(), plain.get_weights()))
    assert not list((tmp_path / "runs").glob("*branch*"))


def test_without_a_folder_knobs_turn_and_checkpoints_are_refused(tmp_path):
    turn = {"do": "turn", "path": "dropout/rate", "value": 0.4}
    _, history, studio, asks = steered(tmp_path, {(0, 1): [turn, {"do": "checkpoint"}]}, run=None)
    assert asks.told(turn)["value"] == 0.4 and "keeps no folder" in asks.told({"do": "checkpoint"})
    assert len(history.changes) == 1 and studio.link.endswith("#run=fit-1")


def test_a_studio_that_is_handed_to_a_second_fit_shows_that_one(tmp_path):
    studio = Studio(tmp_path / "runs", tell=None)
    for name in ("first", "second"):
        fit(
            net(),
            Asks(studio, {(0, 1): [{"do": "one more epoch"}, {"do": "go on"}]}),
            studio,
            run=tmp_path / "runs" / name,
        )
        frame, _ = studio.live.since()
        assert len(frame["epochs"]) == 4 and frame["now"]["run"] == name
    assert {row["run"]: row["done"] for row in studio._server.house.rows()} == {"first": 4, "second": 4}


def test_a_population_is_refused(tmp_path):
    crew = thalweg.Population([net(), net()])
    with pytest.raises(TypeError, match="Studio shows one net"):
        crew.fit(X, Y, epochs=1, verbose=0, callbacks=[Studio(tmp_path, tell=None)])


def test_once_it_is_over_nothing_can_be_asked(tmp_path):
    _, _, studio, _ = steered(tmp_path, {})
    with pytest.raises(Refused, match="The fit is over"):
        studio.steering.ask({"do": "pause"}).result(1)


def test_pause_one_more_epoch_and_stop(tmp_path):
    seen = []

    def person(studio):
        def wait(status, epoch=None):
            until = time.monotonic() + 20
            while time.monotonic() < until:
                now = studio.live.now
                if now.get("status") == status and (epoch is None or now["epoch"] == epoch):
                    return seen.append((status, now["epoch"], now["step"]))
                time.sleep(0.01)
            raise AssertionError((status, studio.live.now))

        try:
            wait("paused")
            first = studio.live.now["epoch"]
            studio.steering.ask({"do": "turn", "path": "dropout/rate", "value": 0.3}).result(5)
            studio.steering.ask({"do": "one more epoch"}).result(5)
            wait("paused", first + 2)
            studio.steering.ask({"do": "note", "text": "enough"}).result(5)
            studio.steering.ask({"do": "stop"}).result(5)
        except BaseException as error:
            seen.append(error)
            studio.model.stop_training = True
            studio.steering.paused = False

    studio = Studio(tmp_path / "runs", tell=None)
    asks = Asks(studio, {(1, 2): [{"do": "pause"}]})
    thread = threading.Thread(target=person, args=[studio])
    thread.start()
    history = fit(net(), asks, studio, epochs=500, run=tmp_path / "runs/first")
    thread.join(20)
    assert seen == [("paused", 1, 2), ("paused", 3, 0)], seen
    assert len(history.epoch) in (2, 3) and [one.text for one in history.notes] == ["enough"]
    run = callbacks.read_run(tmp_path / "runs/first")
    assert run.state == "stopped early" and history.changes[0][:2] == (1, 2)


def test_a_steered_run_is_repeated_by_its_script_to_the_bit(tmp_path, monkeypatch):
    wishes = {
        (0, 3): [{"do": "turn", "path": "optimizer/learning_rate", "value": 0.5}],
        (2, 1): [{"do": "turn", "path": "dropout/rate", "value": 0.4}, {"do": "note", "text": "more noise"}],
        (3, 4): [{"do": "stop"}],
    }
    model, _, _, _ = steered(tmp_path, wishes, epochs=9)
    code = script_of(tmp_path / "runs/first")
    given = {"x": X, "y": Y}
    exec(compile(code.replace("history = model.fit(", "history = model.fit(verbose=0, "), "again.py", "exec"), given)
    assert all(map(np.array_equal, model.get_weights(), given["model"].get_weights()))
    assert len(given["history"].changes) == 2 and "validation_split" in code


def test_back_and_branch(tmp_path):
    keep, turn = {"do": "checkpoint"}, {"do": "turn", "path": "optimizer/learning_rate", "value": 0.9}
    name = "epoch-000001-step-000000002.safetensors"
    branch = {"do": "branch", "checkpoint": name, "hypers": {"optimizer/learning_rate": 0.01, "dropout/rate": 0.1}}
    wishes = {(1, 2): [keep], (2, 1): [turn, {"do": "note", "text": "worse"}], (2, 3): [branch]}
    _, history, studio, asks = steered(tmp_path, wishes)
    assert asks.told(keep) == {"checkpoint": name} and asks.told(branch) == {"run": "first-branch-1"}
    assert [(one.epoch, one.step, one.new) for one in history.changes] == [
        (1, 2, 0.1),
        (1, 2, 0.01),
    ] and not history.notes
    old, new = (callbacks.read_run(tmp_path / "runs" / name) for name in ("first", "first-branch-1"))
    assert (old.state, new.state) == ("interrupted", "finished") and studio.live.now["run"] == "first-branch-1"
    frame, _ = studio.live.since()
    assert len(frame["epochs"]) == 4 and len(frame["changes"]) == 2 and frame["now"]["branched"]["step"] == 2


def test_a_turn_is_undone_by_going_back_to_the_checkpoint_before_it(tmp_path):
    turn = {"do": "turn", "path": "optimizer/learning_rate", "value": 1e9}
    drag = {**turn, "value": 1e8}
    back = {"do": "go back", "checkpoint": "epoch-000001-step-000000002.safetensors"}
    model, history, studio, asks = steered(tmp_path, {(1, 2): [turn], (1, 3): [drag], (1, 4): [back]})
    assert asks.told(back) == {"checkpoint": back["checkpoint"]} and asks.told(drag)["value"] == 1e8
    plain = net()
    fit(plain, Steps())
    assert all(map(np.array_equal, model.get_weights(), plain.get_weights())) and history.changes == []
    assert history.notes == [(1, 2, "gone back here from epoch 2, step 4")]
    frame, _ = studio.live.since()
    assert [one["text"] for one in frame["notes"]] == ["gone back here from epoch 2, step 4"]


def test_a_branch_with_hypers_that_cannot_be_had_leaves_everything_as_it_is(tmp_path):
    name = "epoch-000001-step-000000002.safetensors"
    branch = {"do": "branch", "checkpoint": name, "hypers": {"dropout/rate": 7}}
    model, _, _, asks = steered(tmp_path, {(1, 2): [{"do": "checkpoint"}], (2, 1): [branch]})
    plain = net()
    fit(plain, Steps())
    assert "dropout/rate" in asks.told(branch) and all(map(np.array_equal, model.get_weights(), plain.get_weights()))
    assert not (tmp_path / "runs/first-branch-1").exists()


def test_ctrl_c_ends_a_fit_that_pauses(tmp_path):
    import os
    import signal

    studio = Studio(tmp_path / "runs", tell=None)
    asks = Asks(studio, {(1, 2): [{"do": "pause"}]})

    def press():
        until = time.monotonic() + 20
        while studio.live.now.get("status") != "paused" and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        fit(net(), asks, studio, epochs=500, run=tmp_path / "runs/first")
    thread.join()
    assert studio.live.now["status"] == "interrupted" and callbacks.read_run(tmp_path / "runs/first").resumable


def test_a_pause_is_no_part_of_an_epochs_time():
    record = callbacks.History()
    record.on_epoch_begin(0)
    record.waited(100.0)
    record.on_epoch_end(0, {"loss": 1.0})
    assert -100 <= record.seconds[0] < -99


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ({"validation_split": 0.0}, '{"x": x, "y": y}'),
        ({"validation_split": 0.25}, '{"x": x, "y": y, "validation_split": 0.25}'),
        ({"validation_split": 0.0, "validation_data": (X + 1, Y)}, '{"x": x, "y": y, "validation_data": validation}'),
    ],
)
def test_a_script_asks_for_the_rows_that_the_run_had(tmp_path, given, rows):
    fit(net(), epochs=1, run=tmp_path / "run", **given)
    assert f"rows = {rows}" in script_of(tmp_path / "run")
