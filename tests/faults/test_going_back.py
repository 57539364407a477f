"""A fit that goes back to one of its own snapshots is from there on as if it had never gone on."""

import json

import numpy as np
import pytest
from going_on import KINDS, Steps, X, Y, same

import thalweg
from thalweg import callbacks
from thalweg.callbacks._run_record import checkpoint_name


class Back(Steps):
    """Takes a snapshot at one safe point, and goes back to it at a later one, once.

    Args:
        to: (epoch, step) of the snapshot.
        since: where it is gone back from.
        turned: (path, value) that is turned in between.

    """

    def __init__(self, to, since, turned=None):
        self.to, self.since, self.turned, self.kept, self.points = to, since, turned, None, []

    def on_safe_point(self, epoch, step, last=False):
        self.points.append((epoch, step))
        if (epoch, step) == self.to and self.kept is None:
            self.kept = self.model.session.snapshot()
        elif (epoch, step) == self.since and self.points.count(self.since) == 1:
            if self.turned:
                self.model.hypers[self.turned[0]] = self.turned[1]
            self.model.session.go_back(self.kept)


class Listed(Steps):
    """Nothing but a callback in the other one's place."""


def fit(model, *more, **given):
    """Four epochs of four steps."""
    given = {"epochs": 4, "batch_size": 8, "verbose": 0, "seed": 1, "validation_data": (X[:10] + 1, Y[:10]), **given}
    return model.fit(X, Y, callbacks=list(more), **given)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("to", "since"), [((1, 2), (2, 3)), ((1, 0), (3, 0)), ((2, 1), (2, 2)), ((0, 1), (4, 0))])
def test_it_is_as_if_it_had_never_gone_on(kind, to, since):
    plain, gone = KINDS[kind](), KINDS[kind]()
    fit(plain, Listed())
    fit(gone, way := Back(to, since))
    assert way.points.count(since) == 2, "it came by twice"
    same(plain, gone)


def test_what_was_turned_since_is_turned_back_and_leaves_no_line(tmp_path):
    plain, gone = KINDS["adam"](), KINDS["adam"]()
    fit(plain, Listed(), run=tmp_path / "plain")
    history = fit(gone, Back((1, 2), (2, 3), ("optimizer/learning_rate", 0.9)), run=tmp_path / "gone")
    same(plain, gone)
    assert history.changes == []
    lines = [
        [json.loads(line) for line in (tmp_path / name / "history.jsonl").read_text().splitlines()]
        for name in ("plain", "gone")
    ]
    for one in (*lines[0], *lines[1]):
        one.pop("seconds", None)
    assert lines[0] == lines[1]


def test_streams_do_not_go_back_and_other_nets_snapshots_are_refused():
    def batches():
        while True:
            yield X[:8], Y[:8]

    with pytest.raises(ValueError, match="A stream cannot be read again"):
        KINDS["sgd"]().fit(batches(), steps_per_epoch=4, epochs=4, verbose=0, callbacks=[Back((0, 1), (1, 1))])
    other = Back((0, 1), (9, 9))
    fit(KINDS["momentum"](), other)

    class Wrong(Steps):
        def on_safe_point(self, epoch, step, last=False):
            self.model.session.go_back(other.kept)

    with pytest.raises(ValueError, match="checkpoint"):
        fit(KINDS["sgd"](), Wrong())


def test_early_stopping_counts_from_there():
    plain, gone = KINDS["sgd"](), KINDS["sgd"]()
    given = {"epochs": 12}
    stops = [callbacks.EarlyStopping("val_loss", patience=2, min_delta=1.0) for _ in range(2)]
    fit(plain, Listed(), stops[0], **given)
    fit(gone, Back((1, 2), (2, 1)), stops[1], **given)
    same(plain, gone)
    assert stops[0].stopped_epoch == stops[1].stopped_epoch > 0


class Steer(Steps):
    """Keeps a checkpoint at one safe point; at a later one goes back to it, or branches off, once, and turns a hyper.

    Args:
        run: the folder's callback.
        to, since: (epoch, step).
        turned: (path, value), from where the fit comes to be again.
        folder: to branch into; None: the run itself goes back.

    """

    def __init__(self, run, to, since, turned=None, folder=None):
        self.run, self.to, self.since, self.turned, self.folder = run, to, since, turned, folder
        self.kept, self.gone = None, False

    def set_state(self, state):
        if self.turned:
            self.model.hypers[self.turned[0]] = self.turned[1]

    def on_safe_point(self, epoch, step, last=False):
        if (epoch, step) == self.to and self.kept is None:
            self.kept = self.run.checkpoint()
        elif (epoch, step) == self.since and not self.gone:
            self.gone = True
            self.run.go_back(self.kept) if self.folder is None else self.run.branch(self.kept, self.folder)


class Turned(Steps):
    """Turns a hyper once so many steps are done."""

    def __init__(self, at, path, value):
        self.at, self.path, self.value = at, path, value

    def on_safe_point(self, epoch, step, last=False):
        if (epoch, step) == self.at:
            self.model.hypers[self.path] = self.value


def lines_of(folder):
    lines = map(json.loads, (folder / "history.jsonl").read_text().splitlines())
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.parametrize(("to", "since"), [((1, 2), (3, 1)), ((2, 0), (4, 0))])
def test_a_branch_is_the_run_that_was_steered_so_from_the_begin_and_leaves_the_other_whole(tmp_path, to, since):
    turned = ("optimizer/learning_rate", 0.2)
    whole, straight, branched = (KINDS["adam"]() for _ in range(3))
    fit(whole, Listed(), run=tmp_path / "whole")
    fit(straight, Turned(to, *turned), run=tmp_path / "straight")
    run = callbacks.RunFolder(tmp_path / "old")
    fit(branched, Steer(run, to, since, turned, tmp_path / "new"), run=run)
    same(straight, branched)
    assert lines_of(tmp_path / "new") == lines_of(tmp_path / "straight")
    assert lines_of(tmp_path / "old") == lines_of(tmp_path / "whole")[: len(lines_of(tmp_path / "old"))]
    old, new = (callbacks.read_run(tmp_path / name) for name in ("old", "new"))
    assert (old.state, new.state) == ("interrupted", "finished") and old.resumable
    assert new.record["branched"] == {"from": str(tmp_path / "old"), "epoch": to[0], "step": to[1]}
    assert new.record["ended"]["best"] == callbacks.read_run(tmp_path / "straight").record["ended"]["best"]
    ours, theirs = (thalweg.models.load_model(tmp_path / name / "best.keras") for name in ("new", "straight"))
    assert all(map(np.array_equal, ours.get_weights(), theirs.get_weights()))
    again = KINDS["adam"]()
    fit(again, Listed(), run=tmp_path / "old")  # what was left goes on
    assert all(map(np.array_equal, again.get_weights(), whole.get_weights()))


def test_the_best_of_before_is_the_best_again(tmp_path):
    """What was better on a way that was given up is no model of this run."""
    run, whole = callbacks.RunFolder(tmp_path / "run"), callbacks.RunFolder(tmp_path / "whole")
    steer = Steer(run, (1, 0), (3, 0), ("optimizer/learning_rate", 0.0))
    gone = KINDS["sgd"]()
    fit(gone, steer, run=run)
    best = thalweg.models.load_model(tmp_path / "run" / "best.keras")
    still = KINDS["sgd"]()
    fit(still, run=whole, epochs=1)
    assert all(map(np.array_equal, best.get_weights(), still.get_weights()))
    assert callbacks.read_run(tmp_path / "run").record["ended"]["best"]["epoch"] == 0


def test_what_cannot_be_branched_is_refused_and_goes_on(tmp_path):
    (tmp_path / "there").mkdir()
    run, plain, other = callbacks.RunFolder(tmp_path / "run"), KINDS["sgd"](), KINDS["sgd"]()
    refused = []

    class Try(Steps):
        def on_safe_point(self, epoch, step, last=False):
            if (epoch, step) == (2, 0):
                kept = run.checkpoint()
                kept.write_bytes(kept.read_bytes()[:-7])
                for place in ("there", "new"):
                    try:
                        run.branch(kept, tmp_path / place)
                    except (FileExistsError, thalweg.models.FileError) as error:
                        refused.append(type(error))

    fit(other, Try(), run=run)
    fit(plain)
    assert refused == [FileExistsError, thalweg.models.FileError] and not (tmp_path / "new").exists()
    assert all(map(np.array_equal, plain.get_weights(), other.get_weights()))


class Ways(Steps):
    """Keeps A and B; goes back from B's way to A, turns a hyper there, pins C, and goes back to B, which was left.

    Args:
        run: the run folder.

    """

    comes_last = True

    def __init__(self, run):
        self.run, self.kept, self.acts, self.names = run, {}, [], []

    def on_safe_point(self, epoch, step, last=False):
        place = (epoch, step)
        if place == (1, 0) and "A" not in self.kept:
            self.kept["A"] = self.run.checkpoint()
        elif place == (2, 2) and "B" not in self.kept:
            self.kept["B"] = self.run.checkpoint()
        elif place == (3, 0) and not self.acts:
            self.acts.append("to A")
            self.run.go_back(self.kept["A"])
        elif place == (1, 0) and self.acts == ["to A"]:
            self.acts.append("at A")
            self.names = [checkpoint_name(path) for path in self.run.checkpoints()]
            self.model.hypers["optimizer/learning_rate"] = 0.5
        elif place == (2, 1) and self.acts == ["to A", "at A"]:
            self.acts.append("to B")
            self.run.checkpoint()
            (left,) = [path for path in self.run.checkpoints() if checkpoint_name(path).startswith("left/")]
            self.run.go_back(left)
        elif self.acts == ["to A", "at A", "to B"]:
            self.acts.append("at B")


def events(folder):
    found = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return sorted(json.dumps({key: value for key, value in one.items() if key != "seconds"}) for one in found)


def test_a_way_that_was_left_is_gone_back_to(tmp_path):
    plain, gone = KINDS["adam"](), KINDS["adam"]()
    fit(plain, Listed(), run=tmp_path / "plain")
    run = callbacks.RunFolder(tmp_path / "gone")
    history = fit(gone, ways := Ways(run), run=run)
    assert ways.acts == ["to A", "at A", "to B", "at B"]
    assert ways.names == [
        "epoch-000001-step-000000000.safetensors",
        "epoch-000001-step-000000000.safetensors",
        "left/1/epoch-000002-step-000000002.safetensors",
    ]
    same(plain, gone)
    assert history.changes == [] and events(tmp_path / "gone") == events(tmp_path / "plain")
    names = {checkpoint_name(path) for path in run.checkpoints()}
    assert {name for name in names if name.startswith("left/2/")} == {
        "left/2/epoch-000001-step-000000000.safetensors",
        "left/2/epoch-000002-step-000000001.safetensors",
    }


@pytest.mark.parametrize("back", ["to A", "to B"])
def test_a_process_that_is_killed_after_going_back_goes_on_from_there(tmp_path, back):
    class Killed(Exception):
        pass

    class Fell(Ways):
        def on_safe_point(self, epoch, step, last=False):
            super().on_safe_point(epoch, step, last)
            if self.acts[-1:] == [{"to A": "at A", "to B": "at B"}[back]]:
                raise Killed

    def interrupted():
        run = callbacks.RunFolder(tmp_path / "gone")
        with pytest.raises(Killed):
            fit(KINDS["adam"](), Fell(run), run=run)
        run.close()

    plain, gone = KINDS["adam"](), KINDS["adam"]()
    fit(plain, Listed(), run=tmp_path / "plain")
    interrupted()
    fit(gone, Listed(), run=tmp_path / "gone")
    same(plain, gone)
    assert events(tmp_path / "gone") == events(tmp_path / "plain")
